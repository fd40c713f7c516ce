//! Conversions to numbers.

use super::rules::{Family, as_decimal, family};
use super::text::trimmed;
use crate::exec::decimal;
use crate::exec::messages::{
    conversion_error, conversion_failed, impossible_cast, integer_overflow, money_overflow, overflow,
    overflow_from,
};
use crate::types::{SqlError, SqlType, Value};

/// Ten-thousandths in one unit of money.
const MONEY_SCALE: u8 = 4;

pub(super) fn to_number(value: Value, from: SqlType, to: SqlType) -> Result<Value, SqlError> {
    match to {
        SqlType::Bit => to_bit(&value, from),
        SqlType::TinyInt | SqlType::SmallInt | SqlType::Int | SqlType::BigInt => to_integer(value, from, to),
        SqlType::Decimal { precision, scale } | SqlType::Numeric { precision, scale } => {
            to_decimal(&value, from, to, (precision, scale))
        }
        SqlType::Money | SqlType::SmallMoney => to_money(&value, from, to),
        _ => to_float(&value, from, to),
    }
}

/// Smallest and largest value of an integer type.
pub(crate) fn integer_bounds(sql_type: SqlType) -> (i64, i64) {
    match sql_type {
        SqlType::Bit => (0, 1),
        SqlType::TinyInt => (0, 255),
        SqlType::SmallInt => (i64::from(i16::MIN), i64::from(i16::MAX)),
        SqlType::Int => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    }
}

/// Any exact number as a decimal: unscaled integer and scale.
pub(crate) fn exact_parts(value: &Value) -> Option<(i128, u8)> {
    Some(match value {
        Value::Bit(bit) => (i128::from(*bit), 0),
        Value::Int(n) => (i128::from(*n), 0),
        Value::Decimal { unscaled, scale } => (*unscaled, *scale),
        Value::Money(n) => (i128::from(*n), MONEY_SCALE),
        _ => return None,
    })
}

/// Any number as a float.
pub(crate) fn float_of(value: &Value) -> Option<f64> {
    match value {
        Value::Float(x) => Some(*x),
        other => exact_parts(other).map(|(unscaled, scale)| decimal::to_float(unscaled, scale)),
    }
}

fn to_bit(value: &Value, from: SqlType) -> Result<Value, SqlError> {
    if let Value::Text(units) = value {
        let text = trimmed(units);
        return match text.to_ascii_lowercase().as_str() {
            "true" => Ok(Value::Bit(true)),
            "false" | "" => Ok(Value::Bit(false)),
            digits => match digits.parse::<i64>() {
                Ok(n) => Ok(Value::Bit(n != 0)),
                Err(_) => Err(conversion_failed(from, units, SqlType::Bit)),
            },
        };
    }
    match (value, exact_parts(value)) {
        (_, Some((unscaled, _))) => Ok(Value::Bit(unscaled != 0)),
        (Value::Float(x), _) => Ok(Value::Bit(*x != 0.0)),
        (Value::Bytes(bytes), _) => Ok(Value::Bit(bytes.iter().any(|b| *b != 0))),
        _ => Err(impossible_cast(from, SqlType::Bit)),
    }
}

fn to_integer(value: Value, from: SqlType, to: SqlType) -> Result<Value, SqlError> {
    let (low, high) = integer_bounds(to);
    let in_bounds = |n: i128| i64::try_from(n).ok().filter(|n| (low..=high).contains(n)).map(Value::Int);
    match &value {
        Value::Bit(bit) => Ok(Value::Int(i64::from(*bit))),
        Value::Int(n) => in_bounds(i128::from(*n)).ok_or_else(|| match from {
            SqlType::BigInt => overflow(to),
            _ => integer_overflow(from, to, *n),
        }),
        Value::Decimal { unscaled, scale } => {
            // A decimal loses its fraction, money rounds.
            in_bounds(unscaled / 10i128.pow(u32::from(*scale))).ok_or_else(|| overflow(to))
        }
        Value::Money(n) => {
            let whole = decimal::rescale(i128::from(*n), MONEY_SCALE, 0);
            whole.and_then(in_bounds).ok_or_else(|| money_overflow(to, *n))
        }
        Value::Float(x) => {
            let whole = x.trunc();
            if whole.abs() < 1e19 { in_bounds(whole as i128) } else { None }
                .ok_or_else(|| float_overflow(to, *x))
        }
        Value::Text(units) => integer_from_text(units, from, to),
        Value::Bytes(bytes) => Ok(Value::Int(integer_from_bytes(bytes, to))),
        Value::DateTime { days, ticks } => {
            // Noon and later belong to the next day.
            let rounded = i128::from(*days) + i128::from(*ticks >= 150 * 86_400);
            in_bounds(rounded).ok_or_else(|| overflow_from(from, to))
        }
        _ => Err(impossible_cast(from, to)),
    }
}

