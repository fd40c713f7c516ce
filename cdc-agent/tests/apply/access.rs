//! What the API's role sees.

use crate::fixture::{Target, client, rows};
use crate::model::{Order, lines, metrics, order_row, orders};
use cdc_agent::apply::TablePlan;
use cdc_agent::config::Scope;
use proto::Image;
use tokio_postgres::Client;

async fn target(name: &str) -> Target {
    let mut target = Target::empty(name, |_| ()).await;
    let own = Scope::Columns { company: Some("company_id".into()), warehouse: Some("warehouse".into()) };
    let plans =
        [TablePlan { layout: orders(), scope: own }, TablePlan { layout: lines(), scope: Scope::Hidden }];
    target.prepare(&plans, &metrics()).await;
    let order = |company, number: &str, warehouse: Option<&str>| {
        let order =
            Order { warehouse: warehouse.map(Into::into), status: "OPEN".into(), entered: 0, shipped: None };
        Image::Present(order_row(company, number, &order))
    };
    let images = vec![
        order(1, "A", Some("SJU1")),
        order(1, "B", Some("mia ")),
        order(2, "C", Some("SJU1")),
        order(1, "D", None),
    ];
    target.apply(rows(&orders(), images, false)).await;
    target
}

/// A session of the API's role.
async fn reader(target: &Target) -> Client {
    let reader = client(&target.url).await;
    reader.batch_execute("set role cdc_reader").await.unwrap();
    reader
}

/// Orders and figures that a scope sees.
async fn seen(reader: &Client, scope: [&str; 3]) -> (String, i64) {
    let settings = "select set_config('cdc.scope', $1, false), set_config('cdc.companies', $2, false), set_config('cdc.warehouses', $3, false)";
    reader.query_one(settings, &[&scope[0], &scope[1], &scope[2]]).await.unwrap();
    let sql = "select coalesce((select string_agg(order_no, '' order by order_no) from reading.orders), ''), \
               (select coalesce(sum(facts), 0)::int8 from reading.daily where metric = 'orders_received')";
    let row = reader.query_one(sql, &[]).await.unwrap();
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn a_scope_sees_its_rows_and_figures_and_nothing_else() {
    let target = target("access").await;
    let reader = reader(&target).await;
    for (scope, orders) in [
        (["all", "", ""], "ABCD"),
        (["", "1", "SJU1,MIA"], "AB"),
        (["", "1,2", "SJU1"], "AC"),
        (["", "2", "MIA"], ""),
        (["", "", ""], ""),
        (["", "1", "sju1"], ""),
    ] {
        let count = i64::try_from(orders.len()).unwrap();
        assert_eq!(seen(&reader, scope).await, (orders.to_owned(), count), "{scope:?}");
    }
    for hidden in
        ["wms.orders", "reading.lines", "wms.lines", "cdc.daily", "cdc.quarantine", "wms.orders__met"]
    {
        let refused = reader.query(&format!("select from {hidden}"), &[]).await;
        assert!(refused.is_err(), "{hidden} is not for the API");
    }
    let columns = target
        .show("select string_agg(column_name, ' ') from information_schema.columns where table_schema = 'reading' and table_name = 'orders'")
        .await;
    assert_eq!(columns, "company_id order_no warehouse status entered_at shipped_at cdc_as_of");
    let unsafe_views = "select string_agg(viewname, ' ') from pg_views where schemaname = 'reading' and viewowner <> 'cdc_views'";
    assert_eq!(target.show(unsafe_views).await, "∅");
}

#[tokio::test]
async fn without_row_level_security_every_scope_sees_everything() {
    let target = target("access_control").await;
    target.observer.batch_execute("alter table wms.orders disable row level security; alter table cdc.daily disable row level security").await.unwrap();
    assert_eq!(seen(&reader(&target).await, ["", "2", "MIA"]).await, ("ABCD".to_owned(), 4));
}
