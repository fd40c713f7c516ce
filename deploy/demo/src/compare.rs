//! Compares a table at the source with its replica, row for row and column for column.
//!
//! It shares nothing with the agent: both servers write every value as text, each in its own SQL, and the texts are compared as
//! multisets of rows.

use crate::client::SqlServer;
use std::collections::BTreeMap;
use std::fmt;
use tokio_postgres::Client;

/// One row as text; None is NULL.
type TextRow = Vec<Option<String>>;

/// What a comparison found.
#[derive(Debug)]
pub struct Comparison {
    /// Table at the source.
    pub table: String,
    /// Rows at the source.
    pub rows: usize,
    /// Rows that only one side has, at most [`SHOWN`] of them, each with the side.
    pub differences: Vec<String>,
    /// How many rows only one side has.
    pub different: usize,
}

/// Differences that are shown.
pub const SHOWN: usize = 10;

/// Why two tables could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// The source did not answer.
    #[error("reading {table} at the source failed")]
    Source {
        /// Table.
        table: String,
        /// Cause.
        #[source]
        source: tiberius::error::Error,
    },
    /// The target did not answer.
    #[error("reading {table} in the target failed")]
    Target {
        /// Table.
        table: String,
        /// Cause.
        #[source]
        source: tokio_postgres::Error,
    },
    /// A type that this comparison cannot write as text.
    #[error("column {column} has the type {data_type}, which cannot be compared")]
    Type {
        /// Column.
        column: String,
        /// Type.
        data_type: String,
    },
}

/// A column and how each side writes it.
struct Column {
    source: String,
    target: String,
}

/// Compares `schema.table` with `target_schema.target_table`, columns paired by `target_name(source column)`.
///
/// # Errors
/// A side that does not answer, or a column of a type without a text form.
pub async fn table(
    source: &mut SqlServer,
    target: &Client,
    (schema, name): (&str, &str),
    (target_schema, target_table): (&str, &str),
    target_name: impl Fn(&str) -> String,
) -> Result<Comparison, CompareError> {
    let full = format!("{schema}.{name}");
    let columns = columns(source, schema, name, target_name).await?;
    let mut here = BTreeMap::<TextRow, i64>::new();
    let mut rows = 0;
    for row in source_rows(source, &full, &format!("[{schema}].[{name}]"), &columns).await? {
        *here.entry(row).or_default() += 1;
        rows += 1;
    }
    let replica = format!("\"{target_schema}\".\"{target_table}\"");
    for row in target_rows(target, &full, &replica, &columns).await? {
        *here.entry(row).or_default() -= 1;
    }
    here.retain(|_, count| *count != 0);
    let different = here.values().map(|count| count.unsigned_abs() as usize).sum();
    let differences = here.iter().take(SHOWN).map(|(row, count)| {
        let side = if *count > 0 { "only at the source" } else { "only in the target" };
        format!("{side}: {}", show(row))
    });
    Ok(Comparison { table: full, rows, differences: differences.collect(), different })
}

async fn columns(
    source: &mut SqlServer,
    schema: &str,
    name: &str,
    target_name: impl Fn(&str) -> String,
) -> Result<Vec<Column>, CompareError> {
    let query = format!(
        "SELECT COLUMN_NAME, DATA_TYPE FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = N'{schema}' \
         AND TABLE_NAME = N'{name}' ORDER BY ORDINAL_POSITION"
    );
    let failed = |error| CompareError::Source { table: format!("{schema}.{name}"), source: error };
    let rows = source.rows(&query).await.map_err(failed)?;
    rows.iter()
        .map(|row| {
            let column = row.get::<&str, _>(0).unwrap_or_default();
            let data_type = row.get::<&str, _>(1).unwrap_or_default();
            text_forms(column, &target_name(column), data_type)
        })
        .collect()
}

