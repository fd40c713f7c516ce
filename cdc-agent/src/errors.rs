//! The one table of errors: what the agent does about each, what a person does about it, and the exit code.
//!
//! Every error of the agent ends here; nothing else decides whether something is tried again. What is not named is left to a person:
//! repeating an error that nobody has thought about hides it.

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
    pub remedy: &'static str,
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

const fn verdict_of(class: Class, exit: ExitCode, remedy: &'static str) -> Verdict {
    Verdict { class, remedy, exit }
}

/// The table.
pub fn verdict(error: &AgentError) -> Verdict {
    match error {
        AgentError::Config(_) => {
            verdict_of(Class::Stop, ExitCode::Configuration, "Correct the configuration and start again.")
        }
        AgentError::Unready { .. } => verdict_of(
            Class::Operator,
            ExitCode::SourceUnreachable,
            "Let an administrator of the source run the statements; `cdc-agent check` shows what is left.",
        ),
        AgentError::Source(error) => of_source(error),
        AgentError::Capture(CaptureError::LostDuringCut { .. } | CaptureError::WindowTooLarge { .. }) => {
            verdict_of(
                Class::Retry,
                ExitCode::LoadNeeded,
                "Nothing: the cut is taken again and the table is loaded.",
            )
        }
        AgentError::Capture(CaptureError::NoRoom) => {
            verdict_of(Class::Operator, ExitCode::Failure, "Free space on the disk under [journal] folder.")
        }
        AgentError::Capture(_) => verdict_of(
            Class::Stop,
            ExitCode::LoadNeeded,
            "Nothing while the agent runs: every table is loaded again, in a new history.",
        ),
        AgentError::Target(error) => of_target(error),
        AgentError::Journal(error) => of_journal(error),
        AgentError::Contended { .. } => {
            verdict_of(Class::Stop, ExitCode::TargetUnreachable, "Stop the other agent.")
        }
        AgentError::Runtime(_) => {
            verdict_of(Class::Stop, ExitCode::Failure, "Raise the limit of threads for this user.")
        }
        AgentError::Listen { .. } => verdict_of(
            Class::Stop,
            ExitCode::Configuration,
            "Choose another [listen] address, or stop the program that uses it.",
        ),
    }
}

fn of_source(error: &SourceError) -> Verdict {
    let (class, exit, remedy) = match error {
        SourceError::Unreachable { .. } => (
            Class::Reconnect,
            ExitCode::SourceUnreachable,
            "Check [source] host and port, that SQL Server listens there and that no firewall is in between.",
        ),
        SourceError::Unprotected { .. } | SourceError::Authorities(_) => (
            Class::Operator,
            ExitCode::SourceUnreachable,
            "Name the authority of the server's certificate in [source] ca_file, and the host as the certificate names it.",
        ),
        SourceError::Server { number, class, .. } => return of_number(*number, *class),
        SourceError::TimedOut { .. } | SourceError::Lost { .. } | SourceError::LeftMidAnswer { .. } => (
            Class::Reconnect,
            ExitCode::SourceUnreachable,
            "Nothing if it passes; else check the network to SQL Server and its load.",
        ),
        SourceError::Unreadable { .. } => (
            Class::Reconnect,
            ExitCode::SourceUnreachable,
            "Nothing if it passes; else report it with the agent's log.",
        ),
        SourceError::TrackingOff { .. } | SourceError::ReadOnly { .. } => (
            Class::Operator,
            ExitCode::SourceUnreachable,
            "Run `cdc-agent check`: it prints the statement that mends it.",
        ),
        SourceError::UnknownTable { .. } | SourceError::Layout(_) => (
            Class::Operator,
            ExitCode::Configuration,
            "Correct the [[table]] section; `cdc-agent check` names what is possible.",
        ),
        SourceError::UnexpectedValue { .. } | SourceError::InexactKey { .. } => (
            Class::Operator,
            ExitCode::SourceUnreachable,
            "Start the agent again after the table's columns have changed; else exclude the column.",
        ),
        SourceError::BadResume { .. } => {
            (Class::Operator, ExitCode::LoadNeeded, "Run `cdc-agent resync --table` for this table.")
        }
    };
    verdict_of(class, exit, remedy)
}

