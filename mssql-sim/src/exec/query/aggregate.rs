//! GROUP BY and aggregates.
//!
//! A group keeps the first of its rows in the tuple, so that the columns it is grouped by are read like any others; the
//! aggregates' values stand in a place of their own.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::operator::{Feed, Operator, Scene};
use super::plan::SelectPlan;
use super::row_key::push_key;
use crate::collation::Collation;
use crate::engine::Interrupt;
use crate::exec::conversion::{Family, family, integer_bounds};
use crate::exec::decimal;
use crate::exec::expression::bind::Binder;
use crate::exec::expression::compare::compare_values;
use crate::exec::expression::scope::Scope;
use crate::exec::expression::{ColumnRef, Frame, Node, Scalar, SourceRow, Tuple};
use crate::exec::messages::{invalid_operand, overflow, overflow_from};
use crate::parser::ast::Expr;
use crate::types::{SqlError, SqlType, Value};

/// Names of aggregates.
const NAMES: [&str; 7] = ["AVG", "CHECKSUM_AGG", "COUNT", "COUNT_BIG", "MAX", "MIN", "SUM"];

/// Whether a function is an aggregate.
pub(crate) fn is_aggregate(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Whether an aggregate stands in an expression, outside subqueries and windows.
pub(super) fn contains_aggregate(expr: &Expr) -> bool {
    let any = |exprs: &[&Expr]| exprs.iter().any(|e| contains_aggregate(e));
    match expr {
        Expr::Function { name, over: None, .. } if is_aggregate(name) => true,
        Expr::Function { arguments, over, .. } => {
            let window =
                over.iter().flat_map(|o| o.partition_by.iter().chain(o.order_by.iter().map(|(e, _)| e)));
            arguments.iter().chain(window).any(contains_aggregate)
        }
        Expr::Unary(_, a)
        | Expr::Not(a)
        | Expr::IsNull(a, _)
        | Expr::Collate(a, _)
        | Expr::InQuery(a, ..) => any(&[a]),
        Expr::Binary(a, _, b) => any(&[a, b]),
        Expr::InList(a, list, _) => contains_aggregate(a) || list.iter().any(contains_aggregate),
        Expr::Between(a, b, c, _) => any(&[a, b, c]),
        Expr::Like(a, b, c, _) => any(&[a, b]) || c.as_deref().is_some_and(contains_aggregate),
        Expr::Case { operand, branches, otherwise } => {
            operand.iter().chain(otherwise).any(|e| contains_aggregate(e))
                || branches.iter().any(|(when, then)| any(&[when, then]))
        }
        Expr::Cast { expr, style, .. } => {
            contains_aggregate(expr) || style.as_deref().is_some_and(contains_aggregate)
        }
        _ => false,
    }
}

/// What an aggregate computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Count,
    Sum,
    Min,
    Max,
    Average,
    Checksum,
}

/// One aggregate.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AggregateCall {
    function: Function,
    /// None for `COUNT(*)`.
    argument: Option<Scalar>,
    distinct: bool,
    sql_type: SqlType,
}

/// Grouping and aggregates of a query. Binding its expressions adds the aggregates one by one.
#[derive(Debug)]
pub(crate) struct Aggregates {
    place: usize,
    group_by: Vec<Scalar>,
    calls: Vec<AggregateCall>,
}

impl Aggregates {
    pub(super) fn new(place: usize, group_by: Vec<Scalar>) -> Self {
        Self { place, group_by, calls: Vec::new() }
    }

    /// Whether the query is grouped by an expression that is more than a column.
    pub(crate) fn groups_by_expression(&self) -> bool {
        self.group_by.iter().any(|g| !matches!(g.node, Node::Column(_)))
    }

    /// Whether the query is grouped by exactly this.
    pub(crate) fn groups_by(&self, scalar: &Scalar) -> bool {
        self.group_by.contains(scalar)
    }

    /// Refuses a column of this query that it is not grouped by: 8120.
    pub(crate) fn require_grouped(&self, column: &Scalar, scope: &Scope<'_>) -> Result<(), SqlError> {
        let Node::Column(place) = &column.node else { return Ok(()) };
        if place.depth > 0 || self.group_by.contains(column) {
            return Ok(());
        }
        let source = &scope.sources[place.source].name;
        let name = &place.layout[place.column].name;
        let message = format!(
            "Column '{source}.{name}' is invalid in the select list because it is not contained in either an aggregate \
             function or the GROUP BY clause."
        );
        Err(SqlError::batch(8120, message))
    }

