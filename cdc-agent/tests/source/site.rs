//! A server with the tables of a test, and a way to it.

use cdc_agent::config::{Endpoint, NaiveZone, Scope, Secret, Source, Table, Tls, source_table};
use cdc_agent::source::{CapturedTable, Connection, Connector, SourceError};
use mssql_sim::server::{Options, Server};
use proto::{Image, Key, Row, Value, Version};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(crate) struct Site {
    pub(crate) server: Server,
}

impl Site {
    /// A database that tracks changes and allows snapshots, with the script's tables.
    pub(crate) async fn new(script: &str) -> Self {
        let site = Self::bare(script).await;
        site.run(
            "ALTER DATABASE wms SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 7 DAYS, AUTO_CLEANUP = ON)",
        )
        .await;
        site.run("ALTER DATABASE wms SET ALLOW_SNAPSHOT_ISOLATION ON").await;
        site
    }

    /// A database as it is created, with the script's tables.
    pub(crate) async fn bare(script: &str) -> Self {
        let site = Self { server: Server::new(Options::default()) };
        if !script.is_empty() {
            site.run(script).await;
        }
        site
    }

    /// Runs a batch as administrator.
    pub(crate) async fn run(&self, sql: &str) {
        self.server.execute(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    }

    pub(crate) async fn track(&self, tables: &[&str]) {
        for table in tables {
            self.run(&format!("ALTER TABLE {table} ENABLE CHANGE_TRACKING")).await;
        }
    }

    pub(crate) async fn connect(&self) -> Connection {
        self.connect_as("sa", "Passw0rd!").await.unwrap()
    }

    pub(crate) async fn connect_as(&self, user: &str, password: &str) -> Result<Connection, SourceError> {
        Connector::new(source(user, password)).connect_over(self.server.connect()).await
    }

    /// Lays out the tables as an agent would, by their target names.
    pub(crate) async fn capture(&self, names: &[&str]) -> BTreeMap<String, CapturedTable> {
        let tables: Vec<_> = names.iter().map(|name| table(name)).collect();
        let described = self.connect().await.describe(&tables).await.unwrap();
        let captured = described.iter().zip(&tables).map(|(description, table)| {
            (table.target.clone(), CapturedTable::new(description, table, &BTreeSet::new()).unwrap())
        });
        captured.collect()
    }

    pub(crate) async fn capture_one(&self, name: &str) -> CapturedTable {
        let (_, captured) = self.capture(&[name]).await.pop_first().unwrap();
        captured
    }

    pub(crate) async fn version(&self) -> Version {
        self.connect().await.latest().await.unwrap().version
    }
}

/// The images of the window after a version.
pub(crate) async fn window(connection: &mut Connection, table: &CapturedTable, since: Version) -> Vec<Image> {
    let mut reader = connection.window(table, since).await.unwrap();
    let mut images = Vec::new();
    while let Some(batch) = reader.next_batch().await.unwrap() {
        images.extend(batch);
    }
    images
}

/// A scan from the start to the end in chunks of `rows`.
pub(crate) async fn scan(connection: &mut Connection, table: &CapturedTable, rows: u64) -> Vec<Image> {
    let mut images = Vec::new();
    let mut resume: Option<String> = None;
    loop {
        let chunk = connection.chunk(table, resume.as_deref(), rows).await.unwrap();
        assert!(chunk.images.len() as u64 <= rows);
        images.extend(chunk.images);
        if chunk.finished {
            return images;
        }
        assert_ne!(chunk.resume, resume, "the scan stands still");
        resume = chunk.resume;
    }
}

pub(crate) fn source(user: &str, password: &str) -> Source {
    Source {
        name: "wms".into(),
        endpoint: Endpoint {
            host: "localhost".into(),
            port: 1433,
            database: "wms".into(),
            user: user.into(),
            password: Secret::new(password),
            tls: Tls::Plaintext,
        },
        naive_zone: NaiveZone::Fixed(chrono_tz::UTC),
        poll_interval: Duration::from_millis(100),
        chunk_rows: 100,
        max_cut_rows: 1_000,
    }
}

/// `dbo.Orders` becomes `orders`.
pub(crate) fn table(name: &str) -> Table {
    let source = source_table(name).unwrap();
    let target = cdc_agent::config::identifier(&source.table).unwrap();
    Table { source, target, scope: Scope::Hidden, columns_excluded: Vec::new() }
}

pub(crate) fn text(value: &str) -> Value {
    Value::Text(value.into())
}

pub(crate) fn present(values: Vec<Value>) -> Image {
    Image::Present(Row(values))
}

pub(crate) fn absent(values: Vec<Value>) -> Image {
    Image::Absent(Key(values))
}
