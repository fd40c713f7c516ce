//! GROUP BY and aggregates.
//!
//! A group keeps the first of its rows in the tuple, so that the columns it is grouped by are read like any others; the
//! aggregates' values stand in a place of their own. With more than one grouping set a row belongs to a group of each, and
//! what a set is not grouped by is NULL there: then the values of all expressions, and whether each is left
//! out, stand before the aggregates.

use std::collections::HashMap;
use std::sync::Arc;

use super::aggregate_call::{Accumulator, AggregateCall, Input, bind_call};
use super::operator::{Feed, Operator, Scene};
use super::plan::SelectPlan;
use super::row_key::push_key;
use crate::engine::Interrupt;
use crate::exec::expression::bind::Binder;
use crate::exec::expression::scope::Scope;
use crate::exec::expression::{ColumnRef, Node, Scalar, SourceRow, Tuple};
use crate::parser::ast::{BinaryOp, Expr};
use crate::types::{SqlError, SqlType, Value};

pub(crate) use super::aggregate_call::is_aggregate;

/// Whether an aggregate stands in an expression, outside subqueries and windows.
pub(super) fn contains_aggregate(expr: &Expr) -> bool {
    match expr {
        Expr::Function { name, over: None, .. } if is_aggregate(name) => true,
        other => other.children().into_iter().any(contains_aggregate),
    }
}

/// Grouping and aggregates of a query. Binding its expressions adds the aggregates one by one.
#[derive(Debug)]
pub(crate) struct Aggregates {
    place: usize,
    group_by: Vec<Scalar>,
    /// Positions in `group_by`; None for the one set of all.
    sets: Option<Vec<Vec<usize>>>,
    calls: Vec<AggregateCall>,
    /// The clause that is being bound.
    clause: Clause,
}

/// A clause of a grouped query in which columns must be grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clause {
    List,
    Having,
    OrderBy,
}

impl Aggregates {
    pub(super) fn new(place: usize, group_by: Vec<Scalar>, sets: Option<Vec<Vec<usize>>>) -> Self {
        Self { place, group_by, sets, calls: Vec::new(), clause: Clause::List }
    }

    /// Goes on to another clause.
    pub(super) fn enter(&mut self, clause: Clause) {
        self.clause = clause;
    }

    /// Whether the query is grouped by an expression that is more than a column.
    pub(crate) fn groups_by_expression(&self) -> bool {
        self.group_by.iter().any(|g| !matches!(g.node, Node::Column(_)))
    }

    /// What stands for an expression that the query is grouped by; None if it is not.
    pub(crate) fn grouped(&self, scalar: &Scalar) -> Option<Scalar> {
        let position = self.group_by.iter().position(|group| group == scalar)?;
        if self.sets.is_none() {
            return Some(scalar.clone());
        }
        Some(Scalar { collation: scalar.collation.clone(), ..self.computed(position, scalar.sql_type) })
    }

    /// What stands for a column in a grouped query: 8120, 8121 and 8127 if it is not grouped by.
    pub(crate) fn require_grouped(&self, column: Scalar, scope: &Scope<'_>) -> Result<Scalar, SqlError> {
        let Node::Column(place) = &column.node else { return Ok(column) };
        if place.depth > 0 {
            return Ok(column);
        }
        self.grouped(&column).ok_or_else(|| {
            let source = &scope.sources[place.source].name;
            let name = &place.layout[place.column].name;
            let (number, quote, clause) = match self.clause {
                Clause::List => (8120, '\'', "select list"),
                Clause::Having => (8121, '\'', "HAVING clause"),
                Clause::OrderBy => (8127, '"', "ORDER BY clause"),
            };
            let message = format!(
                "Column {quote}{source}.{name}{quote} is invalid in the {clause} because it is not contained in either an \
                 aggregate function or the GROUP BY clause."
            );
            SqlError::batch(number, message)
        })
    }

