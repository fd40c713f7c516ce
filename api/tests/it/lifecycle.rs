//! PostgreSQL goes and comes back; the API stops.

use crate::NOON;
use crate::api::TestApi;
use crate::warehouse::Warehouse;
use axum::http::StatusCode;
use std::time::{Duration, Instant};
use tokio::task::block_in_place;

const FIGURES: &str = "/api/data/daily_metrics/?metric=orders&date_range=today";

#[tokio::test(flavor = "multi_thread")]
async fn without_postgresql_answers_are_refused_and_recovery_needs_nobody() {
    let mut warehouse = Warehouse::start().await;
    let api = TestApi::start(&warehouse, NOON).await;
    let mut events = api.events(&[]).await;
    events.next("revision").await;
    assert_eq!(api.get(FIGURES).await.status, StatusCode::OK, "this answer is in the cache from now on");

    // The server does not wait for its disk, and is stopped as by a crash.
    warehouse.execute("checkpoint").await;
    block_in_place(|| warehouse.postgres.stop());
    api.until(async |api| api.open("/readyz").await.status == StatusCode::SERVICE_UNAVAILABLE).await;
    for path in [FIGURES, "/api/data/orders/", "/api/pipeline/", "/api/metrics"] {
        let answer = api.get(path).await;
        answer.problem(503, path);
        assert_eq!(answer.header("retry-after"), "1");
    }
    assert_eq!(api.open("/healthz").await.status, StatusCode::OK);
    assert_eq!(api.get("/api/session").await.status, StatusCode::OK, "who is signed in stays signed in");
    while events.next("freshness").await.data["state"] != "database_unreachable" {}
    assert!(api.metrics().await.contains("cdc_api_database_up 0\n"));

    block_in_place(|| warehouse.postgres.resume()).unwrap();
    warehouse.reconnect().await;
    api.until(async |api| api.get(FIGURES).await.status == StatusCode::OK).await;
    while events.next("freshness").await.data["state"] != "live" {}
    // The listening connection is made again, too.
    warehouse.commit("select pg_notify('cdc_revision', '2')").await;
    assert_eq!(events.next("revision").await.id.as_deref(), Some("2"));
    assert!(api.metrics().await.contains("cdc_api_database_up 1\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_postgresql_hangs_streams_go_on_and_say_so() {
    let warehouse = Warehouse::start().await;
    let api = TestApi::start(&warehouse, NOON).await;
    let mut events = api.events(&[]).await;
    warehouse.execute("begin; lock table cdc.stream in access exclusive mode").await;
    let mut heard = Instant::now();
    loop {
        let freshness = events.next("freshness").await;
        assert!(heard.elapsed() < Duration::from_secs(3), "silent for {:?}", heard.elapsed());
        heard = Instant::now();
        if freshness.data["state"] == "database_unreachable" {
            break;
        }
    }
    api.get(FIGURES).await.problem(503, FIGURES);
    warehouse.execute("rollback").await;
    api.until(async |api| api.get(FIGURES).await.status == StatusCode::OK).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_streams_and_takes_less_than_five_seconds() {
    let warehouse = Warehouse::start().await;
    let api = TestApi::start(&warehouse, NOON).await;
    let mut events = api.events(&[]).await;
    events.next("freshness").await;
    // A client that never finishes its request.
    let idle = tokio::net::TcpStream::connect(api.address).await.unwrap();
    let (stopped, ()) = tokio::join!(api.stop(), events.ended());
    assert!(stopped < Duration::from_secs(5), "{stopped:?}");
    drop(idle);
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_reads_zeros_from_the_first_moment_and_only_on_its_own_listener() {
    let warehouse = Warehouse::start().await;
    let api = TestApi::start(&warehouse, NOON).await;
    api.until(async |api| api.metrics().await.contains("cdc_api_listening 1\n")).await;
    let metrics = api.metrics().await;
    for line in [
        "cdc_api_streams 0\n",
        "cdc_api_database_failures_total 0\n",
        "cdc_api_cache_lookups_total{result=\"hit\"} 0\n",
        "cdc_api_data_age_seconds{source=\"wms\"} ",
        "# HELP cdc_api_request_duration_seconds Time until an answer began.\n",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    let public = api.open("/metrics").await;
    assert!(!String::from_utf8_lossy(&public.body).contains("cdc_api_streams"));
}
