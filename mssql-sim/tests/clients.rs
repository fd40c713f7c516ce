//! The server as tiberius sees it, over a socket and in memory.

mod client;

use std::time::Duration;

use client::{Connection, config, connect, connect_as, log_in, rows, run};
use futures::TryStreamExt;
use mssql_sim::faults::{Effect, Fault, FaultError, Point};
use mssql_sim::server::{AttentionReply, NullRows, Options, Server};
use mssql_sim::types::Value;
use tiberius::AuthMethod;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpStream;

fn server() -> Server {
    Server::new(Options::default())
}

/// A client over a socket.
async fn connect_socket(address: std::net::SocketAddr) -> Connection<TcpStream> {
    log_in(TcpStream::connect(address).await.expect("the server listens")).await
}

/// The error number with which a batch fails.
async fn error_number<S>(client: &mut Connection<S>, sql: &str) -> u32
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let results = match client.simple_query(sql).await {
        Ok(stream) => stream.into_results().await,
        Err(error) => Err(error),
    };
    match results {
        Ok(_) => panic!("{sql}: no error"),
        Err(error) => error.code().unwrap_or_else(|| panic!("{sql}: {error}")),
    }
}

const EVERY_TYPE: &str = "CREATE TABLE dbo.every_type (
    id int NOT NULL PRIMARY KEY, a bit, b tinyint, c smallint, d int, e bigint, f decimal(18, 4), g numeric(38, 0),
    h money, i smallmoney, j real, k float, l datetime, m smalldatetime, n datetime2(3), o date, p time(7),
    q datetimeoffset(0), r char(5), s varchar(40), t varchar(max), u nchar(4), v nvarchar(20), w nvarchar(max),
    x binary(4), y varbinary(8), z varbinary(max), guid uniqueidentifier, version rowversion)";

const EVERY_VALUE: &str = "INSERT INTO dbo.every_type (id, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, guid)
    VALUES (1, 1, 255, -32768, 2147483647, -9223372036854775808, -12345678901234.5678, 99999999999999999999999999999999999999,
    -1.2345, 214748.3647, 0.5, 1e-300, '2026-11-24T12:34:56.997', '2026-11-24T12:34:00', '2026-11-24T12:34:56.789',
    '0001-01-01', '23:59:59.9999999', '2026-11-24T12:34:56-04:00', 'ab', 'caf\u{e9} \u{20ac}', '', N'\u{3b1}', N'\u{1f69a} na\u{ef}ve',
    N'', 0x01, 0x00FF, 0x, '6F9619FF-8B86-D011-B42D-00C04FC964FF')";

/// Reads the row back through the whole path: literal, conversion, storage, wire, tiberius' decoder.
async fn check_every_type(options: Options) {
    let server = Server::new(options);
    let mut client = connect(&server).await;
    run(&mut client, EVERY_TYPE).await;
    run(&mut client, EVERY_VALUE).await;
    run(&mut client, "INSERT INTO dbo.every_type (id) VALUES (2)").await;

    let rows =
        rows(&mut client, "SELECT * FROM dbo.every_type ORDER BY id").await.expect("both rows are read");
    let cells: Vec<String> =
        rows[0].cells().map(|(column, value)| format!("{} {value:?}", column.name())).collect();
    let expected = [
        "id I32(Some(1))",
        "a Bit(Some(true))",
        "b U8(Some(255))",
        "c I16(Some(-32768))",
        "d I32(Some(2147483647))",
        "e I64(Some(-9223372036854775808))",
        "f Numeric(Some(-12345678901234.5678))",
        "g Numeric(Some(99999999999999999999999999999999999999.0))",
        "h F64(Some(-1.2345))",
        "i F64(Some(214748.3647))",
        "j F32(Some(0.5))",
        "k F64(Some(1e-300))",
        "l DateTime(Some(DateTime { days: 46348, seconds_fragments: 13589099 }))",
        "m SmallDateTime(Some(SmallDateTime { days: 46348, seconds_fragments: 754 }))",
        "n DateTime2(Some(DateTime2 { date: Date(739943), time: Time { increments: 45296789, scale: 3 } }))",
        "o Date(Some(Date(0)))",
        "p Time(Some(Time { increments: 863999999999, scale: 7 }))",
        "q DateTimeOffset(Some(DateTimeOffset { datetime2: DateTime2 { date: Date(739943), time: Time { increments: 59696, scale: 0 } }, offset: -240 }))",
        "r String(Some(\"ab   \"))",
        "s String(Some(\"caf\u{e9} \u{20ac}\"))",
        "t String(Some(\"\"))",
        "u String(Some(\"\u{3b1}   \"))",
        "v String(Some(\"\u{1f69a} na\u{ef}ve\"))",
        "w String(Some(\"\"))",
        "x Binary(Some([1, 0, 0, 0]))",
        "y Binary(Some([0, 255]))",
        "z Binary(Some([]))",
        "guid Guid(Some(6f9619ff-8b86-d011-b42d-00c04fc964ff))",
    ];
    for (cell, expected) in cells.iter().zip(expected) {
        assert_eq!(cell, expected);
    }
    let nulls = rows[1].cells().filter(|(_, value)| format!("{value:?}").ends_with("(None)")).count();
    assert_eq!(nulls, expected.len() - 1, "every column but the key and the rowversion is NULL");
    let version: &[u8] = rows[1].get("version").expect("a rowversion is never NULL");
    assert_eq!(version.len(), 8);
}

