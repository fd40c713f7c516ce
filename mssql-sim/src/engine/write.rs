//! Writing rows: what INSERT, UPDATE and DELETE do to tables once their rows are known.
//!
//! [`Engine::apply`] takes all writes of a statement, cascades included, and applies them in one step: first what
//! leaves a key (deletes, the old keys of moved rows) and what stays at its key, then what arrives. So uniqueness is
//! judged on the statement's end state, as foreign keys are. If anything fails or must wait, the statement's images are
//! taken back and its locks stay.
//!
//! A written key is locked X. Where somebody has locked a gap between keys (SERIALIZABLE), a key that arrives must be
//! let into the gap, and an index position that is left must be nobody's boundary. Only then are positions of secondary
//! indexes locked: else the row's own lock, which every reader of the position asks for too, is enough.

use std::sync::Arc;

use super::definition::{IndexRef, TableDef};
use super::keys::{self, KeyRange};
use super::layout;
use super::lock::{Hold, LockMode, Resource};
use super::state::State;
use super::statement::StatementScope;
use super::tracking::{self, ColumnsSet, Operation, TrackedWrite};
use super::transaction::{TrackingLog, Undo};
use super::{Engine, Interrupt, Key, Row, TransactionId};
use crate::parser::ast::Isolation;
use crate::types::{Reach, SqlError};

/// One row's change within a statement.
#[derive(Clone, Debug)]
pub enum RowWrite {
    /// A new row.
    Insert(Row),
    /// A row replaced by another; its key may move.
    Update {
        /// Its key.
        key: Key,
        /// The row as the statement read it.
        before: Row,
        /// The row as it will be.
        after: Row,
        /// Which of [`TableWrites::set_lists`] changes it.
        set_list: usize,
    },
    /// A row removed.
    Delete {
        /// Its key.
        key: Key,
        /// The row as the statement read it.
        before: Row,
    },
}

/// What a statement writes to one table.
#[derive(Clone, Debug)]
pub struct TableWrites {
    /// The table, as the statement was bound to it.
    pub table: Arc<TableDef>,
    /// The rows; none appears twice.
    pub rows: Vec<RowWrite>,
    /// Column ids that each SET list of the statement sets, in its order, the rowversion column last.
    pub set_lists: Vec<Vec<i32>>,
}

/// Whether foreign keys hold for the rows that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum References {
    Checked,
    Unchecked,
}

/// A statement's writes to one table, under way.
struct Writer<'a> {
    state: &'a mut State,
    table: Arc<TableDef>,
    transaction: TransactionId,
    /// Instant after which a changed row is a conflict.
    snapshot: Option<u64>,
    tracked: bool,
    /// What each SET list sets.
    columns: Vec<ColumnsSet>,
    context: Option<Arc<[u8]>>,
}

impl Engine {
    /// Applies a statement's writes to all its tables at once. `context` is that of `WITH CHANGE_TRACKING_CONTEXT`.
    ///
    /// # Errors
    /// 3906 (read-only), 2627 and 2601 (duplicate key), 547 (foreign key), 3960 (changed since the snapshot); waits for another
    /// transaction's lock on a key, and at once again if a row changed since the statement read it.
    pub fn apply(
        &self,
        statement: &StatementScope,
        writes: &[TableWrites],
        context: Option<&[u8]>,
    ) -> Result<(), Interrupt> {
        self.apply_all(statement, writes, context, References::Checked)
    }

    /// Applies a bulk load's rows, which may reference what is not there.
    ///
    /// # Errors
    /// As [`Engine::apply`], but for foreign keys.
    pub fn apply_unreferenced(
        &self,
        statement: &StatementScope,
        writes: &[TableWrites],
    ) -> Result<(), Interrupt> {
        self.apply_all(statement, writes, None, References::Unchecked)
    }

