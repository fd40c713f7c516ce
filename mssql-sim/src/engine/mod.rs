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
//! image, that of the transaction that has the key's X lock. A commit stamps its images with the next
//! number of one instance-wide sequence, so "as of instant S" is "newest version stamped at most S". Versions that no
//! open snapshot can see are dropped when a transaction ends.
//!
//! # Who sees what
//! READ COMMITTED reads the newest committed image and waits on a key that another transaction wrote. READ UNCOMMITTED
//! takes pending images. REPEATABLE READ and SERIALIZABLE keep locks on what they read. SNAPSHOT reads as of an instant
//! that the first access to a user table fixes, READ COMMITTED SNAPSHOT as of one for each statement. A writer waits for
//! the key's lock; under SNAPSHOT it then fails with 3960 if the row was changed after its instant. [`lock`] and
//! [`read`] have the rules.
//!
//! # Change Tracking
//! A transaction logs what it did to tracked keys; its commit folds the log to one entry per key and takes the next
//! version of the database, so versions are in commit order. [`tracking`] has the rules.

mod alias;
mod application_lock;
mod backup;
mod changes;
mod cleanup;
mod clock;
mod database;
mod database_settings;
mod database_use;
mod definition;
mod describe;
mod device;
mod foreign_key;
mod gate;
mod index_filter;
pub mod keys;
pub mod layout;
mod lock;
mod numbers;
mod permission;
mod principal;
mod read;
mod role;
mod rows;
mod scan;
mod schema;
mod schema_object;
mod sessions;
mod state;
mod statement;
pub mod temporary;
#[cfg(test)]
mod tests;
pub mod tracking;
mod transaction;
mod write;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

pub use alias::{AliasType, ResolvedType};
pub use application_lock::{ApplicationLock, ApplicationLockOwner};
pub use backup::{Backup, History};
pub use cleanup::CleanedTable;
pub use clock::Clock;
pub use database::Schema;
pub use database_settings::DatabaseSettings;
pub use database_use::DatabaseUse;
pub use definition::{
    CLUSTERED_INDEX_ID, Check, Checking, Column, Computed, DatabaseId, DefaultDef, ForeignKey, Identity,
    IndexDef, IndexRef, KeyColumn, KeyDef, ObjectId, TableDef,
};
pub use describe::{DatabaseInfo, TableInfo, TrackingInfo};
pub use device::RestoreSource;
pub use index_filter::{FilterTerm, FilterTest, IndexFilter};
pub use keys::{KeyRange, key_prefix};
pub use lock::{Hold, LockMode, LockRequest, LockWait, Patience, Resource};
pub use permission::{Grant, GrantScope, ObjectIdentity, SchemaObject};
pub(crate) use principal::cannot;
pub use principal::{FIXED_ROLES, NewUser, Principal, User};
pub use read::{ReadHint, ReadLevel, TableRead};
pub use role::Role;
pub use scan::{Scan, ScannedRow};
pub(crate) use schema::could_not_create;
pub use schema_object::{ExtendedProperty, ObjectHeader, PropertyOwner, Synonym, UserView};
pub use sessions::{
    Activity, LockInfo, RequestInfo, SessionInfo, TransactionInfo, TransactionOrigin, WaitInfo,
};
pub use statement::{NameScope, Object, StatementScope};
pub use temporary::{TEMPDB, Temporaries};
pub use transaction::Mark;
pub use write::{RowWrite, TableWrites};

use crate::collation::Collation;
use crate::counters::{Count, Counters};
use crate::types::{SqlError, Value};
use database::Database;
use state::State;

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
    /// Another transaction holds what is needed: give up the statement, await [`Engine::wait`], run it again.
    Wait(LockWait),
    /// What the statement read has changed since: run it again at once.
    Retry,
}

impl From<SqlError> for Interrupt {
    fn from(error: SqlError) -> Self {
        Self::Error(error)
    }
}

impl Interrupt {
    /// A wait that gives up at once, if `no_wait`.
    fn without_wait(self, no_wait: bool) -> Self {
        match self {
            Self::Wait(wait) => Self::Wait(LockWait { no_wait: wait.no_wait || no_wait, ..wait }),
            other => other,
        }
    }
}

/// How an engine behaves where SQL Server's behaviour is configurable or not known.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The server's clock.
    pub clock: Clock,
    /// Whether CHANGETABLE in a SNAPSHOT transaction shows the changes as of its instant, as its tables do. What
    /// a real server does is not documented, so tests run with both.
    pub changes_follow_snapshot: bool,
    /// Whether moving the clock lets the background cleanup of Change Tracking run when it is due.
    pub background_cleanup: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { clock: Clock::SYSTEM, changes_follow_snapshot: true, background_cleanup: true }
    }
}

/// A handle on the server's state; clones share it.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Rows that scans have found.
    rows_read: Count,
    /// Times that somebody had to wait for a lock.
    waits: Count,
    /// Rung whenever somebody who waits for a lock may go on.
    released: Arc<Notify>,
    /// Rung whenever a transaction, a statement or a session's use of a database has ended.
    settled: Notify,
}

/// Databases of a new server, by id.
const SYSTEM_DATABASES: [(i32, &str); 4] = [(1, "master"), (2, "tempdb"), (3, "model"), (4, "msdb")];

impl Engine {
    /// A server with the system databases and no logins.
    pub fn new(options: Options) -> Self {
        let now = options.clock.now();
        let released = Arc::new(Notify::new());
        let system = SYSTEM_DATABASES
            .map(|(id, name)| (DatabaseId(id), Database::new(DatabaseId(id), name, Collation::DEFAULT, now)));
        let state = State {
            clock: options.clock,
            options,
            databases: BTreeMap::from(system),
            database_uses: HashMap::new(),
            logins: Vec::new(),
            sessions: BTreeMap::new(),
            application_locks: HashMap::new(),
            transactions: HashMap::new(),
            last_transaction: 0,
            statements: HashMap::new(),
            last_statement: 0,
            locks: lock::LockTable::new(Arc::clone(&released)),
            commit_sequence: 0,
            instants: BTreeMap::new(),
            garbage: VecDeque::new(),
            gate: gate::CommitGate::default(),
            devices: HashMap::new(),
        };
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                rows_read: Count::default(),
                waits: Count::default(),
                released,
                settled: Notify::new(),
            }),
        }
    }

    /// Adds what the engine counts.
    pub(crate) fn count(&self, counters: Counters) -> Counters {
        let state = self.state();
        Counters {
            rows_read: self.shared.rows_read.get(),
            waits: self.shared.waits.get(),
            open_transactions: state.transactions.len() as u64,
            open_snapshots: state.instants.values().sum::<usize>() as u64,
            ..counters
        }
    }

    /// The server's clock (UTC).
    pub fn now(&self) -> DateTime<Utc> {
        self.state().clock.now()
    }

    /// Says that something has ended, see [`Engine::until`].
    fn settle(&self) {
        self.shared.settled.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock()
    }
}

/// A value as error messages show it.
fn describe_value(value: &Value) -> String {
    match value {
        Value::Null => "<NULL>".to_owned(),
        Value::Bit(bit) => u8::from(*bit).to_string(),
        Value::Int(n) => n.to_string(),
        Value::Text(text) => String::from_utf16_lossy(text),
        other => format!("{other:?}"),
    }
}
