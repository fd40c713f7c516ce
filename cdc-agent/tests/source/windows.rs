//! Windows, scans and re-reads: presence decides, and every row is met once.

use crate::site::{Site, absent, present, scan, text, window};
use cdc_agent::source::{Isolation, SourceError};
use proto::{Image, Key, Value, Version};

const ORDERS: &str = "CREATE TABLE dbo.orders (id int NOT NULL PRIMARY KEY, status nvarchar(10) NOT NULL)";

fn order(id: i64, status: &str) -> Image {
    present(vec![Value::Int(id), text(status)])
}

fn no_order(id: i64) -> Image {
    absent(vec![Value::Int(id)])
}

#[tokio::test]
async fn a_window_holds_the_net_images_of_what_changed() {
    let site = Site::new(ORDERS).await;
    site.run("INSERT INTO dbo.orders VALUES (1, N'new'), (2, N'new'), (3, N'new')").await;
    site.track(&["dbo.orders"]).await;
    let since = site.version().await;
    site.run("UPDATE dbo.orders SET status = N'picked' WHERE id = 1").await;
    site.run("UPDATE dbo.orders SET status = N'packed' WHERE id = 1").await;
    site.run("DELETE FROM dbo.orders WHERE id = 2").await;
    site.run("UPDATE dbo.orders SET id = 30 WHERE id = 3").await;
    site.run("INSERT INTO dbo.orders VALUES (4, N'new')").await;
    site.run("DELETE FROM dbo.orders WHERE id = 4").await;
    let table = site.capture_one("dbo.orders").await;
    let mut connection = site.connect().await;
    assert_eq!(connection.count_changes(&table, since).await.unwrap(), 5);
    let mut images = window(&mut connection, &table, since).await;
    images.sort_by_key(|image| format!("{image:?}"));
    assert_eq!(images, [no_order(2), no_order(3), no_order(4), order(1, "packed"), order(30, "new")]);
    let now = site.version().await;
    assert_eq!(window(&mut connection, &table, now).await, []);
}

#[tokio::test]
async fn only_tables_that_changed_after_their_own_position_have_moved() {
    let site = Site::new(ORDERS).await;
    site.run("CREATE TABLE dbo.items (id int NOT NULL PRIMARY KEY)").await;
    site.track(&["dbo.orders", "dbo.items"]).await;
    site.run("INSERT INTO dbo.items VALUES (1)").await;
    let between = site.version().await;
    site.run("INSERT INTO dbo.orders VALUES (1, N'new')").await;
    let tables = site.capture(&["dbo.items", "dbo.orders"]).await;
    let mut connection = site.connect().await;
    let mut moved = async |items, orders| {
        let positions = [(&tables["items"], items), (&tables["orders"], orders)];
        connection.moved(&positions).await.unwrap()
    };
    assert_eq!(moved(between, between).await, [1]);
    assert_eq!(moved(Version(0), between).await, [0, 1]);
    let now = site.version().await;
    assert_eq!(moved(now, now).await, Vec::<usize>::new());
}

#[tokio::test]
async fn a_cut_is_of_one_instant_and_reads_what_came_after_its_version() {
    let site = Site::new(ORDERS).await;
    site.run("CREATE TABLE dbo.lines (id int NOT NULL PRIMARY KEY, order_id int NOT NULL)").await;
    site.track(&["dbo.orders", "dbo.lines"]).await;
    let tables = site.capture(&["dbo.orders", "dbo.lines"]).await;
    let mut connection = site.connect().await;
    let to = connection.overview(&tables).await.unwrap().version;
    site.run(
        "BEGIN TRAN; INSERT INTO dbo.orders VALUES (1, N'new'); INSERT INTO dbo.lines VALUES (10, 1); COMMIT",
    )
    .await;

    connection.begin_cut(Isolation::Snapshot).await.unwrap();
    assert_eq!(window(&mut connection, &tables["orders"], to).await, [order(1, "new")]);
    site.run(
        "BEGIN TRAN; INSERT INTO dbo.orders VALUES (2, N'new'); INSERT INTO dbo.lines VALUES (20, 2); COMMIT",
    )
    .await;
    let line = present(vec![Value::Int(10), Value::Int(1)]);
    assert_eq!(window(&mut connection, &tables["lines"], to).await, [line]);
    assert_eq!(scan(&mut connection, &tables["orders"], 1).await, [order(1, "new")]);
    connection.end_cut().await.unwrap();

    let latest = connection.latest().await.unwrap();
    assert_eq!(latest.version, Version(to.0 + 2));
    assert_eq!(window(&mut connection, &tables["orders"], to).await.len(), 2);
}

#[tokio::test]
async fn a_database_without_snapshots_says_so_at_the_first_table() {
    let site = Site::new(ORDERS).await;
    site.track(&["dbo.orders"]).await;
    site.run("ALTER DATABASE wms SET ALLOW_SNAPSHOT_ISOLATION OFF").await;
    let table = site.capture_one("dbo.orders").await;
    let mut connection = site.connect().await;
    connection.begin_cut(Isolation::Snapshot).await.unwrap();
    let error = connection.chunk(&table, None, 1).await.unwrap_err();
    assert_eq!(error.number(), Some(3952), "{error}");
    let mut connection = site.connect().await;
    connection.begin_cut(Isolation::ReadCommitted).await.unwrap();
    assert!(connection.chunk(&table, None, 1).await.unwrap().finished);
    connection.end_cut().await.unwrap();
}

