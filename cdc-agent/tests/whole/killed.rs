//! The agent dies at any moment, PostgreSQL is restarted under it, the line is slow: rows and figures are exact at the end.

use crate::proxy::SlowLine;
use crate::site::{PATIENCE, Replicated, Site};
use crate::workload::{COMPARED, METRICS, SCHEMA, TABLES, Workload};
use rand::Rng;
use std::time::{Duration, Instant};

/// Kills over a direct line and over a slow one.
const KILLS: usize = 14;
const SLOW_KILLS: usize = 6;
const SLOW: Duration = Duration::from_millis(50);
/// The agent lives this long, in milliseconds, before it is killed; every second life begins to count with its first run.
const LIFE: std::ops::Range<u64> = 30..900;

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_it_goes_on_exactly() {
    let mut site = Site::new().await;
    site.source_client().await.script(SCHEMA).await.unwrap();
    site.configure(&Replicated { tables: TABLES, metrics: METRICS }, |text| text);
    site.agent_ok(&["migrate"]).await;
    let seed = rand::random_range(0..1_000_000_u64);
    println!("seed {seed}");
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let writer = tokio::spawn(Workload::new(seed).write(site.source_client().await, stopped));

    for kill in 0..KILLS {
        live_and_die(&mut site, kill % 2 == 1, kill == KILLS / 2).await;
    }
    let slow = SlowLine::to(site.postgres.port(), SLOW).await;
    site.target_port = slow.port;
    site.configure(&Replicated { tables: TABLES, metrics: METRICS }, |text| text);
    for _ in 0..SLOW_KILLS {
        live_and_die(&mut site, false, false).await;
    }
    let mut agent = site.start_agent();
    drop(stop);
    let transactions = writer.await.unwrap();
    site.until_caught_up().await;
    let rows = site.compare(&COMPARED).await;
    let verified = site.agent_ok(&["verify", "--metrics"]).await;
    let runs = applied_runs(&site).await;
    println!(
        "{verified}{} kills, {transactions} transactions, {runs} runs, {rows} rows, 0 different",
        KILLS + SLOW_KILLS
    );
    assert!(runs > KILLS as i64 / 2, "the agent was at work between the kills: {runs} runs");
    agent.kill().await.unwrap();
}

/// One life of the agent, ended by SIGKILL; PostgreSQL may be restarted in the middle of it.
async fn live_and_die(site: &mut Site, at_work: bool, restart_postgres: bool) {
    let before = applied_runs(site).await;
    let mut agent = site.start_agent();
    let begun = Instant::now();
    while at_work && applied_runs(site).await == before {
        assert!(begun.elapsed() < PATIENCE, "the agent applies nothing");
    }
    let life = Duration::from_millis(rand::rng().random_range(LIFE));
    tokio::time::sleep(life).await;
    if restart_postgres {
        site.until_caught_up().await;
        site.postgres.stop();
        site.postgres.resume().unwrap();
        site.until_caught_up().await;
        let state = agent.try_wait().unwrap();
        assert!(state.is_none(), "the agent outlives a restart of PostgreSQL, but ended: {state:?}");
    }
    agent.kill().await.unwrap();
}

async fn applied_runs(site: &Site) -> i64 {
    let sql = "select coalesce(max(applied_sequence), 0) from cdc.stream";
    site.target().await.query_one(sql, &[]).await.unwrap().get(0)
}
