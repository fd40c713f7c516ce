//! T-SQL to syntax tree, by recursive descent.
//!
//! A batch is parsed whole before any of it runs. Statements need no `;` between them: a statement ends where the
//! next token cannot continue it. What the grammar of this crate does not know is refused by an error that names the
//! token, never guessed and never skipped.
//!
//! `statement` dispatches on the first keyword; `query`, `dml`, `merge` and `control` hold the statements, `ddl`, `alter`,
//! `index`, `view`, `database` and `principal` the definitions, `expression` the operators, `primary` the operands,
//! `data_type` the types.

mod alter;
pub mod ast;
mod backup;
mod bulk;
mod control;
mod data_type;
mod database;
mod ddl;
mod dml;
mod expression;
mod grouping;
mod index;
mod keyword;
mod lexer;
mod merge;
mod name;
mod primary;
mod principal;
mod query;
mod set_option;
mod statement;
mod table_ref;
mod view;

pub use database::SWITCHES as DATABASE_SWITCHES;
pub use lexer::definition_text;
pub use name::parse_name;

use crate::types::{SqlError, SqlType};
use ast::{Located, ObjectName};
use lexer::{Token, TokenKind, syntax_error};

/// Deepest nesting of expressions, queries and blocks.
const MAX_DEPTH: u32 = 200;
/// Most operators of one precedence in a row; such a chain is as deep a tree.
const MAX_CHAIN: u32 = 256;
/// Most ANDs or ORs in a row, which are bound without recursion.
const MAX_CONDITIONS: u32 = 4096;

/// Parses a batch.
///
/// # Errors
/// Syntax errors (102, 105, 113, 156, ...) with the line of the offending token; nothing of the batch may run then.
pub fn parse_batch(text: &str) -> Result<Vec<Located>, SqlError> {
    Parser::new(text)?.batch()
}

/// Parses the parameter declarations of `sp_executesql`: name without `@` in lower case, type, whether `OUTPUT`.
///
/// # Errors
/// As [`parse_batch`].
pub fn parse_declarations(text: &str) -> Result<Vec<(String, SqlType, bool)>, SqlError> {
    let mut parser = Parser::new(text)?;
    if parser.at_end() {
        return Ok(Vec::new());
    }
    let declarations = parser.comma_list(|p| {
        let name = p.variable()?;
        p.accept("AS");
        let sql_type = p.data_type()?;
        let output = p.accept("OUTPUT") || p.accept("OUT");
        Ok((name, sql_type, output))
    })?;
    if parser.at_end() { Ok(declarations) } else { Err(parser.unexpected()) }
}

/// The tokens of a batch and the place in them.
struct Parser {
    tokens: Vec<Token>,
    position: usize,
    depth: u32,
}

impl Parser {
    fn new(text: &str) -> Result<Self, SqlError> {
        Ok(Self { tokens: lexer::tokenize(text)?, position: 0, depth: 0 })
    }

    fn kind(&self) -> &TokenKind {
        self.kind_at(0)
    }

    /// The token `ahead` places further on.
    fn kind_at(&self, ahead: usize) -> &TokenKind {
        let last = self.tokens.len() - 1;
        &self.tokens[(self.position + ahead).min(last)].kind
    }

    /// The token before the current one.
    fn kind_before(&self) -> &TokenKind {
        &self.tokens[self.position.saturating_sub(1)].kind
    }

    fn line(&self) -> i32 {
        self.tokens[self.position].line
    }

    fn at_end(&self) -> bool {
        *self.kind() == TokenKind::End
    }

    /// Moves on; the end is never passed.
    fn advance(&mut self) {
        self.position = (self.position + 1).min(self.tokens.len() - 1);
    }

    /// Whether the token `ahead` places on is this keyword.
    fn is_at(&self, ahead: usize, keyword: &str) -> bool {
        matches!(self.kind_at(ahead), TokenKind::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn is(&self, keyword: &str) -> bool {
        self.is_at(0, keyword)
    }

    fn is_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|k| self.is(k))
    }

    /// Whether the next tokens are these keywords.
    fn is_sequence(&self, keywords: &[&str]) -> bool {
        keywords.iter().enumerate().all(|(ahead, k)| self.is_at(ahead, k))
    }

    /// Takes the keyword if it is next.
    fn accept(&mut self, keyword: &str) -> bool {
        let found = self.is(keyword);
        if found {
            self.advance();
        }
        found
    }

    /// Takes these keywords if all of them are next.
    fn accept_sequence(&mut self, keywords: &[&str]) -> bool {
        let found = self.is_sequence(keywords);
        if found {
            keywords.iter().for_each(|_| self.advance());
        }
        found
    }

    fn expect(&mut self, keyword: &str) -> Result<(), SqlError> {
        if self.accept(keyword) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn expect_sequence(&mut self, keywords: &[&str]) -> Result<(), SqlError> {
        keywords.iter().try_for_each(|k| self.expect(k))
    }

    fn is_symbol_at(&self, ahead: usize, symbol: &str) -> bool {
        matches!(self.kind_at(ahead), TokenKind::Symbol(s) if *s == symbol)
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        self.is_symbol_at(0, symbol)
    }

    fn accept_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        if found {
            self.advance();
        }
        found
    }

