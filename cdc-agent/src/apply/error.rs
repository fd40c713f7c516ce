//! What can go wrong with the target.

use crate::metrics_catalogue::MetricError;
use crate::tls::TlsError;
use proto::{LayoutId, RunId};
use tokio_postgres::error::SqlState;

/// Why the target could not be used, or a run not be applied.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// No connection.
    #[error("PostgreSQL at {host}:{port} does not take the connection")]
    Connect {
        /// Host of the configuration.
        host: String,
        /// Port of the configuration.
        port: u16,
        /// What it said.
        #[source]
        source: tokio_postgres::Error,
    },
    /// The line cannot be protected.
    #[error("the line to PostgreSQL cannot be protected")]
    Tls(#[from] TlsError),
    /// A statement failed.
    #[error("{doing} failed in PostgreSQL")]
    Query {
        /// What was being done.
        doing: &'static str,
        /// What it said.
        #[source]
        source: tokio_postgres::Error,
    },
    /// The server did not answer; the connection is given up.
    #[error("PostgreSQL did not answer for {} seconds", patience.as_secs())]
    NoAnswer {
        /// How long it was waited for.
        patience: std::time::Duration,
    },
    /// The answer to COMMIT was lost: the run is applied or not; applying it again on a new connection decides.
    #[error("the connection was lost while a transaction was being committed")]
    CommitUnknown(#[source] tokio_postgres::Error),
    /// Too old.
    #[error("PostgreSQL {found} is too old: 15 is the least that is needed")]
    TooOld {
        /// Its version.
        found: String,
    },
    /// A standby.
    #[error("this PostgreSQL server is a standby and takes no writes; name the primary in [target] host")]
    Standby,
    /// A transaction pooler is in between.
    #[error(
        "two statements of one connection ran on two servers' backends: a transaction pooler stands in between; \
         name PostgreSQL itself in [target] host and port"
    )]
    Pooler,
    /// Another agent is at work.
    #[error("another agent applies source {source_name:?} to this database; stop it first")]
    Busy {
        /// The stream.
        source_name: String,
    },
    /// Migrations are missing or do not fit.
    #[error(transparent)]
    Migration(#[from] migrations::MigrationError),
    /// Migrations are pending.
    #[error("the database lacks the migrations {}; run: cdc-agent migrate", names.join(", "))]
    NotMigrated {
        /// Their names.
        names: Vec<&'static str>,
    },
    /// Another agent took the stream over.
    #[error("another agent has taken over source {source_name:?}; this one must not write any more")]
    Fenced {
        /// The stream.
        source_name: String,
    },
    /// The stream was never taken over by this agent.
    #[error("source {source_name:?} has not been taken over by this agent")]
    NotTakenOver {
        /// The stream.
        source_name: String,
    },
    /// The run is not the one that follows.
    #[error(
        "run {sequence} cannot be applied: the target is at run {applied} ({applied_run:?}) and the run follows {predecessor:?}"
    )]
    Gap {
        /// Number of the run.
        sequence: u64,
        /// The run before it.
        predecessor: Option<RunId>,
        /// Number of the last applied run.
        applied: u64,
        /// The last applied run.
        applied_run: Option<RunId>,
    },
    /// The run could not be read to its end.
    #[error("the run could not be read from the journal")]
    Journal(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The run holds fewer or more images than its end says.
    #[error("run {sequence} has {found} images where its end mark says {expected}")]
    Torn {
        /// Number of the run.
        sequence: u64,
        /// Images seen.
        found: u64,
        /// Images announced.
        expected: u64,
    },
    /// Rows under a layout that the run does not explain or the target does not have.
    #[error(
        "rows of table {table:?} were captured under layout {layout:?}, which is not the target's; run: cdc-agent migrate"
    )]
    UnknownLayout {
        /// The table, where the run names it.
        table: Option<String>,
        /// The layout.
        layout: LayoutId,
    },
    /// A record names a table that the target does not have.
    #[error("table {table:?} is not prepared in the target; run: cdc-agent migrate")]
    UnknownTable {
        /// The table.
        table: String,
    },
    /// Two rows of one snapshot have one identity here and two at the source.
    #[error(
        "two rows of {table:?} are different at the source but have the same key here: {first:?} and {second:?}; \
         the column's collation tells them apart and its stored key does not"
    )]
    FoldTooCoarse {
        /// The table.
        table: String,
        /// A spelling of the key.
        first: String,
        /// Another one.
        second: String,
    },
    /// A name that PostgreSQL would cut off.
    #[error(
        "the name {name:?} is longer than the 63 bytes that PostgreSQL keeps; give the table or column a shorter one"
    )]
    NameTooLong {
        /// The name.
        name: String,
    },
    /// The table's place is taken.
    #[error(
        "{schema}.{table} exists and was not made by this agent; name another [target] schema, or remove it"
    )]
    TableTaken {
        /// Schema of the target.
        schema: String,
        /// The table.
        table: String,
    },
    /// The view's place is taken.
    #[error(
        "reading.{table} belongs to source {other:?} already; give one of the two tables another target name"
    )]
    ViewTaken {
        /// The table.
        table: String,
        /// The source that has it.
        other: String,
    },
    /// The table's columns changed in a way that cannot be followed.
    #[error(
        "the columns of {table:?} changed ({change}); to load it afresh, drop the table: \
         drop table {schema}.{table}; delete from cdc.table_state where source = '{source_name}' and name = '{table}'"
    )]
    LayoutChanged {
        /// The stream.
        source_name: String,
        /// Schema of the target.
        schema: String,
        /// The table.
        table: String,
        /// What is different.
        change: String,
    },
    /// A metric does not fit its tables.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// Something of ours in the database cannot be read.
    #[error("{what} in the database cannot be read")]
    Unreadable {
        /// What.
        what: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl TargetError {
    /// PostgreSQL's error code, where it gave one.
    pub fn sql_state(&self) -> Option<&SqlState> {
        match self {
            Self::Connect { source, .. } | Self::Query { source, .. } | Self::CommitUnknown(source) => {
                source.code()
            }
            Self::Migration(
                migrations::MigrationError::Failed { source, .. }
                | migrations::MigrationError::Database(source),
            ) => source.code(),
            _ => None,
        }
    }

    /// Whether the connection itself is gone.
    pub fn is_connection_lost(&self) -> bool {
        match self {
            Self::Query { source, .. } => source.is_closed() || source.code().is_none(),
            Self::CommitUnknown(_) | Self::Connect { .. } | Self::NoAnswer { .. } => true,
            _ => false,
        }
    }
}

/// Names what was being done when a statement failed.
pub(crate) trait Doing<T> {
    fn doing(self, what: &'static str) -> Result<T, TargetError>;
}

impl<T> Doing<T> for Result<T, tokio_postgres::Error> {
    fn doing(self, what: &'static str) -> Result<T, TargetError> {
        self.map_err(|source| TargetError::Query { doing: what, source })
    }
}
