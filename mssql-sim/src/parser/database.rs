//! Databases, logins, users and permissions.

use super::Parser;
use super::ast::{DatabaseOption, GrantKind, Permission, Securable, Statement, TrackingOptions};
use super::lexer::{TokenKind, syntax_error};
use crate::types::SqlError;

/// Options of ALTER DATABASE SET that change nothing here.
const NEUTRAL_OPTIONS: [&str; 22] = [
    "ANSI_NULLS",
    "ANSI_NULL_DEFAULT",
    "ANSI_PADDING",
    "ANSI_WARNINGS",
    "ARITHABORT",
    "AUTO_CLOSE",
    "AUTO_CREATE_STATISTICS",
    "AUTO_SHRINK",
    "AUTO_UPDATE_STATISTICS",
    "AUTO_UPDATE_STATISTICS_ASYNC",
    "CONCAT_NULL_YIELDS_NULL",
    "CURSOR_CLOSE_ON_COMMIT",
    "CURSOR_DEFAULT",
    "DELAYED_DURABILITY",
    "MULTI_USER",
    "NUMERIC_ROUNDABORT",
    "PAGE_VERIFY",
    "PARAMETERIZATION",
    "QUOTED_IDENTIFIER",
    "RECOVERY",
    "RECURSIVE_TRIGGERS",
    "TRUSTWORTHY",
];

impl Parser {
    /// `CREATE DATABASE | LOGIN | USER`
    pub(super) fn create_database_object(&mut self) -> Result<Statement, SqlError> {
        if self.accept("DATABASE") {
            let name = self.identifier()?;
            let collation = if self.accept("COLLATE") { Some(self.identifier()?) } else { None };
            if self.is_any(&["ON", "LOG", "WITH", "AS", "CONTAINMENT"]) {
                let construct = format!("CREATE DATABASE {}", self.kind().shown().to_uppercase());
                return self.unsupported(&construct);
            }
            return Ok(Statement::CreateDatabase { name, collation });
        }
        if self.accept("LOGIN") {
            return self.create_login();
        }
        self.expect("USER")?;
        let name = self.identifier()?;
        if self.is("WITHOUT") {
            return self.unsupported("CREATE USER WITHOUT LOGIN");
        }
        let login = if self.accept("FOR") || self.accept("FROM") {
            self.expect("LOGIN")?;
            self.identifier()?
        } else {
            name.clone()
        };
        if self.is("WITH") {
            return self.unsupported("CREATE USER WITH");
        }
        Ok(Statement::Permission(Permission::CreateUser { name, login }))
    }

    fn create_login(&mut self) -> Result<Statement, SqlError> {
        let name = self.identifier()?;
        self.expect_sequence(&["WITH", "PASSWORD"])?;
        self.expect_symbol("=")?;
        let password = self.text()?;
        while self.accept_symbol(",") {
            // Password policy is not modelled; another option would change what the login may do.
            if !self.accept("CHECK_POLICY") {
                self.expect("CHECK_EXPIRATION")?;
            }
            self.expect_symbol("=")?;
            self.on_off()?;
        }
        Ok(Statement::Permission(Permission::CreateLogin { name, password }))
    }

    /// `GRANT | DENY | REVOKE permissions [ON securable] TO | FROM principal`
    pub(super) fn change_permission(&mut self) -> Result<Statement, SqlError> {
        let kind = if self.accept("GRANT") {
            GrantKind::Grant
        } else if self.accept("DENY") {
            GrantKind::Deny
        } else {
            self.expect("REVOKE")?;
            GrantKind::Revoke
        };
        let permissions = self.comma_list(Self::permission_name)?;
        let securable = if self.accept("ON") { self.securable()? } else { Securable::Database };
        if !(self.accept("TO") || kind == GrantKind::Revoke && self.accept("FROM")) {
            return Err(self.unexpected());
        }
        let principal = if self.accept("PUBLIC") { "public".to_owned() } else { self.identifier()? };
        if self.is_symbol(",") {
            return self.unsupported("permission for several principals");
        }
        if self.is_any(&["WITH", "AS", "CASCADE"]) {
            return self.unsupported_here();
        }
        Ok(Statement::Permission(Permission::Change { kind, permissions, securable, principal }))
    }

    /// Words up to `,`, `ON`, `TO` or `FROM`, as `VIEW CHANGE TRACKING`.
    fn permission_name(&mut self) -> Result<String, SqlError> {
        let mut words = Vec::new();
        while let TokenKind::Word(word) = self.kind() {
            if self.is_any(&["ON", "TO", "FROM"]) {
                break;
            }
            words.push(word.to_ascii_uppercase());
            self.advance();
        }
        if self.is_symbol("(") {
            return self.unsupported("permission on columns");
        }
        if words.is_empty() { Err(self.unexpected()) } else { Ok(words.join(" ")) }
    }

    fn securable(&mut self) -> Result<Securable, SqlError> {
        if self.is_symbol_at(1, "::") {
            let class = self.kind().shown().to_uppercase();
            if !matches!(class.as_str(), "SCHEMA" | "OBJECT" | "DATABASE") {
                return self.unsupported(&format!("permission on {class}"));
            }
            self.advance();
            self.advance();
            return match class.as_str() {
                "SCHEMA" => self.identifier().map(Securable::Schema),
                "DATABASE" => self.identifier().map(|_| Securable::Database),
                _ => self.object_name().map(Securable::Object),
            };
        }
        self.object_name().map(Securable::Object)
    }

