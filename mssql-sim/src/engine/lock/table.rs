//! The lock table: what is locked by whom, and who waits for it in which order.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::super::application_lock::ApplicationLock;
use super::super::definition::IndexRef;
use super::super::state::TableRef;
use super::super::{Key, TransactionId};
use super::LockMode;

/// So many locks inside a table, added by one statement, are given back for one on the table if that is free at once.
const ESCALATION_THRESHOLD: usize = 6250;
/// If it is not, so many later it is tried again.
const ESCALATION_STEP: usize = 1250;

/// A thing that can be locked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// A table.
    Object(TableRef),
    /// A key of an index and the gap before it; a row of a table with a primary key is its key there.
    Key(TableRef, IndexRef, Key),
    /// A row of a heap.
    Row(TableRef, Key),
    /// The gap behind the last key of an index.
    End(TableRef, IndexRef),
    /// A name that applications agree on.
    Application(Arc<ApplicationLock>),
}

impl Resource {
    /// The table that it is or belongs to; a name belongs to its database and no table, which has the id 0.
    pub fn table(&self) -> TableRef {
        match self {
            Self::Object(table) | Self::Key(table, ..) | Self::Row(table, _) | Self::End(table, _) => *table,
            Self::Application(lock) => (lock.database, 0),
        }
    }
}

/// How long a granted lock stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// To the end of its transaction.
    Transaction,
    /// To the end of one execution of a statement.
    Statement(u64),
    /// Granted to a waiter that wants to look once: to the end of its next look.
    Awaited,
}

/// A wish for a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockRequest {
    /// Who wants it.
    pub owner: TransactionId,
    /// What.
    pub resource: Resource,
    /// How.
    pub mode: LockMode,
    /// For how long.
    pub hold: Hold,
}

#[derive(Clone, Copy, Debug)]
struct Grant {
    owner: TransactionId,
    mode: LockMode,
    hold: Hold,
}

/// A waiting request. One whose owner holds the lock in a weaker mode converts: it stands before those that do not,
/// and only holders are in its way.
#[derive(Clone, Copy, Debug)]
struct Queued {
    grant: Grant,
    converts: bool,
}

#[derive(Debug, Default)]
struct Lock {
    /// At most one per owner and hold.
    granted: Vec<Grant>,
    queue: Vec<Queued>,
}

impl Lock {
    /// What the owner's grants are worth together.
    fn held(&self, owner: TransactionId) -> Option<LockMode> {
        self.granted.iter().filter(|g| g.owner == owner).map(|g| g.mode).reduce(LockMode::with)
    }

    /// Those who are in the way of a request with `ahead` before it.
    fn obstacles(&self, wanted: Grant, ahead: &[Queued]) -> impl Iterator<Item = TransactionId> {
        let ahead = ahead.iter().map(|queued| queued.grant);
        let others = self.granted.iter().copied().chain(ahead);
        others.filter(move |g| g.owner != wanted.owner && !g.mode.admits(wanted.mode)).map(|g| g.owner)
    }

    fn obstacle(&self, wanted: Grant, converts: bool) -> Option<TransactionId> {
        let ahead = if converts { &[] } else { self.queue.as_slice() };
        self.obstacles(wanted, ahead).next()
    }

    /// Those who keep the n-th of the queue waiting.
    fn obstacles_of(&self, position: usize) -> Vec<TransactionId> {
        let queued = self.queue[position];
        let ahead = if queued.converts { &[] } else { &self.queue[..position] };
        self.obstacles(queued.grant, ahead).collect()
    }

    /// Where the owner's request stands.
    fn position(&self, owner: TransactionId) -> Option<usize> {
        self.queue.iter().position(|queued| queued.grant.owner == owner)
    }
}

/// What a registered waiter waits for.
#[derive(Clone, Debug)]
pub(in crate::engine) struct WaitRecord {
    pub(in crate::engine) resource: Resource,
    pub(in crate::engine) mode: LockMode,
    /// `DEADLOCK_PRIORITY`
    pub(super) priority: i8,
    pub(super) state: WaitState,
    pub(in crate::engine) since: Instant,
}

/// What became of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitState {
    Waiting,
    Granted,
    /// Its owner was chosen to end a deadlock.
    Victim,
}

/// The resources on which an owner has grants.
#[derive(Debug, Default)]
struct Owned {
    kept: Vec<Resource>,
    brief: Vec<(Resource, Hold)>,
    /// Tables that it has locked as a whole, so that it need not lock what is in them.
    covered: HashMap<TableRef, LockMode>,
    /// Locks inside each table that the running statement has added.
    added: HashMap<TableRef, usize>,
}

