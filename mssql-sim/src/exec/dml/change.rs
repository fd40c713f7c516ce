//! UPDATE and DELETE.

use std::sync::Arc;

use super::row_rules::{RowRules, RowVersions};
use super::target::{Selection, Target, TargetRow, computed_column};
use super::{Affected, apply, assign, cascade, open_target};
use crate::engine::layout::values_of;
use crate::engine::{Interrupt, RowWrite, TableDef, TableWrites};
use crate::exec::context::ExecContext;
use crate::parser::ast::{Delete, Expr, Update};
use crate::types::{SqlError, SqlType, Value};

/// Where the new value of a column comes from.
enum Source {
    /// The n-th expression that the query computes.
    Computed(usize),
    /// The word NULL.
    Null,
    /// The word DEFAULT.
    Default,
}

/// A SET list: columns with their sources, and the expressions to compute.
type SetList = (Vec<(usize, Source)>, Vec<Expr>);

pub(super) fn update(context: &mut ExecContext, update: &Update) -> Result<Affected, Interrupt> {
    let target = Target::find(context, (&update.target, &update.hints), &update.from)?;
    let table = Arc::clone(&target.table);
    open_target(context, (&table, &update.hints), "UPDATE")?;
    let (assignments, exprs) = assignments(&table, update)?;
    let selection = Selection { top: update.top.as_ref(), filter: update.filter.as_ref(), exprs };
    let found = target.rows(context, selection)?;

    let mut rules = RowRules::bind(context, &table, "UPDATE")?;
    let mut versions = RowVersions::draw(context, &table, found.len())?;
    let mut rows = Vec::with_capacity(found.len());
    for TargetRow { key, before, values: computed } in found {
        let mut values = values_of(&table.layout, &before);
        for (column, source) in &assignments {
            values[*column] = match source {
                Source::Computed(position) => assign(context, &table, *column, computed[*position].clone())?,
                Source::Null => Value::Null,
                Source::Default => rules.default(context, *column)?,
            };
        }
        versions.stamp(&mut values);
        let after = rules.complete(context, &mut values)?;
        rows.push(RowWrite::Update { key, before, after });
    }
    let set = assignments.iter().map(|(column, _)| *column);
    let writes = TableWrites { rows, columns_set: columns_set(&table, set), table };
    write(context, writes, update.context.as_ref())
}

pub(super) fn delete(context: &mut ExecContext, delete: &Delete) -> Result<Affected, Interrupt> {
    let target = Target::find(context, (&delete.target, &delete.hints), &delete.from)?;
    let table = Arc::clone(&target.table);
    open_target(context, (&table, &delete.hints), "DELETE")?;
    let selection = Selection { top: delete.top.as_ref(), filter: delete.filter.as_ref(), exprs: Vec::new() };
    let found = target.rows(context, selection)?;
    let rows = found.into_iter().map(|row| RowWrite::Delete { key: row.key, before: row.before }).collect();
    write(context, TableWrites { table, rows, columns_set: Vec::new() }, delete.context.as_ref())
}

fn write(
    context: &ExecContext,
    writes: TableWrites,
    tracking_context: Option<&Expr>,
) -> Result<Affected, Interrupt> {
    let rows = writes.rows.len() as u64;
    let writes = cascade::follow(context, writes)?;
    apply(context, writes, tracking_context)?;
    Ok(Affected { rows })
}

/// Ids of the columns that an update sets, the rowversion column last.
pub(super) fn columns_set(table: &TableDef, set: impl Iterator<Item = usize>) -> Vec<i32> {
    set.chain(table.rowversion_column()).map(|column| table.columns[column].column_id).collect()
}

fn assignments(table: &TableDef, update: &Update) -> Result<SetList, SqlError> {
    let mut assignments: Vec<(usize, Source)> = Vec::with_capacity(update.assignments.len());
    let mut exprs = Vec::new();
    for (name, expr) in &update.assignments {
        let Some(position) = table.column(name) else {
            return Err(SqlError::batch(207, format!("Invalid column name '{name}'.")));
        };
        refuse_assignment(table, position)?;
        if assignments.iter().any(|(column, _)| *column == position) {
            let message = format!(
                "The column name '{name}' is specified more than once in the SET clause or column list of an INSERT. A column \
                 cannot be assigned more than one value in the same clause."
            );
            return Err(SqlError::batch(264, message));
        }
        let source = match expr {
            None => Source::Default,
            Some(Expr::Null) => Source::Null,
            Some(expr) => {
                exprs.push(expr.clone());
                Source::Computed(exprs.len() - 1)
            }
        };
        assignments.push((position, source));
    }
    Ok((assignments, exprs))
}

fn refuse_assignment(table: &TableDef, position: usize) -> Result<(), SqlError> {
    let column = &table.columns[position];
    if column.identity.is_some() {
        let message = format!("Cannot update identity column '{}'.", column.name);
        return Err(SqlError::batch(8102, message));
    }
    if column.computed.is_some() {
        return Err(computed_column(&column.name));
    }
    if column.sql_type() == SqlType::RowVersion {
        return Err(SqlError::batch(272, "Cannot update a timestamp column."));
    }
    Ok(())
}
