//! Rows of a table, newest first, in pages that a key holds in place.
//!
//! A page begins after the last row of the page before it, found by its values and not by its number, so rows that arrive
//! or go in the meantime neither repeat nor skip others. The order is that of `newest_by`, then of the primary key, both
//! descending; rows without a time come last. Texts are ordered by their bytes, so that the order is the same everywhere.

use super::quoted;
use crate::access::Scope;
use crate::config::Detail;
use crate::database::{DatabaseError, Reading};
use serde_json::value::RawValue;
use tokio_postgres::types::ToSql;

/// A page that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// Rows at most.
    pub limit: i64,
    /// The row after which the page begins.
    pub after: Option<Vec<String>>,
    /// Column and the text that it must equal.
    pub filters: Vec<(String, String)>,
}

/// Rows as JSON objects, and where the next page begins.
#[derive(Debug)]
pub(crate) struct Rows {
    pub rows: Vec<Box<RawValue>>,
    pub next: Option<Vec<String>>,
}

/// Why a page could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DetailError {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("the table {table} is not served: it has no view in the schema \"reading\" yet")]
    NoView { table: String },
    #[error("the table {table} has no column {column}; correct its [[detail]] in the configuration")]
    NoColumn { table: String, column: String },
    #[error("a row of {table} is not valid JSON")]
    Row {
        table: String,
        #[source]
        source: serde_json::Error,
    },
}

struct Column {
    name: String,
    data_type: String,
}

const COLUMNS: &str = "
    select attname::text as name, format_type(atttypid, null) as type
    from pg_attribute
    where attrelid = to_regclass($1) and attnum > 0 and not attisdropped
    order by attnum";

/// One page of the rows that `scope` may see.
pub(crate) async fn page(
    reading: &Reading,
    scope: &Scope,
    detail: &Detail,
    page: &Page,
) -> Result<Rows, DetailError> {
    let columns = columns(reading, detail).await?;
    let sql = statement(detail, &columns)?;
    let names = page.filters.iter().map(|(column, _)| column.as_str()).collect::<Vec<_>>();
    let texts = page.filters.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>();
    let rows = reading
        .query(
            &sql,
            &[
                &page.after as &(dyn ToSql + Sync),
                &names,
                &texts,
                &scope.companies(),
                &scope.warehouses(),
                &(page.limit + 1),
            ],
        )
        .await?;
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let next = if rows.len() > limit { rows.get(limit - 1).map(|row| row.get("place")) } else { None };
    let rows = rows
        .iter()
        .take(limit)
        .map(|row| RawValue::from_string(row.get("row")))
        .collect::<Result<_, _>>()
        .map_err(|source| DetailError::Row { table: detail.name.clone(), source })?;
    Ok(Rows { rows, next })
}

async fn columns(reading: &Reading, detail: &Detail) -> Result<Vec<Column>, DetailError> {
    let view = format!("reading.{}", quoted(&detail.name));
    let rows = reading.query(COLUMNS, &[&view]).await?;
    if rows.is_empty() {
        return Err(DetailError::NoView { table: detail.name.clone() });
    }
    Ok(rows.iter().map(|row| Column { name: row.get("name"), data_type: row.get("type") }).collect())
}

/// Parameters: 1 the row before the page, 2 and 3 columns and texts of the filters, 4 and 5 companies and warehouses of the
/// scope, 6 the number of rows.
fn statement(detail: &Detail, columns: &[Column]) -> Result<String, DetailError> {
    let find = |name: &str| {
        columns
            .iter()
            .find(|column| column.name == name)
            .ok_or_else(|| DetailError::NoColumn { table: detail.name.clone(), column: name.to_owned() })
    };
    let mut order = vec![find(&detail.newest_by)?.place(true)];
    for name in &detail.key {
        order.push(find(name)?.place(false));
    }
    let mut conditions = Vec::new();
    for column in detail.filters.values() {
        conditions.push(find(column)?.filter());
    }
    for (filter, parameter) in [("company", 4), ("warehouse", 5)] {
        conditions.push(match detail.filters.get(filter) {
            Some(column) => find(column)?.within_scope(parameter),
            // Not the table's own columns: its policy alone decides.
            None => format!("(${parameter}::text[] is null or true)"),
        });
    }
    let places = order.iter().map(|place| place.expression.as_str()).collect::<Vec<_>>().join(", ");
    let after = order.iter().zip(1..).map(|(place, n)| place.parameter(n)).collect::<Vec<_>>().join(", ");
    let descending =
        order.iter().map(|place| format!("{} desc", place.expression)).collect::<Vec<_>>().join(", ");
    let texts =
        order.iter().map(|place| format!("({})::text", place.expression)).collect::<Vec<_>>().join(", ");
    let shown = columns.iter().map(Column::shown).collect::<Vec<_>>().join(", ");
    let view = quoted(&detail.name);
    let conditions = conditions.join(" and ");
    Ok(format!(
        "select row_to_json((select shown from (select {shown}) as shown))::text as row, array[{texts}] as place
         from reading.{view}
         where ($1::text[] is null or ({places}) < ({after}))
           and {conditions}
         order by {descending}
         limit $6"
    ))
}

/// A column of the order.
struct Place {
    expression: String,
    data_type: String,
    collation: &'static str,
}

impl Place {
    fn parameter(&self, number: usize) -> String {
        format!("($1::text[])[{number}]::{}{}", self.data_type, self.collation)
    }
}

impl Column {
    fn place(&self, is_time: bool) -> Place {
        let name = quoted(&self.name);
        let collation = if self.data_type == "text" { " collate \"C\"" } else { "" };
        let expression = if is_time {
            format!("coalesce({name}, '-infinity'::{})", self.data_type)
        } else {
            format!("{name}{collation}")
        };
        Place { expression, data_type: self.data_type.clone(), collation }
    }

    /// Texts are compared as most sources compare them: without case and trailing blanks.
    fn folded(&self) -> String {
        format!("upper(rtrim({}::text))", quoted(&self.name))
    }

    fn filter(&self) -> String {
        let literal = self.name.replace('\'', "''");
        let text = format!("($3::text[])[array_position($2::text[], '{literal}')]");
        format!(
            "(array_position($2::text[], '{literal}') is null or {} = upper(rtrim({text})))",
            self.folded()
        )
    }

    fn within_scope(&self, parameter: usize) -> String {
        format!("(${parameter}::text[] is null or {} = any (${parameter}))", self.folded())
    }

    /// Numbers that JavaScript would round are shown as texts; bytes as base64.
    fn shown(&self) -> String {
        let name = quoted(&self.name);
        match self.data_type.as_str() {
            "bigint" | "numeric" => format!("{name}::text as {name}"),
            "bytea" => format!("replace(encode({name}, 'base64'), E'\\n', '') as {name}"),
            _ => name,
        }
    }
}
