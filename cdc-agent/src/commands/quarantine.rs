//! `quarantine`: the keys whose current row the target refuses, each with the reason.

use crate::apply::{Connection, Doing, TargetError};
use crate::config::{Config, Table};
use serde::Serialize;
use std::fmt;

/// A key whose row in the target is older than it looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyAside {
    /// Table in the target.
    pub table: String,
    /// The key as text.
    pub key: String,
    /// What PostgreSQL said about its row.
    pub error: String,
    /// Since when, UTC.
    pub since: String,
}

/// Reads the keys in quarantine, of one table or of all.
///
/// # Errors
/// PostgreSQL cannot be reached or asked.
pub async fn read(config: &Config, table: Option<&Table>) -> Result<Vec<KeyAside>, TargetError> {
    let connection = Connection::open(&config.target.endpoint).await?;
    let sql = "select name, key, error, to_char(since at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') \
               from cdc.quarantine where source = $1 and ($2::text is null or name = $2) order by name, since, key";
    let name = table.map(|table| table.target.as_str());
    let rows = connection.client.query(sql, &[&config.source.name, &name]).await;
    let aside = |row: &tokio_postgres::Row| KeyAside {
        table: row.get(0),
        key: row.get(1),
        error: row.get(2),
        since: row.get(3),
    };
    Ok(rows.doing("reading the quarantine")?.iter().map(aside).collect())
}

impl fmt::Display for KeyAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} since {}: {}", self.table, self.key, self.since, self.error)
    }
}
