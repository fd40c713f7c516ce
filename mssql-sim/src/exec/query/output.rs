//! A query's rows in row form.
//!
//! Most items are columns as they are stored, so their bytes are copied and never decoded. A list that is all columns
//! of one table in their order is the stored row itself.

use super::plan::OutputColumn;
use crate::engine::{Interrupt, Row};
use crate::exec::expression::{ColumnRef, Frame, Node, Scalar, SourceRow};
use crate::wire::value;

/// How the items of a list become a row.
pub(super) struct Encoder {
    items: Vec<Item>,
    /// The place whose stored row is the result.
    whole: Option<usize>,
    buffer: Vec<u8>,
    /// Where columns begin in the row of each place; filled as far as columns are needed.
    offsets: Vec<Vec<usize>>,
    /// For each place, how many of its columns are copied from, counted from the first.
    reach: Vec<usize>,
}

/// One item and the column that it becomes.
struct Item {
    column: OutputColumn,
    /// Whether a stored row's bytes are the result's bytes.
    copied: bool,
}

impl Encoder {
    pub(super) fn new(scalars: &[Scalar], columns: &[OutputColumn]) -> Self {
        let mut reach: Vec<usize> = Vec::new();
        let mut items = Vec::new();
        for (scalar, column) in scalars.iter().zip(columns) {
            let copied = match &scalar.node {
                Node::Column(place) if place.depth == 0 => {
                    place.layout.get(place.column).is_some_and(|stored| {
                        if reach.len() <= place.source {
                            reach.resize(place.source + 1, 0);
                        }
                        reach[place.source] = reach[place.source].max(place.column + 1);
                        stored.nullable == column.meta.nullable
                            && stored.sql_type == column.meta.sql_type
                            && stored.collation == column.meta.collation
                    })
                }
                _ => false,
            };
            items.push(Item { column: column.clone(), copied });
        }
        let whole = whole_row(scalars).filter(|_| items.iter().all(|item| item.copied));
        Self { items, whole, buffer: Vec::new(), offsets: vec![Vec::new(); reach.len()], reach }
    }

    /// The row for what the tuple holds.
    pub(super) fn encode(&mut self, scalars: &[Scalar], frame: &Frame<'_>) -> Result<Row, Interrupt> {
        if let Some(SourceRow::Stored(row)) = self.whole.map(|place| &frame.tuple[place]) {
            return Ok(row.clone());
        }
        self.buffer.clear();
        self.offsets.iter_mut().for_each(Vec::clear);
        for (item, scalar) in self.items.iter().zip(scalars) {
            if let (true, Node::Column(place)) = (item.copied, &scalar.node)
                && let SourceRow::Stored(row) = &frame.tuple[place.source]
            {
                let offsets = &mut self.offsets[place.source];
                if offsets.is_empty() {
                    measure(row, place, self.reach[place.source], offsets);
                }
                self.buffer.extend_from_slice(&row[offsets[place.column]..offsets[place.column + 1]]);
                continue;
            }
            let meta = &item.column.meta;
            value::encode(&scalar.evaluate(frame)?, meta, &mut self.buffer);
        }
        Ok(self.buffer.as_slice().into())
    }
}

/// Notes where the first `count` columns of a row begin, and where the last of them ends.
fn measure(row: &[u8], place: &ColumnRef, count: usize, offsets: &mut Vec<usize>) {
    let mut rest = row;
    offsets.push(0);
    for meta in &place.layout[..count] {
        value::skip(&mut rest, meta);
        offsets.push(row.len() - rest.len());
    }
}

/// The place of which the list is every column in order.
fn whole_row(scalars: &[Scalar]) -> Option<usize> {
    let mut place = None;
    for (position, scalar) in scalars.iter().enumerate() {
        let Node::Column(column) = &scalar.node else { return None };
        let same = *place.get_or_insert(column.source) == column.source && column.depth == 0;
        if !same || column.column != position || column.layout.len() != scalars.len() {
            return None;
        }
    }
    place
}
