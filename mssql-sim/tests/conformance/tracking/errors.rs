//! What refuses to be tracked, and by which number.

use super::{SETUP, check};

#[tokio::test]
async fn the_database_switch_checks_its_clause() {
    let set = |clause: &str| format!("ALTER DATABASE CURRENT SET CHANGE_TRACKING {clause}");
    let on = set("= ON");
    for (script, clause, expected) in [
        ("", "= ON (CHANGE_RETENTION = 3 DAY)", "error 155"),
        ("", "= ON (CHANGE_RETENTION = 3 WEEKS)", "error 155"),
        ("", "= ON (AUTO_CLEANUP = ON, AUTO_CLEANUP = OFF)", "error 5091"),
        ("", "= ON (CHANGE_RETENTION = 1 DAYS, CHANGE_RETENTION = 2 DAYS)", "error 5091"),
        ("", "= ON (CHANGE_RETENTION = 0 DAYS)", "error 5092"),
        ("", "= ON (CHANGE_RETENTION = 2147483647 HOURS)", "error 5092"),
        ("", "= ON (CHANGE_RETENTION = 3)", "error 102"),
        ("", "= ON (CHANGE_RETENTION = 99999999999 DAYS)", "error 102"),
        ("", "= OFF (AUTO_CLEANUP = ON)", "error 102"),
        ("", "= ON, ALLOW_SNAPSHOT_ISOLATION ON", "error 22114"),
        (&on, "= ON", "error 5088 5069"),
        ("", "= OFF", "error 5089 5069"),
        ("", "(AUTO_CLEANUP = OFF)", "error 5089 5069"),
        ("BEGIN TRAN", "= ON", "error 226"),
        (
            &format!("{on} | CREATE TABLE t (id int PRIMARY KEY) | ALTER TABLE t ENABLE CHANGE_TRACKING"),
            "= OFF",
            "error 22115 5069",
        ),
    ] {
        check(&[], &[(script, &set(clause), expected)]).await;
    }
    check(
        &[],
        &[
            ("", "ALTER DATABASE master SET CHANGE_TRACKING = ON", "error 5090 5069"),
            ("", "ALTER DATABASE msdb SET CHANGE_TRACKING = OFF", "error 5090 5069"),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_unreadable_clause_lets_nothing_of_its_batch_run() {
    check(
        &[],
        &[(
            "SELECT 1 AS n INTO dbo.made; ALTER DATABASE CURRENT SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 1 DAY)",
            "SELECT OBJECT_ID(N'dbo.made')",
            "NULL",
        )],
    )
    .await;
}

#[tokio::test]
async fn the_table_switch_checks_its_database_its_key_and_itself() {
    check(
        &SETUP,
        &[
            ("", "ALTER TABLE t ENABLE CHANGE_TRACKING", "error 4996"),
            ("", "ALTER TABLE u DISABLE CHANGE_TRACKING", "error 4998"),
            ("CREATE TABLE heap (a int)", "ALTER TABLE heap ENABLE CHANGE_TRACKING", "error 4997"),
            ("", "ALTER TABLE missing ENABLE CHANGE_TRACKING", "error 4902"),
            ("", "ALTER TABLE t DROP CONSTRAINT pk_t", "error 3735 3727"),
            ("ALTER TABLE t DISABLE CHANGE_TRACKING", "ALTER TABLE t DROP CONSTRAINT pk_t", ""),
        ],
    )
    .await;
    check(
        &SETUP,
        &[("CREATE TABLE #x (id int PRIMARY KEY)", "ALTER TABLE #x ENABLE CHANGE_TRACKING", "error 1718")],
    )
    .await;
    check(&[], &[("CREATE TABLE heap (a int)", "ALTER TABLE heap ENABLE CHANGE_TRACKING", "error 1718")])
        .await;
}

#[tokio::test]
async fn changetable_is_refused_when_its_batch_is_compiled() {
    let changes = |source: &str| format!("SELECT 1 FROM CHANGETABLE(CHANGES {source}");
    let in_dead_branch = format!("IF 1 = 0 {}; SELECT 5", changes("u, 0) AS c"));
    check(
        &SETUP,
        &[
            ("", &changes("u, 0) AS c"), "error 22105"),
            ("", &changes("t, 0)"), "error 22104"),
            ("", &changes("sys.tables, 0) AS c"), "error 22107"),
            ("", &changes("missing, 0) AS c"), "error 208"),
            ("CREATE VIEW v AS SELECT id FROM t", &changes("v, 0) AS c"), "error 22107"),
            ("CREATE TABLE #x (id int PRIMARY KEY)", &changes("#x, 0) AS c"), "error 22107"),
            (
                "",
                &format!("CREATE VIEW v AS {}", changes("u, 0) AS c").replace("1 FROM", "1 AS n FROM")),
                "error 22105",
            ),
            ("", &in_dead_branch, "error 22105"),
            ("", &format!("INSERT t VALUES (1, 1, 1); {}", changes("u, 0) AS c")), "error 22105"),
            (&format!("INSERT t VALUES (1, 1, 1); {}", changes("u, 0) AS c")), "SELECT COUNT(*) FROM t", "0"),
            (
                "ALTER DATABASE CURRENT SET CHANGE_TRACKING = OFF",
                "SELECT CHANGE_TRACKING_CURRENT_VERSION()",
                "0",
            ),
            ("", "SELECT CHANGE_TRACKING_MIN_VALID_VERSION(NULL)", "error 8116"),
            ("", "SELECT CHANGE_TRACKING_MIN_VALID_VERSION('x')", "error 8116"),
            ("", "SELECT CHANGE_TRACKING_MIN_VALID_VERSION(CAST(1 AS bigint))", "error 8116"),
        ],
    )
    .await;
}
