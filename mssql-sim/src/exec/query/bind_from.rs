//! The FROM clause: its sources one by one, then how they are joined.

use std::sync::Arc;

use super::arrange::Raw;
use super::bind::bind_unordered;
use super::hints::read_hint;
use super::plan::{Ctes, DerivedLeaf, MadeLeaf, Maker, OuterKind, QueryPlan, Relation};
use crate::engine::{Interrupt, Object, ReadHint, TableDef, TableRead, UserView};
use crate::exec::context::ExecContext;
use crate::exec::expression::bind::Binder;
use crate::exec::expression::scope::{Scope, ScopeSource, same_name};
use crate::exec::messages::unknown_table;
use crate::parser::ast::{Expr, JoinKind, ObjectName, TableHint, TableRef};
use crate::types::{ColumnMeta, Origin, SqlError};

/// Binds the items of a FROM clause.
pub(super) struct FromBinder<'a> {
    pub(super) context: &'a ExecContext,
    pub(super) ctes: Option<&'a Ctes<'a>>,
    pub(super) scope: Scope<'a>,
    /// The source through which a statement writes, if that is a common table expression.
    pub(super) written: Option<String>,
}

impl<'a> FromBinder<'a> {
    pub(super) fn new(
        context: &'a ExecContext,
        outer: Option<&'a Scope<'a>>,
        ctes: Option<&'a Ctes<'a>>,
    ) -> Self {
        Self { context, ctes, scope: Scope::inside(outer), written: None }
    }

