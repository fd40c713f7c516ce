//! Views of keys and indexes.

use super::definition::definition;
use super::field::{Field, List, field, optional};
use super::object_views::{AnObject, ObjectRow, PRIMARY_KEY, UNIQUE};
use super::{
    BIT, Catalog, DESCRIPTION, INT, SYSNAME, TEXT, TINYINT, ViewDef, bit, int, no, null, optional_text, text,
    zero,
};
use crate::engine::{CLUSTERED_INDEX_ID, KeyColumn, TableDef};
use crate::parser::ast::IndexOptions;
use chrono::{DateTime, Utc};

pub(super) const VIEWS: &[ViewDef] = &[
    ViewDef::sys("indexes", &List::of(&[INDEX], indexes)),
    ViewDef::sys("index_columns", &List::of(&[INDEX_COLUMN], index_columns)),
    ViewDef::sys("key_constraints", &List::of(&[KeyConstraint::FIELDS, KEY_CONSTRAINT], key_constraints)),
    ViewDef::sys("stats", &List::of(&[STATISTICS], statistics)),
];

/// A key, an index, or the heap of a table without a clustered one.
pub(super) struct IndexRow {
    pub(super) object_id: i32,
    /// None for a heap.
    pub(super) name: Option<String>,
    pub(super) index_id: i32,
    unique: bool,
    primary: bool,
    constraint: bool,
    filter: Option<String>,
    options: IndexOptions,
}

impl IndexRow {
    /// `type` and `type_desc`
    fn kind(&self) -> (u8, &'static str) {
        match self.index_id {
            0 => (0, "HEAP"),
            CLUSTERED_INDEX_ID => (1, "CLUSTERED"),
            _ => (2, "NONCLUSTERED"),
        }
    }
}

/// The keys and indexes of a table by their ids, its heap first if it is one.
pub(super) fn indexes_of(table: &TableDef) -> Vec<IndexRow> {
    let heap = (!table.has_clustered_index()).then(|| IndexRow {
        object_id: table.object_id,
        name: None,
        index_id: 0,
        unique: false,
        primary: false,
        constraint: false,
        filter: None,
        options: IndexOptions::default(),
    });
    let primary = table.primary_key.iter().map(|key| IndexRow {
        object_id: table.object_id,
        name: Some(key.name.clone()),
        index_id: key.index_id,
        unique: true,
        primary: true,
        constraint: false,
        filter: None,
        options: key.options,
    });
    let others = table.indexes.iter().map(|index| IndexRow {
        object_id: table.object_id,
        name: Some(index.name.clone()),
        index_id: index.index_id,
        unique: index.unique,
        primary: false,
        constraint: index.constraint.is_some(),
        filter: index.filter.as_ref().map(|filter| definition(&filter.expr)),
        options: index.options,
    });
    let mut all: Vec<IndexRow> = heap.into_iter().chain(primary).chain(others).collect();
    all.sort_by_key(|index| index.index_id);
    all
}

pub(super) fn indexes(catalog: &Catalog<'_>) -> Vec<IndexRow> {
    catalog.tables().iter().flat_map(|table| indexes_of(&table.def)).collect()
}

const INDEX: &[Field<IndexRow>] = &[
    field("object_id", INT, |i| int(i.object_id)),
    optional("name", SYSNAME, |i| optional_text(i.name.as_deref())),
    field("index_id", INT, |i| int(i.index_id)),
    field("type", TINYINT, |i| int(i.kind().0)),
    optional("type_desc", DESCRIPTION, |i| text(i.kind().1)),
    optional("is_unique", BIT, |i| bit(i.unique)),
    optional("data_space_id", INT, |_| int(1)),
    optional("ignore_dup_key", BIT, no),
    optional("is_primary_key", BIT, |i| bit(i.primary)),
    optional("is_unique_constraint", BIT, |i| bit(i.constraint)),
    field("fill_factor", TINYINT, |i| int(i.options.fill_factor)),
    optional("is_padded", BIT, |i| bit(i.options.padded)),
    optional("is_disabled", BIT, no),
    optional("is_hypothetical", BIT, no),
    optional("is_ignored_in_optimization", BIT, no),
    optional("allow_row_locks", BIT, |i| bit(i.options.row_locks)),
    optional("allow_page_locks", BIT, |i| bit(i.options.page_locks)),
    optional("has_filter", BIT, |i| bit(i.filter.is_some())),
    optional("filter_definition", TEXT, |i| optional_text(i.filter.as_deref())),
    optional("compression_delay", INT, null),
    optional("suppress_dup_key_messages", BIT, no),
    optional("auto_created", BIT, no),
    optional("optimize_for_sequential_key", BIT, no),
];

