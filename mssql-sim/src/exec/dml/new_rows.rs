//! New rows: which columns get which values, identity values, and what the table adds.

use std::sync::Arc;

use super::row_rules::{RowRules, RowVersions};
use super::target::{column_twice, computed_column};
use crate::engine::{Interrupt, Object, Row, TableDef};
use crate::exec::context::ExecContext;
use crate::exec::conversion;
use crate::types::{SqlError, SqlType, Value};

/// A row to be: None where the column's DEFAULT goes.
pub(super) type GivenRow = Vec<Option<Value>>;

/// The new rows of one statement in one table.
pub(super) struct NewRows {
    table: Arc<TableDef>,
    /// Columns that are given, in the order of the values.
    columns: Vec<usize>,
    identities: Identities,
}

impl NewRows {
    /// Draws what `count` new rows need.
    ///
    /// # Errors
    /// 544 and 545 where explicit identity values and IDENTITY_INSERT do not go together.
    pub(super) fn draw(
        context: &ExecContext,
        table: &Arc<TableDef>,
        columns: Vec<usize>,
        count: usize,
    ) -> Result<Self, SqlError> {
        let explicit = check_identity(context, table, &columns)? && count > 0;
        let identities = Identities::draw(context, table, count, explicit)?;
        Ok(Self { table: Arc::clone(table), columns, identities })
    }

    /// Draws what `count` rows of a bulk load need: a listed identity column takes their values.
    pub(super) fn draw_loaded(
        context: &ExecContext,
        table: &Arc<TableDef>,
        columns: Vec<usize>,
        count: usize,
    ) -> Result<Self, SqlError> {
        let explicit = table.identity_column().is_some_and(|identity| columns.contains(&identity));
        let identities = Identities::draw(context, table, count, explicit)?;
        Ok(Self { table: Arc::clone(table), columns, identities })
    }

    /// The next row, complete.
    pub(super) fn row(
        &mut self,
        context: &ExecContext,
        rules: &mut RowRules,
        versions: &mut RowVersions,
        given: GivenRow,
    ) -> Result<Row, Interrupt> {
        let width = self.table.columns.len();
        let mut values = vec![Value::Null; width];
        let mut filled = vec![false; width];
        for (column, value) in self.columns.iter().zip(given) {
            if let Some(value) = value {
                values[*column] = value;
                filled[*column] = true;
            }
        }
        for column in (0..width).filter(|column| !filled[*column]) {
            values[column] = rules.default(context, column)?;
        }
        self.identities.stamp(&mut values)?;
        versions.stamp(&mut values);
        rules.complete(context, &mut values)
    }

    /// Tells the session and the table which identity values were given.
    pub(super) fn publish(&self, context: &mut ExecContext) -> Result<(), SqlError> {
        self.identities.publish(context, &self.table)
    }
}

/// Positions of the columns that get values; without a list all but identity and computed ones.
pub(super) fn listed_columns(table: &TableDef, columns: &[String]) -> Result<Vec<usize>, SqlError> {
    if columns.is_empty() {
        let all = table.columns.iter().enumerate();
        let settable = all.filter(|(_, column)| column.computed.is_none() && column.identity.is_none());
        return Ok(settable.map(|(position, _)| position).collect());
    }
    let mut positions = Vec::with_capacity(columns.len());
    for name in columns {
        let Some(position) = table.column(name) else {
            return Err(SqlError::batch(207, format!("Invalid column name '{name}'.")));
        };
        if positions.contains(&position) {
            return Err(column_twice(name));
        }
        if table.columns[position].computed.is_some() {
            return Err(computed_column(&table.columns[position].name));
        }
        positions.push(position);
    }
    Ok(positions)
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

/// 273
pub(super) fn rowversion_given() -> SqlError {
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
        if self.column.is_some() && self.last.is_some() {
            context.session.last_identity = self.last;
            context.session.scope_identity = self.last;
        }
        Ok(())
    }
}
