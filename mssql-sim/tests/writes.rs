//! INSERT, UPDATE and DELETE: values, constraints, cascades, and what Change Tracking makes of them.

mod batch;

use batch::{error, rows, run, server};

#[tokio::test]
async fn a_statement_is_refused_by_its_number() {
    let server = server(
        "CREATE TABLE dbo.p (id int NOT NULL PRIMARY KEY);
         CREATE TABLE dbo.t (
             id int IDENTITY(1,1) NOT NULL PRIMARY KEY, code varchar(5) NOT NULL CONSTRAINT UQ_code UNIQUE,
             n int NULL CHECK (n > 0), twice AS (n * 2), rv rowversion, parent int NULL REFERENCES dbo.p (id));
         INSERT INTO dbo.p VALUES (1);
         INSERT INTO dbo.t (code, n, parent) VALUES ('a', 1, 1)",
    )
    .await;
    for (sql, number) in [
        ("INSERT INTO dbo.t (code) VALUES ('A ')", 2627),
        ("INSERT INTO dbo.t (code) VALUES (NULL)", 515),
        ("INSERT INTO dbo.t (n) VALUES (1)", 515),
        ("INSERT INTO dbo.t (code) VALUES ('toolong')", 2628),
        ("INSERT INTO dbo.t (code, n) VALUES ('b', 0)", 547),
        ("INSERT INTO dbo.t (code, n) VALUES ('b', NULL)", 0),
        ("INSERT INTO dbo.t (code, parent) VALUES ('c', 9)", 547),
        ("INSERT INTO dbo.t (id, code) VALUES (7, 'c')", 544),
        ("INSERT INTO dbo.t (code, rv) VALUES ('c', 0x01)", 273),
        ("INSERT INTO dbo.t (code, rv) VALUES ('c', DEFAULT)", 0),
        ("INSERT INTO dbo.t (code, twice) VALUES ('d', 1)", 271),
        ("INSERT INTO dbo.t (code) VALUES ('d', 1)", 110),
        ("INSERT INTO dbo.t (code, n) VALUES ('d')", 109),
        ("INSERT INTO dbo.t (code, n) VALUES ('d', 1), ('e')", 10709),
        ("INSERT INTO dbo.t (code) SELECT 'd', 1", 121),
        ("INSERT INTO dbo.p VALUES (1, 2)", 213),
        ("INSERT INTO dbo.t VALUES (1, 'd', 1, DEFAULT, NULL)", 8101),
        ("INSERT INTO dbo.t (code, nope) VALUES ('d', 1)", 207),
        ("INSERT INTO dbo.nope VALUES (1)", 208),
        ("UPDATE dbo.t SET id = 9", 8102),
        ("UPDATE dbo.t SET twice = 9", 271),
        ("UPDATE dbo.t SET rv = 0x01", 272),
        ("UPDATE dbo.t SET n = 1, n = 2", 264),
        ("UPDATE dbo.t SET code = NULL", 515),
        ("UPDATE dbo.t SET code = 'same'", 2627),
        ("UPDATE dbo.p SET id = 2", 547),
        ("DELETE FROM dbo.p", 547),
        ("TRUNCATE TABLE dbo.p", 4712),
        ("DROP TABLE dbo.p", 3726),
    ] {
        assert_eq!(error(&server, sql).await, number, "{sql}");
    }
    assert_eq!(
        rows(&server, "SELECT code, n, twice FROM dbo.t ORDER BY code").await,
        "a,1,2; b,NULL,NULL; c,NULL,NULL"
    );
}

#[tokio::test]
async fn a_statement_is_judged_by_its_end_and_leaves_nothing_when_it_fails() {
    let server = server(
        "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY, u int NOT NULL UNIQUE);
         INSERT INTO dbo.t VALUES (1, 10), (2, 20), (3, 30)",
    )
    .await;
    run(&server, "UPDATE dbo.t SET id = id + 1").await;
    run(&server, "UPDATE dbo.t SET u = 60 - u").await;
    run(&server, "UPDATE dbo.t SET u = CASE id WHEN 2 THEN 10 WHEN 4 THEN 50 ELSE u END").await;
    assert_eq!(rows(&server, "SELECT id, u FROM dbo.t ORDER BY id").await, "2,10; 3,40; 4,50");
    assert_eq!(error(&server, "INSERT INTO dbo.t VALUES (5, 5), (6, 6), (2, 7)").await, 2627);
    assert_eq!(error(&server, "UPDATE dbo.t SET u = 10 WHERE id >= 3").await, 2627);
    assert_eq!(rows(&server, "SELECT id, u FROM dbo.t ORDER BY id").await, "2,10; 3,40; 4,50");
    run(&server, "UPDATE dbo.t SET u = 99 WHERE u = 40; INSERT INTO dbo.t VALUES (9, 40)").await;
    assert_eq!(rows(&server, "SELECT id FROM dbo.t WHERE u = 40").await, "9", "the index follows");
}

