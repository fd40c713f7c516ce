//! What can go wrong with the source.

use super::layout::LayoutError;
use crate::tls::TlsError;
use proto::ColumnType;
use std::io;
use std::time::Duration;
use thiserror::Error;

/// An error of the source. After any of them the connection is dropped.
#[derive(Debug, Error)]
pub enum SourceError {
    /// No TCP connection.
    #[error("SQL Server at {host}:{port} cannot be reached")]
    Unreachable {
        /// Host of the configuration.
        host: String,
        /// Port of the configuration.
        port: u16,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// No protected line.
    #[error("the line to SQL Server at {host} cannot be protected: {reason}")]
    Unprotected {
        /// Host of the configuration.
        host: String,
        /// What the handshake said.
        reason: String,
    },
    /// The file of authorities is not usable.
    #[error(transparent)]
    Authorities(#[from] TlsError),
    /// The server answered with an error.
    #[error("{doing}: SQL Server error {number}: {message}")]
    Server {
        /// What was asked.
        doing: String,
        /// Number of the error, such as 1205.
        number: u32,
        /// Class (severity); from 20 on the server closes the line.
        class: u8,
        /// The server's words.
        message: String,
    },
    /// The server did not go on answering.
    #[error("{doing}: no answer from SQL Server for {} seconds", patience.as_secs())]
    TimedOut {
        /// What was asked.
        doing: String,
        /// How long it was waited for.
        patience: Duration,
    },
    /// The line broke.
    #[error("{doing}: the line to SQL Server broke: {reason}")]
    Lost {
        /// What was asked.
        doing: String,
        /// What the operating system said.
        reason: String,
    },
    /// The answer cannot be read.
    #[error("{doing}: an answer that cannot be read: {reason}")]
    Unreadable {
        /// What was asked.
        doing: String,
        /// What the driver said, or what is missing.
        reason: String,
    },
    /// An earlier call failed or was cancelled in the middle of an answer.
    #[error("{doing}: the connection was left in the middle of an answer; open a new one")]
    LeftMidAnswer {
        /// What was asked.
        doing: String,
    },
    /// The database does not track changes.
    #[error("Change Tracking is off in database {database}; `check` prints the statement that turns it on")]
    TrackingOff {
        /// The database.
        database: String,
    },
    /// The database is a readable secondary or set to read only: its tracking is not coherent.
    #[error("database {database} is read only (a secondary replica?); connect to the primary")]
    ReadOnly {
        /// The database.
        database: String,
    },
    /// A configured table is not there, or not visible to the login.
    #[error("table {table} does not exist or is not visible to the login{}", suggestion(nearest.as_deref()))]
    UnknownTable {
        /// As configured.
        table: String,
        /// A table with a similar name.
        nearest: Option<String>,
    },
    /// A table cannot be carried as it is.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// A value that does not have its column's type: the table was changed under the reader.
    #[error("{table}.{column}: a value that is no {expected} came ({found}); was the column's type changed?")]
    UnexpectedValue {
        /// Table at the source.
        table: String,
        /// Column at the source.
        column: String,
        /// The target's type.
        expected: ColumnType,
        /// What came.
        found: String,
    },
    /// A key that could not be found again by what was read of it.
    #[error("{table}: a value of the key column {column} is not exact: {reason}; change it at the source")]
    InexactKey {
        /// Table at the source.
        table: String,
        /// Column at the source.
        column: String,
        /// Why.
        reason: &'static str,
    },
    /// A resume point that this table did not write.
    #[error("{table}: the scan cannot go on from {resume:?}; begin the load again with `resync`")]
    BadResume {
        /// Table at the source.
        table: String,
        /// The text.
        resume: String,
    },
}

/// ` (did you mean x?)`, or nothing.
pub(super) fn suggestion(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

impl SourceError {
    /// The server's number, if the server answered.
    pub fn number(&self) -> Option<u32> {
        match self {
            Self::Server { number, .. } => Some(*number),
            _ => None,
        }
    }

    /// Reads an error of the driver.
    pub(super) fn of_driver(error: tiberius::error::Error, doing: &str, patience: Duration) -> Self {
        use tiberius::error::{Error, IoErrorKind};
        let doing = doing.to_owned();
        match error {
            Error::Server(token) => Self::Server {
                doing,
                number: token.code(),
                class: token.class(),
                message: token.message().to_owned(),
            },
            Error::Io { kind: IoErrorKind::TimedOut, .. } => Self::TimedOut { doing, patience },
            Error::Io { message, .. } => Self::Lost { doing, reason: message },
            other => Self::Unreadable { doing, reason: other.to_string() },
        }
    }
}
