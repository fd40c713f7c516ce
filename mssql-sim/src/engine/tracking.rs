//! Change Tracking.
//!
//! Per key there is one change per transaction: its first and last operation, whether it inserted, the columns that
//! its updates set, the context of its last statement. `CHANGETABLE(CHANGES t, v)` folds a key's changes after `v` to one
//! row: the version, the context and "deleted" come from the last change; otherwise the row is an insert if the *first* change
//! began with one, else an update; the creation version is that of the latest change that inserted. A key that moves
//! is a delete of the old key and an insert of the new one. TRUNCATE and cleanup drop history and raise the table's
//! minimum valid version; they take no version.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::definition::TableDef;
use super::keys::KeyRange;
use super::rows::is_void;
use super::{Key, ObjectId, Row};
use crate::types::{ColumnMeta, Length, Origin, SqlType, Value};
use crate::wire::value;

/// `CHANGE_TRACKING = ON (..)` of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseTracking {
    /// Minutes for which changes are kept.
    pub retention_minutes: u32,
    /// The retention as it was given: number and minutes per unit (1, 60, 1440).
    pub retention: (u32, u32),
    /// `AUTO_CLEANUP`: the background cleanup takes what is older than the retention.
    pub auto_cleanup: bool,
}

/// A row of `sys.dm_tran_commit_table`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitRecord {
    /// The Change Tracking version.
    pub version: i64,
    /// The transaction.
    pub transaction: u64,
    /// Number of the commit in the instance's sequence.
    pub sequence: u64,
    /// When it was committed.
    pub time: DateTime<Utc>,
}

/// What a statement did to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Insert,
    Update,
    Delete,
}

/// Column ids that updates set, in the order of first setting; None when the mask is unknown.
pub(super) type ColumnsSet = Option<Arc<[i32]>>;

/// What one statement did to one key.
#[derive(Clone, Debug)]
pub(super) struct TrackedWrite {
    pub(super) key: Key,
    /// The key's columns in row form, in key order.
    pub(super) key_columns: Row,
    pub(super) operation: Operation,
    pub(super) columns: ColumnsSet,
    pub(super) context: Option<Arc<[u8]>>,
}

/// What one transaction did to one key.
#[derive(Clone, Debug)]
struct Change {
    version: i64,
    sequence: u64,
    first: Operation,
    last: Operation,
    inserted: bool,
    columns: ColumnsSet,
    context: Option<Arc<[u8]>>,
}

#[derive(Clone, Debug)]
struct History {
    /// The key's columns as they were first spelt.
    key_columns: Row,
    /// Oldest first.
    changes: Vec<Change>,
}

/// Change Tracking of one table.
#[derive(Clone, Debug)]
pub(super) struct TableTracking {
    /// `TRACK_COLUMNS_UPDATED`
    pub(super) columns_updated: bool,
    pub(super) begin_version: i64,
    pub(super) min_valid_version: i64,
    pub(super) cleanup_version: Option<i64>,
    /// The internal table that holds the changes: its object id and creation.
    pub(super) side_table: ObjectId,
    pub(super) side_table_created: DateTime<Utc>,
    keys: BTreeMap<Key, History>,
    by_version: BTreeSet<(i64, Key)>,
}

