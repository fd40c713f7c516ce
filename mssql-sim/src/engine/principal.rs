//! Logins of the server; users and roles of its databases.
//!
//! A login enters a database as its user there; a sysadmin enters every database as dbo. Users and roles are members of
//! roles, and everybody is part of public. The fixed roles need no grants: [`super::permission`] says what they may do.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::database::Database;
use super::database_use::DatabaseUse;
use super::definition::DatabaseId;
use super::state::State;
use super::transaction::Undo;
use super::{Engine, TransactionId};
use crate::collation::fold_name;
use crate::parser::ast::SetPrincipal;
use crate::types::{Reach, SqlError};

/// `principal_id` of the first user that is created.
const FIRST_USER_ID: i32 = 5;
/// The role that everybody is part of.
pub(super) const PUBLIC: &str = "public";
/// Fixed roles of every database and their ids.
pub const FIXED_ROLES: [(i32, &str); 9] = [
    (16384, "db_owner"),
    (16385, "db_accessadmin"),
    (16386, "db_securityadmin"),
    (16387, "db_ddladmin"),
    (16389, "db_backupoperator"),
    (16390, "db_datareader"),
    (16391, "db_datawriter"),
    (16392, "db_denydatareader"),
    (16393, "db_denydatawriter"),
];

/// A login of the server.
#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) name: String,
    pub(super) password: String,
    pub(super) sysadmin: bool,
    enabled: bool,
    /// Permissions on the server, upper-case.
    pub(super) permissions: BTreeSet<String>,
}

/// A user or role of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// `principal_id`
    pub id: i32,
    /// Name, as created.
    pub name: String,
    /// Login by which it is entered; None for a role and for a user without login.
    pub login: Option<String>,
    /// `DEFAULT_SCHEMA`
    pub default_schema: String,
    /// Whether it is a role.
    pub is_role: bool,
    /// Folded names of the roles to which it belongs itself.
    pub member_of: BTreeSet<String>,
    /// When it was created.
    pub created: DateTime<Utc>,
}

/// Who acts: a login, or the user whom it impersonates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Login name.
    pub login: String,
    /// Member of sysadmin.
    pub sysadmin: bool,
    /// `EXECUTE AS USER`: the user in whose place it acts, in the databases that know it.
    pub user: Option<String>,
}

impl Principal {
    /// A login as itself.
    pub fn of_login(login: &str, sysadmin: bool) -> Self {
        Self { login: login.to_owned(), sysadmin, user: None }
    }
}

/// A new user or role.
#[derive(Clone, Copy, Debug)]
pub struct NewUser<'a> {
    /// Name.
    pub name: &'a str,
    /// Login, which exists.
    pub login: Option<&'a str>,
    /// `DEFAULT_SCHEMA`
    pub default_schema: &'a str,
    /// Whether it is a role.
    pub is_role: bool,
}

impl Database {
    /// The user in whose name a principal acts.
    pub(super) fn user_of(&self, principal: &Principal) -> Option<&User> {
        match &principal.user {
            Some(user) => self.user(user),
            None => {
                let login = fold_name(&principal.login);
                self.security
                    .users
                    .iter()
                    .find(|user| user.login.as_deref().is_some_and(|own| fold_name(own) == login))
            }
        }
    }

    /// A user or role by name.
    pub(super) fn user(&self, name: &str) -> Option<&User> {
        let folded = fold_name(name);
        self.security.users.iter().find(|user| fold_name(&user.name) == folded)
    }

    /// Folded names of a user and of every role to which it belongs, public included.
    pub(super) fn identities(&self, user: &User) -> BTreeSet<String> {
        let mut found = BTreeSet::from([fold_name(&user.name), PUBLIC.to_owned()]);
        let mut open: Vec<String> = user.member_of.iter().cloned().collect();
        while let Some(role) = open.pop() {
            if let Some(role) = self.user(&role) {
                open.extend(role.member_of.iter().filter(|outer| !found.contains(*outer)).cloned());
            }
            found.insert(role);
        }
        found
    }

    fn has_role(&self, name: &str) -> bool {
        let folded = fold_name(name);
        folded == PUBLIC
            || FIXED_ROLES.iter().any(|(_, role)| *role == folded)
            || self.user(name).is_some_and(|user| user.is_role)
    }
}

impl Engine {
    /// Adds a login; an existing one gets the new password.
    pub fn create_login(&self, name: &str, password: &str, sysadmin: bool) {
        let mut state = self.state();
        state.logins.retain(|login| fold_name(&login.name) != fold_name(name));
        state.logins.push(Login {
            name: name.to_owned(),
            password: password.to_owned(),
            sysadmin,
            enabled: true,
            permissions: BTreeSet::new(),
        });
    }

    /// Whether a login exists.
    pub fn has_login(&self, name: &str) -> bool {
        self.state().login(name).is_some()
    }

