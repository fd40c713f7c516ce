//! `SET` statements that change the session, and `USE`.

use std::time::Duration;

use super::event::{Event, Events};
use super::{Failure, Session};
use crate::parser::ast::SetOption;
use crate::types::{Reach, SqlError};

/// Switches that clients set to the only value that this double has.
const FIXED_SWITCHES: [(&str, bool); 10] = [
    ("ANSI_NULLS", true),
    ("ANSI_NULL_DFLT_ON", true),
    ("ANSI_PADDING", true),
    ("ANSI_WARNINGS", true),
    ("ANSI_DEFAULTS", true),
    ("ARITHIGNORE", false),
    ("CONCAT_NULL_YIELDS_NULL", true),
    ("NUMERIC_ROUNDABORT", false),
    ("PARSEONLY", false),
    ("QUOTED_IDENTIFIER", true),
];

impl Session {
    pub(super) fn set_option(&mut self, option: &SetOption) -> Result<(), SqlError> {
        match option {
            SetOption::Switch(names, on) => names.iter().try_for_each(|name| self.set_switch(name, *on))?,
            SetOption::Isolation(level) => self.settings.isolation = *level,
            SetOption::LockTimeout(milliseconds) => {
                self.settings.lock_timeout = u64::try_from(*milliseconds).ok().map(Duration::from_millis);
            }
            SetOption::DeadlockPriority(priority) => self.settings.deadlock_priority = *priority,
            SetOption::IdentityInsert(table, on) => {
                self.settings.identity_insert = on.then(|| table.clone());
            }
            SetOption::RowCount(limit) => {
                self.settings.row_limit = u64::try_from(*limit).map_err(|_| {
                    SqlError::statement(1060, "The number of rows of SET ROWCOUNT must not be negative.")
                })?;
            }
            SetOption::Other(name, value) if name == "TEXTSIZE" => {
                self.settings.text_size = text_size(value)?;
            }
            SetOption::Other(name, value) => check_other(name, value)?,
        }
        Ok(())
    }

    fn set_switch(&mut self, name: &str, on: bool) -> Result<(), SqlError> {
        match name {
            "NOCOUNT" => self.settings.no_count = on,
            "FMTONLY" => self.settings.format_only = on,
            "XACT_ABORT" => self.settings.abort_transaction = on,
            "NOEXEC" => self.settings.no_exec = on,
            "IMPLICIT_TRANSACTIONS" => self.settings.implicit_transactions = on,
            "ARITHABORT" => self.settings.arith_abort = on,
            "CURSOR_CLOSE_ON_COMMIT" => self.settings.cursor_close = on,
            _ if FIXED_SWITCHES.contains(&(name, on)) => {}
            _ => {
                let value = if on { "ON" } else { "OFF" };
                return Err(SqlError::unsupported(format!("SET {name} {value}")));
            }
        }
        Ok(())
    }

    /// `USE database`
    pub(super) async fn use_database(&mut self, name: &str, events: &Events) -> Result<(), Failure> {
        // It ends the batch, as a name that is not there does elsewhere.
        let opened = self.shared.engine.use_database(&self.principal, name);
        let database = opened.map_err(|error| SqlError { reach: Reach::Batch, ..error })?;
        let old = self.database_name();
        self.enter(database);
        Ok(events.send(Event::DatabaseChanged { old, new: self.database_name() }).await?)
    }
}

/// Bytes of `SET TEXTSIZE`: -1 is no limit, 0 the one of old.
fn text_size(value: &str) -> Result<Option<u32>, SqlError> {
    const OF_OLD: u32 = 4096;
    const NO_LIMIT: u32 = i32::MAX as u32;
    match value.parse::<i64>() {
        Ok(-1) => Ok(None),
        Ok(0) => Ok(Some(OF_OLD)),
        Ok(bytes) if (1..=i64::from(NO_LIMIT)).contains(&bytes) => {
            Ok(u32::try_from(bytes).ok().filter(|bytes| *bytes < NO_LIMIT))
        }
        _ => Err(SqlError::unsupported(format_args!("SET TEXTSIZE {value}"))),
    }
}

/// Options with values: those that change nothing here, as long as they keep it so.
fn check_other(name: &str, value: &str) -> Result<(), SqlError> {
    let accepted = match name {
        "QUERY_GOVERNOR_COST_LIMIT" => true,
        "DATEFORMAT" => value.eq_ignore_ascii_case("mdy"),
        "DATEFIRST" => value == "7",
        "LANGUAGE" => value.eq_ignore_ascii_case("us_english") || value.eq_ignore_ascii_case("english"),
        _ => false,
    };
    if accepted { Ok(()) } else { Err(SqlError::unsupported(format!("SET {name} {value}"))) }
}
