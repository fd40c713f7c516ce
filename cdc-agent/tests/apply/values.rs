//! Every type, with PostgreSQL as the judge of what arrived.

use crate::fixture::{Target, layout, rows, text};
use proto::{ColumnType, Decimal, Image, Row, Value};

/// Column type, value, and the text that PostgreSQL shows for it in UTC.
fn cases() -> Vec<(ColumnType, Value, &'static str)> {
    let decimal = |unscaled, scale| Value::Decimal(Decimal { unscaled, scale });
    let numeric = |precision, scale| ColumnType::Numeric { precision, scale };
    let nines = 10_i128.pow(38) - 1;
    vec![
        (ColumnType::Bool, Value::Bool(true), "true"),
        (ColumnType::Int2, Value::Int(-32_768), "-32768"),
        (ColumnType::Int4, Value::Int(i64::from(i32::MAX)), "2147483647"),
        (ColumnType::Int8, Value::Int(i64::MIN), "-9223372036854775808"),
        (ColumnType::Float4, Value::Float4(1.5e-10), "1.5e-10"),
        (ColumnType::Float8, Value::Float8(-0.1), "-0.1"),
        (numeric(38, 0), decimal(nines, 0), "99999999999999999999999999999999999999"),
        (numeric(38, 38), decimal(-nines, 38), "-0.99999999999999999999999999999999999999"),
        (numeric(19, 4), decimal(-9_223_372_036_854_775_808, 4), "-922337203685477.5808"),
        (numeric(10, 5), decimal(10_000, 5), "0.10000"),
        (numeric(10, 2), decimal(0, 2), "0.00"),
        (ColumnType::Text, text("Ñandú 'x' \\ \u{1F4E6} "), "Ñandú 'x' \\ \u{1F4E6} "),
        (ColumnType::Bytes, Value::Bytes(vec![0, 255, 16]), "\\x00ff10"),
        (ColumnType::Date, Value::Date(-719_162), "0001-01-01"),
        (ColumnType::Date, Value::Date(2_932_896), "9999-12-31"),
        (ColumnType::Time, Value::Time(86_399_999_999), "23:59:59.999999"),
        (ColumnType::Timestamp, Value::Timestamp(-62_135_596_800_000_000), "0001-01-01 00:00:00"),
        (ColumnType::Timestamp, Value::Timestamp(1_700_000_000_003_000), "2023-11-14 22:13:20.003"),
        (
            ColumnType::TimestampTz,
            Value::TimestampTz(253_402_300_799_999_999),
            "9999-12-31 23:59:59.999999+00",
        ),
        (ColumnType::Uuid, Value::Uuid([0x5a; 16]), "5a5a5a5a-5a5a-5a5a-5a5a-5a5a5a5a5a5a"),
        (ColumnType::Text, Value::Null, "NULL"),
    ]
}

#[tokio::test]
async fn every_type_arrives_as_postgresql_reads_it_and_comes_back_as_a_key() {
    let cases = cases();
    let names: Vec<_> = (0..cases.len()).map(|place| format!("c{place}")).collect();
    let columns: Vec<_> = names.iter().zip(&cases).map(|(name, case)| (name.as_str(), case.0)).collect();
    let key: Vec<_> = names[..names.len() - 1].iter().map(String::as_str).collect();
    let types = layout("types", &columns, &key, &["c11"]);
    let mut target = Target::new("every_type", std::slice::from_ref(&types), &[]).await;
    let row = Row(cases.iter().map(|case| case.1.clone()).collect());
    let first = target.apply(rows(&types, vec![Image::Present(row.clone())], true)).await;
    let again = target.apply(rows(&types, vec![Image::Present(row.clone())], false)).await;
    assert_eq!((first.written, again.written), (1, 0), "an equal row is not written again");
    target.observer.batch_execute("set timezone = 'UTC'").await.unwrap();
    for (name, (column_type, _, expected)) in names.iter().zip(&cases) {
        let shown = target.show(&format!("select coalesce({name}::text, 'NULL') from wms.types")).await;
        assert_eq!(shown, *expected, "{column_type}");
    }
    // The key was met by the chunk of the first run; without it, it is asked for as the source spelled it.
    assert_eq!(target.applier.keys_not_met("types", None, 10).await.unwrap(), []);
    target.observer.batch_execute("truncate wms.types__met").await.unwrap();
    let keys = target.applier.keys_not_met("types", None, 10).await.unwrap();
    assert_eq!(keys[0].0, row.0[..row.0.len() - 1]);
    assert_eq!(target.applier.keys_not_met("types", Some(&keys[0]), 10).await.unwrap(), []);
}
