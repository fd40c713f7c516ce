//! Changes that grow old.

use std::time::Duration;

use mssql_sim::engine::{Clock, Options as EngineOptions};
use mssql_sim::server::{Options, Server};

use crate::batch::{error, rows, run};

const MINUTE: Duration = Duration::from_secs(60);
/// Valid from, changes, of both tables.
const STATE: &str = "SELECT CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID(N't')), (SELECT COUNT(*) FROM CHANGETABLE(CHANGES t, 0) AS c), \
                     CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID(N'u')), (SELECT COUNT(*) FROM CHANGETABLE(CHANGES u, 0) AS c)";

/// Two tables with two changes each, of which the first of each is twenty minutes older; an hour is kept.
async fn server(background_cleanup: bool, auto_cleanup: &str) -> Server {
    let clock = Clock::Fixed(chrono::DateTime::UNIX_EPOCH);
    let engine = EngineOptions { clock, background_cleanup, ..EngineOptions::default() };
    let server = Server::new(Options { engine, ..Options::default() });
    let options = format!("(CHANGE_RETENTION = 1 HOURS, AUTO_CLEANUP = {auto_cleanup})");
    run(&server, &format!("ALTER DATABASE CURRENT SET CHANGE_TRACKING = ON {options}")).await;
    for table in ["t", "u"] {
        run(&server, &format!("CREATE TABLE {table} (id int NOT NULL PRIMARY KEY)")).await;
        run(&server, &format!("ALTER TABLE {table} ENABLE CHANGE_TRACKING")).await;
    }
    run(&server, "INSERT t VALUES (1); INSERT u VALUES (1)").await;
    server.engine().advance_clock(20 * MINUTE);
    run(&server, "INSERT t VALUES (2); INSERT u VALUES (2)").await;
    server
}

#[tokio::test]
async fn the_background_cleanup_runs_by_the_clock_where_it_is_wanted() {
    for (background, auto_cleanup, expected) in
        [(true, "ON", "2,1,2,1"), (true, "OFF", "0,2,0,2"), (false, "ON", "0,2,0,2")]
    {
        let server = server(background, auto_cleanup).await;
        server.engine().advance_clock(41 * MINUTE);
        assert_eq!(rows(&server, STATE).await, expected, "{background} {auto_cleanup}");
    }
    let server = server(true, "ON").await;
    server.engine().advance_clock(15 * MINUTE);
    server.engine().advance_clock(26 * MINUTE);
    assert_eq!(rows(&server, STATE).await, "0,2,0,2", "it ran at 35 minutes and is not due at 61");
    server.engine().advance_clock(5 * MINUTE);
    assert_eq!(rows(&server, STATE).await, "2,1,2,1");
    let tables = "SELECT begin_version, cleanup_version, min_valid_version FROM sys.change_tracking_tables";
    assert_eq!(rows(&server, tables).await, "0,2,2; 0,2,2");
    assert_eq!(rows(&server, "SELECT MIN(commit_ts) FROM sys.dm_tran_commit_table").await, "3");
}

#[tokio::test]
async fn a_table_is_cleaned_on_demand() {
    let server = server(false, "OFF").await;
    let flush = "EXEC sys.sp_flush_CT_internal_table_on_demand";
    run(&server, flush).await;
    assert_eq!(rows(&server, STATE).await, "0,2,0,2", "nothing is old enough");
    server.engine().advance_clock(41 * MINUTE);
    let counted = format!(
        "DECLARE @n bigint; {flush} @TableToClean = '[dbo].[t]', @DeletedRowCount = @n OUTPUT; SELECT @n"
    );
    assert_eq!(rows(&server, &counted).await, "1");
    assert_eq!(rows(&server, STATE).await, "2,1,0,2", "tables differ");
    assert_eq!(error(&server, &format!("{flush} 'missing'")).await, 15009);
    run(&server, "CREATE TABLE v (id int)").await;
    assert_eq!(error(&server, &format!("{flush} 'v'")).await, 22105);
    run(&server, flush).await;
    assert_eq!(rows(&server, STATE).await, "2,1,2,1");
}
