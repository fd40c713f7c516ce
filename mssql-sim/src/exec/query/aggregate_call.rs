//! One aggregate: its argument, its type, and how it adds up.

use std::collections::HashSet;

use super::row_key::push_key;
use super::sort::{compare_sorted, sort_values};
use crate::collation::Collation;
use crate::engine::Interrupt;
use crate::exec::conversion::{Family, declared_length, family, integer_bounds, is_text};
use crate::exec::decimal;
use crate::exec::expression::bind::Binder;
use crate::exec::expression::compare::compare_values;
use crate::exec::expression::{Frame, Node, Scalar, TextCollation};
use crate::exec::messages::{invalid_operand, overflow, overflow_from};
use crate::parser::ast::Expr;
use crate::types::{Length, SqlError, SqlType, Value};

/// Aggregates by name.
const FUNCTIONS: [(&str, Function); 13] = [
    ("APPROX_COUNT_DISTINCT", Function::CountDistinct),
    ("AVG", Function::Average),
    ("CHECKSUM_AGG", Function::Checksum),
    ("COUNT", Function::Count),
    ("COUNT_BIG", Function::Count),
    ("MAX", Function::Max),
    ("MIN", Function::Min),
    ("STDEV", Function::Spread { sample: true, root: true }),
    ("STDEVP", Function::Spread { sample: false, root: true }),
    ("STRING_AGG", Function::List),
    ("SUM", Function::Sum),
    ("VAR", Function::Spread { sample: true, root: false }),
    ("VARP", Function::Spread { sample: false, root: false }),
];
/// Bytes of a list that is not of `max` length.
const LIST_BYTES: usize = 8000;

/// What an aggregate computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Count,
    CountDistinct,
    Sum,
    Min,
    Max,
    Average,
    Checksum,
    /// Variance or its root, of a sample or of everything.
    Spread {
        sample: bool,
        root: bool,
    },
    /// `STRING_AGG`
    List,
}

/// One aggregate.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AggregateCall {
    function: Function,
    /// None for `COUNT(*)`.
    argument: Option<Scalar>,
    distinct: bool,
    sql_type: SqlType,
    /// What stands between the parts of a list.
    separator: Option<Scalar>,
    /// The order of a list's parts.
    order: Vec<(Scalar, bool)>,
}

/// What a row gives to an aggregate.
pub(super) enum Input {
    Value(Value),
    /// A part of a list: its text, the separator before it, and what it is sorted by.
    Part {
        text: Value,
        separator: Value,
        order: Vec<Value>,
    },
}

/// Whether a function is an aggregate.
pub(crate) fn is_aggregate(name: &str) -> bool {
    FUNCTIONS.iter().any(|(known, _)| *known == name)
}

/// An aggregate over what a binder sees; `expr` is an [`Expr::Function`].
pub(super) fn bind_call(binder: &Binder<'_>, expr: &Expr) -> Result<AggregateCall, Interrupt> {
    let Expr::Function { name, distinct, arguments, order_within, .. } = expr else {
        return Err(SqlError::unsupported("aggregate").into());
    };
    let function = FUNCTIONS.iter().find(|(known, _)| known == name).map_or(Function::Count, |(_, f)| *f);
    let wanted = if function == Function::List { 2 } else { 1 };
    if arguments.len() != wanted {
        let message = format!("The {} function requires {wanted} argument(s).", name.to_lowercase());
        return Err(SqlError { class: 15, ..SqlError::batch(174, message) }.into());
    }
    let argument = match &arguments[0] {
        Expr::Star if function == Function::Count => None,
        argument => Some(binder.scalar(argument)?),
    };
    let sql_type = match (function, &argument) {
        (Function::Count, _) if name == "COUNT_BIG" => SqlType::BigInt,
        (Function::Count, _) | (_, None) => SqlType::Int,
        (function, Some(argument)) => result_type(function, argument.sql_type, name)?,
    };
    let argument = match (function, argument) {
        (Function::Checksum, Some(argument)) => Some(argument.converted(SqlType::Int)?),
        (Function::Spread { .. }, Some(argument)) => Some(argument.converted(SqlType::Float)?),
        (Function::List, Some(argument)) if !is_text(argument.sql_type) => {
            Some(argument.converted(sql_type)?)
        }
        (_, argument) => argument,
    };
    let separator = arguments.get(1).map(|separator| bind_separator(binder, separator)).transpose()?;
    let mut order = Vec::new();
    for (expr, descending) in order_within {
        order.push((binder.scalar(expr)?, *descending));
    }
    let distinct = *distinct || function == Function::CountDistinct;
    Ok(AggregateCall { function, argument, distinct, sql_type, separator, order })
}

fn bind_separator(binder: &Binder<'_>, expr: &Expr) -> Result<Scalar, Interrupt> {
    let separator = binder.scalar(expr)?;
    if !matches!(separator.node, Node::Constant(_) | Node::Variable(_)) {
        let message = "Separator parameter for STRING_AGG must be a string literal or variable.";
        return Err(SqlError::batch(8733, message).into());
    }
    Ok(separator.into_text()?)
}

