//! MERGE: the source joined to the target, and for every pair the first clause that is for it.
//!
//! The clauses decide which join is needed: the source keeps its rows without a partner if there is an INSERT, the target
//! if there is WHEN NOT MATCHED BY SOURCE.

use std::collections::HashMap;
use std::sync::Arc;

use super::limit::RowLimit;
use super::new_rows::{GivenRow, listed_columns, rowversion_given};
use super::output::BoundOutput;
use super::row_rules::RowRules;
use super::set_list::SetList;
use super::target::{self, Target};
use super::writing::{Action, Planned, Writing};
use super::{Affected, assign, open_target};
use crate::engine::layout::values_of;
use crate::engine::{Interrupt, Key, Row, TableDef};
use crate::exec::context::ExecContext;
use crate::exec::conversion::require_implicit;
use crate::exec::expression::bind::Binder;
use crate::exec::expression::{Condition, Scalar};
use crate::exec::query::finder::{Finder, FoundRows};
use crate::exec::query::plan::Ctes;
use crate::parser::ast::{Expr, JoinKind, Merge, MergeAction, MergeClause, MergeWhen, TableHint, TableRef};
use crate::types::{SqlError, SqlType};

/// A bound clause.
struct Clause {
    when: MergeWhen,
    condition: Option<Condition>,
    action: ClauseAction,
}

enum ClauseAction {
    /// A SET list and its number in the statement.
    Update(SetList, usize),
    Delete,
    /// A value for each of the statement's columns; None is DEFAULT.
    Insert(Vec<Option<Scalar>>),
}

/// The clauses of a statement, bound, and what they write.
struct Clauses {
    list: Vec<Clause>,
    /// Columns for which the INSERT has values.
    columns: Vec<usize>,
    set_lists: Vec<Vec<i32>>,
}

pub(super) fn run(context: &mut ExecContext, merge: &Merge) -> Result<Affected, Interrupt> {
    let table = target::table(context, &merge.target)?;
    for clause in &merge.clauses {
        open_target(context, (&table, &merge.hints), permission(&clause.action))?;
    }
    let name = merge.alias.clone().unwrap_or_else(|| merge.target.name.clone());
    let target = Target { table: Arc::clone(&table), name, from: vec![joined(merge)], columns: None };
    let ctes = Ctes::new(&merge.ctes, None);
    let (clauses, outputs, rows, places) = {
        let finder = Finder::bind(context, Some(&ctes), (&target.from, None), (&target.name, &table), None)?;
        let clauses = Clauses::bind(context, &ctes, &finder, &target, &merge.clauses)?;
        let outputs = BoundOutput::bind_all(context, &finder.output_scope(true, true, true), &merge.outputs)?;
        (clauses, outputs, finder.rows(), finder.places())
    };
    let limit = RowLimit::of(context, &merge.top)?;
    let mut planning = Planning {
        rules: RowRules::bind(context, &table, "MERGE")?,
        planned: Vec::new(),
        written: HashMap::new(),
        keep_tuples: !outputs.is_empty(),
    };
    planning.read(context, &clauses, rows, limit)?;
    let Planning { rules, mut planned, .. } = planning;
    planned.truncate(limit.of_found(planned.len()));
    let Clauses { columns, set_lists, .. } = clauses;
    let writing = Writing { table, columns, set_lists, outputs, tracking_context: merge.context.as_ref() };
    writing.write(context, rules, planned, places)
}

fn permission(action: &MergeAction) -> &'static str {
    match action {
        MergeAction::Update(_) => "UPDATE",
        MergeAction::Delete => "DELETE",
        MergeAction::Insert { .. } => "INSERT",
    }
}

/// The source joined to the target.
fn joined(merge: &Merge) -> TableRef {
    let has = |when| merge.clauses.iter().any(|clause| clause.when == when);
    let kind = match (has(MergeWhen::NotMatchedByTarget), has(MergeWhen::NotMatchedBySource)) {
        (true, true) => JoinKind::Full,
        (true, false) => JoinKind::Left,
        (false, true) => JoinKind::Right,
        (false, false) => JoinKind::Inner,
    };
    let target = TableRef::Table {
        name: merge.target.clone(),
        alias: merge.alias.clone(),
        hints: merge.hints.iter().copied().chain([TableHint::WriteTarget]).collect(),
    };
    TableRef::Join {
        kind,
        left: Box::new(merge.source.clone()),
        right: Box::new(target),
        on: Some(merge.on.clone()),
    }
}

impl Clauses {
    fn bind(
        context: &ExecContext,
        ctes: &Ctes<'_>,
        finder: &Finder<'_>,
        target: &Target,
        written: &[MergeClause],
    ) -> Result<Self, Interrupt> {
        let table = &target.table;
        let mut clauses = Self { list: Vec::new(), columns: Vec::new(), set_lists: Vec::new() };
        for MergeClause { when, condition, action } in written {
            let scope =
                finder.scope(*when != MergeWhen::NotMatchedByTarget, *when != MergeWhen::NotMatchedBySource);
            let binder = Binder { ctes: Some(ctes), ..Binder::new(context, &scope) };
            let condition = condition.as_ref().map(|condition| binder.condition(condition)).transpose()?;
            let action = match action {
                MergeAction::Delete => ClauseAction::Delete,
                MergeAction::Update(assignments) => {
                    let set_list = SetList::bind(&binder, target, assignments)?;
                    clauses.set_lists.push(set_list.column_ids(table));
                    ClauseAction::Update(set_list, clauses.set_lists.len() - 1)
                }
                MergeAction::Insert { columns, values } => {
                    clauses.columns = listed_columns(table, columns)?;
                    ClauseAction::Insert(bind_values(
                        &binder,
                        table,
                        &clauses.columns,
                        (columns, values.as_deref()),
                    )?)
                }
            };
            clauses.list.push(Clause { when: *when, condition, action });
        }
        Ok(clauses)
    }

