//! Backup devices: named files in memory, each with the backups that were written to it.

use super::backup::Backup;
use super::{Engine, Principal};
use crate::types::SqlError;

/// What of a device is restored, and how.
#[derive(Clone, Copy, Debug)]
pub struct RestoreSource<'a> {
    /// The device's name, taken literally.
    pub device: &'a str,
    /// Which of its backups, from 1.
    pub file: i64,
    /// Whether a database that is there already goes, whatever it is.
    pub replace: bool,
}

impl Engine {
    /// Writes a backup behind those that a device holds already, or in their place.
    pub fn write_backup(&self, device: &str, backup: Backup, overwrite: bool) {
        let mut state = self.state();
        let held = state.devices.entry(device.to_owned()).or_default();
        if overwrite {
            held.clear();
        }
        held.push(backup);
    }

    /// The last backup on a device.
    ///
    /// # Errors
    /// 3201 for a missing device.
    pub fn last_backup(&self, device: &str) -> Result<Backup, SqlError> {
        let state = self.state();
        let last = state.devices.get(device).and_then(|held| held.last());
        last.cloned().ok_or_else(|| missing_device(device))
    }

    /// The backup of a device that may be restored as a database.
    ///
    /// # Errors
    /// 3201 for a missing device, 3287 for a missing backup on it, 3154 where the database is of another family, 3159 where
    /// it would lose what was not backed up.
    pub fn backup_to_restore(&self, name: &str, source: RestoreSource<'_>) -> Result<Backup, SqlError> {
        let state = self.state();
        let device = source.device;
        let Some(held) = state.devices.get(device) else {
            return Err(missing_device(device));
        };
        let position = usize::try_from(source.file).ok().and_then(|file| file.checked_sub(1));
        let Some(backup) = position.and_then(|position| held.get(position)) else {
            let message = format!(
                "The file ID {} on device '{device}' is incorrectly formed and can not be read.",
                source.file
            );
            return Err(SqlError::statement(3287, message));
        };
        let existing = state.databases.values().find(|database| database.is_named(name));
        match existing {
            Some(database) if !source.replace && database.history.family != backup.family() => {
                let message = format!(
                    "The backup set holds a backup of a database other than the existing '{}' database.",
                    database.name
                );
                Err(SqlError { state: 4, ..SqlError::statement(3154, message) })
            }
            Some(database) if !source.replace => {
                let message = format!(
                    "The tail of the log for the database \"{}\" has not been backed up. Use BACKUP LOG WITH NORECOVERY to \
                     backup the log if it contains work you do not want to lose. Use the WITH REPLACE or WITH STOPAT \
                     clause of the RESTORE statement to just overwrite the contents of the log.",
                    database.name
                );
                Err(SqlError::statement(3159, message))
            }
            _ => Ok(backup.clone()),
        }
    }

    /// Refuses who may not restore databases.
    ///
    /// # Errors
    /// 3110.
    pub fn require_restore(&self, principal: &Principal, name: &str) -> Result<(), SqlError> {
        if principal.sysadmin {
            return Ok(());
        }
        Err(SqlError::statement(3110, format!("User does not have permission to RESTORE database '{name}'.")))
    }
}

fn missing_device(device: &str) -> SqlError {
    let message = format!(
        "Cannot open backup device '{device}'. Operating system error 2(The system cannot find the file specified.)."
    );
    SqlError { state: 2, ..SqlError::statement(3201, message) }
}
