//! Values: what is in the table is what arrives, by every way of reading.

use crate::site::{Site, present, text, window};
use cdc_agent::source::SourceError;
use proto::{ColumnType, Decimal, Image, Key, Value, Version};

const TABLE: &str = "CREATE TABLE dbo.every_type (
    id int NOT NULL PRIMARY KEY,
    tiny tinyint NULL, small smallint NULL, big bigint NULL, flag bit NULL,
    exact decimal(38,10) NULL, short_exact numeric(5,2) NULL, price money NULL, small_price smallmoney NULL,
    single real NULL, double_precision float NULL,
    day date NULL, clock time(7) NULL, old datetime NULL, coarse smalldatetime NULL, fine datetime2(7) NULL, zoned datetimeoffset(3) NULL,
    fixed char(4) NULL, variable varchar(20) NULL, wide_fixed nchar(3) NULL, wide nvarchar(20) NULL, long_text nvarchar(max) NULL,
    raw binary(3) NULL, blob varbinary(max) NULL, guid uniqueidentifier NULL, stamp rowversion)";

/// Microseconds of 2026-11-24 00:00.
const DAY: i64 = 20_781 * 86_400_000_000;

fn expected() -> Vec<(&'static str, Value)> {
    let decimal = |unscaled, scale| Value::Decimal(Decimal { unscaled, scale });
    vec![
        ("255", Value::Int(255)),
        ("-32768", Value::Int(-32_768)),
        ("-9223372036854775808", Value::Int(i64::MIN)),
        ("1", Value::Bool(true)),
        (
            "-1234567890123456789012345678.0123456789",
            decimal(-12_345_678_901_234_567_890_123_456_780_123_456_789, 10),
        ),
        ("-0.50", decimal(-50, 2)),
        ("CAST('922337203685477.5807' AS money)", decimal(9_223_372_036_854_775_807, 4)),
        ("CAST('-0.0001' AS smallmoney)", decimal(-1, 4)),
        ("0.1", Value::Float4(0.1)),
        ("1e300", Value::Float8(1e300)),
        ("'2026-11-24'", Value::Date(20_781)),
        ("'23:59:59.9999999'", Value::Time(86_399_999_999)),
        ("'2026-11-24T10:20:30.123'", Value::Timestamp(DAY + 37_230_123_000)),
        ("'2026-11-24T10:20:00'", Value::Timestamp(DAY + 37_200_000_000)),
        ("'2026-11-24T23:59:59.9999999'", Value::Timestamp(DAY + 86_399_999_999)),
        ("'2026-11-24T10:20:30.123-04:00'", Value::TimestampTz(DAY + 4 * 3_600_000_000 + 37_230_123_000)),
        ("'ab'", text("ab  ")),
        ("'caf\u{e9} '", text("caf\u{e9} ")),
        ("N'\u{f1}'", text("\u{f1}  ")),
        ("N'\u{1F69A} \u{65E5}'", text("\u{1F69A} \u{65E5}")),
        ("N''", text("")),
        ("0x0102", Value::Bytes(vec![1, 2, 0])),
        ("0x", Value::Bytes(Vec::new())),
        (
            "'6F9619FF-8B86-D011-B42D-00C04FC964FF'",
            Value::Uuid([
                0x6F, 0x96, 0x19, 0xFF, 0x8B, 0x86, 0xD0, 0x11, 0xB4, 0x2D, 0x00, 0xC0, 0x4F, 0xC9, 0x64,
                0xFF,
            ]),
        ),
    ]
}

#[tokio::test]
async fn every_type_arrives_as_it_is_by_every_way_of_reading() {
    let site = Site::new(TABLE).await;
    site.track(&["dbo.every_type"]).await;
    let literals: Vec<_> = expected().into_iter().map(|(literal, _)| literal).collect();
    let columns = "id, tiny, small, big, flag, exact, short_exact, price, small_price, single, double_precision, \
        day, clock, old, coarse, fine, zoned, fixed, variable, wide_fixed, wide, long_text, raw, blob, guid";
    site.run(&format!("INSERT INTO dbo.every_type ({columns}) VALUES (1, {})", literals.join(", "))).await;
    site.run("INSERT INTO dbo.every_type (id) VALUES (2)").await;
    let table = site.capture_one("dbo.every_type").await;
    let mut connection = site.connect().await;

    let scanned = connection.chunk(&table, None, 10).await.unwrap();
    assert!(scanned.finished);
    let [Image::Present(full), Image::Present(empty)] = scanned.images.as_slice() else {
        panic!("two rows were inserted: {:?}", scanned.images);
    };
    let names = table.layout.columns.iter().map(|column| column.target.as_str());
    let wanted = [("1", Value::Int(1))].into_iter().chain(expected());
    for ((name, found), (literal, wanted)) in names.zip(&full.0).zip(wanted) {
        assert_eq!(*found, wanted, "{name} = {literal}");
    }
    assert!(matches!(full.0.last(), Some(Value::Bytes(stamp)) if stamp.len() == 8));
    assert!(empty.0[1..empty.0.len() - 1].iter().all(|value| *value == Value::Null));

    assert_eq!(window(&mut connection, &table, Version(0)).await, scanned.images);
    let keys = [Key(vec![Value::Int(1)]), Key(vec![Value::Int(2)])];
    assert_eq!(connection.by_keys(&table, &keys).await.unwrap(), scanned.images);
}

#[tokio::test]
async fn layouts_take_types_nullability_and_key_order_from_the_catalog() {
    let site = Site::new(
        "CREATE TABLE dbo.[Order Lines] (note nvarchar(max) NULL, line smallint NOT NULL, [Order No] varchar(12) NOT NULL,
            price decimal(19,4) NOT NULL, CONSTRAINT pk PRIMARY KEY ([Order No], line DESC))",
    )
    .await;
    let layout = site.capture_one("dbo.Order Lines").await.layout;
    let columns = layout
        .columns
        .iter()
        .map(|column| (column.target.as_str(), column.column_type, column.nullable, column.twin.is_some()));
    assert_eq!(
        columns.collect::<Vec<_>>(),
        [
            ("note", ColumnType::Text, true, false),
            ("line", ColumnType::Int2, false, false),
            ("order_no", ColumnType::Text, false, true),
            ("price", ColumnType::Numeric { precision: 19, scale: 4 }, false, false),
        ]
    );
    assert_eq!(layout.key, [2, 1]);
    assert_eq!((layout.target.as_str(), layout.source.table.as_str()), ("order_lines", "Order Lines"));
}

#[tokio::test]
async fn nul_characters_are_replaced_in_data_and_refused_in_keys() {
    let site =
        Site::new("CREATE TABLE dbo.notes (id nvarchar(10) NOT NULL PRIMARY KEY, note nvarchar(10) NULL)")
            .await;
    site.run("INSERT INTO dbo.notes VALUES (N'a', N'x' + NCHAR(0) + N'y')").await;
    let table = site.capture_one("dbo.notes").await;
    let mut connection = site.connect().await;
    let images = connection.chunk(&table, None, 10).await.unwrap().images;
    assert_eq!(images, [present(vec![text("a"), text("x\u{2400}y")])]);
    assert_eq!(connection.nul_count(), 1);

    site.run("INSERT INTO dbo.notes VALUES (N'b' + NCHAR(0), NULL)").await;
    let error = connection.chunk(&table, None, 10).await.unwrap_err();
    assert!(matches!(&error, SourceError::InexactKey { column, .. } if column == "id"), "{error}");
}
