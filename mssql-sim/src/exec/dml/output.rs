//! OUTPUT: rows that a write gives to the client or to another table.

use std::sync::Arc;

use super::new_rows::{NewRows, listed_columns};
use super::row_rules::{RowRules, RowVersions};
use super::target;
use super::{ResultSet, open_target};
use crate::engine::layout::row_of;
use crate::engine::{Interrupt, RowWrite, TableDef, TableWrites};
use crate::exec::context::ExecContext;
use crate::exec::expression::bind::Binder;
use crate::exec::expression::scope::Scope;
use crate::exec::expression::{Frame, Tuple};
use crate::exec::query::select_list::Items;
use crate::parser::ast::{ObjectName, Output};
use crate::types::{ColumnMeta, SqlError, SqlType, Value};

/// A bound OUTPUT clause.
pub(super) struct BoundOutput {
    items: Items,
    into: Option<Into>,
}

/// The table that takes the rows, and which of its columns.
struct Into {
    table: Arc<TableDef>,
    columns: Vec<usize>,
}

impl BoundOutput {
    pub(super) fn bind_all(
        context: &ExecContext,
        scope: &Scope<'_>,
        outputs: &[Output],
    ) -> Result<Vec<Self>, Interrupt> {
        outputs.iter().map(|output| Self::bind(context, scope, output)).collect()
    }

    fn bind(context: &ExecContext, scope: &Scope<'_>, output: &Output) -> Result<Self, Interrupt> {
        let items = Items::bind(&Binder::new(context, scope), &output.items)?;
        let into = match &output.into {
            Some((name, columns)) => Some(Into::bind(context, name, columns, items.columns.len())?),
            None => None,
        };
        Ok(Self { items, into })
    }

    /// The values of its list for every row that is written.
    fn values(&self, context: &ExecContext, tuples: &[Tuple]) -> Result<Vec<Vec<Value>>, Interrupt> {
        let of_tuple = |tuple: &Tuple| {
            let frame = Frame { context, tuple, outer: None };
            self.items.scalars.iter().map(|item| item.evaluate(&frame)).collect()
        };
        tuples.iter().map(of_tuple).collect()
    }

    /// What the client gets; None where a table takes the rows.
    pub(super) fn result(
        &self,
        context: &ExecContext,
        tuples: &[Tuple],
    ) -> Result<Option<ResultSet>, Interrupt> {
        if self.into.is_some() {
            return Ok(None);
        }
        let columns: Arc<[ColumnMeta]> = self.items.columns.iter().map(|c| c.meta.clone()).collect();
        let rows = self.values(context, tuples)?.iter().map(|values| row_of(&columns, values)).collect();
        Ok(Some(ResultSet { columns, rows }))
    }

    /// The writes to the table that takes the rows.
    pub(super) fn writes(
        &self,
        context: &ExecContext,
        tuples: &[Tuple],
    ) -> Result<Option<TableWrites>, Interrupt> {
        let Some(Into { table, columns }) = &self.into else { return Ok(None) };
        let mut rules = RowRules::bind(context, table, "INSERT")?;
        let mut versions = RowVersions::draw(context, table, tuples.len())?;
        let mut new_rows = NewRows::draw(context, table, columns.clone(), tuples.len())?;
        let mut rows = Vec::with_capacity(tuples.len());
        for values in self.values(context, tuples)? {
            let typed = self.items.scalars.iter().map(|item| item.sql_type).zip(values).zip(columns);
            let given = typed.map(|((sql_type, value), column)| {
                super::assign(context, table, *column, (sql_type, value)).map(Some)
            });
            let given = given.collect::<Result<_, SqlError>>()?;
            rows.push(RowWrite::Insert(new_rows.row(context, &mut rules, &mut versions, given)?));
        }
        Ok(Some(TableWrites { table: Arc::clone(table), rows, set_lists: Vec::new() }))
    }
}

impl Into {
    fn bind(
        context: &ExecContext,
        name: &ObjectName,
        columns: &[String],
        width: usize,
    ) -> Result<Self, Interrupt> {
        let table = target::table(context, name)?;
        open_target(context, (&table, &[]), "INSERT")?;
        let positions = listed_columns(&table, columns)?;
        if positions.len() != width {
            let message = "Column name or number of supplied values does not match table definition.";
            return Err(SqlError::batch(213, message).into());
        }
        if positions.iter().any(|column| table.columns[*column].sql_type() == SqlType::RowVersion) {
            return Err(super::new_rows::rowversion_given().into());
        }
        Ok(Self { table, columns: positions })
    }
}
