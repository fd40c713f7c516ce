//! ALTER TABLE .. ALTER COLUMN: another type or nullability; the stored values are converted.

use std::sync::Arc;

use super::create_table::{collation_of, refresh_layout};
use super::dependency::{Alteration, Change, refuse_if_used};
use super::references_to;
use crate::engine::layout::{row_of, values_of};
use crate::engine::{Column, Interrupt, ResolvedType, Row, TableDef};
use crate::exec::context::ExecContext;
use crate::exec::conversion;
use crate::parser::ast::ColumnDef;
use crate::types::{ColumnMeta, SqlError, SqlType};

pub(super) fn alter(
    context: &ExecContext,
    old: &Arc<TableDef>,
    definition: &ColumnDef,
) -> Result<(), Interrupt> {
    let Some(position) = old.column(&definition.name) else {
        let message = format!(
            "ALTER TABLE ALTER COLUMN failed because column '{}' does not exist in table '{}'.",
            definition.name, old.name
        );
        return Err(SqlError::statement(4924, message).into());
    };
    let column = &old.columns[position];
    if column.sql_type() == SqlType::RowVersion || column.computed.is_some() {
        let kind = if column.computed.is_some() { "COMPUTED" } else { "timestamp" };
        let message = format!("Cannot alter column '{}' because it is '{kind}'.", column.name);
        return Err(SqlError::statement(4928, message).into());
    }
    let altered = altered(context, column, definition)?;
    refuse_nullable_key(old, position, &altered)?;
    let change = Change::Alter(Alteration::between(column, &altered));
    refuse_if_used(old, position, change, &references_to(context, old))?;
    let mut new = (**old).clone();
    new.columns[position] = altered;
    new.modified = context.now;
    refresh_layout(&mut new);
    let converted = convert_rows(context, old, &new, position)?;
    context.engine.alter_table(context.names.transaction, old, new, Some(converted))
}

/// The column as it shall be.
fn altered(context: &ExecContext, column: &Column, definition: &ColumnDef) -> Result<Column, SqlError> {
    let declared = match &definition.type_name {
        Some(written) => context.engine.resolve_type(context.names.database, written)?,
        None => ResolvedType { sql_type: column.sql_type(), nullable: None, alias: column.alias },
    };
    let sql_type = declared.sql_type;
    let nullable = definition.nullable.unwrap_or(column.nullable());
    let kept = column.collation().unwrap_or(context.session.collation);
    let meta = ColumnMeta {
        origin: column.meta.origin,
        collation: collation_of(definition, sql_type, kept)?,
        ..ColumnMeta::new(&column.name, sql_type, nullable)
    };
    Ok(Column { meta, alias: declared.alias, ..column.clone() })
}

/// 8147 and 5074 where a column may not become nullable.
fn refuse_nullable_key(table: &TableDef, position: usize, altered: &Column) -> Result<(), SqlError> {
    if !altered.nullable() {
        return Ok(());
    }
    if altered.identity.is_some() {
        let message = format!(
            "Could not create IDENTITY attribute on nullable column '{}', table '{}'.",
            altered.name, table.name
        );
        return Err(SqlError::statement(8147, message));
    }
    let Some(key) = table.primary_key.as_ref().filter(|_| table.is_key_column(position)) else {
        return Ok(());
    };
    let name = &altered.name;
    let message = format!("The object '{}' is dependent on column '{name}'.", key.name);
    let refused =
        format!("ALTER TABLE ALTER COLUMN {name} failed because one or more objects access this column.");
    let refused = SqlError { state: 9, ..SqlError::statement(4922, refused) };
    Err(refused.caused_by(SqlError::statement(5074, message)))
}

/// The rows with one column converted to its new type.
fn convert_rows(
    context: &ExecContext,
    old: &TableDef,
    new: &TableDef,
    position: usize,
) -> Result<Vec<Row>, Interrupt> {
    let (from, to) = (&old.columns[position], &new.columns[position]);
    let qualified = context.full_name(old);
    let collation = to.meta.collation;
    let target = conversion::Target { table: &qualified, column: &from.name, collation };
    let mut converted = Vec::new();
    for row in context.engine.current_rows(context.names.transaction, old)? {
        let mut values = values_of(&old.layout, &row);
        let value = conversion::assign(values[position].clone(), from.sql_type(), to.sql_type(), target)?;
        if value.is_null() && !to.nullable() {
            let message = format!(
                "Cannot insert the value NULL into column '{}', table '{qualified}'; column does not allow nulls. UPDATE fails.",
                from.name
            );
            return Err(SqlError { state: 2, ..SqlError::statement(515, message) }.into());
        }
        values[position] = value;
        converted.push(row_of(&new.layout, &values));
    }
    Ok(converted)
}
