//! The demo without a person: it must move, come to rest, and then agree with the source to the last value.

use crate::client::SqlServer;
use crate::compare;
use crate::warehouse::{Failure, TABLES, Warehouse};
use chrono::Utc;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long any awaited state may take.
const PATIENCE: Duration = Duration::from_secs(180);
/// Pause between two looks at the same state.
const LOOK: Duration = Duration::from_millis(250);
/// Live seconds of traffic once the loads are done.
const LIVE: Duration = Duration::from_secs(20);

/// The figures of one metric at the source: (metric, its T-SQL with day, warehouse, numerator, denominator).
const SOURCE_FIGURES: [(&str, &str); 4] = [
    (
        "orders_received",
        "SELECT CONVERT(nvarchar(10), CAST(o.entered_at AS date), 23), o.wh_id, COUNT(*), 0 \
         FROM wms.orders AS o GROUP BY CAST(o.entered_at AS date), o.wh_id",
    ),
    (
        "orders_shipped",
        "SELECT CONVERT(nvarchar(10), CAST(o.shipped_at AS date), 23), o.wh_id, COUNT(*), 0 \
         FROM wms.orders AS o WHERE o.shipped_at IS NOT NULL GROUP BY CAST(o.shipped_at AS date), o.wh_id",
    ),
    (
        "units_shipped",
        "SELECT CONVERT(nvarchar(10), CAST(o.shipped_at AS date), 23), o.wh_id, SUM(l.shipped_qty), 0 \
         FROM wms.orders AS o INNER JOIN wms.order_lines AS l ON l.wh_id = o.wh_id AND l.order_no = o.order_no \
         WHERE o.shipped_at IS NOT NULL GROUP BY CAST(o.shipped_at AS date), o.wh_id",
    ),
    (
        "line_fill_rate",
        "SELECT CONVERT(nvarchar(10), CAST(o.shipped_at AS date), 23), o.wh_id, \
         SUM(CASE WHEN l.shipped_qty >= l.ordered_qty THEN 1 ELSE 0 END), COUNT(*) \
         FROM wms.orders AS o INNER JOIN wms.order_lines AS l ON l.wh_id = o.wh_id AND l.order_no = o.order_no \
         WHERE o.shipped_at IS NOT NULL GROUP BY CAST(o.shipped_at AS date), o.wh_id",
    ),
];

/// Day and warehouse, with numerator and denominator.
type Figures = BTreeMap<(String, String), (i64, i64)>;

/// Runs the whole check; prints its figures to stdout.
///
/// # Errors
/// What did not move, did not come to rest, or differs.
pub async fn run(warehouse: &mut Warehouse) -> Result<(), Failure> {
    let mut source = SqlServer::open(&warehouse.login).await?;
    let loading = Instant::now();
    until_in_step(warehouse, &mut source, None).await?;
    println!("first load of {} tables: {:.1} s", TABLES.len(), loading.elapsed().as_secs_f64());
    let before = orders_today(warehouse).await?;
    let batches = live_traffic(warehouse, &mut source).await?;
    let version = current_version(&mut source).await?;
    let paused = Instant::now();
    until_in_step(warehouse, &mut source, Some(version)).await?;
    println!(
        "traffic: {batches} transactions, version {version}; all applied {:.2} s after the last one",
        paused.elapsed().as_secs_f64()
    );
    let after = orders_today(warehouse).await?;
    if after <= before {
        return Err(
            format!("the API's figure did not move under traffic: {before} before, {after} after").into()
        );
    }
    println!("the API showed it live: orders_received today went from {before} to {after}");
    compare_tables(warehouse, &mut source).await?;
    compare_figures(warehouse, &mut source).await?;
    let (code, said) = warehouse.agent_command(&["verify", "--metrics"]).await?;
    print!("{said}");
    if code == 0 { Ok(()) } else { Err(format!("cdc-agent verify --metrics ended with {code}").into()) }
}

async fn live_traffic(warehouse: &mut Warehouse, source: &mut SqlServer) -> Result<usize, Failure> {
    let begun = Instant::now();
    let mut batches = 0;
    while begun.elapsed() < LIVE {
        for batch in warehouse.traffic.tick(Utc::now(), 1.0) {
            source.run(&batch).await?;
            batches += 1;
        }
        warehouse.check()?;
        tokio::time::sleep(LOOK).await;
    }
    Ok(batches)
}

