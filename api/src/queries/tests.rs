//! Who sees which rows, and what becomes of a connection whose reader went away.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use super::daily::{self, AskedMetric, Days, Figures};
use super::detail::{self, Page};
use crate::access::Scope;
use crate::config::Config;
use crate::database::{Database, DatabaseError};
use serde_json::Value;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use warehouse::Warehouse;

#[path = "../../tests/warehouse/mod.rs"]
#[allow(dead_code, reason = "the tests of the whole API use the rest")]
mod warehouse;

const PLACES: [(&str, &str); 3] = [("1", "MEX1"), ("1", "SJU1"), ("2", "TYO1")];

struct Figured {
    warehouse: Warehouse,
    config: Config,
    database: Database,
}

impl Figured {
    /// One order and one figure in every place.
    async fn start() -> Self {
        let warehouse = Warehouse::start().await;
        for (company, name) in PLACES {
            warehouse.figure("orders_received", "2026-11-24", (company, name), ("1", "0")).await;
            warehouse
                .execute(&format!(
                    "insert into wms.orders (wh_id, order_no, company_id, status, wh_id__key, order_no__key)
                     values ('{name}', 'A1', {company}, 10, '{name}', 'A1')"
                ))
                .await;
        }
        let config = toml::from_str::<Config>(&warehouse.config()).unwrap();
        let database = Database::new(&config.database).unwrap();
        Self { warehouse, config, database }
    }

    /// The warehouses that are seen in a transaction of one scope by queries with another: in figures, and in rows.
    async fn seen(&self, transaction: &Scope, argument: &Scope) -> (Vec<String>, Vec<String>) {
        let day = "2026-11-24".parse().unwrap();
        let metric =
            AskedMetric { source: "wms".to_owned(), name: "orders_received".to_owned(), ratio: false };
        let other = Days { first: day, last: day };
        let asked =
            Figures { metrics: vec![metric], spans: Vec::new(), other, company: None, warehouse: None };
        let page = Page { limit: 10, after: None, filters: Vec::new() };
        let reading = self.database.begin(transaction).await.unwrap();
        let figures = daily::figures(&reading, argument, &asked).await.unwrap();
        let rows = detail::page(&reading, argument, &self.config.details[0], &page).await.unwrap();
        reading.finish().await.unwrap();
        let mut rows = rows
            .rows
            .iter()
            .map(|row| {
                serde_json::from_str::<Value>(row.get()).unwrap()["wh_id"].as_str().unwrap().to_owned()
            })
            .collect::<Vec<_>>();
        rows.sort();
        (figures.into_iter().map(|figure| figure.warehouse).collect(), rows)
    }
}

fn both(warehouses: &[&str]) -> (Vec<String>, Vec<String>) {
    let warehouses = warehouses.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    (warehouses.clone(), warehouses)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_is_enforced_by_the_query_and_again_by_postgresql() {
    let figured = Figured::start().await;
    let sju = Scope::limited(["1"], ["SJU1"]).unwrap();
    let nobody = Scope::limited::<_, [&str; 0]>(["1"], []).unwrap();
    let everything = both(&["MEX1", "SJU1", "TYO1"]);
    assert_eq!(figured.seen(&Scope::All, &Scope::All).await, everything);
    assert_eq!(figured.seen(&sju, &sju).await, both(&["SJU1"]));
    assert_eq!(figured.seen(&nobody, &nobody).await, both(&[]));
    let crossed = Scope::limited(["2"], ["SJU1"]).unwrap();
    assert_eq!(figured.seen(&crossed, &crossed).await, both(&[]), "company and warehouse both count");

    // One of the two forgets.
    assert_eq!(figured.seen(&Scope::All, &sju).await, both(&["SJU1"]), "the query alone");
    assert_eq!(figured.seen(&sju, &Scope::All).await, both(&["SJU1"]), "PostgreSQL alone");
    assert_eq!(figured.seen(&nobody, &Scope::All).await, both(&[]), "an empty scope is not all");

    // Without the policies it was PostgreSQL that held.
    figured
        .warehouse
        .execute("alter table cdc.daily disable row level security; alter table wms.orders disable row level security")
        .await;
    assert_eq!(figured.seen(&sju, &Scope::All).await, everything);
    assert_eq!(figured.seen(&sju, &sju).await, both(&["SJU1"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_of_the_api_reads_views_and_nothing_else() {
    let figured = Figured::start().await;
    for table in ["cdc.daily", "cdc.quarantine", "wms.orders"] {
        let reading = figured.database.begin(&Scope::All).await.unwrap();
        let refused = reading.query(&format!("select * from {table}"), &[]).await;
        assert!(matches!(refused, Err(DatabaseError::NotServed(_))), "{table}");
    }
    let writing = figured.database.begin(&Scope::All).await.unwrap();
    assert!(writing.query("delete from reading.daily", &[]).await.is_err());
    let unsafe_views = "
        select c.oid::regclass::text
        from pg_class c join pg_roles o on o.oid = c.relowner
        where c.relnamespace = 'reading'::regnamespace
          and (c.relkind <> 'v' or o.rolname <> 'cdc_views' or o.rolsuper or o.rolbypassrls)";
    assert!(figured.warehouse.client.query(unsafe_views, &[]).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_is_abandoned_closes_its_connection_and_ends_at_the_server() {
    let figured = Figured::start().await;
    let reading = figured.database.begin(&Scope::All).await.unwrap();
    let slow = reading.query("select pg_sleep(8)::text", &[]);
    assert!(timeout(Duration::from_millis(100), slow).await.is_err(), "the query still runs");
    drop(reading);
    let backends = "select count(*) from pg_stat_activity where application_name = 'cdc-api'";
    let ends = async {
        while figured.warehouse.client.query_one(backends, &[]).await.unwrap().get::<_, i64>(0) > 0 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(6), ends).await.expect("the server notices within its check interval");
    // A reading that was finished is used again.
    for _ in 0..3 {
        let reading = figured.database.begin(&Scope::All).await.unwrap();
        reading.finish().await.unwrap();
    }
    assert_eq!(figured.warehouse.client.query_one(backends, &[]).await.unwrap().get::<_, i64>(0), 1);
}