/// Whether something is a part of a table.
fn is_inside(resource: &Resource, table: TableRef) -> bool {
    !matches!(resource, Resource::Object(_)) && resource.table() == table
}

/// A granted or waiting request, as `sys.dm_tran_locks` shows it.
#[derive(Clone, Debug)]
pub(in crate::engine) struct LockEntry {
    pub(in crate::engine) resource: Resource,
    pub(in crate::engine) owner: TransactionId,
    pub(in crate::engine) mode: LockMode,
    /// GRANT, WAIT or CONVERT.
    pub(in crate::engine) status: &'static str,
}

/// All locks.
#[derive(Debug)]
pub(in crate::engine) struct LockTable {
    locks: HashMap<Resource, Lock>,
    owned: HashMap<TransactionId, Owned>,
    waits: HashMap<TransactionId, WaitRecord>,
    /// Grants that cover a gap, by table: where there are none, an insert need not look for its neighbour.
    ranges: HashMap<TableRef, usize>,
    /// Rung whenever a waiter's state has changed.
    changed: Arc<Notify>,
}

impl LockTable {
    pub(in crate::engine) fn new(changed: Arc<Notify>) -> Self {
        Self {
            locks: HashMap::new(),
            owned: HashMap::new(),
            waits: HashMap::new(),
            ranges: HashMap::new(),
            changed,
        }
    }

    /// Grants a lock; true if its owner did not hold it before. The error is one who is in the way.
    pub(in crate::engine) fn acquire(&mut self, request: &LockRequest) -> Result<bool, TransactionId> {
        let LockRequest { owner, mode, hold, .. } = *request;
        let mut wanted = Grant { owner, mode, hold };
        let mut held = None;
        if let Some(lock) = self.locks.get(&request.resource) {
            held = lock.held(owner);
            let kept = lock.granted.iter().find(|g| g.owner == owner && g.hold == hold);
            if kept.is_some_and(|kept| kept.mode.covers(mode)) {
                return Ok(false);
            }
            wanted.mode = kept.map_or(mode, |kept| kept.mode.with(mode));
            if let Some(obstacle) = lock.obstacle(wanted, held.is_some()) {
                return Err(obstacle);
            }
        }
        self.grant(&request.resource, wanted);
        Ok(held.is_none())
    }

    /// Whether a lock could be had now. The error is one who is in the way.
    pub(in crate::engine) fn check(
        &self,
        owner: TransactionId,
        resource: &Resource,
        mode: LockMode,
    ) -> Result<(), TransactionId> {
        let Some(lock) = self.locks.get(resource) else { return Ok(()) };
        let wanted = Grant { owner, mode, hold: Hold::Awaited };
        lock.obstacle(wanted, lock.held(owner).is_some()).map_or(Ok(()), Err)
    }

    /// What an owner's grants on something are worth.
    pub(in crate::engine) fn held(&self, owner: TransactionId, resource: &Resource) -> Option<LockMode> {
        self.locks.get(resource)?.held(owner)
    }

    /// Whether an owner's lock on a whole table makes a lock inside it needless.
    pub(super) fn is_covered(&self, request: &LockRequest) -> bool {
        let Some(owned) = self.owned.get(&request.owner) else { return false };
        let table = owned.covered.get(&request.resource.table());
        !matches!(request.resource, Resource::Object(_)) && table.is_some_and(|t| t.shelters(request.mode))
    }

    /// Counts a lock inside a table that a statement has added; true if they are so many that the table should be locked instead.
    pub(super) fn count_added(&mut self, owner: TransactionId, table: TableRef) -> bool {
        let added = self.owned.entry(owner).or_default().added.entry(table).or_default();
        *added += 1;
        *added >= ESCALATION_THRESHOLD && (*added - ESCALATION_THRESHOLD).is_multiple_of(ESCALATION_STEP)
    }

    /// The weakest lock on a whole table that is worth an owner's locks inside it.
    pub(super) fn escalated_mode(&self, owner: TransactionId, table: TableRef) -> LockMode {
        let kept = self.owned.get(&owner).map_or(&[][..], |owned| &owned.kept);
        let inside = kept.iter().filter(|resource| is_inside(resource, table));
        let only_reads =
            inside.filter_map(|resource| self.held(owner, resource)).all(|m| LockMode::Shared.shelters(m));
        if only_reads { LockMode::Shared } else { LockMode::Exclusive }
    }

