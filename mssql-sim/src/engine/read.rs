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
//! A read that keeps locks goes row by row ([`super::scan`]): what is locked is what the statement has come to.

use std::sync::Arc;

use super::definition::{DatabaseId, IndexRef, TableDef};
use super::keys;
use super::lock::{Hold, LockMode, Resource};
use super::rows::Sight;
use super::state::{State, TableRef};
use super::statement::StatementScope;
use super::{Engine, Interrupt, Key, TransactionId};
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
pub(super) enum RowLocks {
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
    pub(super) locks: RowLocks,
    /// Instant of a SNAPSHOT transaction that locks rows to write them: a row changed since is a conflict.
    pub(super) conflict_after: Option<u64>,
    pub(super) skip_locked: bool,
    pub(super) no_wait: bool,
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
    /// 3951, 3952 and 3961 under SNAPSHOT, 650 for READPAST where it is not allowed; waits for those who exclude the table lock.
    /// `Retry` if the definition has changed since `table` was resolved: the statement is bound again.
    pub fn open(
        &self,
        statement: &StatementScope,
        table: &Arc<TableDef>,
        hint: ReadHint,
    ) -> Result<TableRead, Interrupt> {
        self.state().open(statement, table, hint).map_err(|interrupt| interrupt.without_wait(hint.no_wait))
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
            Isolation::Snapshot => None,
            _ => {
                let transaction = self.transaction_mut(me)?;
                transaction.began_without_snapshot |= !def.is_temporary() && transaction.snapshot.is_none();
                None
            }
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

    /// The instant of a SNAPSHOT transaction; its first access to a user table fixes it.
    pub(super) fn snapshot_instant(&mut self, id: TransactionId, def: &TableDef) -> Result<u64, SqlError> {
        let database = self.database(def.database);
        if !database.allow_snapshot {
            return Err(snapshot_not_allowed(&database.name));
        }
        let instant = match self.transaction(id)?.snapshot {
            Some(instant) => instant,
            None if self.transaction(id)?.began_without_snapshot => {
                return Err(self.snapshot_too_late(def.database));
            }
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

    fn snapshot_too_late(&self, database: DatabaseId) -> SqlError {
        let message = format!(
            "Transaction failed in database '{}' because the statement was run under snapshot isolation but the transaction \
             did not start in snapshot isolation. You cannot change the isolation level of the transaction to snapshot after \
             the transaction has started unless the transaction was originally started under snapshot isolation level.",
            self.database(database).name
        );
        SqlError { reach: Reach::Transaction, ..SqlError::statement(3951, message) }
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
