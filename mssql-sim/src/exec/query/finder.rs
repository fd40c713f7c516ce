//! The rows that UPDATE, DELETE and MERGE write, as a FROM clause finds them.
//!
//! A row of the clause is a tuple of its sources' rows. The target's row is in it as it is stored, and its key has a place
//! of its own, so that a write needs no second look at the table. The statement's expressions are evaluated over the
//! same tuple; behind the sources stand what OUTPUT names besides them: INSERTED, DELETED and `$action`.

use std::sync::Arc;

use super::bind_from::FromBinder;
use super::operator::{Feed, Operator, Scene};
use super::plan::{Ctes, SelectPlan};
use super::run::pipeline;
use crate::engine::{IndexRef, Interrupt, Key, KeyRange, Row, Scan, TableDef, TableRead};
use crate::exec::context::ExecContext;
use crate::exec::expression::bind::Binder;
use crate::exec::expression::scope::{Scope, ScopeSource, same_name};
use crate::exec::expression::{Frame, SourceRow, Tuple};
use crate::parser::ast::{Expr, TableRef};
use crate::types::{ColumnMeta, Length, SqlType, Value};

/// Places behind the sources of the FROM clause.
const EXTRA_PLACES: usize = 4;

/// The sources of a statement that writes rows, bound.
pub(crate) struct Finder<'a> {
    /// The FROM clause's sources, then INSERTED, DELETED and `$action`.
    scope: Scope<'a>,
    plan: Arc<SelectPlan>,
    places: Places,
    /// The table behind a target that is a common table expression.
    base: Option<TableRead>,
}

/// Where a tuple has what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    /// The row to write; None where a statement only inserts.
    target: Option<usize>,
    /// How many sources the FROM clause has.
    sources: usize,
}

impl Places {
    fn inserted(self) -> usize {
        self.sources
    }

    fn deleted(self) -> usize {
        self.sources + 1
    }

    fn action(self) -> usize {
        self.sources + 2
    }

    fn key(self) -> usize {
        self.sources + 3
    }

    /// Puts what a row was and will be into a tuple, and what is done with it.
    pub(crate) fn place(self, tuple: &mut Tuple, before: Option<&Row>, after: Option<&Row>, action: &str) {
        let row = |row: Option<&Row>| row.map_or(SourceRow::Absent, |row| SourceRow::Stored(Row::clone(row)));
        tuple[self.inserted()] = row(after);
        tuple[self.deleted()] = row(before);
        tuple[self.action()] = SourceRow::Computed(Arc::new([Value::text(action)]));
    }
}

impl<'a> Finder<'a> {
    /// Binds a FROM clause whose source `name` is the table to write, or a common table expression over it, whose rows
    /// are read from `base`.
    ///
    /// # Errors
    /// Binding errors; 3952, 3961; waits as opening a table does.
    pub(crate) fn bind(
        context: &'a ExecContext,
        ctes: Option<&'a Ctes<'a>>,
        (from, filter): (&[TableRef], Option<&Expr>),
        (name, table): (&str, &Arc<TableDef>),
        base: Option<TableRead>,
    ) -> Result<Self, Interrupt> {
        let mut binder = FromBinder::new(context, None, ctes);
        binder.written = base.is_some().then(|| name.to_owned());
        let mut raw = binder.bind_all(from)?;
        let mut scope = binder.into_scope();
        let sources = scope.sources.len();
        let is_target = |source: &ScopeSource| {
            same_name(&source.name, name)
                && source.schema.as_ref().is_none_or(|s| same_name(s, &table.schema))
        };
        let target = scope.sources.iter().position(is_target);
        let places = Places { target, sources };
        if let Some(target) = target {
            raw.note_key(target, places.key());
        }
        let conditions = Binder { ctes, ..Binder::new(context, &scope) };
        let filter = filter.map(|filter| conditions.condition(filter)).transpose()?;
        let plan = SelectPlan {
            width: sources + EXTRA_PLACES,
            relation: raw.plan(filter.as_ref()),
            filter,
            ..SelectPlan::default()
        };
        add_pseudo_sources(&mut scope, table);
        Ok(Self { scope, plan: Arc::new(plan), places, base })
    }

    /// For a statement that inserts what it is given.
    pub(crate) fn without_sources(table: &TableDef) -> Self {
        let mut scope = Scope::empty();
        add_pseudo_sources(&mut scope, table);
        let plan = SelectPlan { width: EXTRA_PLACES, ..SelectPlan::default() };
        Self { scope, plan: Arc::new(plan), places: Places { target: None, sources: 0 }, base: None }
    }

    pub(crate) fn places(&self) -> Places {
        self.places
    }

