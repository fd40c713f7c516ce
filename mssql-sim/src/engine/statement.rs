//! A running statement, name resolution and reads.

use std::sync::Arc;

use super::definition::{DatabaseId, IndexRef, TableDef};
use super::keys::{self, KeyRange};
use super::lock::{LockWait, Resource};
use super::permission::Principal;
use super::rows::{Found, Sight};
use super::state::{State, StatementState, TableRef};
use super::temporary::{self, TEMPDB, Temporaries};
use super::{Engine, Interrupt, Key, Row, TransactionId};
use crate::catalog;
use crate::collation::fold_name;
use crate::parser::ast::{Isolation, ObjectName};
use crate::types::{Reach, SqlError};

/// Whose eyes see, and from where: the session's part in the meaning of names.
#[derive(Clone, Debug)]
pub struct NameScope {
    /// The session's current database.
    pub database: DatabaseId,
    /// Who asks.
    pub principal: Principal,
    /// The transaction in which it asks.
    pub transaction: TransactionId,
    /// The session's temporary tables and the batch's table variables.
    pub temporaries: Temporaries,
}

/// A name's meaning.
#[derive(Clone, Debug)]
pub enum Object {
    /// A user table.
    Table(Arc<TableDef>),
    /// A catalog view, and the database whose catalog it shows.
    View(catalog::View, DatabaseId),
}

/// How a statement reads one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadHint {
    /// By the isolation level.
    ByLevel,
    /// `NOLOCK`, `READUNCOMMITTED`
    NoLock,
    /// `READCOMMITTEDLOCK` and the like: the newest committed row at every level, waiting for writers.
    Committed,
}

/// One execution of one statement. Dropping it ends the statement's hold on definitions and on its instant.
pub struct StatementScope {
    engine: Engine,
    id: u64,
    /// Its transaction.
    pub transaction: TransactionId,
    /// Its isolation level.
    pub isolation: Isolation,
}

impl Drop for StatementScope {
    fn drop(&mut self) {
        self.engine.state().end_statement(self.id);
        self.engine.wake_waiters();
    }
}

/// A table opened for reading by a statement.
#[derive(Clone, Debug)]
pub struct TableRead {
    /// The definition; it stays as it is while the statement lasts.
    pub table: Arc<TableDef>,
    pub(super) transaction: TransactionId,
    pub(super) sight: Sight,
}

/// A read of a table in the order of one of its keys.
#[derive(Clone, Debug)]
pub struct Scan {
    /// Which order.
    pub index: IndexRef,
    /// Which part of it.
    pub range: KeyRange,
    /// Only what stands behind this position.
    pub after: Option<Key>,
    /// At most so many rows.
    pub limit: usize,
}

/// A row that a scan met.
#[derive(Clone, Debug, PartialEq)]
pub struct ScannedRow {
    /// Where it stands in the scanned order; give the last one to the next scan.
    pub position: Key,
    /// Its key in the table.
    pub key: Key,
    /// The row.
    pub row: Row,
}

impl TableDef {
    pub(super) fn reference(&self) -> TableRef {
        (self.database, self.object_id)
    }

    pub(super) fn row_resource(&self) -> Resource {
        if self.primary_key.is_some() { Resource::Key } else { Resource::Row }
    }
}

impl Engine {
    /// Registers the beginning of a statement.
    pub fn statement(&self, transaction: TransactionId, isolation: Isolation) -> StatementScope {
        let mut state = self.state();
        state.last_statement += 1;
        let id = state.last_statement;
        state.statements.insert(id, StatementState { transaction, tables: Vec::new(), instant: None });
        StatementScope { engine: self.clone(), id, transaction, isolation }
    }

