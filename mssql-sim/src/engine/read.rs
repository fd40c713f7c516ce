//! Reading tables: what a read sees, and what it locks on its way.
//!
//! | read | table | rows |
//! |---|---|---|
//! | dirty, or as of an instant | Sch-S | nothing |
//! | READ COMMITTED | IS | waits where another transaction is writing |
//! | target of an UPDATE or DELETE | IX | waits where another transaction holds U or X; the write then takes X |
//! | REPEATABLE READ | IS | keeps S on the rows that the statement does not reject |
//! | SERIALIZABLE | IS, a heap S | keeps RangeS-S on every key of the range and on the one behind it |
//! | UPDLOCK, XLOCK | IX | keep U, X instead of S, at every level |
//!
//! A read that keeps locks goes row by row: what is locked is what the statement has come to.

use std::sync::Arc;

use super::definition::{DatabaseId, IndexRef, TableDef};
use super::keys::{self, KeyRange};
use super::lock::{Hold, LockMode, Resource};
use super::rows::{Entry, Found, Sight};
use super::state::{State, TableRef};
use super::statement::StatementScope;
use super::{Engine, Interrupt, Key, Row, TransactionId};
use crate::parser::ast::Isolation;
use crate::types::{Reach, SqlError};

/// The isolation level at which one table is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadLevel {
    /// The session's.
    #[default]
    Session,
    /// `NOLOCK`
    Uncommitted,
    /// `READCOMMITTED`: by versions where the database has READ_COMMITTED_SNAPSHOT.
    Committed,
    /// `READCOMMITTEDLOCK`: by locks in any case.
    CommittedLock,
    /// `REPEATABLEREAD`
    Repeatable,
    /// `SERIALIZABLE`
    Serializable,
}

/// How a statement reads one table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadHint {
    /// The level.
    pub level: ReadLevel,
    /// `UPDLOCK` and `XLOCK`: U or X on rows instead of S.
    pub rows: Option<LockMode>,
    /// `TABLOCK` and `TABLOCKX`: S or X on the table.
    pub table: Option<LockMode>,
    /// `READPAST`: rows that are locked are passed over.
    pub skip_locked: bool,
    /// `NOWAIT`: a lock that is not free at once is error 1222.
    pub no_wait: bool,
    /// The statement will write the rows that it does not reject.
    pub write_target: bool,
}

/// What a read locks of the rows that it meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RowLocks {
    Nothing,
    /// Waits where another transaction is writing.
    PassWriters,
    /// Waits where another transaction holds U or X.
    PassUpdaters,
    Keep(LockMode),
    /// The same with the gaps between the rows.
    KeepRanges(LockMode),
}

/// A table opened for reading by a statement.
#[derive(Clone, Debug)]
pub struct TableRead {
    /// The definition; it stays as it is while the statement lasts.
    pub table: Arc<TableDef>,
    pub(super) transaction: TransactionId,
    pub(super) sight: Sight,
    locks: RowLocks,
    /// Instant of a SNAPSHOT transaction that locks rows to write them: a row changed since is a conflict.
    conflict_after: Option<u64>,
    skip_locked: bool,
    no_wait: bool,
}

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

/// What a read does to a table as a whole, and how it sees and locks rows.
struct ReadPlan {
    table: LockMode,
    hold: Hold,
    rows: RowLocks,
    versioned: bool,
}

impl ReadHint {
    /// The level that is meant.
    fn level(self, session: Isolation) -> Isolation {
        match self.level {
            ReadLevel::Session => session,
            ReadLevel::Uncommitted => Isolation::ReadUncommitted,
            ReadLevel::Committed | ReadLevel::CommittedLock => Isolation::ReadCommitted,
            ReadLevel::Repeatable => Isolation::RepeatableRead,
            ReadLevel::Serializable => Isolation::Serializable,
        }
    }

    /// Whether it asks for locks where the level would read versions or dirty rows.
    fn wants_locks(self) -> bool {
        let locking_level =
            matches!(self.level, ReadLevel::CommittedLock | ReadLevel::Repeatable | ReadLevel::Serializable);
        locking_level || self.rows.is_some() || self.table == Some(LockMode::Exclusive)
    }

