//! `SET`: variables and session options.

use super::Parser;
use super::ast::{Isolation, SetOption, Statement};
use super::lexer::{TokenKind, syntax_error};
use crate::types::SqlError;

/// Options that are on or off.
const SWITCHES: [&str; 23] = [
    "ANSI_DEFAULTS",
    "ANSI_NULLS",
    "ANSI_NULL_DFLT_OFF",
    "ANSI_NULL_DFLT_ON",
    "ANSI_PADDING",
    "ANSI_WARNINGS",
    "ARITHABORT",
    "ARITHIGNORE",
    "CONCAT_NULL_YIELDS_NULL",
    "CURSOR_CLOSE_ON_COMMIT",
    "FMTONLY",
    "FORCEPLAN",
    "IMPLICIT_TRANSACTIONS",
    "NOCOUNT",
    "NOEXEC",
    "NUMERIC_ROUNDABORT",
    "PARSEONLY",
    "QUOTED_IDENTIFIER",
    "REMOTE_PROC_TRANSACTIONS",
    "SHOWPLAN_ALL",
    "SHOWPLAN_TEXT",
    "SHOWPLAN_XML",
    "XACT_ABORT",
];

/// Options with a value that is kept as it was written.
const VALUED: [&str; 6] =
    ["CONTEXT_INFO", "DATEFIRST", "DATEFORMAT", "LANGUAGE", "QUERY_GOVERNOR_COST_LIMIT", "TEXTSIZE"];

impl Parser {
    pub(super) fn set(&mut self) -> Result<Statement, SqlError> {
        self.expect("SET")?;
        if matches!(self.kind(), TokenKind::Variable(_)) {
            let (name, value) = self.variable_assignment()?;
            return Ok(Statement::SetVariable(name, value));
        }
        self.set_option().map(Statement::SetOption)
    }

    fn set_option(&mut self) -> Result<SetOption, SqlError> {
        if self.accept("TRANSACTION") {
            self.expect_sequence(&["ISOLATION", "LEVEL"])?;
            return self.isolation().map(SetOption::Isolation);
        }
        if self.accept("LOCK_TIMEOUT") {
            return self.integer().map(SetOption::LockTimeout);
        }
        if self.accept("DEADLOCK_PRIORITY") {
            return self.deadlock_priority().map(SetOption::DeadlockPriority);
        }
        if self.accept("IDENTITY_INSERT") {
            let table = self.object_name()?;
            return Ok(SetOption::IdentityInsert(table, self.on_off()?));
        }
        if self.accept("ROWCOUNT") {
            return self.integer().map(SetOption::RowCount);
        }
        if self.accept("STATISTICS") {
            let names =
                self.comma_list(|p| p.identifier().map(|n| format!("STATISTICS {}", n.to_uppercase())))?;
            return Ok(SetOption::Switch(names, self.on_off()?));
        }
        let name = self.kind().shown().to_ascii_uppercase();
        if VALUED.contains(&name.as_str()) {
            self.advance();
            return self.option_value().map(|value| SetOption::Other(name, value));
        }
        let names = self.comma_list(Self::switch_name)?;
        if self.is_any(&["ON", "OFF"]) {
            return Ok(SetOption::Switch(names, self.on_off()?));
        }
        // A bad value is reported at the option's name.
        let name = names.last().cloned().unwrap_or_default();
        Err(SqlError {
            state: 4,
            ..syntax_error(102, self.line(), format!("Incorrect syntax near '{name}'."))
        })
    }

    fn switch_name(&mut self) -> Result<String, SqlError> {
        let name = self.kind().shown().to_ascii_uppercase();
        if !SWITCHES.contains(&name.as_str()) {
            if self.is_identifier() {
                let message = format!("'{}' is not a recognized SET option.", self.kind().shown());
                return Err(syntax_error(195, self.line(), message));
            }
            return Err(self.unexpected());
        }
        self.advance();
        Ok(name)
    }

    /// One token: a number, a word, a string or a binary literal.
    fn option_value(&mut self) -> Result<String, SqlError> {
        let minus = if self.accept_symbol("-") { "-" } else { "" };
        match self.kind() {
            TokenKind::Number(_)
            | TokenKind::Word(_)
            | TokenKind::Quoted(_)
            | TokenKind::Text { .. }
            | TokenKind::Binary(_) => {
                let value = format!("{minus}{}", self.kind().shown());
                self.advance();
                Ok(value)
            }
            TokenKind::Variable(_) => self.unsupported("variable as the value of a SET option"),
            _ => Err(self.unexpected()),
        }
    }

    fn isolation(&mut self) -> Result<Isolation, SqlError> {
        let levels: [(&[&str], Isolation); 5] = [
            (&["READ", "UNCOMMITTED"], Isolation::ReadUncommitted),
            (&["READ", "COMMITTED"], Isolation::ReadCommitted),
            (&["REPEATABLE", "READ"], Isolation::RepeatableRead),
            (&["SERIALIZABLE"], Isolation::Serializable),
            (&["SNAPSHOT"], Isolation::Snapshot),
        ];
        for (words, level) in levels {
            if self.accept_sequence(words) {
                return Ok(level);
            }
        }
        Err(self.unexpected())
    }

    fn deadlock_priority(&mut self) -> Result<i8, SqlError> {
        for (word, priority) in [("LOW", -5), ("NORMAL", 0), ("HIGH", 5)] {
            if self.accept(word) {
                return Ok(priority);
            }
        }
        let line = self.line();
        let priority = self.integer()?;
        match i8::try_from(priority) {
            Ok(priority @ -10..=10) => Ok(priority),
            _ => {
                let message = format!(
                    "SET DEADLOCK_PRIORITY option is invalid. Valid options are {{HIGH | NORMAL | LOW | [{priority} ... -10..10]}}."
                );
                Err(syntax_error(2755, line, message))
            }
        }
    }
}
