//! What a run costs does not grow with the tables.

use crate::fixture::{Target, rows};
use crate::model::{Line, Order, line_row, lines, metrics, order_row, orders};
use proto::Image;

const ORDERS: i64 = 200_000;

/// Fills both tables behind the applier's back.
const FILL: &str = "
    insert into wms.orders (company_id, order_no, order_no__key, entered_at, entered_at__day, cdc_as_of, cdc_applied_at)
    select 1, n::text, n::text, timestamp '2024-01-01', date '2024-01-01', now(), now() from generate_series(1, 200000) n;
    insert into wms.lines (line_id, company_id, order_no, order_no__key, ordered, shipped, cdc_as_of, cdc_applied_at)
    select n, 1, n::text, n::text, 1, 1, now(), now() from generate_series(1, 200000) n;
    analyze wms.orders, wms.lines";

#[tokio::test]
async fn no_run_scans_a_target_of_200_000_rows() {
    let mut target = Target::new("plans", &[orders(), lines()], &metrics()).await;
    target.observer.batch_execute(FILL).await.unwrap();
    // A backend hands in its counts when it ends: those of the preparation, and later those of the runs.
    target.disconnect().await;
    target.applier.reconnect().await.unwrap();
    let scans = "select string_agg(relname || ' ' || seq_scan, ', ' order by relname) from pg_stat_user_tables where schemaname = 'wms' and relname in ('orders', 'lines')";
    target.observer.batch_execute("set stats_fetch_consistency = none").await.unwrap();
    let before = target.show(scans).await;
    // Full batches, small ones, and often enough that PostgreSQL settles on generic plans.
    for (run, size) in [(0, 10_000), (1, 1), (2, 3), (3, 500), (4, 1), (5, 2), (6, 10_000), (7, 1)] {
        let numbers = || (1..ORDERS).step_by(19).take(size);
        let images = numbers().map(|number| {
            let order = Order {
                warehouse: Some("SJU1".into()),
                status: "SHIPPED".into(),
                entered: run,
                shipped: Some(run),
            };
            Image::Present(order_row(1, &number.to_string(), &order))
        });
        let mut records: Vec<_> = rows(&orders(), images.collect(), run % 2 == 0).into();
        let images = numbers().map(|number| {
            let line = Line { order: (1, String::new()), ordered: Some(1), shipped: run };
            Image::Present(line_row(number, &(number + 1).to_string(), &line))
        });
        records.extend(rows(&lines(), images.collect(), false));
        let applied = target.apply(records).await;
        assert_eq!(applied.images, 2 * size as u64);
    }
    target.disconnect().await;
    let after = target.show(scans).await;
    assert_eq!(after, before, "sequential scans");
    let used = "select bool_and(idx_scan > 10000) from pg_stat_user_tables where schemaname = 'wms' and relname in ('orders', 'lines')";
    assert_eq!(target.show(used).await, "true", "the counts arrived");
}
