//! Extended properties: `sp_addextendedproperty` and its siblings.

use crate::engine::{Interrupt, Object, PropertyOwner, TableDef};
use crate::exec::context::ExecContext;
use crate::parser::ast::{ObjectName, PropertyChange, PropertyStatement};
use crate::types::SqlError;

/// Adds, updates or drops a property.
pub(super) fn change(context: &ExecContext, statement: &PropertyStatement) -> Result<(), Interrupt> {
    let owner = owner(context, &statement.levels)?;
    let name = &statement.name;
    let (engine, database) = (&context.engine, context.names.database);
    let exists = engine
        .properties(database)
        .iter()
        .any(|property| property.owner == owner && property.name.eq_ignore_ascii_case(name));
    let on = statement.object();
    let value = match &statement.change {
        PropertyChange::Add(_) if exists => {
            let message = format!("Property cannot be added. Property '{name}' already exists for '{on}'.");
            return Err(SqlError::statement(15233, message).into());
        }
        PropertyChange::Update(_) | PropertyChange::Drop if !exists => {
            let message = format!(
                "Property cannot be updated or deleted. Property '{name}' does not exist for '{on}'."
            );
            return Err(SqlError::statement(15217, message).into());
        }
        PropertyChange::Add(value) | PropertyChange::Update(value) => Some(value.clone()),
        PropertyChange::Drop => None,
    };
    Ok(engine.set_property(context.names.transaction, database, (owner, name), value)?)
}

/// What the levels name: nothing the database, SCHEMA a schema, then TABLE or VIEW, then COLUMN, INDEX or CONSTRAINT.
fn owner(context: &ExecContext, levels: &[(String, String)]) -> Result<PropertyOwner, Interrupt> {
    let missing = || {
        let path = levels.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(".");
        let message = format!(
            "Object is invalid. Extended properties are not permitted on '{path}', or the object does not exist."
        );
        SqlError::statement(15135, message)
    };
    let [(schema_kind, schema), deeper @ ..] = levels else {
        return Ok(PropertyOwner { class: 0, major: 0, minor: 0 });
    };
    let found = context.engine.schema(context.names.database, schema).filter(|_| schema_kind == "SCHEMA");
    let found = found.ok_or_else(missing)?;
    let [(kind, name), deeper @ ..] = deeper else {
        return Ok(PropertyOwner { class: 3, major: found.id, minor: 0 });
    };
    let object = ObjectName { database: None, schema: Some(schema.clone()), name: name.clone() };
    let part = deeper.first().map(|(kind, name)| (kind.as_str(), name.as_str()));
    match (context.engine.resolve(&context.names, &object)?, kind.as_str()) {
        (Some(Object::Table(table)), "TABLE") => Ok(table_part(&table, part).ok_or_else(missing)?),
        (Some(Object::UserView(view)), "VIEW") => {
            let minor = match part {
                None => Some(0),
                Some(("COLUMN", name)) => {
                    let column = view.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
                    column.map(|column| column.column_id)
                }
                Some(_) => None,
            };
            let minor = minor.ok_or_else(missing)?;
            Ok(PropertyOwner { class: 1, major: view.header.object_id, minor })
        }
        _ => Err(missing().into()),
    }
}

fn table_part(table: &TableDef, part: Option<(&str, &str)>) -> Option<PropertyOwner> {
    let major = table.object_id;
    let Some((kind, name)) = part else { return Some(PropertyOwner { class: 1, major, minor: 0 }) };
    let is = |candidate: &str| candidate.eq_ignore_ascii_case(name);
    match kind {
        "COLUMN" => {
            let minor = table.columns[table.column(name)?].column_id;
            Some(PropertyOwner { class: 1, major, minor })
        }
        "INDEX" => {
            let primary = table.primary_key.iter().map(|key| (key.name.as_str(), key.index_id));
            let indexes = table.indexes.iter().map(|index| (index.name.as_str(), index.index_id));
            let (_, minor) = primary.chain(indexes).find(|(name, _)| is(name))?;
            Some(PropertyOwner { class: 7, major, minor })
        }
        "CONSTRAINT" => {
            let (_, major) = table.constraints().find(|(name, _)| is(name))?;
            Some(PropertyOwner { class: 1, major, minor: 0 })
        }
        _ => None,
    }
}

impl PropertyStatement {
    /// What it is on, as messages name it.
    fn object(&self) -> String {
        let parts: Vec<&str> = self.levels.iter().map(|(_, name)| name.as_str()).collect();
        if parts.is_empty() { "object specified".to_owned() } else { parts.join(".") }
    }
}
