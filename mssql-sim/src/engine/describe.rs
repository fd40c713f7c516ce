//! What the catalog shows of the engine's state, as plain values.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Engine;
use super::backup::History;
use super::database::Schema;
use super::database_settings::DatabaseSettings;
use super::definition::{DatabaseId, ObjectId, TableDef};
use super::role::Role;
use super::schema_object::UserView;
use super::statement::NameScope;
use super::tracking::DatabaseTracking;
use crate::collation::Collation;
use crate::types::SqlError;

/// A database.
#[derive(Clone, Debug)]
pub struct DatabaseInfo {
    /// `database_id`
    pub id: DatabaseId,
    /// Name.
    pub name: String,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// Its collation.
    pub collation: Collation,
    /// Where it stands among its restores.
    pub history: History,
    /// Its role in an availability group.
    pub role: Role,
    /// Options that only the catalog shows.
    pub settings: DatabaseSettings,
    /// `ALLOW_SNAPSHOT_ISOLATION`
    pub allow_snapshot: bool,
    /// `READ_COMMITTED_SNAPSHOT`
    pub read_committed_snapshot: bool,
    /// Change Tracking, if it is on.
    pub tracking: Option<DatabaseTracking>,
}

/// A table.
#[derive(Clone, Debug)]
pub struct TableInfo {
    /// Its definition.
    pub def: Arc<TableDef>,
    /// Change Tracking, if it is on.
    pub tracking: Option<TrackingInfo>,
    /// Last identity value given.
    pub last_identity: Option<i64>,
}

/// Change Tracking of a table.
#[derive(Clone, Copy, Debug)]
pub struct TrackingInfo {
    /// `TRACK_COLUMNS_UPDATED`
    pub columns_updated: bool,
    /// Version at which it was switched on.
    pub begin_version: i64,
    /// Lowest version from which changes are complete.
    pub min_valid_version: i64,
    /// Version up to which changes were cleaned up.
    pub cleanup_version: Option<i64>,
    /// Object id of the internal table that holds the changes.
    pub side_table: ObjectId,
    /// When that was created.
    pub side_table_created: DateTime<Utc>,
}

impl Engine {
    /// Every database.
    pub fn databases(&self) -> Vec<DatabaseInfo> {
        let state = self.state();
        let databases = state.databases.values().map(|database| DatabaseInfo {
            id: database.id,
            name: database.name.clone(),
            created: database.created,
            collation: database.collation,
            history: database.history,
            role: database.role,
            settings: database.settings.clone(),
            allow_snapshot: database.allow_snapshot,
            read_committed_snapshot: database.read_committed_snapshot,
            tracking: database.tracking,
        });
        databases.collect()
    }

    /// A database's collation.
    pub fn database_collation(&self, database: DatabaseId) -> Collation {
        self.state().database(database).collation
    }

    /// A database's schemas.
    pub fn schemas(&self, database: DatabaseId) -> Vec<Schema> {
        self.state().database(database).schemas.clone()
    }

    /// The views of a database that are shown to the scope's principal.
    pub fn shown_views(&self, scope: &NameScope, database: DatabaseId) -> Vec<Arc<UserView>> {
        let state = self.state();
        let database = state.database(database);
        database
            .views
            .values()
            .filter(|view| database.shows(&scope.principal, &view.header))
            .cloned()
            .collect()
    }

    /// The tables of a database that exist for the scope's transaction and are shown to its principal.
    pub fn tables(&self, scope: &NameScope, database: DatabaseId) -> Vec<TableInfo> {
        let state = self.state();
        let database = state.database(database);
        let shown = database.tables.values().filter(|table| {
            table.exists_for(scope.transaction)
                && !table.def.is_variable()
                && database.shows(&scope.principal, &table.def)
        });
        let tables = shown.map(|table| TableInfo {
            def: Arc::clone(&table.def),
            last_identity: table.identity,
            tracking: table.tracking.as_ref().map(|tracking| TrackingInfo {
                columns_updated: tracking.columns_updated,
                begin_version: tracking.begin_version,
                min_valid_version: tracking.min_valid_version,
                cleanup_version: tracking.cleanup_version,
                side_table: tracking.side_table,
                side_table_created: tracking.side_table_created,
            }),
        });
        tables.collect()
    }

    /// Rows of a table as a transaction sees them without waiting.
    ///
    /// # Errors
    /// 208 if the table is gone.
    pub fn row_count(&self, scope: &NameScope, table: &TableDef) -> Result<u64, SqlError> {
        let state = self.state();
        let entries = state.table(table)?.rows.iter();
        Ok(entries.filter(|(_, entry)| entry.current(scope.transaction).is_some()).count() as u64)
    }
}
