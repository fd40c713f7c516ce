//! The FROM clause: tables, derived tables, CHANGETABLE, joins and applies.

use super::Parser;
use super::ast::{Alias, Expr, JoinKind, ObjectName, TableHint, TableRef};
use super::lexer::{TokenKind, syntax_error};
use crate::types::{SqlError, SqlType, Value};

impl Parser {
    /// A table with everything joined to it.
    pub(super) fn table_ref(&mut self) -> Result<TableRef, SqlError> {
        self.nested(|p| {
            let mut left = p.table_primary()?;
            while let Some(kind) = p.join_kind()? {
                left = p.join(left, kind)?;
            }
            Ok(left)
        })
    }

    /// The right side of a join, and its ON: `a JOIN b JOIN c ON .. ON ..` nests to the right.
    fn join(&mut self, left: TableRef, kind: JoinKind) -> Result<TableRef, SqlError> {
        let mut right = self.table_primary()?;
        let conditional = matches!(kind, JoinKind::Inner | JoinKind::Left | JoinKind::Right | JoinKind::Full);
        let mut on = None;
        if conditional {
            while !self.is("ON") {
                let Some(inner) = self.join_kind()? else { return Err(self.unexpected()) };
                right = self.nested(|p| p.join(right, inner))?;
            }
            self.expect("ON")?;
            on = Some(self.condition()?);
        }
        Ok(TableRef::Join { kind, left: Box::new(left), right: Box::new(right), on })
    }

    /// The join operator that follows, if any.
    fn join_kind(&mut self) -> Result<Option<JoinKind>, SqlError> {
        if self.accept_sequence(&["CROSS", "JOIN"]) {
            return Ok(Some(JoinKind::Cross));
        }
        if self.accept_sequence(&["CROSS", "APPLY"]) {
            return Ok(Some(JoinKind::CrossApply));
        }
        if self.accept_sequence(&["OUTER", "APPLY"]) {
            return Ok(Some(JoinKind::OuterApply));
        }
        let kind = if self.accept("INNER") {
            JoinKind::Inner
        } else if self.accept("LEFT") {
            JoinKind::Left
        } else if self.accept("RIGHT") {
            JoinKind::Right
        } else if self.accept("FULL") {
            JoinKind::Full
        } else if self.accept("JOIN") {
            return Ok(Some(JoinKind::Inner));
        } else {
            return Ok(None);
        };
        if kind != JoinKind::Inner {
            self.accept("OUTER");
        }
        // Join hints choose an algorithm, never a result.
        if self.is_any(&["LOOP", "HASH", "MERGE", "REMOTE"]) {
            self.advance();
        }
        self.expect("JOIN")?;
        Ok(Some(kind))
    }

    fn table_primary(&mut self) -> Result<TableRef, SqlError> {
        if self.is_symbol("(") {
            return if self.is_at(1, "SELECT") || self.is_at(1, "VALUES") || self.is_at(1, "WITH") {
                self.derived_table()
            } else {
                self.parenthesized(Self::table_ref)
            };
        }
        if self.is("CHANGETABLE") && self.is_symbol_at(1, "(") {
            return self.change_table();
        }
        let name = if self.is_variable() { self.table_variable()? } else { self.object_name()? };
        let mut hints = Vec::new();
        if self.is_symbol("(") {
            if self.hint_at(1).is_none() {
                return self.table_function(name);
            }
            hints = self.parenthesized(Self::table_hints)?;
        }
        let alias = self.table_alias()?;
        if self.is_any(&["PIVOT", "UNPIVOT", "TABLESAMPLE"]) {
            return self.unsupported_here();
        }
        if self.is("WITH") && self.is_symbol_at(1, "(") {
            self.advance();
            hints = self.parenthesized(Self::table_hints)?;
        } else if self.is_symbol("(") && self.hint_at(1).is_some() {
            hints = self.parenthesized(Self::table_hints)?;
        }
        Ok(TableRef::Table { name, alias, hints })
    }

    /// `name(arguments) [AS alias] [(columns)]`
    fn table_function(&mut self, name: ObjectName) -> Result<TableRef, SqlError> {
        if name.schema.is_some() {
            return self.unsupported(&format!("table-valued function {}", name.name));
        }
        self.expect_symbol("(")?;
        let arguments = if self.is_symbol(")") { Vec::new() } else { self.comma_list(Self::scalar)? };
        self.expect_symbol(")")?;
        let alias = self.table_alias()?;
        let columns =
            if alias.is_some() && self.is_symbol("(") { self.identifier_list()? } else { Vec::new() };
        Ok(TableRef::Function { name: name.name.to_ascii_uppercase(), arguments, alias, columns })
    }

