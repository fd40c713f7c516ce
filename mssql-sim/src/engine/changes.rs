//! Change Tracking as statements see it: switching, versions, CHANGETABLE.

use super::database::Database;
use super::definition::{DatabaseId, ObjectId, TableDef};
use super::keys::KeyRange;
use super::read::TableRead;
use super::state::State;
use super::statement::NameScope;
use super::tracking::{self, ChangeScan, ChangedRows, CommitRecord, DatabaseTracking, TableTracking};
use super::transaction::{TrackingLog, Undo};
use super::{Engine, IndexRef, Interrupt, Row, TransactionId};
use crate::parser::ast::TrackingOptions;
use crate::types::SqlError;

const MINUTES_PER_DAY: u32 = 1440;
const DEFAULT_RETENTION: (u32, u32) = (2, MINUTES_PER_DAY);

impl Engine {
    /// Rows of `CHANGETABLE(CHANGES table, last_sync)`.
    ///
    /// # Errors
    /// 22105 if the table is not tracked.
    pub fn changes(&self, read: &TableRead, scan: &ChangeScan) -> Result<ChangedRows, SqlError> {
        let state = self.state();
        let instant = state.changes_instant(read.sight);
        let tracking = state.table(&read.table)?.tracking.as_ref().ok_or_else(|| not_tracked(&read.table))?;
        Ok(tracking.changes(scan, instant))
    }

    /// The row of `CHANGETABLE(VERSION table, ..)` for a primary key's bytes ([`super::keys::key_prefix`]); None if the
    /// table has no such row. A row that was not changed, or that this transaction has changed, has NULLs.
    ///
    /// # Errors
    /// 22105 if the table is not tracked; waits for the row's writer.
    pub fn version_of(&self, read: &TableRead, key: &[u8]) -> Result<Option<Row>, Interrupt> {
        let state = self.state();
        let table = state.table(&read.table)?;
        let tracking = table.tracking.as_ref().ok_or_else(|| not_tracked(&read.table))?;
        let Some(found) = table.rows.range(IndexRef::Primary, &KeyRange::starting_with(key), None).next()
        else {
            return Ok(None);
        };
        let Some(row) = state.look(read, IndexRef::Primary, &found)? else { return Ok(None) };
        let own = found.entry.pending.as_ref().is_some_and(|p| p.written.is_some());
        let change =
            if own { None } else { tracking.last_change(found.key, state.changes_instant(read.sight)) };
        Ok(Some(tracking::version_row(change, &tracking::key_columns(&read.table, &row))))
    }

    /// Whether a table is tracked; if not, CHANGETABLE is error 22105 when the batch is compiled.
    pub fn is_tracked(&self, table: &TableDef) -> bool {
        self.state().table(table).is_ok_and(|table| table.tracking.is_some())
    }

    /// `CHANGE_TRACKING_CURRENT_VERSION()`; None if the database is not tracked.
    pub fn tracking_version(&self, database: DatabaseId) -> Option<i64> {
        let state = self.state();
        let database = state.database(database);
        database.tracking.map(|_| database.tracking_version)
    }

    /// `CHANGE_TRACKING_MIN_VALID_VERSION(object_id)` in the scope's database; None if there is no such tracked table or
    /// the principal lacks VIEW CHANGE TRACKING on it.
    pub fn min_valid_version(&self, scope: &NameScope, object_id: ObjectId) -> Option<i64> {
        let state = self.state();
        let table = state.find_table((scope.database, object_id))?;
        let visible = table.exists_for(scope.transaction)
            && state.permitted(&scope.principal, "VIEW CHANGE TRACKING", &table.def);
        table.tracking.as_ref().filter(|_| visible).map(|tracking| tracking.min_valid_version)
    }

    /// `ALTER DATABASE .. SET CHANGE_TRACKING = ON (..)`
    ///
    /// # Errors
    /// 5090 for a system database, 5088 if it is on already.
    pub fn enable_database_tracking(
        &self,
        database: DatabaseId,
        options: TrackingOptions,
    ) -> Result<(), SqlError> {
        let mut state = self.state();
        let database = state.trackable_database(database)?;
        if database.tracking.is_some() {
            let message = format!("Change tracking is already enabled for database '{}'.", database.name);
            return Err(SqlError::statement(5088, message));
        }
        let off = DatabaseTracking {
            retention_minutes: DEFAULT_RETENTION.0 * DEFAULT_RETENTION.1,
            retention: DEFAULT_RETENTION,
            auto_cleanup: true,
        };
        database.tracking = Some(with_options(off, options));
        Ok(())
    }

    /// `ALTER DATABASE .. SET CHANGE_TRACKING (..)`: changes the options that are named.
    ///
    /// # Errors
    /// 5090 for a system database, 5089 if it is off.
    pub fn alter_database_tracking(
        &self,
        database: DatabaseId,
        options: TrackingOptions,
    ) -> Result<(), SqlError> {
        let mut state = self.state();
        let database = state.trackable_database(database)?;
        let Some(tracking) = database.tracking else { return Err(tracking_is_off(&database.name, 2)) };
        database.tracking = Some(with_options(tracking, options));
        Ok(())
    }

