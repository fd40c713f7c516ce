//! The rows of one table: versions by key, and its indexes.
//!
//! An index maps its key bytes followed by the row's key to the row's key. It has an entry for every image that an
//! entry of the table still holds, pending or old ones too; a reader takes an index entry only if the image that it
//! sees has those key bytes. The entry goes with the last image that had them.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::definition::{IndexRef, TableDef};
use super::keys::KeyRange;
use super::{Key, Row, TransactionId};

/// A row as one version has it; None where it is deleted.
pub(super) type Image = Option<Row>;

/// A committed image.
#[derive(Clone, Debug)]
pub(super) struct Version {
    /// Its commit's number.
    pub(super) sequence: u64,
    pub(super) image: Image,
}

/// What an open transaction, which has the key's X lock, wrote.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) owner: TransactionId,
    /// None: it was taken back. The entry stays to the transaction's end, so that locks on its key keep their place.
    pub(super) written: Option<Image>,
}

/// Everything known under one key.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    pub(super) newest: Option<Version>,
    /// Older versions that a snapshot may still need, newest first.
    pub(super) older: Vec<Version>,
    pub(super) pending: Option<Pending>,
}

/// From where an image is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// Pending images of anybody.
    Dirty,
    /// The newest committed image, or one's own pending one.
    Latest(TransactionId),
    /// As of an instant, or one's own pending one.
    Instant(TransactionId, u64),
}

impl Entry {
    /// The newest image in the eyes of a transaction that may write it.
    pub(super) fn current(&self, owner: TransactionId) -> Option<&Row> {
        match &self.pending {
            Some(Pending { owner: holder, written: Some(image) }) if *holder == owner => image.as_ref(),
            _ => self.committed(),
        }
    }

    /// The newest committed image.
    pub(super) fn committed(&self) -> Option<&Row> {
        self.newest.as_ref().and_then(|version| version.image.as_ref())
    }

    /// Whether another transaction has written here.
    pub(super) fn is_written_beside(&self, owner: TransactionId) -> bool {
        self.pending.as_ref().is_some_and(|pending| pending.owner != owner && pending.written.is_some())
    }

    /// The visible image.
    pub(super) fn visible(&self, sight: Sight) -> Option<&Row> {
        match (sight, &self.pending) {
            (Sight::Dirty, Some(Pending { written: Some(image), .. })) => image.as_ref(),
            (Sight::Dirty, _) => self.committed(),
            (Sight::Latest(me), _) => self.current(me),
            (Sight::Instant(me, _), Some(Pending { owner, written: Some(image) })) if *owner == me => {
                image.as_ref()
            }
            (Sight::Instant(_, instant), _) => self.as_of(instant),
        }
    }

    /// The images that are or may become the present one.
    pub(super) fn present_images(&self) -> impl Iterator<Item = &Row> {
        let pending = self.pending.iter().filter_map(|p| p.written.as_ref()).filter_map(Option::as_ref);
        pending.chain(self.committed())
    }

    fn as_of(&self, instant: u64) -> Option<&Row> {
        self.newest.iter().chain(&self.older).find(|v| v.sequence <= instant).and_then(|v| v.image.as_ref())
    }

    /// Every image held.
    fn images(&self) -> impl Iterator<Item = &Row> {
        let pending = self.pending.iter().filter_map(|p| p.written.as_ref()).filter_map(Option::as_ref);
        pending.chain(self.newest.iter().chain(&self.older).filter_map(|version| version.image.as_ref()))
    }

    fn is_vacant(&self) -> bool {
        self.pending.is_none() && self.newest.is_none()
    }
}

/// One step of a scan.
pub(super) struct Found<'a> {
    pub(super) position: &'a Key,
    pub(super) key: &'a Key,
    pub(super) entry: &'a Entry,
}

/// The rows of one table.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    entries: BTreeMap<Key, Entry>,
    indexes: Vec<BTreeMap<Key, Key>>,
}

