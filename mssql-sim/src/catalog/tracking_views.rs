//! Views of Change Tracking.

use super::field::{Field, List, field, optional};
use super::object_views::{AnObject, ObjectRow};
use super::{
    BIGINT, BIT, Catalog, DATETIME, DESCRIPTION, Guard, INT, TINYINT, ViewDef, bit, datetime, int, null,
    optional_int, text, zero,
};
use crate::engine::tracking::{CommitRecord, DatabaseTracking};
use crate::engine::{TableInfo, TrackingInfo};

pub(super) const VIEWS: &[ViewDef] = &[
    ViewDef::sys("change_tracking_databases", &List::of(&[DATABASE], databases)),
    ViewDef::sys("change_tracking_tables", &List::of(&[TABLE], tables)),
    ViewDef::sys("internal_tables", &List::of(&[SideTable::FIELDS, INTERNAL_TABLE], side_tables)),
    ViewDef::guarded(
        "dm_tran_commit_table",
        Guard::Database("VIEW DATABASE STATE"),
        &List { fields: &[COMMIT], things: commits, by_key: Some(commit) },
    ),
];

/// A database that tracks changes.
struct TrackedDatabase {
    id: i32,
    tracking: DatabaseTracking,
}

impl TrackedDatabase {
    /// `retention_period_units` and their name
    fn units(&self) -> (u8, &'static str) {
        match self.tracking.retention.1 {
            1 => (1, "MINUTES"),
            60 => (2, "HOURS"),
            _ => (3, "DAYS"),
        }
    }
}

fn databases(catalog: &Catalog<'_>) -> Vec<TrackedDatabase> {
    let databases = catalog.engine.databases().into_iter();
    databases
        .filter_map(|database| Some(TrackedDatabase { id: database.id.0, tracking: database.tracking? }))
        .collect()
}

const DATABASE: &[Field<TrackedDatabase>] = &[
    field("database_id", INT, |d| int(d.id)),
    optional("is_auto_cleanup_on", BIT, |d| bit(d.tracking.auto_cleanup)),
    optional("retention_period", INT, |d| int(d.tracking.retention.0)),
    optional("retention_period_units", TINYINT, |d| int(d.units().0)),
    optional("retention_period_units_desc", DESCRIPTION, |d| text(d.units().1)),
    optional("max_cleanup_version", BIGINT, null),
];

/// A table that tracks changes.
struct TrackedTable {
    object_id: i32,
    tracking: TrackingInfo,
}

fn tables(catalog: &Catalog<'_>) -> Vec<TrackedTable> {
    let tables = catalog.tables().into_iter();
    tables
        .filter_map(|table| Some(TrackedTable { object_id: table.def.object_id, tracking: table.tracking? }))
        .collect()
}

const TABLE: &[Field<TrackedTable>] = &[
    field("object_id", INT, |t| int(t.object_id)),
    optional("is_track_columns_updated_on", BIT, |t| bit(t.tracking.columns_updated)),
    optional("min_valid_version", BIGINT, |t| int(t.tracking.min_valid_version)),
    optional("begin_version", BIGINT, |t| int(t.tracking.begin_version)),
    optional("cleanup_version", BIGINT, |t| optional_int(t.tracking.cleanup_version)),
];

const SYS_SCHEMA: i32 = 4;

/// The internal table that holds a table's changes.
struct SideTable {
    name: String,
    table: TableInfo,
    tracking: TrackingInfo,
}

impl AnObject for SideTable {
    fn object(&self) -> ObjectRow<'_> {
        ObjectRow {
            name: &self.name,
            object_id: self.tracking.side_table,
            schema_id: SYS_SCHEMA,
            parent: self.table.def.object_id,
            kind: ("IT", "INTERNAL_TABLE"),
            created: self.tracking.side_table_created,
            modified: self.tracking.side_table_created,
            shipped: true,
        }
    }
}

fn side_tables(catalog: &Catalog<'_>) -> Vec<SideTable> {
    let tracked = catalog.tables().into_iter().filter_map(|table| {
        let name = format!("change_tracking_{}", table.def.object_id);
        Some(SideTable { name, tracking: table.tracking?, table })
    });
    tracked.collect()
}

/// `internal_type` of the table that holds a table's changes.
const CHANGE_TRACKING: i32 = 209;

const INTERNAL_TABLE: &[Field<SideTable>] = &[
    optional("internal_type", TINYINT, |_| int(CHANGE_TRACKING)),
    optional("internal_type_desc", DESCRIPTION, |_| text("CHANGE_TRACKING")),
    optional("parent_id", INT, |t| int(t.table.def.object_id)),
    optional("parent_minor_id", INT, zero),
    optional("lob_data_space_id", INT, zero),
    optional("filestream_data_space_id", INT, null),
];

fn commits(catalog: &Catalog<'_>) -> Vec<CommitRecord> {
    catalog.engine.tracked_commits(catalog.database)
}

fn commit(catalog: &Catalog<'_>, version: i64) -> Vec<CommitRecord> {
    catalog.engine.tracked_commit(catalog.database, version).into_iter().collect()
}

const COMMIT: &[Field<CommitRecord>] = &[
    optional("commit_ts", BIGINT, |c| int(c.version)),
    optional("xdes_id", BIGINT, |c| int(i64::try_from(c.transaction).unwrap_or(i64::MAX))),
    optional("commit_lbn", BIGINT, |c| int(i64::try_from(c.sequence).unwrap_or(i64::MAX))),
    optional("commit_csn", BIGINT, |c| int(i64::try_from(c.sequence).unwrap_or(i64::MAX))),
    field("commit_time", DATETIME, |c| datetime(c.time)),
];
