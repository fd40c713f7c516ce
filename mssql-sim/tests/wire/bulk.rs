//! Bulk load as a driver does it.

use mssql_sim::server::{Options, Server};
use mssql_sim::types::Value;
use tiberius::error::Error;
use tiberius::{Client, IntoRow, SqlBulkCopyOption, SqlBulkCopyOptions, TokenRow};
use tokio::io::DuplexStream;
use tokio_util::compat::Compat;

use crate::client::{config, connect, connect_as, rows, run};

type Connection = Client<Compat<DuplexStream>>;

/// A row's numbers, or the error instead of it.
type Stored = Result<[Option<i32>; 3], u32>;

/// Loads rows into the listed columns; the number of rows that the server counted.
async fn load(
    client: &mut Connection,
    (table, columns): (&str, &[&str]),
    options: SqlBulkCopyOptions,
    rows: impl IntoIterator<Item = TokenRow<'static>>,
) -> Result<u64, Error> {
    let mut request = Box::pin(client.bulk_insert_with_options(table, columns, options, &[])).await?;
    for row in rows {
        request.send(row).await?;
    }
    Ok(request.finalize().await?.total())
}

/// The first column of a query's rows, as integers.
async fn numbers(server: &Server, sql: &str) -> Vec<i64> {
    let rows = server.execute(sql).await.unwrap();
    rows.iter().map(|row| if let Value::Int(n) = row[0] { n } else { panic!("{row:?}") }).collect()
}

#[tokio::test]
async fn many_rows_are_one_statement_whatever_the_packet_size() {
    /// More than are written at a time.
    const ROWS: i32 = 5_000;
    let server = Server::new(Options::default());
    server.execute("ALTER DATABASE wms SET CHANGE_TRACKING = ON").await.unwrap();
    for packet_size in [512, 4096, 32767] {
        let table = format!("dbo.t{packet_size}");
        let create = format!(
            "CREATE TABLE {table} (id int NOT NULL PRIMARY KEY, name nvarchar(400), long varchar(max), n float NOT NULL);
             ALTER TABLE {table} ENABLE CHANGE_TRACKING"
        );
        server.execute(&create).await.unwrap();
        let before = numbers(&server, "SELECT CHANGE_TRACKING_CURRENT_VERSION()").await;
        let mut config = config();
        config.packet_size(packet_size);
        let mut client = connect_as(config, server.connect()).await.unwrap();
        let loaded = (0..ROWS).map(|id| {
            let long = (id % 1000 == 0).then(|| "y".repeat(20_000));
            (id, Some(format!("row {id}")), long, f64::from(id) / 8.0).into_row()
        });
        let columns = ["*"].as_slice();
        let count = load(&mut client, (&table, columns), SqlBulkCopyOptions::empty(), loaded).await.unwrap();
        assert_eq!(count, ROWS as u64);
        let query = format!(
            "SELECT COUNT(*), SUM(id), SUM(LEN(name)), CAST(SUM(LEN(long)) AS int), CAST(SUM(n) AS int) FROM {table}"
        );
        let sums = rows(&mut client, &query).await.unwrap();
        let row = &sums[0];
        let sum = |column: usize| row.get::<i32, _>(column).unwrap();
        // "row " and 1 to 4 digits.
        let text = 4 * ROWS + 10 + 90 * 2 + 900 * 3 + 4000 * 4;
        assert_eq!(
            [sum(0), sum(1), sum(2), sum(3), sum(4)],
            [ROWS, 12_497_500, text, 100_000, 12_497_500 / 8]
        );
        let after = numbers(&server, "SELECT CHANGE_TRACKING_CURRENT_VERSION()").await;
        assert_eq!(after[0], before[0] + 1, "one commit");
        let changes = format!("SELECT COUNT(*) FROM CHANGETABLE(CHANGES {table}, {}) AS c", before[0]);
        assert_eq!(numbers(&server, &changes).await, [i64::from(ROWS)]);
    }
}

