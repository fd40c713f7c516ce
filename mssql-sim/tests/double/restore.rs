//! A database that goes back, a server that goes away, a copy that is only read.

use std::time::Duration;

use mssql_sim::engine::Role;
use mssql_sim::operation::Failover;
use mssql_sim::server::Server;

use crate::batch::{error, rows, run, server};
use crate::client;

const SETUP: &str =
    "CREATE TABLE t (id int NOT NULL PRIMARY KEY, a int, rv rowversion); CREATE INDEX ix ON t (a)";
/// Version, rows, last rowversion relative to the row's.
const STATE: &str = "SELECT CHANGE_TRACKING_CURRENT_VERSION(), (SELECT COUNT(*) FROM t), (SELECT COUNT(*) FROM \
                     CHANGETABLE(CHANGES t, 0) AS c), (SELECT COUNT(*) FROM t WHERE CAST(rv AS bigint) = CAST(@@DBTS AS bigint))";
const HISTORY: &str = "SELECT recovery_fork_guid, family_guid, database_guid FROM sys.database_recovery_status \
                       WHERE database_id = DB_ID()";
const OBJECT: &str = "SELECT OBJECT_ID(N't')";

async fn tracked() -> Server {
    let server = server(SETUP).await;
    run(&server, "ALTER TABLE t ENABLE CHANGE_TRACKING").await;
    run(&server, "INSERT t (id, a) VALUES (1, 1)").await;
    server
}

#[tokio::test]
async fn a_restored_database_is_what_was_committed_then() {
    let server = tracked().await;
    let mut open = client::connect(&server).await;
    client::run(&mut open, "BEGIN TRAN; UPDATE t SET a = 9; INSERT t (id, a) VALUES (2, 2)").await;
    let before = [rows(&server, HISTORY).await, rows(&server, OBJECT).await];
    let backup = server.save("wms").await.expect("it is there");
    client::run(&mut open, "COMMIT").await;
    run(&server, "CREATE TABLE later (id int)").await;
    assert_eq!(rows(&server, STATE).await, "2,2,2,1");

    server.restore("WMS", &backup).await.expect("nothing keeps it");
    client::rows(&mut open, "SELECT 1").await.expect_err("sessions in the database are gone");
    assert_eq!(
        rows(&server, STATE).await,
        "1,1,1,0",
        "the rowversion of the row that was open is drawn and not there"
    );
    assert_eq!(rows(&server, "SELECT a FROM t WHERE a = 1").await, "1", "indexes are as they were");
    assert_eq!(error(&server, "SELECT 1 FROM later").await, 208);
    let after = [rows(&server, HISTORY).await, rows(&server, OBJECT).await];
    assert_eq!(after[1], before[1], "objects keep their ids");
    let parts = |history: &str| history.split("Guid").map(str::to_owned).collect::<Vec<_>>();
    let (old, new) = (parts(&before[0]), parts(&after[0]));
    assert_ne!(old[1], new[1], "the history has another fork");
    assert_eq!(old[2..], new[2..], "of the same database");
    let forks = "SELECT CASE WHEN fork_point_lsn > 0 THEN 1 END, CASE WHEN first_recovery_fork_guid <> recovery_fork_guid \
                 THEN 1 END FROM sys.database_recovery_status WHERE database_id = DB_ID()";
    assert_eq!(rows(&server, forks).await, "1,1", "and tells where it forked");

    run(&server, "INSERT t (id, a) VALUES (7, 7)").await;
    assert_eq!(
        rows(&server, "SELECT MAX(SYS_CHANGE_VERSION) FROM CHANGETABLE(CHANGES t, 0) AS c").await,
        "2"
    );
}

#[tokio::test]
async fn a_save_waits_for_definitions_that_are_being_changed() {
    let server = tracked().await;
    let mut open = client::connect(&server).await;
    client::run(&mut open, "BEGIN TRAN; ALTER TABLE t ADD b int").await;
    let saving = tokio::spawn({
        let server = server.clone();
        async move { server.save("wms").await }
    });
    tokio::task::yield_now().await;
    assert!(!saving.is_finished());
    client::run(&mut open, "ROLLBACK").await;
    let backup = saving.await.expect("no panic").expect("it is there");
    server.restore("wms", &backup).await.expect("nothing keeps it");
    assert_eq!(error(&server, "SELECT b FROM t").await, 207);
}

