//! Logins, users and what they may do.
//!
//! A sysadmin may do everything. Anybody else needs a user in the database and grants on the table, its schema or the
//! database; DENY wins, CONTROL covers every permission. A table of which one holds nothing is not shown by the catalog.

use super::Engine;
use super::database::Database;
use super::database_use::DatabaseUse;
use super::definition::{DatabaseId, ObjectId, TableDef};
use super::state::State;
use crate::collation::fold_name;
use crate::parser::ast::GrantKind;
use crate::types::{Reach, SqlError};

/// A login of the server.
#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) name: String,
    pub(super) password: String,
    pub(super) sysadmin: bool,
}

/// A user of a database.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) login: String,
}

/// What a grant is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantScope {
    /// Everything in the database.
    Database,
    /// Everything in a schema.
    Schema(i32),
    /// One table.
    Object(ObjectId),
}

/// A granted or denied permission.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    /// Folded name of the user.
    user: String,
    /// Upper-case, such as `VIEW CHANGE TRACKING`.
    permission: String,
    scope: GrantScope,
    denied: bool,
}

/// A logged-in principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Login name.
    pub login: String,
    /// Member of sysadmin.
    pub sysadmin: bool,
}

/// The user that everybody is part of.
const PUBLIC: &str = "public";

impl Database {
    fn user_of(&self, principal: &Principal) -> Option<&User> {
        let login = fold_name(&principal.login);
        self.users.iter().find(|user| fold_name(&user.login) == login)
    }

    /// Whether a permission on something is held.
    pub(super) fn permits(&self, principal: &Principal, permission: &str, scopes: &[GrantScope]) -> bool {
        if principal.sysadmin {
            return true;
        }
        let Some(user) = self.user_of(principal) else { return false };
        let user = fold_name(&user.name);
        let concerned = || {
            self.grants.iter().filter(|grant| {
                (grant.user == user || grant.user == PUBLIC)
                    && scopes.contains(&grant.scope)
                    && (grant.permission == permission || grant.permission == "CONTROL")
            })
        };
        concerned().any(|grant| !grant.denied) && !concerned().any(|grant| grant.denied)
    }

    /// Whether a table is shown: any permission on it will do.
    pub(super) fn shows(&self, principal: &Principal, table: &TableDef) -> bool {
        const ANY: [&str; 8] = [
            "SELECT",
            "INSERT",
            "UPDATE",
            "DELETE",
            "REFERENCES",
            "ALTER",
            "VIEW CHANGE TRACKING",
            "VIEW DEFINITION",
        ];
        ANY.iter().any(|permission| self.permits(principal, permission, &scopes_of(table)))
    }
}

/// Where a permission on a table may have been granted.
fn scopes_of(table: &TableDef) -> [GrantScope; 3] {
    [GrantScope::Object(table.object_id), GrantScope::Schema(table.schema_id), GrantScope::Database]
}

impl Engine {
    /// Adds a login; an existing one gets the new password.
    pub fn create_login(&self, name: &str, password: &str, sysadmin: bool) {
        let mut state = self.state();
        state.logins.retain(|login| fold_name(&login.name) != fold_name(name));
        state.logins.push(Login { name: name.to_owned(), password: password.to_owned(), sysadmin });
    }

    /// Whether a login exists.
    pub fn has_login(&self, name: &str) -> bool {
        self.state().logins.iter().any(|login| fold_name(&login.name) == fold_name(name))
    }

    /// Checks a name and a password.
    ///
    /// # Errors
    /// 18456, alike for an unknown name and a wrong password.
    pub fn log_in(&self, name: &str, password: &str) -> Result<Principal, SqlError> {
        let state = self.state();
        let login = state.logins.iter().find(|login| fold_name(&login.name) == fold_name(name));
        match login {
            Some(login) if login.password == password => {
                Ok(Principal { login: login.name.clone(), sysadmin: login.sysadmin })
            }
            _ => Err(SqlError {
                class: 14,
                reach: Reach::Connection,
                ..SqlError::statement(18456, format!("Login failed for user '{name}'."))
            }),
        }
    }

    /// Enters a database that the principal may use; it cannot be dropped while the result lives.
    ///
    /// # Errors
    /// 911 if it does not exist, 916 if the principal has no user in it.
    pub fn use_database(&self, principal: &Principal, name: &str) -> Result<DatabaseUse, SqlError> {
        let mut state = self.state();
        let id = state.usable_database(principal, name)?;
        Ok(self.hold_database(&mut state, id))
    }

