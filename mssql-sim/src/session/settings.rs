//! What `SET` changes in a session.

use std::time::Duration;

use crate::engine::Patience;
use crate::parser::ast::{Isolation, ObjectName};

/// A session's settings. A procedure or `sp_executesql` works on a copy, so that what it sets ends with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `TRANSACTION ISOLATION LEVEL`
    pub isolation: Isolation,
    /// `NOCOUNT`: DONE tokens carry no counts.
    pub no_count: bool,
    /// `FMTONLY`: queries tell their columns, and nothing is run.
    pub format_only: bool,
    /// `NOEXEC`: batches are compiled, and nothing is run until it is OFF again.
    pub no_exec: bool,
    /// `IMPLICIT_TRANSACTIONS`: what touches data outside a transaction begins one.
    pub implicit_transactions: bool,
    /// `ARITHABORT`, which only shows while ANSI_WARNINGS is on.
    pub arith_abort: bool,
    /// `CURSOR_CLOSE_ON_COMMIT`, which only shows.
    pub cursor_close: bool,
    /// `XACT_ABORT`: an error rolls the transaction back and ends the batch.
    pub abort_transaction: bool,
    /// `LOCK_TIMEOUT`; None waits for ever.
    pub lock_timeout: Option<Duration>,
    /// `DEADLOCK_PRIORITY`
    pub deadlock_priority: i8,
    /// `ROWCOUNT`; 0 is no limit.
    pub row_limit: u64,
    /// `TEXTSIZE`: most bytes of a long value that a result set carries; None is no limit.
    pub text_size: Option<u32>,
    /// `IDENTITY_INSERT`: the one table that takes explicit identity values.
    pub identity_insert: Option<ObjectName>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            isolation: Isolation::ReadCommitted,
            no_count: false,
            format_only: false,
            no_exec: false,
            implicit_transactions: false,
            arith_abort: false,
            cursor_close: false,
            abort_transaction: false,
            lock_timeout: None,
            deadlock_priority: 0,
            row_limit: 0,
            text_size: None,
            identity_insert: None,
        }
    }
}

impl Settings {
    /// `@@OPTIONS` of a client that has the usual ANSI switches on.
    pub fn options_word(&self) -> i32 {
        const ANSI_SWITCHES: i32 = 5432;
        let switches = [
            (2, self.implicit_transactions),
            (4, self.cursor_close),
            (64, self.arith_abort),
            (512, self.no_count),
            (16384, self.abort_transaction),
        ];
        switches.iter().filter(|(_, on)| *on).fold(ANSI_SWITCHES, |word, (bit, _)| word | bit)
    }

    /// `@@LOCK_TIMEOUT`: -1 waits for ever.
    pub fn lock_timeout_milliseconds(&self) -> i64 {
        self.lock_timeout.map_or(-1, |timeout| i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX))
    }

    /// How the session's statements wait for locks; the id goes into the text of a deadlock.
    pub fn patience(&self, process_id: u16) -> Patience {
        Patience { timeout: self.lock_timeout, deadlock_priority: self.deadlock_priority, process_id }
    }
}
