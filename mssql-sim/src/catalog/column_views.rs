//! Views of columns and types.

use super::definition::definition;
use super::field::{Field, List, field, nothing, optional};
use super::type_facts::{ALL_TYPES, SYSNAME_ID, TypeFacts, facts, user_type_id};
use super::{
    BIGINT, BIT, Catalog, INT, SMALLINT, SYSNAME, TEXT, TINYINT, ViewDef, bit, int, no, null, optional_int,
    optional_text, text, zero,
};
use crate::collation::Collation;
use crate::engine::{Column, Identity};
use crate::types::{Length, SqlType};

pub(super) const VIEWS: &[ViewDef] = &[
    ViewDef::sys("columns", &List::of(&[DESCRIBED, COLUMN], columns)),
    ViewDef::sys("all_columns", &List::of(&[DESCRIBED, COLUMN], all_columns)),
    ViewDef::sys("computed_columns", &List::of(&[DESCRIBED, COMPUTED], computed_columns)),
    ViewDef::sys("identity_columns", &List::of(&[DESCRIBED, IDENTITY], identity_columns)),
    ViewDef::sys("masked_columns", &List::of(&[DESCRIBED, COLUMN], nothing)),
    ViewDef::sys("types", &List::of(&[TYPE], types)),
];

/// A column of a table or view.
struct ColumnOf {
    object_id: i32,
    column: Column,
    last_identity: Option<i64>,
}

/// The columns that all views of columns begin with.
const DESCRIBED: &[Field<ColumnOf>] = &[
    field("object_id", INT, |c| int(c.object_id)),
    optional("name", SYSNAME, |c| text(&c.column.name)),
    field("column_id", INT, |c| int(c.column.column_id)),
    field("system_type_id", TINYINT, |c| int(facts(c.column.sql_type()).id)),
    field("user_type_id", INT, |c| int(c.column.alias.unwrap_or_else(|| user_type_id(c.column.sql_type())))),
    field("max_length", SMALLINT, |c| int(facts(c.column.sql_type()).max_length)),
    field("precision", TINYINT, |c| int(facts(c.column.sql_type()).precision)),
    field("scale", TINYINT, |c| int(facts(c.column.sql_type()).scale)),
    optional("collation_name", SYSNAME, |c| {
        optional_text(c.column.collation().map(Collation::name).as_deref())
    }),
    optional("is_nullable", BIT, |c| bit(c.column.nullable())),
    field("is_ansi_padded", BIT, |c| bit(is_padded(c.column.sql_type()))),
    field("is_rowguidcol", BIT, no),
    field("is_identity", BIT, |c| bit(c.column.identity.is_some())),
    field("is_computed", BIT, |c| bit(c.column.computed.is_some())),
    field("is_filestream", BIT, no),
    optional("is_replicated", BIT, no),
    optional("is_non_sql_subscribed", BIT, no),
    optional("is_merge_published", BIT, no),
    optional("is_dts_replicated", BIT, no),
    field("is_xml_document", BIT, no),
    field("xml_collection_id", INT, zero),
    field("default_object_id", INT, |c| {
        int(c.column.default.as_ref().map_or(0, |default| default.object_id))
    }),
    field("rule_object_id", INT, zero),
];

const COLUMN: &[Field<ColumnOf>] = &[
    optional("is_sparse", BIT, no),
    optional("is_column_set", BIT, no),
    optional("generated_always_type", TINYINT, zero),
    optional("generated_always_type_desc", super::DESCRIPTION, |_| text("NOT_APPLICABLE")),
    optional("encryption_type", INT, null),
    optional("encryption_type_desc", SqlType::NVarChar(Length::Limited(64)), null),
    optional("encryption_algorithm_name", SYSNAME, null),
    optional("column_encryption_key_id", INT, null),
    optional("column_encryption_key_database_name", SYSNAME, null),
    field("is_hidden", BIT, no),
    field("is_masked", BIT, no),
    optional("graph_type", INT, null),
    optional("graph_type_desc", super::DESCRIPTION, null),
    optional("is_data_deletion_filter_column", BIT, no),
    optional("ledger_view_column_type", TINYINT, null),
    optional("ledger_view_column_type_desc", super::DESCRIPTION, null),
    optional("is_dropped_ledger_column", BIT, no),
];

const COMPUTED: &[Field<ColumnOf>] = &[
    optional("definition", TEXT, |c| {
        optional_text(c.column.computed.as_ref().map(|computed| definition(&computed.expr)).as_deref())
    }),
    field("uses_database_collation", BIT, |_| bit(true)),
    field("is_persisted", BIT, |c| {
        bit(c.column.computed.as_ref().is_some_and(|computed| computed.persisted))
    }),
];

