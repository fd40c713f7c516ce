//! Writing one run.

use crate::codec::{self, CodecError};
use crate::error::StateError;
use crate::frame::{self, Kind, Label};
use crate::index::IndexedRun;
use crate::journal::{Inner, LastRun};
use crate::queue::Queue;
use proto::{Image, LayoutId, Record, RunEnd, RunId, RunStart};
use std::sync::Arc;
use uuid::Uuid;

/// Rows per record, by the size of their values. One record then mostly fits one frame.
const RECORD_BYTES: usize = 56 << 10;

/// A run being written. Dropped without [`RunWriter::end`], it never happened.
pub struct RunWriter {
    journal: Arc<Inner>,
    queue: Queue,
    start: RunStart,
    first: u64,
    next: u64,
    record_count: u64,
    image_count: u64,
    ended: bool,
}

impl RunWriter {
    pub(crate) fn begin(
        journal: Arc<Inner>,
        queue: Queue,
        first: u64,
        last: LastRun,
    ) -> Result<Self, StateError> {
        let start = RunStart { sequence: last.sequence + 1, id: RunId(Uuid::new_v4()), predecessor: last.id };
        let mut writer =
            Self { journal, queue, start, first, next: first, record_count: 0, image_count: 0, ended: false };
        writer.write(Kind::Start, LayoutId(0), codec::encode(&Record::Start(start)))?;
        Ok(writer)
    }

    /// Number, id and predecessor of the run.
    pub fn start(&self) -> &RunStart {
        &self.start
    }

    /// Adds an entry; rows are split into records of a good size. Start and end are not entries: the writer makes them.
    ///
    /// # Errors
    /// The queue cannot be written, or the record has no stored form.
    pub fn append(&mut self, record: &Record) -> Result<(), StateError> {
        if let Record::Rows { layout, images, chunk } = record {
            return self.append_rows(*layout, images, *chunk);
        }
        self.write(Kind::Entry, LayoutId(0), codec::encode(record))
    }

    fn append_rows(&mut self, layout: LayoutId, images: &[Image], chunk: bool) -> Result<(), StateError> {
        let mut rest = images;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rows_of_one_record(rest));
            self.write(Kind::Entry, layout, codec::encode_rows(layout, piece, chunk))?;
            self.image_count += piece.len() as u64;
            rest = after;
        }
        Ok(())
    }

    /// Ends the run: when this returns, it is on the disk and readers see it. The counts and the id in `end` are the writer's.
    ///
    /// # Errors
    /// The queue cannot be written or synced. Whether the run is there shows when the journal is opened again.
    pub fn end(mut self, mut end: RunEnd) -> Result<RunStart, StateError> {
        end.id = self.start.id;
        end.record_count = self.record_count;
        end.image_count = self.image_count;
        let record = Record::End(Box::new(end.clone()));
        self.write(Kind::End, LayoutId(0), codec::encode(&record))?;
        self.queue.sync(self.journal.switches()).inspect_err(|_| self.journal.stop())?;
        self.ended = true;
        self.journal.run_has_ended(IndexedRun {
            start: self.start,
            end: Arc::new(end),
            first: self.first,
            last: self.next - 1,
        })?;
        Ok(self.start)
    }

    fn write(
        &mut self,
        kind: Kind,
        layout: LayoutId,
        payload: Result<Vec<u8>, CodecError>,
    ) -> Result<(), StateError> {
        let payload = payload.map_err(StateError::Record)?;
        let label = Label { kind, run: self.start.id, layout };
        for bytes in frame::encode(label, self.next, &payload) {
            self.queue.insert(self.next, bytes).inspect_err(|_| self.journal.stop())?;
            self.next += 1;
        }
        self.record_count += 1;
        Ok(())
    }
}

impl Drop for RunWriter {
    fn drop(&mut self) {
        if !self.ended {
            self.journal.run_was_dropped((self.next > self.first).then(|| self.next - 1));
        }
    }
}

/// How many of the images, at least one, make one record.
fn rows_of_one_record(images: &[Image]) -> usize {
    let mut bytes = 0;
    let fitting = images.iter().take_while(|image| {
        bytes += match image {
            Image::Present(row) => row.size(),
            Image::Absent(key) => key.0.iter().map(proto::Value::size).sum(),
        };
        bytes <= RECORD_BYTES
    });
    fitting.count().max(1)
}