    /// Finds what a name means in a session: a user table or a catalog view. Error 208 for None is the caller's, who
    /// knows whether the name may also mean something else.
    ///
    /// # Errors
    /// Waits for a transaction that is creating, changing or dropping the table.
    pub fn resolve(&self, scope: &NameScope, name: &ObjectName) -> Result<Option<Object>, Interrupt> {
        let state = self.state();
        if temporary::is_temporary(&name.name) && !temporary::is_global(&name.name) {
            let table = state.temporary(&scope.temporaries, scope.transaction, &name.name);
            return Ok(table.map(|table| Object::Table(Arc::clone(table))));
        }
        let database = match &name.database {
            _ if temporary::is_global(&name.name) => state.database(TEMPDB),
            None => state.database(scope.database),
            Some(wanted) => {
                match state.databases.values().find(|d| fold_name(&d.name) == fold_name(wanted)) {
                    Some(database) => database,
                    None => return Ok(None),
                }
            }
        };
        let schema_name = name.schema.as_deref().filter(|schema| !schema.is_empty()).unwrap_or("dbo");
        if let Some(view) = catalog::View::named(schema_name, &name.name) {
            return Ok(Some(Object::View(view, database.id)));
        }
        let Some(schema) = database.schema(schema_name) else { return Ok(None) };
        for table in database.named(schema.id, &name.name) {
            let reference = table.def.reference();
            if let Some(holder) = state.definitions.changer(reference, scope.transaction) {
                let resource = Resource::Definition(reference);
                return Err(Interrupt::Wait(LockWait { waiter: scope.transaction, holder, resource }));
            }
            if table.exists_for(scope.transaction) {
                return Ok(Some(Object::Table(Arc::clone(&table.def))));
            }
        }
        Ok(None)
    }

    /// Opens a table: holds its definition for the statement and decides what the statement sees of it.
    ///
    /// # Errors
    /// 3952 and 3961 under SNAPSHOT; waits for a transaction that is changing the definition. If the definition has
    /// changed since `table` was resolved, the wait is over at once and the statement is bound again.
    pub fn open(
        &self,
        statement: &StatementScope,
        table: &Arc<TableDef>,
        hint: ReadHint,
    ) -> Result<TableRead, Interrupt> {
        let mut state = self.state();
        state.transaction(statement.transaction)?;
        state.hold_definition(statement, table)?;
        let sight = state.sight(statement, table, hint)?;
        Ok(TableRead { table: Arc::clone(table), transaction: statement.transaction, sight })
    }

    /// Reads a chunk in the order of an index; an empty one is the end.
    ///
    /// # Errors
    /// Waits for the writer of the first row met; a row met later ends the chunk before it.
    pub fn scan(&self, read: &TableRead, scan: &Scan) -> Result<Vec<ScannedRow>, Interrupt> {
        let state = self.state();
        let rows = &state.table(&read.table)?.rows;
        let mut found = Vec::new();
        for step in rows.range(scan.index, &scan.range, scan.after.as_ref()) {
            if found.len() == scan.limit {
                break;
            }
            match read.look(scan.index, &step) {
                Ok(Some(row)) => {
                    found.push(ScannedRow { position: step.position.clone(), key: step.key.clone(), row });
                }
                Ok(None) => {}
                Err(_) if !found.is_empty() => break,
                Err(wait) => return Err(wait),
            }
        }
        Ok(found)
    }
}

impl TableRead {
    /// The visible row of a step, if it is there and belongs to this position of the index.
    pub(super) fn look(&self, index: IndexRef, step: &Found<'_>) -> Result<Option<Row>, Interrupt> {
        let row = step.entry.visible(self.sight).map_err(|holder| {
            Interrupt::Wait(LockWait {
                waiter: self.transaction,
                holder,
                resource: self.table.row_resource(),
            })
        })?;
        let Some(row) = row else { return Ok(None) };
        if let IndexRef::Secondary(_) = index {
            let mut bytes = Vec::with_capacity(step.position.len());
            keys::encode_row(&self.table, self.table.index_columns(index), row, &mut bytes);
            if !step.position.starts_with(&bytes) {
                return Ok(None);
            }
        }
        Ok(Some(Arc::clone(row)))
    }
}

impl State {
    fn end_statement(&mut self, id: u64) {
        let Some(statement) = self.statements.remove(&id) else { return };
        for table in statement.tables {
            self.definitions.unshare(table, statement.transaction);
        }
        if let Some(instant) = statement.instant {
            self.release_instant(instant);
            self.collect_garbage();
        }
    }