const IDENTITY: &[Field<ColumnOf>] = &[
    optional("seed_value", BIGINT, |c| optional_int(c.column.identity.map(|Identity { seed, .. }| seed))),
    optional("increment_value", BIGINT, |c| optional_int(c.column.identity.map(|i| i.increment))),
    optional("last_value", BIGINT, |c| optional_int(c.last_identity)),
    optional("is_not_for_replication", BIT, no),
];

fn is_padded(sql_type: SqlType) -> bool {
    matches!(
        sql_type,
        SqlType::Char(_)
            | SqlType::VarChar(_)
            | SqlType::NChar(_)
            | SqlType::NVarChar(_)
            | SqlType::Binary(_)
            | SqlType::VarBinary(_)
    )
}

/// Columns of tables and views.
fn columns(catalog: &Catalog<'_>) -> Vec<ColumnOf> {
    let mut rows = Vec::new();
    for table in catalog.tables() {
        rows.extend(table.def.columns.iter().map(|column| ColumnOf {
            object_id: table.def.object_id,
            column: column.clone(),
            last_identity: table.last_identity,
        }));
    }
    for view in catalog.views() {
        rows.extend(view.columns.iter().map(|column| ColumnOf {
            object_id: view.header.object_id,
            column: column.clone(),
            last_identity: None,
        }));
    }
    rows
}

/// Those, and the columns of the catalog's own views.
fn all_columns(catalog: &Catalog<'_>) -> Vec<ColumnOf> {
    let mut rows = columns(catalog);
    for view in super::View::all() {
        rows.extend((1..).zip(view.columns().iter()).map(|(column_id, meta)| ColumnOf {
            object_id: view.object_id(),
            column: Column {
                column_id,
                name: meta.name.clone(),
                meta: meta.clone(),
                alias: None,
                default: None,
                computed: None,
                identity: None,
            },
            last_identity: None,
        }));
    }
    rows
}

fn computed_columns(catalog: &Catalog<'_>) -> Vec<ColumnOf> {
    columns(catalog).into_iter().filter(|c| c.column.computed.is_some()).collect()
}

fn identity_columns(catalog: &Catalog<'_>) -> Vec<ColumnOf> {
    columns(catalog).into_iter().filter(|c| c.column.identity.is_some()).collect()
}

/// A type as `sys.types` tells it.
struct TypeRow {
    name: String,
    user_type_id: i32,
    schema_id: i32,
    facts: TypeFacts,
    textual: bool,
    nullable: bool,
    is_alias: bool,
}

const TYPE: &[Field<TypeRow>] = &[
    field("name", SYSNAME, |t| text(&t.name)),
    field("system_type_id", TINYINT, |t| int(t.facts.id)),
    field("user_type_id", INT, |t| int(t.user_type_id)),
    field("schema_id", INT, |t| int(t.schema_id)),
    optional("principal_id", INT, null),
    field("max_length", SMALLINT, |t| int(t.facts.max_length)),
    field("precision", TINYINT, |t| int(t.facts.precision)),
    field("scale", TINYINT, |t| int(t.facts.scale)),
    optional("collation_name", SYSNAME, |t| {
        optional_text(t.textual.then(|| Collation::DEFAULT.name()).as_deref())
    }),
    optional("is_nullable", BIT, |t| bit(t.nullable)),
    field("is_user_defined", BIT, |t| bit(t.is_alias)),
    field("is_assembly_type", BIT, no),
    field("default_object_id", INT, zero),
    field("rule_object_id", INT, zero),
    field("is_table_type", BIT, no),
];

const SYS_SCHEMA: i32 = 4;

fn types(catalog: &Catalog<'_>) -> Vec<TypeRow> {
    let base = ALL_TYPES.iter().map(|sql_type| {
        let facts = facts(*sql_type);
        TypeRow {
            name: facts.name.to_owned(),
            user_type_id: user_type_id(*sql_type),
            schema_id: SYS_SCHEMA,
            facts,
            textual: sql_type.has_collation(),
            nullable: *sql_type != SqlType::RowVersion,
            is_alias: false,
        }
    });
    let sysname = TypeRow {
        name: "sysname".to_owned(),
        user_type_id: SYSNAME_ID,
        schema_id: SYS_SCHEMA,
        facts: facts(SYSNAME),
        textual: true,
        nullable: false,
        is_alias: false,
    };
    let aliases = catalog.engine.alias_types(catalog.database).into_iter().map(|alias| TypeRow {
        name: alias.name,
        user_type_id: alias.id,
        schema_id: alias.schema_id,
        facts: facts(alias.sql_type),
        textual: alias.sql_type.has_collation(),
        nullable: alias.nullable,
        is_alias: true,
    });
    base.chain([sysname]).chain(aliases).collect()
}
