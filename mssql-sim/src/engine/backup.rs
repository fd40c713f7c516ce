//! Saving a database and restoring it.
//!
//! A backup is a database as its last commits left it: tables, counters, Change Tracking, users. What is uncommitted is
//! not in it. Restoring it puts everything back where it was then: the Change Tracking version and the rowversions too,
//! which so run again over values they had before. The history is another one from there on, and
//! `sys.database_recovery_status` says so: a new recovery fork in the same family.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Engine;
use super::database::{Database, FIRST_USER_DATABASE};
use super::definition::{DatabaseId, TableDef};
use super::state::{State, TableRef};
use crate::collation::fold_name;
use crate::types::SqlError;

/// A saved database. Clones share it.
#[derive(Clone, Debug)]
pub struct Backup {
    database: Arc<Database>,
    finished: DateTime<Utc>,
}

impl Backup {
    /// Name of the database that was saved.
    pub fn database_name(&self) -> &str {
        &self.database.name
    }

    /// The database's family, see [`super::DatabaseInfo`].
    pub fn family(&self) -> Uuid {
        self.database.history.family
    }

    /// When it was finished, on the server's clock.
    pub fn finished(&self) -> DateTime<Utc> {
        self.finished
    }
}

/// Where a database stands among its restores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History {
    /// `database_guid`: this database and no copy of it.
    pub database: Uuid,
    /// `family_guid`: common to a database and what is restored from its backups.
    pub family: Uuid,
    /// `first_recovery_fork_guid`: where the history began.
    pub first_fork: Uuid,
    /// `recovery_fork_guid`: a restore begins a new one.
    pub fork: Uuid,
    /// `fork_point_lsn`: the server's last commit when the fork began, if it is not the first one.
    pub fork_point: Option<u64>,
}

impl History {
    pub(super) fn begin() -> Self {
        let fork = Uuid::new_v4();
        Self { database: Uuid::new_v4(), family: Uuid::new_v4(), first_fork: fork, fork, fork_point: None }
    }
}

impl Engine {
    /// Saves a database. Waits while a transaction is changing definitions in it.
    ///
    /// # Errors
    /// 911 if there is none of this name.
    pub async fn save_database(&self, name: &str) -> Result<Backup, SqlError> {
        loop {
            self.until(|state| !state.is_defining(name)).await;
            let state = self.state();
            let id = state.database_named(name)?;
            if !state.is_defining(name) {
                let database = Arc::new(state.database(id).committed());
                return Ok(Backup { database, finished: state.clock.now() });
            }
        }
    }

    /// Puts a saved database in the place of the one of this name, or makes one.
    ///
    /// # Errors
    /// 3101 while somebody uses it, 3108 for a system database.
    pub fn restore_database(&self, name: &str, backup: &Backup) -> Result<(), SqlError> {
        let mut state = self.state();
        let existing = state.databases.values().find(|database| database.is_named(name));
        let (id, name, guid) = match existing {
            Some(database) => (database.id, database.name.clone(), database.history.database),
            None => (state.free_database_id(), name.to_owned(), Uuid::new_v4()),
        };
        if id.0 < FIRST_USER_DATABASE {
            let message = format!("RESTORE cannot process database '{name}': it is a system database.");
            return Err(SqlError::statement(3108, message));
        }
        if state.is_database_used(id) {
            let message = "Exclusive access could not be obtained because the database is in use.";
            return Err(SqlError::statement(3101, message));
        }
        let mut database = Database::clone(&backup.database);
        let fork_point = Some(state.commit_sequence);
        database.history = History { database: guid, fork: Uuid::new_v4(), fork_point, ..database.history };
        database.name = name;
        database.created = state.clock.now();
        database.move_to(id, state.commit_sequence);
        state.databases.insert(id, database);
        Ok(())
    }

    /// Waits until no session and no transaction uses a database.
    pub async fn database_unused(&self, name: &str) {
        self.until(|state| {
            let database = state.databases.values().find(|database| database.is_named(name));
            database.is_none_or(|database| !state.is_database_used(database.id))
        })
        .await;
    }
}

impl State {
    /// Whether a transaction is changing definitions in a database.
    fn is_defining(&self, name: &str) -> bool {
        let inside = |table: &TableRef| self.databases.get(&table.0).is_some_and(|d| d.is_named(name));
        self.transactions.values().any(|transaction| transaction.changed.iter().any(inside))
    }

    pub(super) fn database_named(&self, name: &str) -> Result<DatabaseId, SqlError> {
        let found = self.databases.values().find(|database| database.is_named(name));
        found.map(|database| database.id).ok_or_else(|| {
            let message =
                format!("Database '{name}' does not exist. Make sure that the name is entered correctly.");
            SqlError::statement(911, message)
        })
    }
}

impl Database {
    pub(super) fn is_named(&self, name: &str) -> bool {
        fold_name(&self.name) == fold_name(name)
    }

    /// A copy without what is uncommitted. No transaction may be changing a definition.
    fn committed(&self) -> Self {
        let mut copy = self.clone();
        for table in copy.tables.values_mut() {
            table.rows = table.rows.committed(&table.def);
        }
        copy
    }

    /// Gives the database an id; its tables are new as of a commit.
    fn move_to(&mut self, id: DatabaseId, sequence: u64) {
        self.id = id;
        for table in self.tables.values_mut() {
            table.def = Arc::new(TableDef { database: id, ..TableDef::clone(&table.def) });
            table.definition_sequence = sequence;
        }
    }
}
