//! What is captured: the position, the highest version seen, and where each table stands.
//!
//! The state moves only by observing the entries of ended runs, so the agent that captured a run and the agent that finds it in
//! the journal after a restart arrive at the same state.

use crate::apply::{StreamRow, TableState};
use proto::{Condition, Incarnation, LoadKind, LoadMark, Phase, Record, RunEnd, Version};
use std::collections::BTreeMap;

/// Captured state of one source.
#[derive(Clone, Debug, PartialEq)]
pub struct Captured {
    /// `to` of the last captured run; None before the first.
    pub position: Option<Version>,
    /// The highest version that any captured run has seen, and who committed it where that may be read.
    pub highest: Option<Seen>,
    /// Number of the last captured run.
    pub sequence: u64,
    /// Every table of the configuration, by its name in the target.
    pub tables: BTreeMap<String, Stage>,
}

/// A version and the identity of its commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The version.
    pub version: Version,
    /// Its commit, None where the commit table may not be read.
    pub identity: Option<String>,
}

/// Where a table stands in the capture.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// Nothing that was captured may be built on: a whole-table load has to begin.
    Out {
        /// First load or resync.
        kind: LoadKind,
        /// Why, for an operator.
        reason: String,
    },
    /// A load is under way; windows follow the source's position since it began.
    Loading(Load),
    /// Windows follow the source's position.
    Live(Incarnation),
    /// Left alone until an operator resumes it.
    Paused(Pause),
}

/// Where a table was paused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// The version after which its changes are missing, and its tracking then; None where only a whole-table load helps.
    pub since: Option<(Version, Incarnation)>,
}

/// A load under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// How it began.
    pub mark: LoadMark,
    /// Where its scan goes on; None at the beginning.
    pub resume: Option<String>,
    /// Rows read by its scan.
    pub rows: u64,
    /// The run with its last chunk, once the scan is done.
    pub scanned_in: Option<u64>,
}

impl Captured {
    /// A source of which nothing was captured yet.
    pub fn new(tables: impl IntoIterator<Item = String>) -> Self {
        let first = || Stage::Out { kind: LoadKind::First, reason: "first load".into() };
        Self {
            position: None,
            highest: None,
            sequence: 0,
            tables: tables.into_iter().map(|name| (name, first())).collect(),
        }
    }

    /// What the target has applied: where capture goes on when the journal holds nothing more.
    pub fn restore(tables: impl IntoIterator<Item = String>, row: &StreamRow, states: &[TableState]) -> Self {
        let mut captured = Self::new(tables);
        captured.sequence = row.applied_sequence;
        captured.position = row.position;
        captured.highest = row.hi.map(|version| Seen { version, identity: row.hi_identity.clone() });
        for state in states {
            if let Some(stage) = Stage::restore(state, row.position) {
                captured.set(&state.name, || stage);
            }
        }
        captured
    }

    /// Takes in one entry of an ended run. Rows change nothing here.
    pub fn observe(&mut self, sequence: u64, record: &Record) {
        match record {
            Record::Leave { table, condition: Condition::Paused, .. } => {
                let since = self.tables.get(table).and_then(|stage| stage.own_position(self.position));
                self.set(table, || Stage::Paused(Pause { since }));
            }
            Record::Leave { table, reason, .. } => {
                self.set(table, || Stage::Out { kind: LoadKind::Resync, reason: reason.clone() });
            }
            Record::LoadBegin(mark) => self.set(&mark.table, || {
                Stage::Loading(Load { mark: mark.clone(), resume: None, rows: 0, scanned_in: None })
            }),
            Record::LoadProgress { table, resume, rows } => {
                if let Some(load) = self.load_mut(table) {
                    load.resume = Some(resume.clone());
                    load.rows = *rows;
                }
            }
            Record::LoadScanned { table, rows } => {
                if let Some(load) = self.load_mut(table) {
                    load.rows = *rows;
                    load.scanned_in = Some(sequence);
                }
            }
            Record::LoadEnd { table, .. } => {
                if let Some(load) = self.load_mut(table) {
                    let incarnation = load.mark.incarnation.clone();
                    self.set(table, || Stage::Live(incarnation));
                }
            }
            Record::Start(_) | Record::Layout(_) | Record::Rows { .. } => {}
            Record::End(end) => self.ended(sequence, end),
        }
    }

    /// A run has ended: the position is its `to`.
    pub fn ended(&mut self, sequence: u64, end: &RunEnd) {
        self.sequence = sequence;
        self.position = Some(end.to);
        self.highest = Some(Seen { version: end.hi, identity: end.hi_identity.clone() });
    }

    /// A table that is no longer configured is not taken up again.
    fn set(&mut self, table: &str, stage: impl FnOnce() -> Stage) {
        if let Some(slot) = self.tables.get_mut(table) {
            *slot = stage();
        }
    }

