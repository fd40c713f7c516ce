//! What the overview must notice: every way in which history is lost.

use crate::site::Site;
use cdc_agent::source::{CapturedTable, Overview, Standing};
use proto::{Incarnation, Version};
use std::collections::BTreeMap;

const ORDERS: &str = "CREATE TABLE dbo.orders (id int NOT NULL PRIMARY KEY)";

async fn overview(site: &Site, tables: &BTreeMap<String, CapturedTable>) -> Overview {
    site.connect().await.overview(tables).await.unwrap()
}

async fn orders(site: &Site) -> (BTreeMap<String, CapturedTable>, Incarnation) {
    site.track(&["dbo.orders"]).await;
    let tables = site.capture(&["dbo.orders"]).await;
    let (incarnation, _) = tracked(&overview(site, &tables).await);
    (tables, incarnation)
}

fn tracked(overview: &Overview) -> (Incarnation, Version) {
    match &overview.tables["orders"] {
        Standing::Tracked { incarnation, min_valid } => (incarnation.clone(), *min_valid),
        Standing::Unusable { reason } => panic!("{reason}"),
    }
}

#[tokio::test]
async fn version_and_clock_advance_and_the_incarnation_stays() {
    let site = Site::new(ORDERS).await;
    let (tables, incarnation) = orders(&site).await;
    let before = overview(&site, &tables).await;
    site.run("INSERT INTO dbo.orders VALUES (1)").await;
    let after = overview(&site, &tables).await;
    assert_eq!(after.version, Version(before.version.0 + 1));
    assert!(after.moment.source_clock >= before.moment.source_clock);
    assert_eq!(tracked(&after).0, incarnation);
    assert_eq!(after.marks().count(), 1);
}

#[tokio::test]
async fn without_tables_the_version_is_still_known() {
    let site = Site::new("").await;
    let overview = overview(&site, &BTreeMap::new()).await;
    assert_eq!((overview.version, overview.tables.len()), (Version(0), 0));
}

#[tokio::test]
async fn every_loss_of_history_changes_the_incarnation() {
    for loss in [
        "TRUNCATE TABLE dbo.orders",
        "ALTER TABLE dbo.orders DISABLE CHANGE_TRACKING; ALTER TABLE dbo.orders ENABLE CHANGE_TRACKING",
        "DROP TABLE dbo.orders; CREATE TABLE dbo.orders (id int NOT NULL PRIMARY KEY); \
         ALTER TABLE dbo.orders ENABLE CHANGE_TRACKING",
    ] {
        let site = Site::new(ORDERS).await;
        let (tables, incarnation) = orders(&site).await;
        site.run("INSERT INTO dbo.orders VALUES (1)").await;
        for statement in loss.split("; ") {
            site.run(statement).await;
        }
        let (now, _) = tracked(&overview(&site, &tables).await);
        assert_ne!(now, incarnation, "{loss}");
    }
}

#[tokio::test]
async fn a_table_that_cannot_be_followed_says_why_and_the_others_go_on() {
    let site = Site::new(ORDERS).await;
    site.run("CREATE TABLE dbo.items (id int NOT NULL PRIMARY KEY)").await;
    site.track(&["dbo.orders", "dbo.items"]).await;
    let tables = site.capture(&["dbo.orders", "dbo.items"]).await;
    site.run("ALTER TABLE dbo.orders DISABLE CHANGE_TRACKING").await;
    let seen = overview(&site, &tables).await;
    assert!(
        matches!(&seen.tables["orders"], Standing::Unusable { reason } if reason.contains("Change Tracking is off"))
    );
    assert!(matches!(seen.tables["items"], Standing::Tracked { .. }));
    site.run("DROP TABLE dbo.orders").await;
    let seen = overview(&site, &tables).await;
    assert!(matches!(&seen.tables["orders"], Standing::Unusable { reason } if reason.contains("gone")));
}

#[tokio::test]
async fn a_commit_keeps_its_identity() {
    let site = Site::new(ORDERS).await;
    orders(&site).await;
    site.run("INSERT INTO dbo.orders VALUES (1)").await;
    let mut connection = site.connect().await;
    assert!(connection.commits_readable());
    let first = connection.latest().await.unwrap();
    site.run("INSERT INTO dbo.orders VALUES (2)").await;
    let second = connection.latest().await.unwrap();
    assert!(first.identity.is_some());
    assert_ne!(first.identity, second.identity);
    assert_eq!(connection.identity_of(first.version).await.unwrap(), first.identity);
    assert_eq!(connection.identity_of(Version(second.version.0 + 1)).await.unwrap(), None);
}