    /// The first clause that is for a row.
    fn for_row(
        &self,
        context: &ExecContext,
        rows: &FoundRows,
        when: MergeWhen,
    ) -> Result<Option<&ClauseAction>, Interrupt> {
        for clause in self.list.iter().filter(|clause| clause.when == when) {
            let holds = match &clause.condition {
                Some(condition) => condition.evaluate(&rows.frame(context))? == Some(true),
                None => true,
            };
            if holds {
                return Ok(Some(&clause.action));
            }
        }
        Ok(None)
    }
}

/// The values of an INSERT clause, of types that fit their columns.
fn bind_values(
    binder: &Binder<'_>,
    table: &TableDef,
    positions: &[usize],
    (columns, values): (&[String], Option<&[Option<Expr>]>),
) -> Result<Vec<Option<Scalar>>, Interrupt> {
    let Some(values) = values else { return Ok(vec![None; positions.len()]) };
    if values.len() != positions.len() {
        return Err(wrong_count(columns.is_empty(), values.len() > positions.len()).into());
    }
    let mut bound = Vec::with_capacity(values.len());
    for (value, position) in values.iter().zip(positions) {
        let scalar = value.as_ref().map(|value| binder.scalar(value)).transpose()?;
        let column = table.columns[*position].sql_type();
        if let Some(scalar) = scalar.as_ref().filter(|scalar| !scalar.is_untyped_null()) {
            if column == SqlType::RowVersion {
                return Err(rowversion_given().into());
            }
            require_implicit(scalar.sql_type, column)?;
        }
        bound.push(scalar);
    }
    Ok(bound)
}

fn wrong_count(unlisted: bool, more_values: bool) -> SqlError {
    if unlisted {
        let message = "Column name or number of supplied values does not match table definition.";
        return SqlError::batch(213, message);
    }
    let (number, message) = if more_values {
        (
            110,
            "There are fewer columns in the INSERT statement than values specified in the VALUES clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT statement.",
        )
    } else {
        (
            109,
            "There are more columns in the INSERT statement than values specified in the VALUES clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT statement.",
        )
    };
    SqlError { class: 15, ..SqlError::batch(number, message) }
}

/// What a statement will write, so far.
struct Planning {
    rules: RowRules,
    planned: Vec<Planned>,
    /// Rows of the target that are written already, and whether they are deleted.
    written: HashMap<Key, bool>,
    keep_tuples: bool,
}

impl Planning {
    fn read(
        &mut self,
        context: &mut ExecContext,
        clauses: &Clauses,
        mut rows: FoundRows,
        limit: RowLimit,
    ) -> Result<(), Interrupt> {
        while !limit.is_reached(self.planned.len()) && rows.advance(context)? {
            let found = rows.target(context)?;
            let when = match (&found, rows.has_source()) {
                (Some(_), true) => MergeWhen::Matched,
                (Some(_), false) => MergeWhen::NotMatchedBySource,
                (None, _) => MergeWhen::NotMatchedByTarget,
            };
            let Some(action) = clauses.for_row(context, &rows, when)? else { continue };
            let action = match (action, found) {
                (ClauseAction::Insert(values), _) => {
                    Action::Insert(self.inserted(context, &rows, (&clauses.columns, values))?)
                }
                (action, Some((key, before))) => {
                    let deletes = matches!(action, ClauseAction::Delete);
                    match self.written.insert(Key::clone(&key), deletes) {
                        Some(true) if deletes => continue,
                        Some(_) => return Err(written_twice().into()),
                        None => self.changed(context, &rows, action, (key, before))?,
                    }
                }
                (_, None) => continue,
            };
            let tuple = if self.keep_tuples { rows.tuple().clone() } else { Vec::new() };
            self.planned.push(Planned { action, tuple });
        }
        Ok(())
    }

    fn inserted(
        &self,
        context: &ExecContext,
        rows: &FoundRows,
        (columns, values): (&[usize], &[Option<Scalar>]),
    ) -> Result<GivenRow, Interrupt> {
        let table = self.rules.table();
        let mut given = Vec::with_capacity(values.len());
        for (scalar, column) in values.iter().zip(columns) {
            let Some(scalar) = scalar else {
                given.push(None);
                continue;
            };
            let value = scalar.evaluate(&rows.frame(context))?;
            given.push(Some(assign(context, table, *column, (scalar.sql_type, value))?));
        }
        Ok(given)
    }

    fn changed(
        &mut self,
        context: &mut ExecContext,
        rows: &FoundRows,
        action: &ClauseAction,
        (key, before): (Key, Row),
    ) -> Result<Action, Interrupt> {
        let ClauseAction::Update(set_list, number) = action else {
            return Ok(Action::Delete { key, before });
        };
        let layout = Arc::clone(&self.rules.table().layout);
        let mut values = values_of(&layout, &before);
        set_list.assign(context, rows, &mut self.rules, &mut values)?;
        Ok(Action::Update { key, before, values, set_list: *number })
    }
}

fn written_twice() -> SqlError {
    let message = "The MERGE statement attempted to UPDATE or DELETE the same row more than once. This happens when a target row matches more than one source row. A MERGE statement cannot UPDATE/DELETE the same row of the target table multiple times. Refine the ON clause to ensure a target row matches at most one source row, or use the GROUP BY clause to group the source rows.";
    SqlError::statement(8672, message)
}
