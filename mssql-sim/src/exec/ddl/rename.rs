//! `sp_rename` and `ALTER SCHEMA TRANSFER`.

use std::sync::Arc;

use super::create_table::refresh_layout;
use super::dependency::mentions;
use super::{find, require_alter, require_schema, view};
use crate::engine::{Interrupt, ObjectHeader, Synonym, TableDef, UserView, cannot};
use crate::exec::context::ExecContext;
use crate::parser::ast::{ObjectName, RenamedKind};
use crate::types::SqlError;

/// `sp_rename`: another name for an object, or for a column or index of a table.
pub(super) fn rename(
    context: &ExecContext,
    object: &str,
    new_name: &str,
    kind: Option<RenamedKind>,
) -> Result<(), Interrupt> {
    let Some(parts) = crate::parser::parse_name(object) else {
        return Err(not_found(context, object, kind).into());
    };
    match kind {
        Some(RenamedKind::Column | RenamedKind::Index) => {
            // The last part is the column or index, what is before it the table.
            let Some(table) = parts.schema.clone() else { return Err(ambiguous(kind).into()) };
            let table = ObjectName { database: None, schema: parts.database.clone(), name: table };
            let Some(table) = find(context, &table)? else { return Err(ambiguous(kind).into()) };
            require_alter(context, &table)?;
            rename_part(context, &table, &parts.name, (new_name, kind))
        }
        Some(RenamedKind::Object) | None => rename_object(context, &parts, new_name, (object, kind)),
    }
}

fn rename_part(
    context: &ExecContext,
    table: &Arc<TableDef>,
    part: &str,
    (new_name, kind): (&str, Option<RenamedKind>),
) -> Result<(), Interrupt> {
    let mut new = (**table).clone();
    new.modified = context.now;
    let taken = |what: &str| {
        let message = format!(
            "Error: The new name '{new_name}' is already in use as a {what} name and would cause a duplicate that is not \
             permitted."
        );
        SqlError { class: 11, ..SqlError::statement(15335, message) }
    };
    if kind == Some(RenamedKind::Column) {
        let Some(position) = table.column(part) else { return Err(ambiguous(kind).into()) };
        let used = |expr| mentions(expr, part);
        if table.checks.iter().any(|check| used(&check.expr))
            || table.columns.iter().filter_map(|c| c.computed.as_ref()).any(|computed| used(&computed.expr))
        {
            let message = format!(
                "Object '{}.{part}' cannot be renamed because the object participates in enforced dependencies.",
                table.qualified_name()
            );
            return Err(SqlError::statement(15336, message).into());
        }
        if table.column(new_name).is_some_and(|other| other != position) {
            return Err(taken("COLUMN").into());
        }
        new.columns[position].name = new_name.to_owned();
        new.columns[position].meta.name = new_name.to_owned();
        refresh_layout(&mut new);
        return context.engine.alter_table(context.names.transaction, table, new, None);
    }
    let is = |name: &str| name.eq_ignore_ascii_case(part);
    let names = new.indexes.iter_mut().map(|index| &mut index.name);
    let mut names = new.primary_key.iter_mut().map(|key| &mut key.name).chain(names);
    let Some(name) = names.find(|name| is(name)) else { return Err(ambiguous(kind).into()) };
    *name = new_name.to_owned();
    context.engine.alter_table(context.names.transaction, table, new, None)
}

fn rename_object(
    context: &ExecContext,
    parts: &ObjectName,
    new_name: &str,
    (written, kind): (&str, Option<RenamedKind>),
) -> Result<(), Interrupt> {
    let new_object = ObjectName { name: new_name.to_owned(), ..parts.clone() };
    if context.engine.resolve(&context.names, &new_object)?.is_some() {
        let message = format!(
            "Error: The new name '{new_name}' is already in use as a object name and would cause a duplicate that is not \
             permitted."
        );
        return Err(SqlError { class: 11, ..SqlError::statement(15335, message) }.into());
    }
    let transaction = context.names.transaction;
    if let Some(table) = find(context, parts)? {
        require_alter(context, &table)?;
        let new = TableDef { name: new_name.to_owned(), modified: context.now, ..(*table).clone() };
        return context.engine.alter_table(transaction, &table, new, None);
    }
    if let Some(found) = view::find_view(context, parts)? {
        return context.engine.define_view(transaction, renamed_view(context, &found, new_name));
    }
    if let Some((table, new)) = renamed_constraint(context, parts, new_name) {
        return context.engine.alter_table(transaction, &table, new, None);
    }
    Err(not_found(context, written, kind).into())
}

