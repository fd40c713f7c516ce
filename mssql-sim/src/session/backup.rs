//! BACKUP and RESTORE. Whatever fails is followed by 3013.

use super::batch::Frame;
use super::{Failure, Session};
use crate::engine::{DatabaseId, RestoreSource};
use crate::parser::ast::{BackupDatabase, RestoreDatabase};
use crate::types::SqlError;

impl Session {
    pub(super) async fn back_up(
        &mut self,
        frame: &mut Frame<'_>,
        backup: &BackupDatabase,
    ) -> Result<(), Failure> {
        let database = self.evaluate_text(frame, &backup.database).await?;
        let device = self.evaluate_text(frame, &backup.device).await?;
        let saved = match self.may_back_up(&database) {
            Ok(()) => self.shared.engine.save_database(&database).await,
            Err(error) => Err(error),
        };
        let saved = saved.map_err(|error| terminated("BACKUP DATABASE", error))?;
        self.shared.engine.write_backup(&device, saved, backup.overwrite);
        Ok(())
    }

    pub(super) async fn restore(
        &mut self,
        frame: &mut Frame<'_>,
        restore: &RestoreDatabase,
    ) -> Result<(), Failure> {
        let database = self.evaluate_text(frame, &restore.database).await?;
        let device = self.evaluate_text(frame, &restore.device).await?;
        let source = RestoreSource { device: &device, file: restore.file, replace: restore.replace };
        self.restore_from(&database, source).map_err(|error| terminated("RESTORE DATABASE", error))?;
        Ok(())
    }

    fn may_back_up(&self, database: &str) -> Result<(), SqlError> {
        self.may_process(database)?;
        let engine = &self.shared.engine;
        let Some(id) = engine.database_id(database) else { return Ok(()) };
        if engine.permitted_on_database(&self.principal, "BACKUP DATABASE", id) {
            return Ok(());
        }
        let message = format!("BACKUP DATABASE permission denied in database '{database}'.");
        Err(SqlError { class: 14, ..SqlError::statement(262, message) })
    }

    fn restore_from(&self, database: &str, source: RestoreSource<'_>) -> Result<(), SqlError> {
        self.may_process(database)?;
        let engine = &self.shared.engine;
        engine.require_restore(&self.principal, database)?;
        let backup = engine.backup_to_restore(database, source)?;
        if engine.database_id(database) == Some(self.database.id()) {
            let message = format!(
                "RESTORE cannot process database '{database}' because it is in use by this session. It is recommended that \
                 the master database be used when performing this operation."
            );
            return Err(SqlError::statement(3102, message));
        }
        engine.restore_database(database, &backup)
    }

    /// What a backup and a restore alike refuse: 3021 inside a transaction, 3147 for tempdb.
    fn may_process(&self, database: &str) -> Result<(), SqlError> {
        const TEMPDB: DatabaseId = DatabaseId(2);
        if self.nesting() > 0 {
            let message = "Cannot perform a backup or restore operation within a transaction.";
            return Err(SqlError { state: 0, ..SqlError::statement(3021, message) });
        }
        if self.shared.engine.database_id(database) == Some(TEMPDB) {
            let message = "Backup and restore operations are not allowed on database tempdb.";
            return Err(SqlError::statement(3147, message));
        }
        Ok(())
    }
}

fn terminated(statement: &str, error: SqlError) -> SqlError {
    SqlError::statement(3013, format!("{statement} is terminating abnormally.")).caused_by(error)
}
