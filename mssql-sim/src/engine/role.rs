//! The role of a database in an availability group.

use super::Engine;
use super::definition::DatabaseId;
use super::state::State;
use crate::types::SqlError;

/// What a database is in its availability group, or without one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// It is written to.
    #[default]
    Primary,
    /// A readable copy: writes are refused, and so is Change Tracking.
    Secondary,
}

impl Engine {
    /// Makes a database that of a primary or of a secondary replica.
    ///
    /// # Errors
    /// 911 if there is none of this name.
    pub fn set_role(&self, database: &str, role: Role) -> Result<(), SqlError> {
        let mut state = self.state();
        let id = state.database_named(database)?;
        state.database_mut(id).role = role;
        Ok(())
    }

    /// Refuses Change Tracking where it is not to be had.
    ///
    /// # Errors
    /// 22117 on a secondary replica.
    pub fn require_tracking_role(&self, database: DatabaseId) -> Result<(), SqlError> {
        if self.state().database(database).role == Role::Primary {
            return Ok(());
        }
        let message = "For databases that are members of a secondary availability replica, change tracking is not \
                       supported. Run change tracking queries on the databases in the primary availability replica.";
        Err(SqlError::statement(22117, message))
    }
}

impl State {
    /// 3906 for a database that is not written to.
    pub(super) fn require_writable(&self, database: DatabaseId) -> Result<(), SqlError> {
        let database = self.database(database);
        if database.role == Role::Primary {
            return Ok(());
        }
        let message =
            format!("Failed to update database \"{}\" because the database is read-only.", database.name);
        Err(SqlError::statement(3906, message))
    }
}
