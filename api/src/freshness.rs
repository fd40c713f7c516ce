//! How old the figures are and what state they are in.
//!
//! The age is measured by PostgreSQL when the state is read, on its clock alone, and grows here by the monotonic time that
//! has passed since. `as_of` is the source's clock and only for display. What rests on several sources or tables has the
//! oldest age and the worst state among them.

use crate::queries::pipeline::{Source, Table};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// An agent that has not shown itself for this many polls is silent, but never sooner than [`SILENT_AFTER`].
const SILENT_POLLS: u32 = 10;
const SILENT_AFTER: Duration = Duration::from_secs(5);
/// Streaming data older than this many polls is behind, but never sooner than [`BEHIND_AFTER`].
const BEHIND_POLLS: u32 = 10;
const BEHIND_AFTER: Duration = Duration::from_secs(15);

/// What a reader has to know about the data, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Changes stream.
    Live,
    /// Keys are in quarantine, or the source cannot be read in one snapshot.
    Degraded,
    /// An operator stopped a table.
    Paused,
    /// Changes stream, but later than they happen.
    CatchingUp,
    /// A table is being read again as a whole.
    Resyncing,
    /// A table or a metric is not complete yet.
    Loading,
    /// A table may belong to another past of the source.
    Suspect,
    /// A table's history was lost.
    Blind,
    /// A table was given up until an operator acts.
    Failed,
    /// The agent has not begun to stream.
    Starting,
    /// The agent waits for an operator or for PostgreSQL.
    Waiting,
    /// The agent cannot reach the source.
    Offline,
    /// The agent was stopped.
    Stopped,
    /// The agent reports a state that this API does not know.
    Unknown,
    /// The agent has stopped showing itself.
    AgentSilent,
    /// This API cannot reach PostgreSQL.
    DatabaseUnreachable,
}

/// The age of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Freshness {
    /// Grows whenever what can be read changes; the sum where there are several sources.
    pub revision: i64,
    /// The source's clock at the last cut or heartbeat; None before the first.
    pub as_of: Option<DateTime<Utc>>,
    /// Time since then; None before the first.
    pub age: Option<Duration>,
    /// The worst state.
    pub state: State,
}

/// What an answer rests on: tables by source. No tables: all of the source's.
pub(crate) type Basis = BTreeMap<String, Vec<String>>;

impl State {
    /// The word in answers and headers.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Degraded => "degraded",
            Self::Paused => "paused",
            Self::CatchingUp => "catching_up",
            Self::Resyncing => "resyncing",
            Self::Loading => "loading",
            Self::Suspect => "suspect",
            Self::Blind => "blind",
            Self::Failed => "failed",
            Self::Starting => "starting",
            Self::Waiting => "waiting",
            Self::Offline => "offline",
            Self::Stopped => "stopped",
            Self::Unknown => "unknown",
            Self::AgentSilent => "agent_silent",
            Self::DatabaseUnreachable => "database_unreachable",
        }
    }

    fn of_agent(source: &Source, elapsed: Duration) -> Self {
        let silent_after = SILENT_AFTER.max(source.poll_interval * SILENT_POLLS);
        let silent = source.agent_seen.is_none_or(|seen| seen + elapsed > silent_after);
        let behind_after = BEHIND_AFTER.max(source.poll_interval * BEHIND_POLLS);
        match source.agent_state.as_str() {
            "stopped" => Self::Stopped,
            _ if silent => Self::AgentSilent,
            "streaming" if source.age.is_some_and(|age| age + elapsed > behind_after) => Self::CatchingUp,
            "streaming" => Self::Live,
            "source_unreachable" => Self::Offline,
            "starting" => Self::Starting,
            "waiting" => Self::Waiting,
            _ => Self::Unknown,
        }
    }

    fn of_table(table: &Table) -> Self {
        let phase = match table.phase.as_str() {
            "live" => Self::Live,
            "pending" | "loading" => Self::Loading,
            "failed" => Self::Failed,
            _ => Self::Unknown,
        };
        let conditions = table.conditions.iter().map(|condition| match condition.condition.as_str() {
            "paused" => Self::Paused,
            "suspect" => Self::Suspect,
            "catching_up" => Self::CatchingUp,
            "resyncing" => Self::Resyncing,
            "blind" => Self::Blind,
            "degraded" => Self::Degraded,
            _ => Self::Unknown,
        });
        let quarantine = if table.quarantined > 0 { Self::Degraded } else { Self::Live };
        conditions.fold(phase.max(quarantine), State::max)
    }
}

impl Freshness {
    /// The freshness of one source and all its tables, `elapsed` after it was read.
    pub(crate) fn of_source(source: &Source, elapsed: Duration) -> Self {
        Self::of_tables(source, &[], elapsed)
    }

    /// The freshness of what rests on `basis`, as read at `read`. None when a source of it is not known.
    pub(crate) fn of_basis(basis: &Basis, sources: &[Source], read: Instant) -> Option<Self> {
        let elapsed = read.elapsed();
        basis
            .iter()
            .map(|(name, tables)| {
                let source = sources.iter().find(|source| source.name == *name)?;
                Some(Self::of_tables(source, tables, elapsed))
            })
            .reduce(|a, b| Some(a?.combined(b?)))
            .flatten()
    }

    fn of_tables(source: &Source, tables: &[String], elapsed: Duration) -> Self {
        let state = source
            .tables
            .iter()
            .filter(|table| tables.is_empty() || tables.contains(&table.name))
            .map(State::of_table)
            .fold(State::of_agent(source, elapsed), State::max);
        Self {
            revision: source.revision,
            as_of: source.as_of,
            age: source.age.map(|age| age + elapsed),
            state,
        }
    }

    fn combined(self, other: Self) -> Self {
        Self {
            revision: self.revision + other.revision,
            as_of: self.as_of.zip(other.as_of).map(|(a, b)| a.min(b)),
            age: self.age.zip(other.age).map(|(a, b)| a.max(b)),
            state: self.state.max(other.state),
        }
    }
}

/// A moment as answers show it.
pub(crate) fn moment(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A duration in seconds, with milliseconds.
pub(crate) fn seconds<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(rounded).serialize(serializer)
}

/// Seconds to the millisecond.
pub(crate) fn rounded(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}
