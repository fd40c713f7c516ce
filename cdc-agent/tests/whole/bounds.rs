//! Where something has a bound: the journal, the bytes of a cut, and a source that allows no snapshots.

use crate::site::{PATIENCE, Replicated, Site};
use crate::workload::{COMPARED, METRICS, SCHEMA, TABLES, Workload};
use std::time::{Duration, Instant};

/// The smallest journal that a configuration may ask for; a cut takes half of it.
const SMALL_JOURNAL: &str = "folder = \"journal\"\nmax_bytes = 1048576";

fn small_journal(text: String) -> String {
    text.replace("folder = \"journal\"", SMALL_JOURNAL)
}

async fn site(schema: &str) -> Site {
    let site = Site::new().await;
    site.source_client().await.script(schema).await.unwrap();
    site.configure(&Replicated { tables: TABLES, metrics: METRICS }, small_journal);
    site.agent_ok(&["migrate"]).await;
    site
}

async fn assert_exact(site: &Site) {
    site.until_caught_up().await;
    println!("{} rows; {}", site.compare(&COMPARED).await, site.agent_ok(&["verify", "--metrics"]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_journal_leaves_the_changes_at_the_source_until_the_target_is_back() {
    let mut site = site(SCHEMA).await;
    let mut workload = Workload::new(41);
    site.source.execute(&workload.enter_many(900)).await.unwrap();
    let mut agent = site.start_agent();
    site.until_caught_up().await;
    site.postgres.stop();
    let begun = Instant::now();
    let mut statements = 0;
    while site.gauge("cdc_journal_full").await != 1.0 {
        assert!(begun.elapsed() < PATIENCE, "the journal does not fill");
        let note = format!("UPDATE dbo.orders SET note = REPLICATE(N'{}', 200)", statements % 10);
        site.source.execute(&note).await.unwrap();
        statements += 1;
    }
    for _ in 0..200 {
        site.source.execute(&workload.transaction()).await.unwrap();
    }
    println!("{statements} statements filled it with {} bytes", site.gauge("cdc_journal_bytes").await);
    site.postgres.resume().unwrap();
    assert_exact(&site).await;
    let begun = Instant::now();
    while site.gauge("cdc_journal_full").await != 0.0 {
        assert!(begun.elapsed() < PATIENCE, "the journal stays full");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    agent.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_of_too_many_bytes_becomes_a_load_over_its_keys() {
    let site = site(SCHEMA).await;
    let mut workload = Workload::new(42);
    for _ in 0..4 {
        site.source.execute(&workload.enter_many(900)).await.unwrap();
    }
    let mut agent = site.start_agent();
    site.until_caught_up().await;
    site.source.execute("UPDATE dbo.orders SET note = REPLICATE(N'w', 200)").await.unwrap();
    for _ in 0..20 {
        site.source.execute(&workload.transaction()).await.unwrap();
    }
    assert_exact(&site).await;
    assert!(site.log().contains("bytes in one cut"), "the window fitted its cut");
    agent.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_snapshots_the_tables_arrive_and_say_that_they_are_never_in_step() {
    let allow = "ALTER DATABASE CURRENT SET ALLOW_SNAPSHOT_ISOLATION ON";
    assert!(SCHEMA.contains(allow));
    let site = site(&SCHEMA.replace(allow, "")).await;
    let mut workload = Workload::new(43);
    let mut agent = site.start_agent();
    for _ in 0..60 {
        site.source.execute(&workload.transaction()).await.unwrap();
    }
    assert_exact(&site).await;
    let mends = allow.replace("CURRENT", "[wms]");
    assert!(site.agent_ok(&["check"]).await.contains(&mends), "check says what ends this state");
    let status = site.agent_ok(&["status"]).await;
    assert_eq!(status.matches("degraded: the source does not allow snapshots").count(), 2, "{status}");
    agent.kill().await.unwrap();

    site.source.execute(allow).await.unwrap();
    let mut agent = site.start_agent();
    site.source.execute(&workload.transaction()).await.unwrap();
    assert_exact(&site).await;
    let status = site.agent_ok(&["status"]).await;
    assert!(!status.contains("degraded"), "{status}");
    agent.kill().await.unwrap();
}
