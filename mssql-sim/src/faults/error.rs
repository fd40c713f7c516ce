//! Errors that a fault raises.

use serde::{Deserialize, Serialize};

use crate::types::{Reach, SqlError};

/// Numbers with the class and the text that SQL Server has for them.
const KNOWN: [(i32, u8, &str); 13] = [
    (596, 21, "Cannot continue the execution because the session is in the kill state."),
    (701, 17, "There is insufficient system memory in resource pool 'default' to run this query."),
    (
        1205,
        13,
        "Transaction (Process ID 51) was deadlocked on lock resources with another process and has been chosen as the \
         deadlock victim. Rerun the transaction.",
    ),
    (1222, 16, "Lock request time out period exceeded."),
    (
        3960,
        16,
        "Snapshot isolation transaction aborted due to update conflict. Retry the transaction or change the isolation \
         level for the update/delete statement.",
    ),
    (4060, 11, "Cannot open database requested by the login. The login failed."),
    (
        8645,
        17,
        "A timeout occurred while waiting for memory resources to execute the query in resource pool 'default' (2). \
         Rerun the query.",
    ),
    (9002, 17, "The transaction log for database 'wms' is full due to 'LOG_BACKUP'."),
    (
        10928,
        16,
        "Resource ID: 1. The request limit for the database is 1 and has been reached. See \
         'http://go.microsoft.com/fwlink/?LinkId=267637' for assistance.",
    ),
    (
        17830,
        20,
        "Network error code 0x2746 occurred while establishing a connection; the connection has been closed.",
    ),
    (18456, 14, "Login failed for user."),
    (40197, 17, "The service has encountered an error processing your request. Please try again."),
    (40613, 17, "Database on server is not currently available. Please retry the connection later."),
];
/// Errors that take the transaction along.
const ENDING_TRANSACTIONS: [i32; 2] = [1205, 3960];
/// From this class on an error closes the connection.
const FATAL_CLASS: u8 = 20;

/// An error by its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultError {
    /// Number.
    pub number: i32,
    /// Severity; that of the number, or 16. From 20 on the connection is closed.
    #[serde(default)]
    pub class: Option<u8>,
    /// Text; that of the number, if it is one of those that servers in trouble send.
    #[serde(default)]
    pub message: Option<String>,
}

impl FaultError {
    /// The error of a number.
    pub fn new(number: i32) -> Self {
        Self { number, class: None, message: None }
    }
}

impl From<FaultError> for SqlError {
    fn from(error: FaultError) -> Self {
        let known = KNOWN.iter().find(|(number, ..)| *number == error.number);
        let class = error.class.or(known.map(|(_, class, _)| *class)).unwrap_or(16);
        let message = error.message.or(known.map(|(.., text)| (*text).to_owned()));
        let message = message.unwrap_or_else(|| "An error on command.".to_owned());
        let reach = match error.number {
            _ if class >= FATAL_CLASS => Reach::Connection,
            number if ENDING_TRANSACTIONS.contains(&number) => Reach::Transaction,
            _ => Reach::Statement,
        };
        Self { class, reach, ..Self::statement(error.number, message) }
    }
}
