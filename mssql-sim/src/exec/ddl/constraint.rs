//! Constraints and indexes: building them into a definition, and taking them out.

use super::create_table::{default_of, refresh_layout};
use super::{find, shown, table_to_change};
use crate::engine::{
    Check, ForeignKey, IndexDef, IndexRef, Interrupt, KeyColumn, KeyDef, Object, PRIMARY_INDEX_ID, TableDef,
};
use crate::exec::context::ExecContext;
use crate::exec::conversion::is_max;
use crate::exec::expression::RowExpression;
use crate::exec::expression::comparable::is_comparable;
use crate::parser::ast::{ConstraintDef, ConstraintKind, Expr, ObjectName};
use crate::types::{ClrType, SqlError, SqlType};

/// Builds a constraint into a definition. The table's rows are not looked at.
pub(super) fn add(
    context: &ExecContext,
    table: &mut TableDef,
    definition: &ConstraintDef,
) -> Result<(), Interrupt> {
    let name = definition.name.as_deref();
    match &definition.kind {
        ConstraintKind::PrimaryKey(columns) => Ok(add_primary_key(context, table, name, columns)?),
        ConstraintKind::Unique(columns) => {
            let columns = key_columns(table, columns)?;
            let object_id = context.engine.new_object_id(table.database);
            let name_parts: Vec<&str> = vec![&table.name];
            let (name, system_named) = named(name, "UQ", &name_parts, object_id);
            let index_id = next_index_id(table);
            table.indexes.push(IndexDef {
                index_id,
                name,
                unique: true,
                constraint: Some(object_id),
                system_named,
                columns,
            });
            Ok(())
        }
        ConstraintKind::ForeignKey { .. } => add_foreign_key(context, table, name, &definition.kind),
        ConstraintKind::Check(expr) => add_check(context, table, name, expr),
        ConstraintKind::Default(expr, column) => {
            let position = existing_column(table, column)?;
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
    columns: &[(String, bool)],
) -> Result<(), SqlError> {
    if table.primary_key.is_some() {
        let message = format!("Table '{}' already has a primary key defined on it.", table.name);
        return Err(SqlError::batch(1779, message));
    }
    let columns = key_columns(table, columns)?;
    if columns.iter().any(|column| table.columns[column.column].nullable()) {
        let message =
            format!("Cannot define PRIMARY KEY constraint on nullable column in table '{}'.", table.name);
        return Err(SqlError::batch(8111, message));
    }
    let object_id = context.engine.new_object_id(table.database);
    let (name, system_named) = named(name, "PK", &[&table.name], object_id);
    table.primary_key = Some(KeyDef { object_id, name, system_named, columns });
    Ok(())
}

fn add_check(
    context: &ExecContext,
    table: &mut TableDef,
    name: Option<&str>,
    expr: &Expr,
) -> Result<(), Interrupt> {
    RowExpression::condition(context, table, expr)?;
    let object_id = context.engine.new_object_id(table.database);
    let (name, system_named) = named(name, "CK", &[&table.name], object_id);
    table.checks.push(Check { object_id, name, system_named, expr: expr.clone() });
    Ok(())
}

fn add_foreign_key(
    context: &ExecContext,
    table: &mut TableDef,
    name: Option<&str>,
    kind: &ConstraintKind,
) -> Result<(), Interrupt> {
    let ConstraintKind::ForeignKey { columns, parent, parent_columns, cascade_delete, cascade_update } = kind
    else {
        unreachable!("the caller has matched it")
    };
    let object_id = context.engine.new_object_id(table.database);
    let (name, system_named) = named(name, "FK", &[&table.name], object_id);
    // A table may reference itself while it is being created.
    let itself = crate::collation::Collation::DEFAULT.equal_str(&parent.name, &table.name)
        && parent.schema.as_deref().is_none_or(|s| s.eq_ignore_ascii_case(&table.schema));
    let parent_def = match context.engine.resolve(&context.names, parent)? {
        Some(Object::Table(found)) if found.object_id != table.object_id => (*found).clone(),
        _ if itself => table.clone(),
        _ => {
            let message = format!("Foreign key '{name}' references invalid table '{}'.", shown(parent));
            return Err(SqlError::batch(1767, message).into());
        }
    };
    if parent_def.database != table.database {
        let message = format!(
            "Cross-database foreign key references are not supported. Foreign key '{}'.",
            shown(parent)
        );
        return Err(SqlError::batch(1763, message).into());
    }
    let (index, columns) = matching_key(table, &parent_def, &name, columns, parent_columns)?;
    table.foreign_keys.push(ForeignKey {
        object_id,
        name,
        system_named,
        columns,
        parent: parent_def.object_id,
        parent_index_id: index,
        cascade_delete: *cascade_delete,
        cascade_update: *cascade_update,
    });
    Ok(())
}

/// The parent's key that consists of the referenced columns, and the referencing columns in its order.
fn matching_key(
    table: &TableDef,
    parent: &TableDef,
    name: &str,
    columns: &[String],
    parent_columns: &[String],
) -> Result<(i32, Vec<usize>), SqlError> {
    let columns =
        columns.iter().map(|column| existing_column(table, column)).collect::<Result<Vec<_>, _>>()?;
    let referenced = if parent_columns.is_empty() {
        parent.index_columns(IndexRef::Primary).iter().map(|column| column.column).collect()
    } else {
        parent_columns.iter().map(|column| existing_column(parent, column)).collect::<Result<Vec<_>, _>>()?
    };
    if columns.len() != referenced.len() {
        let message = format!(
            "Number of referencing columns in foreign key differs from number of referenced columns, table '{}'.",
            table.name
        );
        return Err(SqlError::batch(8139, message));
    }
    let primary = parent.primary_key.iter().map(|key| (PRIMARY_INDEX_ID, &key.columns));
    let unique =
        parent.indexes.iter().filter(|index| index.unique).map(|index| (index.index_id, &index.columns));
    let same = |key: &[KeyColumn]| {
        key.len() == referenced.len() && key.iter().all(|c| referenced.contains(&c.column))
    };
    let Some((index_id, key)) = primary.chain(unique).find(|(_, key)| same(key)) else {
        let message = format!(
            "There are no primary or candidate keys in the referenced table '{}' that match the referencing column list in the \
             foreign key '{name}'.",
            parent.qualified_name()
        );
        return Err(SqlError::batch(1776, message));
    };
    let mut ordered = Vec::with_capacity(columns.len());
    for key_column in key {
        let position =
            referenced.iter().position(|c| *c == key_column.column).expect("the key has the same columns");
        let (own, other) = (&table.columns[columns[position]], &parent.columns[key_column.column]);
        if own.sql_type() != other.sql_type() {
            let message = format!(
                "Column '{}.{}' is not the same data type as referencing column '{}.{}' in foreign key '{name}'.",
                parent.name, other.name, table.name, own.name
            );
            return Err(SqlError::batch(1778, message));
        }
        if own.collation() != other.collation() {
            let message = format!(
                "Column '{}.{}' is not of same collation as referencing column '{}.{}' in foreign key '{name}'.",
                parent.name, other.name, table.name, own.name
            );
            return Err(SqlError::batch(1757, message));
        }
        ordered.push(columns[position]);
    }
    Ok((index_id, ordered))
}

/// `CREATE INDEX`
pub(super) fn create_index(
    context: &ExecContext,
    name: &str,
    table: &ObjectName,
    unique: bool,
    columns: &[(String, bool)],
) -> Result<(), Interrupt> {
    let old = table_to_change(context, table, 1088)?;
    if old.indexes.iter().any(|index| index.name.eq_ignore_ascii_case(name)) {
        let message = format!(
            "The operation failed because an index or statistics with name '{name}' already exists on table '{}'.",
            old.qualified_name()
        );
        return Err(SqlError::statement(1913, message).into());
    }
    let mut new = (*old).clone();
    let columns = key_columns(&new, columns)?;
    let index_id = next_index_id(&new);
    new.indexes.push(IndexDef {
        index_id,
        name: name.to_owned(),
        unique,
        constraint: None,
        system_named: false,
        columns,
    });
    new.modified = context.now;
    context.engine.alter_table(context.names.transaction, &old, new, None)
}

/// `DROP INDEX`
pub(super) fn drop_index(context: &ExecContext, name: &str, table: &ObjectName) -> Result<(), Interrupt> {
    let missing = || {
        let message = format!(
            "Cannot drop the index '{}.{name}', because it does not exist or you do not have permission.",
            shown(table)
        );
        SqlError { class: 11, state: 7, ..SqlError::statement(3701, message) }
    };
    let old = find(context, table)?.ok_or_else(missing)?;
    super::require_alter(context, &old)?;
    let position =
        old.indexes.iter().position(|index| index.name.eq_ignore_ascii_case(name)).ok_or_else(missing)?;
    if old.indexes[position].constraint.is_some() {
        let message = format!(
            "An explicit DROP INDEX is not allowed on index '{}.{name}'. It is being used for UNIQUE KEY constraint \
             enforcement.",
            shown(table)
        );
        return Err(SqlError::statement(3723, message).into());
    }
    refuse_if_referenced(context, &old, old.indexes[position].index_id, name)?;
    let mut new = (*old).clone();
    new.indexes.remove(position);
    new.modified = context.now;
    context.engine.alter_table(context.names.transaction, &old, new, None)
}

/// `ALTER TABLE .. DROP CONSTRAINT`: the definition without it.
pub(super) fn without(context: &ExecContext, old: &TableDef, name: &str) -> Result<TableDef, SqlError> {
    let mut new = old.clone();
    let is = |candidate: &str| candidate.eq_ignore_ascii_case(name);
    if let Some(key) = old.primary_key.as_ref().filter(|key| is(&key.name)) {
        refuse_if_referenced(context, old, PRIMARY_INDEX_ID, &key.name)?;
        if context.engine.is_tracked(old) {
            let message = format!(
                "The primary key constraint '{}' on table '{}' cannot be dropped because change tracking is enabled on the \
                 table. Change tracking requires a primary key constraint on the table. Disable change tracking before \
                 dropping the constraint.",
                key.name, old.name
            );
            let failed = SqlError::statement(3727, "Could not drop constraint. See previous errors.");
            return Err(failed.caused_by(SqlError::statement(3735, message)));
        }
        new.primary_key = None;
    } else if let Some(position) =
        old.indexes.iter().position(|index| index.constraint.is_some() && is(&index.name))
    {
        refuse_if_referenced(context, old, old.indexes[position].index_id, name)?;
        new.indexes.remove(position);
    } else if let Some(position) = old.foreign_keys.iter().position(|key| is(&key.name)) {
        new.foreign_keys.remove(position);
    } else if let Some(position) = old.checks.iter().position(|check| is(&check.name)) {
        new.checks.remove(position);
    } else if let Some(column) =
        new.columns.iter_mut().find(|column| column.default.as_ref().is_some_and(|default| is(&default.name)))
    {
        column.default = None;
    } else {
        return Err(SqlError::statement(3728, format!("'{name}' is not a constraint.")));
    }
    refresh_layout(&mut new);
    Ok(new)
}

fn refuse_if_referenced(
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
    Err(SqlError::statement(3725, message))
}

fn key_columns(table: &TableDef, columns: &[(String, bool)]) -> Result<Vec<KeyColumn>, SqlError> {
    columns
        .iter()
        .map(|(name, descending)| {
            let column = existing_column(table, name)?;
            require_key_type(table, column)?;
            Ok(KeyColumn { column, descending: *descending })
        })
        .collect()
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

fn existing_column(table: &TableDef, name: &str) -> Result<usize, SqlError> {
    table.column(name).ok_or_else(|| {
        SqlError::batch(1911, format!("Column name '{name}' does not exist in the target table or view."))
    })
}

fn next_index_id(table: &TableDef) -> i32 {
    table.indexes.iter().map(|index| index.index_id).max().unwrap_or(PRIMARY_INDEX_ID) + 1
}

fn named(given: Option<&str>, prefix: &str, parts: &[&str], object_id: i32) -> (String, bool) {
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
