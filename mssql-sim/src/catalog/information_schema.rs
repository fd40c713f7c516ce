//! The `INFORMATION_SCHEMA` views.

use std::sync::Arc;

use super::definition::definition;
use super::field::{Field, List, field, nothing, optional};
use super::type_facts::facts;
use super::{
    Catalog, DATETIME, INT, SMALLINT, SYSNAME, TINYINT, ViewDef, int, null, optional_int, optional_text,
    ordinal, text,
};
use crate::engine::{Column, KeyColumn, TableDef};
use crate::exec::conversion::is_text;
use crate::types::{Length, SqlType, Value};

const WORD: SqlType = SqlType::VarChar(Length::Limited(30));
const YES_OR_NO: SqlType = SqlType::VarChar(Length::Limited(3));
const DEFINITION: SqlType = SqlType::NVarChar(Length::Limited(4000));

pub(super) const VIEWS: &[ViewDef] = &[
    ViewDef::information("SCHEMATA", &List::of(&[SCHEMA], schemata)),
    ViewDef::information("TABLES", &List::of(&[NAMED, TABLE], tables_and_views)),
    ViewDef::information("VIEWS", &List::of(&[NAMED, VIEW], views)),
    ViewDef::information("COLUMNS", &List::of(&[COLUMN], columns)),
    ViewDef::information("ROUTINES", &List::of(&[ROUTINE], nothing)),
    ViewDef::information(
        "TABLE_CONSTRAINTS",
        &List::of(&[CONSTRAINT, OF_TABLE, CONSTRAINT_KIND], constraints),
    ),
    ViewDef::information("KEY_COLUMN_USAGE", &List::of(&[CONSTRAINT, OF_TABLE, KEY_COLUMN], key_columns)),
    ViewDef::information("REFERENTIAL_CONSTRAINTS", &List::of(&[CONSTRAINT, REFERENCE], references)),
    ViewDef::information("CHECK_CONSTRAINTS", &List::of(&[CONSTRAINT, CHECK], checks)),
    ViewDef::information(
        "CONSTRAINT_COLUMN_USAGE",
        &List::of(&[OF_TABLE, USED_COLUMN, CONSTRAINT], used_columns),
    ),
    ViewDef::information("CONSTRAINT_TABLE_USAGE", &List::of(&[OF_TABLE, CONSTRAINT], constraints)),
];

/// A schema.
struct SchemaRow {
    catalog: String,
    name: String,
}

const SCHEMA: &[Field<SchemaRow>] = &[
    optional("CATALOG_NAME", SYSNAME, |s| text(&s.catalog)),
    field("SCHEMA_NAME", SYSNAME, |s| text(&s.name)),
    optional("SCHEMA_OWNER", SYSNAME, |s| text(if is_fixed(&s.name) { &s.name } else { "dbo" })),
    optional("DEFAULT_CHARACTER_SET_CATALOG", SYSNAME, null),
    optional("DEFAULT_CHARACTER_SET_SCHEMA", SYSNAME, null),
    optional("DEFAULT_CHARACTER_SET_NAME", SYSNAME, |_| text("iso_1")),
];

/// Whether a schema is owned by the principal of its name.
fn is_fixed(name: &str) -> bool {
    matches!(name, "guest" | "INFORMATION_SCHEMA" | "sys") || name.starts_with("db_")
}

fn schemata(catalog: &Catalog<'_>) -> Vec<SchemaRow> {
    let schemas = catalog.engine.schemas(catalog.database).into_iter();
    schemas.map(|schema| SchemaRow { catalog: catalog.database_name(), name: schema.name }).collect()
}

/// A table or view.
struct TableRow {
    catalog: String,
    schema: String,
    name: String,
    /// Definition and WITH CHECK OPTION of a view.
    view: Option<(String, bool)>,
}

const NAMED: &[Field<TableRow>] = &[
    optional("TABLE_CATALOG", SYSNAME, |t| text(&t.catalog)),
    optional("TABLE_SCHEMA", SYSNAME, |t| text(&t.schema)),
    field("TABLE_NAME", SYSNAME, |t| text(&t.name)),
];

const TABLE: &[Field<TableRow>] =
    &[optional("TABLE_TYPE", WORD, |t| text(if t.view.is_some() { "VIEW" } else { "BASE TABLE" }))];

const VIEW: &[Field<TableRow>] = &[
    optional("VIEW_DEFINITION", DEFINITION, |t| {
        optional_text(t.view.as_ref().map(|(text, _)| text.as_str()))
    }),
    optional("CHECK_OPTION", SqlType::VarChar(Length::Limited(7)), |t| {
        text(if t.view.as_ref().is_some_and(|(_, check)| *check) { "CASCADE" } else { "NONE" })
    }),
    field("IS_UPDATABLE", SqlType::VarChar(Length::Limited(2)), |_| text("NO")),
];

