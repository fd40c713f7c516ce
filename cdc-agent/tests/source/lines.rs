//! Lines that break, servers that refuse, and connections that must not be used again.

use crate::site::{Site, source};
use cdc_agent::source::{Connector, Isolation, SourceError};
use mssql_sim::server::Server;
use proto::Version;

const ORDERS: &str = "CREATE TABLE dbo.orders (id int NOT NULL PRIMARY KEY, note nvarchar(200) NOT NULL)";

async fn fill(site: &Site) {
    site.track(&["dbo.orders"]).await;
    for first in (0..3_000).step_by(500) {
        let rows: Vec<_> = (first..first + 500).map(|id| format!("({id}, N'{}')", "x".repeat(100))).collect();
        site.run(&format!("INSERT INTO dbo.orders VALUES {}", rows.join(", "))).await;
    }
}

#[tokio::test]
async fn a_socket_carries_a_session() {
    let site = Site::new(ORDERS).await;
    let listening = site.server.listen(("127.0.0.1", 0)).await.unwrap();
    let mut config = source("sa", "Passw0rd!");
    config.endpoint.host = "127.0.0.1".into();
    config.endpoint.port = listening.addr.port();
    let mut connection = Connector::new(config.clone()).connect().await.unwrap();
    assert_eq!(connection.latest().await.unwrap().version, Version(0));
    drop(listening);
    let error = connection.latest().await.unwrap_err();
    assert!(matches!(error, SourceError::Lost { .. } | SourceError::Unreadable { .. }), "{error:?}");
    let error = Connector::new(config).connect().await.err().unwrap();
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn refused_logins_keep_the_server_s_number() {
    let site = Site::new("").await;
    let wrong = site.connect_as("sa", "wrong").await.err().unwrap();
    assert_eq!(wrong.number(), Some(18456), "{wrong}");
    let mut config = source("sa", "Passw0rd!");
    config.endpoint.database = "nowhere".into();
    let nowhere = Connector::new(config).connect_over(site.server.connect()).await.err().unwrap();
    assert_eq!(nowhere.number(), Some(4060), "{nowhere}");
}

#[tokio::test]
async fn a_window_that_was_left_midway_spoils_the_connection() {
    let site = Site::new(ORDERS).await;
    fill(&site).await;
    let table = site.capture_one("dbo.orders").await;
    let mut connection = site.connect().await;
    connection.begin_cut(Isolation::Snapshot).await.unwrap();
    let mut reader = connection.window(&table, Version(0)).await.unwrap();
    assert_eq!(reader.next_batch().await.unwrap().unwrap().len(), 1_000);
    drop(reader);
    let error = connection.end_cut().await.unwrap_err();
    assert!(matches!(error, SourceError::LeftMidAnswer { .. }), "{error}");
}

#[tokio::test]
async fn a_line_that_breaks_in_a_window_ends_it_with_an_error() {
    let site = Site::new(ORDERS).await;
    fill(&site).await;
    let table = site.capture_one("dbo.orders").await;
    let mut connection = site.connect().await;
    site.server.faults().cut_after(100_000);
    let mut rows = 0;
    let mut reader = connection.window(&table, Version(0)).await.unwrap();
    let error = loop {
        match reader.next_batch().await {
            Ok(Some(images)) => rows += images.len(),
            Ok(None) => panic!("a broken line looks like the end of the window after {rows} rows"),
            Err(error) => break error,
        }
    };
    assert!(rows < 3_000);
    assert!(matches!(error, SourceError::Lost { .. } | SourceError::Unreadable { .. }), "{error:?}");
    drop(reader);
    assert!(matches!(connection.latest().await, Err(SourceError::LeftMidAnswer { .. })));
}

#[tokio::test]
async fn an_error_of_the_server_keeps_its_number() {
    let site = Site::new(ORDERS).await;
    fill(&site).await;
    let table = site.capture_one("dbo.orders").await;
    site.run("ALTER TABLE dbo.orders DISABLE CHANGE_TRACKING").await;
    let error = site.connect().await.count_changes(&table, Version(0)).await.unwrap_err();
    assert_eq!(error.number(), Some(22105), "{error}");
    assert!(error.to_string().starts_with("counting the changes of dbo.orders"), "{error}");
}

/// The session's settings hold for parameterised calls too: a reader that is blocked gives up by itself.
#[tokio::test]
async fn a_lock_that_is_held_too_long_is_error_1222() {
    let site = Site::new(ORDERS).await;
    fill(&site).await;
    let table = site.capture_one("dbo.orders").await;
    let mut holder = Holder::begin(&site.server, "UPDATE dbo.orders SET note = N'y' WHERE id = 0").await;
    let error = site.connect().await.chunk(&table, None, 1).await.unwrap_err();
    assert_eq!(error.number(), Some(1222), "{error}");
    holder.end().await;
}

/// A session of another client that keeps a transaction open.
struct Holder(tiberius::Client<tokio_util::compat::Compat<tokio::io::DuplexStream>>);

impl Holder {
    async fn begin(server: &Server, statement: &str) -> Self {
        use tokio_util::compat::TokioAsyncReadCompatExt;
        let mut config = tiberius::Config::new();
        config.database("wms");
        config.authentication(tiberius::AuthMethod::sql_server("sa", "Passw0rd!"));
        config.encryption(tiberius::EncryptionLevel::NotSupported);
        let login = tiberius::Client::connect(config, server.connect().compat());
        let client = Box::pin(login).await.unwrap();
        let mut holder = Self(client);
        holder.run(&format!("BEGIN TRAN; {statement}")).await;
        holder
    }

    async fn end(&mut self) {
        self.run("ROLLBACK").await;
    }

    async fn run(&mut self, sql: &str) {
        self.0.simple_query(sql).await.unwrap().into_results().await.unwrap();
    }
}
