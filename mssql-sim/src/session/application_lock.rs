//! `sp_getapplock` and `sp_releaseapplock`.
//!
//! How a wait ends is the return status, never an error: 0 granted, 1 granted after a wait, -1 timed out, -3 victim of a
//! deadlock, -999 for arguments that mean nothing.

use std::sync::Arc;
use std::time::Duration;

use super::Session;
use super::procedure::Outcome;
use crate::engine::{ApplicationLock, ApplicationLockOwner, LockMode, Patience};
use crate::types::{SqlError, Value};
use crate::wire::rpc::Argument;

const GRANTED: i32 = 0;
const GRANTED_AFTER_WAIT: i32 = 1;
const TIMED_OUT: i32 = -1;
const DEADLOCKED: i32 = -3;
const INVALID: i32 = -999;
const DEADLOCK: i32 = 1205;
const TIMEOUT: i32 = 1222;

/// The arguments of a procedure by the names of its parameters.
struct Given<'a> {
    arguments: &'a [Argument],
    parameters: &'static [&'static str],
}

impl<'a> Given<'a> {
    /// The argument for a parameter, by its name or by its place.
    fn get(&self, parameter: &str) -> Option<&'a Value> {
        let place = self.parameters.iter().position(|name| *name == parameter)?;
        let named = self.arguments.iter().find(|a| a.name.eq_ignore_ascii_case(parameter));
        let placed = self.arguments.get(place).filter(|argument| argument.name.is_empty());
        named.or(placed).map(|argument| &argument.value)
    }

    fn text(&self, parameter: &str) -> Option<String> {
        match self.get(parameter)? {
            Value::Text(units) => Some(String::from_utf16_lossy(units)),
            _ => None,
        }
    }
}

impl Session {
    /// `sp_getapplock`
    pub(super) async fn get_application_lock(&self, arguments: &[Argument]) -> Result<Outcome, SqlError> {
        let parameters = &["@Resource", "@LockMode", "@LockOwner", "@LockTimeout", "@DbPrincipal"];
        let given = Given { arguments, parameters };
        if given.get("@LockMode").is_none() {
            let message = "Procedure or function 'sp_getapplock' expects parameter '@LockMode', which was not supplied.";
            return Err(SqlError { state: 4, ..SqlError::statement(201, message) });
        }
        let patience = self.application_patience(&given)?;
        let Some(lock) = self.application_lock(&given)? else { return Ok(status(INVALID)) };
        let mode = given.text("@LockMode").as_deref().and_then(LockMode::named);
        let owner = self.application_owner(&given);
        let (Some(mode), Some(owner)) = (mode, owner) else { return Ok(status(INVALID)) };
        let locked = self.shared.engine.lock_name(self.spid, (&lock, mode), owner, patience).await;
        Ok(status(match locked {
            Ok(false) => GRANTED,
            Ok(true) => GRANTED_AFTER_WAIT,
            Err(SqlError { number: TIMEOUT, .. }) => TIMED_OUT,
            Err(SqlError { number: DEADLOCK, .. }) => DEADLOCKED,
            Err(error) => return Err(error),
        }))
    }

    /// `sp_releaseapplock`
    pub(super) fn release_application_lock(&self, arguments: &[Argument]) -> Result<Outcome, SqlError> {
        let given = Given { arguments, parameters: &["@Resource", "@LockOwner", "@DbPrincipal"] };
        let Some(lock) = self.application_lock(&given)? else { return Ok(status(INVALID)) };
        let Some(owner) = self.application_owner(&given) else { return Ok(status(INVALID)) };
        if self.shared.engine.unlock_name(self.spid, &lock, owner) {
            return Ok(status(GRANTED));
        }
        let message = format!(
            "Cannot release the application lock (Database Principal: '{}', Resource: '{}') because it is not currently held.",
            lock.principal, lock.name
        );
        Err(SqlError::statement(1223, message))
    }

    /// The lock that is meant; None where no name was given.
    fn application_lock(&self, given: &Given<'_>) -> Result<Option<Arc<ApplicationLock>>, SqlError> {
        if let Some(Value::Null) = given.get("@Resource") {
            let message = "An invalid application lock resource was passed to xp_userlock.";
            return Err(SqlError { state: 5, ..SqlError::statement(1224, message) });
        }
        let Some(name) = given.text("@Resource") else { return Ok(None) };
        let principal = given.text("@DbPrincipal").unwrap_or_else(|| "public".into());
        let known = ["public", "dbo", "guest"].contains(&principal.as_str())
            || self.shared.engine.users(self.database.id()).iter().any(|user| user.name == principal);
        if !known {
            let message =
                format!("The database-principal '{principal}' does not exist or user is not a member.");
            return Err(SqlError::statement(1202, message));
        }
        Ok(Some(Arc::new(ApplicationLock::new(self.database.id(), principal, &name))))
    }

    /// For whom; None where that is no owner, or there is no transaction.
    fn application_owner(&self, given: &Given<'_>) -> Option<ApplicationLockOwner> {
        let owner = given.text("@LockOwner").unwrap_or_else(|| "Transaction".into());
        ApplicationLockOwner::named(&owner)
            .filter(|owner| *owner == ApplicationLockOwner::Session || self.transaction.is_some())
    }

    fn application_patience(&self, given: &Given<'_>) -> Result<Patience, SqlError> {
        let patience = self.settings.patience(self.spid);
        let timeout = match given.get("@LockTimeout") {
            Some(Value::Int(-1)) => None,
            Some(Value::Int(milliseconds)) => match u64::try_from(*milliseconds) {
                Ok(milliseconds) => Some(Duration::from_millis(milliseconds)),
                Err(_) => {
                    let message = "An invalid application lock time-out was passed to xp_userlock.";
                    return Err(SqlError { state: 2, ..SqlError::statement(1227, message) });
                }
            },
            _ => patience.timeout,
        };
        Ok(Patience { timeout, ..patience })
    }
}

fn status(status: i32) -> Outcome {
    Outcome { status, ..Outcome::success(Vec::new()) }
}
