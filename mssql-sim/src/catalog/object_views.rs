//! Views of objects: tables, views, synonyms, their texts and their extended properties.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::field::{Field, List, field, nothing, optional};
use super::{
    BIT, Catalog, DATETIME, DESCRIPTION, INT, SYSNAME, TEXT, TINYINT, TYPE_CODE, ViewDef, bit, code,
    datetime, int, no, null, optional_text, text, zero,
};
use crate::engine::{ExtendedProperty, ObjectHeader, Synonym, TableDef, TableInfo, UserView};
use crate::parser::ast::LockEscalation;
use crate::types::{Length, SqlType, Value};

pub(super) const VIEWS: &[ViewDef] = &[
    ViewDef::sys("objects", &List::of(&[OwnedObject::FIELDS], objects)),
    ViewDef::sys("all_objects", &List::of(&[OwnedObject::FIELDS], all_objects)),
    ViewDef::sys("tables", &List::of(&[TableInfo::FIELDS, TABLE], tables)),
    ViewDef::sys("views", &List::of(&[UserViewRow::FIELDS, VIEW], views)),
    ViewDef::sys("all_views", &List::of(&[UserViewRow::FIELDS, VIEW], views)),
    ViewDef::sys("synonyms", &List::of(&[SynonymRow::FIELDS, SYNONYM], synonyms)),
    ViewDef::sys("procedures", &List::of(&[OwnedObject::FIELDS, PROCEDURE], nothing)),
    ViewDef::sys("sequences", &List::of(&[OwnedObject::FIELDS], nothing)),
    ViewDef::sys("triggers", &List::of(&[TRIGGER], nothing)),
    ViewDef::sys("parameters", &List::of(&[PARAMETER], nothing)),
    ViewDef::sys("sql_modules", &List::of(&[MODULE], views)),
    ViewDef::sys("all_sql_modules", &List::of(&[MODULE], views)),
    ViewDef::sys("extended_properties", &List::of(&[PROPERTY], properties)),
];

/// An object as `sys.objects` tells it.
pub(super) struct ObjectRow<'a> {
    pub(super) name: &'a str,
    pub(super) object_id: i32,
    pub(super) schema_id: i32,
    /// Object id of the table to which a constraint belongs, else 0.
    pub(super) parent: i32,
    /// `type` and `type_desc`
    pub(super) kind: (&'static str, &'static str),
    pub(super) created: DateTime<Utc>,
    pub(super) modified: DateTime<Utc>,
    /// Whether it came with the server.
    pub(super) shipped: bool,
}

/// Something that `sys.objects` lists; views of one kind begin with the same columns.
pub(super) trait AnObject: Sized + 'static {
    fn object(&self) -> ObjectRow<'_>;

    const FIELDS: &'static [Field<Self>] = &[
        field("name", SYSNAME, |o| text(o.object().name)),
        field("object_id", INT, |o| int(o.object().object_id)),
        optional("principal_id", INT, null),
        field("schema_id", INT, |o| int(o.object().schema_id)),
        field("parent_object_id", INT, |o| int(o.object().parent)),
        optional("type", TYPE_CODE, |o| code(o.object().kind.0)),
        optional("type_desc", DESCRIPTION, |o| text(o.object().kind.1)),
        field("create_date", DATETIME, |o| datetime(o.object().created)),
        field("modify_date", DATETIME, |o| datetime(o.object().modified)),
        field("is_ms_shipped", BIT, |o| bit(o.object().shipped)),
        field("is_published", BIT, no),
        field("is_schema_published", BIT, no),
    ];
}

fn of_header<'a>(header: &'a ObjectHeader, kind: (&'static str, &'static str)) -> ObjectRow<'a> {
    ObjectRow {
        name: &header.name,
        object_id: header.object_id,
        schema_id: header.schema_id,
        parent: 0,
        kind,
        created: header.created,
        modified: header.modified,
        shipped: false,
    }
}

const TABLE_KIND: (&str, &str) = ("U", "USER_TABLE");
const VIEW_KIND: (&str, &str) = ("V", "VIEW");

impl AnObject for TableInfo {
    fn object(&self) -> ObjectRow<'_> {
        ObjectRow {
            name: &self.def.name,
            object_id: self.def.object_id,
            schema_id: self.def.schema_id,
            parent: 0,
            kind: TABLE_KIND,
            created: self.def.created,
            modified: self.def.modified,
            shipped: false,
        }
    }
}

type UserViewRow = Arc<UserView>;

