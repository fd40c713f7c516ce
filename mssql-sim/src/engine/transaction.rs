//! Transactions: begin, savepoints, commit, rollback.
//!
//! A transaction keeps what it needs to undo its work, newest last, and what it did to tracked keys. A savepoint, and the
//! beginning of every statement, is a mark in both logs. Undoing to a mark restores images and definitions but keeps
//! the locks, as SQL Server does. The end stamps or drops the images under its locks, then frees everything and wakes
//! those who wait. Identity values, rowversions and object ids that were given are not taken back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::database::Schema;
use super::definition::{DatabaseId, ObjectId, TableDef};
use super::gate::Versions;
use super::permission::Security;
use super::rows::{Image, Rows};
use super::schema_object::{ExtendedProperty, PropertyOwner, Synonym, UserView};
use super::sessions::TransactionOrigin;
use super::state::{Garbage, State, TableRef};
use super::tracking::{CommitRecord, TableTracking, TrackedWrite};
use super::{Engine, Key, TransactionId};
use crate::collation::fold_name;
use crate::types::SqlError;

/// One step to take back.
#[derive(Debug)]
pub(super) enum Undo {
    /// A row's image; `before` is what the transaction had written to it earlier.
    Image { table: TableRef, key: Key, before: Option<Image> },
    /// A definition was replaced.
    Definition { table: TableRef, before: Arc<TableDef> },
    /// All rows were replaced.
    Rows { table: TableRef, before: Rows },
    /// Change Tracking was switched, or its history dropped.
    Tracking { table: TableRef, before: Option<TableTracking> },
    /// The identity counter was set back.
    Identity { table: TableRef, before: Option<i64> },
    /// A table was created.
    Created(TableRef),
    /// A table was dropped.
    Dropped(TableRef),
    /// A view was defined or dropped.
    View { database: DatabaseId, id: ObjectId, before: Option<Arc<UserView>> },
    /// A synonym was created or dropped.
    Synonym { database: DatabaseId, id: ObjectId, before: Option<Arc<Synonym>> },
    /// A schema was created.
    SchemaCreated { database: DatabaseId, schema: i32 },
    /// A schema was dropped.
    SchemaDropped { database: DatabaseId, schema: Schema },
    /// Users, roles or grants were changed.
    Security { database: DatabaseId, before: Security },
    /// An extended property was set or dropped.
    Property { database: DatabaseId, key: (PropertyOwner, String), before: Option<ExtendedProperty> },
}

/// What a transaction did to tracked tables, in order.
#[derive(Debug)]
pub(super) enum TrackingLog {
    /// A key was written.
    Write(TableRef, TrackedWrite),
    /// The table's history was dropped.
    Cleared(TableRef),
}

/// A point to which one can go back.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    undo: usize,
    tracking: usize,
}

/// An open transaction.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    pub(super) origin: TransactionOrigin,
    /// When it began.
    pub(super) since: DateTime<Utc>,
    /// Instant of its snapshot, once it has read a user table under SNAPSHOT.
    pub(super) snapshot: Option<u64>,
    /// Its first access to a user table was under another level than SNAPSHOT.
    pub(super) began_without_snapshot: bool,
    pub(super) undo: Vec<Undo>,
    pub(super) tracking: Vec<TrackingLog>,
    /// Keys that it has written.
    pub(super) written: Vec<(TableRef, Key)>,
    savepoints: Vec<(String, Mark)>,
    /// Tables whose definition it changed.
    pub(super) changed: BTreeSet<TableRef>,
    /// First rowversion that it drew, by database.
    pub(super) first_rowversion: BTreeMap<DatabaseId, u64>,
    /// Change Tracking versions that its commit has taken already.
    pub(super) versions: Versions,
}

impl Transaction {
    pub(super) fn mark(&self) -> Mark {
        Mark { undo: self.undo.len(), tracking: self.tracking.len() }
    }

