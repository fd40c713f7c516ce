//! Common table expressions, recursive ones too.
//!
//! A recursive one has members that do not refer to it, the anchor, and members that do. The anchor's rows are the first
//! level; each further level is what the recursive members make of the level before it alone, which they read
//! from a [`WorkTable`].

use std::sync::Arc;

use super::arrange::Raw;
use super::bind::{bind_body, bind_keyed, bind_unordered};
use super::bind_from::{FromBinder, renamed};
use super::plan::{Ctes, MadeLeaf, Maker, PlanBody, QueryPlan, RecursivePlan, Relation, WorkTable, Working};
use crate::engine::Interrupt;
use crate::exec::expression::scope::{ScopeSource, same_name};
use crate::parser::ast::{JoinKind, Query, QueryBody, Select, SelectItem, SetOperator, TableRef};
use crate::types::SqlError;

impl FromBinder<'_> {
    /// The CTE of a name, if one is in reach; one sees only those before it, and itself if it is recursive.
    pub(super) fn common_table(&mut self, name: &str, alias: &str) -> Result<Option<Raw>, Interrupt> {
        let mut level = self.ctes;
        while let Some(ctes) = level {
            if let Some(working) = ctes.working.filter(|working| same_name(working.name, name)) {
                return Ok(Some(self.working(working, alias)));
            }
            if let Some(position) = ctes.list.iter().rposition(|(n, ..)| same_name(n, name)) {
                let (_, columns, query) = &ctes.list[position];
                let before = Ctes { list: &ctes.list[..position], ..*ctes };
                let plan = if references(query, name) > 0 {
                    self.recursive(&before, name, columns, query)?
                } else if self.is_written(alias) {
                    bind_keyed(self.context, Some(&before), (name, query))?
                } else {
                    bind_unordered(self.context, None, Some(&before), query)?
                };
                return self.derived((plan, false), alias, columns).map(Some);
            }
            level = ctes.outer;
        }
        Ok(None)
    }

    /// The level before, as a recursive member sees it.
    fn working(&mut self, working: &Working<'_>, alias: &str) -> Raw {
        let place = self.push(ScopeSource::plain(alias, working.table.columns.clone()));
        let maker = Maker::Working(Arc::clone(working.table));
        Raw::Other(place, Relation::Made(Arc::new(MadeLeaf { place, maker })))
    }

    fn recursive(
        &self,
        before: &Ctes<'_>,
        name: &str,
        names: &[String],
        query: &Query,
    ) -> Result<Arc<QueryPlan>, Interrupt> {
        let (anchor, members) = split(&query.body, name)?;
        let anchor = bind_body(self.context, None, Some(before), &anchor)?;
        let mut columns = anchor.columns().to_vec();
        columns.iter_mut().for_each(|column| column.meta.nullable = true);
        let layout: Vec<_> = columns.iter().map(|column| column.meta.clone()).collect();
        let table = Arc::new(WorkTable::new(renamed(&layout, name, names)?.into()));
        let inside = Ctes {
            list: &[],
            outer: Some(before),
            working: Some(&Working { name, table: &table }),
            max_recursion: before.max_recursion,
        };
        let mut plans = Vec::new();
        for member in members {
            check_member(member, name)?;
            let body = QueryBody::Select(Box::new(member.clone()));
            let plan = bind_body(self.context, None, Some(&inside), &body)?;
            check_types(&anchor, &plan, name)?;
            plans.push(plan);
        }
        let correlated = anchor.correlated || plans.iter().any(|plan| plan.correlated);
        let body = RecursivePlan { anchor, members: plans, table, max_recursion: before.max_recursion };
        Ok(Arc::new(QueryPlan::new(columns, PlanBody::Recursive(body), correlated)))
    }
}