    /// Names of the logins, and whether each is a sysadmin.
    pub fn logins(&self) -> Vec<(String, bool)> {
        self.state().logins.iter().map(|login| (login.name.clone(), login.sysadmin)).collect()
    }

    /// Drops a login.
    ///
    /// # Errors
    /// 15151 if there is none.
    pub fn drop_login(&self, name: &str) -> Result<(), SqlError> {
        let mut state = self.state();
        if state.login(name).is_none() {
            return Err(cannot("drop", "login", name));
        }
        state.logins.retain(|login| fold_name(&login.name) != fold_name(name));
        Ok(())
    }

    /// `ALTER LOGIN`; also membership of sysadmin.
    ///
    /// # Errors
    /// 15151 if there is no such login.
    pub fn alter_login(&self, name: &str, change: &SetPrincipal) -> Result<(), SqlError> {
        let mut state = self.state();
        let Some(login) = state.login_mut(name) else { return Err(cannot("alter", "login", name)) };
        match change {
            SetPrincipal::Password(password) => login.password.clone_from(password),
            SetPrincipal::Enabled(enabled) => login.enabled = *enabled,
            SetPrincipal::DefaultSchema(_) => {}
        }
        Ok(())
    }

    /// `ALTER SERVER ROLE sysadmin ADD | DROP MEMBER`
    ///
    /// # Errors
    /// 15151 if there is no such login.
    pub fn set_sysadmin(&self, login: &str, sysadmin: bool) -> Result<(), SqlError> {
        let mut state = self.state();
        let found = state.login_mut(login).ok_or_else(|| cannot("add", "principal", login))?;
        found.sysadmin = sysadmin;
        Ok(())
    }

    /// Checks a name and a password.
    ///
    /// # Errors
    /// 18456, alike for an unknown name and a wrong password; 18470 for a login that is disabled.
    pub fn log_in(&self, name: &str, password: &str) -> Result<Principal, SqlError> {
        let refused = |number: i32, message: String| SqlError {
            class: 14,
            reach: Reach::Connection,
            ..SqlError::statement(number, message)
        };
        match self.state().login(name) {
            Some(login) if login.password == password && !login.enabled => {
                let message = format!("Login failed for user '{name}'. Reason: The account is disabled.");
                Err(refused(18470, message))
            }
            Some(login) if login.password == password => Ok(Principal::of_login(&login.name, login.sysadmin)),
            _ => Err(refused(18456, format!("Login failed for user '{name}'."))),
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
        if principal.user.is_none() && principal.sysadmin {
            return "dbo".to_owned();
        }
        let state = self.state();
        let user = state.database(database).user_of(principal);
        user.map_or_else(|| "guest".to_owned(), |user| user.name.clone())
    }

    /// Name of the schema in which the principal's unqualified names are looked up first.
    pub fn default_schema(&self, principal: &Principal, database: DatabaseId) -> String {
        let state = self.state();
        let user = state.database(database).user_of(principal);
        user.map_or_else(|| "dbo".to_owned(), |user| user.default_schema.clone())
    }

    /// A database's users and roles beside the fixed ones.
    pub fn users(&self, database: DatabaseId) -> Vec<User> {
        self.state().database(database).security.users.clone()
    }

    /// Whether a principal belongs to a role of a database; None if there is no such role.
    pub fn is_member(&self, principal: &Principal, database: DatabaseId, role: &str) -> Option<bool> {
        let state = self.state();
        let database = state.database(database);
        if !database.has_role(role) {
            return None;
        }
        if principal.user.is_none() && principal.sysadmin {
            return Some(matches!(fold_name(role).as_str(), PUBLIC | "db_owner"));
        }
        let user = database.user_of(principal);
        Some(user.is_some_and(|user| database.identities(user).contains(&fold_name(role))))
    }

    /// Adds a user or role to a database.
    ///
    /// # Errors
    /// 15023 if the name is taken, 15007 if there is no such login, 15063 if that has a user already.
    pub fn create_user(
        &self,
        transaction: TransactionId,
        database: DatabaseId,
        new: NewUser<'_>,
    ) -> Result<(), SqlError> {
        let NewUser { name, login, default_schema, is_role } = new;
        let mut state = self.state();
        if let Some(login) = login.filter(|login| state.login(login).is_none()) {
            let message = format!("'{login}' is not a valid login or you do not have permission.");
            return Err(SqlError::statement(15007, message));
        }
        let known = state.database(database);
        if known.user(name).is_some()
            || known.has_role(name)
            || matches!(fold_name(name).as_str(), "dbo" | "guest")
        {
            let message = format!("User, group, or role '{name}' already exists in the current database.");
            return Err(SqlError::statement(15023, message));
        }
        if login.is_some_and(|login| known.user_of(&Principal::of_login(login, false)).is_some()) {
            let message = "The login already has an account under a different user name.";
            return Err(SqlError::statement(15063, message));
        }
        let id = known.security.users.iter().map(|user| user.id + 1).fold(FIRST_USER_ID, i32::max);
        let created = state.clock.now();
        state.change_security(transaction, database, |security| {
            security.users.push(User {
                id,
                name: name.to_owned(),
                login: login.map(str::to_owned),
                default_schema: default_schema.to_owned(),
                is_role,
                member_of: BTreeSet::new(),
                created,
            });
        })
    }

    /// Drops a user or role and what was granted to it; false if there is none.
    ///
    /// # Errors
    /// 3926 if the transaction has ended.
    pub fn drop_user(
        &self,
        transaction: TransactionId,
        database: DatabaseId,
        (name, is_role): (&str, bool),
    ) -> Result<bool, SqlError> {
        let mut state = self.state();
        if state.database(database).user(name).is_none_or(|user| user.is_role != is_role) {
            return Ok(false);
        }
        let folded = fold_name(name);
        state.change_security(transaction, database, |security| {
            security.users.retain(|user| fold_name(&user.name) != folded);
            security.users.iter_mut().for_each(|user| {
                user.member_of.remove(&folded);
            });
            security.grants.retain(|grant| grant.user != folded);
        })?;
        Ok(true)
    }

    /// `ALTER USER .. WITH DEFAULT_SCHEMA`
    ///
    /// # Errors
    /// 15151 if there is no such user.
    pub fn set_default_schema(
        &self,
        transaction: TransactionId,
        database: DatabaseId,
        (name, schema): (&str, &str),
    ) -> Result<(), SqlError> {
        let mut state = self.state();
        if state.database(database).user(name).is_none() {
            return Err(cannot("alter", "user", name));
        }
        state.change_security(transaction, database, |security| {
            security
                .users
                .iter_mut()
                .filter(|user| fold_name(&user.name) == fold_name(name))
                .for_each(|user| schema.clone_into(&mut user.default_schema));
        })
    }

    /// `ALTER ROLE role ADD | DROP MEMBER member`
    ///
    /// # Errors
    /// 15151 if either is unknown, 15405 for a member that is dbo or public.
    pub fn change_member(
        &self,
        transaction: TransactionId,
        database: DatabaseId,
        (role, member): (&str, &str),
        add: bool,
    ) -> Result<(), SqlError> {
        let mut state = self.state();
        let known = state.database(database);
        if !known.has_role(role) {
            return Err(cannot("alter", "role", role));
        }
        if matches!(fold_name(member).as_str(), "dbo" | PUBLIC) {
            let message = format!("Cannot use the special principal '{member}'.");
            return Err(SqlError::statement(15405, message));
        }
        if known.user(member).is_none() {
            return Err(cannot(if add { "add" } else { "drop" }, "principal", member));
        }
        state.change_security(transaction, database, |security| {
            let members = security.users.iter_mut().filter(|user| fold_name(&user.name) == fold_name(member));
            members.for_each(|user| {
                if add {
                    user.member_of.insert(fold_name(role));
                } else {
                    user.member_of.remove(&fold_name(role));
                }
            });
        })
    }
}

impl State {
    pub(super) fn login(&self, name: &str) -> Option<&Login> {
        self.logins.iter().find(|login| fold_name(&login.name) == fold_name(name))
    }