impl TableTracking {
    pub(super) fn begin(
        columns_updated: bool,
        version: i64,
        side_table: ObjectId,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            columns_updated,
            begin_version: version,
            min_valid_version: version,
            cleanup_version: None,
            side_table,
            side_table_created: now,
            keys: BTreeMap::new(),
            by_version: BTreeSet::new(),
        }
    }

    /// The same tracking without its history, as TRUNCATE leaves it: it begins at the current version.
    pub(super) fn truncated(&self, version: i64) -> Self {
        Self {
            min_valid_version: version,
            cleanup_version: self.cleanup_version,
            ..Self::begin(self.columns_updated, version, self.side_table, self.side_table_created)
        }
    }

    /// Records a transaction's writes, in their order, under its version.
    pub(super) fn record(&mut self, writes: &[&TrackedWrite], version: i64, sequence: u64) {
        for write in writes {
            let history = self
                .keys
                .entry(write.key.clone())
                .or_insert_with(|| History { key_columns: write.key_columns.clone(), changes: Vec::new() });
            match history.changes.last_mut() {
                Some(change) if change.version == version => change.absorb(write),
                _ => {
                    history.changes.push(Change::begin(write, version, sequence));
                    self.by_version.insert((version, write.key.clone()));
                }
            }
        }
    }

    /// Rows of `CHANGETABLE(CHANGES ..)` in key order, as of an instant if given: those of a range of keys behind
    /// `after`, about `limit` of them.
    ///
    /// Mostly the next keys of the range have changed and are looked at one by one. Where few of them have, the keys
    /// that changed since the version are gathered instead, and all of them given.
    pub(super) fn changes(&self, scan: &ChangeScan, instant: Option<u64>) -> ChangedRows {
        let from = match scan.last_sync {
            None => i64::MIN,
            Some(-1) => return ChangedRows::default(),
            Some(version) => version,
        };
        let (start, end) = scan.bounds();
        if is_void(start, end) {
            return ChangedRows::default();
        }
        let mut found = ChangedRows::default();
        for (steps, (key, history)) in self.keys.range::<[u8], _>((start, end)).enumerate() {
            if steps == MOST_STEPS {
                return self.gathered(scan, from, instant);
            }
            let changed = history.changes.last().is_some_and(|change| change.version > from);
            found.rows.extend(if changed { self.fold(history, from, instant) } else { None });
            if found.rows.len() == scan.limit {
                found.next = Some(Key::clone(key));
                break;
            }
        }
        found
    }

    /// All rows of a scan, found by their versions.
    fn gathered(&self, scan: &ChangeScan, from: i64, instant: Option<u64>) -> ChangedRows {
        let first = (from.saturating_add(1), Key::from([]));
        let bounds = scan.bounds();
        let changed = self.by_version.range((Bound::Included(first), Bound::Unbounded)).map(|(_, key)| key);
        let keys: BTreeSet<&Key> =
            changed.filter(|key| RangeBounds::<[u8]>::contains(&bounds, key.as_ref())).collect();
        let rows = keys.into_iter().filter_map(|key| self.fold(&self.keys[key], from, instant)).collect();
        ChangedRows { rows, next: None }
    }

    fn fold(&self, history: &History, from: i64, instant: Option<u64>) -> Option<Row> {
        let after = history.changes.partition_point(|change| change.version <= from);
        let seen = |c: &&Change| instant.is_none_or(|instant| c.sequence <= instant);
        let changes: Vec<&Change> = history.changes[after..].iter().filter(seen).collect();
        let (first, last) = (changes.first()?, changes.last()?);
        let operation = match (last.last, first.first) {
            (Operation::Delete, _) => "D",
            (_, Operation::Insert) => "I",
            _ => "U",
        };
        let creation =
            changes.iter().rev().find(|c| c.inserted).map_or(Value::Null, |c| Value::Int(c.version));
        let only_updates = changes
            .iter()
            .all(|c| c.first == Operation::Update && c.last == Operation::Update && !c.inserted);
        let mask = (self.columns_updated && only_updates).then(|| mask(&changes)).flatten();
        let values = [
            Value::Int(last.version),
            creation,
            Value::text(operation),
            mask.map_or(Value::Null, Value::Bytes),
            context_value(last.context.as_deref()),
        ];
        Some(tracking_row(&CHANGES_TYPES, &values, &history.key_columns))
    }

    /// Version and context of a key's last change, as of an instant if given.
    pub(super) fn last_change(&self, key: &[u8], instant: Option<u64>) -> Option<(i64, Option<Arc<[u8]>>)> {
        let seen = |c: &&Change| instant.is_none_or(|instant| c.sequence <= instant);
        let change = self.keys.get(key)?.changes.iter().rev().find(seen)?;
        Some((change.version, change.context.clone()))
    }

    /// Drops the changes up to a version; says how many.
    pub(super) fn clean_up(&mut self, version: i64) -> usize {
        if version <= self.min_valid_version {
            return 0;
        }
        let kept = self.by_version.split_off(&(version + 1, Key::from([])));
        let dropped = std::mem::replace(&mut self.by_version, kept);
        let count = dropped.len();
        let keys: BTreeSet<Key> = dropped.into_iter().map(|(_, key)| key).collect();
        for key in keys {
            if let Some(history) = self.keys.get_mut(&key) {
                history.changes.retain(|change| change.version > version);
                if history.changes.is_empty() {
                    self.keys.remove(&key);
                }
            }
        }
        self.min_valid_version = version;
        self.cleanup_version = Some(version);
        count
    }
}

impl Change {
    fn begin(write: &TrackedWrite, version: i64, sequence: u64) -> Self {
        Self {
            version,
            sequence,
            first: write.operation,
            last: write.operation,
            inserted: write.operation == Operation::Insert,
            columns: write.columns.clone(),
            context: write.context.clone(),
        }
    }

    fn absorb(&mut self, write: &TrackedWrite) {
        self.last = write.operation;
        self.inserted |= write.operation == Operation::Insert;
        self.columns = match (&self.columns, &write.columns) {
            (Some(set), Some(more)) => Some(union(set, more)),
            _ => None,
        };
        self.context.clone_from(&write.context);
    }
}

fn union(set: &[i32], more: &[i32]) -> Arc<[i32]> {
    let added = more.iter().filter(|id| !set.contains(id));
    set.iter().chain(added).copied().collect()
}

/// `SYS_CHANGE_COLUMNS`: four zero bytes, then the column ids; None as soon as one update's columns are unknown.
fn mask(changes: &[&Change]) -> Option<Vec<u8>> {
    let mut ids: Vec<i32> = Vec::new();
    for change in changes {
        for id in change.columns.as_ref()?.iter() {
            if !ids.contains(id) {
                ids.push(*id);
            }
        }
    }
    let mut bytes = vec![0; 4];
    bytes.extend(ids.iter().flat_map(|id| id.to_le_bytes()));
    Some(bytes)
}

