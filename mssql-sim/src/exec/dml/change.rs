//! UPDATE and DELETE.

use std::collections::HashSet;
use std::sync::Arc;

use super::limit::RowLimit;
use super::output::BoundOutput;
use super::row_rules::RowRules;
use super::set_list::SetList;
use super::target::Target;
use super::writing::{Action, Planned, Writing};
use super::{Affected, open_target};
use crate::engine::layout::values_of;
use crate::engine::{Interrupt, Key, Row};
use crate::exec::context::{ExecContext, Variables};
use crate::exec::expression::bind::Binder;
use crate::exec::query::finder::{Finder, FoundRows};
use crate::exec::query::plan::Ctes;
use crate::parser::ast::{Delete, Update};

pub(super) fn update(context: &mut ExecContext, update: &Update) -> Result<Affected, Interrupt> {
    let before = context.variables.clone();
    let done = try_update(context, update);
    give_back_variables(context, before, &done);
    done
}

/// A statement that will be run again has not assigned its variables.
fn give_back_variables(context: &mut ExecContext, before: Variables, done: &Result<Affected, Interrupt>) {
    if matches!(done, Err(Interrupt::Wait(_) | Interrupt::Retry)) {
        context.variables = before;
    }
}

fn try_update(context: &mut ExecContext, update: &Update) -> Result<Affected, Interrupt> {
    let target = Target::find(context, &update.ctes, (&update.target, &update.hints), &update.from)?;
    let table = Arc::clone(&target.table);
    open_target(context, (&table, &update.hints), "UPDATE")?;
    let ctes = Ctes::new(&update.ctes, None);
    let (set_list, outputs, found, places) = {
        let finder = Finder::bind(
            context,
            Some(&ctes),
            (&target.from, update.filter.as_ref()),
            (&target.name, &table),
            target.base(context)?,
        )?;
        let scope = finder.scope(true, true);
        let binder = Binder { ctes: Some(&ctes), ..Binder::new(context, &scope) };
        let set_list = SetList::bind(&binder, &target, &update.assignments)?;
        let outputs =
            BoundOutput::bind_all(context, &finder.output_scope(true, true, false), &update.outputs)?;
        (set_list, outputs, finder.rows(), finder.places())
    };
    let limit = RowLimit::of(context, &update.top)?;
    let mut rules = RowRules::bind(context, &table, "UPDATE")?;
    let mut planned = Vec::new();
    let mut found = EachOnce::new(found);
    while !limit.is_reached(planned.len())
        && let Some((key, before)) = found.next(context)?
    {
        let mut values = values_of(&table.layout, &before);
        set_list.assign(context, &found.rows, &mut rules, &mut values)?;
        let tuple = if outputs.is_empty() { Vec::new() } else { found.rows.tuple().clone() };
        planned.push(Planned { action: Action::Update { key, before, values, set_list: 0 }, tuple });
    }
    planned.truncate(limit.of_found(planned.len()));
    let set_lists = vec![set_list.column_ids(&table)];
    let writing =
        Writing { table, columns: Vec::new(), set_lists, outputs, tracking_context: update.context.as_ref() };
    writing.write(context, rules, planned, places)
}

pub(super) fn delete(context: &mut ExecContext, delete: &Delete) -> Result<Affected, Interrupt> {
    let target = Target::find(context, &delete.ctes, (&delete.target, &delete.hints), &delete.from)?;
    let table = Arc::clone(&target.table);
    open_target(context, (&table, &delete.hints), "DELETE")?;
    let ctes = Ctes::new(&delete.ctes, None);
    let from = (target.from.as_slice(), delete.filter.as_ref());
    let finder = Finder::bind(context, Some(&ctes), from, (&target.name, &table), target.base(context)?)?;
    let outputs = BoundOutput::bind_all(context, &finder.output_scope(false, true, false), &delete.outputs)?;
    let (places, limit) = (finder.places(), RowLimit::of(context, &delete.top)?);
    let mut found = EachOnce::new(finder.rows());
    drop(finder);
    let mut planned = Vec::new();
    while !limit.is_reached(planned.len())
        && let Some((key, before)) = found.next(context)?
    {
        let tuple = if outputs.is_empty() { Vec::new() } else { found.rows.tuple().clone() };
        planned.push(Planned { action: Action::Delete { key, before }, tuple });
    }
    planned.truncate(limit.of_found(planned.len()));
    let rules = RowRules::bind(context, &table, "DELETE")?;
    let tracking_context = delete.context.as_ref();
    let writing = Writing { table, columns: Vec::new(), set_lists: Vec::new(), outputs, tracking_context };
    writing.write(context, rules, planned, places)
}

/// Each row of the target once, whatever it is joined to.
struct EachOnce {
    rows: FoundRows,
    seen: HashSet<Key>,
}

impl EachOnce {
    fn new(rows: FoundRows) -> Self {
        Self { rows, seen: HashSet::new() }
    }

    fn next(&mut self, context: &ExecContext) -> Result<Option<(Key, Row)>, Interrupt> {
        while self.rows.advance(context)? {
            if let Some((key, row)) = self.rows.target(context)?
                && self.seen.insert(Key::clone(&key))
            {
                return Ok(Some((key, row)));
            }
        }
        Ok(None)
    }
}
