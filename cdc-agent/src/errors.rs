//! The one table of errors: what the agent does about each, what a person does about it, and the exit code.

use crate::config::ConfigError;

/// What the agent does about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The same again on the same connection, after a pause.
    Retry,
    /// The same again on a new connection, after a pause.
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
}

/// The table.
pub fn verdict(error: &AgentError) -> Verdict {
    match error {
        AgentError::Config(_) => Verdict {
            class: Class::Operator,
            remedy: "Correct the configuration and start again.",
            exit: ExitCode::Configuration,
        },
    }
}
