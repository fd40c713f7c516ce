//! From a query's syntax to its plan.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::aggregate::{Aggregates, Clause, contains_aggregate};
use super::bind_from::FromBinder;
use super::plan::{Ctes, DerivedLeaf, OutputColumn, PlanBody, QueryPlan, Relation, SelectPlan, SetPlan, Top};
use super::select_list::Items;
use super::window::Windows;
use crate::engine::Interrupt;
use crate::exec::context::ExecContext;
use crate::exec::conversion::{as_decimal, unify};
use crate::exec::expression::Scalar;
use crate::exec::expression::bind::{Binder, comparison_conflict, joint_type, stronger, value_conflict};
use crate::exec::expression::comparable::{require_distinct, require_order, require_set_operand};
use crate::exec::expression::scope::{Scope, ScopeSource};
use crate::parser::ast::{self, Expr, Query, QueryBody, Select, SelectItem, SetOperator, TableRef};
use crate::types::{SqlError, SqlType};

/// Binds a query; `outer` is the scope around it.
pub(crate) fn bind_query(
    context: &ExecContext,
    outer: Option<&Scope<'_>>,
    ctes: Option<&Ctes<'_>>,
    query: &Query,
) -> Result<Arc<QueryPlan>, Interrupt> {
    let mut own = Ctes::new(&query.ctes, ctes);
    own.max_recursion = query.max_recursion.unwrap_or(own.max_recursion);
    let ctes = if query.ctes.is_empty() { ctes } else { Some(&own) };
    let binder = QueryBinder { context, outer, ctes, correlated: Cell::new(false), keyed: false };
    let order = Order { by: &query.order_by, offset: query.offset.as_ref(), fetch: query.fetch.as_ref() };
    if let QueryBody::Select(select) = &query.body {
        return binder.select(select, order).map(Arc::new);
    }
    let body = binder.body(&query.body)?;
    if query.order_by.is_empty() {
        return Ok(body);
    }
    binder.ordered(body, order).map(Arc::new)
}

/// Binds a query over one table through which a statement writes: its rows carry the table's keys.
///
/// # Errors
/// 4403 and 4405 where a row does not stand for one row of the table.
pub(super) fn bind_keyed(
    context: &ExecContext,
    ctes: Option<&Ctes<'_>>,
    (name, query): (&str, &Query),
) -> Result<Arc<QueryPlan>, Interrupt> {
    let binder = QueryBinder { context, outer: None, ctes, correlated: Cell::new(false), keyed: true };
    let order = Order { by: &query.order_by, offset: query.offset.as_ref(), fetch: query.fetch.as_ref() };
    let QueryBody::Select(select) = &query.body else { return Err(not_updatable(name).into()) };
    let aggregates = select.items.iter().any(|item| match item {
        SelectItem::Expr(expr, _) => contains_aggregate(expr),
        SelectItem::Wildcard(_) => false,
    });
    if select.distinct || !select.group_by.is_empty() || select.having.is_some() || aggregates {
        return Err(not_updatable(name).into());
    }
    let [TableRef::Table { .. }] = select.from.as_slice() else {
        let message = format!(
            "View or function '{name}' is not updatable because the modification affects multiple base tables."
        );
        return Err(SqlError::batch(4405, message).into());
    };
    binder.select(select, order).map(Arc::new)
}

fn not_updatable(name: &str) -> SqlError {
    let message = format!(
        "Cannot update the view or function '{name}' because it contains aggregates, or a DISTINCT or GROUP BY clause, or \
         PIVOT or UNPIVOT operator."
    );
    SqlError::batch(4403, message)
}

/// Binds a query without an order.
pub(super) fn bind_body(
    context: &ExecContext,
    outer: Option<&Scope<'_>>,
    ctes: Option<&Ctes<'_>>,
    body: &QueryBody,
) -> Result<Arc<QueryPlan>, Interrupt> {
    QueryBinder { context, outer, ctes, correlated: Cell::new(false), keyed: false }.body(body)
}

