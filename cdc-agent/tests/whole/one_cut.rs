//! Every committed state of the target is one instant of the source: orders and lines agree in each of them.
//!
//! A writer changes both tables in single transactions, as fast as it can. Capture and applier run step by step in this process, so
//! that a reader looks at the target after every single commit. The controls turn off what makes the cut one instant.

use crate::site::{Replicated, Site};
use crate::workload::{METRICS, SCHEMA, TABLES, Workload};
use cdc_agent::config::Config;
use cdc_agent::source::Isolation;
use cdc_agent::stream::StepByStep;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Transactions that the writer may run during one step.
const TRANSACTIONS_PER_STEP: usize = 6;

/// States looked at, and states after which a control must have failed.
const STATES: usize = 3_000;
const CONTROL_STATES: usize = 3_000;

const DISAGREEING: &str = "select count(*) from (select wh__key, id, sum(qty) as units from wms.lines group by 1, 2) l \
     full join wms.orders o on o.wh__key = l.wh__key and o.id = l.id where o.units is distinct from l.units";

/// How a cut is read.
struct Reading {
    isolation: Isolation,
    upper_filter: bool,
}

/// Looks at up to `states` committed states; returns how many were looked at before one in which orders and lines disagree.
async fn agreeing_states(reading: Reading, states: usize) -> (usize, bool) {
    let site = Site::new().await;
    site.source_client().await.script(SCHEMA).await.unwrap();
    site.configure(&Replicated { tables: TABLES, metrics: METRICS }, |text| text);
    site.agent_ok(&["migrate"]).await;
    let config = Config::load(&site.config_file()).unwrap();
    let mut stream = StepByStep::begin(&config).await.unwrap();
    stream.read_with(reading.isolation, reading.upper_filter).await.unwrap();
    let seed = rand::random_range(0..1_000_000_u64);
    println!("seed {seed}");
    let pace = Arc::new(Semaphore::new(0));
    let writer =
        tokio::spawn(Workload::new(seed).write_at_pace(site.source_client().await, Arc::clone(&pace)));
    let reader = site.target().await;
    let mut seen = 0;
    let agreed = loop {
        // The writer is at work while the cut is read, and leaves the rest of the machine to the agent.
        pace.add_permits(TRANSACTIONS_PER_STEP);
        if stream.step().await.unwrap() {
            let disagreeing: i64 = reader.query_one(DISAGREEING, &[]).await.unwrap().get(0);
            if disagreeing > 0 {
                break false;
            }
            seen += 1;
        }
        if seen == states {
            break true;
        }
    };
    pace.close();
    println!("{} transactions, {seen} states", writer.await.unwrap());
    (seen, agreed)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_committed_state_is_one_instant_of_the_source() {
    let reading = Reading { isolation: Isolation::Snapshot, upper_filter: false };
    assert_eq!(agreeing_states(reading, STATES).await, (STATES, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_snapshot_orders_and_lines_disagree() {
    let reading = Reading { isolation: Isolation::ReadCommitted, upper_filter: false };
    let (_, agreed) = agreeing_states(reading, CONTROL_STATES).await;
    assert!(!agreed, "the control did not see the harm");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_upper_version_filter_orders_and_lines_disagree() {
    let reading = Reading { isolation: Isolation::Snapshot, upper_filter: true };
    let (_, agreed) = agreeing_states(reading, CONTROL_STATES).await;
    assert!(!agreed, "the control did not see the harm");
}
