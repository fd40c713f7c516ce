//! The wire form of values, which is also how the engine stores rows.
//!
//! A row in *row form* is its columns' bytes one after the other, exactly as they follow a ROW token (MS-TDS
//! 2.2.7.19). Six forms exist, chosen by type and nullability: raw bytes (fixed-width types that may not be NULL), a
//! length byte, a u16 length, a u32 length, a text pointer before a u32 length, and PLP (one chunk, as this module
//! writes it).
//!
//! [`encode`] trusts its caller: the value is of the type's kind, text has been padded and cut to the declared
//! length, and NULL is only given to nullable columns. The other functions trust bytes that [`encode`] wrote.
//! Bytes from a client go through `from_content`, which refuses what does not fit.

use super::variant;
use crate::collation::CodePage;
use crate::types::{ColumnMeta, Length, SqlType, Value};

const SHORT_NULL: u16 = 0xFFFF;
const PLP_NULL: u64 = u64::MAX;
/// 1/300 s in a minute, the unit of `smalldatetime` on the wire.
const TICKS_PER_MINUTE: u32 = 300 * 60;
/// What stands before the length of a `text`: 16 bytes of pointer and 8 of timestamp. A client can do nothing with
/// either but keep them.
const TEXT_POINTER: [u8; 25] = *b"\x10dummy textptr\0\0\0dummyTS\0";

/// How a value's bytes are delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// This many bytes, never NULL.
    Fixed(usize),
    /// A length byte; 0 is NULL.
    ByteLength,
    /// A u16 length; 0xFFFF is NULL.
    ShortLength,
    /// A u32 length; 0 is NULL.
    LongLength,
    /// A byte that says how long the text pointer is (0 is NULL), the pointer, a timestamp, a u32 length.
    TextPointer,
    /// u64 total length (all ones is NULL), chunks with u32 lengths, a chunk of length 0.
    Plp,
}

/// The form of a column's values.
pub(crate) fn form(column: &ColumnMeta) -> Form {
    match column.sql_type {
        SqlType::VarChar(Length::Max)
        | SqlType::NVarChar(Length::Max)
        | SqlType::VarBinary(Length::Max)
        | SqlType::Xml
        | SqlType::Clr(_) => Form::Plp,
        SqlType::SqlVariant => Form::LongLength,
        SqlType::Text | SqlType::NText | SqlType::Image => Form::TextPointer,
        SqlType::Char(_)
        | SqlType::VarChar(_)
        | SqlType::NChar(_)
        | SqlType::NVarChar(_)
        | SqlType::Binary(_)
        | SqlType::VarBinary(_)
        | SqlType::RowVersion => Form::ShortLength,
        other => match fixed_width(other) {
            Some(width) if !column.nullable => Form::Fixed(width),
            _ => Form::ByteLength,
        },
    }
}

/// Bytes of the types that have a fixed-width token.
pub(crate) fn fixed_width(sql_type: SqlType) -> Option<usize> {
    match sql_type {
        SqlType::Bit | SqlType::TinyInt => Some(1),
        SqlType::SmallInt => Some(2),
        SqlType::Int | SqlType::SmallMoney | SqlType::Real | SqlType::SmallDateTime => Some(4),
        SqlType::BigInt | SqlType::Money | SqlType::Float | SqlType::DateTime => Some(8),
        _ => None,
    }
}

/// Bytes of a decimal's magnitude by its declared precision.
pub(crate) fn decimal_width(precision: u8) -> usize {
    match precision {
        0..=9 => 4,
        10..=19 => 8,
        20..=28 => 12,
        _ => 16,
    }
}

/// Bytes of the time part of `time`, `datetime2` and `datetimeoffset`.
pub(crate) fn time_width(scale: u8) -> usize {
    match scale {
        0..=2 => 3,
        3..=4 => 4,
        _ => 5,
    }
}