    /// The writes of each tracked table that no later TRUNCATE of the transaction has cleared.
    pub(super) fn tracked_writes(&self) -> BTreeMap<TableRef, Vec<&TrackedWrite>> {
        let mut tables: BTreeMap<TableRef, Vec<&TrackedWrite>> = BTreeMap::new();
        for step in &self.tracking {
            match step {
                TrackingLog::Write(table, write) => tables.entry(*table).or_default().push(write),
                TrackingLog::Cleared(table) => {
                    tables.remove(table);
                }
            }
        }
        tables
    }
}

impl Engine {
    /// Begins a transaction of the server itself.
    pub fn begin(&self) -> TransactionId {
        self.begin_for(TransactionOrigin::default())
    }

    /// Begins a transaction of a session. An autocommit statement runs in one of its own.
    pub fn begin_for(&self, origin: TransactionOrigin) -> TransactionId {
        let mut state = self.state();
        state.last_transaction += 1;
        let id = TransactionId(state.last_transaction);
        let since = state.clock.now();
        state.transactions.insert(id, Transaction { origin, since, ..Transaction::default() });
        id
    }

    /// Commits: stamps what was written, takes a Change Tracking version in each database where tracked keys were
    /// touched, wakes those who wait. A commit that the gate holds is seen later: [`Engine::published`].
    pub fn commit(&self, transaction: TransactionId) {
        self.state().commit(transaction);
        self.settle();
    }

    /// Undoes everything and wakes those who wait. A transaction that a deadlock has ended already is fine.
    pub fn rollback(&self, transaction: TransactionId) {
        self.state().end_transaction(transaction, None);
        self.settle();
    }

    /// `SAVE TRANSACTION name`
    ///
    /// # Errors
    /// 3926 if the transaction has ended.
    pub fn save(&self, transaction: TransactionId, name: &str) -> Result<(), SqlError> {
        let mut state = self.state();
        let transaction = state.transaction_mut(transaction)?;
        let mark = transaction.mark();
        transaction.savepoints.push((fold_name(name), mark));
        Ok(())
    }

    /// `ROLLBACK TRANSACTION name` of a savepoint; its locks stay.
    ///
    /// # Errors
    /// 6401 if there is no such savepoint.
    pub fn rollback_to(&self, transaction: TransactionId, name: &str) -> Result<(), SqlError> {
        let mut state = self.state();
        let folded = fold_name(name);
        let open = state.transaction_mut(transaction)?;
        let Some(found) = open.savepoints.iter().rposition(|(saved, _)| *saved == folded) else {
            let message =
                format!("Cannot roll back {name}. No transaction or savepoint of that name was found.");
            return Err(SqlError::statement(6401, message));
        };
        open.savepoints.truncate(found + 1);
        let mark = open.savepoints[found].1;
        state.undo_to(transaction, mark);
        Ok(())
    }
}

impl State {
    /// Takes back everything since a mark.
    pub(super) fn undo_to(&mut self, id: TransactionId, mark: Mark) {
        let Some(transaction) = self.transactions.get_mut(&id) else { return };
        transaction.tracking.truncate(mark.tracking);
        let steps = transaction.undo.split_off(mark.undo);
        for step in steps.into_iter().rev() {
            self.undo(step);
        }
    }

