//! Rows that PostgreSQL refuses.

use crate::fixture::{Target, incarnation, layout, rows};
use proto::{ColumnType, Decimal, Image, Key, Layout, LoadKind, LoadMark, Record, Row, Value, Version};

fn stock() -> Layout {
    let quantity = ColumnType::Numeric { precision: 5, scale: 2 };
    layout(
        "stock",
        &[("id", ColumnType::Int4), ("quantity", quantity), ("small", ColumnType::Int2)],
        &["id"],
        &[],
    )
}

fn image(id: i64, quantity: i128, small: i64) -> Image {
    let quantity = Value::Decimal(Decimal { unscaled: quantity, scale: 2 });
    Image::Present(Row(vec![Value::Int(id), quantity, Value::Int(small)]))
}

async fn state(target: &Target) -> String {
    target
        .show(
            "select concat_ws(' ', (select count(*) from wms.stock), (select string_agg(key, ' ' order by key) from cdc.quarantine), \
             (select string_agg(condition, ' ') from cdc.table_condition), (select keys from reading.quarantine_count))",
        )
        .await
}

#[tokio::test]
async fn refused_rows_are_put_aside_alone_and_come_back_with_a_later_image() {
    let mut target = Target::new("quarantine", &[stock()], &[]).await;
    target.apply(rows(&stock(), vec![image(77, 1, 1)], false)).await;
    // One refused by PostgreSQL, one that cannot even be encoded, among many that are fine.
    let many = (0..1_000).map(|id| match id {
        77 => image(id, 100_000, 2),
        500 => image(id, 1, 70_000),
        _ => image(id, 1, 1),
    });
    let applied = target.apply(rows(&stock(), many.collect(), false)).await;
    assert_eq!((applied.written, applied.quarantined), (998, 2));
    assert_eq!(state(&target).await, r#"999 [{"Int":500}] [{"Int":77}] degraded 2"#);
    assert_eq!(
        target.show("select quantity || ' ' || small from wms.stock where id = 77").await,
        "0.01 1",
        "the old row stays"
    );
    let said = target.show("select string_agg(error, '; ' order by key) from cdc.quarantine").await;
    assert!(said.contains("22003") && said.contains("int2"), "{said}");

    target.apply(rows(&stock(), vec![image(77, 3, 3)], false)).await;
    assert_eq!(state(&target).await, r#"999 [{"Int":500}] degraded 1"#);

    // A load asks for keys that were put aside before it began, though the target has no row of theirs.
    let begin = LoadMark {
        table: "stock".into(),
        kind: LoadKind::Resync,
        base: Version(1),
        incarnation: incarnation(),
        reason: String::new(),
    };
    let mut load = vec![Record::LoadBegin(begin)];
    load.extend(rows(&stock(), (0..1_000).filter(|id| *id != 500).map(|id| image(id, 1, 1)).collect(), true));
    target.apply(load).await;
    let aside = Key(vec![Value::Int(500)]);
    assert_eq!(target.applier.keys_not_met("stock", None, 10).await.unwrap(), std::slice::from_ref(&aside));
    target.apply(rows(&stock(), vec![Image::Absent(aside)], true)).await;
    assert_eq!(state(&target).await, "999 resyncing");
}

#[tokio::test]
async fn a_load_in_one_cut_keeps_the_row_of_a_refused_key_and_settles_what_was_aside_before() {
    let mut target = Target::new("quarantine_sweep", &[stock()], &[]).await;
    target.apply(rows(&stock(), vec![image(1, 1, 1), image(2, 1, 1), image(3, 1, 1)], false)).await;
    target.apply(rows(&stock(), vec![image(3, 100_000, 1)], false)).await;
    let begin = LoadMark {
        table: "stock".into(),
        kind: LoadKind::Resync,
        base: Version(1),
        incarnation: incarnation(),
        reason: String::new(),
    };
    let mut load = vec![Record::LoadBegin(begin)];
    load.extend(rows(&stock(), vec![image(1, 1, 1), image(2, 100_000, 1)], true));
    load.push(Record::LoadEnd { table: "stock".into(), sweep: true });
    target.apply(load).await;
    assert_eq!(
        state(&target).await,
        r#"2 [{"Int":2}] degraded 1"#,
        "2 stays as it was, 3 is gone and settled"
    );
}
