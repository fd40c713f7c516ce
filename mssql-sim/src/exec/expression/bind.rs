//! From syntax to [`Scalar`]: names, types and conversions.

use std::cell::RefCell;

use super::scope::Scope;
use super::{Node, Scalar, Strength, Subquery, TextCollation};
use crate::collation::Collation;
use crate::engine::Interrupt;
use crate::exec::context::ExecContext;
use crate::exec::conversion::{self, Conversion, conversion, is_text, unify};
use crate::exec::functions;
use crate::exec::messages::{explicit_only, impossible_cast, type_clash};
use crate::exec::query::aggregate::Aggregates;
use crate::exec::query::plan;
use crate::exec::query::plan::Ctes;
use crate::exec::query::window::Windows;
use crate::parser::ast::{Expr, UnaryOp};
use crate::types::{ColumnMeta, Length, SqlError, SqlType, Value};

/// Binds expressions within a scope.
pub(crate) struct Binder<'a> {
    pub(crate) context: &'a ExecContext,
    pub(crate) scope: &'a Scope<'a>,
    pub(crate) ctes: Option<&'a Ctes<'a>>,
    /// Where aggregates go; None where none may stand.
    pub(crate) aggregates: Option<&'a RefCell<Aggregates>>,
    /// Where window functions go; None where none may stand.
    pub(crate) windows: Option<&'a RefCell<Windows>>,
}

impl<'a> Binder<'a> {
    /// A binder for expressions in which no aggregate and no window function may stand.
    pub(crate) fn new(context: &'a ExecContext, scope: &'a Scope<'a>) -> Self {
        Self { context, scope, ctes: None, aggregates: None, windows: None }
    }

