//! Values from the driver's form into the vocabulary's. Never through text or floating point, and never rounded up: a time that is
//! finer than microseconds is cut, so that its day stays its day.

use proto::{ColumnType, Decimal, Value};
use std::borrow::Cow;
use tiberius::ColumnData;
use tiberius::time::{DateTime, DateTime2, DateTimeOffset, SmallDateTime, Time};

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// Days from 0001-01-01 to 1970-01-01.
const DAYS_0001_TO_1970: i32 = 719_162;
/// Days from 1900-01-01 to 1970-01-01.
const DAYS_1900_TO_1970: i64 = 25_567;
/// PostgreSQL's text cannot hold U+0000; this symbol for it can be searched for.
const SYMBOL_FOR_NUL: &str = "\u{2400}";

/// A value whose form is not the one its column's type promises.
#[derive(Debug, PartialEq)]
pub(super) struct Mismatch {
    /// The driver's words for what came.
    pub(super) found: String,
}

/// Reads one value. `nul_count` counts the characters U+0000 that were replaced by U+2400.
pub(super) fn value(
    data: ColumnData<'static>,
    expected: ColumnType,
    nul_count: &mut u64,
) -> Result<Value, Mismatch> {
    let read = match (data, expected) {
        (ColumnData::U8(v), ColumnType::Int2) => v.map(|v| Value::Int(v.into())),
        (ColumnData::I16(v), ColumnType::Int2) => v.map(|v| Value::Int(v.into())),
        (ColumnData::I32(v), ColumnType::Int4) => v.map(|v| Value::Int(v.into())),
        (ColumnData::I64(v), ColumnType::Int8) => v.map(Value::Int),
        (ColumnData::Bit(v), ColumnType::Bool) => v.map(Value::Bool),
        (ColumnData::F32(v), ColumnType::Float4) => v.map(Value::Float4),
        (ColumnData::F64(v), ColumnType::Float8) => v.map(Value::Float8),
        (ColumnData::Numeric(v), ColumnType::Numeric { .. }) => {
            v.map(|v| Value::Decimal(Decimal { unscaled: v.value(), scale: v.scale() }))
        }
        (ColumnData::String(v), ColumnType::Text) => v.map(|v| Value::Text(text(v, nul_count))),
        (ColumnData::Binary(v), ColumnType::Bytes) => v.map(|v| Value::Bytes(v.into_owned())),
        (ColumnData::Guid(v), ColumnType::Uuid) => v.map(|v| Value::Uuid(v.into_bytes())),
        (ColumnData::Date(v), ColumnType::Date) => v.map(|v| Value::Date(days(v.days()))),
        (ColumnData::Time(v), ColumnType::Time) => v.map(|v| Value::Time(time_micros(v))),
        (ColumnData::DateTime(v), ColumnType::Timestamp) => v.map(|v| Value::Timestamp(datetime_micros(v))),
        (ColumnData::SmallDateTime(v), ColumnType::Timestamp) => {
            v.map(|v| Value::Timestamp(smalldatetime_micros(v)))
        }
        (ColumnData::DateTime2(v), ColumnType::Timestamp) => v.map(|v| Value::Timestamp(datetime2_micros(v))),
        (ColumnData::DateTimeOffset(v), ColumnType::TimestampTz) => {
            v.map(|v| Value::TimestampTz(datetimeoffset_micros(v)))
        }
        (other, _) => return Err(Mismatch { found: kind(&other) }),
    };
    Ok(read.unwrap_or(Value::Null))
}

/// The form of a value without its content, which must not reach a log.
pub(super) fn kind(data: &ColumnData<'_>) -> String {
    let debug = format!("{data:?}");
    debug.split('(').next().unwrap_or_default().to_lowercase()
}

fn text(text: Cow<'static, str>, nul_count: &mut u64) -> String {
    let nuls = text.bytes().filter(|byte| *byte == 0).count();
    if nuls == 0 {
        return text.into_owned();
    }
    *nul_count += nuls as u64;
    text.replace('\0', SYMBOL_FOR_NUL)
}

/// Days since 0001-01-01 to days since 1970-01-01.
fn days(since_0001: u32) -> i32 {
    i32::try_from(since_0001).expect("a date has three bytes") - DAYS_0001_TO_1970
}

