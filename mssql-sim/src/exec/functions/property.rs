//! Properties of servers, databases, objects and columns; permissions.
//!
//! Functions that give a `sql_variant` on a real server give the type of the property that is asked for; an unknown
//! property, or one that is not a literal, is `nvarchar`.

use super::arguments::{Arguments, string};
use super::object::{find_object, named, names, table_by_id};
use super::{Body, Definition, Returns, Site};
use crate::catalog::type_facts::facts;
use crate::collation::Collation;
use crate::engine::{Interrupt, Object, Role};
use crate::exec::conversion::{as_decimal, declared_length};
use crate::exec::expression::scope::same_name;
use crate::types::{Length, SqlError, SqlType, Value};

const NAME: SqlType = SqlType::NVarChar(Length::Limited(128));

pub(super) fn definition(name: &str) -> Option<Definition> {
    let define = |count, rule, body: Body| Some(Definition { count, rule, body });
    match name {
        "COLUMNPROPERTY" => define(3..=3, column_property_rule, column_property),
        "OBJECTPROPERTY" | "OBJECTPROPERTYEX" => define(2..=2, object_property_rule, object_property),
        "SERVERPROPERTY" => define(1..=1, server_property_rule, server_property),
        "DATABASEPROPERTYEX" => define(2..=2, database_property_rule, database_property),
        "HAS_PERMS_BY_NAME" => define(3..=5, |a| named(a, SqlType::Int), has_perms_by_name),
        "HAS_DBACCESS" => define(1..=1, |a| named(a, SqlType::Int), has_db_access),
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
        "RECOVERY" => Value::text("FULL"),
        "VERSION" => Value::Int(957),
        "ISAUTOCLOSE" | "ISAUTOSHRINK" | "ISNULLCONCAT" | "ISPUBLISHED" | "ISSUBSCRIBED" => Value::Int(0),
        _ => Value::Null,
    };
    Ok(match (&value, site.result.sql_type) {
        (Value::Int(n), SqlType::NVarChar(_)) => Value::text(&n.to_string()),
        _ => value,
    })
}

/// `HAS_PERMS_BY_NAME(securable, class, permission)` for objects and databases.
fn has_perms_by_name(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let (context, principal) = (site.frame.context, &names(site).principal);
    if values[2].is_null() {
        return Ok(Value::Null);
    }
    let permission = string(&values[2]).to_uppercase();
    let class = string(&values[1]).to_uppercase();
    let held = match class.as_str() {
        "OBJECT" => match find_object(site, &string(&values[0]))? {
            Some(Object::Table(table)) => context.engine.permitted(principal, &permission, &table),
            Some(Object::UserView(view)) => context.engine.permitted(principal, &permission, &view.header),
            Some(Object::View(..)) => permission == "SELECT",
            None => return Ok(Value::Null),
        },
        "DATABASE" => {
            let database = match &values[0] {
                Value::Null => Some(names(site).database),
                name => context.engine.database_id(&string(name)),
            };
            let Some(database) = database else { return Ok(Value::Null) };
            context.engine.permitted_on_database(principal, &permission, database)
        }
        // Of the server's own permissions only sysadmin has any.
        "" | "SERVER" => principal.sysadmin,
        _ => return Ok(Value::Null),
    };
    Ok(Value::Int(i64::from(held)))
}

fn has_db_access(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let context = site.frame.context;
    let name = string(&values[0]);
    if context.engine.database_id(&name).is_none() {
        return Ok(Value::Null);
    }
    Ok(Value::Int(i64::from(context.engine.use_database(&names(site).principal, &name).is_ok())))
}

fn ident_current(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let Some(Object::Table(table)) = find_object(site, &string(&values[0]))? else { return Ok(Value::Null) };
    let identity = table.identity_column().and_then(|c| table.columns[c].identity);
    let last = site.frame.context.engine.last_identity(&table);
    let shown = last.or_else(|| identity.map(|i| i.seed)).filter(|_| identity.is_some());
    Ok(shown.map_or(Value::Null, |n| Value::Decimal { unscaled: i128::from(n), scale: 0 }))
}
