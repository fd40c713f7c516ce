//! What a comparison of a table's rows with the source has found.

use crate::apply::{Connection, Doing, TargetError};
use std::fmt;

/// A comparison that came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Run with which it ended.
    pub ended_in: i64,
    /// Both sides were compared as of this Change Tracking version.
    pub through: i64,
    /// Rows read at the source.
    pub rows: u64,
    /// What differs, by key; no more than the agent writes down.
    pub differences: Vec<RowDifference>,
}

/// A row that is not the source's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowDifference {
    /// Table in the target.
    pub table: String,
    /// The key, as a JSON array.
    pub key: String,
    /// `missing`, `extra` (gone at the source) or `different`.
    pub kind: String,
    /// The columns that differ.
    pub columns: Vec<String>,
    /// Whether it has been written since.
    pub repaired: bool,
}

impl Comparison {
    /// The last comparison of a table; None before the first.
    ///
    /// # Errors
    /// PostgreSQL cannot be asked.
    pub(super) async fn read(
        connection: &Connection,
        source: &str,
        table: &str,
        rows: u64,
    ) -> Result<Option<Self>, TargetError> {
        let doing = "reading what a comparison found";
        let ended = "select verified_in, verified_through from cdc.table_state \
                     where source = $1 and name = $2 and verified_in is not null";
        let Some(ended) = connection.client.query_opt(ended, &[&source, &table]).await.doing(doing)? else {
            return Ok(None);
        };
        let found = "select name, key, kind, coalesce(columns, '{}'), repaired from cdc.difference \
                     where source = $1 and name = $2 order by kind, key";
        let found = connection.client.query(found, &[&source, &table]).await.doing(doing)?;
        let difference = |row: &tokio_postgres::Row| RowDifference {
            table: row.get(0),
            key: row.get(1),
            kind: row.get(2),
            columns: row.get(3),
            repaired: row.get(4),
        };
        Ok(Some(Self {
            ended_in: ended.get(0),
            through: ended.get(1),
            rows,
            differences: found.iter().map(difference).collect(),
        }))
    }
}

impl fmt::Display for RowDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.table, self.key, self.kind)?;
        if !self.columns.is_empty() {
            write!(f, " in {}", self.columns.join(", "))?;
        }
        if self.repaired { f.write_str(", repaired") } else { Ok(()) }
    }
}
