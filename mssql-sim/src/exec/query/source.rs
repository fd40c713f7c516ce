//! Sources of rows: tables, computed rows, queries in FROM.

use std::collections::VecDeque;
use std::sync::Arc;

use super::changed_rows::ChangedRows;
use super::join::{HashJoin, LookupJoin};
use super::operator::{FilteredSource, OneRow, Operator, Scene, Source};
use super::plan::{DerivedLeaf, JoinMethod, MadeLeaf, Maker, Relation, TableLeaf};
use super::run::Run;
use crate::engine::{IndexRef, Interrupt, Key, KeyRange, Row, Scan, ScannedRow, key_prefix};
use crate::exec::expression::{Frame, SourceRow, Tuple};
use crate::types::Value;

/// Rows of the first read of a range; each further read takes twice as many.
pub(super) const FIRST_CHUNK: usize = 32;
pub(super) const LARGEST_CHUNK: usize = 1024;

impl Relation {
    /// A run of the relation.
    pub(super) fn source(&self) -> Box<dyn Source> {
        match self {
            Self::Nothing => Box::new(OneRow::default()),
            Self::Table(leaf) => Box::new(TableScan::new(leaf)),
            Self::Changes(leaf) => Box::new(ChangedRows::new(leaf)),
            Self::Made(leaf) => Box::new(MadeRows { leaf: leaf.clone(), rows: None, position: 0 }),
            Self::Derived(leaf) => Box::new(DerivedRows { leaf: leaf.clone(), run: None }),
            Self::Filtered(plan) => Box::new(FilteredSource::new(plan)),
            Self::Join(plan) => match &plan.method {
                JoinMethod::Lookup => Box::new(LookupJoin::new(plan)),
                JoinMethod::Hash(_) => Box::new(HashJoin::new(plan)),
            },
        }
    }
}

/// Reads a table range by range, each in chunks of growing size.
struct TableScan {
    leaf: Arc<TableLeaf>,
    /// Ranges still to read, the current one first; None before the read begins.
    ranges: Option<VecDeque<KeyRange>>,
    after: Option<Key>,
    buffer: VecDeque<ScannedRow>,
    chunk: usize,
    /// Key of the last row given, if its lock may go with it.
    releasable: Option<Key>,
}

impl TableScan {
    fn new(leaf: &Arc<TableLeaf>) -> Self {
        Self {
            leaf: leaf.clone(),
            ranges: None,
            after: None,
            buffer: VecDeque::new(),
            chunk: FIRST_CHUNK,
            releasable: None,
        }
    }

