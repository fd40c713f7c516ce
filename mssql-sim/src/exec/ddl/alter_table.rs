//! ALTER TABLE.

use std::sync::Arc;

use super::create_table::{add_columns, refresh_layout};
use super::dependency::{Change, refuse_if_used};
use super::{alter_column, checking, constraint, references_to, table_to_change};
use crate::engine::layout::{row_of, values_of};
use crate::engine::{Column, Computed, Identity, Interrupt, PropertyOwner, Row, TableDef, could_not_create};
use crate::exec::context::ExecContext;
use crate::exec::conversion;
use crate::exec::expression::{RowExpression, evaluate};
use crate::parser::ast::{AlterTable, ColumnDef, ConstraintDef, ConstraintKind, DropElement, ObjectName};
use crate::types::{SqlError, SqlType, Value};

pub(super) fn alter(context: &ExecContext, name: &ObjectName, action: &AlterTable) -> Result<(), Interrupt> {
    let old = table_to_change(context, name, 4902)?;
    let transaction = context.names.transaction;
    match action {
        AlterTable::EnableTracking { columns_updated } => {
            return context.engine.enable_tracking(transaction, &old, *columns_updated);
        }
        AlterTable::DisableTracking => return context.engine.disable_tracking(transaction, &old),
        _ => {}
    }
    context.engine.lock_definition(transaction, &old)?;
    match action {
        AlterTable::Add { columns, constraints, validate } => {
            add(context, &old, (columns, constraints), *validate)
        }
        AlterTable::Drop(elements) => drop_elements(context, &old, elements),
        AlterTable::AlterColumn(column) => alter_column::alter(context, &old, column),
        AlterTable::SetChecking { names, enabled, validate } => {
            checking::set(context, &old, names.as_deref(), (*enabled, *validate))
        }
        AlterTable::LockEscalation(level) => {
            let new = TableDef { lock_escalation: *level, modified: context.now, ..(*old).clone() };
            context.engine.alter_table(transaction, &old, new, None)
        }
        AlterTable::EnableTracking { .. } | AlterTable::DisableTracking => unreachable!("handled above"),
    }
}

fn add(
    context: &ExecContext,
    old: &Arc<TableDef>,
    (columns, constraints): (&[ColumnDef], &[ConstraintDef]),
    validate: bool,
) -> Result<(), Interrupt> {
    let mut new = (**old).clone();
    add_columns(context, &mut new, columns)?;
    // Defaults first: they fill the new columns.
    let (defaults, others): (Vec<_>, Vec<_>) =
        constraints.iter().partition(|constraint| matches!(constraint.kind, ConstraintKind::Default(..)));
    for definition in defaults.into_iter().chain(others) {
        constraint::add(context, &mut new, definition)?;
    }
    refresh_layout(&mut new);
    new.modified = context.now;
    if !validate {
        let keys = new.foreign_keys[old.foreign_keys.len()..].iter_mut().map(|key| &mut key.checking);
        let checks = new.checks[old.checks.len()..].iter_mut().map(|check| &mut check.checking);
        keys.chain(checks).for_each(|checking| checking.trusted = false);
    }
    let current = context.engine.current_rows(context.names.transaction, old)?;
    let rows = if columns.is_empty() { current } else { widen(context, old, &new, &current)? };
    let new_checks = new.checks[old.checks.len()..].iter().filter(|_| validate);
    checking::check_rows(context, &new, new_checks, &rows)?;
    let transaction = context.names.transaction;
    let converted = (!columns.is_empty()).then_some(rows);
    context.engine.alter_table(transaction, old, new.clone(), converted).map_err(duplicates_refused)?;
    for key in new.foreign_keys[old.foreign_keys.len()..].iter().filter(|_| validate) {
        context.engine.validate_foreign_key(transaction, &new, key)?;
    }
    Ok(())
}

/// 1750 behind the 1505 of a new key.
fn duplicates_refused(interrupt: Interrupt) -> Interrupt {
    match interrupt {
        Interrupt::Error(error) if error.number == 1505 => could_not_create(error).into(),
        other => other,
    }
}

/// The rows with the new columns behind the old ones.
fn widen(context: &ExecContext, old: &TableDef, new: &TableDef, rows: &[Row]) -> Result<Vec<Row>, Interrupt> {
    let added = &new.columns[old.columns.len()..];
    let mut fillings = Vec::with_capacity(added.len());
    for column in added {
        fillings.push(Filling::of(context, new, column, rows.len())?);
    }
    let mut computed = Vec::new();
    for (position, column) in new.columns.iter().enumerate().skip(old.columns.len()) {
        if let Some(Computed { expr, .. }) = &column.computed {
            computed.push((position, RowExpression::scalar(context, new, expr)?));
        }
    }
    let mut widened = Vec::with_capacity(rows.len());
    for row in rows {
        let mut values = values_of(&old.layout, row);
        for (filling, column) in fillings.iter_mut().zip(added) {
            values.push(filling.next(column)?);
        }
        for (position, expr) in &computed {
            values[*position] = expr.evaluate_values(context, &values)?;
        }
        widened.push(row_of(&new.layout, &values));
    }
    Ok(widened)
}

/// What existing rows get in a new column.
enum Filling {
    /// The same value: NULL, or the DEFAULT of a NOT NULL column.
    Same(Value),
    /// Identity values from the first on.
    Identity { next: i64, increment: i64 },
    /// rowversions from the first on.
    RowVersion { next: u64 },
}

