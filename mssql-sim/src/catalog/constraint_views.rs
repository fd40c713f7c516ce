//! Views of foreign keys, checks and defaults.

use std::collections::HashMap;

use super::definition::definition;
use super::{
    BIT, Catalog, DATETIME, DESCRIPTION, INT, SYSNAME, TEXT, TINYINT, TYPE_CODE, ViewDef, bit, code,
    datetime, int, ordinal, text,
};
use crate::engine::TableDef;
use crate::types::Value;

pub(super) const VIEWS: &[ViewDef] = &[
    ViewDef::new("sys", "foreign_keys", FOREIGN_KEYS, foreign_keys),
    ViewDef::new("sys", "foreign_key_columns", FOREIGN_KEY_COLUMNS, foreign_key_columns),
    ViewDef::new("sys", "check_constraints", CHECKS, checks),
    ViewDef::new("sys", "default_constraints", DEFAULTS, defaults),
];

/// The columns that all views of constraints begin with.
fn constraint(table: &TableDef, name: &str, object_id: i32, kind: (&str, &str)) -> Vec<Value> {
    vec![
        text(name),
        int(object_id),
        Value::Null,
        int(table.schema_id),
        int(table.object_id),
        code(kind.0),
        text(kind.1),
        datetime(table.created),
        datetime(table.modified),
        bit(false),
    ]
}

const FOREIGN_KEYS: &[super::ViewColumn] = &[
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
    ("referenced_object_id", INT, true),
    ("key_index_id", INT, true),
    ("is_disabled", BIT, false),
    ("is_not_for_replication", BIT, false),
    ("is_not_trusted", BIT, false),
    ("delete_referential_action", TINYINT, true),
    ("delete_referential_action_desc", DESCRIPTION, true),
    ("update_referential_action", TINYINT, true),
    ("update_referential_action_desc", DESCRIPTION, true),
    ("is_system_named", BIT, false),
];

fn foreign_keys(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let action =
        |cascade: bool| [int(u8::from(cascade)), text(if cascade { "CASCADE" } else { "NO_ACTION" })];
    let mut rows = Vec::new();
    for table in catalog.tables() {
        for key in &table.def.foreign_keys {
            let mut row = constraint(&table.def, &key.name, key.object_id, ("F", "FOREIGN_KEY_CONSTRAINT"));
            row.extend([int(key.parent), int(key.parent_index_id), bit(false), bit(false), bit(false)]);
            row.extend(action(key.cascade_delete));
            row.extend(action(key.cascade_update));
            row.push(bit(key.system_named));
            rows.push(row);
        }
    }
    rows
}

const FOREIGN_KEY_COLUMNS: &[super::ViewColumn] = &[
    ("constraint_object_id", INT, false),
    ("constraint_column_id", INT, false),
    ("parent_object_id", INT, false),
    ("parent_column_id", INT, false),
    ("referenced_object_id", INT, false),
    ("referenced_column_id", INT, false),
];

fn foreign_key_columns(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let tables = catalog.tables();
    let by_id: HashMap<i32, &TableDef> =
        tables.iter().map(|table| (table.def.object_id, &*table.def)).collect();
    let mut rows = Vec::new();
    for table in &tables {
        for key in &table.def.foreign_keys {
            // A parent of which one may not know is not shown.
            let Some(parent) = by_id.get(&key.parent) else { continue };
            let Some(index) = parent.index_by_id(key.parent_index_id) else { continue };
            for (position, (own, other)) in key.columns.iter().zip(parent.index_columns(index)).enumerate() {
                rows.push(vec![
                    int(key.object_id),
                    ordinal(position),
                    int(table.def.object_id),
                    int(table.def.columns[*own].column_id),
                    int(key.parent),
                    int(parent.columns[other.column].column_id),
                ]);
            }
        }
    }
    rows
}

const CHECKS: &[super::ViewColumn] = &[
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
    ("is_disabled", BIT, false),
    ("is_not_trusted", BIT, false),
    ("parent_column_id", INT, false),
    ("definition", TEXT, true),
    ("is_system_named", BIT, false),
];

fn checks(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in catalog.tables() {
        for check in &table.def.checks {
            let mut row = constraint(&table.def, &check.name, check.object_id, ("C", "CHECK_CONSTRAINT"));
            row.extend([
                bit(false),
                bit(false),
                int(0),
                text(&definition(&check.expr)),
                bit(check.system_named),
            ]);
            rows.push(row);
        }
    }
    rows
}

const DEFAULTS: &[super::ViewColumn] = &[
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
    ("parent_column_id", INT, false),
    ("definition", TEXT, true),
    ("is_system_named", BIT, false),
];

fn defaults(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in catalog.tables() {
        for column in &table.def.columns {
            if let Some(default) = &column.default {
                let kind = ("D", "DEFAULT_CONSTRAINT");
                let mut row = constraint(&table.def, &default.name, default.object_id, kind);
                row.extend([
                    int(column.column_id),
                    text(&definition(&default.expr)),
                    bit(default.system_named),
                ]);
                rows.push(row);
            }
        }
    }
    rows
}
