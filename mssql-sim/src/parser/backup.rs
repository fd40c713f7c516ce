//! BACKUP and RESTORE of a database.

use super::Parser;
use super::ast::{BackupDatabase, Expr, RestoreDatabase, Statement};
use super::lexer::TokenKind;
use crate::types::{Length, SqlError, SqlType, Value};

/// Options that change nothing for a backup in memory.
const NEUTRAL_OPTIONS: [&str; 13] = [
    "CHECKSUM",
    "COMPRESSION",
    "COPY_ONLY",
    "DESCRIPTION",
    "MEDIANAME",
    "NAME",
    "NOFORMAT",
    "NOINIT",
    "NOSKIP",
    "NO_COMPRESSION",
    "RECOVERY",
    "SKIP",
    "STATS",
];

impl Parser {
    /// `BACKUP DATABASE name TO DISK = device [WITH options]`
    pub(super) fn backup(&mut self) -> Result<Statement, SqlError> {
        self.advance();
        if !self.accept("DATABASE") {
            return self.unsupported(&format!("BACKUP {}", self.kind().shown().to_uppercase()));
        }
        let database = self.backup_name()?;
        self.expect("TO")?;
        let device = self.device()?;
        let mut overwrite = false;
        self.backup_options("BACKUP", |p| {
            let found = p.accept("INIT") || p.accept("FORMAT");
            overwrite |= found;
            Ok(found)
        })?;
        Ok(Statement::Backup(BackupDatabase { database, device, overwrite }))
    }

    /// `RESTORE DATABASE name FROM DISK = device [WITH options]`
    pub(super) fn restore(&mut self) -> Result<Statement, SqlError> {
        self.advance();
        if !self.accept("DATABASE") {
            return self.unsupported(&format!("RESTORE {}", self.kind().shown().to_uppercase()));
        }
        let database = self.backup_name()?;
        self.expect("FROM")?;
        let device = self.device()?;
        let (mut file, mut replace) = (1, false);
        self.backup_options("RESTORE", |p| {
            if p.accept("REPLACE") {
                replace = true;
            } else if p.accept("FILE") {
                p.expect_symbol("=")?;
                file = p.integer()?;
            } else {
                return Ok(false);
            }
            Ok(true)
        })?;
        Ok(Statement::Restore(RestoreDatabase { database, device, file, replace }))
    }

    fn device(&mut self) -> Result<Expr, SqlError> {
        if !self.accept("DISK") {
            return self.unsupported(&format!("backup device {}", self.kind().shown()));
        }
        self.expect_symbol("=")?;
        let device = match self.kind() {
            TokenKind::Variable(_) => self.operand()?,
            _ => literal(self.text()?),
        };
        if self.is_symbol(",") {
            return self.unsupported("several backup devices");
        }
        Ok(device)
    }

    fn backup_name(&mut self) -> Result<Expr, SqlError> {
        match self.kind() {
            TokenKind::Variable(_) => self.operand(),
            _ => self.identifier().map(literal),
        }
    }

    /// `WITH option, ...`: those that `own` takes, and those that change nothing.
    fn backup_options(
        &mut self,
        statement: &str,
        mut own: impl FnMut(&mut Self) -> Result<bool, SqlError>,
    ) -> Result<(), SqlError> {
        if !self.accept("WITH") {
            return Ok(());
        }
        self.comma_list(|p| {
            if own(p)? {
                return Ok(());
            }
            let name = p.kind().shown().to_uppercase();
            if !NEUTRAL_OPTIONS.contains(&name.as_str()) {
                return p.unsupported(&format!("{statement} WITH {name}"));
            }
            p.advance();
            if p.accept_symbol("=") {
                p.operand()?;
            }
            Ok(())
        })?;
        Ok(())
    }
}

fn literal(text: String) -> Expr {
    let units: Vec<u16> = text.encode_utf16().collect();
    Expr::Literal(Value::Text(units), SqlType::NVarChar(Length::Max))
}
