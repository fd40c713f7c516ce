//! CREATE TABLE, also of temporary tables and table variables, and the parts of a definition that ALTER TABLE adds too.

use std::sync::Arc;

use super::{constraint, require_schema};
use crate::collation::Collation;
use crate::engine::{Column, Computed, DefaultDef, Identity, Interrupt, TEMPDB, TableDef, temporary};
use crate::exec::context::ExecContext;
use crate::exec::conversion::type_name;
use crate::exec::expression::RowExpression;
use crate::parser::ast::{ColumnDef, ConstraintKind, CreateTable, Expr, LockEscalation, ObjectName};
use crate::types::{ColumnMeta, Origin, SqlError, SqlType};

pub(super) fn create(context: &mut ExecContext, statement: &CreateTable) -> Result<(), Interrupt> {
    let table = definition_of(context, statement)?;
    create_defined(context, table)
}

/// Creates a table; a temporary one is known to the session from now on.
pub(crate) fn create_defined(context: &mut ExecContext, table: TableDef) -> Result<(), Interrupt> {
    let (known_as, id) = (table.known_name().to_owned(), table.object_id);
    context.engine.create_table(context.names.transaction, table)?;
    if temporary::is_temporary(&known_as) {
        context.names.temporaries.add(&known_as, id);
    }
    Ok(())
}

/// A table without columns, in the database and schema that its name says.
pub(crate) fn empty_table(context: &ExecContext, name: &ObjectName) -> Result<TableDef, Interrupt> {
    let is_temporary = temporary::is_temporary(&name.name);
    let database = match &name.database {
        _ if is_temporary => TEMPDB,
        None => context.names.database,
        Some(database) => context.engine.use_database(&context.names.principal, database)?.id(),
    };
    let schema = if is_temporary {
        refuse_second_temporary(context, &name.name)?;
        context.engine.schema(database, "dbo").expect("every database has a schema dbo")
    } else {
        require_schema(context, (database, name.schema.as_deref()), "CREATE TABLE")?
    };
    let object_id = context.engine.new_object_id(database);
    let is_local = is_temporary && !temporary::is_global(&name.name);
    Ok(TableDef {
        database,
        object_id,
        schema_id: schema.id,
        schema: schema.name,
        name: if is_local { temporary::catalog_name(&name.name, object_id) } else { name.name.clone() },
        known_as: is_local.then(|| name.name.clone()),
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
    })
}

/// 2714: the session, or the running procedure, has a temporary table of that name.
fn refuse_second_temporary(context: &ExecContext, name: &str) -> Result<(), SqlError> {
    let (engine, names) = (&context.engine, &context.names);
    let exists = |id| engine.table_by_id(names.transaction, TEMPDB, id).is_some();
    if temporary::is_global(name) || !names.temporaries.has_own(name).any(exists) {
        return Ok(());
    }
    let message = format!("There is already an object named '{name}' in the database.");
    Err(SqlError { state: 6, ..SqlError::statement(2714, message) })
}

fn definition_of(context: &ExecContext, statement: &CreateTable) -> Result<TableDef, Interrupt> {
    let mut table = empty_table(context, &statement.name)?;
    add_columns(context, &mut table, &statement.columns)?;
    for definition in &statement.constraints {
        // In a new table a key makes its columns NOT NULL unless they were declared NULL.
        if let ConstraintKind::PrimaryKey(key) = &definition.kind {
            make_not_null(&mut table, &statement.columns, &key.columns);
        }
        constraint::add(context, &mut table, definition)?;
    }
    refresh_layout(&mut table);
    Ok(table)
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
            return Err(SqlError {
                state: if table.layout.is_empty() { 3 } else { 4 },
                ..SqlError::batch(2705, message)
            }
            .into());
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

/// Adds a column at the end, under an id of its own.
pub(crate) fn push_column(table: &mut TableDef, column: Column) {
    table.last_column_id += 1;
    table.columns.push(Column { column_id: table.last_column_id, ..column });
}

fn stored_column(
    context: &ExecContext,
    table: &TableDef,
    definition: &ColumnDef,
) -> Result<Column, Interrupt> {
    let written = definition.type_name.as_ref().expect("a column has a type or is computed");
    let declared = context.engine.resolve_type(context.names.database, written)?;
    let sql_type = declared.sql_type;
    refuse_second(table, definition, sql_type)?;
    let unless_said = definition.identity.is_none() && sql_type != SqlType::RowVersion;
    let nullable = definition.nullable.or(declared.nullable).unwrap_or(unless_said);
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
        meta: ColumnMeta {
            origin: if definition.identity.is_some() { Origin::Identity } else { Origin::Stored },
            collation: collation_of(definition, sql_type, context.session.collation)?,
            ..ColumnMeta::new(&definition.name, sql_type, nullable)
        },
        alias: declared.alias,
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

/// The collation of a column; one without characters has the server's, which says nothing.
pub(super) fn collation_of(
    definition: &ColumnDef,
    sql_type: SqlType,
    default: Collation,
) -> Result<Collation, SqlError> {
    match &definition.collation {
        Some(_) if !sql_type.has_collation() => {
            let message = format!("Expression type {} is invalid for COLLATE clause.", type_name(sql_type));
            Err(SqlError::batch(447, message))
        }
        Some(name) => Collation::named(name, default),
        None if sql_type.has_collation() => Ok(default),
        None => Ok(Collation::DEFAULT),
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
        meta: ColumnMeta {
            origin: Origin::Computed,
            ..ColumnMeta::new(&definition.name, SqlType::Int, true)
        },
        alias: None,
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
    let result = RowExpression::scalar(context, table, expr)?.result();
    let column = &mut table.columns[position];
    column.meta.sql_type = result.sql_type;
    column.meta.nullable = declared_nullable.unwrap_or(result.nullable);
    column.meta.collation = result.collation;
    column.computed = Some(Computed { expr: expr.clone(), persisted });
    Ok(())
}

/// Makes the layout say what the columns say.
pub(crate) fn refresh_layout(table: &mut TableDef) {
    table.layout = table.columns.iter().map(|column| column.meta.clone()).collect();
}