    /// `GROUPING(e)` and `GROUPING_ID(e, ...)`: 1 for each expression that a row's grouping set leaves out.
    fn grouping(&self, binder: &Binder<'_>, name: &str, arguments: &[Expr]) -> Result<Scalar, Interrupt> {
        let sql_type = if name == "GROUPING" { SqlType::TinyInt } else { SqlType::Int };
        let mut together = Scalar::constant(Value::Int(0), sql_type);
        for argument in arguments {
            let bound = binder.scalar(argument)?;
            let Some(position) = self.group_by.iter().position(|group| *group == bound) else {
                let message = format!(
                    "Argument 1 of the {name} function does not match any of the expressions in the GROUP BY clause."
                );
                return Err(SqlError::batch(8161, message).into());
            };
            if self.sets.is_none() {
                continue;
            }
            let bit = self.computed(self.group_by.len() + position, sql_type);
            together = if arguments.len() == 1 { bit } else { shifted(together, bit) };
        }
        Ok(together)
    }

    fn computed(&self, column: usize, sql_type: SqlType) -> Scalar {
        let place = ColumnRef { depth: 0, source: self.place, column, layout: [].into() };
        Scalar::of(Node::Column(place), sql_type, true)
    }

    /// Columns before those of the aggregates.
    fn group_columns(&self) -> usize {
        if self.sets.is_some() { 2 * self.group_by.len() } else { 0 }
    }

    /// Adds an aggregate, or finds the same one, and returns its value as a scalar.
    fn add(&mut self, call: AggregateCall) -> Scalar {
        let column = self.calls.iter().position(|c| *c == call).unwrap_or_else(|| {
            self.calls.push(call.clone());
            self.calls.len() - 1
        });
        let scalar = self.computed(self.group_columns() + column, call.sql_type());
        Scalar { collation: call.text_collation(), ..scalar }
    }

    /// What a group of a set is told apart by, besides its values.
    fn set_members(&self) -> Vec<Vec<usize>> {
        self.sets.clone().unwrap_or_else(|| vec![(0..self.group_by.len()).collect()])
    }
}

/// `2 * bits + bit`
fn shifted(bits: Scalar, bit: Scalar) -> Scalar {
    let operation = |left: Scalar, operator, right: Scalar| {
        Scalar::of(Node::Arithmetic(Box::new(left), operator, Box::new(right)), SqlType::Int, true)
    };
    let two = Scalar::constant(Value::Int(2), SqlType::Int);
    operation(operation(bits, BinaryOp::Multiply, two), BinaryOp::Add, bit)
}

/// Binds an aggregate of a grouped query; `expr` is an [`Expr::Function`].
pub(crate) fn bind(binder: &Binder<'_>, expr: &Expr) -> Result<Scalar, Interrupt> {
    let Some(aggregates) = binder.aggregates else {
        let message = "An aggregate may not appear in the WHERE clause unless it is in a subquery contained in a HAVING \
                       clause or a select list, and the column being aggregated is an outer reference.";
        return Err(SqlError { class: 15, ..SqlError::batch(147, message) }.into());
    };
    let call = bind_call(&binder.inner(), expr)?;
    Ok(aggregates.borrow_mut().add(call))
}

/// Binds GROUPING or GROUPING_ID.
pub(crate) fn bind_grouping(
    binder: &Binder<'_>,
    name: &str,
    arguments: &[Expr],
) -> Result<Scalar, Interrupt> {
    match binder.aggregates {
        Some(aggregates) => aggregates.borrow().grouping(&binder.inner(), name, arguments),
        None => {
            let message = format!(
                "The {name} function is only allowed in the SELECT, HAVING and ORDER BY clauses of a grouped query."
            );
            Err(SqlError::batch(4101, message).into())
        }
    }
}

/// A group: its first row, the set that it belongs to, what it is grouped by there, and its aggregates.
struct Group {
    first: Tuple,
    set: usize,
    values: Vec<Value>,
    accumulators: Vec<Accumulator>,
}

