//! The target of an UPDATE or DELETE: which table it is, and its rows as a query finds them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::engine::layout::{row_of, values_of};
use crate::engine::{IndexRef, Interrupt, Key, KeyRange, Object, ReadHint, ReadLevel, Row, Scan, TableDef};
use crate::exec::context::ExecContext;
use crate::exec::{ddl, messages, query};
use crate::parser::ast::{Expr, ObjectName, Query, QueryBody, Select, SelectItem, TableHint, TableRef};
use crate::types::{ColumnMeta, SqlError, SqlType, Value};

/// Rows that a statement takes from its query at a time.
const CHUNK_ROWS: usize = 1024;

/// A target and the FROM list in which it stands.
pub(super) struct Target {
    pub(super) table: Arc<TableDef>,
    /// Name by which the FROM list knows it.
    alias: String,
    from: Vec<TableRef>,
}

/// A row to change: its key, what it is, and the values of the statement's expressions for it.
pub(super) struct TargetRow {
    pub(super) key: Key,
    pub(super) before: Row,
    pub(super) values: Vec<(SqlType, Value)>,
}

/// Which rows, and what to compute for each.
pub(super) struct Selection<'a> {
    pub(super) top: Option<&'a Expr>,
    pub(super) filter: Option<&'a Expr>,
    pub(super) exprs: Vec<Expr>,
}

impl Target {
    /// Finds the target: an alias or table of the FROM list, else the table of that name beside the list.
    pub(super) fn find(
        context: &ExecContext,
        (name, hints): (&ObjectName, &[TableHint]),
        from: &[TableRef],
    ) -> Result<Self, Interrupt> {
        let mut from = from.to_vec();
        if !from.iter_mut().any(|item| listed_as(item, name).is_some()) {
            from.insert(0, TableRef::Table { name: name.clone(), alias: None, hints: Vec::new() });
        }
        let mut listed = from.iter_mut().filter_map(|item| listed_as(item, name));
        let (table_name, alias, its_hints) = listed.next().expect("it is listed by now");
        let (table_name, alias) =
            (table_name.clone(), alias.clone().unwrap_or_else(|| table_name.name.clone()));
        its_hints.extend_from_slice(hints);
        its_hints.push(TableHint::WriteTarget);
        match context.engine.resolve(&context.names, &table_name)? {
            Some(Object::Table(table)) => Ok(Self { table, alias, from }),
            Some(Object::UserView(view)) => {
                Err(SqlError::unsupported(format_args!("UPDATE or DELETE of view {}", view.header.name))
                    .into())
            }
            Some(Object::View(..)) => {
                Err(SqlError::batch(259, "Ad hoc updates to system catalogs are not allowed.").into())
            }
            None => Err(unknown_object(&table_name).into()),
        }
    }

    /// The rows that a statement changes; each once, whatever it is joined to.
    pub(super) fn rows(
        &self,
        context: &mut ExecContext,
        selection: Selection<'_>,
    ) -> Result<Vec<TargetRow>, Interrupt> {
        let mut cursor = query::open(context, &self.query(selection))?;
        let columns = cursor.columns();
        let (stored, computed) = columns.split_at(self.table.columns.len());
        let computed_types: Vec<SqlType> = computed.iter().map(|meta| meta.sql_type).collect();
        let mut heap = if self.table.primary_key.is_none() { Some(self.heap_keys(context)?) } else { None };
        let mut seen = HashSet::new();
        let mut rows = Vec::new();
        loop {
            let chunk = cursor.next_chunk(context, CHUNK_ROWS)?;
            if chunk.is_empty() {
                return Ok(rows);
            }
            for row in chunk {
                let mut values = values_of(&columns, &row);
                let results = values.split_off(stored.len());
                let Some(before) = self.stored_row(stored, &values) else { continue };
                let key = match &mut heap {
                    None => self.table.key_of(&before),
                    Some(keys) => keys.get_mut(&before).and_then(Vec::pop),
                };
                let Some(key) = key.filter(|key| seen.insert(key.clone())) else { continue };
                let values = computed_types.iter().copied().zip(results).collect();
                rows.push(TargetRow { key, before, values });
            }
        }
    }