/// Increments of 10^-scale seconds to microseconds.
fn time_micros(time: Time) -> i64 {
    let increments = i64::try_from(time.increments()).expect("a time has five bytes");
    match time.scale() {
        scale @ 0..=6 => increments * 10_i64.pow(6 - u32::from(scale)),
        _ => increments / 10,
    }
}

pub(super) fn datetime2_micros(value: DateTime2) -> i64 {
    i64::from(days(value.date().days())) * MICROS_PER_DAY + time_micros(value.time())
}

/// The wire carries UTC; the offset only says how the value was written.
fn datetimeoffset_micros(value: DateTimeOffset) -> i64 {
    datetime2_micros(value.datetime2())
}

/// Ticks of 1/300 second, shown by the server as thousandths: .000, .003, .007.
fn datetime_micros(value: DateTime) -> i64 {
    let millis = (i64::from(value.seconds_fragments()) * 10 + 1) / 3;
    (i64::from(value.days()) - DAYS_1900_TO_1970) * MICROS_PER_DAY + millis * 1_000
}

/// Minutes.
fn smalldatetime_micros(value: SmallDateTime) -> i64 {
    (i64::from(value.days()) - DAYS_1900_TO_1970) * MICROS_PER_DAY
        + i64::from(value.seconds_fragments()) * 60_000_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiberius::time::Date;

    /// 2026-11-24 as days since 1970-01-01.
    const DAY: i64 = 20_781;
    const DAY_0001: u32 = 739_943;

    fn read(data: ColumnData<'static>, expected: ColumnType) -> Value {
        value(data, expected, &mut 0).unwrap()
    }

    #[test]
    fn datetime_ticks_read_as_the_server_shows_them() {
        let days = i32::try_from(DAY + DAYS_1900_TO_1970).unwrap();
        for (ticks, micros) in [(0, 0), (1, 3_000), (2, 7_000), (3, 10_000), (25_919_999, 86_399_997_000)] {
            let read = read(ColumnData::DateTime(Some(DateTime::new(days, ticks))), ColumnType::Timestamp);
            assert_eq!(read, Value::Timestamp(DAY * MICROS_PER_DAY + micros), "{ticks} ticks");
        }
    }

    #[test]
    fn the_last_100_ns_of_a_day_stay_in_it() {
        let last = DateTime2::new(Date::new(DAY_0001), Time::new(863_999_999_999, 7));
        let read = read(ColumnData::DateTime2(Some(last)), ColumnType::Timestamp);
        assert_eq!(read, Value::Timestamp((DAY + 1) * MICROS_PER_DAY - 1));
    }

    #[test]
    fn every_scale_of_time_counts_microseconds() {
        for (increments, scale) in [(1, 0), (1_000, 3), (1_000_000, 6), (10_000_000, 7)] {
            let data = ColumnData::Time(Some(Time::new(increments, scale)));
            assert_eq!(read(data, ColumnType::Time), Value::Time(1_000_000), "scale {scale}");
        }
    }

    #[test]
    fn an_offset_does_not_move_the_instant() {
        let utc = DateTime2::new(Date::new(DAY_0001), Time::new(1, 0));
        let data = ColumnData::DateTimeOffset(Some(DateTimeOffset::new(utc, -240)));
        assert_eq!(read(data, ColumnType::TimestampTz), Value::TimestampTz(DAY * MICROS_PER_DAY + 1_000_000));
    }

    #[test]
    fn decimals_keep_38_digits() {
        let unscaled = -(10_i128.pow(38) - 1);
        let data = ColumnData::Numeric(Some(tiberius::numeric::Numeric::new_with_scale(unscaled, 10)));
        let expected = ColumnType::Numeric { precision: 38, scale: 10 };
        assert_eq!(read(data, expected), Value::Decimal(Decimal { unscaled, scale: 10 }));
    }

    #[test]
    fn nul_characters_are_replaced_and_counted() {
        let mut nul_count = 0;
        let data = ColumnData::String(Some("a\0b\0".into()));
        assert_eq!(
            value(data, ColumnType::Text, &mut nul_count).unwrap(),
            Value::Text("a\u{2400}b\u{2400}".into())
        );
        assert_eq!(nul_count, 2);
    }

    #[test]
    fn a_value_of_another_type_is_named_without_its_content() {
        let data = ColumnData::String(Some("secret".into()));
        assert_eq!(value(data, ColumnType::Int4, &mut 0), Err(Mismatch { found: "string".into() }));
    }
}
