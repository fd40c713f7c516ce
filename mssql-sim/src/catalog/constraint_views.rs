//! Views of foreign keys, checks and defaults.

use std::collections::HashMap;
use std::sync::Arc;

use super::definition::definition;
use super::field::{Field, List, field, optional};
use super::object_views::{AnObject, CHECK, DEFAULT, FOREIGN_KEY, ObjectRow};
use super::{BIT, Catalog, DESCRIPTION, INT, TEXT, TINYINT, ViewDef, bit, int, no, ordinal, text};
use crate::engine::{Check, Column, DefaultDef, ForeignKey, TableDef};

pub(super) const VIEWS: &[ViewDef] = &[
    ViewDef::sys("foreign_keys", &List::of(&[Of::<ForeignKey>::FIELDS, FOREIGN_KEYS], foreign_keys)),
    ViewDef::sys("foreign_key_columns", &List::of(&[FOREIGN_KEY_COLUMN], foreign_key_columns)),
    ViewDef::sys("check_constraints", &List::of(&[Of::<Check>::FIELDS, CHECKS], checks)),
    ViewDef::sys("default_constraints", &List::of(&[Of::<OwnDefault>::FIELDS, DEFAULTS], defaults)),
];

/// A constraint of a table.
struct Of<T> {
    table: Arc<TableDef>,
    constraint: T,
}

/// A DEFAULT with its column's id.
struct OwnDefault {
    column_id: i32,
    default: DefaultDef,
}

impl<T> Of<T> {
    fn row<'a>(&'a self, name: &'a str, object_id: i32, kind: (&'static str, &'static str)) -> ObjectRow<'a> {
        ObjectRow {
            name,
            object_id,
            schema_id: self.table.schema_id,
            parent: self.table.object_id,
            kind,
            created: self.table.created,
            modified: self.table.modified,
            shipped: false,
        }
    }
}

impl AnObject for Of<ForeignKey> {
    fn object(&self) -> ObjectRow<'_> {
        self.row(&self.constraint.name, self.constraint.object_id, FOREIGN_KEY)
    }
}

impl AnObject for Of<Check> {
    fn object(&self) -> ObjectRow<'_> {
        self.row(&self.constraint.name, self.constraint.object_id, CHECK)
    }
}

impl AnObject for Of<OwnDefault> {
    fn object(&self) -> ObjectRow<'_> {
        let default = &self.constraint.default;
        self.row(&default.name, default.object_id, DEFAULT)
    }
}

/// Constraints of every table.
fn of_tables<T>(catalog: &Catalog<'_>, constraints: fn(&TableDef) -> Vec<T>) -> Vec<Of<T>> {
    let mut rows = Vec::new();
    for table in catalog.tables() {
        let own = constraints(&table.def).into_iter();
        rows.extend(own.map(|constraint| Of { table: Arc::clone(&table.def), constraint }));
    }
    rows
}

fn foreign_keys(catalog: &Catalog<'_>) -> Vec<Of<ForeignKey>> {
    of_tables(catalog, |table| table.foreign_keys.clone())
}

/// A referential action and its name.
fn action(cascade: bool) -> (u8, &'static str) {
    if cascade { (1, "CASCADE") } else { (0, "NO_ACTION") }
}

const FOREIGN_KEYS: &[Field<Of<ForeignKey>>] = &[
    optional("referenced_object_id", INT, |f| int(f.constraint.parent)),
    optional("key_index_id", INT, |f| int(f.constraint.parent_index_id)),
    field("is_disabled", BIT, |f| bit(!f.constraint.checking.enabled)),
    field("is_not_for_replication", BIT, no),
    field("is_not_trusted", BIT, |f| bit(!f.constraint.checking.trusted)),
    optional("delete_referential_action", TINYINT, |f| int(action(f.constraint.cascade_delete).0)),
    optional("delete_referential_action_desc", DESCRIPTION, |f| text(action(f.constraint.cascade_delete).1)),
    optional("update_referential_action", TINYINT, |f| int(action(f.constraint.cascade_update).0)),
    optional("update_referential_action_desc", DESCRIPTION, |f| text(action(f.constraint.cascade_update).1)),
    field("is_system_named", BIT, |f| bit(f.constraint.system_named)),
];

/// A pair of columns of a foreign key, by their ids.
struct ForeignKeyColumn {
    constraint: i32,
    position: usize,
    own: (i32, i32),
    referenced: (i32, i32),
}

const FOREIGN_KEY_COLUMN: &[Field<ForeignKeyColumn>] = &[
    field("constraint_object_id", INT, |c| int(c.constraint)),
    field("constraint_column_id", INT, |c| ordinal(c.position)),
    field("parent_object_id", INT, |c| int(c.own.0)),
    field("parent_column_id", INT, |c| int(c.own.1)),
    field("referenced_object_id", INT, |c| int(c.referenced.0)),
    field("referenced_column_id", INT, |c| int(c.referenced.1)),
];

fn foreign_key_columns(catalog: &Catalog<'_>) -> Vec<ForeignKeyColumn> {
    let tables = catalog.tables();
    let by_id: HashMap<i32, &TableDef> =
        tables.iter().map(|table| (table.def.object_id, &*table.def)).collect();
    let mut rows = Vec::new();
    for table in &tables {
        for key in &table.def.foreign_keys {
            // A parent of which one may not know is not shown.
            let Some(parent) = by_id.get(&key.parent) else { continue };
            let Some(index) = parent.index_by_id(key.parent_index_id) else { continue };
            let pairs = key.columns.iter().zip(parent.index_columns(index)).enumerate();
            rows.extend(pairs.map(|(position, (own, other))| ForeignKeyColumn {
                constraint: key.object_id,
                position,
                own: (table.def.object_id, table.def.columns[*own].column_id),
                referenced: (key.parent, parent.columns[other.column].column_id),
            }));
        }
    }
    rows
}

fn checks(catalog: &Catalog<'_>) -> Vec<Of<Check>> {
    of_tables(catalog, |table| table.checks.clone())
}

const CHECKS: &[Field<Of<Check>>] = &[
    field("is_disabled", BIT, |c| bit(!c.constraint.checking.enabled)),
    field("is_not_for_replication", BIT, no),
    field("is_not_trusted", BIT, |c| bit(!c.constraint.checking.trusted)),
    field("parent_column_id", INT, |c| int(c.constraint.column_id)),
    optional("definition", TEXT, |c| text(&definition(&c.constraint.expr))),
    optional("uses_database_collation", BIT, |_| bit(true)),
    field("is_system_named", BIT, |c| bit(c.constraint.system_named)),
];

fn defaults(catalog: &Catalog<'_>) -> Vec<Of<OwnDefault>> {
    of_tables(catalog, |table| {
        let own = |column: &Column| {
            let default = column.default.clone()?;
            Some(OwnDefault { column_id: column.column_id, default })
        };
        table.columns.iter().filter_map(own).collect()
    })
}

const DEFAULTS: &[Field<Of<OwnDefault>>] = &[
    field("parent_column_id", INT, |d| int(d.constraint.column_id)),
    optional("definition", TEXT, |d| text(&definition(&d.constraint.default.expr))),
    field("is_system_named", BIT, |d| bit(d.constraint.default.system_named)),
];
