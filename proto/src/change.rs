//! Runs: a cut as it lies in the journal and as it is applied.
//!
//! ```text
//! RunStart            number, id, predecessor
//! Layout*             every layout that the run's rows use (a run explains itself)
//! Leave | LoadBegin | Rows | LoadProgress | LoadScanned | LoadEnd   in the order in which they take effect
//! RunEnd              versions and moments of the cut; written and synced after the cut was validated
//! ```
//!
//! A run without its end never happened.

use crate::{Condition, Key, Layout, LayoutId, Row, Value, Version};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// Identity of a journal; drawn when it is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct JournalId(pub Uuid);

/// Identity of a run; drawn when it begins. A run applies only after the run that it names as its predecessor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RunId(pub Uuid);

impl fmt::Display for JournalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Beginning of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStart {
    /// Contiguous number of the run within the stream, from 1.
    pub sequence: u64,
    /// Its identity.
    pub id: RunId,
    /// The run before it; None only for the first run of a stream.
    pub predecessor: Option<RunId>,
}

/// What the source showed for one key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Image {
    /// The row is there, with these values.
    Present(Row),
    /// No row has this key.
    Absent(Key),
}

impl Image {
    /// Roughly how many bytes it takes.
    pub fn size(&self) -> usize {
        match self {
            Self::Present(row) => row.size(),
            Self::Absent(key) => key.0.iter().map(Value::size).sum(),
        }
    }
}

/// Identity of a table's tracking. Any difference means that changes may have been lost between the two.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Incarnation {
    /// `object_id` of the table.
    pub object_id: i32,
    /// Version at which tracking began (again).
    pub begin_version: Version,
    /// Object id and creation time of the side table, where they may be read.
    pub side_table: Option<String>,
}

/// Why a set of keys is read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadKind {
    /// The whole table for the first time.
    First,
    /// The whole table again, by request or because its history was lost.
    Resync,
    /// The keys of `CHANGETABLE` after a base: a window that did not fit one cut.
    Window,
    /// The whole table, compared with what the target has; nothing is written.
    Verify,
    /// The whole table, compared, and what differs is written.
    Repair,
}

impl LoadKind {
    /// Whole-table loads end by re-reading the keys that they did not meet; others have no such end.
    pub fn is_whole_table(self) -> bool {
        !matches!(self, Self::Window)
    }

    /// A load that compares reads a table that is live and stays in step meanwhile.
    pub fn compares(self) -> bool {
        matches!(self, Self::Verify | Self::Repair)
    }
}

/// A load begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadMark {
    /// Table in the target.
    pub table: String,
    /// What is read.
    pub kind: LoadKind,
    /// The position at which the table left step: taken before the first chunk.
    pub base: Version,
    /// Identity of the table's tracking at that moment.
    pub incarnation: Incarnation,
    /// Why, in words for an operator.
    pub reason: String,
}

/// One entry of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// First entry.
    Start(RunStart),
    /// A layout that later entries name.
    Layout(Layout),
    /// A table leaves step: its history was lost or an operator asked.
    Leave {
        /// Table in the target.
        table: String,
        /// What it is from now on.
        condition: Condition,
        /// Why, in words for an operator.
        reason: String,
    },
    /// A load begins; the keys met so far are forgotten.
    LoadBegin(LoadMark),
    /// Current images of changed keys, in the order in which they were read.
    Rows {
        /// The rows' layout.
        layout: LayoutId,
        /// Images; the last one of a key within a run is the newest.
        images: Vec<Image>,
        /// Whether they belong to a load's chunk: their keys are remembered as met.
        chunk: bool,
    },
    /// A load's scan has come this far: it goes on after `resume`, whoever continues it.
    LoadProgress {
        /// Table in the target.
        table: String,
        /// Where the scan goes on, in the source's own words (see the source's `Bound`).
        resume: String,
        /// Rows read by the scan so far.
        rows: u64,
    },
    /// The load's scan has reached the end of its keys.
    LoadScanned {
        /// Table in the target.
        table: String,
        /// Rows read by the scan.
        rows: u64,
    },
    /// The load is done: the table is in step from this run on.
    LoadEnd {
        /// Table in the target.
        table: String,
        /// The whole table was read in this very cut: every key of the target that it did not meet is gone at the source.
        sweep: bool,
    },
    /// Last entry.
    End(Box<RunEnd>),
}

/// A moment at the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceMoment {
    /// The source's clock, microseconds since 1970-01-01 UTC.
    pub source_clock: i64,
    /// The agent's clock when the answer came, microseconds since 1970-01-01 UTC. Only differences to later readings of
    /// the same clock are used.
    pub agent_clock: i64,
}

/// A table's state at the end of a cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableMark {
    /// Table in the target.
    pub table: String,
    /// Its tracking.
    pub incarnation: Incarnation,
}

/// End of a run: written and synced only after every table in step or loading was validated again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunEnd {
    /// Identity of the run, again.
    pub id: RunId,
    /// Version read before the snapshot; the position after this run.
    pub to: Version,
    /// Version read after the snapshot.
    pub hi: Version,
    /// Identity of the commit `hi`, where the commit table may be read.
    pub hi_identity: Option<String>,
    /// When `to` was read.
    pub moment: SourceMoment,
    /// Tables validated with this cut.
    pub tables: Vec<TableMark>,
    /// Entries of the run before this one, start included.
    pub record_count: u64,
    /// Images in the run.
    pub image_count: u64,
}