/// Columns that an update sets as the mask knows them: unknown if it names a key column or sets every other column.
pub(super) fn columns_set(table: &TableDef, ids: &[i32]) -> ColumnsSet {
    let names_key = table
        .columns
        .iter()
        .enumerate()
        .any(|(position, column)| table.is_key_column(position) && ids.contains(&column.column_id));
    let sets_all = table.columns.iter().enumerate().all(|(position, column)| {
        table.is_key_column(position) || column.computed.is_some() || ids.contains(&column.column_id)
    });
    (!names_key && !sets_all).then(|| ids.into())
}

/// Keys that a scan looks at one by one before it gathers those that changed.
const MOST_STEPS: usize = 32_768;

/// A read of CHANGETABLE(CHANGES ..).
#[derive(Clone, Debug)]
pub struct ChangeScan {
    /// Changes after this version; None is NULL: every change that is kept.
    pub last_sync: Option<i64>,
    /// Which keys.
    pub range: KeyRange,
    /// Only keys behind this one.
    pub after: Option<Key>,
    /// After how many rows the read may stop.
    pub limit: usize,
}

/// Rows of a read, in the row form of [`changes_columns`] and in key order.
#[derive(Debug, Default)]
pub struct ChangedRows {
    /// The rows.
    pub rows: Vec<Row>,
    /// The key behind which the next read goes on; None at the end.
    pub next: Option<Key>,
}

impl ChangeScan {
    /// Every change after a version.
    pub fn all(last_sync: Option<i64>) -> Self {
        Self { last_sync, range: KeyRange::all(), after: None, limit: usize::MAX }
    }

    fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        let start = match &self.after {
            Some(after) if after.as_ref() >= self.range.from.as_slice() => Bound::Excluded(after.as_ref()),
            _ => Bound::Included(self.range.from.as_slice()),
        };
        (start, self.range.to.as_deref().map_or(Bound::Unbounded, Bound::Excluded))
    }
}

const CHANGES_TYPES: [(&str, SqlType); 5] = [
    ("SYS_CHANGE_VERSION", SqlType::BigInt),
    ("SYS_CHANGE_CREATION_VERSION", SqlType::BigInt),
    ("SYS_CHANGE_OPERATION", SqlType::NChar(1)),
    ("SYS_CHANGE_COLUMNS", SqlType::VarBinary(Length::Limited(4100))),
    ("SYS_CHANGE_CONTEXT", SqlType::VarBinary(Length::Limited(128))),
];
const VERSION_TYPES: [(&str, SqlType); 2] = [
    ("SYS_CHANGE_VERSION", SqlType::BigInt),
    ("SYS_CHANGE_CONTEXT", SqlType::VarBinary(Length::Limited(128))),
];

/// Columns of `CHANGETABLE(CHANGES table, ..)`: five of its own, then the key's in key order.
pub fn changes_columns(table: &TableDef) -> Arc<[ColumnMeta]> {
    tracking_columns(&CHANGES_TYPES, table)
}

/// Columns of `CHANGETABLE(VERSION table, ..)`: two of its own, then the key's in key order.
pub fn version_columns(table: &TableDef) -> Arc<[ColumnMeta]> {
    tracking_columns(&VERSION_TYPES, table)
}

/// A row of `CHANGETABLE(VERSION table, ..)`.
pub(super) fn version_row(change: Option<(i64, Option<Arc<[u8]>>)>, key_columns: &[u8]) -> Row {
    let (version, context) = match change {
        Some((version, context)) => (Value::Int(version), context_value(context.as_deref())),
        None => (Value::Null, Value::Null),
    };
    tracking_row(&VERSION_TYPES, &[version, context], key_columns)
}

fn context_value(context: Option<&[u8]>) -> Value {
    context.map_or(Value::Null, |bytes| Value::Bytes(bytes.to_vec()))
}

fn tracking_columns(own: &[(&str, SqlType)], table: &TableDef) -> Arc<[ColumnMeta]> {
    let own = own.iter().map(|(name, sql_type)| ColumnMeta::new(*name, *sql_type, true));
    let key = table
        .primary_key
        .iter()
        .flat_map(|key| &key.columns)
        .map(|column| ColumnMeta { origin: Origin::Stored, ..table.layout[column.column].clone() });
    own.chain(key).collect()
}

fn tracking_row(own: &[(&str, SqlType)], values: &[Value], key_columns: &[u8]) -> Row {
    let mut row = Vec::with_capacity(48 + key_columns.len());
    for (value, (name, sql_type)) in values.iter().zip(own) {
        value::encode(value, &ColumnMeta::new(*name, *sql_type, true), &mut row);
    }
    row.extend_from_slice(key_columns);
    row.into()
}

/// The columns of a row's primary key in row form, in key order.
pub(super) fn key_columns(table: &TableDef, row: &[u8]) -> Row {
    let mut out = Vec::new();
    for column in table.primary_key.iter().flat_map(|key| &key.columns) {
        let meta = &table.layout[column.column];
        let mut tail = super::layout::column_tail(&table.layout, row, column.column);
        out.extend_from_slice(value::take(&mut tail, meta));
    }
    out.into()
}
