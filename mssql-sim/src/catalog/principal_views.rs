//! Views of logins, users, roles and what was granted.

use chrono::{DateTime, Utc};

use super::field::{Field, List, field, optional};
use super::{
    BIT, Catalog, DATETIME, DESCRIPTION, INT, SYSNAME, TINYINT, ViewDef, bit, datetime, int, no, null,
    optional_int, optional_text, text,
};
use crate::engine::{FIXED_ROLES, Grant, GrantScope};
use crate::types::{Length, SqlType, Value};

pub(super) const VIEWS: &[ViewDef] = &[
    ViewDef::sys("database_principals", &List::of(&[USER], users)),
    ViewDef::sys("database_role_members", &List::of(&[MEMBER], members)),
    ViewDef::sys("database_permissions", &List::of(&[PERMISSION], permissions)),
    ViewDef::sys("server_principals", &List::of(&[LOGIN], logins)),
    ViewDef::sys("sql_logins", &List::of(&[LOGIN, SQL_LOGIN], sql_logins)),
];

const SID: SqlType = SqlType::VarBinary(Length::Limited(85));

/// A user or role of a database.
struct UserRow {
    id: i32,
    name: String,
    is_role: bool,
    is_fixed: bool,
    has_login: bool,
    default_schema: Option<String>,
    created: DateTime<Utc>,
}

impl UserRow {
    fn fixed(id: i32, name: &str, is_role: bool) -> Self {
        Self {
            id,
            name: name.to_owned(),
            is_role,
            is_fixed: id >= FIXED_ROLES[0].0,
            has_login: name == "dbo",
            default_schema: (!is_role).then(|| name.to_owned()),
            created: DateTime::UNIX_EPOCH,
        }
    }
}

/// Ids of the principals of every database.
const PUBLIC: (i32, &str) = (0, "public");
const SPECIAL_USERS: [(i32, &str); 4] = [(1, "dbo"), (2, "guest"), (3, "INFORMATION_SCHEMA"), (4, "sys")];

fn users(catalog: &Catalog<'_>) -> Vec<UserRow> {
    let mut rows = vec![UserRow::fixed(PUBLIC.0, PUBLIC.1, true)];
    rows.extend(SPECIAL_USERS.map(|(id, name)| UserRow::fixed(id, name, false)));
    rows.extend(catalog.engine.users(catalog.database).into_iter().map(|user| UserRow {
        id: user.id,
        has_login: user.login.is_some(),
        default_schema: (!user.is_role).then_some(user.default_schema),
        name: user.name,
        is_role: user.is_role,
        is_fixed: false,
        created: user.created,
    }));
    rows.extend(FIXED_ROLES.map(|(id, name)| UserRow::fixed(id, name, true)));
    rows
}

/// A security identifier made of an id.
fn sid(id: i32) -> Value {
    Value::Bytes(id.to_be_bytes().to_vec())
}

const USER: &[Field<UserRow>] = &[
    field("name", SYSNAME, |u| text(&u.name)),
    field("principal_id", INT, |u| int(u.id)),
    field("type", SqlType::Char(1), |u| text(if u.is_role { "R" } else { "S" })),
    optional("type_desc", DESCRIPTION, |u| text(if u.is_role { "DATABASE_ROLE" } else { "SQL_USER" })),
    optional("default_schema_name", SYSNAME, |u| optional_text(u.default_schema.as_deref())),
    field("create_date", DATETIME, |u| datetime(u.created)),
    field("modify_date", DATETIME, |u| datetime(u.created)),
    optional("owning_principal_id", INT, |u| optional_int(u.is_role.then_some(1))),
    optional("sid", SID, |u| sid(u.id)),
    field("is_fixed_role", BIT, |u| bit(u.is_fixed)),
    field("authentication_type", INT, |u| int(u8::from(u.has_login))),
    optional("authentication_type_desc", DESCRIPTION, |u| {
        text(if u.has_login { "INSTANCE" } else { "NONE" })
    }),
    optional("default_language_name", SYSNAME, null),
    optional("default_language_lcid", INT, null),
    field("allow_encrypted_value_modifications", BIT, no),
];

/// A member of a role, by ids.
struct Member {
    role: i32,
    member: i32,
}

const MEMBER: &[Field<Member>] =
    &[field("role_principal_id", INT, |m| int(m.role)), field("member_principal_id", INT, |m| int(m.member))];

fn id_of(users: &[UserRow], folded_name: &str) -> Option<i32> {
    users.iter().find(|user| user.name.eq_ignore_ascii_case(folded_name)).map(|user| user.id)
}

fn members(catalog: &Catalog<'_>) -> Vec<Member> {
    let known = users(catalog);
    let mut rows = vec![Member { role: FIXED_ROLES[0].0, member: 1 }];
    for user in catalog.engine.users(catalog.database) {
        let roles = user.member_of.iter().filter_map(|role| id_of(&known, role));
        rows.extend(roles.map(|role| Member { role, member: user.id }));
    }
    rows
}

/// A granted or denied permission with its principal's id.
struct PermissionRow {
    grant: Grant,
    grantee: i32,
}

