//! Conversions to dates and times, and the one form in which all of them are computed with.

use chrono::{Datelike, NaiveDate};

use super::date_parse::{Parsed, parse_moment};
use super::number::float_of;
use super::rules::{Family, family, fraction_digits};
use super::text::trimmed;
use crate::collation::Collation;
use crate::exec::messages::{date_out_of_range, impossible_cast, not_a_date, overflow_from};
use crate::types::{SqlError, SqlType, Value};
use crate::wire::value as wire;

/// 100 ns in a second.
pub(crate) const TICKS_PER_SECOND: u64 = 10_000_000;
/// 100 ns in a day.
pub(crate) const TICKS_PER_DAY: u64 = 86_400 * TICKS_PER_SECOND;
/// 100 ns in a minute.
const TICKS_PER_MINUTE: u64 = 60 * TICKS_PER_SECOND;
/// Days from 0001-01-01 to 1900-01-01, where `datetime` counts from and a bare time stands.
const DAYS_TO_1900: i32 = 693_595;
/// Days from 0001-01-01 to 9999-12-31.
const LAST_DAY: i32 = 3_652_058;
/// Days from 1900-01-01 to 1753-01-01, the first of `datetime`.
const FIRST_DATETIME: i32 = -53_690;
/// `datetime` counts 1/300 s.
const DATETIME_TICKS_PER_DAY: u64 = 300 * 86_400;

/// A point on the wall clock, and the clock's offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Days since 0001-01-01.
    pub(crate) days: i32,
    /// 100 ns since midnight.
    pub(crate) ticks: u64,
    /// Minutes east of UTC.
    pub(crate) offset: i16,
}

impl Moment {
    /// Moves the clock by minutes, over midnight if need be.
    fn shifted(self, minutes: i32) -> Self {
        let ticks = i64::from(self.days) * TICKS_PER_DAY as i64
            + self.ticks as i64
            + i64::from(minutes) * TICKS_PER_MINUTE as i64;
        let day = TICKS_PER_DAY as i64;
        Self { days: ticks.div_euclid(day) as i32, ticks: ticks.rem_euclid(day) as u64, offset: self.offset }
    }

    /// Rounded to `digits` behind the second.
    fn rounded(self, digits: u8) -> Self {
        let unit = 10u64.pow(u32::from(7 - digits.min(7)));
        let ticks = (self.ticks + unit / 2) / unit * unit;
        if ticks < TICKS_PER_DAY {
            return Self { ticks, ..self };
        }
        // The last instant of the calendar has no day to round up to.
        if self.days >= LAST_DAY {
            return Self { ticks: self.ticks / unit * unit, ..self };
        }
        Self { days: self.days + 1, ticks: ticks - TICKS_PER_DAY, ..self }
    }

    /// Its date.
    pub(crate) fn date(self) -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(self.days + 1).unwrap_or_default()
    }
}

/// Days since 0001-01-01 of a calendar date; None if there is no such date in years 1 to 9999.
pub(crate) fn days_of(year: i32, month: u32, day: u32) -> Option<i32> {
    if !(1..=9999).contains(&year) {
        return None;
    }
    NaiveDate::from_ymd_opt(year, month, day).map(|date| date.num_days_from_ce() - 1)
}

/// A date or time as a moment; a bare time stands on 1900-01-01.
pub(crate) fn moment_of(value: &Value) -> Option<Moment> {
    Some(match value {
        Value::DateTime { days, ticks } => Moment {
            days: days + DAYS_TO_1900,
            // 1/300 s is 33,333.3 ticks; rounded as datetime2 shows it.
            ticks: (u64::from(*ticks) * 100_000 + 1) / 3,
            offset: 0,
        },
        Value::DateTime2 { days, ticks } => Moment { days: *days, ticks: *ticks, offset: 0 },
        Value::Date(days) => Moment { days: *days, ticks: 0, offset: 0 },
        Value::Time(ticks) => Moment { days: DAYS_TO_1900, ticks: *ticks, offset: 0 },
        Value::DateTimeOffset { days, ticks, offset } => {
            Moment { days: *days, ticks: *ticks, offset: *offset }.shifted(i32::from(*offset))
        }
        _ => return None,
    })
}