async fn compare_tables(warehouse: &Warehouse, source: &mut SqlServer) -> Result<(), Failure> {
    let target = warehouse.target().await?;
    let mut different = 0;
    for table in TABLES {
        let found =
            compare::table(source, &target, ("wms", table), ("wms", table), str::to_lowercase).await?;
        println!("{found}");
        different += found.different;
    }
    if different == 0 { Ok(()) } else { Err(format!("{different} rows differ").into()) }
}

/// The served figures against the same figures counted at the source.
async fn compare_figures(warehouse: &Warehouse, source: &mut SqlServer) -> Result<(), Failure> {
    let target = warehouse.target().await?;
    for (metric, query) in SOURCE_FIGURES {
        let mut expected = Figures::new();
        for row in source.rows(query).await? {
            let text = |i: usize| row.get::<&str, _>(i).unwrap_or_default().to_owned();
            let number = |i: usize| i64::from(row.get::<i32, _>(i).unwrap_or_default());
            expected.insert((text(0), text(1)), (number(2), number(3)));
        }
        let stored = target
            .query(
                "select day::text, warehouse, numerator::bigint, denominator::bigint from cdc.daily where metric = $1",
                &[&metric],
            )
            .await?;
        let stored: Figures =
            stored.iter().map(|row| ((row.get(0), row.get(1)), (row.get(2), row.get(3)))).collect();
        let differing = expected.iter().filter(|(key, value)| stored.get(*key) != Some(*value)).count()
            + stored.keys().filter(|key| !expected.contains_key(*key)).count();
        println!(
            "{metric:<24} {:>8} daily figures, {differing} different from the source's own count",
            expected.len()
        );
        if differing > 0 || expected.is_empty() {
            return Err(format!("{metric}: {differing} of {} daily figures differ", expected.len()).into());
        }
    }
    Ok(())
}

/// Waits until every table is in step, at `version` or later if one is given.
async fn until_in_step(
    warehouse: &mut Warehouse,
    source: &mut SqlServer,
    version: Option<i64>,
) -> Result<(), Failure> {
    let begun = Instant::now();
    let version = match version {
        Some(version) => version,
        None => current_version(source).await?,
    };
    let mut last = String::from("the API did not answer");
    while begun.elapsed() < PATIENCE {
        warehouse.check()?;
        match pipeline(warehouse).await {
            Ok(state) if in_step(&state, version) => return Ok(()),
            Ok(state) => last = state.to_string(),
            Err(error) => last = error.to_string(),
        }
        tokio::time::sleep(LOOK).await;
    }
    let log = std::fs::read_to_string(warehouse.folder.join("agent.log")).unwrap_or_default();
    let tail: Vec<_> = log.lines().rev().take(20).collect();
    Err(format!("not in step with version {version} after {PATIENCE:?}; last seen: {last}\nagent's log, newest first:\n{}", tail.join("\n")).into())
}

fn in_step(state: &Value, version: i64) -> bool {
    let source = &state["sources"][0];
    let position = source["position"].as_str().and_then(|text| text.parse::<i64>().ok());
    let tables = source["tables"].as_array().map(Vec::as_slice).unwrap_or_default();
    position.is_some_and(|position| position >= version)
        && tables.len() == TABLES.len()
        && tables.iter().all(|table| table["in_step"] == true)
}

async fn pipeline(warehouse: &Warehouse) -> Result<Value, Failure> {
    get(warehouse, "/api/pipeline/").await
}

async fn orders_today(warehouse: &Warehouse) -> Result<i64, Failure> {
    let answer = get(warehouse, "/api/data/daily_metrics/?metric=orders&date_range=today").await?;
    let results = answer["results"].as_array().ok_or("the API's answer has no results")?;
    let values =
        results.iter().filter_map(|row| row["value"].as_str()?.split('.').next()?.parse::<i64>().ok());
    Ok(values.sum())
}

async fn get(warehouse: &Warehouse, path: &str) -> Result<Value, Failure> {
    let url = format!("http://{}{path}", warehouse.api);
    let authorization = format!("Bearer {}", warehouse.token);
    let answer = tokio::task::spawn_blocking(move || {
        ureq::get(&url).header("Authorization", &authorization).call()?.body_mut().read_json::<Value>()
    });
    Ok(answer.await??)
}

async fn current_version(source: &mut SqlServer) -> Result<i64, Failure> {
    let rows = source.rows("SELECT CHANGE_TRACKING_CURRENT_VERSION()").await?;
    rows.first().and_then(|row| row.get(0)).ok_or_else(|| "Change Tracking is off at the source".into())
}
