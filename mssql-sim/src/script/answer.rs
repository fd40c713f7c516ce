//! What a batch answers, as text.

use std::fmt;

use crate::types::SqlError;

/// One step of a batch's answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A result set.
    Table(Table),
    /// Rows that a statement changed.
    Affected(u64),
    /// A message of class 10 or less.
    Message(String),
    /// An error; the batch may go on behind it.
    Error(SqlError),
}

/// A result set as text; NULL is None.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Table {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Rows.
    pub rows: Vec<Vec<Option<String>>>,
}

impl fmt::Display for Table {
    /// Columns as wide as their widest value, a line under their names, and the number of rows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "NULL".to_owned());
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                let cells = self.rows.iter().map(|row| shown(&row[column]).chars().count());
                cells.chain([self.columns[column].chars().count(), 1]).max().unwrap_or_default()
            })
            .collect();
        let write_row = |f: &mut fmt::Formatter<'_>, cells: Vec<String>| {
            let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            writeln!(f, "{}", padded.collect::<Vec<_>>().join(" ").trim_end())
        };
        write_row(f, self.columns.clone())?;
        write_row(f, widths.iter().map(|width| "-".repeat(*width)).collect())?;
        for row in &self.rows {
            write_row(f, row.iter().map(shown).collect())?;
        }
        let rows = self.rows.len();
        write!(f, "\n({rows} {} affected)", if rows == 1 { "row" } else { "rows" })
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(table) => table.fmt(f),
            Self::Affected(1) => f.write_str("(1 row affected)"),
            Self::Affected(rows) => write!(f, "({rows} rows affected)"),
            Self::Message(message) => f.write_str(message),
            Self::Error(error) => error.fmt(f),
        }
    }
}
