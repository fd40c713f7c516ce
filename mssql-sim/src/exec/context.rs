//! What a statement may know while it runs.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::collation::Collation;
use crate::engine::{
    DatabaseId, Engine, Interrupt, NameScope, Object, SchemaObject, StatementScope, TableDef, UserView,
};
use crate::parser::ast::ObjectName;
use crate::types::{SqlError, SqlType, Value};

/// Everything around one execution of one statement.
pub struct ExecContext {
    /// The engine.
    pub engine: Engine,
    /// Current database, principal and transaction.
    pub names: NameScope,
    /// The statement's hold on tables and on its snapshot.
    pub statement: StatementScope,
    /// The batch's variables.
    pub variables: Variables,
    /// What `@@` names and session functions answer.
    pub session: SessionFacts,
    /// The server's clock when the statement began: every `GETDATE()` of one statement is the same.
    pub now: DateTime<Utc>,
    /// The views that are being expanded, outermost first.
    pub views: ViewStack,
    /// Whether an aggregate has passed over a NULL: message 8153 at the statement's end.
    pub null_eliminated: Cell<bool>,
}

/// The views around a name that is being bound.
///
/// Names in a view are those of its database, and what the view may read its readers may: they need a permission on the
/// view alone, as long as it stays in its database (ownership chaining; everything here belongs to dbo).
#[derive(Clone, Debug, Default)]
pub struct ViewStack(RefCell<Vec<Arc<UserView>>>);

impl ViewStack {
    /// Binds something inside a view.
    ///
    /// # Errors
    /// 4429 for a view that is inside itself.
    pub fn inside<T>(
        &self,
        view: &Arc<UserView>,
        bind: impl FnOnce() -> Result<T, Interrupt>,
    ) -> Result<T, Interrupt> {
        let header = &view.header;
        if self.0.borrow().iter().any(|outer| outer.header.object_id == header.object_id) {
            let message = format!(
                "View or function '{}' contains a self-reference. Views or functions cannot reference themselves directly or \
                 indirectly.",
                header.name
            );
            return Err(SqlError::batch(4429, message).into());
        }
        self.0.borrow_mut().push(Arc::clone(view));
        let bound = bind();
        self.0.borrow_mut().pop();
        bound
    }

    /// Database of the innermost view.
    pub fn database(&self) -> Option<DatabaseId> {
        self.0.borrow().last().map(|view| view.header.database)
    }
}

impl ExecContext {
    /// Finds what a name means where it is bound.
    ///
    /// # Errors
    /// As [`Engine::resolve`].
    pub fn resolve(&self, name: &ObjectName) -> Result<Option<Object>, Interrupt> {
        match self.views.database() {
            Some(database) if database != self.names.database => {
                self.engine.resolve(&NameScope { database, ..self.names.clone() }, name)
            }
            _ => self.engine.resolve(&self.names, name),
        }
    }

    /// Refuses what the principal may not do with an object where it is bound.
    ///
    /// # Errors
    /// 229.
    pub fn require(&self, permission: &str, object: &impl SchemaObject) -> Result<(), SqlError> {
        if self.views.database() == Some(object.identity().database) {
            return Ok(());
        }
        self.engine.require(&self.names.principal, permission, object)
    }

    /// The columns of a table that the principal may not read where it is bound, and why.
    ///
    /// # Errors
    /// 229 if there is none that it may read.
    pub fn denied_columns(&self, table: &TableDef) -> Result<Vec<(usize, SqlError)>, SqlError> {
        if self.views.database() == Some(table.database) {
            return Ok(Vec::new());
        }
        self.engine.denied_columns(&self.names.principal, "SELECT", table)
    }
}

impl ExecContext {
    /// A table's name as messages show it: with database and schema, a table variable's alone.
    pub(crate) fn full_name(&self, table: &TableDef) -> String {
        if table.is_variable() {
            return table.known_name().to_owned();
        }
        let database = self.engine.database_name(table.database).unwrap_or_default();
        format!("{database}.{}.{}", table.schema, table.name)
    }
}

