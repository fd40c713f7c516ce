//! Daily figures: the contract, named ranges around midnight, entity tags.

use crate::NOON;
use crate::api::TestApi;
use crate::warehouse::Warehouse;
use axum::http::StatusCode;
use serde_json::{Value, json};

const ORDERS: &str = "/api/data/daily_metrics/?metric=orders&date_range=today";

#[tokio::test(flavor = "multi_thread")]
async fn figures_have_exact_decimals_and_their_place() {
    let warehouse = Warehouse::start().await;
    let sju = ("1", "SJU1");
    warehouse.figure("orders_received", "2026-11-23", sju, ("123", "0")).await;
    warehouse
        .figure("orders_received", "2026-11-24", sju, ("12345678901234567890123456789.12345", "0"))
        .await;
    warehouse.figure("orders_received", "2026-11-24", ("007", "TYO1"), ("0.5", "0")).await;
    warehouse.figure("orders_received", "2026-11-25", sju, ("9", "0")).await;
    warehouse.figure("line_fill_rate", "2026-11-24", sju, ("2", "3")).await;
    warehouse.figure("line_fill_rate", "2026-11-24", ("1", "MEX1"), ("0", "0")).await;
    warehouse.figure("line_fill_rate", "2026-11-24", ("", ""), ("1", "4")).await;
    let api = TestApi::start(&warehouse, NOON).await;

    let days = "from=2026-11-23&to=2026-11-24";
    let answer = api.get(&format!("/api/data/daily_metrics/?metric=orders,line_fill_rate&{days}")).await;
    assert_eq!(answer.status, StatusCode::OK);
    let range = |warehouse: Value, zone: &str| json!({"warehouse": warehouse, "zone": zone, "from": "2026-11-23", "to": "2026-11-24"});
    let orders = |date: &str, value: &str, numerator: &str, company: Value, warehouse: &str| {
        json!({"date": date, "metric": "orders_received", "value": value, "numerator": numerator, "denominator": null,
               "company": company, "warehouse": warehouse})
    };
    let rate = |value: Value, numerator: &str, denominator: &str, company: Value, warehouse: &str| {
        json!({"date": "2026-11-24", "metric": "line_fill_rate", "value": value, "numerator": numerator,
               "denominator": denominator, "company": company, "warehouse": warehouse})
    };
    let large = "12345678901234567890123456789.12345";
    assert_eq!(
        answer.json(),
        json!({
            "results": [
                orders("2026-11-23", "123.00", "123", json!(1), "SJU1"),
                rate(json!("0.250000"), "1", "4", json!(""), ""),
                rate(Value::Null, "0", "0", json!(1), "MEX1"),
                rate(json!("0.666667"), "2", "3", json!(1), "SJU1"),
                orders("2026-11-24", "0.50", "0.5", json!("007"), "TYO1"),
                orders("2026-11-24", large, large, json!(1), "SJU1"),
            ],
            "ranges": [
                range(json!("MEX1"), "America/Mexico_City"),
                range(json!("SJU1"), "America/Puerto_Rico"),
                range(json!("TYO1"), "Asia/Tokyo"),
                range(Value::Null, "UTC"),
            ],
        })
    );
    assert_eq!(answer.header("cdc-revision"), "1");
    assert_eq!(answer.header("cdc-state"), "live");
    assert_eq!(answer.header("cdc-as-of"), "2026-11-24T12:00:00.000Z");
    assert!(answer.header("cdc-age-seconds").parse::<f64>().unwrap() < 60.0);
    assert_eq!(answer.header("cache-control"), "no-cache, private");

    let filtered = format!("/api/data/daily_metrics/?metric=orders&{days}&company=1&warehouse=sju1");
    assert_eq!(api.get(&filtered).await.json()["results"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_cannot_be_meant_is_refused_by_name() {
    let warehouse = Warehouse::start().await;
    let api = TestApi::start(&warehouse, NOON).await;
    for (query, kind, words) in [
        ("date_range=today", "missing-parameter", "line_fill_rate, orders_received"),
        ("metric=ordres&date_range=today", "invalid-parameter", "line_fill_rate, orders_received"),
        ("metric=orders", "missing-parameter", "last_7_days"),
        ("metric=orders&date_range=last_8_days", "invalid-parameter", "last_7_days"),
        ("metric=orders&date_range=today&date_range=today", "repeated-parameter", "date_range"),
        ("metric=orders&date_range=today&from=2026-11-24", "bad-request", "date_range"),
        ("metric=orders&from=2026-11-24", "bad-request", "to"),
        ("metric=orders&from=24/11/2026&to=2026-11-24", "invalid-parameter", "2026-11-24"),
        ("metric=orders&from=2026-11-24&to=2026-11-23", "invalid-parameter", "400"),
        ("metric=orders&from=2025-01-01&to=2026-11-23", "invalid-parameter", "400"),
        ("metric=orders&date_range=today&wharehouse=SJU1", "unknown-parameter", "warehouse"),
    ] {
        let path = format!("/api/data/daily_metrics/?{query}");
        let problem = api.get(&path).await.problem(400, &path);
        assert_eq!(problem["type"], format!("urn:cdc-agent:problem:{kind}"), "{query}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{query}: {problem}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn today_is_another_day_in_another_zone() {
    let warehouse = Warehouse::start().await;
    for day in 20..=26 {
        for place in [("1", "SJU1"), ("1", "MEX1"), ("2", "TYO1")] {
            let day_of_month = day.to_string();
            let date = format!("2026-11-{day}");
            warehouse.figure("orders_received", &date, place, (&day_of_month, "0")).await;
        }
    }
    // 23:59:59 in Puerto Rico, 21:59:59 in Mexico, 12:59:59 the next day in Tokyo.
    let api = TestApi::start(&warehouse, "2026-11-25T03:59:59Z").await;
    let days = |answer: &Value| {
        let of = |figure: &Value| {
            (
                figure["warehouse"].as_str().unwrap().to_owned(),
                figure["date"].as_str().unwrap()[8..].to_owned(),
            )
        };
        let mut days = answer["results"].as_array().unwrap().iter().map(of).collect::<Vec<_>>();
        days.sort();
        days.into_iter().map(|(warehouse, day)| format!("{warehouse} {day}")).collect::<Vec<_>>()
    };
    let before = api.get(ORDERS).await;
    assert_eq!(days(&before.json()), ["MEX1 24", "SJU1 24", "TYO1 25"]);

    api.set_clock("2026-11-25T04:00:00Z");
    let tag = before.header("etag").to_owned();
    let after = api.get_with(ORDERS, &[("if-none-match", &tag)]).await;
    assert_eq!(
        after.status,
        StatusCode::OK,
        "midnight in one zone is another answer, without a new revision"
    );
    assert_eq!(days(&after.json()), ["MEX1 24", "SJU1 25", "TYO1 25"]);
    assert_eq!(before.header("cdc-revision"), after.header("cdc-revision"));

    let ask = async |range: &str| days(&api.get(&ORDERS.replace("today", range)).await.json());
    assert_eq!(ask("yesterday").await, ["MEX1 23", "SJU1 24", "TYO1 24"]);
    let week = ask("last_7_days&warehouse=TYO1").await;
    assert_eq!(
        week.first().map(String::as_str),
        Some("TYO1 20"),
        "the six days before, as far as there are any"
    );
    assert_eq!(week.last().map(String::as_str), Some("TYO1 25"));
    let ranges = api.get(&ORDERS.replace("today", "this_month")).await.json()["ranges"].clone();
    assert_eq!(
        ranges[0],
        json!({"warehouse": "MEX1", "zone": "America/Mexico_City", "from": "2026-11-01", "to": "2026-11-24"})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn not_modified_keeps_age_and_state_until_something_changes() {
    let warehouse = Warehouse::start().await;
    warehouse.figure("orders_received", "2026-11-24", ("1", "SJU1"), ("5", "0")).await;
    let api = TestApi::start(&warehouse, NOON).await;
    let first = api.get(ORDERS).await;
    let tag = first.header("etag").to_owned();
    let ask = async || api.get_with(ORDERS, &[("if-none-match", tag.as_str())]).await;

    let unchanged = ask().await;
    assert_eq!(unchanged.status, StatusCode::NOT_MODIFIED);
    assert!(unchanged.body.is_empty());
    for name in ["etag", "cdc-revision", "cdc-as-of", "cdc-state", "cache-control"] {
        assert_eq!(unchanged.header(name), first.header(name), "{name}");
    }
    let age = |answer: &crate::api::Answer| answer.header("cdc-age-seconds").parse::<f64>().unwrap();
    assert!(age(&unchanged) >= age(&first), "the age grows while nothing is read");

    // A heartbeat is no revision: the same answer, younger.
    warehouse
        .execute(
            "update cdc.stream set read_at = read_at - interval '1 hour';
             update cdc.stream set idle_sequence = applied_sequence, idle_at = clock_timestamp(),
                                   idle_as_of = '2026-11-24T12:30:00Z'",
        )
        .await;
    api.until(async |_| ask().await.header("cdc-as-of") == "2026-11-24T12:30:00.000Z").await;
    assert_eq!(ask().await.status, StatusCode::NOT_MODIFIED);
    assert!(age(&ask().await) < 60.0);

    // A heartbeat about another run says nothing about this one.
    warehouse.execute("update cdc.stream set idle_sequence = applied_sequence - 1").await;
    api.until(async |_| age(&ask().await) > 3600.0).await;

    warehouse
        .execute("update cdc.stream set agent_state = 'source_unreachable', read_at = clock_timestamp()")
        .await;
    api.until(async |_| ask().await.header("cdc-state") == "offline").await;
    assert_eq!(ask().await.status, StatusCode::OK, "another state is another tag");

    warehouse.execute("update cdc.stream set agent_state = 'streaming'").await;
    warehouse.commit("update cdc.daily set numerator = 6").await;
    api.until(async |_| ask().await.header("cdc-revision") == "2").await;
    let changed = ask().await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_eq!(changed.json()["results"][0]["value"], "6.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_revision_costs_one_query_however_many_ask() {
    let warehouse = Warehouse::start().await;
    let api = TestApi::start(&warehouse, NOON).await;
    let answers = futures::future::join_all((0..32).map(|_| api.get(ORDERS))).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK));
    let metrics = api.metrics().await;
    assert!(metrics.contains("cdc_api_cache_lookups_total{result=\"miss\"} 1\n"), "{metrics}");
    assert!(metrics.contains("cdc_api_cache_lookups_total{result=\"hit\"} 31\n"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metric_that_is_being_built_says_so() {
    let warehouse = Warehouse::start().await;
    warehouse.execute("update cdc.metric set ready = false where name = 'line_fill_rate'").await;
    let api = TestApi::start(&warehouse, NOON).await;
    assert_eq!(api.get(&ORDERS.replace("orders", "line_fill_rate")).await.header("cdc-state"), "loading");
    assert_eq!(api.get(ORDERS).await.header("cdc-state"), "live");
    let metrics = api.get("/api/metrics").await.json();
    assert_eq!(metrics["results"][0]["ready"], false);
    assert_eq!(
        metrics["results"][1],
        json!({"name": "orders_received", "aliases": ["orders"], "title_es": "Pedidos recibidos",
               "title_en": "Orders received", "unit": "orders", "kind": "sum", "tabs": ["testing"], "ready": true})
    );
}