/// A column of an index.
struct IndexColumn {
    object_id: i32,
    index_id: i32,
    /// From 1, included columns behind those of the key.
    position: usize,
    column_id: i32,
    descending: bool,
    included: bool,
}

fn index_columns(catalog: &Catalog<'_>) -> Vec<IndexColumn> {
    let mut rows = Vec::new();
    for table in catalog.tables() {
        let def = &table.def;
        let none: &[usize] = &[];
        let primary = def.primary_key.iter().map(|key| (key.index_id, &key.columns, none));
        let others = def.indexes.iter().map(|index| (index.index_id, &index.columns, &index.included[..]));
        for (index_id, key, included) in primary.chain(others) {
            let included =
                included.iter().map(|column| (KeyColumn { column: *column, descending: false }, true));
            let columns = key.iter().map(|column| (*column, false)).chain(included);
            rows.extend((1..).zip(columns).map(|(position, (column, included))| IndexColumn {
                object_id: def.object_id,
                index_id,
                position,
                column_id: def.columns[column.column].column_id,
                descending: column.descending,
                included,
            }));
        }
    }
    rows
}

fn position(n: usize) -> crate::types::Value {
    int(i64::try_from(n).unwrap_or(i64::MAX))
}

const INDEX_COLUMN: &[Field<IndexColumn>] = &[
    field("object_id", INT, |c| int(c.object_id)),
    field("index_id", INT, |c| int(c.index_id)),
    field("index_column_id", INT, |c| position(c.position)),
    field("column_id", INT, |c| int(c.column_id)),
    field("key_ordinal", TINYINT, |c| position(if c.included { 0 } else { c.position })),
    field("partition_ordinal", TINYINT, zero),
    optional("is_descending_key", BIT, |c| bit(c.descending)),
    optional("is_included_column", BIT, |c| bit(c.included)),
    optional("column_store_order_ordinal", TINYINT, zero),
    optional("data_clustering_ordinal", TINYINT, zero),
];

/// A PRIMARY KEY or UNIQUE constraint.
struct KeyConstraint {
    name: String,
    object_id: i32,
    schema_id: i32,
    table: i32,
    kind: (&'static str, &'static str),
    index_id: i32,
    system_named: bool,
    created: DateTime<Utc>,
    modified: DateTime<Utc>,
}

impl AnObject for KeyConstraint {
    fn object(&self) -> ObjectRow<'_> {
        ObjectRow {
            name: &self.name,
            object_id: self.object_id,
            schema_id: self.schema_id,
            parent: self.table,
            kind: self.kind,
            created: self.created,
            modified: self.modified,
            shipped: false,
        }
    }
}

const KEY_CONSTRAINT: &[Field<KeyConstraint>] = &[
    optional("unique_index_id", INT, |k| int(k.index_id)),
    field("is_system_named", BIT, |k| bit(k.system_named)),
    field("is_enforced", BIT, |_| bit(true)),
];

fn key_constraints(catalog: &Catalog<'_>) -> Vec<KeyConstraint> {
    let mut rows = Vec::new();
    for table in catalog.tables() {
        let def = &table.def;
        let primary = def
            .primary_key
            .iter()
            .map(|key| (&key.name, key.object_id, PRIMARY_KEY, key.index_id, key.system_named));
        let unique = def.indexes.iter().filter_map(|index| {
            Some((&index.name, index.constraint?, UNIQUE, index.index_id, index.system_named))
        });
        rows.extend(primary.chain(unique).map(|(name, object_id, kind, index_id, system_named)| {
            KeyConstraint {
                name: name.clone(),
                object_id,
                schema_id: def.schema_id,
                table: def.object_id,
                kind,
                index_id,
                system_named,
                created: def.created,
                modified: def.modified,
            }
        }));
    }
    rows
}

/// Every index has statistics under its own name and id.
fn statistics(catalog: &Catalog<'_>) -> Vec<IndexRow> {
    indexes(catalog).into_iter().filter(|index| index.name.is_some()).collect()
}

const STATISTICS: &[Field<IndexRow>] = &[
    field("object_id", INT, |i| int(i.object_id)),
    optional("name", SYSNAME, |i| optional_text(i.name.as_deref())),
    field("stats_id", INT, |i| int(i.index_id)),
    optional("auto_created", BIT, no),
    optional("user_created", BIT, no),
    optional("no_recompute", BIT, no),
    optional("has_filter", BIT, |i| bit(i.filter.is_some())),
    optional("filter_definition", TEXT, |i| optional_text(i.filter.as_deref())),
    optional("is_temporary", BIT, no),
    optional("is_incremental", BIT, no),
];
