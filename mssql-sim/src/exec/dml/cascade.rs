//! ON DELETE CASCADE and ON UPDATE CASCADE: the rows of other tables that a statement takes along.

use std::collections::HashSet;
use std::sync::Arc;

use super::row_rules::{RowRules, RowVersions};
use super::set_list::column_ids;
use crate::engine::layout::values_of;
use crate::engine::{ForeignKey, Interrupt, Key, Row, RowWrite, TableDef, TableWrites};
use crate::exec::context::ExecContext;

/// A statement's writes with those of all cascades behind them. A row is taken along once, by the first that reaches it.
pub(super) fn follow(context: &ExecContext, writes: TableWrites) -> Result<Vec<TableWrites>, Interrupt> {
    let mut reached: HashSet<(i32, Key)> = HashSet::new();
    note(&mut reached, &writes);
    let mut all = vec![writes];
    let mut next = 0;
    while next < all.len() {
        let parent = Arc::clone(&all[next].table);
        for (child, key) in
            context.engine.references_to(&parent).into_iter().filter(|(_, key)| key.checking.enabled)
        {
            let deleted =
                if key.cascade_delete { deletes(&all[next], &child, &key, context)? } else { Vec::new() };
            let updated =
                if key.cascade_update { updates(&all[next], &child, &key, context)? } else { Vec::new() };
            let set = column_ids(&child, key.columns.iter().copied());
            for (rows, set_list) in [(deleted, Vec::new()), (updated, set)] {
                let fresh = |write: &RowWrite| !reached.contains(&(child.object_id, key_of(write)));
                let rows: Vec<RowWrite> = rows.into_iter().filter(fresh).collect();
                if !rows.is_empty() {
                    let writes = TableWrites { table: Arc::clone(&child), rows, set_lists: vec![set_list] };
                    note(&mut reached, &writes);
                    all.push(writes);
                }
            }
        }
        next += 1;
    }
    Ok(all)
}

fn note(reached: &mut HashSet<(i32, Key)>, writes: &TableWrites) {
    let existing = writes.rows.iter().filter(|write| !matches!(write, RowWrite::Insert(_)));
    reached.extend(existing.map(|write| (writes.table.object_id, key_of(write))));
}

fn key_of(write: &RowWrite) -> Key {
    match write {
        RowWrite::Update { key, .. } | RowWrite::Delete { key, .. } => Arc::clone(key),
        RowWrite::Insert(_) => unreachable!("cascades and their causes change rows that exist"),
    }
}

fn deletes(
    writes: &TableWrites,
    child: &Arc<TableDef>,
    key: &ForeignKey,
    context: &ExecContext,
) -> Result<Vec<RowWrite>, Interrupt> {
    let parents: Vec<Row> = writes
        .rows
        .iter()
        .filter_map(|write| match write {
            RowWrite::Delete { before, .. } => Some(Arc::clone(before)),
            _ => None,
        })
        .collect();
    let children =
        context.engine.referencing_rows(&context.statement, (child, key), &writes.table, &parents)?;
    Ok(children.into_iter().map(|(key, before)| RowWrite::Delete { key, before }).collect())
}

/// One parent at a time: each moves its own children.
fn updates(
    writes: &TableWrites,
    child: &Arc<TableDef>,
    key: &ForeignKey,
    context: &ExecContext,
) -> Result<Vec<RowWrite>, Interrupt> {
    let parent = &writes.table;
    let Some(index) = parent.index_by_id(key.parent_index_id) else { return Ok(Vec::new()) };
    let referenced: Vec<usize> = parent.index_columns(index).iter().map(|column| column.column).collect();
    let rules = RowRules::bind(context, child, "UPDATE")?;
    let mut rows = Vec::new();
    for write in &writes.rows {
        let RowWrite::Update { before, after, .. } = write else { continue };
        let (old, new) = (values_of(&parent.layout, before), values_of(&parent.layout, after));
        if referenced.iter().all(|column| old[*column] == new[*column]) {
            continue;
        }
        let parents = [Arc::clone(before)];
        let children = context.engine.referencing_rows(&context.statement, (child, key), parent, &parents)?;
        let mut versions = RowVersions::draw(context, child, children.len())?;
        for (child_key, child_row) in children {
            let mut values = values_of(&child.layout, &child_row);
            for (own, other) in key.columns.iter().zip(&referenced) {
                values[*own] = new[*other].clone();
            }
            versions.stamp(&mut values);
            let after = rules.complete(context, &mut values)?;
            rows.push(RowWrite::Update { key: child_key, before: child_row, after, set_list: 0 });
        }
    }
    Ok(rows)
}
