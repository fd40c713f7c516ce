//! Scanning tables, in chunks or, where locks are kept, row by row.
//!
//! A gap between keys is guarded by the key behind it. Only a key counts at which a row stands or may come to stand, so
//! that it cannot go away under the lock: whoever wants to take its row away needs its X lock first.

use std::sync::Arc;

use super::definition::{IndexRef, TableDef};
use super::keys::{self, KeyRange};
use super::lock::{Hold, LockMode, Resource};
use super::read::{RowLocks, TableRead};
use super::rows::{Entry, Found};
use super::state::State;
use super::{Engine, Interrupt, Key, Row};
use crate::types::{Reach, SqlError};

/// A read of a table in the order of one of its keys.
#[derive(Clone, Debug)]
pub struct Scan {
    /// Which order.
    pub index: IndexRef,
    /// Which part of it.
    pub range: KeyRange,
    /// Only what stands behind this position.
    pub after: Option<Key>,
    /// At most so many rows.
    pub limit: usize,
    /// The range has room for one row: once it is found, its neighbours do not matter.
    pub unique: bool,
}

/// A row that a scan met.
#[derive(Clone, Debug, PartialEq)]
pub struct ScannedRow {
    /// Where it stands in the scanned order; give the last one to the next scan.
    pub position: Key,
    /// Its key in the table.
    pub key: Key,
    /// The row.
    pub row: Row,
    /// Whether the scan locked it and should let go of it if the statement rejects it: [`Engine::release_row`].
    pub releasable: bool,
}

impl Engine {
    /// Reads a chunk in the order of an index; an empty one is the end.
    ///
    /// # Errors
    /// Waits for the lock on the first row met; one met later ends the chunk before it. 3960 where a SNAPSHOT transaction
    /// locks a row that was changed after its instant.
    pub fn scan(&self, read: &TableRead, scan: &Scan) -> Result<Vec<ScannedRow>, Interrupt> {
        let mut state = self.state();
        let found = match read.locks {
            RowLocks::Keep(mode) => state.scan_keeping(read, scan, (mode, false)),
            RowLocks::KeepRanges(mode) => state.scan_keeping(read, scan, (mode, true)),
            _ => state.scan_passing(read, scan),
        };
        if read.locks == RowLocks::PassWriters {
            state.locks.release_brief(read.transaction, None);
        }
        if matches!(&found, Err(Interrupt::Error(error)) if error.reach == Reach::Transaction) {
            state.end_transaction(read.transaction, None);
        }
        if let Ok(rows) = &found {
            self.shared.rows_read.add(rows.len());
        }
        found.map_err(|interrupt| interrupt.without_wait(read.no_wait))
    }

    /// Lets go of a row that a statement has rejected.
    pub fn release_row(&self, read: &TableRead, key: &Key) {
        self.state().locks.release(read.transaction, &read.table.row_resource(key));
    }
}

impl State {
    /// A chunk of rows that are not locked.
    fn scan_passing(&self, read: &TableRead, scan: &Scan) -> Result<Vec<ScannedRow>, Interrupt> {
        let rows = &self.table(&read.table)?.rows;
        let mut found = Vec::new();
        for step in rows.range(scan.index, &scan.range, scan.after.as_ref()) {
            if found.len() == scan.limit {
                break;
            }
            match self.look(read, scan.index, &step) {
                Ok(Some(row)) => {
                    let (position, key) = (Key::clone(step.position), Key::clone(step.key));
                    found.push(ScannedRow { position, key, row, releasable: false });
                }
                Ok(None) => {}
                Err(_) if read.skip_locked => {}
                Err(_) if !found.is_empty() => break,
                Err(wait) => return Err(wait),
            }
        }
        Ok(found)
    }

    /// The next row, locked.
    fn scan_keeping(
        &mut self,
        read: &TableRead,
        scan: &Scan,
        (mode, ranges): (LockMode, bool),
    ) -> Result<Vec<ScannedRow>, Interrupt> {
        let mut after = scan.after.clone();
        loop {
            let next = self.first_standing(&read.table, scan.index, (&scan.range, after.as_ref()))?;
            let Some((position, key)) = next else {
                if ranges {
                    self.keep_gap_behind(read, scan, mode)?;
                }
                return Ok(Vec::new());
            };
            let gap = ranges && !(scan.unique && scan.index == IndexRef::Primary);
            match self.keep(read, scan.index, (&position, &key), (mode, gap)) {
                Ok(Some((row, new))) => {
                    return Ok(vec![ScannedRow { position, key, row, releasable: new && !ranges }]);
                }
                Ok(None) => {}
                Err(Interrupt::Wait(_)) if read.skip_locked => {}
                Err(interrupt) => return Err(interrupt),
            }
            after = Some(position);
        }
    }