    /// Adds an aggregate, or finds the same one, and returns its value as a scalar.
    fn add(&mut self, call: AggregateCall) -> Scalar {
        let column = self.calls.iter().position(|c| *c == call).unwrap_or_else(|| {
            self.calls.push(call.clone());
            self.calls.len() - 1
        });
        let collation = call.argument.map_or_else(Default::default, |a| a.collation);
        let place = ColumnRef { depth: 0, source: self.place, column, layout: [].into() };
        Scalar { collation, ..Scalar::of(Node::Column(place), call.sql_type, true) }
    }
}

/// Binds an aggregate of a grouped query.
pub(crate) fn bind(
    binder: &Binder<'_>,
    name: &str,
    distinct: bool,
    arguments: &[Expr],
) -> Result<Scalar, Interrupt> {
    let Some(aggregates) = binder.aggregates else {
        let message = "An aggregate may not appear in the WHERE clause unless it is in a subquery contained in a HAVING \
                       clause or a select list, and the column being aggregated is an outer reference.";
        return Err(SqlError { class: 15, ..SqlError::batch(147, message) }.into());
    };
    let call = bind_call(&binder.inner(), name, distinct, arguments)?;
    Ok(aggregates.borrow_mut().add(call))
}

/// An aggregate over what a binder sees.
pub(super) fn bind_call(
    binder: &Binder<'_>,
    name: &str,
    distinct: bool,
    arguments: &[Expr],
) -> Result<AggregateCall, Interrupt> {
    let function = match name {
        "COUNT" | "COUNT_BIG" => Function::Count,
        "SUM" => Function::Sum,
        "MIN" => Function::Min,
        "MAX" => Function::Max,
        "AVG" => Function::Average,
        _ => Function::Checksum,
    };
    let argument = match arguments {
        [Expr::Star] if function == Function::Count => None,
        [argument] => Some(binder.scalar(argument)?),
        _ => {
            let message = format!("The {} function requires 1 argument(s).", name.to_lowercase());
            return Err(SqlError { class: 15, ..SqlError::batch(174, message) }.into());
        }
    };
    let sql_type = match (function, &argument) {
        (Function::Count, _) if name == "COUNT_BIG" => SqlType::BigInt,
        (Function::Count, _) | (_, None) => SqlType::Int,
        (function, Some(argument)) => result_type(function, argument.sql_type, name)?,
    };
    let argument = match (function, argument) {
        (Function::Checksum, Some(argument)) => Some(argument.converted(SqlType::Int)?),
        (_, argument) => argument,
    };
    Ok(AggregateCall { function, argument, distinct, sql_type })
}

