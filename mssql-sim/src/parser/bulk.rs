//! `INSERT BULK`, with which drivers announce a bulk load.

use super::Parser;
use super::ast::{InsertBulk, Statement};
use crate::types::SqlError;

/// Hints that only tell how the rows come, which makes no difference here.
const COUNTED_HINTS: [&str; 2] = ["ROWS_PER_BATCH", "KILOBYTES_PER_BATCH"];

impl Parser {
    /// `INSERT BULK table [(column type, ...)] [WITH (hint, ...)]` behind BULK.
    pub(super) fn insert_bulk(&mut self) -> Result<Statement, SqlError> {
        let mut bulk = InsertBulk {
            table: self.object_name()?,
            columns: Vec::new(),
            keep_nulls: false,
            check_constraints: false,
        };
        if self.is_symbol("(") {
            bulk.columns = self.parenthesized(|p| p.comma_list(Self::bulk_column))?;
        }
        if self.accept("WITH") {
            self.parenthesized(|p| p.comma_list(|p| p.bulk_hint(&mut bulk)))?;
        }
        Ok(Statement::InsertBulk(bulk))
    }

    /// A column's name. Its type is that of the rows, which say it again themselves.
    fn bulk_column(&mut self) -> Result<String, SqlError> {
        let name = self.identifier()?;
        self.data_type()?;
        if self.accept("COLLATE") {
            self.identifier()?;
        }
        if !self.accept_sequence(&["NOT", "NULL"]) {
            self.accept("NULL");
        }
        Ok(name)
    }

    fn bulk_hint(&mut self, bulk: &mut InsertBulk) -> Result<(), SqlError> {
        if self.accept("KEEP_NULLS") {
            bulk.keep_nulls = true;
        } else if self.accept("CHECK_CONSTRAINTS") {
            bulk.check_constraints = true;
        } else if COUNTED_HINTS.into_iter().any(|hint| self.accept(hint)) {
            self.expect_symbol("=")?;
            self.scalar()?;
        } else if self.accept("ORDER") {
            self.parenthesized(|p| p.comma_list(Self::sorted_column))?;
        } else if !self.accept("TABLOCK") && !self.accept("FIRE_TRIGGERS") {
            return Err(self.unexpected());
        }
        Ok(())
    }

    fn sorted_column(&mut self) -> Result<(), SqlError> {
        self.identifier()?;
        if !self.accept("ASC") {
            self.accept("DESC");
        }
        Ok(())
    }
}
