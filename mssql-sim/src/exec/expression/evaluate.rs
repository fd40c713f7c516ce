//! Values of bound expressions.

use super::compare::{compare_values, holds};
use super::like::Pattern;
use super::{ColumnRef, Condition, Frame, Node, Scalar, SourceRow, arithmetic};
use crate::collation::Collation;
use crate::engine::Interrupt;
use crate::exec::conversion::convert_in;
use crate::types::Value;
use crate::wire::value;

/// Errors that TRY_CAST turns into NULL.
const SWALLOWED: [i32; 13] = [220, 232, 235, 241, 242, 244, 245, 248, 295, 8114, 8115, 8169, 8170];

impl Scalar {
    /// The value in a frame.
    ///
    /// # Errors
    /// Run-time errors such as 8134; `Wait` when a subquery meets a lock.
    pub(crate) fn evaluate(&self, frame: &Frame<'_>) -> Result<Value, Interrupt> {
        match &self.node {
            Node::Constant(value) => Ok(value.clone()),
            Node::Column(place) => Ok(place.value(frame)),
            Node::Variable(name) => Ok(frame.context.variables.get(name)?.1.clone()),
            Node::Convert { inner, style, try_cast } => {
                let value = inner.evaluate(frame)?;
                let style = match style.as_deref().map(|s| s.evaluate(frame)).transpose()? {
                    Some(Value::Int(n)) => Some(n as i32),
                    Some(_) => return Ok(Value::Null),
                    None => None,
                };
                let text = if self.sql_type.has_code_page() { self } else { &**inner };
                match convert_in(value, inner.sql_type, self.sql_type, style, text.collation.collation) {
                    Err(error) if *try_cast && SWALLOWED.contains(&error.number) => Ok(Value::Null),
                    converted => Ok(converted?),
                }
            }
            Node::Arithmetic(left, operator, right) => {
                let (a, b) = (left.evaluate(frame)?, right.evaluate(frame)?);
                Ok(arithmetic::apply(a, *operator, b, self.sql_type)?)
            }
            Node::Negate(inner) => Ok(arithmetic::negate(inner.evaluate(frame)?, self.sql_type)?),
            Node::BitNot(inner) => Ok(arithmetic::bit_not(inner.evaluate(frame)?, self.sql_type)),
            Node::Case { branches, otherwise } => {
                for (condition, result) in branches {
                    if condition.evaluate(frame)? == Some(true) {
                        return result.evaluate(frame);
                    }
                }
                otherwise.as_deref().map_or(Ok(Value::Null), |o| o.evaluate(frame))
            }
            Node::Coalesce(candidates) => {
                for candidate in candidates {
                    let value = candidate.evaluate(frame)?;
                    if !value.is_null() {
                        return Ok(value);
                    }
                }
                Ok(Value::Null)
            }
            Node::Call(call) => call.evaluate(frame, self),
            Node::Subquery(query) => query.0.single_value(frame),
        }
    }
}

impl ColumnRef {
    /// The column's value in the row that its source has now.
    pub(crate) fn value(&self, frame: &Frame<'_>) -> Value {
        match &frame.outwards(self.depth).tuple[self.source] {
            SourceRow::Absent => Value::Null,
            SourceRow::Computed(values) => values[self.column].clone(),
            SourceRow::Stored(row) => {
                let mut rest = self.tail(row);
                value::decode(&mut rest, &self.layout[self.column])
            }
        }
    }

    /// Whether the column's values, if they are text, have the order of a collation.
    pub(crate) fn orders_by(&self, collation: Collation) -> bool {
        self.layout
            .get(self.column)
            .is_none_or(|meta| !meta.sql_type.has_collation() || meta.collation == collation)
    }

    /// A stored row's bytes from the column on.
    pub(crate) fn tail<'r>(&self, row: &'r [u8]) -> &'r [u8] {
        let mut rest = row;
        for meta in &self.layout[..self.column] {
            value::skip(&mut rest, meta);
        }
        rest
    }
}

impl Condition {
    /// Whether the condition holds; None is unknown.
    ///
    /// # Errors
    /// As [`Scalar::evaluate`].
    pub(crate) fn evaluate(&self, frame: &Frame<'_>) -> Result<Option<bool>, Interrupt> {
        match self {
            Self::And(all) => until(all, frame, false),
            Self::Or(any) => until(any, frame, true),
            Self::Not(inside) => Ok(inside.evaluate(frame)?.map(|b| !b)),
            Self::Compare(left, operator, right, collation) => {
                let (a, b) = (left.evaluate(frame)?, right.evaluate(frame)?);
                if a.is_null() || b.is_null() {
                    return Ok(None);
                }
                Ok(Some(holds(*operator, compare_values(&a, &b, collation))))
            }
            Self::IsNull(operand) => Ok(Some(operand.evaluate(frame)?.is_null())),
            Self::Like { text, pattern, escape, collation, blanks_count } => {
                let escape = escape.as_ref().map(|e| e.evaluate(frame)).transpose()?;
                match (text.evaluate(frame)?, pattern.evaluate(frame)?, escape) {
                    (_, _, Some(Value::Null)) => Ok(None),
                    (Value::Text(text), Value::Text(pattern), escape) => {
                        let escape = match &escape {
                            Some(Value::Text(units)) => units.first().copied(),
                            _ => None,
                        };
                        let pattern = Pattern::new(&pattern, escape, collation);
                        Ok(Some(pattern.matches(&text, !blanks_count)))
                    }
                    _ => Ok(None),
                }
            }
            Self::In { value, query, common, collation } => {
                let wanted = value.evaluate(frame)?;
                query.0.contains(frame, &wanted, *common, collation)
            }
            Self::Quantified { value, operator, all, query, common, collation } => {
                let wanted = value.evaluate(frame)?;
                let compared = |found: &Value| {
                    let known = !wanted.is_null() && !found.is_null();
                    known.then(|| holds(*operator, compare_values(&wanted, found, collation)))
                };
                query.0.quantify(frame, *common, *all, compared)
            }
            Self::Exists(query) => Ok(Some(query.0.has_rows(frame)?)),
        }
    }
}

/// Evaluates conditions until one decides: false for AND, true for OR.
fn until(conditions: &[Condition], frame: &Frame<'_>, deciding: bool) -> Result<Option<bool>, Interrupt> {
    let mut result = Some(!deciding);
    for condition in conditions {
        match condition.evaluate(frame)? {
            Some(holds) if holds == deciding => return Ok(Some(deciding)),
            None => result = None,
            Some(_) => {}
        }
    }
    Ok(result)
}
