//! Conversions to binary.

use super::rules::{declared_length, is_text};
use super::text::trimmed;
use crate::collation::CodePage;
use crate::exec::messages::{conversion_error, impossible_cast};
use crate::types::{ColumnMeta, Length, SqlError, SqlType, Value};

pub(super) fn to_binary(
    value: Value,
    from: SqlType,
    to: SqlType,
    style: Option<i32>,
    code_page: CodePage,
) -> Result<Value, SqlError> {
    let bytes = match value {
        Value::Bytes(bytes) => bytes,
        Value::Text(units) => match style.unwrap_or(0) {
            0 => text_bytes(&units, from, code_page),
            1 => parse_hex(trimmed(&units).strip_prefix("0x"), from, to)?,
            2 => parse_hex(Some(&trimmed(&units)), from, to)?,
            _ => return Err(conversion_error(from, to)),
        },
        Value::Guid(guid) => swap_groups(guid).to_vec(),
        other => return number_bytes(&other, from, to).map(|bytes| Value::Bytes(fit_left(bytes, to))),
    };
    Ok(Value::Bytes(fit_right(bytes, to)))
}

/// A text's stored bytes.
pub(crate) fn text_bytes(units: &[u16], sql_type: SqlType, code_page: CodePage) -> Vec<u8> {
    if !sql_type.has_code_page() {
        return units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    }
    let mut bytes = Vec::with_capacity(units.len());
    code_page.encode(units, &mut bytes);
    bytes
}

fn parse_hex(text: Option<&str>, from: SqlType, to: SqlType) -> Result<Vec<u8>, SqlError> {
    let digits = text.filter(|t| t.len() % 2 == 0).ok_or_else(|| conversion_error(from, to))?;
    let nibble = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?))
        .collect::<Option<Vec<u8>>>()
        .ok_or_else(|| conversion_error(from, to))
}

/// Numbers as big-endian bytes, decimals in their own form.
fn number_bytes(value: &Value, from: SqlType, to: SqlType) -> Result<Vec<u8>, SqlError> {
    Ok(match (value, from) {
        (Value::Bit(bit), _) => vec![u8::from(*bit)],
        (Value::Int(n), SqlType::TinyInt) => vec![*n as u8],
        (Value::Int(n), SqlType::SmallInt) => (*n as i16).to_be_bytes().to_vec(),
        (Value::Int(n), SqlType::Int) => (*n as i32).to_be_bytes().to_vec(),
        (Value::Int(n) | Value::Money(n), SqlType::BigInt | SqlType::Money) => n.to_be_bytes().to_vec(),
        (Value::Money(n), _) => (*n as i32).to_be_bytes().to_vec(),
        (Value::Decimal { unscaled, scale }, _) => {
            let (precision, _) = super::as_decimal(from).unwrap_or((38, 0));
            let mut bytes = vec![precision, *scale, 0, u8::from(*unscaled >= 0)];
            let width = crate::wire::value::decimal_width(precision);
            bytes.extend_from_slice(&unscaled.unsigned_abs().to_le_bytes()[..width]);
            bytes
        }
        (Value::Float(x), SqlType::Real) => (*x as f32).to_be_bytes().to_vec(),
        (Value::Float(x), _) => x.to_be_bytes().to_vec(),
        (Value::DateTime { days, ticks }, SqlType::SmallDateTime) => {
            let minutes = ticks / (300 * 60);
            [(*days as u16).to_be_bytes(), (minutes as u16).to_be_bytes()].concat()
        }
        (Value::DateTime { days, ticks }, _) => [days.to_be_bytes(), ticks.to_be_bytes()].concat(),
        (Value::Date(days), _) => days.to_le_bytes()[..3].to_vec(),
        (
            Value::Time(_) | Value::DateTime2 { .. } | Value::DateTimeOffset { .. },
            SqlType::Time(scale) | SqlType::DateTime2(scale) | SqlType::DateTimeOffset(scale),
        ) => {
            let mut bytes = vec![scale];
            crate::wire::value::write_content(value, &ColumnMeta::new("", from, false), &mut bytes);
            bytes
        }
        _ => return Err(impossible_cast(from, to)),
    })
}

/// Cut or filled with zeros at the end.
fn fit_right(mut bytes: Vec<u8>, to: SqlType) -> Vec<u8> {
    match (to, declared_length(to)) {
        (SqlType::Binary(n), _) => bytes.resize(usize::from(n), 0),
        (SqlType::RowVersion, _) => bytes.resize(8, 0),
        (_, Some(Length::Limited(n))) => bytes.truncate(usize::from(n)),
        _ => {}
    }
    bytes
}

/// Cut or filled with zeros in front, as numbers are.
fn fit_left(bytes: Vec<u8>, to: SqlType) -> Vec<u8> {
    let (limit, fixed) = match (to, declared_length(to)) {
        (SqlType::Binary(n), _) => (usize::from(n), true),
        (SqlType::RowVersion, _) => (8, true),
        (_, Some(Length::Limited(n))) => (usize::from(n), false),
        _ => (usize::MAX, false),
    };
    if bytes.len() > limit {
        return bytes[bytes.len() - limit..].to_vec();
    }
    if !fixed {
        return bytes;
    }
    let mut filled = vec![0; limit - bytes.len()];
    filled.extend(bytes);
    filled
}

/// Between the order of a GUID's text and that of its stored bytes, in which the first three groups are reversed.
fn swap_groups(guid: [u8; 16]) -> [u8; 16] {
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    order.map(|i: usize| guid[i])
}

/// A GUID from its stored bytes; missing ones are zero.
pub(super) fn guid_from_bytes(bytes: &[u8]) -> Value {
    let mut stored = [0; 16];
    let length = bytes.len().min(16);
    stored[..length].copy_from_slice(&bytes[..length]);
    Value::Guid(swap_groups(stored))
}

/// Binary as text: bytes as characters, or hexadecimal with styles 1 and 2.
pub(super) fn binary_text(
    bytes: &[u8],
    from: SqlType,
    to: SqlType,
    style: Option<i32>,
    code_page: CodePage,
) -> Result<Vec<u16>, SqlError> {
    debug_assert!(is_text(to));
    let hex = || bytes.iter().map(|b| format!("{b:02X}")).collect::<String>();
    match style.unwrap_or(0) {
        0 if matches!(to, SqlType::NChar(_) | SqlType::NVarChar(_)) => {
            let padded =
                bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
            Ok(padded.collect())
        }
        0 => Ok(code_page.decode(bytes)),
        1 => Ok(format!("0x{}", hex()).encode_utf16().collect()),
        2 => Ok(hex().encode_utf16().collect()),
        _ => Err(conversion_error(from, to)),
    }
}
