//! Lines that break and signals: the agent reads on, and ends when it is asked to.

use crate::site::{Replicated, Site};
use crate::workload::{COMPARED, METRICS, SCHEMA, TABLES, Workload};
use rand::Rng;
use std::time::{Duration, Instant};
use tokio::process::Command;

/// Times that every connection of the source is cut, and transactions after each.
const CUTS: usize = 25;
const TRANSACTIONS: usize = 30;
/// Bytes after which a line is cut: in the login, in a window, in the middle of a row.
const BYTES: std::ops::Range<u64> = 1..60_000;
const STOP_LIMIT: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_source_whose_lines_break_anywhere_is_read_on_exactly() {
    let site = Site::new().await;
    site.source_client().await.script(SCHEMA).await.unwrap();
    site.configure(&Replicated { tables: TABLES, metrics: METRICS }, |text| text);
    site.agent_ok(&["migrate"]).await;
    let mut agent = site.start_agent();
    site.until_caught_up().await;
    let seed = rand::random_range(0..1_000_000_u64);
    println!("seed {seed}");
    let mut workload = Workload::new(seed);
    for _ in 0..CUTS {
        site.source.faults().cut_after(rand::rng().random_range(BYTES));
        for _ in 0..TRANSACTIONS {
            // In the server's own process: the faults are for the agent's lines.
            site.source.execute(&workload.transaction()).await.unwrap();
        }
    }
    site.source.faults().clear();
    site.until_caught_up().await;
    let rows = site.compare(&COMPARED).await;
    println!("{}{rows} rows after {CUTS} cuts", site.agent_ok(&["verify", "--metrics"]).await);
    assert!(agent.try_wait().unwrap().is_none(), "the agent outlives broken lines");
    agent.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_the_agent_in_time_with_and_without_its_databases() {
    let mut site = Site::new().await;
    site.source_client().await.script(SCHEMA).await.unwrap();
    site.configure(&Replicated { tables: TABLES, metrics: METRICS }, |text| text);
    site.agent_ok(&["migrate"]).await;
    for postgres_away in [false, true] {
        let mut agent = site.start_agent();
        site.until_streaming().await;
        if postgres_away {
            site.postgres.stop();
        }
        let process = agent.id().unwrap().to_string();
        let asked = Instant::now();
        assert!(Command::new("kill").args(["-TERM", &process]).status().await.unwrap().success());
        let ended = tokio::time::timeout(STOP_LIMIT, agent.wait()).await.expect("it ends in time").unwrap();
        println!("PostgreSQL away: {postgres_away}; ended after {:?}", asked.elapsed());
        assert_eq!(ended.code(), Some(0));
    }
}