    /// Name of the principal's user in a database: `dbo` for a sysadmin.
    pub fn user_name(&self, principal: &Principal, database: DatabaseId) -> String {
        if principal.sysadmin {
            return "dbo".to_owned();
        }
        self.state()
            .database(database)
            .user_of(principal)
            .map_or_else(|| "guest".to_owned(), |user| user.name.clone())
    }

    /// Adds a user to a database.
    ///
    /// # Errors
    /// 15023 if the name is taken, 15007 if there is no such login.
    pub fn create_user(&self, database: DatabaseId, name: &str, login: &str) -> Result<(), SqlError> {
        if !self.has_login(login) {
            let message = format!("'{login}' is not a valid login or you do not have permission.");
            return Err(SqlError::statement(15007, message));
        }
        let mut state = self.state();
        let users = &mut state.database_mut(database).users;
        if users.iter().any(|user| fold_name(&user.name) == fold_name(name)) {
            let message = format!("User, group, or role '{name}' already exists in the current database.");
            return Err(SqlError::statement(15023, message));
        }
        users.push(User { name: name.to_owned(), login: login.to_owned() });
        Ok(())
    }

    /// `GRANT`, `DENY`, `REVOKE` of one permission.
    ///
    /// # Errors
    /// 15151 for an unknown user.
    pub fn change_permission(
        &self,
        database: DatabaseId,
        kind: GrantKind,
        permission: &str,
        scope: GrantScope,
        user: &str,
    ) -> Result<(), SqlError> {
        let mut state = self.state();
        let database = state.database_mut(database);
        let folded = fold_name(user);
        if folded != PUBLIC && !database.users.iter().any(|known| fold_name(&known.name) == folded) {
            let message = format!(
                "Cannot find the user '{user}', because it does not exist or you do not have permission."
            );
            return Err(SqlError::statement(15151, message));
        }
        let permission = permission.to_ascii_uppercase();
        database.grants.retain(|g| !(g.user == folded && g.permission == permission && g.scope == scope));
        if kind != GrantKind::Revoke {
            database.grants.push(Grant { user: folded, permission, scope, denied: kind == GrantKind::Deny });
        }
        Ok(())
    }

    /// Refuses what the principal may not do with a table; `permission` is upper-case, as in GRANT.
    ///
    /// # Errors
    /// 229.
    pub fn require(&self, principal: &Principal, permission: &str, table: &TableDef) -> Result<(), SqlError> {
        let state = self.state();
        if state.permitted(principal, permission, table) {
            return Ok(());
        }
        let message = format!(
            "The {permission} permission was denied on the object '{}', database '{}', schema '{}'.",
            table.name,
            state.databases.get(&table.database).map_or("", |database| &database.name),
            table.schema
        );
        Err(SqlError { class: 14, state: 5, ..SqlError::statement(229, message) })
    }

    /// Whether a permission on the database itself is held (`HAS_PERMS_BY_NAME`).
    pub fn permitted_on_database(
        &self,
        principal: &Principal,
        permission: &str,
        database: DatabaseId,
    ) -> bool {
        self.state().database(database).permits(principal, permission, &[GrantScope::Database])
    }

    /// Whether a permission on a table is held (`HAS_PERMS_BY_NAME`).
    pub fn permitted(&self, principal: &Principal, permission: &str, table: &TableDef) -> bool {
        self.state().permitted(principal, permission, table)
    }
}

impl State {
    fn usable_database(&self, principal: &Principal, name: &str) -> Result<DatabaseId, SqlError> {
        let Some(database) = self.databases.values().find(|d| fold_name(&d.name) == fold_name(name)) else {
            let message =
                format!("Database '{name}' does not exist. Make sure that the name is entered correctly.");
            return Err(SqlError::statement(911, message));
        };
        if principal.sysadmin || database.user_of(principal).is_some() || database.name == "master" {
            return Ok(database.id);
        }
        let message = format!(
            "The server principal \"{}\" is not able to access the database \"{}\" under the current security context.",
            principal.login, database.name
        );
        Err(SqlError { class: 14, ..SqlError::statement(916, message) })
    }

    pub(super) fn permitted(&self, principal: &Principal, permission: &str, table: &TableDef) -> bool {
        if table.is_temporary() {
            return true;
        }
        let database = self.databases.get(&table.database);
        database.is_some_and(|database| database.permits(principal, permission, &scopes_of(table)))
    }
}
