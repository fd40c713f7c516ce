//! Foreign keys: checks on a statement's end state, and the rows that a cascade reaches.

use std::collections::HashSet;
use std::sync::Arc;

use super::definition::{ForeignKey, IndexRef, TableDef};
use super::keys::{self, KeyRange};
use super::layout::column_value;
use super::lock::{LockMode, Resource};
use super::read::TableRead;
use super::state::State;
use super::statement::StatementScope;
use super::write::RowWrite;
use super::{Engine, Interrupt, Key, Row, TransactionId};
use crate::types::SqlError;

impl Engine {
    /// Foreign keys that reference a table, with the tables that have them.
    pub fn references_to(&self, table: &TableDef) -> Vec<(Arc<TableDef>, ForeignKey)> {
        self.state().references_to(table)
    }

    /// Rows of `child` whose foreign key holds the values that the given rows of `parent` have in the referenced columns.
    ///
    /// # Errors
    /// Waits for the writer of such a row.
    pub fn referencing_rows(
        &self,
        statement: &StatementScope,
        (child, foreign_key): (&Arc<TableDef>, &ForeignKey),
        parent: &TableDef,
        parents: &[Row],
    ) -> Result<Vec<(Key, Row)>, Interrupt> {
        let wanted = parents.iter().map(|row| referenced_bytes(parent, foreign_key, row)).collect();
        self.state().referencing_rows(statement.transaction, child, foreign_key, parent, &wanted)
    }

    /// Makes sure that every row of a table has its parent in one of its foreign keys.
    ///
    /// # Errors
    /// 547; waits for the writer of a parent.
    pub fn validate_foreign_key(
        &self,
        transaction: TransactionId,
        table: &TableDef,
        key: &ForeignKey,
    ) -> Result<(), Interrupt> {
        let state = self.state();
        for (_, entry) in state.table(table)?.rows.iter() {
            if let Some(row) = entry.current(transaction) {
                state.check_parent(transaction, (table, key), row, "ALTER TABLE")?;
            }
        }
        Ok(())
    }
}

impl State {
    fn references_to(&self, table: &TableDef) -> Vec<(Arc<TableDef>, ForeignKey)> {
        let tables = self.database(table.database).tables.values().filter(|t| t.dropped_by.is_none());
        tables
            .flat_map(|child| child.def.foreign_keys.iter().map(|key| (Arc::clone(&child.def), key.clone())))
            .filter(|(_, key)| key.parent == table.object_id)
            .collect()
    }

    /// Both directions of every foreign key that the writes to a table may have broken.
    pub(super) fn check_foreign_keys(
        &self,
        transaction: TransactionId,
        table: &Arc<TableDef>,
        rows: &[RowWrite],
    ) -> Result<(), Interrupt> {
        for key in table.foreign_keys.iter().filter(|key| key.checking.enabled) {
            for write in rows {
                match write {
                    RowWrite::Insert(row) => self.check_parent(transaction, (table, key), row, "INSERT")?,
                    RowWrite::Update { before, after, .. } if moves(table, key, before, after) => {
                        self.check_parent(transaction, (table, key), after, "UPDATE")?;
                    }
                    _ => {}
                }
            }
        }
        for (child, key) in self.references_to(table).into_iter().filter(|(_, key)| key.checking.enabled) {
            self.check_children(transaction, table, (&child, &key), rows)?;
        }
        Ok(())
    }

    fn check_parent(
        &self,
        transaction: TransactionId,
        (child, key): (&TableDef, &ForeignKey),
        row: &[u8],
        statement: &str,
    ) -> Result<(), Interrupt> {
        let parent =
            self.find_table((child.database, key.parent)).expect("a referenced table cannot be dropped");
        let Some(bytes) = referencing_bytes(child, key, &parent.def, row) else { return Ok(()) };
        let resource = Resource::Object(parent.def.reference());
        self.check_lock(transaction, resource, LockMode::IntentShared)?;
        let read = TableRead::latest(&parent.def, transaction);
        let index = parent_index(&parent.def, key);
        for found in parent.rows.range(index, &KeyRange::starting_with(&bytes), None) {
            if self.look(&read, index, &found)?.is_some() {
                return Ok(());
            }
        }
        Err(self.orphan(statement, key, &parent.def).into())
    }

    fn check_children(
        &self,
        transaction: TransactionId,
        parent: &TableDef,
        (child, key): (&Arc<TableDef>, &ForeignKey),
        rows: &[RowWrite],
    ) -> Result<(), Interrupt> {
        let mut vacated = HashSet::new();
        let mut statement = "DELETE";
        for write in rows {
            match write {
                RowWrite::Insert(_) => {}
                RowWrite::Delete { before, .. } => {
                    vacated.insert(referenced_bytes(parent, key, before));
                }
                RowWrite::Update { before, after, .. } => {
                    let bytes = referenced_bytes(parent, key, before);
                    if bytes != referenced_bytes(parent, key, after) {
                        statement = "UPDATE";
                        vacated.insert(bytes);
                    }
                }
            }
        }
        // A key that another row of the same statement took is there after all.
        for write in rows {
            if let RowWrite::Insert(row) | RowWrite::Update { after: row, .. } = write {
                vacated.remove(&referenced_bytes(parent, key, row));
            }
        }
        if self.referencing_rows(transaction, child, key, parent, &vacated)?.is_empty() {
            return Ok(());
        }
        Err(self.referenced(statement, key, child).into())
    }

