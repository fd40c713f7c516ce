//! From syntax to [`Condition`].

use super::bind::{Binder, comparison_conflict, one_column_only, stronger};
use super::comparable::{compared_type, comparison_name};
use super::{Condition, Scalar, Subquery};
use crate::collation::Collation;
use crate::engine::Interrupt;
use crate::exec::conversion::{Family, family, is_text};
use crate::exec::messages::invalid_argument;
use crate::exec::query::plan;
use crate::parser::ast::{BinaryOp, Expr, Query};
use crate::types::SqlError;

impl Binder<'_> {
    /// Binds an expression that is true, false or unknown.
    pub(crate) fn condition(&self, expr: &Expr) -> Result<Condition, Interrupt> {
        Ok(match expr {
            Expr::Binary(_, BinaryOp::And, _) => Condition::And(self.chain(expr, BinaryOp::And)?),
            Expr::Binary(_, BinaryOp::Or, _) => Condition::Or(self.chain(expr, BinaryOp::Or)?),
            Expr::Binary(left, operator, right) if operator.is_comparison() => {
                Self::compare(self.scalar(left)?, *operator, self.scalar(right)?)?
            }
            Expr::Not(inside) => negated(self.condition(inside)?, true),
            Expr::IsNull(operand, not) => negated(Condition::IsNull(self.scalar(operand)?), *not),
            Expr::InList(operand, list, not) => {
                let alternatives =
                    list.iter().map(|item| self.equality(operand, item)).collect::<Result<_, _>>()?;
                negated(Condition::Or(alternatives), *not)
            }
            Expr::InQuery(operand, query, not) => negated(self.membership(operand, query)?, *not),
            Expr::Between(operand, low, high, not) => {
                let low = Self::compare(self.scalar(operand)?, BinaryOp::GreaterOrEqual, self.scalar(low)?)?;
                let high = Self::compare(self.scalar(operand)?, BinaryOp::LessOrEqual, self.scalar(high)?)?;
                negated(Condition::And(vec![low, high]), *not)
            }
            Expr::Like(text, pattern, escape, not) => {
                negated(self.like(text, pattern, escape.as_deref())?, *not)
            }
            Expr::Quantified(operand, operator, all, query) => {
                self.quantified(operand, (*operator, *all), query)?
            }
            Expr::DistinctFrom(left, right, not) => negated(self.not_distinct(left, right)?, !*not),
            Expr::Exists(query) => Condition::Exists(Subquery(plan::bind_subquery(self, query)?)),
            _ => {
                let message =
                    "An expression of non-boolean type specified in a context where a condition is expected.";
                return Err(SqlError::batch(4145, message).into());
            }
        })
    }

    /// The operands of a chain of ANDs or ORs; long chains are deep trees, so this does not recurse along them.
    fn chain(&self, expr: &Expr, operator: BinaryOp) -> Result<Vec<Condition>, Interrupt> {
        let mut operands = Vec::new();
        let mut rest = expr;
        while let Expr::Binary(left, found, right) = rest
            && *found == operator
        {
            operands.push(self.condition(right)?);
            rest = left;
        }
        operands.push(self.condition(rest)?);
        operands.reverse();
        Ok(operands)
    }

    /// `left = right`
    pub(super) fn equality(&self, left: &Expr, right: &Expr) -> Result<Condition, Interrupt> {
        Ok(Self::compare(self.scalar(left)?, BinaryOp::Equal, self.scalar(right)?)?)
    }

    /// A comparison; both sides become one type.
    pub(crate) fn compare(left: Scalar, operator: BinaryOp, right: Scalar) -> Result<Condition, SqlError> {
        let common = match (left.is_untyped_null(), right.is_untyped_null()) {
            (true, _) => right.sql_type,
            (_, true) => left.sql_type,
            _ => compared_type(left.sql_type, operator, right.sql_type)?,
        };
        let collation = comparison_collation(&left, &right, comparison_name(operator))?;
        Ok(Condition::Compare(left.converted(common)?, operator, right.converted(common)?, collation))
    }

    fn membership(&self, operand: &Expr, query: &Query) -> Result<Condition, Interrupt> {
        let value = self.scalar(operand)?;
        let plan = plan::bind_subquery(self, query)?;
        let [column] = plan.columns() else { return Err(one_column_only().into()) };
        let common = compared_type(value.sql_type, BinaryOp::Equal, column.meta.sql_type)?;
        let collation = match stronger(&value.collation, &column.collation) {
            Some(text) => text.collation,
            None => return Err(comparison_conflict(&column.collation, &value.collation, "equal to").into()),
        };
        let value = value.converted(common)?;
        Ok(Condition::In { value, query: Subquery(plan), common, collation })
    }

    /// `operand operator ANY|ALL (query)`; `= ANY` is IN, `<> ALL` is NOT IN.
    fn quantified(
        &self,
        operand: &Expr,
        (operator, all): (BinaryOp, bool),
        query: &Query,
    ) -> Result<Condition, Interrupt> {
        let condition = self.membership(operand, query)?;
        let Condition::In { value, query, common, collation } = condition else { return Ok(condition) };
        Ok(match (operator, all) {
            (BinaryOp::Equal, false) => Condition::In { value, query, common, collation },
            (BinaryOp::NotEqual, true) => negated(Condition::In { value, query, common, collation }, true),
            _ => Condition::Quantified { value, operator, all, query, common, collation },
        })
    }

    /// `left IS NOT DISTINCT FROM right`: equal, or both NULL; never unknown.
    fn not_distinct(&self, left: &Expr, right: &Expr) -> Result<Condition, Interrupt> {
        let (left, right) = (self.scalar(left)?, self.scalar(right)?);
        let null = |scalar: &Scalar| Condition::IsNull(scalar.clone());
        let both_null = Condition::And(vec![null(&left), null(&right)]);
        let present = [negated(null(&left), true), negated(null(&right), true)];
        let equal = Self::compare(left, BinaryOp::Equal, right)?;
        let both_equal = Condition::And(present.into_iter().chain([equal]).collect());
        Ok(Condition::Or(vec![both_null, both_equal]))
    }

    fn like(&self, text: &Expr, pattern: &Expr, escape: Option<&Expr>) -> Result<Condition, Interrupt> {
        let text = text_operand(self.scalar(text)?, 1)?;
        let pattern = text_operand(self.scalar(pattern)?, 2)?;
        let escape = escape.map(|e| text_operand(self.scalar(e)?, 3)).transpose()?;
        let collation = comparison_collation(&text, &pattern, "like")?;
        // Trailing blanks of the text are forgiven only where neither side is national.
        let blanks_count = [&text, &pattern].iter().any(|s| family(s.sql_type) == Family::NationalText);
        Ok(Condition::Like { text, pattern, escape, collation, blanks_count })
    }
}

fn text_operand(scalar: Scalar, position: usize) -> Result<Scalar, Interrupt> {
    match family(scalar.sql_type) {
        Family::Binary | Family::RowVersion => {
            Err(invalid_argument(scalar.sql_type, position, "like").into())
        }
        _ => Ok(scalar.into_text()?),
    }
}

/// The collation by which two scalars compare.
fn comparison_collation(left: &Scalar, right: &Scalar, operation: &str) -> Result<Collation, SqlError> {
    let textual = |s: &Scalar| is_text(s.sql_type);
    if !textual(left) || !textual(right) {
        let owner = if textual(left) { left } else { right };
        return Ok(owner.collation.collation);
    }
    match stronger(&left.collation, &right.collation) {
        Some(text) => Ok(text.collation),
        None => Err(comparison_conflict(&left.collation, &right.collation, operation)),
    }
}

fn negated(condition: Condition, not: bool) -> Condition {
    if not { Condition::Not(Box::new(condition)) } else { condition }
}

impl Condition {
    /// The conditions that must all hold.
    pub(crate) fn conjuncts(&self) -> Vec<&Condition> {
        match self {
            Self::And(all) => all.iter().flat_map(Self::conjuncts).collect(),
            other => vec![other],
        }
    }
}
