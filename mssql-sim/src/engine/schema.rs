//! Definitions: databases, schemas, creating, changing and dropping tables.
//!
//! A change of a table makes its definition exclusive to the transaction until its end, so nobody reads half a change; the
//! end stamps the table, and snapshots older than that may not read it any more (3961). All of it is undone
//! with the transaction. Databases are created and dropped outside transactions.

use std::collections::HashSet;
use std::sync::Arc;

use super::database::{Database, FIRST_USER_DATABASE, Schema, Table};
use super::definition::{DatabaseId, IndexRef, ObjectId, TableDef};
use super::keys;
use super::lock::{Hold, LockMode, Resource};
use super::rows::{Entry, Pending, Rows, Version};
use super::schema_object::ObjectHeader;
use super::state::State;
use super::transaction::{Mark, Undo};
use super::{Engine, Interrupt, Key, Row, TransactionId};
use crate::collation::{Collation, fold_name};
use crate::types::{Reach, SqlError};

impl Engine {
    /// Creates a database.
    ///
    /// # Errors
    /// 1801 if the name is taken.
    pub fn create_database(&self, name: &str, collation: Collation) -> Result<DatabaseId, SqlError> {
        let mut state = self.state();
        if state.databases.values().any(|database| fold_name(&database.name) == fold_name(name)) {
            let message = format!("Database '{name}' already exists. Choose a different database name.");
            return Err(SqlError { state: 3, ..SqlError::statement(1801, message) });
        }
        let id = state.free_database_id();
        let now = state.clock.now();
        state.databases.insert(id, Database::new(id, name, collation, now));
        Ok(id)
    }

    /// Drops a database that no session is in and no transaction has touched.
    ///
    /// # Errors
    /// 3702 while it is used, 3701 if it does not exist, 3708 for a system database.
    pub fn drop_database(&self, name: &str) -> Result<(), SqlError> {
        let mut state = self.state();
        let Some(id) = state.databases.values().find(|d| fold_name(&d.name) == fold_name(name)).map(|d| d.id)
        else {
            let message = format!(
                "Cannot drop the database '{name}', because it does not exist or you do not have permission."
            );
            return Err(SqlError { class: 11, ..SqlError::statement(3701, message) });
        };
        if id.0 < FIRST_USER_DATABASE {
            let message = format!("Cannot drop database '{name}' because it is a system database.");
            return Err(SqlError::statement(3708, message));
        }
        if state.is_database_used(id) {
            let message = format!("Cannot drop database \"{name}\" because it is currently in use.");
            return Err(SqlError::statement(3702, message));
        }
        state.databases.remove(&id);
        Ok(())
    }

    /// A database's id by name.
    pub fn database_id(&self, name: &str) -> Option<DatabaseId> {
        self.state().databases.values().find(|d| fold_name(&d.name) == fold_name(name)).map(|d| d.id)
    }

    /// A database's name.
    pub fn database_name(&self, id: DatabaseId) -> Option<String> {
        self.state().databases.get(&id).map(|database| database.name.clone())
    }

    /// `ALTER DATABASE .. SET ALLOW_SNAPSHOT_ISOLATION`
    pub fn allow_snapshot(&self, database: DatabaseId, allow: bool) {
        self.state().database_mut(database).allow_snapshot = allow;
    }

    /// `ALTER DATABASE .. SET READ_COMMITTED_SNAPSHOT`
    pub fn set_read_committed_snapshot(&self, database: DatabaseId, on: bool) {
        self.state().database_mut(database).read_committed_snapshot = on;
    }

    /// A schema by name.
    pub fn schema(&self, database: DatabaseId, name: &str) -> Option<Schema> {
        self.state().database(database).schema(name).cloned()
    }

    /// An object id for a table or constraint about to be created.
    pub fn new_object_id(&self, database: DatabaseId) -> ObjectId {
        self.state().database_mut(database).new_object_id()
    }

    /// A table by its id, as a transaction sees it.
    pub fn table_by_id(
        &self,
        transaction: TransactionId,
        database: DatabaseId,
        id: ObjectId,
    ) -> Option<Arc<TableDef>> {
        let state = self.state();
        let table = state.find_table((database, id)).filter(|table| table.exists_for(transaction))?;
        Some(Arc::clone(&table.def))
    }

    /// Creates an empty table.
    ///
    /// # Errors
    /// 2714 if the name is taken; waits for a transaction that is creating or dropping a table of that name.
    pub fn create_table(&self, transaction: TransactionId, def: TableDef) -> Result<(), Interrupt> {
        let mut state = self.state();
        let reference = def.reference();
        state.require_free_name(transaction, &def.header())?;
        state.require_free_constraint_names(transaction, &def)?;
        state.require_parents(transaction, &def)?;
        state.exclude(transaction, &def)?;
        state.transaction_mut(transaction)?.undo.push(Undo::Created(reference));
        state.database_mut(reference.0).add_table(Table::new(Arc::new(def), transaction));
        Ok(())
    }

