//! What a table's definition demands of every row that is written: defaults, computed columns, rowversion, NOT NULL,
//! CHECK. Bound once per statement.

use std::sync::Arc;

use crate::engine::layout::row_of;
use crate::engine::{Check, Interrupt, Row, TableDef};
use crate::exec::context::ExecContext;
use crate::exec::expression::RowExpression;
use crate::types::{SqlError, Value};

/// The rules of one table for one statement.
pub(super) struct RowRules {
    table: Arc<TableDef>,
    /// `INSERT` or `UPDATE`, for messages.
    statement: &'static str,
    /// DEFAULT by column, bound when it is first needed.
    defaults: Vec<Option<RowExpression>>,
    computed: Vec<(usize, RowExpression)>,
    /// Condition and name of each CHECK.
    checks: Vec<(RowExpression, Check)>,
}

impl RowRules {
    pub(super) fn bind(
        context: &ExecContext,
        table: &Arc<TableDef>,
        statement: &'static str,
    ) -> Result<Self, Interrupt> {
        let mut rules = Self {
            table: Arc::clone(table),
            statement,
            defaults: table.columns.iter().map(|_| None).collect(),
            computed: Vec::new(),
            checks: Vec::new(),
        };
        for (position, column) in table.columns.iter().enumerate() {
            if let Some(computed) = &column.computed {
                rules.computed.push((position, RowExpression::scalar(context, table, &computed.expr)?));
            }
        }
        for check in table.checks.iter().filter(|check| check.checking.enabled) {
            rules.checks.push((RowExpression::condition(context, table, &check.expr)?, check.clone()));
        }
        Ok(rules)
    }

    pub(super) fn table(&self) -> &TableDef {
        &self.table
    }

    /// Leaves the CHECK constraints out.
    pub(super) fn ignore_checks(&mut self) {
        self.checks.clear();
    }

    /// The DEFAULT of a column, NULL where it has none.
    pub(super) fn default(&mut self, context: &ExecContext, column: usize) -> Result<Value, Interrupt> {
        let Some(default) = &self.table.columns[column].default else { return Ok(Value::Null) };
        if self.defaults[column].is_none() {
            self.defaults[column] = Some(RowExpression::constant(context, &default.expr)?);
        }
        let bound = self.defaults[column].as_ref().expect("bound just above");
        let value = bound.evaluate_values(context, &[])?;
        Ok(super::assign(context, &self.table, column, (bound.result().sql_type, value))?)
    }

    /// Completes a row's values and checks them; the result is the row to store.
    pub(super) fn complete(&self, context: &ExecContext, values: &mut [Value]) -> Result<Row, Interrupt> {
        for (column, expr) in &self.computed {
            let value = expr.evaluate_values(context, values)?;
            values[*column] = super::assign(context, &self.table, *column, (expr.result().sql_type, value))?;
        }
        for (column, value) in self.table.columns.iter().zip(values.iter()) {
            if value.is_null() && !column.nullable() {
                return Err(self.null_refused(context, &column.name).into());
            }
        }
        for (condition, check) in &self.checks {
            if condition.evaluate_values(context, values)? == Value::Bit(false) {
                return Err(self.check_failed(context, check).into());
            }
        }
        Ok(row_of(&self.table.layout, values))
    }

    fn null_refused(&self, context: &ExecContext, column: &str) -> SqlError {
        let message = format!(
            "Cannot insert the value NULL into column '{column}', table '{}'; column does not allow nulls. {} fails.",
            context.full_name(&self.table),
            self.statement
        );
        SqlError { state: 2, ..SqlError::statement(515, message) }
    }

    fn check_failed(&self, context: &ExecContext, check: &Check) -> SqlError {
        let columns = &self.table.columns;
        let own = columns.iter().find(|column| column.column_id == check.column_id);
        let message = format!(
            "The {} statement conflicted with the CHECK constraint \"{}\". The conflict occurred in database \"{}\", table \
             \"{}\"{}.",
            self.statement,
            check.name,
            context.session.database,
            self.table.qualified_name(),
            own.map(|column| format!(", column '{}'", column.name)).unwrap_or_default()
        );
        SqlError { state: 0, ..SqlError::statement(547, message) }
    }
}

/// Running numbers for the rowversion column of a table; one per row that is written.
pub(super) struct RowVersions {
    column: Option<usize>,
    next: u64,
}

impl RowVersions {
    /// Draws as many as rows will be written.
    pub(super) fn draw(context: &ExecContext, table: &TableDef, rows: usize) -> Result<Self, SqlError> {
        let column = table.rowversion_column();
        let next = match column {
            Some(_) if rows > 0 => {
                context.engine.next_rowversions(context.names.transaction, table.database, rows as u64)?
            }
            _ => 0,
        };
        Ok(Self { column, next })
    }

    pub(super) fn stamp(&mut self, values: &mut [Value]) {
        if let Some(column) = self.column {
            values[column] = Value::Bytes(self.next.to_be_bytes().to_vec());
            self.next += 1;
        }
    }
}
