//! Views of tables and other objects.

use super::{
    BIGINT, BIT, Catalog, DATETIME, DESCRIPTION, INT, SYSNAME, TINYINT, TYPE_CODE, ViewDef, bit, code,
    datetime, int, text,
};
use crate::engine::{PRIMARY_INDEX_ID, TableInfo};
use crate::types::{Length, SqlType, Value};

pub(super) const VIEWS: &[ViewDef] = &[
    ViewDef::new("sys", "tables", TABLES, tables),
    ViewDef::new("sys", "objects", OBJECTS, objects),
    ViewDef::new("sys", "all_objects", OBJECTS, objects),
    ViewDef::new("sys", "views", OBJECTS, nothing),
    ViewDef::new("sys", "procedures", OBJECTS, nothing),
    ViewDef::new("sys", "synonyms", OBJECTS, nothing),
    ViewDef::new("sys", "triggers", TRIGGERS, nothing),
    ViewDef::new("sys", "partitions", PARTITIONS, partitions),
];

const OBJECTS: &[super::ViewColumn] = &[
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
];

const TABLES: &[super::ViewColumn] = &[
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
    ("lob_data_space_id", INT, false),
    ("max_column_id_used", INT, false),
    ("is_replicated", BIT, true),
    ("lock_escalation", TINYINT, true),
    ("lock_escalation_desc", DESCRIPTION, true),
    ("is_tracked_by_cdc", BIT, true),
    ("is_memory_optimized", BIT, true),
    ("durability", TINYINT, true),
    ("temporal_type", TINYINT, true),
    ("temporal_type_desc", DESCRIPTION, true),
    ("history_table_id", INT, true),
    ("is_external", BIT, false),
];

const TRIGGERS: &[super::ViewColumn] = &[
    ("name", SYSNAME, false),
    ("object_id", INT, false),
    ("parent_id", INT, false),
    ("type", TYPE_CODE, false),
    ("is_disabled", BIT, false),
];

fn nothing(_: &Catalog<'_>) -> Vec<Vec<Value>> {
    Vec::new()
}

fn tables(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let rows = catalog.tables().into_iter().map(|table| {
        let has_lob = table.def.columns.iter().any(|column| is_lob(column.sql_type()));
        let mut row = table_object(&table);
        row.extend([
            int(u8::from(has_lob)),
            int(table.def.last_column_id),
            bit(false),
            int(0),
            text("TABLE"),
            bit(false),
            bit(false),
            int(0),
            int(0),
            text("NON_TEMPORAL_TABLE"),
            Value::Null,
            bit(false),
        ]);
        row
    });
    rows.collect()
}

fn is_lob(sql_type: SqlType) -> bool {
    matches!(
        sql_type,
        SqlType::VarChar(Length::Max) | SqlType::NVarChar(Length::Max) | SqlType::VarBinary(Length::Max)
    )
}

fn objects(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in catalog.tables() {
        rows.push(table_object(&table));
        rows.extend(constraint_objects(&table));
    }
    rows
}

fn table_object(table: &TableInfo) -> Vec<Value> {
    object(table, (&table.def.name, table.def.object_id, 0), ("U", "USER_TABLE"))
}

/// A row per constraint; its parent is the table.
fn constraint_objects(table: &TableInfo) -> Vec<Vec<Value>> {
    let def = &table.def;
    let primary =
        def.primary_key.iter().map(|key| (&key.name, key.object_id, ("PK", "PRIMARY_KEY_CONSTRAINT")));
    let unique = def
        .indexes
        .iter()
        .filter_map(|index| index.constraint.map(|id| (&index.name, id, ("UQ", "UNIQUE_CONSTRAINT"))));
    let foreign =
        def.foreign_keys.iter().map(|key| (&key.name, key.object_id, ("F", "FOREIGN_KEY_CONSTRAINT")));
    let checks = def.checks.iter().map(|check| (&check.name, check.object_id, ("C", "CHECK_CONSTRAINT")));
    let defaults = def.columns.iter().filter_map(|column| {
        column.default.as_ref().map(|default| (&default.name, default.object_id, ("D", "DEFAULT_CONSTRAINT")))
    });
    let constraints = primary.chain(unique).chain(foreign).chain(checks).chain(defaults);
    constraints.map(|(name, id, kind)| object(table, (name, id, def.object_id), kind)).collect()
}

/// The columns of `sys.objects`; `identity` is name, object id and parent.
fn object(table: &TableInfo, identity: (&str, i32, i32), kind: (&str, &str)) -> Vec<Value> {
    let (name, id, parent) = identity;
    vec![
        text(name),
        int(id),
        Value::Null,
        int(table.def.schema_id),
        int(parent),
        code(kind.0),
        text(kind.1),
        datetime(table.def.created),
        datetime(table.def.modified),
        bit(false),
        bit(false),
        bit(false),
    ]
}

const PARTITIONS: &[super::ViewColumn] = &[
    ("partition_id", BIGINT, false),
    ("object_id", INT, false),
    ("index_id", INT, false),
    ("partition_number", INT, false),
    ("hobt_id", BIGINT, false),
    ("rows", BIGINT, true),
    ("filestream_filegroup_id", SqlType::SmallInt, false),
    ("data_compression", TINYINT, false),
    ("data_compression_desc", DESCRIPTION, true),
];

/// `partition_id` and `hobt_id` of an index or heap.
pub(super) fn partition_id(object_id: i32, index_id: i32) -> i64 {
    /// Leaves room for the index ids.
    const STEP: i64 = 1 << 16;
    i64::from(object_id) * STEP + i64::from(index_id)
}

fn partitions(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in catalog.tables() {
        // A table that was dropped since has no partitions to show.
        let Ok(count) = catalog.engine.row_count(catalog.scope, &table.def) else { continue };
        let heap_or_clustered = if table.def.primary_key.is_some() { PRIMARY_INDEX_ID } else { 0 };
        let indexes = table.def.indexes.iter().map(|index| index.index_id);
        for index_id in std::iter::once(heap_or_clustered).chain(indexes) {
            let id = partition_id(table.def.object_id, index_id);
            rows.push(vec![
                int(id),
                int(table.def.object_id),
                int(index_id),
                int(1),
                int(id),
                int(i64::try_from(count).unwrap_or(i64::MAX)),
                int(0),
                int(0),
                text("NONE"),
            ]);
        }
    }
    rows
}
