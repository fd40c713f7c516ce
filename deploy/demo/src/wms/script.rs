//! T-SQL text for the demo's own rows: literals and multi-row inserts.

use chrono::{NaiveDate, NaiveDateTime};

/// A value as T-SQL writes it.
pub trait Literal {
    /// Its text.
    fn literal(&self) -> String;
}

impl Literal for str {
    fn literal(&self) -> String {
        format!("N'{}'", self.replace('\'', "''"))
    }
}

impl Literal for String {
    fn literal(&self) -> String {
        self.as_str().literal()
    }
}

impl Literal for i64 {
    fn literal(&self) -> String {
        self.to_string()
    }
}

impl Literal for i32 {
    fn literal(&self) -> String {
        self.to_string()
    }
}

impl Literal for NaiveDateTime {
    fn literal(&self) -> String {
        format!("'{}'", self.format("%Y-%m-%dT%H:%M:%S%.3f"))
    }
}

impl Literal for NaiveDate {
    fn literal(&self) -> String {
        format!("'{}'", self.format("%Y-%m-%d"))
    }
}

impl<T: Literal> Literal for Option<T> {
    fn literal(&self) -> String {
        self.as_ref().map_or_else(|| "NULL".into(), Literal::literal)
    }
}

impl<T: Literal + ?Sized> Literal for &T {
    fn literal(&self) -> String {
        (**self).literal()
    }
}

/// Ten-thousandths as a decimal literal.
pub struct Money(pub i64);

impl Literal for Money {
    fn literal(&self) -> String {
        format!("{}.{:04}", self.0 / 10_000, self.0 % 10_000)
    }
}

/// The literals of one row, in the order of the columns.
#[macro_export]
macro_rules! row {
    ($($value:expr),* $(,)?) => {
        [$($crate::wms::script::Literal::literal(&$value)),*]
    };
}

/// Rows of one table, written as inserts of many rows.
pub struct Rows {
    head: &'static str,
    rows: Vec<String>,
}

/// Rows per statement; SQL Server takes 1,000 at most.
const ROWS_PER_INSERT: usize = 500;

impl Rows {
    /// `head` is the table with its column list.
    pub fn of(head: &'static str) -> Self {
        Self { head, rows: Vec::new() }
    }

    /// One more row.
    pub fn push(&mut self, literals: &[String]) {
        self.rows.push(format!("({})", literals.join(",")));
    }

    /// The statements.
    pub fn statements(&self) -> impl Iterator<Item = String> {
        self.rows
            .chunks(ROWS_PER_INSERT)
            .map(|rows| format!("INSERT INTO {} VALUES {};", self.head, rows.join(",")))
    }
}