    fn apply_all(
        &self,
        statement: &StatementScope,
        writes: &[TableWrites],
        context: Option<&[u8]>,
        references: References,
    ) -> Result<(), Interrupt> {
        let mut state = self.state();
        let mark = state.transaction(statement.transaction)?.mark();
        for writes in writes.iter().filter(|writes| !writes.rows.is_empty()) {
            state.require_writable(writes.table.database)?;
        }
        let applied = state.apply(statement, writes, context.map(Into::into), references);
        match &applied {
            Err(Interrupt::Error(error)) if error.reach == Reach::Transaction => {
                state.end_transaction(statement.transaction, None);
            }
            Err(_) => state.undo_to(statement.transaction, mark),
            Ok(()) => {}
        }
        applied
    }
}

impl State {
    fn apply(
        &mut self,
        statement: &StatementScope,
        writes: &[TableWrites],
        context: Option<Arc<[u8]>>,
        references: References,
    ) -> Result<(), Interrupt> {
        for table in writes {
            let mut writer = self.writer(statement, table, context.clone())?;
            let arriving = writer.leave(&table.rows)?;
            writer.arrive(arriving)?;
            writer.check_indexes(&table.rows)?;
        }
        if references == References::Unchecked {
            return Ok(());
        }
        for table in writes {
            self.check_foreign_keys(statement.transaction, &table.table, &table.rows)?;
        }
        Ok(())
    }

    fn writer(
        &mut self,
        statement: &StatementScope,
        writes: &TableWrites,
        context: Option<Arc<[u8]>>,
    ) -> Result<Writer<'_>, Interrupt> {
        let id = statement.transaction;
        let reference = writes.table.reference();
        self.lock(id, Resource::Object(reference), LockMode::IntentExclusive, Hold::Transaction)?;
        let table = self.table(&writes.table)?;
        if !Arc::ptr_eq(&table.def, &writes.table) {
            return Err(Interrupt::Retry);
        }
        let tracked = table.tracking.is_some();
        let snapshot = self.transaction(id)?.snapshot.filter(|_| statement.isolation == Isolation::Snapshot);
        Ok(Writer {
            columns: writes.set_lists.iter().map(|ids| tracking::columns_set(&writes.table, ids)).collect(),
            table: Arc::clone(&writes.table),
            transaction: id,
            snapshot,
            tracked,
            context,
            state: self,
        })
    }
}

impl State {
    /// 3960: a row was changed after the instant of the SNAPSHOT transaction that wants to write it.
    pub(super) fn update_conflict(&self, table: &TableDef) -> SqlError {
        let message = format!(
            "Snapshot isolation transaction aborted due to update conflict. You cannot use snapshot isolation to access \
             table '{}' directly or indirectly in database '{}' to update, delete, or insert the row that has been \
             modified or deleted by another transaction. Retry the transaction or change the isolation level for the \
             update/delete statement.",
            table.qualified_name(),
            self.database(table.database).name
        );
        SqlError { state: 2, reach: Reach::Transaction, ..SqlError::statement(3960, message) }
    }
}