#[tokio::test]
async fn an_error_takes_all_rows_back() {
    let server = Server::new(Options::default());
    let mut client = connect(&server).await;
    run(
        &mut client,
        "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY, a int, b varchar(3) NOT NULL); INSERT INTO dbo.t VALUES (1, 1, 'old')",
    )
    .await;
    let row = |id: i32, b: Option<&'static str>| (id, Some(id), b).into_row();
    let cases = [("a key that is taken", row(1, Some("x")), 2627), ("NULL", row(20_000, None), 515)];
    for in_transaction in [false, true] {
        for (name, bad, number) in &cases {
            if in_transaction {
                run(&mut client, "BEGIN TRANSACTION; INSERT INTO dbo.t VALUES (-1, 0, 'own')").await;
            }
            let mut rows: Vec<_> = (2..5_000).map(|id| row(id, Some("new"))).collect();
            rows.insert(4_500, bad.clone());
            let columns = ["*"].as_slice();
            let error = load(&mut client, ("dbo.t", columns), SqlBulkCopyOptions::empty(), rows).await;
            assert_eq!(error.unwrap_err().code(), Some(*number), "{name}");
            let left =
                crate::client::rows(&mut client, "SELECT COUNT(*), @@TRANCOUNT FROM dbo.t").await.unwrap();
            let left = [left[0].get::<i32, _>(0), left[0].get(1)];
            let expected = if in_transaction { [Some(2), Some(1)] } else { [Some(1), Some(0)] };
            assert_eq!(left, expected, "{name}, in a transaction: {in_transaction}");
            if in_transaction {
                run(&mut client, "ROLLBACK").await;
            }
        }
    }
}

#[tokio::test]
async fn options_say_what_holds_for_the_rows() {
    let server = Server::new(Options::default());
    let mut client = connect(&server).await;
    run(
        &mut client,
        "CREATE TABLE dbo.parent (id int NOT NULL PRIMARY KEY);
         CREATE TABLE dbo.t (id int IDENTITY PRIMARY KEY, parent int REFERENCES dbo.parent, n int DEFAULT 7 CHECK (n < 100))",
    )
    .await;
    let none = SqlBulkCopyOptions::empty();
    let checked: SqlBulkCopyOptions = SqlBulkCopyOption::CheckConstraints.into();
    let keep_nulls: SqlBulkCopyOptions = SqlBulkCopyOption::KeepNulls.into();
    let keep_identity: SqlBulkCopyOptions = SqlBulkCopyOption::KeepIdentity.into();
    let given = ["parent", "n"].as_slice();
    let row = |parent: Option<i32>, n: Option<i32>| (parent, n).into_row();
    let whole = |id: i32, n: i32| (id, None::<i32>, Some(n)).into_row();
    // options, columns, row -> what is stored as (id, parent, n), or the error
    let cases: [(_, &[&str], _, Stored); 6] = [
        (none, given, row(Some(5), Some(200)), Ok([Some(1), Some(5), Some(200)])),
        (checked, given, row(None, Some(200)), Err(547)),
        (checked, given, row(Some(5), Some(1)), Err(547)),
        (none, given, row(None, None), Ok([Some(4), None, Some(7)])),
        (keep_nulls, given, row(None, None), Ok([Some(5), None, None])),
        (keep_identity, &["*"], whole(50, 3), Ok([Some(50), None, Some(3)])),
    ];
    for (options, columns, row, expected) in cases {
        let loaded = load(&mut client, ("dbo.t", columns), options, [row]).await;
        let stored = match loaded {
            Ok(_) => {
                let stored =
                    rows(&mut client, "SELECT TOP 1 id, parent, n FROM dbo.t ORDER BY id DESC").await;
                let stored = stored.unwrap();
                Ok([0, 1, 2].map(|column| stored[0].get(column)))
            }
            Err(error) => Err(error.code().unwrap()),
        };
        assert_eq!(stored, expected, "{options:?}");
    }
    let untrusted = "SELECT (SELECT COUNT(*) FROM sys.foreign_keys WHERE is_not_trusted = 1)
        + (SELECT COUNT(*) FROM sys.check_constraints WHERE is_not_trusted = 1)";
    assert_eq!(numbers(&server, untrusted).await, [2], "nobody knows any more that all rows meet them");
}

#[tokio::test]
async fn announcing_a_load_checks_its_target() {
    let server = Server::new(Options::default());
    let mut client = connect(&server).await;
    run(&mut client, "CREATE TABLE dbo.t (a int, b AS (a + 1))").await;
    for (sql, number) in [
        ("INSERT BULK dbo.missing (a int)", 208),
        ("INSERT BULK dbo.t (c int)", 207),
        ("INSERT BULK dbo.t (b int)", 271),
        ("INSERT BULK dbo.t (a int) WITH (NO_SUCH_HINT)", 102),
    ] {
        let error = rows(&mut client, sql).await.unwrap_err();
        assert_eq!(error.code(), Some(number), "{sql}");
    }
    run(&mut client, "INSERT BULK dbo.t (a int) WITH (TABLOCK, ROWS_PER_BATCH = 10, ORDER (a DESC))").await;
    let error = rows(&mut client, "SELECT 1").await.unwrap_err();
    assert_eq!(error.code(), Some(4022), "rows have to come next");
    assert_eq!(rows(&mut client, "SELECT 1").await.unwrap().len(), 1);
}
