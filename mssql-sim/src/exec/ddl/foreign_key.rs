//! FOREIGN KEY constraints: finding the key that they reference.

use super::constraint::{CHECKED, named};
use crate::collation::Collation;
use crate::engine::{ForeignKey, IndexRef, Interrupt, KeyColumn, Object, TableDef};
use crate::exec::context::ExecContext;
use crate::parser::ast::ConstraintKind;
use crate::types::SqlError;

/// Builds a foreign key into a definition.
pub(super) fn add(
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
    let itself = Collation::DEFAULT.equal_str(&parent.name, &table.name)
        && parent.schema.as_deref().is_none_or(|s| s.eq_ignore_ascii_case(&table.schema));
    let parent_def = match context.engine.resolve(&context.names, parent)? {
        Some(Object::Table(found)) if found.object_id != table.object_id => (*found).clone(),
        _ if itself => table.clone(),
        _ => {
            let message = format!("Foreign key '{name}' references invalid table '{parent}'.");
            return Err(SqlError::batch(1767, message).into());
        }
    };
    if parent_def.database != table.database {
        let message =
            format!("Cross-database foreign key references are not supported. Foreign key '{parent}'.");
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
        checking: CHECKED,
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
    let referencing = |column: &String| {
        let missing = || {
            let message = format!(
                "Foreign key '{name}' references invalid column '{column}' in referencing table '{}'.",
                table.name
            );
            SqlError::batch(1769, message)
        };
        table.column(column).ok_or_else(missing)
    };
    let referenced = |column: &String| {
        let missing = || {
            let message = format!(
                "Foreign key '{name}' references invalid column '{column}' in referenced table '{}'.",
                parent.name
            );
            SqlError::batch(1770, message)
        };
        parent.column(column).ok_or_else(missing)
    };
    let columns = columns.iter().map(referencing).collect::<Result<Vec<_>, _>>()?;
    let referenced = if parent_columns.is_empty() {
        parent.index_columns(IndexRef::Primary).iter().map(|column| column.column).collect()
    } else {
        parent_columns.iter().map(referenced).collect::<Result<Vec<_>, _>>()?
    };
    if columns.len() != referenced.len() {
        let message = format!(
            "Number of referencing columns in foreign key differs from number of referenced columns, table '{}'.",
            table.name
        );
        return Err(SqlError::batch(8139, message));
    }
    let primary = parent.primary_key.iter().map(|key| (key.index_id, &key.columns));
    let unique = parent.indexes.iter().filter(|index| index.unique && index.filter.is_none());
    let unique = unique.map(|index| (index.index_id, &index.columns));
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
        require_same_type((table, columns[position]), (parent, key_column.column), name)?;
        ordered.push(columns[position]);
    }
    Ok((index_id, ordered))
}

/// 1778 and 1757 for a column that cannot hold the values of the one that it references.
fn require_same_type(
    (table, own): (&TableDef, usize),
    (parent, other): (&TableDef, usize),
    name: &str,
) -> Result<(), SqlError> {
    let (own, other) = (&table.columns[own], &parent.columns[other]);
    let (number, what) = if own.sql_type() != other.sql_type() {
        (1778, "the same data type as")
    } else if own.collation() != other.collation() {
        (1757, "of same collation as")
    } else {
        return Ok(());
    };
    let message = format!(
        "Column '{}.{}' is not {what} referencing column '{}.{}' in foreign key '{name}'.",
        parent.name, other.name, table.name, own.name
    );
    Err(SqlError { state: 0, ..SqlError::batch(number, message) })
}