/// Binds a query whose rows have no order of their own: a subquery, a derived table, a CTE.
///
/// # Errors
/// 1033 for an ORDER BY that chooses no rows.
pub(super) fn bind_unordered(
    context: &ExecContext,
    outer: Option<&Scope<'_>>,
    ctes: Option<&Ctes<'_>>,
    query: &Query,
) -> Result<Arc<QueryPlan>, Interrupt> {
    let chooses =
        query.offset.is_some() || matches!(&query.body, QueryBody::Select(select) if select.top.is_some());
    if !query.order_by.is_empty() && !chooses {
        let message = "The ORDER BY clause is invalid in views, inline functions, derived tables, subqueries, and common \
                       table expressions, unless TOP, OFFSET or FOR XML is also specified.";
        return Err(SqlError { class: 15, ..SqlError::batch(1033, message) }.into());
    }
    bind_query(context, outer, ctes, query)
}

/// What the rows that TOP WITH TIES adds are ordered by.
type Ties = Option<Vec<(Scalar, bool)>>;

/// ORDER BY, OFFSET and FETCH.
#[derive(Clone, Copy, Default)]
struct Order<'q> {
    by: &'q [(Expr, bool)],
    offset: Option<&'q Expr>,
    fetch: Option<&'q Expr>,
}

/// Binds the queries of one level.
struct QueryBinder<'a> {
    context: &'a ExecContext,
    outer: Option<&'a Scope<'a>>,
    ctes: Option<&'a Ctes<'a>>,
    /// Whether a number of rows depends on an outer query's row.
    correlated: Cell<bool>,
    /// Whether the rows carry the key of the table that they come from, behind all columns.
    keyed: bool,
}

