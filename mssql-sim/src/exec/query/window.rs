//! Window functions: ROW_NUMBER, RANK, DENSE_RANK, and aggregates over a partition.

use std::sync::Arc;

use super::aggregate::{AggregateCall, bind_call, is_aggregate};
use super::operator::{Feed, Operator, Scene};
use super::plan::SelectPlan;
use super::sort::{compare_sorted, sort_values};
use crate::engine::Interrupt;
use crate::exec::expression::bind::Binder;
use crate::exec::expression::{ColumnRef, Node, Scalar, SourceRow, Tuple};
use crate::parser::ast::{Expr, Over};
use crate::types::{SqlError, SqlType, Value};

/// What a window function computes.
#[derive(Clone, Debug, PartialEq)]
enum Function {
    RowNumber,
    Rank,
    DenseRank,
    Aggregate(AggregateCall),
}

/// One window function.
#[derive(Clone, Debug, PartialEq)]
struct WindowCall {
    function: Function,
    /// The partition's expressions, then those of its order.
    keys: Vec<(Scalar, bool)>,
    /// How many of the keys are the partition's.
    partitioned: usize,
}

/// Window functions of a query. Binding its expressions adds them one by one.
#[derive(Debug)]
pub(crate) struct Windows {
    place: usize,
    calls: Vec<WindowCall>,
}

impl Windows {
    pub(super) fn new(place: usize) -> Self {
        Self { place, calls: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }
}

/// Binds `name(arguments) OVER (...)`.
pub(crate) fn bind(
    binder: &Binder<'_>,
    name: &str,
    arguments: &[Expr],
    over: &Over,
) -> Result<Scalar, Interrupt> {
    let Some(windows) = binder.windows else {
        let message = "Windowed functions can only appear in the SELECT or ORDER BY clauses.";
        return Err(SqlError { class: 15, ..SqlError::batch(4108, message) }.into());
    };
    let inside = Binder { windows: None, ..*binder };
    let ranking = |function| {
        if over.order_by.is_empty() {
            let message = format!("The function '{name}' must have an OVER clause with ORDER BY.");
            return Err(SqlError { class: 15, ..SqlError::batch(4112, message) });
        }
        Ok(function)
    };
    let (function, sql_type, nullable) = match name {
        "ROW_NUMBER" => (ranking(Function::RowNumber)?, SqlType::BigInt, false),
        "RANK" => (ranking(Function::Rank)?, SqlType::BigInt, false),
        "DENSE_RANK" => (ranking(Function::DenseRank)?, SqlType::BigInt, false),
        _ if is_aggregate(name) && over.order_by.is_empty() => {
            let call = bind_call(&inside, name, false, arguments)?;
            let sql_type = call.sql_type();
            (Function::Aggregate(call), sql_type, true)
        }
        _ => return Err(SqlError::unsupported(format_args!("{name} OVER (ORDER BY ...)")).into()),
    };
    let mut keys = Vec::new();
    for expr in &over.partition_by {
        keys.push((inside.scalar(expr)?, false));
    }
    let partitioned = keys.len();
    for (expr, descending) in &over.order_by {
        keys.push((inside.scalar(expr)?, *descending));
    }
    let mut windows = windows.borrow_mut();
    windows.calls.push(WindowCall { function, keys, partitioned });
    let place =
        ColumnRef { depth: 0, source: windows.place, column: windows.calls.len() - 1, layout: [].into() };
    Ok(Scalar::of(Node::Column(place), sql_type, nullable))
}

/// A row and what the calls need of it: sort values and an aggregate's input for each.
struct Pending {
    tuple: Tuple,
    inputs: Vec<(Vec<Value>, Value)>,
}

/// Reads everything, computes the functions, then gives the rows as they came.
pub(super) struct Windowing {
    plan: Arc<SelectPlan>,
    input: Feed<dyn Operator>,
    rows: Vec<Pending>,
    finished: Option<std::vec::IntoIter<Tuple>>,
}

impl Windowing {
    pub(super) fn new(plan: &Arc<SelectPlan>, input: Box<dyn Operator>) -> Self {
        Self { plan: plan.clone(), input: Feed::new(input), rows: Vec::new(), finished: None }
    }

    fn finish(&mut self, plan: &Windows) -> Result<Vec<Tuple>, SqlError> {
        let rows = std::mem::take(&mut self.rows);
        let mut values: Vec<Vec<Value>> = vec![Vec::with_capacity(plan.calls.len()); rows.len()];
        for (position, call) in plan.calls.iter().enumerate() {
            for (row, value) in call.compute(&rows, position)?.into_iter().enumerate() {
                values[row].push(value);
            }
        }
        let finished = rows.into_iter().zip(values).map(|(row, values)| {
            let mut tuple = row.tuple;
            tuple[plan.place] = SourceRow::Computed(values.into());
            tuple
        });
        Ok(finished.collect())
    }
}

impl WindowCall {
    /// The function's value for every row; `position` is the call's among the plan's.
    fn compute(&self, rows: &[Pending], position: usize) -> Result<Vec<Value>, SqlError> {
        let keys = |row: usize| rows[row].inputs[position].0.as_slice();
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by(|a, b| compare_sorted(&self.keys, keys(*a), keys(*b)));
        let partition = &self.keys[..self.partitioned];
        let mut values = vec![Value::Null; rows.len()];
        for members in order.chunk_by(|a, b| compare_sorted(partition, keys(*a), keys(*b)).is_eq()) {
            if let Function::Aggregate(call) = &self.function {
                let mut accumulator = call.accumulator();
                members
                    .iter()
                    .try_for_each(|m| call.add(&mut accumulator, rows[*m].inputs[position].1.clone()))?;
                let total = call.result(accumulator)?;
                members.iter().for_each(|m| values[*m] = total.clone());
                continue;
            }
            let (mut rank, mut dense) = (0, 0);
            for (number, member) in members.iter().enumerate() {
                let tied = number > 0
                    && compare_sorted(&self.keys, keys(members[number - 1]), keys(*member)).is_eq();
                if !tied {
                    (rank, dense) = (number + 1, dense + 1);
                }
                values[*member] = Value::Int(match self.function {
                    Function::Rank => rank,
                    Function::DenseRank => dense,
                    _ => number + 1,
                } as i64);
            }
        }
        Ok(values)
    }
}

impl Operator for Windowing {
    fn next(&mut self, scene: &Scene<'_>, tuple: &mut Tuple) -> Result<bool, Interrupt> {
        let query = self.plan.clone();
        let Some(plan) = &query.windows else { return Ok(false) };
        while self.finished.is_none() {
            if self.input.peek(scene, tuple)? {
                let frame = scene.frame(tuple);
                let inputs = plan.calls.iter().map(|call| {
                    let input = match &call.function {
                        Function::Aggregate(aggregate) => aggregate.input(&frame)?,
                        _ => Value::Null,
                    };
                    Ok((sort_values(&call.keys, &frame)?, input))
                });
                let inputs = inputs.collect::<Result<Vec<_>, Interrupt>>()?;
                self.rows.push(Pending { tuple: tuple.clone(), inputs });
                self.input.consume();
            } else {
                self.finished = Some(self.finish(plan)?.into_iter());
            }
        }
        match self.finished.as_mut().and_then(Iterator::next) {
            Some(row) => {
                *tuple = row;
                Ok(true)
            }
            None => Ok(false),
        }
    }
}
