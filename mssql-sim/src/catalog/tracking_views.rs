//! Views of Change Tracking.

use super::{
    BIGINT, BIT, Catalog, DATETIME, DESCRIPTION, INT, SYSNAME, TINYINT, TYPE_CODE, ViewDef, bit, code,
    datetime, int, optional_int, text,
};
use crate::engine::tracking::CommitRecord;
use crate::types::Value;

pub(super) const VIEWS: &[ViewDef] = &[
    ViewDef::new("sys", "change_tracking_databases", DATABASES, databases),
    ViewDef::new("sys", "change_tracking_tables", TABLES, tables),
    ViewDef::new("sys", "internal_tables", INTERNAL_TABLES, internal_tables),
    ViewDef {
        permission: Some("VIEW DATABASE STATE"),
        by_key: Some(commit),
        ..ViewDef::new("sys", "dm_tran_commit_table", COMMITS, commits)
    },
];

const DATABASES: &[super::ViewColumn] = &[
    ("database_id", INT, false),
    ("is_auto_cleanup_on", BIT, true),
    ("retention_period", INT, true),
    ("retention_period_units", TINYINT, true),
    ("retention_period_units_desc", DESCRIPTION, true),
    ("max_cleanup_version", BIGINT, true),
];

fn databases(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let tracked = catalog.engine.databases().into_iter().filter_map(|database| {
        let tracking = database.tracking?;
        let (number, minutes) = tracking.retention;
        let (units, description) = match minutes {
            1 => (1, "MINUTES"),
            60 => (2, "HOURS"),
            _ => (3, "DAYS"),
        };
        Some(vec![
            int(database.id.0),
            bit(tracking.auto_cleanup),
            int(number),
            int(units),
            text(description),
            Value::Null,
        ])
    });
    tracked.collect()
}

const TABLES: &[super::ViewColumn] = &[
    ("object_id", INT, false),
    ("is_track_columns_updated_on", BIT, true),
    ("min_valid_version", BIGINT, true),
    ("begin_version", BIGINT, true),
    ("cleanup_version", BIGINT, true),
];

fn tables(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let tracked = catalog.tables().into_iter().filter_map(|table| {
        let tracking = table.tracking?;
        Some(vec![
            int(table.def.object_id),
            bit(tracking.columns_updated),
            int(tracking.min_valid_version),
            int(tracking.begin_version),
            optional_int(tracking.cleanup_version),
        ])
    });
    tracked.collect()
}

const INTERNAL_TABLES: &[super::ViewColumn] = &[
    ("name", SYSNAME, false),
    ("object_id", INT, false),
    ("principal_id", INT, true),
    ("schema_id", INT, false),
    ("parent_object_id", INT, false),
    ("type", TYPE_CODE, true),
    ("type_desc", DESCRIPTION, true),
    ("create_date", DATETIME, false),
    ("modify_date", DATETIME, false),
    ("is_ms_shipped", BIT, false),
    ("is_published", BIT, false),
    ("is_schema_published", BIT, false),
    ("internal_type", TINYINT, true),
    ("internal_type_desc", DESCRIPTION, true),
    ("parent_id", INT, true),
    ("parent_minor_id", INT, true),
];

const SYS_SCHEMA: i32 = 4;
/// `internal_type` of the table that holds a table's changes.
const CHANGE_TRACKING: i32 = 209;

fn internal_tables(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let side_tables = catalog.tables().into_iter().filter_map(|table| {
        let tracking = table.tracking?;
        Some(vec![
            text(&format!("change_tracking_{}", table.def.object_id)),
            int(tracking.side_table),
            Value::Null,
            int(SYS_SCHEMA),
            int(table.def.object_id),
            code("IT"),
            text("INTERNAL_TABLE"),
            datetime(tracking.side_table_created),
            datetime(tracking.side_table_created),
            bit(true),
            bit(false),
            bit(false),
            int(CHANGE_TRACKING),
            text("CHANGE_TRACKING"),
            int(table.def.object_id),
            int(0),
        ])
    });
    side_tables.collect()
}

const COMMITS: &[super::ViewColumn] = &[
    ("commit_ts", BIGINT, true),
    ("xdes_id", BIGINT, true),
    ("commit_lbn", BIGINT, true),
    ("commit_csn", BIGINT, true),
    ("commit_time", DATETIME, false),
];

fn commits(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    catalog.engine.tracked_commits(catalog.database).into_iter().map(commit_row).collect()
}

fn commit(catalog: &Catalog<'_>, version: i64) -> Vec<Vec<Value>> {
    catalog.engine.tracked_commit(catalog.database, version).into_iter().map(commit_row).collect()
}

fn commit_row(commit: CommitRecord) -> Vec<Value> {
    let sequence = i64::try_from(commit.sequence).unwrap_or(i64::MAX);
    let transaction = i64::try_from(commit.transaction).unwrap_or(i64::MAX);
    vec![int(commit.version), int(transaction), int(sequence), int(sequence), datetime(commit.time)]
}
