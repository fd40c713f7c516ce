//! CHANGETABLE(CHANGES ..) as a source: read by ranges of its key, in chunks.

use std::collections::VecDeque;
use std::sync::Arc;

use super::operator::{Operator, Scene, Source};
use super::plan::ChangesLeaf;
use super::source::{FIRST_CHUNK, LARGEST_CHUNK};
use crate::engine::tracking::ChangeScan;
use crate::engine::{Interrupt, KeyRange, Row};
use crate::exec::expression::{SourceRow, Tuple};
use crate::types::Value;

/// The changes of a table since a version.
pub(super) struct ChangedRows {
    leaf: Arc<ChangesLeaf>,
    /// What is still to read; None before the read begins.
    rest: Option<Rest>,
    buffer: VecDeque<Row>,
}

/// What is still to read.
struct Rest {
    /// Ranges, the current one first.
    ranges: VecDeque<KeyRange>,
    /// The read of the current range.
    scan: ChangeScan,
}

impl ChangedRows {
    pub(super) fn new(leaf: &Arc<ChangesLeaf>) -> Self {
        Self { leaf: leaf.clone(), rest: None, buffer: VecDeque::new() }
    }

    fn begin(&self, scene: &Scene<'_>, tuple: &Tuple) -> Result<Rest, Interrupt> {
        let frame = scene.frame(tuple);
        let last_sync = match self.leaf.last_sync.evaluate(&frame)? {
            Value::Int(version) => Some(version),
            _ => None,
        };
        let ranges = self.leaf.access.ranges(&self.leaf.read.table, &frame)?.into();
        Ok(Rest { ranges, scan: ChangeScan { limit: FIRST_CHUNK, ..ChangeScan::all(last_sync) } })
    }

    /// Fills the buffer; false when everything is read.
    fn read(&mut self, scene: &Scene<'_>, tuple: &Tuple) -> Result<bool, Interrupt> {
        if self.rest.is_none() {
            self.rest = Some(self.begin(scene, tuple)?);
        }
        let Some(Rest { ranges, scan }) = &mut self.rest else { return Ok(false) };
        while let Some(range) = ranges.front() {
            scan.range = range.clone();
            let found = scene.context.engine.changes(&self.leaf.read, scan)?;
            scan.limit = (scan.limit * 2).min(LARGEST_CHUNK);
            scan.after = found.next;
            if scan.after.is_none() {
                ranges.pop_front();
            }
            if !found.rows.is_empty() {
                self.buffer = found.rows.into();
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Operator for ChangedRows {
    fn next(&mut self, scene: &Scene<'_>, tuple: &mut Tuple) -> Result<bool, Interrupt> {
        if self.buffer.is_empty() && !self.read(scene, tuple)? {
            return Ok(false);
        }
        let Some(row) = self.buffer.pop_front() else { return Ok(false) };
        tuple[self.leaf.place] = SourceRow::Stored(row);
        Ok(true)
    }
}

impl Source for ChangedRows {
    fn rewind(&mut self) {
        self.rest = None;
        self.buffer.clear();
    }
}