impl Writer<'_> {
    /// Applies what leaves or keeps its key; returns the rows that arrive at a new one, with what they were before.
    fn leave<'r>(&mut self, rows: &'r [RowWrite]) -> Result<Vec<&'r Row>, Interrupt> {
        let mut arriving = Vec::new();
        for write in rows {
            match write {
                RowWrite::Insert(row) => arriving.push(row),
                RowWrite::Delete { key, before } => {
                    self.claim(key, before)?;
                    self.leave_indexes(key, before, None)?;
                    self.write(key, None)?;
                    self.track(key, before, Operation::Delete, None)?;
                }
                RowWrite::Update { key, before, after, set_list } => {
                    self.claim(key, before)?;
                    if self.keeps_key(key, after) {
                        self.leave_indexes(key, before, Some(after))?;
                        self.enter_indexes(key, Some(before), after)?;
                        self.write(key, Some(Arc::clone(after)))?;
                        let columns = self.columns.get(*set_list).cloned().flatten();
                        self.track(key, before, Operation::Update, columns)?;
                    } else {
                        self.leave_indexes(key, before, None)?;
                        self.write(key, None)?;
                        self.track(key, before, Operation::Delete, None)?;
                        arriving.push(after);
                    }
                }
            }
        }
        Ok(arriving)
    }

    fn arrive(&mut self, rows: Vec<&Row>) -> Result<(), Interrupt> {
        for row in rows {
            let key = self.new_key(row)?;
            let mode = self.enter_gap(IndexRef::Primary, &key)?;
            self.lock(&key, mode)?;
            self.enter_indexes(&key, None, row)?;
            let rows = &self.state.table(&self.table)?.rows;
            if rows.get(&key).and_then(|entry| entry.current(self.transaction)).is_some() {
                return Err(duplicate_key(&self.table, IndexRef::Primary, row).into());
            }
            self.write(&key, Some(Arc::clone(row)))?;
            self.track(&key, row, Operation::Insert, None)?;
        }
        Ok(())
    }

    fn keeps_key(&self, key: &Key, row: &[u8]) -> bool {
        self.table.key_of(row).is_none_or(|new| new == *key)
    }

    fn new_key(&mut self, row: &[u8]) -> Result<Key, SqlError> {
        if let Some(key) = self.table.key_of(row) {
            return Ok(key);
        }
        let table = self.state.table_mut(&self.table)?;
        table.row_number += 1;
        Ok(table.row_number.to_be_bytes().as_slice().into())
    }

    /// Locks a row's key, or waits for those who hold it.
    fn lock(&mut self, key: &Key, mode: LockMode) -> Result<(), Interrupt> {
        let resource = self.table.row_resource(key);
        self.state.lock(self.transaction, resource, mode, Hold::Transaction).map(drop)
    }

    /// Waits until a new position may come into the gap where it belongs; returns the lock for it. In a gap that this
    /// transaction has locked itself, the new position guards the gap before it.
    fn enter_gap(&self, index: IndexRef, position: &Key) -> Result<LockMode, Interrupt> {
        let in_order = self.table.primary_key.is_some() || index != IndexRef::Primary;
        if !in_order || !self.state.locks.has_ranges(self.table.reference()) {
            return Ok(LockMode::Exclusive);
        }
        let gap = self.state.gap_at(&self.table, index, position)?;
        let own = self.state.locks.held(self.transaction, &gap).is_some_and(LockMode::is_range);
        self.state.check_lock(self.transaction, gap, LockMode::RangeInsert)?;
        Ok(if own { LockMode::RangeExclusive } else { LockMode::Exclusive })
    }

    /// Takes the positions of a row in the secondary indexes, as far as they are new.
    fn enter_indexes(&mut self, key: &Key, before: Option<&Row>, after: &Row) -> Result<(), Interrupt> {
        if !self.state.locks.has_ranges(self.table.reference()) {
            return Ok(());
        }
        for index in self.table.secondary_indexes() {
            let position = self.table.position(index, after, key);
            if before.is_some_and(|before| self.table.position(index, before, key) == position) {
                continue;
            }
            let mode = self.enter_gap(index, &position)?;
            let resource = Resource::Key(self.table.reference(), index, position);
            self.state.lock(self.transaction, resource, mode, Hold::Transaction)?;
        }
        Ok(())
    }

    /// Leaves the positions of a row in the secondary indexes, as far as it does not keep them.
    fn leave_indexes(&mut self, key: &Key, before: &Row, after: Option<&Row>) -> Result<(), Interrupt> {
        if !self.state.locks.has_ranges(self.table.reference()) {
            return Ok(());
        }
        for index in self.table.secondary_indexes() {
            let position = self.table.position(index, before, key);
            if after.is_none_or(|after| self.table.position(index, after, key) != position) {
                let resource = Resource::Key(self.table.reference(), index, position);
                self.state.lock(self.transaction, resource, LockMode::Exclusive, Hold::Transaction)?;
            }
        }
        Ok(())
    }

    /// Locks a row that the statement read and makes sure that it is still as it was read.
    fn claim(&mut self, key: &Key, before: &Row) -> Result<(), Interrupt> {
        self.lock(key, LockMode::Exclusive)?;
        let entry = self.state.table(&self.table)?.rows.get(key);
        if let (Some(instant), Some(newest)) = (self.snapshot, entry.and_then(|e| e.newest.as_ref()))
            && newest.sequence > instant
        {
            return Err(self.state.update_conflict(&self.table).into());
        }
        match entry.and_then(|entry| entry.current(self.transaction)) {
            Some(current) if Arc::ptr_eq(current, before) || current == before => Ok(()),
            _ => Err(Interrupt::Retry),
        }
    }

    fn write(&mut self, key: &Key, image: Option<Row>) -> Result<(), SqlError> {
        let (id, reference) = (self.transaction, self.table.reference());
        let rows = &mut self.state.table_mut(&self.table)?.rows;
        let (before, first) = rows.write(&self.table, key, (id, image));
        let transaction = self.state.transaction_mut(id)?;
        if first {
            transaction.written.push((reference, Key::clone(key)));
        }
        transaction.undo.push(Undo::Image { table: reference, key: Key::clone(key), before });
        Ok(())
    }

    fn track(
        &mut self,
        key: &Key,
        row: &[u8],
        operation: Operation,
        columns: ColumnsSet,
    ) -> Result<(), SqlError> {
        if self.tracked {
            let write = TrackedWrite {
                key: Key::clone(key),
                key_columns: tracking::key_columns(&self.table, row),
                operation,
                columns,
                context: self.context.clone(),
            };
            let log = &mut self.state.transaction_mut(self.transaction)?.tracking;
            log.push(TrackingLog::Write(self.table.reference(), write));
        }
        Ok(())
    }

    /// Uniqueness of the other keys, once all rows are in place.
    fn check_indexes(&self, rows: &[RowWrite]) -> Result<(), Interrupt> {
        for (number, index) in self.table.indexes.iter().enumerate().filter(|(_, index)| index.unique) {
            for write in rows {
                let (RowWrite::Insert(row) | RowWrite::Update { after: row, .. }) = write else { continue };
                if !self.table.holds(IndexRef::Secondary(number), row) {
                    continue;
                }
                let mut bytes = Vec::new();
                keys::encode_row(&self.table, &index.columns, row, &mut bytes);
                self.check_unique(number, &bytes, row)?;
            }
        }
        Ok(())
    }

    fn check_unique(&self, number: usize, bytes: &[u8], row: &Row) -> Result<(), Interrupt> {
        let index = IndexRef::Secondary(number);
        let columns = self.table.index_columns(index);
        let mut same = 0;
        for found in self.state.table(&self.table)?.rows.range(index, &KeyRange::starting_with(bytes), None) {
            if found.entry.is_written_beside(self.transaction) {
                let resource = self.table.row_resource(found.key);
                self.state.check_lock(self.transaction, resource, LockMode::Shared)?;
            }
            let Some(current) = found.entry.current(self.transaction) else { continue };
            let mut current_bytes = Vec::with_capacity(bytes.len());
            keys::encode_row(&self.table, columns, current, &mut current_bytes);
            same += usize::from(current_bytes == bytes);
        }
        if same > 1 { Err(duplicate_key(&self.table, index, row).into()) } else { Ok(()) }
    }
}