    fn table_alias(&mut self) -> Result<Option<String>, SqlError> {
        if self.accept("AS") || self.is_identifier() { self.identifier().map(Some) } else { Ok(None) }
    }

    fn hint_at(&self, ahead: usize) -> Option<TableHint> {
        match self.kind_at(ahead) {
            TokenKind::Word(word) => TableHint::named(&word.to_ascii_uppercase()),
            _ => None,
        }
    }

    /// The words between the parentheses of `WITH (...)`; the comma between them may be missing.
    pub(super) fn table_hints(&mut self) -> Result<Vec<TableHint>, SqlError> {
        let mut hints = Vec::new();
        while !self.is_symbol(")") {
            let Some(hint) = self.hint_at(0) else { return Err(self.unknown_hint(&self.kind().shown())) };
            self.advance();
            if hint == TableHint::Index {
                self.index_hint()?;
            }
            hints.push(hint);
            self.accept_symbol(",");
        }
        Ok(hints)
    }

    fn unknown_hint(&self, hint: &str) -> SqlError {
        let message = format!(
            "\"{hint}\" is not a recognized table hints option. If it is intended as a parameter to a table-valued \
             function or to the CHANGETABLE function, ensure that your database compatibility mode is set to 90."
        );
        syntax_error(321, self.line(), message)
    }

    /// `INDEX (a, 1)` or `INDEX = a`
    fn index_hint(&mut self) -> Result<(), SqlError> {
        let index = |p: &mut Self| match p.kind() {
            TokenKind::Number(_) => p.integer().map(|_| ()),
            _ => p.identifier().map(|_| ()),
        };
        if self.accept_symbol("=") {
            return if self.is_symbol("(") { self.parenthesized(index) } else { index(self) };
        }
        self.parenthesized(|p| p.comma_list(index)).map(|_| ())
    }

    fn derived_table(&mut self) -> Result<TableRef, SqlError> {
        let query = Box::new(self.parenthesized(Self::query)?);
        let Some(alias) = self.table_alias()? else { return Err(self.unexpected()) };
        let columns = if self.is_symbol("(") { self.identifier_list()? } else { Vec::new() };
        Ok(TableRef::Derived { query, alias, columns })
    }

    /// `CHANGETABLE(CHANGES ...)` and `CHANGETABLE(VERSION ...)`
    fn change_table(&mut self) -> Result<TableRef, SqlError> {
        self.advance();
        self.expect_symbol("(")?;
        if self.accept("CHANGES") {
            let table = self.object_name()?;
            self.expect_symbol(",")?;
            let last_sync = Box::new(self.last_sync()?);
            if self.accept_symbol(",") {
                self.expect("FORCESEEK")?;
            }
            self.expect_symbol(")")?;
            let alias = self.change_table_alias()?;
            return Ok(TableRef::Changes { table, last_sync, alias });
        }
        self.expect("VERSION")?;
        let table = self.object_name()?;
        self.expect_symbol(",")?;
        let columns = self.identifier_list()?;
        self.expect_symbol(",")?;
        let values = self.parenthesized(|p| p.comma_list(Self::scalar))?;
        if self.accept_symbol(",") {
            self.expect("FORCESEEK")?;
        }
        self.expect_symbol(")")?;
        let alias = self.change_table_alias()?;
        Ok(TableRef::RowVersionOf { table, columns, values, alias })
    }

    fn change_table_alias(&mut self) -> Result<Option<Alias>, SqlError> {
        let Some(name) = self.table_alias()? else { return Ok(None) };
        let columns = if self.is_symbol("(") { self.identifier_list()? } else { Vec::new() };
        Ok(Some(Alias { name, columns }))
    }

    /// NULL, an integer literal or a variable; any other expression is a syntax error.
    fn last_sync(&mut self) -> Result<Expr, SqlError> {
        match self.kind().clone() {
            TokenKind::Variable(name) => {
                self.advance();
                Ok(Expr::Variable(name))
            }
            _ if self.accept("NULL") => Ok(Expr::Null),
            _ => Ok(Expr::Literal(Value::Int(self.integer()?), SqlType::BigInt)),
        }
    }
}
