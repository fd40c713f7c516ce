//! Control of flow, variables, transactions and messages.

use super::Parser;
use super::ast::{Expr, Statement, TypeName};
use super::lexer::TokenKind;
use crate::types::SqlError;

impl Parser {
    /// `BEGIN TRAN`, `BEGIN TRY` or a block.
    pub(super) fn begin(&mut self) -> Result<Statement, SqlError> {
        self.expect("BEGIN")?;
        if self.is_any(&["TRAN", "TRANSACTION"]) {
            self.advance();
            let name = self.transaction_name()?;
            if self.is("WITH") {
                return self.unsupported("BEGIN TRANSACTION WITH MARK");
            }
            return Ok(Statement::Begin(name));
        }
        if self.is_any(&["DISTRIBUTED", "DIALOG", "CONVERSATION", "ATOMIC"]) {
            return self.unsupported_here();
        }
        if self.accept("TRY") {
            return self.try_catch();
        }
        let statements = self.statements_until_end()?;
        if statements.is_empty() {
            return Err(self.unexpected());
        }
        self.expect("END")?;
        Ok(Statement::Block(statements))
    }

    fn try_catch(&mut self) -> Result<Statement, SqlError> {
        let body = self.statements_until_end()?;
        if body.is_empty() {
            return Err(self.unexpected());
        }
        self.expect_sequence(&["END", "TRY"])?;
        self.accept_symbol(";");
        self.expect_sequence(&["BEGIN", "CATCH"])?;
        let handler = self.statements_until_end()?;
        self.expect_sequence(&["END", "CATCH"])?;
        Ok(Statement::TryCatch(body, handler))
    }

    fn transaction_name(&mut self) -> Result<Option<String>, SqlError> {
        match self.kind() {
            TokenKind::Variable(_) => self.unsupported("transaction name in a variable"),
            _ if self.is_identifier() && !self.is("THROW") => self.identifier().map(Some),
            _ => Ok(None),
        }
    }

    /// Takes the optional word TRAN, TRANSACTION or WORK, then the optional name.
    fn transaction_end(&mut self) -> Result<Option<String>, SqlError> {
        self.advance();
        if self.is_any(&["TRAN", "TRANSACTION"]) {
            self.advance();
            return self.transaction_name();
        }
        self.accept("WORK");
        Ok(None)
    }

    pub(super) fn commit(&mut self) -> Result<Statement, SqlError> {
        self.transaction_end()?;
        if self.is("WITH") {
            return self.unsupported("COMMIT WITH DELAYED_DURABILITY");
        }
        Ok(Statement::Commit)
    }

    pub(super) fn rollback(&mut self) -> Result<Statement, SqlError> {
        self.transaction_end().map(Statement::Rollback)
    }

    pub(super) fn save(&mut self) -> Result<Statement, SqlError> {
        self.advance();
        if !self.accept("TRAN") {
            self.expect("TRANSACTION")?;
        }
        match self.transaction_name()? {
            Some(name) => Ok(Statement::Save(name)),
            None => Err(self.unexpected()),
        }
    }

    pub(super) fn if_statement(&mut self) -> Result<Statement, SqlError> {
        self.expect("IF")?;
        let condition = self.condition()?;
        let then = Box::new(self.statement()?);
        // `IF a b; ELSE c`: the semicolon ends the inner statement, not the IF.
        if self.is_symbol(";") && self.is_at(1, "ELSE") {
            self.advance();
        }
        let otherwise = if self.accept("ELSE") { Some(Box::new(self.statement()?)) } else { None };
        Ok(Statement::If { condition, then, otherwise })
    }

    pub(super) fn while_statement(&mut self) -> Result<Statement, SqlError> {
        self.expect("WHILE")?;
        let condition = self.condition()?;
        let body = Box::new(self.statement()?);
        Ok(Statement::While { condition, body })
    }

    pub(super) fn return_statement(&mut self) -> Result<Statement, SqlError> {
        self.expect("RETURN")?;
        if matches!(self.kind(), TokenKind::Number(_)) {
            return self.unsupported("RETURN with a value");
        }
        Ok(Statement::Return)
    }

    pub(super) fn declare(&mut self) -> Result<Statement, SqlError> {
        self.expect("DECLARE")?;
        if self.is_at(1, "TABLE") || self.is_at(1, "AS") && self.is_at(2, "TABLE") {
            return self.declare_table();
        }
        self.comma_list(Self::declaration).map(Statement::Declare)
    }

    fn declaration(&mut self) -> Result<(String, TypeName, Option<Expr>), SqlError> {
        if self.is_identifier() && self.is_at(1, "CURSOR") {
            return self.unsupported("CURSOR");
        }
        let name = self.variable()?;
        self.accept("AS");
        if self.is_any(&["TABLE", "CURSOR"]) {
            return self.unsupported_here();
        }
        let type_name = self.type_name()?;
        let value = if self.accept_symbol("=") { Some(self.scalar()?) } else { None };
        Ok((name, type_name, value))
    }

    /// Whether an assignment operator stands `ahead` places on.
    pub(super) fn is_assignment_at(&self, ahead: usize) -> bool {
        ["=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^="].iter().any(|s| self.is_symbol_at(ahead, s))
    }

    /// `@v = expr`, `@v += expr`
    pub(super) fn variable_assignment(&mut self) -> Result<(String, Expr), SqlError> {
        let name = self.variable()?;
        if self.accept_symbol("=") {
            return Ok((name, self.scalar()?));
        }
        let value = self.compound_assignment(Expr::Variable(name.clone()))?;
        Ok((name, value))
    }

    pub(super) fn print(&mut self) -> Result<Statement, SqlError> {
        self.expect("PRINT")?;
        self.scalar().map(Statement::Print)
    }

    pub(super) fn raise_error(&mut self) -> Result<Statement, SqlError> {
        self.expect("RAISERROR")?;
        let (message, severity, state) = self.parenthesized(Self::message_arguments)?;
        if self.is("WITH") {
            return self.unsupported("RAISERROR WITH");
        }
        Ok(Statement::RaiseError(message, severity, state))
    }

    pub(super) fn throw(&mut self) -> Result<Statement, SqlError> {
        self.expect("THROW")?;
        if self.at_end() || self.is_symbol(";") || self.is("END") {
            return Ok(Statement::Throw(None));
        }
        self.message_arguments().map(|arguments| Statement::Throw(Some(arguments)))
    }

    fn message_arguments(&mut self) -> Result<(Expr, Expr, Expr), SqlError> {
        let first = self.scalar()?;
        self.expect_symbol(",")?;
        let second = self.scalar()?;
        self.expect_symbol(",")?;
        let third = self.scalar()?;
        if self.is_symbol(",") {
            return self.unsupported("arguments of a message");
        }
        Ok((first, second, third))
    }

    pub(super) fn wait_for(&mut self) -> Result<Statement, SqlError> {
        self.expect("WAITFOR")?;
        if self.is("TIME") || self.is_symbol("(") {
            return self.unsupported("WAITFOR other than DELAY");
        }
        self.expect("DELAY")?;
        self.scalar().map(Statement::WaitFor)
    }
}