    /// Drops a table.
    ///
    /// # Errors
    /// 3726 while another table's foreign key references it; waits for its users.
    pub fn drop_table(&self, transaction: TransactionId, table: &TableDef) -> Result<(), Interrupt> {
        let mut state = self.state();
        if state.is_referenced(table) {
            let message = format!(
                "Could not drop object '{}' because it is referenced by a FOREIGN KEY constraint.",
                table.qualified_name()
            );
            return Err(SqlError::statement(3726, message).into());
        }
        state.exclude(transaction, table)?;
        state.table_mut(table)?.dropped_by = Some(transaction);
        state.drop_properties(transaction, table.database, 1, table.object_id)?;
        state.transaction_mut(transaction)?.undo.push(Undo::Dropped(table.reference()));
        Ok(())
    }

    /// `TRUNCATE TABLE`: no rows, identity from its seed, Change Tracking without history and valid from now on.
    ///
    /// # Errors
    /// 4712 while a foreign key references it; waits for its users.
    pub fn truncate(&self, transaction: TransactionId, table: &Arc<TableDef>) -> Result<(), Interrupt> {
        let mut state = self.state();
        if state.is_referenced(table) {
            let message = format!(
                "Cannot truncate table '{}' because it is being referenced by a FOREIGN KEY constraint.",
                table.name
            );
            return Err(SqlError::statement(4712, message).into());
        }
        state.exclude(transaction, table)?;
        let version = state.database(table.database).tracking_version;
        let reference = table.reference();
        let open = state.table_mut(table)?;
        let rows = std::mem::replace(&mut open.rows, Rows::new(table));
        let identity = open.identity.take();
        let tracking = open.tracking.as_ref().map(|tracking| tracking.truncated(version));
        let undo = &mut state.transaction_mut(transaction)?.undo;
        undo.push(Undo::Rows { table: reference, before: rows });
        undo.push(Undo::Identity { table: reference, before: identity });
        if tracking.is_some() {
            state.replace_tracking(transaction, table, tracking)?;
        }
        Ok(())
    }

    /// Makes sure that an object's name is free.
    ///
    /// # Errors
    /// 2714 if it is taken; waits for a transaction that is creating or dropping a table of that name.
    pub fn require_free_name(
        &self,
        transaction: TransactionId,
        header: &ObjectHeader,
    ) -> Result<(), Interrupt> {
        self.state().require_free_name(transaction, header)
    }

    /// Makes a table's definition exclusive to a transaction, before it is changed.
    ///
    /// # Errors
    /// Waits for the table's users.
    pub fn lock_definition(&self, transaction: TransactionId, table: &TableDef) -> Result<(), Interrupt> {
        self.state().exclude(transaction, table)
    }

    /// A table's rows in key order, as the transaction that holds its definition sees them.
    ///
    /// # Errors
    /// 208 if the table is gone.
    pub fn current_rows(&self, transaction: TransactionId, table: &TableDef) -> Result<Vec<Row>, SqlError> {
        let state = self.state();
        let entries = state.table(table)?.rows.iter();
        Ok(entries.filter_map(|(_, entry)| entry.current(transaction).cloned()).collect())
    }

    /// Replaces a table's definition. `rows` are those of [`Engine::current_rows`] in the new layout and the same order;
    /// None where the layout stays. Primary key and unique indexes are checked on the result.
    ///
    /// # Errors
    /// 1505 for duplicate keys; waits for the table's users.
    pub fn alter_table(
        &self,
        transaction: TransactionId,
        old: &TableDef,
        new: TableDef,
        rows: Option<Vec<Row>>,
    ) -> Result<(), Interrupt> {
        let mut state = self.state();
        state.exclude(transaction, old)?;
        state.require_parents(transaction, &new)?;
        state.require_free_constraint_names(transaction, &new)?;
        Ok(state.alter(transaction, old, Arc::new(new), rows)?)
    }

    /// Takes note that rows were written which no CHECK and no FOREIGN KEY was asked about. It is no change that others
    /// wait for.
    ///
    /// # Errors
    /// 208 if the table is gone, 3926 if the transaction has ended.
    pub fn distrust_constraints(&self, transaction: TransactionId, table: &TableDef) -> Result<(), SqlError> {
        let mut new = table.clone();
        let keys = new.foreign_keys.iter_mut().map(|key| &mut key.checking);
        let checkings = keys.chain(new.checks.iter_mut().map(|check| &mut check.checking));
        let trusted = checkings.map(|checking| std::mem::replace(&mut checking.trusted, false));
        if trusted.filter(|trusted| *trusted).count() == 0 {
            return Ok(());
        }
        let mut state = self.state();
        let before = std::mem::replace(&mut state.table_mut(table)?.def, Arc::new(new));
        let undo = Undo::Definition { table: table.reference(), before };
        state.transaction_mut(transaction)?.undo.push(undo);
        Ok(())
    }