/// Each key type with values in the order in which the server sorts them.
const KEYS: [(&str, &[&str]); 9] = [
    ("int", &["-2147483648", "-1", "0", "7", "2147483647"]),
    ("decimal(38,2)", &["-999999999999999999999999999999999999.99", "0.01", "0.10"]),
    ("money", &["-0.0001", "0", "922337203685477.5807"]),
    ("datetime", &["'2026-11-24T00:00:00.000'", "'2026-11-24T00:00:00.003'", "'2026-11-24T00:00:00.007'"]),
    ("datetimeoffset(3)", &["'2026-11-24T01:00:00.001+02:00'", "'2026-11-24T00:00:00.001+00:00'"]),
    ("nvarchar(20)", &["N'B'", "N'a'", "N'a-1'", "N'\u{c1}2'", "N'x '", "N'\u{65E5}'"]),
    ("varchar(20)", &["'B'", "'a'", "'a-1'", "'\u{c1}2'", "'x '", "'\u{20ac}'"]),
    ("varbinary(8)", &["0x", "0x00FF", "0x01", "0xFF"]),
    (
        "uniqueidentifier",
        &[
            "'00000001-0000-0000-0000-00000000000A'",
            "'FFFFFFFF-0000-0000-0000-000000000009'",
            "'00000002-0000-0000-0000-00000000000A'",
        ],
    ),
];

#[tokio::test]
async fn a_scan_meets_every_row_once_whatever_its_key() {
    for (sql_type, keys) in KEYS {
        for (columns, key) in [("k", "k"), ("shelf, k", "shelf, k"), ("shelf, k", "k DESC, shelf")] {
            let site = Site::new(&format!(
                "CREATE TABLE dbo.t (k {sql_type} NOT NULL, shelf smallint NOT NULL, PRIMARY KEY ({key}))"
            ))
            .await;
            let shelves = if columns == "k" { 1 } else { 2 };
            for shelf in 0..shelves {
                for key in keys {
                    site.run(&format!("INSERT INTO dbo.t VALUES ({key}, {shelf})")).await;
                }
            }
            site.track(&["dbo.t"]).await;
            let table = site.capture_one("dbo.t").await;
            let mut connection = site.connect().await;
            let whole = connection.chunk(&table, None, 1_000).await.unwrap().images;
            assert_eq!(whole.len(), shelves * keys.len(), "{sql_type} {key}");
            for rows in 1..=3 {
                assert_eq!(
                    scan(&mut connection, &table, rows).await,
                    whole,
                    "{sql_type} {key}, {rows} rows a chunk"
                );
            }
            let keys: Vec<_> = whole.iter().map(|image| key_of(image, &table.layout.key)).collect();
            assert_eq!(connection.by_keys(&table, &keys).await.unwrap(), whole, "{sql_type} {key}");
        }
    }
}

fn key_of(image: &Image, positions: &[usize]) -> Key {
    let Image::Present(row) = image else { panic!("a scan shows rows: {image:?}") };
    Key(positions.iter().map(|&position| row.0[position].clone()).collect())
}

#[tokio::test]
async fn a_scan_of_changed_keys_goes_on_where_it_stopped_and_shows_deletions() {
    let site = Site::new(
        "CREATE TABLE dbo.t (wh nvarchar(8) NOT NULL, no int NOT NULL, qty int NOT NULL, PRIMARY KEY (wh, no))",
    )
    .await;
    site.run("INSERT INTO dbo.t VALUES (N'a', 1, 0), (N'a', 2, 0), (N'B', 1, 0), (N'B', 2, 0), (N'c', 1, 0)")
        .await;
    site.track(&["dbo.t"]).await;
    let base = site.version().await;
    site.run("UPDATE dbo.t SET qty = 1 WHERE no = 1").await;
    site.run("DELETE FROM dbo.t WHERE wh = N'b' AND no = 2").await;
    let table = site.capture_one("dbo.t").await;
    let mut connection = site.connect().await;
    let mut images = Vec::new();
    let mut resume: Option<String> = None;
    loop {
        let chunk = connection.changed_chunk(&table, base, resume.as_deref(), 1).await.unwrap();
        images.extend(chunk.images);
        if chunk.finished {
            break;
        }
        resume = chunk.resume;
    }
    let changed = |wh: &str| present(vec![text(wh), Value::Int(1), Value::Int(1)]);
    assert_eq!(images, [changed("a"), changed("B"), absent(vec![text("B"), Value::Int(2)]), changed("c")]);
}

#[tokio::test]
async fn keys_are_found_under_any_spelling_and_absence_is_an_answer() {
    let site = Site::new("CREATE TABLE dbo.t (code varchar(8) NOT NULL PRIMARY KEY, qty int NOT NULL)").await;
    site.run("INSERT INTO dbo.t VALUES ('Abc', 1), ('d', 2)").await;
    let table = site.capture_one("dbo.t").await;
    let mut connection = site.connect().await;
    let keys: Vec<_> = ["D  ", "gone", "ABC"].iter().map(|code| Key(vec![text(code)])).collect();
    assert_eq!(
        connection.by_keys(&table, &keys).await.unwrap(),
        [
            present(vec![text("d"), Value::Int(2)]),
            absent(vec![text("gone")]),
            present(vec![text("Abc"), Value::Int(1)]),
        ]
    );
    let many: Vec<_> = (0..450).map(|n| Key(vec![text(&format!("no{n}"))])).collect();
    let absences = connection.by_keys(&table, &many).await.unwrap();
    assert!(absences.iter().zip(many).all(|(image, key)| *image == Image::Absent(key)));
}

#[tokio::test]
async fn a_resume_point_of_another_table_is_refused() {
    let site = Site::new(ORDERS).await;
    let table = site.capture_one("dbo.orders").await;
    for resume in ["", "[]", "[\"1\",\"2\"]", "1"] {
        let error = site.connect().await.chunk(&table, Some(resume), 1).await.unwrap_err();
        assert!(matches!(error, SourceError::BadResume { .. }), "{resume:?}: {error}");
    }
}
