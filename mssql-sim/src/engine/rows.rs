//! The rows of one table: versions by key, and its indexes.
//!
//! An index maps its key bytes followed by the row's key to the row's key. It has an entry for every image that an
//! entry of the table still holds, pending or old ones too; a reader takes an index entry only if the image that it
//! sees has those key bytes. The entry goes with the last image that had them.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::definition::{IndexRef, TableDef};
use super::keys::{self, KeyRange};
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

/// The exclusive lock on a key and what its holder wrote.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) owner: TransactionId,
    /// None: locked, nothing (or nothing any more) written.
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
    /// The newest image in the eyes of a transaction that may lock the key.
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

    /// Another transaction that holds this key.
    pub(super) fn holder_other_than(&self, owner: TransactionId) -> Option<TransactionId> {
        self.pending.as_ref().map(|pending| pending.owner).filter(|holder| *holder != owner)
    }

    /// The visible image; an error is the transaction to wait for.
    pub(super) fn visible(&self, sight: Sight) -> Result<Option<&Row>, TransactionId> {
        match sight {
            Sight::Dirty => Ok(match &self.pending {
                Some(Pending { written: Some(image), .. }) => image.as_ref(),
                _ => self.committed(),
            }),
            Sight::Latest(me) => match &self.pending {
                Some(pending) if pending.owner != me && pending.written.is_some() => Err(pending.owner),
                _ => Ok(self.current(me)),
            },
            Sight::Instant(me, instant) => Ok(match &self.pending {
                Some(Pending { owner, written: Some(image) }) if *owner == me => image.as_ref(),
                _ => self.as_of(instant),
            }),
        }
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

    /// Locks a key for a transaction. The caller has made sure that nobody else holds it. True if the lock is new.
    pub(super) fn lock(&mut self, key: &Key, owner: TransactionId) -> bool {
        let entry = self.entries.entry(key.clone()).or_default();
        let new = entry.pending.is_none();
        if new {
            entry.pending = Some(Pending { owner, written: None });
        }
        new
    }

    /// Writes an image under a lock; returns what the lock's holder had written before.
    pub(super) fn write(&mut self, table: &TableDef, key: &Key, image: Image) -> Option<Image> {
        if let Some(row) = &image {
            self.remember(table, key, row);
        }
        let entry = self.entries.get_mut(key).expect("a locked key has an entry");
        let pending = entry.pending.as_mut().expect("only locked keys are written");
        let before = pending.written.replace(image);
        if let Some(Some(row)) = &before {
            self.forget(table, key, row);
        }
        before
    }

    /// Takes back a write: the lock's holder has written `before` again.
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

    /// Ends a lock: stamps what was written with the commit's number, or drops it (None).
    pub(super) fn release(&mut self, table: &TableDef, key: &Key, commit: Option<u64>) {
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
        for (index, positions) in table.indexes.iter().zip(&mut self.indexes) {
            if index.holds(table, row) {
                positions.insert(index_position(table, &index.columns, row, key), key.clone());
            }
        }
    }

    /// Removes the index entries of an image that is no longer held, unless another image has the same key bytes.
    fn forget(&mut self, table: &TableDef, key: &Key, row: &[u8]) {
        for (index, positions) in table.indexes.iter().zip(&mut self.indexes) {
            let position = index_position(table, &index.columns, row, key);
            let used = self.entries.get(key).is_some_and(|entry| {
                entry
                    .images()
                    .filter(|r| index.holds(table, r))
                    .any(|r| index_position(table, &index.columns, r, key) == position)
            });
            if !used {
                positions.remove(&position);
            }
        }
    }

    /// Builds the indexes anew, after a definition gained or lost some.
    pub(super) fn reindex(&mut self, table: &TableDef) {
        self.indexes = table
            .indexes
            .iter()
            .map(|index| {
                self.entries
                    .iter()
                    .flat_map(|(key, entry)| entry.images().map(move |row| (key, row)))
                    .filter(|(_, row)| index.holds(table, row))
                    .map(|(key, row)| (index_position(table, &index.columns, row, key), key.clone()))
                    .collect()
            })
            .collect();
    }

    /// Adds an entry as it is; [`Rows::reindex`] follows.
    pub(super) fn place(&mut self, key: Key, entry: Entry) -> Option<Entry> {
        self.entries.insert(key, entry)
    }
}

fn is_void(from: Bound<&[u8]>, to: Bound<&[u8]>) -> bool {
    match (from, to) {
        (Bound::Included(a) | Bound::Excluded(a), Bound::Excluded(b)) => a >= b,
        _ => false,
    }
}

fn index_position(table: &TableDef, columns: &[super::KeyColumn], row: &[u8], key: &Key) -> Key {
    let mut position = Vec::with_capacity(32 + key.len());
    keys::encode_row(table, columns, row, &mut position);
    position.extend_from_slice(key);
    position.into()
}
