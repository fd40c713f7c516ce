//! What principals may do.
//!
//! A sysadmin and dbo may do everything. Anybody else needs a fixed role, or a grant to the user or one of its roles on the
//! object, its schema or the database; DENY wins, over fixed roles too. A wider permission covers narrower ones: CONTROL
//! all of them, ALTER the sight of a definition. An object of which one holds nothing is not shown by the catalog.

use std::collections::BTreeSet;

use super::database::Database;
use super::definition::{DatabaseId, ObjectId, TableDef};
use super::principal::{Principal, User};
use super::schema_object::ObjectHeader;
use super::state::State;
use super::{Engine, TransactionId};
use crate::collation::fold_name;
use crate::parser::ast::GrantKind;
use crate::types::SqlError;

/// Users, roles and grants of a database.
#[derive(Clone, Debug, Default)]
pub(super) struct Security {
    pub(super) users: Vec<User>,
    pub(super) grants: Vec<Grant>,
}

/// What a grant is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantScope {
    /// Everything in the database.
    Database,
    /// Everything in a schema.
    Schema(i32),
    /// One table or view.
    Object(ObjectId),
    /// One column of a table, by its id.
    Column(ObjectId, i32),
}

/// A granted or denied permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Folded name of the user or role.
    pub user: String,
    /// Upper-case, such as `VIEW CHANGE TRACKING`.
    pub permission: String,
    /// What on.
    pub scope: GrantScope,
    /// `DENY`
    pub denied: bool,
}

/// Something in a schema on which permissions are granted.
pub trait SchemaObject {
    /// Its name and identity.
    fn identity(&self) -> ObjectIdentity<'_>;
}

/// Name and identity of an object.
#[derive(Clone, Copy, Debug)]
pub struct ObjectIdentity<'a> {
    /// Database that holds it.
    pub database: DatabaseId,
    /// Object id.
    pub object_id: ObjectId,
    /// Id of its schema.
    pub schema_id: i32,
    /// Name of its schema.
    pub schema: &'a str,
    /// Name.
    pub name: &'a str,
}

impl SchemaObject for TableDef {
    fn identity(&self) -> ObjectIdentity<'_> {
        ObjectIdentity {
            database: self.database,
            object_id: self.object_id,
            schema_id: self.schema_id,
            schema: &self.schema,
            name: &self.name,
        }
    }
}

impl<T: SchemaObject> SchemaObject for std::sync::Arc<T> {
    fn identity(&self) -> ObjectIdentity<'_> {
        (**self).identity()
    }
}

impl SchemaObject for ObjectHeader {
    fn identity(&self) -> ObjectIdentity<'_> {
        ObjectIdentity {
            database: self.database,
            object_id: self.object_id,
            schema_id: self.schema_id,
            schema: &self.schema,
            name: &self.name,
        }
    }
}

impl ObjectIdentity<'_> {
    /// Where a permission on it may have been granted.
    fn scopes(&self) -> [GrantScope; 3] {
        [GrantScope::Object(self.object_id), GrantScope::Schema(self.schema_id), GrantScope::Database]
    }
}

/// Whether holding one permission means holding another.
fn covers(held: &str, wanted: &str) -> bool {
    held == wanted
        || held == "CONTROL"
        || held == "ALTER" && (wanted == "VIEW DEFINITION" || wanted.starts_with("ALTER ANY "))
        || held == "ALTER ANY SCHEMA" && wanted == "ALTER"
        || held.starts_with("VIEW SERVER") && wanted == "VIEW DATABASE STATE"
}

/// What members of a fixed role may (true) or must not (false) do.
fn fixed_role(role: &str, permission: &str) -> Option<bool> {
    let allowed = match role {
        "db_owner" => true,
        "db_datareader" => permission == "SELECT",
        "db_datawriter" => matches!(permission, "INSERT" | "UPDATE" | "DELETE"),
        "db_ddladmin" => {
            matches!(permission, "ALTER" | "REFERENCES" | "VIEW DEFINITION")
                || permission.starts_with("CREATE ")
        }
        "db_accessadmin" => matches!(permission, "ALTER ANY USER" | "CREATE SCHEMA"),
        "db_securityadmin" => {
            matches!(permission, "ALTER ANY ROLE" | "CREATE ROLE" | "CREATE SCHEMA" | "VIEW DEFINITION")
        }
        "db_backupoperator" => permission.starts_with("BACKUP ") || permission == "CHECKPOINT",
        "db_denydatareader" if permission == "SELECT" => return Some(false),
        "db_denydatawriter" if matches!(permission, "INSERT" | "UPDATE" | "DELETE") => return Some(false),
        _ => false,
    };
    allowed.then_some(true)
}

