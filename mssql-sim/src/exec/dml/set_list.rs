//! SET lists of UPDATE and MERGE.

use super::row_rules::RowRules;
use super::target::{Target, column_twice, computed_column};
use crate::engine::{Interrupt, TableDef};
use crate::exec::context::ExecContext;
use crate::exec::conversion::{convert, require_implicit};
use crate::exec::expression::Scalar;
use crate::exec::expression::bind::Binder;
use crate::exec::expression::scope::{invalid_column, same_name, unbound};
use crate::exec::query::finder::FoundRows;
use crate::parser::ast::Assignment;
use crate::types::{SqlError, SqlType, Value};

/// A bound SET list.
pub(super) struct SetList {
    items: Vec<Item>,
}

struct Item {
    variable: Option<String>,
    column: Option<usize>,
    source: Source,
}

/// Where a new value comes from.
enum Source {
    Scalar(Scalar),
    Null,
    Default,
}

impl SetList {
    /// Binds a list; columns may be qualified by the target's name only.
    pub(super) fn bind(
        binder: &Binder<'_>,
        target: &Target,
        assignments: &[Assignment],
    ) -> Result<Self, Interrupt> {
        let table = &target.table;
        let mut items: Vec<Item> = Vec::with_capacity(assignments.len());
        for Assignment { variable, column, value } in assignments {
            let column = column.as_ref().map(|parts| settable(parts, target)).transpose()?;
            if let Some(position) = column
                && items.iter().any(|item| item.column == Some(position))
            {
                return Err(column_twice(&table.columns[position].name).into());
            }
            let source = match value {
                None => Source::Default,
                Some(expr) => match binder.scalar(expr)? {
                    null if null.is_untyped_null() => Source::Null,
                    scalar => Source::Scalar(scalar),
                },
            };
            if let (Some(position), Source::Scalar(scalar)) = (column, &source) {
                require_implicit(scalar.sql_type, table.columns[position].sql_type())?;
            }
            if let Some(variable) = variable {
                binder.context.variables.get(variable)?;
            }
            items.push(Item { variable: variable.clone(), column, source });
        }
        Ok(Self { items })
    }

    /// Ids of the columns that it sets, the rowversion column last.
    pub(super) fn column_ids(&self, table: &TableDef) -> Vec<i32> {
        column_ids(table, self.items.iter().filter_map(|item| item.column))
    }

    /// Gives the current row's values their new ones, and variables theirs.
    pub(super) fn assign(
        &self,
        context: &mut ExecContext,
        rows: &FoundRows,
        rules: &mut RowRules,
        values: &mut [Value],
    ) -> Result<(), Interrupt> {
        for item in &self.items {
            let (sql_type, value) = match &item.source {
                Source::Scalar(scalar) => (scalar.sql_type, scalar.evaluate(&rows.frame(context))?),
                Source::Null => (SqlType::Int, Value::Null),
                Source::Default => {
                    let column = item.column.expect("DEFAULT is for columns only");
                    (rules.table().columns[column].sql_type(), rules.default(context, column)?)
                }
            };
            let (mut sql_type, mut value) = (sql_type, value);
            if let Some(column) = item.column {
                value = super::assign(context, rules.table(), column, (sql_type, value))?;
                sql_type = rules.table().columns[column].sql_type();
                values[column] = value.clone();
            }
            if let Some(variable) = &item.variable {
                let (target, _) = context.variables.get(variable)?;
                context.variables.set(variable, convert(value, sql_type, target, None)?)?;
            }
        }
        Ok(())
    }
}

/// Ids of columns that a statement sets, the rowversion column last.
pub(super) fn column_ids(table: &TableDef, set: impl Iterator<Item = usize>) -> Vec<i32> {
    set.chain(table.rowversion_column()).map(|column| table.columns[column].column_id).collect()
}

/// The position of a column that may be assigned.
fn settable(parts: &[String], target: &Target) -> Result<usize, SqlError> {
    let Some((column, qualifiers)) = parts.split_last() else { return Err(invalid_column("")) };
    if qualifiers.last().is_some_and(|qualifier| !same_name(qualifier, &target.name)) {
        return Err(unbound(&parts.join(".")));
    }
    let position = target.column(column)?;
    let column = &target.table.columns[position];
    if column.identity.is_some() {
        return Err(SqlError::batch(8102, format!("Cannot update identity column '{}'.", column.name)));
    }
    if column.computed.is_some() {
        return Err(computed_column(&column.name));
    }
    if column.sql_type() == SqlType::RowVersion {
        return Err(SqlError::batch(272, "Cannot update a timestamp column."));
    }
    Ok(position)
}
