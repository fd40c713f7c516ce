//! ALTER DATABASE.

use crate::engine::DatabaseId;
use crate::exec::context::ExecContext;
use crate::parser::ast::DatabaseOption;
use crate::types::SqlError;

/// `ALTER DATABASE name|CURRENT SET option, ...`
///
/// # Errors
/// What is wrong with an option, then 5069.
pub(super) fn alter(
    context: &ExecContext,
    name: Option<&str>,
    options: &[DatabaseOption],
) -> Result<(), SqlError> {
    let failed =
        |error: SqlError| SqlError::statement(5069, "ALTER DATABASE statement failed.").caused_by(error);
    let engine = &context.engine;
    let database = match name {
        None => context.names.database,
        Some(name) => engine.database_id(name).ok_or_else(|| failed(missing(name)))?,
    };
    if !engine.permitted_on_database(&context.names.principal, "ALTER", database) {
        return Err(failed(missing(name.unwrap_or(&context.session.database))));
    }
    options.iter().try_for_each(|option| set(context, database, option)).map_err(failed)
}

fn set(context: &ExecContext, database: DatabaseId, option: &DatabaseOption) -> Result<(), SqlError> {
    let engine = &context.engine;
    match option {
        DatabaseOption::ChangeTrackingOn(options) => engine.enable_database_tracking(database, *options),
        DatabaseOption::ChangeTrackingOff => engine.disable_database_tracking(database),
        DatabaseOption::ChangeTracking(options) => engine.alter_database_tracking(database, *options),
        DatabaseOption::AllowSnapshot(allow) => {
            engine.allow_snapshot(database, *allow);
            Ok(())
        }
        DatabaseOption::ReadCommittedSnapshot(on) => {
            engine.set_read_committed_snapshot(database, *on);
            Ok(())
        }
        DatabaseOption::Recovery(model) => {
            engine.change_settings(database, |settings| settings.recovery = *model);
            Ok(())
        }
        DatabaseOption::CompatibilityLevel(level) => {
            engine.change_settings(database, |settings| settings.compatibility_level = *level);
            Ok(())
        }
        DatabaseOption::Switch(name, on) => {
            engine.change_settings(database, |settings| settings.set(name, *on));
            Ok(())
        }
        DatabaseOption::Neutral => Ok(()),
    }
}

fn missing(name: &str) -> SqlError {
    let message = format!(
        "User does not have permission to alter database '{name}', the database does not exist, or the database is not in a state that allows access checks."
    );
    SqlError { class: 14, state: 5, ..SqlError::statement(5011, message) }
}
