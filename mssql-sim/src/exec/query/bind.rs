//! From a query's syntax to its plan.

use std::cell::RefCell;
use std::sync::Arc;

use super::aggregate::{Aggregates, contains_aggregate};
use super::bind_from::FromBinder;
use super::plan::{Ctes, DerivedLeaf, OutputColumn, PlanBody, QueryPlan, Relation, SelectPlan, SetPlan, Top};
use super::window::Windows;
use crate::engine::Interrupt;
use crate::exec::context::ExecContext;
use crate::exec::conversion::unify;
use crate::exec::expression::bind::{Binder, joint_type, stronger};
use crate::exec::expression::scope::{Scope, ScopeSource, same_name};
use crate::exec::expression::{Node, Scalar, TextCollation};
use crate::parser::ast::{Expr, Query, QueryBody, Select, SelectItem, SetOperator};
use crate::types::{ColumnMeta, SqlError, SqlType, Value};

/// Binds a query; `outer` is the scope around it.
pub(crate) fn bind_query(
    context: &ExecContext,
    outer: Option<&Scope<'_>>,
    ctes: Option<&Ctes<'_>>,
    query: &Query,
) -> Result<Arc<QueryPlan>, Interrupt> {
    let own = Ctes { list: &query.ctes, outer: ctes };
    let binder = QueryBinder { context, outer, ctes: if query.ctes.is_empty() { ctes } else { Some(&own) } };
    if let QueryBody::Select(select) = &query.body {
        return binder.select(select, query).map(Arc::new);
    }
    let body = binder.body(&query.body)?;
    if query.order_by.is_empty() {
        return Ok(body);
    }
    binder.ordered(body, query).map(Arc::new)
}

/// Binds the queries of one level.
struct QueryBinder<'a> {
    context: &'a ExecContext,
    outer: Option<&'a Scope<'a>>,
    ctes: Option<&'a Ctes<'a>>,
}

/// The list of a SELECT, bound.
struct Items {
    scalars: Vec<Scalar>,
    columns: Vec<OutputColumn>,
}

