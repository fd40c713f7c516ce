//! Expressions over one row of a table: computed columns, CHECK constraints, defaults.

use super::bind::Binder;
use super::scope::{Scope, ScopeSource};
use super::{Condition, Frame, Scalar, SourceRow};
use crate::engine::{Interrupt, Row, TableDef};
use crate::exec::context::ExecContext;
use crate::exec::functions;
use crate::parser::ast::Expr;
use crate::types::{ColumnMeta, SqlType, Value};

/// A scalar or condition over the columns of one table.
#[derive(Debug)]
pub struct RowExpression(Bound);

#[derive(Debug)]
enum Bound {
    Scalar(Box<Scalar>),
    Condition(Box<Condition>),
}

impl RowExpression {
    /// Binds an expression that has a value.
    ///
    /// # Errors
    /// What binding raises: 207 for an unknown column, 195 for an unknown function, type errors.
    pub fn scalar(context: &ExecContext, table: &TableDef, expr: &Expr) -> Result<Self, Interrupt> {
        let scope = Scope::over(ScopeSource::table(&table.name, table));
        Ok(Self(Bound::Scalar(Box::new(Binder::new(context, &scope).scalar(expr)?))))
    }

    /// Binds an expression without columns, such as a DEFAULT.
    ///
    /// # Errors
    /// As [`RowExpression::scalar`].
    pub fn constant(context: &ExecContext, expr: &Expr) -> Result<Self, Interrupt> {
        let bound = match expr {
            Expr::Function { name, .. } if name == "NEWSEQUENTIALID" => functions::sequential_id(),
            other => Binder::new(context, &Scope::empty()).scalar(other)?,
        };
        Ok(Self(Bound::Scalar(Box::new(bound))))
    }

    /// Binds a condition.
    ///
    /// # Errors
    /// As [`RowExpression::scalar`].
    pub fn condition(context: &ExecContext, table: &TableDef, expr: &Expr) -> Result<Self, Interrupt> {
        let scope = Scope::over(ScopeSource::table(&table.name, table));
        Ok(Self(Bound::Condition(Box::new(Binder::new(context, &scope).condition(expr)?))))
    }

    /// What the value is as a column without a name; that of a condition is a `bit`.
    pub fn result(&self) -> ColumnMeta {
        match &self.0 {
            Bound::Scalar(scalar) => ColumnMeta {
                collation: scalar.collation.collation,
                ..ColumnMeta::new("", scalar.sql_type, scalar.nullable)
            },
            Bound::Condition(_) => ColumnMeta::new("", SqlType::Bit, true),
        }
    }

    /// The value for a stored row; a condition is a `bit`, NULL when unknown.
    ///
    /// # Errors
    /// Run-time errors of the expression.
    pub fn evaluate(&self, context: &ExecContext, row: &Row) -> Result<Value, Interrupt> {
        self.evaluate_source(context, SourceRow::Stored(row.clone()))
    }

    /// As [`RowExpression::evaluate`], for a row given by its columns' values.
    ///
    /// # Errors
    /// As [`RowExpression::evaluate`].
    pub fn evaluate_values(&self, context: &ExecContext, values: &[Value]) -> Result<Value, Interrupt> {
        self.evaluate_source(context, SourceRow::Computed(values.into()))
    }

    fn evaluate_source(&self, context: &ExecContext, row: SourceRow) -> Result<Value, Interrupt> {
        let frame = Frame { context, tuple: &[row], outer: None };
        match &self.0 {
            Bound::Scalar(scalar) => scalar.evaluate(&frame),
            Bound::Condition(condition) => Ok(condition.evaluate(&frame)?.map_or(Value::Null, Value::Bit)),
        }
    }
}