    /// `ALTER DATABASE name|CURRENT SET option`
    pub(super) fn alter_database(&mut self) -> Result<Statement, SqlError> {
        let database = if self.accept("CURRENT") { None } else { Some(self.identifier()?) };
        if !self.accept("SET") {
            let construct = format!("ALTER DATABASE {}", self.kind().shown().to_uppercase());
            return self.unsupported(&construct);
        }
        let option = self.database_option()?;
        if self.is_symbol(",") {
            if option.is_change_tracking() || self.is_at(1, "CHANGE_TRACKING") {
                let message = "Change tracking options for ALTER DATABASE cannot be combined with other ALTER DATABASE \
                               options.";
                return Err(syntax_error(22114, self.line(), message));
            }
            return self.unsupported("several options in ALTER DATABASE SET");
        }
        if self.accept("WITH") {
            self.termination()?;
        }
        Ok(Statement::AlterDatabase { database, option })
    }

    /// `NO_WAIT`, `ROLLBACK IMMEDIATE`, `ROLLBACK AFTER n [SECONDS]`: what happens to sessions in the way.
    fn termination(&mut self) -> Result<(), SqlError> {
        if self.accept("NO_WAIT") {
            return Ok(());
        }
        self.expect("ROLLBACK")?;
        if self.accept("IMMEDIATE") {
            return Ok(());
        }
        self.expect("AFTER")?;
        self.integer()?;
        self.accept("SECONDS");
        Ok(())
    }

    fn database_option(&mut self) -> Result<DatabaseOption, SqlError> {
        if self.accept("CHANGE_TRACKING") {
            return self.change_tracking();
        }
        if self.accept("ALLOW_SNAPSHOT_ISOLATION") {
            return self.on_off().map(DatabaseOption::AllowSnapshot);
        }
        if self.accept("READ_COMMITTED_SNAPSHOT") {
            return self.on_off().map(DatabaseOption::ReadCommittedSnapshot);
        }
        let name = self.kind().shown().to_uppercase();
        if name == "COMPATIBILITY_LEVEL" {
            self.advance();
            self.expect_symbol("=")?;
            let level = self.integer()?;
            return Ok(DatabaseOption::Ignored(format!("{name} = {level}")));
        }
        if !NEUTRAL_OPTIONS.contains(&name.as_str()) {
            return Err(self.unexpected());
        }
        self.advance();
        let value = match self.kind() {
            TokenKind::Word(value) if !self.is("WITH") && name != "MULTI_USER" => Some(value.to_uppercase()),
            _ => None,
        };
        let Some(value) = value else { return Ok(DatabaseOption::Ignored(name)) };
        self.advance();
        Ok(DatabaseOption::Ignored(format!("{name} {value}")))
    }

    fn change_tracking(&mut self) -> Result<DatabaseOption, SqlError> {
        if self.is_symbol("(") {
            return self.tracking_options().map(DatabaseOption::ChangeTracking);
        }
        self.expect_symbol("=")?;
        if !self.on_off()? {
            if self.accept_symbol("(") {
                return Err(self.unexpected());
            }
            return Ok(DatabaseOption::ChangeTrackingOff);
        }
        let options = if self.is_symbol("(") { self.tracking_options()? } else { TrackingOptions::default() };
        Ok(DatabaseOption::ChangeTrackingOn(options))
    }

    fn tracking_options(&mut self) -> Result<TrackingOptions, SqlError> {
        let mut options = TrackingOptions::default();
        self.parenthesized(|p| p.comma_list(|p| p.tracking_option(&mut options)))?;
        Ok(options)
    }

    fn tracking_option(&mut self, options: &mut TrackingOptions) -> Result<(), SqlError> {
        let twice = |p: &Self, name: &str| {
            let message = format!(
                "ALTER DATABASE change tracking option '{name}' was specified more than once. Each option can be \
                 specified only once."
            );
            Err(syntax_error(5091, p.line(), message))
        };
        if self.accept("AUTO_CLEANUP") {
            if options.auto_cleanup.is_some() {
                return twice(self, "AUTO_CLEANUP");
            }
            self.expect_symbol("=")?;
            options.auto_cleanup = Some(self.on_off()?);
            return Ok(());
        }
        self.expect("CHANGE_RETENTION")?;
        if options.retention.is_some() {
            return twice(self, "CHANGE_RETENTION");
        }
        self.expect_symbol("=")?;
        options.retention = Some(self.retention()?);
        Ok(())
    }

    /// A number and its unit as minutes; what is wrong with either is reported at the option's name.
    fn retention(&mut self) -> Result<(u32, u32), SqlError> {
        let line = self.line();
        let at_option = || syntax_error(102, line, "Incorrect syntax near 'CHANGE_RETENTION'.");
        let number = self.integer().ok().and_then(|n| i32::try_from(n).ok()).ok_or_else(at_option)?;
        let TokenKind::Word(unit) = self.kind() else { return Err(at_option()) };
        let minutes: u32 = match unit.to_ascii_uppercase().as_str() {
            "MINUTES" => 1,
            "HOURS" => 60,
            "DAYS" => 1440,
            _ => {
                let message = format!("'{unit}' is not a recognized CHANGE_RETENTION option.");
                return Err(SqlError { state: 2, ..syntax_error(155, line, message) });
            }
        };
        self.advance();
        match u32::try_from(number) {
            Ok(number @ 1..) if i64::from(number) * i64::from(minutes) <= i64::from(i32::MAX) => {
                Ok((number, minutes))
            }
            _ => {
                let message = "The value for change tracking option 'CHANGE_RETENTION' must be between 1 minute and \
                               2147483647 minutes.";
                Err(syntax_error(5092, line, message))
            }
        }
    }
}