impl QueryBinder<'_> {
    fn body(&self, body: &QueryBody) -> Result<Arc<QueryPlan>, Interrupt> {
        match body {
            QueryBody::Select(select) => self.select(select, Order::default()).map(Arc::new),
            QueryBody::Set { operator, left, right } => self.set(*operator, left, right).map(Arc::new),
            QueryBody::Values(rows) => self.values(rows).map(Arc::new),
        }
    }

    fn set(
        &self,
        operator: SetOperator,
        left: &QueryBody,
        right: &QueryBody,
    ) -> Result<QueryPlan, Interrupt> {
        let (left, right) = (self.body(left)?, self.body(right)?);
        if left.columns.len() != right.columns.len() {
            let message = "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of \
                           expressions in their target lists.";
            return Err(SqlError::batch(205, message).into());
        }
        let mut columns = Vec::new();
        for (position, (a, b)) in left.columns.iter().zip(&right.columns).enumerate() {
            let collation = stronger(&a.collation, &b.collation).ok_or_else(|| match operator {
                SetOperator::UnionAll => value_conflict(&a.collation, &b.collation, b.meta.sql_type),
                _ => comparison_conflict(&a.collation, &b.collation, set_name(operator)),
            })?;
            let sql_type = match (left.is_null_column(position), right.is_null_column(position)) {
                (true, false) => b.meta.sql_type,
                (false, true) => a.meta.sql_type,
                _ => unify(a.meta.sql_type, b.meta.sql_type)?,
            };
            if operator != SetOperator::UnionAll {
                require_set_operand(sql_type)?;
            }
            let nullable = a.meta.nullable || b.meta.nullable;
            let mut column = OutputColumn::new(a.meta.name.clone(), sql_type, nullable, collation);
            if matches!(operator, SetOperator::Except | SetOperator::Intersect) {
                column.meta.origin = a.meta.origin;
            }
            columns.push(column);
        }
        let correlated = left.correlated || right.correlated;
        Ok(QueryPlan::new(columns, PlanBody::Set(SetPlan { operator, left, right }), correlated))
    }

    /// `VALUES (...), (...)`: each column has the type of all its values together.
    fn values(&self, rows: &[Vec<Expr>]) -> Result<QueryPlan, Interrupt> {
        let scope = Scope::inside(self.outer);
        let binder = Binder { ctes: self.ctes, ..Binder::new(self.context, &scope) };
        let mut bound = Vec::new();
        for row in rows {
            bound.push(row.iter().map(|e| binder.scalar(e)).collect::<Result<Vec<_>, _>>()?);
        }
        let width = bound.first().map_or(0, Vec::len);
        if bound.iter().any(|row| row.len() != width) {
            let message = "The number of columns for each row in a table value constructor must be the same.";
            return Err(SqlError { class: 15, ..SqlError::batch(10709, message) }.into());
        }
        let mut columns = Vec::new();
        for column in 0..width {
            let cells: Vec<Scalar> = bound.iter().map(|row| row[column].clone()).collect();
            let (sql_type, collation) = joint_type(&cells)?;
            let nullable = cells.iter().any(|c| c.nullable);
            for row in &mut bound {
                row[column] = row[column].clone().converted(sql_type)?;
            }
            columns.push(OutputColumn::new(String::new(), sql_type, nullable, collation));
        }
        Ok(QueryPlan::new(columns, PlanBody::Values(bound), scope.correlated.get()))
    }

    /// A set operation or VALUES with ORDER BY: a SELECT of all its columns.
    fn ordered(&self, body: Arc<QueryPlan>, order: Order<'_>) -> Result<QueryPlan, Interrupt> {
        let mut scope = Scope::inside(self.outer);
        scope.sources.push(ScopeSource::plain("", body.layout()));
        let scalars = (0..body.columns.len()).map(|column| scope.column(0, 0, column)).collect();
        let mut items = Items { scalars, columns: body.columns.clone() };
        let binder = Binder { ctes: self.ctes, ..Binder::new(self.context, &scope) };
        let order_by = order_keys(&items, &binder, order.by, false)?;
        if order_by.iter().any(|(key, _)| !items.scalars.contains(key)) {
            let message = "ORDER BY items must appear in the select list if the statement contains a UNION, INTERSECT or EXCEPT operator.";
            return Err(SqlError { class: 15, ..SqlError::batch(104, message) }.into());
        }
        let positions = items.order(&order_by);
        let (top, offset) = self.paging(order)?;
        let correlated = body.correlated || self.correlated.get();
        let plan = SelectPlan {
            width: 1,
            relation: Relation::Derived(Arc::new(DerivedLeaf { place: 0, plan: body, lateral: false })),
            items: items.scalars,
            order_by,
            top,
            offset,
            ..SelectPlan::default()
        };
        let plan = PlanBody::Select(Arc::new(plan));
        Ok(QueryPlan::new(items.columns, plan, correlated).ordered_by(positions))
    }

    /// One SELECT with the ORDER BY and paging of its query.
    fn select(&self, select: &Select, order: Order<'_>) -> Result<QueryPlan, Interrupt> {
        let mut from = FromBinder::new(self.context, self.outer, self.ctes);
        let mut raw = from.bind_all(&select.from)?;
        let scope = from.into_scope();
        let sources = scope.sources.len();
        let plain = Binder { ctes: self.ctes, ..Binder::new(self.context, &scope) };
        let filter = select.filter.as_ref().map(|f| plain.condition(f)).transpose()?;

        let group_by = select.group_by.iter().map(|g| plain.scalar(g)).collect::<Result<Vec<_>, _>>()?;
        check_grouping(&group_by)?;
        let listed = select.items.iter().filter_map(|item| match item {
            SelectItem::Expr(expr, _) => Some(expr),
            SelectItem::Wildcard(_) => None,
        });
        let grouped = !group_by.is_empty()
            || select.grouping_sets.is_some()
            || select.having.is_some()
            || listed.chain(order.by.iter().map(|(e, _)| e)).any(contains_aggregate);
        let aggregates = RefCell::new(Aggregates::new(sources, group_by, select.grouping_sets.clone()));
        let windows = RefCell::new(Windows::new(sources + 1));
        let binder = Binder { aggregates: grouped.then_some(&aggregates), windows: Some(&windows), ..plain };

        let mut items = Items::bind(&binder, &select.items)?;
        if self.keyed {
            raw.note_key(0, sources + 2);
            items.carry_key(sources + 2);
        }
        if select.distinct {
            items.scalars.iter().try_for_each(|item| require_distinct(item.sql_type))?;
        }
        aggregates.borrow_mut().enter(Clause::Having);
        let having = select.having.as_ref().map(|h| binder.condition(h)).transpose()?;
        aggregates.borrow_mut().enter(Clause::OrderBy);
        let mut order_by = order_keys(&items, &binder, order.by, select.distinct)?;
        let positions = items.order(&order_by);
        let (fetch, offset) = self.paging(order)?;
        let (top, ties) = match &select.top {
            Some(written) => self.select_top(written, &order_by, offset.is_some())?,
            None => (fetch, None),
        };
        let relation = raw.plan(filter.as_ref());
        let windows = Some(windows.into_inner()).filter(|w| !w.is_empty());
        if !grouped && windows.is_none() && relation.comes_in_order(&order_by) {
            order_by.clear();
        }
        let plan = SelectPlan {
            width: sources + 2 + usize::from(self.keyed),
            relation,
            filter,
            aggregate: grouped.then(|| aggregates.into_inner()),
            having,
            windows,
            items: items.scalars,
            distinct: select.distinct,
            order_by,
            top,
            ties,
            offset,
        };
        let correlated = scope.correlated.get() || self.correlated.get();
        let plan = PlanBody::Select(Arc::new(plan));
        Ok(QueryPlan::new(items.columns, plan, correlated).ordered_by(positions))
    }

    /// TOP, and what WITH TIES compares.
    fn select_top(
        &self,
        written: &ast::Top,
        order_by: &[(Scalar, bool)],
        has_offset: bool,
    ) -> Result<(Option<Top>, Ties), Interrupt> {
        if has_offset {
            let message = "A TOP can not be used in the same query or sub-query as a OFFSET.";
            return Err(SqlError { class: 15, ..SqlError::batch(10741, message) }.into());
        }
        if written.ties && order_by.is_empty() {
            let message =
                "The TOP N WITH TIES clause is not allowed without a corresponding ORDER BY clause.";
            return Err(SqlError { class: 15, ..SqlError::batch(1062, message) }.into());
        }
        Ok((Some(self.top(&written.count, written.percent)?), written.ties.then(|| order_by.to_vec())))
    }

    /// FETCH and OFFSET.
    fn paging(&self, order: Order<'_>) -> Result<(Option<Top>, Option<Scalar>), Interrupt> {
        let fetch = order.fetch.map(|f| self.row_count(f)).transpose()?.map(Top::Rows);
        Ok((fetch, order.offset.map(|o| self.row_count(o)).transpose()?))
    }

    fn top(&self, count: &Expr, percent: bool) -> Result<Top, Interrupt> {
        if percent {
            return Ok(Top::Percent(self.outside(count)?.converted(SqlType::Float)?));
        }
        self.row_count(count).map(Top::Rows)
    }

    /// A number of rows: 1060 if it is no integer.
    fn row_count(&self, expr: &Expr) -> Result<Scalar, Interrupt> {
        let scalar = self.outside(expr)?;
        match as_decimal(scalar.sql_type) {
            Some((_, 0)) if scalar.sql_type != SqlType::Bit => Ok(scalar.converted(SqlType::BigInt)?),
            _ => {
                let message = "The number of rows provided for a TOP or FETCH clauses row count parameter must be an integer.";
                Err(SqlError { class: 15, ..SqlError::batch(1060, message) }.into())
            }
        }
    }

    /// An expression that sees the outer queries only.
    fn outside(&self, expr: &Expr) -> Result<Scalar, Interrupt> {
        let scope = Scope::inside(self.outer);
        let scalar = Binder { ctes: self.ctes, ..Binder::new(self.context, &scope) }.scalar(expr)?;
        self.correlated.set(self.correlated.get() || scope.correlated.get());
        Ok(scalar)
    }
}