/// Appends a value in row form.
///
/// # Panics
/// If the value is not of the type's kind, or is NULL where the column may not be: a bug of the caller.
pub fn encode(value: &Value, column: &ColumnMeta, out: &mut Vec<u8>) {
    let form = form(column);
    if value.is_null() {
        return match form {
            Form::Fixed(_) => panic!("NULL in {column:?}, which may not be NULL"),
            Form::ByteLength | Form::TextPointer => out.push(0),
            Form::LongLength => out.extend_from_slice(&[0; 4]),
            Form::ShortLength => out.extend_from_slice(&SHORT_NULL.to_le_bytes()),
            Form::Plp => out.extend_from_slice(&PLP_NULL.to_le_bytes()),
        };
    }
    encode_content(column, |out| write_content(value, column, out), out);
}

/// Appends what `write` writes, delimited as the column's values are.
fn encode_content(column: &ColumnMeta, write: impl FnOnce(&mut Vec<u8>), out: &mut Vec<u8>) {
    let start = out.len();
    match form(column) {
        Form::Fixed(_) => write(out),
        Form::ByteLength => {
            out.push(0);
            write(out);
            out[start] = u8::try_from(out.len() - start - 1).expect("at most 17 bytes follow a length byte");
        }
        Form::ShortLength => {
            out.extend_from_slice(&[0; 2]);
            write(out);
            let length =
                u16::try_from(out.len() - start - 2).expect("a limited type holds at most 8000 bytes");
            out[start..start + 2].copy_from_slice(&length.to_le_bytes());
        }
        Form::LongLength => {
            out.extend_from_slice(&[0; 4]);
            write(out);
            write_long_length(start, out);
        }
        Form::TextPointer => {
            out.extend_from_slice(&TEXT_POINTER);
            out.extend_from_slice(&[0; 4]);
            write(out);
            write_long_length(start + TEXT_POINTER.len(), out);
        }
        Form::Plp => {
            out.extend_from_slice(&[0; 12]);
            write(out);
            let length = out.len() - start - 12;
            out[start..start + 8].copy_from_slice(&(length as u64).to_le_bytes());
            if length == 0 {
                out.truncate(start + 8);
            } else {
                let chunk = u32::try_from(length).expect("a value holds at most 2 GB");
                out[start + 8..start + 12].copy_from_slice(&chunk.to_le_bytes());
            }
            out.extend_from_slice(&[0; 4]);
        }
    }
}

/// Writes how many bytes follow the u32 that stands at `start`.
fn write_long_length(start: usize, out: &mut [u8]) {
    let length = u32::try_from(out.len() - start - 4).expect("a value holds at most 2 GB");
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

/// Takes one column's value from the front of a row.
pub fn decode(bytes: &mut &[u8], column: &ColumnMeta) -> Value {
    let taken = take(bytes, column);
    if is_null(taken, column) {
        return Value::Null;
    }
    let content = content_of(taken, column);
    from_content(content, column.sql_type, column.collation.code_page())
        .expect("a row was written by `encode`")
}

/// The bytes of a value that is not NULL, without what delimits them.
fn content_of<'a>(taken: &'a [u8], column: &ColumnMeta) -> &'a [u8] {
    match form(column) {
        Form::Fixed(_) => taken,
        Form::ByteLength => &taken[1..],
        Form::ShortLength => &taken[2..],
        Form::LongLength => &taken[4..],
        Form::TextPointer => &taken[TEXT_POINTER.len() + 4..],
        // The total length and the one chunk's length stand before, the end mark behind; an empty value has no chunk.
        Form::Plp if taken.len() == 12 => &[],
        Form::Plp => &taken[12..taken.len() - 4],
    }
}