fn renamed_view(context: &ExecContext, found: &UserView, new_name: &str) -> UserView {
    let header = ObjectHeader { name: new_name.to_owned(), modified: context.now, ..found.header.clone() };
    UserView { header, ..found.clone() }
}

/// The table of a constraint, and its definition with the constraint's new name.
fn renamed_constraint(
    context: &ExecContext,
    parts: &ObjectName,
    new_name: &str,
) -> Option<(Arc<TableDef>, TableDef)> {
    let schema = parts.schema.as_deref().unwrap_or("dbo");
    let is = |name: &str| name.eq_ignore_ascii_case(&parts.name);
    let tables = context.engine.tables(&context.names, context.names.database);
    let table = tables.into_iter().map(|info| info.def).find(|table| {
        table.schema.eq_ignore_ascii_case(schema) && table.constraints().any(|(name, _)| is(name))
    })?;
    let mut new = TableDef { modified: context.now, ..(*table).clone() };
    let primary = new.primary_key.iter_mut().map(|key| &mut key.name);
    let indexes =
        new.indexes.iter_mut().filter(|index| index.constraint.is_some()).map(|index| &mut index.name);
    let foreign = new.foreign_keys.iter_mut().map(|key| &mut key.name);
    let checks = new.checks.iter_mut().map(|check| &mut check.name);
    let defaults = new.columns.iter_mut().filter_map(|column| column.default.as_mut());
    let defaults = defaults.map(|default| &mut default.name);
    let name = primary.chain(indexes).chain(foreign).chain(checks).chain(defaults).find(|name| is(name))?;
    *name = new_name.to_owned();
    Some((table, new))
}

fn ambiguous(kind: Option<RenamedKind>) -> SqlError {
    let kind = kind.map_or("(null)", RenamedKind::word);
    let message =
        format!("Either the parameter @objname is ambiguous or the claimed @objtype ({kind}) is wrong.");
    SqlError { class: 11, ..SqlError::statement(15248, message) }
}

fn not_found(context: &ExecContext, name: &str, kind: Option<RenamedKind>) -> SqlError {
    let message = format!(
        "No item by the name of '{name}' could be found in the current database '{}', given that @itemtype was input as \
         '{}'.",
        context.session.database,
        kind.map_or("(null)", RenamedKind::word)
    );
    SqlError { class: 11, ..SqlError::statement(15225, message) }
}

/// `ALTER SCHEMA schema TRANSFER object`
pub(super) fn transfer(context: &ExecContext, schema: &str, object: &ObjectName) -> Result<(), Interrupt> {
    let transaction = context.names.transaction;
    let target = require_schema(context, (context.names.database, Some(schema)), "ALTER")
        .map_err(|_| cannot("alter", "schema", schema))?;
    let moved = |header: &ObjectHeader| ObjectHeader {
        schema_id: target.id,
        schema: target.name.clone(),
        modified: context.now,
        ..header.clone()
    };
    if let Some(table) = find(context, object)? {
        require_alter(context, &table)?;
        context.engine.require_free_name(transaction, &moved(&table.header()))?;
        let new = TableDef {
            schema_id: target.id,
            schema: target.name.clone(),
            modified: context.now,
            ..(*table).clone()
        };
        return context.engine.alter_table(transaction, &table, new, None);
    }
    if let Some(found) = view::find_view(context, object)? {
        context.engine.require_free_name(transaction, &moved(&found.header))?;
        let header = moved(&found.header);
        return context.engine.define_view(transaction, UserView { header, ..(*found).clone() });
    }
    if let Some(found) = view::find_synonym(context, object) {
        let header = moved(&found.header);
        context.engine.drop_synonym(transaction, &found)?;
        return context.engine.create_synonym(transaction, Synonym { header, ..(*found).clone() });
    }
    let message = format!(
        "Cannot find the object '{}', because it does not exist or you do not have permission.",
        object.name
    );
    Err(SqlError::statement(15151, message).into())
}