/// The anchor, and the members that refer to the name.
fn split<'q>(body: &'q QueryBody, name: &str) -> Result<(QueryBody, Vec<&'q Select>), SqlError> {
    let mut branches = Vec::new();
    let mut rest = body;
    while let QueryBody::Set { operator: SetOperator::UnionAll, left, right } = rest {
        branches.push(&**right);
        rest = left;
    }
    branches.push(rest);
    branches.reverse();
    if branches.len() < 2 {
        let message = format!(
            "Recursive common table expression '{name}' does not contain a top-level UNION ALL operator."
        );
        return Err(SqlError::batch(252, message));
    }
    let is_member = |body: &QueryBody| references_in(body, name) > 0;
    let first = branches.iter().position(|body| is_member(body)).unwrap_or(branches.len());
    if first == 0 {
        let message = format!("No anchor member was specified for recursive query \"{name}\".");
        return Err(SqlError::batch(246, message));
    }
    let mut members = Vec::new();
    for body in &branches[first..] {
        match body {
            QueryBody::Select(select) if is_member(body) => members.push(&**select),
            _ => {
                let message = format!(
                    "An anchor member was found in the recursive part of recursive query \"{name}\"."
                );
                return Err(SqlError::batch(247, message));
            }
        }
    }
    let anchor = branches[..first].iter().map(|body| (*body).clone()).reduce(|left, right| QueryBody::Set {
        operator: SetOperator::UnionAll,
        left: Box::new(left),
        right: Box::new(right),
    });
    Ok((anchor.expect("there is one before the first member"), members))
}

/// What a recursive member may not have.
fn check_member(select: &Select, name: &str) -> Result<(), SqlError> {
    let aggregates = select.items.iter().any(|item| match item {
        SelectItem::Expr(expr, _) => super::aggregate::contains_aggregate(expr),
        SelectItem::Wildcard(_) => false,
    });
    let grouped = !select.group_by.is_empty() || select.having.is_some() || aggregates;
    let (number, what) = if select.distinct {
        (460, "DISTINCT operator is")
    } else if select.top.is_some() {
        (461, "The TOP or OFFSET operator is")
    } else if grouped {
        (467, "GROUP BY, HAVING, or aggregate functions are")
    } else if select.from.iter().any(has_outer_join) {
        (462, "Outer join is")
    } else if select.from.iter().map(|item| references_of(item, name)).sum::<usize>() > 1 {
        let message = format!(
            "Recursive member of a common table expression '{name}' has multiple recursive references."
        );
        return Err(SqlError::batch(253, message));
    } else {
        return Ok(());
    };
    let message =
        format!("{what} not allowed in the recursive part of a recursive common table expression '{name}'.");
    Err(SqlError::batch(number, message))
}

fn has_outer_join(item: &TableRef) -> bool {
    match item {
        TableRef::Join { kind, left, right, .. } => {
            matches!(kind, JoinKind::Left | JoinKind::Right | JoinKind::Full | JoinKind::OuterApply)
                || has_outer_join(left)
                || has_outer_join(right)
        }
        _ => false,
    }
}

/// Members have the anchor's types exactly; the word NULL has every type.
fn check_types(anchor: &QueryPlan, member: &QueryPlan, name: &str) -> Result<(), SqlError> {
    if anchor.columns().len() != member.columns().len() {
        let message = "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of \
                       expressions in their target lists.";
        return Err(SqlError::batch(205, message));
    }
    let pairs = anchor.columns().iter().zip(member.columns()).enumerate();
    for (position, (wanted, found)) in pairs {
        if wanted.meta.sql_type != found.meta.sql_type && !member.is_null_column(position) {
            let message = format!(
                "Types don't match between the anchor and the recursive part in column \"{}\" of recursive query \
                 \"{name}\".",
                wanted.meta.name
            );
            return Err(SqlError::batch(240, message));
        }
    }
    Ok(())
}

/// How often a query names a source in its FROM clauses.
fn references(query: &Query, name: &str) -> usize {
    references_in(&query.body, name)
}

fn references_in(body: &QueryBody, name: &str) -> usize {
    match body {
        QueryBody::Select(select) => select.from.iter().map(|item| references_of(item, name)).sum(),
        QueryBody::Set { left, right, .. } => references_in(left, name) + references_in(right, name),
        QueryBody::Values(_) => 0,
    }
}

fn references_of(item: &TableRef, name: &str) -> usize {
    match item {
        TableRef::Table { name: table, .. } => {
            usize::from(table.schema.is_none() && same_name(&table.name, name))
        }
        TableRef::Derived { query, .. } => references(query, name),
        TableRef::Join { left, right, .. } => references_of(left, name) + references_of(right, name),
        TableRef::Function { .. } | TableRef::Changes { .. } | TableRef::RowVersionOf { .. } => 0,
    }
}
