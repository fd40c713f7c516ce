//! Views of the server and its databases.

use super::{BIT, Catalog, DATETIME, DESCRIPTION, INT, SYSNAME, TINYINT, ViewDef, bit, datetime, int, text};
use crate::types::{SqlType, Value};

pub(super) const VIEWS: &[ViewDef] = &[
    ViewDef::new("sys", "databases", DATABASES, databases),
    ViewDef::new("sys", "database_recovery_status", RECOVERY_STATUS, recovery_status),
    ViewDef::new("sys", "schemas", SCHEMAS, schemas),
    ViewDef::new("sys", "database_principals", PRINCIPALS, principals),
];

const DATABASES: &[super::ViewColumn] = &[
    ("name", SYSNAME, false),
    ("database_id", INT, false),
    ("create_date", DATETIME, false),
    ("compatibility_level", TINYINT, false),
    ("collation_name", SYSNAME, true),
    ("user_access", TINYINT, true),
    ("user_access_desc", DESCRIPTION, true),
    ("is_read_only", BIT, true),
    ("state", TINYINT, true),
    ("state_desc", DESCRIPTION, true),
    ("is_in_standby", BIT, true),
    ("snapshot_isolation_state", TINYINT, true),
    ("snapshot_isolation_state_desc", DESCRIPTION, true),
    ("is_read_committed_snapshot_on", BIT, true),
    ("recovery_model", TINYINT, true),
    ("recovery_model_desc", DESCRIPTION, true),
    ("is_encrypted", BIT, true),
];

const SYSTEM_DATABASES: i32 = 4;

fn databases(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let databases = catalog.engine.databases().into_iter().map(|database| {
        // master and msdb always allow snapshots.
        let snapshot = database.allow_snapshot || matches!(database.id.0, 1 | SYSTEM_DATABASES);
        let full = database.id.0 > SYSTEM_DATABASES || database.id.0 == 3;
        vec![
            text(&database.name),
            int(database.id.0),
            datetime(database.created),
            int(160),
            text(&database.collation.name()),
            int(0),
            text("MULTI_USER"),
            bit(false),
            int(0),
            text("ONLINE"),
            bit(false),
            int(u8::from(snapshot)),
            text(if snapshot { "ON" } else { "OFF" }),
            bit(database.read_committed_snapshot),
            int(if full { 1 } else { 3 }),
            text(if full { "FULL" } else { "SIMPLE" }),
            bit(false),
        ]
    });
    databases.collect()
}

const RECOVERY_STATUS: &[super::ViewColumn] = &[
    ("database_id", INT, false),
    ("database_guid", SqlType::UniqueIdentifier, true),
    ("family_guid", SqlType::UniqueIdentifier, true),
    ("last_log_backup_lsn", SqlType::Numeric { precision: 25, scale: 0 }, true),
    ("recovery_fork_guid", SqlType::UniqueIdentifier, true),
    ("first_recovery_fork_guid", SqlType::UniqueIdentifier, true),
    ("fork_point_lsn", SqlType::Numeric { precision: 25, scale: 0 }, true),
];

fn recovery_status(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let databases = catalog.engine.databases().into_iter().map(|database| {
        let guid = |id: uuid::Uuid| Value::Guid(*id.as_bytes());
        let history = database.history;
        vec![
            int(database.id.0),
            guid(history.database),
            guid(history.family),
            Value::Null,
            guid(history.fork),
            guid(history.first_fork),
            Value::Null,
        ]
    });
    databases.collect()
}

const SCHEMAS: &[super::ViewColumn] =
    &[("name", SYSNAME, false), ("schema_id", INT, false), ("principal_id", INT, true)];

fn schemas(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let schemas = catalog.engine.schemas(catalog.database).into_iter();
    schemas.map(|schema| vec![text(&schema.name), int(schema.id), int(owner_of(schema.id))]).collect()
}

/// The fixed schemas belong to the principals of their name, the others to dbo.
fn owner_of(schema: i32) -> i32 {
    if (1..=4).contains(&schema) || schema >= 16384 { schema } else { 1 }
}

const PRINCIPALS: &[super::ViewColumn] = &[
    ("name", SYSNAME, false),
    ("principal_id", INT, false),
    ("type", SqlType::Char(1), false),
    ("type_desc", DESCRIPTION, true),
    ("default_schema_name", SYSNAME, true),
    ("is_fixed_role", BIT, false),
];

fn principals(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let role = |name: &str, id: i32| {
        vec![text(name), int(id), text("R"), text("DATABASE_ROLE"), Value::Null, bit(id != 0)]
    };
    let user =
        |name: &str, id: i32| vec![text(name), int(id), text("S"), text("SQL_USER"), text("dbo"), bit(false)];
    let mut rows = vec![role("public", 0), user("dbo", 1), user("guest", 2)];
    rows.extend(catalog.engine.users(catalog.database).iter().map(|known| user(&known.name, known.id)));
    rows
}
