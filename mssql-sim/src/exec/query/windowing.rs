//! Window functions, computed: all rows are read, put in each function's order, and each partition is gone through.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use super::aggregate_call::{AggregateCall, Input};
use super::operator::{Feed, Operator, Scene};
use super::plan::SelectPlan;
use super::sort::{compare_sorted, sort_values};
use super::window::{Function, WindowCall, Windows};
use crate::engine::Interrupt;
use crate::exec::expression::{SourceRow, Tuple};
use crate::parser::ast::FrameBound;
use crate::types::{SqlError, Value};

/// A row and what the functions need of it.
struct Pending {
    tuple: Tuple,
    inputs: Vec<CallInput>,
}

/// What one function needs of a row.
struct CallInput {
    keys: Vec<Value>,
    arguments: Vec<Value>,
    aggregate: Option<Input>,
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
            let inputs: Vec<&CallInput> = rows.iter().map(|row| &row.inputs[position]).collect();
            for (row, value) in compute(call, &inputs)?.into_iter().enumerate() {
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

impl Operator for Windowing {
    fn next(&mut self, scene: &Scene<'_>, tuple: &mut Tuple) -> Result<bool, Interrupt> {
        let query = self.plan.clone();
        let Some(plan) = &query.windows else { return Ok(false) };
        while self.finished.is_none() {
            if self.input.peek(scene, tuple)? {
                let inputs = plan.calls.iter().map(|call| input(call, scene, tuple));
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

fn input(call: &WindowCall, scene: &Scene<'_>, tuple: &Tuple) -> Result<CallInput, Interrupt> {
    let frame = scene.frame(tuple);
    let aggregate = match &call.function {
        Function::Aggregate(aggregate) => Some(aggregate.input(&frame)?),
        _ => None,
    };
    let arguments = call.arguments.iter().map(|a| a.evaluate(&frame)).collect::<Result<_, _>>()?;
    Ok(CallInput { keys: sort_values(&call.keys, &frame)?, arguments, aggregate })
}

/// A function's value for every row.
fn compute(call: &WindowCall, inputs: &[&CallInput]) -> Result<Vec<Value>, SqlError> {
    let mut order: Vec<usize> = (0..inputs.len()).collect();
    order.sort_by(|a, b| compare_sorted(&call.keys, &inputs[*a].keys, &inputs[*b].keys));
    let keys = &call.keys[..call.partitioned];
    let same = |a: &usize, b: &usize| compare_sorted(keys, &inputs[*a].keys, &inputs[*b].keys).is_eq();
    let mut values = vec![Value::Null; inputs.len()];
    for members in order.chunk_by(same) {
        let rows: Vec<&CallInput> = members.iter().map(|member| inputs[*member]).collect();
        let partition = Partition::new(call, &rows);
        for (member, value) in members.iter().zip(partition.values()?) {
            values[*member] = value;
        }
    }
    Ok(values)
}

/// The rows of a partition in order, and which of them are peers: equal in what orders them.
struct Partition<'a> {
    call: &'a WindowCall,
    rows: &'a [&'a CallInput],
    /// For each row, the range of its peers.
    peers: Vec<Range<usize>>,
}

impl<'a> Partition<'a> {
    fn new(call: &'a WindowCall, rows: &'a [&'a CallInput]) -> Self {
        let equal =
            |a: &&CallInput, b: &&CallInput| compare_sorted(&call.keys, &a.keys, &b.keys) == Ordering::Equal;
        let mut peers = Vec::with_capacity(rows.len());
        for group in rows.chunk_by(equal) {
            let range = peers.len()..peers.len() + group.len();
            peers.extend(std::iter::repeat_n(range, group.len()));
        }
        Self { call, rows, peers }
    }

    fn values(&self) -> Result<Vec<Value>, SqlError> {
        if let Function::Aggregate(aggregate) = &self.call.function {
            return self.aggregates(aggregate);
        }
        let count = self.rows.len();
        let mut dense = 0;
        let mut values = Vec::with_capacity(count);
        for (row, peers) in self.peers.iter().enumerate() {
            dense += i64::from(peers.start == row);
            let rank = peers.start as i64 + 1;
            values.push(match &self.call.function {
                Function::RowNumber => Value::Int(row as i64 + 1),
                Function::Rank => Value::Int(rank),
                Function::DenseRank => Value::Int(dense),
                Function::Ntile => Value::Int(self.bucket(row)?),
                Function::PercentRank if count == 1 => Value::Float(0.0),
                Function::PercentRank => Value::Float((rank - 1) as f64 / (count - 1) as f64),
                Function::CumulativeDistribution => Value::Float(peers.end as f64 / count as f64),
                Function::Neighbour { before } => self.neighbour(row, *before)?,
                Function::FirstValue => self.value_of(self.frame(row)),
                _ => self.value_of(self.frame(row).rev()),
            });
        }
        Ok(values)
    }

    /// The first value of some rows, without NULLs if they are to be ignored.
    fn value_of(&self, mut rows: impl Iterator<Item = usize>) -> Value {
        let value = |row: usize| self.rows[row].arguments[0].clone();
        if self.call.ignore_nulls {
            return rows.map(value).find(|value| !value.is_null()).unwrap_or(Value::Null);
        }
        rows.next().map_or(Value::Null, value)
    }

    /// NTILE: the larger buckets come first.
    fn bucket(&self, row: usize) -> Result<i64, SqlError> {
        let count = self.rows.len() as i64;
        match self.rows[row].arguments[0] {
            Value::Int(buckets) if buckets > 0 => {
                let (size, larger) = (count / buckets, count % buckets);
                let row = row as i64;
                let in_larger = larger * (size + 1);
                Ok(if row < in_larger { row / (size + 1) + 1 } else { larger + (row - in_larger) / size + 1 })
            }
            _ => {
                let message =
                    "The function 'ntile' takes only a positive int or bigint expression as its input.";
                Err(SqlError::statement(4116, message))
            }
        }
    }

    /// LAG and LEAD.
    fn neighbour(&self, row: usize, before: bool) -> Result<Value, SqlError> {
        let arguments = &self.rows[row].arguments;
        let distance = match arguments.get(1) {
            None => 1,
            Some(Value::Int(distance)) if *distance >= 0 => *distance as usize,
            Some(_) => {
                let message = "Offset parameter for Lag and Lead functions cannot be a negative value.";
                return Err(SqlError::statement(8730, message));
            }
        };
        let substitute = || arguments.get(2).cloned().unwrap_or(Value::Null);
        if self.call.ignore_nulls && distance > 0 {
            let counts = |row: &usize| !self.rows[*row].arguments[0].is_null();
            let found = if before {
                (0..row).rev().filter(counts).nth(distance - 1)
            } else {
                (row + 1..self.rows.len()).filter(counts).nth(distance - 1)
            };
            return Ok(found.map_or_else(substitute, |row| self.rows[row].arguments[0].clone()));
        }
        let wanted = if before { row.checked_sub(distance) } else { row.checked_add(distance) };
        let found = wanted.and_then(|row| self.rows.get(row));
        Ok(found.map_or_else(substitute, |row| row.arguments[0].clone()))
    }

    /// The rows of a row's frame.
    fn frame(&self, row: usize) -> Range<usize> {
        let count = self.rows.len();
        let frame = self.call.frame;
        let at = |offset: i64| (row as i64).saturating_add(offset).clamp(0, count as i64) as usize;
        let start = match frame.start {
            FrameBound::Offset(0) if !frame.by_rows => self.peers[row].start,
            FrameBound::Offset(offset) => at(offset),
            FrameBound::First | FrameBound::Last => 0,
        };
        let end = match frame.end {
            FrameBound::Offset(0) if !frame.by_rows => self.peers[row].end,
            FrameBound::Offset(offset) => at(offset.saturating_add(1)),
            FrameBound::First | FrameBound::Last => count,
        };
        start..end.max(start)
    }

    /// An aggregate over each row's frame. A frame that begins with the partition goes on where the last one ended.
    fn aggregates(&self, call: &AggregateCall) -> Result<Vec<Value>, SqlError> {
        let mut values: Vec<Value> = Vec::with_capacity(self.rows.len());
        let (mut running, mut reached) = (call.accumulator(), 0);
        for row in 0..self.rows.len() {
            let frame = self.frame(row);
            if self.call.frame.start != FrameBound::First {
                (running, reached) = (call.accumulator(), frame.start);
            } else if row > 0 && frame.end == reached {
                values.push(values[row - 1].clone());
                continue;
            }
            for input in self.rows[reached..frame.end].iter().filter_map(|row| row.aggregate.as_ref()) {
                call.add(&mut running, input)?;
            }
            reached = frame.end;
            values.push(call.result(&running)?);
        }
        Ok(values)
    }
}
