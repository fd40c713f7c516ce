//! A running statement, and what names mean to it.

use std::sync::Arc;

use super::definition::{DatabaseId, TableDef};
use super::permission::Principal;
use super::state::{State, StatementState};
use super::temporary::{self, TEMPDB, Temporaries};
use super::{Engine, Interrupt, TransactionId};
use crate::catalog;
use crate::collation::fold_name;
use crate::parser::ast::{Isolation, ObjectName};

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

/// One execution of one statement. Dropping it ends what the statement held for itself: locks, its instant.
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
        self.engine.settle();
    }
}

impl StatementScope {
    pub(super) fn id(&self) -> u64 {
        self.id
    }
}

impl Engine {
    /// Registers the beginning of a statement.
    pub fn statement(&self, transaction: TransactionId, isolation: Isolation) -> StatementScope {
        let mut state = self.state();
        state.last_statement += 1;
        let id = state.last_statement;
        state.statements.insert(id, StatementState { transaction, instant: None });
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
            state.check_definition(scope.transaction, table.def.reference())?;
            if table.exists_for(scope.transaction) {
                return Ok(Some(Object::Table(Arc::clone(&table.def))));
            }
        }
        Ok(None)
    }
}

impl State {
    fn end_statement(&mut self, id: u64) {
        let Some(statement) = self.statements.remove(&id) else { return };
        self.locks.release_brief(statement.transaction, Some(id));
        if let Some(instant) = statement.instant {
            self.release_instant(instant);
            self.collect_garbage();
        }
    }
}