    fn plan(self, statement: &StatementScope, table: &TableDef, versions_committed: bool) -> ReadPlan {
        if table.is_temporary() {
            return ReadPlan::of_temporary(statement, self.write_target);
        }
        let level = self.level(statement.isolation);
        let versioned = match level {
            Isolation::Snapshot => !self.wants_locks(),
            Isolation::ReadCommitted => versions_committed && !self.wants_locks() && !self.write_target,
            _ => false,
        };
        let dirty = level == Isolation::ReadUncommitted
            && !self.wants_locks()
            && !self.write_target
            && self.table.is_none();
        let rows = if versioned || dirty { RowLocks::Nothing } else { self.row_locks(level) };
        let lasting = matches!(rows, RowLocks::Keep(_) | RowLocks::KeepRanges(_));
        let hold = if lasting || self.write_target || self.table == Some(LockMode::Exclusive) {
            Hold::Transaction
        } else {
            Hold::Statement(statement.id())
        };
        let plan = ReadPlan { table: self.table_lock(rows, versioned), hold, rows, versioned };
        if table.primary_key.is_none() { plan.of_heap() } else { plan }
    }

    fn row_locks(self, level: Isolation) -> RowLocks {
        let mode = self.rows.unwrap_or(if self.write_target { LockMode::Update } else { LockMode::Shared });
        match level {
            Isolation::Serializable => RowLocks::KeepRanges(mode),
            Isolation::RepeatableRead => RowLocks::Keep(mode),
            _ if self.rows.is_some() => RowLocks::Keep(mode),
            _ if self.write_target => RowLocks::PassUpdaters,
            _ => RowLocks::PassWriters,
        }
    }

    fn table_lock(self, rows: RowLocks, versioned: bool) -> LockMode {
        let writes = self.write_target || self.rows.is_some();
        match (self.table, rows) {
            (Some(LockMode::Exclusive), _) => LockMode::Exclusive,
            (Some(_), _) if writes => LockMode::Exclusive,
            (Some(table), _) if !versioned => table,
            _ if writes => LockMode::IntentExclusive,
            (_, RowLocks::Nothing) => LockMode::SchemaStability,
            _ => LockMode::IntentShared,
        }
    }
}

impl ReadPlan {
    /// No other session reads or writes it, so no level makes a difference.
    fn of_temporary(statement: &StatementScope, write_target: bool) -> Self {
        let (table, hold) = if write_target {
            (LockMode::IntentExclusive, Hold::Transaction)
        } else {
            (LockMode::IntentShared, Hold::Statement(statement.id()))
        };
        Self { table, hold, rows: RowLocks::PassWriters, versioned: false }
    }

    /// A heap has no keys between which there are gaps: its table is locked instead.
    fn of_heap(self) -> Self {
        match self.rows {
            RowLocks::KeepRanges(LockMode::Shared) => {
                Self { table: self.table.with(LockMode::Shared), rows: RowLocks::PassWriters, ..self }
            }
            RowLocks::KeepRanges(mode) => {
                Self { table: self.table.with(LockMode::Shared), rows: RowLocks::Keep(mode), ..self }
            }
            _ => self,
        }
    }
}

impl TableDef {
    pub(super) fn reference(&self) -> TableRef {
        (self.database, self.object_id)
    }

    /// What is locked to lock a row.
    pub(super) fn row_resource(&self, key: &Key) -> Resource {
        if self.primary_key.is_some() {
            Resource::Key(self.reference(), IndexRef::Primary, Key::clone(key))
        } else {
            Resource::Row(self.reference(), Key::clone(key))
        }
    }

    /// Its indexes besides the primary one.
    pub(super) fn secondary_indexes(&self) -> impl Iterator<Item = IndexRef> + use<> {
        (0..self.indexes.len()).map(IndexRef::Secondary)
    }

    /// The position of a row in one of the table's orders.
    pub(super) fn position(&self, index: IndexRef, row: &[u8], key: &Key) -> Key {
        match index {
            IndexRef::Primary => Key::clone(key),
            IndexRef::Secondary(_) => {
                let mut position = Vec::with_capacity(32 + key.len());
                keys::encode_row(self, self.index_columns(index), row, &mut position);
                position.extend_from_slice(key);
                position.into()
            }
        }
    }
}

impl Engine {
    /// Opens a table for a statement: holds its definition, locks it as the read demands, and decides what the read sees.
    ///
    /// # Errors
    /// 3952 and 3961 under SNAPSHOT, 650 for READPAST where it is not allowed; waits for those who exclude the table lock.
    /// `Retry` if the definition has changed since `table` was resolved: the statement is bound again.
    pub fn open(
        &self,
        statement: &StatementScope,
        table: &Arc<TableDef>,
        hint: ReadHint,
    ) -> Result<TableRead, Interrupt> {
        self.state().open(statement, table, hint).map_err(|interrupt| interrupt.without_wait(hint.no_wait))
    }

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
        found.map_err(|interrupt| interrupt.without_wait(read.no_wait))
    }

    /// Lets go of a row that a statement has rejected.
    pub fn release_row(&self, read: &TableRead, key: &Key) {
        self.state().locks.release(read.transaction, &read.table.row_resource(key));
    }
}

