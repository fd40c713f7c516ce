//! Who one is, to which roles one belongs and what one may do.

use super::arguments::{Arguments, int, string};
use super::object::{find_object, named, names};
use super::{Body, Definition, Returns, Site};
use crate::engine::{FIXED_ROLES, Interrupt, Object, Principal};
use crate::exec::expression::scope::same_name;
use crate::types::{Length, SqlError, SqlType, Value};

const NAME: SqlType = SqlType::NVarChar(Length::Limited(128));

pub(super) fn definition(name: &str) -> Option<Definition> {
    let define = |count, rule, body: Body| Some(Definition { count, rule, body });
    match name {
        "HAS_PERMS_BY_NAME" => define(3..=5, |a| named(a, SqlType::Int), has_perms_by_name),
        "HAS_DBACCESS" => define(1..=1, |a| named(a, SqlType::Int), has_db_access),
        "IS_SRVROLEMEMBER" => define(1..=2, |a| named(a, SqlType::Int), is_server_role_member),
        "IS_MEMBER" | "IS_ROLEMEMBER" => define(1..=2, |a| named(a, SqlType::Int), is_role_member),
        "USER_ID" | "DATABASE_PRINCIPAL_ID" => define(0..=1, |a| named(a, SqlType::Int), user_id),
        "USER_NAME" => define(0..=1, user_name_rule, user_name),
        _ => None,
    }
}

/// `HAS_PERMS_BY_NAME(securable, class, permission)` for objects, schemas, databases and the server.
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
        "SCHEMA" => {
            let database = names(site).database;
            let Some(schema) = context.engine.schema(database, string(&values[0]).trim_matches(['[', ']']))
            else {
                return Ok(Value::Null);
            };
            context.engine.permitted_on_schema(principal, &permission, (database, schema.id))
        }
        "" | "SERVER" => context.engine.permitted_on_server(principal, &permission),
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

/// `IS_SRVROLEMEMBER(role [, login])`; the only role with members is sysadmin.
fn is_server_role_member(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    if values[0].is_null() {
        return Ok(Value::Null);
    }
    let principal = &names(site).principal;
    let login = values.get(1).map_or(principal.login.clone(), string);
    let logins = site.frame.context.engine.logins();
    let Some((_, sysadmin)) = logins.iter().find(|(name, _)| same_name(name, &login)) else {
        return Ok(Value::Null);
    };
    Ok(match string(&values[0]).to_lowercase().as_str() {
        "public" => Value::Int(1),
        "sysadmin" => Value::Int(i64::from(*sysadmin && principal.user.is_none())),
        "serveradmin" | "securityadmin" | "processadmin" | "setupadmin" | "bulkadmin" | "diskadmin"
        | "dbcreator" => Value::Int(i64::from(*sysadmin && principal.user.is_none())),
        _ => Value::Null,
    })
}

/// `IS_MEMBER(role)`, `IS_ROLEMEMBER(role [, user])`
fn is_role_member(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let scope = names(site);
    let asked = match values.get(1) {
        Some(user) => Principal { user: Some(string(user)), ..scope.principal.clone() },
        None => scope.principal.clone(),
    };
    if values[0].is_null() {
        return Ok(Value::Null);
    }
    let member = site.frame.context.engine.is_member(&asked, scope.database, &string(&values[0]));
    Ok(member.map_or(Value::Null, |member| Value::Int(i64::from(member))))
}

/// Ids and names of the users and roles of the current database.
fn principals(site: &Site<'_>) -> Vec<(i32, String)> {
    let own =
        site.frame.context.engine.users(names(site).database).into_iter().map(|user| (user.id, user.name));
    let special = [(0, "public"), (1, "dbo"), (2, "guest"), (3, "INFORMATION_SCHEMA"), (4, "sys")];
    let fixed = special.into_iter().chain(FIXED_ROLES).map(|(id, name)| (id, name.to_owned()));
    fixed.chain(own).collect()
}

fn own_name(site: &Site<'_>) -> String {
    let scope = names(site);
    site.frame.context.engine.user_name(&scope.principal, scope.database)
}

fn user_id(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let wanted = values.first().map_or_else(|| own_name(site), string);
    let found = principals(site).into_iter().find(|(_, name)| same_name(name, &wanted));
    Ok(found.map_or(Value::Null, |(id, _)| Value::Int(i64::from(id))))
}

fn user_name_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    if arguments.len() == 1 {
        arguments.convert(0, SqlType::Int)?;
    }
    Ok(Returns::nullable(NAME))
}

fn user_name(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let Some(id) = values.first() else { return Ok(Value::text(&own_name(site))) };
    let found = principals(site).into_iter().find(|(known, _)| !id.is_null() && i64::from(*known) == int(id));
    Ok(found.map_or(Value::Null, |(_, name)| Value::text(&name)))
}
