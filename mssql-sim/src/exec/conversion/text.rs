//! Conversions to text.

use super::binary::binary_text;
use super::date_format::format_moment;
use super::rules::{as_decimal, declared_length};
use crate::collation::CodePage;
use crate::exec::decimal;
use crate::exec::messages::{conversion_error, overflow, overflow_from};
use crate::types::{Length, SqlError, SqlType, Value};

const BLANK: u16 = 0x20;

pub(super) fn to_text(
    value: Value,
    from: SqlType,
    to: SqlType,
    style: Option<i32>,
    code_page: CodePage,
) -> Result<Value, SqlError> {
    let units = match value {
        Value::Text(units) => return Ok(Value::Text(fit(narrowed(units, to, code_page), to, code_page))),
        Value::Bytes(bytes) => {
            return binary_text(&bytes, from, to, style, code_page)
                .map(|units| Value::Text(fit(units, to, code_page)));
        }
        Value::Float(x) => float_text(x, from, to, style)?,
        Value::Money(n) => money_text(n, style),
        Value::Guid(guid) => uuid::Uuid::from_bytes(guid).hyphenated().to_string().to_uppercase(),
        Value::Null | Value::Bit(_) | Value::Int(_) | Value::Decimal { .. } => number_text(&value),
        date => {
            let text = format_moment(&date, from, to, style)?;
            return Ok(Value::Text(fit(text.encode_utf16().collect(), to, code_page)));
        }
    };
    let units: Vec<u16> = units.encode_utf16().collect();
    let limit = limit_of(to);
    if units.len() <= limit { Ok(Value::Text(fit(units, to, code_page))) } else { no_room(from, to) }
}

/// What a number or GUID does that is wider than the text it goes to.
fn no_room(from: SqlType, to: SqlType) -> Result<Value, SqlError> {
    let national = matches!(to, SqlType::NChar(_) | SqlType::NVarChar(_));
    match from {
        SqlType::TinyInt | SqlType::SmallInt | SqlType::Int | SqlType::Bit if !national => {
            Ok(Value::Text(fit(vec![u16::from(b'*')], to, CodePage::Windows1252)))
        }
        SqlType::Money | SqlType::SmallMoney => {
            let message = format!(
                "There is insufficient result space to convert a money value to {}.",
                super::type_name(to)
            );
            Err(SqlError { state: 2, ..SqlError::statement(234, message) })
        }
        SqlType::UniqueIdentifier if !national => {
            let message = "Insufficient result space to convert uniqueidentifier value to char.";
            Err(SqlError { state: 2, ..SqlError::statement(8170, message) })
        }
        SqlType::Decimal { .. } | SqlType::Numeric { .. } => Err(overflow_from(from, to)),
        SqlType::Float | SqlType::Real => {
            let message = format!("Arithmetic overflow error for type {}.", super::type_name(to));
            Err(SqlError { state: 2, ..SqlError::statement(232, message) })
        }
        _ => Err(overflow(to)),
    }
}

fn number_text(value: &Value) -> String {
    match value {
        Value::Bit(bit) => u8::from(*bit).to_string(),
        Value::Int(n) => n.to_string(),
        Value::Decimal { unscaled, scale } => decimal::format(*unscaled, *scale),
        _ => String::new(),
    }
}

/// Most units that a text type holds.
fn limit_of(to: SqlType) -> usize {
    match declared_length(to) {
        Some(Length::Limited(n)) => usize::from(n),
        _ => usize::MAX,
    }
}

/// Cut to the declared length, and filled with blanks where the length is fixed.
pub(super) fn fit(mut units: Vec<u16>, to: SqlType, code_page: CodePage) -> Vec<u16> {
    let limit = limit_of(to);
    if to.has_code_page() {
        units.truncate(code_page.fitting(&units, limit).len());
    } else {
        units.truncate(limit);
    }
    if matches!(to, SqlType::Char(_) | SqlType::NChar(_)) {
        let blanks = limit - length_in(&units, to, code_page);
        units.resize(units.len() + blanks, BLANK);
    }
    units
}

/// Length of a text in the unit of a type's declared length: bytes of the code page, or UTF-16 units.
pub(super) fn length_in(units: &[u16], sql_type: SqlType, code_page: CodePage) -> usize {
    if sql_type.has_code_page() { code_page.bytes_of(units) } else { units.len() }
}

/// Characters that the code page of `char` and `varchar` lacks become `?`; other types keep all.
fn narrowed(units: Vec<u16>, to: SqlType, code_page: CodePage) -> Vec<u16> {
    if !to.has_code_page() || units.iter().all(|u| *u < 0x80) {
        return units;
    }
    code_page.decode(&super::binary::text_bytes(&units, to, code_page))
}