/// 2627 for a constraint, 2601 for a plain index.
fn duplicate_key(table: &TableDef, index: IndexRef, row: &[u8]) -> SqlError {
    let value = describe_key(table, index, row);
    let object = table.qualified_name();
    let (kind, name) = match index {
        IndexRef::Primary => ("PRIMARY KEY", table.primary_key.as_ref().map_or("", |key| &key.name)),
        IndexRef::Secondary(number) if table.indexes[number].constraint.is_some() => {
            ("UNIQUE KEY", table.indexes[number].name.as_str())
        }
        IndexRef::Secondary(number) => {
            let message = format!(
                "Cannot insert duplicate key row in object '{object}' with unique index '{}'. The duplicate key value is \
                 ({value}).",
                table.indexes[number].name
            );
            return SqlError { class: 14, ..SqlError::statement(2601, message) };
        }
    };
    let message = format!(
        "Violation of {kind} constraint '{name}'. Cannot insert duplicate key in object '{object}'. The duplicate key \
         value is ({value})."
    );
    SqlError { class: 14, ..SqlError::statement(2627, message) }
}

pub(super) fn describe_key(table: &TableDef, index: IndexRef, row: &[u8]) -> String {
    let values = table
        .index_columns(index)
        .iter()
        .map(|column| layout::column_value(&table.layout, row, column.column));
    values.map(|value| super::describe_value(&value)).collect::<Vec<_>>().join(", ")
}