/// SQL Server's numbers.
fn of_number(number: u32, class: u8) -> Verdict {
    let (treatment, remedy) = match number {
        // Deadlock victim, lock timeout, update conflict, table changed under a snapshot.
        1205 | 1222 | 3960 | 3961 => (Class::Retry, "Nothing: it is tried again."),
        // Out of memory or workers, shutting down, failing over, too many requests.
        701 | 8645 | 6005 | 17142 | 40197 | 40613 | 10928 | 10929 => {
            (Class::Reconnect, "Nothing if it passes; else look at SQL Server's load.")
        }
        18456 | 18452 | 18486 | 18487 | 18488 => {
            (Class::Operator, "Check [source] user and its password, and that the login is enabled.")
        }
        4060 | 916 | 911 => (
            Class::Operator,
            "Check [source] database, and that the login has a user in it: CREATE USER … FOR LOGIN ….",
        ),
        229 | 230 | 300 => (
            Class::Operator,
            "Grant what is missing: GRANT SELECT, VIEW CHANGE TRACKING ON SCHEMA::… TO …; `cdc-agent check` prints it.",
        ),
        22105 | 22107 | 22117 | 208 | 207 => (
            Class::Operator,
            "The table or its Change Tracking is gone; `cdc-agent check` prints what mends it.",
        ),
        3952 => (Class::Operator, "Run: ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON."),
        _ if class >= 20 => (Class::Reconnect, "Nothing if it passes; else look at SQL Server's error log."),
        _ => (Class::Operator, "Look the number up in SQL Server's documentation."),
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
            _ => {
                verdict_of(Class::Operator, target, "Do what the message says, then run `cdc-agent migrate`.")
            }
        },
        TargetError::Busy { .. } => verdict_of(
            Class::Reconnect,
            target,
            "Stop the other agent, or wait until its connection has ended.",
        ),
        TargetError::Fenced { .. } | TargetError::NotTakenOver { .. } => verdict_of(
            Class::Stop,
            target,
            "Nothing if the other agent is the right one; else stop it and start this one.",
        ),
        TargetError::Gap { .. } | TargetError::Torn { .. } | TargetError::Journal(_) => verdict_of(
            Class::Stop,
            ExitCode::Failure,
            "Nothing while the agent runs: the journal is set aside and the source is read again.",
        ),
        TargetError::Metric(_) => {
            verdict_of(Class::Stop, ExitCode::Configuration, "Correct the metrics file and start again.")
        }
        TargetError::NameTooLong { .. } | TargetError::TableTaken { .. } | TargetError::ViewTaken { .. } => {
            verdict_of(Class::Operator, ExitCode::Configuration, "Correct the names in the configuration.")
        }
        TargetError::NotMigrated { .. } => verdict_of(Class::Operator, target, "Run `cdc-agent migrate`."),
        TargetError::FoldTooCoarse { .. } => verdict_of(
            Class::Operator,
            ExitCode::Failure,
            "Change one of the two keys at the source, or exclude the table; report the two spellings.",
        ),
        _ => {
            verdict_of(Class::Operator, target, "Do what the message says; the agent then goes on by itself.")
        }
    }
}

fn of_state(error: &TargetError) -> Verdict {
    error.sql_state().map_or(
        verdict_of(
            Class::Reconnect,
            ExitCode::TargetUnreachable,
            "Check [target] host and port, that PostgreSQL listens there, and its certificate.",
        ),
        of_sql_state,
    )
}

/// PostgreSQL's codes.
fn of_sql_state(state: &SqlState) -> Verdict {
    let (class, remedy) = match (state, &state.code()[..2]) {
        (&SqlState::LOCK_NOT_AVAILABLE | &SqlState::QUERY_CANCELED, _) | (_, "40") => {
            (Class::Retry, "Nothing: it is tried again.")
        }
        (&SqlState::READ_ONLY_SQL_TRANSACTION | &SqlState::IN_FAILED_SQL_TRANSACTION, _) => {
            (Class::Reconnect, "Nothing after a failover; else name the primary in [target] host.")
        }
        (&SqlState::TOO_MANY_CONNECTIONS, _) => {
            (Class::Reconnect, "Nothing if it passes; else raise max_connections.")
        }
        (_, "08" | "57") => (Class::Reconnect, "Nothing if it passes; else look at PostgreSQL's log."),
        (&SqlState::DISK_FULL | &SqlState::OUT_OF_MEMORY, _) => {
            (Class::Operator, "Give PostgreSQL more disk or memory; changes wait in the journal.")
        }
        (_, "28") => (Class::Operator, "Check [target] user and its password, and pg_hba.conf."),
        (_, "3D") => (Class::Operator, "Create the database, or correct [target] database."),
        (&SqlState::INSUFFICIENT_PRIVILEGE, _) => {
            (Class::Operator, "Give the agent's role what is missing; the README shows the roles.")
        }
        (_, "42") => (
            Class::Operator,
            "The schema is not what the agent made: run `cdc-agent migrate`, then start again.",
        ),
        (&SqlState::UNIQUE_VIOLATION, _) | (_, "XX") => {
            (Class::Stop, "Report it with the agent's log; PostgreSQL's data may be damaged.")
        }
        (_, "22" | "23") => (Class::Quarantine, "Nothing: the row is put into quarantine."),
        _ => (
            Class::Operator,
            "Look the code up in PostgreSQL's documentation; the agent goes on when it is mended.",
        ),
    };
    verdict_of(class, ExitCode::TargetUnreachable, remedy)
}

fn of_journal(error: &StateError) -> Verdict {
    let (class, remedy) = match error {
        StateError::Locked { .. } => (Class::Stop, "Stop the other agent that uses this [journal] folder."),
        StateError::LaterFormat { .. } => (
            Class::Stop,
            "Use the later version of cdc-agent, or move the folder away: the source is then read again.",
        ),
        StateError::File { .. } | StateError::Write(_) | StateError::Stopped => (
            Class::Stop,
            "Check the disk under [journal] folder and its permissions, then start again: nothing is lost.",
        ),
        StateError::Damaged(_) => (
            Class::Stop,
            "Nothing while the agent runs: the journal is set aside and the source is read again.",
        ),
        StateError::Record(_) | StateError::RunOpen => (Class::Stop, "Report it with the agent's log."),
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