impl PermissionRow {
    /// `class`, `class_desc`, `major_id` and `minor_id`
    fn securable(&self) -> (u8, &'static str, i32, i32) {
        match self.grant.scope {
            GrantScope::Database => (0, "DATABASE", 0, 0),
            GrantScope::Object(id) => (1, "OBJECT_OR_COLUMN", id, 0),
            GrantScope::Column(id, column) => (1, "OBJECT_OR_COLUMN", id, column),
            GrantScope::Schema(id) => (3, "SCHEMA", id, 0),
        }
    }
}

fn permissions(catalog: &Catalog<'_>) -> Vec<PermissionRow> {
    let known = users(catalog);
    // Whoever has a user may enter.
    let connecting = catalog.engine.users(catalog.database).into_iter().filter(|user| user.login.is_some());
    let connecting = connecting.map(|user| PermissionRow {
        grantee: user.id,
        grant: Grant {
            user: user.name,
            permission: "CONNECT".to_owned(),
            scope: GrantScope::Database,
            denied: false,
        },
    });
    let granted = catalog.engine.grants(catalog.database).into_iter().filter_map(|grant| {
        let grantee = id_of(&known, &grant.user)?;
        Some(PermissionRow { grant, grantee })
    });
    connecting.chain(granted).collect()
}

/// `type`: four letters for the permission.
fn permission_code(name: &str) -> &'static str {
    match name {
        "SELECT" => "SL",
        "INSERT" => "IN",
        "UPDATE" => "UP",
        "DELETE" => "DL",
        "EXECUTE" => "EX",
        "REFERENCES" => "RF",
        "ALTER" => "AL",
        "CONTROL" => "CL",
        "CONNECT" => "CO",
        "VIEW DEFINITION" => "VW",
        "VIEW CHANGE TRACKING" => "VWCT",
        "VIEW DATABASE STATE" => "VWDS",
        "CREATE TABLE" => "CRTB",
        "CREATE VIEW" => "CRVW",
        "CREATE SCHEMA" => "CRSM",
        "CREATE SYNONYM" => "CRSN",
        _ => "",
    }
}

const PERMISSION: &[Field<PermissionRow>] = &[
    field("class", TINYINT, |p| int(p.securable().0)),
    optional("class_desc", DESCRIPTION, |p| text(p.securable().1)),
    field("major_id", INT, |p| int(p.securable().2)),
    field("minor_id", INT, |p| int(p.securable().3)),
    field("grantee_principal_id", INT, |p| int(p.grantee)),
    field("grantor_principal_id", INT, |_| int(1)),
    field("type", SqlType::Char(4), |p| text(&format!("{:<4}", permission_code(&p.grant.permission)))),
    optional("permission_name", SqlType::NVarChar(Length::Limited(128)), |p| text(&p.grant.permission)),
    field("state", SqlType::Char(1), |p| text(if p.grant.denied { "D" } else { "G" })),
    optional("state_desc", DESCRIPTION, |p| text(if p.grant.denied { "DENY" } else { "GRANT" })),
];

/// A login or a role of the server.
struct LoginRow {
    id: i32,
    name: String,
    is_role: bool,
}

/// `principal_id` of the first login behind `sa`.
const FIRST_LOGIN_ID: i32 = 257;

fn logins(catalog: &Catalog<'_>) -> Vec<LoginRow> {
    let role = |id: i32, name: &str| LoginRow { id, name: name.to_owned(), is_role: true };
    let mut rows = sql_logins(catalog);
    rows.extend([role(2, "public"), role(3, "sysadmin")]);
    rows.sort_by_key(|login| login.id);
    rows
}

/// The logins: the principal's own, or all of them with VIEW ANY DEFINITION.
fn sql_logins(catalog: &Catalog<'_>) -> Vec<LoginRow> {
    let principal = &catalog.scope.principal;
    let sees_all = catalog.engine.permitted_on_server(principal, "VIEW ANY DEFINITION");
    let logins = catalog.engine.logins().into_iter().enumerate();
    let rows = logins.map(|(position, (name, _))| {
        let id = if position == 0 { 1 } else { FIRST_LOGIN_ID + i32::try_from(position).unwrap_or_default() };
        LoginRow { id, name, is_role: false }
    });
    rows.filter(|login| sees_all || login.id == 1 || login.name.eq_ignore_ascii_case(&principal.login))
        .collect()
}

const LOGIN: &[Field<LoginRow>] = &[
    field("name", SYSNAME, |l| text(&l.name)),
    field("principal_id", INT, |l| int(l.id)),
    optional("sid", SID, |l| sid(l.id)),
    field("type", SqlType::Char(1), |l| text(if l.is_role { "R" } else { "S" })),
    optional("type_desc", DESCRIPTION, |l| text(if l.is_role { "SERVER_ROLE" } else { "SQL_LOGIN" })),
    optional("is_disabled", BIT, no),
    field("create_date", DATETIME, |_| datetime(DateTime::UNIX_EPOCH)),
    field("modify_date", DATETIME, |_| datetime(DateTime::UNIX_EPOCH)),
    optional("default_database_name", SYSNAME, |_| text("master")),
    optional("default_language_name", SYSNAME, |_| text("us_english")),
    optional("credential_id", INT, null),
    optional("owning_principal_id", INT, null),
    field("is_fixed_role", BIT, |l| bit(l.is_role)),
];

const SQL_LOGIN: &[Field<LoginRow>] =
    &[optional("is_policy_checked", BIT, no), optional("is_expiration_checked", BIT, no)];
