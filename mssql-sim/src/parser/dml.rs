//! INSERT, UPDATE, DELETE.

use super::Parser;
use super::ast::{BinaryOp, Delete, Expr, Insert, InsertSource, ObjectName, Statement, TableHint, Update};
use super::lexer::{TokenKind, syntax_error};
use super::query::Cte;
use crate::types::SqlError;

impl Parser {
    /// `INSERT`; CTEs written before it belong to its query.
    pub(super) fn insert(&mut self, context: Option<Expr>, ctes: Vec<Cte>) -> Result<Statement, SqlError> {
        self.expect("INSERT")?;
        self.refuse_dml_top()?;
        self.accept("INTO");
        let (table, hints) = self.target()?;
        let columns = if self.is_symbol("(") && !self.is_at(1, "SELECT") {
            self.identifier_list()?
        } else {
            Vec::new()
        };
        self.refuse_output()?;
        let source = if self.accept_sequence(&["DEFAULT", "VALUES"]) {
            InsertSource::Defaults
        } else if self.accept("VALUES") {
            InsertSource::Values(
                self.comma_list(|p| p.parenthesized(|p| p.comma_list(Self::value_or_default)))?,
            )
        } else if self.is_any(&["EXEC", "EXECUTE"]) {
            return self.unsupported("INSERT EXEC");
        } else {
            InsertSource::Query(Box::new(self.query_after(ctes)?))
        };
        self.query_hints()?;
        Ok(Statement::Insert(Insert { context, table, hints, columns, source }))
    }

    fn refuse_dml_top(&self) -> Result<(), SqlError> {
        if self.is("TOP") { self.unsupported("INSERT TOP") } else { Ok(()) }
    }

    fn refuse_output(&self) -> Result<(), SqlError> {
        if self.is("OUTPUT") { self.unsupported("OUTPUT clause") } else { Ok(()) }
    }

    fn value_or_default(&mut self) -> Result<Option<Expr>, SqlError> {
        if self.accept("DEFAULT") { Ok(None) } else { self.scalar().map(Some) }
    }

    /// The table that is written, and its hints.
    fn target(&mut self) -> Result<(ObjectName, Vec<TableHint>), SqlError> {
        let name = if self.is_variable() { self.table_variable()? } else { self.object_name()? };
        let mut hints = Vec::new();
        if self.is("WITH") && self.is_symbol_at(1, "(") {
            self.advance();
            let line = self.line();
            hints = self.parenthesized(Self::table_hints)?;
            if hints.contains(&TableHint::NoLock) {
                let message = "The NOLOCK and READUNCOMMITTED lock hints are not allowed for target tables of INSERT, UPDATE, DELETE or MERGE statements.";
                return Err(syntax_error(1065, line, message));
            }
        }
        Ok((name, hints))
    }

    /// `TOP (n)` of UPDATE and DELETE, where the parentheses are required.
    fn dml_top(&mut self) -> Result<Option<Expr>, SqlError> {
        if !self.accept("TOP") {
            return Ok(None);
        }
        let count = self.parenthesized(Self::scalar)?;
        if self.is("PERCENT") {
            return self.unsupported("TOP PERCENT in UPDATE or DELETE");
        }
        Ok(Some(count))
    }

    pub(super) fn update(&mut self, context: Option<Expr>) -> Result<Statement, SqlError> {
        self.expect("UPDATE")?;
        let top = self.dml_top()?;
        let (target, hints) = self.target()?;
        self.expect("SET")?;
        let assignments = self.comma_list(Self::column_assignment)?;
        self.refuse_output()?;
        let from = if self.accept("FROM") { self.comma_list(Self::table_ref)? } else { Vec::new() };
        let filter = self.filter()?;
        self.query_hints()?;
        Ok(Statement::Update(Update { context, top, target, hints, assignments, from, filter }))
    }

    /// `column = expr | DEFAULT`, `column += expr`
    fn column_assignment(&mut self) -> Result<(String, Option<Expr>), SqlError> {
        if matches!(self.kind(), TokenKind::Variable(_)) {
            return self.unsupported("variable in the SET list of UPDATE");
        }
        let mut parts = vec![self.identifier()?];
        while self.accept_symbol(".") {
            parts.push(self.identifier()?);
        }
        let column = parts.last().cloned().unwrap_or_default();
        if self.accept_symbol("=") {
            return Ok((column, self.value_or_default()?));
        }
        let value = self.compound_assignment(Expr::Column(parts))?;
        Ok((column, Some(value)))
    }

    /// `target op= expr` as `target op expr`.
    pub(super) fn compound_assignment(&mut self, target: Expr) -> Result<Expr, SqlError> {
        let operator = match self.kind() {
            TokenKind::Symbol("+=") => BinaryOp::Add,
            TokenKind::Symbol("-=") => BinaryOp::Subtract,
            TokenKind::Symbol("*=") => BinaryOp::Multiply,
            TokenKind::Symbol("/=") => BinaryOp::Divide,
            TokenKind::Symbol("%=") => BinaryOp::Modulo,
            TokenKind::Symbol("&=") => BinaryOp::BitAnd,
            TokenKind::Symbol("|=") => BinaryOp::BitOr,
            TokenKind::Symbol("^=") => BinaryOp::BitXor,
            _ => return Err(self.unexpected()),
        };
        self.advance();
        let value = self.scalar()?;
        Ok(Expr::Binary(Box::new(target), operator, Box::new(value)))
    }

    pub(super) fn delete(&mut self, context: Option<Expr>) -> Result<Statement, SqlError> {
        self.expect("DELETE")?;
        let top = self.dml_top()?;
        self.accept("FROM");
        let (target, hints) = self.target()?;
        self.refuse_output()?;
        let from = if self.accept("FROM") { self.comma_list(Self::table_ref)? } else { Vec::new() };
        let filter = self.filter()?;
        self.query_hints()?;
        Ok(Statement::Delete(Delete { context, top, target, hints, from, filter }))
    }
}