impl AnObject for UserViewRow {
    fn object(&self) -> ObjectRow<'_> {
        of_header(&self.header, VIEW_KIND)
    }
}

type SynonymRow = Arc<Synonym>;

impl AnObject for SynonymRow {
    fn object(&self) -> ObjectRow<'_> {
        of_header(&self.header, ("SN", "SYNONYM"))
    }
}

/// An object of any kind.
pub(super) struct OwnedObject {
    name: String,
    object_id: i32,
    schema_id: i32,
    parent: i32,
    kind: (&'static str, &'static str),
    created: DateTime<Utc>,
    modified: DateTime<Utc>,
    shipped: bool,
}

impl AnObject for OwnedObject {
    fn object(&self) -> ObjectRow<'_> {
        ObjectRow {
            name: &self.name,
            object_id: self.object_id,
            schema_id: self.schema_id,
            parent: self.parent,
            kind: self.kind,
            created: self.created,
            modified: self.modified,
            shipped: self.shipped,
        }
    }
}

impl OwnedObject {
    fn of(object: &ObjectRow<'_>) -> Self {
        Self {
            name: object.name.to_owned(),
            object_id: object.object_id,
            schema_id: object.schema_id,
            parent: object.parent,
            kind: object.kind,
            created: object.created,
            modified: object.modified,
            shipped: object.shipped,
        }
    }

    /// A constraint of a table.
    fn constraint(
        table: &TableDef,
        (name, object_id): (&str, i32),
        kind: (&'static str, &'static str),
    ) -> Self {
        Self {
            name: name.to_owned(),
            object_id,
            schema_id: table.schema_id,
            parent: table.object_id,
            kind,
            created: table.created,
            modified: table.modified,
            shipped: false,
        }
    }
}

fn tables(catalog: &Catalog<'_>) -> Vec<TableInfo> {
    catalog.tables()
}

fn views(catalog: &Catalog<'_>) -> Vec<UserViewRow> {
    catalog.views()
}

fn synonyms(catalog: &Catalog<'_>) -> Vec<SynonymRow> {
    let (engine, principal) = (catalog.engine, &catalog.scope.principal);
    let synonyms = engine.synonyms(catalog.database).into_iter();
    synonyms.filter(|synonym| engine.shows(principal, &synonym.header)).collect()
}

fn objects(catalog: &Catalog<'_>) -> Vec<OwnedObject> {
    let mut rows = Vec::new();
    for table in catalog.tables() {
        rows.push(OwnedObject::of(&table.object()));
        rows.extend(constraints(&table.def));
        rows.extend(table.tracking.map(|tracking| OwnedObject {
            name: format!("change_tracking_{}", table.def.object_id),
            object_id: tracking.side_table,
            schema_id: SYS_SCHEMA,
            parent: table.def.object_id,
            kind: ("IT", "INTERNAL_TABLE"),
            created: tracking.side_table_created,
            modified: tracking.side_table_created,
            shipped: true,
        }));
    }
    rows.extend(catalog.views().iter().map(|view| OwnedObject::of(&view.object())));
    rows.extend(synonyms(catalog).iter().map(|synonym| OwnedObject::of(&synonym.object())));
    rows
}

const SYS_SCHEMA: i32 = 4;
const INFORMATION_SCHEMA: i32 = 3;

/// The objects, and the catalog's own views.
fn all_objects(catalog: &Catalog<'_>) -> Vec<OwnedObject> {
    let mut rows = objects(catalog);
    rows.extend(super::View::all().map(|view| {
        let (schema, name) = view.name();
        OwnedObject {
            name: name.to_owned(),
            object_id: view.object_id(),
            schema_id: if schema == "sys" { SYS_SCHEMA } else { INFORMATION_SCHEMA },
            parent: 0,
            kind: VIEW_KIND,
            created: DateTime::UNIX_EPOCH,
            modified: DateTime::UNIX_EPOCH,
            shipped: true,
        }
    }));
    rows
}

/// A row per constraint; its parent is the table.
fn constraints(table: &TableDef) -> Vec<OwnedObject> {
    let primary = table.primary_key.iter().map(|key| (key.name.as_str(), key.object_id, PRIMARY_KEY));
    let unique =
        table.indexes.iter().filter_map(|index| Some((index.name.as_str(), index.constraint?, UNIQUE)));
    let foreign = table.foreign_keys.iter().map(|key| (key.name.as_str(), key.object_id, FOREIGN_KEY));
    let checks = table.checks.iter().map(|check| (check.name.as_str(), check.object_id, CHECK));
    let defaults = table.columns.iter().filter_map(|column| column.default.as_ref());
    let defaults = defaults.map(|default| (default.name.as_str(), default.object_id, DEFAULT));
    let all = primary.chain(unique).chain(foreign).chain(checks).chain(defaults);
    all.map(|(name, id, kind)| OwnedObject::constraint(table, (name, id), kind)).collect()
}

