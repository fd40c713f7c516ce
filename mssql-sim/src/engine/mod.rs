//! The engine: databases of tables kept in memory, with SQL Server's transactions and Change Tracking.
//!
//! # Shape
//! [`Engine`] is a handle; clones share one state behind one mutex. Every call is short and never blocks on another
//! transaction: what would have to wait returns [`Interrupt::Wait`], the caller gives up what it did for the statement,
//! awaits [`Engine::wait`] and runs the statement again. So a session is an ordinary task and a test may run any
//! number of them on one thread.
//!
//! # Rows and versions
//! A row is its columns' wire bytes ([`crate::wire::value`]) in the order of [`TableDef::layout`]. A table maps key bytes
//! (the primary key, or a running number) to an entry: the committed versions, newest first, and at most one pending
//! image, which *is* the exclusive lock of the transaction that wrote it. A commit stamps its images with the next
//! number of one instance-wide sequence, so "as of instant S" is "newest version stamped at most S". Versions that no
//! open snapshot can see are dropped when a transaction ends.
//!
//! # Who sees what
//! READ COMMITTED reads the newest committed image and waits on a key that another transaction wrote. READ UNCOMMITTED
//! takes pending images. SNAPSHOT reads as of an instant that the first access to a user table fixes. A writer waits
//! for the key's lock; under SNAPSHOT it then fails with 3960 if the row was changed after its instant.
//!
//! # Change Tracking
//! A transaction logs what it did to tracked keys; its commit folds the log to one entry per key and takes the next
//! version of the database, so versions are in commit order. [`tracking`] has the rules.

pub mod collation;
pub mod definition;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

pub use definition::{Column, DatabaseId, IndexRef, KeyColumn, ObjectId, TableDef};

use crate::parser::ast::{Isolation, ObjectName};
use crate::types::{ColumnMeta, SqlError, Value};

/// A row in row form.
pub type Row = Arc<[u8]>;

/// Order-preserving key bytes, see [`keys`].
pub type Key = Arc<[u8]>;

/// A transaction; the number is its descriptor on the wire, never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionId(pub u64);

/// Why a call gave no result.
#[derive(Clone, Debug, PartialEq)]
pub enum Interrupt {
    /// An error for the client.
    Error(SqlError),
    /// Another transaction holds what is needed: undo the statement, await [`Engine::wait`], run it again.
    Wait(LockWait),
}

/// What a statement waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockWait {
    /// Who waits.
    pub waiter: TransactionId,
    /// Who holds it.
    pub holder: TransactionId,
    /// What is held.
    pub resource: Resource,
}

/// Kinds of locked things; the state of errors 1222 and 1205 names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A row of a table with a primary key.
    Key,
    /// A row of a heap.
    Row,
    /// A table's definition.
    Object,
}

/// How long and how dearly a session waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// `SET LOCK_TIMEOUT`; None waits for ever.
    pub timeout: Option<Duration>,
    /// `SET DEADLOCK_PRIORITY`; the lowest of a cycle is its victim.
    pub deadlock_priority: i8,
}

/// How a statement reads one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadHint {
    /// By the transaction's isolation level.
    ByLevel,
    /// `NOLOCK`, `READUNCOMMITTED`
    NoLock,
    /// `READCOMMITTEDLOCK` and every hint that locks: the newest committed row, waiting for writers.
    Committed,
}

/// Whose eyes see, and from where: the session's part of name resolution.
#[derive(Clone, Debug)]
pub struct NameScope {
    /// The session's current database.
    pub database: DatabaseId,
    /// Who asks.
    pub principal: Principal,
    /// The transaction in which it asks.
    pub transaction: TransactionId,
}

/// A logged-in principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Login name.
    pub login: String,
    /// Member of sysadmin: everything is permitted.
    pub sysadmin: bool,
}

/// A name's meaning.
#[derive(Clone, Debug)]
pub enum Object {
    /// A user table.
    Table(Arc<TableDef>),
    /// A catalog view.
    View(crate::catalog::View),
}

/// Rows of one read of a table, and how to go on.
#[derive(Clone, Debug, PartialEq)]
pub struct ScannedRow {
    /// Where it stands in the order of the scanned index; give the last one to the next scan.
    pub position: Key,
    /// Its key in the table.
    pub key: Key,
    /// The row.
    pub row: Row,
}

/// A read of a table in the order of one of its keys.
#[derive(Clone, Debug)]
pub struct Scan {
    /// Which order.
    pub index: IndexRef,
    /// Which part of it.
    pub range: KeyRange,
    /// Only what stands behind this position.
    pub after: Option<Key>,
    /// At most so many rows.
    pub limit: usize,
}

/// A half-open range of key bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// First key inside.
    pub from: Vec<u8>,
    /// First key behind; None for no end.
    pub to: Option<Vec<u8>>,
}

/// One row's change within a statement.
#[derive(Clone, Debug)]
pub enum RowWrite {
    /// A new row.
    Insert(Row),
    /// A row replaced by another; its key may move.
    Update {
        /// Its key.
        key: Key,
        /// The row as the statement read it.
        before: Row,
        /// The row as it will be.
        after: Row,
    },
    /// A row removed.
    Delete {
        /// Its key.
        key: Key,
        /// The row as the statement read it.
        before: Row,
    },
}

/// What a statement writes to one table.
#[derive(Clone, Debug)]
pub struct TableWrites {
    /// The table, as the statement was bound to it.
    pub table: Arc<TableDef>,
    /// The rows; none appears twice.
    pub rows: Vec<RowWrite>,
    /// Column ids that an UPDATE sets, in the order of its SET list, for `SYS_CHANGE_COLUMNS`.
    pub columns_set: Arc<[i32]>,
}

