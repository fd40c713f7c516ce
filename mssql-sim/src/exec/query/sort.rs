//! ORDER BY, DISTINCT, TOP, OFFSET and FETCH.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use super::operator::{Feed, Operator, Scene};
use super::plan::{SelectPlan, Top};
use super::row_key::push_key;
use crate::collation::Collation;
use crate::engine::Interrupt;
use crate::exec::expression::compare::compare_values;
use crate::exec::expression::{Frame, Scalar, Tuple};
use crate::types::{SqlError, Value};

/// Values to sort by, with text as its sort key.
pub(super) fn sort_values(keys: &[(Scalar, bool)], frame: &Frame<'_>) -> Result<Vec<Value>, Interrupt> {
    let values = keys.iter().map(|(scalar, _)| match scalar.evaluate(frame)? {
        Value::Text(units) => {
            let mut key = Vec::new();
            scalar.collation.collation.sort_key(&units, &mut key);
            Ok(Value::Bytes(key))
        }
        value => Ok(value),
    });
    values.collect()
}

/// Compares two rows' sort values.
pub(super) fn compare_sorted(keys: &[(Scalar, bool)], a: &[Value], b: &[Value]) -> Ordering {
    for ((_, descending), (a, b)) in keys.iter().zip(a.iter().zip(b)) {
        let ordering = compare_values(a, b, &Collation::DEFAULT);
        if ordering != Ordering::Equal {
            return if *descending { ordering.reverse() } else { ordering };
        }
    }
    Ordering::Equal
}

/// Reads everything, then gives it in order.
pub(super) struct Sort {
    plan: Arc<SelectPlan>,
    input: Feed<dyn Operator>,
    rows: Vec<(Vec<Value>, Tuple)>,
    sorted: Option<std::vec::IntoIter<(Vec<Value>, Tuple)>>,
}

impl Sort {
    pub(super) fn new(plan: &Arc<SelectPlan>, input: Box<dyn Operator>) -> Self {
        Self { plan: plan.clone(), input: Feed::new(input), rows: Vec::new(), sorted: None }
    }
}

impl Operator for Sort {
    fn next(&mut self, scene: &Scene<'_>, tuple: &mut Tuple) -> Result<bool, Interrupt> {
        while self.sorted.is_none() {
            if self.input.peek(scene, tuple)? {
                let values = sort_values(&self.plan.order_by, &scene.frame(tuple))?;
                self.rows.push((values, tuple.clone()));
                self.input.consume();
            } else {
                let mut rows = std::mem::take(&mut self.rows);
                rows.sort_by(|(a, _), (b, _)| compare_sorted(&self.plan.order_by, a, b));
                self.sorted = Some(rows.into_iter());
            }
        }
        match self.sorted.as_mut().and_then(Iterator::next) {
            Some((_, row)) => {
                *tuple = row;
                Ok(true)
            }
            None => Ok(false),
        }
    }
}

/// Gives the first of the rows with equal lists.
pub(super) struct Distinct {
    plan: Arc<SelectPlan>,
    input: Feed<dyn Operator>,
    seen: HashSet<Vec<u8>>,
}

impl Distinct {
    pub(super) fn new(plan: &Arc<SelectPlan>, input: Box<dyn Operator>) -> Self {
        Self { plan: plan.clone(), input: Feed::new(input), seen: HashSet::new() }
    }
}