/// `type` and `type_desc` of constraints.
pub(super) const PRIMARY_KEY: (&str, &str) = ("PK", "PRIMARY_KEY_CONSTRAINT");
pub(super) const UNIQUE: (&str, &str) = ("UQ", "UNIQUE_CONSTRAINT");
pub(super) const FOREIGN_KEY: (&str, &str) = ("F", "FOREIGN_KEY_CONSTRAINT");
pub(super) const CHECK: (&str, &str) = ("C", "CHECK_CONSTRAINT");
pub(super) const DEFAULT: (&str, &str) = ("D", "DEFAULT_CONSTRAINT");

const TABLE: &[Field<TableInfo>] = &[
    field("lob_data_space_id", INT, |t| int(u8::from(t.def.columns.iter().any(|c| is_lob(c.sql_type()))))),
    optional("filestream_data_space_id", INT, null),
    field("max_column_id_used", INT, |t| int(t.def.last_column_id)),
    field("lock_on_bulk_load", BIT, no),
    optional("uses_ansi_nulls", BIT, |_| bit(true)),
    optional("is_replicated", BIT, no),
    optional("has_replication_filter", BIT, no),
    optional("is_merge_published", BIT, no),
    optional("is_sync_tran_subscribed", BIT, no),
    field("has_unchecked_assembly_data", BIT, no),
    optional("text_in_row_limit", INT, zero),
    optional("large_value_types_out_of_row", BIT, no),
    optional("is_tracked_by_cdc", BIT, no),
    optional("lock_escalation", TINYINT, |t| int(lock_escalation(t).0)),
    optional("lock_escalation_desc", DESCRIPTION, |t| text(lock_escalation(t).1)),
    optional("is_filetable", BIT, no),
    optional("is_memory_optimized", BIT, no),
    optional("durability", TINYINT, zero),
    optional("durability_desc", DESCRIPTION, |_| text("SCHEMA_AND_DATA")),
    optional("temporal_type", TINYINT, zero),
    optional("temporal_type_desc", DESCRIPTION, |_| text("NON_TEMPORAL_TABLE")),
    optional("history_table_id", INT, null),
    optional("is_remote_data_archive_enabled", BIT, no),
    field("is_external", BIT, no),
    optional("history_retention_period", INT, null),
    optional("history_retention_period_unit", INT, null),
    optional("history_retention_period_unit_desc", SqlType::NVarChar(Length::Limited(10)), null),
    optional("is_node", BIT, no),
    optional("is_edge", BIT, no),
    optional("data_retention_period", INT, |_| int(-1)),
    optional("data_retention_period_unit", INT, |_| int(-1)),
    optional("data_retention_period_unit_desc", SqlType::NVarChar(Length::Limited(10)), |_| text("INFINITE")),
    optional("ledger_type", TINYINT, zero),
    optional("ledger_type_desc", DESCRIPTION, |_| text("NON_LEDGER_TABLE")),
    optional("ledger_view_id", INT, null),
    optional("is_dropped_ledger_table", BIT, no),
];

fn lock_escalation(table: &TableInfo) -> (u8, &'static str) {
    match table.def.lock_escalation {
        LockEscalation::Table => (0, "TABLE"),
        LockEscalation::Disable => (1, "DISABLE"),
        LockEscalation::Auto => (2, "AUTO"),
    }
}

fn is_lob(sql_type: SqlType) -> bool {
    matches!(
        sql_type,
        SqlType::VarChar(Length::Max) | SqlType::NVarChar(Length::Max) | SqlType::VarBinary(Length::Max)
    )
}

const VIEW: &[Field<UserViewRow>] = &[
    optional("is_replicated", BIT, no),
    optional("has_replication_filter", BIT, no),
    field("has_opaque_metadata", BIT, no),
    field("has_unchecked_assembly_data", BIT, no),
    field("with_check_option", BIT, |v| bit(v.check_option)),
    field("is_date_correlation_view", BIT, no),
    optional("is_tracked_by_cdc", BIT, no),
    optional("has_snapshot", BIT, no),
    optional("ledger_view_type", TINYINT, zero),
    optional("ledger_view_type_desc", DESCRIPTION, |_| text("NON_LEDGER_VIEW")),
    optional("is_dropped_ledger_view", BIT, no),
];

