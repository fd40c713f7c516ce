//! ALTER DATABASE.

use super::Parser;
use super::ast::{DatabaseOption, RecoveryModel, Statement, TrackingOptions};
use super::lexer::{TokenKind, syntax_error};
use crate::types::SqlError;

/// Options of ALTER DATABASE SET that are on or off, and that the catalog shows.
pub const SWITCHES: [&str; 22] = [
    "ANSI_NULL_DEFAULT",
    "ANSI_NULLS",
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
    "DATE_CORRELATION_OPTIMIZATION",
    "DB_CHAINING",
    "HONOR_BROKER_PRIORITY",
    "MEMORY_OPTIMIZED_ELEVATE_TO_SNAPSHOT",
    "MIXED_PAGE_ALLOCATION",
    "NUMERIC_ROUNDABORT",
    "QUOTED_IDENTIFIER",
    "RECURSIVE_TRIGGERS",
    "TEMPORAL_HISTORY_RETENTION",
    "TRUSTWORTHY",
];

/// Options with a word behind them that change nothing here, and the words that they take.
const WORDS: [(&str, &[&str]); 5] = [
    ("CURSOR_DEFAULT", &["GLOBAL", "LOCAL"]),
    ("PAGE_VERIFY", &["CHECKSUM", "TORN_PAGE_DETECTION", "NONE"]),
    ("PARAMETERIZATION", &["SIMPLE", "FORCED"]),
    ("DELAYED_DURABILITY", &["DISABLED", "ALLOWED", "FORCED"]),
    ("ACCELERATED_DATABASE_RECOVERY", &["ON", "OFF"]),
];

/// Options that stand alone and are what a database here is already.
const STATES: [&str; 5] = ["ONLINE", "READ_WRITE", "MULTI_USER", "ENABLE_BROKER", "DISABLE_BROKER"];

impl Parser {
    /// `ALTER DATABASE name|CURRENT SET option, ...`
    pub(super) fn alter_database(&mut self) -> Result<Statement, SqlError> {
        if self.is_sequence(&["SCOPED", "CONFIGURATION"]) {
            return self.unsupported("ALTER DATABASE SCOPED CONFIGURATION");
        }
        let database = if self.accept("CURRENT") { None } else { Some(self.identifier()?) };
        if !self.accept("SET") {
            let construct = format!("ALTER DATABASE {}", self.kind().shown().to_uppercase());
            return self.unsupported(&construct);
        }
        let options = self.comma_list(Self::database_option)?;
        if options.len() > 1 && options.iter().any(DatabaseOption::is_change_tracking) {
            let message = "Change tracking options for ALTER DATABASE cannot be combined with other ALTER DATABASE \
                           options.";
            return Err(syntax_error(22114, self.line(), message));
        }
        if self.accept("WITH") {
            self.termination()?;
        }
        Ok(Statement::AlterDatabase { database, options })
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
        if let Some(switch) = SWITCHES.into_iter().find(|switch| *switch == name) {
            self.advance();
            return self.switched().map(|on| DatabaseOption::Switch(switch, on));
        }
        if STATES.contains(&name.as_str()) {
            self.advance();
            return Ok(DatabaseOption::Neutral);
        }
        if let Some((_, words)) = WORDS.into_iter().find(|(option, _)| *option == name) {
            self.advance();
            self.accept_symbol("=");
            if !self.is_any(words) {
                return Err(self.unexpected());
            }
            self.advance();
            return Ok(DatabaseOption::Neutral);
        }
        match name.as_str() {
            "RECOVERY" => self.recovery(),
            "COMPATIBILITY_LEVEL" => self.compatibility_level(),
            "TARGET_RECOVERY_TIME" => {
                self.advance();
                self.expect_symbol("=")?;
                self.integer()?;
                if !self.accept("SECONDS") {
                    self.expect("MINUTES")?;
                }
                Ok(DatabaseOption::Neutral)
            }
            "QUERY_STORE" | "FILESTREAM" => {
                self.advance();
                if self.accept_symbol("=") {
                    self.on_off()?;
                }
                if self.is_symbol("(") {
                    self.skip_parentheses()?;
                }
                Ok(DatabaseOption::Neutral)
            }
            "READ_ONLY" | "SINGLE_USER" | "RESTRICTED_USER" | "OFFLINE" | "EMERGENCY" => {
                self.unsupported(&format!("ALTER DATABASE SET {name}"))
            }
            _ => Err(self.unexpected()),
        }
    }

    /// `ON` or `OFF`, with or without `=`, and details in parentheses.
    fn switched(&mut self) -> Result<bool, SqlError> {
        self.accept_symbol("=");
        let on = self.on_off()?;
        if self.is_symbol("(") {
            self.skip_parentheses()?;
        }
        Ok(on)
    }

    /// Details that say nothing here, up to their closing parenthesis.
    pub(super) fn skip_parentheses(&mut self) -> Result<(), SqlError> {
        self.expect_symbol("(")?;
        let mut depth = 1;
        while depth > 0 {
            if self.at_end() {
                return Err(self.unexpected());
            }
            depth += i32::from(self.is_symbol("(")) - i32::from(self.is_symbol(")"));
            self.advance();
        }
        Ok(())
    }

    /// `RECOVERY FULL|SIMPLE|BULK_LOGGED`, without `=`
    fn recovery(&mut self) -> Result<DatabaseOption, SqlError> {
        self.advance();
        let models = [
            ("FULL", RecoveryModel::Full),
            ("BULK_LOGGED", RecoveryModel::BulkLogged),
            ("SIMPLE", RecoveryModel::Simple),
        ];
        let Some((_, model)) = models.into_iter().find(|(word, _)| self.is(word)) else {
            return Err(self.unexpected());
        };
        self.advance();
        Ok(DatabaseOption::Recovery(model))
    }

    fn compatibility_level(&mut self) -> Result<DatabaseOption, SqlError> {
        self.advance();
        self.expect_symbol("=")?;
        let line = self.line();
        let level = self.integer()?;
        match u8::try_from(level) {
            Ok(level @ (100 | 110 | 120 | 130 | 140 | 150 | 160)) => {
                Ok(DatabaseOption::CompatibilityLevel(level))
            }
            _ => {
                let message = "Valid values of the database compatibility level are 100, 110, 120, 130, 140, 150, or 160.";
                Err(syntax_error(15048, line, message))
            }
        }
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