#[tokio::test]
async fn every_type_is_read_back_as_it_was_written() {
    check_every_type(Options::default()).await;
}

#[tokio::test]
async fn every_type_is_read_back_whatever_its_rows_are() {
    for seed in 0..8 {
        check_every_type(Options { null_rows: NullRows::Random(seed), ..Options::default() }).await;
    }
    check_every_type(Options { null_rows: NullRows::Never, ..Options::default() }).await;
}

#[tokio::test]
async fn parameters_keep_their_types() {
    let server = server();
    let mut client = connect(&server).await;
    let long = "\u{f1}".repeat(5000);
    let row = client
        .query(
            "SELECT @P1 + 1 AS n, @P2 AS long, @P3 AS bytes, @P4 AS missing, @P5 AS flag",
            &[&i64::from(i32::MAX), &long.as_str(), &vec![1u8, 2].as_slice(), &Option::<i32>::None, &true],
        )
        .await
        .unwrap()
        .into_row()
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.get::<i64, _>("n"), Some(i64::from(i32::MAX) + 1));
    assert_eq!(row.get::<&str, _>("long"), Some(long.as_str()));
    assert_eq!(row.get::<&[u8], _>("bytes"), Some([1, 2].as_slice()));
    assert_eq!(row.get::<i32, _>("missing"), None);
    assert_eq!(row.get::<bool, _>("flag"), Some(true));

    let text = format!("SELECT @P1 AS n /* {} */", "x".repeat(5000));
    let row = client.query(text, &[&7i32]).await.unwrap().into_row().await.unwrap().unwrap();
    assert_eq!(row.get::<i32, _>(0), Some(7));
}

#[tokio::test]
async fn errors_carry_sql_servers_numbers() {
    let server = server();
    let mut client = connect(&server).await;
    run(&mut client, "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY, parent int REFERENCES dbo.t (id))")
        .await;
    run(&mut client, "INSERT INTO dbo.t VALUES (1, NULL)").await;
    for (sql, number) in [
        ("SELECT * FROM dbo.nowhere", 208),
        ("SELECT nothing FROM dbo.t", 207),
        ("SELECT 1 FROM dbo.t WHERE id = ", 102),
        ("INSERT INTO dbo.t VALUES (1, NULL)", 2627),
        ("INSERT INTO dbo.t VALUES (2, 99)", 547),
        ("INSERT INTO dbo.t VALUES (NULL, NULL)", 515),
        ("SELECT 1 / 0", 8134),
        ("COMMIT", 3902),
        ("ROLLBACK", 3903),
        ("EXEC dbo.nothing", 2812),
        ("SELECT * FROM CHANGETABLE(CHANGES dbo.t, 0) AS c", 22105),
        ("RAISERROR('stop', 16, 1)", 50000),
        ("USE nowhere", 911),
    ] {
        assert_eq!(error_number(&mut client, sql).await, number, "{sql}");
    }
    let answer = rows(&mut client, "SELECT COUNT(*) FROM dbo.t").await.unwrap();
    assert_eq!(answer[0].get::<i32, _>(0), Some(1), "the connection goes on and nothing was written");
}