fn views(catalog: &Catalog<'_>) -> Vec<TableRow> {
    let views = catalog.views().into_iter();
    let rows = views.map(|view| TableRow {
        catalog: catalog.database_name(),
        schema: view.header.schema.clone(),
        name: view.header.name.clone(),
        view: Some((view.text.clone(), view.check_option)),
    });
    rows.collect()
}

fn tables_and_views(catalog: &Catalog<'_>) -> Vec<TableRow> {
    let tables = catalog.tables().into_iter().map(|table| TableRow {
        catalog: catalog.database_name(),
        schema: table.def.schema.clone(),
        name: table.def.name.clone(),
        view: None,
    });
    tables.chain(views(catalog)).collect()
}

/// A column of a table or view.
struct ColumnRow {
    catalog: String,
    schema: String,
    table: String,
    position: usize,
    column: Column,
}

fn columns(catalog: &Catalog<'_>) -> Vec<ColumnRow> {
    let mut rows = Vec::new();
    let mut add = |schema: &str, table: &str, columns: &[Column]| {
        rows.extend(columns.iter().enumerate().map(|(position, column)| ColumnRow {
            catalog: catalog.database_name(),
            schema: schema.to_owned(),
            table: table.to_owned(),
            position,
            column: column.clone(),
        }));
    };
    for table in catalog.tables() {
        add(&table.def.schema, &table.def.name, &table.def.columns);
    }
    for view in catalog.views() {
        add(&view.header.schema, &view.header.name, &view.columns);
    }
    rows
}

const COLUMN: &[Field<ColumnRow>] = &[
    optional("TABLE_CATALOG", SYSNAME, |c| text(&c.catalog)),
    optional("TABLE_SCHEMA", SYSNAME, |c| text(&c.schema)),
    field("TABLE_NAME", SYSNAME, |c| text(&c.table)),
    optional("COLUMN_NAME", SYSNAME, |c| text(&c.column.name)),
    optional("ORDINAL_POSITION", INT, |c| ordinal(c.position)),
    optional("COLUMN_DEFAULT", DEFINITION, |c| {
        optional_text(c.column.default.as_ref().map(|default| definition(&default.expr)).as_deref())
    }),
    optional("IS_NULLABLE", YES_OR_NO, |c| text(if c.column.nullable() { "YES" } else { "NO" })),
    optional("DATA_TYPE", SYSNAME, |c| text(facts(c.column.sql_type()).name)),
    optional("CHARACTER_MAXIMUM_LENGTH", INT, |c| optional_int(characters(c.column.sql_type()))),
    optional("CHARACTER_OCTET_LENGTH", INT, |c| optional_int(octets(c.column.sql_type()))),
    optional("NUMERIC_PRECISION", TINYINT, |c| numeric_facts(c.column.sql_type())[0].clone()),
    optional("NUMERIC_PRECISION_RADIX", SMALLINT, |c| numeric_facts(c.column.sql_type())[1].clone()),
    optional("NUMERIC_SCALE", INT, |c| numeric_facts(c.column.sql_type())[2].clone()),
    optional("DATETIME_PRECISION", SMALLINT, |c| datetime_precision(c.column.sql_type())),
    optional("CHARACTER_SET_CATALOG", SYSNAME, null),
    optional("CHARACTER_SET_SCHEMA", SYSNAME, null),
    optional("CHARACTER_SET_NAME", SYSNAME, |c| optional_text(character_set(c.column.sql_type()))),
    optional("COLLATION_CATALOG", SYSNAME, null),
    optional("COLLATION_SCHEMA", SYSNAME, null),
    optional("COLLATION_NAME", SYSNAME, |c| {
        optional_text(c.column.collation().map(|collation| collation.name()).as_deref())
    }),
    optional("DOMAIN_CATALOG", SYSNAME, null),
    optional("DOMAIN_SCHEMA", SYSNAME, null),
    optional("DOMAIN_NAME", SYSNAME, null),
];

fn is_national(sql_type: SqlType) -> bool {
    matches!(sql_type, SqlType::NChar(_) | SqlType::NVarChar(_) | SqlType::NText)
}

/// Bytes of a text or binary column, -1 for `(max)`.
fn octets(sql_type: SqlType) -> Option<i64> {
    match sql_type {
        SqlType::NText => Some(i64::from(i32::MAX - 1)),
        SqlType::Text | SqlType::Image => Some(i64::from(i32::MAX)),
        SqlType::Xml | SqlType::Clr(_) => Some(i64::from(facts(sql_type).max_length)),
        SqlType::Binary(_) | SqlType::VarBinary(_) => Some(i64::from(facts(sql_type).max_length)),
        _ if is_text(sql_type) => Some(i64::from(facts(sql_type).max_length)),
        _ => None,
    }
}

