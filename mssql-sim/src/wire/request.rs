//! Requests of a logged-in client (2.2.1): ALL_HEADERS and what follows it.

use tokio::sync::mpsc;

use super::packet::{Message, MessageType};
use super::reader::{Reader, utf16};
use super::rpc::{self, Call};
use super::{ProtocolError, reader};

const HEADER_TRANSACTION: u16 = 2;

/// A request with the transaction it belongs to.
#[derive(Debug)]
pub struct Request {
    /// The descriptor that the client last heard of; 0 outside a transaction.
    pub transaction: u64,
    /// What to do.
    pub kind: RequestKind,
}

/// What a client asks for.
#[derive(Debug)]
pub enum RequestKind {
    /// T-SQL text.
    Batch(String),
    /// Procedure calls, answered one after the other.
    Calls(Vec<Call>),
    /// A transaction request.
    Transaction(TransactionRequest),
    /// The packets of a bulk load.
    Load(mpsc::Receiver<Message>),
}

/// Transaction-manager requests (2.2.6.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransactionRequest {
    /// Begin.
    Begin(Begin),
    /// Commit, and begin another if asked.
    Commit(Option<Begin>),
    /// Roll back, and begin another if asked; a name goes back to that savepoint.
    Rollback {
        /// Savepoint; empty for the whole transaction.
        name: String,
        /// The next transaction.
        next: Option<Begin>,
    },
    /// Set a savepoint.
    Save(String),
}

/// How a transaction begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begin {
    /// 1 READ UNCOMMITTED to 4 SERIALIZABLE, 5 SNAPSHOT; 0 leaves the session's level.
    pub isolation: u8,
    /// Name, may be empty.
    pub name: String,
}

/// Reads a request.
pub fn read(message: &Message) -> Result<Request, ProtocolError> {
    let mut reader = Reader::new(&message.body);
    let transaction = read_headers(&mut reader)?;
    let kind = match message.kind {
        MessageType::SqlBatch => RequestKind::Batch(utf16(reader.take_rest(), "batch text")?),
        MessageType::Rpc => RequestKind::Calls(rpc::read(&mut reader)?),
        MessageType::TransactionManager => RequestKind::Transaction(read_transaction(&mut reader)?),
        other => return Err(ProtocolError::Invalid { field: "request", found: format!("{other:?}") }),
    };
    Ok(Request { transaction, kind })
}

/// ALL_HEADERS (2.2.5.3): the transaction descriptor, 0 if there is none.
fn read_headers(reader: &mut Reader<'_>) -> Result<u64, ProtocolError> {
    const FIELD: &str = "ALL_HEADERS";
    let total = reader.u32(FIELD)? as usize;
    let length = total.checked_sub(4).ok_or(ProtocolError::Truncated { field: FIELD })?;
    let mut headers = Reader::new(reader.bytes(length, FIELD)?);
    let mut transaction = 0;
    while headers.remaining() > 0 {
        let length = headers.u32(FIELD)? as usize;
        let kind = headers.u16(FIELD)?;
        let rest = length.checked_sub(6).ok_or(ProtocolError::Truncated { field: FIELD })?;
        let mut header = reader::Reader::new(headers.bytes(rest, FIELD)?);
        if kind == HEADER_TRANSACTION {
            transaction = header.u64("transaction descriptor")?;
        }
    }
    Ok(transaction)
}

fn read_transaction(reader: &mut Reader<'_>) -> Result<TransactionRequest, ProtocolError> {
    Ok(match reader.u16("transaction request")? {
        5 => TransactionRequest::Begin(read_begin(reader)?),
        7 => {
            read_name(reader)?;
            TransactionRequest::Commit(read_next(reader)?)
        }
        8 => TransactionRequest::Rollback { name: read_name(reader)?, next: read_next(reader)? },
        9 => TransactionRequest::Save(read_name(reader)?),
        other => return Err(ProtocolError::Unsupported(format!("transaction request {other}"))),
    })
}

fn read_begin(reader: &mut Reader<'_>) -> Result<Begin, ProtocolError> {
    Ok(Begin { isolation: reader.u8("isolation level")?, name: read_name(reader)? })
}

/// Transaction names are counted in bytes.
fn read_name(reader: &mut Reader<'_>) -> Result<String, ProtocolError> {
    let bytes = reader.u8("transaction name")?;
    utf16(reader.bytes(usize::from(bytes), "transaction name")?, "transaction name")
}

fn read_next(reader: &mut Reader<'_>) -> Result<Option<Begin>, ProtocolError> {
    let flags = reader.u8("transaction flags")?;
    if flags & 1 == 0 { Ok(None) } else { read_begin(reader).map(Some) }
}