#[tokio::test]
async fn an_error_between_rows_takes_none_of_the_others() {
    let server = server();
    let mut client = connect(&server).await;
    run(&mut client, "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY)").await;
    run(&mut client, "INSERT INTO dbo.t VALUES (1), (2), (3), (4)").await;
    let query =
        client.simple_query("SELECT 12 / (3 - id) AS n FROM dbo.t ORDER BY id; SELECT 7 AS n").await.unwrap();
    let mut stream = query.into_row_stream();
    // tiberius keeps the error of a statement until the batch has ended.
    for expected in [6, 12, 7] {
        let row = stream.try_next().await.unwrap().expect("rows around the error arrive");
        assert_eq!(row.get::<i32, _>(0), Some(expected));
    }
    assert_eq!(stream.try_next().await.unwrap_err().code(), Some(8134));
    drop(stream);
    assert_eq!(rows(&mut client, "SELECT 8 AS n").await.unwrap()[0].get::<i32, _>(0), Some(8));
}

#[tokio::test]
async fn a_wrong_password_and_a_wrong_database_are_refused() {
    let server = server();
    let mut wrong = config();
    wrong.authentication(AuthMethod::sql_server("sa", "guess"));
    let error = connect_as(wrong, server.connect()).await.unwrap_err();
    assert_eq!(error.code(), Some(18456));

    let mut wrong = config();
    wrong.database("nowhere");
    let error = connect_as(wrong, server.connect()).await.unwrap_err();
    assert_eq!(error.code(), Some(4060));
}

