//! INSERT, UPDATE, DELETE, and what MERGE has in common with them.

use super::Parser;
use super::ast::{
    Assignment, BinaryOp, Cte, Delete, Expr, Insert, InsertSource, ObjectName, Output, Statement, TableHint,
    Update, WriteTop,
};
use super::lexer::{TokenKind, syntax_error};
use crate::types::SqlError;

impl Parser {
    /// `INSERT`; CTEs written before it belong to its query.
    pub(super) fn insert(&mut self, context: Option<Expr>, ctes: Vec<Cte>) -> Result<Statement, SqlError> {
        self.expect("INSERT")?;
        if self.accept("BULK") {
            return self.insert_bulk();
        }
        let top = self.write_top()?;
        self.accept("INTO");
        let (table, hints) = self.target()?;
        let columns = if self.is_symbol("(") && !self.is_at(1, "SELECT") {
            self.identifier_list()?
        } else {
            Vec::new()
        };
        let outputs = self.outputs()?;
        let source = if self.accept_sequence(&["DEFAULT", "VALUES"]) {
            InsertSource::Defaults
        } else if self.accept("VALUES") {
            InsertSource::Values(self.comma_list(Self::row_of_values)?)
        } else if self.is_any(&["EXEC", "EXECUTE"]) {
            self.insert_execute(&outputs)?
        } else {
            InsertSource::Query(Box::new(self.query_after(ctes)?))
        };
        self.query_hints()?;
        Ok(Statement::Insert(Insert { context, top, table, hints, columns, outputs, source }))
    }

    fn insert_execute(&mut self, outputs: &[Output]) -> Result<InsertSource, SqlError> {
        if !outputs.is_empty() {
            let message = "The OUTPUT clause cannot be used in an INSERT...EXEC statement.";
            return Err(SqlError { state: 2, class: 16, ..syntax_error(483, self.line(), message) });
        }
        Ok(InsertSource::Execute(Box::new(self.execute()?)))
    }

    /// `(value, DEFAULT, ...)`
    pub(super) fn row_of_values(&mut self) -> Result<Vec<Option<Expr>>, SqlError> {
        self.parenthesized(|p| p.comma_list(Self::value_or_default))
    }

    fn value_or_default(&mut self) -> Result<Option<Expr>, SqlError> {
        if self.accept("DEFAULT") { Ok(None) } else { self.scalar().map(Some) }
    }

    /// `OUTPUT list INTO table`, `OUTPUT list`, or both.
    pub(super) fn outputs(&mut self) -> Result<Vec<Output>, SqlError> {
        let mut outputs = Vec::new();
        while self.accept("OUTPUT") {
            let items = self.comma_list(Self::select_item)?;
            let mut into = None;
            if self.accept("INTO") {
                let name = if self.is_variable() { self.table_variable()? } else { self.object_name()? };
                let columns = if self.is_symbol("(") { self.identifier_list()? } else { Vec::new() };
                into = Some((name, columns));
            }
            let ends = into.is_none();
            outputs.push(Output { items, into });
            if ends {
                break;
            }
        }
        Ok(outputs)
    }

    /// The table that is written, and its hints.
    pub(super) fn target(&mut self) -> Result<(ObjectName, Vec<TableHint>), SqlError> {
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

    /// `TOP (n) [PERCENT]` of a write, where the parentheses are required.
    pub(super) fn write_top(&mut self) -> Result<WriteTop, SqlError> {
        if !self.accept("TOP") {
            return Ok(None);
        }
        let count = self.parenthesized(Self::scalar)?;
        Ok(Some((count, self.accept("PERCENT"))))
    }

    pub(super) fn update(&mut self, context: Option<Expr>, ctes: Vec<Cte>) -> Result<Statement, SqlError> {
        self.expect("UPDATE")?;
        let top = self.write_top()?;
        let (target, hints) = self.target()?;
        self.expect("SET")?;
        let assignments = self.comma_list(Self::assignment)?;
        let outputs = self.outputs()?;
        let from = if self.accept("FROM") { self.comma_list(Self::table_ref)? } else { Vec::new() };
        let filter = self.filter()?;
        self.query_hints()?;
        Ok(Statement::Update(Update {
            context,
            ctes,
            top,
            target,
            hints,
            assignments,
            outputs,
            from,
            filter,
        }))
    }

    /// An item of a SET list.
    pub(super) fn assignment(&mut self) -> Result<Assignment, SqlError> {
        let mut variable = None;
        if self.is_variable() {
            let name = self.variable()?;
            if !self.is_symbol("=") {
                let value = Some(self.compound_assignment(Expr::Variable(name.clone()))?);
                return Ok(Assignment { variable: Some(name), column: None, value });
            }
            self.advance();
            if !self.is_column_assignment() {
                return Ok(Assignment { variable: Some(name), column: None, value: Some(self.scalar()?) });
            }
            variable = Some(name);
        }
        let mut parts = vec![self.identifier()?];
        while self.accept_symbol(".") {
            parts.push(self.identifier()?);
        }
        let value = if self.accept_symbol("=") {
            self.value_or_default()?
        } else {
            Some(self.compound_assignment(Expr::Column(parts.clone()))?)
        };
        Ok(Assignment { variable, column: Some(parts), value })
    }

    /// Whether `column =` or the like is next.
    fn is_column_assignment(&self) -> bool {
        let mut ahead = 1;
        while self.is_symbol_at(ahead, ".") {
            ahead += 2;
        }
        self.is_identifier() && self.is_assignment_at(ahead)
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

    pub(super) fn delete(&mut self, context: Option<Expr>, ctes: Vec<Cte>) -> Result<Statement, SqlError> {
        self.expect("DELETE")?;
        let top = self.write_top()?;
        self.accept("FROM");
        let (target, hints) = self.target()?;
        let outputs = self.outputs()?;
        let from = if self.accept("FROM") { self.comma_list(Self::table_ref)? } else { Vec::new() };
        let filter = self.filter()?;
        self.query_hints()?;
        Ok(Statement::Delete(Delete { context, ctes, top, target, hints, outputs, from, filter }))
    }
}
