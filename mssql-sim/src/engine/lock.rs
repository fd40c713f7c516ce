//! Waiting: locks on definitions, the graph of who waits for whom, timeouts and deadlocks.
//!
//! Row locks are the pending images of [`super::rows`]. A definition is shared by the statements that use the table and
//! by the transactions that wrote to it, and is exclusive to the transaction that changed it (DDL, TRUNCATE), until its end.
//!
//! A waiter gives back what its statement did, registers here and sleeps; it runs its statement again when the holder has
//! let go. Registration looks for a cycle: the victim is the one with the lowest deadlock priority, the newcomer
//! if several have it. The victim's transaction is undone at once, before its session hears of it.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::state::{State, TableRef};
use super::{Engine, TransactionId};
use crate::types::{Reach, SqlError};

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
    Definition(TableRef),
    /// Nothing any more: what the statement read has changed since, it runs again at once.
    Changed,
}

impl Resource {
    fn state(self) -> u8 {
        match self {
            Self::Key | Self::Changed => 51,
            Self::Row => 45,
            Self::Definition(_) => 56,
        }
    }
}

/// How long and how dearly a session waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// `SET LOCK_TIMEOUT`; None waits for ever.
    pub timeout: Option<Duration>,
    /// `SET DEADLOCK_PRIORITY`, -10 to 10; the lowest of a cycle is its victim.
    pub deadlock_priority: i8,
    /// `@@SPID`, for the text of 1205.
    pub process_id: u16,
}

/// A registered waiter.
#[derive(Clone, Copy, Debug)]
pub(super) struct WaitRecord {
    wait: LockWait,
    priority: i8,
    /// It was chosen to end a deadlock.
    victim: bool,
}

/// Holds on tables' definitions.
#[derive(Debug, Default)]
pub(super) struct DefinitionLocks {
    tables: HashMap<TableRef, DefinitionLock>,
}

#[derive(Debug, Default)]
struct DefinitionLock {
    exclusive: Option<TransactionId>,
    /// Users by transaction, with the number of their holds.
    shared: HashMap<TransactionId, usize>,
}

impl DefinitionLocks {
    /// The transaction that is changing a table's definition, unless it is the asker.
    pub(super) fn changer(&self, table: TableRef, asker: TransactionId) -> Option<TransactionId> {
        self.tables.get(&table)?.exclusive.filter(|owner| *owner != asker)
    }

    /// Somebody else who uses or changes the table.
    pub(super) fn other_user(&self, table: TableRef, asker: TransactionId) -> Option<TransactionId> {
        let lock = self.tables.get(&table)?;
        lock.exclusive.iter().chain(lock.shared.keys()).copied().find(|user| *user != asker)
    }

    fn is_used_by(&self, table: TableRef, user: TransactionId) -> bool {
        let lock = self.tables.get(&table);
        lock.is_some_and(|lock| lock.exclusive == Some(user) || lock.shared.contains_key(&user))
    }

    pub(super) fn share(&mut self, table: TableRef, user: TransactionId) {
        *self.tables.entry(table).or_default().shared.entry(user).or_default() += 1;
    }

    pub(super) fn unshare(&mut self, table: TableRef, user: TransactionId) {
        let Some(lock) = self.tables.get_mut(&table) else { return };
        if let Some(holds) = lock.shared.get_mut(&user) {
            *holds -= 1;
            if *holds == 0 {
                lock.shared.remove(&user);
            }
        }
        self.drop_unused(table);
    }

    /// Makes a definition exclusive; the caller has made sure that nobody else uses it.
    pub(super) fn exclude(&mut self, table: TableRef, owner: TransactionId) {
        self.tables.entry(table).or_default().exclusive = Some(owner);
    }

    pub(super) fn admit(&mut self, table: TableRef) {
        if let Some(lock) = self.tables.get_mut(&table) {
            lock.exclusive = None;
        }
        self.drop_unused(table);
    }

