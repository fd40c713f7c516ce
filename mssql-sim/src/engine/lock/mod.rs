//! Locks: who excludes whom, who waits for whom, timeouts and deadlocks.
//!
//! # What is locked
//! A [`Resource`] is a table, a row, a key of an index with the gap before it, or the gap behind an index's last key.
//! [`LockMode`] says how. Whoever reads or writes rows under locks first takes an intent lock on the table; who only
//! uses its definition takes Sch-S, who changes it Sch-M.
//!
//! # For how long
//! A transaction keeps what it wrote under X, what it changed the definition of under Sch-M, and what it read as far as
//! its isolation level or a hint says ([`super::read`]), to its end; going back to a savepoint keeps them all. What a
//! statement needs for itself ends with the statement.
//! READ COMMITTED keeps nothing of the rows it reads: an image that nobody is writing needs no lock, and one that
//! somebody is writing is looked at again once the S lock on it was granted, which then ends with the look.
//!
//! Very many locks of one statement inside a table become one on the table, if that is free at once and the table has
//! not `LOCK_ESCALATION = DISABLE`; who has locked a
//! whole table locks nothing inside it.
//!
//! # Waiting
//! No call blocks. A request with somebody in its way is an [`Interrupt::Wait`]: the caller gives up what its statement
//! has read and written (but no lock) and calls [`Engine::wait`], which queues the request. Queues are first come,
//! first served, even past requests that would fit; only a holder that wants more goes before. The request is granted
//! while its owner sleeps, so nobody can take the lock away before the statement has run again.
//!
//! # Deadlocks
//! A waiter waits for those whose grants or earlier requests exclude its own. Each new waiter looks for a cycle
//! through itself; the victim is the member with the lowest deadlock priority, the newcomer if several have it. The
//! victim's transaction is undone and its locks are free before its session hears of it.

mod mode;
mod table;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

pub use mode::LockMode;
pub(super) use table::LockTable;
use table::WaitState;
pub use table::{Hold, LockRequest, Resource};

use super::state::{State, TableRef};
use super::{Engine, Interrupt, TransactionId};
use crate::parser::ast::LockEscalation;
use crate::types::{Reach, SqlError};

/// What a statement waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockWait {
    /// The lock.
    pub request: LockRequest,
    /// One who is in the way.
    pub holder: TransactionId,
    /// `NOWAIT`: the session's timeout does not count.
    pub no_wait: bool,
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

impl Resource {
    /// State of errors 1222 and 1205, which names the kind of lock.
    fn error_state(&self) -> u8 {
        match self {
            Self::Key(..) | Self::End(..) => 51,
            Self::Row(..) => 45,
            Self::Object(_) | Self::Application(_) => 56,
        }
    }
}

impl State {
    /// Takes a lock for a transaction; true if it had none on this resource before.
    pub(super) fn lock(
        &mut self,
        owner: TransactionId,
        resource: Resource,
        mode: LockMode,
        hold: Hold,
    ) -> Result<bool, Interrupt> {
        let request = LockRequest { owner, resource, mode, hold };
        if self.locks.is_covered(&request) {
            return Ok(false);
        }
        match self.locks.acquire(&request) {
            Ok(new) => {
                self.escalate(&request, new);
                Ok(new)
            }
            Err(holder) => Err(Interrupt::Wait(LockWait { request, holder, no_wait: false })),
        }
    }

    /// Locks a table as a whole in place of very many rows, if that needs no waiting.
    fn escalate(&mut self, request: &LockRequest, new: bool) {
        let (owner, table) = (request.owner, request.resource.table());
        let counts =
            new && request.hold == Hold::Transaction && !matches!(request.resource, Resource::Object(_));
        if !counts || !self.locks.count_added(owner, table) {
            return;
        }
        if self.find_table(table).is_some_and(|t| t.def.lock_escalation == LockEscalation::Disable) {
            return;
        }
        let mode = self.locks.escalated_mode(owner, table);
        let whole = LockRequest { owner, resource: Resource::Object(table), mode, hold: Hold::Transaction };
        if self.locks.acquire(&whole).is_ok() {
            self.locks.release_inside(owner, table);
        }
    }

