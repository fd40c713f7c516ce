//! Commits that have their version and are not seen yet.

use crate::batch::{rows, run, server};

const CHANGES: &str = "SELECT id, SYS_CHANGE_VERSION FROM CHANGETABLE(CHANGES t, 0) AS c";
const VERSION: &str = "SELECT CHANGE_TRACKING_CURRENT_VERSION()";

#[tokio::test]
async fn a_held_commit_has_its_version_and_is_not_seen() {
    let server = server("CREATE TABLE t (id int NOT NULL PRIMARY KEY); CREATE TABLE u (id int)").await;
    run(&server, "ALTER TABLE t ENABLE CHANGE_TRACKING").await;
    server.engine().hold_commit(2);
    run(&server, "INSERT t VALUES (1)").await;
    let committing = tokio::spawn({
        let server = server.clone();
        async move { run(&server, "INSERT t VALUES (2)").await }
    });
    server.engine().commit_held().await;
    run(&server, "INSERT u VALUES (1)").await;
    run(&server, "INSERT t VALUES (3)").await;
    assert_eq!((rows(&server, VERSION).await, rows(&server, CHANGES).await), ("3".into(), "1,1; 3,3".into()));
    let read_by_key = "SELECT id FROM t WHERE id IN (1, 3)";
    assert_eq!(rows(&server, read_by_key).await, "1; 3");
    assert_eq!(rows(&server, "SELECT COUNT(*) FROM t WITH (READPAST)").await, "2");
    assert!(!committing.is_finished(), "a commit returns when it is seen");

    server.engine().release_commits();
    committing.await.expect("the commit goes through");
    assert_eq!(rows(&server, CHANGES).await, "1,1; 2,2; 3,3");
    assert_eq!(rows(&server, "SELECT id FROM t").await, "1; 2; 3");
}

#[tokio::test]
async fn the_lowest_rowversion_in_use_is_that_of_the_oldest_open_transaction() {
    let server = server("CREATE TABLE t (id int NOT NULL PRIMARY KEY, rv rowversion)").await;
    let mut writer = crate::client::connect(&server).await;
    let numbers = "SELECT CAST(MIN_ACTIVE_ROWVERSION() AS bigint) - CAST(@@DBTS AS bigint)";
    assert_eq!(rows(&server, numbers).await, "1", "nothing is open");
    crate::client::run(&mut writer, "BEGIN TRAN; INSERT t (id) VALUES (1)").await;
    run(&server, "INSERT t (id) VALUES (2)").await;
    assert_eq!(rows(&server, numbers).await, "-1", "the second value is used, the first is held");
    crate::client::run(&mut writer, "ROLLBACK").await;
    assert_eq!(rows(&server, numbers).await, "1", "a value that was drawn is not given again");
}
