//! Server-sent events.

use crate::NOON;
use crate::api::TestApi;
use crate::warehouse::Warehouse;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_arrives_within_a_second_with_or_without_its_notification() {
    let warehouse = Warehouse::start().await;
    let api = TestApi::start(&warehouse, NOON).await;
    let mut events = api.events(&[]).await;
    let freshness = events.next("freshness").await;
    assert_eq!(freshness.data["source"], "wms");
    assert_eq!(freshness.data["state"], "live");
    assert_eq!(freshness.data["as_of"], "2026-11-24T12:00:00.000Z");
    let first = events.next("revision").await;
    assert_eq!((first.id.as_deref(), &first.data["revision"]), (Some("1"), &1.into()));

    for (revision, notify) in [("2", true), ("3", true), ("4", true), ("5", false)] {
        warehouse.commit(if notify { "select pg_notify('cdc_revision', '0')" } else { "select 1" }).await;
        let committed = Instant::now();
        let event = events.next("revision").await;
        assert_eq!(event.id.as_deref(), Some(revision));
        // Without the hint the next reading finds it; that takes its second, and some time on a busy machine.
        let limit = Duration::from_millis(if notify { 800 } else { 2500 });
        assert!(committed.elapsed() < limit, "revision {revision} took {:?}", committed.elapsed());
    }

    // At least once a second, also when nothing changes.
    events.next("freshness").await;
    let began = Instant::now();
    for _ in 0..3 {
        events.next("freshness").await;
    }
    assert!(began.elapsed() < Duration::from_secs(5), "three readings took {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_comes_back_hears_of_what_it_missed_and_only_that() {
    let warehouse = Warehouse::start().await;
    let api = TestApi::start(&warehouse, NOON).await;
    warehouse.commit("select pg_notify('cdc_revision', '2')").await;
    let mut behind = api.events(&[("last-event-id", "1")]).await;
    assert_eq!(behind.next("revision").await.id.as_deref(), Some("2"));

    let mut current = api.events(&[("last-event-id", "2")]).await;
    current.next("freshness").await;
    current.next("freshness").await;
    warehouse.commit("select pg_notify('cdc_revision', '3')").await;
    assert_eq!(current.next("revision").await.id.as_deref(), Some("3"), "2 was known");
    assert!(api.metrics().await.contains("cdc_api_streams 2\n"));
    drop((behind, current));
    api.until(async |api| api.metrics().await.contains("cdc_api_streams 0\n")).await;
}
