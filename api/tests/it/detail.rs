//! Rows of a table.

use crate::NOON;
use crate::api::TestApi;
use crate::warehouse::Warehouse;
use serde_json::{Value, json};

/// Orders 1 to `count`, one a minute; of each ten, two share a minute and one has none.
async fn insert_orders(warehouse: &Warehouse, count: i32) {
    warehouse
        .execute(&format!(
            "insert into wms.orders (wh_id, order_no, company_id, status, entered_at, wh_id__key, order_no__key)
             select case n % 2 when 0 then 'SJU1' else 'mex1 ' end, 'A' || n, 1, n % 3 * 10,
                    case n % 10 when 9 then null when 8 then timestamp '2026-11-24' + (n - 1) * interval '1 minute'
                                else timestamp '2026-11-24' + n * interval '1 minute' end,
                    case n % 2 when 0 then 'SJU1' else 'MEX1' end, 'A' || n
             from generate_series(1, {count}) n"
        ))
        .await;
}

fn numbers(page: &Value) -> Vec<String> {
    page["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["order_no"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_while_rows_come_and_go() {
    let warehouse = Warehouse::start().await;
    insert_orders(&warehouse, 100).await;
    let api = TestApi::start(&warehouse, NOON).await;
    let whole = numbers(&api.get("/api/data/orders/?limit=1000").await.json());
    assert_eq!(whole.len(), 100);
    assert_eq!(whole[0], "A100", "newest entered first");
    assert!(whole[90..].iter().all(|number| number.ends_with('9')), "without a time last: {whole:?}");

    let mut seen = Vec::new();
    let mut path = "/api/data/orders/?limit=7".to_owned();
    let mut step = 0;
    loop {
        let page = api.get(&path).await.json();
        seen.extend(numbers(&page));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/data/orders/?limit=7&cursor={cursor}");
        step += 1;
        // Newer rows arrive, and the row that the next page begins after goes away.
        let last = seen.last().unwrap();
        warehouse
            .commit(&format!(
                "insert into wms.orders (wh_id, order_no, company_id, status, entered_at, wh_id__key, order_no__key)
                 values ('SJU1', 'N{step}', 1, 0, '2026-11-25', 'SJU1', 'N{step}');
                 delete from wms.orders where order_no = '{last}'"
            ))
            .await;
    }
    assert_eq!(seen, whole, "each row that was there once and none twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_keep_what_javascript_would_round() {
    let warehouse = Warehouse::start().await;
    warehouse
        .execute(
            "insert into wms.orders values ('sju1 ', 'Ñ\"1', 1, 50, '2026-11-24T08:00:00', 12345678901.1000,
             9007199254740993, '\\x00ff', '2026-11-24T08:00:00-04:00', 'SJU1', 'Ñ\"1')",
        )
        .await;
    let api = TestApi::start(&warehouse, NOON).await;
    let answer = api.get("/api/data/orders/?warehouse=SJU1&company=1&status=50").await;
    assert_eq!(
        answer.json(),
        json!({
            "results": [{
                "wh_id": "sju1 ", "order_no": "Ñ\"1", "company_id": 1, "status": 50, "entered_at": "2026-11-24T08:00:00",
                "total_value": "12345678901.1000", "ticket": "9007199254740993", "photo": "AP8=",
                "loaded": "2026-11-24T12:00:00+00:00", "cdc_as_of": "2026-11-24T12:00:00+00:00",
            }],
            "next_cursor": null,
        })
    );
    assert_eq!(answer.header("cdc-revision"), "1");
    assert_eq!(numbers(&api.get("/api/data/orders/?status=10").await.json()), Vec::<String>::new());

    for (query, kind) in [
        ("limit=0", "invalid-parameter"),
        ("limit=1001", "invalid-parameter"),
        ("cursor=nonsense", "invalid-parameter"),
        ("order_no=A1", "unknown-parameter"),
    ] {
        let path = format!("/api/data/orders/?{query}");
        assert_eq!(api.get(&path).await.problem(400, &path)["type"], format!("urn:cdc-agent:problem:{kind}"));
    }
    api.get("/api/data/order_lines/").await.problem(404, "/api/data/order_lines/");
    warehouse.execute("drop view reading.orders").await;
    warehouse.commit("select 1").await;
    api.until(async |api| api.get("/api/data/orders/").await.status == 503).await;
}
