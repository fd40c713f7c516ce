//! Cleanup of Change Tracking: changes older than the retention go, and minimum valid versions rise.
//!
//! It runs by the server's clock. The background cleanup looks every half an hour at the databases that want it, once per
//! move of the clock however far; on demand it may be had for a database or for one table, so that tables differ.
//! A reader that checked its version before and reads after it misses rows without being told, as on a real server.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::Engine;
use super::changes::not_tracked;
use super::database::Database;
use super::definition::{DatabaseId, TableDef};
use super::state::State;
use crate::types::SqlError;

const BACKGROUND_INTERVAL: TimeDelta = TimeDelta::minutes(30);

/// What the cleanup of one table did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanedTable {
    /// Changes up to this version are gone; 0 if none is old enough.
    pub watermark: i64,
    /// Rows that its side table lost.
    pub rows: usize,
}

impl Engine {
    /// Moves the clock forward; the background cleanup runs where it is due.
    pub fn advance_clock(&self, by: Duration) {
        let mut state = self.state();
        state.clock.advance(by);
        if state.options.background_cleanup {
            state.clean_up_in_background();
        }
    }

    /// Drops the changes of a database that are older than its retention, and its commits.
    pub fn cleanup(&self, database: DatabaseId) {
        let mut state = self.state();
        let now = state.clock.now();
        state.database_mut(database).clean_up(now);
    }

    /// Drops one table's changes up to a version, whatever their age.
    ///
    /// # Errors
    /// 22105 if it is not tracked.
    pub fn cleanup_table(&self, table: &TableDef, version: i64) -> Result<(), SqlError> {
        let mut state = self.state();
        let tracking = state.table_mut(table)?.tracking.as_mut().ok_or_else(|| not_tracked(table))?;
        tracking.clean_up(version);
        Ok(())
    }

    /// Drops one table's changes that are older than the retention.
    ///
    /// # Errors
    /// 22105 if it is not tracked.
    pub fn cleanup_expired(&self, table: &TableDef) -> Result<CleanedTable, SqlError> {
        let mut state = self.state();
        let now = state.clock.now();
        let watermark = state.database(table.database).expired_version(now).unwrap_or(0);
        let tracking = state.table_mut(table)?.tracking.as_mut().ok_or_else(|| not_tracked(table))?;
        Ok(CleanedTable { watermark, rows: tracking.clean_up(watermark) })
    }
}

impl State {
    fn clean_up_in_background(&mut self) {
        let now = self.clock.now();
        for database in self.databases.values_mut() {
            let wanted = database.tracking.is_some_and(|tracking| tracking.auto_cleanup);
            if wanted && now - database.cleaned >= BACKGROUND_INTERVAL {
                database.clean_up(now);
                database.cleaned = now;
            }
        }
    }
}

impl Database {
    /// The last version that is older than the retention.
    fn expired_version(&self, now: DateTime<Utc>) -> Option<i64> {
        let retention = TimeDelta::minutes(i64::from(self.tracking?.retention_minutes));
        let expired = now - retention;
        self.commits.values().rev().find(|commit| commit.time < expired).map(|commit| commit.version)
    }

    fn clean_up(&mut self, now: DateTime<Utc>) {
        let Some(version) = self.expired_version(now) else { return };
        for tracking in self.tables.values_mut().filter_map(|table| table.tracking.as_mut()) {
            tracking.clean_up(version);
        }
        self.commits = self.commits.split_off(&(version + 1));
    }
}
