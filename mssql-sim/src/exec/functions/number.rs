//! Functions on numbers.

use super::arguments::{Arguments, any_null, int};
use super::{Body, Definition, Returns, Site};
use crate::engine::Interrupt;
use crate::exec::conversion::{Family, as_decimal, convert, exact_parts, family, finite, float_of, is_text};
use crate::exec::decimal;
use crate::exec::messages::{overflow, overflow_from};
use crate::types::{SqlError, SqlType, Value};

pub(super) fn definition(name: &str) -> Option<Definition> {
    let define = |count, rule, body: Body| Some(Definition { count, rule, body });
    match name {
        "ABS" => define(1..=1, numeric, abs),
        "SIGN" => define(1..=1, numeric, sign),
        "FLOOR" => define(1..=1, whole, |site, v| to_whole(site, &v[0], f64::floor, -1)),
        "CEILING" => define(1..=1, whole, |site, v| to_whole(site, &v[0], f64::ceil, 1)),
        "ROUND" => define(2..=3, round_rule, round),
        "POWER" => define(2..=2, power_rule, power),
        "SQRT" => define(1..=1, float_rule, |_, v| float_function(&v[0], f64::sqrt)),
        "SQUARE" => define(1..=1, float_rule, |_, v| float_function(&v[0], |x| x * x)),
        "EXP" => define(1..=1, float_rule, |_, v| float_function(&v[0], f64::exp)),
        "LOG" => define(1..=2, float_rule, logarithm),
        "LOG10" => define(1..=1, float_rule, |_, v| float_function(&v[0], f64::log10)),
        "SIN" => define(1..=1, float_rule, |_, v| float_function(&v[0], f64::sin)),
        "COS" => define(1..=1, float_rule, |_, v| float_function(&v[0], f64::cos)),
        "TAN" => define(1..=1, float_rule, |_, v| float_function(&v[0], f64::tan)),
        "COT" => define(1..=1, float_rule, |_, v| float_function(&v[0], |x| x.tan().recip())),
        "ASIN" => define(1..=1, float_rule, |_, v| float_function(&v[0], f64::asin)),
        "ACOS" => define(1..=1, float_rule, |_, v| float_function(&v[0], f64::acos)),
        "ATAN" => define(1..=1, float_rule, |_, v| float_function(&v[0], f64::atan)),
        "ATN2" => define(2..=2, float_rule, arc_tangent),
        "DEGREES" => define(1..=1, angle_rule, |site, v| angle(site, &v[0], f64::to_degrees)),
        "RADIANS" => define(1..=1, angle_rule, |site, v| angle(site, &v[0], f64::to_radians)),
        "PI" => define(
            0..=0,
            |_| Ok(Returns::present(SqlType::Float)),
            |_, _| Ok(Value::Float(std::f64::consts::PI)),
        ),
        "RAND" => {
            define(0..=0, |_| Ok(Returns::nullable(SqlType::Float)), |_, _| Ok(Value::Float(rand::random())))
        }
        "ISNUMERIC" => define(1..=1, |_| Ok(Returns::present(SqlType::Int)), is_numeric),
        _ => None,
    }
}

/// Numbers stay what they are; `tinyint` and `smallint` widen, text becomes `float`.
fn numeric(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    let sql_type = match arguments.sql_type(0) {
        SqlType::Bit => SqlType::Float,
        SqlType::TinyInt | SqlType::SmallInt => SqlType::Int,
        SqlType::SmallMoney => SqlType::Money,
        SqlType::Real => SqlType::Float,
        other if is_text(other) => SqlType::Float,
        other if matches!(family(other), Family::Exact | Family::Approximate) => other,
        _ => return Err(arguments.refuse(0)),
    };
    arguments.convert(0, sql_type)?;
    Ok(Returns::nullable(sql_type))
}