/// Takes one column's bytes, delimiters included, from the front of a row.
pub fn take<'a>(bytes: &mut &'a [u8], column: &ColumnMeta) -> &'a [u8] {
    let length = match form(column) {
        Form::Fixed(width) => width,
        Form::ByteLength => 1 + usize::from(bytes[0]),
        Form::ShortLength => match u16::from_le_bytes([bytes[0], bytes[1]]) {
            SHORT_NULL => 2,
            length => 2 + usize::from(length),
        },
        Form::LongLength => 4 + long_length(bytes),
        Form::TextPointer if bytes[0] == 0 => 1,
        Form::TextPointer => TEXT_POINTER.len() + 4 + long_length(&bytes[TEXT_POINTER.len()..]),
        Form::Plp => match u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) {
            PLP_NULL => 8,
            0 => 12,
            length => 16 + usize::try_from(length).expect("a stored value fits in memory"),
        },
    };
    let (taken, rest) = bytes.split_at(length);
    *bytes = rest;
    taken
}

fn long_length(bytes: &[u8]) -> usize {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize
}

/// Whether values of a column can be of any length, as `SET TEXTSIZE` limits.
pub fn is_long(column: &ColumnMeta) -> bool {
    matches!(form(column), Form::TextPointer)
        || form(column) == Form::Plp && !matches!(column.sql_type, SqlType::Clr(_))
}

/// A row in which no long value has more than `limit` bytes.
pub fn cut(row: &[u8], columns: &[ColumnMeta], limit: usize) -> Vec<u8> {
    let (mut rest, mut out) = (row, Vec::with_capacity(row.len()));
    for column in columns {
        let taken = take(&mut rest, column);
        if !is_long(column) || is_null(taken, column) || taken.len() <= limit {
            out.extend_from_slice(taken);
            continue;
        }
        // UTF-16 units stay whole.
        let limit = if column.sql_type.has_code_page() { limit } else { limit & !1 };
        let content = content_of(taken, column);
        let kept = &content[..content.len().min(limit)];
        encode_content(column, |out| out.extend_from_slice(kept), &mut out);
    }
    out
}

/// Passes over one column at the front of a row.
pub fn skip(bytes: &mut &[u8], column: &ColumnMeta) {
    take(bytes, column);
}

/// Whether the column at the front of a row is NULL.
pub fn is_null(bytes: &[u8], column: &ColumnMeta) -> bool {
    match form(column) {
        Form::Fixed(_) => false,
        Form::ByteLength | Form::TextPointer => bytes[0] == 0,
        Form::LongLength => long_length(bytes) == 0,
        Form::ShortLength => bytes[..2] == SHORT_NULL.to_le_bytes(),
        Form::Plp => bytes[..8] == PLP_NULL.to_le_bytes(),
    }
}

