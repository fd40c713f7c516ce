//! Which locks a statement holds, and how errors name the lock that was not free.

use super::{LEVELS, Stage};
use crate::target::Target;

/// Locks of a session on rows, keys and tables, as `type mode` with how often, in order.
const HELD: &str = "SELECT resource_type + ' ' + request_mode, COUNT(*) FROM sys.dm_tran_locks
    WHERE request_session_id = @@SPID AND resource_type IN ('OBJECT', 'KEY', 'RID')
        AND resource_database_id = DB_ID() AND (resource_type <> 'OBJECT' OR resource_associated_entity_id > 100)
    GROUP BY resource_type, request_mode ORDER BY resource_type, request_mode";

/// A statement within a transaction, and the locks that stay behind it.
const FOOTPRINTS: [(&str, &str); 16] = [
    ("SELECT v FROM t WHERE id = 10", ""),
    ("SELECT v FROM t WITH (NOLOCK)", ""),
    ("SELECT v FROM t WITH (REPEATABLEREAD) WHERE id = 10", "KEY S,1; OBJECT IS,1"),
    ("SELECT v FROM t WITH (REPEATABLEREAD) WHERE v > 2", "KEY S,2; OBJECT IS,1"),
    ("SELECT v FROM t WITH (UPDLOCK) WHERE id = 10", "KEY U,1; OBJECT IX,1"),
    ("SELECT v FROM t WITH (XLOCK) WHERE id = 10", "KEY X,1; OBJECT IX,1"),
    ("SELECT v FROM t WITH (TABLOCKX)", "OBJECT X,1"),
    ("SELECT v FROM t WITH (HOLDLOCK) WHERE id = 20", "KEY S,1; OBJECT IS,1"),
    ("SELECT v FROM t WITH (HOLDLOCK) WHERE id = 25", "KEY RangeS-S,1; OBJECT IS,1"),
    ("SELECT v FROM t WITH (HOLDLOCK) WHERE id BETWEEN 15 AND 25", "KEY RangeS-S,2; OBJECT IS,1"),
    ("SELECT v FROM t WITH (HOLDLOCK) WHERE v = 1", "KEY RangeS-S,5; OBJECT IS,1"),
    ("SELECT v FROM t WITH (HOLDLOCK, UPDLOCK) WHERE id = 25", "KEY RangeS-U,1; OBJECT IX,1"),
    ("SELECT v FROM h WITH (HOLDLOCK)", "OBJECT S,1"),
    ("INSERT INTO t VALUES (50, 0)", "KEY X,1; OBJECT IX,1"),
    ("UPDATE t SET v = 0 WHERE id = 10", "KEY X,1; OBJECT IX,1"),
    ("DELETE FROM h WHERE id = 10", "OBJECT IX,1; RID X,1"),
];

#[tokio::test]
async fn statements_leave_their_locks_behind() {
    let target = Target::new().await;
    let mut stage = Stage::open(&target, LEVELS[1]).await;
    let session = &mut stage.sessions[0];
    for (sql, expected) in FOOTPRINTS {
        session.run(&format!("BEGIN TRAN; {sql}")).await;
        let held = session.run(HELD).await.rows();
        session.run("ROLLBACK").await;
        assert_eq!(held, expected, "{sql}");
    }
    drop(stage);
    target.close().await;
}

/// What one session holds, what another wants, the kind of its wait, and the state of its error 1222.
const WAITS: [(&str, &str, &str, u8); 6] = [
    ("UPDATE t SET v = 0 WHERE id = 10", "SELECT v FROM t WHERE id = 10", "LCK_M_S", 51),
    ("SELECT v FROM t WITH (UPDLOCK) WHERE id = 10", "DELETE FROM t WHERE id = 10", "LCK_M_U", 51),
    ("INSERT INTO t VALUES (15, 0)", "INSERT INTO t VALUES (15, 0)", "LCK_M_X", 51),
    ("SELECT v FROM t WITH (HOLDLOCK)", "INSERT INTO t VALUES (15, 0)", "LCK_M_RIn_NL", 51),
    ("UPDATE h SET v = 0 WHERE id = 10", "SELECT v FROM h WHERE id = 10", "LCK_M_S", 45),
    ("UPDATE t SET v = 0 WHERE id = 10", "ALTER TABLE t ADD extra int", "LCK_M_SCH_M", 56),
];