impl TableRead {
    /// A read of the newest committed rows, or one's own, that waits for writers.
    pub(super) fn latest(table: &Arc<TableDef>, transaction: TransactionId) -> Self {
        Self {
            table: Arc::clone(table),
            transaction,
            sight: Sight::Latest(transaction),
            locks: RowLocks::PassWriters,
            conflict_after: None,
            skip_locked: false,
            no_wait: false,
        }
    }
}

impl State {
    fn open(
        &mut self,
        statement: &StatementScope,
        def: &Arc<TableDef>,
        hint: ReadHint,
    ) -> Result<TableRead, Interrupt> {
        let me = statement.transaction;
        self.transaction(me)?;
        let plan = hint.plan(statement, def, self.database(def.database).read_committed_snapshot);
        if hint.skip_locked {
            require_readpast_level(hint.level(statement.isolation))?;
        }
        self.lock(me, Resource::Object(def.reference()), plan.table, plan.hold)?;
        if !Arc::ptr_eq(&self.table(def)?.def, def) {
            return Err(Interrupt::Retry);
        }
        let exempt = def.is_temporary() || hint.level == ReadLevel::Uncommitted;
        let snapshot = match statement.isolation {
            Isolation::Snapshot if !exempt => Some(self.snapshot_instant(me, def)?),
            _ => None,
        };
        let sight = match (plan.versioned, snapshot) {
            (true, Some(instant)) => Sight::Instant(me, instant),
            (true, None) => Sight::Instant(me, self.statement_instant(statement)),
            (false, _) if plan.rows == RowLocks::Nothing => Sight::Dirty,
            (false, _) => Sight::Latest(me),
        };
        let writes = plan.table.covers(LockMode::IntentExclusive);
        Ok(TableRead {
            table: Arc::clone(def),
            transaction: me,
            sight,
            locks: plan.rows,
            conflict_after: snapshot.filter(|_| writes && !plan.versioned),
            skip_locked: hint.skip_locked,
            no_wait: hint.no_wait,
        })
    }

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

    /// The instant of a SNAPSHOT transaction; its first access to a user table fixes it.
    pub(super) fn snapshot_instant(&mut self, id: TransactionId, def: &TableDef) -> Result<u64, SqlError> {
        let database = self.database(def.database);
        if !database.allow_snapshot {
            return Err(snapshot_not_allowed(&database.name));
        }
        let instant = match self.transaction(id)?.snapshot {
            Some(instant) => instant,
            None => {
                let instant = self.hold_instant();
                self.transaction_mut(id)?.snapshot = Some(instant);
                instant
            }
        };
        let changed_by_me = self.transaction(id)?.changed.contains(&def.reference());
        if self.table(def)?.definition_sequence > instant && !changed_by_me {
            return Err(self.definition_changed(def.database));
        }
        Ok(instant)
    }

    fn statement_instant(&mut self, statement: &StatementScope) -> u64 {
        if let Some(instant) = self.statements.get(&statement.id()).and_then(|running| running.instant) {
            return instant;
        }
        let instant = self.hold_instant();
        if let Some(running) = self.statements.get_mut(&statement.id()) {
            running.instant = Some(instant);
        }
        instant
    }

    fn definition_changed(&self, database: DatabaseId) -> SqlError {
        let message = format!(
            "Snapshot isolation transaction failed in database '{}' because the object accessed by the statement has been \
             modified by a DDL statement in another concurrent transaction since the start of this transaction. It is \
             disallowed because the metadata is not versioned. A concurrent update to metadata can lead to inconsistency if \
             mixed with snapshot isolation.",
            self.database(database).name
        );
        SqlError { reach: Reach::Transaction, ..SqlError::statement(3961, message) }
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

fn require_readpast_level(level: Isolation) -> Result<(), SqlError> {
    if matches!(level, Isolation::ReadUncommitted | Isolation::Serializable) {
        let message = "You can only specify the READPAST lock in the READ COMMITTED or REPEATABLE READ isolation levels.";
        return Err(SqlError::statement(650, message));
    }
    Ok(())
}

fn snapshot_not_allowed(database: &str) -> SqlError {
    SqlError::statement(
        3952,
        format!(
            "Snapshot isolation transaction failed accessing database '{database}' because snapshot isolation is not \
             allowed in this database. Use ALTER DATABASE to allow snapshot isolation."
        ),
    )
}