    fn drop_unused(&mut self, table: TableRef) {
        if self.tables.get(&table).is_some_and(|lock| lock.exclusive.is_none() && lock.shared.is_empty()) {
            self.tables.remove(&table);
        }
    }
}

/// What a look at a registered wait shows.
enum Progress {
    Over,
    Victim,
    Waiting,
}

impl State {
    /// Registers a wait; breaks the cycle that it closes, if any.
    fn register_wait(&mut self, wait: LockWait, priority: i8) {
        self.waits.insert(wait.waiter, WaitRecord { wait, priority, victim: false });
        let Some(cycle) = self.cycle_through(wait.waiter) else { return };
        let victim = cycle
            .into_iter()
            .min_by_key(|waiter| (self.waits[waiter].priority, *waiter != wait.waiter))
            .expect("a cycle has members");
        self.waits.entry(victim).and_modify(|record| record.victim = true);
        self.end_transaction(victim, None);
    }

    /// The waiters of the cycle that begins and ends at one of them.
    fn cycle_through(&self, start: TransactionId) -> Option<Vec<TransactionId>> {
        let mut members = Vec::new();
        let mut next = start;
        loop {
            let record = self.waits.get(&next)?;
            if members.contains(&next) || !self.still_held(record.wait) {
                return None;
            }
            members.push(next);
            next = record.wait.holder;
            if next == start {
                return Some(members);
            }
        }
    }

    fn still_held(&self, wait: LockWait) -> bool {
        match wait.resource {
            Resource::Key | Resource::Row => self.transactions.contains_key(&wait.holder),
            Resource::Definition(table) => self.definitions.is_used_by(table, wait.holder),
            Resource::Changed => false,
        }
    }

    fn progress(&self, waiter: TransactionId) -> Progress {
        match self.waits.get(&waiter) {
            Some(record) if record.victim => Progress::Victim,
            Some(record) if self.still_held(record.wait) => Progress::Waiting,
            _ => Progress::Over,
        }
    }
}

/// Takes a waiter off the graph, also when its session stops waiting (attention, lost connection).
struct Registration<'a> {
    engine: &'a Engine,
    waiter: TransactionId,
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        self.engine.state().waits.remove(&self.waiter);
    }
}

impl Engine {
    /// Waits until what a statement needs is free.
    ///
    /// # Errors
    /// 1222 after the timeout; 1205 for the victim of a deadlock, whose work is undone and whose locks are free by then.
    pub async fn wait(&self, wait: LockWait, patience: Patience) -> Result<(), SqlError> {
        self.state().register_wait(wait, patience.deadlock_priority);
        self.wake_waiters();
        let registration = Registration { engine: self, waiter: wait.waiter };
        let deadline = patience.timeout.map(|timeout| Instant::now() + timeout);
        loop {
            let released = self.shared.released.notified();
            tokio::pin!(released);
            released.as_mut().enable();
            match self.state().progress(registration.waiter) {
                Progress::Over => return Ok(()),
                Progress::Victim => return Err(deadlock(wait.resource, patience.process_id)),
                Progress::Waiting => {}
            }
            match deadline {
                None => released.await,
                Some(deadline) => {
                    if tokio::time::timeout_at(deadline, released).await.is_err() {
                        return Err(timed_out(wait.resource));
                    }
                }
            }
        }
    }

    pub(super) fn wake_waiters(&self) {
        self.shared.released.notify_waiters();
    }
}

fn timed_out(resource: Resource) -> SqlError {
    SqlError {
        state: resource.state(),
        ..SqlError::statement(1222, "Lock request time out period exceeded.")
    }
}

fn deadlock(resource: Resource, process_id: u16) -> SqlError {
    SqlError {
        class: 13,
        state: resource.state(),
        reach: Reach::Transaction,
        ..SqlError::statement(
            1205,
            format!(
                "Transaction (Process ID {process_id}) was deadlocked on lock resources with another process and has \
                 been chosen as the deadlock victim. Rerun the transaction."
            ),
        )
    }
}
