//! INSERT.

use std::sync::Arc;

use super::row_rules::{RowRules, RowVersions};
use super::{Affected, apply, assign, open_target};
use crate::engine::layout::values_of;
use crate::engine::{Interrupt, Object, RowWrite, TableDef, TableWrites};
use crate::exec::context::ExecContext;
use crate::exec::expression::evaluate;
use crate::exec::{conversion, query};
use crate::parser::ast::{Expr, Insert, InsertSource, Query};
use crate::types::{ColumnMeta, SqlError, SqlType, Value};

/// Rows that an INSERT .. SELECT takes from its query at a time.
const CHUNK_ROWS: usize = 1024;

/// A row to be: None where the column's DEFAULT goes.
type GivenRow = Vec<Option<Value>>;

pub(super) fn run(context: &mut ExecContext, insert: &Insert) -> Result<Affected, Interrupt> {
    let table = target(context, insert)?;
    open_target(context, (&table, &insert.hints), "INSERT")?;
    let columns = listed_columns(&table, insert)?;
    let given = given_rows(context, &table, &columns, insert)?;
    let explicit_identity = check_identity(context, &table, &columns)?;

    let mut rules = RowRules::bind(context, &table, "INSERT")?;
    let mut identities = Identities::draw(context, &table, given.len(), explicit_identity)?;
    let mut versions = RowVersions::draw(context, &table, given.len())?;
    let mut rows = Vec::with_capacity(given.len());
    for given in given {
        let mut values = vec![Value::Null; table.columns.len()];
        let mut filled = vec![false; table.columns.len()];
        for (column, value) in columns.iter().zip(given) {
            if let Some(value) = value {
                values[*column] = value;
                filled[*column] = true;
            }
        }
        for column in (0..filled.len()).filter(|column| !filled[*column]) {
            values[column] = rules.default(context, column)?;
        }
        identities.stamp(&mut values)?;
        versions.stamp(&mut values);
        rows.push(RowWrite::Insert(rules.complete(context, &mut values)?));
    }
    let inserted = rows.len() as u64;
    apply(
        context,
        vec![TableWrites { table: Arc::clone(&table), rows, columns_set: Vec::new() }],
        insert.context.as_ref(),
    )?;
    identities.publish(context, &table)?;
    Ok(Affected { rows: inserted })
}

fn target(context: &ExecContext, insert: &Insert) -> Result<Arc<TableDef>, Interrupt> {
    match context.engine.resolve(&context.names, &insert.table)? {
        Some(Object::Table(table)) => Ok(table),
        Some(Object::UserView(view)) => {
            Err(SqlError::unsupported(format_args!("INSERT into view {}", view.header.name)).into())
        }
        Some(Object::View(..)) => {
            let message = "Ad hoc updates to system catalogs are not allowed.";
            Err(SqlError::batch(259, message).into())
        }
        None => Err(super::target::unknown_object(&insert.table).into()),
    }
}

/// Positions of the columns that get values; without a list all but identity and computed ones.
fn listed_columns(table: &TableDef, insert: &Insert) -> Result<Vec<usize>, SqlError> {
    if insert.columns.is_empty() {
        let columns = table.columns.iter().enumerate();
        let settable = columns.filter(|(_, column)| column.computed.is_none() && column.identity.is_none());
        return Ok(settable.map(|(position, _)| position).collect());
    }
    let mut positions = Vec::with_capacity(insert.columns.len());
    for name in &insert.columns {
        let Some(position) = table.column(name) else {
            return Err(SqlError::batch(207, format!("Invalid column name '{name}'.")));
        };
        if positions.contains(&position) {
            let message = format!(
                "The column name '{name}' is specified more than once in the SET clause or column list of an INSERT. A column \
                 cannot be assigned more than one value in the same clause."
            );
            return Err(SqlError::batch(264, message));
        }
        if table.columns[position].computed.is_some() {
            return Err(super::target::computed_column(&table.columns[position].name));
        }
        positions.push(position);
    }
    Ok(positions)
}

fn given_rows(
    context: &mut ExecContext,
    table: &TableDef,
    columns: &[usize],
    insert: &Insert,
) -> Result<Vec<GivenRow>, Interrupt> {
    match &insert.source {
        InsertSource::Defaults => Ok(vec![vec![None; columns.len()]]),
        InsertSource::Query(query) => queried_rows(context, table, columns, (insert, query)),
        InsertSource::Values(rows) => {
            let width = rows.first().map_or(0, Vec::len);
            if rows.iter().any(|row| row.len() != width) {
                let message =
                    "The number of columns for each row in a table value constructor must be the same.";
                return Err(SqlError::batch(10709, message).into());
            }
            check_count(insert, table, columns.len(), width)?;
            let mut given = Vec::with_capacity(rows.len());
            for row in rows {
                let mut values = Vec::with_capacity(row.len());
                for (expr, column) in row.iter().zip(columns) {
                    values.push(given_value(context, table, *column, expr.as_ref())?);
                }
                given.push(values);
            }
            Ok(given)
        }
    }
}

fn given_value(
    context: &ExecContext,
    table: &TableDef,
    column: usize,
    expr: Option<&Expr>,
) -> Result<Option<Value>, Interrupt> {
    let typed = match expr {
        None => return Ok(None),
        Some(_) if table.columns[column].sql_type() == SqlType::RowVersion => {
            return Err(rowversion_given().into());
        }
        Some(Expr::Null) => return Ok(Some(Value::Null)),
        Some(Expr::Literal(value, sql_type)) => (*sql_type, value.clone()),
        Some(expr) => evaluate(context, expr)?,
    };
    Ok(Some(assign(context, table, column, typed)?))
}