    /// Fills the buffer; false when everything is read.
    fn read(&mut self, scene: &Scene<'_>, tuple: &Tuple) -> Result<bool, Interrupt> {
        let ranges = match &mut self.ranges {
            Some(ranges) => ranges,
            None => {
                let ranges = self.leaf.access.ranges(&self.leaf.read.table, &scene.frame(tuple))?;
                self.ranges.insert(ranges.into())
            }
        };
        while let Some(range) = ranges.front() {
            let unique = self.leaf.access.unique;
            let limit = if unique { 1 } else { self.chunk };
            let scan = Scan {
                index: self.leaf.access.index,
                range: range.clone(),
                after: self.after.clone(),
                limit,
                unique,
            };
            let rows = scene.context.engine.scan(&self.leaf.read, &scan)?;
            match rows.last() {
                Some(last) if !unique => {
                    self.after = Some(last.position.clone());
                    self.chunk = (self.chunk * 2).min(LARGEST_CHUNK);
                }
                _ => {
                    ranges.pop_front();
                    self.after = None;
                }
            }
            if !rows.is_empty() {
                self.buffer = rows.into();
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Operator for TableScan {
    fn next(&mut self, scene: &Scene<'_>, tuple: &mut Tuple) -> Result<bool, Interrupt> {
        if self.buffer.is_empty() && !self.read(scene, tuple)? {
            return Ok(false);
        }
        let Some(found) = self.buffer.pop_front() else { return Ok(false) };
        tuple[self.leaf.place] = SourceRow::Stored(found.row);
        if let Some(place) = self.leaf.key_place {
            tuple[place] = SourceRow::Computed(Arc::new([Value::Bytes(found.key.to_vec())]));
        }
        self.releasable = found.releasable.then_some(found.key);
        Ok(true)
    }

    fn reject(&mut self, scene: &Scene<'_>) {
        if let Some(key) = self.releasable.take() {
            scene.context.engine.release_row(&self.leaf.read, &key);
        }
    }
}

impl Source for TableScan {
    fn rewind(&mut self) {
        self.ranges = None;
        self.after = None;
        self.buffer.clear();
        self.chunk = FIRST_CHUNK;
    }
}

/// Rows that are made at once: of a catalog view, of a function, of CHANGETABLE(VERSION ..).
struct MadeRows {
    leaf: Arc<MadeLeaf>,
    rows: Option<Vec<Row>>,
    position: usize,
}

impl Maker {
    fn rows(&self, frame: &Frame<'_>) -> Result<Vec<Row>, Interrupt> {
        let context = frame.context;
        match self {
            Self::View { view, database, key } => {
                let (engine, names) = (&context.engine, &context.names);
                match key.as_ref().map(|key| key.evaluate(frame)).transpose()? {
                    Some(Value::Null) => Ok(Vec::new()),
                    Some(Value::Int(key)) => Ok(view.rows_by_key(engine, names, *database, key)?),
                    _ => Ok(view.rows(engine, names, *database)?),
                }
            }
            Self::Function(function) => function.rows(frame),
            Self::Working(table) => Ok(table.rows()),
            Self::Version { read, table, key } => {
                let values = key.iter().map(|k| k.evaluate(frame)).collect::<Result<Vec<_>, _>>()?;
                if values.iter().any(Value::is_null) {
                    return Ok(Vec::new());
                }
                let key = key_prefix(table, IndexRef::Primary, &values);
                Ok(context.engine.version_of(read, &key)?.into_iter().collect())
            }
        }
    }

    /// Whether the rows depend on other sources' rows.
    fn varies(&self) -> bool {
        matches!(
            self,
            Self::Function(_) | Self::Working(_) | Self::Version { .. } | Self::View { key: Some(_), .. }
        )
    }
}

impl Operator for MadeRows {
    fn next(&mut self, scene: &Scene<'_>, tuple: &mut Tuple) -> Result<bool, Interrupt> {
        let rows = match &self.rows {
            Some(rows) => rows,
            None => {
                let rows = self.leaf.maker.rows(&scene.frame(tuple))?;
                self.rows.insert(rows)
            }
        };
        let Some(row) = rows.get(self.position) else { return Ok(false) };
        tuple[self.leaf.place] = SourceRow::Stored(row.clone());
        self.position += 1;
        Ok(true)
    }
}

impl Source for MadeRows {
    fn rewind(&mut self) {
        self.position = 0;
        if self.leaf.maker.varies() {
            self.rows = None;
        }
    }
}

/// A query in FROM.
struct DerivedRows {
    leaf: Arc<DerivedLeaf>,
    run: Option<Run>,
}

impl Operator for DerivedRows {
    fn next(&mut self, scene: &Scene<'_>, tuple: &mut Tuple) -> Result<bool, Interrupt> {
        let run = self.run.get_or_insert_with(|| Run::start(&self.leaf.plan));
        let row = if self.leaf.lateral {
            run.next(scene.context, Some(&scene.frame(tuple)))?
        } else {
            run.next(scene.context, scene.outer)?
        };
        let Some(row) = row else { return Ok(false) };
        tuple[self.leaf.place] = SourceRow::Computed(row);
        Ok(true)
    }
}

impl Source for DerivedRows {
    fn rewind(&mut self) {
        self.run = None;
    }
}
