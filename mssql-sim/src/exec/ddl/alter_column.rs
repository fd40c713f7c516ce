//! ALTER TABLE .. ALTER COLUMN: another type or nullability; the stored values are converted.

use std::sync::Arc;

use super::alter_table::dependent;
use super::create_table::{collation_of, refresh_layout};
use super::dependency::{Against, blocker};
use crate::engine::layout::{row_of, values_of};
use crate::engine::{Interrupt, TableDef};
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
    let sql_type = definition.sql_type.unwrap_or(column.sql_type());
    if column.sql_type() == SqlType::RowVersion || column.computed.is_some() {
        let kind = if column.computed.is_some() { "COMPUTED" } else { "timestamp" };
        let message = format!("Cannot alter column '{}' because it is '{kind}'.", column.name);
        return Err(SqlError::statement(4928, message).into());
    }
    let retyped = sql_type != column.sql_type();
    if let Some(object) = blocker(old, position, Against::Altering { retyped }) {
        return Err(dependent(&object, &column.name).into());
    }
    let nullable = definition.nullable.unwrap_or(column.nullable());
    let mut new = (**old).clone();
    let changed = &mut new.columns[position];
    let kept = column.collation().unwrap_or(context.session.collation);
    changed.meta = ColumnMeta {
        identity: column.identity.is_some(),
        collation: collation_of(definition, sql_type, kept)?,
        ..ColumnMeta::new(&column.name, sql_type, nullable)
    };
    let collation = changed.meta.collation;
    new.modified = context.now;
    refresh_layout(&mut new);
    let rows = context.engine.current_rows(context.names.transaction, old)?;
    let mut converted = Vec::with_capacity(rows.len());
    let qualified = context.full_name(old);
    for row in rows {
        let mut values = values_of(&old.layout, &row);
        let target = conversion::Target { table: &qualified, column: &column.name, collation };
        let value = conversion::assign(values[position].clone(), column.sql_type(), sql_type, target)?;
        if value.is_null() && !nullable {
            let message = format!(
                "Cannot insert the value NULL into column '{}', table '{qualified}'; column does not allow nulls. UPDATE fails.",
                column.name
            );
            return Err(SqlError { state: 2, ..SqlError::statement(515, message) }.into());
        }
        values[position] = value;
        converted.push(row_of(&new.layout, &values));
    }
    context.engine.alter_table(context.names.transaction, old, new, Some(converted))
}
