//! The `INFORMATION_SCHEMA` views.

use super::definition::definition;
use super::type_facts::facts;
use super::{Catalog, INT, SMALLINT, SYSNAME, TEXT, TINYINT, ViewDef, int, ordinal, text};
use crate::engine::{Column, KeyColumn, TableDef};
use crate::exec::conversion::is_text;
use crate::types::{Length, SqlType, Value};

const SCHEMA: &str = "INFORMATION_SCHEMA";
const WORD: SqlType = SqlType::VarChar(Length::Limited(30));

pub(super) const VIEWS: &[ViewDef] = &[
    ViewDef::new(SCHEMA, "SCHEMATA", SCHEMATA, schemata),
    ViewDef::new(SCHEMA, "TABLES", TABLES, tables),
    ViewDef::new(SCHEMA, "COLUMNS", COLUMNS, columns),
    ViewDef::new(SCHEMA, "TABLE_CONSTRAINTS", TABLE_CONSTRAINTS, table_constraints),
    ViewDef::new(SCHEMA, "KEY_COLUMN_USAGE", KEY_COLUMN_USAGE, key_column_usage),
];

const SCHEMATA: &[super::ViewColumn] =
    &[("CATALOG_NAME", SYSNAME, true), ("SCHEMA_NAME", SYSNAME, false), ("SCHEMA_OWNER", SYSNAME, true)];

fn schemata(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let schemas = catalog.engine.schemas(catalog.database).into_iter();
    schemas.map(|schema| vec![database_name(catalog), text(&schema.name), text("dbo")]).collect()
}

const TABLES: &[super::ViewColumn] = &[
    ("TABLE_CATALOG", SYSNAME, true),
    ("TABLE_SCHEMA", SYSNAME, true),
    ("TABLE_NAME", SYSNAME, false),
    ("TABLE_TYPE", WORD, true),
];

fn tables(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let row = |table: &TableDef| {
        vec![database_name(catalog), text(&table.schema), text(&table.name), text("BASE TABLE")]
    };
    catalog.tables().iter().map(|table| row(&table.def)).collect()
}

const COLUMNS: &[super::ViewColumn] = &[
    ("TABLE_CATALOG", SYSNAME, true),
    ("TABLE_SCHEMA", SYSNAME, true),
    ("TABLE_NAME", SYSNAME, false),
    ("COLUMN_NAME", SYSNAME, true),
    ("ORDINAL_POSITION", INT, false),
    ("COLUMN_DEFAULT", TEXT, true),
    ("IS_NULLABLE", SqlType::VarChar(Length::Limited(3)), true),
    ("DATA_TYPE", SYSNAME, true),
    ("CHARACTER_MAXIMUM_LENGTH", INT, true),
    ("CHARACTER_OCTET_LENGTH", INT, true),
    ("NUMERIC_PRECISION", TINYINT, true),
    ("NUMERIC_PRECISION_RADIX", SMALLINT, true),
    ("NUMERIC_SCALE", INT, true),
    ("DATETIME_PRECISION", SMALLINT, true),
    ("CHARACTER_SET_CATALOG", SYSNAME, true),
    ("CHARACTER_SET_SCHEMA", SYSNAME, true),
    ("CHARACTER_SET_NAME", SYSNAME, true),
    ("COLLATION_CATALOG", SYSNAME, true),
    ("COLLATION_SCHEMA", SYSNAME, true),
    ("COLLATION_NAME", SYSNAME, true),
    ("DOMAIN_CATALOG", SYSNAME, true),
    ("DOMAIN_SCHEMA", SYSNAME, true),
    ("DOMAIN_NAME", SYSNAME, true),
];

fn columns(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in catalog.tables() {
        for (position, column) in table.def.columns.iter().enumerate() {
            rows.push(column_row(catalog, &table.def, position, column));
        }
    }
    rows
}

fn column_row(catalog: &Catalog<'_>, table: &TableDef, position: usize, column: &Column) -> Vec<Value> {
    let sql_type = column.sql_type();
    let default = column.default.as_ref().map_or(Value::Null, |default| text(&definition(&default.expr)));
    let mut row = vec![
        database_name(catalog),
        text(&table.schema),
        text(&table.name),
        text(&column.name),
        ordinal(position),
        default,
        text(if column.nullable() { "YES" } else { "NO" }),
        text(facts(sql_type).name),
    ];
    row.extend(lengths(sql_type));
    row.extend(numeric_facts(sql_type));
    row.push(datetime_precision(sql_type));
    let charset = match sql_type {
        SqlType::NChar(_) | SqlType::NVarChar(_) => text("UNICODE"),
        _ if is_text(sql_type) => text("iso_1"),
        _ => Value::Null,
    };
    let collation = column.collation().map_or(Value::Null, |collation| text(&collation.name()));
    row.extend([Value::Null, Value::Null, charset, Value::Null, Value::Null, collation]);
    row.extend([Value::Null, Value::Null, Value::Null]);
    row
}