/// A handle on the server's state; clones share it.
#[derive(Clone)]
pub struct Engine;

/// One execution of one statement: its transaction, isolation and the tables that it has open. Dropping it ends the
/// statement's hold on definitions and on the instant of READ COMMITTED SNAPSHOT.
pub struct StatementScope;

/// A table opened for reading by a statement.
#[derive(Clone, Debug)]
pub struct TableRead {
    /// The definition; stable while the statement lasts.
    pub table: Arc<TableDef>,
}

#[allow(unused_variables)]
impl Engine {
    /// Registers the beginning of a statement.
    pub fn statement(&self, transaction: TransactionId, isolation: Isolation) -> StatementScope { todo!() }
    /// Finds what a name means in a session: a user table or a catalog view. `None`: error 208 is the caller's.
    pub fn resolve(&self, scope: &NameScope, name: &ObjectName) -> Result<Option<Object>, Interrupt> { todo!() }
    /// Begins a transaction. Autocommit statements run in one of their own.
    pub fn begin(&self, name: Option<&str>) -> TransactionId { todo!() }
    /// Commits it: stamps its images, takes a Change Tracking version where tracked tables were touched, wakes waiters.
    pub fn commit(&self, transaction: TransactionId) { todo!() }
    /// Undoes everything and wakes waiters. A transaction that is already gone is fine.
    pub fn rollback(&self, transaction: TransactionId) { todo!() }
    /// `SAVE TRAN name`
    pub fn save(&self, transaction: TransactionId, name: &str) { todo!() }
    /// `ROLLBACK TRAN name`; error 6401 for an unknown name.
    pub fn rollback_to(&self, transaction: TransactionId, name: &str) -> Result<(), SqlError> { todo!() }
    /// Waits until the holder's transaction has ended. Errors: 1222 after the timeout, 1205 for a deadlock's victim
    /// (whose work is undone and whose locks are free by then; the session still calls `rollback`).
    pub async fn wait(&self, wait: LockWait, patience: Patience) -> Result<(), SqlError> { todo!() }
    /// The server's clock (UTC).
    pub fn now(&self) -> DateTime<Utc> { todo!() }
    /// Moves the clock forward.
    pub fn advance_clock(&self, by: Duration) { todo!() }

    /// Opens a table: takes its definition for the statement, fixes the snapshot. 3952, 3961; waits for DDL.
    pub fn open(&self, statement: &StatementScope, table: &Arc<TableDef>, hint: ReadHint) -> Result<TableRead, Interrupt> { todo!() }
    /// Reads a chunk in key order; empty is the end. Waits on the first locked row only if nothing was read before it.
    pub fn scan(&self, read: &TableRead, scan: &Scan) -> Result<Vec<ScannedRow>, Interrupt> { todo!() }

    /// Applies a statement's writes to all tables at once: keys, uniqueness on the end state, foreign keys, tracking.
    /// On an error or a wait nothing of it remains (locks do).
    pub fn apply(&self, statement: &StatementScope, writes: Vec<TableWrites>, context: Option<Vec<u8>>) -> Result<(), Interrupt> { todo!() }
    /// Draws `count` identity values; returns the first.
    pub fn next_identities(&self, table: &TableDef, count: u64) -> Result<i64, SqlError> { todo!() }

    /// Columns of `CHANGETABLE(CHANGES table, ..)`: five SYS_ columns, then the key's in key order.
    pub fn changes_columns(&self, table: &TableDef) -> Arc<[ColumnMeta]> { todo!() }
    /// Rows of `CHANGETABLE(CHANGES table, last_sync)` in row form of `changes_columns`, in key order. NULL is None.
    pub fn changes(&self, read: &TableRead, last_sync: Option<i64>) -> Result<Vec<Row>, Interrupt> { todo!() }
    /// Columns of `CHANGETABLE(VERSION table, ..)`: version, context, the key's columns.
    pub fn version_columns(&self, table: &TableDef) -> Arc<[ColumnMeta]> { todo!() }
    /// The row of `CHANGETABLE(VERSION table, ..)` for a key (bytes of the whole primary key); None if there is no such row.
    pub fn version_of(&self, read: &TableRead, key: &[u8]) -> Result<Option<Row>, Interrupt> { todo!() }
    /// Whether a table is tracked (else 22105 at compile time).
    pub fn is_tracked(&self, table: &TableDef) -> bool { todo!() }
    /// `CHANGE_TRACKING_CURRENT_VERSION()`
    pub fn tracking_version(&self, database: DatabaseId) -> Option<i64> { todo!() }
    /// `CHANGE_TRACKING_MIN_VALID_VERSION(object_id)`; None too without VIEW CHANGE TRACKING.
    pub fn min_valid_version(&self, scope: &NameScope, object_id: ObjectId) -> Option<i64> { todo!() }
    /// Drops tracking entries older than the retention, by the server's clock.
    pub fn cleanup(&self, database: DatabaseId) { todo!() }
    /// `@@DBTS`
    pub fn last_rowversion(&self, database: DatabaseId) -> u64 { todo!() }
    /// `MIN_ACTIVE_ROWVERSION()`
    pub fn min_active_rowversion(&self, database: DatabaseId) -> u64 { todo!() }
    /// Refuses what the principal may not do: error 229. `permission` is upper-case, as in GRANT.
    pub fn require(&self, principal: &Principal, permission: &str, table: &TableDef) -> Result<(), SqlError> { todo!() }
}

/// Key bytes of values, to seek with. Values must have been converted to the columns' types without loss.
pub fn key_prefix(_table: &TableDef, _index: IndexRef, _values: &[Value]) -> Vec<u8> { todo!() }
