//! The commit gate: commits held between taking their Change Tracking versions and being seen.
//!
//! A server takes a commit's version before anybody sees its rows, and a reader may come in between: then
//! `CHANGE_TRACKING_CURRENT_VERSION()` has moved, while the changes and rows of that version are not there yet and a
//! later version may be. A test opens this gap and closes it. A held transaction has ended for its session and keeps
//! its locks; nothing rolls it back any more.

use std::collections::{BTreeMap, BTreeSet};

use super::definition::DatabaseId;
use super::state::State;
use super::transaction::Transaction;
use super::{Engine, TransactionId};

/// Change Tracking versions that a commit takes, by database.
pub(super) type Versions = BTreeMap<DatabaseId, i64>;

/// Which commits are held.
#[derive(Debug, Default)]
pub(super) struct CommitGate {
    /// How many commits of tracked changes come until one is held, that one included.
    countdown: Option<u64>,
    /// In the order in which they took their versions.
    held: Vec<TransactionId>,
}

impl Engine {
    /// Holds the `nth` commit of tracked changes from now, counted from 1, until [`Engine::release_commits`].
    pub fn hold_commit(&self, nth: u64) {
        self.state().gate.countdown = Some(nth.max(1));
    }

    /// Lets everybody see the commits that are held, in the order of their versions, and holds none any more.
    pub fn release_commits(&self) {
        let mut state = self.state();
        state.gate.countdown = None;
        for transaction in std::mem::take(&mut state.gate.held) {
            state.publish(transaction);
        }
        drop(state);
        self.settle();
    }

    /// Waits until a commit is held.
    pub async fn commit_held(&self) {
        self.until(|state| !state.gate.held.is_empty()).await;
    }

    /// Waits until a transaction that was committed is not held any more.
    pub async fn published(&self, transaction: TransactionId) {
        self.until(|state| !state.gate.held.contains(&transaction)).await;
    }

    /// Waits for a state that the end of a transaction, a statement or a session brings about.
    pub(super) async fn until(&self, reached: impl Fn(&State) -> bool) {
        loop {
            let changed = self.shared.settled.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if reached(&self.state()) {
                return;
            }
            changed.await;
        }
    }
}

impl State {
    /// Commits, or holds the commit if it is the one that the gate waits for.
    pub(super) fn commit(&mut self, id: TransactionId) {
        let counts = self.gate.countdown.is_some()
            && self
                .transactions
                .get(&id)
                .is_some_and(|transaction| !self.tracked_databases(transaction).is_empty());
        if counts && let Some(left) = &mut self.gate.countdown {
            *left -= 1;
            if *left == 0 {
                self.gate.countdown = None;
                self.hold(id);
                return;
            }
        }
        self.publish(id);
    }

    fn hold(&mut self, id: TransactionId) {
        let Some(mut transaction) = self.transactions.remove(&id) else { return };
        transaction.versions = self.take_versions(&transaction);
        self.transactions.insert(id, transaction);
        self.gate.held.push(id);
    }

    fn publish(&mut self, id: TransactionId) {
        self.commit_sequence += 1;
        self.end_transaction(id, Some(self.commit_sequence));
    }

    /// The next version of each database whose tracked tables a transaction wrote to.
    pub(super) fn take_versions(&mut self, transaction: &Transaction) -> Versions {
        let databases = self.tracked_databases(transaction);
        let versions = databases.into_iter().map(|id| {
            let database = self.database_mut(id);
            database.tracking_version += 1;
            (id, database.tracking_version)
        });
        versions.collect()
    }

    fn tracked_databases(&self, transaction: &Transaction) -> BTreeSet<DatabaseId> {
        let tables = transaction.tracked_writes().into_iter();
        let tracked = tables.filter(|(reference, writes)| {
            let table = self.find_table(*reference);
            !writes.is_empty() && table.is_some_and(|t| t.tracking.is_some() && t.dropped_by.is_none())
        });
        tracked.map(|(reference, _)| reference.0).collect()
    }
}