    /// A tuple without any row.
    pub(crate) fn empty_tuple(&self) -> Tuple {
        vec![SourceRow::Absent; self.plan.width]
    }

    /// The scope of the sources that are wanted, for the target's part (true) and that of the others.
    pub(crate) fn scope(&self, target: bool, others: bool) -> Scope<'a> {
        let mut scope = self.scope.clone();
        for (place, source) in scope.sources[..self.places.sources].iter_mut().enumerate() {
            source.visible = if Some(place) == self.places.target { target } else { others };
        }
        scope
    }

    /// The scope of OUTPUT: every source but the target, INSERTED and DELETED as far as the statement has them.
    pub(crate) fn output_scope(&self, inserted: bool, deleted: bool, action: bool) -> Scope<'a> {
        let mut scope = self.scope(false, true);
        let optional = inserted && deleted && action;
        let shown = [
            (self.places.inserted(), inserted),
            (self.places.deleted(), deleted),
            (self.places.action(), action),
        ];
        for (place, visible) in shown {
            scope.sources[place].visible = visible;
            scope.sources[place].optional = optional && place != self.places.action();
        }
        scope
    }

    /// Begins to read.
    pub(crate) fn rows(&self) -> FoundRows {
        FoundRows {
            feed: Feed::new(pipeline(&self.plan)),
            tuple: self.empty_tuple(),
            places: self.places,
            base: self.base.clone(),
        }
    }
}

fn add_pseudo_sources(scope: &mut Scope<'_>, table: &TableDef) {
    for name in ["INSERTED", "DELETED"] {
        let source = ScopeSource {
            schema: None,
            visible: false,
            qualified_only: true,
            ..ScopeSource::table(name, table)
        };
        scope.sources.push(source);
    }
    let action = ColumnMeta::new("$action".to_owned(), SqlType::NVarChar(Length::Limited(10)), true);
    scope.sources.push(ScopeSource { visible: false, ..ScopeSource::plain("", Arc::new([action])) });
}

/// The rows of a FROM clause, one after the other.
pub(crate) struct FoundRows {
    feed: Feed<dyn Operator>,
    tuple: Tuple,
    places: Places,
    base: Option<TableRead>,
}

impl FoundRows {
    /// Goes to the next row; false at the end.
    ///
    /// # Errors
    /// Run-time errors of the conditions; `Wait` for a lock: the statement starts again then.
    pub(crate) fn advance(&mut self, context: &ExecContext) -> Result<bool, Interrupt> {
        let scene = Scene { context, outer: None };
        self.feed.consume();
        self.feed.peek(&scene, &mut self.tuple)
    }

    /// A frame for expressions over the current row.
    pub(crate) fn frame<'t>(&'t self, context: &'t ExecContext) -> Frame<'t> {
        Frame { context, tuple: &self.tuple, outer: None }
    }

    pub(crate) fn tuple(&self) -> &Tuple {
        &self.tuple
    }

    /// Key and row of the target; None where an outer join has none.
    ///
    /// # Errors
    /// `Wait` for the lock on a row behind a common table expression.
    pub(crate) fn target(&self, context: &ExecContext) -> Result<Option<(Key, Row)>, Interrupt> {
        let Some(target) = self.places.target else { return Ok(None) };
        Ok(match (&self.tuple[target], &self.base) {
            (SourceRow::Stored(row), _) => match &self.tuple[self.places.key()] {
                SourceRow::Computed(key) => key_in(&key[0]).map(|key| (key, Row::clone(row))),
                _ => None,
            },
            (SourceRow::Computed(row), Some(base)) => match row.last().and_then(key_in) {
                Some(key) => row_behind(context, base, key)?,
                None => None,
            },
            _ => None,
        })
    }

    /// Whether there is a row of any other source.
    pub(crate) fn has_source(&self) -> bool {
        let others = self.tuple[..self.places.sources].iter().enumerate();
        others
            .filter(|(place, _)| Some(*place) != self.places.target)
            .any(|(_, row)| *row != SourceRow::Absent)
    }
}

fn key_in(value: &Value) -> Option<Key> {
    if let Value::Bytes(key) = value { Some(key.as_slice().into()) } else { None }
}

/// The row under a key.
fn row_behind(context: &ExecContext, base: &TableRead, key: Key) -> Result<Option<(Key, Row)>, Interrupt> {
    let scan = Scan {
        index: IndexRef::Primary,
        range: KeyRange::starting_with(&key),
        after: None,
        limit: 1,
        unique: true,
    };
    let found = context.engine.scan(base, &scan)?.pop();
    Ok(found.filter(|found| found.key == key).map(|found| (key, found.row)))
}
