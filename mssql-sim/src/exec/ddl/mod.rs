//! Definition statements: tables, indexes, schemas, databases, principals; and TRUNCATE.
//!
//! A statement builds the new definition from the old one and hands it to the engine, which holds the table against
//! everybody else until the transaction ends. What fails half-way is taken back to the statement's beginning.

mod alter_column;
mod alter_table;
mod constraint;
pub(super) mod create_table;
mod database;
mod dependency;

use std::sync::Arc;

use super::context::ExecContext;
use crate::collation::Collation;
use crate::engine::{Interrupt, Object, TableDef};
use crate::parser::ast::{ObjectName, Statement};
use crate::types::{Reach, SqlError};

/// Runs a definition statement.
///
/// # Errors
/// The statement's error, or a wait for users of the table.
///
/// # Panics
/// If the statement is of another kind: the caller dispatches.
pub fn run(context: &mut ExecContext, statement: &Statement) -> Result<(), Interrupt> {
    let transaction = context.names.transaction;
    let mark = context.engine.mark(transaction)?;
    let done = dispatch(context, statement);
    if done.is_err() {
        context.engine.undo_to(transaction, mark);
    }
    done
}

fn dispatch(context: &mut ExecContext, statement: &Statement) -> Result<(), Interrupt> {
    match statement {
        Statement::CreateTable(table) | Statement::DeclareTable(table) => {
            create_table::create(context, table)
        }
        Statement::AlterTable { table, action } => alter_table::alter(context, table, action),
        Statement::DropTable { tables, if_exists } => drop_tables(context, tables, *if_exists),
        Statement::Truncate(table) => truncate(context, table),
        Statement::CreateIndex { name, table, unique, columns } => {
            constraint::create_index(context, name, table, *unique, columns)
        }
        Statement::DropIndex { name, table } => constraint::drop_index(context, name, table),
        Statement::CreateSchema(name) => Ok(context.engine.create_schema(context.names.database, name)?),
        Statement::CreateDatabase { name, collation } => {
            require_no_transaction(context, "CREATE DATABASE")?;
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
        Statement::AlterDatabase { database, option } => {
            require_no_transaction(context, "ALTER DATABASE")?;
            Ok(database::alter(context, database.as_deref(), option)?)
        }
        Statement::Permission(permission) => database::change_permission(context, permission),
        other => unreachable!("not a definition statement: {other:?}"),
    }
}

fn drop_tables(context: &ExecContext, tables: &[ObjectName], if_exists: bool) -> Result<(), Interrupt> {
    for name in tables {
        match find(context, name)? {
            Some(table) if context.engine.permitted(&context.names.principal, "CONTROL", &table) => {
                context.engine.drop_table(context.names.transaction, &table)?;
            }
            None if if_exists => {}
            _ => {
                let message = format!(
                    "Cannot drop the table '{}', because it does not exist or you do not have permission.",
                    shown(name)
                );
                return Err(SqlError { class: 11, state: 5, ..SqlError::statement(3701, message) }.into());
            }
        }
    }
    Ok(())
}

fn truncate(context: &ExecContext, name: &ObjectName) -> Result<(), Interrupt> {
    let Some(table) = find(context, name)? else {
        let message = missing_object(&name.name);
        return Err(SqlError::statement(4701, message).into());
    };
    require_alter(context, &table)?;
    context.engine.truncate(context.names.transaction, &table)
}

/// A table to change; error `number` if there is none.
fn table_to_change(
    context: &ExecContext,
    name: &ObjectName,
    number: i32,
) -> Result<Arc<TableDef>, Interrupt> {
    let Some(table) = find(context, name)? else {
        return Err(SqlError::batch(number, missing_object(&shown(name))).into());
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

/// A name as it was written, without quotes.
pub(super) fn shown(name: &ObjectName) -> String {
    let parts = [&name.database, &name.schema].into_iter().flatten().map(String::as_str);
    parts.chain([name.name.as_str()]).collect::<Vec<_>>().join(".")
}
