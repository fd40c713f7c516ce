//! Views of databases and schemas.

use super::field::{Field, List, field, optional};
use super::{
    BIT, Catalog, DATETIME, DESCRIPTION, INT, SYSNAME, TINYINT, ViewDef, bit, datetime, int, no, null, text,
    zero,
};
use crate::engine::{DatabaseInfo, Schema};
use crate::parser::ast::RecoveryModel;
use crate::types::{Length, SqlType, Value};

pub(super) const VIEWS: &[ViewDef] = &[
    ViewDef::sys("databases", &List::of(&[DATABASE], databases)),
    ViewDef::sys("database_recovery_status", &List::of(&[RECOVERY_STATUS], databases)),
    ViewDef::sys("schemas", &List::of(&[SCHEMA], schemas)),
];

const MASTER: i32 = 1;
const MSDB: i32 = 4;

/// The databases of which the principal may know: all of them with VIEW ANY DATABASE, which everybody has.
fn databases(catalog: &Catalog<'_>) -> Vec<DatabaseInfo> {
    catalog.engine.databases()
}

/// master and msdb always allow snapshots.
fn allows_snapshots(database: &DatabaseInfo) -> bool {
    database.allow_snapshot || matches!(database.id.0, MASTER | MSDB)
}

fn recovery(database: &DatabaseInfo) -> (u8, &'static str) {
    match database.settings.recovery {
        RecoveryModel::Full => (1, "FULL"),
        RecoveryModel::BulkLogged => (2, "BULK_LOGGED"),
        RecoveryModel::Simple => (3, "SIMPLE"),
    }
}

/// A switch of ALTER DATABASE SET.
fn switch(database: &DatabaseInfo, name: &str) -> Value {
    bit(database.settings.is_on(name))
}