    fn expect_symbol(&mut self, symbol: &str) -> Result<(), SqlError> {
        if self.accept_symbol(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// The error at the current token: 156 for a reserved word, else 102; at the end of the batch the last token is
    /// named.
    fn unexpected(&self) -> SqlError {
        let at = if self.at_end() { self.position.saturating_sub(1) } else { self.position };
        let Token { kind, line } = &self.tokens[at];
        match kind {
            TokenKind::Word(word) if keyword::is_reserved(word) => {
                syntax_error(156, *line, format!("Incorrect syntax near the keyword '{word}'."))
            }
            kind => syntax_error(102, *line, format!("Incorrect syntax near '{}'.", kind.shown())),
        }
    }

    /// A construct that this crate does not support, at the current line.
    fn unsupported<T>(&self, construct: &str) -> Result<T, SqlError> {
        Err(SqlError { line: self.line(), ..SqlError::unsupported(construct) })
    }

    /// Refuses the current token as a construct that this crate does not support.
    fn unsupported_here<T>(&self) -> Result<T, SqlError> {
        self.unsupported(&self.kind().shown().to_uppercase())
    }

    /// Parses `item {, item}`.
    fn comma_list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, SqlError>,
    ) -> Result<Vec<T>, SqlError> {
        let mut items = vec![item(self)?];
        while self.accept_symbol(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// Parses `( ... )`.
    fn parenthesized<T>(
        &mut self,
        inside: impl FnOnce(&mut Self) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        self.expect_symbol("(")?;
        let parsed = inside(self)?;
        self.expect_symbol(")")?;
        Ok(parsed)
    }

    /// Runs `parse` one level deeper; too deep is error 191 instead of an overflow of the stack.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, SqlError>) -> Result<T, SqlError> {
        if self.depth == MAX_DEPTH {
            return Err(self.too_deep());
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn too_deep(&self) -> SqlError {
        let message = "Some part of your SQL statement is nested too deeply. Rewrite the query or break it up into smaller \
                       queries.";
        syntax_error(191, self.line(), message)
    }

    /// Counts a link of a chain of operators; too long a chain is error 191 too.
    fn count_link(&self, links: &mut u32, limit: u32) -> Result<(), SqlError> {
        *links += 1;
        if *links > limit { Err(self.too_deep()) } else { Ok(()) }
    }

    /// Whether the token `ahead` places on may be a name.
    fn is_identifier_at(&self, ahead: usize) -> bool {
        match self.kind_at(ahead) {
            TokenKind::Quoted(_) => true,
            TokenKind::Word(word) => !keyword::is_reserved(word),
            _ => false,
        }
    }

    fn is_identifier(&self) -> bool {
        self.is_identifier_at(0)
    }

    fn identifier(&mut self) -> Result<String, SqlError> {
        if !self.is_identifier() {
            return Err(self.unexpected());
        }
        let name = self.kind().shown();
        self.advance();
        Ok(name)
    }

    /// `(a, b)`
    fn identifier_list(&mut self) -> Result<Vec<String>, SqlError> {
        self.parenthesized(|p| p.comma_list(Self::identifier))
    }

    fn is_variable(&self) -> bool {
        matches!(self.kind(), TokenKind::Variable(_))
    }

    fn variable(&mut self) -> Result<String, SqlError> {
        let TokenKind::Variable(name) = self.kind() else { return Err(self.unexpected()) };
        let name = name.clone();
        self.advance();
        Ok(name)
    }

    /// `@t` as the name of a table.
    fn table_variable(&mut self) -> Result<ObjectName, SqlError> {
        Ok(ObjectName { database: None, schema: None, name: format!("@{}", self.variable()?) })
    }

    /// A text literal.
    fn text(&mut self) -> Result<String, SqlError> {
        let TokenKind::Text { text, .. } = self.kind() else { return Err(self.unexpected()) };
        let text = text.clone();
        self.advance();
        Ok(text)
    }

    /// An integer literal with an optional minus.
    fn integer(&mut self) -> Result<i64, SqlError> {
        let negative = self.accept_symbol("-");
        let number = match self.kind() {
            TokenKind::Number(digits) => digits.parse::<i64>().ok(),
            _ => None,
        };
        let Some(number) = number else { return Err(self.unexpected()) };
        self.advance();
        Ok(if negative { -number } else { number })
    }

    /// `ON` or `OFF`.
    fn on_off(&mut self) -> Result<bool, SqlError> {
        if self.accept("ON") {
            return Ok(true);
        }
        self.expect("OFF").map(|()| false)
    }

    /// `[[database.][schema].]name`
    fn object_name(&mut self) -> Result<ObjectName, SqlError> {
        let mut parts = vec![Some(self.identifier()?)];
        while self.accept_symbol(".") {
            // `db..t`: the schema may be left out between two points.
            parts.push(if self.is_symbol(".") { None } else { Some(self.identifier()?) });
        }
        if parts.len() > 3 {
            return self.unsupported("four-part name");
        }
        let Some(Some(name)) = parts.pop() else { return Err(self.unexpected()) };
        let schema = parts.pop().flatten();
        let database = parts.pop().flatten();
        Ok(ObjectName { database, schema, name })
    }
}

#[cfg(test)]
mod tests;