impl Database {
    /// Folded names that stand for a principal; None for one that may do everything.
    fn judged(&self, principal: &Principal) -> Option<BTreeSet<String>> {
        if principal.user.is_none() && principal.sysadmin {
            return None;
        }
        match self.user_of(principal) {
            Some(user) if fold_name(&user.name) == "dbo" => None,
            Some(user) => Some(self.identities(user)),
            None => Some(BTreeSet::new()),
        }
    }

    /// Whether a permission on something is held.
    pub(super) fn permits(&self, principal: &Principal, permission: &str, scopes: &[GrantScope]) -> bool {
        let Some(names) = self.judged(principal) else { return true };
        let concerned = || {
            self.security.grants.iter().filter(|grant| {
                names.contains(&grant.user)
                    && scopes.contains(&grant.scope)
                    && covers(&grant.permission, permission)
            })
        };
        let by_role = || names.iter().filter_map(|name| fixed_role(name, permission));
        let denied = concerned().any(|grant| grant.denied) || by_role().any(|allowed| !allowed);
        !denied && (concerned().any(|grant| !grant.denied) || by_role().any(|allowed| allowed))
    }

    /// Whether an object is shown: any permission on it will do, unless the sight of its definition is denied.
    pub(super) fn shows(&self, principal: &Principal, object: &impl SchemaObject) -> bool {
        const ANY: [&str; 9] = [
            "SELECT",
            "INSERT",
            "UPDATE",
            "DELETE",
            "REFERENCES",
            "ALTER",
            "EXECUTE",
            "VIEW CHANGE TRACKING",
            "VIEW DEFINITION",
        ];
        let Some(names) = self.judged(principal) else { return true };
        let object = object.identity();
        let scopes = object.scopes();
        let on_a_column =
            |scope: GrantScope| matches!(scope, GrantScope::Column(id, _) if id == object.object_id);
        let mut own = self.security.grants.iter().filter(|grant| names.contains(&grant.user));
        let hidden = own.clone().any(|grant| {
            grant.denied && grant.permission == "VIEW DEFINITION" && scopes.contains(&grant.scope)
        });
        !hidden
            && (ANY.iter().any(|permission| self.permits(principal, permission, &scopes))
                || own.any(|grant| !grant.denied && on_a_column(grant.scope)))
    }

    /// Positions of the columns on which a permission is not held; None if it is held on no part of the table.
    fn denied_columns(
        &self,
        principal: &Principal,
        permission: &str,
        table: &TableDef,
    ) -> Option<Vec<usize>> {
        let Some(names) = self.judged(principal) else { return Some(Vec::new()) };
        let whole = self.permits(principal, permission, &table.identity().scopes());
        let held = |column: &usize| {
            let scope = GrantScope::Column(table.object_id, table.columns[*column].column_id);
            let mut own = self.security.grants.iter().filter(|grant| {
                names.contains(&grant.user) && grant.scope == scope && grant.permission == permission
            });
            let denied = own.clone().any(|grant| grant.denied);
            !denied && (whole || own.next().is_some())
        };
        let columns = 0..table.columns.len();
        let denied: Vec<usize> = columns.filter(|column| !held(column)).collect();
        (whole || denied.len() < table.columns.len()).then_some(denied)
    }
}

impl Engine {
    /// `GRANT`, `DENY`, `REVOKE` of one permission in a database.
    ///
    /// # Errors
    /// 15151 for an unknown user.
    pub fn change_permission(
        &self,
        transaction: TransactionId,
        database: DatabaseId,
        kind: GrantKind,
        (permission, scope): (&str, GrantScope),
        user: &str,
    ) -> Result<(), SqlError> {
        let mut state = self.state();
        let folded = fold_name(user);
        if folded != super::principal::PUBLIC && state.database(database).user(user).is_none() {
            return Err(super::principal::cannot("find", "user", user));
        }
        let permission = permission.to_ascii_uppercase();
        state.change_security(transaction, database, |security| {
            security.grants.retain(|g| !(g.user == folded && g.permission == permission && g.scope == scope));
            if kind != GrantKind::Revoke {
                let denied = kind == GrantKind::Deny;
                security.grants.push(Grant { user: folded, permission, scope, denied });
            }
        })
    }