const MODULE: &[Field<UserViewRow>] = &[
    field("object_id", INT, |v| int(v.header.object_id)),
    optional("definition", TEXT, |v| text(&v.text)),
    optional("uses_ansi_nulls", BIT, |_| bit(true)),
    optional("uses_quoted_identifier", BIT, |_| bit(true)),
    optional("is_schema_bound", BIT, |v| bit(v.schema_bound)),
    optional("uses_database_collation", BIT, no),
    optional("is_recompiled", BIT, no),
    optional("null_on_null_input", BIT, no),
    optional("execute_as_principal_id", INT, null),
    optional("uses_native_compilation", BIT, no),
    optional("inline_type", BIT, no),
    optional("is_inlineable", BIT, no),
];

const SYNONYM: &[Field<SynonymRow>] =
    &[optional("base_object_name", SqlType::NVarChar(Length::Limited(1035)), |s| text(&base_name(s)))];

fn base_name(synonym: &Synonym) -> String {
    let base = &synonym.base;
    let parts = [&base.database, &base.schema].into_iter().flatten().chain([&base.name]);
    parts.map(|part| format!("[{}]", part.replace(']', "]]"))).collect::<Vec<_>>().join(".")
}

const PROCEDURE: &[Field<OwnedObject>] = &[
    field("is_auto_executed", BIT, no),
    optional("is_execution_replicated", BIT, no),
    optional("is_repl_serializable_only", BIT, no),
    optional("skips_repl_constraints", BIT, no),
];

const TRIGGER: &[Field<OwnedObject>] = &[
    field("name", SYSNAME, |o| text(&o.name)),
    field("object_id", INT, |o| int(o.object_id)),
    field("parent_class", TINYINT, |_| int(1)),
    optional("parent_class_desc", DESCRIPTION, |_| text("OBJECT_OR_COLUMN")),
    field("parent_id", INT, |o| int(o.parent)),
    field("type", TYPE_CODE, |o| code(o.kind.0)),
    optional("type_desc", DESCRIPTION, |o| text(o.kind.1)),
    field("create_date", DATETIME, |o| datetime(o.created)),
    field("modify_date", DATETIME, |o| datetime(o.modified)),
    field("is_ms_shipped", BIT, no),
    field("is_disabled", BIT, no),
    field("is_not_for_replication", BIT, no),
    field("is_instead_of_trigger", BIT, no),
];

const PARAMETER: &[Field<OwnedObject>] = &[
    field("object_id", INT, |o| int(o.object_id)),
    optional("name", SYSNAME, |o| text(&o.name)),
    field("parameter_id", INT, zero),
    field("system_type_id", TINYINT, zero),
    field("user_type_id", INT, zero),
    field("max_length", SqlType::SmallInt, zero),
    field("precision", TINYINT, zero),
    field("scale", TINYINT, zero),
    field("is_output", BIT, no),
    field("has_default_value", BIT, no),
];

/// An extended property with what it describes.
const PROPERTY: &[Field<ExtendedProperty>] = &[
    field("class", TINYINT, |p| int(p.owner.class)),
    optional("class_desc", DESCRIPTION, |p| optional_text(class_name(p.owner.class))),
    field("major_id", INT, |p| int(p.owner.major)),
    field("minor_id", INT, |p| int(p.owner.minor)),
    field("name", SYSNAME, |p| text(&p.name)),
    optional("value", TEXT, property_text),
];

/// `class_desc`
fn class_name(class: u8) -> Option<&'static str> {
    Some(match class {
        0 => "DATABASE",
        1 => "OBJECT_OR_COLUMN",
        3 => "SCHEMA",
        7 => "INDEX",
        _ => return None,
    })
}

fn property_text(property: &ExtendedProperty) -> Value {
    let (sql_type, value) = &property.value;
    crate::exec::conversion::convert(value.clone(), *sql_type, TEXT, None).unwrap_or(Value::Null)
}

fn properties(catalog: &Catalog<'_>) -> Vec<ExtendedProperty> {
    let shown: Vec<i32> = objects(catalog).iter().map(|object| object.object_id).collect();
    let mut properties = catalog.engine.properties(catalog.database);
    properties.retain(|p| !matches!(p.owner.class, 1 | 7) || shown.contains(&p.owner.major));
    properties
}
