//! Logins, users, roles and permissions.

use crate::engine::{GrantScope, Interrupt, NewUser, Object, cannot};
use crate::exec::context::ExecContext;
use crate::parser::ast::{GrantKind, GrantedPermission, Permission, Securable, SetPrincipal};
use crate::types::SqlError;

/// Permissions that are held on the server, not in a database.
const SERVER_PERMISSIONS: [&str; 10] = [
    "ALTER ANY LOGIN",
    "ALTER SERVER STATE",
    "CONNECT SQL",
    "CONTROL SERVER",
    "CREATE ANY DATABASE",
    "VIEW ANY DATABASE",
    "VIEW ANY DEFINITION",
    "VIEW SERVER PERFORMANCE STATE",
    "VIEW SERVER SECURITY STATE",
    "VIEW SERVER STATE",
];

/// `CREATE | ALTER | DROP LOGIN | USER | ROLE`, `GRANT`, `DENY`, `REVOKE`
pub(super) fn change(context: &ExecContext, permission: &Permission) -> Result<(), Interrupt> {
    require_administrator(context, permission)?;
    let (engine, transaction) = (&context.engine, context.names.transaction);
    let database = context.names.database;
    match permission {
        Permission::CreateLogin { name, password } => {
            if engine.has_login(name) {
                let message = format!("The server principal '{name}' already exists.");
                return Err(SqlError::statement(15025, message).into());
            }
            engine.create_login(name, password, false);
        }
        Permission::DropLogin(name) => engine.drop_login(name)?,
        Permission::CreateUser { name, login, default_schema } => {
            let default_schema = default_schema.as_deref().unwrap_or("dbo");
            let login = login.as_deref();
            engine.create_user(
                transaction,
                database,
                NewUser { name, login, default_schema, is_role: false },
            )?;
        }
        Permission::CreateRole(name) => {
            let new = NewUser { name, login: None, default_schema: "dbo", is_role: true };
            engine.create_user(transaction, database, new)?;
        }
        Permission::DropUser { name, is_role, if_exists } => {
            if !engine.drop_user(transaction, database, (name, *is_role))? && !if_exists {
                return Err(cannot("drop", if *is_role { "role" } else { "user" }, name).into());
            }
        }
        Permission::SetPrincipal(name, SetPrincipal::DefaultSchema(schema)) => {
            engine.set_default_schema(transaction, database, (name, schema))?;
        }
        Permission::SetPrincipal(name, change) => engine.alter_login(name, change)?,
        Permission::ChangeMember { role, member, add, on_server: true } => {
            if !role.eq_ignore_ascii_case("sysadmin") {
                return Err(SqlError::unsupported(format!("server role {role}")).into());
            }
            engine.set_sysadmin(member, *add)?;
        }
        Permission::ChangeMember { role, member, add, on_server: false } => {
            engine.change_member(transaction, database, (role, member), *add)?;
        }
        Permission::Change { kind, permissions, securable, principals } => {
            for principal in principals {
                for permission in permissions {
                    grant(context, *kind, (permission, securable), principal)?;
                }
            }
        }
    }
    Ok(())
}

/// Only dbo, sysadmins and, for what is in a database, owners of it may change who may do what.
fn require_administrator(context: &ExecContext, permission: &Permission) -> Result<(), SqlError> {
    let principal = &context.names.principal;
    let of_server = matches!(
        permission,
        Permission::CreateLogin { .. }
            | Permission::DropLogin(_)
            | Permission::SetPrincipal(_, SetPrincipal::Password(_) | SetPrincipal::Enabled(_))
            | Permission::ChangeMember { on_server: true, .. }
    );
    let allowed = if of_server {
        context.engine.permitted_on_server(principal, "ALTER ANY LOGIN")
    } else {
        context.engine.permitted_on_database(principal, "CONTROL", context.names.database)
    };
    if allowed {
        return Ok(());
    }
    Err(SqlError::statement(15247, "User does not have permission to perform this action."))
}

fn grant(
    context: &ExecContext,
    kind: GrantKind,
    (permission, securable): (&GrantedPermission, &Securable),
    principal: &str,
) -> Result<(), Interrupt> {
    let engine = &context.engine;
    if *securable == Securable::Database && SERVER_PERMISSIONS.contains(&permission.name.as_str()) {
        if !context.session.database.eq_ignore_ascii_case("master") {
            let message =
                "Permissions at the server scope can only be granted when the current database is master";
            return Err(SqlError::statement(4621, message).into());
        }
        return Ok(engine.change_server_permission(kind, &permission.name, principal)?);
    }
    for scope in scopes(context, permission, securable)? {
        let what = (permission.name.as_str(), scope);
        engine.change_permission(context.names.transaction, context.names.database, kind, what, principal)?;
    }
    Ok(())
}

/// What a permission is granted on: a securable, or some columns of a table.
fn scopes(
    context: &ExecContext,
    permission: &GrantedPermission,
    securable: &Securable,
) -> Result<Vec<GrantScope>, Interrupt> {
    let name = match securable {
        Securable::Database => return Ok(vec![GrantScope::Database]),
        Securable::Schema(name) => {
            let schema = context.engine.schema(context.names.database, name);
            let schema = schema.ok_or_else(|| cannot("find", "schema", name))?;
            return Ok(vec![GrantScope::Schema(schema.id)]);
        }
        Securable::Object(name) => name,
    };
    match context.engine.resolve(&context.names, name)? {
        Some(Object::Table(table)) if !permission.columns.is_empty() => {
            let column = |name: &String| {
                let position = table.column(name).ok_or_else(|| cannot("find", "column", name))?;
                Ok(GrantScope::Column(table.object_id, table.columns[position].column_id))
            };
            permission.columns.iter().map(column).collect::<Result<_, SqlError>>().map_err(Interrupt::Error)
        }
        Some(Object::Table(table)) => Ok(vec![GrantScope::Object(table.object_id)]),
        Some(Object::UserView(view)) => Ok(vec![GrantScope::Object(view.header.object_id)]),
        // Everybody may read the catalog, and sees in it what is his.
        Some(Object::View(..)) => Ok(Vec::new()),
        None => Err(cannot("find", "object", &name.name).into()),
    }
}
