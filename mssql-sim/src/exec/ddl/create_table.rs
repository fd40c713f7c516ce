//! CREATE TABLE, and the parts of a definition that ALTER TABLE adds too.

use std::sync::Arc;

use super::{constraint, require_schema};
use crate::engine::collation::Collation;
use crate::engine::{Column, Computed, DefaultDef, Identity, Interrupt, TableDef};
use crate::exec::context::ExecContext;
use crate::exec::expression::RowExpression;
use crate::parser::ast::{ColumnDef, ConstraintKind, CreateTable, Expr, LockEscalation};
use crate::types::{ColumnMeta, SqlError, SqlType};

pub(super) fn create(context: &ExecContext, statement: &CreateTable) -> Result<(), Interrupt> {
    let name = &statement.name;
    if name.name.starts_with('#') {
        return Err(SqlError::unsupported(format!("temporary table {}", name.name)).into());
    }
    let database = match &name.database {
        None => context.names.database,
        Some(database) => context.engine.use_database(&context.names.principal, database)?.id(),
    };
    let schema = require_schema(context, (database, name.schema.as_deref()), "CREATE TABLE")?;
    let mut table = TableDef {
        database,
        object_id: context.engine.new_object_id(database),
        schema_id: schema.id,
        schema: schema.name,
        name: name.name.clone(),
        columns: Vec::new(),
        layout: Arc::new([]),
        primary_key: None,
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        checks: Vec::new(),
        last_column_id: 0,
        lock_escalation: LockEscalation::default(),
        created: context.now,
        modified: context.now,
    };
    add_columns(context, &mut table, &statement.columns)?;
    for definition in &statement.constraints {
        // In a new table a key makes its columns NOT NULL unless they were declared NULL.
        if let ConstraintKind::PrimaryKey(key) = &definition.kind {
            make_not_null(&mut table, &statement.columns, &key.columns);
        }
        constraint::add(context, &mut table, definition)?;
    }
    refresh_layout(&mut table);
    context.engine.create_table(context.names.transaction, table)
}

fn make_not_null(table: &mut TableDef, written: &[ColumnDef], key: &[(String, bool)]) {
    for (name, _) in key {
        let undeclared = written
            .iter()
            .any(|column| column.nullable.is_none() && Collation::DEFAULT.equal_str(&column.name, name));
        if let Some(position) = table.column(name)
            && undeclared
        {
            table.columns[position].meta.nullable = false;
        }
    }
}

/// Adds columns at the end, with the DEFAULTs that stand in them.
pub(super) fn add_columns(
    context: &ExecContext,
    table: &mut TableDef,
    columns: &[ColumnDef],
) -> Result<(), Interrupt> {
    for definition in columns {
        if table.column(&definition.name).is_some() {
            let message = format!(
                "Column names in each table must be unique. Column name '{}' in table '{}' is specified more than once.",
                definition.name,
                table.qualified_name()
            );
            return Err(SqlError { state: 3, ..SqlError::batch(2705, message) }.into());
        }
        if definition.computed.is_none() {
            let column = stored_column(context, table, definition)?;
            push_column(table, column);
        } else {
            // Its type is known once all stored columns are.
            push_column(table, placeholder(definition));
        }
    }
    refresh_layout(table);
    for definition in columns {
        if let Some((expr, persisted)) = &definition.computed {
            let position = table.column(&definition.name).expect("it was added above");
            compute(context, table, position, expr, *persisted, definition.nullable)?;
        }
    }
    refresh_layout(table);
    Ok(())
}

fn push_column(table: &mut TableDef, column: Column) {
    table.last_column_id += 1;
    table.columns.push(Column { column_id: table.last_column_id, ..column });
}

