//! `EXECUTE AS` and `REVERT`: acting as another user or login.

use super::Session;
use crate::engine::Principal;
use crate::types::SqlError;

impl Session {
    /// `EXECUTE AS USER | LOGIN = 'name'`, until REVERT or the end of the procedure.
    ///
    /// # Errors
    /// 15517 and 15406 for one that does not exist or may not be impersonated.
    pub(super) fn impersonate(&mut self, is_login: bool, name: &str) -> Result<(), SqlError> {
        let other = if is_login { self.other_login(name) } else { self.other_user(name) };
        let Some(other) = other else {
            let (number, kind) = if is_login { (15406, "server") } else { (15517, "database") };
            let message = format!(
                "Cannot execute as the {kind} principal because the principal \"{name}\" does not exist, this type of \
                 principal cannot be impersonated, or you do not have permission."
            );
            return Err(SqlError::statement(number, message));
        };
        self.impersonated.push(std::mem::replace(&mut self.principal, other));
        Ok(())
    }

    fn other_user(&self, name: &str) -> Option<Principal> {
        let (engine, database) = (&self.shared.engine, self.database.id());
        if !engine.permitted_on_database(&self.principal, "CONTROL", database) {
            return None;
        }
        let users = engine.users(database);
        let user = users.into_iter().find(|user| !user.is_role && user.name.eq_ignore_ascii_case(name))?;
        let login = user.login.unwrap_or_else(|| user.name.clone());
        Some(Principal { login, sysadmin: false, user: Some(user.name) })
    }

    fn other_login(&self, name: &str) -> Option<Principal> {
        if !self.shared.engine.permitted_on_server(&self.principal, "ALTER ANY LOGIN") {
            return None;
        }
        let logins = self.shared.engine.logins();
        let (login, sysadmin) = logins.into_iter().find(|(login, _)| login.eq_ignore_ascii_case(name))?;
        Some(Principal::of_login(&login, sysadmin))
    }

    /// `REVERT`: back to who one was before the last EXECUTE AS; nothing without one.
    pub(super) fn revert(&mut self) {
        if let Some(before) = self.impersonated.pop() {
            self.principal = before;
        }
    }

    /// Back to who one was when so many were impersonated.
    pub(super) fn revert_to(&mut self, impersonations: usize) {
        while self.impersonated.len() > impersonations {
            self.revert();
        }
    }
}
