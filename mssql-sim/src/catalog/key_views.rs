//! Views of keys and indexes.

use super::{
    BIT, Catalog, DATETIME, DESCRIPTION, INT, SYSNAME, TEXT, TINYINT, TYPE_CODE, ViewDef, bit, code,
    datetime, int, ordinal, text,
};
use crate::engine::{KeyColumn, PRIMARY_INDEX_ID, TableDef};
use crate::types::Value;

pub(super) const VIEWS: &[ViewDef] = &[
    ViewDef::new("sys", "indexes", INDEXES, indexes),
    ViewDef::new("sys", "index_columns", INDEX_COLUMNS, index_columns),
    ViewDef::new("sys", "key_constraints", KEY_CONSTRAINTS, key_constraints),
];

const INDEXES: &[super::ViewColumn] = &[
    ("object_id", INT, false),
    ("name", SYSNAME, true),
    ("index_id", INT, false),
    ("type", TINYINT, false),
    ("type_desc", DESCRIPTION, true),
    ("is_unique", BIT, true),
    ("data_space_id", INT, true),
    ("ignore_dup_key", BIT, true),
    ("is_primary_key", BIT, true),
    ("is_unique_constraint", BIT, true),
    ("fill_factor", TINYINT, false),
    ("is_padded", BIT, true),
    ("is_disabled", BIT, true),
    ("is_hypothetical", BIT, true),
    ("allow_row_locks", BIT, true),
    ("allow_page_locks", BIT, true),
    ("has_filter", BIT, true),
    ("filter_definition", TEXT, true),
];

const CLUSTERED: (u8, &str) = (1, "CLUSTERED");
const NONCLUSTERED: (u8, &str) = (2, "NONCLUSTERED");
const HEAP: (u8, &str) = (0, "HEAP");

/// An index as `sys.indexes` tells it.
struct IndexFacts<'a> {
    id: i32,
    name: Option<&'a str>,
    kind: (u8, &'static str),
    unique: bool,
    primary: bool,
    constraint: bool,
}

/// The heap or the primary key first, then the others.
fn index_facts(table: &TableDef) -> Vec<IndexFacts<'_>> {
    let first = match &table.primary_key {
        Some(key) => IndexFacts {
            id: PRIMARY_INDEX_ID,
            name: Some(&key.name),
            kind: CLUSTERED,
            unique: true,
            primary: true,
            constraint: false,
        },
        None => {
            IndexFacts { id: 0, name: None, kind: HEAP, unique: false, primary: false, constraint: false }
        }
    };
    let others = table.indexes.iter().map(|index| IndexFacts {
        id: index.index_id,
        name: Some(&index.name),
        kind: NONCLUSTERED,
        unique: index.unique,
        primary: false,
        constraint: index.constraint.is_some(),
    });
    std::iter::once(first).chain(others).collect()
}

fn indexes(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in catalog.tables() {
        for index in index_facts(&table.def) {
            rows.push(vec![
                int(table.def.object_id),
                index.name.map_or(Value::Null, text),
                int(index.id),
                int(index.kind.0),
                text(index.kind.1),
                bit(index.unique),
                int(1),
                bit(false),
                bit(index.primary),
                bit(index.constraint),
                int(0),
                bit(false),
                bit(false),
                bit(false),
                bit(true),
                bit(true),
                bit(false),
                Value::Null,
            ]);
        }
    }
    rows
}

const INDEX_COLUMNS: &[super::ViewColumn] = &[
    ("object_id", INT, false),
    ("index_id", INT, false),
    ("index_column_id", INT, false),
    ("column_id", INT, false),
    ("key_ordinal", TINYINT, false),
    ("partition_ordinal", TINYINT, false),
    ("is_descending_key", BIT, true),
    ("is_included_column", BIT, true),
];

fn index_columns(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in catalog.tables() {
        let def = &table.def;
        let primary = def.primary_key.iter().map(|key| (PRIMARY_INDEX_ID, &key.columns));
        let indexes = primary.chain(def.indexes.iter().map(|index| (index.index_id, &index.columns)));
        for (index_id, columns) in indexes {
            rows.extend(
                columns
                    .iter()
                    .enumerate()
                    .map(|(position, column)| key_column(def, index_id, position, *column)),
            );
        }
    }
    rows
}

fn key_column(table: &TableDef, index_id: i32, position: usize, column: KeyColumn) -> Vec<Value> {
    vec![
        int(table.object_id),
        int(index_id),
        ordinal(position),
        int(table.columns[column.column].column_id),
        ordinal(position),
        int(0),
        bit(column.descending),
        bit(false),
    ]
}

const KEY_CONSTRAINTS: &[super::ViewColumn] = &[
    ("name", SYSNAME, false),
    ("object_id", INT, false),
    ("principal_id", INT, true),
    ("schema_id", INT, false),
    ("parent_object_id", INT, false),
    ("type", TYPE_CODE, true),
    ("type_desc", DESCRIPTION, true),
    ("create_date", DATETIME, false),
    ("modify_date", DATETIME, false),
    ("unique_index_id", INT, true),
    ("is_system_named", BIT, false),
    ("is_enforced", BIT, false),
];

fn key_constraints(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in catalog.tables() {
        let def = &table.def;
        let primary = def.primary_key.iter().map(|key| {
            (&key.name, key.object_id, ("PK", "PRIMARY_KEY_CONSTRAINT"), PRIMARY_INDEX_ID, key.system_named)
        });
        let unique = def.indexes.iter().filter_map(|index| {
            let object_id = index.constraint?;
            Some((&index.name, object_id, ("UQ", "UNIQUE_CONSTRAINT"), index.index_id, index.system_named))
        });
        for (name, object_id, kind, index_id, system_named) in primary.chain(unique) {
            rows.push(vec![
                text(name),
                int(object_id),
                Value::Null,
                int(def.schema_id),
                int(def.object_id),
                code(kind.0),
                text(kind.1),
                datetime(def.created),
                datetime(def.modified),
                int(index_id),
                bit(system_named),
                bit(true),
            ]);
        }
    }
    rows
}