#[tokio::test]
async fn update_and_delete_find_their_rows_as_a_query_does() {
    let server = server(
        "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY, a int NULL);
         CREATE TABLE dbo.s (id int NOT NULL, v int NOT NULL);
         CREATE TABLE dbo.heap (n int NULL, txt nvarchar(10) NULL);
         INSERT INTO dbo.t VALUES (1, 1), (2, 2), (3, 3), (4, 4);
         INSERT INTO dbo.s VALUES (1, 100), (1, 100), (3, 300);
         INSERT INTO dbo.heap VALUES (1, N'x'), (1, N'x'), (1, N'x'), (2, NULL)",
    )
    .await;
    let count = |sql: &'static str| {
        let server = &server;
        async move { rows(server, &format!("{sql}; SELECT @@ROWCOUNT")).await }
    };
    assert_eq!(count("UPDATE x SET a = s.v FROM dbo.t AS x JOIN dbo.s AS s ON s.id = x.id").await, "2");
    assert_eq!(count("UPDATE dbo.t SET a = a + 1 WHERE id BETWEEN 2 AND 3").await, "2");
    assert_eq!(
        count("DELETE x FROM dbo.t AS x LEFT JOIN dbo.s AS s ON s.id = x.id WHERE s.id IS NULL AND x.id > 2")
            .await,
        "1"
    );
    assert_eq!(count("UPDATE dbo.t SET a = DEFAULT WHERE id = 99").await, "0");
    assert_eq!(rows(&server, "SELECT id, a FROM dbo.t ORDER BY id").await, "1,100; 2,3; 3,301");
    assert_eq!(count("DELETE TOP (1) FROM dbo.heap WHERE n = 1").await, "1");
    assert_eq!(count("UPDATE dbo.heap SET n = n + 10").await, "3");
    assert_eq!(rows(&server, "SELECT n, txt FROM dbo.heap ORDER BY n, txt").await, "11,x; 11,x; 12,NULL");
}

#[tokio::test]
async fn identity_and_rowversion_are_never_given_back() {
    let server = server(
        "CREATE TABLE dbo.t (id int IDENTITY(10, 5) NOT NULL PRIMARY KEY, a int NOT NULL CHECK (a > 0), rv rowversion)",
    )
    .await;
    assert_eq!(
        rows(&server, "INSERT INTO dbo.t (a) VALUES (1); SELECT SCOPE_IDENTITY(), @@IDENTITY")
            .await
            .matches("10")
            .count(),
        2
    );
    assert_eq!(error(&server, "INSERT INTO dbo.t (a) VALUES (0)").await, 547);
    run(&server, "INSERT INTO dbo.t (a) VALUES (2), (3)").await;
    run(&server, "SET IDENTITY_INSERT dbo.t ON; INSERT INTO dbo.t (id, a) VALUES (100, 4); SET IDENTITY_INSERT dbo.t OFF").await;
    run(&server, "INSERT INTO dbo.t (a) VALUES (5)").await;
    assert_eq!(rows(&server, "SELECT id, a FROM dbo.t ORDER BY id").await, "10,1; 20,2; 25,3; 100,4; 105,5");
    let stamp = "SELECT CAST(MAX(CAST(rv AS bigint)) AS bigint), CAST(CAST(@@DBTS AS binary(8)) AS bigint) FROM dbo.t";
    let before = rows(&server, stamp).await;
    run(&server, "UPDATE dbo.t SET a = a WHERE id = 10").await;
    let after = rows(&server, stamp).await;
    assert_ne!(before, after, "an update draws a new rowversion");
    let (drawn, last) = after.split_once(',').expect("two columns");
    assert_eq!(drawn, last, "@@DBTS is the last one drawn");
}

