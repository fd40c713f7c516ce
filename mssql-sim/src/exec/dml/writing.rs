//! From the rows that a statement wants to write to what the engine applies: rows completed and checked, OUTPUT
//! evaluated, cascades followed.

use std::sync::Arc;

use super::new_rows::{GivenRow, NewRows};
use super::output::BoundOutput;
use super::row_rules::{RowRules, RowVersions};
use super::{Affected, apply, cascade};
use crate::engine::{Interrupt, Key, Row, RowWrite, TableDef, TableWrites};
use crate::exec::context::ExecContext;
use crate::exec::expression::Tuple;
use crate::exec::query::finder::Places;
use crate::parser::ast::Expr;
use crate::types::Value;

/// A row that a statement will write.
pub(super) struct Planned {
    pub(super) action: Action,
    /// The row of the FROM clause from which it comes; empty without OUTPUT.
    pub(super) tuple: Tuple,
}

/// What happens to it.
pub(super) enum Action {
    /// A new row: a value for each of [`Writing::columns`].
    Insert(GivenRow),
    Update {
        key: Key,
        before: Row,
        /// All columns, those that were set with their new values.
        values: Vec<Value>,
        set_list: usize,
    },
    Delete {
        key: Key,
        before: Row,
    },
}

/// What a statement writes, without the rows.
pub(super) struct Writing<'a> {
    pub(super) table: Arc<TableDef>,
    /// Columns for which new rows have values.
    pub(super) columns: Vec<usize>,
    /// Column ids that its SET lists set.
    pub(super) set_lists: Vec<Vec<i32>>,
    pub(super) outputs: Vec<BoundOutput>,
    pub(super) tracking_context: Option<&'a Expr>,
}

impl Writing<'_> {
    /// Writes the rows.
    pub(super) fn write(
        self,
        context: &mut ExecContext,
        mut rules: RowRules,
        planned: Vec<Planned>,
        places: Places,
    ) -> Result<Affected, Interrupt> {
        let table = &self.table;
        let inserts = planned.iter().filter(|row| matches!(row.action, Action::Insert(_))).count();
        let deletes = planned.iter().filter(|row| matches!(row.action, Action::Delete { .. })).count();
        let mut versions = RowVersions::draw(context, table, planned.len() - deletes)?;
        let mut new_rows = NewRows::draw(context, table, self.columns, inserts)?;
        let count = planned.len() as u64;
        let (mut rows, mut tuples) = (Vec::with_capacity(planned.len()), Vec::new());
        for Planned { action, mut tuple } in planned {
            let write = match action {
                Action::Insert(given) => {
                    RowWrite::Insert(new_rows.row(context, &mut rules, &mut versions, given)?)
                }
                Action::Update { key, before, mut values, set_list } => {
                    versions.stamp(&mut values);
                    let after = rules.complete(context, &mut values)?;
                    RowWrite::Update { key, before, after, set_list }
                }
                Action::Delete { key, before } => RowWrite::Delete { key, before },
            };
            if !self.outputs.is_empty() {
                place(places, &mut tuple, &write);
                tuples.push(tuple);
            }
            rows.push(write);
        }
        let mut output = None;
        let mut taken = Vec::new();
        for bound in &self.outputs {
            output = output.or(bound.result(context, &tuples)?);
            taken.extend(bound.writes(context, &tuples)?);
        }
        let writes = TableWrites { table: Arc::clone(table), rows, set_lists: self.set_lists };
        let mut writes = cascade::follow(context, writes)?;
        writes.extend(taken);
        apply(context, writes, self.tracking_context)?;
        new_rows.publish(context)?;
        Ok(Affected { rows: count, output })
    }
}

/// Puts a written row into its tuple, for OUTPUT.
fn place(places: Places, tuple: &mut Tuple, write: &RowWrite) {
    match write {
        RowWrite::Insert(row) => places.place(tuple, None, Some(row), "INSERT"),
        RowWrite::Update { before, after, .. } => places.place(tuple, Some(before), Some(after), "UPDATE"),
        RowWrite::Delete { before, .. } => places.place(tuple, Some(before), None, "DELETE"),
    }
}