    /// The present point of a transaction, to which a statement can go back.
    ///
    /// # Errors
    /// 3926 if the transaction has ended.
    pub fn mark(&self, transaction: TransactionId) -> Result<Mark, SqlError> {
        Ok(self.state().transaction(transaction)?.mark())
    }

    /// Takes back what a transaction did since a mark; its locks stay.
    pub fn undo_to(&self, transaction: TransactionId, mark: Mark) {
        self.state().undo_to(transaction, mark);
    }
}

impl State {
    /// Makes a table's definition exclusive to a transaction.
    pub(super) fn exclude(&mut self, transaction: TransactionId, table: &TableDef) -> Result<(), Interrupt> {
        self.require_writable(table.database)?;
        let reference = table.reference();
        let resource = Resource::Object(reference);
        self.lock(transaction, resource, LockMode::SchemaModification, Hold::Transaction)?;
        self.transaction_mut(transaction)?.changed.insert(reference);
        Ok(())
    }

    /// Makes sure that an object's name is free.
    pub(super) fn require_free_name(
        &self,
        transaction: TransactionId,
        header: &ObjectHeader,
    ) -> Result<(), Interrupt> {
        let database = self.database(header.database);
        for other in database.named(header.schema_id, &header.name) {
            self.check_definition(transaction, other.def.reference())?;
            if other.exists_for(transaction) {
                return Err(name_taken(&header.name).into());
            }
        }
        let taken = database.view(header.schema_id, &header.name).is_some()
            || database.synonym(header.schema_id, &header.name).is_some()
            || database.has_constraint(transaction, header.schema_id, &header.name);
        if taken { Err(name_taken(&header.name).into()) } else { Ok(()) }
    }

    /// 2714 and 1750 if a constraint of a new definition has the name of another object.
    fn require_free_constraint_names(
        &self,
        transaction: TransactionId,
        new: &TableDef,
    ) -> Result<(), SqlError> {
        let database = self.database(new.database);
        let old = database.tables.get(&new.object_id).map(|table| &table.def);
        let mut seen = HashSet::new();
        for (name, _) in new.constraints() {
            let kept = old.is_some_and(|old| old.constraints().any(|(known, _)| same_name(known, name)));
            let taken = !seen.insert(fold_name(name))
                || same_name(name, &new.name)
                || !kept
                    && (database.has_constraint(transaction, new.schema_id, name)
                        || database.named(new.schema_id, name).any(|table| table.exists_for(transaction))
                        || database.view(new.schema_id, name).is_some());
            if taken {
                let taken = SqlError { state: 5, reach: Reach::BatchUnlessCaught, ..name_taken(name) };
                return Err(could_not_create(taken));
            }
        }
        Ok(())
    }

    pub(super) fn free_database_id(&self) -> DatabaseId {
        let id = (FIRST_USER_DATABASE..).map(DatabaseId).find(|id| !self.databases.contains_key(id));
        id.expect("fewer databases than ids")
    }

    pub(super) fn is_database_used(&self, id: DatabaseId) -> bool {
        self.database_uses.contains_key(&id) || self.locks.is_locked(|table| table.0 == id)
    }

    /// Makes sure that the keys which a definition references are there still; else the statement is bound again.
    fn require_parents(&self, transaction: TransactionId, def: &TableDef) -> Result<(), Interrupt> {
        for key in def.foreign_keys.iter().filter(|key| key.parent != def.object_id) {
            let parent = (def.database, key.parent);
            self.check_definition(transaction, parent)?;
            let table = self.find_table(parent).filter(|table| table.exists_for(transaction));
            if table.and_then(|table| table.def.index_by_id(key.parent_index_id)).is_none() {
                return Err(Interrupt::Retry);
            }
        }
        Ok(())
    }

    fn is_referenced(&self, table: &TableDef) -> bool {
        let others = self.database(table.database).tables.values();
        others
            .filter(|other| other.def.object_id != table.object_id && other.dropped_by.is_none())
            .any(|other| other.def.foreign_keys.iter().any(|key| key.parent == table.object_id))
    }

