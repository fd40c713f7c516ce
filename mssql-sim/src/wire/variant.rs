//! `sql_variant` values (2.2.5.5.4): the token of the base type, its properties, the value.

use super::{type_info, value};
use crate::collation::Collation;
use crate::types::{ColumnMeta, Length, SqlType, Variant};

/// Appends a variant without its length.
pub(super) fn write(variant: &Variant, out: &mut Vec<u8>) {
    // As a column that may not be NULL it has the token that a variant wants.
    let column = ColumnMeta { collation: variant.collation, ..ColumnMeta::new("", variant.sql_type, false) };
    out.push(type_info::token(&column));
    let start = out.len();
    out.push(0);
    match variant.sql_type {
        SqlType::Decimal { precision, scale } | SqlType::Numeric { precision, scale } => {
            out.extend_from_slice(&[precision, scale]);
        }
        SqlType::Time(scale) | SqlType::DateTime2(scale) | SqlType::DateTimeOffset(scale) => out.push(scale),
        SqlType::Char(n) | SqlType::VarChar(Length::Limited(n)) => write_text(&column, n, out),
        SqlType::NChar(n) | SqlType::NVarChar(Length::Limited(n)) => write_text(&column, 2 * n, out),
        SqlType::Binary(n) | SqlType::VarBinary(Length::Limited(n)) => {
            out.extend_from_slice(&n.to_le_bytes());
        }
        _ => {}
    }
    out[start] = u8::try_from(out.len() - start - 1).expect("at most 7 bytes of properties");
    value::write_content(&variant.value, &column, out);
}

fn write_text(column: &ColumnMeta, bytes: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(&column.collation.wire_bytes());
    out.extend_from_slice(&bytes.to_le_bytes());
}

/// A variant from its bytes; None if they are none.
pub(super) fn read(content: &[u8]) -> Option<Variant> {
    let (&[token, properties], rest) = content.split_first_chunk()?;
    let (properties, content) = rest.split_at_checked(usize::from(properties))?;
    let mut collation = Collation::DEFAULT;
    let sql_type = match *properties {
        [] => type_info::fixed_type(token).or(match token {
            type_info::DATEN => Some(SqlType::Date),
            type_info::GUIDN => Some(SqlType::UniqueIdentifier),
            _ => None,
        })?,
        [scale] => type_info::time_type(token, scale)?,
        [precision, scale] if matches!(token, type_info::DECIMALN | type_info::NUMERICN) => {
            type_info::decimal_type(token, precision, scale)?
        }
        [low, high] => type_info::binary_type(token, u16::from_le_bytes([low, high]))?,
        [a, b, c, d, e, low, high] => {
            collation = Collation::from_wire([a, b, c, d, e])?;
            type_info::text_type(token, u16::from_le_bytes([low, high]))?
        }
        _ => return None,
    };
    let value = value::from_content(content, sql_type, collation.code_page())?;
    Some(Variant { sql_type, collation, value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Value;

    #[test]
    fn a_variant_has_its_type_and_properties_before_its_value() {
        let variant = |sql_type, value| Variant { sql_type, collation: Collation::DEFAULT, value };
        let numeric = SqlType::Numeric { precision: 5, scale: 2 };
        let text = SqlType::VarChar(Length::Limited(3));
        for (variant, bytes) in [
            (variant(SqlType::Int, Value::Int(-1)), &[0x38, 0, 0xFF, 0xFF, 0xFF, 0xFF][..]),
            (variant(SqlType::Bit, Value::Bit(true)), &[0x32, 0, 1]),
            (variant(SqlType::Date, Value::Date(1)), &[0x28, 0, 1, 0, 0]),
            (variant(SqlType::Time(0), Value::Time(10_000_000)), &[0x29, 1, 0, 1, 0, 0]),
            (variant(numeric, Value::Decimal { unscaled: 150, scale: 2 }), &[0x6C, 2, 5, 2, 1, 150, 0, 0, 0]),
            (variant(text, Value::text("\u{e9}")), &[0xA7, 7, 9, 4, 0xD0, 0, 0x34, 3, 0, 0xE9]),
            (variant(SqlType::NChar(1), Value::text("x")), &[0xEF, 7, 9, 4, 0xD0, 0, 0x34, 2, 0, b'x', 0]),
            (variant(SqlType::Binary(2), Value::Bytes(vec![1, 2])), &[0xAD, 2, 2, 0, 1, 2]),
        ] {
            let mut out = Vec::new();
            write(&variant, &mut out);
            assert_eq!(out, bytes, "{variant:?}");
            assert_eq!(read(bytes), Some(variant));
        }
        for wrong in [&[][..], &[0x38], &[0x38, 1, 0], &[0x38, 0, 1], &[0x1F, 0], &[0xA7, 2, 3, 0, b'x']] {
            assert_eq!(read(wrong), None, "{wrong:02x?}");
        }
    }
}