/// The first row of a batch's first result, all of whose columns are `int`.
async fn ints(client: &mut Connection<DuplexStream>, sql: &str) -> Vec<i32> {
    let rows = rows(client, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    (0..rows[0].len()).map(|column| rows[0].get(column).expect("no column is NULL")).collect()
}

const COUNT: &str = "SELECT COUNT(*), @@TRANCOUNT FROM dbo.t";

/// A client of a server whose table `dbo.t` holds 1 and 2.
async fn two_rows() -> Connection<DuplexStream> {
    let mut client = connect(&server()).await;
    run(&mut client, "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY); INSERT INTO dbo.t VALUES (1), (2)")
        .await;
    client
}

#[tokio::test]
async fn an_error_ends_as_much_as_its_kind_says() {
    let mut client = two_rows().await;
    let goes_on = "INSERT INTO dbo.t VALUES (1); INSERT INTO dbo.t VALUES (3)";
    assert_eq!(error_number(&mut client, goes_on).await, 2627);
    assert_eq!(ints(&mut client, COUNT).await, [3, 0], "the statement behind the failed one ran");

    let refused = "INSERT INTO dbo.t VALUES (9); SELECT missing FROM dbo.t";
    assert_eq!(error_number(&mut client, refused).await, 207);
    assert_eq!(ints(&mut client, COUNT).await, [3, 0], "nothing of a refused batch runs");

    let aborts = "SET XACT_ABORT ON; BEGIN TRAN; INSERT INTO dbo.t VALUES (4); INSERT INTO dbo.t VALUES (1);
                  INSERT INTO dbo.t VALUES (5)";
    assert_eq!(error_number(&mut client, aborts).await, 2627);
    assert_eq!(ints(&mut client, COUNT).await, [3, 0], "XACT_ABORT undoes and ends all");
    let inner = "EXEC('INSERT INTO dbo.t VALUES (1)'); INSERT INTO dbo.t VALUES (9)";
    assert_eq!(error_number(&mut client, inner).await, 2627);
    assert_eq!(ints(&mut client, COUNT).await, [3, 0], "XACT_ABORT ends the calling batch too");

    let doomed = "BEGIN TRAN; BEGIN TRY INSERT INTO dbo.t VALUES (1) END TRY BEGIN CATCH SELECT XACT_STATE() END CATCH";
    assert_eq!(error_number(&mut client, doomed).await, 3998, "a doomed transaction ends with its batch");
    assert_eq!(ints(&mut client, COUNT).await, [3, 0]);
}

#[tokio::test]
async fn a_try_takes_what_its_own_batch_survives() {
    let mut client = two_rows().await;
    let caught = |body: &str| format!("BEGIN TRY {body} END TRY BEGIN CATCH SELECT ERROR_NUMBER() END CATCH");
    assert_eq!(ints(&mut client, &caught("INSERT INTO dbo.t VALUES (1)")).await, [2627]);
    assert_eq!(ints(&mut client, &caught("THROW 50001, 'mine', 1")).await, [50001]);
    assert_eq!(ints(&mut client, &caught("EXEC('SELECT * FROM dbo.nowhere')")).await, [208]);
    assert_eq!(error_number(&mut client, &caught("SELECT * FROM dbo.nowhere")).await, 208);
}

#[tokio::test]
async fn control_flow_and_procedures_leave_what_they_should() {
    let mut client = two_rows().await;
    let control = "DECLARE @i int = 0, @sum int = 0
        WHILE @i < 10 BEGIN SET @i += 1 IF @i % 2 = 0 CONTINUE IF @i > 7 BREAK SET @sum = @sum + @i END
        SELECT @sum AS n";
    assert_eq!(ints(&mut client, control).await, [1 + 3 + 5 + 7]);

    let output = "DECLARE @a int, @b int
        EXEC sp_executesql N'SELECT @x = 1, @y = 2', N'@x int OUTPUT, @y int OUTPUT', @y = @b OUTPUT, @x = @a OUTPUT
        SELECT @a, @b";
    assert_eq!(ints(&mut client, output).await, [1, 2]);
    let settings = "EXEC sp_executesql N'SET LOCK_TIMEOUT 5; USE master'; SELECT @@LOCK_TIMEOUT";
    assert_eq!(ints(&mut client, settings).await, [-1], "settings end with their procedure");
    let database = &rows(&mut client, "SELECT DB_NAME()").await.unwrap()[0];
    assert_eq!(database.get::<&str, _>(0), Some("wms"));
}

#[tokio::test]
async fn transactions_are_followed_in_text_and_by_request() {
    let server = server();
    let mut client = connect(&server).await;
    run(&mut client, "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY)").await;
    let count = "SELECT COUNT(*) FROM dbo.t";

    // Every request in a transaction names its descriptor and is refused when that is stale.
    run(&mut client, "BEGIN TRAN").await;
    run(&mut client, "INSERT INTO dbo.t VALUES (1)").await;
    run(&mut client, "ROLLBACK").await;
    client.begin_transaction().await.unwrap();
    run(&mut client, "INSERT INTO dbo.t VALUES (2)").await;
    client.commit_transaction().await.unwrap();
    client.begin_transaction().await.unwrap();
    run(&mut client, "INSERT INTO dbo.t VALUES (3)").await;
    client.rollback_transaction().await.unwrap();
    assert_eq!(rows(&mut client, count).await.unwrap()[0].get::<i32, _>(0), Some(1));

    run(&mut client, "BEGIN TRAN; INSERT INTO dbo.t VALUES (4)").await;
    drop(client);
    let mut next = connect(&server).await;
    // READ COMMITTED waits for the lost client's lock until its session is rolled back.
    assert_eq!(rows(&mut next, count).await.unwrap()[0].get::<i32, _>(0), Some(1));
}

#[tokio::test]
async fn a_reader_waits_for_a_writer_and_a_snapshot_does_not() {
    let server = server();
    let mut writer = connect(&server).await;
    let mut reader = connect(&server).await;
    run(&mut writer, "ALTER DATABASE CURRENT SET ALLOW_SNAPSHOT_ISOLATION ON").await;
    run(&mut writer, "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY, v int)").await;
    run(&mut writer, "INSERT INTO dbo.t VALUES (1, 10), (2, 20)").await;
    run(&mut writer, "BEGIN TRAN; UPDATE dbo.t SET v = 11 WHERE id = 1").await;
    let read = "SELECT v FROM dbo.t WHERE id = 1";

    assert_eq!(error_number(&mut reader, &format!("SET LOCK_TIMEOUT 0; {read}")).await, 1222);
    run(&mut reader, "SET LOCK_TIMEOUT -1").await;
    run(&mut reader, "SET TRANSACTION ISOLATION LEVEL SNAPSHOT").await;
    assert_eq!(rows(&mut reader, read).await.unwrap()[0].get::<i32, _>(0), Some(10));
    run(&mut reader, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED").await;
    let (waited, ()) = tokio::join!(rows(&mut reader, read), async {
        tokio::task::yield_now().await;
        run(&mut writer, "COMMIT").await;
    });
    assert_eq!(waited.unwrap()[0].get::<i32, _>(0), Some(11));
}

#[tokio::test]
async fn a_deadlock_has_a_victim() {
    let server = server();
    let mut first = connect(&server).await;
    let mut second = connect(&server).await;
    run(&mut first, "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY, v int)").await;
    run(&mut first, "INSERT INTO dbo.t VALUES (1, 0), (2, 0)").await;
    run(&mut second, "SET DEADLOCK_PRIORITY LOW").await;
    run(&mut first, "BEGIN TRAN; UPDATE dbo.t SET v = 1 WHERE id = 1").await;
    run(&mut second, "BEGIN TRAN; UPDATE dbo.t SET v = 2 WHERE id = 2").await;

    let ((), number) = tokio::join!(
        run(&mut first, "UPDATE dbo.t SET v = 1 WHERE id = 2; COMMIT"),
        error_number(&mut second, "UPDATE dbo.t SET v = 2 WHERE id = 1")
    );
    assert_eq!(number, 1205);
    let row = &rows(&mut second, "SELECT @@TRANCOUNT, SUM(v) FROM dbo.t").await.unwrap()[0];
    assert_eq!((row.get::<i32, _>(0), row.get::<i32, _>(1)), (Some(0), Some(2)));
}

#[tokio::test]
async fn changes_are_read_as_the_agent_reads_them() {
    let server = server();
    let mut client = connect(&server).await;
    for sql in [
        "ALTER DATABASE wms SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 2 DAYS, AUTO_CLEANUP = ON)",
        "ALTER DATABASE wms SET ALLOW_SNAPSHOT_ISOLATION ON",
        "CREATE TABLE dbo.orders (id int NOT NULL PRIMARY KEY, status nvarchar(10) NOT NULL)",
        "ALTER TABLE dbo.orders ENABLE CHANGE_TRACKING",
        "INSERT INTO dbo.orders VALUES (1, N'new'), (2, N'new'), (3, N'new')",
        "UPDATE dbo.orders SET status = N'shipped' WHERE id = 2",
        "DELETE FROM dbo.orders WHERE id = 3",
        "SET TRANSACTION ISOLATION LEVEL SNAPSHOT",
        "BEGIN TRAN",
    ] {
        run(&mut client, sql).await;
    }
    let state = "SELECT CHANGE_TRACKING_CURRENT_VERSION(), CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID(N'dbo.orders'))";
    let row = &rows(&mut client, state).await.unwrap()[0];
    assert_eq!((row.get::<i64, _>(0), row.get::<i64, _>(1)), (Some(3), Some(0)));

    let changes = "SELECT CT.id, CT.SYS_CHANGE_OPERATION, CT.SYS_CHANGE_VERSION, T.status
        FROM CHANGETABLE(CHANGES dbo.orders, @P1) AS CT LEFT JOIN dbo.orders AS T ON T.id = CT.id ORDER BY CT.id";
    let rows = client.query(changes, &[&1i64]).await.unwrap().into_first_result().await.unwrap();
    let read: Vec<_> = rows
        .iter()
        .map(|row| (row.get::<i32, _>(0), row.get::<&str, _>(1), row.get::<i64, _>(2), row.get::<&str, _>(3)))
        .collect();
    assert_eq!(read, [(Some(2), Some("U"), Some(2), Some("shipped")), (Some(3), Some("D"), Some(3), None),]);
}

#[tokio::test]
async fn a_result_larger_than_every_buffer_streams() {
    let server = server();
    let listening = server.listen("127.0.0.1:0").await.unwrap();
    let mut client = connect_socket(listening.addr).await;
    run(&mut client, "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY, filler char(200) NOT NULL)").await;
    let mut insert = String::new();
    for first in (0..20_000).step_by(500) {
        let values: Vec<String> = (first..first + 500).map(|id| format!("({id}, '{id}')")).collect();
        insert.push_str(&format!("INSERT INTO dbo.t VALUES {};\n", values.join(", ")));
    }
    run(&mut client, &insert).await;

    let mut stream =
        client.simple_query("SELECT id, filler FROM dbo.t ORDER BY id").await.unwrap().into_row_stream();
    let mut expected = 0;
    while let Some(row) = stream.try_next().await.unwrap() {
        assert_eq!(row.get::<i32, _>(0), Some(expected));
        expected += 1;
    }
    assert_eq!(expected, 20_000);
}

#[tokio::test]
async fn an_attention_ends_the_request_and_nothing_else() {
    let server = Server::new(Options { attention_reply: AttentionReply::OneMessage, ..Options::default() });
    let mut client = connect(&server).await;
    run(&mut client, "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY)").await;
    run(&mut client, "BEGIN TRAN; INSERT INTO dbo.t VALUES (1)").await;
    let waiting = client.simple_query("WAITFOR DELAY '01:00:00'");
    assert!(tokio::time::timeout(Duration::from_millis(50), waiting).await.is_err());
    client.cancel_query().await.unwrap();

    let row = &rows(&mut client, "SELECT @@TRANCOUNT, COUNT(*) FROM dbo.t").await.unwrap()[0];
    assert_eq!(
        (row.get::<i32, _>(0), row.get::<i32, _>(1)),
        (Some(1), Some(1)),
        "the transaction stays open"
    );

    let mut other = connect(&server).await;
    let waiting = other.simple_query("DELETE FROM dbo.t WHERE id = 1");
    assert!(tokio::time::timeout(Duration::from_millis(50), waiting).await.is_err(), "the row is locked");
    other.cancel_query().await.unwrap();
    run(&mut client, "COMMIT").await;
    let row = &rows(&mut other, "SELECT COUNT(*) FROM dbo.t").await.unwrap()[0];
    assert_eq!(row.get::<i32, _>(0), Some(1), "what waited is gone");
}

#[tokio::test]
async fn faults_strike_once_where_they_are_armed() {
    let server = server();
    let mut client = connect(&server).await;
    server.faults().fail_statement("victim", FaultError::new(701));
    assert_eq!(error_number(&mut client, "SELECT 'victim' AS a").await, 701);
    run(&mut client, "SELECT 'victim' AS a").await;

    let second =
        Fault::new(Point::Statement { text: String::new(), nth: 2 }, Effect::Error(FaultError::new(8645)));
    server.faults().arm(second).unwrap();
    assert_eq!(error_number(&mut client, "SELECT 1 AS a; SELECT 2 AS b").await, 8645);

    server.faults().stall_after(0);
    let stalled = async { rows(&mut client, "SELECT 1 AS a").await.unwrap()[0].get::<i32, _>(0) };
    let resumed = async {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        server.faults().resume();
    };
    assert_eq!(tokio::join!(stalled, resumed).0, Some(1));

    server.faults().cut_after(5);
    let error = client.simple_query("SELECT 1 AS a").await.map(drop).unwrap_err();
    assert!(matches!(error, tiberius::error::Error::Io { .. }), "{error:?}");
    run(&mut connect(&server).await, "SELECT 1 AS a").await;
}

#[tokio::test]
async fn the_process_runs_batches_of_its_own() {
    let server = server();
    server.execute("CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY)").await.unwrap();
    server.execute("INSERT INTO dbo.t VALUES (1), (2)").await.unwrap();
    let rows = server.execute("SELECT id, NULL AS nothing FROM dbo.t ORDER BY id DESC").await.unwrap();
    assert_eq!(rows, [[Value::Int(2), Value::Null], [Value::Int(1), Value::Null]]);
    assert_eq!(server.execute("SELECT * FROM dbo.nowhere").await.unwrap_err().number, 208);
}

#[tokio::test]
async fn the_listener_ends_with_its_value() {
    let server = server();
    let listening = server.listen("127.0.0.1:0").await.unwrap();
    let mut client = connect_socket(listening.addr).await;
    run(&mut client, "SELECT 1 AS a").await;
    drop(listening);
    let error = client.simple_query("SELECT 1 AS a").await.map(drop).expect_err("its connections are closed");
    assert!(matches!(error, tiberius::error::Error::Io { .. }), "{error:?}");
}
