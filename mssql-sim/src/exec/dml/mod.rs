//! INSERT, UPDATE, DELETE, MERGE and SELECT INTO.
//!
//! A statement first finds out everything that it will write: new rows, rows as they were read with what becomes of
//! them, and the rows that cascades reach. Then the engine applies it in one step. UPDATE, DELETE and MERGE find their
//! rows through a FROM clause, so they seek, join and wait as a SELECT does. What meets a lock has written nothing
//! and is run again from the beginning.

mod bulk;
mod cascade;
mod change;
mod insert;
mod limit;
mod merge;
mod new_rows;
mod output;
mod row_rules;
mod select_into;
mod set_list;
mod target;
mod writing;

use std::sync::Arc;

pub use bulk::{BulkRows, check as check_bulk, load, wrong_type as wrong_bulk_type};

use super::context::ExecContext;
use super::conversion;
use super::expression::evaluate;
use super::query::hints::read_hint;
use crate::engine::{Interrupt, ReadHint, Row, TableDef, TableWrites};
use crate::parser::ast::{Expr, Insert, Isolation, ObjectName, Query, Statement, TableHint};
use crate::types::{ColumnMeta, Length, SqlError, SqlType, Value};

/// What a statement did.
#[derive(Clone, Debug, PartialEq)]
pub struct Affected {
    /// Rows written in the statement's target.
    pub rows: u64,
    /// What OUTPUT gives to the client.
    pub output: Option<ResultSet>,
}

/// Rows with their columns.
#[derive(Clone, Debug, PartialEq)]
pub struct ResultSet {
    /// The columns.
    pub columns: Arc<[ColumnMeta]>,
    /// The rows, in row form.
    pub rows: Vec<Row>,
}

/// Longest change tracking context, in bytes.
const CONTEXT_LIMIT: usize = 128;

/// Runs an INSERT, UPDATE, DELETE or MERGE.
///
/// # Errors
/// The statement's error, or a wait for another transaction's lock.
///
/// # Panics
/// If the statement is of another kind: the caller dispatches.
pub fn run(context: &mut ExecContext, statement: &Statement) -> Result<Affected, Interrupt> {
    match statement {
        Statement::Insert(insert) => insert::run(context, insert, &[]),
        Statement::Update(update) => change::update(context, update),
        Statement::Delete(delete) => change::delete(context, delete),
        Statement::Merge(merge) => merge::run(context, merge),
        other => unreachable!("not a statement that writes rows: {other:?}"),
    }
}

/// Runs an INSERT .. EXEC with what its procedure answered.
///
/// # Errors
/// As [`run`].
pub fn insert_results(
    context: &mut ExecContext,
    insert: &Insert,
    results: &[ResultSet],
) -> Result<Affected, Interrupt> {
    insert::run(context, insert, results)
}

/// Runs a SELECT .. INTO: creates the table and fills it.
///
/// # Errors
/// As [`run`].
pub fn select_into(
    context: &mut ExecContext,
    target: &ObjectName,
    query: &Query,
) -> Result<Affected, Interrupt> {
    let transaction = context.names.transaction;
    let mark = context.engine.mark(transaction)?;
    let done = select_into::run(context, target, query);
    if done.is_err() {
        context.engine.undo_to(transaction, mark);
    }
    done
}

/// Checks the permission on a target and opens it, so that the statement holds its definition and has its snapshot.
fn open_target(
    context: &ExecContext,
    (table, hints): (&Arc<TableDef>, &[TableHint]),
    permission: &str,
) -> Result<(), Interrupt> {
    context.require(permission, table)?;
    let hint = ReadHint { write_target: true, ..read_hint(hints)? };
    context.engine.open(&context.statement, table, hint)?;
    Ok(())
}

/// Applies what a statement writes.
fn apply(
    context: &ExecContext,
    writes: Vec<TableWrites>,
    tracking_context: Option<&Expr>,
) -> Result<(), Interrupt> {
    let tracking_context = tracking_context.map(|expr| change_context(context, expr)).transpose()?.flatten();
    let (variables, tables): (Vec<TableWrites>, Vec<TableWrites>) =
        writes.into_iter().partition(|writes| writes.table.is_variable());
    let transaction = context.statement.transaction;
    let mark = context.engine.mark(transaction)?;
    context.engine.apply(&context.statement, &tables, tracking_context.as_deref())?;
    let applied = apply_to_variables(context, &variables);
    if applied.is_err() {
        context.engine.undo_to(transaction, mark);
    }
    applied
}

/// Writes to table variables in a transaction of their own, since no rollback of the session's takes them back.
fn apply_to_variables(context: &ExecContext, writes: &[TableWrites]) -> Result<(), Interrupt> {
    if writes.is_empty() {
        return Ok(());
    }
    let transaction = context.engine.begin();
    let applied = {
        let statement = context.engine.statement(transaction, Isolation::ReadCommitted);
        context.engine.apply(&statement, writes, None)
    };
    match applied {
        Ok(()) => context.engine.commit(transaction),
        Err(_) => context.engine.rollback(transaction),
    }
    applied
}

/// A value made fit for a column; NULL fits every type.
fn assign(
    context: &ExecContext,
    table: &TableDef,
    column: usize,
    (sql_type, value): (SqlType, Value),
) -> Result<Value, SqlError> {
    if value.is_null() {
        return Ok(value);
    }
    let column = &table.columns[column];
    if sql_type == column.sql_type() && !sql_type.has_code_page() {
        return Ok(value);
    }
    let qualified = context.full_name(table);
    conversion::assign(
        value,
        sql_type,
        column.sql_type(),
        conversion::Target { table: &qualified, column: &column.name, collation: column.meta.collation },
    )
}

/// The value of `WITH CHANGE_TRACKING_CONTEXT`.
fn change_context(context: &ExecContext, expr: &Expr) -> Result<Option<Vec<u8>>, Interrupt> {
    match evaluate(context, expr)? {
        (SqlType::Binary(length), value) if usize::from(length) <= CONTEXT_LIMIT => Ok(bytes_of(value)),
        (SqlType::VarBinary(Length::Limited(length)), value) if usize::from(length) <= CONTEXT_LIMIT => {
            Ok(bytes_of(value))
        }
        _ => {
            let message = "The \"context\" argument for the CHANGE_TRACKING_CONTEXT WITH clause must be of type \
                           varbinary data type with a maximum length of 128.";
            Err(SqlError::batch(22109, message).into())
        }
    }
}

fn bytes_of(value: Value) -> Option<Vec<u8>> {
    if let Value::Bytes(bytes) = value { Some(bytes) } else { None }
}
