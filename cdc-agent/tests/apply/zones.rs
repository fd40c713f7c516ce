//! Business days that depend on the warehouse's zone.

use crate::fixture::{Target, layout, plans, rows, text};
use cdc_agent::config::{NaiveZone, Zones};
use proto::{ColumnType, Image, Layout, Row, Value};

/// 2024-06-02 02:30 UTC: still June 1st in Puerto Rico, already June 2nd in Madrid.
const AT: i64 = 1_717_295_400_000_000;

fn warehouses() -> Layout {
    layout("warehouses", &[("id", ColumnType::Text), ("zone", ColumnType::Text)], &["id"], &["id"])
}

fn events() -> Layout {
    let columns = [("id", ColumnType::Int4), ("at", ColumnType::Timestamp), ("warehouse", ColumnType::Text)];
    layout("events", &columns, &["id"], &["warehouse"])
}

fn zone(warehouse: &str, zone: &str) -> Image {
    Image::Present(Row(vec![text(warehouse), text(zone)]))
}

async fn days(target: &Target) -> String {
    target.show("select string_agg(warehouse || ' ' || day || ' ' || facts, ', ' order by warehouse, day) from cdc.daily").await
}

#[tokio::test]
async fn days_follow_the_warehouses_zones() {
    let mut target = Target::empty("zones", |settings| {
        settings.zoning.naive_zone = NaiveZone::Fixed("UTC".parse().unwrap());
        settings.zoning.zones = Some(Zones {
            table: "warehouses".into(),
            warehouse: "id".into(),
            zone: "zone".into(),
            company: None,
        });
    })
    .await;
    let metric = "name = 'events'\ntitle_es = ''\ntitle_en = ''\nunit = ''\nkind = 'sum'\nfacts = 'events'\n\
                  day = 'at'\nwarehouse = 'warehouse'\nnumerator = 'count'";
    target.prepare(&plans(&[warehouses(), events()]), &[toml::from_str(metric).unwrap()]).await;
    let event =
        |id, warehouse| Image::Present(Row(vec![Value::Int(id), Value::Timestamp(AT), text(warehouse)]));
    // The rows come before their zones, as in a first load; then both in one run.
    target.apply(rows(&events(), vec![event(1, "sju"), event(2, "MAD")], true)).await;
    assert_eq!(days(&target).await, "MAD 2024-06-02 1, SJU 2024-06-02 1");
    target
        .apply(rows(
            &warehouses(),
            vec![zone("SJU", "America/Puerto_Rico"), zone("MAD", "Europe/Madrid")],
            true,
        ))
        .await;
    assert_eq!(days(&target).await, "MAD 2024-06-02 1, SJU 2024-06-01 1");
    let mut both: Vec<_> = rows(&events(), vec![event(3, "SJU"), event(4, "MAD")], false).into();
    both.extend(rows(
        &warehouses(),
        vec![zone("MAD", "Pacific/Honolulu"), zone("SJU", "Mars/Olympus")],
        false,
    ));
    target.apply(both).await;
    // A zone that nobody knows is none: the day is the naive zone's.
    assert_eq!(days(&target).await, "MAD 2024-06-01 2, SJU 2024-06-02 2");
    assert_eq!(
        target.show("select string_agg(warehouse || ' ' || zone, ', ') from reading.warehouse_zone").await,
        "MAD Pacific/Honolulu"
    );
    assert_eq!(cdc_agent::verify::metrics(&target.settings).await.unwrap().differences, []);
}
