//! Who waits for whom, and what the hints and the options change in that.

use super::{LEVELS, Scenario, Stage, all, outcome, play_all};
use crate::target::Target;

/// Steps for SNAPSHOT alone that answer nothing.
const ONLY_SNAPSHOT_SILENT: [&str; 6] = ["-", "-", "-", "-", "-", ""];

const BLOCKING: &[Scenario] = &[
    Scenario {
        name: "writers of different rows",
        steps: &[
            (1, "BEGIN TRAN; UPDATE t SET v = 0 WHERE id = 10", all("")),
            (2, "UPDATE t SET v = 0 WHERE id = 20", all("")),
        ],
    },
    Scenario {
        name: "writers of one row",
        steps: &[
            (1, "BEGIN TRAN; UPDATE t SET v = v + 10 WHERE id = 10", all("")),
            (2, "UPDATE t SET v = v + 100 WHERE id = 10", all("waits")),
            (1, "COMMIT", all("")),
            (2, "", ["", "", "", "", "", "!3960"]),
            (1, "SELECT v FROM t WHERE id = 10", ["111", "111", "111", "111", "111", "11"]),
        ],
    },
    Scenario {
        name: "a row that was changed is judged again",
        steps: &[
            (1, "BEGIN TRAN; UPDATE t SET v = 7 WHERE id = 10", all("")),
            (2, "UPDATE t SET v = 8 WHERE v = 1", all("waits")),
            (1, "COMMIT", all("")),
            (2, "", ["", "", "", "", "", "!3960"]),
            (1, "SELECT v FROM t WHERE id = 10", all("7")),
        ],
    },
    Scenario {
        name: "a caught update conflict has ended the transaction",
        steps: &[
            (1, "BEGIN TRAN; SELECT v FROM t WHERE id = 10", ["-", "-", "-", "-", "-", "1"]),
            (2, "UPDATE t SET v = 5 WHERE id = 10", ["-", "-", "-", "-", "-", ""]),
            (
                1,
                "BEGIN TRY UPDATE t SET v = 6 WHERE id = 10 END TRY
                 BEGIN CATCH SELECT ERROR_NUMBER(), @@TRANCOUNT, XACT_STATE() END CATCH",
                ["-", "-", "-", "-", "-", "3960,0,0"],
            ),
            (1, "SELECT v FROM t WHERE id = 10", ["-", "-", "-", "-", "-", "5"]),
        ],
    },
    Scenario {
        name: "SNAPSHOT after the first access is too late",
        steps: &[
            (1, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; BEGIN TRAN", ONLY_SNAPSHOT_SILENT),
            (1, "SELECT v FROM t WHERE id = 10", ["-", "-", "-", "-", "-", "1"]),
            (1, "SET TRANSACTION ISOLATION LEVEL SNAPSHOT", ONLY_SNAPSHOT_SILENT),
            (1, "SELECT v FROM t WHERE id = 10", ["-", "-", "-", "-", "-", "!3951"]),
            (1, "SELECT @@TRANCOUNT", ["-", "-", "-", "-", "-", "0"]),
        ],
    },
    Scenario {
        name: "a transaction that began under SNAPSHOT may leave it and come back",
        steps: &[
            (1, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; BEGIN TRAN", ONLY_SNAPSHOT_SILENT),
            (1, "SET TRANSACTION ISOLATION LEVEL SNAPSHOT", ONLY_SNAPSHOT_SILENT),
            (1, "SELECT v FROM t WHERE id = 10", ["-", "-", "-", "-", "-", "1"]),
            (2, "UPDATE t SET v = 5 WHERE id = 10", ONLY_SNAPSHOT_SILENT),
            (1, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED", ONLY_SNAPSHOT_SILENT),
            (1, "SELECT v FROM t WHERE id = 10", ["-", "-", "-", "-", "-", "5"]),
            (1, "SET TRANSACTION ISOLATION LEVEL SNAPSHOT", ONLY_SNAPSHOT_SILENT),
            (1, "SELECT v FROM t WHERE id = 10", ["-", "-", "-", "-", "-", "1"]),
        ],
    },
    Scenario {
        name: "deadlock",
        steps: &[
            (1, "BEGIN TRAN; UPDATE t SET v = 0 WHERE id = 10", all("")),
            (2, "BEGIN TRAN; UPDATE t SET v = 0 WHERE id = 20", all("")),
            (1, "UPDATE t SET v = 0 WHERE id = 20", all("waits")),
            (2, "UPDATE t SET v = 0 WHERE id = 10", all("!1205")),
            (1, "", all("")),
            (2, "SELECT @@TRANCOUNT", all("0")),
        ],
    },
    Scenario {
        name: "deadlock of unequal priorities",
        steps: &[
            (1, "SET DEADLOCK_PRIORITY LOW; BEGIN TRAN; UPDATE t SET v = 0 WHERE id = 10", all("")),
            (2, "BEGIN TRAN; UPDATE t SET v = 0 WHERE id = 20", all("")),
            (1, "UPDATE t SET v = 0 WHERE id = 20", all("waits")),
            (2, "UPDATE t SET v = 0 WHERE id = 10", all("")),
            (1, "", all("!1205")),
        ],
    },
    Scenario {
        name: "deadlock of three",
        steps: &[
            (1, "BEGIN TRAN; UPDATE t SET v = 0 WHERE id = 10", all("")),
            (2, "BEGIN TRAN; UPDATE t SET v = 0 WHERE id = 20", all("")),
            (3, "BEGIN TRAN; UPDATE t SET v = 0 WHERE id = 30", all("")),
            (1, "UPDATE t SET v = 0 WHERE id = 20", all("waits")),
            (2, "UPDATE t SET v = 0 WHERE id = 30", all("waits")),
            (3, "UPDATE t SET v = 0 WHERE id = 10", all("!1205")),
            (2, "", all("")),
            (2, "ROLLBACK", all("")),
            (1, "", all("")),
        ],
    },
    Scenario {
        name: "a caught deadlock leaves a transaction that can only be rolled back",
        steps: &[
            (1, "BEGIN TRAN; UPDATE t SET v = 0 WHERE id = 10", all("")),
            (2, "BEGIN TRAN; UPDATE t SET v = 0 WHERE id = 20", all("")),
            (1, "UPDATE t SET v = 0 WHERE id = 20", all("waits")),
            (
                2,
                "BEGIN TRY UPDATE t SET v = 0 WHERE id = 10 END TRY
                 BEGIN CATCH SELECT ERROR_NUMBER(), @@TRANCOUNT, XACT_STATE() ROLLBACK END CATCH",
                all("1205,1,-1"),
            ),
            (1, "", all("")),
        ],
    },
    Scenario {
        name: "the same new key, and the first commits",
        steps: &[
            (1, "BEGIN TRAN; INSERT INTO t VALUES (15, 0)", all("")),
            (2, "INSERT INTO t VALUES (15, 1)", all("waits")),
            (1, "COMMIT", all("")),
            (2, "", all("!2627")),
        ],
    },
    Scenario {
        name: "the same new key, and the first rolls back",
        steps: &[
            (1, "BEGIN TRAN; INSERT INTO t VALUES (15, 0)", all("")),
            (2, "INSERT INTO t VALUES (15, 1)", all("waits")),
            (1, "ROLLBACK", all("")),
            (2, "", all("")),
        ],
    },
    Scenario {
        name: "a key that an open transaction has freed",
        steps: &[
            (1, "BEGIN TRAN; DELETE FROM t WHERE id = 20", all("")),
            (2, "INSERT INTO t VALUES (20, 0)", all("waits")),
            (1, "ROLLBACK", all("")),
            (2, "", all("!2627")),
        ],
    },
    Scenario {
        name: "a key that an open transaction has deleted and inserted again",
        steps: &[
            (1, "BEGIN TRAN; DELETE FROM t WHERE id = 20; INSERT INTO t VALUES (20, 77)", all("")),
            (2, "SELECT v FROM t WHERE id = 20", ["77", "waits", "2", "waits", "waits", "2"]),
            (1, "COMMIT", all("")),
            (2, "", ["-", "77", "-", "77", "77", "-"]),
        ],
    },
    Scenario {
        name: "a deleted key that a seek does not pass",
        steps: &[
            (1, "BEGIN TRAN; DELETE FROM t WHERE id = 20", all("")),
            (2, "SELECT id FROM t WHERE id BETWEEN 25 AND 45 ORDER BY id", all("30; 40")),
        ],
    },
    Scenario {
        name: "the same value of a UNIQUE constraint, NULL too",
        steps: &[
            (1, "BEGIN TRAN; INSERT INTO coded VALUES (3, 3), (4, NULL)", all("")),
            (2, "INSERT INTO coded VALUES (5, 3)", all("waits")),
            (3, "INSERT INTO coded VALUES (6, NULL)", all("waits")),
            (1, "COMMIT", all("")),
            (2, "", all("!2627")),
            (3, "", all("!2627")),
        ],
    },
    Scenario {
        name: "a value of a UNIQUE constraint that an open transaction has given up",
        steps: &[
            (1, "BEGIN TRAN; UPDATE coded SET code = 9 WHERE id = 1", all("")),
            (2, "UPDATE coded SET code = 1 WHERE id = 2", all("waits")),
            (1, "COMMIT", all("")),
            (2, "", all("")),
        ],
    },
    Scenario {
        name: "each other's new key",
        steps: &[
            (1, "BEGIN TRAN; INSERT INTO t VALUES (15, 0)", all("")),
            (2, "BEGIN TRAN; INSERT INTO t VALUES (25, 0)", all("")),
            (1, "INSERT INTO t VALUES (25, 0)", all("waits")),
            (2, "INSERT INTO t VALUES (15, 0)", all("!1205")),
            (1, "", all("")),
        ],
    },
    Scenario {
        name: "child of a parent that is not committed",
        steps: &[
            (1, "BEGIN TRAN; INSERT INTO parent VALUES (3)", all("")),
            (2, "INSERT INTO child VALUES (1, 3)", all("waits")),
            (1, "ROLLBACK", all("")),
            (2, "", all("!547")),
        ],
    },
    Scenario {
        name: "parent of a child that is not committed",
        steps: &[
            (1, "BEGIN TRAN; INSERT INTO child VALUES (1, 1)", ["", "", "", "", "", "-"]),
            (2, "DELETE FROM parent WHERE id = 1", ["waits", "waits", "waits", "waits", "waits", "-"]),
            (1, "COMMIT", ["", "", "", "", "", "-"]),
            (2, "", ["!547", "!547", "!547", "!547", "!547", "-"]),
        ],
    },
    Scenario {
        name: "first come, first served",
        steps: &[
            (1, "BEGIN TRAN; SELECT v FROM t WITH (REPEATABLEREAD) WHERE id = 10", all("1")),
            (2, "UPDATE t SET v = 99 WHERE id = 10", all("waits")),
            (3, "SELECT v FROM t WITH (REPEATABLEREAD) WHERE id = 10", all("waits")),
            (1, "COMMIT", all("")),
            (2, "", all("")),
            (3, "", all("99")),
        ],
    },
    Scenario {
        name: "a savepoint's rollback keeps the locks",
        steps: &[
            (1, "BEGIN TRAN; SAVE TRAN s; UPDATE t SET v = 0 WHERE id = 10; ROLLBACK TRAN s", all("")),
            (2, "UPDATE t SET v = 5 WHERE id = 10", all("waits")),
            (1, "COMMIT", all("")),
            (2, "", all("")),
        ],
    },
    Scenario {
        name: "XACT_ABORT frees the locks, an ordinary error does not",
        steps: &[
            (1, "BEGIN TRAN; UPDATE t SET v = 0 WHERE id = 10; INSERT INTO t VALUES (20, 0)", all("!2627")),
            (2, "UPDATE t SET v = 5 WHERE id = 10", all("waits")),
            (1, "SET XACT_ABORT ON; INSERT INTO t VALUES (20, 0)", all("!2627")),
            (2, "", all("")),
            (1, "SELECT @@TRANCOUNT", all("0")),
        ],
    },
];

/// Inserts a row, or changes it if it is there.
const MERGE: &str = "MERGE t WITH (HOLDLOCK) AS old USING (SELECT 15 AS id) AS new ON old.id = new.id
    WHEN MATCHED THEN UPDATE SET v = old.v + 1 WHEN NOT MATCHED THEN INSERT (id, v) VALUES (new.id, 0);";

const HINTS: &[Scenario] = &[
    Scenario {
        name: "NOLOCK",
        steps: &[
            (1, "BEGIN TRAN; UPDATE t SET v = 99 WHERE id = 10", all("")),
            (2, "SELECT v FROM t WITH (NOLOCK) WHERE id = 10", all("99")),
        ],
    },
    Scenario {
        name: "READPAST",
        steps: &[
            (1, "BEGIN TRAN; UPDATE t SET v = 99 WHERE id = 10", all("")),
            (
                2,
                "SELECT id FROM t WITH (READPAST) ORDER BY id",
                ["!650", "20; 30; 40", "10; 20; 30; 40", "20; 30; 40", "!650", "10; 20; 30; 40"],
            ),
        ],
    },
    Scenario {
        name: "a queue of work: UPDLOCK with READPAST",
        steps: &[
            (
                1,
                "BEGIN TRAN; SELECT TOP (1) id FROM t WITH (UPDLOCK, READPAST) ORDER BY id",
                ["!650", "10", "10", "10", "!650", "10"],
            ),
            (
                2,
                "BEGIN TRAN; SELECT TOP (1) id FROM t WITH (UPDLOCK, READPAST) ORDER BY id",
                ["!650", "20", "20", "20", "!650", "20"],
            ),
        ],
    },
    Scenario {
        name: "NOWAIT",
        steps: &[
            (1, "BEGIN TRAN; UPDATE t SET v = 99 WHERE id = 10", all("")),
            (2, "SELECT v FROM t WITH (NOWAIT) WHERE id = 10", ["99", "!1222", "1", "!1222", "!1222", "1"]),
        ],
    },
    Scenario {
        name: "LOCK_TIMEOUT keeps the transaction",
        steps: &[
            (1, "BEGIN TRAN; UPDATE t SET v = 99 WHERE id = 10", all("")),
            (2, "SET LOCK_TIMEOUT 0; BEGIN TRAN; UPDATE t SET v = 5 WHERE id = 20", all("")),
            (2, "UPDATE t SET v = 5 WHERE id = 10", all("!1222")),
            (2, "SELECT @@TRANCOUNT", all("1")),
        ],
    },
    Scenario {
        name: "READCOMMITTEDLOCK",
        steps: &[
            (1, "BEGIN TRAN; UPDATE t SET v = 99 WHERE id = 10", all("")),
            (2, "SELECT v FROM t WITH (READCOMMITTEDLOCK) WHERE id = 10", all("waits")),
            (1, "COMMIT", all("")),
            (2, "", all("99")),
        ],
    },
    Scenario {
        name: "UPDLOCK",
        steps: &[
            (1, "BEGIN TRAN; SELECT v FROM t WITH (UPDLOCK) WHERE id = 10", all("1")),
            (2, "SELECT v FROM t WHERE id = 10", all("1")),
            (2, "SELECT v FROM t WITH (UPDLOCK) WHERE id = 10", all("waits")),
            (1, "UPDATE t SET v = 99 WHERE id = 10; COMMIT", all("")),
            (2, "", ["99", "99", "99", "99", "99", "!3960"]),
        ],
    },
    Scenario {
        name: "XLOCK",
        steps: &[
            (1, "BEGIN TRAN; SELECT v FROM t WITH (XLOCK) WHERE id = 10", all("1")),
            (2, "SELECT v FROM t WITH (REPEATABLEREAD) WHERE id = 10", all("waits")),
            (1, "COMMIT", all("")),
            (2, "", all("1")),
        ],
    },
    Scenario {
        name: "HOLDLOCK",
        steps: &[
            (1, "BEGIN TRAN; SELECT COUNT(*) FROM t WITH (HOLDLOCK) WHERE id BETWEEN 15 AND 25", all("1")),
            (2, "INSERT INTO t VALUES (17, 0)", all("waits")),
            (1, "COMMIT", all("")),
            (2, "", all("")),
        ],
    },
    Scenario {
        name: "MERGE with HOLDLOCK of one missing key",
        steps: &[
            (1, "BEGIN TRAN", all("")),
            (1, MERGE, ["", "", "", "", "", "-"]),
            (2, MERGE, ["waits", "waits", "waits", "waits", "waits", "-"]),
            (1, "COMMIT", all("")),
            (2, "", ["", "", "", "", "", "-"]),
            (1, "SELECT v FROM t WHERE id = 15", ["1", "1", "1", "1", "1", "-"]),
        ],
    },
    Scenario {
        name: "TABLOCK",
        steps: &[
            (1, "BEGIN TRAN; SELECT COUNT(*) FROM t WITH (TABLOCK, HOLDLOCK)", all("4")),
            (2, "SELECT v FROM t WHERE id = 10", all("1")),
            (2, "UPDATE t SET v = 0 WHERE id = 10", all("waits")),
            (1, "COMMIT", all("")),
            (2, "", all("")),
        ],
    },
    Scenario {
        name: "TABLOCKX",
        steps: &[
            (1, "BEGIN TRAN; SELECT COUNT(*) FROM t WITH (TABLOCKX)", all("4")),
            (2, "SELECT v FROM t WHERE id = 20", ["2", "waits", "2", "waits", "waits", "2"]),
            (1, "COMMIT", all("")),
            (2, "", ["-", "2", "-", "2", "2", "-"]),
        ],
    },
];

const DEFINITIONS: &[Scenario] = &[
    Scenario {
        name: "a changed definition waits for writers, and those who come later wait for it",
        steps: &[
            (1, "BEGIN TRAN; UPDATE t SET v = 0 WHERE id = 10", all("")),
            (2, "ALTER TABLE t ADD extra int", all("waits")),
            (3, "SELECT v FROM t WHERE id = 20", all("waits")),
            (1, "COMMIT", all("")),
            (2, "", all("")),
            (3, "", all("2")),
        ],
    },
    Scenario {
        name: "TRUNCATE keeps everybody out to its transaction's end",
        steps: &[
            (1, "BEGIN TRAN; TRUNCATE TABLE t", all("")),
            (2, "SELECT COUNT(*) FROM t", all("waits")),
            (1, "ROLLBACK", all("")),
            (2, "", all("4")),
        ],
    },
    Scenario {
        name: "a definition changed since the snapshot",
        steps: &[
            (1, "BEGIN TRAN; SELECT COUNT(*) FROM parent", all("2")),
            (2, "ALTER TABLE t ADD extra int", all("")),
            (1, "SELECT v FROM t WITH (NOLOCK) WHERE id = 10", all("1")),
            (1, "SELECT v FROM t WHERE id = 10", ["1", "1", "1", "1", "1", "!3961"]),
        ],
    },
];

#[tokio::test]
async fn transactions_wait_for_each_other() {
    play_all(BLOCKING).await;
}

#[tokio::test]
async fn hints_change_what_a_read_locks() {
    play_all(HINTS).await;
}

#[tokio::test]
async fn definitions_are_locked_too() {
    play_all(DEFINITIONS).await;
}

/// Beside a SERIALIZABLE reader of 15 to 25 among the keys 10, 20, 30, 40: whether a statement finds its lock free.
const BESIDE_A_RANGE: [(&str, bool); 13] = [
    ("INSERT INTO t VALUES (11, 0)", false),
    ("INSERT INTO t VALUES (29, 0)", false),
    ("UPDATE t SET v = 0 WHERE id = 20", false),
    ("UPDATE t SET v = 0 WHERE id = 30", false),
    ("DELETE FROM t WHERE id = 30", false),
    ("UPDATE t SET id = 16 WHERE id = 40", false),
    ("SELECT v FROM t WITH (XLOCK) WHERE id = 30", false),
    ("INSERT INTO t VALUES (9, 0)", true),
    ("INSERT INTO t VALUES (35, 0)", true),
    ("UPDATE t SET v = 0 WHERE id = 10", true),
    ("SELECT v FROM t WITH (UPDLOCK) WHERE id = 30", true),
    ("SELECT COUNT(*) FROM t WITH (SERIALIZABLE) WHERE id BETWEEN 12 AND 28", true),
    ("SELECT v FROM t WHERE id = 20", true),
];

#[tokio::test]
async fn a_range_is_locked_to_the_key_behind_it() {
    let target = Target::new().await;
    let mut stage = Stage::open(&target, LEVELS[4]).await;
    let reader = &mut stage.sessions[0];
    reader.run("BEGIN TRAN; SELECT id FROM t WHERE id BETWEEN 15 AND 25").await;
    let other = &mut stage.sessions[1];
    other.run("SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET LOCK_TIMEOUT 0").await;
    for (sql, free) in BESIDE_A_RANGE {
        let answer = other.batch(&format!("BEGIN TRAN; {sql}; ROLLBACK")).await;
        let blocked = outcome(&answer) == "!1222";
        assert_eq!(blocked, !free, "{sql}\n{:#?}", answer.lines());
    }
    drop(stage);
    target.close().await;
}
