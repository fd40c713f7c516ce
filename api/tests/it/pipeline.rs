//! The state of the pipeline.

use crate::NOON;
use crate::api::TestApi;
use crate::warehouse::Warehouse;
use serde_json::{Value, json};

const FIGURES: &str = "/api/data/daily_metrics/?metric=orders&date_range=today";

async fn source(api: &TestApi) -> Value {
    api.get("/api/pipeline/").await.json()["sources"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pipeline_shows_every_table_and_what_is_wrong_with_it() {
    let warehouse = Warehouse::start().await;
    warehouse
        .execute(
            r#"insert into cdc.quarantine (source, name, key, source_key, error, sequence)
               values ('wms', 'orders', 'a', '"a"', 'x', 1);
               insert into cdc.table_condition (source, name, condition, reason, since, caused_by)
               values ('wms', 'order_lines', 'resyncing', 'asked', '2026-11-24T11:00:00Z', 'operator');
               update cdc.table_state set load = '{"kind": "resync"}', load_rows = 5000 where name = 'order_lines';"#,
        )
        .await;
    let api = TestApi::start(&warehouse, NOON).await;
    let mut shown = source(&api).await;
    let (age, seen) = (shown["age_seconds"].take(), shown["agent_seen_seconds"].take());
    assert!(age.as_f64().unwrap() < 60.0 && seen.as_f64().unwrap() < 60.0);
    assert_eq!(
        shown,
        json!({
            "source": "wms", "state": "resyncing", "detail": null, "position": "9007199254740993",
            "hi": "9007199254740999", "applied_sequence": 7, "revision": 1, "as_of": "2026-11-24T12:00:00.000Z",
            "age_seconds": null, "agent_seen_seconds": null,
            "tables": [
                {"name": "order_lines", "source_name": "wms.order_lines", "phase": "live",
                 "conditions": [{"condition": "resyncing", "reason": "asked", "since": "2026-11-24T11:00:00Z", "by": "operator"}],
                 "load": {"kind": "resync", "rows": 5000, "scanned": false}, "quarantined": 0, "in_step": false},
                {"name": "orders", "source_name": "wms.orders", "phase": "live", "conditions": [], "load": null,
                 "quarantined": 1, "in_step": true},
            ],
        })
    );
    // Figures that rest on one table do not suffer from another.
    assert_eq!(api.get(FIGURES).await.header("cdc-state"), "degraded");
    assert_eq!(api.get(&FIGURES.replace("orders", "line_fill_rate")).await.header("cdc-state"), "resyncing");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_is_the_worst_that_is_true() {
    let warehouse = Warehouse::start().await;
    let api = TestApi::start(&warehouse, NOON).await;
    for (change, state) in [
        ("update cdc.stream set agent_state = 'starting'", "starting"),
        ("update cdc.stream set agent_state = 'waiting', agent_detail = 'a load is needed'", "waiting"),
        ("update cdc.stream set agent_state = 'source_unreachable'", "offline"),
        ("update cdc.stream set agent_state = 'from a later version'", "unknown"),
        ("update cdc.stream set agent_state = 'streaming'", "live"),
        ("update cdc.table_state set phase = 'loading' where name = 'orders'", "loading"),
        ("update cdc.table_state set phase = 'failed' where name = 'orders'", "failed"),
        ("update cdc.table_state set phase = 'live'", "live"),
        ("update cdc.stream set read_at = read_at - interval '2 hours'", "catching_up"),
        ("update cdc.stream set agent_seen_at = agent_seen_at - interval '2 hours'", "agent_silent"),
        ("update cdc.stream set agent_state = 'stopped'", "stopped"),
    ] {
        warehouse.execute(change).await;
        api.until(async |api| source(api).await["state"] == state).await;
    }
    assert_eq!(source(&api).await["detail"], "a load is needed");
    assert!(source(&api).await["agent_seen_seconds"].as_f64().unwrap() > 7200.0);
}