    /// The same names without aggregates and window functions: for what stands inside one.
    pub(crate) fn inner(&self) -> Binder<'a> {
        Binder { aggregates: None, windows: None, ..*self }
    }

    /// Binds an expression that has a value.
    pub(crate) fn scalar(&self, expr: &Expr) -> Result<Scalar, Interrupt> {
        let mut scalar = self.bound(expr)?;
        if scalar.collation.strength == Strength::Default {
            scalar.collation.collation = self.context.session.collation;
        }
        Ok(scalar)
    }

    /// A scalar whose collation is the server's where nothing says which it is.
    fn bound(&self, expr: &Expr) -> Result<Scalar, Interrupt> {
        if let Some(grouped) = self.grouped_expression(expr) {
            return Ok(grouped);
        }
        Ok(match expr {
            Expr::Literal(value, sql_type) => Scalar::constant(value.clone(), *sql_type),
            Expr::Null => Scalar::null(),
            Expr::Column(parts) => self.column(parts)?,
            Expr::Variable(name) => {
                let (sql_type, _) = self.context.variables.get(name)?;
                Scalar::of(Node::Variable(name.clone()), sql_type, true)
            }
            Expr::Global(name) => functions::global(name)?,
            Expr::Unary(operator, operand) => {
                let operand = self.scalar(operand)?;
                match operator {
                    UnaryOp::Plus => operand,
                    UnaryOp::Minus => Self::negate(operand)?,
                    UnaryOp::BitNot => Self::bit_not(operand)?,
                }
            }
            Expr::Binary(left, operator, right) if !operator.is_condition() => {
                let (left, right) = (self.scalar(left)?, self.scalar(right)?);
                Self::arithmetic(left, *operator, right)?
            }
            Expr::Subquery(query) => {
                let plan = plan::bind_subquery(self, query)?;
                let [column] = plan.columns() else { return Err(one_column_only().into()) };
                let (sql_type, collation) = (column.meta.sql_type, column.collation.clone());
                Scalar { collation, ..Scalar::of(Node::Subquery(Subquery(plan)), sql_type, true) }
            }
            Expr::Case { operand, branches, otherwise } => {
                self.case(operand.as_deref(), branches, otherwise.as_deref())?
            }
            Expr::Cast { expr, sql_type, style, try_cast } => {
                let style = style.as_deref().map(|s| self.scalar(s)).transpose()?;
                Self::cast(self.scalar(expr)?, *sql_type, style, *try_cast)?
            }
            Expr::Function { .. } => functions::bind(self, expr)?,
            Expr::Collate(operand, name) => {
                let operand = self.scalar(operand)?;
                if !is_text(operand.sql_type) {
                    let kind = conversion::type_name(operand.sql_type);
                    let message = format!("Expression type {kind} is invalid for COLLATE clause.");
                    return Err(SqlError::batch(447, message).into());
                }
                let collation = TextCollation {
                    collation: Collation::named(name, self.context.session.collation)?,
                    strength: Strength::Explicit,
                };
                Scalar { collation, ..operand }
            }
            Expr::Star => return Err(SqlError::batch(102, "Incorrect syntax near '*'.").into()),
            _ => return Err(SqlError::batch(4145, "A condition stands where a value is expected.").into()),
        })
    }

    /// An expression that the query is grouped by as a whole, and whose columns may stand in it therefore.
    fn grouped_expression(&self, expr: &Expr) -> Option<Scalar> {
        let aggregates = self.aggregates?;
        if matches!(expr, Expr::Literal(..) | Expr::Column(_)) || !aggregates.borrow().groups_by_expression()
        {
            return None;
        }
        let bound = self.inner().scalar(expr).ok()?;
        aggregates.borrow().grouped(&bound)
    }

    /// A column; in a grouped query it must be grouped by.
    fn column(&self, parts: &[String]) -> Result<Scalar, Interrupt> {
        let column = self.scope.resolve(parts)?;
        match self.aggregates {
            Some(aggregates) => Ok(aggregates.borrow().require_grouped(column, self.scope)?),
            None => Ok(column),
        }
    }

    fn case(
        &self,
        operand: Option<&Expr>,
        branches: &[(Expr, Expr)],
        otherwise: Option<&Expr>,
    ) -> Result<Scalar, Interrupt> {
        let mut conditions = Vec::new();
        let mut results = Vec::new();
        for (when, then) in branches {
            conditions.push(match operand {
                None => self.condition(when)?,
                Some(operand) => self.equality(operand, when)?,
            });
            results.push(self.scalar(then)?);
        }
        if let Some(otherwise) = otherwise {
            results.push(self.scalar(otherwise)?);
        }
        if results.iter().all(Scalar::is_untyped_null) {
            let message = "At least one of the result expressions in a CASE specification must be an expression other \
                           than the NULL constant.";
            return Err(SqlError::batch(8133, message).into());
        }
        let (sql_type, collation) = joint_type(&results)?;
        let nullable = otherwise.is_none() || results.iter().any(|r| r.nullable);
        let mut results =
            results.into_iter().map(|r| r.converted(sql_type)).collect::<Result<Vec<_>, _>>()?;
        let otherwise = if otherwise.is_some() { results.pop().map(Box::new) } else { None };
        let branches = conditions.into_iter().zip(results).collect();
        Ok(Scalar { collation, ..Scalar::of(Node::Case { branches, otherwise }, sql_type, nullable) })
    }

    /// CAST, CONVERT and their TRY forms.
    fn cast(
        operand: Scalar,
        to: SqlType,
        style: Option<Scalar>,
        try_cast: bool,
    ) -> Result<Scalar, Interrupt> {
        if !operand.is_untyped_null() && conversion(operand.sql_type, to) == Conversion::Impossible {
            return Err(impossible_cast(operand.sql_type, to).into());
        }
        let style = style.map(|s| s.converted(SqlType::Int)).transpose()?.map(Box::new);
        let collation =
            if is_text(operand.sql_type) { operand.collation.clone() } else { TextCollation::default() };
        let node = Node::Convert { inner: Box::new(operand), style, try_cast };
        Ok(Scalar { collation, ..Scalar::of(node, to, true) })
    }
}

impl Scalar {
    /// A scalar that is no text, or text of the default collation.
    pub(crate) fn of(node: Node, sql_type: SqlType, nullable: bool) -> Self {
        Self { node, sql_type, nullable, collation: TextCollation::default() }
    }

