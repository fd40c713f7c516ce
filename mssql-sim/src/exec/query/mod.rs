//! Queries.
//!
//! `bind` turns syntax into a [`plan::QueryPlan`] and opens every table, `seek` decides which part of a table is read,
//! [`run::Run`] gives the rows. Rows stream: a scan holds a chunk at a time; what must see everything first (sorting,
//! grouping, the right side of a hash join) keeps stored rows, which are shared and not decoded. A run that meets a
//! lock stops with the wait and goes on when it is asked again.

pub(crate) mod aggregate;
mod aggregate_call;
mod arrange;
mod bind;
mod bind_changes;
mod bind_cte;
mod bind_from;
mod changed_rows;
pub(crate) mod finder;
pub(in crate::exec) mod hints;
mod join;
mod operator;
mod output;
pub(crate) mod plan;
mod recursion;
mod row_key;
mod run;
mod seek;
pub(crate) mod select_list;
mod sort;
mod source;
mod table_function;
pub(crate) mod window;
mod windowing;

use std::sync::Arc;

use crate::engine::{Interrupt, Row};
use crate::exec::context::ExecContext;
use crate::exec::conversion::{convert_in, require_implicit};
use crate::parser::ast::{Expr, Query, QueryBody, SelectItem};
use crate::types::{ColumnMeta, SqlError};
use run::Run;

/// A query that is being read.
pub struct Cursor {
    columns: Arc<[ColumnMeta]>,
    /// See [`Cursor::order`].
    order: Vec<u16>,
    run: Run,
    /// Rows that SET ROWCOUNT still lets through; None without a limit.
    remaining: Option<u64>,
    /// An error that came after rows of its chunk; the next chunk is it.
    failed: Option<SqlError>,
}

/// Binds a query and opens its tables.
///
/// # Errors
/// Binding errors (207, 208, 22105, ...); 3952, 3961; `Wait` for a definition that is being changed: bind again then.
pub fn open(context: &ExecContext, query: &Query) -> Result<Cursor, Interrupt> {
    let plan = bind::bind_query(context, None, None, query)?;
    let remaining = Some(context.session.row_limit).filter(|limit| *limit > 0);
    let order = plan.order.clone();
    Ok(Cursor { columns: plan.layout(), order, run: Run::start(&plan), remaining, failed: None })
}

/// Binds a query without running it: what a batch is refused for before any of it runs. Returns the result's columns.
///
/// # Errors
/// As [`open`].
pub fn check(context: &ExecContext, query: &Query) -> Result<Arc<[ColumnMeta]>, Interrupt> {
    bind::bind_query(context, None, None, query).map(|plan| plan.layout())
}

/// The columns of a query's result.
///
/// # Errors
/// As [`open`].
pub fn describe(context: &ExecContext, query: &Query) -> Result<Arc<[ColumnMeta]>, Interrupt> {
    Ok(bind::bind_query(context, None, None, query)?.layout())
}

impl Cursor {
    /// The columns of the result.
    pub fn columns(&self) -> Arc<[ColumnMeta]> {
        self.columns.clone()
    }

    /// By which columns the rows are ordered, as positions from 1; 0 for what is no column. Empty without an order.
    pub fn order(&self) -> &[u16] {
        &self.order
    }

    /// At most `limit` further rows in row form; empty at the end.
    ///
    /// # Errors
    /// Run-time errors; `Wait` when a lock stands in the way of the next row: ask again after it.
    pub fn next_chunk(&mut self, context: &ExecContext, limit: usize) -> Result<Vec<Row>, Interrupt> {
        if let Some(error) = self.failed.take() {
            return Err(error.into());
        }
        let mut rows = Vec::new();
        while rows.len() < limit && self.remaining != Some(0) {
            match self.run.next_row(context) {
                Ok(Some(row)) => rows.push(row),
                Ok(None) => break,
                Err(interrupt) if rows.is_empty() => return Err(interrupt),
                Err(Interrupt::Error(error)) => {
                    self.failed = Some(error);
                    break;
                }
                Err(Interrupt::Wait(_) | Interrupt::Retry) => break,
            }
            self.remaining = self.remaining.map(|n| n - 1);
        }
        Ok(rows)
    }
}

/// `SELECT @a = ..., @b = ...`: assigns for every row, so that the last one stays. Returns the number of rows.
///
/// # Errors
/// As [`open`] and [`Cursor::next_chunk`]; conversion errors. Nothing is assigned when a lock stops the query.
pub fn assign(
    context: &mut ExecContext,
    assignments: &[(String, Expr)],
    query: &Query,
) -> Result<u64, Interrupt> {
    let mut query = query.clone();
    if let QueryBody::Select(select) = &mut query.body {
        select.items = assignments.iter().map(|(_, expr)| SelectItem::Expr(expr.clone(), None)).collect();
    }
    let plan = bind::bind_query(context, None, None, &query)?;
    let before = context.variables.clone();
    let result = assign_rows(context, assignments, &plan);
    if matches!(result, Err(Interrupt::Wait(_) | Interrupt::Retry)) {
        context.variables = before;
    }
    result
}

fn assign_rows(
    context: &mut ExecContext,
    assignments: &[(String, Expr)],
    plan: &Arc<plan::QueryPlan>,
) -> Result<u64, Interrupt> {
    let mut run = Run::start(plan);
    let mut count = 0;
    while let Some(row) = run.next(context, None)? {
        for (((name, _), value), column) in assignments.iter().zip(row.iter()).zip(plan.columns()) {
            let (target, _) = context.variables.get(name)?;
            require_implicit(column.meta.sql_type, target)?;
            let collation = column.meta.collation;
            let value = convert_in(value.clone(), column.meta.sql_type, target, None, collation)?;
            context.variables.set(name, value)?;
        }
        count += 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests;
