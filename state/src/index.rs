//! What is in the queue, found by reading all of it once at opening: which runs there are, and that they are whole.

use crate::codec::{self, CodecError};
use crate::error::{Damage, SetAside};
use crate::frame::{self, Kind, Label};
use crate::journal::Applied;
use crate::queue::{Frames, Queue};
use crate::switches::Switches;
use proto::{JournalId, Record, RunEnd, RunStart};
use std::collections::VecDeque;
use std::sync::Arc;

/// An ended run and where it lies.
#[derive(Clone, Debug)]
pub(crate) struct IndexedRun {
    pub(crate) start: RunStart,
    pub(crate) end: Arc<RunEnd>,
    /// Number of the start's first frame.
    pub(crate) first: u64,
    /// Number of the end's last frame.
    pub(crate) last: u64,
}

/// The ended runs, and what follows them.
#[derive(Default)]
pub(crate) struct Index {
    pub(crate) runs: VecDeque<IndexedRun>,
    /// Number of the frame after the last ended run.
    pub(crate) next_number: u64,
    /// Number of the last frame of a run that has no end.
    pub(crate) unfinished_last: Option<u64>,
}

/// A record put together from its frames.
pub(crate) struct StoredRecord {
    pub(crate) label: Label,
    pub(crate) first: u64,
    last: u64,
    payload: Vec<u8>,
}

/// Records in order of their numbers; every frame is checked.
pub(crate) struct Records {
    frames: Frames,
    /// Number of the frame that must come next.
    expected: Option<u64>,
    checksum: bool,
}

impl Records {
    /// All of the queue's records, wherever they begin.
    fn all(queue: &Queue, switches: &Switches) -> Self {
        Self { frames: queue.frames_from(0), expected: None, checksum: switches.checksum() }
    }

    /// The records whose first frame is `number`, and on.
    pub(crate) fn from(queue: &Queue, number: u64, switches: &Switches) -> Self {
        Self { frames: queue.frames_from(number), expected: Some(number), checksum: switches.checksum() }
    }

    /// None at the end, also when the last record is not whole.
    fn read(&mut self) -> Result<Option<StoredRecord>, Damage> {
        let mut record: Option<StoredRecord> = None;
        loop {
            let Some((number, bytes)) = self.frames.next().transpose()? else {
                return Ok(None);
            };
            if let Some(expected) = self.expected.filter(|expected| *expected != number) {
                return Err(Damage::Gap { expected, found: Some(number) });
            }
            self.expected = Some(number + 1);
            let frame = frame::decode(&bytes, number, self.checksum)
                .map_err(|source| Damage::Frame { number, source })?;
            let whole = record.get_or_insert_with(|| StoredRecord {
                label: frame.label,
                first: number,
                last: number,
                payload: Vec::with_capacity(frame.payload.len()),
            });
            if whole.label != frame.label {
                return Err(Damage::Place { number, problem: "it interrupts another record" });
            }
            whole.last = number;
            whole.payload.extend_from_slice(frame.payload);
            if !frame.continues {
                return Ok(record);
            }
        }
    }
}

impl Iterator for Records {
    type Item = Result<StoredRecord, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

impl StoredRecord {
    pub(crate) fn decode(&self) -> Result<Record, Damage> {
        codec::decode(&self.payload)
            .map_err(|source: CodecError| Damage::Payload { number: self.first, source })
    }
}

/// A run whose end has not been read yet.
struct OpenRun {
    start: RunStart,
    first: u64,
    record_count: u64,
}

impl OpenRun {
    fn begin(record: &StoredRecord, before: Option<&IndexedRun>) -> Result<Self, Damage> {
        let out_of_place = |problem| Damage::Place { number: record.first, problem };
        let Record::Start(start) = record.decode()? else {
            return Err(out_of_place("it is labelled as a start and is none"));
        };
        if start.id != record.label.run {
            return Err(out_of_place("it starts another run than it is labelled with"));
        }
        let continues = before.is_none_or(|before| {
            start.sequence == before.start.sequence + 1 && start.predecessor == Some(before.start.id)
        });
        if !continues {
            return Err(out_of_place("its run does not continue the run before it"));
        }
        Ok(Self { start, first: record.first, record_count: 1 })
    }