impl Rows {
    pub(super) fn new(table: &TableDef) -> Self {
        Self { entries: BTreeMap::new(), indexes: vec![BTreeMap::new(); table.indexes.len()] }
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&Entry> {
        self.entries.get(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &Entry)> {
        self.entries.iter()
    }

    /// Entries of a range in the order of an index; behind `after` if given.
    pub(super) fn range<'a>(
        &'a self,
        index: IndexRef,
        range: &KeyRange,
        after: Option<&Key>,
    ) -> Box<dyn Iterator<Item = Found<'a>> + 'a> {
        let from = match after {
            Some(position) if position.as_ref() >= range.from.as_slice() => {
                Bound::Excluded(position.as_ref())
            }
            _ => Bound::Included(range.from.as_slice()),
        };
        let to = range.to.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        if is_void(from, to) {
            return Box::new(std::iter::empty());
        }
        match index {
            IndexRef::Primary => {
                Box::new(self.entries.range::<[u8], _>((from, to)).map(|(key, entry)| Found {
                    position: key,
                    key,
                    entry,
                }))
            }
            IndexRef::Secondary(number) => {
                Box::new(self.indexes[number].range::<[u8], _>((from, to)).map(|(position, key)| Found {
                    position,
                    key,
                    entry: &self.entries[key],
                }))
            }
        }
    }

    /// Writes an image for the holder of the key's X lock; returns what it had written before, and whether this is
    /// its first write to the key.
    pub(super) fn write(
        &mut self,
        table: &TableDef,
        key: &Key,
        (owner, image): (TransactionId, Image),
    ) -> (Option<Image>, bool) {
        if let Some(row) = &image {
            self.remember(table, key, row);
        }
        let entry = self.entries.entry(key.clone()).or_default();
        let first = entry.pending.is_none();
        let pending = entry.pending.get_or_insert(Pending { owner, written: None });
        let before = pending.written.replace(image);
        if let Some(Some(row)) = &before {
            self.forget(table, key, row);
        }
        (before, first)
    }

    /// Takes back a write: its transaction has written `before` again.
    pub(super) fn unwrite(&mut self, table: &TableDef, key: &Key, before: Option<Image>) {
        if let Some(Some(row)) = &before {
            self.remember(table, key, row);
        }
        let Some(pending) = self.entries.get_mut(key).and_then(|entry| entry.pending.as_mut()) else {
            return;
        };
        let undone = std::mem::replace(&mut pending.written, before);
        if let Some(Some(row)) = undone {
            self.forget(table, key, &row);
        }
    }

    /// Ends a transaction's writing: stamps what was written with the commit's number, or drops it (None).
    pub(super) fn settle(&mut self, table: &TableDef, key: &Key, commit: Option<u64>) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let Some(pending) = entry.pending.take() else { return };
        match (pending.written, commit) {
            (Some(image), Some(sequence)) => {
                let newest = Version { sequence, image };
                if let Some(older) = entry.newest.replace(newest) {
                    entry.older.insert(0, older);
                }
            }
            (Some(Some(row)), None) => self.forget(table, key, &row),
            _ => {}
        }
        if self.entries.get(key).is_some_and(Entry::is_vacant) {
            self.entries.remove(key);
        }
    }

    /// Drops the versions of a key that nobody sees who reads as of one of `instants`. True if no old one is left.
    pub(super) fn prune(&mut self, table: &TableDef, key: &Key, instants: &BTreeMap<u64, usize>) -> bool {
        let Some(entry) = self.entries.get_mut(key) else { return true };
        let mut replaced_at = entry.newest.as_ref().map_or(0, |newest| newest.sequence);
        let mut dropped = Vec::new();
        entry.older.retain_mut(|version| {
            let seen = instants.range(version.sequence..replaced_at).next().is_some();
            replaced_at = version.sequence;
            if !seen {
                dropped.extend(version.image.take());
            }
            seen
        });
        let settled = entry.older.is_empty();
        if settled && entry.newest.as_ref().is_some_and(|newest| newest.image.is_none()) {
            entry.newest = None;
        }
        if entry.is_vacant() {
            self.entries.remove(key);
        }
        for row in dropped {
            self.forget(table, key, &row);
        }
        settled
    }

    /// Adds the index entries of an image.
    fn remember(&mut self, table: &TableDef, key: &Key, row: &[u8]) {
        for (index, positions) in table.secondary_indexes().zip(&mut self.indexes) {
            if table.holds(index, row) {
                positions.insert(table.position(index, row, key), key.clone());
            }
        }
    }

    /// Removes the index entries of an image that is no longer held, unless another image has the same key bytes.
    fn forget(&mut self, table: &TableDef, key: &Key, row: &[u8]) {
        for (index, positions) in table.secondary_indexes().zip(&mut self.indexes) {
            let position = table.position(index, row, key);
            let used = self.entries.get(key).is_some_and(|entry| {
                let mut images = entry.images().filter(|r| table.holds(index, r));
                images.any(|r| table.position(index, r, key) == position)
            });
            if !used {
                positions.remove(&position);
            }
        }
    }

    /// Builds the indexes anew, after a definition gained or lost some.
    pub(super) fn reindex(&mut self, table: &TableDef) {
        self.indexes = table
            .secondary_indexes()
            .map(|index| {
                self.entries
                    .iter()
                    .flat_map(|(key, entry)| entry.images().map(move |row| (key, row)))
                    .filter(|(_, row)| table.holds(index, row))
                    .map(|(key, row)| (table.position(index, row, key), key.clone()))
                    .collect()
            })
            .collect();
    }

    /// The newest committed images alone.
    pub(super) fn committed(&self, table: &TableDef) -> Self {
        let entries = self.entries.iter().filter_map(|(key, entry)| {
            let newest = Version { sequence: 0, image: Some(entry.committed()?.clone()) };
            Some((key.clone(), Entry { newest: Some(newest), ..Entry::default() }))
        });
        let mut rows = Self { entries: entries.collect(), indexes: Vec::new() };
        rows.reindex(table);
        rows
    }

    /// Adds an entry as it is; [`Rows::reindex`] follows.
    pub(super) fn place(&mut self, key: Key, entry: Entry) -> Option<Entry> {
        self.entries.insert(key, entry)
    }
}

pub(super) fn is_void(from: Bound<&[u8]>, to: Bound<&[u8]>) -> bool {
    match (from, to) {
        (Bound::Included(a) | Bound::Excluded(a), Bound::Excluded(b)) => a >= b,
        _ => false,
    }
}
