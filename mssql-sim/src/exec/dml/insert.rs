//! INSERT.

use std::sync::Arc;

use super::limit::RowLimit;
use super::new_rows::{GivenRow, listed_columns, rowversion_given};
use super::output::BoundOutput;
use super::row_rules::RowRules;
use super::writing::{Action, Planned, Writing};
use super::{Affected, ResultSet, assign, open_target, target};
use crate::engine::layout::values_of;
use crate::engine::{Interrupt, TableDef};
use crate::exec::context::ExecContext;
use crate::exec::expression::evaluate;
use crate::exec::query;
use crate::exec::query::finder::Finder;
use crate::parser::ast::{Expr, Insert, InsertSource, Query};
use crate::types::{ColumnMeta, SqlError, SqlType, Value};

/// Rows that an INSERT .. SELECT takes from its query at a time.
const CHUNK_ROWS: usize = 1024;

/// Runs an INSERT; `results` are those of its EXEC.
pub(super) fn run(
    context: &mut ExecContext,
    insert: &Insert,
    results: &[ResultSet],
) -> Result<Affected, Interrupt> {
    let table = target::table(context, &insert.table)?;
    open_target(context, (&table, &insert.hints), "INSERT")?;
    let columns = listed_columns(&table, &insert.columns)?;
    let (outputs, places, empty) = {
        let finder = Finder::without_sources(&table);
        let outputs =
            BoundOutput::bind_all(context, &finder.output_scope(true, false, false), &insert.outputs)?;
        (outputs, finder.places(), finder.empty_tuple())
    };
    let mut given = match &insert.source {
        InsertSource::Execute(_) => executed_rows(context, &table, &columns, results)?,
        _ => given_rows(context, &table, &columns, insert)?,
    };
    given.truncate(RowLimit::of(context, &insert.top)?.of_found(given.len()));
    let tuple = || if outputs.is_empty() { Vec::new() } else { empty.clone() };
    let planned = given.into_iter().map(|given| Planned { action: Action::Insert(given), tuple: tuple() });
    let planned = planned.collect();
    let rules = RowRules::bind(context, &table, "INSERT")?;
    let tracking_context = insert.context.as_ref();
    let writing = Writing { table, columns, set_lists: Vec::new(), outputs, tracking_context };
    writing.write(context, rules, planned, places)
}

/// The rows of the result sets that an EXEC gave.
fn executed_rows(
    context: &ExecContext,
    table: &TableDef,
    columns: &[usize],
    results: &[ResultSet],
) -> Result<Vec<GivenRow>, Interrupt> {
    let mut given = Vec::new();
    for ResultSet { columns: layout, rows } in results {
        if layout.len() != columns.len() {
            let message = "Column name or number of supplied values does not match table definition.";
            return Err(SqlError { state: 7, ..SqlError::statement(213, message) }.into());
        }
        for row in rows {
            given.push(assigned(context, table, columns, (layout, row))?);
        }
    }
    Ok(given)
}

/// A query's row made fit for the columns.
fn assigned(
    context: &ExecContext,
    table: &TableDef,
    columns: &[usize],
    (layout, row): (&[ColumnMeta], &[u8]),
) -> Result<GivenRow, SqlError> {
    let values = values_of(layout, row).into_iter().zip(layout).zip(columns);
    let assigned = values
        .map(|((value, meta), column)| assign(context, table, *column, (meta.sql_type, value)).map(Some));
    assigned.collect()
}

fn given_rows(
    context: &mut ExecContext,
    table: &TableDef,
    columns: &[usize],
    insert: &Insert,
) -> Result<Vec<GivenRow>, Interrupt> {
    match &insert.source {
        InsertSource::Execute(_) => Ok(Vec::new()),
        InsertSource::Defaults => Ok(vec![vec![None; columns.len()]]),
        InsertSource::Query(query) => queried_rows(context, table, columns, (insert, query)),
        InsertSource::Values(rows) => {
            let width = rows.first().map_or(0, Vec::len);
            if rows.iter().any(|row| row.len() != width) {
                let message =
                    "The number of columns for each row in a table value constructor must be the same.";
                return Err(SqlError::batch(10709, message).into());
            }
            check_count(insert, table, columns.len(), width)?;
            let mut given = Vec::with_capacity(rows.len());
            for row in rows {
                let mut values = Vec::with_capacity(row.len());
                for (expr, column) in row.iter().zip(columns) {
                    values.push(given_value(context, table, *column, expr.as_ref())?);
                }
                given.push(values);
            }
            Ok(given)
        }
    }
}

fn given_value(
    context: &ExecContext,
    table: &TableDef,
    column: usize,
    expr: Option<&Expr>,
) -> Result<Option<Value>, Interrupt> {
    let typed = match expr {
        None => return Ok(None),
        Some(_) if table.columns[column].sql_type() == SqlType::RowVersion => {
            return Err(rowversion_given().into());
        }
        Some(Expr::Null) => return Ok(Some(Value::Null)),
        Some(Expr::Literal(value, sql_type)) => (*sql_type, value.clone()),
        Some(expr) => evaluate(context, expr)?,
    };
    Ok(Some(assign(context, table, column, typed)?))
}

fn queried_rows(
    context: &mut ExecContext,
    table: &TableDef,
    columns: &[usize],
    (insert, query): (&Insert, &Query),
) -> Result<Vec<GivenRow>, Interrupt> {
    let mut cursor = query::open(context, query)?;
    let layout: Arc<[ColumnMeta]> = cursor.columns();
    check_count(insert, table, columns.len(), layout.len())?;
    if columns.iter().any(|column| table.columns[*column].sql_type() == SqlType::RowVersion) {
        return Err(rowversion_given().into());
    }
    let mut given = Vec::new();
    loop {
        let chunk = cursor.next_chunk(context, CHUNK_ROWS)?;
        if chunk.is_empty() {
            return Ok(given);
        }
        for row in chunk {
            given.push(assigned(context, table, columns, (&layout, &row))?);
        }
    }
}

/// Whether a row has as many values as there are columns; the error says which side has more.
fn check_count(insert: &Insert, table: &TableDef, columns: usize, values: usize) -> Result<(), SqlError> {
    if values == columns {
        return Ok(());
    }
    if insert.columns.is_empty() {
        if table.identity_column().is_some() && values == columns + 1 {
            let message = format!(
                "An explicit value for the identity column in table '{}' can only be specified when a column list is used and \
                 IDENTITY_INSERT is ON.",
                table.qualified_name()
            );
            return Err(SqlError::batch(8101, message));
        }
        let message = "Column name or number of supplied values does not match table definition.";
        return Err(SqlError::batch(213, message));
    }
    let (number, message) = match (&insert.source, values > columns) {
        (InsertSource::Query(_), true) => (
            121,
            "The select list for the INSERT statement contains more items than the insert list. The number of SELECT values must match the number of INSERT columns.",
        ),
        (InsertSource::Query(_), false) => (
            120,
            "The select list for the INSERT statement contains fewer items than the insert list. The number of SELECT values must match the number of INSERT columns.",
        ),
        (_, true) => (
            110,
            "There are fewer columns in the INSERT statement than values specified in the VALUES clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT statement.",
        ),
        (_, false) => (
            109,
            "There are more columns in the INSERT statement than values specified in the VALUES clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT statement.",
        ),
    };
    Err(SqlError { class: 15, ..SqlError::batch(number, message) })
}