impl Operator for Distinct {
    fn next(&mut self, scene: &Scene<'_>, tuple: &mut Tuple) -> Result<bool, Interrupt> {
        while self.input.peek(scene, tuple)? {
            let mut key = Vec::new();
            for item in &self.plan.items {
                push_key(&item.evaluate(&scene.frame(tuple))?, &item.collation.collation, &mut key);
            }
            self.input.consume();
            if self.seen.insert(key) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// TOP, OFFSET and FETCH.
pub(super) struct Limit {
    plan: Arc<SelectPlan>,
    input: Feed<dyn Operator>,
    /// Rows still to pass over and to give; None until they are evaluated.
    counts: Option<(u64, u64)>,
    /// All rows, where a percentage needs their number first.
    rows: Vec<Tuple>,
    given: usize,
    /// What the last row given is ordered by, for rows that tie with it.
    last: Option<Vec<Value>>,
}

impl Limit {
    pub(super) fn new(plan: &Arc<SelectPlan>, input: Box<dyn Operator>) -> Self {
        Self {
            plan: plan.clone(),
            input: Feed::new(input),
            counts: None,
            rows: Vec::new(),
            given: 0,
            last: None,
        }
    }

    fn evaluate_counts(&mut self, scene: &Scene<'_>, tuple: &mut Tuple) -> Result<(u64, u64), Interrupt> {
        let skip = match &self.plan.offset {
            Some(offset) => row_count(offset, scene)?,
            None => 0,
        };
        let take = match &self.plan.top {
            None => u64::MAX,
            Some(Top::Rows(count)) => row_count(count, scene)?,
            Some(Top::Percent(percent)) => {
                let percent = match percent.evaluate(&scene.frame(&[]))? {
                    Value::Float(percent) if (0.0..=100.0).contains(&percent) => percent,
                    _ => {
                        return Err(
                            SqlError::statement(1031, "Percent values must be between 0 and 100.").into()
                        );
                    }
                };
                while self.input.peek(scene, tuple)? {
                    self.rows.push(tuple.clone());
                    self.input.consume();
                }
                (self.rows.len() as f64 * percent / 100.0).ceil() as u64
            }
        };
        Ok((skip, take))
    }

    /// The next row before counting.
    fn pull(&mut self, scene: &Scene<'_>, tuple: &mut Tuple) -> Result<bool, Interrupt> {
        if let Some(row) = self.rows.get(self.given) {
            tuple.clone_from(row);
            self.given += 1;
            return Ok(true);
        }
        let found = self.input.peek(scene, tuple)?;
        self.input.consume();
        Ok(found)
    }
}

/// A number of rows; negative ones are error 1014.
fn row_count(scalar: &Scalar, scene: &Scene<'_>) -> Result<u64, Interrupt> {
    match scalar.evaluate(&scene.frame(&[]))? {
        Value::Int(n) if n >= 0 => Ok(n as u64),
        _ => {
            let message = "A TOP or FETCH clause contains an invalid value.";
            Err(SqlError::statement(1014, message).into())
        }
    }
}

impl Limit {
    /// Notes what the row in the tuple is ordered by.
    fn note_order(&mut self, scene: &Scene<'_>, tuple: &Tuple) -> Result<(), Interrupt> {
        if let Some(keys) = &self.plan.ties {
            self.last = Some(sort_values(keys, &scene.frame(tuple))?);
        }
        Ok(())
    }

    /// The next row if it ties with the last one given.
    fn next_tie(&mut self, scene: &Scene<'_>, tuple: &mut Tuple) -> Result<bool, Interrupt> {
        let (Some(keys), Some(last)) = (&self.plan.ties, &self.last) else { return Ok(false) };
        let (keys, last) = (keys.clone(), last.clone());
        if !self.pull(scene, tuple)? {
            return Ok(false);
        }
        let ties = compare_sorted(&keys, &sort_values(&keys, &scene.frame(tuple))?, &last).is_eq();
        if !ties {
            self.last = None;
        }
        Ok(ties)
    }
}

impl Operator for Limit {
    fn next(&mut self, scene: &Scene<'_>, tuple: &mut Tuple) -> Result<bool, Interrupt> {
        if self.counts.is_none() {
            self.counts = Some(self.evaluate_counts(scene, tuple)?);
        }
        loop {
            let Some((skip, take)) = self.counts.filter(|(_, take)| *take > 0) else {
                return self.next_tie(scene, tuple);
            };
            if !self.pull(scene, tuple)? {
                return Ok(false);
            }
            if skip == 0 {
                self.note_order(scene, tuple)?;
                self.counts = Some((0, take - 1));
                return Ok(true);
            }
            self.counts = Some((skip - 1, take));
        }
    }
}