#[tokio::test]
async fn cascades_share_the_version_of_their_statement() {
    let server = server(
        "CREATE TABLE dbo.o (id int NOT NULL PRIMARY KEY, a int NULL);
         CREATE TABLE dbo.l (o int NOT NULL REFERENCES dbo.o (id) ON DELETE CASCADE ON UPDATE CASCADE, n int NOT NULL, v int NULL,
             CONSTRAINT PK_l PRIMARY KEY (o, n));
         CREATE TABLE dbo.x (id int NOT NULL PRIMARY KEY, o int NULL, n int NULL,
             CONSTRAINT FK_x FOREIGN KEY (o, n) REFERENCES dbo.l (o, n) ON DELETE CASCADE);
         ALTER TABLE dbo.o ENABLE CHANGE_TRACKING;
         ALTER TABLE dbo.l ENABLE CHANGE_TRACKING WITH (TRACK_COLUMNS_UPDATED = ON);
         ALTER TABLE dbo.x ENABLE CHANGE_TRACKING",
    )
    .await;
    run(&server, "BEGIN TRAN; INSERT INTO dbo.o VALUES (1, 0), (2, 0); INSERT INTO dbo.l VALUES (1, 1, 0), (2, 1, 0), (2, 2, 0); INSERT INTO dbo.x VALUES (7, 2, 2), (8, NULL, 2); COMMIT").await;
    run(&server, "UPDATE dbo.o SET id = 5 WHERE id = 1").await;
    run(&server, "DELETE FROM dbo.o WHERE id = 2").await;
    let changes = |table: &'static str, key: &'static str| {
        let server = &server;
        let sql = format!(
            "SELECT SYS_CHANGE_OPERATION, SYS_CHANGE_VERSION, {key} FROM CHANGETABLE(CHANGES dbo.{table}, 1) AS c"
        );
        async move { rows(server, &sql).await }
    };
    assert_eq!(changes("o", "id").await, "D,2,1; D,3,2; I,2,5");
    assert_eq!(changes("l", "o, n").await, "D,2,1,1; D,3,2,1; D,3,2,2; I,2,5,1");
    assert_eq!(changes("x", "id").await, "D,3,7");
    assert_eq!(rows(&server, "SELECT o, n, CHANGE_TRACKING_CURRENT_VERSION() FROM dbo.l").await, "5,1,3");
}

#[tokio::test]
async fn contexts_and_versions_of_single_rows() {
    let server = server(
        "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY, a int NULL);
         INSERT INTO dbo.t VALUES (1, 0), (2, 0), (3, 0);
         ALTER TABLE dbo.t ENABLE CHANGE_TRACKING",
    )
    .await;
    run(&server, "DECLARE @c varbinary(128) = 0xAB; WITH CHANGE_TRACKING_CONTEXT (@c) UPDATE dbo.t SET a = 1 WHERE id < 3").await;
    run(&server, "UPDATE dbo.t SET a = 2 WHERE id = 2").await;
    let changes = "SELECT id, SYS_CHANGE_CONTEXT FROM CHANGETABLE(CHANGES dbo.t, 0) AS c";
    assert_eq!(rows(&server, changes).await, "1,AB; 2,NULL", "a later write without a context clears it");
    let version = |id: i32| {
        let server = &server;
        async move {
            rows(
                server,
                &format!("SELECT SYS_CHANGE_VERSION, id FROM CHANGETABLE(VERSION dbo.t, (id), ({id})) AS v"),
            )
            .await
        }
    };
    assert_eq!(version(2).await, "2,2");
    assert_eq!(version(3).await, "NULL,3", "never changed");
    assert_eq!(version(9).await, "", "no such row");
    let own = "BEGIN TRAN; UPDATE dbo.t SET a = 5 WHERE id = 1;
               SELECT SYS_CHANGE_VERSION, id FROM CHANGETABLE(VERSION dbo.t, (id), (1)) AS v; ROLLBACK";
    assert_eq!(rows(&server, own).await, "NULL,1", "one's own uncommitted change");
    let too_long = format!("WITH CHANGE_TRACKING_CONTEXT (0x{}) UPDATE dbo.t SET a = 1", "00".repeat(129));
    assert_eq!(error(&server, &too_long).await, 22109);
}