    fn undo(&mut self, step: Undo) {
        match step {
            Undo::Created((database, id)) => self.database_mut(database).remove_table(id),
            Undo::Dropped(reference) => self.restore(reference, |table| table.dropped_by = None),
            Undo::Image { table: reference, key, before } => self.restore(reference, |table| {
                let def = Arc::clone(&table.def);
                table.rows.unwrite(&def, &key, before);
            }),
            Undo::Definition { table: reference, before } => self.restore_definition(reference, before),
            Undo::Rows { table: reference, before } => self.restore(reference, |table| table.rows = before),
            Undo::Tracking { table: reference, before } => {
                self.restore(reference, |table| table.tracking = before);
            }
            Undo::Identity { table: reference, before } => {
                self.restore(reference, |table| table.identity = before);
            }
            Undo::View { database, id, before } => {
                put_back(&mut self.database_mut(database).views, id, before);
            }
            Undo::Synonym { database, id, before } => {
                put_back(&mut self.database_mut(database).synonyms, id, before);
            }
            Undo::SchemaCreated { database, schema } => {
                self.database_mut(database).schemas.retain(|known| known.id != schema);
            }
            Undo::SchemaDropped { database, schema } => self.database_mut(database).schemas.push(schema),
            Undo::Security { database, before } => self.database_mut(database).security = before,
            Undo::Property { database, key, before } => {
                put_back(&mut self.database_mut(database).properties, key, before);
            }
        }
    }

    fn restore_definition(&mut self, reference: TableRef, before: Arc<TableDef>) {
        let Some(table) = self.find_table_mut(reference) else { return };
        let undone = std::mem::replace(&mut table.def, Arc::clone(&before));
        table.rows.reindex(&before);
        self.database_mut(reference.0).rename_table(&undone, &before);
    }

    fn restore(&mut self, reference: TableRef, put_back: impl FnOnce(&mut super::database::Table)) {
        if let Some(table) = self.find_table_mut(reference) {
            put_back(table);
        }
    }

    /// Ends a transaction: with a commit's number, or undone.
    pub(super) fn end_transaction(&mut self, id: TransactionId, commit: Option<u64>) {
        if commit.is_none() {
            self.undo_to(id, Mark { undo: 0, tracking: 0 });
        }
        let Some(transaction) = self.transactions.remove(&id) else { return };
        if let Some(sequence) = commit {
            self.record_changes(id, &transaction, sequence);
        }
        self.settle_rows(&transaction, commit);
        self.settle_definitions(&transaction, commit);
        self.locks.release_all(id);
        if let Some(instant) = transaction.snapshot {
            self.release_instant(instant);
        }
        self.collect_garbage();
    }

    fn settle_rows(&mut self, transaction: &Transaction, commit: Option<u64>) {
        let instants = self.instants.clone();
        for (reference, key) in &transaction.written {
            let Some(table) = self.find_table_mut(*reference) else { continue };
            let def = Arc::clone(&table.def);
            table.rows.settle(&def, key, commit);
            if !table.rows.prune(&def, key, &instants) {
                let sequence = self.commit_sequence;
                self.garbage.push_back(Garbage { sequence, table: *reference, key: key.clone() });
            }
        }
    }

    fn settle_definitions(&mut self, transaction: &Transaction, commit: Option<u64>) {
        for reference in &transaction.changed {
            let Some(sequence) = commit else { continue };
            let Some(table) = self.find_table_mut(*reference) else { continue };
            if table.dropped_by.is_some() {
                self.database_mut(reference.0).remove_table(reference.1);
            } else {
                table.created_by = None;
                table.definition_sequence = sequence;
            }
        }
    }

    /// Folds a transaction's log into the tables' histories, one version per database.
    fn record_changes(&mut self, id: TransactionId, transaction: &Transaction, sequence: u64) {
        let time = self.clock.now();
        let versions = match &transaction.versions {
            none if none.is_empty() => self.take_versions(transaction),
            taken => taken.clone(),
        };
        for (database, version) in &versions {
            let record = CommitRecord { version: *version, transaction: id.0, sequence, time };
            self.database_mut(*database).commits.insert(*version, record);
        }
        for (reference, writes) in transaction.tracked_writes() {
            let Some(version) = versions.get(&reference.0) else { continue };
            let table = self.find_table_mut(reference).filter(|table| table.dropped_by.is_none());
            if let Some(tracking) = table.and_then(|table| table.tracking.as_mut()) {
                tracking.record(&writes, *version, sequence);
            }
        }
    }
}

fn put_back<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, before: Option<V>) {
    match before {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}