fn result_type(function: Function, argument: SqlType, name: &str) -> Result<SqlType, SqlError> {
    let refuse = || Err(invalid_operand(argument, &name.to_lowercase()));
    let numeric = matches!(family(argument), Family::Exact | Family::Approximate) && argument != SqlType::Bit;
    match function {
        Function::Min | Function::Max if argument == SqlType::Bit => refuse(),
        Function::Min | Function::Max => Ok(argument),
        Function::Checksum => Ok(SqlType::Int),
        Function::CountDistinct => Ok(SqlType::BigInt),
        Function::Spread { .. } if numeric => Ok(SqlType::Float),
        Function::Spread { .. } => refuse(),
        Function::List => Ok(list_type(argument)),
        _ => Ok(match argument {
            SqlType::TinyInt | SqlType::SmallInt | SqlType::Int => SqlType::Int,
            SqlType::BigInt => SqlType::BigInt,
            SqlType::Money | SqlType::SmallMoney => SqlType::Money,
            SqlType::Decimal { scale, .. } => {
                SqlType::Decimal { precision: 38, scale: wide(function, scale) }
            }
            SqlType::Numeric { scale, .. } => {
                SqlType::Numeric { precision: 38, scale: wide(function, scale) }
            }
            other if family(other) == Family::Approximate => SqlType::Float,
            _ => return refuse(),
        }),
    }
}

/// As national and as unlimited as its parts; what is no text becomes national text.
fn list_type(part: SqlType) -> SqlType {
    match (family(part), declared_length(part)) {
        (Family::Text, Some(Length::Max)) => SqlType::VarChar(Length::Max),
        (Family::Text, _) => SqlType::VarChar(Length::Limited(8000)),
        (Family::NationalText, Some(Length::Max)) => SqlType::NVarChar(Length::Max),
        _ => SqlType::NVarChar(Length::Limited(4000)),
    }
}

/// An average keeps at least six digits behind the point.
fn wide(function: Function, scale: u8) -> u8 {
    if function == Function::Average { scale.max(6) } else { scale }
}

/// An aggregate on its way.
pub(super) struct Accumulator {
    /// Rows counted; those with NULL do not count.
    count: i64,
    /// Sum, smallest, largest, checksum or mean so far.
    value: Value,
    /// Sum of the squared distances from the mean.
    squares: f64,
    /// Keys met, for DISTINCT.
    seen: Option<HashSet<Vec<u8>>>,
    /// Parts of a list: sort values, separator, text.
    parts: Vec<(Vec<Value>, Vec<u16>, Vec<u16>)>,
}

impl AggregateCall {
    pub(super) fn sql_type(&self) -> SqlType {
        self.sql_type
    }

    /// The collation of a result that is text.
    pub(super) fn text_collation(&self) -> TextCollation {
        self.argument.as_ref().map_or_else(Default::default, |argument| argument.collation.clone())
    }

    pub(super) fn accumulator(&self) -> Accumulator {
        Accumulator {
            count: 0,
            value: Value::Null,
            squares: 0.0,
            seen: self.distinct.then(HashSet::new),
            parts: Vec::new(),
        }
    }

    /// What the row of a frame gives; anything that is not NULL for `COUNT(*)`. Notes a NULL that will not count.
    pub(super) fn input(&self, frame: &Frame<'_>) -> Result<Input, Interrupt> {
        let Some(argument) = &self.argument else { return Ok(Input::Value(Value::Bit(true))) };
        let value = argument.evaluate(frame)?;
        if let Some(separator) = &self.separator {
            let order = sort_values(&self.order, frame)?;
            return Ok(Input::Part { text: value, separator: separator.evaluate(frame)?, order });
        }
        if value.is_null() {
            frame.context.null_eliminated.set(true);
        }
        Ok(Input::Value(value))
    }

    fn collation(&self) -> &Collation {
        self.argument.as_ref().map_or(&Collation::DEFAULT, |a| &a.collation.collation)
    }

    pub(super) fn add(&self, accumulator: &mut Accumulator, input: &Input) -> Result<(), SqlError> {
        let value = match input {
            Input::Value(value) => value,
            Input::Part { text: Value::Text(text), separator, order } => {
                let separator = if let Value::Text(units) = separator { units.clone() } else { Vec::new() };
                accumulator.parts.push((order.clone(), separator, text.clone()));
                return Ok(());
            }
            Input::Part { .. } => return Ok(()),
        };
        if value.is_null() {
            return Ok(());
        }
        if let Some(seen) = &mut accumulator.seen {
            let mut key = Vec::new();
            push_key(value, self.collation(), &mut key);
            if !seen.insert(key) {
                return Ok(());
            }
        }
        accumulator.count += 1;
        let so_far = std::mem::replace(&mut accumulator.value, Value::Null);
        accumulator.value = self.together(accumulator, so_far, value)?;
        Ok(())
    }

