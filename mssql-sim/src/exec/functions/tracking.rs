//! Functions of Change Tracking and rowversion.

use super::arguments::{Arguments, int};
use super::object::names;
use super::{Body, Definition, Returns, Site};
use crate::engine::Interrupt;
use crate::types::{Length, SqlError, SqlType, Value};

pub(super) fn definition(name: &str) -> Option<Definition> {
    let define = |count, rule, body: Body| Some(Definition { count, rule, body });
    match name {
        "CHANGE_TRACKING_CURRENT_VERSION" => {
            define(0..=0, |_| Ok(Returns::nullable(SqlType::BigInt)), current_version)
        }
        "CHANGE_TRACKING_MIN_VALID_VERSION" => define(1..=1, min_valid_rule, min_valid_version),
        "CHANGE_TRACKING_IS_COLUMN_IN_MASK" => define(2..=2, mask_rule, is_column_in_mask),
        "MIN_ACTIVE_ROWVERSION" => define(
            0..=0,
            |_| Ok(Returns::present(SqlType::Binary(8))),
            |site, _| Ok(min_active_rowversion(site)),
        ),
        _ => None,
    }
}

fn current_version(site: &Site<'_>, _: Vec<Value>) -> Result<Value, Interrupt> {
    let (engine, database) = (&site.frame.context.engine, names(site).database);
    engine.require_tracking_role(database)?;
    let version = engine.tracking_version(database);
    Ok(version.map_or(Value::Null, Value::Int))
}

/// The argument must be an `int`; nothing else converts, not even the word NULL.
fn min_valid_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    if arguments.sql_type(0) != SqlType::Int || arguments.scalars[0].is_untyped_null() {
        return Err(arguments.refuse(0));
    }
    Ok(Returns::nullable(SqlType::BigInt))
}

fn min_valid_version(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let Ok(object_id) = i32::try_from(int(&values[0])) else { return Ok(Value::Null) };
    let engine = &site.frame.context.engine;
    engine.require_tracking_role(names(site).database)?;
    let version = engine.min_valid_version(names(site), object_id);
    Ok(version.filter(|_| !values[0].is_null()).map_or(Value::Null, Value::Int))
}

fn mask_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    arguments.convert(0, SqlType::Int)?;
    arguments.convert(1, SqlType::VarBinary(Length::Limited(4100)))?;
    Ok(Returns::nullable(SqlType::Bit))
}

/// Ids follow the first four bytes, four bytes each, little-endian; no mask means every column.
fn is_column_in_mask(_: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let Value::Bytes(mask) = &values[1] else { return Ok(Value::Bit(true)) };
    if mask.len() < 8 {
        let message = "The value supplied for the change_columns argument of CHANGE_TRACKING_IS_COLUMN_IN_MASK function \
                       is not valid. The value must be a bitmask returned by the CHANGETABLE(CHANGES ...) function.";
        return Err(SqlError::statement(22101, message).into());
    }
    let wanted = int(&values[0]);
    let ids = mask[4..].chunks_exact(4).map(|id| i32::from_le_bytes([id[0], id[1], id[2], id[3]]));
    Ok(Value::Bit(ids.into_iter().any(|id| i64::from(id) == wanted)))
}

fn min_active_rowversion(site: &Site<'_>) -> Value {
    let version = site.frame.context.engine.min_active_rowversion(names(site).database);
    Value::Bytes(version.to_be_bytes().to_vec())
}
