//! Lost history: whatever empties or restarts a table's tracking ends in a load, and rows and figures are exact again.

use crate::site::{Replicated, Site};
use crate::workload::{COMPARED, METRICS, SCHEMA, TABLES, Workload};

/// What happens to `dbo.lines` (and only to it, so that every other table streams on) while nobody tracks it.
const LOSSES: [(&str, &[&str]); 3] = [
    ("truncated", &["TRUNCATE TABLE dbo.lines", "INSERT INTO dbo.lines VALUES (N'MEX1', 900001, 0, 3)"]),
    (
        "tracking off and on",
        &[
            "ALTER TABLE dbo.lines DISABLE CHANGE_TRACKING",
            "UPDATE dbo.lines SET qty = qty + 1",
            "DELETE FROM dbo.lines WHERE line = 1",
            "ALTER TABLE dbo.lines ENABLE CHANGE_TRACKING",
        ],
    ),
    (
        "dropped and created again",
        &[
            "DROP TABLE dbo.lines",
            "CREATE TABLE dbo.lines (wh NVARCHAR(10) NOT NULL, id INT NOT NULL, line INT NOT NULL, qty INT NOT NULL, \
             CONSTRAINT pk_lines PRIMARY KEY (wh, id, line))",
            "INSERT INTO dbo.lines VALUES (N'SJU1', 1, 0, 5), (N'SJU1', 900002, 0, 7)",
            "ALTER TABLE dbo.lines ENABLE CHANGE_TRACKING",
        ],
    ),
];

async fn site_with_rows() -> Site {
    let site = Site::new().await;
    site.source_client().await.script(SCHEMA).await.unwrap();
    site.configure(&Replicated { tables: TABLES, metrics: METRICS }, |text| text);
    site.agent_ok(&["migrate"]).await;
    let mut workload = Workload::new(11);
    for _ in 0..60 {
        site.source.execute(&workload.transaction()).await.unwrap();
    }
    site
}

async fn assert_exact(site: &Site, after: &str) {
    site.until_caught_up().await;
    let rows = site.compare(&COMPARED).await;
    println!("{after}: {rows} rows; {}", site.agent_ok(&["verify", "--metrics"]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_whose_history_is_lost_is_loaded_again_while_the_others_stream() {
    let site = site_with_rows().await;
    for away in [false, true] {
        for (loss, statements) in LOSSES {
            let mut agent = site.start_agent();
            site.until_caught_up().await;
            if away {
                agent.kill().await.unwrap();
            }
            for statement in statements {
                site.source.execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
            }
            if away {
                agent = site.start_agent();
            }
            site.source.execute("UPDATE dbo.orders SET note = N'moves the version'").await.unwrap();
            assert_exact(&site, loss).await;
            agent.kill().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_was_away_longer_than_changes_are_kept_loads_what_it_missed() {
    let site = site_with_rows().await;
    site.agent_ok(&["run", "--once"]).await;
    let mut workload = Workload::new(12);
    site.source.execute("DELETE FROM dbo.orders; DELETE FROM dbo.lines").await.unwrap();
    site.source.execute(&workload.enter_many(20)).await.unwrap();
    let engine = site.source.engine();
    let database = engine.database_id("wms").unwrap();
    engine.advance_clock(std::time::Duration::from_secs(3 * 24 * 3_600));
    engine.cleanup(database);
    site.agent_ok(&["run", "--once"]).await;
    assert_exact(&site, "retention passed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_may_ask_for_a_table_again_while_it_streams() {
    let site = site_with_rows().await;
    let mut agent = site.start_agent();
    site.until_caught_up().await;
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let writer = tokio::spawn(Workload::new(13).write_new_orders(site.source_client().await, stopped));
    let said = site.agent_ok(&["resync", "--table", "dbo.orders"]).await;
    drop(stop);
    println!("{said}{} transactions meanwhile", writer.await.unwrap());
    assert_exact(&site, "asked for").await;
    let refused = site.agent(&["resync", "--table", "oders"]).await;
    assert_eq!(refused.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("orders"));
    agent.kill().await.unwrap();
}
