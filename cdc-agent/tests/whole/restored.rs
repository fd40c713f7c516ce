//! A source that is restored from an older backup: its past is another one, and the agent begins a new history.

use crate::site::{Replicated, Site};
use crate::workload::{COMPARED, METRICS, SCHEMA, TABLES, Workload};
use mssql_sim::faults::{Effect, Fault, Point, Strikes};

/// Transactions that only the target remembers after the restore.
const LOST: usize = 15;
/// What happens at the restored source before the agent looks at it: its versions stay behind those that the agent has seen,
/// come to the same one, or overtake it.
const SINCE: [(&str, usize); 3] = [("behind", 3), ("level", LOST), ("overtaken", LOST + 25)];

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_source_is_found_out_and_loaded_in_a_new_history() {
    let site = Site::new().await;
    site.source_client().await.script(SCHEMA).await.unwrap();
    site.configure(&Replicated { tables: TABLES, metrics: METRICS }, |text| text);
    site.agent_ok(&["migrate"]).await;
    let mut workload = Workload::new(17);
    write(&site, &mut workload, 60).await;
    for away in [false, true] {
        for (standing, since) in SINCE {
            let mut agent = site.start_agent();
            site.until_caught_up().await;
            let backup = site.source.save("wms").await.unwrap();
            write(&site, &mut workload, LOST).await;
            site.until_caught_up().await;
            let before = site.history().await;

            if away {
                agent.kill().await.unwrap();
            }
            // Nobody gets in until the source stands as it is to be found.
            let closed = Fault { strikes: Strikes::Always, ..Fault::new(Point::Connect, Effect::Close) };
            site.source.faults().arm(closed).unwrap();
            site.source.restore("wms", &backup).await.unwrap();
            write(&site, &mut workload, since).await;
            site.source.faults().clear();
            if away {
                agent = site.start_agent();
            }

            site.until_history_after(before).await;
            site.until_caught_up().await;
            let rows = site.compare(&COMPARED).await;
            let figures = site.agent_ok(&["verify", "--metrics"]).await;
            println!("{standing}, agent {}: {rows} rows; {figures}", if away { "away" } else { "there" });
            agent.kill().await.unwrap();
        }
    }
}

async fn write(site: &Site, workload: &mut Workload, transactions: usize) {
    for _ in 0..transactions {
        site.source.execute(&workload.transaction()).await.unwrap();
    }
}