fn result_type(function: Function, argument: SqlType, name: &str) -> Result<SqlType, SqlError> {
    let refuse = || Err(invalid_operand(argument, &name.to_lowercase()));
    match function {
        Function::Min | Function::Max => {
            if argument == SqlType::Bit {
                refuse()
            } else {
                Ok(argument)
            }
        }
        Function::Checksum => Ok(SqlType::Int),
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

/// An average keeps at least six digits behind the point.
fn wide(function: Function, scale: u8) -> u8 {
    if function == Function::Average { scale.max(6) } else { scale }
}

/// An aggregate on its way.
pub(super) struct Accumulator {
    /// Rows counted; those with NULL do not count.
    count: i64,
    /// Sum, smallest, largest or checksum so far.
    value: Value,
    /// Keys met, for DISTINCT.
    seen: Option<HashSet<Vec<u8>>>,
}

impl AggregateCall {
    pub(super) fn sql_type(&self) -> SqlType {
        self.sql_type
    }

    pub(super) fn accumulator(&self) -> Accumulator {
        Accumulator { count: 0, value: Value::Null, seen: self.distinct.then(HashSet::new) }
    }

    /// The argument's value for a row; anything that is not NULL for `COUNT(*)`.
    pub(super) fn input(&self, frame: &Frame<'_>) -> Result<Value, Interrupt> {
        self.argument.as_ref().map_or(Ok(Value::Bit(true)), |argument| argument.evaluate(frame))
    }

    fn collation(&self) -> &Collation {
        self.argument.as_ref().map_or(&Collation::DEFAULT, |a| &a.collation.collation)
    }

    pub(super) fn add(&self, accumulator: &mut Accumulator, value: Value) -> Result<(), SqlError> {
        if value.is_null() {
            return Ok(());
        }
        if let Some(seen) = &mut accumulator.seen {
            let mut key = Vec::new();
            push_key(&value, self.collation(), &mut key);
            if !seen.insert(key) {
                return Ok(());
            }
        }
        accumulator.count += 1;
        let so_far = std::mem::replace(&mut accumulator.value, Value::Null);
        accumulator.value = match (self.function, so_far) {
            (Function::Count, _) => Value::Null,
            (_, Value::Null) => value,
            (Function::Sum | Function::Average, so_far) => self.sum(&so_far, &value)?,
            (Function::Checksum, so_far) => match (so_far, value) {
                (Value::Int(a), Value::Int(b)) => Value::Int(a ^ b),
                (so_far, _) => so_far,
            },
            (extreme, so_far) => {
                let replace = compare_values(&value, &so_far, self.collation());
                let wanted = if extreme == Function::Min { replace.is_lt() } else { replace.is_gt() };
                if wanted { value } else { so_far }
            }
        };
        Ok(())
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

    pub(super) fn result(&self, accumulator: Accumulator) -> Result<Value, SqlError> {
        let Accumulator { count, value, .. } = accumulator;
        match self.function {
            Function::Count if self.sql_type == SqlType::Int && i32::try_from(count).is_err() => {
                Err(overflow(self.sql_type))
            }
            Function::Count => Ok(Value::Int(count)),
            Function::Average => self.average(&value, count),
            _ => Ok(value),
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
}

/// A group: its first row and its aggregates.
struct Group {
    first: Tuple,
    accumulators: Vec<Accumulator>,
}

/// Reads everything, then gives the groups in the order in which they were met.
pub(super) struct Aggregation {
    plan: Arc<SelectPlan>,
    input: Feed<dyn Operator>,
    groups: Vec<Group>,
    by_key: HashMap<Vec<u8>, usize>,
    finished: Option<std::vec::IntoIter<Group>>,
}

impl Aggregation {
    pub(super) fn new(plan: &Arc<SelectPlan>, input: Box<dyn Operator>) -> Self {
        Self {
            plan: plan.clone(),
            input: Feed::new(input),
            groups: Vec::new(),
            by_key: HashMap::new(),
            finished: None,
        }
    }

    /// Adds the row in the tuple to its group.
    fn take_in(&mut self, plan: &Aggregates, scene: &Scene<'_>, tuple: &Tuple) -> Result<(), Interrupt> {
        let frame = scene.frame(tuple);
        let mut key = Vec::new();
        for group in &plan.group_by {
            push_key(&group.evaluate(&frame)?, &group.collation.collation, &mut key);
        }
        // Everything that may wait comes before anything is changed.
        let inputs = plan.calls.iter().map(|call| call.input(&frame)).collect::<Result<Vec<_>, _>>()?;
        let index = *self.by_key.entry(key).or_insert_with(|| {
            let accumulators = plan.calls.iter().map(AggregateCall::accumulator).collect();
            self.groups.push(Group { first: tuple.clone(), accumulators });
            self.groups.len() - 1
        });
        for ((call, accumulator), input) in
            plan.calls.iter().zip(&mut self.groups[index].accumulators).zip(inputs)
        {
            call.add(accumulator, input)?;
        }
        Ok(())
    }

    /// The groups; without GROUP BY there is one even over no rows.
    fn finish(&mut self, plan: &Aggregates) -> std::vec::IntoIter<Group> {
        let mut groups = std::mem::take(&mut self.groups);
        if groups.is_empty() && plan.group_by.is_empty() {
            let accumulators = plan.calls.iter().map(AggregateCall::accumulator).collect();
            groups.push(Group { first: vec![SourceRow::Absent; self.plan.width], accumulators });
        }
        groups.into_iter()
    }
}

impl Operator for Aggregation {
    fn next(&mut self, scene: &Scene<'_>, tuple: &mut Tuple) -> Result<bool, Interrupt> {
        let query = self.plan.clone();
        let Some(plan) = &query.aggregate else { return Ok(false) };
        while self.finished.is_none() {
            if self.input.peek(scene, tuple)? {
                self.take_in(plan, scene, tuple)?;
                self.input.consume();
            } else {
                self.finished = Some(self.finish(plan));
            }
        }
        let Some(group) = self.finished.as_mut().and_then(Iterator::next) else { return Ok(false) };
        *tuple = group.first;
        let results =
            plan.calls.iter().zip(group.accumulators).map(|(call, accumulator)| call.result(accumulator));
        tuple[plan.place] = SourceRow::Computed(results.collect::<Result<_, _>>()?);
        Ok(true)
    }
}
