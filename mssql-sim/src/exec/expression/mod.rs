//! Expressions: bound to names and types once, then evaluated row by row.
//!
//! [`Scalar`] has a type, known before any row is read, so that type errors are errors of the statement even over an
//! empty table. [`Condition`] is true, false or unknown. Both refer to columns by place: how many queries out, which
//! source of that query, which column of the source.
//!
//! A query keeps one row of each of its sources in a [`Tuple`]; the places behind the sources hold what the query
//! computes itself: aggregates, window functions, and its output.

mod arithmetic;
pub(crate) mod bind;
mod bind_condition;
mod bind_operator;
pub(crate) mod comparable;
pub(crate) mod compare;
mod evaluate;
pub(crate) mod like;
mod row;
pub(crate) mod scope;
mod walk;

use std::sync::Arc;

pub use row::RowExpression;

use crate::collation::Collation;
use crate::engine::{Interrupt, Row};
use crate::exec::context::ExecContext;
use crate::exec::functions::Call;
use crate::exec::query::plan::QueryPlan;
use crate::parser::ast::{self, BinaryOp};
use crate::types::{ColumnMeta, SqlType, Value};
use bind::Binder;
use scope::Scope;

/// A typed expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scalar {
    pub(crate) node: Node,
    pub(crate) sql_type: SqlType,
    pub(crate) nullable: bool,
    pub(crate) collation: TextCollation,
}

/// A collation and how strongly it holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TextCollation {
    pub(crate) collation: Collation,
    pub(crate) strength: Strength,
}

/// The stronger of two collations wins; two different ones of one strength above `Default` conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strength {
    /// Literals, variables, results of functions.
    Default,
    /// Columns.
    Column,
    /// `COLLATE`
    Explicit,
}

impl Default for TextCollation {
    fn default() -> Self {
        Self { collation: Collation::DEFAULT, strength: Strength::Default }
    }
}

/// What a scalar computes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Constant(Value),
    Column(ColumnRef),
    Variable(String),
    /// To the scalar's type.
    Convert {
        inner: Box<Scalar>,
        style: Option<Box<Scalar>>,
        try_cast: bool,
    },
    Arithmetic(Box<Scalar>, BinaryOp, Box<Scalar>),
    Negate(Box<Scalar>),
    BitNot(Box<Scalar>),
    Case {
        branches: Vec<(Condition, Scalar)>,
        otherwise: Option<Box<Scalar>>,
    },
    /// The first that is not NULL.
    Coalesce(Vec<Scalar>),
    Call(Call),
    Subquery(Subquery),
}

/// A place of a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ColumnRef {
    /// Queries outwards; 0 is this one.
    pub(crate) depth: usize,
    /// Which place of the query's tuple.
    pub(crate) source: usize,
    /// Which column there.
    pub(crate) column: usize,
    /// The source's columns, to take a stored row apart.
    pub(crate) layout: Arc<[ColumnMeta]>,
}

/// A query inside an expression; two are the same only if they are one.
#[derive(Clone, Debug)]
pub(crate) struct Subquery(pub(crate) Arc<QueryPlan>);

impl PartialEq for Subquery {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    /// Two scalars of one type.
    Compare(Scalar, BinaryOp, Scalar, Collation),
    IsNull(Scalar),
    Like {
        text: Scalar,
        pattern: Scalar,
        escape: Option<Scalar>,
        collation: Collation,
        blanks_count: bool,
    },
    /// Whether a value, converted to the type, is among the first column of a query's rows.
    In {
        value: Scalar,
        query: Subquery,
        common: SqlType,
        collation: Collation,
    },
    /// Whether a comparison holds for any, or for all, of the first column of a query's rows.
    Quantified {
        value: Scalar,
        operator: BinaryOp,
        all: bool,
        query: Subquery,
        common: SqlType,
        collation: Collation,
    },
    Exists(Subquery),
}

/// One row of one source.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SourceRow {
    /// No row: every column is NULL.
    Absent,
    /// A row in row form.
    Stored(Row),
    /// A computed row.
    Computed(Arc<[Value]>),
}

/// A row of every source of a query.
pub(crate) type Tuple = Vec<SourceRow>;

/// Where an expression is evaluated.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) context: &'a ExecContext,
    pub(crate) tuple: &'a [SourceRow],
    /// The enclosing query's row.
    pub(crate) outer: Option<&'a Frame<'a>>,
}

impl<'a> Frame<'a> {
    /// A frame without any row.
    pub(crate) fn bare(context: &'a ExecContext) -> Self {
        Self { context, tuple: &[], outer: None }
    }

    /// The frame `depth` queries outwards.
    pub(crate) fn outwards(&'a self, depth: usize) -> &'a Frame<'a> {
        match (depth, self.outer) {
            (0, _) | (_, None) => self,
            (_, Some(outer)) => outer.outwards(depth - 1),
        }
    }
}

/// Type and value of an expression outside a query.
///
/// # Errors
/// What binding or evaluating raises; `Wait` when a subquery meets a lock.
pub fn evaluate(context: &ExecContext, expr: &ast::Expr) -> Result<(SqlType, Value), Interrupt> {
    let scalar = Binder::new(context, &Scope::empty()).scalar(expr)?;
    Ok((scalar.sql_type, scalar.evaluate(&Frame::bare(context))?))
}

/// Whether a condition outside a query is true; unknown is not.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_condition(context: &ExecContext, condition: &ast::Expr) -> Result<bool, Interrupt> {
    let condition = Binder::new(context, &Scope::empty()).condition(condition)?;
    Ok(condition.evaluate(&Frame::bare(context))? == Some(true))
}

#[cfg(test)]
mod tests;
