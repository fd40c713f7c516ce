//! Arithmetic on values.

use crate::exec::conversion::{
    Moment, TICKS_PER_DAY, as_decimal, exact_parts, finite, integer_bounds, moment_of, moment_to,
};
use crate::exec::decimal;
use crate::exec::messages::{date_out_of_range, divide_by_zero, overflow};
use crate::parser::ast::BinaryOp;
use crate::types::{SqlError, SqlType, Value};

/// Ten-thousandths in one unit of money.
const MONEY_UNIT: i128 = 10_000;
/// Days from 0001-01-01 to 1900-01-01, the zero of `datetime`.
const DAYS_TO_1900: i32 = 693_595;

/// Applies an operator to values that binding has made ready for it; NULL gives NULL.
pub(super) fn apply(a: Value, operator: BinaryOp, b: Value, sql_type: SqlType) -> Result<Value, SqlError> {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
        (Value::Int(a), Value::Int(b)) if !is_decimal(sql_type) => integer(a, operator, b, sql_type),
        (Value::Bit(a), Value::Bit(b)) => {
            bits(i64::from(a), operator, i64::from(b)).map(|n| Value::Bit(n != 0))
        }
        (Value::Money(a), Value::Money(b)) if !is_decimal(sql_type) => money(a, operator, b, sql_type),
        (Value::Float(a), Value::Float(b)) => float(a, operator, b, sql_type),
        (Value::Text(mut a), Value::Text(b)) => {
            a.extend(b);
            Ok(fitted(Value::Text(a), sql_type))
        }
        (Value::Bytes(mut a), Value::Bytes(b)) => {
            a.extend(b);
            Ok(fitted(Value::Bytes(a), sql_type))
        }
        (a @ Value::DateTime { .. }, b @ Value::DateTime { .. }) => datetime(&a, operator, &b, sql_type),
        (a, b) => exact(&a, operator, &b, sql_type),
    }
}

fn is_decimal(sql_type: SqlType) -> bool {
    as_decimal(sql_type).is_some() && matches!(sql_type, SqlType::Decimal { .. } | SqlType::Numeric { .. })
}

/// Joined text or bytes, cut to what the type holds.
fn fitted(value: Value, sql_type: SqlType) -> Value {
    use crate::types::Length::Limited;
    match (value, sql_type) {
        (Value::Text(mut units), SqlType::VarChar(Limited(n)) | SqlType::NVarChar(Limited(n))) => {
            units.truncate(usize::from(n));
            Value::Text(units)
        }
        (Value::Bytes(mut bytes), SqlType::VarBinary(Limited(n))) => {
            bytes.truncate(usize::from(n));
            Value::Bytes(bytes)
        }
        (value, _) => value,
    }
}

fn bits(a: i64, operator: BinaryOp, b: i64) -> Result<i64, SqlError> {
    Ok(match operator {
        BinaryOp::BitAnd => a & b,
        BinaryOp::BitOr => a | b,
        _ => a ^ b,
    })
}

fn integer(a: i64, operator: BinaryOp, b: i64, sql_type: SqlType) -> Result<Value, SqlError> {
    if matches!(operator, BinaryOp::Divide | BinaryOp::Modulo) && b == 0 {
        return Err(divide_by_zero());
    }
    let (low, high) = integer_bounds(sql_type);
    let result = match operator {
        BinaryOp::Add => a.checked_add(b),
        BinaryOp::Subtract => a.checked_sub(b),
        BinaryOp::Multiply => a.checked_mul(b),
        BinaryOp::Divide => a.checked_div(b),
        // The smallest number % -1 overflows as its quotient does.
        BinaryOp::Modulo if b == -1 && a == low && low < 0 => None,
        BinaryOp::Modulo => a.checked_rem(b),
        _ => Some(bits(a, operator, b)?),
    };
    match result {
        Some(n) if (low..=high).contains(&n) => Ok(Value::Int(n)),
        _ => Err(overflow(sql_type)),
    }
}

