//! SELECT INTO: a table of the query's columns, filled with its rows.

use std::sync::Arc;

use super::{Affected, apply};
use crate::engine::layout::column_value;
use crate::engine::{Column, Identity, Interrupt, Object, RowWrite, TableDef, TableWrites};
use crate::exec::context::ExecContext;
use crate::exec::conversion::convert;
use crate::exec::ddl::create_table::{create_defined, empty_table, push_column, refresh_layout};
use crate::exec::query::{self, Cursor};
use crate::parser::ast::{ObjectName, Query, QueryBody, TableRef};
use crate::types::{ColumnMeta, Origin, SqlError, SqlType, Value};

/// Rows that are taken from the query at a time.
const CHUNK_ROWS: usize = 1024;

pub(super) fn run(
    context: &mut ExecContext,
    target: &ObjectName,
    query: &Query,
) -> Result<Affected, Interrupt> {
    let mut cursor = query::open(context, query)?;
    let mut table = empty_table(context, target)?;
    let identity = inherited_identity(context, query)?;
    add_columns(&mut table, &cursor, identity)?;
    let (database, id) = (table.database, table.object_id);
    create_defined(context, table)?;
    let transaction = context.names.transaction;
    let table = context.engine.table_by_id(transaction, database, id).expect("it was just created");
    let mut rows = Vec::new();
    loop {
        let chunk = cursor.next_chunk(context, CHUNK_ROWS)?;
        if chunk.is_empty() {
            break;
        }
        rows.extend(chunk.into_iter().map(RowWrite::Insert));
    }
    note_identity(context, &table, &rows)?;
    let count = rows.len() as u64;
    apply(context, vec![TableWrites { table, rows, set_lists: Vec::new() }], None)?;
    Ok(Affected { rows: count, output: None })
}

/// Columns with the names, types and nullability of the query's.
fn add_columns(table: &mut TableDef, cursor: &Cursor, identity: Option<Identity>) -> Result<(), SqlError> {
    for column in cursor.columns().iter() {
        if column.name.is_empty() {
            let message = "An object or column name is missing or empty. For SELECT INTO statements, verify each column has a name. For other statements, look for empty alias names. Aliases defined as \"\" or [] are not allowed. Change the alias to a valid name.";
            return Err(SqlError { class: 15, state: 5, ..SqlError::batch(1038, message) });
        }
        if table.column(&column.name).is_some() {
            let message = format!(
                "Column names in each table must be unique. Column name '{}' in table '{}' is specified more than once.",
                column.name,
                table.known_name()
            );
            return Err(SqlError { state: 3, ..SqlError::batch(2705, message) });
        }
        let identity = identity.filter(|_| column.origin == Origin::Identity);
        let origin = if identity.is_some() { Origin::Identity } else { Origin::Stored };
        push_column(
            table,
            Column {
                column_id: 0,
                name: column.name.clone(),
                meta: ColumnMeta { origin, ..column.clone() },
                alias: None,
                default: None,
                computed: None,
                identity,
            },
        );
    }
    refresh_layout(table);
    Ok(())
}

/// The IDENTITY of the one table that a query reads; a join or a set operation inherits none.
fn inherited_identity(context: &ExecContext, query: &Query) -> Result<Option<Identity>, Interrupt> {
    let QueryBody::Select(select) = &query.body else { return Ok(None) };
    let [TableRef::Table { name, .. }] = select.from.as_slice() else { return Ok(None) };
    match context.engine.resolve(&context.names, name)? {
        Some(Object::Table(table)) => {
            Ok(table.identity_column().and_then(|column| table.columns[column].identity))
        }
        _ => Ok(None),
    }
}

/// The copied values move the new table's identity counter.
fn note_identity(context: &ExecContext, table: &Arc<TableDef>, rows: &[RowWrite]) -> Result<(), SqlError> {
    let Some(column) = table.identity_column() else { return Ok(()) };
    for row in rows {
        let RowWrite::Insert(row) = row else { continue };
        let value = column_value(&table.layout, row, column);
        if let Value::Int(n) = convert(value, table.columns[column].sql_type(), SqlType::BigInt, None)? {
            context.engine.note_identity(table, n)?;
        }
    }
    Ok(())
}
