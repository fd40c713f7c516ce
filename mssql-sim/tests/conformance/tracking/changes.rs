//! What CHANGETABLE answers: net changes, versions, masks, contexts.

use super::{SETUP, check};

/// Net changes of `dbo.t` after a version: key, operation, version, creation version.
fn changes_after(last_sync: &str) -> String {
    format!(
        "SELECT id, SYS_CHANGE_OPERATION, SYS_CHANGE_VERSION, SYS_CHANGE_CREATION_VERSION \
         FROM CHANGETABLE(CHANGES dbo.t, {last_sync}) AS c"
    )
}

#[tokio::test]
async fn changes_are_net() {
    let insert_update = "INSERT t VALUES (1, 1, 1) | UPDATE t SET a = 2";
    let insert_delete = "INSERT t VALUES (1, 1, 1) | DELETE t";
    let again = "INSERT t VALUES (1, 1, 1) | DELETE t | INSERT t VALUES (1, 1, 1)";
    let shifted = "INSERT t VALUES (1, 1, 1), (2, 1, 1), (3, 1, 1) | UPDATE t SET id = id + 1";
    let in_one = |script: &str| format!("BEGIN TRAN; {script}; COMMIT");
    let gone_at_once = in_one("INSERT t VALUES (1, 1, 1); DELETE t");
    let back_at_once = in_one("INSERT t VALUES (1, 1, 1); DELETE t; INSERT t VALUES (1, 2, 2)");
    let replaced = format!(
        "INSERT t VALUES (1, 1, 1) | {}",
        in_one("DELETE t; INSERT t VALUES (1, 2, 2); UPDATE t SET a = 3")
    );
    for (script, last_sync, expected) in [
        (insert_update, "0", "1,I,2,1"),
        (insert_update, "1", "1,U,2,NULL"),
        (insert_update, "2", ""),
        (insert_update, "99", ""),
        (insert_update, "NULL", "1,I,2,1"),
        (insert_update, "-1", ""),
        (insert_delete, "0", "1,D,2,1"),
        (insert_delete, "1", "1,D,2,NULL"),
        ("INSERT t VALUES (9, 1, 1) | INSERT t VALUES (1, 1, 1) | DELETE t WHERE id = 1", "1", "1,D,3,2"),
        (again, "0", "1,I,3,3"),
        (again, "1", "1,U,3,3"),
        (again, "2", "1,I,3,3"),
        ("INSERT t VALUES (1, 1, 1) | UPDATE t SET id = 2", "1", "1,D,2,NULL; 2,I,2,2"),
        (shifted, "1", "1,D,2,NULL; 2,U,2,2; 3,U,2,2; 4,I,2,2"),
        (&gone_at_once, "0", "1,D,1,1"),
        (&back_at_once, "0", "1,I,1,1"),
        (&replaced, "0", "1,I,2,2"),
        (&replaced, "1", "1,U,2,2"),
        ("INSERT t VALUES (1, 1, 1) | UPDATE t SET a = a", "1", "1,U,2,NULL"),
        ("INSERT t VALUES (1, 1, 1) | UPDATE t SET a = 2 WHERE id = 7", "1", ""),
        (
            "INSERT t VALUES (3, 1, 1), (1, 1, 1) | INSERT t VALUES (2, 1, 1)",
            "0",
            "1,I,1,1; 2,I,2,2; 3,I,1,1",
        ),
    ] {
        check(&SETUP, &[(script, &changes_after(last_sync), expected)]).await;
    }
}

#[tokio::test]
async fn a_position_is_a_literal_or_a_variable() {
    let after = |declared: &str| format!("DECLARE @v {declared}; {}", changes_after("@v"));
    check(
        &SETUP,
        &[
            ("INSERT t VALUES (1, 1, 1)", &after("bigint = NULL"), "1,I,1,1"),
            ("INSERT t VALUES (1, 1, 1)", &after("int = 0"), "1,I,1,1"),
            ("INSERT t VALUES (1, 1, 1)", &after("varchar(5) = '0'"), "1,I,1,1"),
            ("", &after("varchar(5) = 'x'"), "error 8114"),
            ("", &after("date = '2020-01-01'"), "error 257"),
            ("", &changes_after("1 + 1"), "error 102"),
            ("", &changes_after("(1)"), "error 102"),
            (
                "INSERT t VALUES (1, 5, 1)",
                "SELECT op, k FROM CHANGETABLE(CHANGES t, 0) AS c (v, cv, op, mask, ctx, k)",
                "I,1",
            ),
            ("", "SELECT v FROM CHANGETABLE(CHANGES t, 0) AS c (v, cv)", "error 8158"),
        ],
    )
    .await;
}