fn whole(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    let returns = numeric(arguments)?;
    Ok(match returns.sql_type {
        SqlType::Decimal { precision, .. } => Returns::nullable(SqlType::Decimal { precision, scale: 0 }),
        SqlType::Numeric { precision, .. } => Returns::nullable(SqlType::Numeric { precision, scale: 0 }),
        other => Returns::nullable(other),
    })
}

fn round_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    (1..arguments.len()).try_for_each(|position| arguments.convert(position, SqlType::Int))?;
    numeric(arguments)
}

fn power_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    let returns = numeric(arguments)?;
    arguments.convert(0, SqlType::Float)?;
    arguments.convert(1, SqlType::Float)?;
    Ok(returns)
}

fn float_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    (0..arguments.len()).try_for_each(|position| arguments.convert(position, SqlType::Float))?;
    Ok(Returns::nullable(SqlType::Float))
}

/// Angles keep their type; decimals get at least 18 digits behind the point.
fn angle_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    let returns = numeric(arguments)?;
    arguments.convert(0, SqlType::Float)?;
    Ok(Returns::nullable(match returns.sql_type {
        SqlType::Decimal { scale, .. } => SqlType::Decimal { precision: 38, scale: scale.max(18) },
        SqlType::Numeric { scale, .. } => SqlType::Numeric { precision: 38, scale: scale.max(18) },
        other => other,
    }))
}

fn angle(site: &Site<'_>, value: &Value, turn: fn(f64) -> f64) -> Result<Value, Interrupt> {
    let Value::Float(x) = value else { return Ok(Value::Null) };
    Ok(convert(finite(turn(*x), SqlType::Float)?, SqlType::Float, site.result.sql_type, None)?)
}

/// LOG with a base of its own.
fn logarithm(_: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    match values.get(1) {
        None => float_function(&values[0], f64::ln),
        Some(Value::Float(base)) => {
            let base = *base;
            let Value::Float(x) = values[0] else { return Ok(Value::Null) };
            finite_operation(if base > 0.0 { x.ln() / base.ln() } else { f64::NAN })
        }
        Some(_) => Ok(Value::Null),
    }
}

fn arc_tangent(_: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    match (&values[0], &values[1]) {
        (Value::Float(y), Value::Float(x)) if *y == 0.0 && *x == 0.0 => finite_operation(f64::NAN),
        (Value::Float(y), Value::Float(x)) => Ok(Value::Float(y.atan2(*x))),
        _ => Ok(Value::Null),
    }
}

fn abs(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let overflows = || Interrupt::from(overflow(site.result.sql_type));
    Ok(match values[0] {
        Value::Int(i64::MIN) => return Err(overflows()),
        Value::Int(n) if site.result.sql_type == SqlType::Int && n == i64::from(i32::MIN) => {
            return Err(overflows());
        }
        Value::Int(n) => Value::Int(n.abs()),
        Value::Decimal { unscaled, scale } => Value::Decimal { unscaled: unscaled.abs(), scale },
        Value::Money(n) => Value::Money(n.checked_abs().ok_or_else(overflows)?),
        Value::Float(x) => Value::Float(x.abs()),
        _ => Value::Null,
    })
}

fn sign(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let sign = match &values[0] {
        Value::Float(x) if *x == 0.0 => 0,
        Value::Float(x) => x.signum() as i64,
        other => match exact_parts(other) {
            Some((unscaled, _)) => unscaled.signum() as i64,
            None => return Ok(Value::Null),
        },
    };
    Ok(convert(Value::Int(sign), SqlType::Int, site.result.sql_type, None)?)
}

/// FLOOR and CEILING: `toward` is the direction in which a fraction goes.
fn to_whole(site: &Site<'_>, value: &Value, float: fn(f64) -> f64, toward: i128) -> Result<Value, Interrupt> {
    let step = |unscaled: i128, unit: i128| {
        let rest = unscaled % unit;
        unscaled / unit + if rest.signum() == toward { toward } else { 0 }
    };
    Ok(match value {
        Value::Float(x) => Value::Float(float(*x)),
        Value::Decimal { unscaled, scale } => {
            Value::Decimal { unscaled: step(*unscaled, 10i128.pow(u32::from(*scale))), scale: 0 }
        }
        Value::Money(n) => {
            let whole = step(i128::from(*n), 10_000) * 10_000;
            Value::Money(i64::try_from(whole).map_err(|_| overflow(site.result.sql_type))?)
        }
        other => other.clone(),
    })
}

