//! Everything behind the engine's mutex.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use super::application_lock::SessionLocks;
use super::backup::Backup;
use super::clock::Clock;
use super::database::{Database, Table};
use super::definition::{DatabaseId, ObjectId};
use super::gate::CommitGate;
use super::lock::LockTable;
use super::principal::Login;
use super::rows::Sight;
use super::sessions::SessionInfo;
use super::transaction::Transaction;
use super::{Key, Options, TableDef, TransactionId};
use crate::types::SqlError;

/// A table anywhere in the instance.
pub(super) type TableRef = (DatabaseId, ObjectId);

/// What a running statement keeps alive.
#[derive(Debug)]
pub(super) struct StatementState {
    pub(super) transaction: TransactionId,
    /// Its instant under READ COMMITTED SNAPSHOT.
    pub(super) instant: Option<u64>,
}

/// Old versions of a key that wait until no snapshot needs them.
#[derive(Debug)]
pub(super) struct Garbage {
    /// Snapshots before this commit still need them.
    pub(super) sequence: u64,
    pub(super) table: TableRef,
    pub(super) key: Key,
}

/// The state.
#[derive(Debug)]
pub(super) struct State {
    pub(super) options: Options,
    pub(super) clock: Clock,
    pub(super) databases: BTreeMap<DatabaseId, Database>,
    /// How often each database is some session's current one.
    pub(super) database_uses: HashMap<DatabaseId, usize>,
    pub(super) logins: Vec<Login>,
    /// By `@@SPID`.
    pub(super) sessions: BTreeMap<u16, SessionInfo>,
    /// By `@@SPID`.
    pub(super) application_locks: HashMap<u16, SessionLocks>,
    pub(super) transactions: HashMap<TransactionId, Transaction>,
    pub(super) last_transaction: u64,
    pub(super) statements: HashMap<u64, StatementState>,
    pub(super) last_statement: u64,
    pub(super) locks: LockTable,
    /// Number of the last commit.
    pub(super) commit_sequence: u64,
    /// Instants that are being read, with the number of their readers.
    pub(super) instants: BTreeMap<u64, usize>,
    /// In the order of `sequence`.
    pub(super) garbage: VecDeque<Garbage>,
    pub(super) gate: CommitGate,
    /// Backups by device.
    pub(super) devices: HashMap<String, Vec<Backup>>,
}

impl State {
    pub(super) fn database(&self, id: DatabaseId) -> &Database {
        self.databases.get(&id).expect("a database is dropped only when no session uses it")
    }

    pub(super) fn database_mut(&mut self, id: DatabaseId) -> &mut Database {
        self.databases.get_mut(&id).expect("a database is dropped only when no session uses it")
    }

    pub(super) fn find_table(&self, (database, id): TableRef) -> Option<&Table> {
        self.databases.get(&database)?.tables.get(&id)
    }

    pub(super) fn find_table_mut(&mut self, (database, id): TableRef) -> Option<&mut Table> {
        self.databases.get_mut(&database)?.tables.get_mut(&id)
    }

    /// The table behind a definition.
    pub(super) fn table(&self, def: &TableDef) -> Result<&Table, SqlError> {
        self.find_table(def.reference()).ok_or_else(|| gone(def))
    }

    /// The table behind a definition.
    pub(super) fn table_mut(&mut self, def: &TableDef) -> Result<&mut Table, SqlError> {
        self.find_table_mut(def.reference()).ok_or_else(|| gone(def))
    }

    pub(super) fn transaction(&self, id: TransactionId) -> Result<&Transaction, SqlError> {
        self.transactions.get(&id).ok_or_else(ended)
    }

    pub(super) fn transaction_mut(&mut self, id: TransactionId) -> Result<&mut Transaction, SqlError> {
        self.transactions.get_mut(&id).ok_or_else(ended)
    }

    /// Begins to read as of now.
    pub(super) fn hold_instant(&mut self) -> u64 {
        *self.instants.entry(self.commit_sequence).or_default() += 1;
        self.commit_sequence
    }

    pub(super) fn release_instant(&mut self, instant: u64) {
        if let Some(readers) = self.instants.get_mut(&instant) {
            *readers -= 1;
            if *readers == 0 {
                self.instants.remove(&instant);
            }
        }
    }

    /// The oldest instant that is or may be read.
    pub(super) fn oldest_instant(&self) -> u64 {
        self.instants.first_key_value().map_or(self.commit_sequence, |(instant, _)| *instant)
    }

    /// The instant of a sight of the changes, if Change Tracking follows it.
    pub(super) fn changes_instant(&self, sight: Sight) -> Option<u64> {
        match sight {
            Sight::Instant(_, instant) if self.options.changes_follow_snapshot => Some(instant),
            _ => None,
        }
    }

    /// Drops versions that nobody needs any more.
    pub(super) fn collect_garbage(&mut self) {
        if self.garbage.is_empty() {
            return;
        }
        let oldest = self.oldest_instant();
        let instants = self.instants.clone();
        while self.garbage.front().is_some_and(|garbage| garbage.sequence <= oldest) {
            let Some(garbage) = self.garbage.pop_front() else { return };
            if let Some(table) = self.find_table_mut(garbage.table) {
                let def = Arc::clone(&table.def);
                table.rows.prune(&def, &garbage.key, &instants);
            }
        }
    }
}

fn gone(def: &TableDef) -> SqlError {
    SqlError::batch(208, format!("Invalid object name '{}'.", def.qualified_name()))
}

fn ended() -> SqlError {
    SqlError::batch(
        3926,
        "The transaction active in this session has been committed or aborted by another session.",
    )
}