fn characters(sql_type: SqlType) -> Option<i64> {
    octets(sql_type).map(|octets| if is_national(sql_type) && octets > 0 { octets / 2 } else { octets })
}

fn character_set(sql_type: SqlType) -> Option<&'static str> {
    sql_type.has_collation().then_some(if is_national(sql_type) { "UNICODE" } else { "iso_1" })
}

/// `NUMERIC_PRECISION`, `NUMERIC_PRECISION_RADIX` and `NUMERIC_SCALE`.
fn numeric_facts(sql_type: SqlType) -> [Value; 3] {
    let facts = facts(sql_type);
    match sql_type {
        SqlType::Float | SqlType::Real => [int(facts.precision), int(2), Value::Null],
        SqlType::TinyInt
        | SqlType::SmallInt
        | SqlType::Int
        | SqlType::BigInt
        | SqlType::Decimal { .. }
        | SqlType::Numeric { .. }
        | SqlType::Money
        | SqlType::SmallMoney => [int(facts.precision), int(10), int(facts.scale)],
        _ => [Value::Null, Value::Null, Value::Null],
    }
}

fn datetime_precision(sql_type: SqlType) -> Value {
    match sql_type {
        SqlType::Date | SqlType::SmallDateTime => int(0),
        SqlType::DateTime => int(3),
        SqlType::Time(scale) | SqlType::DateTime2(scale) | SqlType::DateTimeOffset(scale) => int(scale),
        _ => Value::Null,
    }
}

/// A routine; there are none.
struct Routine;

const ROUTINE: &[Field<Routine>] = &[
    optional("SPECIFIC_CATALOG", SYSNAME, null),
    optional("SPECIFIC_SCHEMA", SYSNAME, null),
    field("SPECIFIC_NAME", SYSNAME, null),
    optional("ROUTINE_CATALOG", SYSNAME, null),
    optional("ROUTINE_SCHEMA", SYSNAME, null),
    field("ROUTINE_NAME", SYSNAME, null),
    optional("ROUTINE_TYPE", SqlType::NVarChar(Length::Limited(20)), null),
    optional("DATA_TYPE", SYSNAME, null),
    optional("ROUTINE_DEFINITION", DEFINITION, null),
    field("CREATED", DATETIME, null),
    field("LAST_ALTERED", DATETIME, null),
];

/// A constraint of a table, or a column of one.
struct ConstraintRow {
    catalog: String,
    table: Arc<TableDef>,
    name: String,
    kind: &'static str,
    /// The column and its place in the constraint, from 0.
    column: Option<(String, usize)>,
    /// Schema and name of the key that a foreign key references, and whether it cascades on update and delete.
    reference: Option<(String, String, bool, bool)>,
    /// Of a CHECK.
    clause: Option<String>,
}

const CONSTRAINT: &[Field<ConstraintRow>] = &[
    optional("CONSTRAINT_CATALOG", SYSNAME, |c| text(&c.catalog)),
    optional("CONSTRAINT_SCHEMA", SYSNAME, |c| text(&c.table.schema)),
    field("CONSTRAINT_NAME", SYSNAME, |c| text(&c.name)),
];

const OF_TABLE: &[Field<ConstraintRow>] = &[
    optional("TABLE_CATALOG", SYSNAME, |c| text(&c.catalog)),
    optional("TABLE_SCHEMA", SYSNAME, |c| text(&c.table.schema)),
    optional("TABLE_NAME", SYSNAME, |c| text(&c.table.name)),
];

const CONSTRAINT_KIND: &[Field<ConstraintRow>] = &[
    optional("CONSTRAINT_TYPE", SqlType::VarChar(Length::Limited(11)), |c| text(c.kind)),
    field("IS_DEFERRABLE", SqlType::VarChar(Length::Limited(2)), |_| text("NO")),
    field("INITIALLY_DEFERRED", SqlType::VarChar(Length::Limited(2)), |_| text("NO")),
];

const KEY_COLUMN: &[Field<ConstraintRow>] = &[
    optional("COLUMN_NAME", SYSNAME, |c| optional_text(c.column.as_ref().map(|(name, _)| name.as_str()))),
    field("ORDINAL_POSITION", INT, |c| ordinal(c.column.as_ref().map_or(0, |(_, position)| *position))),
];

const USED_COLUMN: &[Field<ConstraintRow>] =
    &[optional("COLUMN_NAME", SYSNAME, |c| optional_text(c.column.as_ref().map(|(name, _)| name.as_str())))];

