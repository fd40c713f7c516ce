//! What a session knows about itself: `@@` names, error and transaction functions, identities.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering as AtomicOrdering};

use super::arguments::Arguments;
use super::{Body, Definition, Returns, Site, niladic};
use crate::exec::context::SessionFacts;
use crate::exec::expression::Scalar;
use crate::types::{Length, SqlError, SqlType, Value};

const NAME: SqlType = SqlType::NVarChar(Length::Limited(128));
const IDENTITY: SqlType = SqlType::Numeric { precision: 38, scale: 0 };
/// What `@@VERSION` says; clients look for the words before the dash.
const VERSION: &str = "Microsoft SQL Server 2022 (RTM) - 16.0.1000.6 (X64) \n\tmssql-sim on Linux";

/// An `@@` name.
///
/// # Errors
/// 137 for an unknown one.
pub(crate) fn global(name: &str) -> Result<Scalar, SqlError> {
    let number = |body: Body| Ok(niladic(name, SqlType::Int, false, body));
    match name {
        "ROWCOUNT" => number(|site, _| Ok(Value::Int(facts(site).row_count as i64))),
        "TRANCOUNT" => number(|site, _| Ok(Value::Int(i64::from(facts(site).transaction_count)))),
        "ERROR" => number(|site, _| Ok(Value::Int(i64::from(facts(site).last_error)))),
        "OPTIONS" => number(|site, _| Ok(Value::Int(i64::from(facts(site).options)))),
        "LOCK_TIMEOUT" => number(|site, _| Ok(Value::Int(facts(site).lock_timeout))),
        "TEXTSIZE" => number(|site, _| Ok(Value::Int(facts(site).text_size.map_or(-1, i64::from)))),
        "FETCH_STATUS" => number(|_, _| Ok(Value::Int(0))),
        "NESTLEVEL" => number(|_, _| Ok(Value::Int(0))),
        "MICROSOFTVERSION" => number(|_, _| Ok(Value::Int(0x1000_03E8))),
        "SPID" => {
            Ok(niladic(name, SqlType::SmallInt, false, |site, _| Ok(Value::Int(i64::from(facts(site).spid)))))
        }
        "DATEFIRST" => Ok(niladic(name, SqlType::TinyInt, false, |_, _| Ok(Value::Int(7)))),
        "MAX_PRECISION" => Ok(niladic(name, SqlType::TinyInt, false, |_, _| Ok(Value::Int(38)))),
        "LANGID" => Ok(niladic(name, SqlType::SmallInt, false, |_, _| Ok(Value::Int(0)))),
        "IDENTITY" => Ok(niladic(name, IDENTITY, true, |site, _| Ok(identity(facts(site).last_identity)))),
        "VERSION" => {
            Ok(niladic(name, SqlType::NVarChar(Length::Limited(300)), false, |_, _| Ok(Value::text(VERSION))))
        }
        "SERVERNAME" => Ok(niladic(name, NAME, true, |site, _| Ok(Value::text(&facts(site).server)))),
        "SERVICENAME" => Ok(niladic(name, NAME, false, |_, _| Ok(Value::text("MSSQLSERVER")))),
        "LANGUAGE" => Ok(niladic(name, NAME, false, |_, _| Ok(Value::text("us_english")))),
        "DBTS" => Ok(niladic(name, SqlType::VarBinary(Length::Limited(8)), false, |site, _| {
            let context = site.frame.context;
            let last = context.engine.last_rowversion(context.names.database);
            Ok(Value::Bytes(last.to_be_bytes().to_vec()))
        })),
        _ => {
            let message = format!("Must declare the scalar variable \"@@{name}\".");
            Err(SqlError { class: 15, state: 2, ..SqlError::batch(137, message) })
        }
    }
}

fn facts<'a>(site: &Site<'a>) -> &'a SessionFacts {
    &site.frame.context.session
}

fn identity(value: Option<i64>) -> Value {
    value.map_or(Value::Null, |n| Value::Decimal { unscaled: i128::from(n), scale: 0 })
}