/// The text without blanks around it.
pub(super) fn trimmed(units: &[u16]) -> String {
    String::from_utf16_lossy(units).trim().to_owned()
}

/// Units without the trailing blanks.
pub(super) fn trimmed_length(units: &[u16]) -> usize {
    units.iter().rposition(|u| *u != BLANK).map_or(0, |last| last + 1)
}

/// A value as CONCAT and PRINT show it.
pub(crate) fn text_of(value: Value, from: SqlType) -> Result<Vec<u16>, SqlError> {
    match super::convert(value, from, SqlType::NVarChar(Length::Max), None)? {
        Value::Text(units) => Ok(units),
        _ => Ok(Vec::new()),
    }
}

/// Styles: 0 six digits, 1 eight, 2 sixteen, 3 seventeen, 126 as many as the type needs.
fn float_text(number: f64, from: SqlType, to: SqlType, style: Option<i32>) -> Result<String, SqlError> {
    match style.unwrap_or(0) {
        0 => Ok(general(number, 6)),
        1 => Ok(scientific(number, 8)),
        2 => Ok(scientific(number, 16)),
        3 => Ok(scientific(number, 17)),
        126 | 128 | 129 => Ok(scientific(number, if from == SqlType::Real { 9 } else { 17 })),
        _ => Err(conversion_error(from, to)),
    }
}

/// `d.ddde+ddd` with so many digits.
fn scientific(number: f64, digits: usize) -> String {
    let written = format!("{number:.*e}", digits - 1);
    match written.split_once('e') {
        Some((mantissa, exponent)) => format!("{mantissa}e{}", exponent_text(exponent)),
        None => written,
    }
}

fn exponent_text(exponent: &str) -> String {
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{sign}{digits:0>3}")
}

/// At most `digits` digits, without trailing zeros, with an exponent where the number is very large or small.
fn general(number: f64, digits: usize) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let written = format!("{number:.*e}", digits - 1);
    let Some((mantissa, exponent)) = written.split_once('e') else { return written };
    let power: i32 = exponent.parse().unwrap_or(0);
    if power < -4 || power >= digits as i32 {
        let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
        return format!("{mantissa}e{}", exponent_text(exponent));
    }
    let decimals = usize::try_from(digits as i32 - 1 - power).unwrap_or(0);
    let plain = format!("{number:.decimals$}");
    if plain.contains('.') { plain.trim_end_matches('0').trim_end_matches('.').to_owned() } else { plain }
}

/// Styles: 0 two digits behind the point, 1 with commas too, 2 four digits.
fn money_text(ten_thousandths: i64, style: Option<i32>) -> String {
    let exact = i128::from(ten_thousandths);
    if matches!(style, Some(2 | 126)) {
        return decimal::format(exact, 4);
    }
    let cents = decimal::rescale(exact, 4, 2).unwrap_or(exact);
    let plain = decimal::format(cents, 2);
    if style == Some(1) { with_commas(&plain) } else { plain }
}

fn with_commas(number: &str) -> String {
    let (sign, digits) = match number.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", number),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}.{fraction}")
}

/// A GUID from its text, with or without braces; what follows the 36 characters is ignored.
pub(super) fn parse_guid(units: &[u16]) -> Result<Value, SqlError> {
    let text = trimmed(units);
    let inner = text.strip_prefix('{').unwrap_or(&text);
    let written = inner.get(..36).and_then(|t| uuid::Uuid::try_parse(t).ok());
    match written {
        Some(guid) => Ok(Value::Guid(guid.into_bytes())),
        None => {
            let message = "Conversion failed when converting from a character string to uniqueidentifier.";
            Err(SqlError { state: 2, ..SqlError::statement(8169, message) })
        }
    }
}

/// Most characters that a value of a type takes as text.
pub(crate) fn text_width(sql_type: SqlType) -> Length {
    if let Some(length) = declared_length(sql_type) {
        return length;
    }
    Length::Limited(match sql_type {
        SqlType::Bit => 1,
        SqlType::TinyInt => 3,
        SqlType::SmallInt => 6,
        SqlType::Int => 12,
        SqlType::BigInt => 20,
        SqlType::UniqueIdentifier => 36,
        SqlType::Float | SqlType::Real => 32,
        SqlType::DateTimeOffset(_) => 34,
        other => as_decimal(other).map_or(30, |(precision, _)| u16::from(precision) + 3),
    })
}
