//! The anomalies by which isolation levels are told apart.

use super::{Scenario, all, play_all};

const END: &str = "IF @@TRANCOUNT > 0 COMMIT";

/// Outcomes in the order READ UNCOMMITTED, READ COMMITTED, READ COMMITTED SNAPSHOT, REPEATABLE READ, SERIALIZABLE, SNAPSHOT.
const ANOMALIES: &[Scenario] = &[
    Scenario {
        name: "dirty read",
        steps: &[
            (1, "BEGIN TRAN; UPDATE t SET v = 99 WHERE id = 10", all("")),
            (2, "SELECT v FROM t WHERE id = 10", ["99", "waits", "1", "waits", "waits", "1"]),
            (1, "ROLLBACK", all("")),
            (2, "", ["-", "1", "-", "1", "1", "-"]),
        ],
    },
    Scenario {
        name: "dirty delete",
        steps: &[
            (1, "BEGIN TRAN; DELETE FROM t WHERE id = 20", all("")),
            (
                2,
                "SELECT id FROM t ORDER BY id",
                ["10; 30; 40", "waits", "10; 20; 30; 40", "waits", "waits", "10; 20; 30; 40"],
            ),
            (1, "ROLLBACK", all("")),
            (2, "", ["-", "10; 20; 30; 40", "-", "10; 20; 30; 40", "10; 20; 30; 40", "-"]),
        ],
    },
    Scenario {
        name: "non-repeatable read",
        steps: &[
            (1, "BEGIN TRAN; SELECT v FROM t WHERE id = 10", all("1")),
            (2, "UPDATE t SET v = 99 WHERE id = 10", ["", "", "", "waits", "waits", ""]),
            (1, "SELECT v FROM t WHERE id = 10", ["99", "99", "99", "1", "1", "1"]),
            (1, "COMMIT", all("")),
            (2, "", ["-", "-", "-", "", "", "-"]),
        ],
    },
    Scenario {
        name: "rows that a predicate rejects are not kept locked",
        steps: &[
            (1, "BEGIN TRAN; SELECT id FROM t WHERE v = 1", all("10")),
            (2, "UPDATE t SET v = 99 WHERE id = 20", ["", "", "", "", "waits", ""]),
            (1, "COMMIT", all("")),
            (2, "", ["-", "-", "-", "-", "", "-"]),
        ],
    },
    Scenario {
        name: "phantom",
        steps: &[
            (1, "BEGIN TRAN; SELECT COUNT(*) FROM t WHERE id BETWEEN 15 AND 25", all("1")),
            (2, "INSERT INTO t VALUES (17, 0)", ["", "", "", "", "waits", ""]),
            (1, "SELECT COUNT(*) FROM t WHERE id BETWEEN 15 AND 25", ["2", "2", "2", "2", "1", "1"]),
            (1, "COMMIT", all("")),
            (2, "", ["-", "-", "-", "-", "", "-"]),
        ],
    },
    Scenario {
        name: "phantom of a row that moves in",
        steps: &[
            (1, "BEGIN TRAN; SELECT COUNT(*) FROM t WHERE id BETWEEN 15 AND 25", all("1")),
            (2, "UPDATE t SET id = 17 WHERE id = 40", ["", "", "", "", "waits", ""]),
            (1, "SELECT COUNT(*) FROM t WHERE id BETWEEN 15 AND 25", ["2", "2", "2", "2", "1", "1"]),
            (1, "COMMIT", all("")),
            (2, "", ["-", "-", "-", "-", "", "-"]),
        ],
    },
    Scenario {
        name: "lost update",
        steps: &[
            (1, "BEGIN TRAN; SELECT v FROM t WHERE id = 10", all("1")),
            (2, "BEGIN TRAN; SELECT v FROM t WHERE id = 10", all("1")),
            (1, "UPDATE t SET v = 2 WHERE id = 10", ["", "", "", "waits", "waits", ""]),
            (2, "UPDATE t SET v = 3 WHERE id = 10", ["waits", "waits", "waits", "!1205", "!1205", "waits"]),
            (1, "", ["-", "-", "-", "", "", "-"]),
            (1, "COMMIT", all("")),
            (2, "", ["", "", "", "-", "-", "!3960"]),
            (2, END, all("")),
            (1, "SELECT v FROM t WHERE id = 10", ["3", "3", "3", "2", "2", "2"]),
        ],
    },
    Scenario {
        name: "read skew",
        steps: &[
            (1, "BEGIN TRAN; SELECT v FROM t WHERE id = 10", all("1")),
            (
                2,
                "BEGIN TRAN; UPDATE t SET v = 100 WHERE id = 20; UPDATE t SET v = 100 WHERE id = 10; COMMIT",
                ["", "", "", "waits", "waits", ""],
            ),
            (1, "SELECT v FROM t WHERE id = 20", ["100", "100", "100", "!1205", "!1205", "2"]),
            (2, "", ["-", "-", "-", "", "", "-"]),
            (1, END, all("")),
        ],
    },
    Scenario {
        name: "write skew",
        steps: &[
            (1, "BEGIN TRAN; SELECT SUM(v) FROM t WHERE id IN (10, 20)", all("3")),
            (2, "BEGIN TRAN; SELECT SUM(v) FROM t WHERE id IN (10, 20)", all("3")),
            (1, "UPDATE t SET v = 0 WHERE id = 10", ["", "", "", "waits", "waits", ""]),
            (2, "UPDATE t SET v = 0 WHERE id = 20", ["", "", "", "!1205", "!1205", ""]),
            (1, "", ["-", "-", "-", "", "", "-"]),
            (1, "COMMIT", all("")),
            (2, END, all("")),
            (1, "SELECT SUM(v) FROM t WHERE id IN (10, 20)", ["0", "0", "0", "2", "2", "0"]),
        ],
    },
    Scenario {
        name: "write skew by phantoms",
        steps: &[
            (1, "BEGIN TRAN; SELECT COUNT(*) FROM t WHERE id BETWEEN 31 AND 39", all("0")),
            (2, "BEGIN TRAN; SELECT COUNT(*) FROM t WHERE id BETWEEN 31 AND 39", all("0")),
            (1, "INSERT INTO t VALUES (33, 0)", ["", "", "", "", "waits", ""]),
            (2, "INSERT INTO t VALUES (36, 0)", ["", "", "", "", "!1205", ""]),
            (1, "", ["-", "-", "-", "-", "", "-"]),
            (1, "COMMIT", all("")),
            (2, END, all("")),
            (1, "SELECT COUNT(*) FROM t WHERE id BETWEEN 31 AND 39", ["2", "2", "2", "2", "1", "2"]),
        ],
    },
];

#[tokio::test]
async fn every_level_allows_its_anomalies_and_no_other() {
    play_all(ANOMALIES).await;
}