    /// `GRANT`, `DENY`, `REVOKE` of one permission on the server.
    ///
    /// # Errors
    /// 15151 for an unknown login.
    pub fn change_server_permission(
        &self,
        kind: GrantKind,
        permission: &str,
        login: &str,
    ) -> Result<(), SqlError> {
        let mut state = self.state();
        let found = state.login_mut(login).ok_or_else(|| super::principal::cannot("find", "login", login))?;
        if kind == GrantKind::Grant {
            found.permissions.insert(permission.to_ascii_uppercase());
        } else {
            found.permissions.remove(permission);
        }
        Ok(())
    }

    /// A database's grants.
    pub fn grants(&self, database: DatabaseId) -> Vec<Grant> {
        self.state().database(database).security.grants.clone()
    }

    /// Refuses what the principal may not do with an object; `permission` is upper-case, as in GRANT.
    ///
    /// # Errors
    /// 229.
    pub fn require(
        &self,
        principal: &Principal,
        permission: &str,
        object: &impl SchemaObject,
    ) -> Result<(), SqlError> {
        let state = self.state();
        if state.permitted(principal, permission, object) {
            return Ok(());
        }
        Err(state.permission_denied(permission, object))
    }

    /// The columns of a table with which the principal may not do something, and the error 230 for each.
    ///
    /// # Errors
    /// 229 if it may do it with none.
    pub fn denied_columns(
        &self,
        principal: &Principal,
        permission: &str,
        table: &TableDef,
    ) -> Result<Vec<(usize, SqlError)>, SqlError> {
        let state = self.state();
        let database = state.database(table.database);
        // Whoever has a temporary table made it.
        if table.is_temporary() {
            return Ok(Vec::new());
        }
        let Some(denied) = database.denied_columns(principal, permission, table) else {
            return Err(state.permission_denied(permission, table));
        };
        let refused = |column: usize| {
            let message = format!(
                "The {permission} permission was denied on the column '{}' of the object '{}', database '{}', schema '{}'.",
                table.columns[column].name, table.name, database.name, table.schema
            );
            (column, SqlError { class: 14, ..SqlError::statement(230, message) })
        };
        Ok(denied.into_iter().map(refused).collect())
    }

    /// Whether a permission on the database itself is held (`HAS_PERMS_BY_NAME`).
    pub fn permitted_on_database(
        &self,
        principal: &Principal,
        permission: &str,
        database: DatabaseId,
    ) -> bool {
        let state = self.state();
        let by_server = || {
            let login = state.login(&principal.login);
            login.is_some_and(|login| login.permissions.iter().any(|held| covers(held, permission)))
        };
        state.database(database).permits(principal, permission, &[GrantScope::Database])
            || principal.user.is_none() && by_server()
    }

    /// Whether a permission on the server is held.
    pub fn permitted_on_server(&self, principal: &Principal, permission: &str) -> bool {
        if principal.user.is_some() {
            return false;
        }
        let state = self.state();
        let granted = |login: &super::principal::Login| {
            login.permissions.contains(permission) || login.permissions.contains("CONTROL SERVER")
        };
        principal.sysadmin || state.login(&principal.login).is_some_and(granted)
    }

    /// Whether a permission on an object is held (`HAS_PERMS_BY_NAME`).
    pub fn permitted(&self, principal: &Principal, permission: &str, object: &impl SchemaObject) -> bool {
        self.state().permitted(principal, permission, object)
    }

    /// Whether a permission on a schema is held.
    pub fn permitted_on_schema(
        &self,
        principal: &Principal,
        permission: &str,
        (database, schema): (DatabaseId, i32),
    ) -> bool {
        let scopes = [GrantScope::Schema(schema), GrantScope::Database];
        self.state().database(database).permits(principal, permission, &scopes)
    }

    /// Whether the catalog shows an object to a principal.
    pub fn shows(&self, principal: &Principal, object: &impl SchemaObject) -> bool {
        let state = self.state();
        state.database(object.identity().database).shows(principal, object)
    }
}

impl State {
    pub(super) fn permitted(
        &self,
        principal: &Principal,
        permission: &str,
        object: &impl SchemaObject,
    ) -> bool {
        let identity = object.identity();
        // Whoever has a temporary table made it.
        if super::temporary::is_temporary(identity.name) {
            return true;
        }
        let database = self.databases.get(&identity.database);
        database.is_some_and(|database| database.permits(principal, permission, &identity.scopes()))
    }

    fn permission_denied(&self, permission: &str, object: &impl SchemaObject) -> SqlError {
        let object = object.identity();
        let message = format!(
            "The {permission} permission was denied on the object '{}', database '{}', schema '{}'.",
            object.name,
            self.databases.get(&object.database).map_or("", |database| &database.name),
            object.schema
        );
        SqlError { class: 14, state: 5, ..SqlError::statement(229, message) }
    }
}