    pub(super) fn login_mut(&mut self, name: &str) -> Option<&mut Login> {
        self.logins.iter_mut().find(|login| fold_name(&login.name) == fold_name(name))
    }

    /// Changes who is in a database and what they may do, undone with the transaction.
    pub(super) fn change_security(
        &mut self,
        transaction: TransactionId,
        database: DatabaseId,
        change: impl FnOnce(&mut super::permission::Security),
    ) -> Result<(), SqlError> {
        let before = self.database(database).security.clone();
        change(&mut self.database_mut(database).security);
        self.remember(transaction, Undo::Security { database, before })
    }

    fn usable_database(&self, principal: &Principal, name: &str) -> Result<DatabaseId, SqlError> {
        let Some(database) = self.databases.values().find(|d| fold_name(&d.name) == fold_name(name)) else {
            let message =
                format!("Database '{name}' does not exist. Make sure that the name is entered correctly.");
            return Err(SqlError::statement(911, message));
        };
        let admitted = principal.sysadmin && principal.user.is_none()
            || database.user_of(principal).is_some()
            || matches!(database.name.as_str(), "master" | "tempdb" | "msdb");
        if admitted {
            return Ok(database.id);
        }
        let message = format!(
            "The server principal \"{}\" is not able to access the database \"{}\" under the current security context.",
            principal.login, database.name
        );
        Err(SqlError { class: 14, ..SqlError::statement(916, message) })
    }
}

/// 15151: what cannot be done with a principal that one does not know.
pub(crate) fn cannot(verb: &str, kind: &str, name: &str) -> SqlError {
    let message = format!(
        "Cannot {verb} the {kind} '{name}', because it does not exist or you do not have permission."
    );
    SqlError::statement(15151, message)
}