/// ROUND(number, digits [, truncate]); negative digits round before the point.
fn round(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    if any_null(&values) {
        return Ok(Value::Null);
    }
    let digits = int(&values[1]).clamp(-40, 40) as i32;
    let truncate = values.get(2).is_some_and(|v| int(v) != 0);
    let sql_type = site.result.sql_type;
    let exact = |unscaled: i128, scale: u8| round_exact(unscaled, i32::from(scale) - digits, truncate);
    Ok(match &values[0] {
        Value::Int(n) => {
            let rounded = exact(i128::from(*n), 0)
                .and_then(|n| i64::try_from(n).ok())
                .ok_or_else(|| overflow(sql_type))?;
            convert(Value::Int(rounded), SqlType::BigInt, sql_type, None)?
        }
        Value::Money(n) => {
            let rounded = exact(i128::from(*n), 4).and_then(|n| i64::try_from(n).ok());
            Value::Money(rounded.ok_or_else(|| overflow(sql_type))?)
        }
        Value::Decimal { unscaled, scale } => {
            let precision = as_decimal(sql_type).map_or(38, |(precision, _)| precision);
            match exact(*unscaled, *scale) {
                Some(unscaled) if decimal::fits(unscaled, precision) => {
                    Value::Decimal { unscaled, scale: *scale }
                }
                _ => return Err(overflow_from(sql_type, sql_type).into()),
            }
        }
        Value::Float(x) => {
            let unit = 10f64.powi(digits);
            let scaled = x * unit;
            let rounded = if truncate { scaled.trunc() } else { scaled.round() } / unit;
            Value::Float(if rounded.is_finite() { rounded } else { *x })
        }
        other => other.clone(),
    })
}

/// Clears the last `places` digits, rounding half away from zero or truncating.
fn round_exact(unscaled: i128, places: i32, truncate: bool) -> Option<i128> {
    let places = match u32::try_from(places) {
        Ok(0) | Err(_) => return Some(unscaled),
        Ok(places) if places > 38 => return Some(0),
        Ok(places) => places,
    };
    let unit = 10i128.pow(places);
    let (quotient, rest) = (unscaled / unit, (unscaled % unit).unsigned_abs());
    let up = !truncate && rest >= unit.unsigned_abs() - rest;
    (quotient + if up { unscaled.signum() } else { 0 }).checked_mul(unit)
}

fn power(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let (Value::Float(base), Value::Float(exponent)) = (&values[0], &values[1]) else {
        return Ok(Value::Null);
    };
    let result = finite(base.powf(*exponent), SqlType::Float)?;
    Ok(convert(result, SqlType::Float, site.result.sql_type, None)?)
}

fn float_function(value: &Value, function: fn(f64) -> f64) -> Result<Value, Interrupt> {
    let Value::Float(x) = value else { return Ok(Value::Null) };
    finite_operation(function(*x))
}

/// 3623 for what is no number.
fn finite_operation(result: f64) -> Result<Value, Interrupt> {
    if result.is_finite() {
        return Ok(Value::Float(result));
    }
    Err(SqlError::statement(3623, "An invalid floating point operation occurred.").into())
}

/// Whether a value converts to some number.
fn is_numeric(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let from = site.call.arguments[0].sql_type;
    let numeric = match &values[0] {
        Value::Text(units) => {
            let text = Value::Text(units.clone());
            !units.is_empty()
                && [SqlType::Float, SqlType::Money]
                    .iter()
                    .any(|to| convert(text.clone(), from, *to, None).is_ok())
        }
        other => float_of(other).is_some(),
    };
    Ok(Value::Int(i64::from(numeric)))
}
