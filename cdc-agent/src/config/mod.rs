//! The agent's configuration: one TOML file, checked as a whole before anything is touched.
//!
//! Unknown keys are refused with the nearest valid one. Passwords never stand in the file: it names an environment
//! variable or a file. What leaves this module is complete and consistent, so that no one behind it checks again.

mod document;
mod error;
mod name;
mod parse;
mod secret;

pub use error::{ConfigError, Place};
pub use name::{identifier, is_identifier, nearest, source_table};
pub use secret::Secret;

use chrono_tz::Tz;
use proto::{MetricDefinition, SourceTable};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Everything the agent is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where changes come from.
    pub source: Source,
    /// What is replicated, in the file's order.
    pub tables: Vec<Table>,
    /// The table that knows each warehouse's zone.
    pub zones: Option<Zones>,
    /// Where changes go.
    pub target: Target,
    /// The buffer between the two.
    pub journal: Journal,
    /// The daily figures to maintain.
    pub metrics: Vec<MetricDefinition>,
    /// Address of the agent's own listener: `/metrics`, `/healthz`, `/readyz`.
    pub listen: SocketAddr,
}

/// The SQL Server database.
#[derive(Clone, Debug)]
pub struct Source {
    /// Name of the stream in the target, in metrics and on the page.
    pub name: String,
    /// How to reach the server.
    pub endpoint: Endpoint,
    /// The zone of datetimes that carry none.
    pub naive_zone: NaiveZone,
    /// Pause between two polls that found nothing.
    pub poll_interval: Duration,
    /// Rows per chunk of a load.
    pub chunk_rows: usize,
    /// Rows of one window that still fit one cut; a larger window becomes a load.
    pub max_cut_rows: u64,
}

/// The PostgreSQL database.
#[derive(Clone, Debug)]
pub struct Target {
    /// How to reach the server.
    pub endpoint: Endpoint,
    /// Schema of the replicated tables.
    pub schema: String,
}

/// A database server, a database on it, and who we are there.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Host name or address; the name that the server's certificate must carry.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Database.
    pub database: String,
    /// Login.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// Protection of the line.
    pub tls: Tls,
}

/// Protection of a line to a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// TLS with the certificate's chain and host name verified.
    Verify {
        /// PEM file with the authorities to trust instead of the system's.
        ca_file: Option<PathBuf>,
    },
    /// No protection; accepted for loopback hosts only.
    Plaintext,
}

/// The zone of datetimes that carry none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NaiveZone {
    /// The zone of the row's warehouse, from the table that `[zones]` declares.
    Warehouse,
    /// One zone for every row.
    Fixed(Tz),
}

/// A replicated table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name at the source.
    pub source: SourceTable,
    /// Its name in the target's schema.
    pub target: String,
    /// Who may see its rows.
    pub scope: Scope,
    /// Columns that stay at the source, as named there.
    pub columns_excluded: Vec<String>,
}

/// Who may see a table's rows through the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Nobody: no view, no grant.
    Hidden,
    /// Everybody who is signed in.
    Public,
    /// Those whose companies and warehouses the row's own columns name (target names).
    Columns {
        /// Column with the row's company.
        company: Option<String>,
        /// Column with the row's warehouse.
        warehouse: Option<String>,
    },
}

/// Where each warehouse's zone is found: a table and columns by their target names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zones {
    /// Table with one row per warehouse.
    pub table: String,
    /// Column with the warehouse's code.
    pub warehouse: String,
    /// Column with its IANA zone.
    pub zone: String,
    /// Column with its company.
    pub company: Option<String>,
}

/// The local journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// Its folder; created when missing.
    pub folder: PathBuf,
    /// Bytes on disk at which capture waits for the target.
    pub max_bytes: u64,
}

