//! Comparing rows with the source while changes stream: what was planted is found, nothing else is, and only that is repaired.

use crate::site::{Replicated, Site};
use crate::workload::{COMPARED, METRICS, SCHEMA, TABLES, Workload};
use std::collections::BTreeSet;
use std::convert::Infallible;

const ORDERS: usize = 900;
const PLANTED: usize = 300;

/// Differences as a person could make them in the target: `(what, statement)`; keys are those of orders that no workload touches.
const PLANTS: [(&str, &str); 5] = [
    ("different", "update wms.orders set units = units + 1 where id % 15 = 1"),
    ("different", "update wms.orders set note = 'planted' where id % 15 = 2"),
    ("different", "update wms.orders set shipped_at = null where id % 15 = 3"),
    ("missing", "delete from wms.orders where id % 15 = 4"),
    (
        "extra",
        "insert into wms.orders select (jsonb_populate_record(o, jsonb_build_object('id', id + 700000))).* \
         from wms.orders o where id % 15 = 5",
    ),
];

/// A site whose tables take many cuts to read.
async fn site() -> Site {
    let site = Site::new().await;
    site.source_client().await.script(SCHEMA).await.unwrap();
    site.configure(&Replicated { tables: TABLES, metrics: METRICS }, |text| {
        text.replace("poll_interval_ms = 20", "poll_interval_ms = 20\nchunk_rows = 50\nmax_cut_rows = 400")
    });
    site.agent_ok(&["migrate"]).await;
    site.source.execute(&Workload::new(51).enter_many(ORDERS)).await.unwrap();
    site
}

/// What a comparison printed that ended with this exit code. One that gave way to a load is asked for again, as it says.
async fn compared(site: &Site, arguments: &[&str], exit: i32) -> String {
    loop {
        let output = site.agent(arguments).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if said.contains("ask again") {
            continue;
        }
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {said}");
        return String::from_utf8(output.stdout).unwrap();
    }
}

/// New orders, each transaction once the target has the one before.
async fn write_in_step(site: &Site) -> Infallible {
    let mut workload = Workload::new(52);
    workload.leave_numbers_below(500_000);
    loop {
        site.source.execute(&workload.enter_many(3)).await.unwrap();
        site.until_position().await;
    }
}

async fn find_and_repair(site: &Site, planted: &BTreeSet<String>) {
    let clean = compared(site, &["verify", "--table", "dbo.lines"], 0).await;
    assert!(clean.contains(" 0 different"), "{clean}");
    let said = compared(site, &["verify", "--table", "orders"], 6).await;
    assert!(&found(&said) == planted, "{said}");
    assert!(said.contains("different in units\n") && said.contains("different in shipped_at\n"), "{said}");
    let repaired = compared(site, &["verify", "--table", "orders", "--repair"], 0).await;
    assert!(&found(&repaired) == planted, "{repaired}");
}

fn found(said: &str) -> BTreeSet<String> {
    let lines = said.lines().filter(|line| line.starts_with("orders ["));
    lines.map(|line| line.split(" in ").next().unwrap().trim_end_matches(", repaired").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn planted_differences_are_found_under_load_and_nothing_else_and_only_they_are_repaired() {
    let site = site().await;
    let mut agent = site.start_agent();
    site.until_caught_up().await;
    let target = site.target().await;
    let mut planted = BTreeSet::new();
    for (kind, statement) in PLANTS {
        let rows = target.query(&format!("{statement} returning id"), &[]).await.unwrap();
        planted.extend(rows.iter().map(|row| format!("orders [\"MEX1\", {}] {kind}", row.get::<_, i32>(0))));
    }
    assert_eq!(planted.len(), PLANTED);
    let before: std::time::SystemTime =
        target.query_one("select clock_timestamp()", &[]).await.unwrap().get(0);
    tokio::select! {
        never = write_in_step(&site) => match never {},
        () = find_and_repair(&site, &planted) => {}
    }
    site.until_caught_up().await;
    let untouched = "select count(*) from wms.orders where cdc_applied_at > $1 and id < 500000";
    let written: i64 = target.query_one(untouched, &[&before]).await.unwrap().get(0);
    let expected = planted.iter().filter(|line| !line.ends_with("extra")).count();
    assert_eq!(usize::try_from(written), Ok(expected), "rows written that the workload does not touch");
    println!(
        "{} rows; {}",
        site.compare(&COMPARED).await,
        site.agent_ok(&["verify", "--all", "--metrics"]).await
    );
    agent.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_gives_way_to_a_window_that_fits_no_cut_and_loses_nothing() {
    let site = site().await;
    let mut agent = site.start_agent();
    site.until_caught_up().await;
    let compared = tokio::spawn({
        let command = site.command(&["verify", "--table", "orders", "--repair"]).output();
        async move { command.await.unwrap() }
    });
    for round in 0..20 {
        let all = format!("UPDATE dbo.orders SET note = N'round {round}'");
        site.source.execute(&all).await.unwrap();
    }
    let compared = compared.await.unwrap();
    println!("{}{}", String::from_utf8_lossy(&compared.stdout), String::from_utf8_lossy(&compared.stderr));
    site.until_caught_up().await;
    println!(
        "{} rows; {}",
        site.compare(&COMPARED).await,
        site.agent_ok(&["verify", "--all", "--metrics"]).await
    );
    agent.kill().await.unwrap();
}
