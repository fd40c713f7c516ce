//! What `check` finds, and that the statements it prints mend it.

use crate::site::{Site, table};
use cdc_agent::config::Table;
use cdc_agent::source::{Finding, Severity, SourceError};

const ORDERS: &str =
    "CREATE TABLE dbo.orders (id int NOT NULL PRIMARY KEY, total AS (id * 2), shape nvarchar(10) NULL)";

async fn findings(site: &Site, tables: &[Table]) -> Vec<Finding> {
    let mut connection = site.connect_as("agent", "Secret123!").await.unwrap();
    connection.survey(tables).await.unwrap().findings("agent")
}

async fn site() -> Site {
    let site = Site::bare(ORDERS).await;
    site.run("CREATE LOGIN agent WITH PASSWORD = 'Secret123!'").await;
    site.run("CREATE USER agent FOR LOGIN agent").await;
    site
}

#[tokio::test]
async fn the_statements_that_check_prints_mend_what_it_finds() {
    let site = site().await;
    let tables = [table("dbo.orders")];
    let mut runs = 0;
    loop {
        let found = findings(&site, &tables).await;
        let mends: Vec<_> = found
            .iter()
            .filter(|finding| finding.severity > Severity::Notice)
            .map(|finding| finding.mend.clone().unwrap_or_else(|| panic!("{finding:?} has no remedy")))
            .collect();
        if mends.is_empty() {
            break;
        }
        for mend in mends {
            site.run(&mend).await;
        }
        runs += 1;
        assert!(runs < 4, "still to be mended: {:?}", findings(&site, &tables).await);
    }
    let left = findings(&site, &tables).await;
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!((left[0].severity, left[0].subject.as_str()), (Severity::Notice, "dbo.orders.total"));
}

#[tokio::test]
async fn names_that_are_not_there_are_suggested() {
    let site = site().await;
    site.run("GRANT SELECT ON dbo.orders TO agent").await;
    let misspelt = table("dbo.ordrs");
    let mut with_column = table("dbo.orders");
    with_column.columns_excluded = vec!["shap".into()];
    let found = findings(&site, &[misspelt.clone(), with_column]).await;
    let texts = found.iter().map(|finding| finding.text_en.as_str()).collect::<Vec<_>>().join("\n");
    assert!(texts.contains("did you mean dbo.orders?"), "{texts}");
    assert!(texts.contains("did you mean shape?"), "{texts}");
    site.run("ALTER DATABASE wms SET CHANGE_TRACKING = ON").await;
    let error = site.connect().await.describe(&[misspelt]).await.unwrap_err();
    assert!(matches!(error, SourceError::UnknownTable { .. }));
}

#[tokio::test]
async fn a_table_without_a_key_is_named_with_what_can_be_done() {
    let site = site().await;
    site.run("CREATE TABLE dbo.log (at datetime NOT NULL, line nvarchar(100) NOT NULL)").await;
    site.run("GRANT SELECT ON dbo.log TO agent").await;
    let found = findings(&site, &[table("dbo.log")]).await;
    let keyless =
        found.iter().find(|finding| finding.subject == "dbo.log" && finding.text_en.contains("primary key"));
    let mend = keyless.and_then(|finding| finding.mend.clone()).unwrap_or_else(|| panic!("{found:?}"));
    site.run(&mend).await;
    let found = findings(&site, &[table("dbo.log")]).await;
    assert!(!found.iter().any(|finding| finding.text_en.contains("primary key")), "{found:?}");
}

#[tokio::test]
async fn a_database_that_does_not_track_is_refused() {
    let site = site().await;
    let error = site.connect().await.describe(&[table("dbo.orders")]).await.unwrap_err();
    assert!(matches!(&error, SourceError::TrackingOff { database } if database == "wms"), "{error}");
    let error = site.connect().await.latest().await.unwrap_err();
    assert!(matches!(error, SourceError::TrackingOff { .. }), "{error}");
}
