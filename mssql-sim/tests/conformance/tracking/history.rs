//! What ends a table's history, and how the catalog tells.

use super::{SETUP, check};

const MIN_VALID: &str = "SELECT CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID(N'dbo.t'))";
/// Version now, valid from, rows that are changed, rows that are there.
const STATE: &str = "SELECT CHANGE_TRACKING_CURRENT_VERSION(), CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID(N'dbo.t')), \
                     (SELECT COUNT(*) FROM CHANGETABLE(CHANGES t, 0) AS c), (SELECT COUNT(*) FROM t)";
const ROWS: &str = "INSERT t VALUES (1, 1, 1) | INSERT t VALUES (2, 1, 1)";
const OFF: &str = "ALTER TABLE t DISABLE CHANGE_TRACKING";
const ON: &str = "ALTER TABLE t ENABLE CHANGE_TRACKING";

#[tokio::test]
async fn truncation_and_switching_begin_anew() {
    let cases = [
        ("".to_owned(), "2,0,2,2"),
        ("TRUNCATE TABLE t".to_owned(), "2,2,0,0"),
        ("BEGIN TRAN; TRUNCATE TABLE t; ROLLBACK".to_owned(), "2,0,2,2"),
        ("TRUNCATE TABLE t | INSERT t VALUES (1, 1, 1)".to_owned(), "3,2,1,1"),
        (format!("{OFF} | {ON}"), "2,2,0,2"),
        (format!("{OFF} | INSERT t VALUES (3, 1, 1) | {ON}"), "2,2,0,3"),
        (format!("BEGIN TRAN; {OFF}; {ON}; ROLLBACK"), "2,0,2,2"),
        (
            format!(
                "{OFF} | ALTER DATABASE CURRENT SET CHANGE_TRACKING = OFF | INSERT t VALUES (3, 1, 1) | \
                 ALTER DATABASE CURRENT SET CHANGE_TRACKING = ON | {ON} | INSERT t VALUES (4, 1, 1)"
            ),
            "3,2,1,4",
        ),
        (format!("DROP TABLE t | {} | {ON}", SETUP[1].split(';').next().unwrap_or_default()), "2,2,0,0"),
    ];
    for (script, expected) in cases {
        check(&SETUP, &[(&format!("{ROWS} | {script}"), STATE, expected)]).await;
    }
}

#[tokio::test]
async fn what_is_not_tracked_has_no_version() {
    check(
        &SETUP,
        &[
            (OFF, MIN_VALID, "NULL"),
            ("", "SELECT CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID(N'dbo.u'))", "NULL"),
            ("", "SELECT CHANGE_TRACKING_MIN_VALID_VERSION(1)", "NULL"),
            (
                &format!("{OFF} | ALTER DATABASE CURRENT SET CHANGE_TRACKING = OFF"),
                "SELECT CHANGE_TRACKING_CURRENT_VERSION()",
                "NULL",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_rename_keeps_the_history_and_a_new_table_has_another_identity() {
    check(
        &SETUP,
        &[
            (
                &format!("{ROWS} | EXEC sp_rename 'dbo.t', 's'"),
                "SELECT id, SYS_CHANGE_VERSION FROM CHANGETABLE(CHANGES s, 1) AS c",
                "2,2",
            ),
            (
                "CREATE TABLE dbo.before (id int) | INSERT dbo.before SELECT OBJECT_ID(N'dbo.t') | DROP TABLE t | CREATE TABLE dbo.t (id int PRIMARY KEY)",
                "SELECT COUNT(*) FROM dbo.before WHERE id = OBJECT_ID(N'dbo.t')",
                "0",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_catalog_tells_what_is_tracked() {
    const DATABASE: &str = "SELECT is_auto_cleanup_on, retention_period, retention_period_units_desc, \
                            CAST(DATABASEPROPERTYEX(DB_NAME(), 'IsChangeTrackingEnabled') AS int) \
                            FROM sys.change_tracking_databases WHERE database_id = DB_ID()";
    const TABLE: &str = "SELECT is_track_columns_updated_on, begin_version, cleanup_version, min_valid_version \
                         FROM sys.change_tracking_tables WHERE object_id = OBJECT_ID(N'dbo.t')";
    const SIDE_TABLE: &str = "SELECT COUNT(*) FROM sys.internal_tables WHERE parent_object_id = OBJECT_ID(N'dbo.t') AND \
                              name = CONCAT('change_tracking_', OBJECT_ID(N'dbo.t'))";
    let change = |options: &str| format!("ALTER DATABASE CURRENT SET CHANGE_TRACKING ({options})");
    check(
        &SETUP,
        &[
            ("", DATABASE, "1,2,DAYS,1"),
            (&change("CHANGE_RETENTION = 90 MINUTES"), DATABASE, "1,90,MINUTES,1"),
            (&change("AUTO_CLEANUP = OFF"), DATABASE, "0,2,DAYS,1"),
            ("", TABLE, "1,0,NULL,0"),
            (&format!("{ROWS} | {OFF} | {ON}"), TABLE, "0,2,NULL,2"),
            ("", SIDE_TABLE, "1"),
            (OFF, SIDE_TABLE, "0"),
            (ROWS, "SELECT COUNT(*), MIN(commit_ts), MAX(commit_ts) FROM sys.dm_tran_commit_table", "2,1,2"),
            ("", "SELECT OBJECTPROPERTY(OBJECT_ID(N'dbo.t'), 'TableHasChangeTracking')", "NULL"),
        ],
    )
    .await;
}

#[tokio::test]
async fn one_transaction_takes_a_version_in_each_database() {
    let other = "DECLARE @other sysname = DB_NAME() + '_other';";
    let batch = |sql: &str| format!("{other} EXEC ('{sql}')");
    let script = format!(
        "{other} EXEC ('CREATE DATABASE ' + @other) | {other} EXEC ('ALTER DATABASE ' + @other + ' SET CHANGE_TRACKING = ON') | \
         {other} EXEC ('CREATE TABLE ' + @other + '.dbo.o (id int PRIMARY KEY)') | \
         {other} EXEC ('ALTER TABLE ' + @other + '.dbo.o ENABLE CHANGE_TRACKING') | INSERT t VALUES (1, 1, 1) | \
         {other} BEGIN TRAN; INSERT t VALUES (2, 1, 1); EXEC ('INSERT ' + @other + '.dbo.o VALUES (1)'); COMMIT"
    );
    let question = batch(
        "SELECT CHANGE_TRACKING_CURRENT_VERSION() UNION ALL \
         SELECT SYS_CHANGE_VERSION FROM CHANGETABLE(CHANGES ' + @other + '.dbo.o, 0) AS c",
    );
    check(&SETUP, &[(&script, &question, "2; 1")]).await;
}