    /// What it is as a column without a name that may be NULL.
    pub(crate) fn described(&self) -> ColumnMeta {
        ColumnMeta { collation: self.collation.collation, ..ColumnMeta::new("", self.sql_type, true) }
    }

    pub(crate) fn constant(value: Value, sql_type: SqlType) -> Self {
        let nullable = value.is_null();
        Self::of(Node::Constant(value), sql_type, nullable)
    }

    /// The word NULL: an `int` that gives way to any other type.
    pub(crate) fn null() -> Self {
        Self::constant(Value::Null, SqlType::Int)
    }

    pub(crate) fn is_untyped_null(&self) -> bool {
        self.node == Node::Constant(Value::Null)
    }

    /// The scalar as another type, where that needs no CAST.
    ///
    /// # Errors
    /// 206 and 257.
    pub(crate) fn converted(self, to: SqlType) -> Result<Self, SqlError> {
        if self.sql_type == to {
            return Ok(self);
        }
        if self.is_untyped_null() {
            return Ok(Self { sql_type: to, ..self });
        }
        match conversion(self.sql_type, to) {
            Conversion::Implicit => {}
            Conversion::Explicit => return Err(explicit_only(self.sql_type, to)),
            Conversion::Impossible => return Err(type_clash(self.sql_type, to)),
        }
        let (nullable, collation) = (self.nullable, self.collation.clone());
        let node = Node::Convert { inner: Box::new(self), style: None, try_cast: false };
        Ok(Self { node, sql_type: to, nullable, collation })
    }

    /// The scalar as text, of whatever length it has.
    pub(crate) fn into_text(self) -> Result<Self, SqlError> {
        if is_text(self.sql_type) {
            return Ok(self);
        }
        let width =
            if self.is_untyped_null() { Length::Limited(1) } else { conversion::text_width(self.sql_type) };
        self.converted(SqlType::VarChar(width))
    }
}

/// The type and collation that several scalars have together.
///
/// # Errors
/// 206 and 257 for types, 457 for collations.
pub(crate) fn joint_type(scalars: &[Scalar]) -> Result<(SqlType, TextCollation), SqlError> {
    let mut joint: Option<SqlType> = None;
    let mut collation = TextCollation::default();
    for scalar in scalars.iter().filter(|s| !s.is_untyped_null()) {
        joint = Some(match joint {
            None => scalar.sql_type,
            Some(so_far) => unify(so_far, scalar.sql_type)?,
        });
        if is_text(scalar.sql_type) {
            collation = stronger(&collation, &scalar.collation)
                .ok_or_else(|| value_conflict(&collation, &scalar.collation, scalar.sql_type))?;
        }
    }
    Ok((joint.unwrap_or(SqlType::Int), collation))
}

/// The stronger of two collations; None if they conflict.
pub(crate) fn stronger(one: &TextCollation, other: &TextCollation) -> Option<TextCollation> {
    if one.strength != other.strength {
        return Some(if one.strength > other.strength { one.clone() } else { other.clone() });
    }
    (one.collation == other.collation || one.strength == Strength::Default).then(|| one.clone())
}

/// 468: two collations in a comparison or set operation.
pub(crate) fn comparison_conflict(one: &TextCollation, other: &TextCollation, operation: &str) -> SqlError {
    let message = format!(
        "Cannot resolve the collation conflict between \"{}\" and \"{}\" in the {operation} operation.",
        other.collation.name(),
        one.collation.name()
    );
    SqlError { state: 9, ..SqlError::batch(468, message) }
}

/// 457: two collations in one value.
pub(crate) fn value_conflict(one: &TextCollation, other: &TextCollation, sql_type: SqlType) -> SqlError {
    let message = format!(
        "Implicit conversion of {} value to {0} cannot be performed because the collation of the value is unresolved due \
         to a collation conflict between \"{}\" and \"{}\".",
        conversion::type_name(sql_type),
        other.collation.name(),
        one.collation.name()
    );
    SqlError::batch(457, message)
}

/// 116: a subquery as a value has one column.
pub(crate) fn one_column_only() -> SqlError {
    SqlError::batch(
        116,
        "Only one expression can be specified in the select list when the subquery is not introduced with EXISTS.",
    )
}