const REFERENCE: &[Field<ConstraintRow>] = &[
    optional("UNIQUE_CONSTRAINT_CATALOG", SYSNAME, |c| text(&c.catalog)),
    optional("UNIQUE_CONSTRAINT_SCHEMA", SYSNAME, |c| {
        optional_text(c.reference.as_ref().map(|r| r.0.as_str()))
    }),
    optional("UNIQUE_CONSTRAINT_NAME", SYSNAME, |c| {
        optional_text(c.reference.as_ref().map(|r| r.1.as_str()))
    }),
    optional("MATCH_OPTION", SqlType::VarChar(Length::Limited(7)), |_| text("SIMPLE")),
    optional("UPDATE_RULE", SqlType::VarChar(Length::Limited(11)), |c| {
        rule(c.reference.as_ref().map(|r| r.2))
    }),
    optional("DELETE_RULE", SqlType::VarChar(Length::Limited(11)), |c| {
        rule(c.reference.as_ref().map(|r| r.3))
    }),
];

fn rule(cascade: Option<bool>) -> Value {
    text(if cascade == Some(true) { "CASCADE" } else { "NO ACTION" })
}

const CHECK: &[Field<ConstraintRow>] =
    &[optional("CHECK_CLAUSE", DEFINITION, |c| optional_text(c.clause.as_deref()))];

/// Every constraint but defaults, with the positions of its columns; a check has none.
fn constraints_with_columns(catalog: &Catalog<'_>) -> Vec<(ConstraintRow, Vec<usize>)> {
    let places = |columns: &[KeyColumn]| columns.iter().map(|column| column.column).collect::<Vec<_>>();
    let tables = catalog.tables();
    let mut rows = Vec::new();
    for table in &tables {
        let def = &table.def;
        let row = |name: &str, kind: &'static str| ConstraintRow {
            catalog: catalog.database_name(),
            table: Arc::clone(def),
            name: name.to_owned(),
            kind,
            column: None,
            reference: None,
            clause: None,
        };
        rows.extend(def.primary_key.iter().map(|key| (row(&key.name, "PRIMARY KEY"), places(&key.columns))));
        let unique = def.indexes.iter().filter(|index| index.constraint.is_some());
        rows.extend(unique.map(|index| (row(&index.name, "UNIQUE"), places(&index.columns))));
        rows.extend(def.foreign_keys.iter().map(|key| {
            let parent = tables.iter().find(|table| table.def.object_id == key.parent);
            let reference = parent.map(|parent| {
                let name = key_name(&parent.def, key.parent_index_id);
                (parent.def.schema.clone(), name, key.cascade_update, key.cascade_delete)
            });
            (ConstraintRow { reference, ..row(&key.name, "FOREIGN KEY") }, key.columns.clone())
        }));
        rows.extend(def.checks.iter().map(|check| {
            let clause = Some(definition(&check.expr));
            (ConstraintRow { clause, ..row(&check.name, "CHECK") }, Vec::new())
        }));
    }
    rows
}

fn key_name(table: &TableDef, index_id: i32) -> String {
    let primary = table.primary_key.iter().map(|key| (key.index_id, &key.name));
    let mut keys = primary.chain(table.indexes.iter().map(|index| (index.index_id, &index.name)));
    keys.find(|(id, _)| *id == index_id).map(|(_, name)| name.clone()).unwrap_or_default()
}

fn constraints(catalog: &Catalog<'_>) -> Vec<ConstraintRow> {
    constraints_with_columns(catalog).into_iter().map(|(row, _)| row).collect()
}

fn references(catalog: &Catalog<'_>) -> Vec<ConstraintRow> {
    constraints(catalog).into_iter().filter(|row| row.kind == "FOREIGN KEY").collect()
}

fn checks(catalog: &Catalog<'_>) -> Vec<ConstraintRow> {
    constraints(catalog).into_iter().filter(|row| row.clause.is_some()).collect()
}

fn key_columns(catalog: &Catalog<'_>) -> Vec<ConstraintRow> {
    let mut rows = Vec::new();
    for (row, columns) in constraints_with_columns(catalog) {
        rows.extend(columns.into_iter().enumerate().map(|(position, column)| ConstraintRow {
            catalog: row.catalog.clone(),
            table: Arc::clone(&row.table),
            name: row.name.clone(),
            kind: row.kind,
            column: Some((row.table.columns[column].name.clone(), position)),
            reference: None,
            clause: None,
        }));
    }
    rows
}

/// The columns of keys, and those that a column's CHECK is about.
fn used_columns(catalog: &Catalog<'_>) -> Vec<ConstraintRow> {
    let mut rows = key_columns(catalog);
    for mut row in checks(catalog) {
        let check = row.table.checks.iter().find(|check| check.name == row.name);
        let id = check.map_or(0, |check| check.column_id);
        if let Some(column) = row.table.columns.iter().find(|column| column.column_id == id) {
            row.column = Some((column.name.clone(), 0));
            rows.push(row);
        }
    }
    rows
}