    fn load_mut(&mut self, table: &str) -> Option<&mut Load> {
        match self.tables.get_mut(table) {
            Some(Stage::Loading(load)) => Some(load),
            _ => None,
        }
    }
}

impl Stage {
    /// The version up to which the target has the table whole, once everything captured is applied, and its tracking. The applier
    /// writes the same into `cdc.table_state` when the table is paused.
    fn own_position(&self, position: Option<Version>) -> Option<(Version, Incarnation)> {
        match self {
            Self::Live(incarnation) => Some((position?, incarnation.clone())),
            Self::Loading(load) if load.mark.kind.compares() => {
                Some((position?, load.mark.incarnation.clone()))
            }
            Self::Loading(load) => Some((load.base()?, load.mark.incarnation.clone())),
            Self::Out { .. } | Self::Paused(_) => None,
        }
    }

    /// None for a table of which nothing was applied yet. A condition that only a load ends means that the target's rows cannot be
    /// built on, whatever the phase says.
    fn restore(state: &TableState, position: Option<Version>) -> Option<Self> {
        let paused = Condition::Paused.to_string();
        if state.conditions.iter().any(|(condition, _)| *condition == paused) {
            return Some(Self::Paused(Pause { since: state.own_position.zip(state.incarnation.clone()) }));
        }
        if let (Some(mark), Some(_)) = (&state.load, position) {
            return Some(Self::Loading(Load {
                mark: mark.clone(),
                resume: state.load_resume.clone(),
                rows: state.load_rows,
                scanned_in: state.load_scanned,
            }));
        }
        let voided = [Condition::Suspect, Condition::Blind].map(|condition| condition.to_string());
        if let Some((_, reason)) = state.conditions.iter().find(|(condition, _)| voided.contains(condition)) {
            return Some(Self::Out { kind: LoadKind::Resync, reason: reason.clone() });
        }
        match &state.incarnation {
            Some(incarnation) if position.is_some() && state.phase == Phase::Live.to_string() => {
                Some(Self::Live(incarnation.clone()))
            }
            _ => None,
        }
    }
}

impl Load {
    /// The lowest version whose entries the load still needs, besides the source's position.
    pub fn base(&self) -> Option<Version> {
        (!self.mark.kind.is_whole_table() && self.scanned_in.is_none()).then_some(self.mark.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::{Condition, RunId, SourceMoment};

    fn incarnation(begin: i64) -> Incarnation {
        Incarnation { object_id: 7, begin_version: Version(begin), side_table: None }
    }

    fn end(to: i64) -> Record {
        Record::End(Box::new(RunEnd {
            id: RunId(uuid::Uuid::nil()),
            to: Version(to),
            hi: Version(to + 1),
            hi_identity: None,
            moment: SourceMoment { source_clock: 0, agent_clock: 0 },
            tables: Vec::new(),
            record_count: 0,
            image_count: 0,
        }))
    }

    #[test]
    fn a_table_walks_from_its_first_load_through_lost_history_back_to_live() {
        let mut captured = Captured::new(["orders".to_owned()]);
        let mark = LoadMark {
            table: "orders".into(),
            kind: LoadKind::First,
            base: Version(4),
            incarnation: incarnation(1),
            reason: "first load".into(),
        };
        captured.observe(1, &Record::LoadBegin(mark.clone()));
        captured.observe(1, &Record::LoadProgress { table: "orders".into(), resume: "k".into(), rows: 10 });
        captured.observe(1, &end(4));
        assert!(matches!(&captured.tables["orders"], Stage::Loading(load) if load.scanned_in.is_none()));
        captured.observe(2, &Record::LoadScanned { table: "orders".into(), rows: 12 });
        captured.observe(2, &end(6));
        let Stage::Loading(load) = &captured.tables["orders"] else { panic!("loading") };
        assert_eq!((load.resume.as_deref(), load.rows, load.scanned_in), (Some("k"), 12, Some(2)));
        captured.observe(3, &Record::LoadEnd { table: "orders".into(), sweep: false });
        captured.observe(3, &end(7));
        assert_eq!(captured.tables["orders"], Stage::Live(incarnation(1)));
        assert_eq!((captured.position, captured.sequence), (Some(Version(7)), 3));
        captured.observe(
            4,
            &Record::Leave {
                table: "orders".into(),
                condition: Condition::Blind,
                reason: "truncated".into(),
            },
        );
        assert!(matches!(&captured.tables["orders"], Stage::Out { kind: LoadKind::Resync, .. }));
        captured.observe(4, &Record::LoadBegin(LoadMark { kind: LoadKind::Resync, ..mark }));
        assert!(matches!(&captured.tables["orders"], Stage::Loading(load) if load.resume.is_none()));
    }
}
