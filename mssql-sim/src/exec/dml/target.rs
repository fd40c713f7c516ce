//! The target of a statement that writes rows: which table it is, and where it stands in the FROM list.

use std::sync::Arc;

use crate::engine::{Interrupt, Object, ReadHint, TableDef, TableRead};
use crate::exec::context::ExecContext;
use crate::exec::expression::scope::{invalid_column, same_name};
use crate::exec::messages;
use crate::parser::ast::{Cte, Expr, ObjectName, Query, QueryBody, SelectItem, TableHint, TableRef};
use crate::types::SqlError;

/// A target and the FROM list in which it stands.
pub(super) struct Target {
    pub(super) table: Arc<TableDef>,
    /// Name by which the FROM list knows it.
    pub(super) name: String,
    pub(super) from: Vec<TableRef>,
    /// The columns of a common table expression over the table, and which of the table's they are.
    pub(super) columns: Option<Vec<(String, Option<usize>)>>,
}

impl Target {
    /// Opens the table behind a common table expression.
    pub(super) fn base(&self, context: &ExecContext) -> Result<Option<TableRead>, Interrupt> {
        if self.columns.is_none() {
            return Ok(None);
        }
        let hint = ReadHint { write_target: true, ..ReadHint::default() };
        context.engine.open(&context.statement, &self.table, hint).map(Some)
    }

    /// The table's column that a name of the target's means: 207 for none, 4406 for one that is computed.
    pub(super) fn column(&self, name: &str) -> Result<usize, SqlError> {
        let Some(columns) = &self.columns else {
            return self.table.column(name).ok_or_else(|| invalid_column(name));
        };
        let (_, column) =
            columns.iter().find(|(own, _)| same_name(own, name)).ok_or_else(|| invalid_column(name))?;
        column.ok_or_else(|| {
            let message = format!(
                "Update or insert of view or function '{}' failed because it contains a derived or constant field.",
                self.name
            );
            SqlError::batch(4406, message)
        })
    }
}

impl Target {
    /// Finds the target: an alias or table of the FROM list, else the table of that name beside the list.
    pub(super) fn find(
        context: &ExecContext,
        ctes: &[Cte],
        (name, hints): (&ObjectName, &[TableHint]),
        from: &[TableRef],
    ) -> Result<Self, Interrupt> {
        let mut from = from.to_vec();
        let (position, table_name, alias) = match listed(&from, name) {
            Some(found) => found,
            None => {
                from.insert(0, TableRef::Table { name: name.clone(), alias: None, hints: Vec::new() });
                (0, name.clone(), name.name.clone())
            }
        };
        let own = from.iter_mut().flat_map(hints_of).nth(position).expect("it is listed by now");
        own.extend_from_slice(hints);
        own.push(TableHint::WriteTarget);
        let same = |cte: &&Cte| same_name(&cte.0, &table_name.name);
        if let Some((_, names, query)) = ctes.iter().rfind(same).filter(|_| table_name.schema.is_none()) {
            let (table, columns) = behind(context, (names, query), &alias)?;
            return Ok(Self { table, name: alias, from, columns: Some(columns) });
        }
        Ok(Self { table: table(context, &table_name)?, name: alias, from, columns: None })
    }
}

/// A table, and which of its columns those of a query over it are.
type Behind = (Arc<TableDef>, Vec<(String, Option<usize>)>);

/// The table behind a common table expression; binding it refuses what cannot be written through.
fn behind(
    context: &ExecContext,
    (names, query): (&[String], &Query),
    alias: &str,
) -> Result<Behind, Interrupt> {
    let source = match &query.body {
        QueryBody::Select(select) => select.from.first().map(|from| (select, from)),
        _ => None,
    };
    let Some((select, TableRef::Table { name, .. })) = source else {
        return Err(SqlError::unsupported(format_args!("writing to common table expression {alias}")).into());
    };
    let table = table(context, name)?;
    let mut columns = Vec::new();
    for item in &select.items {
        match item {
            SelectItem::Wildcard(_) => {
                columns.extend((0..table.columns.len()).map(|c| (table.columns[c].name.clone(), Some(c))));
            }
            SelectItem::Expr(Expr::Column(parts), own) => {
                let column = parts.last().cloned().unwrap_or_default();
                let position = table.column(&column);
                columns.push((own.clone().unwrap_or(column), position));
            }
            SelectItem::Expr(_, own) => columns.push((own.clone().unwrap_or_default(), None)),
        }
    }
    for ((own, _), name) in columns.iter_mut().zip(names) {
        own.clone_from(name);
    }
    Ok((table, columns))
}

/// The table of a name that a statement writes.
pub(super) fn table(context: &ExecContext, name: &ObjectName) -> Result<Arc<TableDef>, Interrupt> {
    match context.engine.resolve(&context.names, name)? {
        Some(Object::Table(table)) => Ok(table),
        Some(Object::UserView(view)) => {
            Err(SqlError::unsupported(format_args!("writing to view {}", view.header.name)).into())
        }
        Some(Object::View(..)) => {
            Err(SqlError::batch(259, "Ad hoc updates to system catalogs are not allowed.").into())
        }
        None => Err(messages::unknown_table(&name.to_string()).into()),
    }
}

/// Number, table and alias of the item of a FROM list that a target's name means: an alias, a table without one, or the
/// only item of that table.
fn listed(from: &[TableRef], name: &ObjectName) -> Option<(usize, ObjectName, String)> {
    let mut tables = Vec::new();
    from.iter().for_each(|item| collect_tables(item, &mut tables));
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    let schema =
        |name: &ObjectName| name.schema.clone().filter(|s| !s.is_empty()).unwrap_or_else(|| "dbo".into());
    let is_table = |table: &ObjectName| same(&table.name, &name.name) && same(&schema(table), &schema(name));
    let by_alias = tables.iter().position(|(table, alias)| match alias {
        Some(alias) => name.schema.is_none() && same(alias, &name.name),
        None => is_table(table),
    });
    let mut by_table = (0..tables.len()).filter(|position| is_table(tables[*position].0));
    let position = by_alias.or(match (by_table.next(), by_table.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    })?;
    let (table, alias) = tables[position];
    Some((position, table.clone(), alias.unwrap_or(&table.name).to_owned()))
}

/// Names and aliases of the tables of an item, in the order in which they are written.
fn collect_tables<'f>(item: &'f TableRef, tables: &mut Vec<(&'f ObjectName, Option<&'f str>)>) {
    match item {
        TableRef::Table { name, alias, .. } => tables.push((name, alias.as_deref())),
        TableRef::Join { left, right, .. } => {
            collect_tables(left, tables);
            collect_tables(right, tables);
        }
        _ => {}
    }
}

/// Hints of the tables of an item, in the same order.
fn hints_of(item: &mut TableRef) -> Vec<&mut Vec<TableHint>> {
    match item {
        TableRef::Table { hints, .. } => vec![hints],
        TableRef::Join { left, right, .. } => {
            let mut tables = hints_of(left);
            tables.extend(hints_of(right));
            tables
        }
        _ => Vec::new(),
    }
}

/// 271
pub(super) fn computed_column(name: &str) -> SqlError {
    let message = format!(
        "The column \"{name}\" cannot be modified because it is either a computed column or is the result of a UNION operator."
    );
    SqlError::batch(271, message)
}

/// 264
pub(super) fn column_twice(name: &str) -> SqlError {
    let message = format!(
        "The column name '{name}' is specified more than once in the SET clause or column list of an INSERT. A column \
         cannot be assigned more than one value in the same clause."
    );
    SqlError::batch(264, message)
}
