//! TOP of a write, and SET ROWCOUNT: how many of the rows found are written.

use crate::engine::Interrupt;
use crate::exec::context::ExecContext;
use crate::exec::conversion::{as_decimal, convert};
use crate::exec::expression::evaluate;
use crate::parser::ast::WriteTop;
use crate::types::{SqlError, SqlType, Value};

/// How many rows a statement may write.
#[derive(Clone, Copy, Debug)]
pub(super) enum RowLimit {
    Rows(u64),
    Percent(f64),
}

impl RowLimit {
    /// Evaluates a statement's TOP.
    ///
    /// # Errors
    /// 1060, 127, 1014 and 1031 for what is no number of rows.
    pub(super) fn of(context: &ExecContext, top: &WriteTop) -> Result<Self, Interrupt> {
        let session = Some(context.session.row_limit).filter(|limit| *limit > 0).unwrap_or(u64::MAX);
        let Some((expr, percent)) = top else { return Ok(Self::Rows(session)) };
        let (sql_type, value) = evaluate(context, expr)?;
        if *percent {
            return Ok(percentage(&convert(value, sql_type, SqlType::Float, None)?)?);
        }
        let is_integer = matches!(as_decimal(sql_type), Some((_, 0))) && sql_type != SqlType::Bit;
        match convert(value, sql_type, SqlType::BigInt, None)? {
            Value::Int(n) if is_integer => match u64::try_from(n) {
                Ok(n) => Ok(Self::Rows(n.min(session))),
                Err(_) => Err(refused(127, "A TOP N or FETCH rowcount value may not be negative.").into()),
            },
            _ => {
                let message = "The number of rows provided for a TOP or FETCH clauses row count parameter must be an integer.";
                Err(refused(1060, message).into())
            }
        }
    }

    /// Whether so many rows are enough, whatever else is found.
    pub(super) fn is_reached(self, found: usize) -> bool {
        matches!(self, Self::Rows(limit) if found as u64 >= limit)
    }

    /// How many of the rows found are written.
    pub(super) fn of_found(self, found: usize) -> usize {
        match self {
            Self::Rows(limit) => usize::try_from(limit).unwrap_or(usize::MAX).min(found),
            Self::Percent(percent) => (found as f64 * percent / 100.0).ceil() as usize,
        }
    }
}

fn percentage(value: &Value) -> Result<RowLimit, SqlError> {
    match value {
        Value::Float(percent) if (0.0..=100.0).contains(percent) => Ok(RowLimit::Percent(*percent)),
        Value::Null => Err(refused(1014, "A TOP or FETCH clause contains an invalid value.")),
        _ => Err(refused(1031, "Percent values must be between 0 and 100.")),
    }
}

fn refused(number: i32, message: &str) -> SqlError {
    SqlError { class: 15, ..SqlError::statement(number, message) }
}
