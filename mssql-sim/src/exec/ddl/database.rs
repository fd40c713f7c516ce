//! ALTER DATABASE, logins, users and permissions.

use crate::engine::{GrantScope, Interrupt};
use crate::exec::context::ExecContext;
use crate::parser::ast::{DatabaseOption, Permission, Securable};
use crate::types::SqlError;

/// `ALTER DATABASE name|CURRENT SET option`
pub(super) fn alter(
    context: &ExecContext,
    name: Option<&str>,
    option: &DatabaseOption,
) -> Result<(), SqlError> {
    set_option(context, name, option)
        .map_err(|error| SqlError::statement(5069, "ALTER DATABASE statement failed.").caused_by(error))
}

fn set_option(context: &ExecContext, name: Option<&str>, option: &DatabaseOption) -> Result<(), SqlError> {
    let engine = &context.engine;
    let database = match name {
        None => context.names.database,
        Some(name) => engine.database_id(name).ok_or_else(|| missing(name))?,
    };
    if !engine.permitted_on_database(&context.names.principal, "ALTER", database) {
        return Err(missing(name.unwrap_or(&context.session.database)));
    }
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
        DatabaseOption::Ignored(_) => Ok(()),
    }
}

fn missing(name: &str) -> SqlError {
    let message = format!(
        "User does not have permission to alter database '{name}', the database does not exist, or the database is not in a state that allows access checks."
    );
    SqlError { class: 14, state: 5, ..SqlError::statement(5011, message) }
}

/// `CREATE LOGIN`, `CREATE USER`, `GRANT`, `DENY`, `REVOKE`
pub(super) fn change_permission(context: &ExecContext, permission: &Permission) -> Result<(), Interrupt> {
    let engine = &context.engine;
    if !context.names.principal.sysadmin {
        return Err(
            SqlError::statement(15247, "User does not have permission to perform this action.").into()
        );
    }
    match permission {
        Permission::CreateLogin { name, password } => {
            if engine.has_login(name) {
                let message = format!("The server principal '{name}' already exists.");
                return Err(SqlError::statement(15025, message).into());
            }
            engine.create_login(name, password, false);
        }
        Permission::CreateUser { name, login } => engine.create_user(context.names.database, name, login)?,
        Permission::Change { kind, permissions, securable, principal } => {
            let scope = scope_of(context, securable)?;
            for permission in permissions {
                engine.change_permission(context.names.database, *kind, permission, scope, principal)?;
            }
        }
    }
    Ok(())
}

fn scope_of(context: &ExecContext, securable: &Securable) -> Result<GrantScope, Interrupt> {
    match securable {
        Securable::Database => Ok(GrantScope::Database),
        Securable::Schema(name) => match context.engine.schema(context.names.database, name) {
            Some(schema) => Ok(GrantScope::Schema(schema.id)),
            None => Err(not_found("schema", name).into()),
        },
        Securable::Object(name) => match super::find(context, name)? {
            Some(table) => Ok(GrantScope::Object(table.object_id)),
            None => Err(not_found("object", &super::shown(name)).into()),
        },
    }
}

fn not_found(kind: &str, name: &str) -> SqlError {
    let message =
        format!("Cannot find the {kind} '{name}', because it does not exist or you do not have permission.");
    SqlError::statement(15151, message)
}
