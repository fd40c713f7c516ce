//! What a running request tells the connection, in order; the connection turns each event into tokens.

use std::sync::Arc;

use tokio::sync::mpsc;

pub use super::command::Command;
use crate::types::{ColumnMeta, SqlError, SqlType, Value};

/// One step of a request's answer.
#[derive(Clone, Debug)]
pub enum Event {
    /// A result set begins; [`Event::Rows`] follow and a [`Event::Done`] ends it.
    Columns(Arc<[ColumnMeta]>),
    /// The columns by which the rows that follow are ordered, as positions from 1, 0 for what is no column.
    Order(Vec<u16>),
    /// A chunk of the current result set, each row in row form (see [`crate::wire::value`]).
    Rows(Vec<Arc<[u8]>>),
    /// A statement ended.
    Done {
        /// What kind of statement it was.
        command: Command,
        /// Rows returned or changed; None when there is nothing to count or NOCOUNT is on.
        rows: Option<u64>,
    },
    /// A statement ended because of the errors before.
    Failed(Command),
    /// An error, behind those that caused it.
    Error(SqlError),
    /// A message of class 10 or less.
    Info(SqlError),
    /// A transaction began; the descriptor names it in the client's next requests.
    TransactionBegan(u64),
    /// The transaction with this descriptor was committed.
    TransactionCommitted(u64),
    /// The transaction with this descriptor was rolled back, by request or by an error.
    TransactionRolledBack(u64),
    /// The current database changed.
    DatabaseChanged {
        /// Database before.
        old: String,
        /// Database now.
        new: String,
    },
    /// A procedure begins; until its end every [`Event::Done`] is one of its own.
    ProcedureBegan,
    /// What the procedure returned, before its output parameters.
    ReturnStatus(i32),
    /// An output parameter of a procedure.
    ReturnValue {
        /// Place of its argument in the call, from 0.
        ordinal: u16,
        /// Name with its `@`, as the client wrote it; empty when it was passed by position.
        name: String,
        /// Type.
        sql_type: SqlType,
        /// Value.
        value: Value,
    },
    /// The procedure ended.
    ProcedureEnded {
        /// By an error of the call itself, outside of any statement.
        failed: bool,
    },
}

/// Where a running request sends its events. Sending waits while the client is slow, so a slow client keeps its
/// snapshot open as it does on a real server.
#[derive(Clone, Debug)]
pub struct Events(mpsc::Sender<Event>);

/// Nobody takes the events any more: the client is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the client is gone")]
pub struct ClientGone;

/// Events that may wait to be sent.
const CHANNEL_CAPACITY: usize = 4;

impl Events {
    /// A sender and the connection's end of it.
    pub fn channel() -> (Self, mpsc::Receiver<Event>) {
        let (sender, receiver) = mpsc::channel(CHANNEL_CAPACITY);
        (Self(sender), receiver)
    }

    /// Sends an event when there is room.
    pub async fn send(&self, event: Event) -> Result<(), ClientGone> {
        self.0.send(event).await.map_err(|_| ClientGone)
    }
}
