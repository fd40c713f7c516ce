//! Definition statements: tables, indexes, schemas, databases, principals; and TRUNCATE.
//!
//! A statement builds the new definition from the old one and hands it to the engine, which holds the table against
//! everybody else until the transaction ends. What fails half-way is taken back to the statement's beginning.

mod alias;
mod alter_column;
mod alter_table;
mod checking;
mod constraint;
pub(super) mod create_table;
mod database;
mod dependency;
mod foreign_key;
mod index;
mod principal;
mod property;
mod rename;
mod view;

use std::sync::Arc;

use super::context::ExecContext;
use crate::collation::Collation;
use crate::engine::{DatabaseId, Interrupt, Object, Schema, TableDef, cannot};
use crate::parser::ast::{ObjectKind, ObjectName, Statement};
use crate::types::{Reach, SqlError};

/// Runs a definition statement; `text` is its batch, which the catalog shows for a view.
///
/// # Errors
/// The statement's error, or a wait for users of the table.
///
/// # Panics
/// If the statement is of another kind: the caller dispatches.
pub fn run(context: &mut ExecContext, statement: &Statement, text: &str) -> Result<(), Interrupt> {
    let transaction = context.names.transaction;
    let mark = context.engine.mark(transaction)?;
    dispatch(context, statement, text).map_err(|interrupt| {
        context.engine.undo_to(transaction, mark);
        match interrupt {
            Interrupt::Error(error) => Interrupt::Error(with_reach(statement, error)),
            wait => wait,
        }
    })
}

/// Most errors of CREATE and ALTER end the batch unless a TRY takes them; those of DROP and TRUNCATE do not.
fn with_reach(statement: &Statement, error: SqlError) -> SqlError {
    let ends_batch = matches!(
        statement,
        Statement::CreateTable(_)
            | Statement::AlterTable { .. }
            | Statement::CreateIndex(_)
            | Statement::CreateView(_)
            | Statement::CreateSchema(_)
    );
    match error.reach {
        Reach::Statement if ends_batch => SqlError { reach: Reach::BatchUnlessCaught, ..error },
        _ => error,
    }
}

fn dispatch(context: &mut ExecContext, statement: &Statement, text: &str) -> Result<(), Interrupt> {
    match statement {
        Statement::CreateTable(table) | Statement::DeclareTable(table) => {
            create_table::create(context, table)
        }
        Statement::AlterTable { table, action } => alter_table::alter(context, table, action),
        Statement::DropObjects { kind, names, if_exists } => drop_objects(context, *kind, names, *if_exists),
        Statement::Truncate(table) => truncate(context, table),
        Statement::CreateIndex(index) => index::create(context, index),
        Statement::DropIndex { indexes, if_exists } => index::drop(context, indexes, *if_exists),
        Statement::RebuildIndex { name, table } => index::rebuild(context, name.as_deref(), table),
        Statement::CreateView(view) => view::define(context, view, text),
        Statement::CreateSynonym { name, base } => view::create_synonym(context, name, base),
        Statement::CreateType { name, base, nullable } => alias::create(context, name, *base, *nullable),
        Statement::DropType { name, if_exists } => alias::drop(context, name, *if_exists),
        Statement::CreateSchema(name) => create_schema(context, name),
        Statement::DropSchema { name, if_exists } => drop_schema(context, name, *if_exists),
        Statement::TransferObject { schema, object } => rename::transfer(context, schema, object),
        Statement::Rename { object, new_name, kind } => rename::rename(context, object, new_name, *kind),
        Statement::ExtendedProperty(property) => property::change(context, property),
        Statement::Permission(permission) => principal::change(context, permission),
        other => database_statement(context, other),
    }
}

fn database_statement(context: &ExecContext, statement: &Statement) -> Result<(), Interrupt> {
    match statement {
        Statement::CreateDatabase { name, collation } => {
            require_no_transaction(context, "CREATE DATABASE")?;
            if !context.engine.permitted_on_server(&context.names.principal, "CREATE ANY DATABASE") {
                return Err(permission_denied("CREATE DATABASE", "master").into());
            }
            let collation = match collation {
                Some(name) => Collation::named(name, Collation::DEFAULT)?,
                None => Collation::DEFAULT,
            };
            context.engine.create_database(name, collation)?;
            Ok(())
        }
        Statement::DropDatabase { name, if_exists } => {
            require_no_transaction(context, "DROP DATABASE")?;
            if *if_exists && context.engine.database_id(name).is_none() {
                return Ok(());
            }
            Ok(context.engine.drop_database(name)?)
        }
        Statement::AlterDatabase { database, options } => {
            require_no_transaction(context, "ALTER DATABASE")?;
            Ok(database::alter(context, database.as_deref(), options)?)
        }
        other => unreachable!("not a definition statement: {other:?}"),
    }
}