#[tokio::test]
async fn a_wait_says_what_it_is_for() {
    let target = Target::new().await;
    let mut stage = Stage::open(&target, LEVELS[1]).await;
    for (held, wanted, kind, state) in WAITS {
        stage.sessions[0].run(&format!("BEGIN TRAN; {held}")).await;
        let answer = stage.sessions[1].batch(&format!("SET LOCK_TIMEOUT 0; {wanted}")).await;
        let errors: Vec<_> = answer.errors().iter().map(|e| (e.number, e.class, e.state)).collect();
        assert_eq!(errors, [(1222, 16, state)], "{wanted}");

        stage.sessions[1].run("SET LOCK_TIMEOUT -1").await;
        stage.start_waiting(1, wanted).await;
        let question = format!(
            "SELECT wait_type, CASE WHEN blocking_session_id = {} THEN 1 ELSE 0 END
             FROM sys.dm_os_waiting_tasks WHERE session_id = {}",
            stage.ids[0], stage.ids[1]
        );
        assert_eq!(stage.watcher.run(&question).await.rows(), format!("{kind},1"), "{wanted}");
        stage.sessions[1].cancel().await;
        stage.sessions[0].run("ROLLBACK").await;
    }
    drop(stage);
    target.close().await;
}

/// Fills `n` with the numbers from 0 to 6,999 or fewer.
fn fill(rows: u32) -> String {
    format!(
        "WITH d AS (SELECT v FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) AS x (v))
         INSERT INTO n SELECT a.v * 1000 + b.v * 100 + c.v * 10 + e.v FROM d a, d b, d c, d e
         WHERE a.v * 1000 + b.v * 100 + c.v * 10 + e.v < {rows}"
    )
}

#[tokio::test]
async fn very_many_locks_become_one_if_nobody_is_in_the_way() {
    let target = Target::new().await;
    let mut stage = Stage::open(&target, LEVELS[1]).await;
    stage
        .watcher
        .run("CREATE TABLE n (id int NOT NULL CONSTRAINT pk_n PRIMARY KEY); INSERT INTO n VALUES (-1)")
        .await;
    for (rows, beside, expected) in [
        (5000, "", "KEY X,5000; OBJECT IX,1"),
        (7000, "", "OBJECT X,1"),
        (7000, "SELECT id FROM n WITH (REPEATABLEREAD) WHERE id = -1", "KEY X,7000; OBJECT IX,1"),
    ] {
        if !beside.is_empty() {
            stage.sessions[1].run(&format!("BEGIN TRAN; {beside}")).await;
        }
        let session = &mut stage.sessions[0];
        session.run(&format!("BEGIN TRAN; {}", fill(rows))).await;
        assert_eq!(session.run(HELD).await.rows(), expected, "{rows} rows {beside}");
        session.run("ROLLBACK").await;
    }
    stage.sessions[1].run("ROLLBACK").await;
    let reader = &mut stage.sessions[0];
    reader.run("ALTER TABLE n SET (LOCK_ESCALATION = DISABLE)").await;
    reader.run(&format!("BEGIN TRAN; {}", fill(7000))).await;
    assert_eq!(reader.run(HELD).await.rows(), "KEY X,7000; OBJECT IX,1", "it is disabled");
    reader.run("COMMIT; ALTER TABLE n SET (LOCK_ESCALATION = TABLE)").await;
    reader.run("BEGIN TRAN; SELECT COUNT(*) FROM n WITH (REPEATABLEREAD)").await;
    assert_eq!(reader.run(HELD).await.rows(), "OBJECT S,1", "shared locks become a shared lock");
    drop(stage);
    target.close().await;
}