pub(crate) fn write_content(value: &Value, column: &ColumnMeta, out: &mut Vec<u8>) {
    match (value, column.sql_type) {
        (Value::Bit(bit), SqlType::Bit) => out.push(u8::from(*bit)),
        (Value::Int(n), SqlType::TinyInt | SqlType::SmallInt | SqlType::Int | SqlType::BigInt) => {
            let width = fixed_width(column.sql_type).expect("integers have a fixed width");
            out.extend_from_slice(&n.to_le_bytes()[..width]);
        }
        (
            Value::Decimal { unscaled, .. },
            SqlType::Decimal { precision, .. } | SqlType::Numeric { precision, .. },
        ) => {
            out.push(u8::from(*unscaled >= 0));
            out.extend_from_slice(&unscaled.unsigned_abs().to_le_bytes()[..decimal_width(precision)]);
        }
        (Value::Money(n), SqlType::Money) => {
            // The high half comes first.
            out.extend_from_slice(&n.to_le_bytes()[4..]);
            out.extend_from_slice(&n.to_le_bytes()[..4]);
        }
        (Value::Money(n), SqlType::SmallMoney) => out.extend_from_slice(&n.to_le_bytes()[..4]),
        (Value::Float(f), SqlType::Real) => out.extend_from_slice(&(*f as f32).to_le_bytes()),
        (Value::Float(f), SqlType::Float) => out.extend_from_slice(&f.to_le_bytes()),
        (Value::DateTime { days, ticks }, SqlType::DateTime) => {
            out.extend_from_slice(&days.to_le_bytes());
            out.extend_from_slice(&ticks.to_le_bytes());
        }
        (Value::DateTime { days, ticks }, SqlType::SmallDateTime) => {
            out.extend_from_slice(&days.to_le_bytes()[..2]);
            out.extend_from_slice(&(ticks / TICKS_PER_MINUTE).to_le_bytes()[..2]);
        }
        (Value::Date(days), SqlType::Date) => out.extend_from_slice(&days.to_le_bytes()[..3]),
        (Value::Time(ticks), SqlType::Time(scale)) => write_time(*ticks, scale, out),
        (Value::DateTime2 { days, ticks }, SqlType::DateTime2(scale)) => {
            write_time(*ticks, scale, out);
            out.extend_from_slice(&days.to_le_bytes()[..3]);
        }
        (Value::DateTimeOffset { days, ticks, offset }, SqlType::DateTimeOffset(scale)) => {
            write_time(*ticks, scale, out);
            out.extend_from_slice(&days.to_le_bytes()[..3]);
            out.extend_from_slice(&offset.to_le_bytes());
        }
        (Value::Text(units), SqlType::NChar(_) | SqlType::NVarChar(_) | SqlType::NText | SqlType::Xml) => {
            out.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        }
        (Value::Text(units), SqlType::Char(_) | SqlType::VarChar(_) | SqlType::Text) => {
            column.collation.code_page().encode(units, out);
        }
        (
            Value::Bytes(bytes),
            SqlType::Binary(_)
            | SqlType::VarBinary(_)
            | SqlType::RowVersion
            | SqlType::Image
            | SqlType::Clr(_),
        ) => out.extend_from_slice(bytes),
        (Value::Variant(inner), SqlType::SqlVariant) => variant::write(inner, out),
        (Value::Guid(guid), SqlType::UniqueIdentifier) => out.extend_from_slice(&swap_guid(*guid)),
        _ => panic!("{value:?} is no value of {column:?}"),
    }
}

fn write_time(ticks: u64, scale: u8, out: &mut Vec<u8>) {
    let increments = ticks / ticks_per_increment(scale);
    out.extend_from_slice(&increments.to_le_bytes()[..time_width(scale)]);
}

fn ticks_per_increment(scale: u8) -> u64 {
    10u64.pow(7 - u32::from(scale))
}

