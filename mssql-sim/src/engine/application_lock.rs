//! Application locks: names that sessions lock by agreement (`sp_getapplock`).
//!
//! A name is held for a session or for its transaction, and both count how often they took it. In the lock table it is
//! the session's in either case: a session never waits for itself, and a deadlock costs the victim its wait but nothing
//! that it holds.

use std::sync::Arc;

use super::lock::{Hold, LockMode, LockRequest, LockWait, Patience, Resource};
use super::state::State;
use super::{DatabaseId, Engine, TransactionId};
use crate::types::SqlError;

/// What is locked: the same name means another lock in another database or for another principal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ApplicationLock {
    /// The database in which it was asked for.
    pub database: DatabaseId,
    /// The database principal that may ask for it.
    pub principal: String,
    /// The name.
    pub name: String,
}

/// Longer names are cut.
const NAME_LENGTH: usize = 255;

impl ApplicationLock {
    /// The lock that a name means.
    pub fn new(database: DatabaseId, principal: String, name: &str) -> Self {
        Self { database, principal, name: name.chars().take(NAME_LENGTH).collect() }
    }
}

/// For whom a session holds a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplicationLockOwner {
    /// For itself.
    Session,
    /// For its transaction.
    Transaction,
}

impl ApplicationLockOwner {
    /// The owner that a word means, in any case.
    pub fn named(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "session" => Some(Self::Session),
            "transaction" => Some(Self::Transaction),
            _ => None,
        }
    }
}

/// The names that a session holds, each as often as it took it.
#[derive(Debug)]
pub(super) struct SessionLocks {
    /// Stands for the session in the lock table.
    owner: TransactionId,
    held: Vec<(ApplicationLockOwner, Arc<ApplicationLock>, LockMode)>,
}

impl SessionLocks {
    pub(super) fn owner(&self) -> TransactionId {
        self.owner
    }

    /// What the session's holds of a name are worth together.
    fn worth(&self, name: &ApplicationLock) -> Option<LockMode> {
        self.held.iter().filter(|(_, held, _)| **held == *name).map(|(.., mode)| *mode).reduce(LockMode::with)
    }
}

/// Makes the lock table hold what the session's list says, however a wait has ended.
struct Settlement<'a> {
    engine: &'a Engine,
    session: u16,
    lock: Arc<ApplicationLock>,
}

impl Drop for Settlement<'_> {
    fn drop(&mut self) {
        self.engine.state().settle_name(self.session, &self.lock);
    }
}

impl Engine {
    /// Locks a name for a session; true if it had to wait.
    ///
    /// # Errors
    /// 1222 after the timeout, 1205 for the victim of a deadlock.
    pub async fn lock_name(
        &self,
        session: u16,
        (lock, mode): (&Arc<ApplicationLock>, LockMode),
        owner: ApplicationLockOwner,
        patience: Patience,
    ) -> Result<bool, SqlError> {
        let _settlement = Settlement { engine: self, session, lock: Arc::clone(lock) };
        let taken = self.state().try_lock_name(session, lock, mode);
        let waited = taken.is_some();
        if let Some(wait) = taken {
            self.wait(wait, patience).await?;
        }
        if let Some(locks) = self.state().application_locks.get_mut(&session) {
            locks.held.push((owner, Arc::clone(lock), mode));
        }
        Ok(waited)
    }

    /// Gives back the strongest hold of a name; false if there is none.
    pub fn unlock_name(&self, session: u16, lock: &ApplicationLock, owner: ApplicationLockOwner) -> bool {
        let mut state = self.state();
        let Some(locks) = state.application_locks.get_mut(&session) else { return false };
        let holds =
            locks.held.iter().enumerate().filter(|(_, (by, held, _))| *by == owner && **held == *lock);
        let strongest = holds.reduce(|one, other| if one.1.2.covers(other.1.2) { one } else { other });
        let Some((position, _)) = strongest else { return false };
        locks.held.remove(position);
        state.settle_name(session, lock);
        true
    }

    /// Gives back all names that a session holds for an owner, as the owner's end does.
    pub fn unlock_names(&self, session: u16, owner: ApplicationLockOwner) {
        let mut state = self.state();
        let Some(locks) = state.application_locks.get_mut(&session) else { return };
        let released: Vec<_> = locks.held.extract_if(.., |(by, ..)| *by == owner).collect();
        for (_, lock, _) in released {
            state.settle_name(session, &lock);
        }
    }

    /// The mode in which a session holds a name for an owner.
    pub fn name_mode(
        &self,
        session: u16,
        lock: &ApplicationLock,
        owner: ApplicationLockOwner,
    ) -> Option<LockMode> {
        let state = self.state();
        let held = state.application_locks.get(&session)?.held.iter();
        let own = held.filter(|(by, held, _)| *by == owner && **held == *lock);
        own.map(|(.., mode)| *mode).reduce(LockMode::with)
    }

    /// Whether a session could lock a name now.
    pub fn can_lock_name(&self, session: u16, lock: &ApplicationLock, mode: LockMode) -> bool {
        let state = self.state();
        let owner = state.application_locks.get(&session).map_or(TransactionId(0), |locks| locks.owner);
        state.locks.check(owner, &Resource::Application(Arc::new(lock.clone())), mode).is_ok()
    }
}

impl State {
    /// Locks a name if nobody is in the way; else what there is to wait for.
    fn try_lock_name(
        &mut self,
        session: u16,
        lock: &Arc<ApplicationLock>,
        mode: LockMode,
    ) -> Option<LockWait> {
        let next = TransactionId(self.last_transaction + 1);
        let locks = self
            .application_locks
            .entry(session)
            .or_insert_with(|| SessionLocks { owner: next, held: Vec::new() });
        let owner = locks.owner;
        self.last_transaction = self.last_transaction.max(owner.0);
        let resource = Resource::Application(Arc::clone(lock));
        let request = LockRequest { owner, resource, mode, hold: Hold::Transaction };
        let holder = self.locks.acquire(&request).err()?;
        Some(LockWait { request, holder, no_wait: false })
    }

    fn settle_name(&mut self, session: u16, lock: &ApplicationLock) {
        let Some(locks) = self.application_locks.get(&session) else { return };
        let (owner, worth) = (locks.owner, locks.worth(lock));
        if locks.held.is_empty() {
            self.application_locks.remove(&session);
        }
        let resource = Resource::Application(Arc::new(lock.clone()));
        match worth {
            Some(mode) => self.locks.weaken(owner, &resource, mode),
            None => self.locks.release(owner, &resource),
        }
    }
}
