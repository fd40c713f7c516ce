//! What an operator asks of a running agent: to leave a table alone and take it up again, to read keys in quarantine again.

use crate::site::{Replicated, Site};
use crate::workload::{COMPARED, METRICS, SCHEMA, TABLES, Workload};
use std::time::Duration;

async fn streaming_site(seed: u64) -> (Site, Workload, tokio::process::Child) {
    let site = Site::new().await;
    site.source_client().await.script(SCHEMA).await.unwrap();
    site.configure(&Replicated { tables: TABLES, metrics: METRICS }, |text| text);
    site.agent_ok(&["migrate"]).await;
    let mut workload = Workload::new(seed);
    work(&site, &mut workload).await;
    let agent = site.start_agent();
    site.until_caught_up().await;
    (site, workload, agent)
}

async fn work(site: &Site, workload: &mut Workload) {
    for _ in 0..40 {
        site.source.execute(&workload.transaction()).await.unwrap();
    }
}

async fn assert_exact(site: &Site) {
    site.until_caught_up().await;
    println!("{} rows; {}", site.compare(&COMPARED).await, site.agent_ok(&["verify", "--metrics"]).await);
}

/// Every row of the target's lines as one text.
async fn lines(site: &Site) -> String {
    let sql = "select coalesce(string_agg(l::text, ';' order by wh, id, line), '') from wms.lines l";
    site.target().await.query_one(sql, &[]).await.unwrap().get(0)
}

async fn conditions(site: &Site) -> Vec<String> {
    let sql = "select name || ' ' || condition from cdc.table_condition order by 1";
    site.target().await.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Runs a command that is to fail with this exit code; returns what it said.
async fn refused(site: &Site, arguments: &[&str], exit: i32) -> String {
    let output = site.agent(arguments).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_table_stands_still_through_a_restart_and_goes_on_by_its_changes_alone() {
    let (site, mut workload, mut agent) = streaming_site(31).await;
    site.agent_ok(&["pause", "--table", "dbo.lines"]).await;
    assert!(refused(&site, &["pause", "--table", "lines"], 1).await.contains("paused already"));
    assert!(refused(&site, &["resync", "--table", "lines"], 1).await.contains("resume it first"));
    assert!(refused(&site, &["resume", "--table", "orders"], 1).await.contains("not paused"));
    let paused = lines(&site).await;
    work(&site, &mut workload).await;
    site.until_caught_up().await;
    site.compare(&COMPARED[..1]).await;

    agent.kill().await.unwrap();
    agent = site.start_agent();
    work(&site, &mut workload).await;
    site.until_caught_up().await;
    assert_eq!(lines(&site).await, paused, "a paused table stands still");
    assert_eq!(conditions(&site).await, ["lines paused"]);
    assert!(site.agent_ok(&["status"]).await.contains("paused: asked for by"));

    let changed: i64 = site.source_client().await.rows("SELECT COUNT_BIG(*) FROM dbo.lines").await.unwrap()
        [0]
    .get(0)
    .unwrap();
    let said = site.agent_ok(&["resume", "--table", "lines"]).await;
    println!("{said}of {changed} rows at the source");
    assert_exact(&site).await;
    assert!(conditions(&site).await.is_empty());
    agent.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_lost_its_history_while_it_was_paused_is_loaded_whole() {
    let (site, mut workload, mut agent) = streaming_site(32).await;
    site.agent_ok(&["pause", "--table", "lines"]).await;
    site.source.execute("TRUNCATE TABLE dbo.lines").await.unwrap();
    work(&site, &mut workload).await;
    site.until_caught_up().await;
    agent.kill().await.unwrap();
    agent = site.start_agent();
    site.agent_ok(&["resume", "--table", "lines"]).await;
    assert_exact(&site).await;

    site.agent_ok(&["pause", "--table", "lines"]).await;
    site.source.execute("DELETE FROM dbo.lines WHERE line > 0").await.unwrap();
    site.until_caught_up().await;
    let engine = site.source.engine();
    engine.advance_clock(Duration::from_secs(3 * 24 * 3_600));
    engine.cleanup(engine.database_id("wms").unwrap());
    site.source.execute("UPDATE dbo.orders SET note = N'after the clean-up'").await.unwrap();
    site.agent_ok(&["resume", "--table", "lines"]).await;
    assert_exact(&site).await;
    agent.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_in_quarantine_are_named_and_read_again_once_the_target_takes_them() {
    let (site, _, mut agent) = streaming_site(33).await;
    let target = site.target().await;
    target.batch_execute("alter table wms.orders add constraint no_bad check (note <> 'bad')").await.unwrap();
    site.source.execute("UPDATE TOP (3) dbo.orders SET note = N'bad'").await.unwrap();
    site.until_caught_up().await;
    assert_eq!(site.agent_ok(&["quarantine", "list"]).await.matches("no_bad").count(), 3);
    assert_eq!(conditions(&site).await, ["orders degraded"]);
    let said = site.agent(&["quarantine", "retry", "--table", "orders"]).await;
    assert_eq!(said.status.code(), Some(6), "they are still refused");

    target.batch_execute("alter table wms.orders drop constraint no_bad").await.unwrap();
    site.agent_ok(&["quarantine", "retry", "--table", "orders"]).await;
    assert_exact(&site).await;
    assert!(conditions(&site).await.is_empty());
    assert!(
        refused(&site, &["quarantine", "retry", "--table", "orders"], 1).await.contains("none of its keys")
    );
    agent.kill().await.unwrap();
}
