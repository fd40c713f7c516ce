//! Reading one run.

use crate::error::{Damage, StateError};
use crate::frame::Kind;
use crate::index::{IndexedRun, Records, StoredRecord};
use crate::queue::Queue;
use crate::switches::Switches;
use proto::{Record, RunEnd, RunStart};
use std::sync::Arc;

/// An ended run. Iterating yields its entries, start and end left out, reading the disk as it goes. Every entry was checked when
/// it comes out; after an error nothing more comes. It stays readable when the journal is trimmed of later runs, not of this one.
pub struct RunReader {
    start: RunStart,
    end: Arc<RunEnd>,
    records: Records,
    /// Number of the end's last frame.
    last: u64,
    record_count: u64,
    image_count: u64,
    finished: bool,
}

impl RunReader {
    pub(crate) fn new(queue: &Queue, run: &IndexedRun, switches: &Switches) -> Self {
        Self {
            start: run.start,
            end: Arc::clone(&run.end),
            records: Records::from(queue, run.first, switches),
            last: run.last,
            record_count: 0,
            image_count: 0,
            finished: false,
        }
    }

    /// Number, id and predecessor of the run.
    pub fn start(&self) -> &RunStart {
        &self.start
    }

    /// The cut's versions and moments.
    pub fn end(&self) -> &RunEnd {
        &self.end
    }

    /// The next entry; None when the run's end has been met where it must be.
    fn read(&mut self) -> Result<Option<Record>, Damage> {
        loop {
            let record = self.next_stored()?;
            let number = record.first;
            if record.label.run != self.start.id {
                return Err(Damage::Place { number, problem: "it belongs to another run" });
            }
            match record.label.kind {
                Kind::Start => self.record_count += 1,
                Kind::Entry => {
                    let entry = record.decode()?;
                    self.record_count += 1;
                    if let Record::Rows { images, .. } = &entry {
                        self.image_count += images.len() as u64;
                    }
                    return Ok(Some(entry));
                }
                Kind::End if self.is_complete() => return Ok(None),
                Kind::End => {
                    return Err(Damage::Place {
                        number,
                        problem: "it counts other entries than came before it",
                    });
                }
            }
        }
    }

    fn next_stored(&mut self) -> Result<StoredRecord, Damage> {
        let missing = || Damage::Gap { expected: self.last, found: None };
        self.records.next().ok_or_else(missing)?
    }

    fn is_complete(&self) -> bool {
        self.record_count == self.end.record_count && self.image_count == self.end.image_count
    }
}

impl Iterator for RunReader {
    type Item = Result<Record, StateError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let read = self.read().map_err(StateError::Damaged).transpose();
        self.finished = !matches!(read, Some(Ok(_)));
        read
    }
}