    /// `SELECT TOP (n) target.*, exprs FROM ... WHERE ...`
    fn query(&self, selection: Selection<'_>) -> Query {
        let exprs = selection.exprs.into_iter().map(|expr| SelectItem::Expr(expr, None));
        let items = std::iter::once(SelectItem::Wildcard(Some(self.alias.clone()))).chain(exprs).collect();
        let select = Select {
            distinct: false,
            top: selection.top.map(|top| (top.clone(), false)),
            items,
            from: self.from.clone(),
            filter: selection.filter.cloned(),
            group_by: Vec::new(),
            having: None,
        };
        let body = QueryBody::Select(Box::new(select));
        Query { ctes: Vec::new(), body, order_by: Vec::new(), offset: None, fetch: None }
    }

    /// The row as the table stores it; None where an outer join has no row of the target.
    fn stored_row(&self, columns: &[ColumnMeta], values: &[Value]) -> Option<Row> {
        let absent = |(own, value): (&ColumnMeta, &Value)| !own.nullable && value.is_null();
        if self.table.layout.iter().zip(values).any(absent) {
            return None;
        }
        // A table without any NOT NULL column cannot be told from an absent row by its columns.
        let all_null =
            columns.iter().zip(self.table.layout.iter()).any(|(seen, own)| seen.nullable != own.nullable)
                && values.iter().all(Value::is_null);
        (!all_null).then(|| row_of(&self.table.layout, values))
    }

    /// Keys of a heap's rows by content. Rows that are equal in every column are interchangeable.
    fn heap_keys(&self, context: &ExecContext) -> Result<HashMap<Row, Vec<Key>>, Interrupt> {
        let hint = ReadHint { level: ReadLevel::Uncommitted, ..ReadHint::default() };
        let read = context.engine.open(&context.statement, &self.table, hint)?;
        let mut keys: HashMap<Row, Vec<Key>> = HashMap::new();
        let mut scan = Scan {
            index: IndexRef::Primary,
            range: KeyRange::all(),
            after: None,
            limit: CHUNK_ROWS,
            unique: false,
        };
        loop {
            let chunk = context.engine.scan(&read, &scan)?;
            let Some(last) = chunk.last() else { return Ok(keys) };
            scan.after = Some(last.position.clone());
            for found in chunk {
                keys.entry(found.row).or_default().push(found.key);
            }
        }
    }
}

/// The item of a FROM list that a target's name means: table, alias, hints.
fn listed_as<'a>(
    item: &'a mut TableRef,
    wanted: &ObjectName,
) -> Option<(&'a ObjectName, &'a Option<String>, &'a mut Vec<TableHint>)> {
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    match item {
        TableRef::Table { name, alias, hints } => {
            let meant = match alias {
                Some(alias) => wanted.schema.is_none() && same(alias, &wanted.name),
                None => {
                    let schema = |name: &ObjectName| {
                        name.schema.clone().filter(|s| !s.is_empty()).unwrap_or_else(|| "dbo".into())
                    };
                    same(&name.name, &wanted.name) && same(&schema(name), &schema(wanted))
                }
            };
            meant.then_some((name, alias, hints))
        }
        TableRef::Join { left, right, .. } => listed_as(left, wanted).or_else(|| listed_as(right, wanted)),
        TableRef::Changes { .. } | TableRef::RowVersionOf { .. } | TableRef::Derived { .. } => None,
    }
}

/// 208
pub(super) fn unknown_object(name: &ObjectName) -> SqlError {
    messages::unknown_table(&ddl::shown(name))
}

/// 271
pub(super) fn computed_column(name: &str) -> SqlError {
    let message = format!(
        "The column \"{name}\" cannot be modified because it is either a computed column or is the result of a UNION operator."
    );
    SqlError::batch(271, message)
}