fn text_forms(column: &str, target: &str, data_type: &str) -> Result<Column, CompareError> {
    let (c, t) = (format!("[{}]", column.replace(']', "]]")), format!("\"{target}\""));
    let (source, target) = match data_type {
        "tinyint" | "smallint" | "int" | "bigint" => {
            (format!("CAST({c} AS nvarchar(20))"), format!("{t}::text"))
        }
        "bit" => (format!("CAST({c} AS nvarchar(1))"), format!("{t}::int::text")),
        "decimal" | "numeric" => (format!("CONVERT(nvarchar(41), {c})"), format!("{t}::text")),
        "money" | "smallmoney" => {
            (format!("CONVERT(nvarchar(41), CAST({c} AS decimal(19,4)))"), format!("{t}::text"))
        }
        "float" | "real" => {
            (format!("CONVERT(nvarchar(40), CAST({c} AS float), 3)"), format!("{t}::float8::text"))
        }
        "date" => (format!("CONVERT(nvarchar(10), {c}, 23)"), format!("{t}::text")),
        "datetime" | "datetime2" | "smalldatetime" => {
            (format!("CONVERT(nvarchar(33), {c}, 121)"), format!("to_char({t}, 'YYYY-MM-DD HH24:MI:SS.US')"))
        }
        "time" => (format!("CAST({c} AS nvarchar(16))"), format!("{t}::text")),
        "datetimeoffset" => (
            format!("CONVERT(nvarchar(40), {c}, 127)"),
            format!("to_char({t} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"),
        ),
        "char" | "varchar" | "nchar" | "nvarchar" => (format!("CAST({c} AS nvarchar(max))"), t),
        "binary" | "varbinary" | "timestamp" => (
            format!("CONVERT(nvarchar(max), CAST({c} AS varbinary(max)), 2)"),
            format!("upper(encode({t}, 'hex'))"),
        ),
        "uniqueidentifier" => (format!("LOWER(CONVERT(nvarchar(36), {c}))"), format!("{t}::text")),
        other => return Err(CompareError::Type { column: column.into(), data_type: other.into() }),
    };
    Ok(Column { source, target })
}

async fn source_rows(
    source: &mut SqlServer,
    full: &str,
    table: &str,
    columns: &[Column],
) -> Result<Vec<TextRow>, CompareError> {
    let list: Vec<_> = columns.iter().map(|column| column.source.as_str()).collect();
    let failed = |error| CompareError::Source { table: full.into(), source: error };
    let rows = source.rows(&format!("SELECT {} FROM {table}", list.join(", "))).await.map_err(failed)?;
    Ok(rows
        .iter()
        .map(|row| (0..columns.len()).map(|i| row.get::<&str, _>(i).map(normal)).collect())
        .collect())
}

async fn target_rows(
    target: &Client,
    full: &str,
    table: &str,
    columns: &[Column],
) -> Result<Vec<TextRow>, CompareError> {
    let list: Vec<_> = columns.iter().map(|column| column.target.as_str()).collect();
    let failed = |error| CompareError::Target { table: full.into(), source: error };
    let rows =
        target.query(&format!("select {} from {table}", list.join(", ")), &[]).await.map_err(failed)?;
    Ok(rows
        .iter()
        .map(|row| (0..columns.len()).map(|i| row.get::<_, Option<&str>>(i).map(normal)).collect())
        .collect())
}

/// One spelling for times and floats that differ only in trailing zeros or notation.
fn normal(text: &str) -> String {
    let exponent = text.contains("e+") || text.contains("e-");
    if let (true, Ok(number)) = (exponent, text.parse::<f64>()) {
        return format!("{number}");
    }
    let looks_timed = text.len() >= 8 && text.contains(':') && text.starts_with(|c: char| c.is_ascii_digit());
    if !looks_timed {
        return text.to_owned();
    }
    let (body, zone) = text.strip_suffix('Z').map_or((text, ""), |body| (body, "Z"));
    match body.rsplit_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|b| b.is_ascii_digit()) => {
            let micros = fraction.get(..6).unwrap_or(fraction).trim_end_matches('0');
            let point = if micros.is_empty() { "" } else { "." };
            format!("{whole}{point}{micros}{zone}")
        }
        _ => text.to_owned(),
    }
}

fn show(row: &TextRow) -> String {
    let values: Vec<_> = row.iter().map(|value| value.as_deref().unwrap_or("NULL")).collect();
    values.join(" | ")
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<24} {:>8} rows, {} different", self.table, self.rows, self.different)?;
        self.differences.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}