/// A value from its bytes without delimiters; None if their number does not fit the type.
pub(crate) fn from_content(content: &[u8], sql_type: SqlType, code_page: CodePage) -> Option<Value> {
    Some(match sql_type {
        SqlType::Bit => Value::Bit(*exactly::<1>(content)?.first()? != 0),
        SqlType::TinyInt => Value::Int(i64::from(u8::from_le_bytes(exactly(content)?))),
        SqlType::SmallInt => Value::Int(i64::from(i16::from_le_bytes(exactly(content)?))),
        SqlType::Int => Value::Int(i64::from(i32::from_le_bytes(exactly(content)?))),
        SqlType::BigInt => Value::Int(i64::from_le_bytes(exactly(content)?)),
        SqlType::Decimal { scale, .. } | SqlType::Numeric { scale, .. } => {
            let (sign, magnitude) = content.split_first()?;
            let magnitude = i128::try_from(u128::from_le_bytes(widen(magnitude)?)).ok()?;
            Value::Decimal { unscaled: if *sign == 0 { -magnitude } else { magnitude }, scale }
        }
        SqlType::Money => {
            let bytes: [u8; 8] = exactly(content)?;
            let (high, low) = bytes.split_at(4);
            Value::Money(i64::from_le_bytes(exactly(&[low, high].concat())?))
        }
        SqlType::SmallMoney => Value::Money(i64::from(i32::from_le_bytes(exactly(content)?))),
        SqlType::Real => Value::Float(f64::from(f32::from_le_bytes(exactly(content)?))),
        SqlType::Float => Value::Float(f64::from_le_bytes(exactly(content)?)),
        SqlType::DateTime => {
            let (days, ticks) = content.split_at_checked(4)?;
            Value::DateTime {
                days: i32::from_le_bytes(exactly(days)?),
                ticks: u32::from_le_bytes(exactly(ticks)?),
            }
        }
        SqlType::SmallDateTime => {
            let (days, minutes) = content.split_at_checked(2)?;
            let minutes = u32::from(u16::from_le_bytes(exactly(minutes)?));
            Value::DateTime {
                days: i32::from(u16::from_le_bytes(exactly(days)?)),
                ticks: minutes * TICKS_PER_MINUTE,
            }
        }
        SqlType::Date => Value::Date(read_days(content)?),
        SqlType::Time(scale) => Value::Time(read_time(content, scale)?),
        SqlType::DateTime2(scale) => {
            let (time, days) = content.split_at_checked(time_width(scale))?;
            Value::DateTime2 { days: read_days(days)?, ticks: read_time(time, scale)? }
        }
        SqlType::DateTimeOffset(scale) => {
            let (time, rest) = content.split_at_checked(time_width(scale))?;
            let (days, offset) = rest.split_at_checked(3)?;
            Value::DateTimeOffset {
                days: read_days(days)?,
                ticks: read_time(time, scale)?,
                offset: i16::from_le_bytes(exactly(offset)?),
            }
        }
        SqlType::NChar(_) | SqlType::NVarChar(_) | SqlType::NText | SqlType::Xml => {
            let (units, []) = content.as_chunks::<2>() else { return None };
            Value::Text(units.iter().map(|unit| u16::from_le_bytes(*unit)).collect())
        }
        SqlType::Char(_) | SqlType::VarChar(_) | SqlType::Text => Value::Text(code_page.decode(content)),
        SqlType::Binary(_)
        | SqlType::VarBinary(_)
        | SqlType::RowVersion
        | SqlType::Image
        | SqlType::Clr(_) => Value::Bytes(content.to_vec()),
        SqlType::SqlVariant => Value::Variant(Box::new(variant::read(content)?)),
        SqlType::UniqueIdentifier => Value::Guid(swap_guid(exactly(content)?)),
    })
}

/// Whether bytes of the right number stand for a value that the type has.
pub(crate) fn is_in_range(value: &Value, sql_type: SqlType) -> bool {
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
        Value::Variant(ref inner) => is_in_range(&inner.value, inner.sql_type),
        _ => true,
    }
}

fn exactly<const N: usize>(content: &[u8]) -> Option<[u8; N]> {
    content.try_into().ok()
}

fn widen<const N: usize>(content: &[u8]) -> Option<[u8; N]> {
    let mut wide = [0; N];
    wide.get_mut(..content.len())?.copy_from_slice(content);
    Some(wide)
}

fn read_days(content: &[u8]) -> Option<i32> {
    let [a, b, c] = exactly(content)?;
    Some(i32::from_le_bytes([a, b, c, 0]))
}

fn read_time(content: &[u8], scale: u8) -> Option<u64> {
    let increments = (content.len() == time_width(scale)).then(|| widen(content))??;
    Some(u64::from_le_bytes(increments) * ticks_per_increment(scale))
}

