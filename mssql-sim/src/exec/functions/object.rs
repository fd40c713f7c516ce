//! Names and ids of databases, schemas, objects, types and columns.

use std::sync::Arc;

use super::arguments::{Arguments, any_null, int, string};
use super::{Body, Definition, Returns, Site};
use crate::catalog::View;
use crate::catalog::type_facts::{ALL_TYPES, facts, user_type_id};
use crate::engine::{AliasType, DatabaseId, Interrupt, NameScope, Object, TableDef};
use crate::exec::expression::scope::same_name;
use crate::parser::parse_name;
use crate::types::{Length, SqlError, SqlType, Value};

const NAME: SqlType = SqlType::NVarChar(Length::Limited(128));

pub(super) fn definition(name: &str) -> Option<Definition> {
    let define = |count, rule, body: Body| Some(Definition { count, rule, body });
    match name {
        "DB_ID" => define(0..=1, |a| named(a, SqlType::SmallInt), db_id),
        "DB_NAME" => define(0..=1, |a| numbered(a, NAME), db_name),
        "OBJECT_ID" => define(1..=2, |a| named(a, SqlType::Int), object_id),
        "OBJECT_NAME" => define(1..=2, |a| numbered(a, NAME), |s, v| of_object(s, &v, |(_, name)| name)),
        "OBJECT_SCHEMA_NAME" => {
            define(1..=2, |a| numbered(a, NAME), |s, v| of_object(s, &v, |(schema, _)| schema))
        }
        "OBJECT_DEFINITION" => {
            define(1..=1, |a| numbered(a, SqlType::NVarChar(Length::Max)), object_definition)
        }
        "SCHEMA_ID" => define(0..=1, |a| named(a, SqlType::Int), schema_id),
        "SCHEMA_NAME" => define(0..=1, |a| numbered(a, NAME), schema_name),
        "TYPE_NAME" => define(1..=1, |a| numbered(a, NAME), type_name),
        "TYPE_ID" => define(1..=1, |a| named(a, SqlType::Int), type_id),
        "COL_NAME" => define(2..=2, |a| numbered(a, NAME), col_name),
        "COL_LENGTH" => define(2..=2, |a| named(a, SqlType::SmallInt), col_length),
        _ => None,
    }
}

/// Every argument is a name.
pub(super) fn named(arguments: &mut Arguments<'_>, sql_type: SqlType) -> Result<Returns, SqlError> {
    (0..arguments.len()).try_for_each(|position| arguments.text(position).map(|_| ()))?;
    Ok(Returns::nullable(sql_type))
}

/// Every argument is an id.
pub(super) fn numbered(arguments: &mut Arguments<'_>, sql_type: SqlType) -> Result<Returns, SqlError> {
    (0..arguments.len()).try_for_each(|position| arguments.convert(position, SqlType::Int))?;
    Ok(Returns::nullable(sql_type))
}

pub(super) fn names<'a>(site: &Site<'a>) -> &'a NameScope {
    &site.frame.context.names
}

fn id_value(id: i32) -> Value {
    Value::Int(i64::from(id))
}

fn db_id(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let engine = &site.frame.context.engine;
    Ok(match values.first() {
        None => id_value(names(site).database.0),
        Some(name) => engine.database_id(&string(name)).map_or(Value::Null, |id| id_value(id.0)),
    })
}

fn db_name(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let id = match values.first() {
        None => names(site).database,
        Some(Value::Null) => return Ok(Value::Null),
        Some(id) => DatabaseId(int(id) as i32),
    };
    Ok(site.frame.context.engine.database_name(id).map_or(Value::Null, |name| Value::text(&name)))
}

/// What a name in text means, if the principal may know of it.
pub(super) fn find_object(site: &Site<'_>, name: &str) -> Result<Option<Object>, Interrupt> {
    let Some(name) = parse_name(name) else { return Ok(None) };
    let engine = &site.frame.context.engine;
    match engine.resolve(names(site), &name)? {
        Some(Object::Table(table)) => {
            let shown = engine.shows(&names(site).principal, &table);
            Ok(shown.then_some(Object::Table(table)))
        }
        Some(Object::UserView(view)) => {
            let shown = engine.shows(&names(site).principal, &view.header);
            Ok(shown.then_some(Object::UserView(view)))
        }
        other => Ok(other),
    }
}

fn object_id(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let kind = values.get(1).map(|kind| string(kind).trim().to_uppercase());
    let is = |wanted: &str| kind.as_deref().is_none_or(|kind| kind == wanted);
    if any_null(&values) {
        return Ok(Value::Null);
    }
    Ok(match find_object(site, &string(&values[0]))? {
        Some(Object::Table(table)) if is("U") => id_value(table.object_id),
        Some(Object::UserView(view)) if is("V") => id_value(view.header.object_id),
        Some(Object::View(view, _)) if is("V") => id_value(view.object_id()),
        _ => constraint_id(site, &string(&values[0]), kind.as_deref()),
    })
}

