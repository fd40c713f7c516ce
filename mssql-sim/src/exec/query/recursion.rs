//! A run of a recursive common table expression.

use super::operator::Scene;
use super::plan::{QueryPlan, RecursivePlan};
use super::run::{Run, Values, converted};
use crate::engine::layout::row_of;
use crate::engine::{Interrupt, Row};
use crate::types::SqlError;

/// Makes level after level, until one has no rows.
pub(super) struct RecursiveRun {
    /// The query whose rows are being read.
    run: Run,
    /// Members of the level that are still to run.
    waiting: std::ops::Range<usize>,
    /// Rows of the level so far, for the next one.
    level: Vec<Row>,
    /// How many levels are behind the anchor.
    depth: u32,
}

impl RecursiveRun {
    pub(super) fn new(plan: &RecursivePlan) -> Self {
        Self { run: Run::start(&plan.anchor), waiting: 0..0, level: Vec::new(), depth: 0 }
    }

    /// The next row; 530 when there is one beyond the deepest level.
    pub(super) fn next(
        &mut self,
        whole: &QueryPlan,
        plan: &RecursivePlan,
        scene: &Scene<'_>,
    ) -> Result<Option<Values>, Interrupt> {
        loop {
            if let Some(row) = self.run.next(scene.context, scene.outer)? {
                if plan.max_recursion > 0 && self.depth > plan.max_recursion {
                    return Err(too_deep(plan.max_recursion).into());
                }
                let row = converted(row, self.run.plan(), whole)?;
                self.level.push(row_of(&plan.table.columns, &row));
                return Ok(Some(row));
            }
            if self.waiting.is_empty() {
                if self.level.is_empty() {
                    return Ok(None);
                }
                plan.table.set(std::mem::take(&mut self.level));
                self.waiting = 0..plan.members.len();
                self.depth += 1;
            }
            let Some(member) = self.waiting.next() else { return Ok(None) };
            self.run = Run::start(&plan.members[member]);
        }
    }
}

fn too_deep(limit: u32) -> SqlError {
    let message = format!(
        "The statement terminated. The maximum recursion {limit} has been exhausted before statement completion."
    );
    SqlError::statement(530, message)
}
