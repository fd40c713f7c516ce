//! Batches, blocks and the first keyword of a statement.

use super::Parser;
use super::ast::{Expr, Located, ObjectName, Statement};
use super::lexer::{TokenKind, syntax_error};
use crate::types::{SqlError, SqlType, Value};

impl Parser {
    pub(super) fn batch(&mut self) -> Result<Vec<Located>, SqlError> {
        let mut statements = Vec::new();
        self.skip_semicolons();
        // Only the very first word of a batch may be a procedure's name without EXEC.
        if self.is_identifier() && !self.starts_statement() {
            let line = self.line();
            let name = self.object_name()?;
            statements.push(Located { line, statement: self.execute_procedure(name, None)? });
            self.end_of_statement()?;
        }
        while !self.at_end() {
            statements.push(self.statement()?);
            self.end_of_statement()?;
        }
        Ok(statements)
    }

    fn skip_semicolons(&mut self) {
        while self.accept_symbol(";") {}
    }

    /// Takes the semicolons after a statement; a WITH that follows needs one.
    fn end_of_statement(&mut self) -> Result<(), SqlError> {
        if self.is("WITH") {
            return Err(self.unseparated_with());
        }
        self.skip_semicolons();
        Ok(())
    }

    /// 319: a WITH that does not begin a statement.
    fn unseparated_with(&self) -> SqlError {
        let message = "Incorrect syntax near the keyword 'with'. If this statement is a common table expression, an \
                       xmlnamespaces clause or a change tracking context clause, the previous statement must be \
                       terminated with a semicolon.";
        syntax_error(319, self.line(), message)
    }

    /// Statements up to `END`, which stays.
    pub(super) fn statements_until_end(&mut self) -> Result<Vec<Located>, SqlError> {
        let mut statements = Vec::new();
        self.skip_semicolons();
        while !self.is("END") {
            statements.push(self.statement()?);
            self.end_of_statement()?;
        }
        Ok(statements)
    }

    /// One statement, at its first line.
    pub(super) fn statement(&mut self) -> Result<Located, SqlError> {
        let line = self.line();
        let statement = self.nested(Self::statement_body)?;
        Ok(Located { line, statement })
    }

    /// Whether the current word, which is not reserved, begins a statement.
    fn starts_statement(&self) -> bool {
        self.is("THROW") || self.is("GO") && self.is_sequence(&["GO", "TO"])
    }

    fn statement_body(&mut self) -> Result<Statement, SqlError> {
        let TokenKind::Word(word) = self.kind() else {
            return if self.is_symbol("(") {
                self.select_statement(Vec::new())
            } else {
                Err(self.unexpected())
            };
        };
        match word.to_ascii_uppercase().as_str() {
            "SELECT" => self.select_statement(Vec::new()),
            "WITH" => self.with_statement(),
            "INSERT" => self.insert(None, Vec::new()),
            "UPDATE" => self.update(None, Vec::new()),
            "DELETE" => self.delete(None, Vec::new()),
            "MERGE" => self.merge(None, Vec::new()),
            "TRUNCATE" => self.truncate(),
            "CREATE" => self.create(),
            "ALTER" => self.alter(),
            "DROP" => self.drop(),
            "GRANT" | "DENY" | "REVOKE" => self.change_permission(),
            "USE" => self.use_database(),
            "BEGIN" => self.begin(),
            "COMMIT" => self.commit(),
            "ROLLBACK" => self.rollback(),
            "SAVE" => self.save(),
            "SET" => self.set(),
            "DECLARE" => self.declare(),
            "IF" => self.if_statement(),
            "WHILE" => self.while_statement(),
            "BREAK" => self.keyword_statement(Statement::Break),
            "CONTINUE" => self.keyword_statement(Statement::Continue),
            "RETURN" => self.return_statement(),
            "PRINT" => self.print(),
            "RAISERROR" => self.raise_error(),
            "THROW" => self.throw(),
            "WAITFOR" => self.wait_for(),
            "EXEC" | "EXECUTE" => self.execute(),
            "KILL" => self.kill(),
            "REVERT" => self.keyword_statement(Statement::Revert),
            "CHECKPOINT" => self.keyword_statement(Statement::Nothing),
            "BACKUP" => self.backup(),
            "RESTORE" => self.restore(),
            "DBCC" | "BULK" | "GOTO" | "OPEN" | "FETCH" | "CLOSE" | "DEALLOCATE" | "RECONFIGURE"
            | "SHUTDOWN" | "READTEXT" | "WRITETEXT" | "UPDATETEXT" => self.unsupported_here(),
            _ => Err(self.unexpected()),
        }
    }