fn create_schema(context: &ExecContext, name: &str) -> Result<(), Interrupt> {
    let (principal, database) = (&context.names.principal, context.names.database);
    if !context.engine.permitted_on_database(principal, "CREATE SCHEMA", database) {
        return Err(permission_denied("CREATE SCHEMA", &context.session.database).into());
    }
    Ok(context.engine.create_schema(context.names.transaction, database, name)?)
}

fn drop_schema(context: &ExecContext, name: &str, if_exists: bool) -> Result<(), Interrupt> {
    let database = context.names.database;
    match context.engine.schema(database, name) {
        Some(schema)
            if context.engine.permitted_on_schema(
                &context.names.principal,
                "CONTROL",
                (database, schema.id),
            ) =>
        {
            Ok(context.engine.drop_schema(context.names.transaction, database, &schema)?)
        }
        None if if_exists => Ok(()),
        _ => Err(cannot("drop", "schema", name).into()),
    }
}

/// `DROP TABLE | VIEW | SYNONYM ...`
fn drop_objects(
    context: &ExecContext,
    kind: ObjectKind,
    names: &[ObjectName],
    if_exists: bool,
) -> Result<(), Interrupt> {
    for name in names {
        if !drop_object(context, kind, name)? && !if_exists {
            let message = format!(
                "Cannot drop the {} '{}', because it does not exist or you do not have permission.",
                kind.word(),
                name
            );
            return Err(SqlError { class: 11, state: 5, ..SqlError::statement(3701, message) }.into());
        }
    }
    Ok(())
}

/// False if there is no such object, or the principal may not drop it.
fn drop_object(context: &ExecContext, kind: ObjectKind, name: &ObjectName) -> Result<bool, Interrupt> {
    let (engine, transaction) = (&context.engine, context.names.transaction);
    let principal = &context.names.principal;
    match kind {
        ObjectKind::Table => match find(context, name)? {
            Some(table) if engine.permitted(principal, "ALTER", &table) => {
                engine.drop_table(transaction, &table)?;
                Ok(true)
            }
            Some(_) => Ok(false),
            None => refuse_other_kind(context, kind, name),
        },
        ObjectKind::View => match view::find_view(context, name)? {
            Some(view) if engine.permitted(principal, "ALTER", &view.header) => {
                engine.drop_view(transaction, &view)?;
                Ok(true)
            }
            Some(_) => Ok(false),
            None => refuse_other_kind(context, kind, name),
        },
        ObjectKind::Synonym => match view::find_synonym(context, name) {
            Some(synonym) if engine.permitted(principal, "ALTER", &synonym.header) => {
                engine.drop_synonym(transaction, &synonym)?;
                Ok(true)
            }
            _ => Ok(false),
        },
        // There are none: what would create them is refused.
        ObjectKind::Procedure | ObjectKind::Function | ObjectKind::Trigger => Ok(false),
    }
}

/// 3705 for an object of another kind, false if there is none at all.
fn refuse_other_kind(context: &ExecContext, kind: ObjectKind, name: &ObjectName) -> Result<bool, Interrupt> {
    let other = match context.engine.resolve(&context.names, name)? {
        Some(Object::Table(_)) => ObjectKind::Table,
        Some(Object::UserView(_)) => ObjectKind::View,
        _ => return Ok(false),
    };
    let (kind, other) = (kind.word(), other.word());
    let message = format!(
        "Cannot use DROP {} with '{}' because '{}' is a {other}. Use DROP {}.",
        kind.to_uppercase(),
        name,
        name,
        other.to_uppercase()
    );
    Err(SqlError::statement(3705, message).into())
}