impl QueryBinder<'_> {
    fn body(&self, body: &QueryBody) -> Result<Arc<QueryPlan>, Interrupt> {
        match body {
            QueryBody::Select(select) => {
                let bare = Query {
                    ctes: Vec::new(),
                    body: QueryBody::Values(Vec::new()),
                    order_by: Vec::new(),
                    offset: None,
                    fetch: None,
                };
                self.select(select, &bare).map(Arc::new)
            }
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
            let collation = stronger(&a.collation, &b.collation).unwrap_or_else(|| a.collation.clone());
            let sql_type = match (left.is_null_column(position), right.is_null_column(position)) {
                (true, false) => b.meta.sql_type,
                (false, true) => a.meta.sql_type,
                _ => unify(a.meta.sql_type, b.meta.sql_type)?,
            };
            let nullable = a.meta.nullable || b.meta.nullable;
            let meta = ColumnMeta { sql_type, nullable, identity: false, computed: false, ..a.meta.clone() };
            columns.push(OutputColumn { meta, collation });
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
            columns.push(output(String::new(), sql_type, nullable, collation));
        }
        Ok(QueryPlan::new(columns, PlanBody::Values(bound), scope.correlated.get()))
    }

    /// A set operation or VALUES with ORDER BY: a SELECT of all its columns.
    fn ordered(&self, body: Arc<QueryPlan>, query: &Query) -> Result<QueryPlan, Interrupt> {
        let mut scope = Scope::inside(self.outer);
        let source = ScopeSource {
            collations: body.columns.iter().map(|c| Some(c.collation.collation.clone())).collect(),
            ..ScopeSource::plain("", body.layout())
        };
        scope.sources.push(source);
        let scalars = (0..body.columns.len()).map(|column| scope.column(0, 0, column)).collect();
        let items = Items { scalars, columns: body.columns.clone() };
        let binder = Binder { ctes: self.ctes, ..Binder::new(self.context, &scope) };
        let mut order_by = Vec::new();
        for (expr, descending) in &query.order_by {
            order_by.push((items.order_key(expr, &binder, false)?, *descending));
        }
        let (top, offset) = self.paging(query)?;
        let correlated = body.correlated;
        let plan = SelectPlan {
            width: 1,
            relation: Relation::Derived(Arc::new(DerivedLeaf { place: 0, plan: body, lateral: false })),
            filter: None,
            aggregate: None,
            having: None,
            windows: None,
            items: items.scalars,
            distinct: false,
            order_by,
            top,
            offset,
        };
        Ok(QueryPlan::new(items.columns, PlanBody::Select(Arc::new(plan)), correlated))
    }

    /// One SELECT with the ORDER BY and paging of its query.
    fn select(&self, select: &Select, query: &Query) -> Result<QueryPlan, Interrupt> {
        let mut from = FromBinder::new(self.context, self.outer, self.ctes);
        let raw = from.bind_all(&select.from)?;
        let scope = from.into_scope();
        let sources = scope.sources.len();
        let plain = Binder { ctes: self.ctes, ..Binder::new(self.context, &scope) };
        let filter = select.filter.as_ref().map(|f| plain.condition(f)).transpose()?;

        let group_by = select.group_by.iter().map(|g| plain.scalar(g)).collect::<Result<Vec<_>, _>>()?;
        let listed = select.items.iter().filter_map(|item| match item {
            SelectItem::Expr(expr, _) => Some(expr),
            SelectItem::Wildcard(_) => None,
        });
        let grouped = !group_by.is_empty()
            || listed
                .chain(&select.having)
                .chain(query.order_by.iter().map(|(e, _)| e))
                .any(contains_aggregate);
        let aggregates = RefCell::new(Aggregates::new(sources, group_by));
        let windows = RefCell::new(Windows::new(sources + 1));
        let binder = Binder { aggregates: grouped.then_some(&aggregates), windows: Some(&windows), ..plain };

        let items = Items::bind(&binder, &select.items)?;
        let having = select.having.as_ref().map(|h| binder.condition(h)).transpose()?;
        let mut order_by = Vec::new();
        for (expr, descending) in &query.order_by {
            order_by.push((items.order_key(expr, &binder, select.distinct)?, *descending));
        }
        let (mut top, offset) = self.paging(query)?;
        if let Some((count, percent)) = &select.top {
            top = Some(self.top(count, *percent)?);
        }
        let relation = raw.plan(filter.as_ref());
        let windows = windows.into_inner().finish();
        if !grouped && windows.is_none() && relation.comes_in_order(&order_by) {
            order_by.clear();
        }
        let plan = SelectPlan {
            width: sources + 2,
            relation,
            filter,
            aggregate: grouped.then(|| aggregates.into_inner().finish()),
            having,
            windows,
            items: items.scalars,
            distinct: select.distinct,
            order_by,
            top,
            offset,
        };
        let correlated = scope.correlated.get();
        Ok(QueryPlan::new(items.columns, PlanBody::Select(Arc::new(plan)), correlated))
    }

    /// FETCH and OFFSET.
    fn paging(&self, query: &Query) -> Result<(Option<Top>, Option<Scalar>), Interrupt> {
        let fetch = query.fetch.as_ref().map(|f| self.count(f)).transpose()?.map(Top::Rows);
        Ok((fetch, query.offset.as_ref().map(|o| self.count(o)).transpose()?))
    }

    fn top(&self, count: &Expr, percent: bool) -> Result<Top, Interrupt> {
        if !percent {
            return self.count(count).map(Top::Rows);
        }
        let scope = Scope::inside(self.outer);
        Ok(Top::Percent(Binder::new(self.context, &scope).scalar(count)?.converted(SqlType::Float)?))
    }

    /// A number of rows: 1060 if it is no integer.
    fn count(&self, expr: &Expr) -> Result<Scalar, Interrupt> {
        let scope = Scope::inside(self.outer);
        let scalar = Binder { ctes: self.ctes, ..Binder::new(self.context, &scope) }.scalar(expr)?;
        match scalar.sql_type {
            SqlType::TinyInt | SqlType::SmallInt | SqlType::Int | SqlType::BigInt => {
                Ok(scalar.converted(SqlType::BigInt)?)
            }
            SqlType::Numeric { scale: 0, .. } | SqlType::Decimal { scale: 0, .. } => {
                Ok(scalar.converted(SqlType::BigInt)?)
            }
            _ => {
                let message = "The number of rows provided for a TOP or FETCH clauses row count parameter must be an integer.";
                Err(SqlError { class: 15, ..SqlError::batch(1060, message) }.into())
            }
        }
    }
}