    fn alter(
        &mut self,
        transaction: TransactionId,
        old: &TableDef,
        new: Arc<TableDef>,
        rows: Option<Vec<Row>>,
    ) -> Result<(), SqlError> {
        self.database_mut(old.database).rename_table(old, &new);
        let table = self.table_mut(old)?;
        let before = std::mem::replace(&mut table.def, Arc::clone(&new));
        // Undone last, when the old rows are back: its indexes are built from them.
        self.transaction_mut(transaction)?.undo.push(Undo::Definition { table: old.reference(), before });
        let rekeyed =
            new.primary_key.as_ref().map(|k| &k.columns) != old.primary_key.as_ref().map(|k| &k.columns);
        if rows.is_some() || rekeyed {
            self.rebuild(transaction, old, &new, rows)?;
        }
        self.table_mut(old)?.rows.reindex(&new);
        self.check_unique_indexes(transaction, &new)
    }

    /// Builds a table's rows anew, under new keys or in a new layout; older versions are dropped, no snapshot may read them.
    fn rebuild(
        &mut self,
        transaction: TransactionId,
        old: &TableDef,
        new: &Arc<TableDef>,
        rows: Option<Vec<Row>>,
    ) -> Result<(), SqlError> {
        let table = self.table(old)?;
        let mut rebuilt = Rows::new(new);
        let mut written = Vec::new();
        let mut row_number = 0u64;
        let mut converted = rows.map(Vec::into_iter);
        for (_, entry) in table.rows.iter() {
            let Some(row) = entry.current(transaction) else { continue };
            let row = converted.as_mut().map_or_else(|| Some(Arc::clone(row)), Iterator::next);
            let row = row.expect("one converted row for each current one");
            row_number += 1;
            let key = new.key_of(&row).unwrap_or_else(|| row_number.to_be_bytes().as_slice().into());
            let entry = if entry.pending.is_some() {
                written.push((new.reference(), Key::clone(&key)));
                Entry {
                    pending: Some(Pending { owner: transaction, written: Some(Some(Arc::clone(&row))) }),
                    ..Entry::default()
                }
            } else {
                let sequence = entry.newest.as_ref().map_or(0, |version| version.sequence);
                Entry {
                    newest: Some(Version { sequence, image: Some(Arc::clone(&row)) }),
                    ..Entry::default()
                }
            };
            if rebuilt.place(key, entry).is_some() {
                return Err(duplicates(new, IndexRef::Primary, &row));
            }
        }
        let reference = old.reference();
        let table = self.table_mut(old)?;
        table.row_number = table.row_number.max(row_number);
        let before = std::mem::replace(&mut table.rows, rebuilt);
        let open = self.transaction_mut(transaction)?;
        open.written.append(&mut written);
        open.undo.push(Undo::Rows { table: reference, before });
        Ok(())
    }

    fn check_unique_indexes(&self, transaction: TransactionId, table: &TableDef) -> Result<(), SqlError> {
        let rows = &self.table(table)?.rows;
        for (number, index) in table.indexes.iter().enumerate().filter(|(_, index)| index.unique) {
            let mut previous: Option<Vec<u8>> = None;
            for found in rows.range(IndexRef::Secondary(number), &keys::KeyRange::all(), None) {
                let Some(row) = found.entry.current(transaction) else { continue };
                let mut bytes = Vec::new();
                keys::encode_row(table, &index.columns, row, &mut bytes);
                if !found.position.starts_with(&bytes) {
                    continue;
                }
                if previous.as_ref() == Some(&bytes) {
                    return Err(duplicates(table, IndexRef::Secondary(number), row));
                }
                previous = Some(bytes);
            }
        }
        Ok(())
    }
}

pub(super) fn name_taken(name: &str) -> SqlError {
    SqlError {
        state: 6,
        ..SqlError::statement(2714, format!("There is already an object named '{name}' in the database."))
    }
}

/// 1750 behind what is wrong with a constraint.
pub(crate) fn could_not_create(cause: SqlError) -> SqlError {
    let failed = SqlError::statement(1750, "Could not create constraint or index. See previous errors.");
    SqlError { state: cause.state.min(1), ..failed }.caused_by(cause)
}

fn same_name(a: &str, b: &str) -> bool {
    fold_name(a) == fold_name(b)
}

fn duplicates(table: &TableDef, index: IndexRef, row: &[u8]) -> SqlError {
    let name = match index {
        IndexRef::Primary => table.primary_key.as_ref().map_or("", |key| key.name.as_str()),
        IndexRef::Secondary(number) => table.indexes[number].name.as_str(),
    };
    SqlError::statement(
        1505,
        format!(
            "The CREATE UNIQUE INDEX statement terminated because a duplicate key was found for the object name '{}' and the \
             index name '{name}'. The duplicate key value is ({}).",
            table.qualified_name(),
            super::write::describe_key(table, index, row)
        ),
    )
}
