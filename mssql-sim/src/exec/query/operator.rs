//! How rows move: every operator is asked for the next row and leaves it in the tuple that all operators of a query
//! share.
//!
//! A lock can stop an operator anywhere. It then returns the wait and must be able to go on later as if nothing had
//! happened: a row that was read but not yet dealt with stays in the tuple, and [`Feed`] remembers that it is there.

use std::sync::Arc;

use super::plan::{FilteredPlan, SelectPlan};
use crate::engine::Interrupt;
use crate::exec::context::ExecContext;
use crate::exec::expression::{Condition, Frame, SourceRow, Tuple};

/// Where a query runs.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) context: &'a ExecContext,
    /// The enclosing query's row.
    pub(super) outer: Option<&'a Frame<'a>>,
}

impl Scene<'_> {
    /// A frame for expressions over the tuple.
    pub(super) fn frame<'t>(&'t self, tuple: &'t [SourceRow]) -> Frame<'t> {
        Frame { context: self.context, tuple, outer: self.outer }
    }
}

/// One step of a query.
pub(super) trait Operator: Send {
    /// Puts the next row into the tuple; false at the end.
    fn next(&mut self, scene: &Scene<'_>, tuple: &mut Tuple) -> Result<bool, Interrupt>;

    /// The last row does not satisfy a condition: what was locked for it alone may go.
    fn reject(&mut self, _: &Scene<'_>) {}
}

/// A source of a FROM clause, which can begin again.
pub(super) trait Source: Operator {
    /// Begins again, with what the tuple holds now.
    fn rewind(&mut self);
}

/// An operator's input.
pub(super) struct Feed<O: Operator + ?Sized> {
    input: Box<O>,
    /// Whether the tuple holds a row that was not yet dealt with.
    pending: bool,
}

impl<O: Operator + ?Sized> Feed<O> {
    pub(super) fn new(input: Box<O>) -> Self {
        Self { input, pending: false }
    }

    /// Makes sure that the tuple holds a row; false at the end.
    pub(super) fn peek(&mut self, scene: &Scene<'_>, tuple: &mut Tuple) -> Result<bool, Interrupt> {
        if !self.pending {
            self.pending = self.input.next(scene, tuple)?;
        }
        Ok(self.pending)
    }

    /// The row is dealt with.
    pub(super) fn consume(&mut self) {
        self.pending = false;
    }

    /// The row is dealt with: it does not satisfy a condition.
    pub(super) fn reject(&mut self, scene: &Scene<'_>) {
        self.pending = false;
        self.input.reject(scene);
    }
}

impl Feed<dyn Source> {
    pub(super) fn rewind(&mut self) {
        self.pending = false;
        self.input.rewind();
    }
}

/// SELECT without FROM.
#[derive(Default)]
pub(super) struct OneRow {
    given: bool,
}

impl Operator for OneRow {
    fn next(&mut self, _: &Scene<'_>, _: &mut Tuple) -> Result<bool, Interrupt> {
        Ok(!std::mem::replace(&mut self.given, true))
    }
}

impl Source for OneRow {
    fn rewind(&mut self) {
        self.given = false;
    }
}

/// Keeps the rows of a source that satisfy its condition.
pub(super) struct FilteredSource {
    plan: Arc<FilteredPlan>,
    input: Feed<dyn Source>,
}

impl FilteredSource {
    pub(super) fn new(plan: &Arc<FilteredPlan>) -> Self {
        Self { plan: plan.clone(), input: Feed::new(plan.input.source()) }
    }
}

impl Operator for FilteredSource {
    fn next(&mut self, scene: &Scene<'_>, tuple: &mut Tuple) -> Result<bool, Interrupt> {
        while self.input.peek(scene, tuple)? {
            if self.plan.condition.evaluate(&scene.frame(tuple))? == Some(true) {
                self.input.consume();
                return Ok(true);
            }
            self.input.reject(scene);
        }
        Ok(false)
    }

    fn reject(&mut self, scene: &Scene<'_>) {
        self.input.reject(scene);
    }
}

impl Source for FilteredSource {
    fn rewind(&mut self) {
        self.input.rewind();
    }
}

/// Keeps the rows for which a condition of the query is true.
pub(super) struct Filter {
    plan: Arc<SelectPlan>,
    /// Which condition of the plan.
    condition: fn(&SelectPlan) -> Option<&Condition>,
    input: Feed<dyn Operator>,
}

impl Filter {
    pub(super) fn new(
        plan: &Arc<SelectPlan>,
        condition: fn(&SelectPlan) -> Option<&Condition>,
        input: Box<dyn Operator>,
    ) -> Self {
        Self { plan: plan.clone(), condition, input: Feed::new(input) }
    }
}

impl Operator for Filter {
    fn next(&mut self, scene: &Scene<'_>, tuple: &mut Tuple) -> Result<bool, Interrupt> {
        while self.input.peek(scene, tuple)? {
            let keep = match (self.condition)(&self.plan) {
                Some(condition) => condition.evaluate(&scene.frame(tuple))? == Some(true),
                None => true,
            };
            if keep {
                self.input.consume();
                return Ok(true);
            }
            self.input.reject(scene);
        }
        Ok(false)
    }
}