/// Reads everything, then gives the groups in the order in which they were met.
pub(super) struct Aggregation {
    plan: Arc<SelectPlan>,
    input: Feed<dyn Operator>,
    sets: Vec<Vec<usize>>,
    groups: Vec<Group>,
    by_key: HashMap<Vec<u8>, usize>,
    finished: Option<std::vec::IntoIter<Group>>,
}

impl Aggregation {
    pub(super) fn new(plan: &Arc<SelectPlan>, input: Box<dyn Operator>) -> Self {
        Self {
            plan: plan.clone(),
            input: Feed::new(input),
            sets: plan.aggregate.as_ref().map_or_else(Vec::new, Aggregates::set_members),
            groups: Vec::new(),
            by_key: HashMap::new(),
            finished: None,
        }
    }

    /// Adds the row in the tuple to its group of each set.
    fn take_in(&mut self, plan: &Aggregates, scene: &Scene<'_>, tuple: &Tuple) -> Result<(), Interrupt> {
        let frame = scene.frame(tuple);
        let values = plan.group_by.iter().map(|g| g.evaluate(&frame)).collect::<Result<Vec<_>, _>>()?;
        // Everything that may wait comes before anything is changed.
        let inputs = plan.calls.iter().map(|call| call.input(&frame)).collect::<Result<Vec<_>, _>>()?;
        for set in 0..self.sets.len() {
            let group = self.group(plan, set, &values, tuple);
            add_inputs(plan, &mut self.groups[group], &inputs)?;
        }
        Ok(())
    }

    /// The group of a set to which values belong.
    fn group(&mut self, plan: &Aggregates, set: usize, values: &[Value], tuple: &Tuple) -> usize {
        let members = &self.sets[set];
        let mut key = (set as u32).to_le_bytes().to_vec();
        for member in members {
            push_key(&values[*member], &plan.group_by[*member].collation.collation, &mut key);
        }
        let groups = &mut self.groups;
        *self.by_key.entry(key).or_insert_with(|| {
            let kept = |position| {
                if members.contains(&position) { values[position].clone() } else { Value::Null }
            };
            groups.push(Group {
                first: tuple.clone(),
                set,
                values: if plan.sets.is_some() { (0..values.len()).map(kept).collect() } else { Vec::new() },
                accumulators: plan.calls.iter().map(AggregateCall::accumulator).collect(),
            });
            groups.len() - 1
        })
    }

    /// The groups; a set of nothing has one even over no rows.
    fn finish(&mut self, plan: &Aggregates) -> std::vec::IntoIter<Group> {
        let mut groups = std::mem::take(&mut self.groups);
        if groups.is_empty() {
            for set in (0..self.sets.len()).filter(|set| self.sets[*set].is_empty()) {
                groups.push(Group {
                    first: vec![SourceRow::Absent; self.plan.width],
                    set,
                    values: vec![Value::Null; plan.group_columns() / 2],
                    accumulators: plan.calls.iter().map(AggregateCall::accumulator).collect(),
                });
            }
        }
        groups.into_iter()
    }

    /// What the query computes for a group.
    fn row(&self, plan: &Aggregates, group: &Group) -> Result<Arc<[Value]>, SqlError> {
        let left_out = |position| Value::Int(i64::from(!self.sets[group.set].contains(&position)));
        let grouped = group.values.iter().cloned().chain((0..group.values.len()).map(left_out));
        let results =
            plan.calls.iter().zip(&group.accumulators).map(|(call, accumulator)| call.result(accumulator));
        grouped.map(Ok).chain(results).collect()
    }
}

fn add_inputs(plan: &Aggregates, group: &mut Group, inputs: &[Input]) -> Result<(), SqlError> {
    for ((call, accumulator), input) in plan.calls.iter().zip(&mut group.accumulators).zip(inputs) {
        call.add(accumulator, input)?;
    }
    Ok(())
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
        let row = self.row(plan, &group)?;
        *tuple = group.first;
        tuple[plan.place] = SourceRow::Computed(row);
        Ok(true)
    }
}
