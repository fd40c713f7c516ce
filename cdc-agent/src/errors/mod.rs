//! The one table of errors: what the agent does about each, what a person does about it, and the exit code.
//!
//! Every error of the agent ends here; nothing else decides whether something is tried again. What is not named is left to a person:
//! repeating an error that nobody has thought about hides it.

mod remedy;

pub use remedy::Remedy;

use crate::apply::TargetError;
use crate::capture::CaptureError;
use crate::config::ConfigError;
use crate::source::SourceError;
use state::StateError;
use std::error::Error;
use std::fmt;
use tokio_postgres::error::SqlState;

/// What the agent does about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The same again after a short pause.
    Retry,
    /// The same again on a new connection, after a pause that grows.
    Reconnect,
    /// Wait, with an alarm, until a person has mended it; try again now and then.
    Operator,
    /// Isolate the row that is to blame and go on.
    Quarantine,
    /// Stop: going on could make it worse.
    Stop,
}

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Everything was done.
    Ok = 0,
    /// Something failed that no other code names.
    Failure = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The configuration is wrong.
    Configuration = 3,
    /// The source cannot be reached or used.
    SourceUnreachable = 4,
    /// The target cannot be reached or used.
    TargetUnreachable = 5,
    /// A comparison found differences.
    Differences = 6,
    /// A table needs a load.
    LoadNeeded = 7,
    /// A signal ended the work.
    Interrupted = 130,
}

/// What follows from an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What the agent does.
    pub class: Class,
    /// What a person does: one sentence.
    pub remedy: Remedy,
    /// How a command that cannot go on ends.
    pub exit: ExitCode,
}

