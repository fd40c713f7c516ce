//! What a client does with a server besides moving values: logs in, defines, prepares, transacts, gives up, goes on.

use crate::driver::{Client, Driver, Encryption, Failure, Reply, Request, Typed};
use crate::site::{Login, Site};

/// Asserts that an error is the server's. Where the driver hides the number, its text has to do.
fn assert_error(client: &Client, reply: &Reply, number: u32, text: &str) {
    let name = client.driver.name();
    let Some(Failure { number: told, message }) = &reply.error else {
        panic!("{name}: no error {number}: {reply:?}")
    };
    assert!(told.is_none_or(|told| told == number), "{name}: {told:?} instead of {number}: {message}");
    assert!(message.contains(text), "{name}: {number}: {message}");
}

async fn fails(client: &mut Client, sql: &str, number: u32, text: &str) -> Reply {
    let reply = client.ask(Request::Run { session: "main", sql, parameters: &[] }).await;
    assert_error(client, &reply, number, text);
    reply
}

/// Every conversation with one client, each with a server of its own and a session `main`.
async fn converse(driver: Driver) {
    let mut client = Client::start(driver).await;
    macro_rules! talk {
        ($($conversation:ident),+ $(,)?) => {
            $(
                let site = Site::suiting(driver).await;
                client.connect("main", &site.login).await;
                $conversation(&site, &mut client).await;
            )+
            println!("{}: {} conversations", driver.name(), [$(stringify!($conversation)),+].len());
        };
    }
    talk!(
        logins_are_judged,
        tables_are_defined_and_altered,
        a_statement_is_executed_many_times,
        transactions_commit_and_roll_back,
        isolation_levels_are_what_was_asked_for,
        results_follow_each_other_and_errors_come_in_the_middle,
        large_values_pass,
        many_rows_pass,
        // Last, for FreeTDS is hasty for good from then on.
        what_takes_too_long_is_given_up,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn odbc() {
    converse(Driver::Odbc).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pymssql() {
    converse(Driver::Pymssql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pytds() {
    converse(Driver::Pytds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tedious() {
    converse(Driver::Tedious).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tiberius() {
    converse(Driver::Tiberius).await;
}

async fn logins_are_judged(site: &Site, client: &mut Client) {
    let user = client.value("main", "SELECT SUSER_SNAME() + ' in ' + DB_NAME()").await;
    assert_eq!(user.as_deref(), Some("sa in wms"));

    async fn connect(client: &mut Client, login: Login) -> Reply {
        let encryption = Encryption::None;
        client.ask(Request::Connect { session: "other", login: &login, encryption, hasty: false }).await
    }
    let reply = connect(client, Login { password: "guess".into(), ..site.login.clone() }).await;
    assert_error(client, &reply, 18456, "Login failed for user 'sa'.");
    let reply = connect(client, Login { database: "nowhere".into(), ..site.login.clone() }).await;
    // Two errors, 4060 and 18456; drivers tell the first or the last.
    let message = reply.error.expect("there is no such database").message;
    let told =
        ["Cannot open database \"nowhere\"", "Login failed for user 'sa'.", "General SQL Server error"];
    assert!(told.iter().any(|text| message.contains(text)), "{}: {message}", client.driver.name());
    client.run("main", "SELECT 1").await;
}

async fn tables_are_defined_and_altered(_: &Site, client: &mut Client) {
    client.run("main", "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY)").await;
    client.run("main", "ALTER TABLE dbo.t ADD name nvarchar(20) NULL").await;
    client.run("main", "CREATE INDEX by_name ON dbo.t (name)").await;
    let columns = client.run("main", "SELECT * FROM dbo.t").await.remove(0).columns;
    assert_eq!(columns, ["id", "name"]);
    client.run("main", "DROP TABLE dbo.t").await;
    fails(client, "SELECT * FROM dbo.t", 208, "Invalid object name 'dbo.t'.").await;
}

async fn a_statement_is_executed_many_times(_: &Site, client: &mut Client) {
    client
        .run("main", "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY, name nvarchar(40), n decimal(9,2))")
        .await;
    let ids: Vec<String> = (0..300).map(|id| id.to_string()).collect();
    let rows: Vec<Vec<Typed<'_>>> = ids
        .iter()
        .map(|id| {
            let name = (id.len() < 3).then_some("caf\u{e9} \u{6f22}");
            vec![("int", Some(id.as_str())), ("nvarchar(40)", name), ("decimal(9,2)", Some("-0.25"))]
        })
        .collect();
    let sql = "INSERT INTO dbo.t (id, name, n) VALUES (?, ?, ?)";
    client.expect(Request::Repeat { session: "main", sql, rows: &rows }).await;
    let found = client.run("main", "SELECT COUNT(*), COUNT(name), SUM(id), SUM(n) FROM dbo.t").await;
    let counts: Vec<_> = found[0].rows[0].iter().flatten().take(3).collect();
    assert_eq!(counts, ["300", "100", "44850"], "{}", client.driver.name());

    let parameters = [("int", Some("100"))];
    let sql = "DELETE FROM dbo.t WHERE id < ?";
    let reply = client.expect(Request::Change { session: "main", sql, parameters: &parameters }).await;
    assert_eq!(reply.affected, Some(100), "{}", client.driver.name());
}

async fn transactions_commit_and_roll_back(site: &Site, client: &mut Client) {
    client.run("main", "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY)").await;
    client.connect("other", &site.login).await;
    client.run("other", "SET LOCK_TIMEOUT 0").await;
    let count = "SELECT COUNT(*) FROM dbo.t";
    for (commit, after) in [(false, "0"), (true, "1")] {
        client.expect(Request::Begin { session: "main", isolation: "READ COMMITTED" }).await;
        client.run("main", "INSERT INTO dbo.t VALUES (1)").await;
        assert_eq!(client.value("main", "SELECT @@TRANCOUNT").await.as_deref(), Some("1"));
        let blocked = client.ask(Request::Run { session: "other", sql: count, parameters: &[] }).await;
        assert_error(client, &blocked, 1222, "Lock request time out period exceeded.");
        client.expect(Request::End { session: "main", commit }).await;
        assert_eq!(client.value("other", count).await.as_deref(), Some(after), "{}", client.driver.name());
        assert_eq!(client.value("main", "SELECT @@TRANCOUNT").await.as_deref(), Some("0"));
    }
    client.expect(Request::Begin { session: "main", isolation: "READ COMMITTED" }).await;
    client.run("main", "INSERT INTO dbo.t VALUES (2)").await;
    fails(client, "INSERT INTO dbo.t VALUES (1)", 2627, "Violation of PRIMARY KEY constraint").await;
    client.expect(Request::End { session: "main", commit: true }).await;
    assert_eq!(client.value("other", count).await.as_deref(), Some("2"));

    client.expect(Request::Begin { session: "main", isolation: "READ COMMITTED" }).await;
    client.run("main", "INSERT INTO dbo.t VALUES (3)").await;
    client.expect(Request::Close { session: "main" }).await;
    client.run("other", "SET LOCK_TIMEOUT -1").await;
    assert_eq!(client.value("other", count).await.as_deref(), Some("2"), "a closed session is rolled back");
}

async fn isolation_levels_are_what_was_asked_for(_: &Site, client: &mut Client) {
    client.run("main", "ALTER DATABASE CURRENT SET ALLOW_SNAPSHOT_ISOLATION ON").await;
    let levels = ["READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "SNAPSHOT"];
    for (index, isolation) in levels.into_iter().enumerate() {
        client.expect(Request::Begin { session: "main", isolation }).await;
        let level = "SELECT transaction_isolation_level FROM sys.dm_exec_sessions WHERE session_id = @@SPID";
        let expected = (index + 1).to_string();
        assert_eq!(
            client.value("main", level).await,
            Some(expected),
            "{}: {isolation}",
            client.driver.name()
        );
        client.expect(Request::End { session: "main", commit: true }).await;
    }
}

async fn results_follow_each_other_and_errors_come_in_the_middle(_: &Site, client: &mut Client) {
    let sql = "SELECT 1 AS a, 'x' AS b; SELECT 2 AS c WHERE 1 = 0; SELECT 3 AS d UNION ALL SELECT 4";
    let results = client.run("main", sql).await;
    let shape: Vec<_> = results.iter().map(|result| (result.columns.join(","), result.rows.len())).collect();
    assert_eq!(shape, [("a,b".into(), 1), ("c".into(), 0), ("d".into(), 2)], "{}", client.driver.name());

    let sql = "SELECT 1 AS a; SELECT 1 / 0 AS b; SELECT 3 AS c";
    let reply = fails(client, sql, 8134, "Divide by zero error encountered.").await;
    assert_eq!(reply.results.first().map(|result| result.rows.len()), Some(1), "{}", client.driver.name());
    let sql = "SELECT 1 AS a; RAISERROR('no more of that', 16, 1); SELECT 2 AS b";
    fails(client, sql, 50000, "no more of that").await;
    fails(client, "SELECT FROM dbo.t", 156, "Incorrect syntax near the keyword 'FROM'.").await;
    fails(client, "SELECT * FROM dbo.nowhere", 208, "Invalid object name 'dbo.nowhere'.").await;
    assert_eq!(client.value("main", "SELECT 7 AS a").await.as_deref(), Some("7"));
}

async fn what_takes_too_long_is_given_up(site: &Site, client: &mut Client) {
    let hasty =
        |session| Request::Connect { session, login: &site.login, encryption: Encryption::None, hasty: true };
    client.run("main", "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY)").await;
    client.expect(hasty("hasty")).await;
    let sql = "INSERT INTO dbo.t VALUES (1); WAITFOR DELAY '01:00:00'; INSERT INTO dbo.t VALUES (2)";
    let reply = client.ask(Request::Run { session: "hasty", sql, parameters: &[] }).await;
    let error = reply.error.unwrap_or_else(|| panic!("{}: an hour passed", client.driver.name()));
    assert!(error.number.is_none_or(|number| number != 208), "{error:?}");
    // FreeTDS drops a connection whose request timed out, python-tds leaves it in the middle of a message.
    if matches!(client.driver, Driver::Pymssql | Driver::Pytds) {
        client.expect(hasty("hasty")).await;
    }
    let count = "SELECT COUNT(*) AS n FROM dbo.t";
    for session in ["hasty", "main"] {
        assert_eq!(client.value(session, count).await.as_deref(), Some("1"), "{}", client.driver.name());
    }
}

async fn large_values_pass(_: &Site, client: &mut Client) {
    let size = if crate::is_long() { 8 << 20 } else { 1 << 20 };
    client
        .run("main", "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY, b varbinary(max), s nvarchar(max))")
        .await;
    let bytes = "00ff0d0a".repeat(size / 4);
    let text = "\u{6f22}8\u{1f69a}".repeat(size / 8);
    let sql = "INSERT INTO dbo.t (id, b, s) VALUES (?, ?, ?)";
    let parameters = [("int", Some("1")), ("varbinary(max)", Some(&*bytes)), ("nvarchar(max)", Some(&*text))];
    client.expect(Request::Run { session: "main", sql, parameters: &parameters }).await;
    let lengths = client.run("main", "SELECT DATALENGTH(b), DATALENGTH(s) FROM dbo.t").await.remove(0).rows;
    assert_eq!(lengths, [[Some(size.to_string()), Some(size.to_string())]], "{}", client.driver.name());
    let read = client.run("main", "SELECT b, s FROM dbo.t").await.remove(0).rows.remove(0);
    assert!(read[0].as_ref() == Some(&bytes), "{}: other bytes", client.driver.name());
    assert!(read[1].as_ref() == Some(&text), "{}: other text", client.driver.name());
}

async fn many_rows_pass(_: &Site, client: &mut Client) {
    client.run("main", "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY, filler char(200) NOT NULL)").await;
    for first in (0..20_000).step_by(1000) {
        let values: Vec<String> = (first..first + 1000).map(|id| format!("({id}, '{id}')")).collect();
        client.run("main", &format!("INSERT INTO dbo.t VALUES {}", values.join(", "))).await;
    }
    let rows = client.run("main", "SELECT id, filler FROM dbo.t ORDER BY id").await.remove(0).rows;
    assert_eq!(rows.len(), 20_000, "{}", client.driver.name());
    for (id, row) in rows.iter().enumerate() {
        assert_eq!(row[0].as_deref(), Some(&*id.to_string()), "{}", client.driver.name());
        assert_eq!(row[1], Some(format!("{id:<200}")), "{}", client.driver.name());
    }
}
