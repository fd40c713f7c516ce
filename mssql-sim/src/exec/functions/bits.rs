//! BIT_COUNT, GET_BIT, SET_BIT, LEFT_SHIFT and RIGHT_SHIFT on integers.

use super::arguments::{Arguments, any_null, int};
use super::{Body, Definition, Returns, Site};
use crate::engine::Interrupt;
use crate::types::{SqlError, SqlType, Value};

pub(super) fn definition(name: &str) -> Option<Definition> {
    let define = |count, rule, body: Body| Some(Definition { count, rule, body });
    match name {
        "BIT_COUNT" => define(
            1..=1,
            |a| integer(a).map(|_| Returns::nullable(SqlType::BigInt)),
            |site, v| Ok(if any_null(&v) { Value::Null } else { count(site, &v[0]) }),
        ),
        "GET_BIT" => define(2..=2, |a| integer(a).map(|_| Returns::nullable(SqlType::Bit)), get),
        "SET_BIT" => define(2..=3, |a| integer(a).map(Returns::nullable), set),
        "LEFT_SHIFT" => define(2..=2, |a| integer(a).map(Returns::nullable), |site, v| shift(site, &v, 1)),
        "RIGHT_SHIFT" => define(2..=2, |a| integer(a).map(Returns::nullable), |site, v| shift(site, &v, -1)),
        _ => None,
    }
}

/// The first argument is an integer, the others are numbers of bits.
fn integer(arguments: &mut Arguments<'_>) -> Result<SqlType, SqlError> {
    let sql_type = arguments.sql_type(0);
    if width(sql_type).is_none() {
        return Err(arguments.refuse(0));
    }
    (1..arguments.len()).try_for_each(|position| arguments.convert(position, SqlType::BigInt))?;
    Ok(sql_type)
}

fn width(sql_type: SqlType) -> Option<u32> {
    match sql_type {
        SqlType::TinyInt => Some(8),
        SqlType::SmallInt => Some(16),
        SqlType::Int => Some(32),
        SqlType::BigInt => Some(64),
        _ => None,
    }
}

/// The bits of the first argument.
fn bits(site: &Site<'_>, value: &Value) -> (u64, u32) {
    let width = width(site.call.arguments[0].sql_type).unwrap_or(u64::BITS);
    (int(value) as u64 & (u64::MAX >> (u64::BITS - width)), width)
}

/// Bits as a value of the type that they came from.
fn value_of(bits: u64, width: u32) -> Value {
    Value::Int(match width {
        8 => i64::from(bits as u8),
        16 => i64::from(bits as u16 as i16),
        32 => i64::from(bits as u32 as i32),
        _ => bits as i64,
    })
}

fn count(site: &Site<'_>, value: &Value) -> Value {
    Value::Int(i64::from(bits(site, value).0.count_ones()))
}

/// A number of a bit, from the lowest.
fn position(value: &Value, width: u32) -> Result<u32, SqlError> {
    u32::try_from(int(value)).ok().filter(|position| *position < width).ok_or_else(|| {
        SqlError::statement(9836, format!("Invalid bit offset: it must be between 0 and {}.", width - 1))
    })
}

fn get(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    if any_null(&values) {
        return Ok(Value::Null);
    }
    let (bits, width) = bits(site, &values[0]);
    Ok(Value::Bit(bits >> position(&values[1], width)? & 1 == 1))
}

fn set(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    if any_null(&values) {
        return Ok(Value::Null);
    }
    let (bits, width) = bits(site, &values[0]);
    let mask = 1u64 << position(&values[1], width)?;
    let on = values.get(2).is_none_or(|value| int(value) != 0);
    Ok(value_of(if on { bits | mask } else { bits & !mask }, width))
}

/// Bits that leave are lost, zeros come in; a negative distance goes the other way.
fn shift(site: &Site<'_>, values: &[Value], direction: i64) -> Result<Value, Interrupt> {
    if any_null(values) {
        return Ok(Value::Null);
    }
    let (bits, width) = bits(site, &values[0]);
    let distance = int(&values[1]).saturating_mul(direction);
    let places = u32::try_from(distance.unsigned_abs()).unwrap_or(u32::MAX);
    let shifted = match (places < width, distance >= 0) {
        (false, _) => 0,
        (true, true) => bits << places,
        (true, false) => bits >> places,
    };
    Ok(value_of(shifted & (u64::MAX >> (u64::BITS - width)), width))
}