    fn hold_definition(&mut self, statement: &StatementScope, def: &Arc<TableDef>) -> Result<(), Interrupt> {
        let reference = def.reference();
        let waiter = statement.transaction;
        if let Some(holder) = self.definitions.changer(reference, waiter) {
            return Err(Interrupt::Wait(LockWait {
                waiter,
                holder,
                resource: Resource::Definition(reference),
            }));
        }
        let table = self.table(def)?;
        if !Arc::ptr_eq(&table.def, def) {
            return Err(Interrupt::changed(waiter));
        }
        let running =
            self.statements.get_mut(&statement.id).expect("a statement is registered until it is dropped");
        if !running.tables.contains(&reference) {
            running.tables.push(reference);
            self.definitions.share(reference, waiter);
        }
        Ok(())
    }

    fn sight(
        &mut self,
        statement: &StatementScope,
        def: &TableDef,
        hint: ReadHint,
    ) -> Result<Sight, Interrupt> {
        let me = statement.transaction;
        let versioned = self.database(def.database).read_committed_snapshot;
        let sight = match (hint, statement.isolation) {
            // No other session writes it, so no isolation level makes a difference.
            _ if def.is_temporary() => Sight::Latest(me),
            (ReadHint::NoLock, _) | (ReadHint::ByLevel, Isolation::ReadUncommitted) => Sight::Dirty,
            (ReadHint::Committed, Isolation::Snapshot) => {
                self.snapshot_instant(me, def)?;
                Sight::Latest(me)
            }
            (_, Isolation::Snapshot) => Sight::Instant(me, self.snapshot_instant(me, def)?),
            (ReadHint::ByLevel, Isolation::ReadCommitted) if versioned => {
                Sight::Instant(me, self.statement_instant(statement))
            }
            (_, Isolation::ReadCommitted | Isolation::ReadUncommitted) => Sight::Latest(me),
            (_, Isolation::RepeatableRead) => return Err(SqlError::unsupported("REPEATABLE READ").into()),
            (_, Isolation::Serializable) => return Err(SqlError::unsupported("SERIALIZABLE").into()),
        };
        Ok(sight)
    }

    /// The instant of a SNAPSHOT transaction; its first access to a user table fixes it.
    fn snapshot_instant(&mut self, id: TransactionId, def: &TableDef) -> Result<u64, SqlError> {
        let database = self.database(def.database);
        if !database.allow_snapshot {
            return Err(snapshot_not_allowed(&database.name));
        }
        let name = database.name.clone();
        let instant = match self.transaction(id)?.snapshot {
            Some(instant) => instant,
            None => {
                let instant = self.hold_instant();
                self.transaction_mut(id)?.snapshot = Some(instant);
                instant
            }
        };
        let table = self.table(def)?;
        let changed_by_me = self.transaction(id)?.changed.contains(&def.reference());
        if table.definition_sequence > instant && !changed_by_me {
            return Err(definition_changed(&name));
        }
        Ok(instant)
    }

    fn statement_instant(&mut self, statement: &StatementScope) -> u64 {
        if let Some(instant) = self.statements.get(&statement.id).and_then(|running| running.instant) {
            return instant;
        }
        let instant = self.hold_instant();
        if let Some(running) = self.statements.get_mut(&statement.id) {
            running.instant = Some(instant);
        }
        instant
    }
}

fn snapshot_not_allowed(database: &str) -> SqlError {
    SqlError::statement(
        3952,
        format!(
            "Snapshot isolation transaction failed accessing database '{database}' because snapshot isolation is not \
             allowed in this database. Use ALTER DATABASE to allow snapshot isolation."
        ),
    )
}

fn definition_changed(database: &str) -> SqlError {
    SqlError {
        reach: Reach::Transaction,
        ..SqlError::statement(
            3961,
            format!(
                "Snapshot isolation transaction failed in database '{database}' because the object accessed by the \
                 statement has been modified by a DDL statement in another concurrent transaction since the start of \
                 this transaction. It is disallowed because the metadata is not versioned. A concurrent update to \
                 metadata can lead to inconsistency if mixed with snapshot isolation."
            ),
        )
    }
}