    /// The value so far and one more.
    fn together(
        &self,
        accumulator: &mut Accumulator,
        so_far: Value,
        value: &Value,
    ) -> Result<Value, SqlError> {
        Ok(match (self.function, so_far) {
            (Function::Count | Function::CountDistinct, _) => Value::Null,
            (_, Value::Null) => value.clone(),
            (Function::Sum | Function::Average, so_far) => self.sum(&so_far, value)?,
            (Function::Checksum, so_far) => match (so_far, value) {
                (Value::Int(a), Value::Int(b)) => Value::Int(a ^ b),
                (so_far, _) => so_far,
            },
            (Function::Spread { .. }, so_far) => match (so_far, value) {
                (Value::Float(mean), Value::Float(x)) => {
                    let distance = x - mean;
                    let mean = mean + distance / accumulator.count as f64;
                    accumulator.squares += distance * (x - mean);
                    Value::Float(mean)
                }
                (so_far, _) => so_far,
            },
            (extreme, so_far) => {
                let replace = compare_values(value, &so_far, self.collation());
                let wanted = if extreme == Function::Min { replace.is_lt() } else { replace.is_gt() };
                if wanted { value.clone() } else { so_far }
            }
        })
    }

    fn sum(&self, a: &Value, b: &Value) -> Result<Value, SqlError> {
        let too_large = || overflow(self.sql_type);
        match (a, b) {
            (Value::Int(a), Value::Int(b)) => {
                let (low, high) = integer_bounds(self.sql_type);
                a.checked_add(*b).filter(|n| (low..=high).contains(n)).map(Value::Int).ok_or_else(too_large)
            }
            (Value::Decimal { unscaled: a, scale }, Value::Decimal { unscaled: b, .. }) => a
                .checked_add(*b)
                .filter(|n| decimal::fits(*n, decimal::MAX_PRECISION))
                .map(|unscaled| Value::Decimal { unscaled, scale: *scale })
                .ok_or_else(|| overflow_from(self.sql_type, self.sql_type)),
            (Value::Money(a), Value::Money(b)) => a.checked_add(*b).map(Value::Money).ok_or_else(too_large),
            (Value::Float(a), Value::Float(b)) => Ok(Value::Float(a + b)),
            _ => Err(too_large()),
        }
    }

    /// The aggregate of what was added so far.
    pub(super) fn result(&self, accumulator: &Accumulator) -> Result<Value, SqlError> {
        let Accumulator { count, value, squares, .. } = accumulator;
        match self.function {
            Function::Count if self.sql_type == SqlType::Int && i32::try_from(*count).is_err() => {
                Err(overflow(self.sql_type))
            }
            Function::Count | Function::CountDistinct => Ok(Value::Int(*count)),
            Function::Average => self.average(value, *count),
            Function::Spread { sample, root } => {
                let divisor = if sample { count - 1 } else { *count };
                if divisor < 1 {
                    return Ok(Value::Null);
                }
                let variance = squares / divisor as f64;
                Ok(Value::Float(if root { variance.sqrt() } else { variance }))
            }
            Function::List => self.list(accumulator),
            _ => Ok(value.clone()),
        }
    }

    /// Integers and decimals truncate.
    fn average(&self, sum: &Value, count: i64) -> Result<Value, SqlError> {
        Ok(match sum {
            Value::Int(sum) => Value::Int(sum / count),
            Value::Money(sum) => Value::Money(sum / count),
            Value::Float(sum) => Value::Float(sum / count as f64),
            Value::Decimal { unscaled, scale } => {
                let wanted = wide(Function::Average, *scale);
                match decimal::divide((*unscaled, *scale), (i128::from(count), 0), wanted) {
                    Some(unscaled) => Value::Decimal { unscaled, scale: wanted },
                    None => return Err(overflow_from(self.sql_type, self.sql_type)),
                }
            }
            _ => Value::Null,
        })
    }

    fn list(&self, accumulator: &Accumulator) -> Result<Value, SqlError> {
        let mut parts: Vec<_> = accumulator.parts.iter().collect();
        parts.sort_by(|(a, ..), (b, ..)| compare_sorted(&self.order, a, b));
        let mut units = Vec::new();
        for (number, (_, separator, text)) in parts.iter().enumerate() {
            if number > 0 {
                units.extend_from_slice(separator);
            }
            units.extend_from_slice(text);
        }
        let width = if family(self.sql_type) == Family::NationalText { 2 } else { 1 };
        if declared_length(self.sql_type) != Some(Length::Max) && units.len() * width > LIST_BYTES {
            let message = "STRING_AGG aggregation result exceeded the limit of 8000 bytes. Use LOB types to avoid result \
                           truncation.";
            return Err(SqlError::statement(9829, message));
        }
        Ok(if parts.is_empty() { Value::Null } else { Value::Text(units) })
    }
}
