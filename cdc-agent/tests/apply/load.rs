//! Loads: what they meet, what they do not, and how they end.

use crate::fixture::{Target, incarnation, layout, rows, text};
use proto::{ColumnType, Condition, Image, Key, Layout, LoadKind, LoadMark, Record, Row, Value, Version};

fn items() -> Layout {
    layout("items", &[("code", ColumnType::Text), ("name", ColumnType::Text)], &["code"], &["code"])
}

fn item(code: &str, name: &str) -> Image {
    Image::Present(Row(vec![text(code), text(name)]))
}

fn gone(code: &str) -> Image {
    Image::Absent(Key(vec![text(code)]))
}

fn begin(kind: LoadKind) -> Record {
    Record::LoadBegin(LoadMark {
        table: "items".into(),
        kind,
        base: Version(1),
        incarnation: incarnation(),
        reason: "asked for by ana".into(),
    })
}

fn end(sweep: bool) -> Record {
    Record::LoadEnd { table: "items".into(), sweep }
}

async fn content(target: &Target) -> String {
    target.show("select string_agg(code || '=' || name, ' ' order by code__key) from wms.items").await
}

fn names(keys: &[Key]) -> Vec<String> {
    keys.iter()
        .map(|key| if let Value::Text(code) = &key.0[0] { code.clone() } else { panic!("{key:?}") })
        .collect()
}

#[tokio::test]
async fn a_resync_that_streams_on_ends_by_what_the_source_says_of_the_keys_it_did_not_meet() {
    let mut target = Target::new("load_resync", &[items()], &[]).await;
    let mut first = vec![begin(LoadKind::First)];
    first.extend(rows(&items(), ["a", "b ", "C", "d"].map(|code| item(code, "1")).into(), true));
    first.extend([Record::LoadScanned { table: "items".into(), rows: 4 }, end(true)]);
    target.apply(first).await;
    assert_eq!(target.applier.tables().await.unwrap()[0].phase, "live");

    let mut opening = vec![
        Record::Leave { table: "items".into(), condition: Condition::Blind, reason: "truncated".into() },
        begin(LoadKind::Resync),
    ];
    opening.extend(rows(&items(), vec![item("A", "2"), item("b", "1")], true));
    opening.push(Record::LoadProgress { table: "items".into(), resume: "b".into(), rows: 2 });
    target.apply(opening).await;
    let table = &target.applier.tables().await.unwrap()[0];
    assert_eq!((table.phase.as_str(), table.load_resume.as_deref(), table.load_rows), ("live", Some("b"), 2));
    let conditions: Vec<_> = table.conditions.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(conditions, ["blind", "resyncing"]);

    // A window brings a row that the scan has passed by: not met, and there.
    target.apply(rows(&items(), vec![item("0", "new")], false)).await;
    target.apply([Record::LoadScanned { table: "items".into(), rows: 2 }]).await;
    assert_eq!(target.applier.tables().await.unwrap()[0].load_scanned, Some(4));
    let page = target.applier.keys_not_met("items", None, 2).await.unwrap();
    assert_eq!(names(&page), ["0", "C"]);
    let next = target.applier.keys_not_met("items", page.last(), 2).await.unwrap();
    assert_eq!(names(&next), ["d"]);

    let mut closing: Vec<_> = rows(&items(), vec![item("0", "new"), gone("c "), item("d", "3")], true).into();
    closing.push(end(false));
    target.apply(closing).await;
    assert_eq!(content(&target).await, "0=new A=2 b=1 d=3");
    let table = &target.applier.tables().await.unwrap()[0];
    assert_eq!((table.phase.as_str(), &table.load, table.conditions.len()), ("live", &None, 0));
}

#[tokio::test]
async fn a_load_in_one_cut_sweeps_in_the_same_transaction() {
    let mut target = Target::new("load_sweep", &[items()], &[]).await;
    target.apply(rows(&items(), ["a", "b", "c"].map(|code| item(code, "1")).into(), false)).await;
    let mut one = vec![begin(LoadKind::Resync)];
    one.extend(rows(&items(), vec![item("b", "1")], true));
    one.push(end(true));
    let applied = target.apply(one).await;
    assert_eq!((applied.written, applied.deleted), (0, 2), "the equal row is not written");
    assert_eq!(content(&target).await, "b=1");
}

#[tokio::test]
async fn two_rows_of_one_snapshot_with_one_key_are_an_error_and_not_a_merge() {
    let mut target = Target::new("load_fold", &[items()], &[]).await;
    target.apply(rows(&items(), vec![item("a", "1")], false)).await;
    let twice = vec![item("ß", "1"), item("b", "1"), item("B", "2")];
    let error = target.refuse(rows(&items(), twice, false)).await.to_string();
    assert!(error.contains("[\\\"B\\\"]") && error.contains("[\\\"b\\\"]"), "{error}");
    // In two parts of the run, too.
    let mut parts: Vec<_> = rows(&items(), vec![item("b", "1")], false).into();
    parts.extend(rows(&items(), vec![item("B", "2")], true));
    let error = target.refuse(parts).await.to_string();
    assert!(error.contains("different at the source"), "{error}");
    // From one snapshot to the next the spelling may change.
    target.apply(rows(&items(), vec![item("A", "1")], false)).await;
    assert_eq!(content(&target).await, "A=1");
}

#[tokio::test]
async fn a_table_that_leaves_step_in_the_middle_of_a_load_forgets_the_load() {
    let mut target = Target::new("load_left", &[items()], &[]).await;
    let mut part = vec![begin(LoadKind::First)];
    part.extend(rows(&items(), vec![item("a", "1")], true));
    part.push(Record::LoadProgress { table: "items".into(), resume: "[\"a\"]".into(), rows: 1 });
    target.apply(part).await;
    assert!(target.applier.tables().await.unwrap()[0].load.is_some());
    let reason = "the right was withdrawn".to_owned();
    target.apply([Record::Leave { table: "items".into(), condition: Condition::Blind, reason }]).await;
    let table = &target.applier.tables().await.unwrap()[0];
    assert_eq!((&table.load, &table.load_resume, table.conditions[0].0.as_str()), (&None, &None, "blind"));
}