fn queried_rows(
    context: &mut ExecContext,
    table: &TableDef,
    columns: &[usize],
    (insert, query): (&Insert, &Query),
) -> Result<Vec<GivenRow>, Interrupt> {
    let mut cursor = query::open(context, query)?;
    let layout: Arc<[ColumnMeta]> = cursor.columns();
    check_count(insert, table, columns.len(), layout.len())?;
    if columns.iter().any(|column| table.columns[*column].sql_type() == SqlType::RowVersion) {
        return Err(rowversion_given().into());
    }
    let mut given = Vec::new();
    loop {
        let chunk = cursor.next_chunk(context, CHUNK_ROWS)?;
        if chunk.is_empty() {
            return Ok(given);
        }
        for row in chunk {
            let values = values_of(&layout, &row).into_iter().zip(layout.iter()).zip(columns);
            let assigned = values.map(|((value, meta), column)| {
                assign(context, table, *column, (meta.sql_type, value)).map(Some)
            });
            given.push(assigned.collect::<Result<_, SqlError>>()?);
        }
    }
}

/// Whether a row has as many values as there are columns; the error says which side has more.
fn check_count(insert: &Insert, table: &TableDef, columns: usize, values: usize) -> Result<(), SqlError> {
    if values == columns {
        return Ok(());
    }
    if insert.columns.is_empty() {
        if table.identity_column().is_some() && values == columns + 1 {
            let message = format!(
                "An explicit value for the identity column in table '{}' can only be specified when a column list is used and \
                 IDENTITY_INSERT is ON.",
                table.qualified_name()
            );
            return Err(SqlError::batch(8101, message));
        }
        let message = "Column name or number of supplied values does not match table definition.";
        return Err(SqlError::batch(213, message));
    }
    let (number, message) = match (&insert.source, values > columns) {
        (InsertSource::Query(_), true) => (
            121,
            "The select list for the INSERT statement contains more items than the insert list. The number of SELECT values must match the number of INSERT columns.",
        ),
        (InsertSource::Query(_), false) => (
            120,
            "The select list for the INSERT statement contains fewer items than the insert list. The number of SELECT values must match the number of INSERT columns.",
        ),
        (_, true) => (
            110,
            "There are fewer columns in the INSERT statement than values specified in the VALUES clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT statement.",
        ),
        (_, false) => (
            109,
            "There are more columns in the INSERT statement than values specified in the VALUES clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT statement.",
        ),
    };
    Err(SqlError { class: 15, ..SqlError::batch(number, message) })
}

fn inserts_identity(context: &ExecContext, table: &TableDef) -> bool {
    let Some(name) = &context.session.identity_insert else { return false };
    matches!(context.engine.resolve(&context.names, name), Ok(Some(Object::Table(on))) if on.object_id == table.object_id)
}

/// Whether identity values come from the statement; 544 and 545 where that does not fit IDENTITY_INSERT.
fn check_identity(context: &ExecContext, table: &TableDef, columns: &[usize]) -> Result<bool, SqlError> {
    let Some(identity) = table.identity_column() else { return Ok(false) };
    match (columns.contains(&identity), inserts_identity(context, table)) {
        (true, true) => Ok(true),
        (false, false) => Ok(false),
        (true, false) => Err(SqlError::statement(
            544,
            format!(
                "Cannot insert explicit value for identity column in table '{}' when IDENTITY_INSERT is set to OFF.",
                table.name
            ),
        )),
        (false, true) => Err(SqlError::statement(
            545,
            format!(
                "Explicit value must be specified for identity column in table '{}' either when IDENTITY_INSERT is set to ON or \
                 when a replication user is inserting into a NOT FOR REPLICATION identity column.",
                table.name
            ),
        )),
    }
}

fn rowversion_given() -> SqlError {
    SqlError::batch(
        273,
        "Cannot insert an explicit value into a timestamp column. Use INSERT with a column list to exclude the timestamp column, \
         or insert a DEFAULT into the timestamp column.",
    )
}

/// Identity values of a statement.
struct Identities {
    /// Position and type of the column, and its step.
    column: Option<(usize, SqlType, i64)>,
    explicit: bool,
    next: i64,
    last: Option<i64>,
}

impl Identities {
    fn draw(context: &ExecContext, table: &TableDef, rows: usize, explicit: bool) -> Result<Self, SqlError> {
        let column = table.identity_column().and_then(|position| {
            let column = &table.columns[position];
            column.identity.map(|identity| (position, column.sql_type(), identity.increment))
        });
        let next = match column {
            Some(_) if !explicit && rows > 0 => context.engine.next_identities(table, rows as u64)?,
            _ => 0,
        };
        Ok(Self { column, explicit, next, last: None })
    }

    fn stamp(&mut self, values: &mut [Value]) -> Result<(), SqlError> {
        let Some((position, sql_type, increment)) = self.column else { return Ok(()) };
        if self.explicit {
            self.last = match conversion::convert(values[position].clone(), sql_type, SqlType::BigInt, None)?
            {
                Value::Int(n) => Some(n),
                _ => self.last,
            };
            return Ok(());
        }
        values[position] = conversion::convert(Value::Int(self.next), SqlType::BigInt, sql_type, None)?;
        self.last = Some(self.next);
        self.next += increment;
        Ok(())
    }

    /// Tells the session and, for explicit values, the counter.
    fn publish(&self, context: &mut ExecContext, table: &TableDef) -> Result<(), SqlError> {
        if let (true, Some(last)) = (self.explicit, self.last) {
            context.engine.note_identity(table, last)?;
        }
        if self.column.is_some() {
            context.session.last_identity = self.last;
            context.session.scope_identity = self.last;
        }
        Ok(())
    }
}