    /// Locks a row, and the gap before its position if asked for; the row as it then is, and whether its lock is new.
    fn keep(
        &mut self,
        read: &TableRead,
        index: IndexRef,
        (position, key): (&Key, &Key),
        (mode, gap): (LockMode, bool),
    ) -> Result<Option<(Row, bool)>, Interrupt> {
        let (me, resource) = (read.transaction, read.table.row_resource(key));
        let at_row = if gap && index == IndexRef::Primary { mode.ranged() } else { mode };
        if gap && index != IndexRef::Primary {
            let place = Resource::Key(read.table.reference(), index, Key::clone(position));
            self.lock(me, place, mode.ranged(), Hold::Transaction)?;
        }
        let new = self.lock(me, resource.clone(), at_row, Hold::Transaction)?;
        let entry = self.table(&read.table)?.rows.get(key);
        self.check_conflict(read, entry)?;
        let row = entry.and_then(|entry| entry.current(me)).cloned();
        let row = row.filter(|row| read.table.position(index, row, key) == *position);
        if row.is_none() && new && !gap {
            self.locks.release(me, &resource);
        }
        Ok(row.map(|row| (row, new)))
    }

    /// The visible row of a step, if it is there and belongs to this position of the index.
    ///
    /// # Errors
    /// Waits for a transaction that is writing the row, or will, as far as the read wants that.
    pub(super) fn look(
        &self,
        read: &TableRead,
        index: IndexRef,
        step: &Found<'_>,
    ) -> Result<Option<Row>, Interrupt> {
        let mode = match read.locks {
            RowLocks::PassWriters if step.entry.is_written_beside(read.transaction) => Some(LockMode::Shared),
            RowLocks::PassUpdaters => Some(LockMode::Update),
            _ => None,
        };
        if let Some(mode) = mode {
            self.check_lock(read.transaction, read.table.row_resource(step.key), mode)?;
        }
        self.check_conflict(read, Some(step.entry))?;
        let Some(row) = step.entry.visible(read.sight) else { return Ok(None) };
        if let IndexRef::Secondary(_) = index {
            let mut bytes = Vec::with_capacity(step.position.len());
            keys::encode_row(&read.table, read.table.index_columns(index), row, &mut bytes);
            if !step.position.starts_with(&bytes) {
                return Ok(None);
            }
        }
        Ok(Some(Arc::clone(row)))
    }

    /// 3960 where a SNAPSHOT transaction locks, to write it, a row that was changed after its instant.
    fn check_conflict(&self, read: &TableRead, entry: Option<&Entry>) -> Result<(), SqlError> {
        let newest = entry.and_then(|entry| entry.newest.as_ref()).map_or(0, |newest| newest.sequence);
        if read.conflict_after.is_some_and(|instant| newest > instant) {
            return Err(self.update_conflict(&read.table));
        }
        Ok(())
    }

    /// Locks the gap behind a scan's range, by the position that ends it.
    fn keep_gap_behind(&mut self, read: &TableRead, scan: &Scan, mode: LockMode) -> Result<(), Interrupt> {
        let (me, reference) = (read.transaction, read.table.reference());
        let mut behind = Resource::End(reference, scan.index);
        if let Some(to) = &scan.range.to {
            let range = KeyRange { from: to.clone(), to: None };
            if let Some((position, key)) = self.first_standing(&read.table, scan.index, (&range, None))? {
                let entry = self.table(&read.table)?.rows.get(&key);
                if entry.is_some_and(|entry| entry.is_written_beside(me)) {
                    // Its writer need not have locked the position, and may yet take it away.
                    self.check_lock(me, read.table.row_resource(&key), LockMode::Shared)?;
                }
                behind = Resource::Key(reference, scan.index, position);
            }
        }
        self.lock(me, behind, mode.ranged(), Hold::Transaction).map(drop)
    }

    /// What guards the gap into which a new position falls.
    pub(super) fn gap_at(
        &self,
        table: &TableDef,
        index: IndexRef,
        position: &Key,
    ) -> Result<Resource, SqlError> {
        let behind = KeyRange { from: position.to_vec(), to: None };
        let reference = table.reference();
        Ok(match self.first_standing(table, index, (&behind, Some(position)))? {
            Some((position, _)) => Resource::Key(reference, index, position),
            None => Resource::End(reference, index),
        })
    }

    /// Position and key of the first row of a range, behind `after` if given, that is there or may come to be.
    fn first_standing(
        &self,
        table: &TableDef,
        index: IndexRef,
        (range, after): (&KeyRange, Option<&Key>),
    ) -> Result<Option<(Key, Key)>, SqlError> {
        let mut steps = self.table(table)?.rows.range(index, range, after);
        let next = steps.find(|step| step.entry.stands_at(table, index, step.position));
        Ok(next.map(|step| (Key::clone(step.position), Key::clone(step.key))))
    }
}

impl Entry {
    /// Whether the table has a row at this position of an index, or an open transaction's write may leave one there.
    fn stands_at(&self, table: &TableDef, index: IndexRef, position: &Key) -> bool {
        match index {
            IndexRef::Primary => self.pending.is_some() || self.committed().is_some(),
            IndexRef::Secondary(_) => {
                let mut bytes = Vec::new();
                self.present_images().any(|row| {
                    bytes.clear();
                    keys::encode_row(table, table.index_columns(index), row, &mut bytes);
                    position.starts_with(&bytes)
                })
            }
        }
    }
}