    /// Lets go of an owner's locks inside a table that it has locked as a whole.
    pub(super) fn release_inside(&mut self, owner: TransactionId, table: TableRef) {
        let Some(owned) = self.owned.get_mut(&owner) else { return };
        let inside: Vec<_> = owned.kept.extract_if(.., |resource| is_inside(resource, table)).collect();
        for resource in inside {
            self.withdraw(owner, &resource, |hold| hold == Hold::Transaction);
        }
    }

    /// Whether any gap between a table's keys is locked.
    pub(in crate::engine) fn has_ranges(&self, table: TableRef) -> bool {
        self.ranges.contains_key(&table)
    }

    /// Whether anything that satisfies a condition is locked.
    pub(in crate::engine) fn is_locked(&self, condition: impl Fn(TableRef) -> bool) -> bool {
        self.locks.iter().any(|(resource, lock)| !lock.granted.is_empty() && condition(resource.table()))
    }

    /// Lets go of a lock that its owner holds to the end of its transaction.
    pub(in crate::engine) fn release(&mut self, owner: TransactionId, resource: &Resource) {
        if let Some(owned) = self.owned.get_mut(&owner)
            && let Some(position) = owned.kept.iter().rposition(|kept| kept == resource)
        {
            owned.kept.swap_remove(position);
            self.withdraw(owner, resource, |hold| hold == Hold::Transaction);
        }
    }

    /// Makes a lock that its owner holds to the end weaker.
    pub(in crate::engine) fn weaken(&mut self, owner: TransactionId, resource: &Resource, mode: LockMode) {
        let Some(lock) = self.locks.get_mut(resource) else { return };
        let kept = lock.granted.iter_mut().filter(|g| g.owner == owner && g.hold == Hold::Transaction);
        kept.for_each(|grant| grant.mode = mode);
        self.settle(resource);
    }

    /// Lets go of what a statement held for itself, and of what its owner waited for to look once.
    pub(in crate::engine) fn release_brief(&mut self, owner: TransactionId, statement: Option<u64>) {
        let over =
            |hold| hold == Hold::Awaited || matches!(hold, Hold::Statement(id) if Some(id) == statement);
        let Some(owned) = self.owned.get_mut(&owner) else { return };
        if statement.is_some() {
            owned.added.clear();
        }
        let released: Vec<_> = owned.brief.extract_if(.., |(_, hold)| over(*hold)).collect();
        for (resource, released) in released {
            self.withdraw(owner, &resource, |hold| hold == released);
        }
        self.forget_if_idle(owner);
    }

    /// Lets go of everything that an owner holds.
    pub(in crate::engine) fn release_all(&mut self, owner: TransactionId) {
        let Some(owned) = self.owned.remove(&owner) else { return };
        for resource in owned.kept.iter().chain(owned.brief.iter().map(|(resource, _)| resource)) {
            self.withdraw(owner, resource, |_| true);
        }
    }

    /// Every request, granted or not.
    pub(in crate::engine) fn entries(&self) -> Vec<LockEntry> {
        let mut entries = Vec::new();
        for (resource, lock) in &self.locks {
            let granted = lock.granted.iter().map(|grant| (grant, "GRANT"));
            let waiting = lock
                .queue
                .iter()
                .map(|queued| (&queued.grant, if queued.converts { "CONVERT" } else { "WAIT" }));
            entries.extend(granted.chain(waiting).map(|(grant, status)| LockEntry {
                resource: resource.clone(),
                owner: grant.owner,
                mode: grant.mode,
                status,
            }));
        }
        entries
    }

    /// Those who wait, with their waits.
    pub(in crate::engine) fn waits(&self) -> impl Iterator<Item = (TransactionId, &WaitRecord)> {
        let waiting = self.waits.iter().filter(|(_, wait)| wait.state == WaitState::Waiting);
        waiting.map(|(owner, wait)| (*owner, wait))
    }

    /// Those who keep a waiter waiting.
    pub(in crate::engine) fn blockers(&self, waiter: TransactionId) -> Vec<TransactionId> {
        let Some(wait) = self.waits.get(&waiter) else { return Vec::new() };
        let lock = self.locks.get(&wait.resource);
        lock.and_then(|lock| Some(lock.obstacles_of(lock.position(waiter)?))).unwrap_or_default()
    }

    pub(super) fn wait_of(&self, waiter: TransactionId) -> Option<&WaitRecord> {
        self.waits.get(&waiter)
    }

