//! Properties of servers, databases, objects, columns, indexes and sessions.
//!
//! Functions that give a `sql_variant` on a real server give the type of the property that is asked for; an unknown
//! property, or one that is not a literal, is `nvarchar`.

use super::arguments::{Arguments, string};
use super::object::{find_object, named, table_by_id};
use super::{Body, Definition, Returns, Site};
use crate::catalog::type_facts::facts;
use crate::collation::Collation;
use crate::engine::{CLUSTERED_INDEX_ID, Interrupt, Object, Role};
use crate::exec::conversion::{as_decimal, declared_length};
use crate::exec::expression::scope::same_name;
use crate::parser::ast::RecoveryModel;
use crate::types::{Length, SqlError, SqlType, Value};

const NAME: SqlType = SqlType::NVarChar(Length::Limited(128));

pub(super) fn definition(name: &str) -> Option<Definition> {
    let define = |count, rule, body: Body| Some(Definition { count, rule, body });
    match name {
        "COLUMNPROPERTY" => define(3..=3, column_property_rule, column_property),
        "OBJECTPROPERTY" | "OBJECTPROPERTYEX" => define(2..=2, object_property_rule, object_property),
        "SERVERPROPERTY" => define(1..=1, server_property_rule, server_property),
        "DATABASEPROPERTYEX" => define(2..=2, database_property_rule, database_property),
        "INDEXPROPERTY" => define(3..=3, index_property_rule, index_property),
        "SESSIONPROPERTY" => define(1..=1, |a| named(a, SqlType::Int), session_property),
        "CONNECTIONPROPERTY" => define(1..=1, |a| named(a, NAME), connection_property),
        "IDENT_CURRENT" => {
            define(1..=1, |a| named(a, SqlType::Numeric { precision: 38, scale: 0 }), ident_current)
        }
        _ => None,
    }
}

fn column_property_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    arguments.convert(0, SqlType::Int)?;
    arguments.text(1)?;
    arguments.text(2)?;
    Ok(Returns::nullable(SqlType::Int))
}

fn column_property(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let Some(table) = table_by_id(site, &values[0]) else { return Ok(Value::Null) };
    let Some(position) = table.column(&string(&values[1])) else { return Ok(Value::Null) };
    let column = &table.columns[position];
    let flag = |on: bool| Value::Int(i64::from(on));
    Ok(match string(&values[2]).to_uppercase().as_str() {
        "ALLOWSNULL" => flag(column.nullable()),
        "ISIDENTITY" => flag(column.identity.is_some()),
        "ISCOMPUTED" => flag(column.computed.is_some()),
        "ISROWGUIDCOL" => flag(false),
        "COLUMNID" => Value::Int(i64::from(column.column_id)),
        "PRECISION" => match (declared_length(column.sql_type()), facts(column.sql_type()).precision) {
            (Some(Length::Limited(n)), 0) => Value::Int(i64::from(n)),
            (Some(Length::Max), 0) => Value::Int(-1),
            (_, precision) => Value::Int(i64::from(precision)),
        },
        "SCALE" => match as_decimal(column.sql_type()) {
            Some((_, scale)) => Value::Int(i64::from(scale)),
            None => Value::Null,
        },
        "CHARMAXLEN" => match declared_length(column.sql_type()) {
            Some(Length::Limited(n)) => Value::Int(i64::from(n)),
            Some(Length::Max) => Value::Int(-1),
            None => Value::Null,
        },
        _ => Value::Null,
    })
}

fn object_property_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    arguments.convert(0, SqlType::Int)?;
    arguments.text(1)?;
    Ok(Returns::nullable(SqlType::Int))
}

fn object_property(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let Some(table) = table_by_id(site, &values[0]) else { return Ok(Value::Null) };
    let flag = |on: bool| Value::Int(i64::from(on));
    Ok(match string(&values[1]).to_uppercase().as_str() {
        "ISTABLE" | "ISUSERTABLE" => flag(true),
        "ISVIEW" | "ISPROCEDURE" | "ISMSSHIPPED" => flag(false),
        "TABLEHASPRIMARYKEY" => flag(table.primary_key.is_some()),
        "TABLEHASIDENTITY" => flag(table.identity_column().is_some()),
        "TABLEHASFOREIGNKEY" => flag(!table.foreign_keys.is_empty()),
        "TABLEHASTIMESTAMP" => flag(table.rowversion_column().is_some()),
        _ => Value::Null,
    })
}

fn index_property_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    arguments.convert(0, SqlType::Int)?;
    arguments.text(1)?;
    arguments.text(2)?;
    Ok(Returns::nullable(SqlType::Int))
}

/// `INDEXPROPERTY(object id, index, property)`
fn index_property(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let Some(table) = table_by_id(site, &values[0]) else { return Ok(Value::Null) };
    let wanted = string(&values[1]);
    let primary = table.primary_key.iter().map(|key| (&key.name, key.index_id, true, key.options));
    let others = table.indexes.iter().map(|index| (&index.name, index.index_id, index.unique, index.options));
    let Some((_, index_id, unique, options)) =
        primary.chain(others).find(|(name, ..)| same_name(name, &wanted))
    else {
        return Ok(Value::Null);
    };
    let flag = |on: bool| Value::Int(i64::from(on));
    Ok(match string(&values[2]).to_uppercase().as_str() {
        "INDEXID" => Value::Int(i64::from(index_id)),
        "ISCLUSTERED" => flag(index_id == CLUSTERED_INDEX_ID),
        "ISUNIQUE" => flag(unique),
        "ISPADINDEX" => flag(options.padded),
        "INDEXFILLFACTOR" => Value::Int(i64::from(options.fill_factor)),
        "ISROWLOCKDISALLOWED" => flag(!options.row_locks),
        "ISPAGELOCKDISALLOWED" => flag(!options.page_locks),
        "ISDISABLED" | "ISHYPOTHETICAL" | "ISSTATISTICS" | "ISAUTOSTATISTICS" => flag(false),
        _ => Value::Null,
    })
}