pub(super) fn definition(name: &str) -> Option<Definition> {
    let define = |rule, body: Body| Some(Definition { count: 0..=0, rule, body });
    match name {
        "ERROR_NUMBER" => define(int_rule, |site, _| Ok(caught(site, |e| Value::Int(i64::from(e.number))))),
        "ERROR_SEVERITY" => define(int_rule, |site, _| Ok(caught(site, |e| Value::Int(i64::from(e.class))))),
        "ERROR_STATE" => define(int_rule, |site, _| Ok(caught(site, |e| Value::Int(i64::from(e.state))))),
        "ERROR_LINE" => define(int_rule, |site, _| Ok(caught(site, |e| Value::Int(i64::from(e.line))))),
        "ERROR_MESSAGE" => define(
            |_| Ok(Returns::nullable(SqlType::NVarChar(Length::Limited(4000)))),
            |site, _| Ok(caught(site, |e| Value::text(&e.message))),
        ),
        "ERROR_PROCEDURE" => define(name_rule, |_, _| Ok(Value::Null)),
        "XACT_STATE" => {
            define(|_| Ok(Returns::present(SqlType::SmallInt)), |site, _| Ok(transaction_state(site)))
        }
        "ROWCOUNT_BIG" => define(
            |_| Ok(Returns::present(SqlType::BigInt)),
            |site, _| Ok(Value::Int(facts(site).row_count as i64)),
        ),
        "SCOPE_IDENTITY" => {
            define(|_| Ok(Returns::nullable(IDENTITY)), |site, _| Ok(identity(facts(site).scope_identity)))
        }
        "APP_NAME" => define(name_rule, |site, _| Ok(Value::text(&facts(site).program))),
        "HOST_NAME" => define(name_rule, |site, _| Ok(Value::text(&facts(site).host))),
        "SUSER_NAME" | "SUSER_SNAME" | "SYSTEM_USER" | "ORIGINAL_LOGIN" => {
            define(name_rule, |site, _| Ok(Value::text(&site.frame.context.names.principal.login)))
        }
        "CURRENT_USER" | "SESSION_USER" | "USER" => define(name_rule, |site, _| {
            let context = site.frame.context;
            Ok(Value::text(&context.engine.user_name(&context.names.principal, context.names.database)))
        }),
        "NEWID" => define(
            |_| Ok(Returns::present(SqlType::UniqueIdentifier)),
            |_, _| Ok(Value::Guid(uuid::Uuid::new_v4().into_bytes())),
        ),
        "NEWSEQUENTIALID" => define(
            |_| {
                let message = "The newsequentialid() built-in function can only be used in a DEFAULT expression for a column of type 'uniqueidentifier' in a CREATE TABLE or ALTER TABLE statement. It cannot be combined with other operators to form a complex scalar expression.";
                Err(SqlError::batch(302, message))
            },
            |_, _| Ok(next_sequential_id()),
        ),
        _ => None,
    }
}

fn int_rule(_: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    Ok(Returns::nullable(SqlType::Int))
}

fn name_rule(_: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    Ok(Returns::nullable(NAME))
}

fn caught(site: &Site<'_>, part: fn(&SqlError) -> Value) -> Value {
    facts(site).caught.as_ref().map_or(Value::Null, part)
}

/// 1 committable, -1 doomed, 0 none.
fn transaction_state(site: &Site<'_>) -> Value {
    let facts = facts(site);
    Value::Int(match facts.transaction_count {
        0 => 0,
        _ if facts.doomed => -1,
        _ => 1,
    })
}

/// `NEWSEQUENTIALID()` as a DEFAULT, where alone it may stand.
pub(crate) fn sequential_id() -> Scalar {
    niladic("NEWSEQUENTIALID", SqlType::UniqueIdentifier, false, |_, _| Ok(next_sequential_id()))
}

/// A value greater than those before it, of one random series.
fn next_sequential_id() -> Value {
    static BASE: OnceLock<[u8; 16]> = OnceLock::new();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mut id = *BASE.get_or_init(|| uuid::Uuid::new_v4().into_bytes());
    id[..4].copy_from_slice(&COUNT.fetch_add(1, AtomicOrdering::Relaxed).to_be_bytes());
    Value::Guid(id)
}