/// Object id of a constraint by its name.
fn constraint_id(site: &Site<'_>, name: &str, kind: Option<&str>) -> Value {
    let Some(name) = parse_name(name) else { return Value::Null };
    let tables = site.frame.context.engine.tables(names(site), names(site).database);
    for table in tables.iter().map(|info| &info.def) {
        let keys = table.primary_key.iter().map(|key| ("PK", &key.name, key.object_id));
        let foreign = table.foreign_keys.iter().map(|key| ("F", &key.name, key.object_id));
        let checks = table.checks.iter().map(|check| ("C", &check.name, check.object_id));
        let unique = table.indexes.iter().filter_map(|index| Some(("UQ", &index.name, index.constraint?)));
        let defaults =
            table.columns.iter().filter_map(|c| c.default.as_ref()).map(|d| ("D", &d.name, d.object_id));
        let mut all = keys.chain(foreign).chain(checks).chain(unique).chain(defaults);
        let found = all
            .find(|(code, found, _)| same_name(found, &name.name) && kind.is_none_or(|kind| kind == *code));
        if let Some((_, _, id)) = found {
            return id_value(id);
        }
    }
    Value::Null
}

pub(super) fn table_by_id(site: &Site<'_>, id: &Value) -> Option<Arc<TableDef>> {
    let context = site.frame.context;
    let tables = context.engine.tables(names(site), names(site).database);
    tables
        .into_iter()
        .map(|info| info.def)
        .find(|table| i64::from(table.object_id) == int(id) && !id.is_null())
}

/// Schema and name of an object by its id.
fn object_by_id(site: &Site<'_>, id: &Value) -> Option<(String, String)> {
    if id.is_null() {
        return None;
    }
    let context = site.frame.context;
    let (wanted, database) = (int(id), names(site).database);
    let is = |id: i32| i64::from(id) == wanted;
    for table in context.engine.tables(names(site), database) {
        let def = &table.def;
        if is(def.object_id) {
            return Some((def.schema.clone(), def.name.clone()));
        }
        if let Some((name, _)) = def.constraints().find(|(_, id)| is(*id)) {
            return Some((def.schema.clone(), name.to_owned()));
        }
    }
    let views = context.engine.shown_views(names(site), database).into_iter().map(|view| view.header.clone());
    let synonyms = context.engine.synonyms(database).into_iter().map(|synonym| synonym.header.clone());
    let mut headers = views.chain(synonyms);
    if let Some(header) = headers.find(|header| is(header.object_id)) {
        return Some((header.schema, header.name));
    }
    let view = View::all().find(|view| is(view.object_id()))?;
    let (schema, name) = view.name();
    Some((schema.to_owned(), name.to_owned()))
}

fn of_object(
    site: &Site<'_>,
    values: &[Value],
    part: fn((String, String)) -> String,
) -> Result<Value, Interrupt> {
    Ok(object_by_id(site, &values[0]).map_or(Value::Null, |names| Value::text(&part(names))))
}

/// `OBJECT_DEFINITION(id)`: the text of a view.
fn object_definition(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let views = site.frame.context.engine.shown_views(names(site), names(site).database);
    let found =
        views.iter().find(|view| !values[0].is_null() && i64::from(view.header.object_id) == int(&values[0]));
    Ok(found.map_or(Value::Null, |view| Value::text(&view.text)))
}

fn schema_id(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let name = values.first().map_or("dbo".to_owned(), string);
    let schema = site.frame.context.engine.schema(names(site).database, &name);
    Ok(schema.map_or(Value::Null, |schema| id_value(schema.id)))
}

fn schema_name(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let Some(id) = values.first() else { return Ok(Value::text("dbo")) };
    let schemas = site.frame.context.engine.schemas(names(site).database);
    let found = schemas.iter().find(|schema| !id.is_null() && i64::from(schema.id) == int(id));
    Ok(found.map_or(Value::Null, |schema| Value::text(&schema.name)))
}

const SYSNAME_ID: i64 = crate::catalog::type_facts::SYSNAME_ID as i64;

fn type_name(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    if values[0].is_null() {
        return Ok(Value::Null);
    }
    let id = int(&values[0]);
    if id == SYSNAME_ID {
        return Ok(Value::text("sysname"));
    }
    if let Some(known) = ALL_TYPES.iter().find(|known| i64::from(user_type_id(**known)) == id) {
        return Ok(Value::text(facts(*known).name));
    }
    let alias = aliases(site).into_iter().find(|alias| i64::from(alias.id) == id);
    Ok(alias.map_or(Value::Null, |alias| Value::text(&alias.name)))
}

fn type_id(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let name = string(&values[0]);
    let name = name.rsplit('.').next().unwrap_or_default();
    if name.eq_ignore_ascii_case("sysname") {
        return Ok(Value::Int(SYSNAME_ID));
    }
    if let Some(known) = ALL_TYPES.iter().find(|known| facts(**known).name.eq_ignore_ascii_case(name)) {
        return Ok(Value::Int(i64::from(user_type_id(*known))));
    }
    let alias = aliases(site).into_iter().find(|alias| alias.name.eq_ignore_ascii_case(name));
    Ok(alias.map_or(Value::Null, |alias| Value::Int(i64::from(alias.id))))
}

fn aliases(site: &Site<'_>) -> Vec<AliasType> {
    let context = site.frame.context;
    context.engine.alias_types(context.names.database)
}

fn col_name(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let table = table_by_id(site, &values[0]);
    let column =
        table.and_then(|t| t.columns.iter().find(|c| i64::from(c.column_id) == int(&values[1])).cloned());
    Ok(column.map_or(Value::Null, |column| Value::text(&column.name)))
}

fn col_length(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let Some(Object::Table(table)) = find_object(site, &string(&values[0]))? else { return Ok(Value::Null) };
    let column = table.column(&string(&values[1]));
    Ok(column.map_or(Value::Null, |c| Value::Int(i64::from(facts(table.columns[c].sql_type()).max_length))))
}
