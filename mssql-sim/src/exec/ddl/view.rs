//! Views and synonyms.

use std::sync::Arc;

use super::require_schema;
use crate::engine::{Column, Interrupt, Object, ObjectHeader, Synonym, UserView};
use crate::exec::context::ExecContext;
use crate::exec::query;
use crate::parser::ast::{CreateMode, CreateView, ObjectName};
use crate::parser::definition_text;
use crate::types::{ColumnMeta, Origin, SqlError};

/// `CREATE VIEW`, `ALTER VIEW`; `text` is the batch, which it is alone in.
pub(super) fn define(context: &ExecContext, statement: &CreateView, text: &str) -> Result<(), Interrupt> {
    let name = &statement.name;
    if name.database.is_some() {
        let message =
            "'CREATE/ALTER VIEW' does not allow specifying the database name as a prefix to the object name.";
        return Err(SqlError { class: 15, ..SqlError::batch(166, message) }.into());
    }
    let existing = match context.engine.resolve(&context.names, name)? {
        Some(Object::UserView(view)) => Some(view),
        _ => None,
    };
    let header = match (existing, statement.mode) {
        (None, CreateMode::Alter) => {
            let message = format!("Invalid object name '{name}'.");
            return Err(SqlError { state: 6, ..SqlError::statement(208, message) }.into());
        }
        (Some(view), CreateMode::Alter | CreateMode::CreateOrAlter) => {
            ObjectHeader { modified: context.now, ..view.header.clone() }
        }
        // A name that is taken is refused by the engine.
        (_, CreateMode::Create | CreateMode::CreateOrAlter) => new_header(context, name, "CREATE VIEW")?,
    };
    let columns = columns_of(context, statement, &header)?;
    context.engine.define_view(
        context.names.transaction,
        UserView {
            header,
            columns,
            query: statement.query.clone(),
            text: definition_text(text),
            schema_bound: statement.schema_bound,
            check_option: statement.check_option,
        },
    )
}

/// Identity of an object about to be created; `permission` is what that takes.
fn new_header(context: &ExecContext, name: &ObjectName, permission: &str) -> Result<ObjectHeader, SqlError> {
    let database = context.names.database;
    let schema = require_schema(context, (database, name.schema.as_deref()), permission)?;
    Ok(ObjectHeader {
        database,
        object_id: context.engine.new_object_id(database),
        schema_id: schema.id,
        schema: schema.name,
        name: name.name.clone(),
        created: context.now,
        modified: context.now,
    })
}

/// The view's columns: those of its query, under its own names if it has any.
fn columns_of(
    context: &ExecContext,
    statement: &CreateView,
    header: &ObjectHeader,
) -> Result<Vec<Column>, Interrupt> {
    let described = query::describe(context, &statement.query)?;
    let names = &statement.columns;
    if !names.is_empty() && names.len() != described.len() {
        let (number, side) = if names.len() < described.len() { (8158, "more") } else { (8159, "fewer") };
        let message = format!("'{}' has {side} columns than were specified in the column list.", header.name);
        return Err(SqlError::statement(number, message).into());
    }
    let mut columns: Vec<Column> = Vec::with_capacity(described.len());
    for (position, meta) in described.iter().enumerate() {
        let name = names.get(position).cloned().unwrap_or(meta.name.clone());
        if name.is_empty() {
            let message = format!(
                "Create View or Function failed because no column name was specified for column {}.",
                position + 1
            );
            return Err(SqlError::statement(4511, message).into());
        }
        if columns.iter().any(|column| column.name.eq_ignore_ascii_case(&name)) {
            let message = format!(
                "Column names in each view or function must be unique. Column name '{name}' in view or function '{}' is \
                 specified more than once.",
                header.name
            );
            return Err(SqlError::statement(4506, message).into());
        }
        columns.push(Column {
            column_id: i32::try_from(position + 1).unwrap_or(i32::MAX),
            meta: ColumnMeta { name: name.clone(), origin: Origin::Stored, ..meta.clone() },
            name,
            alias: None,
            default: None,
            computed: None,
            identity: None,
        });
    }
    Ok(columns)
}

/// `DROP VIEW`: the view of that name.
pub(super) fn find_view(
    context: &ExecContext,
    name: &ObjectName,
) -> Result<Option<Arc<UserView>>, Interrupt> {
    Ok(match context.engine.resolve(&context.names, name)? {
        Some(Object::UserView(view)) => Some(view),
        _ => None,
    })
}

/// `CREATE SYNONYM`
pub(super) fn create_synonym(
    context: &ExecContext,
    name: &ObjectName,
    base: &ObjectName,
) -> Result<(), Interrupt> {
    let header = new_header(context, name, "CREATE SYNONYM")?;
    context.engine.create_synonym(context.names.transaction, Synonym { header, base: base.clone() })
}

/// The synonym of that name.
pub(super) fn find_synonym(context: &ExecContext, name: &ObjectName) -> Option<Arc<Synonym>> {
    let schema = name.schema.as_deref().unwrap_or("dbo");
    let same = |synonym: &Arc<Synonym>| {
        synonym.header.schema.eq_ignore_ascii_case(schema)
            && synonym.header.name.eq_ignore_ascii_case(&name.name)
    };
    context.engine.synonyms(context.names.database).into_iter().find(same)
}