fn stored_column(
    context: &ExecContext,
    table: &TableDef,
    definition: &ColumnDef,
) -> Result<Column, Interrupt> {
    let sql_type = definition.sql_type.expect("a column has a type or is computed");
    refuse_second(table, definition, sql_type)?;
    let nullable =
        definition.nullable.unwrap_or(definition.identity.is_none() && sql_type != SqlType::RowVersion);
    if definition.identity.is_some() && definition.nullable == Some(true) {
        let message = format!(
            "Could not create IDENTITY attribute on nullable column '{}', table '{}'.",
            definition.name, table.name
        );
        return Err(SqlError::batch(8147, message).into());
    }
    let default = match &definition.default {
        Some(expr) => Some(default_of(context, table, &definition.name, None, expr)?),
        None => None,
    };
    Ok(Column {
        column_id: 0,
        name: definition.name.clone(),
        meta: meta_of(&definition.name, sql_type, nullable, definition.identity.is_some()),
        collation: collation_of(definition, sql_type)?,
        default,
        computed: None,
        identity: definition.identity.map(|(seed, increment)| Identity { seed, increment }),
    })
}

fn refuse_second(table: &TableDef, definition: &ColumnDef, sql_type: SqlType) -> Result<(), SqlError> {
    if sql_type == SqlType::RowVersion && table.rowversion_column().is_some() {
        let message = format!(
            "A table can only have one timestamp column. Because table '{}' already has one, the column '{}' cannot be \
             added.",
            table.name, definition.name
        );
        return Err(SqlError::batch(2738, message));
    }
    if definition.identity.is_some() && table.identity_column().is_some() {
        let message = format!(
            "Multiple identity columns specified for table '{}'. Only one identity column per table is allowed.",
            table.name
        );
        return Err(SqlError::batch(2744, message));
    }
    Ok(())
}

/// The collation of a character column.
pub(super) fn collation_of(definition: &ColumnDef, sql_type: SqlType) -> Result<Option<Collation>, SqlError> {
    let is_text = crate::exec::conversion::is_text(sql_type);
    match &definition.collation {
        Some(_) if !is_text => {
            let message = "Expression type is invalid for COLLATE clause.".to_owned();
            Err(SqlError::batch(447, message))
        }
        Some(name) => Collation::named(name).map(Some),
        None => Ok(is_text.then_some(Collation::DEFAULT)),
    }
}

/// A DEFAULT for a column, named by the server unless a name is given.
pub(super) fn default_of(
    context: &ExecContext,
    table: &TableDef,
    column: &str,
    name: Option<&str>,
    expr: &Expr,
) -> Result<DefaultDef, Interrupt> {
    RowExpression::constant(context, expr)?;
    let object_id = context.engine.new_object_id(table.database);
    Ok(DefaultDef {
        object_id,
        name: name
            .map_or_else(|| constraint::made_up_name("DF", &[&table.name, column], object_id), str::to_owned),
        system_named: name.is_none(),
        expr: expr.clone(),
    })
}

fn placeholder(definition: &ColumnDef) -> Column {
    Column {
        column_id: 0,
        name: definition.name.clone(),
        meta: ColumnMeta { computed: true, ..meta_of(&definition.name, SqlType::Int, true, false) },
        collation: None,
        default: None,
        computed: None,
        identity: None,
    }
}

fn compute(
    context: &ExecContext,
    table: &mut TableDef,
    position: usize,
    expr: &Expr,
    persisted: bool,
    declared_nullable: Option<bool>,
) -> Result<(), Interrupt> {
    let (sql_type, nullable) = RowExpression::scalar(context, table, expr)?.result();
    let column = &mut table.columns[position];
    column.meta.sql_type = sql_type;
    column.meta.nullable = declared_nullable.unwrap_or(nullable);
    column.collation = crate::exec::conversion::is_text(sql_type).then_some(Collation::DEFAULT);
    column.computed = Some(Computed { expr: expr.clone(), persisted });
    Ok(())
}

pub(super) fn meta_of(name: &str, sql_type: SqlType, nullable: bool, identity: bool) -> ColumnMeta {
    ColumnMeta { name: name.to_owned(), sql_type, nullable, identity, computed: false }
}

/// Makes the layout say what the columns say.
pub(super) fn refresh_layout(table: &mut TableDef) {
    table.layout = table.columns.iter().map(|column| column.meta.clone()).collect();
}
