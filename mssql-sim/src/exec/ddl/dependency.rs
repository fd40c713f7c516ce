//! What stands in the way of dropping or changing a column.

use crate::catalog::type_facts::facts;
use crate::collation::Collation;
use crate::engine::{Column, ForeignKey, TableDef};
use crate::exec::conversion::declared_length;
use crate::parser::ast::Expr;
use crate::types::{Length, SqlError, SqlType};

/// What is to happen to a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// DROP COLUMN: everything that mentions it is in the way.
    Drop,
    /// ALTER COLUMN
    Alter(Alteration),
}

/// How ALTER COLUMN changes a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Alteration {
    /// Another type, `(max)` for a limit included.
    retyped: bool,
    recollated: bool,
    /// Another precision or scale, a shorter length, or NOT NULL where NULL was allowed.
    narrowed: bool,
}

impl Alteration {
    /// From a column as it is to what it shall be.
    pub(super) fn between(old: &Column, new: &Column) -> Self {
        let (before, after) = (facts(old.sql_type()), facts(new.sql_type()));
        let retyped = before.name != after.name || is_max(old.sql_type()) != is_max(new.sql_type());
        let shorter = after.max_length < before.max_length;
        let reprecised = (before.precision, before.scale) != (after.precision, after.scale);
        Self {
            retyped,
            recollated: old.collation() != new.collation(),
            narrowed: shorter || reprecised || old.nullable() && !new.nullable(),
        }
    }
}

fn is_max(sql_type: SqlType) -> bool {
    declared_length(sql_type) == Some(Length::Max)
}

impl Change {
    /// How messages call it.
    fn name(self) -> &'static str {
        match self {
            Self::Drop => "DROP",
            Self::Alter(_) => "ALTER",
        }
    }

    fn is_drop_or(self, blocks: impl Fn(Alteration) -> bool) -> bool {
        match self {
            Self::Drop => true,
            Self::Alter(alteration) => blocks(alteration),
        }
    }
}

/// Refuses a change of a column on which something depends: one 5074 for each, then 4922. `references` are the foreign
/// keys of other tables, and this one's own, that lead to the table.
pub(super) fn refuse_if_used(
    table: &TableDef,
    column: usize,
    change: Change,
    references: &[ForeignKey],
) -> Result<(), SqlError> {
    let name = &table.columns[column].name;
    let mut causes: Vec<SqlError> = dependents(table, column, change, references)
        .into_iter()
        .map(|(kind, object)| {
            let message = format!("The {kind} '{object}' is dependent on column '{name}'.");
            SqlError::statement(5074, message)
        })
        .collect();
    let Some(last) = causes.pop() else { return Ok(()) };
    let message = format!(
        "ALTER TABLE {} COLUMN {name} failed because one or more objects access this column.",
        change.name()
    );
    let refused = SqlError { state: 9, ..SqlError::statement(4922, message) };
    Err(refused.caused_by(SqlError { causes, ..last }))
}

/// Kind and name of everything in the way, in the order in which SQL Server tells it.
fn dependents(
    table: &TableDef,
    column: usize,
    change: Change,
    references: &[ForeignKey],
) -> Vec<(&'static str, String)> {
    let name = &table.columns[column].name;
    let mut found = Vec::new();
    if change.is_drop_or(|alteration| alteration.retyped) {
        found.extend(table.columns[column].default.iter().map(|default| ("object", default.name.clone())));
    }
    let computed = table
        .columns
        .iter()
        .filter(|other| other.computed.as_ref().is_some_and(|computed| mentions(&computed.expr, name)));
    found.extend(computed.map(|other| ("column", other.name.clone())));
    let filtered = table
        .indexes
        .iter()
        .filter(|index| index.filter.as_ref().is_some_and(|f| f.columns().any(|c| c == column)));
    found.extend(filtered.map(|index| ("index", index.name.clone())));
    if change.is_drop_or(|alteration| alteration.retyped || alteration.recollated) {
        let checks = table.checks.iter().filter(|check| mentions(&check.expr, name));
        found.extend(checks.map(|check| ("object", check.name.clone())));
    }
    if change.is_drop_or(|alteration| alteration.retyped || alteration.recollated || alteration.narrowed) {
        found.extend(keys_with(table, column));
    }
    if change.is_drop_or(|alteration| alteration.retyped || alteration.recollated) {
        let own = table.foreign_keys.iter().filter(|key| key.columns.contains(&column));
        let referencing = references.iter().filter(|key| {
            let index = table.index_by_id(key.parent_index_id);
            index.is_some_and(|index| table.index_columns(index).iter().any(|c| c.column == column))
        });
        found.extend(own.chain(referencing).map(|key| ("object", key.name.clone())));
    }
    found
}

/// Keys and indexes that hold a column, in the order of their ids.
fn keys_with(table: &TableDef, column: usize) -> Vec<(&'static str, String)> {
    let primary = table.primary_key.iter().filter(|_| table.is_key_column(column));
    let primary = primary.map(|key| (key.index_id, "object", key.name.clone()));
    let holding = table
        .indexes
        .iter()
        .filter(|index| index.columns.iter().any(|c| c.column == column) || index.included.contains(&column));
    let indexes = holding.map(|index| {
        let kind = if index.constraint.is_some() { "object" } else { "index" };
        (index.index_id, kind, index.name.clone())
    });
    let mut keys: Vec<_> = primary.chain(indexes).collect();
    keys.sort_by_key(|(id, ..)| *id);
    keys.into_iter().map(|(_, kind, name)| (kind, name)).collect()
}

/// Whether an expression names a column. Constraints and computed columns hold no subqueries.
pub(super) fn mentions(expr: &Expr, name: &str) -> bool {
    match expr {
        Expr::Column(parts) => parts.last().is_some_and(|last| Collation::DEFAULT.equal_str(last, name)),
        other => other.children().into_iter().any(|inside| mentions(inside, name)),
    }
}
