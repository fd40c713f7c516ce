//! Which sessions are there, in which database, and how one is ended from outside.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::engine::DatabaseId;

/// The sessions of a server, by `@@SPID`.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<HashMap<u16, Arc<Presence>>>);

/// A session as the server sees it.
#[derive(Debug)]
pub(crate) struct Presence {
    database: AtomicI32,
    ended: Notify,
    killed: Notify,
}

impl Sessions {
    /// Registers a session; it is taken off by [`Sessions::leave`].
    pub(crate) fn enter(&self, spid: u16, database: DatabaseId) -> Arc<Presence> {
        let presence = Arc::new(Presence {
            database: AtomicI32::new(database.0),
            ended: Notify::new(),
            killed: Notify::new(),
        });
        self.0.lock().insert(spid, Arc::clone(&presence));
        presence
    }

    pub(crate) fn leave(&self, spid: u16) {
        self.0.lock().remove(&spid);
    }

    /// Sessions that are there.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().len()
    }

    /// Kills a session; false if there is none.
    pub(crate) fn kill(&self, spid: u16) -> bool {
        let sessions = self.0.lock();
        let Some(presence) = sessions.get(&spid) else { return false };
        presence.killed.notify_one();
        true
    }

    /// Ends every session whose current database this is.
    pub(crate) fn end_in(&self, database: DatabaseId) {
        self.0
            .lock()
            .values()
            .filter(|presence| presence.is_in(database))
            .for_each(|presence| presence.end());
    }

    /// Ends every session.
    pub(crate) fn end_all(&self) {
        self.0.lock().values().for_each(|presence| presence.end());
    }
}

impl Presence {
    /// The session is in another database now.
    pub(crate) fn moved(&self, database: DatabaseId) {
        self.database.store(database.0, Ordering::Relaxed);
    }

    /// Waits until the session is ended from outside: its connection is to be closed without another word.
    pub(crate) async fn ended(&self) {
        self.ended.notified().await;
    }

    /// Waits until another session kills this one: a request that runs is answered with an error.
    pub(crate) async fn killed(&self) {
        self.killed.notified().await;
    }

    fn is_in(&self, database: DatabaseId) -> bool {
        self.database.load(Ordering::Relaxed) == database.0
    }

    fn end(&self) {
        self.ended.notify_one();
    }
}