/// The schema in which an object is to be created or changed; `permission` is on the database.
fn require_schema(
    context: &ExecContext,
    (database, name): (DatabaseId, Option<&str>),
    permission: &str,
) -> Result<Schema, SqlError> {
    let (engine, principal) = (&context.engine, &context.names.principal);
    if permission != "ALTER" && !engine.permitted_on_database(principal, permission, database) {
        let database = engine.database_name(database).unwrap_or_default();
        return Err(permission_denied(permission, &database));
    }
    let name = name.filter(|name| !name.is_empty());
    let name = name.map_or_else(|| engine.default_schema(principal, database), str::to_owned);
    let schema = engine
        .schema(database, &name)
        .filter(|schema| engine.permitted_on_schema(principal, "ALTER", (database, schema.id)));
    schema.ok_or_else(|| {
        let message = format!(
            "The specified schema name \"{name}\" either does not exist or you do not have permission to use it."
        );
        SqlError::statement(2760, message)
    })
}

/// 262
fn permission_denied(permission: &str, database: &str) -> SqlError {
    let message = format!("{permission} permission denied in database '{database}'.");
    SqlError { class: 14, ..SqlError::statement(262, message) }
}

/// The foreign keys that lead to a table, its own included.
fn references_to(context: &ExecContext, table: &TableDef) -> Vec<crate::engine::ForeignKey> {
    context.engine.references_to(table).into_iter().map(|(_, key)| key).collect()
}

fn truncate(context: &ExecContext, name: &ObjectName) -> Result<(), Interrupt> {
    let Some(table) = find(context, name)? else {
        let message = missing_object(&name.name);
        return Err(SqlError::statement(4701, message).into());
    };
    require_alter(context, &table)?;
    let truncated = context.engine.truncate(context.names.transaction, &table);
    truncated.map_err(|interrupt| match interrupt {
        // The message has the name as it was written.
        Interrupt::Error(error) if error.number == 4712 => {
            let message = error.message.replacen(&table.name, &name.to_string(), 1);
            SqlError { message, ..error }.into()
        }
        other => other,
    })
}

/// A table to change; error `number` if there is none.
fn table_to_change(
    context: &ExecContext,
    name: &ObjectName,
    number: i32,
) -> Result<Arc<TableDef>, Interrupt> {
    let Some(table) = find(context, name)? else {
        let missing = SqlError::batch(number, missing_object(&name.to_string()));
        // An ALTER of a table that is not there is no error of the statement but of its batch.
        let (reach, state) = if number == 4902 { (Reach::Batch, 1) } else { (Reach::BatchUnlessCaught, 12) };
        return Err(SqlError { reach, state, ..missing }.into());
    };
    require_alter(context, &table)?;
    Ok(table)
}

fn find(context: &ExecContext, name: &ObjectName) -> Result<Option<Arc<TableDef>>, Interrupt> {
    Ok(match context.engine.resolve(&context.names, name)? {
        Some(Object::Table(table)) => Some(table),
        _ => None,
    })
}

fn require_alter(context: &ExecContext, table: &TableDef) -> Result<(), SqlError> {
    if context.engine.permitted(&context.names.principal, "ALTER", table) {
        return Ok(());
    }
    Err(SqlError { state: 7, ..SqlError::statement(1088, missing_object(&table.name)) })
}

fn missing_object(name: &str) -> String {
    format!("Cannot find the object \"{name}\" because it does not exist or you do not have permissions.")
}

/// 226 inside a transaction that the user began.
fn require_no_transaction(context: &ExecContext, statement: &str) -> Result<(), SqlError> {
    if context.session.transaction_count == 0 {
        return Ok(());
    }
    let message = format!("{statement} statement not allowed within multi-statement transaction.");
    Err(SqlError { state: 6, reach: Reach::Transaction, ..SqlError::statement(226, message) })
}

/// Makes sure that `SET IDENTITY_INSERT` names a table with an identity column.
///
/// # Errors
/// 1088 without such a table, 8106 without such a column.
pub fn require_identity(context: &ExecContext, name: &ObjectName) -> Result<(), Interrupt> {
    let Some(table) = find(context, name)? else {
        let missing = SqlError::statement(1088, missing_object(&name.to_string()));
        return Err(SqlError { state: 11, ..missing }.into());
    };
    if table.identity_column().is_none() {
        let message =
            format!("Table '{name}' does not have the identity property. Cannot perform SET operation.");
        return Err(SqlError::statement(8106, message).into());
    }
    Ok(())
}