    /// `ALTER DATABASE .. SET CHANGE_TRACKING = OFF`; the version goes on counting where it is.
    ///
    /// # Errors
    /// 5090 for a system database, 5089 if it is off, 22115 while a table is tracked.
    pub fn disable_database_tracking(&self, database: DatabaseId) -> Result<(), SqlError> {
        let mut state = self.state();
        let database = state.trackable_database(database)?;
        if database.tracking.is_none() {
            return Err(tracking_is_off(&database.name, 1));
        }
        if database.tables.values().any(|table| table.tracking.is_some()) {
            let message = format!(
                "Change tracking is enabled for one or more tables in database '{}'. Disable change tracking on each \
                 table before disabling it for the database. Use the sys.change_tracking_tables catalog view to obtain a \
                 list of tables for which change tracking is enabled.",
                database.name
            );
            return Err(SqlError::statement(22115, message));
        }
        database.tracking = None;
        database.commits.clear();
        Ok(())
    }

    /// `ALTER TABLE .. ENABLE CHANGE_TRACKING`
    ///
    /// # Errors
    /// 1718 (database not tracked), 4997 (no primary key), 4996 (already on); waits for users of the table.
    pub fn enable_tracking(
        &self,
        transaction: TransactionId,
        table: &TableDef,
        columns_updated: bool,
    ) -> Result<(), Interrupt> {
        let mut state = self.state();
        let now = state.clock.now();
        let database = state.database(table.database);
        let (name, version) = (&table.name, database.tracking_version);
        if database.tracking.is_none() {
            let message = format!(
                "Change tracking must be enabled on database '{}' before it can be enabled on table '{name}'.",
                database.name
            );
            return Err(SqlError::statement(1718, message).into());
        }
        if table.primary_key.is_none() {
            let message = format!(
                "Cannot enable change tracking on table '{name}'. Change tracking requires a primary key on the table. \
                 Create a primary key on the table before enabling change tracking."
            );
            return Err(SqlError::statement(4997, message).into());
        }
        if state.table(table)?.tracking.is_some() {
            let message = format!("Change tracking is already enabled for table '{name}'.");
            return Err(SqlError::statement(4996, message).into());
        }
        state.exclude(transaction, table)?;
        let side_table = state.database_mut(table.database).new_object_id();
        state.replace_tracking(
            transaction,
            table,
            Some(TableTracking::begin(columns_updated, version, side_table, now)),
        )?;
        Ok(())
    }

    /// `ALTER TABLE .. DISABLE CHANGE_TRACKING`: its history is gone.
    ///
    /// # Errors
    /// 4998 if it is off; waits for users of the table.
    pub fn disable_tracking(&self, transaction: TransactionId, table: &TableDef) -> Result<(), Interrupt> {
        let mut state = self.state();
        if state.table(table)?.tracking.is_none() {
            let message = format!("Change tracking is not enabled on table '{}'.", table.name);
            return Err(SqlError::statement(4998, message).into());
        }
        state.exclude(transaction, table)?;
        state.replace_tracking(transaction, table, None)?;
        Ok(())
    }

    /// The commit that took a version, if it is kept.
    pub fn tracked_commit(&self, database: DatabaseId, version: i64) -> Option<CommitRecord> {
        self.state().database(database).commits.get(&version).copied()
    }

    /// Commits of tracked changes that are kept, oldest first.
    pub fn tracked_commits(&self, database: DatabaseId) -> Vec<CommitRecord> {
        self.state().database(database).commits.values().copied().collect()
    }
}

impl State {
    /// A database whose tracking may be switched.
    fn trackable_database(&mut self, id: DatabaseId) -> Result<&mut Database, SqlError> {
        let database = self.database_mut(id);
        if !database.is_system() {
            return Ok(database);
        }
        let message = format!(
            "Database '{}' is a system database. Change tracking settings cannot be modified for system databases.",
            database.name
        );
        Err(SqlError::statement(5090, message))
    }

    /// Replaces a table's Change Tracking; changes of this transaction that came before are forgotten.
    pub(super) fn replace_tracking(
        &mut self,
        transaction: TransactionId,
        table: &TableDef,
        tracking: Option<TableTracking>,
    ) -> Result<(), SqlError> {
        let before = std::mem::replace(&mut self.table_mut(table)?.tracking, tracking);
        let open = self.transaction_mut(transaction)?;
        open.undo.push(Undo::Tracking { table: table.reference(), before });
        open.tracking.push(TrackingLog::Cleared(table.reference()));
        Ok(())
    }
}

/// 22105, with the table's own name; the compiler knows the name as written.
pub(super) fn not_tracked(table: &TableDef) -> SqlError {
    let message = format!("Change tracking is not enabled on table '{}'.", table.qualified_name());
    SqlError::batch(22105, message)
}

fn with_options(mut tracking: DatabaseTracking, options: TrackingOptions) -> DatabaseTracking {
    if let Some((number, unit)) = options.retention {
        tracking.retention = (number, unit);
        tracking.retention_minutes = number.saturating_mul(unit);
    }
    tracking.auto_cleanup = options.auto_cleanup.unwrap_or(tracking.auto_cleanup);
    tracking
}

fn tracking_is_off(database: &str, state: u8) -> SqlError {
    SqlError {
        state,
        ..SqlError::statement(
            5089,
            format!(
                "Change tracking is disabled for database '{database}'. Change tracking must be enabled on a database to modify change tracking settings."
            ),
        )
    }
}
