//! Constraints: building them into a definition, and taking them out.

use super::create_table::{default_of, refresh_layout};
use super::foreign_key;
use super::index::next_index_id;
use crate::engine::{
    CLUSTERED_INDEX_ID, Check, Checking, IndexDef, Interrupt, KeyColumn, KeyDef, TableDef, could_not_create,
};
use crate::exec::context::ExecContext;
use crate::exec::conversion::is_max;
use crate::exec::expression::RowExpression;
use crate::exec::expression::comparable::is_comparable;
use crate::parser::ast::{ConstraintDef, ConstraintKind, DropElement, Expr, KeyClause};
use crate::types::{ClrType, Reach, SqlError, SqlType};

/// A new constraint is enforced, and was on every row.
pub(super) const CHECKED: Checking = Checking { enabled: true, trusted: true };

/// Builds a constraint into a definition. The table's rows are not looked at.
///
/// # Errors
/// What is wrong with it, then 1750.
pub(super) fn add(
    context: &ExecContext,
    table: &mut TableDef,
    definition: &ConstraintDef,
) -> Result<(), Interrupt> {
    build(context, table, definition).map_err(|interrupt| match interrupt {
        Interrupt::Error(error) => could_not_create(error).into(),
        wait => wait,
    })
}

fn build(context: &ExecContext, table: &mut TableDef, definition: &ConstraintDef) -> Result<(), Interrupt> {
    let name = definition.name.as_deref();
    match &definition.kind {
        ConstraintKind::PrimaryKey(key) => Ok(add_primary_key(context, table, name, key)?),
        ConstraintKind::Unique(key) => Ok(add_unique(context, table, name, key)?),
        ConstraintKind::ForeignKey { .. } => foreign_key::add(context, table, name, &definition.kind),
        ConstraintKind::Check(expr, column) => add_check(context, table, name, (expr, column.as_deref())),
        ConstraintKind::Default(expr, column) => {
            let Some(position) = table.column(column) else {
                let message = format!(
                    "Column '{column}' in table '{}' is invalid for creating a default constraint.",
                    table.name
                );
                return Err(SqlError::statement(1752, message).into());
            };
            if table.columns[position].default.is_some() {
                return Err(SqlError::batch(1781, "Column already has a DEFAULT bound to it.").into());
            }
            table.columns[position].default = Some(default_of(context, table, column, name, expr)?);
            Ok(())
        }
    }
}

fn add_primary_key(
    context: &ExecContext,
    table: &mut TableDef,
    name: Option<&str>,
    key: &KeyClause,
) -> Result<(), SqlError> {
    if table.primary_key.is_some() {
        let message = format!("Table '{}' already has a primary key defined on it.", table.name);
        return Err(SqlError { state: 0, ..SqlError::batch(1779, message) });
    }
    let columns = key_columns(table, &key.columns)?;
    if columns.iter().any(|column| table.columns[column.column].nullable()) {
        let message =
            format!("Cannot define PRIMARY KEY constraint on nullable column in table '{}'.", table.name);
        return Err(SqlError::batch(8111, message));
    }
    let index_id = key_index_id(table, key.clustered.unwrap_or(!table.has_clustered_index()))?;
    let object_id = context.engine.new_object_id(table.database);
    let (name, system_named) = named(name, "PK", &[&table.name], object_id);
    let options = key.options;
    table.primary_key = Some(KeyDef { object_id, name, system_named, index_id, columns, options });
    Ok(())
}

fn add_unique(
    context: &ExecContext,
    table: &mut TableDef,
    name: Option<&str>,
    key: &KeyClause,
) -> Result<(), SqlError> {
    let columns = key_columns(table, &key.columns)?;
    let index_id = key_index_id(table, key.clustered == Some(true))?;
    let object_id = context.engine.new_object_id(table.database);
    let (name, system_named) = named(name, "UQ", &[&table.name], object_id);
    table.indexes.push(IndexDef {
        index_id,
        name,
        unique: true,
        constraint: Some(object_id),
        system_named,
        columns,
        included: Vec::new(),
        filter: None,
        options: key.options,
    });
    Ok(())
}

/// The id of a key's index; 8112 if it is the second clustered one.
fn key_index_id(table: &TableDef, clustered: bool) -> Result<i32, SqlError> {
    if !clustered {
        return Ok(next_index_id(table));
    }
    if table.has_clustered_index() {
        let message =
            format!("Cannot add more than one clustered index for constraints on table '{}'.", table.name);
        return Err(SqlError::batch(8112, message));
    }
    Ok(CLUSTERED_INDEX_ID)
}

fn add_check(
    context: &ExecContext,
    table: &mut TableDef,
    name: Option<&str>,
    (expr, column): (&Expr, Option<&str>),
) -> Result<(), Interrupt> {
    RowExpression::condition(context, table, expr)?;
    let own = column.and_then(|column| table.column(column));
    if let Some(own) = own {
        let others = table.columns.iter().enumerate().filter(|(position, _)| *position != own);
        if others.into_iter().any(|(_, other)| super::dependency::mentions(expr, &other.name)) {
            let message = format!(
                "Column CHECK constraint for column '{}' references another column, table '{}'.",
                table.columns[own].name, table.name
            );
            return Err(SqlError { state: 0, ..SqlError::batch(8141, message) }.into());
        }
    }
    let object_id = context.engine.new_object_id(table.database);
    let parts: Vec<&str> = [table.name.as_str()].into_iter().chain(column).collect();
    let (name, system_named) = named(name, "CK", &parts, object_id);
    let column_id = own.map_or(0, |own| table.columns[own].column_id);
    table.checks.push(Check {
        object_id,
        name,
        system_named,
        expr: expr.clone(),
        column_id,
        checking: CHECKED,
    });
    Ok(())
}

