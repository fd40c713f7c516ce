//! Rows of a bulk load.
//!
//! They meet the table as those of an INSERT, but for what `INSERT BULK` says otherwise: without CHECK_CONSTRAINTS
//! neither CHECK nor FOREIGN KEY is looked at, nor trusted afterwards, and without KEEP_NULLS a NULL gives way to the
//! column's DEFAULT. An identity column that is listed takes the rows' values; drivers leave it out to have them made.

use super::new_rows::{NewRows, listed_columns};
use super::row_rules::{RowRules, RowVersions};
use super::{assign, open_target, target};
use crate::engine::{Interrupt, RowWrite, TableWrites};
use crate::exec::context::ExecContext;
use crate::parser::ast::InsertBulk;
use crate::types::{Length, SqlError, SqlType, Value};

/// Rows as a client sent them.
#[derive(Clone, Debug, Default)]
pub struct BulkRows {
    /// Types of the columns.
    pub types: Vec<SqlType>,
    /// Values.
    pub rows: Vec<Vec<Value>>,
}

/// Whether the target can take rows as announced.
///
/// # Errors
/// 208, 207, 229, 271.
pub fn check(context: &ExecContext, bulk: &InsertBulk) -> Result<(), Interrupt> {
    let table = target::table(context, &bulk.table)?;
    open_target(context, (&table, &[]), "INSERT")?;
    listed_columns(&table, &bulk.columns)?;
    Ok(())
}

/// Inserts some of a bulk load's rows.
///
/// # Errors
/// Those of an INSERT; 4816 if the rows have another number of columns than was announced.
pub fn load(context: &mut ExecContext, bulk: &InsertBulk, given: &BulkRows) -> Result<(), Interrupt> {
    let table = target::table(context, &bulk.table)?;
    open_target(context, (&table, &[]), "INSERT")?;
    let columns = listed_columns(&table, &bulk.columns)?;
    if given.types.len() != columns.len() {
        return Err(wrong_type(given.types.len().min(columns.len()) + 1).into());
    }
    let mut rules = RowRules::bind(context, &table, "INSERT")?;
    if !bulk.check_constraints {
        rules.ignore_checks();
    }
    let mut versions = RowVersions::draw(context, &table, given.rows.len())?;
    let mut new_rows = NewRows::draw_loaded(context, &table, columns.clone(), given.rows.len())?;
    let mut rows = Vec::with_capacity(given.rows.len());
    for row in &given.rows {
        let mut values = Vec::with_capacity(columns.len());
        for ((column, value), sql_type) in columns.iter().zip(row).zip(&given.types) {
            let value = assign(context, &table, *column, (unpadded(*sql_type), value.clone()))?;
            values.push(Some(value).filter(|value| bulk.keep_nulls || !value.is_null()));
        }
        rows.push(RowWrite::Insert(new_rows.row(context, &mut rules, &mut versions, values)?));
    }
    let writes = [TableWrites { table, rows, set_lists: Vec::new() }];
    if bulk.check_constraints {
        context.engine.apply(&context.statement, &writes, None)?;
    } else {
        context.engine.apply_unreferenced(&context.statement, &writes)?;
        context.engine.distrust_constraints(context.statement.transaction, &writes[0].table)?;
    }
    Ok(new_rows.publish(context)?)
}

/// The type of the same values without a fixed length: clients leave it to the server to fill values up.
fn unpadded(sql_type: SqlType) -> SqlType {
    match sql_type {
        SqlType::Char(n) => SqlType::VarChar(Length::Limited(n)),
        SqlType::NChar(n) => SqlType::NVarChar(Length::Limited(n)),
        SqlType::Binary(n) => SqlType::VarBinary(Length::Limited(n)),
        other => other,
    }
}

/// A column that the rows do not have as announced; counted from 1.
pub fn wrong_type(column: usize) -> SqlError {
    SqlError::statement(4816, format!("Invalid column type from bcp client for colid {column}."))
}