/// `SESSIONPROPERTY(option)`: the seven that decide whether plans and indexes fit together.
fn session_property(_: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    Ok(match string(&values[0]).to_uppercase().as_str() {
        "ANSI_NULLS" | "ANSI_PADDING" | "ANSI_WARNINGS" | "CONCAT_NULL_YIELDS_NULL" | "QUOTED_IDENTIFIER" => {
            Value::Int(1)
        }
        "ARITHABORT" | "NUMERIC_ROUNDABORT" => Value::Int(0),
        _ => Value::Null,
    })
}

/// `CONNECTIONPROPERTY(property)`
fn connection_property(_: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    Ok(match string(&values[0]).to_lowercase().as_str() {
        "net_transport" | "physical_net_transport" => Value::text("TCP"),
        "protocol_type" => Value::text("TSQL"),
        "auth_scheme" => Value::text("SQL"),
        _ => Value::Null,
    })
}

fn server_property_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    arguments.text(0)?;
    Ok(Returns::nullable(match arguments.literal(0).as_deref() {
        Some(
            "ENGINEEDITION"
            | "ISHADRENABLED"
            | "ISCLUSTERED"
            | "ISINTEGRATEDSECURITYONLY"
            | "ISSINGLEUSER"
            | "EDITIONID"
            | "PRODUCTMAJOR",
        ) => SqlType::Int,
        _ => NAME,
    }))
}

fn server_property(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let text = |s: &str| Value::text(s);
    let value = match string(&values[0]).to_uppercase().as_str() {
        "PRODUCTVERSION" => text("16.0.1000.6"),
        "PRODUCTMAJORVERSION" => text("16"),
        "PRODUCTMINORVERSION" => text("0"),
        "PRODUCTLEVEL" => text("RTM"),
        "EDITION" => text("Developer Edition (64-bit)"),
        "COLLATION" => text(&Collation::DEFAULT.name()),
        "SERVERNAME" | "MACHINENAME" => text(&site.frame.context.session.server),
        "ENGINEEDITION" => Value::Int(3),
        "ISHADRENABLED" | "ISCLUSTERED" | "ISINTEGRATEDSECURITYONLY" | "ISSINGLEUSER" => Value::Int(0),
        _ => Value::Null,
    };
    // A property that was not a literal has become text by its type.
    Ok(match (&value, site.result.sql_type) {
        (Value::Int(n), SqlType::NVarChar(_)) => Value::text(&n.to_string()),
        _ => value,
    })
}

fn database_property_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    arguments.text(0)?;
    arguments.text(1)?;
    Ok(Returns::nullable(match arguments.literal(1).as_deref() {
        Some("ISCHANGETRACKINGENABLED") => SqlType::TinyInt,
        Some(
            "VERSION" | "ISAUTOCLOSE" | "ISAUTOSHRINK" | "ISNULLCONCAT" | "ISPUBLISHED" | "ISSUBSCRIBED",
        ) => SqlType::Int,
        _ => NAME,
    }))
}

fn database_property(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let databases = site.frame.context.engine.databases();
    let wanted = string(&values[0]);
    let Some(database) = databases.iter().find(|d| same_name(&d.name, &wanted)) else {
        return Ok(Value::Null);
    };
    let value = match string(&values[1]).to_uppercase().as_str() {
        "ISCHANGETRACKINGENABLED" => Value::Int(i64::from(database.tracking.is_some())),
        "COLLATION" => Value::text(&database.collation.name()),
        "UPDATEABILITY" => Value::text(match database.role {
            Role::Primary => "READ_WRITE",
            Role::Secondary => "READ_ONLY",
        }),
        "STATUS" => Value::text("ONLINE"),
        "USERACCESS" => Value::text("MULTI_USER"),
        "RECOVERY" => Value::text(match database.settings.recovery {
            RecoveryModel::Full => "FULL",
            RecoveryModel::BulkLogged => "BULK_LOGGED",
            RecoveryModel::Simple => "SIMPLE",
        }),
        "VERSION" => Value::Int(957),
        "ISAUTOCLOSE" => Value::Int(i64::from(database.settings.is_on("AUTO_CLOSE"))),
        "ISAUTOSHRINK" => Value::Int(i64::from(database.settings.is_on("AUTO_SHRINK"))),
        "ISNULLCONCAT" | "ISPUBLISHED" | "ISSUBSCRIBED" => Value::Int(0),
        _ => Value::Null,
    };
    Ok(match (&value, site.result.sql_type) {
        (Value::Int(n), SqlType::NVarChar(_)) => Value::text(&n.to_string()),
        _ => value,
    })
}

fn ident_current(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let Some(Object::Table(table)) = find_object(site, &string(&values[0]))? else { return Ok(Value::Null) };
    let identity = table.identity_column().and_then(|c| table.columns[c].identity);
    let last = site.frame.context.engine.last_identity(&table);
    let shown = last.or_else(|| identity.map(|i| i.seed)).filter(|_| identity.is_some());
    Ok(shown.map_or(Value::Null, |n| Value::Decimal { unscaled: i128::from(n), scale: 0 }))
}