#[tokio::test]
async fn databases_are_backed_up_and_restored_in_t_sql() {
    let server = tracked().await;
    let backup = "BACKUP DATABASE wms TO DISK = 'a.bak'";
    let restore = "RESTORE DATABASE wms FROM DISK = 'a.bak' WITH REPLACE";
    run(&server, backup).await;
    run(&server, "INSERT t (id, a) VALUES (2, 2)").await;
    run(&server, "DECLARE @d sysname = 'wms', @f nvarchar(50) = 'a.bak'; BACKUP DATABASE @d TO DISK = @f WITH COPY_ONLY").await;
    run(&server, "CREATE DATABASE other").await;
    let mut inside = client::connect(&server).await;
    for (sql, expected) in [
        ("RESTORE DATABASE wms FROM DISK = 'none.bak'", 3201),
        ("RESTORE DATABASE wms FROM DISK = 'a.bak' WITH FILE = 3, REPLACE", 3287),
        ("RESTORE DATABASE other FROM DISK = 'a.bak'", 3154),
        ("RESTORE DATABASE wms FROM DISK = 'a.bak'", 3159),
        (restore, 3102),
        (&format!("USE master; {restore}"), 3101),
        ("BEGIN TRAN; BACKUP DATABASE wms TO DISK = 'a.bak'", 3021),
        (&format!("BEGIN TRAN; {restore}"), 3021),
        ("BACKUP DATABASE tempdb TO DISK = 'a.bak'", 3147),
        ("BACKUP DATABASE none TO DISK = 'a.bak'", 911),
        ("BACKUP LOG wms TO DISK = 'a.bak'", 102),
        ("RESTORE DATABASE wms FROM DISK = 'a.bak' WITH NORECOVERY", 102),
    ] {
        assert_eq!(error(&server, sql).await, expected, "{sql}");
    }
    let caught = format!("BEGIN TRY {restore} END TRY BEGIN CATCH SELECT ERROR_NUMBER() END CATCH");
    assert_eq!(rows(&server, &caught).await, "3013");
    client::run(&mut inside, "USE master").await;
    run(&server, &format!("USE master; {restore}")).await;
    assert_eq!(rows(&server, "SELECT id FROM t").await, "1");
    run(&server, "RESTORE DATABASE copy FROM DISK = 'a.bak' WITH FILE = 2").await;
    assert_eq!(rows(&server, "SELECT id FROM copy.dbo.t").await, "1; 2");
    run(&server, "BACKUP DATABASE other TO DISK = 'a.bak' WITH INIT; USE master; RESTORE DATABASE copy FROM DISK = 'a.bak' WITH REPLACE").await;
    assert_eq!(error(&server, "SELECT id FROM copy.dbo.t").await, 208);
}

#[tokio::test]
async fn a_failover_drops_every_connection_and_may_lose_commits() {
    let server = tracked().await;
    let listening = server.listen("127.0.0.1:0").await.expect("loopback has a free port");
    let connect = || async {
        let stream = tokio::net::TcpStream::connect(listening.addr).await?;
        Ok::<_, std::io::Error>(client::log_in(stream).await)
    };
    let mut before = connect().await.expect("it listens");
    client::run(&mut before, "BEGIN TRAN; UPDATE t SET a = 5").await;
    let behind = server.save("wms").await.expect("it is there");
    run(&server, "INSERT t (id, a) VALUES (2, 2)").await;
    let failing = tokio::spawn({
        let server = server.clone();
        let failover = Failover {
            outage: Duration::from_millis(200),
            behind: Some(behind),
            server_name: Some("SECOND".into()),
        };
        async move { server.fail_over(failover).await }
    });
    client::rows(&mut before, "WAITFOR DELAY '01:00:00'").await.expect_err("the server is gone");
    assert!(connect().await.is_err(), "nobody listens meanwhile");
    failing.await.expect("no panic").expect("nothing keeps the database");
    let mut after = loop {
        if let Ok(client) = connect().await {
            break client;
        }
        tokio::task::yield_now().await;
    };
    let name = client::rows(&mut after, "SELECT @@SERVERNAME").await.expect("it answers");
    assert_eq!(name[0].get::<&str, _>(0), Some("SECOND"));
    assert_eq!(rows(&server, STATE).await, "1,1,1,0");
}

#[tokio::test]
async fn a_secondary_replica_is_read_and_tells_no_changes() {
    let server = tracked().await;
    server.set_role("wms", Role::Secondary).expect("it is there");
    for (sql, expected) in [
        ("SELECT * FROM CHANGETABLE(CHANGES t, 0) AS c", 22117),
        ("SELECT CHANGE_TRACKING_CURRENT_VERSION()", 22117),
        ("SELECT CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID(N't'))", 22117),
        ("UPDATE t SET a = 2", 3906),
        ("UPDATE t SET a = 2 WHERE id = 99", 0),
        ("TRUNCATE TABLE t", 3906),
        ("CREATE TABLE x (a int)", 3906),
        ("DROP TABLE t", 3906),
    ] {
        assert_eq!(error(&server, sql).await, expected, "{sql}");
    }
    assert_eq!(rows(&server, "SELECT id FROM t").await, "1");
    let updateability = "SELECT CAST(DATABASEPROPERTYEX('wms', 'Updateability') AS nvarchar(60))";
    assert_eq!(rows(&server, updateability).await, "READ_ONLY");
    server.set_role("wms", Role::Primary).expect("it is there");
    run(&server, "UPDATE t SET a = 2").await;
    assert_eq!(rows(&server, updateability).await, "READ_WRITE");
}