impl Filling {
    fn of(context: &ExecContext, table: &TableDef, column: &Column, rows: usize) -> Result<Self, Interrupt> {
        let count = rows as u64;
        if rows == 0 {
            return Ok(Self::Same(Value::Null));
        }
        if let Some(Identity { increment, .. }) = column.identity {
            let next = context.engine.next_identities(table, count)?;
            return Ok(Self::Identity { next, increment });
        }
        if column.sql_type() == SqlType::RowVersion {
            let next = context.engine.next_rowversions(context.names.transaction, table.database, count)?;
            return Ok(Self::RowVersion { next });
        }
        Ok(Self::Same(filling(context, table, column)?))
    }

    fn next(&mut self, column: &Column) -> Result<Value, SqlError> {
        match self {
            Self::Same(value) => Ok(value.clone()),
            Self::RowVersion { next } => {
                *next += 1;
                Ok(Value::Bytes((*next - 1).to_be_bytes().to_vec()))
            }
            Self::Identity { next, increment } => {
                let value = conversion::convert(Value::Int(*next), SqlType::BigInt, column.sql_type(), None)?;
                *next += *increment;
                Ok(value)
            }
        }
    }
}

/// NULL for a column that may be NULL, else its DEFAULT, evaluated once.
fn filling(context: &ExecContext, table: &TableDef, column: &Column) -> Result<Value, Interrupt> {
    match &column.default {
        _ if column.nullable() || column.computed.is_some() => Ok(Value::Null),
        Some(default) => {
            let (sql_type, value) = evaluate(context, &default.expr)?;
            let qualified = table.qualified_name();
            let collation = column.meta.collation;
            let target = conversion::Target { table: &qualified, column: &column.name, collation };
            Ok(conversion::assign(value, sql_type, column.sql_type(), target)?)
        }
        None => {
            let message = format!(
                "ALTER TABLE only allows columns to be added that can contain nulls, or have a DEFAULT definition specified, or \
                 the column being added is an identity or timestamp column, or alternatively if none of the previous \
                 conditions are satisfied the table must be empty to allow addition of this column. Column '{}' cannot be \
                 added to non-empty table '{}' because it does not satisfy these conditions.",
                column.name, table.name
            );
            Err(SqlError::statement(4901, message).into())
        }
    }
}

/// `DROP CONSTRAINT a, COLUMN b`: all of them or none.
fn drop_elements(context: &ExecContext, old: &TableDef, elements: &[DropElement]) -> Result<(), Interrupt> {
    let mut new = old.clone();
    for element in elements.iter().filter(|element| !element.is_column) {
        constraint::remove(context, &mut new, element)?;
    }
    let references = references_to(context, old);
    let mut dropped = Vec::new();
    for element in elements.iter().filter(|element| element.is_column) {
        let Some(column) = new.column(&element.name) else {
            if element.if_exists {
                continue;
            }
            let message = format!(
                "ALTER TABLE DROP COLUMN failed because column '{}' does not exist in table '{}'.",
                element.name, old.name
            );
            return Err(SqlError::statement(4924, message).into());
        };
        refuse_if_used(&new, column, Change::Drop, &references)?;
        dropped.push(column);
    }
    new.modified = context.now;
    refresh_layout(&mut new);
    if dropped.is_empty() {
        return context.engine.alter_table(context.names.transaction, old, new, None);
    }
    if dropped.len() == old.columns.len() {
        let message = format!(
            "ALTER TABLE DROP COLUMN failed because '{}' is the only data column in table '{}'. A table must have at least \
             one data column.",
            old.columns[dropped[0]].name, old.name
        );
        return Err(SqlError::statement(4923, message).into());
    }
    drop_columns(context, old, new, &dropped)
}

fn drop_columns(
    context: &ExecContext,
    old: &TableDef,
    mut new: TableDef,
    dropped: &[usize],
) -> Result<(), Interrupt> {
    let transaction = context.names.transaction;
    for column in dropped {
        let (major, minor) = (old.object_id, old.columns[*column].column_id);
        let owner = PropertyOwner { class: 1, major, minor };
        for property in context.engine.properties(old.database).iter().filter(|p| p.owner == owner) {
            context.engine.set_property(transaction, old.database, (owner, &property.name), None)?;
        }
    }
    remove_columns(&mut new, dropped);
    let rows = context.engine.current_rows(transaction, old)?;
    let narrowed = rows.iter().map(|row| {
        let values = values_of(&old.layout, row).into_iter().enumerate();
        let kept: Vec<Value> = values.filter(|(c, _)| !dropped.contains(c)).map(|(_, value)| value).collect();
        row_of(&new.layout, &kept)
    });
    let narrowed = narrowed.collect();
    context.engine.alter_table(transaction, old, new, Some(narrowed))
}

/// Takes columns out of a definition; positions in keys follow.
fn remove_columns(new: &mut TableDef, dropped: &[usize]) {
    let moved = |position: usize| position - dropped.iter().filter(|d| **d < position).count();
    let mut position = 0;
    new.columns.retain(|_| {
        position += 1;
        !dropped.contains(&(position - 1))
    });
    let keys = new.primary_key.iter_mut().map(|key| &mut key.columns);
    for column in keys.chain(new.indexes.iter_mut().map(|index| &mut index.columns)).flatten() {
        column.column = moved(column.column);
    }
    for index in &mut new.indexes {
        index.included.iter_mut().for_each(|column| *column = moved(*column));
        for term in index.filter.iter_mut().flat_map(|filter| &mut filter.terms) {
            term.column = moved(term.column);
        }
    }
    for column in new.foreign_keys.iter_mut().flat_map(|key| &mut key.columns) {
        *column = moved(*column);
    }
    refresh_layout(new);
}
