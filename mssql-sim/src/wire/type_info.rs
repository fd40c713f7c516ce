//! TYPE_INFO (2.2.5.6): how columns are described, and how a client describes its parameters.

use super::{ProtocolError, reader::Reader, value};
use crate::collation::{CodePage, Collation};
use crate::types::{ColumnMeta, Length, SqlType, Value};

const MAX_LENGTH: u16 = 0xFFFF;
const PLP_NULL: u64 = u64::MAX;

/// NULL without a type, and no bytes behind it.
const NULL: u8 = 0x1F;
const INTN: u8 = 0x26;
const BITN: u8 = 0x68;
const DECIMALN: u8 = 0x6A;
const NUMERICN: u8 = 0x6C;
const FLTN: u8 = 0x6D;
const MONEYN: u8 = 0x6E;
const DATETIMN: u8 = 0x6F;
const GUIDN: u8 = 0x24;
const DATEN: u8 = 0x28;
const TIMEN: u8 = 0x29;
const DATETIME2N: u8 = 0x2A;
const DATETIMEOFFSETN: u8 = 0x2B;
const BIGVARBINARY: u8 = 0xA5;
const BIGVARCHAR: u8 = 0xA7;
const BIGBINARY: u8 = 0xAD;
const BIGCHAR: u8 = 0xAF;
const NVARCHAR: u8 = 0xE7;
const NCHAR: u8 = 0xEF;
const IMAGE: u8 = 0x22;
const TEXT: u8 = 0x23;
const NTEXT: u8 = 0x63;

/// Appends a column's TYPE_INFO. A column that may not be NULL gets the fixed-width token where its type has one.
pub fn write(column: &ColumnMeta, out: &mut Vec<u8>) {
    let sql_type = column.sql_type;
    let collation = column.collation;
    match sql_type {
        SqlType::Decimal { precision, scale } => write_decimal(DECIMALN, precision, scale, out),
        SqlType::Numeric { precision, scale } => write_decimal(NUMERICN, precision, scale, out),
        SqlType::Date => out.push(DATEN),
        SqlType::Time(scale) => out.extend_from_slice(&[TIMEN, scale]),
        SqlType::DateTime2(scale) => out.extend_from_slice(&[DATETIME2N, scale]),
        SqlType::DateTimeOffset(scale) => out.extend_from_slice(&[DATETIMEOFFSETN, scale]),
        SqlType::UniqueIdentifier => out.extend_from_slice(&[GUIDN, 16]),
        SqlType::Char(n) => write_text(BIGCHAR, n, collation, out),
        SqlType::VarChar(Length::Limited(n)) => write_text(BIGVARCHAR, n, collation, out),
        SqlType::VarChar(Length::Max) => write_text(BIGVARCHAR, MAX_LENGTH, collation, out),
        SqlType::NChar(n) => write_text(NCHAR, 2 * n, collation, out),
        SqlType::NVarChar(Length::Limited(n)) => write_text(NVARCHAR, 2 * n, collation, out),
        SqlType::NVarChar(Length::Max) => write_text(NVARCHAR, MAX_LENGTH, collation, out),
        SqlType::Binary(n) => write_binary(BIGBINARY, n, out),
        SqlType::RowVersion => write_binary(BIGBINARY, 8, out),
        SqlType::VarBinary(Length::Limited(n)) => write_binary(BIGVARBINARY, n, out),
        SqlType::VarBinary(Length::Max) => write_binary(BIGVARBINARY, MAX_LENGTH, out),
        _ => {
            let (fixed, variable) = number_tokens(sql_type);
            if column.nullable {
                let width = value::fixed_width(sql_type).expect("numbers have a fixed width");
                out.extend_from_slice(&[variable, u8::try_from(width).expect("at most 8")]);
            } else {
                out.push(fixed);
            }
        }
    }
}

/// The fixed-width and the nullable token of a type that has both.
fn number_tokens(sql_type: SqlType) -> (u8, u8) {
    match sql_type {
        SqlType::Bit => (0x32, BITN),
        SqlType::TinyInt => (0x30, INTN),
        SqlType::SmallInt => (0x34, INTN),
        SqlType::Int => (0x38, INTN),
        SqlType::BigInt => (0x7F, INTN),
        SqlType::Real => (0x3B, FLTN),
        SqlType::Float => (0x3E, FLTN),
        SqlType::Money => (0x3C, MONEYN),
        SqlType::SmallMoney => (0x7A, MONEYN),
        SqlType::DateTime => (0x3D, DATETIMN),
        SqlType::SmallDateTime => (0x3A, DATETIMN),
        other => unreachable!("{other:?} has no fixed-width token"),
    }
}

fn write_decimal(token: u8, precision: u8, scale: u8, out: &mut Vec<u8>) {
    let width = u8::try_from(value::decimal_width(precision) + 1).expect("at most 17");
    out.extend_from_slice(&[token, width, precision, scale]);
}

fn write_text(token: u8, length: u16, collation: Collation, out: &mut Vec<u8>) {
    write_binary(token, length, out);
    out.extend_from_slice(&collation.wire_bytes());
}

