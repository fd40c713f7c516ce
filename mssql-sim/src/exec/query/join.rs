//! Joins.

use std::collections::HashMap;
use std::sync::Arc;

use super::operator::{Feed, Operator, Scene, Source};
use super::plan::{EqualPair, JoinMethod, JoinPlan, OuterKind};
use super::row_key::push_key;
use crate::engine::Interrupt;
use crate::exec::expression::{Scalar, SourceRow, Tuple};

impl JoinPlan {
    /// Whether the rows in the tuple are partners.
    fn accepts(&self, scene: &Scene<'_>, tuple: &Tuple) -> Result<bool, Interrupt> {
        match &self.on {
            Some(condition) => Ok(condition.evaluate(&scene.frame(tuple))? == Some(true)),
            None => Ok(true),
        }
    }

    fn clear_right(&self, tuple: &mut Tuple) {
        self.right_places.iter().for_each(|place| tuple[*place] = SourceRow::Absent);
    }
}

/// Runs the right side again for each left row.
pub(super) struct LookupJoin {
    plan: Arc<JoinPlan>,
    left: Feed<dyn Source>,
    right: Feed<dyn Source>,
    /// Whether the right side has begun for the current left row.
    begun: bool,
    matched: bool,
}

impl LookupJoin {
    pub(super) fn new(plan: &Arc<JoinPlan>) -> Self {
        let (left, right) = (Feed::new(plan.left.source()), Feed::new(plan.right.source()));
        Self { plan: plan.clone(), left, right, begun: false, matched: false }
    }
}

impl Operator for LookupJoin {
    fn next(&mut self, scene: &Scene<'_>, tuple: &mut Tuple) -> Result<bool, Interrupt> {
        while self.left.peek(scene, tuple)? {
            if !self.begun {
                self.right.rewind();
                (self.begun, self.matched) = (true, false);
            }
            while self.right.peek(scene, tuple)? {
                if self.plan.accepts(scene, tuple)? {
                    self.right.consume();
                    self.matched = true;
                    return Ok(true);
                }
                self.right.reject(scene);
            }
            self.left.consume();
            self.begun = false;
            if self.plan.kind == OuterKind::Left && !self.matched {
                self.plan.clear_right(tuple);
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Source for LookupJoin {
    fn rewind(&mut self) {
        self.left.rewind();
        self.begun = false;
    }
}

/// Reads the right side once and finds partners by their keys.
pub(super) struct HashJoin {
    plan: Arc<JoinPlan>,
    left: Feed<dyn Source>,
    right: Feed<dyn Source>,
    built: bool,
    /// Rows of the right side, by the plan's right places.
    rows: Vec<Vec<SourceRow>>,
    by_key: HashMap<Vec<u8>, Vec<usize>>,
    /// Which right rows found a partner.
    partnered: Vec<bool>,
    probe: Option<Probe>,
    /// The next right row to look at when the left side has ended, for a full join.
    leftover: usize,
}

/// The search for partners of the current left row.
struct Probe {
    candidates: Vec<usize>,
    position: usize,
    matched: bool,
}

impl HashJoin {
    pub(super) fn new(plan: &Arc<JoinPlan>) -> Self {
        Self {
            plan: plan.clone(),
            left: Feed::new(plan.left.source()),
            right: Feed::new(plan.right.source()),
            built: false,
            rows: Vec::new(),
            by_key: HashMap::new(),
            partnered: Vec::new(),
            probe: None,
            leftover: 0,
        }
    }

    fn pairs(&self) -> &[EqualPair] {
        match &self.plan.method {
            JoinMethod::Hash(pairs) => pairs,
            JoinMethod::Lookup => &[],
        }
    }

    /// The key of one side's row; None if a part is NULL, which equals nothing.
    fn key(
        &self,
        side: fn(&EqualPair) -> &Scalar,
        scene: &Scene<'_>,
        tuple: &Tuple,
    ) -> Result<Option<Vec<u8>>, Interrupt> {
        let mut key = Vec::new();
        for pair in self.pairs() {
            let value = side(pair).evaluate(&scene.frame(tuple))?;
            if value.is_null() {
                return Ok(None);
            }
            push_key(&value, &pair.collation, &mut key);
        }
        Ok(Some(key))
    }

    fn build(&mut self, scene: &Scene<'_>, tuple: &mut Tuple) -> Result<(), Interrupt> {
        while self.right.peek(scene, tuple)? {
            let key = self.key(|pair| &pair.right, scene, tuple)?;
            self.right.consume();
            if let Some(key) = key {
                self.by_key.entry(key).or_default().push(self.rows.len());
            }
            self.rows.push(self.plan.right_places.iter().map(|place| tuple[*place].clone()).collect());
            self.partnered.push(false);
        }
        self.built = true;
        Ok(())
    }

    fn place_right(&self, row: usize, tuple: &mut Tuple) {
        for (place, part) in self.plan.right_places.iter().zip(&self.rows[row]) {
            tuple[*place] = part.clone();
        }
    }

    /// The next partner of the current left row; false when there is none left.
    fn next_partner(&mut self, scene: &Scene<'_>, tuple: &mut Tuple) -> Result<bool, Interrupt> {
        while let Some(row) = self.probe.as_ref().and_then(|p| p.candidates.get(p.position)).copied() {
            self.place_right(row, tuple);
            let accepted = self.plan.accepts(scene, tuple)?;
            if let Some(probe) = &mut self.probe {
                probe.position += 1;
                probe.matched |= accepted;
            }
            if accepted {
                self.partnered[row] = true;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Right rows without a partner, after the left side has ended.
    fn next_leftover(&mut self, tuple: &mut Tuple) -> bool {
        while self.leftover < self.rows.len() {
            let row = self.leftover;
            self.leftover += 1;
            if !self.partnered[row] {
                self.plan.left_places.iter().for_each(|place| tuple[*place] = SourceRow::Absent);
                self.place_right(row, tuple);
                return true;
            }
        }
        false
    }
}

impl Operator for HashJoin {
    fn next(&mut self, scene: &Scene<'_>, tuple: &mut Tuple) -> Result<bool, Interrupt> {
        if !self.built {
            self.build(scene, tuple)?;
        }
        while self.left.peek(scene, tuple)? {
            if self.probe.is_none() {
                let key = self.key(|pair| &pair.left, scene, tuple)?;
                let candidates = key.and_then(|key| self.by_key.get(&key)).cloned().unwrap_or_default();
                self.probe = Some(Probe { candidates, position: 0, matched: false });
            }
            if self.next_partner(scene, tuple)? {
                return Ok(true);
            }
            let alone = self.probe.take().is_some_and(|probe| !probe.matched);
            self.left.consume();
            if alone && self.plan.kind != OuterKind::Inner {
                self.plan.clear_right(tuple);
                return Ok(true);
            }
        }
        Ok(self.plan.kind == OuterKind::Full && self.next_leftover(tuple))
    }
}

impl Source for HashJoin {
    fn rewind(&mut self) {
        self.left.rewind();
        self.right.rewind();
        self.built = false;
        self.rows.clear();
        self.by_key.clear();
        self.partnered.clear();
        self.probe = None;
        self.leftover = 0;
    }
}
