//! `KILL`: one session ends another.

use super::Session;
use crate::types::{Reach, SqlError};

/// Session ids up to this one are the server's own.
const LAST_SYSTEM_SESSION: i64 = 50;

impl Session {
    /// Undoes everything, as the end of a killed session does; the error for a client that waits for an answer.
    pub(crate) fn die(&mut self) -> SqlError {
        self.cancel();
        self.abandon_transaction();
        let message = "Cannot continue the execution because the session is in the kill state.";
        SqlError { class: 21, reach: Reach::Connection, ..SqlError::statement(596, message) }
    }

    /// `KILL id`
    pub(super) fn kill(&self, id: i64) -> Result<(), SqlError> {
        let refuse = |number, message: &str| Err(SqlError::statement(number, message));
        if !self.principal.sysadmin {
            let message = "User does not have permission to use the KILL statement.";
            return Err(SqlError { class: 14, ..SqlError::statement(6102, message) });
        }
        if self.nesting() > 0 {
            return refuse(6115, "KILL command cannot be used inside user transactions.");
        }
        if id == i64::from(self.spid) {
            return refuse(6104, "Cannot use KILL to kill your own process.");
        }
        if (1..=LAST_SYSTEM_SESSION).contains(&id) {
            return Err(SqlError {
                class: 14,
                ..SqlError::statement(6107, "Only user processes can be killed.")
            });
        }
        if u16::try_from(id).is_ok_and(|id| self.shared.sessions.kill(id)) {
            return Ok(());
        }
        refuse(6106, &format!("Process ID {id} is not an active process ID."))
    }
}