impl Config {
    /// Reads the file, the metrics file that it names and the passwords.
    ///
    /// # Errors
    /// The first thing that is wrong, with its file, line and remedy.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let document = parse::file::<document::Document>(file)?;
        document.resolve(file)
    }

    /// The table with this name, by either of its names.
    ///
    /// # Errors
    /// [`ConfigError::UnknownTable`] with the nearest name.
    pub fn table(&self, name: &str) -> Result<&Table, ConfigError> {
        self.tables.iter().find(|table| table.target == name || table.source.to_string() == name).ok_or_else(
            || {
                let names =
                    self.tables.iter().flat_map(|table| [table.target.clone(), table.source.to_string()]);
                let nearest = nearest(name, names);
                ConfigError::UnknownTable { wanted_by: "--table", name: name.to_owned(), nearest }
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, NaiveZone, Scope, Tls};
    use std::fs;

    const GOOD: &str = r#"
[source]
name = "wms"
host = "sql.example"
database = "wms"
user = "agent"
password_file = "password"
ca_file = "authority.pem"
naive_zone = "warehouse"

[target]
host = "localhost"
database = "warehouse"
user = "agent"
password_file = "password"
tls = "plaintext"

[journal]
folder = "journal"

[metrics]
file = "metrics.toml"

[zones]
table = "warehouse"
warehouse = "wh_id"
zone = "tz"

[[table]]
name = "wms.Warehouse"

[[table]]
name = "[dbo].[Order Lines]"
scope = { warehouse = "wh_id" }
columns_excluded = ["Notes"]
"#;

    const METRICS: &str = r#"
[[metric]]
name = "orders_received"
aliases = ["orders"]
title_es = "Pedidos"
title_en = "Orders"
unit = "orders"
kind = "sum"
facts = "order_lines"
day = "entered_at"
numerator = "count"
"#;

    /// Loads the files with one text replaced by another.
    fn load(find: &str, replace: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let edited = |text: &str| text.replacen(find, replace, 1);
        assert!(find.is_empty() || edited(GOOD) != GOOD || edited(METRICS) != METRICS, "{find:?} is nowhere");
        fs::write(folder.path().join("agent.toml"), edited(GOOD)).unwrap();
        fs::write(folder.path().join("metrics.toml"), edited(METRICS)).unwrap();
        fs::write(folder.path().join("password"), "a word\r\n").unwrap();
        Config::load(&folder.path().join("agent.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_becomes_a_complete_configuration() {
        let config = load("", "").unwrap();
        assert_eq!((config.source.endpoint.port, config.target.endpoint.port), (1433, 5432));
        assert_eq!(config.target.schema, "wms");
        assert_eq!(config.source.naive_zone, NaiveZone::Warehouse);
        assert_eq!(config.source.endpoint.password.expose(), "a word");
        assert!(!format!("{config:?}").contains("a word"), "a password is printed");
        let Tls::Verify { ca_file: Some(authority) } = &config.source.endpoint.tls else {
            panic!("{:?}", config.source.endpoint.tls);
        };
        assert!(authority.is_absolute(), "relative to the configuration's folder");
        let lines = config.table("dbo.Order Lines").unwrap();
        assert_eq!(lines.target, "order_lines");
        assert_eq!(lines.scope, Scope::Columns { company: None, warehouse: Some("wh_id".to_owned()) });
        assert_eq!(config.table("warehouse").unwrap().scope, Scope::Hidden);
        assert_eq!(config.metrics[0].aliases, ["orders"]);
    }

    #[test]
    fn mistakes_are_named_with_their_place_and_what_was_probably_meant() {
        for (find, replace, words) in [
            ("naive_zone", "naive_zon", &["agent.toml:9", "`naive_zon`", "did you mean `naive_zone`"][..]),
            ("[journal]", "[jurnal]", &["agent.toml:18", "did you mean `journal`"]),
            ("tls = \"plaintext\"", "tls = \"plain\"", &["agent.toml:16", "did you mean `plaintext`"]),
            (
                "warehouse = \"wh_id\" }",
                "warehous = \"wh_id\" }",
                &["agent.toml:34", "did you mean `warehouse`"],
            ),
            ("title_es", "titel_es", &["metrics.toml:5", "did you mean `title_es`"]),
            ("\"localhost\"", "\"db.example\"", &["[target] tls", "db.example", "ca_file"]),
            ("tls = \"plaintext\"", "password_env = \"X\"", &["[target]", "exactly one of password_env"]),
            ("password_file = \"password\"", "password_env = \"CDC_NOT_SET\"", &["CDC_NOT_SET"]),
            ("password_file = \"password\"", "password_file = \"nowhere\"", &["nowhere", "password file"]),
            ("\"warehouse\"\n\n[target]", "\"Puerto Rico\"\n\n[target]", &["Puerto Rico", "IANA"]),
            ("table = \"warehouse\"", "table = \"warehous\"", &["[zones] table", "did you mean `warehouse`"]),
            ("[dbo].[Order Lines]", "dbo.WAREHOUSE", &["wms.Warehouse", "dbo.WAREHOUSE", "both"]),
            ("aliases = [\"orders\"]", "aliases = [\"orders_received\"]", &["orders_received", "both"]),
            ("user = \"agent\"", "user = ", &["agent.toml:6"]),
        ] {
            let error = load(find, replace).expect_err(replace);
            for word in words {
                assert!(error.contains(word), "{find:?} -> {replace:?}: {word:?} is missing in: {error}");
            }
        }
    }
}
