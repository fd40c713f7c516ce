//! Views of columns and types.

use super::definition::definition;
use super::type_facts::{SYSNAME_ID, TypeFacts, facts, user_type_id};
use super::{
    BIGINT, BIT, Catalog, INT, SMALLINT, SYSNAME, TEXT, TINYINT, ViewDef, bit, int, optional_int, text,
};
use crate::collation::Collation;
use crate::engine::{Column, TableDef};
use crate::types::{ClrType, Length, SqlType, Value};

pub(super) const VIEWS: &[ViewDef] = &[
    ViewDef::new("sys", "columns", COLUMNS, columns),
    ViewDef::new("sys", "all_columns", COLUMNS, columns),
    ViewDef::new("sys", "types", TYPES, types),
    ViewDef::new("sys", "computed_columns", COMPUTED_COLUMNS, computed_columns),
    ViewDef::new("sys", "identity_columns", IDENTITY_COLUMNS, identity_columns),
];

const COLUMNS: &[super::ViewColumn] = &[
    ("object_id", INT, false),
    ("name", SYSNAME, true),
    ("column_id", INT, false),
    ("system_type_id", TINYINT, false),
    ("user_type_id", INT, false),
    ("max_length", SMALLINT, false),
    ("precision", TINYINT, false),
    ("scale", TINYINT, false),
    ("collation_name", SYSNAME, true),
    ("is_nullable", BIT, true),
    ("is_ansi_padded", BIT, false),
    ("is_rowguidcol", BIT, false),
    ("is_identity", BIT, false),
    ("is_computed", BIT, false),
    ("is_filestream", BIT, false),
    ("is_replicated", BIT, true),
    ("is_xml_document", BIT, false),
    ("default_object_id", INT, false),
    ("is_sparse", BIT, true),
    ("is_column_set", BIT, true),
    ("generated_always_type", TINYINT, true),
    ("is_hidden", BIT, false),
    ("is_masked", BIT, false),
    ("encryption_type", INT, true),
];

fn columns(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let tables = catalog.tables();
    tables
        .iter()
        .flat_map(|table| table.def.columns.iter().map(|column| column_row(&table.def, column)))
        .collect()
}

/// What `sys.columns` says about a column.
fn column_row(table: &TableDef, column: &Column) -> Vec<Value> {
    let mut row = common_columns(table, column);
    row.extend([
        int(column.default.as_ref().map_or(0, |default| default.object_id)),
        bit(false),
        bit(false),
        int(0),
        bit(false),
        bit(false),
        Value::Null,
    ]);
    row
}

/// The columns up to `is_xml_document`, which the views of special columns begin with too.
fn common_columns(table: &TableDef, column: &Column) -> Vec<Value> {
    let TypeFacts { id, max_length, precision, scale, .. } = facts(column.sql_type());
    let padded = matches!(
        column.sql_type(),
        SqlType::Char(_)
            | SqlType::VarChar(_)
            | SqlType::NChar(_)
            | SqlType::NVarChar(_)
            | SqlType::Binary(_)
            | SqlType::VarBinary(_)
    );
    vec![
        int(table.object_id),
        text(&column.name),
        int(column.column_id),
        int(id),
        int(user_type_id(column.sql_type())),
        int(max_length),
        int(precision),
        int(scale),
        column.collation().map_or(Value::Null, |collation| text(&collation.name())),
        bit(column.nullable()),
        bit(padded),
        bit(false),
        bit(column.identity.is_some()),
        bit(column.computed.is_some()),
        bit(false),
        bit(false),
        bit(false),
    ]
}

const TYPES: &[super::ViewColumn] = &[
    ("name", SYSNAME, false),
    ("system_type_id", TINYINT, false),
    ("user_type_id", INT, false),
    ("schema_id", INT, false),
    ("principal_id", INT, true),
    ("max_length", SMALLINT, false),
    ("precision", TINYINT, false),
    ("scale", TINYINT, false),
    ("collation_name", SYSNAME, true),
    ("is_nullable", BIT, true),
    ("is_user_defined", BIT, false),
    ("is_assembly_type", BIT, false),
    ("default_object_id", INT, false),
    ("rule_object_id", INT, false),
    ("is_table_type", BIT, false),
];

