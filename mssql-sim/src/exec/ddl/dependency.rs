//! What stands in the way of dropping or changing a column.

use crate::collation::Collation;
use crate::engine::TableDef;
use crate::parser::ast::Expr;

/// Which constraints matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Against {
    /// DROP COLUMN: everything that mentions it.
    Dropping,
    /// ALTER COLUMN: keys, foreign keys, computed columns; other indexes if the type changes.
    Altering {
        /// Whether the type changes.
        retyped: bool,
    },
}

/// Name of the first object of a table that depends on a column.
pub(super) fn blocker(table: &TableDef, column: usize, against: Against) -> Option<String> {
    let name = &table.columns[column].name;
    let dropping = against == Against::Dropping;
    let in_key =
        table.primary_key.as_ref().filter(|_| table.is_key_column(column)).map(|key| key.name.clone());
    let in_index = || {
        let concerns = |constraint: bool| constraint || against != Against::Altering { retyped: false };
        let mut indexes = table.indexes.iter().filter(|index| concerns(index.constraint.is_some()));
        indexes.find(|index| index.columns.iter().any(|c| c.column == column)).map(|index| index.name.clone())
    };
    let in_foreign_key =
        || table.foreign_keys.iter().find(|key| key.columns.contains(&column)).map(|key| key.name.clone());
    let in_computed = || {
        let mut computed = table.columns.iter().filter(|other| other.computed.is_some());
        computed
            .find(|other| other.computed.as_ref().is_some_and(|computed| mentions(&computed.expr, name)))
            .map(|other| other.name.clone())
    };
    let in_check = || {
        let mut checks = table.checks.iter().filter(|_| dropping);
        checks.find(|check| mentions(&check.expr, name)).map(|check| check.name.clone())
    };
    let default =
        || table.columns[column].default.as_ref().filter(|_| dropping).map(|default| default.name.clone());
    in_key.or_else(in_index).or_else(in_foreign_key).or_else(in_computed).or_else(in_check).or_else(default)
}

/// Whether an expression names a column. Constraints and computed columns hold no subqueries.
fn mentions(expr: &Expr, name: &str) -> bool {
    match expr {
        Expr::Column(parts) => parts.last().is_some_and(|last| Collation::DEFAULT.equal_str(last, name)),
        other => other.children().into_iter().any(|inside| mentions(inside, name)),
    }
}