/// A moment as a value of a date or time type, rounded to what the type keeps.
pub(crate) fn moment_to(moment: Moment, from: SqlType, to: SqlType) -> Result<Value, SqlError> {
    if !(0..=LAST_DAY).contains(&moment.days) {
        return Err(date_out_of_range(from, to));
    }
    match to {
        SqlType::DateTime => {
            let ticks = (moment.ticks * 3 + 50_000) / 100_000;
            let (carry, ticks) = (ticks / DATETIME_TICKS_PER_DAY, ticks % DATETIME_TICKS_PER_DAY);
            let days = moment.days - DAYS_TO_1900 + carry as i32;
            if !(FIRST_DATETIME..=LAST_DAY - DAYS_TO_1900).contains(&days) {
                return Err(date_out_of_range(from, to));
            }
            Ok(Value::DateTime { days, ticks: ticks as u32 })
        }
        SqlType::SmallDateTime => {
            let minutes = (moment.ticks + TICKS_PER_MINUTE / 2) / TICKS_PER_MINUTE;
            let days = moment.days - DAYS_TO_1900 + (minutes / 1440) as i32;
            if !(0..=i32::from(u16::MAX)).contains(&days) {
                return Err(date_out_of_range(from, to));
            }
            Ok(Value::DateTime { days, ticks: (minutes % 1440) as u32 * 300 * 60 })
        }
        SqlType::Date => Ok(Value::Date(moment.days)),
        SqlType::Time(scale) => Ok(Value::Time(moment.rounded(scale).ticks)),
        SqlType::DateTimeOffset(scale) => {
            let rounded = moment.rounded(scale);
            let utc = rounded.shifted(-i32::from(rounded.offset));
            if !(0..=LAST_DAY).contains(&utc.days) {
                return Err(date_out_of_range(from, to));
            }
            Ok(Value::DateTimeOffset { days: utc.days, ticks: utc.ticks, offset: utc.offset })
        }
        _ => {
            let Moment { days, ticks, .. } = moment.rounded(fraction_digits(to));
            Ok(Value::DateTime2 { days, ticks })
        }
    }
}

pub(super) fn to_date(
    value: Value,
    from: SqlType,
    to: SqlType,
    style: Option<i32>,
) -> Result<Value, SqlError> {
    match &value {
        Value::Text(units) => from_text(units, from, to, style),
        Value::Bytes(bytes) => from_bytes(bytes, from, to),
        other => match moment_of(other) {
            Some(moment) => moment_to(moment, from, to),
            None => from_number(other, from, to),
        },
    }
}

fn from_text(units: &[u16], from: SqlType, to: SqlType, style: Option<i32>) -> Result<Value, SqlError> {
    let Some(parsed) = parse_moment(&trimmed(units), style) else { return Err(not_a_date(to)) };
    let Parsed { days, ticks, offset, fraction_digits } = parsed;
    if family(to) == Family::LegacyDate && (fraction_digits > 3 || offset.is_some_and(|o| o != 0)) {
        return Err(not_a_date(to));
    }
    let days = match days {
        Some(Some(days)) => days,
        // Thirty-first of April: written like a date, but none.
        Some(None) if family(to) == Family::LegacyDate => return Err(date_out_of_range(from, to)),
        Some(None) => return Err(not_a_date(to)),
        None => DAYS_TO_1900,
    };
    moment_to(Moment { days, ticks, offset: offset.unwrap_or(0) }, from, to)
}

/// Days since 1900-01-01, with a fraction.
fn from_number(value: &Value, from: SqlType, to: SqlType) -> Result<Value, SqlError> {
    let (Some(number), Family::LegacyDate) = (float_of(value), family(to)) else {
        return Err(impossible_cast(from, to));
    };
    let whole = number.floor();
    if !(f64::from(FIRST_DATETIME)..=f64::from(LAST_DAY - DAYS_TO_1900)).contains(&whole) {
        return Err(overflow_from(from, to));
    }
    let ticks = ((number - whole) * TICKS_PER_DAY as f64).round() as u64;
    moment_to(Moment { days: whole as i32 + DAYS_TO_1900, ticks, offset: 0 }, from, to)
}

/// The bytes to which a date or time casts: big-endian for `datetime`, the wire's form for the newer types.
fn from_bytes(bytes: &[u8], from: SqlType, to: SqlType) -> Result<Value, SqlError> {
    let big_endian = |part: &[u8]| part.iter().fold(0u64, |n, b| n << 8 | u64::from(*b));
    let little_endian = |part: &[u8]| part.iter().rev().fold(0u64, |n, b| n << 8 | u64::from(*b));
    match (to, bytes.len()) {
        (SqlType::DateTime, length) if length <= 8 => {
            let number = big_endian(bytes);
            let (days, ticks) = ((number >> 32) as u32 as i32, number as u32);
            if u64::from(ticks) >= DATETIME_TICKS_PER_DAY {
                return Err(date_out_of_range(from, to));
            }
            Ok(Value::DateTime { days, ticks })
        }
        (SqlType::SmallDateTime, length) if length <= 4 => {
            let number = big_endian(bytes);
            Ok(Value::DateTime { days: (number >> 16) as i32, ticks: (number & 0xFFFF) as u32 * 300 * 60 })
        }
        (SqlType::Date, 3) => {
            moment_to(Moment { days: little_endian(bytes) as i32, ticks: 0, offset: 0 }, from, to)
        }
        (SqlType::Time(_) | SqlType::DateTime2(_) | SqlType::DateTimeOffset(_), 1..) => {
            let (scale, content) = (bytes[0], &bytes[1..]);
            let written = match to {
                _ if scale > 7 => return Err(not_a_date(to)),
                SqlType::Time(_) => SqlType::Time(scale),
                SqlType::DateTime2(_) => SqlType::DateTime2(scale),
                _ => SqlType::DateTimeOffset(scale),
            };
            let value = wire::from_content(content, written, Collation::DEFAULT.code_page());
            let moment = value.filter(|value| wire::is_in_range(value, written)).as_ref().and_then(moment_of);
            moment_to(moment.ok_or_else(|| not_a_date(to))?, from, to)
        }
        _ => Err(not_a_date(to)),
    }
}