/// Every type, at its widest.
const ALL_TYPES: [SqlType; 33] = [
    SqlType::UniqueIdentifier,
    SqlType::Date,
    SqlType::Time(7),
    SqlType::DateTime2(7),
    SqlType::DateTimeOffset(7),
    SqlType::TinyInt,
    SqlType::SmallInt,
    SqlType::Int,
    SqlType::SmallDateTime,
    SqlType::Real,
    SqlType::Money,
    SqlType::DateTime,
    SqlType::Float,
    SqlType::Bit,
    SqlType::Decimal { precision: 38, scale: 38 },
    SqlType::Numeric { precision: 38, scale: 38 },
    SqlType::SmallMoney,
    SqlType::BigInt,
    SqlType::VarBinary(Length::Limited(8000)),
    SqlType::VarChar(Length::Limited(8000)),
    SqlType::Binary(8000),
    SqlType::Char(8000),
    SqlType::RowVersion,
    SqlType::NVarChar(Length::Limited(4000)),
    SqlType::NChar(4000),
    SqlType::Text,
    SqlType::NText,
    SqlType::Image,
    SqlType::Xml,
    SqlType::SqlVariant,
    SqlType::Clr(ClrType::HierarchyId),
    SqlType::Clr(ClrType::Geometry),
    SqlType::Clr(ClrType::Geography),
];
const SYS_SCHEMA: i32 = 4;

fn types(_: &Catalog<'_>) -> Vec<Vec<Value>> {
    let row = |name: &str, user_type: i32, facts: TypeFacts, textual: bool, nullable: bool| {
        vec![
            text(name),
            int(facts.id),
            int(user_type),
            int(SYS_SCHEMA),
            Value::Null,
            int(facts.max_length),
            int(facts.precision),
            int(facts.scale),
            if textual { text(&Collation::DEFAULT.name()) } else { Value::Null },
            bit(nullable),
            bit(false),
            bit(false),
            int(0),
            int(0),
            bit(false),
        ]
    };
    let mut rows: Vec<_> = ALL_TYPES
        .iter()
        .map(|sql_type| {
            let facts = facts(*sql_type);
            let (textual, nullable) = (sql_type.has_collation(), *sql_type != SqlType::RowVersion);
            row(facts.name, user_type_id(*sql_type), facts, textual, nullable)
        })
        .collect();
    rows.push(row("sysname", SYSNAME_ID, facts(SYSNAME), true, false));
    rows
}

const COMPUTED_COLUMNS: &[super::ViewColumn] = &[
    ("object_id", INT, false),
    ("name", SYSNAME, true),
    ("column_id", INT, false),
    ("system_type_id", TINYINT, false),
    ("user_type_id", INT, false),
    ("max_length", SMALLINT, false),
    ("precision", TINYINT, false),
    ("scale", TINYINT, false),
    ("collation_name", SYSNAME, true),
    ("is_nullable", BIT, true),
    ("is_ansi_padded", BIT, false),
    ("is_rowguidcol", BIT, false),
    ("is_identity", BIT, false),
    ("is_computed", BIT, false),
    ("is_filestream", BIT, false),
    ("is_replicated", BIT, true),
    ("is_xml_document", BIT, false),
    ("definition", TEXT, true),
    ("uses_database_collation", BIT, false),
    ("is_persisted", BIT, false),
];

fn computed_columns(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in catalog.tables() {
        for column in &table.def.columns {
            if let Some(computed) = &column.computed {
                let mut row = common_columns(&table.def, column);
                row.extend([text(&definition(&computed.expr)), bit(true), bit(computed.persisted)]);
                rows.push(row);
            }
        }
    }
    rows
}

const IDENTITY_COLUMNS: &[super::ViewColumn] = &[
    ("object_id", INT, false),
    ("name", SYSNAME, true),
    ("column_id", INT, false),
    ("system_type_id", TINYINT, false),
    ("user_type_id", INT, false),
    ("max_length", SMALLINT, false),
    ("precision", TINYINT, false),
    ("scale", TINYINT, false),
    ("collation_name", SYSNAME, true),
    ("is_nullable", BIT, true),
    ("is_ansi_padded", BIT, false),
    ("is_rowguidcol", BIT, false),
    ("is_identity", BIT, false),
    ("is_computed", BIT, false),
    ("is_filestream", BIT, false),
    ("is_replicated", BIT, true),
    ("is_xml_document", BIT, false),
    ("seed_value", BIGINT, true),
    ("increment_value", BIGINT, true),
    ("last_value", BIGINT, true),
    ("is_not_for_replication", BIT, true),
];

fn identity_columns(catalog: &Catalog<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in catalog.tables() {
        for column in &table.def.columns {
            if let Some(identity) = column.identity {
                let mut row = common_columns(&table.def, column);
                row.extend([
                    int(identity.seed),
                    int(identity.increment),
                    optional_int(table.last_identity),
                    bit(false),
                ]);
                rows.push(row);
            }
        }
    }
    rows
}
