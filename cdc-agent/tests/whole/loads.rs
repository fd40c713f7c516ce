//! Loads that do not fit one cut: resumed after a kill, with changes streaming, ending by what the source says of the keys not met.

use crate::site::{Replicated, Site};
use crate::workload::{COMPARED, METRICS, SCHEMA, TABLES, Workload};
use std::time::Duration;

const ORDERS: usize = 900;
/// Kills while the load is under way.
const KILLS: usize = 6;

/// Chunks and cuts so small that every load takes many of them, and that one statement over the table is a window too large.
fn small_cuts(text: String) -> String {
    text.replace("poll_interval_ms = 20", "poll_interval_ms = 20\nchunk_rows = 20\nmax_cut_rows = 60")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_of_many_cuts_survives_kills_and_changes_and_meets_every_key() {
    let site = Site::new().await;
    site.source_client().await.script(SCHEMA).await.unwrap();
    site.configure(&Replicated { tables: TABLES, metrics: METRICS }, small_cuts);
    site.agent_ok(&["migrate"]).await;
    let mut workload = Workload::new(21);
    site.source.execute(&workload.enter_many(ORDERS)).await.unwrap();

    for kill in 0..KILLS {
        let mut agent = site.start_agent();
        tokio::time::sleep(Duration::from_millis(150 + 60 * kill as u64)).await;
        agent.kill().await.unwrap();
        for _ in 0..10 {
            site.source.execute(&workload.transaction()).await.unwrap();
        }
    }
    let mut agent = site.start_agent();
    site.until_caught_up().await;
    println!("first load: {} rows", site.compare(&COMPARED).await);

    // Rows go unseen: the load has to find them by the keys that it does not meet.
    let unseen = "ALTER TABLE dbo.lines DISABLE CHANGE_TRACKING; DELETE FROM dbo.lines WHERE id % 3 = 0; \
                  ALTER TABLE dbo.lines ENABLE CHANGE_TRACKING; UPDATE dbo.orders SET note = N'x' WHERE id = 1";
    site.source.execute(unseen).await.unwrap();
    site.until_caught_up().await;
    println!("after unseen deletions: {} rows", site.compare(&COMPARED).await);

    // One transaction larger than a cut, and more changes while its keys are read.
    site.source.execute("UPDATE dbo.orders SET note = N'a large transaction'").await.unwrap();
    for _ in 0..20 {
        site.source.execute(&workload.transaction()).await.unwrap();
    }
    site.source.execute("UPDATE dbo.orders SET note = N'and another one'").await.unwrap();
    site.until_caught_up().await;
    let rows = site.compare(&COMPARED).await;
    println!("{}after large windows: {rows} rows", site.agent_ok(&["verify", "--metrics"]).await);
    agent.kill().await.unwrap();
}