    /// The scope of all sources.
    pub(super) fn into_scope(self) -> Scope<'a> {
        self.scope
    }

    /// Binds the whole clause; a comma is a cross join.
    pub(super) fn bind_all(&mut self, from: &[TableRef]) -> Result<Raw, Interrupt> {
        let mut raw = Raw::Nothing;
        for item in from {
            let right = self.bind(item, false)?;
            raw = match raw {
                Raw::Nothing => right,
                left => {
                    let (left, right) = (Box::new(left), Box::new(right));
                    Raw::Join { kind: OuterKind::Inner, lateral: false, left, right, on: None }
                }
            };
        }
        self.refuse_same_names()?;
        Ok(raw)
    }

    /// 1011 and 1013: two sources under one name.
    fn refuse_same_names(&self) -> Result<(), SqlError> {
        for (position, source) in self.scope.sources.iter().enumerate() {
            let same =
                |other: &&ScopeSource| same_name(&other.name, &source.name) && other.schema == source.schema;
            if let Some(twin) = self.scope.sources[..position].iter().find(same) {
                let name = &twin.name;
                let message = match twin.schema {
                    Some(_) => format!(
                        "The objects \"{name}\" and \"{name}\" in the FROM clause have the same exposed names. Use correlation names to distinguish them."
                    ),
                    None => {
                        format!("The correlation name '{name}' is specified multiple times in a FROM clause.")
                    }
                };
                let number = if twin.schema.is_some() { 1013 } else { 1011 };
                return Err(SqlError::batch(number, message));
            }
        }
        Ok(())
    }

    /// One item; `lateral` sources may refer to those before them.
    fn bind(&mut self, item: &TableRef, lateral: bool) -> Result<Raw, Interrupt> {
        match item {
            TableRef::Table { name, alias, hints } => self.named(name, alias.as_deref(), hints),
            TableRef::Derived { query, alias, columns } => {
                let plan = if lateral {
                    bind_unordered(self.context, Some(&self.scope), self.ctes, query)?
                } else {
                    bind_unordered(self.context, self.scope.outer, self.ctes, query)?
                };
                self.derived((plan, lateral), alias, columns)
            }
            TableRef::Function { name, arguments, alias, columns } => {
                self.table_function((name, arguments), (alias.as_deref(), columns), lateral)
            }
            TableRef::Changes { table, last_sync, alias } => self.changes(table, last_sync, alias.as_ref()),
            TableRef::RowVersionOf { table, columns, values, alias } => {
                self.version_of(table, (columns, values), alias.as_ref())
            }
            TableRef::Join { kind, left, right, on } => self.join(*kind, (left, right), on.as_ref()),
        }
    }

    pub(super) fn push(&mut self, source: ScopeSource) -> usize {
        self.scope.sources.push(source);
        self.scope.sources.len() - 1
    }

    /// A CTE, a table or a catalog view.
    fn named(
        &mut self,
        name: &ObjectName,
        alias: Option<&str>,
        hints: &[TableHint],
    ) -> Result<Raw, Interrupt> {
        let shown = alias.unwrap_or(&name.name);
        if name.schema.is_none()
            && let Some(common) = self.common_table(&name.name, shown)?
        {
            return Ok(common);
        }
        match self.context.resolve(name)? {
            Some(Object::Table(table)) => {
                let denied = self.context.denied_columns(&table)?;
                let read = self.context.engine.open(&self.context.statement, &table, read_hint(hints)?)?;
                let mut source = ScopeSource { denied, ..ScopeSource::table(shown, &table) };
                if alias.is_some() {
                    source.schema = None;
                }
                let place = self.push(source);
                Ok(Raw::Table { place, key_place: None, read })
            }
            Some(Object::View(view, database)) => {
                let mut source = ScopeSource::plain(shown, view.columns());
                source.schema = alias.is_none().then(|| view.name().0.to_owned());
                let place = self.push(source);
                let maker = Maker::View { view, database, key: None };
                Ok(Raw::Other(place, Relation::Made(Arc::new(MadeLeaf { place, maker }))))
            }
            Some(Object::UserView(view)) => self.view(&view, shown),
            None => Err(unknown_table(&written(name)).into()),
        }
    }

    /// A view is its query, seen from where the view is.
    fn view(&mut self, view: &Arc<UserView>, shown: &str) -> Result<Raw, Interrupt> {
        self.context.require("SELECT", &view.header)?;
        let bound = self.context.views.inside(view, || bind_unordered(self.context, None, None, &view.query));
        let plan = bound.map_err(|interrupt| match interrupt {
            Interrupt::Error(error) if error.number != 4429 => {
                let message = format!(
                    "Could not use view or function '{}' because of binding errors.",
                    view.header.name
                );
                SqlError::batch(4413, message).caused_by(error).into()
            }
            other => other,
        })?;
        let names: Vec<String> = view.columns.iter().map(|column| column.name.clone()).collect();
        self.derived((plan, false), shown, &names)
    }

    pub(super) fn open(
        &self,
        table: &Arc<TableDef>,
        permission: &str,
        hint: ReadHint,
    ) -> Result<TableRead, Interrupt> {
        let context = self.context;
        context.require(permission, table)?;
        context.engine.open(&context.statement, table, hint)
    }

    /// Whether a common table expression of this name carries the keys of its table.
    pub(super) fn is_written(&self, alias: &str) -> bool {
        self.written.as_ref().is_some_and(|written| same_name(written, alias))
    }

    pub(super) fn derived(
        &mut self,
        (plan, lateral): (Arc<QueryPlan>, bool),
        alias: &str,
        names: &[String],
    ) -> Result<Raw, Interrupt> {
        if plan.correlated && !lateral {
            self.scope.correlated.set(true);
        }
        let layout = plan.layout();
        let keyed = self.is_written(alias);
        let mut columns = renamed(&layout[..layout.len() - usize::from(keyed)], alias, names)?;
        if let Some(unnamed) = columns.iter().position(|c| c.name.is_empty()) {
            let message = format!("No column name was specified for column {} of '{alias}'.", unnamed + 1);
            return Err(SqlError::batch(8155, message).into());
        }
        // Outside, the expressions of a derived table are columns of no table.
        for column in columns.iter_mut().filter(|column| column.origin == Origin::Computed) {
            column.origin = Origin::Derived;
        }
        let place = self.push(ScopeSource::plain(alias, columns.into()));
        Ok(Raw::Other(place, Relation::Derived(Arc::new(DerivedLeaf { place, plan, lateral }))))
    }

    fn join(
        &mut self,
        kind: JoinKind,
        sides: (&TableRef, &TableRef),
        on: Option<&Expr>,
    ) -> Result<Raw, Interrupt> {
        let lateral = matches!(kind, JoinKind::CrossApply | JoinKind::OuterApply);
        let first = self.scope.sources.len();
        let left = self.bind(sides.0, false)?;
        let middle = self.scope.sources.len();
        let right = self.bind(sides.1, lateral)?;
        let end = self.scope.sources.len();
        let binder = Binder { ctes: self.ctes, ..Binder::new(self.context, &self.scope) };
        let on = on.map(|on| binder.condition(on)).transpose()?;
        let optional = |sources: &mut [ScopeSource]| sources.iter_mut().for_each(|s| s.optional = true);
        let outer = match kind {
            JoinKind::Inner | JoinKind::Cross | JoinKind::CrossApply => OuterKind::Inner,
            JoinKind::Left | JoinKind::OuterApply => {
                optional(&mut self.scope.sources[middle..end]);
                OuterKind::Left
            }
            JoinKind::Right => {
                optional(&mut self.scope.sources[first..middle]);
                let (left, right) = (Box::new(right), Box::new(left));
                return Ok(Raw::Join { kind: OuterKind::Left, lateral, left, right, on: on.map(Box::new) });
            }
            JoinKind::Full => {
                optional(&mut self.scope.sources[first..end]);
                OuterKind::Full
            }
        };
        let (left, right) = (Box::new(left), Box::new(right));
        Ok(Raw::Join { kind: outer, lateral, left, right, on: on.map(Box::new) })
    }
}

/// Columns under the names of a column list, if there is one.
pub(super) fn renamed(
    columns: &[ColumnMeta],
    alias: &str,
    names: &[String],
) -> Result<Vec<ColumnMeta>, SqlError> {
    let mut columns = columns.to_vec();
    if !names.is_empty() && names.len() != columns.len() {
        let (number, side) = if names.len() < columns.len() { (8158, "more") } else { (8159, "fewer") };
        let message = format!("'{alias}' has {side} columns than were specified in the column list.");
        return Err(SqlError::batch(number, message));
    }
    for (column, name) in columns.iter_mut().zip(names) {
        column.name.clone_from(name);
    }
    Ok(columns)
}

/// A name as it was written, without quotes.
pub(super) fn written(name: &ObjectName) -> String {
    let parts = [name.database.as_deref(), name.schema.as_deref(), Some(name.name.as_str())];
    parts.into_iter().flatten().collect::<Vec<_>>().join(".")
}