    /// Puts a request at its place in the queue.
    pub(super) fn enqueue(&mut self, request: &LockRequest, priority: i8) {
        let LockRequest { owner, ref resource, mode, hold } = *request;
        let lock = self.locks.entry(resource.clone()).or_default();
        let kept = lock.granted.iter().find(|g| g.owner == owner && g.hold == hold);
        let mode = kept.map_or(mode, |kept| kept.mode.with(mode));
        let converts = lock.held(owner).is_some();
        let place = if converts { lock.queue.partition_point(|q| q.converts) } else { lock.queue.len() };
        lock.queue.insert(place, Queued { grant: Grant { owner, mode, hold }, converts });
        let (resource, since) = (resource.clone(), Instant::now());
        let wait = WaitRecord { resource, mode, priority, state: WaitState::Waiting, since };
        self.waits.insert(owner, wait);
    }

    /// Ends a wait however it stands; what was granted stays.
    pub(super) fn dequeue(&mut self, waiter: TransactionId) {
        let Some(wait) = self.waits.remove(&waiter) else { return };
        if wait.state != WaitState::Waiting {
            return;
        }
        if let Some(lock) = self.locks.get_mut(&wait.resource) {
            lock.queue.retain(|queued| queued.grant.owner != waiter);
            self.settle(&wait.resource);
        }
    }

    /// Ends a waiter's wait as the victim of a deadlock.
    pub(super) fn doom(&mut self, waiter: TransactionId) {
        let Some(wait) = self.waits.get_mut(&waiter) else { return };
        wait.state = WaitState::Victim;
        let resource = wait.resource.clone();
        if let Some(lock) = self.locks.get_mut(&resource) {
            lock.queue.retain(|queued| queued.grant.owner != waiter);
            self.settle(&resource);
        }
        self.changed.notify_waiters();
    }

    fn grant(&mut self, resource: &Resource, wanted: Grant) {
        let lock = self.locks.entry(resource.clone()).or_default();
        let same = lock.granted.iter_mut().find(|g| g.owner == wanted.owner && g.hold == wanted.hold);
        let before = same.as_ref().map(|grant| grant.mode);
        match same {
            Some(grant) => grant.mode = wanted.mode,
            None => lock.granted.push(wanted),
        }
        if wanted.mode.is_range() && !before.is_some_and(LockMode::is_range) {
            *self.ranges.entry(resource.table()).or_default() += 1;
        }
        if before.is_none() {
            let owned = self.owned.entry(wanted.owner).or_default();
            match wanted.hold {
                Hold::Transaction => owned.kept.push(resource.clone()),
                hold => owned.brief.push((resource.clone(), hold)),
            }
        }
        if let (Resource::Object(table), Hold::Transaction) = (resource, wanted.hold)
            && wanted.mode.shelters(LockMode::Shared)
        {
            self.owned.entry(wanted.owner).or_default().covered.insert(*table, wanted.mode);
        }
    }

    /// Takes an owner's grants away and serves the queue.
    fn withdraw(&mut self, owner: TransactionId, resource: &Resource, over: impl Fn(Hold) -> bool) {
        let Some(lock) = self.locks.get_mut(resource) else { return };
        let mut ranges = 0;
        lock.granted.retain(|grant| {
            let goes = grant.owner == owner && over(grant.hold);
            ranges += usize::from(goes && grant.mode.is_range());
            !goes
        });
        if ranges > 0
            && let Some(count) = self.ranges.get_mut(&resource.table())
        {
            *count -= ranges;
            if *count == 0 {
                self.ranges.remove(&resource.table());
            }
        }
        self.settle(resource);
    }

    /// Grants what nothing is in the way of any more, first come, first served.
    fn settle(&mut self, resource: &Resource) {
        let mut position = 0;
        while let Some(lock) = self.locks.get_mut(resource) {
            if position == lock.queue.len() {
                if lock.granted.is_empty() && lock.queue.is_empty() {
                    self.locks.remove(resource);
                }
                return;
            }
            if !lock.obstacles_of(position).is_empty() {
                position += 1;
                continue;
            }
            let served = lock.queue.remove(position).grant;
            self.grant(resource, served);
            if let Some(wait) = self.waits.get_mut(&served.owner) {
                wait.state = WaitState::Granted;
            }
            self.changed.notify_waiters();
        }
    }

    fn forget_if_idle(&mut self, owner: TransactionId) {
        if self.owned.get(&owner).is_some_and(|owned| owned.kept.is_empty() && owned.brief.is_empty()) {
            self.owned.remove(&owner);
        }
    }
}
