//! Indexes that are no constraints.

use std::cmp::Ordering;

use super::constraint::{existing_column, key_columns, refuse_if_referenced};
use super::create_table::refresh_layout;
use super::{find, require_alter, table_to_change};
use crate::engine::{CLUSTERED_INDEX_ID, FilterTerm, FilterTest, IndexDef, IndexFilter, Interrupt, TableDef};
use crate::exec::context::ExecContext;
use crate::exec::conversion;
use crate::exec::expression::evaluate;
use crate::parser::ast::{BinaryOp, CreateIndex, Expr, ObjectName};
use crate::types::{SqlError, Value};

/// `CREATE INDEX`
pub(super) fn create(context: &ExecContext, statement: &CreateIndex) -> Result<(), Interrupt> {
    let old = table_to_change(context, &statement.table, 1088)?;
    let mut new = (*old).clone();
    let name = &statement.name;
    let same = |index: &IndexDef| index.name.eq_ignore_ascii_case(name);
    let existing = new.indexes.iter().position(same);
    match existing {
        Some(position) if statement.drop_existing => {
            new.indexes.remove(position);
        }
        None if statement.drop_existing => {
            let message = format!("Could not find any index named '{name}' for table '{}'.", statement.table);
            return Err(SqlError::statement(7999, message).into());
        }
        None if new.primary_key.as_ref().is_none_or(|key| !key.name.eq_ignore_ascii_case(name)) => {}
        _ => {
            let message = format!(
                "The operation failed because an index or statistics with name '{name}' already exists on table '{}'.",
                old.qualified_name()
            );
            return Err(SqlError::statement(1913, message).into());
        }
    }
    let index = build(context, &new, statement)?;
    new.indexes.push(index);
    refresh_layout(&mut new);
    new.modified = context.now;
    context.engine.alter_table(context.names.transaction, &old, new, None)
}

fn build(context: &ExecContext, table: &TableDef, statement: &CreateIndex) -> Result<IndexDef, Interrupt> {
    let columns = key_columns(table, &statement.key.columns)?;
    let clustered = statement.key.clustered == Some(true);
    if clustered && table.has_clustered_index() {
        let message = format!(
            "Cannot create more than one clustered index on table '{}'. Drop the existing clustered index '{}' before \
             creating another.",
            table.name,
            clustered_name(table)
        );
        return Err(SqlError { state: 3, ..SqlError::statement(1902, message) }.into());
    }
    let included = statement.included.iter().map(|name| existing_column(table, name));
    let filter = match &statement.filter {
        Some(expr) => Some(IndexFilter { expr: expr.clone(), terms: filter_terms(context, table, expr)? }),
        None => None,
    };
    Ok(IndexDef {
        index_id: if clustered { CLUSTERED_INDEX_ID } else { next_index_id(table) },
        name: statement.name.clone(),
        unique: statement.unique,
        constraint: None,
        system_named: false,
        columns,
        included: included.collect::<Result<_, _>>()?,
        filter,
        options: statement.key.options,
    })
}

fn clustered_name(table: &TableDef) -> &str {
    let indexes = table.indexes.iter().map(|index| (index.index_id, index.name.as_str()));
    let mut all = table.primary_key.iter().map(|key| (key.index_id, key.name.as_str())).chain(indexes);
    all.find(|(id, _)| *id == CLUSTERED_INDEX_ID).map_or("", |(_, name)| name)
}

/// The lowest free id of a nonclustered index.
pub(super) fn next_index_id(table: &TableDef) -> i32 {
    let ids = table.indexes.iter().map(|index| index.index_id);
    let last = ids.chain(table.primary_key.iter().map(|key| key.index_id)).max();
    last.unwrap_or_default().max(CLUSTERED_INDEX_ID) + 1
}

/// The terms of a filter: conditions on single columns, joined by AND.
fn filter_terms(context: &ExecContext, table: &TableDef, expr: &Expr) -> Result<Vec<FilterTerm>, Interrupt> {
    match expr {
        Expr::Binary(a, BinaryOp::And, b) => {
            let mut terms = filter_terms(context, table, a)?;
            terms.extend(filter_terms(context, table, b)?);
            Ok(terms)
        }
        Expr::IsNull(of, not) => {
            let test = if *not { FilterTest::NotNull } else { FilterTest::Null };
            Ok(vec![FilterTerm { column: filter_column(table, of)?, test }])
        }
        Expr::InList(of, list, false) => {
            let column = filter_column(table, of)?;
            let constants = list.iter().map(|item| constant(context, table, column, item));
            let test = FilterTest::In(constants.collect::<Result<_, _>>()?);
            Ok(vec![FilterTerm { column, test }])
        }
        Expr::Binary(of, operator, value) => {
            let column = filter_column(table, of)?;
            let orderings = orderings(*operator).ok_or_else(wrong_filter)?;
            let test = FilterTest::Compare(constant(context, table, column, value)?, orderings);
            Ok(vec![FilterTerm { column, test }])
        }
        _ => Err(wrong_filter().into()),
    }
}