fn write_binary(token: u8, length: u16, out: &mut Vec<u8>) {
    out.push(token);
    out.extend_from_slice(&length.to_le_bytes());
}

/// How a parameter's value is delimited.
#[derive(Clone, Copy)]
enum Delimiter {
    Fixed(usize),
    Byte,
    Short,
    Long,
    Plp,
}

/// Reads a parameter's TYPE_INFO and its value. The type is what the client declared on the wire; a procedure's own
/// declaration may ask for another.
pub fn read_parameter(reader: &mut Reader<'_>) -> Result<(SqlType, Value), ProtocolError> {
    let token = reader.u8("parameter type")?;
    let mut code_page = Collation::DEFAULT.code_page();
    let (sql_type, delimiter) = match token {
        NULL => return Ok((SqlType::Int, Value::Null)),
        INTN | BITN | FLTN | MONEYN | DATETIMN | GUIDN => {
            (sized_type(token, reader.u8("parameter length")?)?, Delimiter::Byte)
        }
        DECIMALN | NUMERICN => (decimal_type(token, reader)?, Delimiter::Byte),
        DATEN => (SqlType::Date, Delimiter::Byte),
        TIMEN | DATETIME2N | DATETIMEOFFSETN => {
            (time_type(token, reader.u8("parameter scale")?)?, Delimiter::Byte)
        }
        BIGVARBINARY | BIGBINARY => limited_type(token, reader.u16("parameter length")?),
        BIGVARCHAR | BIGCHAR | NVARCHAR | NCHAR => {
            let length = reader.u16("parameter length")?;
            code_page = read_code_page(reader)?;
            limited_type(token, length)
        }
        IMAGE | TEXT | NTEXT => {
            reader.u32("parameter length")?;
            if token != IMAGE {
                code_page = read_code_page(reader)?;
            }
            let sql_type = match token {
                IMAGE => SqlType::VarBinary(Length::Max),
                TEXT => SqlType::VarChar(Length::Max),
                _ => SqlType::NVarChar(Length::Max),
            };
            (sql_type, Delimiter::Long)
        }
        _ => {
            let sql_type = fixed_type(token)?;
            (sql_type, Delimiter::Fixed(value::fixed_width(sql_type).expect("fixed tokens have a width")))
        }
    };
    let Some(content) = read_content(reader, delimiter)? else { return Ok((sql_type, Value::Null)) };
    let parameter = value::from_content(&content, sql_type, code_page);
    let parameter = parameter.filter(|value| is_in_range(value, sql_type));
    let parameter = parameter.ok_or_else(|| ProtocolError::Invalid {
        field: "parameter value",
        found: format!("{content:02x?} for {sql_type:?}"),
    })?;
    Ok((sql_type, parameter))
}

/// Whether bytes of the right number stand for a value that the type has.
fn is_in_range(value: &Value, sql_type: SqlType) -> bool {
    const TICKS_PER_DAY: u64 = 864_000_000_000;
    // 0001-01-01 to 9999-12-31.
    let is_day = |days: i32| (0..=3_652_058).contains(&days);
    match *value {
        Value::Decimal { unscaled, .. } => match sql_type {
            SqlType::Decimal { precision, .. } | SqlType::Numeric { precision, .. } => {
                unscaled.unsigned_abs() < 10u128.pow(u32::from(precision))
            }
            _ => false,
        },
        Value::Float(number) => number.is_finite(),
        // 1753-01-01 to 9999-12-31, counted from 1900-01-01.
        Value::DateTime { days, ticks } => (-53_690..=2_958_463).contains(&days) && ticks < 25_920_000,
        Value::Date(days) => is_day(days),
        Value::Time(ticks) => ticks < TICKS_PER_DAY,
        Value::DateTime2 { days, ticks } => is_day(days) && ticks < TICKS_PER_DAY,
        Value::DateTimeOffset { days, ticks, offset } => {
            is_day(days) && ticks < TICKS_PER_DAY && offset.unsigned_abs() <= 14 * 60
        }
        _ => true,
    }
}

fn sized_type(token: u8, length: u8) -> Result<SqlType, ProtocolError> {
    Ok(match (token, length) {
        (INTN, 1) => SqlType::TinyInt,
        (INTN, 2) => SqlType::SmallInt,
        (INTN, 4) => SqlType::Int,
        (INTN, 8) => SqlType::BigInt,
        (BITN, 1) => SqlType::Bit,
        (FLTN, 4) => SqlType::Real,
        (FLTN, 8) => SqlType::Float,
        (MONEYN, 4) => SqlType::SmallMoney,
        (MONEYN, 8) => SqlType::Money,
        (DATETIMN, 4) => SqlType::SmallDateTime,
        (DATETIMN, 8) => SqlType::DateTime,
        (GUIDN, 16) => SqlType::UniqueIdentifier,
        _ => {
            let found = format!("{length} for type {token:#04x}");
            return Err(ProtocolError::Invalid { field: "parameter length", found });
        }
    })
}