const DATABASE: &[Field<DatabaseInfo>] = &[
    field("name", SYSNAME, |d| text(&d.name)),
    field("database_id", INT, |d| int(d.id.0)),
    optional("source_database_id", INT, null),
    optional("owner_sid", SqlType::VarBinary(Length::Limited(85)), |_| Value::Bytes(vec![1])),
    field("create_date", DATETIME, |d| datetime(d.created)),
    field("compatibility_level", TINYINT, |d| int(d.settings.compatibility_level)),
    optional("collation_name", SYSNAME, |d| text(&d.collation.name())),
    optional("user_access", TINYINT, zero),
    optional("user_access_desc", DESCRIPTION, |_| text("MULTI_USER")),
    optional("is_read_only", BIT, no),
    field("is_auto_close_on", BIT, |d| switch(d, "AUTO_CLOSE")),
    optional("is_auto_shrink_on", BIT, |d| switch(d, "AUTO_SHRINK")),
    optional("state", TINYINT, zero),
    optional("state_desc", DESCRIPTION, |_| text("ONLINE")),
    optional("is_in_standby", BIT, no),
    optional("is_cleanly_shutdown", BIT, no),
    optional("is_supplemental_logging_enabled", BIT, no),
    optional("snapshot_isolation_state", TINYINT, |d| int(u8::from(allows_snapshots(d)))),
    optional("snapshot_isolation_state_desc", DESCRIPTION, |d| {
        text(if allows_snapshots(d) { "ON" } else { "OFF" })
    }),
    optional("is_read_committed_snapshot_on", BIT, |d| bit(d.read_committed_snapshot)),
    optional("recovery_model", TINYINT, |d| int(recovery(d).0)),
    optional("recovery_model_desc", DESCRIPTION, |d| text(recovery(d).1)),
    optional("page_verify_option", TINYINT, |_| int(2)),
    optional("page_verify_option_desc", DESCRIPTION, |_| text("CHECKSUM")),
    optional("is_auto_create_stats_on", BIT, |d| switch(d, "AUTO_CREATE_STATISTICS")),
    optional("is_auto_create_stats_incremental_on", BIT, no),
    optional("is_auto_update_stats_on", BIT, |d| switch(d, "AUTO_UPDATE_STATISTICS")),
    optional("is_auto_update_stats_async_on", BIT, |d| switch(d, "AUTO_UPDATE_STATISTICS_ASYNC")),
    optional("is_ansi_null_default_on", BIT, |d| switch(d, "ANSI_NULL_DEFAULT")),
    optional("is_ansi_nulls_on", BIT, |d| switch(d, "ANSI_NULLS")),
    optional("is_ansi_padding_on", BIT, |d| switch(d, "ANSI_PADDING")),
    optional("is_ansi_warnings_on", BIT, |d| switch(d, "ANSI_WARNINGS")),
    optional("is_arithabort_on", BIT, |d| switch(d, "ARITHABORT")),
    optional("is_concat_null_yields_null_on", BIT, |d| switch(d, "CONCAT_NULL_YIELDS_NULL")),
    optional("is_numeric_roundabort_on", BIT, |d| switch(d, "NUMERIC_ROUNDABORT")),
    optional("is_quoted_identifier_on", BIT, |d| switch(d, "QUOTED_IDENTIFIER")),
    optional("is_recursive_triggers_on", BIT, |d| switch(d, "RECURSIVE_TRIGGERS")),
    optional("is_cursor_close_on_commit_on", BIT, |d| switch(d, "CURSOR_CLOSE_ON_COMMIT")),
    optional("is_local_cursor_default", BIT, no),
    optional("is_fulltext_enabled", BIT, no),
    optional("is_trustworthy_on", BIT, |d| switch(d, "TRUSTWORTHY")),
    optional("is_db_chaining_on", BIT, |d| switch(d, "DB_CHAINING")),
    optional("is_parameterization_forced", BIT, no),
    field("is_master_key_encrypted_by_server", BIT, no),
    optional("is_query_store_on", BIT, |d| bit(d.id.0 > MSDB)),
    field("is_published", BIT, no),
    field("is_subscribed", BIT, no),
    field("is_merge_published", BIT, no),
    field("is_distributor", BIT, no),
    field("is_sync_with_backup", BIT, no),
    field("service_broker_guid", SqlType::UniqueIdentifier, |d| guid(d.history.database)),
    field("is_broker_enabled", BIT, |d| bit(d.id.0 > MSDB)),
    optional("log_reuse_wait", TINYINT, zero),
    optional("log_reuse_wait_desc", DESCRIPTION, |_| text("NOTHING")),
    field("is_date_correlation_on", BIT, |d| switch(d, "DATE_CORRELATION_OPTIMIZATION")),
    field("is_cdc_enabled", BIT, no),
    optional("is_encrypted", BIT, no),
    optional("is_honor_broker_priority_on", BIT, |d| switch(d, "HONOR_BROKER_PRIORITY")),
    optional("replica_id", SqlType::UniqueIdentifier, null),
    optional("group_database_id", SqlType::UniqueIdentifier, null),
    optional("resource_pool_id", INT, null),
    optional("default_language_lcid", SqlType::SmallInt, null),
    optional("default_language_name", SYSNAME, null),
    optional("default_fulltext_language_lcid", INT, null),
    optional("default_fulltext_language_name", SYSNAME, null),
    optional("is_nested_triggers_on", BIT, null),
    optional("is_transform_noise_words_on", BIT, null),
    optional("two_digit_year_cutoff", SqlType::SmallInt, null),
    optional("containment", TINYINT, zero),
    optional("containment_desc", DESCRIPTION, |_| text("NONE")),
    optional("target_recovery_time_in_seconds", INT, |_| int(60)),
    optional("delayed_durability", INT, zero),
    optional("delayed_durability_desc", DESCRIPTION, |_| text("DISABLED")),
    optional("is_memory_optimized_elevate_to_snapshot_on", BIT, |d| {
        switch(d, "MEMORY_OPTIMIZED_ELEVATE_TO_SNAPSHOT")
    }),
    optional("is_federation_member", BIT, no),
    optional("is_remote_data_archive_enabled", BIT, no),
    optional("is_mixed_page_allocation_on", BIT, |d| switch(d, "MIXED_PAGE_ALLOCATION")),
    optional("is_temporal_history_retention_enabled", BIT, |_| bit(true)),
    optional("catalog_collation_type", INT, zero),
    optional("catalog_collation_type_desc", DESCRIPTION, |_| text("DATABASE_DEFAULT")),
    optional("physical_database_name", SYSNAME, |d| text(&d.name)),
    optional("is_result_set_caching_on", BIT, no),
    optional("is_accelerated_database_recovery_on", BIT, no),
    optional("is_tempdb_spill_to_remote_store", BIT, no),
    optional("is_stale_page_detection_on", BIT, no),
    optional("is_memory_optimized_enabled", BIT, |_| bit(true)),
    optional("is_data_retention_enabled", BIT, no),
    optional("is_ledger_on", BIT, no),
    optional("is_change_feed_enabled", BIT, no),
];

fn guid(id: uuid::Uuid) -> Value {
    Value::Guid(*id.as_bytes())
}

fn lsn(number: u64) -> Value {
    Value::Decimal { unscaled: i128::from(number), scale: 0 }
}

const LSN: SqlType = SqlType::Numeric { precision: 25, scale: 0 };

const RECOVERY_STATUS: &[Field<DatabaseInfo>] = &[
    field("database_id", INT, |d| int(d.id.0)),
    optional("database_guid", SqlType::UniqueIdentifier, |d| guid(d.history.database)),
    optional("family_guid", SqlType::UniqueIdentifier, |d| guid(d.history.family)),
    optional("last_log_backup_lsn", LSN, null),
    optional("recovery_fork_guid", SqlType::UniqueIdentifier, |d| guid(d.history.fork)),
    optional("first_recovery_fork_guid", SqlType::UniqueIdentifier, |d| guid(d.history.first_fork)),
    optional("fork_point_lsn", LSN, |d| d.history.fork_point.map_or(Value::Null, lsn)),
];

fn schemas(catalog: &Catalog<'_>) -> Vec<Schema> {
    catalog.engine.schemas(catalog.database)
}

const SCHEMA: &[Field<Schema>] = &[
    field("name", SYSNAME, |s| text(&s.name)),
    field("schema_id", INT, |s| int(s.id)),
    optional("principal_id", INT, |s| int(owner_of(s.id))),
];

/// The fixed schemas belong to the principals of their name, the others to dbo.
fn owner_of(schema: i32) -> i32 {
    if (1..=4).contains(&schema) || schema >= 16384 { schema } else { 1 }
}
