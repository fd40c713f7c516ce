//! A run of a plan: rows as values for other queries, or in row form for the client.

use std::collections::HashSet;
use std::sync::Arc;

use super::aggregate::Aggregation;
use super::operator::{Feed, Filter, Operator, Scene};
use super::output::Encoder;
use super::plan::{PlanBody, QueryPlan, SelectPlan, SetPlan};
use super::recursion::RecursiveRun;
use super::row_key::push_key;
use super::sort::{Distinct, Limit, Sort};
use super::windowing::Windowing;
use crate::engine::layout::row_of;
use crate::engine::{Interrupt, Row};
use crate::exec::context::ExecContext;
use crate::exec::conversion::convert;
use crate::exec::expression::{Frame, SourceRow, Tuple};
use crate::parser::ast::SetOperator;
use crate::types::Value;

/// Values of a row.
pub(super) type Values = Arc<[Value]>;

/// A run.
pub(crate) struct Run {
    plan: Arc<QueryPlan>,
    state: State,
}

enum State {
    Select {
        feed: Feed<dyn Operator>,
        tuple: Tuple,
        encoder: Box<Encoder>,
    },
    Set(Box<SetRun>),
    Recursive(Box<RecursiveRun>),
    /// The next row of VALUES.
    Values(usize),
}

impl Run {
    /// Begins a run.
    pub(crate) fn start(plan: &Arc<QueryPlan>) -> Self {
        let state = match &plan.body {
            PlanBody::Select(select) => State::Select {
                feed: Feed::new(pipeline(select)),
                tuple: vec![SourceRow::Absent; select.width],
                encoder: Box::new(Encoder::new(&select.items, &plan.columns)),
            },
            PlanBody::Set(set) => State::Set(Box::new(SetRun::new(set))),
            PlanBody::Recursive(recursive) => State::Recursive(Box::new(RecursiveRun::new(recursive))),
            PlanBody::Values(_) => State::Values(0),
        };
        Self { plan: plan.clone(), state }
    }

    pub(super) fn plan(&self) -> &QueryPlan {
        &self.plan
    }

    /// The next row's values.
    pub(crate) fn next(
        &mut self,
        context: &ExecContext,
        outer: Option<&Frame<'_>>,
    ) -> Result<Option<Values>, Interrupt> {
        let scene = Scene { context, outer };
        match (&mut self.state, &self.plan.body) {
            (State::Select { feed, tuple, .. }, PlanBody::Select(select)) => {
                if !feed.peek(&scene, tuple)? {
                    return Ok(None);
                }
                let frame = scene.frame(tuple);
                let values =
                    select.items.iter().map(|item| item.evaluate(&frame)).collect::<Result<Values, _>>()?;
                feed.consume();
                Ok(Some(values))
            }
            (State::Set(set), PlanBody::Set(plan)) => set.next(&self.plan, plan, &scene),
            (State::Recursive(run), PlanBody::Recursive(plan)) => run.next(&self.plan, plan, &scene),
            (State::Values(position), PlanBody::Values(rows)) => {
                let Some(row) = rows.get(*position) else { return Ok(None) };
                let frame = scene.frame(&[]);
                let values = row.iter().map(|cell| cell.evaluate(&frame)).collect::<Result<Values, _>>()?;
                *position += 1;
                Ok(Some(values))
            }
            _ => Ok(None),
        }
    }

    /// The next row in row form.
    pub(super) fn next_row(&mut self, context: &ExecContext) -> Result<Option<Row>, Interrupt> {
        if let (State::Select { feed, tuple, encoder }, PlanBody::Select(select)) =
            (&mut self.state, &self.plan.body)
        {
            let scene = Scene { context, outer: None };
            if !feed.peek(&scene, tuple)? {
                return Ok(None);
            }
            let row = encoder.encode(&select.items, &scene.frame(tuple))?;
            feed.consume();
            return Ok(Some(row));
        }
        let layout = self.plan.layout();
        Ok(self.next(context, None)?.map(|values| row_of(&layout, &values)))
    }

    /// Passes over a row without computing its values; false at the end.
    pub(crate) fn advance(
        &mut self,
        context: &ExecContext,
        outer: Option<&Frame<'_>>,
    ) -> Result<bool, Interrupt> {
        if let State::Select { feed, tuple, .. } = &mut self.state {
            let found = feed.peek(&Scene { context, outer }, tuple)?;
            feed.consume();
            return Ok(found);
        }
        Ok(self.next(context, outer)?.is_some())
    }
}

