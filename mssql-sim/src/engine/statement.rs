//! A running statement, and what names mean to it.

use std::sync::Arc;

use super::definition::{DatabaseId, TableDef};
use super::principal::Principal;
use super::schema_object::{Synonym, UserView};
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
    /// A view.
    UserView(Arc<UserView>),
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

/// What a name means before synonyms are followed.
enum Meaning {
    Object(Object),
    Synonym(Arc<Synonym>),
    Nothing,
}

impl Synonym {
    /// What it stands for, seen from anywhere.
    fn full_base(&self, state: &State) -> ObjectName {
        let own = || state.databases.get(&self.header.database).map(|database| database.name.clone());
        ObjectName { database: self.base.database.clone().or_else(own), ..self.base.clone() }
    }
}

impl State {
    fn resolve(&self, scope: &NameScope, name: &ObjectName) -> Result<Meaning, Interrupt> {
        if temporary::is_temporary(&name.name) && !temporary::is_global(&name.name) {
            let table = self.temporary(&scope.temporaries, scope.transaction, &name.name);
            return Ok(
                table.map_or(Meaning::Nothing, |table| Meaning::Object(Object::Table(Arc::clone(table))))
            );
        }
        let database = match &name.database {
            _ if temporary::is_global(&name.name) => self.database(TEMPDB),
            None => self.database(scope.database),
            Some(wanted) => match self.databases.values().find(|d| fold_name(&d.name) == fold_name(wanted)) {
                Some(database) => database,
                None => return Ok(Meaning::Nothing),
            },
        };
        let schema_name = name.schema.as_deref().filter(|schema| !schema.is_empty()).unwrap_or("dbo");
        if let Some(view) = catalog::View::named(schema_name, &name.name) {
            return Ok(Meaning::Object(Object::View(view, database.id)));
        }
        let Some(schema) = database.schema(schema_name) else { return Ok(Meaning::Nothing) };
        for table in database.named(schema.id, &name.name) {
            self.check_definition(scope.transaction, table.def.reference())?;
            if table.exists_for(scope.transaction) {
                return Ok(Meaning::Object(Object::Table(Arc::clone(&table.def))));
            }
        }
        if let Some(view) = database.view(schema.id, &name.name) {
            return Ok(Meaning::Object(Object::UserView(Arc::clone(view))));
        }
        let synonym = database.synonym(schema.id, &name.name);
        Ok(synonym.map_or(Meaning::Nothing, |synonym| Meaning::Synonym(Arc::clone(synonym))))
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

    /// Finds what a name means in a session: a user table, a view or a catalog view; synonyms are followed. Error 208 for None is the caller's, who
    /// knows whether the name may also mean something else.
    ///
    /// # Errors
    /// Waits for a transaction that is creating, changing or dropping the table.
    pub fn resolve(&self, scope: &NameScope, name: &ObjectName) -> Result<Option<Object>, Interrupt> {
        let state = self.state();
        match state.resolve(scope, name)? {
            // A synonym of a synonym stands for nothing.
            Meaning::Synonym(synonym) => match state.resolve(scope, &synonym.full_base(&state))? {
                Meaning::Object(object) => Ok(Some(object)),
                _ => Ok(None),
            },
            Meaning::Object(object) => Ok(Some(object)),
            Meaning::Nothing => Ok(None),
        }
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