fn money(a: i64, operator: BinaryOp, b: i64, sql_type: SqlType) -> Result<Value, SqlError> {
    if matches!(operator, BinaryOp::Divide | BinaryOp::Modulo) && b == 0 {
        return Err(divide_by_zero());
    }
    let (wide_a, wide_b) = (i128::from(a), i128::from(b));
    let result = match operator {
        BinaryOp::Add => wide_a + wide_b,
        BinaryOp::Subtract => wide_a - wide_b,
        BinaryOp::Multiply => decimal::rescale(wide_a * wide_b, 8, 4).ok_or_else(|| overflow(sql_type))?,
        BinaryOp::Divide => wide_a * MONEY_UNIT / wide_b,
        _ => wide_a % wide_b,
    };
    let in_bounds = match sql_type {
        SqlType::SmallMoney => i32::try_from(result).ok().map(i64::from),
        _ => i64::try_from(result).ok(),
    };
    in_bounds.map(Value::Money).ok_or_else(|| overflow(sql_type))
}

fn float(a: f64, operator: BinaryOp, b: f64, sql_type: SqlType) -> Result<Value, SqlError> {
    let result = match operator {
        BinaryOp::Add => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => a * b,
        _ if b == 0.0 => return Err(divide_by_zero()),
        _ => a / b,
    };
    finite(result, sql_type)
}

/// Exact numbers of any kind, with the result's precision and scale.
fn exact(a: &Value, operator: BinaryOp, b: &Value, sql_type: SqlType) -> Result<Value, SqlError> {
    let (Some(a), Some(b), Some((precision, scale))) = (exact_parts(a), exact_parts(b), as_decimal(sql_type))
    else {
        return Err(overflow(sql_type));
    };
    if matches!(operator, BinaryOp::Divide | BinaryOp::Modulo) && b.0 == 0 {
        return Err(divide_by_zero());
    }
    let result = match operator {
        BinaryOp::Add => decimal::add(a, b, scale),
        BinaryOp::Subtract => decimal::add(a, (-b.0, b.1), scale),
        BinaryOp::Multiply => decimal::multiply(a, b, scale),
        BinaryOp::Divide => decimal::divide(a, b, scale),
        _ => decimal::remainder(a, b),
    };
    match result {
        Some(unscaled) if decimal::fits(unscaled, precision) => Ok(Value::Decimal { unscaled, scale }),
        _ => Err(overflow(sql_type)),
    }
}

/// Dates as days since 1900-01-01, added and subtracted.
fn datetime(a: &Value, operator: BinaryOp, b: &Value, sql_type: SqlType) -> Result<Value, SqlError> {
    let since_1900 = |value: &Value| {
        let moment = moment_of(value).unwrap_or(Moment { days: DAYS_TO_1900, ticks: 0, offset: 0 });
        i128::from(moment.days - DAYS_TO_1900) * i128::from(TICKS_PER_DAY) + i128::from(moment.ticks)
    };
    let (a, b) = (since_1900(a), since_1900(b));
    let ticks = if operator == BinaryOp::Add { a + b } else { a - b };
    let day = i128::from(TICKS_PER_DAY);
    let days = i32::try_from(ticks.div_euclid(day)).ok().and_then(|d| d.checked_add(DAYS_TO_1900));
    let Some(days) = days else { return Err(date_out_of_range(sql_type, sql_type)) };
    moment_to(Moment { days, ticks: ticks.rem_euclid(day) as u64, offset: 0 }, sql_type, sql_type)
}

pub(super) fn negate(value: Value, sql_type: SqlType) -> Result<Value, SqlError> {
    Ok(match value {
        Value::Int(n) => {
            let (low, high) = integer_bounds(sql_type);
            match n.checked_neg() {
                Some(n) if (low..=high).contains(&n) => Value::Int(n),
                _ => return Err(overflow(sql_type)),
            }
        }
        Value::Decimal { unscaled, scale } => Value::Decimal { unscaled: -unscaled, scale },
        Value::Money(n) => Value::Money(n.checked_neg().ok_or_else(|| overflow(sql_type))?),
        Value::Float(x) => Value::Float(-x),
        other => other,
    })
}

pub(super) fn bit_not(value: Value, sql_type: SqlType) -> Value {
    match value {
        Value::Int(n) if sql_type == SqlType::TinyInt => Value::Int(!n & 0xFF),
        Value::Int(n) => Value::Int(!n),
        Value::Bit(bit) => Value::Bit(!bit),
        other => other,
    }
}
