//! `plan`: what `migrate` and `run` would do, without doing it.

use crate::apply::{Connection, TableState, TargetError};
use crate::config::Config;
use crate::errors::AgentError;
use crate::metrics_catalogue::twins_wanted;
use crate::source::{CapturedTable, Connector};
use std::fmt;

/// What would happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Migrations that `migrate` would apply.
    pub migrations: Vec<&'static str>,
    /// One entry per configured table.
    pub tables: Vec<TablePlan>,
    /// Names of the metrics that would be maintained.
    pub metrics: Vec<String>,
}

/// What would happen to a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TablePlan {
    /// Table at the source.
    pub source: String,
    /// Table in the target, with its schema.
    pub target: String,
    /// What would be done, or why nothing can be.
    pub action: Action,
}

/// What would be done with a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Created and loaded for the first time.
    Create {
        /// Number of columns.
        columns: usize,
        /// Key columns in the target.
        key: Vec<String>,
    },
    /// It is there and streams on.
    GoOn {
        /// Its phase.
        phase: String,
    },
    /// Its columns changed.
    Change,
    /// It cannot be replicated.
    Impossible {
        /// Why.
        reason: String,
    },
}

/// Looks at both sides.
///
/// # Errors
/// One of them cannot be reached.
pub async fn read(config: &Config) -> Result<Plan, AgentError> {
    let connection = Connection::open(&config.target.endpoint).await?;
    let migrations = migrations::pending_names(&connection.client).await.map_err(TargetError::from)?;
    let known = if migrations.is_empty() {
        TableState::all(&connection.client, &config.source.name).await?
    } else {
        Vec::new()
    };
    let survey = Connector::new(config.source.clone()).connect().await?.survey(&config.tables).await?;
    let twins = twins_wanted(config);
    let tables = survey.tables.into_iter().map(|lookup| {
        let target = format!("{}.{}", config.target.schema, lookup.table.target);
        let captured = lookup.found.as_ref().map(|found| CapturedTable::new(found, &lookup.table, &twins));
        let action = match captured {
            None => Action::Impossible {
                reason: "it does not exist at the source, or the login does not see it".into(),
            },
            Some(Err(error)) => Action::Impossible { reason: error.to_string() },
            Some(Ok(table)) => action(&table, known.iter().find(|state| state.name == lookup.table.target)),
        };
        TablePlan { source: lookup.table.source.to_string(), target, action }
    });
    let metrics = config.metrics.iter().map(|metric| metric.name.clone()).collect();
    Ok(Plan { migrations, tables: tables.collect(), metrics })
}

fn action(table: &CapturedTable, known: Option<&TableState>) -> Action {
    match known {
        None => Action::Create {
            columns: table.layout.columns.len(),
            key: table.layout.key_columns().map(proto::Column::identity_name).collect(),
        },
        Some(state) if state.layout == table.layout => Action::GoOn { phase: state.phase.clone() },
        Some(_) => Action::Change,
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.migrations.as_slice() {
            [] => writeln!(f, "migrations: none pending")?,
            names => writeln!(f, "migrations: {}", names.join(", "))?,
        }
        for table in &self.tables {
            writeln!(f, "{} -> {}: {}", table.source, table.target, table.action)?;
        }
        write!(
            f,
            "metrics: {}",
            if self.metrics.is_empty() { "none".into() } else { self.metrics.join(", ") }
        )
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { columns, key } => {
                write!(
                    f,
                    "Change Tracking; create with {columns} columns, key ({}), then load",
                    key.join(", ")
                )
            }
            Self::GoOn { phase } => write!(f, "Change Tracking; there already, {phase}"),
            Self::Change => f.write_str(
                "Change Tracking; its columns changed: alter and load again where they can be followed",
            ),
            Self::Impossible { reason } => write!(f, "cannot be replicated: {reason}"),
        }
    }
}