    /// Makes sure that a lock could be had, without taking it.
    pub(super) fn check_lock(
        &self,
        owner: TransactionId,
        resource: Resource,
        mode: LockMode,
    ) -> Result<(), Interrupt> {
        self.locks.check(owner, &resource, mode).map_err(|holder| {
            let request = LockRequest { owner, resource, mode, hold: Hold::Awaited };
            Interrupt::Wait(LockWait { request, holder, no_wait: false })
        })
    }

    /// Makes sure that nobody else is changing a table's definition, nor is first in line to do so.
    pub(super) fn check_definition(&self, asker: TransactionId, table: TableRef) -> Result<(), Interrupt> {
        self.check_lock(asker, Resource::Object(table), LockMode::SchemaStability)
    }

    /// Registers a wait, unless there is nothing to wait for any more; breaks the cycles that it closes.
    fn register_wait(&mut self, request: &LockRequest, priority: i8) -> bool {
        if self.locks.acquire(request).is_ok() {
            return false;
        }
        self.locks.enqueue(request, priority);
        while let Some(cycle) = self.cycle_through(request.owner) {
            let victim = cycle.into_iter().min_by_key(|member| {
                let priority = self.locks.wait_of(*member).map_or(i8::MAX, |wait| wait.priority);
                (priority, *member != request.owner)
            });
            let victim = victim.expect("a cycle has members");
            self.locks.doom(victim);
            self.end_transaction(victim, None);
        }
        true
    }

    /// The waiters of a cycle that begins and ends at one of them.
    fn cycle_through(&self, start: TransactionId) -> Option<Vec<TransactionId>> {
        let mut reached_from: HashMap<TransactionId, TransactionId> = HashMap::new();
        let mut seen = HashSet::from([start]);
        let mut open = vec![start];
        while let Some(waiter) = open.pop() {
            for blocker in self.locks.blockers(waiter) {
                if blocker == start {
                    let path =
                        std::iter::successors(Some(waiter), |member| reached_from.get(member).copied());
                    return Some(path.collect());
                }
                if seen.insert(blocker) {
                    reached_from.insert(blocker, waiter);
                    open.push(blocker);
                }
            }
        }
        None
    }
}

/// Takes a waiter off the queue, also when its session stops waiting (attention, lost connection).
struct Registration<'a> {
    engine: &'a Engine,
    waiter: TransactionId,
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        self.engine.state().locks.dequeue(self.waiter);
    }
}

impl Engine {
    /// Waits until a statement has the lock that stopped it.
    ///
    /// # Errors
    /// 1222 after the timeout; 1205 for the victim of a deadlock, whose work is undone and whose locks are free by then.
    pub async fn wait(&self, wait: LockWait, patience: Patience) -> Result<(), SqlError> {
        let LockWait { mut request, no_wait, .. } = wait;
        if request.hold != Hold::Transaction {
            // The execution that asked for it may be over by the time it is granted.
            request.hold = Hold::Awaited;
        }
        if !self.state().register_wait(&request, patience.deadlock_priority) {
            return Ok(());
        }
        self.shared.waits.add(1);
        let registration = Registration { engine: self, waiter: request.owner };
        let timeout = if no_wait { Some(Duration::ZERO) } else { patience.timeout };
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        let mut overdue = false;
        loop {
            let changed = self.shared.released.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.state().locks.wait_of(registration.waiter).map(|wait| wait.state) {
                Some(WaitState::Granted) | None => return Ok(()),
                Some(WaitState::Victim) => return Err(deadlock(&request.resource, patience.process_id)),
                Some(WaitState::Waiting) if overdue => return Err(timed_out(&request.resource)),
                Some(WaitState::Waiting) => {}
            }
            match deadline {
                None => changed.await,
                Some(deadline) => overdue = tokio::time::timeout_at(deadline, changed).await.is_err(),
            }
        }
    }
}

fn timed_out(resource: &Resource) -> SqlError {
    SqlError {
        state: resource.error_state(),
        ..SqlError::statement(1222, "Lock request time out period exceeded.")
    }
}

fn deadlock(resource: &Resource, process_id: u16) -> SqlError {
    SqlError {
        class: 13,
        state: resource.error_state(),
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