/// `CHARACTER_MAXIMUM_LENGTH` and `CHARACTER_OCTET_LENGTH`.
fn lengths(sql_type: SqlType) -> [Value; 2] {
    let octets = match sql_type {
        SqlType::Binary(_) | SqlType::VarBinary(_) => i64::from(facts(sql_type).max_length),
        _ if is_text(sql_type) => i64::from(facts(sql_type).max_length),
        _ => return [Value::Null, Value::Null],
    };
    let width =
        if matches!(sql_type, SqlType::NChar(_) | SqlType::NVarChar(_)) && octets > 0 { 2 } else { 1 };
    [int(octets / width), int(octets)]
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

const TABLE_CONSTRAINTS: &[super::ViewColumn] = &[
    ("CONSTRAINT_CATALOG", SYSNAME, true),
    ("CONSTRAINT_SCHEMA", SYSNAME, true),
    ("CONSTRAINT_NAME", SYSNAME, false),
    ("TABLE_CATALOG", SYSNAME, true),
    ("TABLE_SCHEMA", SYSNAME, true),
    ("TABLE_NAME", SYSNAME, true),
    ("CONSTRAINT_TYPE", WORD, true),
    ("IS_DEFERRABLE", WORD, false),
    ("INITIALLY_DEFERRED", WORD, false),
];

fn table_constraints(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in catalog.tables() {
        let def = &table.def;
        let primary = def.primary_key.iter().map(|key| (&key.name, "PRIMARY KEY"));
        let unique = def
            .indexes
            .iter()
            .filter(|index| index.constraint.is_some())
            .map(|index| (&index.name, "UNIQUE"));
        let foreign = def.foreign_keys.iter().map(|key| (&key.name, "FOREIGN KEY"));
        let checks = def.checks.iter().map(|check| (&check.name, "CHECK"));
        for (name, kind) in primary.chain(unique).chain(foreign).chain(checks) {
            let mut row = constraint_name(catalog, def, name);
            row.extend([text(kind), text("NO"), text("NO")]);
            rows.push(row);
        }
    }
    rows
}

const KEY_COLUMN_USAGE: &[super::ViewColumn] = &[
    ("CONSTRAINT_CATALOG", SYSNAME, true),
    ("CONSTRAINT_SCHEMA", SYSNAME, true),
    ("CONSTRAINT_NAME", SYSNAME, false),
    ("TABLE_CATALOG", SYSNAME, true),
    ("TABLE_SCHEMA", SYSNAME, true),
    ("TABLE_NAME", SYSNAME, true),
    ("COLUMN_NAME", SYSNAME, true),
    ("ORDINAL_POSITION", INT, false),
];

fn key_column_usage(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let places = |columns: &[KeyColumn]| columns.iter().map(|column| column.column).collect::<Vec<_>>();
    let mut rows = Vec::new();
    for table in catalog.tables() {
        let def = &table.def;
        let primary = def.primary_key.iter().map(|key| (&key.name, places(&key.columns)));
        let unique = def.indexes.iter().filter(|index| index.constraint.is_some());
        let unique = unique.map(|index| (&index.name, places(&index.columns)));
        let foreign = def.foreign_keys.iter().map(|key| (&key.name, key.columns.clone()));
        for (name, columns) in primary.chain(unique).chain(foreign) {
            for (position, column) in columns.into_iter().enumerate() {
                let mut row = constraint_name(catalog, def, name);
                row.extend([text(&def.columns[column].name), ordinal(position)]);
                rows.push(row);
            }
        }
    }
    rows
}

fn constraint_name(catalog: &Catalog<'_>, table: &TableDef, name: &str) -> Vec<Value> {
    let database = database_name(catalog);
    vec![database.clone(), text(&table.schema), text(name), database, text(&table.schema), text(&table.name)]
}

fn database_name(catalog: &Catalog<'_>) -> Value {
    catalog.engine.database_name(catalog.database).map_or(Value::Null, |name| text(&name))
}
