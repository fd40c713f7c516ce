//! The server's sessions, their transactions, locks and waits, as its views show them.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::definition::{CLUSTERED_INDEX_ID, DatabaseId, IndexRef};
use super::lock::{LockMode, Resource};
use super::state::State;
use super::transaction::Transaction;
use super::{Engine, TransactionId};
use crate::parser::ast::Isolation;

/// A session.
#[derive(Clone, Debug)]
pub struct SessionInfo {
    /// `@@SPID`
    pub id: u16,
    /// Login name.
    pub login: String,
    /// Client host, as it said at login.
    pub host: String,
    /// Client program, as it said at login.
    pub program: String,
    /// When it logged in.
    pub since: DateTime<Utc>,
    /// What it does.
    pub activity: Activity,
}

/// What a session does at present, and under which settings.
#[derive(Clone, Copy, Debug)]
pub struct Activity {
    /// Current database.
    pub database: DatabaseId,
    /// Isolation level.
    pub isolation: Isolation,
    /// `@@LOCK_TIMEOUT` in ms, -1 for ever.
    pub lock_timeout: i64,
    /// `DEADLOCK_PRIORITY`
    pub deadlock_priority: i8,
    /// `@@ROWCOUNT`
    pub row_count: u64,
    /// `@@TRANCOUNT`
    pub nesting: u32,
    /// The request that runs, if any.
    pub request: Option<RequestInfo>,
}

/// A running request.
#[derive(Clone, Copy, Debug)]
pub struct RequestInfo {
    /// When it began.
    pub since: DateTime<Utc>,
    /// Kind of the statement that runs.
    pub command: &'static str,
}

/// Who began a transaction.
#[derive(Clone, Debug, Default)]
pub struct TransactionOrigin {
    /// `@@SPID` of the session; 0 is the server itself.
    pub session: u16,
    /// Name given to BEGIN TRANSACTION.
    pub name: Option<String>,
    /// A client began it; else it is that of one statement.
    pub by_user: bool,
}

/// An open transaction.
#[derive(Clone, Debug)]
pub struct TransactionInfo {
    /// Its number.
    pub id: TransactionId,
    /// Who began it.
    pub origin: TransactionOrigin,
    /// When it began.
    pub since: DateTime<Utc>,
    /// Instant of its snapshot, once it has read a user table under SNAPSHOT.
    pub snapshot: Option<u64>,
}

/// A lock that is held or waited for.
#[derive(Clone, Debug)]
pub struct LockInfo {
    /// What is locked.
    pub resource: Resource,
    /// `index_id` of the index to which a key belongs, else 0.
    pub index_id: i32,
    /// How.
    pub mode: LockMode,
    /// GRANT, WAIT or CONVERT.
    pub status: &'static str,
    /// Whose transaction.
    pub owner: TransactionId,
    /// Whose session.
    pub session: u16,
}

/// A session that waits for a lock.
#[derive(Clone, Debug)]
pub struct WaitInfo {
    /// Who waits.
    pub session: u16,
    /// For what.
    pub resource: Resource,
    /// `index_id` of the index to which a key belongs, else 0.
    pub index_id: i32,
    /// In which mode.
    pub mode: LockMode,
    /// For how long.
    pub duration: Duration,
    /// Session of one who is in the way.
    pub blocker: u16,
}

impl Engine {
    /// A session begins, or tells more of itself.
    pub fn open_session(&self, session: SessionInfo) {
        self.state().sessions.insert(session.id, session);
    }

    /// A session goes on to something else.
    pub fn note_activity(&self, session: u16, activity: Activity) {
        if let Some(session) = self.state().sessions.get_mut(&session) {
            session.activity = activity;
        }
    }

    /// A session ends.
    pub fn close_session(&self, session: u16) {
        self.state().sessions.remove(&session);
    }

    /// Every session, by its number.
    pub fn sessions(&self) -> Vec<SessionInfo> {
        self.state().sessions.values().cloned().collect()
    }

    /// The session of a transaction; 0 if it is the server's own.
    pub fn session_of(&self, transaction: TransactionId) -> u16 {
        self.state().session_of(transaction)
    }

    /// Every open transaction, in the order in which they began.
    pub fn open_transactions(&self) -> Vec<TransactionInfo> {
        let state = self.state();
        let mut open: Vec<_> = state.transactions.iter().map(|(id, open)| open.info(*id)).collect();
        open.sort_by_key(|transaction| transaction.id);
        open
    }

    /// Every lock that is held or waited for.
    pub fn locks(&self) -> Vec<LockInfo> {
        let state = self.state();
        let entries = state.locks.entries().into_iter();
        let locks = entries.map(|entry| LockInfo {
            session: state.session_of(entry.owner),
            index_id: state.index_id(&entry.resource),
            resource: entry.resource,
            mode: entry.mode,
            status: entry.status,
            owner: entry.owner,
        });
        locks.collect()
    }

    /// The sessions that wait for locks, by their numbers.
    pub fn lock_waits(&self) -> HashMap<u16, WaitInfo> {
        let state = self.state();
        let waits = state.locks.waits().map(|(waiter, wait)| {
            let session = state.session_of(waiter);
            let blocker = state.locks.blockers(waiter).first().map_or(0, |id| state.session_of(*id));
            let (resource, mode, duration) = (wait.resource.clone(), wait.mode, wait.since.elapsed());
            let index_id = state.index_id(&resource);
            (session, WaitInfo { session, resource, index_id, mode, duration, blocker })
        });
        waits.collect()
    }
}

impl State {
    fn session_of(&self, transaction: TransactionId) -> u16 {
        if let Some(transaction) = self.transactions.get(&transaction) {
            return transaction.origin.session;
        }
        let mut holders = self.application_locks.iter();
        holders.find(|(_, locks)| locks.owner() == transaction).map_or(0, |(session, _)| *session)
    }

    fn index_id(&self, resource: &Resource) -> i32 {
        match resource {
            Resource::Key(_, IndexRef::Primary, _) | Resource::End(_, IndexRef::Primary) => {
                CLUSTERED_INDEX_ID
            }
            Resource::Key(table, IndexRef::Secondary(number), _)
            | Resource::End(table, IndexRef::Secondary(number)) => {
                let table = self.find_table(*table);
                table.and_then(|table| table.def.indexes.get(*number)).map_or(0, |index| index.index_id)
            }
            Resource::Object(_) | Resource::Row(..) | Resource::Application(_) => 0,
        }
    }
}

impl Transaction {
    fn info(&self, id: TransactionId) -> TransactionInfo {
        TransactionInfo { id, origin: self.origin.clone(), since: self.since, snapshot: self.snapshot }
    }
}