fn output(name: String, sql_type: SqlType, nullable: bool, collation: TextCollation) -> OutputColumn {
    OutputColumn {
        meta: ColumnMeta { name, sql_type, nullable, identity: false, computed: false },
        collation,
    }
}

impl Items {
    fn bind(binder: &Binder<'_>, list: &[SelectItem]) -> Result<Self, Interrupt> {
        let mut items = Self { scalars: Vec::new(), columns: Vec::new() };
        for item in list {
            match item {
                SelectItem::Wildcard(qualifier) => items.wildcard(binder, qualifier.as_deref())?,
                SelectItem::Expr(expr, alias) => {
                    let scalar = binder.scalar(expr)?;
                    let name = match (alias, expr) {
                        (Some(alias), _) => alias.clone(),
                        (None, Expr::Column(parts)) => parts[parts.len() - 1].clone(),
                        _ => String::new(),
                    };
                    items.push(name, scalar);
                }
            }
        }
        Ok(items)
    }

    fn push(&mut self, name: String, scalar: Scalar) {
        let mut column = output(name, scalar.sql_type, scalar.nullable, scalar.collation.clone());
        if let Node::Column(place) = &scalar.node
            // What the query computes itself stands behind its sources and has no layout.
            && let Some(meta) = place.layout.get(place.column)
        {
            (column.meta.identity, column.meta.computed) = (meta.identity, meta.computed);
        }
        self.columns.push(column);
        self.scalars.push(scalar);
    }

    fn wildcard(&mut self, binder: &Binder<'_>, qualifier: Option<&str>) -> Result<(), Interrupt> {
        let sources = &binder.scope.sources;
        let wanted = |source: &ScopeSource| qualifier.is_none_or(|q| same_name(&source.name, q));
        if !sources.iter().any(wanted) {
            return Err(match qualifier {
                Some(qualifier) => {
                    let message = format!("The column prefix '{qualifier}' does not match with a table name or alias name used in the query.");
                    SqlError::batch(107, message)
                }
                None => SqlError { class: 15, ..SqlError::batch(263, "Must specify table to select from.") },
            }
            .into());
        }
        for (place, source) in sources.iter().enumerate().filter(|(_, source)| wanted(source)) {
            for column in 0..source.columns.len() {
                let scalar = binder.scope.column(0, place, column);
                if let Some(aggregates) = binder.aggregates {
                    aggregates.borrow().require_grouped(&scalar, binder.scope)?;
                }
                self.push(source.columns[column].name.clone(), scalar);
            }
        }
        Ok(())
    }

    /// What an item of ORDER BY sorts by: a position in the list, an alias, or an expression of its own.
    fn order_key(&self, expr: &Expr, binder: &Binder<'_>, listed_only: bool) -> Result<Scalar, Interrupt> {
        if let Expr::Literal(Value::Int(position), SqlType::Int) = expr {
            let index = usize::try_from(*position).ok().and_then(|p| p.checked_sub(1));
            return index.and_then(|i| self.scalars.get(i)).cloned().ok_or_else(|| {
                let message = format!("The ORDER BY position number {position} is out of range of the number of items in the select list.");
                SqlError::batch(108, message).into()
            });
        }
        if let Expr::Column(parts) = expr
            && let [name] = parts.as_slice()
        {
            let mut named =
                self.columns.iter().zip(&self.scalars).filter(|(c, _)| same_name(&c.meta.name, name));
            if let Some((_, scalar)) = named.next() {
                if named.any(|(_, other)| other != scalar) {
                    return Err(SqlError::batch(209, format!("Ambiguous column name '{name}'.")).into());
                }
                return Ok(scalar.clone());
            }
        }
        let scalar = binder.scalar(expr)?;
        if listed_only && !self.scalars.contains(&scalar) {
            let message = "ORDER BY items must appear in the select list if SELECT DISTINCT is specified.";
            return Err(SqlError { class: 15, ..SqlError::batch(145, message) }.into());
        }
        Ok(scalar)
    }
}