/// The first three groups of a GUID travel little-endian.
fn swap_guid(mut guid: [u8; 16]) -> [u8; 16] {
    guid[..4].reverse();
    guid[4..6].reverse();
    guid[6..8].reverse();
    guid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::ClrType;

    fn round_trip(value: &Value, sql_type: SqlType) {
        for nullable in [true, false] {
            let mut row = Vec::new();
            let column = ColumnMeta::new("", sql_type, nullable);
            encode(value, &column, &mut row);
            row.push(0xAB);
            let mut rest = row.as_slice();
            assert_eq!(decode(&mut rest, &column), *value, "{sql_type:?}, nullable {nullable}");
            assert_eq!(rest, [0xAB], "{sql_type:?} takes its bytes and no more");
        }
        let mut row = Vec::new();
        let column = ColumnMeta::new("", sql_type, true);
        encode(&Value::Null, &column, &mut row);
        assert!(is_null(&row, &column));
        let mut rest = row.as_slice();
        assert_eq!(decode(&mut rest, &column), Value::Null);
        assert!(rest.is_empty());
    }

    #[test]
    fn every_type_comes_back_as_it_went() {
        let numeric = SqlType::Numeric { precision: 38, scale: 10 };
        let cases = [
            (Value::Bit(true), SqlType::Bit),
            (Value::Int(255), SqlType::TinyInt),
            (Value::Int(-32768), SqlType::SmallInt),
            (Value::Int(i64::from(i32::MIN)), SqlType::Int),
            (Value::Int(i64::MIN), SqlType::BigInt),
            (Value::Decimal { unscaled: -99_999, scale: 2 }, SqlType::Decimal { precision: 5, scale: 2 }),
            (Value::Decimal { unscaled: 10i128.pow(38) - 1, scale: 10 }, numeric),
            (Value::Money(i64::MIN), SqlType::Money),
            (Value::Money(-1), SqlType::SmallMoney),
            (Value::Float(0.5), SqlType::Real),
            (Value::Float(-1.0e300), SqlType::Float),
            (Value::DateTime { days: -53690, ticks: 25_919_999 }, SqlType::DateTime),
            (Value::DateTime { days: 65535, ticks: 1439 * 18000 }, SqlType::SmallDateTime),
            (Value::DateTime2 { days: 3_652_058, ticks: 863_999_999_999 }, SqlType::DateTime2(7)),
            (Value::DateTime2 { days: 0, ticks: 863_990_000_000 }, SqlType::DateTime2(0)),
            (Value::Date(3_652_058), SqlType::Date),
            (Value::Time(863_999_990_000), SqlType::Time(3)),
            (Value::DateTimeOffset { days: 700_000, ticks: 1, offset: -840 }, SqlType::DateTimeOffset(7)),
            (Value::text("caf\u{e9} \u{20ac}"), SqlType::VarChar(Length::Limited(20))),
            (Value::text(""), SqlType::VarChar(Length::Max)),
            (Value::text("na\u{ef}ve \u{1f69a}"), SqlType::NVarChar(Length::Max)),
            (Value::Text(vec![0xD800]), SqlType::NVarChar(Length::Limited(1))),
            (Value::Bytes(vec![]), SqlType::VarBinary(Length::Max)),
            (Value::Bytes(vec![0; 8]), SqlType::RowVersion),
            (Value::Guid(*b"0123456789abcdef"), SqlType::UniqueIdentifier),
            (Value::text("caf\u{e9}"), SqlType::Text),
            (Value::text(""), SqlType::NText),
            (Value::Bytes(vec![0, 1]), SqlType::Image),
            (Value::text("<a/>"), SqlType::Xml),
            (Value::Bytes(vec![0x58]), SqlType::Clr(ClrType::HierarchyId)),
        ];
        for (value, sql_type) in cases {
            round_trip(&value, sql_type);
        }
    }

    #[test]
    fn bytes_are_those_of_the_specification() {
        let bytes = |value: Value, sql_type| {
            let mut out = Vec::new();
            encode(&value, &ColumnMeta::new("", sql_type, true), &mut out);
            out
        };
        assert_eq!(bytes(Value::Money(1), SqlType::Money), [8, 0, 0, 0, 0, 1, 0, 0, 0]);
        let decimal = SqlType::Decimal { precision: 5, scale: 1 };
        assert_eq!(bytes(Value::Decimal { unscaled: -258, scale: 1 }, decimal), [5, 0, 2, 1, 0, 0]);
        let guid = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        let on_the_wire = [16, 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
        assert_eq!(bytes(Value::Guid(guid), SqlType::UniqueIdentifier), on_the_wire);
    }
}
