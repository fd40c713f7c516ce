//! `status`: what the target knows about the stream, read without disturbing the agent.

use crate::apply::{Connection, Doing, TableState, TargetError};
use crate::config::Config;
use proto::Phase;
use serde::Serialize;
use std::fmt::{self, Write};

/// A stream as an operator sees it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// Name of the source.
    pub source: String,
    /// What the agent said last: `starting`, `streaming`, `source_unreachable`, `waiting`, `stopped`.
    pub agent_state: String,
    /// One sentence about it.
    pub agent_detail: Option<String>,
    /// Seconds since its last sign of life; None before the first.
    pub agent_seen_seconds: Option<f64>,
    /// Whether it has been silent for longer than it may be.
    pub agent_silent: bool,
    /// The source's clock at the last applied cut, or when it was last seen unchanged.
    pub as_of: Option<String>,
    /// Age of the data in seconds, on PostgreSQL's clock.
    pub age_seconds: Option<f64>,
    /// Change Tracking version up to which the target holds everything, as a string.
    pub position: Option<String>,
    /// Number of the last applied run.
    pub applied_sequence: u64,
    /// Its tables.
    pub tables: Vec<TableStatus>,
}

/// A table as an operator sees it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TableStatus {
    /// Table in the target.
    pub name: String,
    /// Table at the source.
    pub source: String,
    /// Where it is on its way.
    pub phase: String,
    /// Whether it equals the source at the position.
    pub in_step: bool,
    /// Rows read by the load or comparison under way; None without one.
    pub load_rows: Option<u64>,
    /// Version through which the last comparison with the source went, as a string; None before the first.
    pub verified_through: Option<String>,
    /// Conditions in force with their reasons.
    pub conditions: Vec<(String, String)>,
}

/// Signs of life that may be missing before silence is called silence.
const SILENT_AFTER: &str = "greatest(interval '5 seconds', 3 * poll_interval_ms * interval '1 millisecond')";

/// Reads the status; None when the source was never prepared in this database.
///
/// # Errors
/// PostgreSQL cannot be reached or asked.
pub async fn read(config: &Config) -> Result<Option<Status>, TargetError> {
    let doing = "reading the status";
    let connection = Connection::open(&config.target.endpoint).await?;
    let client = &connection.client;
    let names = migrations::pending_names(client).await?;
    if !names.is_empty() {
        return Err(TargetError::NotMigrated { names });
    }
    let source = &config.source.name;
    let sql = format!(
        "with fresh as (select *, idle_sequence is not distinct from applied_sequence and idle_at > read_at as idle from cdc.stream)
         select agent_state, agent_detail, extract(epoch from clock_timestamp() - agent_seen_at)::float8,
                coalesce(clock_timestamp() - agent_seen_at > {SILENT_AFTER}, true),
                to_char(case when idle then idle_as_of else as_of end at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),
                extract(epoch from clock_timestamp() - case when idle then idle_at else read_at end)::float8,
                position::text, applied_sequence
         from fresh where source = $1"
    );
    let Some(row) = client.query_opt(&sql, &[source]).await.doing(doing)? else { return Ok(None) };
    let tables = TableState::all(client, source).await?;
    Ok(Some(Status {
        source: source.clone(),
        agent_state: row.get(0),
        agent_detail: row.get(1),
        agent_seen_seconds: row.get(2),
        agent_silent: row.get(3),
        as_of: row.get(4),
        age_seconds: row.get(5),
        position: row.get(6),
        applied_sequence: row.get::<_, i64>(7).unsigned_abs(),
        tables: tables.into_iter().map(TableStatus::from).collect(),
    }))
}

impl From<TableState> for TableStatus {
    fn from(state: TableState) -> Self {
        let loading = state.load.as_ref().is_some_and(|load| !load.kind.compares());
        let in_step = state.phase == Phase::Live.to_string() && !loading && state.conditions.is_empty();
        Self {
            in_step,
            source: state.layout.source.to_string(),
            load_rows: state.load.is_some().then_some(state.load_rows),
            verified_through: state.verified_through.map(|version| version.0.to_string()),
            name: state.name,
            phase: state.phase,
            conditions: state.conditions,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.agent_silent { "agent silent" } else { self.agent_state.as_str() };
        write!(f, "source {}: {state}", self.source)?;
        if let Some(detail) = &self.agent_detail {
            write!(f, " ({detail})")?;
        }
        match (&self.as_of, self.age_seconds) {
            (Some(as_of), Some(age)) => write!(f, "\ndata: {age:.1} s old, as of {as_of}")?,
            _ => f.write_str("\ndata: none yet")?,
        }
        let position = self.position.as_deref().unwrap_or("none");
        writeln!(f, "\nposition: version {position}, run {}", self.applied_sequence)?;
        if let Some(seen) = self.agent_seen_seconds {
            writeln!(f, "agent: last sign of life {seen:.1} s ago")?;
        }
        let width = self.tables.iter().map(|table| table.name.len()).max().unwrap_or(0).max("table".len());
        write!(f, "\n{:width$}  {:8}  {:7}  conditions", "table", "phase", "in step")?;
        for table in &self.tables {
            let in_step = if table.in_step { "yes" } else { "no" };
            write!(f, "\n{:width$}  {:8}  {in_step:7}  {}", table.name, table.phase, table.remarks())?;
        }
        Ok(())
    }
}

impl TableStatus {
    fn remarks(&self) -> String {
        let mut remarks = String::new();
        if let Some(rows) = self.load_rows {
            write!(remarks, "loading, {rows} rows read; ").ok();
        }
        for (condition, reason) in &self.conditions {
            write!(remarks, "{condition}: {reason}; ").ok();
        }
        remarks.trim_end_matches("; ").to_owned()
    }
}