/// Any error of the agent.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The source is not ready for what the configuration asks.
    #[error("the source is not ready: {findings}")]
    Unready {
        /// What stands in the way, each with the statement that mends it.
        findings: String,
    },
    /// Capture.
    #[error(transparent)]
    Capture(CaptureError),
    /// The target.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] StateError),
    /// The stream row moved whenever this agent looked at it.
    #[error("another agent of source {source_name:?} keeps applying while this one begins")]
    Contended {
        /// The stream.
        source_name: String,
    },
    /// The operating system gives no threads.
    #[error("the agent cannot start its threads")]
    Runtime(#[source] std::io::Error),
    /// The agent's own listener.
    #[error("the agent cannot listen on {address}")]
    Listen {
        /// `[listen] address`.
        address: std::net::SocketAddr,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
}

impl From<CaptureError> for AgentError {
    fn from(error: CaptureError) -> Self {
        match error {
            CaptureError::Source(error) => Self::Source(error),
            CaptureError::Journal(error) => Self::Journal(error),
            other => Self::Capture(other),
        }
    }
}

/// An error with its causes, on one line.
pub struct Chain<'a>(&'a (dyn Error + 'static));

impl AgentError {
    /// The error and its causes, on one line.
    pub fn chain(&self) -> Chain<'_> {
        Chain(self)
    }
}

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let words = error.to_string();
            if !said.contains(&words) {
                said = format!("{said}: {words}");
            }
            cause = error.source();
        }
        f.write_str(&said.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

const fn verdict_of(class: Class, exit: ExitCode, remedy: Remedy) -> Verdict {
    Verdict { class, remedy, exit }
}

/// The table.
pub fn verdict(error: &AgentError) -> Verdict {
    match error {
        AgentError::Config(_) => {
            verdict_of(Class::Stop, ExitCode::Configuration, remedy::CORRECT_CONFIGURATION)
        }
        AgentError::Unready { .. } => {
            verdict_of(Class::Operator, ExitCode::SourceUnreachable, remedy::RUN_STATEMENTS)
        }
        AgentError::Source(error) => of_source(error),
        AgentError::Capture(CaptureError::LostDuringCut { .. } | CaptureError::WindowTooLarge { .. }) => {
            verdict_of(Class::Retry, ExitCode::LoadNeeded, remedy::CUT_TAKEN_AGAIN)
        }
        AgentError::Capture(CaptureError::NoRoom) => {
            verdict_of(Class::Operator, ExitCode::Failure, remedy::FREE_JOURNAL_DISK)
        }
        AgentError::Capture(_) => verdict_of(Class::Stop, ExitCode::LoadNeeded, remedy::NEW_HISTORY),
        AgentError::Target(error) => of_target(error),
        AgentError::Journal(error) => of_journal(error),
        AgentError::Contended { .. } => {
            verdict_of(Class::Stop, ExitCode::TargetUnreachable, remedy::STOP_OTHER_AGENT)
        }
        AgentError::Runtime(_) => verdict_of(Class::Stop, ExitCode::Failure, remedy::RAISE_THREADS),
        AgentError::Listen { .. } => verdict_of(Class::Stop, ExitCode::Configuration, remedy::FREE_ADDRESS),
    }
}

fn of_source(error: &SourceError) -> Verdict {
    let (class, exit, remedy) = match error {
        SourceError::Unreachable { .. } => {
            (Class::Reconnect, ExitCode::SourceUnreachable, remedy::REACH_SOURCE)
        }
        SourceError::Unprotected { .. } | SourceError::Authorities(_) => {
            (Class::Operator, ExitCode::SourceUnreachable, remedy::TRUST_SOURCE)
        }
        SourceError::Server { number, class, .. } => return of_number(*number, *class),
        SourceError::TimedOut { .. } | SourceError::Lost { .. } | SourceError::LeftMidAnswer { .. } => {
            (Class::Reconnect, ExitCode::SourceUnreachable, remedy::SOURCE_NETWORK)
        }
        SourceError::Unreadable { .. } => {
            (Class::Reconnect, ExitCode::SourceUnreachable, remedy::REPORT_IF_IT_STAYS)
        }
        SourceError::TrackingOff { .. } | SourceError::ReadOnly { .. } => {
            (Class::Operator, ExitCode::SourceUnreachable, remedy::RUN_CHECK)
        }
        SourceError::UnknownTable { .. } | SourceError::Layout(_) => {
            (Class::Operator, ExitCode::Configuration, remedy::CORRECT_TABLE)
        }
        SourceError::UnexpectedValue { .. } | SourceError::InexactKey { .. } => {
            (Class::Operator, ExitCode::SourceUnreachable, remedy::START_AGAIN_OR_EXCLUDE)
        }
        SourceError::BadResume { .. } => (Class::Operator, ExitCode::LoadNeeded, remedy::RESYNC),
    };
    verdict_of(class, exit, remedy)
}

/// SQL Server's numbers.
fn of_number(number: u32, class: u8) -> Verdict {
    let (treatment, remedy) = match number {
        // Deadlock victim, lock timeout, update conflict, table changed under a snapshot.
        1205 | 1222 | 3960 | 3961 => (Class::Retry, remedy::TRIED_AGAIN),
        // Out of memory or workers, shutting down, failing over, too many requests.
        701 | 8645 | 6005 | 17142 | 40197 | 40613 | 10928 | 10929 => (Class::Reconnect, remedy::SOURCE_LOAD),
        18456 | 18452 | 18486 | 18487 | 18488 => (Class::Operator, remedy::SOURCE_LOGIN),
        4060 | 916 | 911 => (Class::Operator, remedy::SOURCE_DATABASE),
        229 | 230 | 300 => (Class::Operator, remedy::GRANT_ON_SOURCE),
        22105 | 22107 | 22117 | 208 | 207 => (Class::Operator, remedy::TABLE_GONE),
        3952 => (Class::Operator, remedy::ALLOW_SNAPSHOT),
        _ if class >= 20 => (Class::Reconnect, remedy::SOURCE_ERROR_LOG),
        _ => (Class::Operator, remedy::SOURCE_DOCUMENTATION),
    };
    verdict_of(treatment, ExitCode::SourceUnreachable, remedy)
}

fn of_target(error: &TargetError) -> Verdict {
    let target = ExitCode::TargetUnreachable;
    match error {
        TargetError::Connect { .. }
        | TargetError::Query { .. }
        | TargetError::CommitUnknown(_)
        | TargetError::NoAnswer { .. } => of_state(error),
        TargetError::Migration(migration) => match migration {
            migrations::MigrationError::Failed { .. } | migrations::MigrationError::Database(_) => {
                of_state(error)
            }
            _ => verdict_of(Class::Operator, target, remedy::MIGRATE_AS_SAID),
        },
        TargetError::Busy { .. } => verdict_of(Class::Reconnect, target, remedy::STOP_OTHER_AGENT_OR_WAIT),
        TargetError::Fenced { .. } | TargetError::NotTakenOver { .. } => {
            verdict_of(Class::Stop, target, remedy::RIGHT_AGENT)
        }
        TargetError::Gap { .. } | TargetError::Torn { .. } | TargetError::Journal(_) => {
            verdict_of(Class::Stop, ExitCode::Failure, remedy::JOURNAL_SET_ASIDE)
        }
        TargetError::Metric(_) => verdict_of(Class::Stop, ExitCode::Configuration, remedy::CORRECT_METRICS),
        TargetError::NameTooLong { .. } | TargetError::TableTaken { .. } | TargetError::ViewTaken { .. } => {
            verdict_of(Class::Operator, ExitCode::Configuration, remedy::CORRECT_NAMES)
        }
        TargetError::NotMigrated { .. } => verdict_of(Class::Operator, target, remedy::MIGRATE),
        TargetError::FoldTooCoarse { .. } => {
            verdict_of(Class::Operator, ExitCode::Failure, remedy::CHANGE_A_KEY)
        }
        _ => verdict_of(Class::Operator, target, remedy::AS_SAID),
    }
}

fn of_state(error: &TargetError) -> Verdict {
    error
        .sql_state()
        .map_or(verdict_of(Class::Reconnect, ExitCode::TargetUnreachable, remedy::REACH_TARGET), of_sql_state)
}

/// PostgreSQL's codes.
fn of_sql_state(state: &SqlState) -> Verdict {
    let (class, remedy) = match (state, &state.code()[..2]) {
        (&SqlState::LOCK_NOT_AVAILABLE | &SqlState::QUERY_CANCELED, _) | (_, "40") => {
            (Class::Retry, remedy::TRIED_AGAIN)
        }
        (&SqlState::READ_ONLY_SQL_TRANSACTION | &SqlState::IN_FAILED_SQL_TRANSACTION, _) => {
            (Class::Reconnect, remedy::NAME_PRIMARY)
        }
        (&SqlState::TOO_MANY_CONNECTIONS, _) => (Class::Reconnect, remedy::MORE_CONNECTIONS),
        (_, "08" | "57") => (Class::Reconnect, remedy::TARGET_LOG),
        (&SqlState::DISK_FULL | &SqlState::OUT_OF_MEMORY, _) => (Class::Operator, remedy::TARGET_RESOURCES),
        (_, "28") => (Class::Operator, remedy::TARGET_LOGIN),
        (_, "3D") => (Class::Operator, remedy::TARGET_DATABASE),
        (&SqlState::INSUFFICIENT_PRIVILEGE, _) => (Class::Operator, remedy::GRANT_ON_TARGET),
        (_, "42") => (Class::Operator, remedy::FOREIGN_SCHEMA),
        (&SqlState::UNIQUE_VIOLATION, _) | (_, "XX") => (Class::Stop, remedy::REPORT_DAMAGE),
        (_, "22" | "23") => (Class::Quarantine, remedy::ROW_PUT_ASIDE),
        _ => (Class::Operator, remedy::TARGET_DOCUMENTATION),
    };
    verdict_of(class, ExitCode::TargetUnreachable, remedy)
}

fn of_journal(error: &StateError) -> Verdict {
    let (class, remedy) = match error {
        StateError::Locked { .. } => (Class::Stop, remedy::FREE_JOURNAL),
        StateError::LaterFormat { .. } => (Class::Stop, remedy::LATER_VERSION),
        StateError::File { .. } | StateError::Write(_) | StateError::Stopped => {
            (Class::Stop, remedy::JOURNAL_DISK)
        }
        StateError::Damaged(_) => (Class::Stop, remedy::JOURNAL_SET_ASIDE),
        StateError::Record(_) | StateError::RunOpen => (Class::Stop, remedy::REPORT),
    };
    verdict_of(class, ExitCode::Failure, remedy)
}

#[cfg(test)]
mod tests {
    use super::{AgentError, Class, ExitCode, of_sql_state, verdict};
    use crate::source::SourceError;
    use tokio_postgres::error::SqlState;

    #[test]
    fn sql_states_are_classed_by_what_helps() {
        for (state, class, exit) in [
            (SqlState::T_R_DEADLOCK_DETECTED, Class::Retry, ExitCode::TargetUnreachable),
            (SqlState::ADMIN_SHUTDOWN, Class::Reconnect, ExitCode::TargetUnreachable),
            (SqlState::QUERY_CANCELED, Class::Retry, ExitCode::TargetUnreachable),
            (SqlState::INVALID_PASSWORD, Class::Operator, ExitCode::TargetUnreachable),
            (SqlState::UNDEFINED_TABLE, Class::Operator, ExitCode::TargetUnreachable),
            (SqlState::DISK_FULL, Class::Operator, ExitCode::TargetUnreachable),
            (SqlState::NUMERIC_VALUE_OUT_OF_RANGE, Class::Quarantine, ExitCode::TargetUnreachable),
            (SqlState::UNIQUE_VIOLATION, Class::Stop, ExitCode::TargetUnreachable),
            (SqlState::from_code("XX001"), Class::Stop, ExitCode::TargetUnreachable),
        ] {
            let verdict = of_sql_state(&state);
            assert_eq!((verdict.class, verdict.exit), (class, exit), "{}", state.code());
        }
    }

    #[test]
    fn sql_server_numbers_are_classed_by_what_helps() {
        for (number, severity, class) in [
            (1205, 13, Class::Retry),
            (3960, 16, Class::Retry),
            (18456, 14, Class::Operator),
            (229, 14, Class::Operator),
            (596, 21, Class::Reconnect),
            (824, 24, Class::Reconnect),
            (99_999, 16, Class::Operator),
        ] {
            let error = SourceError::Server {
                doing: "reading".to_owned(),
                number,
                class: severity,
                message: "no".to_owned(),
            };
            assert_eq!(verdict(&AgentError::Source(error)).class, class, "{number}");
        }
    }
}