#[tokio::test]
async fn versions_count_commits_that_changed_tracked_rows() {
    const NOW: &str = "SELECT CHANGE_TRACKING_CURRENT_VERSION()";
    check(
        &SETUP,
        &[
            ("", NOW, "0"),
            ("INSERT t VALUES (1, 1, 1) | INSERT t VALUES (2, 1, 1), (3, 1, 1)", NOW, "2"),
            ("INSERT u VALUES (1, 1) | UPDATE u SET a = 2", NOW, "0"),
            ("UPDATE t SET a = 1", NOW, "0"),
            ("BEGIN TRAN; INSERT t VALUES (1, 1, 1); ROLLBACK", NOW, "0"),
            ("INSERT t VALUES (1, 1, 1), (1, 1, 1)", NOW, "0"),
            ("BEGIN TRAN; INSERT t VALUES (1, 1, 1); INSERT t VALUES (2, 1, 1); COMMIT", NOW, "1"),
            ("BEGIN TRAN; INSERT t VALUES (1, 1, 1)", NOW, "0"),
            ("BEGIN TRAN; INSERT t VALUES (1, 1, 1)", "SELECT id FROM CHANGETABLE(CHANGES t, 0) AS c", ""),
            (
                "BEGIN TRAN; INSERT t VALUES (1, 1, 1); SAVE TRAN s; INSERT t VALUES (2, 1, 1); ROLLBACK TRAN s; COMMIT",
                "SELECT id, SYS_CHANGE_VERSION FROM CHANGETABLE(CHANGES t, 0) AS c",
                "1,1",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_cascade_shares_the_version_of_its_statement() {
    let setup = [
        SETUP[0],
        "CREATE TABLE dbo.parent (id int NOT NULL PRIMARY KEY); \
         CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY, p int REFERENCES dbo.parent ON DELETE CASCADE ON UPDATE CASCADE)",
        "ALTER TABLE dbo.parent ENABLE CHANGE_TRACKING",
        "ALTER TABLE dbo.t ENABLE CHANGE_TRACKING WITH (TRACK_COLUMNS_UPDATED = ON)",
    ];
    let both = "SELECT c.SYS_CHANGE_OPERATION, c.SYS_CHANGE_VERSION, p.SYS_CHANGE_OPERATION, p.SYS_CHANGE_VERSION \
                FROM CHANGETABLE(CHANGES t, 2) AS c CROSS JOIN CHANGETABLE(CHANGES parent, 2) AS p";
    let rows = "INSERT parent VALUES (1) | INSERT t VALUES (5, 1)";
    check(
        &setup,
        &[
            (&format!("{rows} | DELETE parent"), both, "D,3,D,3"),
            (
                &format!("{rows} | UPDATE parent SET id = 2"),
                "SELECT id, SYS_CHANGE_OPERATION, SYS_CHANGE_COLUMNS FROM CHANGETABLE(CHANGES t, 2) AS c",
                "5,U,NULL",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_merge_changes_rows_at_one_version() {
    let merge = "MERGE t USING (VALUES (1), (3)) AS s (id) ON t.id = s.id \
                 WHEN MATCHED THEN UPDATE SET a = 5 \
                 WHEN NOT MATCHED THEN INSERT VALUES (3, 1, 1) \
                 WHEN NOT MATCHED BY SOURCE AND t.id = 9 THEN DELETE \
                 WHEN NOT MATCHED BY SOURCE THEN UPDATE SET b = 5;";
    let rows = "INSERT t VALUES (1, 1, 1), (2, 1, 1), (9, 1, 1)";
    check(
        &SETUP,
        &[
            (
                &format!("{rows} | {merge}"),
                &changes_after("1"),
                "1,U,2,NULL; 2,U,2,NULL; 3,I,2,2; 9,D,2,NULL",
            ),
            (
                &format!("{rows} | {merge}"),
                "SELECT SYS_CHANGE_COLUMNS FROM CHANGETABLE(CHANGES t, 1) AS c WHERE id < 3",
                "0x0000000002000000; 0x0000000003000000",
            ),
            (
                &format!("{rows} | WITH CHANGE_TRACKING_CONTEXT (0x0C) {merge}"),
                "SELECT DISTINCT SYS_CHANGE_CONTEXT FROM CHANGETABLE(CHANGES t, 1) AS c",
                "0x0C",
            ),
        ],
    )
    .await;
}

/// What the rows of `dbo.t` are said to have changed after version 1.
const MASK: &str = "SELECT SYS_CHANGE_COLUMNS FROM CHANGETABLE(CHANGES t, 1) AS c";

#[tokio::test]
async fn a_mask_lists_the_columns_that_were_set() {
    let cases = [
        ("UPDATE t SET a = 2", "0x0000000002000000"),
        ("UPDATE t SET b = 2 | UPDATE t SET a = 2", "0x000000000300000002000000"),
        (
            "BEGIN TRAN; UPDATE t SET b = 2; UPDATE t SET a = 2; UPDATE t SET b = 3; COMMIT",
            "0x000000000300000002000000",
        ),
        ("UPDATE t SET a = a", "0x0000000002000000"),
        ("UPDATE t SET b = 2, a = 2", "NULL"),
        ("UPDATE t SET a = 2, b = 2 | UPDATE t SET a = 3", "NULL"),
        ("UPDATE t SET id = id", "NULL"),
        ("UPDATE t SET id = id, a = 2", "NULL"),
        ("DELETE t", "NULL"),
        ("DELETE t | INSERT t VALUES (1, 1, 1) | UPDATE t SET a = 2", "NULL"),
    ];
    for (script, expected) in cases {
        check(&SETUP, &[(&format!("INSERT t VALUES (1, 1, 1) | {script}"), MASK, expected)]).await;
    }
}

#[tokio::test]
async fn a_mask_follows_column_ids() {
    let table = |columns: &str| {
        format!(
            "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY, {columns}) | \
             ALTER TABLE t ENABLE CHANGE_TRACKING WITH (TRACK_COLUMNS_UPDATED = ON) | "
        )
    };
    let stamped = table("a int, rv rowversion, b int, c AS (a + b)");
    let dropped = table("a int, b int, c int");
    check(
        &SETUP[..1],
        &[
            (
                &format!("{stamped} INSERT t (id) VALUES (1) | UPDATE t SET b = 1"),
                MASK,
                "0x000000000400000003000000",
            ),
            (
                &format!(
                    "{dropped} ALTER TABLE t DROP COLUMN c | ALTER TABLE t ADD d int | INSERT t VALUES (1, 1, 1, 1) | \
                     UPDATE t SET d = 2"
                ),
                MASK,
                "0x0000000005000000",
            ),
            (
                "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY, a int, b int) | ALTER TABLE t ENABLE CHANGE_TRACKING | \
                 INSERT t VALUES (1, 1, 1) | UPDATE t SET a = 2",
                MASK,
                "NULL",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_column_is_in_its_mask() {
    let asked =
        |column: &str, mask: &str| format!("SELECT CHANGE_TRACKING_IS_COLUMN_IN_MASK({column}, {mask})");
    check(
        &[],
        &[
            ("", &asked("2", "0x0000000002000000"), "1"),
            ("", &asked("3", "0x0000000002000000"), "0"),
            ("", &asked("3", "0x000000000200000003000000"), "1"),
            ("", &asked("3", "0x00000000020000000300"), "0"),
            ("", &asked("3", "NULL"), "1"),
            ("", &asked("3", "0x00000000"), "error 22101"),
            ("", &asked("3", "0x"), "error 22101"),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_last_statement_gives_a_row_its_context() {
    const CONTEXT: &str = "SELECT id, SYS_CHANGE_CONTEXT FROM CHANGETABLE(CHANGES t, 0) AS c";
    let with = |value: &str, statement: &str| format!("WITH CHANGE_TRACKING_CONTEXT ({value}) {statement}");
    let insert = with("0xAB", "INSERT t VALUES (1, 1, 1)");
    let variable = with("@c", "INSERT t VALUES (1, 1, 1)");
    check(
        &SETUP,
        &[
            (&insert, CONTEXT, "1,0xAB"),
            (&format!("{insert} | UPDATE t SET a = 2"), CONTEXT, "1,NULL"),
            (&format!("{insert} | {}", with("0xCD", "UPDATE t SET a = 2")), CONTEXT, "1,0xCD"),
            (&format!("{insert} | {}", with("0xEF", "DELETE t")), CONTEXT, "1,0xEF"),
            (&format!("DECLARE @c varbinary(128) = 0x01; {variable}"), CONTEXT, "1,0x01"),
            (&format!("DECLARE @c binary(2) = 0x01; {variable}"), CONTEXT, "1,0x0100"),
            (
                "WITH CHANGE_TRACKING_CONTEXT (0x07), n AS (SELECT 4 AS x) INSERT t SELECT x, x, x FROM n",
                CONTEXT,
                "4,0x07",
            ),
            ("", &format!("DECLARE @c varbinary(129) = 0x01; {variable}"), "error 22109"),
            ("", &format!("DECLARE @c int = 1; {variable}"), "error 22109"),
            ("", &with("NULL", "DELETE t"), "error 156"),
            ("", &with("'x'", "DELETE t"), "error 102"),
            ("", &with("0x01 + 0x02", "DELETE t"), "error 102"),
            (
                "",
                "WITH CHANGE_TRACKING_CONTEXT (0x01) WITH n AS (SELECT 1 AS x) SELECT x FROM n",
                "error 156 319",
            ),
            ("", "WITH n AS (SELECT 1 AS x), CHANGE_TRACKING_CONTEXT (0x01) SELECT x FROM n", "error 102"),
            ("", &with("0x01", "SELECT 7"), "7"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_row_tells_its_version() {
    let of = |values: &str| {
        format!(
            "SELECT SYS_CHANGE_VERSION, SYS_CHANGE_CONTEXT, id FROM CHANGETABLE(VERSION t, (id), {values}) AS v"
        )
    };
    check(
        &SETUP,
        &[
            ("INSERT t VALUES (1, 1, 1) | UPDATE t SET a = 2", &of("(1)"), "2,NULL,1"),
            ("INSERT t VALUES (1, 1, 1)", &of("('1')"), "1,NULL,1"),
            ("WITH CHANGE_TRACKING_CONTEXT (0x09) INSERT t VALUES (1, 1, 1)", &of("(1)"), "1,0x09,1"),
            ("INSERT t VALUES (1, 1, 1) | DELETE t", &of("(1)"), ""),
            ("", &of("(1)"), ""),
            ("INSERT t VALUES (1, 1, 1) | BEGIN TRAN; UPDATE t SET a = 2", &of("(1)"), "NULL,NULL,1"),
            ("INSERT u VALUES (1, 1) | ALTER TABLE u ENABLE CHANGE_TRACKING", &of("(1)").replace(" t,", " u,"), "NULL,NULL,1"),
            (
                "INSERT t VALUES (1, 1, 1) | INSERT t VALUES (2, 1, 1)",
                "SELECT t.id, v.SYS_CHANGE_VERSION FROM t CROSS APPLY CHANGETABLE(VERSION t, (id), (t.id)) AS v",
                "1,1; 2,2",
            ),
            ("", &of("(1, 2)"), "error 22103"),
            ("", &of("(1)").replace("(id)", "(a)"), "error 22111"),
            ("", &of("(1)").replace("(id)", "(id, a)"), "error 22111"),
            ("", &of("('x')"), "error 245"),
        ],
    )
    .await;
    let pair = [
        SETUP[0],
        "CREATE TABLE dbo.t (b varchar(5) NOT NULL, a int NOT NULL, PRIMARY KEY (a, b))",
        "ALTER TABLE t ENABLE CHANGE_TRACKING",
    ];
    let of = |columns: &str, values: &str| {
        format!("SELECT SYS_CHANGE_VERSION, a, b FROM CHANGETABLE(VERSION t, {columns}, {values}) AS v")
    };
    check(
        &pair,
        &[
            ("INSERT t VALUES ('x', 7)", &of("(b, a)", "('X', 7)"), "1,7,x"),
            (
                "INSERT t VALUES ('x', 7)",
                "SELECT * FROM CHANGETABLE(CHANGES t, 0) AS c",
                "1,1,I,NULL,NULL,7,x",
            ),
            ("", &of("(a)", "(7)"), "error 22110"),
            ("", &of("(a, a)", "(7, 7)"), "error 22112"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_key_keeps_its_first_spelling() {
    let setup = [
        SETUP[0],
        "CREATE TABLE dbo.t (id varchar(10) NOT NULL PRIMARY KEY, a int)",
        "ALTER TABLE t ENABLE CHANGE_TRACKING",
    ];
    check(
        &setup,
        &[(
            "INSERT t VALUES ('abc', 1) | UPDATE t SET id = 'ABC'",
            "SELECT id, SYS_CHANGE_VERSION FROM CHANGETABLE(CHANGES t, 1) AS c",
            "abc,2",
        )],
    )
    .await;
}