fn fixed_type(token: u8) -> Result<SqlType, ProtocolError> {
    const FIXED: [SqlType; 11] = [
        SqlType::Bit,
        SqlType::TinyInt,
        SqlType::SmallInt,
        SqlType::Int,
        SqlType::BigInt,
        SqlType::Real,
        SqlType::Float,
        SqlType::Money,
        SqlType::SmallMoney,
        SqlType::DateTime,
        SqlType::SmallDateTime,
    ];
    let found = FIXED.into_iter().find(|&sql_type| number_tokens(sql_type).0 == token);
    found.ok_or_else(|| ProtocolError::Unsupported(format!("a parameter of wire type {token:#04x}")))
}

fn decimal_type(token: u8, reader: &mut Reader<'_>) -> Result<SqlType, ProtocolError> {
    reader.u8("parameter length")?;
    let (precision, scale) = (reader.u8("parameter precision")?, reader.u8("parameter scale")?);
    if !(1..=38).contains(&precision) || scale > precision {
        return Err(ProtocolError::Invalid {
            field: "parameter precision",
            found: format!("({precision}, {scale})"),
        });
    }
    Ok(if token == DECIMALN {
        SqlType::Decimal { precision, scale }
    } else {
        SqlType::Numeric { precision, scale }
    })
}

fn time_type(token: u8, scale: u8) -> Result<SqlType, ProtocolError> {
    if scale > 7 {
        return Err(ProtocolError::Invalid { field: "parameter scale", found: scale.to_string() });
    }
    Ok(match token {
        TIMEN => SqlType::Time(scale),
        DATETIME2N => SqlType::DateTime2(scale),
        _ => SqlType::DateTimeOffset(scale),
    })
}

/// The code page of a parameter's collation; some clients send zeros for the server's.
fn read_code_page(reader: &mut Reader<'_>) -> Result<CodePage, ProtocolError> {
    let bytes = reader.array("parameter collation")?;
    if bytes == [0; 5] {
        return Ok(Collation::DEFAULT.code_page());
    }
    Collation::code_page_on_wire(bytes)
        .ok_or_else(|| ProtocolError::Unsupported(format!("a parameter of collation {bytes:02x?}")))
}

fn limited_type(token: u8, bytes: u16) -> (SqlType, Delimiter) {
    let variable = |limit| if bytes == MAX_LENGTH { Length::Max } else { Length::Limited(limit) };
    let sql_type = match token {
        BIGVARBINARY => SqlType::VarBinary(variable(bytes)),
        BIGVARCHAR => SqlType::VarChar(variable(bytes)),
        NVARCHAR => SqlType::NVarChar(variable(bytes / 2)),
        BIGBINARY => SqlType::Binary(bytes),
        BIGCHAR => SqlType::Char(bytes),
        _ => SqlType::NChar(bytes / 2),
    };
    (sql_type, if bytes == MAX_LENGTH { Delimiter::Plp } else { Delimiter::Short })
}

/// The value's bytes without delimiters; None is NULL.
fn read_content(reader: &mut Reader<'_>, delimiter: Delimiter) -> Result<Option<Vec<u8>>, ProtocolError> {
    const FIELD: &str = "parameter value";
    let length = match delimiter {
        Delimiter::Fixed(width) => width,
        Delimiter::Byte => match reader.u8(FIELD)? {
            0 => return Ok(None),
            length => usize::from(length),
        },
        Delimiter::Short => match reader.u16(FIELD)? {
            MAX_LENGTH => return Ok(None),
            length => usize::from(length),
        },
        Delimiter::Long => match reader.u32(FIELD)? {
            u32::MAX => return Ok(None),
            length => length as usize,
        },
        Delimiter::Plp => return read_chunks(reader),
    };
    Ok(Some(reader.bytes(length, FIELD)?.to_vec()))
}

fn read_chunks(reader: &mut Reader<'_>) -> Result<Option<Vec<u8>>, ProtocolError> {
    const FIELD: &str = "parameter chunk";
    // The total length may be unknown; the chunks say how long the value is.
    if reader.u64(FIELD)? == PLP_NULL {
        return Ok(None);
    }
    let mut content = Vec::new();
    loop {
        match reader.u32(FIELD)? {
            0 => return Ok(Some(content)),
            length => content.extend_from_slice(reader.bytes(length as usize, FIELD)?),
        }
    }
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

    #[test]
    fn a_long_value_comes_in_chunks() {
        let parameter = [
            [BIGVARBINARY, 0xFF, 0xFF].as_slice(),
            // The total length is not known.
            &[0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            &[2, 0, 0, 0, 1, 2, 1, 0, 0, 0, 3, 0, 0, 0, 0],
        ]
        .concat();
        let (sql_type, value) = read_parameter(&mut Reader::new(&parameter)).unwrap();
        assert_eq!((sql_type, value), (SqlType::VarBinary(Length::Max), Value::Bytes(vec![1, 2, 3])));
    }
}
