//! `APPLOCK_MODE` and `APPLOCK_TEST`.

use super::arguments::{Arguments, string};
use super::{Body, Definition, Returns, Site};
use crate::engine::{ApplicationLock, ApplicationLockOwner, Interrupt, LockMode};
use crate::types::{Length, SqlError, SqlType, Value};

pub(super) fn definition(name: &str) -> Option<Definition> {
    let define = |count, rule, body: Body| Some(Definition { count, rule, body });
    match name {
        "APPLOCK_MODE" => define(3..=3, mode_rule, mode),
        "APPLOCK_TEST" => define(4..=4, test_rule, test),
        _ => None,
    }
}

fn mode_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    (0..3).try_for_each(|position| arguments.text(position).map(drop))?;
    Ok(Returns::nullable(SqlType::NVarChar(Length::Limited(32))))
}

fn test_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    (0..4).try_for_each(|position| arguments.text(position).map(drop))?;
    Ok(Returns::nullable(SqlType::SmallInt))
}

fn mode(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let lock = lock(site, "applock_mode", &values)?;
    let owner = owner(site, "applock_mode", &values[2])?;
    let context = site.frame.context;
    let held = context.engine.name_mode(context.session.spid, &lock, owner);
    Ok(Value::text(held.and_then(LockMode::application_name).unwrap_or("NoLock")))
}

fn test(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let lock = lock(site, "applock_test", &values)?;
    let wanted = given("applock_test", &values, 2)?;
    let Some(wanted) = LockMode::named(&wanted) else {
        let message = "An invalid application lock mode was passed to applock_test.";
        return Err(SqlError::statement(1225, message).into());
    };
    owner(site, "applock_test", &values[3])?;
    let context = site.frame.context;
    Ok(Value::Int(i64::from(context.engine.can_lock_name(context.session.spid, &lock, wanted))))
}

/// The lock that the first two arguments mean.
fn lock(site: &Site<'_>, function: &str, values: &[Value]) -> Result<ApplicationLock, SqlError> {
    let (principal, name) = (given(function, values, 0)?, given(function, values, 1)?);
    let lock = ApplicationLock::new(site.frame.context.names.database, principal, &name);
    Ok(lock)
}

/// An argument that may not be NULL.
fn given(function: &str, values: &[Value], position: usize) -> Result<String, SqlError> {
    if values[position].is_null() {
        let message = format!(
            "Argument data type NULL is invalid for argument {} of {function} function.",
            position + 1
        );
        return Err(SqlError::statement(8116, message));
    }
    Ok(string(&values[position]))
}

/// For whom; NULL is the transaction.
fn owner(site: &Site<'_>, function: &str, value: &Value) -> Result<ApplicationLockOwner, SqlError> {
    let owner = if value.is_null() { "Transaction".to_owned() } else { string(value) };
    match ApplicationLockOwner::named(&owner) {
        Some(ApplicationLockOwner::Transaction) if site.frame.context.session.transaction_count == 0 => {
            let message = "The statement or function must be executed in the context of a user transaction.";
            Err(SqlError::statement(3918, message))
        }
        Some(owner) => Ok(owner),
        None => {
            let message = format!("An invalid application lock owner was passed to {function}.");
            Err(SqlError::statement(1226, message))
        }
    }
}
