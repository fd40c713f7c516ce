//! The filter of an index: which rows it holds, and so among which a unique one tolerates no twins.
//!
//! SQL Server allows only comparisons of columns with constants, IN and IS NULL, joined by AND, so that a filter can be
//! judged from a row's bytes alone.

use std::cmp::Ordering;

use super::definition::TableDef;
use super::keys;
use super::layout::column_value;
use crate::parser::ast::Expr;
use crate::types::Value;

/// The condition of a filtered index.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexFilter {
    /// As it was written.
    pub expr: Expr,
    /// Its terms, all of which a row must meet.
    pub terms: Vec<FilterTerm>,
}

/// A term of a filter.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterTerm {
    /// Position of the column.
    pub column: usize,
    /// What is asked of it.
    pub test: FilterTest,
}

/// What a term asks of its column. Constants are of the column's type.
#[derive(Clone, Debug, PartialEq)]
pub enum FilterTest {
    /// `IS NULL`
    Null,
    /// `IS NOT NULL`
    NotNull,
    /// A comparison: the orderings of column to constant that meet it.
    Compare(Value, &'static [Ordering]),
    /// `IN (...)`
    In(Vec<Value>),
}

impl IndexFilter {
    /// Whether the index holds a row.
    pub fn admits(&self, table: &TableDef, row: &[u8]) -> bool {
        self.terms.iter().all(|term| term.is_met(table, row))
    }

    /// Positions of the columns that it names.
    pub fn columns(&self) -> impl Iterator<Item = usize> {
        self.terms.iter().map(|term| term.column)
    }
}

impl FilterTerm {
    fn is_met(&self, table: &TableDef, row: &[u8]) -> bool {
        let value = column_value(&table.layout, row, self.column);
        let order = |constant: &Value| {
            // Key bytes have the column's order, that of its collation included.
            let bytes = |value: &Value| keys::value_bytes(table, self.column, value);
            bytes(&value).cmp(&bytes(constant))
        };
        match &self.test {
            FilterTest::Null => value.is_null(),
            FilterTest::NotNull => !value.is_null(),
            FilterTest::Compare(constant, wanted) => !value.is_null() && wanted.contains(&order(constant)),
            FilterTest::In(constants) => {
                !value.is_null() && constants.iter().any(|constant| order(constant) == Ordering::Equal)
            }
        }
    }
}