    fn end(self, record: &StoredRecord) -> Result<IndexedRun, Damage> {
        let out_of_place = |problem| Damage::Place { number: record.first, problem };
        let Record::End(end) = record.decode()? else {
            return Err(out_of_place("it is labelled as an end and is none"));
        };
        if end.id != self.start.id || end.record_count != self.record_count {
            return Err(out_of_place("it does not end the run before it"));
        }
        Ok(IndexedRun { start: self.start, end: Arc::from(end), first: self.first, last: record.last })
    }
}

impl Index {
    /// Reads and checks everything.
    pub(crate) fn scan(queue: &Queue, switches: &Switches) -> Result<Self, Damage> {
        let mut records = Records::all(queue, switches);
        let mut runs = VecDeque::new();
        let mut open: Option<OpenRun> = None;
        let mut first_number = None;
        while let Some(record) = records.read()? {
            first_number.get_or_insert(record.first);
            open = match (record.label.kind, open) {
                (Kind::Start, None) => Some(OpenRun::begin(&record, runs.back())?),
                (Kind::Entry, Some(run)) if run.start.id == record.label.run => {
                    Some(OpenRun { record_count: run.record_count + 1, ..run })
                }
                (Kind::End, Some(run)) if run.start.id == record.label.run => {
                    runs.push_back(run.end(&record)?);
                    None
                }
                _ => {
                    let problem = "it does not belong to the run around it";
                    return Err(Damage::Place { number: record.first, problem });
                }
            };
        }
        #[cfg(feature = "test-switches")]
        if let Some(torn) = open.take_if(|_| !switches.end_mark()) {
            runs.push_back(torn.believed(records.expected.unwrap_or_default()));
        }
        let after_runs = runs.back().map(|run: &IndexedRun| run.last + 1);
        let next_number = after_runs.or(first_number).or(records.expected.map(|next| next - 1)).unwrap_or(0);
        let unfinished_last = records.expected.filter(|next| *next > next_number).map(|next| next - 1);
        Ok(Self { runs, next_number, unfinished_last })
    }

    /// Whether the runs continue what the target has applied. A journal without runs continues everything.
    pub(crate) fn continues(&self, journal: JournalId, applied: Option<&Applied>) -> Result<(), SetAside> {
        let (Some(first), Some(last)) = (self.runs.front(), self.runs.back()) else {
            return Ok(());
        };
        let Some(applied) = applied.filter(|applied| applied.journal == journal) else {
            return Err(SetAside::Foreign {
                found: journal,
                expected: applied.map(|applied| applied.journal),
            });
        };
        if last.start.sequence < applied.sequence {
            return Err(SetAside::Older { last: last.start.sequence, applied: applied.sequence });
        }
        if first.start.sequence > applied.sequence + 1 {
            return Err(SetAside::Diverged { sequence: first.start.sequence });
        }
        let diverged = self.runs.iter().find(|run| {
            let is_last_applied = run.start.sequence == applied.sequence;
            let is_next = run.start.sequence == applied.sequence + 1;
            (is_last_applied && Some(run.start.id) != applied.last_run)
                || (is_next && run.start.predecessor != applied.last_run)
        });
        diverged.map_or(Ok(()), |run| Err(SetAside::Diverged { sequence: run.start.sequence }))
    }
}

#[cfg(feature = "test-switches")]
impl OpenRun {
    /// The run as it would pass if nobody asked for an end.
    fn believed(self, next_number: u64) -> IndexedRun {
        let end = RunEnd {
            id: self.start.id,
            to: proto::Version(0),
            hi: proto::Version(0),
            hi_identity: None,
            moment: proto::SourceMoment { source_clock: 0, agent_clock: 0 },
            tables: Vec::new(),
            record_count: self.record_count,
            image_count: 0,
        };
        IndexedRun { start: self.start, end: Arc::new(end), first: self.first, last: next_number - 1 }
    }
}