fn integer_from_text(units: &[u16], from: SqlType, to: SqlType) -> Result<Value, SqlError> {
    let text = trimmed(units);
    // Blanks may stand behind a sign, and a sign alone is no number but zero.
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (&text[..1], digits.trim_start_matches(' ')),
        None => ("", &*text),
    };
    if digits.is_empty() {
        return Ok(Value::Int(0));
    }
    let (low, high) = integer_bounds(to);
    match decimal::parse(&format!("{sign}{digits}"), 0) {
        Some(Some(n)) if !text.contains('.') => match i64::try_from(n) {
            Ok(n) if (low..=high).contains(&n) => Ok(Value::Int(n)),
            _ if to == SqlType::BigInt => Err(overflow(to)),
            _ if to == SqlType::Int => Err(text_overflow(&text, from, "an int")),
            _ if to == SqlType::SmallInt => Err(text_overflow(&text, from, "an INT2")),
            _ => Err(text_overflow(&text, from, "an INT1")),
        },
        Some(None) if !text.contains('.') && to == SqlType::BigInt => Err(overflow(to)),
        Some(None) if !text.contains('.') => Err(text_overflow(&text, from, "an int")),
        _ if to == SqlType::BigInt => Err(conversion_error(from, to)),
        _ => Err(conversion_failed(from, units, to)),
    }
}

/// 248 for `int`, 244 for the narrower ones.
fn text_overflow(text: &str, from: SqlType, column: &str) -> SqlError {
    let number = if column == "an int" { 248 } else { 244 };
    let advice = if number == 244 { " Use a larger integer column." } else { "" };
    let kind = super::type_name(from);
    SqlError::statement(
        number,
        format!("The conversion of the {kind} value '{text}' overflowed {column} column.{advice}"),
    )
}

/// The last bytes, read big-endian, as wide as the type.
fn integer_from_bytes(bytes: &[u8], to: SqlType) -> i64 {
    let width = match to {
        SqlType::TinyInt => 1,
        SqlType::SmallInt => 2,
        SqlType::Int => 4,
        _ => 8,
    };
    let tail = &bytes[bytes.len().saturating_sub(width)..];
    let unsigned = tail.iter().fold(0u64, |n, b| n << 8 | u64::from(*b));
    match to {
        SqlType::SmallInt => i64::from(unsigned as u16 as i16),
        SqlType::Int => i64::from(unsigned as u32 as i32),
        _ => unsigned as i64,
    }
}

fn float_overflow(to: SqlType, value: f64) -> SqlError {
    let shown = seventeen_digits(value);
    let message = format!("Arithmetic overflow error for type {}, value = {shown}.", super::type_name(to));
    SqlError { state: 3, ..SqlError::statement(232, message) }
}

/// A float with six decimals, of which no more than 17 digits are its own.
fn seventeen_digits(value: f64) -> String {
    let scientific = format!("{value:.16e}");
    match scientific
        .split_once('e')
        .map(|(digits, exponent)| (digits.replace('.', ""), exponent.parse::<usize>()))
    {
        Some((digits, Ok(exponent))) if exponent > 16 => {
            let length = exponent + 1 + usize::from(value < 0.0);
            format!("{digits:0<length$}.000000")
        }
        _ => format!("{value:.6}"),
    }
}

fn to_decimal(
    value: &Value,
    from: SqlType,
    to: SqlType,
    (precision, scale): (u8, u8),
) -> Result<Value, SqlError> {
    let unscaled = match value {
        Value::Text(units) => match decimal::parse(&trimmed(units), scale) {
            Some(parsed) => parsed,
            None => return Err(conversion_error(from, to)),
        },
        Value::Float(x) => decimal::from_float(*x, scale),
        Value::Bytes(bytes) => {
            decimal_from_bytes(bytes, from, to)?.and_then(|(n, s)| decimal::rescale(n, s, scale))
        }
        Value::DateTime { days, ticks } => decimal::from_float(days_as_float(*days, *ticks), scale),
        other => match exact_parts(other) {
            Some((unscaled, from_scale)) => decimal::rescale(unscaled, from_scale, scale),
            None => return Err(impossible_cast(from, to)),
        },
    };
    match unscaled {
        Some(unscaled) if decimal::fits(unscaled, precision) => Ok(Value::Decimal { unscaled, scale }),
        _ => Err(overflow_from(from, to)),
    }
}