fn filter_column(table: &TableDef, expr: &Expr) -> Result<usize, SqlError> {
    match expr {
        Expr::Column(parts) => existing_column(table, parts.last().map_or("", String::as_str)),
        _ => Err(wrong_filter()),
    }
}

/// A constant of a filter, as a value of its column's type.
fn constant(context: &ExecContext, table: &TableDef, column: usize, expr: &Expr) -> Result<Value, Interrupt> {
    let (sql_type, value) = evaluate(context, expr)?;
    Ok(conversion::convert(value, sql_type, table.columns[column].sql_type(), None)?)
}

/// How a column and a constant may be ordered for a comparison to hold.
fn orderings(operator: BinaryOp) -> Option<&'static [Ordering]> {
    Some(match operator {
        BinaryOp::Equal => &[Ordering::Equal],
        BinaryOp::NotEqual => &[Ordering::Less, Ordering::Greater],
        BinaryOp::Less => &[Ordering::Less],
        BinaryOp::LessOrEqual => &[Ordering::Less, Ordering::Equal],
        BinaryOp::Greater => &[Ordering::Greater],
        BinaryOp::GreaterOrEqual => &[Ordering::Greater, Ordering::Equal],
        _ => return None,
    })
}

fn wrong_filter() -> SqlError {
    SqlError { class: 15, ..SqlError::statement(10735, "Incorrect WHERE clause for filtered index.") }
}

/// `DROP INDEX [IF EXISTS] name ON t, ...`
pub(super) fn drop(
    context: &ExecContext,
    indexes: &[(String, ObjectName)],
    if_exists: bool,
) -> Result<(), Interrupt> {
    for (name, table) in indexes {
        drop_one(context, name, table, if_exists)?;
    }
    Ok(())
}

fn drop_one(context: &ExecContext, name: &str, table: &ObjectName, if_exists: bool) -> Result<(), Interrupt> {
    let missing = || {
        let message = format!(
            "Cannot drop the index '{table}.{name}', because it does not exist or you do not have permission."
        );
        SqlError { class: 11, state: 7, ..SqlError::statement(3701, message) }
    };
    let Some(old) = find(context, table)? else {
        return if if_exists { Ok(()) } else { Err(missing().into()) };
    };
    require_alter(context, &old)?;
    let enforcing = |kind: &str| {
        let message = format!(
            "An explicit DROP INDEX is not allowed on index '{table}.{name}'. It is being used for {kind} constraint \
             enforcement."
        );
        SqlError { state: 4, ..SqlError::statement(3723, message) }
    };
    if old.primary_key.as_ref().is_some_and(|key| key.name.eq_ignore_ascii_case(name)) {
        return Err(enforcing("PRIMARY KEY").into());
    }
    let Some(position) = old.indexes.iter().position(|index| index.name.eq_ignore_ascii_case(name)) else {
        return if if_exists { Ok(()) } else { Err(missing().into()) };
    };
    if old.indexes[position].constraint.is_some() {
        return Err(enforcing("UNIQUE KEY").into());
    }
    refuse_if_referenced(context, &old, old.indexes[position].index_id, name)?;
    let mut new = (*old).clone();
    new.indexes.remove(position);
    new.modified = context.now;
    context.engine.alter_table(context.names.transaction, &old, new, None)
}

/// `ALTER INDEX name | ALL ON t REBUILD`: the index is there, and stays as it is.
pub(super) fn rebuild(
    context: &ExecContext,
    name: Option<&str>,
    table: &ObjectName,
) -> Result<(), Interrupt> {
    let found = table_to_change(context, table, 1088)?;
    let Some(name) = name else { return Ok(()) };
    let mut names =
        found.indexes.iter().map(|index| &index.name).chain(found.primary_key.iter().map(|k| &k.name));
    if names.any(|known| known.eq_ignore_ascii_case(name)) {
        return Ok(());
    }
    let message = format!("Cannot find index '{name}'.");
    Err(SqlError { state: 6, ..SqlError::statement(2727, message) }.into())
}
