//! Options of a database that the catalog shows and that change nothing else.

use std::collections::BTreeSet;

use super::Engine;
use super::definition::DatabaseId;
use crate::parser::ast::RecoveryModel;

/// The options, as ALTER DATABASE SET has left them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseSettings {
    /// `RECOVERY`
    pub recovery: RecoveryModel,
    /// `COMPATIBILITY_LEVEL`
    pub compatibility_level: u8,
    /// Upper-case names of the switches that are on.
    on: BTreeSet<&'static str>,
}

impl DatabaseSettings {
    /// Those of a new database.
    pub(super) fn new(id: DatabaseId) -> Self {
        // model keeps its log, and so do the databases made after it; the other system databases do not.
        let recovery = if matches!(id.0, 1 | 2 | 4) { RecoveryModel::Simple } else { RecoveryModel::Full };
        Self {
            recovery,
            compatibility_level: 160,
            on: BTreeSet::from(["AUTO_CREATE_STATISTICS", "AUTO_UPDATE_STATISTICS"]),
        }
    }

    /// Sets a switch.
    pub fn set(&mut self, name: &'static str, on: bool) {
        if on {
            self.on.insert(name);
        } else {
            self.on.remove(name);
        }
    }

    /// Whether a switch is on.
    pub fn is_on(&self, name: &str) -> bool {
        self.on.contains(name)
    }
}

impl Engine {
    /// Changes options of a database.
    pub fn change_settings(&self, database: DatabaseId, change: impl FnOnce(&mut DatabaseSettings)) {
        change(&mut self.state().database_mut(database).settings);
    }
}