/// `ALTER TABLE .. DROP CONSTRAINT`: takes it out of a definition.
///
/// # Errors
/// 3728, 3725 or 3735, then 3727.
pub(super) fn remove(
    context: &ExecContext,
    table: &mut TableDef,
    element: &DropElement,
) -> Result<(), SqlError> {
    take_out(context, table, element).map_err(|error| {
        let failed = SqlError::statement(3727, "Could not drop constraint. See previous errors.");
        SqlError { state: 0, ..failed }.caused_by(error)
    })
}

fn take_out(context: &ExecContext, table: &mut TableDef, element: &DropElement) -> Result<(), SqlError> {
    let is = |candidate: &str| candidate.eq_ignore_ascii_case(&element.name);
    if let Some(key) = table.primary_key.as_ref().filter(|key| is(&key.name)) {
        refuse_if_referenced(context, table, key.index_id, &key.name)?;
        if context.engine.is_tracked(table) {
            let message = format!(
                "The primary key constraint '{}' on table '{}' cannot be dropped because change tracking is enabled on the \
                 table. Change tracking requires a primary key constraint on the table. Disable change tracking before \
                 dropping the constraint.",
                key.name, table.name
            );
            return Err(SqlError::statement(3735, message));
        }
        table.primary_key = None;
    } else if let Some(position) =
        table.indexes.iter().position(|index| index.constraint.is_some() && is(&index.name))
    {
        refuse_if_referenced(
            context,
            table,
            table.indexes[position].index_id,
            &table.indexes[position].name,
        )?;
        table.indexes.remove(position);
    } else if let Some(position) = table.foreign_keys.iter().position(|key| is(&key.name)) {
        table.foreign_keys.remove(position);
    } else if let Some(position) = table.checks.iter().position(|check| is(&check.name)) {
        table.checks.remove(position);
    } else if let Some(column) = table
        .columns
        .iter_mut()
        .find(|column| column.default.as_ref().is_some_and(|default| is(&default.name)))
    {
        column.default = None;
    } else if !element.if_exists {
        return Err(SqlError::statement(3728, format!("'{}' is not a constraint.", element.name)));
    }
    refresh_layout(table);
    Ok(())
}

/// 3725 while a foreign key references a key.
pub(super) fn refuse_if_referenced(
    context: &ExecContext,
    table: &TableDef,
    index_id: i32,
    name: &str,
) -> Result<(), SqlError> {
    let references = context.engine.references_to(table);
    let Some((child, key)) = references.iter().find(|(_, key)| key.parent_index_id == index_id) else {
        return Ok(());
    };
    let message = format!(
        "The constraint '{name}' is being referenced by table '{}', foreign key constraint '{}'.",
        child.name, key.name
    );
    Err(SqlError { state: 0, ..SqlError::statement(3725, message) })
}

/// The columns of a key by their names; 1909 for one that is named twice.
pub(super) fn key_columns(table: &TableDef, columns: &[(String, bool)]) -> Result<Vec<KeyColumn>, SqlError> {
    let mut key: Vec<KeyColumn> = Vec::with_capacity(columns.len());
    for (name, descending) in columns {
        let column = existing_column(table, name)?;
        if key.iter().any(|known| known.column == column) {
            let message = format!(
                "Cannot use duplicate column names in index. Column name '{name}' listed more than once."
            );
            return Err(SqlError::statement(1909, message));
        }
        require_key_type(table, column)?;
        key.push(KeyColumn { column, descending: *descending });
    }
    Ok(key)
}

/// 1919: types that no key of an index has.
fn require_key_type(table: &TableDef, column: usize) -> Result<(), SqlError> {
    let column = &table.columns[column];
    if is_comparable(column.sql_type())
        && (!is_max(column.sql_type()) || column.sql_type() == SqlType::Clr(ClrType::HierarchyId))
    {
        return Ok(());
    }
    let message = format!(
        "Column '{}' in table '{}' is of a type that is invalid for use as a key column in an index.",
        column.name,
        table.qualified_name()
    );
    Err(SqlError::statement(1919, message))
}

pub(super) fn existing_column(table: &TableDef, name: &str) -> Result<usize, SqlError> {
    table.column(name).ok_or_else(|| {
        let message = format!("Column name '{name}' does not exist in the target table, index or view.");
        SqlError { reach: Reach::BatchUnlessCaught, ..SqlError::statement(1911, message) }
    })
}

pub(super) fn named(given: Option<&str>, prefix: &str, parts: &[&str], object_id: i32) -> (String, bool) {
    match given {
        Some(name) => (name.to_owned(), false),
        None => (made_up_name(prefix, parts, object_id), true),
    }
}

/// Characters of each name in a made-up constraint name.
const NAME_PART: usize = 9;

/// A name such as `PK__orders__35BCFE0A`.
pub(super) fn made_up_name(prefix: &str, parts: &[&str], object_id: i32) -> String {
    let parts = parts.iter().map(|part| part.chars().take(NAME_PART).collect::<String>());
    let parts = parts.collect::<Vec<_>>().join("__");
    format!("{prefix}__{parts}__{object_id:08X}")
}