/// The operators of a SELECT, first to last.
pub(super) fn pipeline(plan: &Arc<SelectPlan>) -> Box<dyn Operator> {
    let mut operator: Box<dyn Operator> = plan.relation.source();
    if plan.filter.is_some() {
        operator = Box::new(Filter::new(plan, |plan| plan.filter.as_ref(), operator));
    }
    if plan.aggregate.is_some() {
        operator = Box::new(Aggregation::new(plan, operator));
    }
    if plan.having.is_some() {
        operator = Box::new(Filter::new(plan, |plan| plan.having.as_ref(), operator));
    }
    if plan.windows.is_some() {
        operator = Box::new(Windowing::new(plan, operator));
    }
    if plan.distinct {
        operator = Box::new(Distinct::new(plan, operator));
    }
    if !plan.order_by.is_empty() {
        operator = Box::new(Sort::new(plan, operator));
    }
    if plan.top.is_some() || plan.offset.is_some() {
        operator = Box::new(Limit::new(plan, operator));
    }
    operator
}

/// A run of UNION, EXCEPT or INTERSECT.
struct SetRun {
    left: Run,
    right: Run,
    /// Whether the left side of a union has ended.
    left_ended: bool,
    /// Rows that UNION and EXCEPT do not give again; rows of the right side that INTERSECT still waits for.
    seen: HashSet<Vec<u8>>,
    right_read: bool,
}

impl SetRun {
    fn new(plan: &SetPlan) -> Self {
        Self {
            left: Run::start(&plan.left),
            right: Run::start(&plan.right),
            left_ended: false,
            seen: HashSet::new(),
            right_read: false,
        }
    }

    fn next(
        &mut self,
        whole: &QueryPlan,
        plan: &SetPlan,
        scene: &Scene<'_>,
    ) -> Result<Option<Values>, Interrupt> {
        match plan.operator {
            SetOperator::UnionAll => self.next_of_both(whole, plan, scene),
            SetOperator::Union => {
                while let Some(row) = self.next_of_both(whole, plan, scene)? {
                    if self.seen.insert(row_key(whole, &row)) {
                        return Ok(Some(row));
                    }
                }
                Ok(None)
            }
            SetOperator::Except | SetOperator::Intersect => self.next_compared(whole, plan, scene),
        }
    }

    fn next_of_both(
        &mut self,
        whole: &QueryPlan,
        plan: &SetPlan,
        scene: &Scene<'_>,
    ) -> Result<Option<Values>, Interrupt> {
        if !self.left_ended {
            if let Some(row) = self.left.next(scene.context, scene.outer)? {
                return converted(row, &plan.left, whole).map(Some);
            }
            self.left_ended = true;
        }
        match self.right.next(scene.context, scene.outer)? {
            Some(row) => converted(row, &plan.right, whole).map(Some),
            None => Ok(None),
        }
    }

    /// EXCEPT and INTERSECT give each row of the left side once, by whether the right side has it.
    fn next_compared(
        &mut self,
        whole: &QueryPlan,
        plan: &SetPlan,
        scene: &Scene<'_>,
    ) -> Result<Option<Values>, Interrupt> {
        while !self.right_read {
            match self.right.next(scene.context, scene.outer)? {
                Some(row) => {
                    let row = converted(row, &plan.right, whole)?;
                    self.seen.insert(row_key(whole, &row));
                }
                None => self.right_read = true,
            }
        }
        while let Some(row) = self.left.next(scene.context, scene.outer)? {
            let row = converted(row, &plan.left, whole)?;
            let key = row_key(whole, &row);
            let wanted = match plan.operator {
                SetOperator::Intersect => self.seen.remove(&key),
                _ => self.seen.insert(key),
            };
            if wanted {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }
}

/// One side's row with the types of the whole.
pub(super) fn converted(row: Values, side: &QueryPlan, whole: &QueryPlan) -> Result<Values, Interrupt> {
    let types =
        side.columns.iter().zip(&whole.columns).map(|(from, to)| (from.meta.sql_type, to.meta.sql_type));
    if types.clone().all(|(from, to)| from == to) {
        return Ok(row);
    }
    let values = row.iter().zip(types).map(|(value, (from, to))| convert(value.clone(), from, to, None));
    Ok(values.collect::<Result<Values, _>>()?)
}

fn row_key(plan: &QueryPlan, row: &[Value]) -> Vec<u8> {
    let mut key = Vec::new();
    for (value, column) in row.iter().zip(&plan.columns) {
        push_key(value, &column.collation.collation, &mut key);
    }
    key
}