#[tokio::test]
async fn masks_list_what_was_set_and_keys_keep_their_first_spelling() {
    let server = server(
        "CREATE TABLE dbo.t (code varchar(10) NOT NULL PRIMARY KEY, a int NULL, b int NULL, twice AS (a * 2), rv rowversion);
         ALTER TABLE dbo.t ENABLE CHANGE_TRACKING WITH (TRACK_COLUMNS_UPDATED = ON);
         INSERT INTO dbo.t (code, a) VALUES ('Ab', 1), ('cd', 1), ('ef', 1)",
    )
    .await;
    run(&server, "UPDATE dbo.t SET a = a WHERE code = 'AB '").await;
    run(&server, "UPDATE dbo.t SET code = 'CD' WHERE code = 'cd'").await;
    run(&server, "UPDATE dbo.t SET b = 1, a = 2 WHERE code = 'ef'").await;
    run(&server, "UPDATE dbo.t SET a = 1 WHERE code = 'nothing'").await;
    // A rowversion column is listed behind the columns that were set, a computed one is not; all columns: no mask.
    assert_eq!(
        rows(
            &server,
            "SELECT code, SYS_CHANGE_OPERATION, SYS_CHANGE_COLUMNS FROM CHANGETABLE(CHANGES dbo.t, 1) AS c"
        )
        .await,
        "Ab,U,000000000200000005000000; cd,U,NULL; ef,U,NULL"
    );
    assert_eq!(rows(&server, "SELECT code FROM dbo.t ORDER BY code").await, "Ab; CD; ef");
    assert_eq!(rows(&server, "SELECT CHANGE_TRACKING_CURRENT_VERSION()").await, "4", "no row, no version");
}

#[tokio::test]
async fn the_commit_table_tells_every_version() {
    let server =
        server("CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY); ALTER TABLE dbo.t ENABLE CHANGE_TRACKING")
            .await;
    let current =
        "SELECT V.version, C.commit_ts FROM (SELECT CHANGE_TRACKING_CURRENT_VERSION() AS version) AS V
                   LEFT JOIN sys.dm_tran_commit_table AS C ON C.commit_ts = V.version";
    assert_eq!(rows(&server, current).await, "0,NULL");
    for id in 1..=3 {
        run(&server, &format!("INSERT INTO dbo.t VALUES ({id})")).await;
    }
    assert_eq!(rows(&server, current).await, "3,3");
    let table = "FROM sys.dm_tran_commit_table";
    assert_eq!(rows(&server, &format!("SELECT commit_ts {table} ORDER BY commit_ts")).await, "1; 2; 3");
    assert_eq!(rows(&server, &format!("SELECT commit_ts {table} WHERE commit_ts = 2")).await, "2");
    assert_eq!(
        rows(&server, &format!("SELECT commit_ts {table} WHERE commit_ts = 2.5 OR commit_ts = 1")).await,
        "1"
    );
    assert_eq!(rows(&server, &format!("SELECT commit_ts {table} WHERE commit_ts = NULL")).await, "");
    let distinct = format!("SELECT COUNT(DISTINCT xdes_id), COUNT(DISTINCT commit_lbn) {table}");
    assert_eq!(rows(&server, &distinct).await, "3,3", "every commit has an identity of its own");
}

#[tokio::test]
async fn temporary_tables_end_with_what_created_them() {
    let server =
        server("CREATE TABLE dbo.base (id int NOT NULL PRIMARY KEY); INSERT INTO dbo.base VALUES (1), (2)")
            .await;
    for (sql, expected) in [
        (
            "CREATE TABLE #t (id int NOT NULL PRIMARY KEY, n int NULL); INSERT #t VALUES (1, 10), (3, 30);
          SELECT b.id, t.n FROM dbo.base b LEFT JOIN #t t ON t.id = b.id ORDER BY b.id",
            "1,10; 2,NULL",
        ),
        (
            "CREATE TABLE #t (a int NULL); EXEC ('INSERT #t VALUES (7); CREATE TABLE #u (b int NULL)');
          SELECT a, OBJECT_ID('tempdb..#u') FROM tempdb.dbo.#t",
            "7,NULL",
        ),
        (
            "CREATE TABLE #t (a int NULL); EXEC ('CREATE TABLE #t (a int NULL); INSERT #t VALUES (1); SELECT a FROM #t'); SELECT COUNT(*) FROM #t",
            "0",
        ),
        ("BEGIN TRAN; CREATE TABLE #t (a int NULL); ROLLBACK; SELECT OBJECT_ID('tempdb..#t')", "NULL"),
        (
            "CREATE TABLE #t (a int NULL); BEGIN TRAN; INSERT #t VALUES (1); ROLLBACK; SELECT COUNT(*) FROM #t",
            "0",
        ),
        (
            "CREATE TABLE #t (a int NULL); DROP TABLE IF EXISTS #t; DROP TABLE IF EXISTS #t; SELECT OBJECT_ID('tempdb..#t')",
            "NULL",
        ),
        ("SELECT COUNT(*) FROM tempdb.sys.tables", "0"),
        (
            "SET TRANSACTION ISOLATION LEVEL SNAPSHOT; CREATE TABLE #t (a int IDENTITY NOT NULL); INSERT #t DEFAULT VALUES; SELECT a FROM #t",
            "1",
        ),
    ] {
        assert_eq!(rows(&server, sql).await, expected, "{sql}");
    }
    for (sql, number) in [
        ("SELECT * FROM #t", 208),
        ("INSERT #t VALUES (1)", 208),
        ("CREATE TABLE #t (a int); CREATE TABLE #t (a int)", 2714),
        ("DROP TABLE #t", 3701),
        ("CREATE TABLE #t (a int NOT NULL PRIMARY KEY); INSERT #t VALUES (1), (1)", 2627),
    ] {
        assert_eq!(error(&server, sql).await, number, "{sql}");
    }
}