/// The form in which a decimal is cast to binary: precision, scale, zero, sign, little-endian digits.
fn decimal_from_bytes(bytes: &[u8], from: SqlType, to: SqlType) -> Result<Option<(i128, u8)>, SqlError> {
    let (Some([_, scale, _, sign]), true) = (bytes.get(..4), bytes.len() <= 20) else {
        return Err(conversion_error(from, to));
    };
    let mut wide = [0; 16];
    wide[..bytes.len() - 4].copy_from_slice(&bytes[4..]);
    let magnitude = i128::try_from(u128::from_le_bytes(wide)).ok();
    Ok(magnitude.map(|n| (if *sign == 0 { -n } else { n }, *scale)))
}

fn days_as_float(days: i32, ticks: u32) -> f64 {
    f64::from(days) + f64::from(ticks) / (300.0 * 86_400.0)
}

fn to_money(value: &Value, from: SqlType, to: SqlType) -> Result<Value, SqlError> {
    let unscaled = match value {
        Value::Text(units) => money_from_text(&trimmed(units), from)?,
        Value::Float(x) => decimal::from_float(*x, MONEY_SCALE),
        Value::Bytes(bytes) => Some(i128::from(integer_from_bytes(bytes, SqlType::BigInt))),
        Value::DateTime { days, ticks } => decimal::from_float(days_as_float(*days, *ticks), MONEY_SCALE),
        other => match exact_parts(other) {
            Some((unscaled, scale)) => decimal::rescale(unscaled, scale, MONEY_SCALE),
            None => return Err(impossible_cast(from, to)),
        },
    };
    let (low, high) = match to {
        SqlType::SmallMoney => (i128::from(i32::MIN), i128::from(i32::MAX)),
        _ => (i128::from(i64::MIN), i128::from(i64::MAX)),
    };
    match unscaled.filter(|n| (low..=high).contains(n)).and_then(|n| i64::try_from(n).ok()) {
        Some(n) => Ok(Value::Money(n)),
        None => Err(overflow_from(from, to)),
    }
}

/// `-$1,234.5`: a currency sign and commas are allowed.
fn money_from_text(text: &str, from: SqlType) -> Result<Option<i128>, SqlError> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let digits = rest.trim_start_matches(['$', '€', '£', '¥']).replace(',', "");
    if digits.is_empty() {
        return Ok(Some(0));
    }
    match decimal::parse(&digits, MONEY_SCALE) {
        Some(parsed) => Ok(parsed.map(|n| if negative { -n } else { n })),
        None => {
            let kind = if family(from) == Family::Text { "char" } else { "nchar" };
            let message =
                format!("Cannot convert a {kind} value to money. The {kind} value has incorrect syntax.");
            Err(SqlError::statement(235, message))
        }
    }
}

fn to_float(value: &Value, from: SqlType, to: SqlType) -> Result<Value, SqlError> {
    let number = match value {
        Value::Text(units) => {
            let text = trimmed(units);
            let plain =
                text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
            if text.is_empty() {
                0.0
            } else if let (true, Ok(number)) = (plain, text.parse::<f64>()) {
                number
            } else {
                return Err(conversion_error(from, to));
            }
        }
        Value::DateTime { days, ticks } => days_as_float(*days, *ticks),
        other => float_of(other).ok_or_else(|| impossible_cast(from, to))?,
    };
    finite(number, to)
}

/// A float as a value of `to`, narrowed for `real`.
pub(crate) fn finite(number: f64, to: SqlType) -> Result<Value, SqlError> {
    let narrowed = if to == SqlType::Real { f64::from(number as f32) } else { number };
    if narrowed.is_finite() {
        return Ok(Value::Float(narrowed));
    }
    if to == SqlType::Real { Err(float_overflow(to, number)) } else { Err(overflow(to)) }
}

/// Precision and scale that a literal beside a decimal counts with: its digits.
pub(crate) fn literal_parts(value: &Value, sql_type: SqlType) -> Option<(u8, u8)> {
    match value {
        Value::Int(n) if sql_type == SqlType::Int => {
            let digits = n.unsigned_abs().checked_ilog10().map_or(1, |d| d + 1);
            Some((digits as u8, 0))
        }
        _ => as_decimal(sql_type),
    }
}