    /// `KILL session`
    fn kill(&mut self) -> Result<Statement, SqlError> {
        self.expect("KILL")?;
        let session = self.integer()?;
        if self.is("WITH") {
            return self.unsupported("KILL WITH");
        }
        Ok(Statement::Kill(session))
    }

    fn keyword_statement(&mut self, statement: Statement) -> Result<Statement, SqlError> {
        self.advance();
        Ok(statement)
    }

    /// `WITH CHANGE_TRACKING_CONTEXT (x) [, cte ...] statement` or `WITH cte ... statement`
    fn with_statement(&mut self) -> Result<Statement, SqlError> {
        self.expect("WITH")?;
        let mut context = None;
        let mut ctes = Vec::new();
        if self.is("CHANGE_TRACKING_CONTEXT") && self.is_symbol_at(1, "(") {
            self.advance();
            context = Some(self.parenthesized(Self::tracking_context)?);
            if self.accept_symbol(",") {
                ctes = self.comma_list(Self::cte)?;
            }
            if self.is("WITH") {
                return Err(self.unseparated_with().caused_by(self.unexpected()));
            }
        } else {
            ctes = self.comma_list(Self::cte)?;
        }
        if self.is("INSERT") {
            return self.insert(context, ctes);
        }
        if self.is("UPDATE") {
            return self.update(context, ctes);
        }
        if self.is("DELETE") {
            return self.delete(context, ctes);
        }
        if self.is("MERGE") {
            return self.merge(context, ctes);
        }
        // SELECT accepts a context, which has nothing to act on.
        self.select_statement(ctes)
    }

    /// A variable or a binary literal, nothing else.
    fn tracking_context(&mut self) -> Result<Expr, SqlError> {
        if !matches!(self.kind(), TokenKind::Variable(_) | TokenKind::Binary(_)) {
            return Err(self.unexpected());
        }
        self.operand()
    }

    fn use_database(&mut self) -> Result<Statement, SqlError> {
        self.advance();
        self.identifier().map(Statement::Use)
    }

    /// `EXEC name arguments` or `EXEC ('text')`
    pub(super) fn execute(&mut self) -> Result<Statement, SqlError> {
        self.advance();
        if self.accept("AS") {
            return self.execute_as();
        }
        if self.is_symbol("(") {
            return self.parenthesized(Self::scalar).map(Statement::ExecuteText);
        }
        let mut status = None;
        if let TokenKind::Variable(variable) = self.kind().clone() {
            if !self.is_symbol_at(1, "=") {
                return self.unsupported("EXEC @variable");
            }
            self.advance();
            self.advance();
            status = Some(variable);
        }
        let name = self.object_name()?;
        self.execute_procedure(name, status)
    }

    /// `AS USER | LOGIN = 'name'`
    fn execute_as(&mut self) -> Result<Statement, SqlError> {
        let is_login = self.accept("LOGIN");
        if !is_login && !self.accept("USER") {
            return self.unsupported(&format!("EXECUTE AS {}", self.kind().shown().to_uppercase()));
        }
        self.expect_symbol("=")?;
        let name = self.text()?;
        if self.is("WITH") {
            return self.unsupported("EXECUTE AS WITH");
        }
        Ok(Statement::ExecuteAs { is_login, name })
    }

    fn execute_procedure(&mut self, name: ObjectName, status: Option<String>) -> Result<Statement, SqlError> {
        let arguments = if self.starts_argument() { self.comma_list(Self::argument)? } else { Vec::new() };
        Ok(Statement::Execute { name, arguments, status })
    }

    /// Whether the current token can begin an argument rather than the next statement.
    fn starts_argument(&self) -> bool {
        match self.kind() {
            TokenKind::End => false,
            TokenKind::Symbol(symbol) => *symbol == "-",
            TokenKind::Word(_) => self.is("NULL") || self.is_identifier(),
            _ => true,
        }
    }

    /// `[@name =] value [OUTPUT]`; a bare word is a string.
    fn argument(&mut self) -> Result<(Option<String>, Expr, bool), SqlError> {
        let name = match self.kind() {
            TokenKind::Variable(name) if self.is_symbol_at(1, "=") => Some(name.clone()),
            _ => None,
        };
        if name.is_some() {
            self.advance();
            self.advance();
        }
        let value = if self.is_identifier() {
            let word = self.identifier()?;
            let length = crate::types::Length::Limited(word.encode_utf16().count() as u16);
            Expr::Literal(Value::text(&word), SqlType::NVarChar(length))
        } else {
            self.scalar()?
        };
        let output = self.accept("OUTPUT") || self.accept("OUT");
        Ok((name, value, output))
    }
}