#[tokio::test]
async fn table_variables_outlive_a_rollback_but_not_their_batch() {
    let server =
        server("CREATE TABLE dbo.base (id int NOT NULL PRIMARY KEY); INSERT INTO dbo.base VALUES (1), (2)")
            .await;
    for (sql, expected) in [
        ("DECLARE @t TABLE (id int NOT NULL PRIMARY KEY, n int NULL DEFAULT 5); INSERT @t (id) SELECT id FROM dbo.base;
          UPDATE @t SET n = n + id; DELETE FROM @t WHERE id = 1; SELECT t.id, t.n FROM @t AS t JOIN dbo.base AS b ON b.id = t.id", "2,7"),
        ("DECLARE @t TABLE (a int NULL); BEGIN TRAN; INSERT @t VALUES (1); ROLLBACK; SELECT a FROM @t", "1"),
        ("IF 1 = 0 DECLARE @t TABLE (a int NULL); INSERT @t VALUES (1); SELECT a FROM @t", "1"),
        ("DECLARE @t TABLE (a int NOT NULL PRIMARY KEY); BEGIN TRY INSERT @t VALUES (1), (2), (1) END TRY BEGIN CATCH END CATCH; SELECT COUNT(*) FROM @t", "0"),
        ("DECLARE @t TABLE (a int NULL, b AS (a * 2)); INSERT @t (a) VALUES (4); SELECT b, (SELECT COUNT(*) FROM tempdb.sys.tables) FROM @t", "8,0"),
        ("DECLARE @t TABLE (a int IDENTITY(3, 2) NOT NULL); INSERT @t DEFAULT VALUES; INSERT @t DEFAULT VALUES; SELECT MAX(a), SCOPE_IDENTITY() FROM @t", "5,5"),
    ] {
        assert_eq!(rows(&server, sql).await.replace("Decimal { unscaled: 5, scale: 0 }", "5"), expected, "{sql}");
    }
    for (sql, number) in [
        ("SELECT * FROM @t", 1087),
        ("INSERT @t VALUES (1)", 1087),
        ("DECLARE @t TABLE (a int); EXEC ('SELECT * FROM @t')", 1087),
        ("DECLARE @t int; DECLARE @t TABLE (a int)", 134),
        ("DECLARE @t TABLE (a int NOT NULL); INSERT @t VALUES (NULL)", 515),
        ("DECLARE @t TABLE (a int CHECK (a > 0)); INSERT @t VALUES (0)", 547),
        ("DECLARE @t TABLE (a int); SELECT @t", 137),
    ] {
        assert_eq!(error(&server, sql).await, number, "{sql}");
    }
}

const STOCK: &str = "
    CREATE TABLE dbo.stock (sku int NOT NULL PRIMARY KEY, qty int NULL, note varchar(10) NULL DEFAULT 'none', rv rowversion);
    CREATE TABLE dbo.inbound (sku int NOT NULL, qty int NULL);
    CREATE TABLE dbo.log (n int IDENTITY(1, 1) NOT NULL, what nvarchar(10) NULL, old int NULL, new int NULL DEFAULT 9);
    INSERT INTO dbo.stock (sku, qty) VALUES (1, 10), (2, 20), (3, 30);
    INSERT INTO dbo.inbound VALUES (2, 5), (3, 0), (4, 40);
    ALTER TABLE dbo.stock ENABLE CHANGE_TRACKING WITH (TRACK_COLUMNS_UPDATED = ON)";

#[tokio::test]
async fn merge_does_what_its_clauses_say() {
    let stock = "SELECT sku, qty, note FROM dbo.stock ORDER BY sku";
    for (merge, output, expected) in [
        ("MERGE INTO dbo.stock WITH (HOLDLOCK) AS t USING dbo.inbound AS s ON t.sku = s.sku
          WHEN MATCHED AND s.qty = 0 THEN DELETE
          WHEN MATCHED THEN UPDATE SET qty = t.qty + s.qty
          WHEN NOT MATCHED THEN INSERT (sku, qty) VALUES (s.sku, s.qty)
          WHEN NOT MATCHED BY SOURCE AND t.sku < 1 THEN DELETE
          WHEN NOT MATCHED BY SOURCE THEN UPDATE SET note = 'gone'
          OUTPUT $action, DELETED.sku, INSERTED.sku, s.qty;",
         "DELETE,3,NULL,0; INSERT,NULL,4,40; UPDATE,1,1,NULL; UPDATE,2,2,5", "1,10,gone; 2,25,none; 4,40,none"),
        ("MERGE dbo.stock USING (VALUES (1, 7), (9, 9)) AS s (k, q) ON stock.sku = s.k
          WHEN NOT MATCHED BY TARGET THEN INSERT (sku, qty, note) VALUES (k, q, DEFAULT);", "", "1,10,none; 2,20,none; 3,30,none; 9,9,none"),
        ("WITH few AS (SELECT TOP (1) sku FROM dbo.inbound ORDER BY sku) MERGE TOP (1) dbo.stock AS t USING few ON few.sku = t.sku
          WHEN MATCHED THEN UPDATE SET t.qty += 1, note = DEFAULT;", "", "1,10,none; 2,21,none; 3,30,none"),
        ("MERGE dbo.stock t USING (SELECT sku FROM dbo.inbound UNION ALL SELECT sku FROM dbo.inbound) s ON s.sku = t.sku
          WHEN MATCHED THEN DELETE;", "", "1,10,none"),
        ("MERGE dbo.stock t USING dbo.inbound s ON s.sku = t.sku WHEN NOT MATCHED BY SOURCE THEN DELETE;", "", "2,20,none; 3,30,none"),
    ] {
        let server = server(STOCK).await;
        let mut answer: Vec<String> = rows(&server, merge).await.split("; ").map(str::to_owned).collect();
        answer.sort();
        assert_eq!(answer.join("; "), output, "{merge}");
        assert_eq!(rows(&server, stock).await, expected, "{merge}");
    }
    let server = server(STOCK).await;
    run(
        &server,
        "MERGE dbo.stock t USING dbo.inbound s ON s.sku = t.sku
                  WHEN MATCHED AND s.qty = 5 THEN UPDATE SET note = 'y' WHEN MATCHED THEN DELETE;",
    )
    .await;
    assert_eq!(
        rows(
            &server,
            "SELECT sku, SYS_CHANGE_VERSION, SYS_CHANGE_OPERATION, SYS_CHANGE_COLUMNS FROM CHANGETABLE(CHANGES dbo.stock, 0) AS c"
        )
        .await,
        "2,1,U,000000000300000004000000; 3,1,D,NULL",
        "one version; the columns of the clause that fired"
    );
}

#[tokio::test]
async fn a_merge_is_refused_by_its_number() {
    let server = server(STOCK).await;
    let merge = "MERGE dbo.stock t USING dbo.inbound s ON s.sku = t.sku";
    for (rest, number) in [
        ("WHEN MATCHED THEN DELETE", 10713),
        ("WHEN MATCHED THEN INSERT VALUES (1);", 10711),
        ("WHEN NOT MATCHED THEN DELETE;", 10710),
        (
            "WHEN NOT MATCHED THEN INSERT (sku) VALUES (1) WHEN NOT MATCHED THEN INSERT (sku) VALUES (2);",
            10714,
        ),
        ("WHEN MATCHED AND t.qty = 1 THEN DELETE WHEN MATCHED THEN DELETE;", 10714),
        (
            "WHEN NOT MATCHED BY SOURCE AND t.qty = 1 THEN UPDATE SET qty = 2 WHEN NOT MATCHED BY SOURCE THEN UPDATE SET qty = 3;",
            10714,
        ),
        ("WHEN MATCHED THEN DELETE WHEN MATCHED AND t.qty = 1 THEN DELETE;", 5324),
        (";", 102),
        ("WHEN MATCHED THEN UPDATE SET nope = 1;", 207),
        ("WHEN MATCHED AND x.qty = 1 THEN DELETE;", 4104),
        ("WHEN NOT MATCHED THEN INSERT (sku) VALUES (t.sku);", 4104),
        ("WHEN NOT MATCHED THEN INSERT (sku, qty) VALUES (1);", 109),
        ("WHEN NOT MATCHED THEN INSERT (sku) VALUES (NULL);", 515),
        ("WHEN NOT MATCHED THEN INSERT (sku) VALUES (1);", 2627),
    ] {
        assert_eq!(error(&server, &format!("{merge} {rest}")).await, number, "{rest}");
    }
    let twice = "MERGE dbo.stock t USING (VALUES (1, 1), (1, 2)) s (k, q) ON s.k = t.sku WHEN MATCHED THEN UPDATE SET qty = s.q;";
    assert_eq!(error(&server, twice).await, 8672);
}

#[tokio::test]
async fn output_gives_the_written_rows() {
    let server = server(STOCK).await;
    for (sql, expected) in [
        (
            "INSERT INTO dbo.stock (sku, qty) OUTPUT INSERTED.sku, INSERTED.note AS n, CAST(INSERTED.rv AS bigint) - CAST(@@DBTS AS bigint) VALUES (5, 1), (6, 2)",
            "5,none,-1; 6,none,0",
        ),
        (
            "UPDATE dbo.stock SET qty = t.qty * 2 OUTPUT DELETED.qty, INSERTED.qty, s.qty FROM dbo.stock t JOIN dbo.inbound s ON s.sku = t.sku",
            "20,40,5; 30,60,0",
        ),
        ("DELETE TOP (1) t OUTPUT DELETED.* FROM dbo.inbound t WHERE qty = 40", "4,40"),
        (
            "UPDATE dbo.stock SET note = 'z' OUTPUT 'upd', DELETED.sku, INSERTED.sku INTO dbo.log (what, old, new) OUTPUT INSERTED.sku WHERE sku IN (1, 2);",
            "1; 2",
        ),
        ("SELECT n, what, old, new FROM dbo.log", "1,upd,1,1; 2,upd,2,2"),
        (
            "DECLARE @gone TABLE (sku int NOT NULL, was int NULL); BEGIN TRAN; DELETE FROM dbo.stock OUTPUT DELETED.sku, DELETED.qty INTO @gone WHERE sku < 3; ROLLBACK; SELECT sku, was, (SELECT COUNT(*) FROM dbo.stock) FROM @gone ORDER BY sku",
            "1,10,5; 2,40,5",
        ),
        (
            "DECLARE @n int = 0, @last int; UPDATE dbo.stock SET @n += 1, @last = qty = qty + 1 WHERE sku IN (1, 2); SELECT @n, @last",
            "2,41",
        ),
        ("UPDATE TOP (1) dbo.stock SET qty = 0 WHERE sku > 1; SELECT @@ROWCOUNT", "1"),
        ("INSERT TOP (2) INTO dbo.inbound SELECT sku, 1 FROM dbo.stock; SELECT @@ROWCOUNT", "2"),
        ("DELETE TOP (50) PERCENT FROM dbo.inbound; SELECT @@ROWCOUNT", "2"),
    ] {
        assert_eq!(rows(&server, sql).await, expected, "{sql}");
    }
    for (sql, number) in [
        ("INSERT INTO dbo.inbound OUTPUT sku VALUES (1, 1)", 207),
        ("INSERT INTO dbo.inbound OUTPUT DELETED.sku VALUES (1, 1)", 4104),
        ("DELETE FROM dbo.inbound OUTPUT INSERTED.sku", 4104),
        ("INSERT INTO dbo.inbound OUTPUT INSERTED.sku INTO dbo.log (nope) VALUES (1, 1)", 207),
        ("INSERT INTO dbo.inbound OUTPUT INSERTED.sku INTO dbo.log VALUES (1, 1)", 213),
        ("INSERT INTO dbo.inbound OUTPUT INSERTED.sku INTO @nope VALUES (1, 1)", 1087),
        ("INSERT INTO dbo.inbound OUTPUT INSERTED.sku EXEC ('SELECT 1, 1')", 483),
        ("DELETE TOP (-1) FROM dbo.inbound", 127),
        ("DELETE TOP (1.5) FROM dbo.inbound", 1060),
        ("DELETE TOP (101) PERCENT FROM dbo.inbound", 1031),
        ("DELETE TOP 1 FROM dbo.inbound", 102),
        ("UPDATE dbo.stock SET inbound.qty = 1 FROM dbo.inbound", 4104),
    ] {
        assert_eq!(error(&server, sql).await, number, "{sql}");
    }
}

#[tokio::test]
async fn tables_made_and_filled_by_queries() {
    let server = server(STOCK).await;
    for (sql, expected) in [
        (
            "SELECT sku, qty + 1 AS more INTO dbo.copied FROM dbo.stock WHERE sku < 3; SELECT sku, more FROM dbo.copied",
            "1,11; 2,21",
        ),
        (
            "SELECT name, is_nullable FROM sys.columns WHERE object_id = OBJECT_ID('dbo.copied') ORDER BY column_id",
            "sku,0; more,1",
        ),
        (
            "INSERT INTO dbo.log (what) VALUES ('a'); SELECT n, what INTO #l FROM dbo.log; INSERT #l VALUES ('b'); SELECT n, what FROM #l",
            "1,a; 2,b",
        ),
        ("SELECT TOP (0) * INTO #e FROM dbo.stock; SELECT COUNT(*) FROM #e", "0"),
        ("SELECT 1 AS a INTO #u UNION ALL SELECT 2; SELECT a FROM #u", "1; 2"),
        (
            "CREATE TABLE #x (a int NULL, b nvarchar(5) NULL); INSERT #x EXEC ('SELECT 1, N''x''; SELECT 2, NULL'); SELECT @@ROWCOUNT, MAX(a) FROM #x",
            "2,2",
        ),
        (
            "INSERT dbo.inbound EXEC sp_executesql N'SELECT @a, 8', N'@a int', 77; SELECT qty FROM dbo.inbound WHERE sku = 77",
            "8",
        ),
    ] {
        assert_eq!(rows(&server, sql).await, expected, "{sql}");
    }
    for (sql, number) in [
        ("SELECT 1 INTO dbo.bad", 1038),
        ("SELECT 1 AS a, 2 AS A INTO dbo.bad", 2705),
        ("SELECT 1 AS a INTO dbo.stock", 2714),
        ("SELECT * FROM (SELECT 1 AS a INTO dbo.bad) AS d", 156),
        ("INSERT dbo.inbound EXEC ('SELECT 1')", 213),
        ("INSERT dbo.inbound EXEC ('INSERT dbo.inbound EXEC (''SELECT 1, 1'')')", 8164),
    ] {
        assert_eq!(error(&server, sql).await, number, "{sql}");
    }
}

#[tokio::test]
async fn a_common_table_expression_is_written_through() {
    let server = server(
        "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY, g int NOT NULL, v int NULL);
         CREATE TABLE dbo.heap (a int NULL, b int NULL);
         INSERT INTO dbo.t VALUES (1, 1, 10), (2, 1, 10), (3, 2, 20), (4, 2, 30), (5, 2, 30);
         INSERT INTO dbo.heap VALUES (1, 1), (1, 1), (2, 2)",
    )
    .await;
    for (sql, expected) in [
        (
            "WITH d AS (SELECT *, ROW_NUMBER() OVER (PARTITION BY g, v ORDER BY id) AS n FROM dbo.t) DELETE FROM d OUTPUT DELETED.id WHERE n > 1",
            "2; 5",
        ),
        (
            "WITH c (k, w) AS (SELECT TOP (1) id, v FROM dbo.t ORDER BY v DESC) UPDATE c SET w = w + 1; SELECT id, v FROM dbo.t ORDER BY id",
            "1,10; 3,20; 4,31",
        ),
        (
            "WITH h AS (SELECT *, ROW_NUMBER() OVER (PARTITION BY a, b ORDER BY a) AS n FROM dbo.heap) DELETE h WHERE n > 1; SELECT a, b FROM dbo.heap ORDER BY a",
            "1,1; 2,2",
        ),
        (
            "WITH c AS (SELECT id, v FROM dbo.t WHERE g = 2) UPDATE x SET v = h.b FROM c AS x JOIN dbo.heap AS h ON h.a + 1 = x.id; SELECT id, v FROM dbo.t ORDER BY id",
            "1,10; 3,2; 4,31",
        ),
    ] {
        assert_eq!(rows(&server, sql).await, expected, "{sql}");
    }
    for (sql, number) in [
        ("WITH c AS (SELECT g, COUNT(*) AS n FROM dbo.t GROUP BY g) DELETE FROM c", 4403),
        ("WITH c AS (SELECT DISTINCT g FROM dbo.t) UPDATE c SET g = 1", 4403),
        ("WITH c AS (SELECT a.id FROM dbo.t AS a, dbo.t AS b) DELETE FROM c", 4405),
        ("WITH c AS (SELECT id, v + 1 AS w FROM dbo.t) UPDATE c SET w = 1", 4406),
        ("WITH c AS (SELECT id FROM dbo.t) UPDATE c SET v = 1", 207),
    ] {
        assert_eq!(error(&server, sql).await, number, "{sql}");
    }
}
