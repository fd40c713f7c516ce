//! TYPE_INFO of columns.

use super::*;
use crate::collation::Collation;
use crate::types::{ClrType, ColumnMeta};

/// Appends a column's TYPE_INFO. A column that may not be NULL gets the fixed-width token where its type has one.
pub fn write(column: &ColumnMeta, out: &mut Vec<u8>) {
    out.push(token(column));
    let collation = column.collation;
    match column.sql_type {
        SqlType::Decimal { precision, scale } | SqlType::Numeric { precision, scale } => {
            let width = u8::try_from(value::decimal_width(precision) + 1).expect("at most 17");
            out.extend_from_slice(&[width, precision, scale]);
        }
        SqlType::Date => {}
        SqlType::Time(scale) | SqlType::DateTime2(scale) | SqlType::DateTimeOffset(scale) => out.push(scale),
        SqlType::UniqueIdentifier => out.push(16),
        SqlType::Char(n) | SqlType::VarChar(Length::Limited(n)) => write_text(n, collation, out),
        SqlType::NChar(n) | SqlType::NVarChar(Length::Limited(n)) => write_text(2 * n, collation, out),
        SqlType::VarChar(Length::Max) | SqlType::NVarChar(Length::Max) => {
            write_text(MAX_LENGTH, collation, out);
        }
        SqlType::Binary(n) | SqlType::VarBinary(Length::Limited(n)) => {
            out.extend_from_slice(&n.to_le_bytes());
        }
        SqlType::VarBinary(Length::Max) => out.extend_from_slice(&MAX_LENGTH.to_le_bytes()),
        SqlType::RowVersion => out.extend_from_slice(&8u16.to_le_bytes()),
        SqlType::Text | SqlType::NText | SqlType::Image => write_long(column, out),
        SqlType::SqlVariant => out.extend_from_slice(&VARIANT_LENGTH.to_le_bytes()),
        // No schema collection.
        SqlType::Xml => out.push(0),
        SqlType::Clr(clr) => write_clr(clr, out),
        number => {
            if column.nullable {
                let width = value::fixed_width(number).expect("numbers have a fixed width");
                out.push(u8::try_from(width).expect("at most 8"));
            }
        }
    }
}

/// The token of a column's type.
pub(in crate::wire) fn token(column: &ColumnMeta) -> u8 {
    match column.sql_type {
        SqlType::Decimal { .. } => DECIMALN,
        SqlType::Numeric { .. } => NUMERICN,
        SqlType::Date => DATEN,
        SqlType::Time(_) => TIMEN,
        SqlType::DateTime2(_) => DATETIME2N,
        SqlType::DateTimeOffset(_) => DATETIMEOFFSETN,
        SqlType::UniqueIdentifier => GUIDN,
        SqlType::Char(_) => BIGCHAR,
        SqlType::VarChar(_) => BIGVARCHAR,
        SqlType::NChar(_) => NCHAR,
        SqlType::NVarChar(_) => NVARCHAR,
        SqlType::Binary(_) | SqlType::RowVersion => BIGBINARY,
        SqlType::VarBinary(_) => BIGVARBINARY,
        SqlType::Text => TEXT,
        SqlType::NText => NTEXT,
        SqlType::Image => IMAGE,
        SqlType::SqlVariant => VARIANT,
        SqlType::Xml => XML,
        SqlType::Clr(_) => UDT,
        number => {
            let (fixed, variable) = number_tokens(number).expect("the other types are numbers and old dates");
            if column.nullable { variable } else { fixed }
        }
    }
}

fn write_text(length: u16, collation: Collation, out: &mut Vec<u8>) {
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&collation.wire_bytes());
}

/// Most bytes that `text`, `ntext` and `image` hold.
fn write_long(column: &ColumnMeta, out: &mut Vec<u8>) {
    let length: u32 = if column.sql_type == SqlType::NText { 0x7FFF_FFFE } else { 0x7FFF_FFFF };
    out.extend_from_slice(&length.to_le_bytes());
    if column.sql_type != SqlType::Image {
        out.extend_from_slice(&column.collation.wire_bytes());
    }
}

/// UDT_INFO_IN_COLMETADATA.
fn write_clr(clr: ClrType, out: &mut Vec<u8>) {
    let (length, class) = match clr {
        ClrType::HierarchyId => (892, "SqlHierarchyId"),
        ClrType::Geometry => (MAX_LENGTH, "SqlGeometry"),
        ClrType::Geography => (MAX_LENGTH, "SqlGeography"),
    };
    out.extend_from_slice(&length.to_le_bytes());
    for name in ["master", "sys", clr.name()] {
        let units: Vec<u16> = name.encode_utf16().collect();
        out.push(u8::try_from(units.len()).expect("these names are short"));
        out.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
    }
    let assembly = format!(
        "Microsoft.SqlServer.Types.{class}, Microsoft.SqlServer.Types, Version=11.0.0.0, Culture=neutral, \
         PublicKeyToken=89845dcd8080cc91"
    );
    let units: Vec<u16> = assembly.encode_utf16().collect();
    out.extend_from_slice(&u16::try_from(units.len()).expect("an assembly's name is short").to_le_bytes());
    out.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_may_not_be_null_has_the_fixed_token_where_there_is_one() {
        let written = |sql_type, nullable| {
            let mut out = Vec::new();
            write(&ColumnMeta::new("", sql_type, nullable), &mut out);
            out
        };
        assert_eq!(written(SqlType::Int, false), [0x38]);
        assert_eq!(written(SqlType::Int, true), [INTN, 4]);
        assert_eq!(written(SqlType::Bit, false), [0x32]);
        assert_eq!(written(SqlType::SmallDateTime, true), [DATETIMN, 4]);
        let decimal = SqlType::Decimal { precision: 18, scale: 4 };
        assert_eq!(written(decimal, false), [DECIMALN, 9, 18, 4]);
        assert_eq!(
            written(SqlType::NVarChar(Length::Max), false),
            [NVARCHAR, 0xFF, 0xFF, 9, 4, 0xD0, 0, 0x34]
        );
    }
}