/// A set operator as messages name it.
fn set_name(operator: SetOperator) -> &'static str {
    match operator {
        SetOperator::Union => "UNION",
        SetOperator::UnionAll => "UNION ALL",
        SetOperator::Except => "EXCEPT",
        SetOperator::Intersect => "INTERSECT",
    }
}

/// What ORDER BY sorts by.
fn order_keys(
    items: &Items,
    binder: &Binder<'_>,
    order_by: &[(Expr, bool)],
    listed_only: bool,
) -> Result<Vec<(Scalar, bool)>, Interrupt> {
    let mut keys = Vec::with_capacity(order_by.len());
    for (expr, descending) in order_by {
        let key = items.order_key(expr, binder, listed_only)?;
        require_order(key.sql_type, "ORDER BY")?;
        keys.push((key, *descending));
    }
    Ok(keys)
}

/// What a query is grouped by can be compared, and has a column in it.
fn check_grouping(group_by: &[Scalar]) -> Result<(), SqlError> {
    for group in group_by {
        require_order(group.sql_type, "GROUP BY")?;
        if group.places().is_empty() && !group.has_subquery() {
            let message =
                "Each GROUP BY expression must contain at least one column that is not an outer reference.";
            return Err(SqlError { class: 15, ..SqlError::batch(164, message) });
        }
    }
    Ok(())
}