    fn referencing_rows(
        &self,
        transaction: TransactionId,
        child: &Arc<TableDef>,
        key: &ForeignKey,
        parent: &TableDef,
        wanted: &HashSet<Vec<u8>>,
    ) -> Result<Vec<(Key, Row)>, Interrupt> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let resource = Resource::Object(child.reference());
        self.check_lock(transaction, resource, LockMode::IntentShared)?;
        let read = TableRead::latest(child, transaction);
        let rows = &self.table(child)?.rows;
        let (index, ranges) = match covering_index(child, key, parent) {
            Some(index) => (index, wanted.iter().map(|bytes| KeyRange::starting_with(bytes)).collect()),
            None => (IndexRef::Primary, vec![KeyRange::all()]),
        };
        let mut found = Vec::new();
        for range in &ranges {
            for step in rows.range(index, range, None) {
                let Some(row) = self.look(&read, index, &step)? else { continue };
                if referencing_bytes(child, key, parent, &row).is_some_and(|bytes| wanted.contains(&bytes)) {
                    found.push((step.key.clone(), row));
                }
            }
        }
        Ok(found)
    }

    /// 547: a row has no parent.
    fn orphan(&self, statement: &str, key: &ForeignKey, parent: &TableDef) -> SqlError {
        let columns = parent.index_columns(parent_index(parent, key)).iter().map(|column| column.column);
        self.conflict(
            &format!("The {statement} statement conflicted with the FOREIGN KEY"),
            key,
            parent,
            columns,
        )
    }

    /// 547: a row that goes, or changes its key, has children.
    fn referenced(&self, statement: &str, key: &ForeignKey, child: &TableDef) -> SqlError {
        let columns = key.columns.iter().copied();
        self.conflict(
            &format!("The {statement} statement conflicted with the REFERENCE"),
            key,
            child,
            columns,
        )
    }

    fn conflict(
        &self,
        beginning: &str,
        key: &ForeignKey,
        other: &TableDef,
        mut columns: impl ExactSizeIterator<Item = usize>,
    ) -> SqlError {
        let column = match (columns.len(), columns.next()) {
            (1, Some(only)) => format!(", column '{}'", other.columns[only].name),
            _ => String::new(),
        };
        let message = format!(
            "{beginning} constraint \"{}\". The conflict occurred in database \"{}\", table \"{}\"{column}.",
            key.name,
            self.database(other.database).name,
            other.qualified_name()
        );
        SqlError { state: 0, ..SqlError::statement(547, message) }
    }
}

/// Whether an update changes the foreign key of a row.
fn moves(child: &TableDef, key: &ForeignKey, before: &[u8], after: &[u8]) -> bool {
    key.columns
        .iter()
        .any(|c| column_value(&child.layout, before, *c) != column_value(&child.layout, after, *c))
}

fn parent_index(parent: &TableDef, key: &ForeignKey) -> IndexRef {
    parent.index_by_id(key.parent_index_id).expect("a referenced key cannot be dropped")
}

/// The child's key or index that begins with the foreign key's columns, each ordered as in the parent's key.
fn covering_index(child: &TableDef, key: &ForeignKey, parent: &TableDef) -> Option<IndexRef> {
    let secondary = (0..child.indexes.len()).map(IndexRef::Secondary);
    let secondary = secondary.filter(|index| child.filter(*index).is_none());
    let parent_columns = parent.index_columns(parent_index(parent, key));
    std::iter::once(IndexRef::Primary).chain(secondary).find(|index| {
        let columns = child.index_columns(*index);
        columns.len() >= key.columns.len()
            && columns.iter().zip(&key.columns).all(|(column, wanted)| column.column == *wanted)
            && columns.iter().zip(parent_columns).all(|(column, other)| column.descending == other.descending)
    })
}

/// The values of a parent's row in the referenced columns.
fn referenced_bytes(parent: &TableDef, key: &ForeignKey, row: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    keys::encode_row(parent, parent.index_columns(parent_index(parent, key)), row, &mut bytes);
    bytes
}

/// The values of a child's row in the foreign key, as the parent's key has them; None if one is NULL.
fn referencing_bytes(child: &TableDef, key: &ForeignKey, parent: &TableDef, row: &[u8]) -> Option<Vec<u8>> {
    let values: Vec<_> = key.columns.iter().map(|column| column_value(&child.layout, row, *column)).collect();
    let complete = values.iter().all(|value| !value.is_null());
    complete.then(|| keys::key_prefix(parent, parent_index(parent, key), &values))
}