/// Facts of the session that expressions can ask for.
#[derive(Clone, Debug, Default)]
pub struct SessionFacts {
    /// `@@SPID`
    pub spid: u16,
    /// `@@ROWCOUNT`
    pub row_count: u64,
    /// `@@ERROR`
    pub last_error: i32,
    /// The error that a CATCH block handles: `ERROR_NUMBER()` and the like.
    pub caught: Option<SqlError>,
    /// `@@TRANCOUNT`
    pub transaction_count: u32,
    /// Whether the transaction can only be rolled back: `XACT_STATE()` is -1.
    pub doomed: bool,
    /// `@@IDENTITY`
    pub last_identity: Option<i64>,
    /// `SCOPE_IDENTITY()`
    pub scope_identity: Option<i64>,
    /// Name of the current database.
    pub database: String,
    /// Collation of the current database: that of literals, variables and new columns.
    pub collation: Collation,
    /// `@@SERVERNAME`
    pub server: String,
    /// `APP_NAME()` and `HOST_NAME()`, from the login.
    pub program: String,
    /// See `program`.
    pub host: String,
    /// `@@OPTIONS`
    pub options: i32,
    /// `@@LOCK_TIMEOUT` in ms, -1 for ever.
    pub lock_timeout: i64,
    /// `SET ROWCOUNT`; 0 is no limit.
    pub row_limit: u64,
    /// `@@TEXTSIZE`; None is -1, no limit.
    pub text_size: Option<u32>,
    /// `SET IDENTITY_INSERT`: the table that takes explicit identity values.
    pub identity_insert: Option<ObjectName>,
}

/// The variables of a batch; names in lower case without `@`.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    slots: HashMap<String, (SqlType, Value)>,
    /// Names of table variables, which share one namespace with the others.
    tables: HashSet<String>,
}

impl Variables {
    /// Declares a variable as NULL.
    ///
    /// # Errors
    /// 134 if it is declared already.
    pub fn declare(&mut self, name: &str, sql_type: SqlType) -> Result<(), SqlError> {
        self.refuse_second(name)?;
        self.slots.insert(name.to_owned(), (sql_type, Value::Null));
        Ok(())
    }

    /// Declares a table variable by its name with `@`.
    ///
    /// # Errors
    /// 134 if the name is declared already.
    pub fn declare_table(&mut self, name: &str) -> Result<(), SqlError> {
        let name = name.trim_start_matches('@');
        self.refuse_second(name)?;
        self.tables.insert(name.to_owned());
        Ok(())
    }

    fn refuse_second(&self, name: &str) -> Result<(), SqlError> {
        if !self.slots.contains_key(name) && !self.tables.contains(name) {
            return Ok(());
        }
        let message = format!(
            "The variable name '@{name}' has already been declared. Variable names must be unique within a query \
             batch or stored procedure."
        );
        Err(SqlError { class: 15, ..SqlError::batch(134, message) })
    }

    /// Sets a declared variable to a value that is of its type already.
    ///
    /// # Errors
    /// 137 if it is not declared.
    pub fn set(&mut self, name: &str, value: Value) -> Result<(), SqlError> {
        match self.slots.get_mut(name) {
            Some((_, slot)) => {
                *slot = value;
                Ok(())
            }
            None => Err(undeclared(name)),
        }
    }

    /// Type and value of a variable.
    ///
    /// # Errors
    /// 137 if it is not declared.
    pub fn get(&self, name: &str) -> Result<(SqlType, &Value), SqlError> {
        self.slots.get(name).map(|(sql_type, value)| (*sql_type, value)).ok_or_else(|| undeclared(name))
    }
}

fn undeclared(name: &str) -> SqlError {
    SqlError {
        class: 15,
        state: 2,
        ..SqlError::batch(137, format!("Must declare the scalar variable \"@{name}\"."))
    }
}
