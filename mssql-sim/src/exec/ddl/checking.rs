//! Switching FOREIGN KEY and CHECK constraints on and off, and checking rows that are there already.

use std::sync::Arc;

use crate::engine::{Check, Checking, Interrupt, Row, TableDef};
use crate::exec::context::ExecContext;
use crate::exec::expression::RowExpression;
use crate::types::{SqlError, Value};

/// `[WITH CHECK] CHECK | NOCHECK CONSTRAINT ALL | a, b`; `how` is whether they are on, and whether rows are checked.
pub(super) fn set(
    context: &ExecContext,
    old: &Arc<TableDef>,
    names: Option<&[String]>,
    (enabled, validate): (bool, bool),
) -> Result<(), Interrupt> {
    for name in names.unwrap_or_default() {
        let mut known =
            old.foreign_keys.iter().map(|key| &key.name).chain(old.checks.iter().map(|c| &c.name));
        if !known.any(|known| known.eq_ignore_ascii_case(name)) {
            let missing = SqlError::statement(4917, format!("Constraint '{name}' does not exist."));
            let failed = "Could not enable or disable the constraint. See previous errors.";
            let failed = SqlError { state: 0, ..SqlError::statement(4916, failed) };
            return Err(failed.caused_by(SqlError { state: 0, ..missing }).into());
        }
    }
    let concerned =
        |name: &str| names.is_none_or(|names| names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)));
    let validate = enabled && validate;
    let change = |checking: &mut Checking| {
        *checking = Checking { enabled, trusted: validate || enabled && checking.trusted };
    };
    let mut new = (**old).clone();
    new.foreign_keys.iter_mut().filter(|key| concerned(&key.name)).for_each(|key| change(&mut key.checking));
    new.checks
        .iter_mut()
        .filter(|check| concerned(&check.name))
        .for_each(|check| change(&mut check.checking));
    new.modified = context.now;
    let transaction = context.names.transaction;
    if validate {
        let rows = context.engine.current_rows(transaction, old)?;
        check_rows(context, &new, new.checks.iter().filter(|check| concerned(&check.name)), &rows)?;
        for key in new.foreign_keys.iter().filter(|key| concerned(&key.name)) {
            context.engine.validate_foreign_key(transaction, &new, key)?;
        }
    }
    context.engine.alter_table(transaction, old, new, None)
}

/// Makes sure that rows meet CHECK constraints.
pub(super) fn check_rows<'a>(
    context: &ExecContext,
    table: &TableDef,
    checks: impl Iterator<Item = &'a Check>,
    rows: &[Row],
) -> Result<(), Interrupt> {
    for check in checks {
        let bound = RowExpression::condition(context, table, &check.expr)?;
        for row in rows {
            if bound.evaluate(context, row)? == Value::Bit(false) {
                let message = format!(
                    "The ALTER TABLE statement conflicted with the CHECK constraint \"{}\". The conflict occurred in database \
                     \"{}\", table \"{}\".",
                    check.name,
                    context.session.database,
                    table.qualified_name()
                );
                return Err(SqlError { state: 0, ..SqlError::statement(547, message) }.into());
            }
        }
    }
    Ok(())
}
