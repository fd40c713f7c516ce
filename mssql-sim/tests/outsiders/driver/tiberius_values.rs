//! Values of tiberius from text and to text.

use std::borrow::Cow;

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use tiberius::numeric::Numeric;
use tiberius::time::{Date, DateTime, DateTime2, DateTimeOffset, SmallDateTime, Time};
use tiberius::{ColumnData, ToSql};

use super::Typed;
use crate::values::{bytes_of, hex_of};

/// Ticks of the finest clock per second.
const TICKS: u64 = 10_000_000;

/// A parameter in the driver's own form.
#[derive(Debug)]
pub(super) struct Parameter(ColumnData<'static>);

impl ToSql for Parameter {
    fn to_sql(&self) -> ColumnData<'_> {
        self.0.clone()
    }
}

impl Parameter {
    pub(super) fn of((sql_type, text): Typed<'_>) -> Self {
        fn number<T: std::str::FromStr>(text: Option<&str>) -> Option<T> {
            text.map(|text| text.parse().unwrap_or_else(|_| panic!("{text} is no such number")))
        }
        let base = sql_type.split(['(', ' ']).next().unwrap_or_default();
        Self(match base {
            // The driver counts the digit before the point, which makes one too many.
            "decimal" if sql_type == "decimal(38,38)" => {
                ColumnData::String(text.map(|text| text.to_owned().into()))
            }
            "bit" => ColumnData::Bit(text.map(|text| text == "1")),
            "tinyint" => ColumnData::U8(number(text)),
            "smallint" => ColumnData::I16(number(text)),
            "int" => ColumnData::I32(number(text)),
            "bigint" => ColumnData::I64(number(text)),
            "decimal" | "numeric" | "money" | "smallmoney" => ColumnData::Numeric(text.map(numeric)),
            "float" => ColumnData::F64(number(text)),
            "real" => ColumnData::F32(number(text)),
            "date" => ColumnData::Date(text.map(day)),
            "time" => ColumnData::Time(text.map(clock)),
            "datetime" | "smalldatetime" | "datetime2" => ColumnData::DateTime2(text.map(moment)),
            "datetimeoffset" => ColumnData::DateTimeOffset(text.map(moment_with_offset)),
            "binary" | "varbinary" | "image" => {
                ColumnData::Binary(text.map(|text| Cow::Owned(bytes_of(text))))
            }
            "uniqueidentifier" => ColumnData::Guid(number(text)),
            _ => ColumnData::String(text.map(|text| Cow::Owned(text.to_owned()))),
        })
    }
}

/// A value for a bulk load, which asks for the column's own type.
pub(super) fn copied_value(sql_type: &str, text: Option<&str>) -> ColumnData<'static> {
    /// Days from 0001-01-01 to 1900-01-01.
    const DAYS: i64 = 693_595;
    let parts = |text: &str| {
        let moment = moment(text);
        let days = i64::from(moment.date().days()) - DAYS;
        (days, moment.time().increments())
    };
    let scale =
        sql_type.split_once('(').and_then(|(_, size)| size.trim_end_matches(')').parse().ok()).unwrap_or(7);
    match sql_type.split(['(', ' ']).next().unwrap_or_default() {
        "datetime" => ColumnData::DateTime(text.map(|text| {
            let (days, ticks) = parts(text);
            let fragments = (ticks * 300 + TICKS / 2) / TICKS;
            DateTime::new(days.try_into().expect("a day"), fragments.try_into().expect("a time of day"))
        })),
        "smalldatetime" => ColumnData::SmallDateTime(text.map(|text| {
            let (days, ticks) = parts(text);
            let minutes = ticks / TICKS / 60;
            SmallDateTime::new(days.try_into().expect("a day"), minutes.try_into().expect("a time of day"))
        })),
        "time" => ColumnData::Time(text.map(|text| rescaled(clock(text), scale))),
        "datetime2" => ColumnData::DateTime2(text.map(|text| {
            let moment = moment(text);
            DateTime2::new(moment.date(), rescaled(moment.time(), scale))
        })),
        "datetimeoffset" => ColumnData::DateTimeOffset(text.map(|text| {
            let moment = moment_with_offset(text);
            let utc = moment.datetime2();
            DateTimeOffset::new(DateTime2::new(utc.date(), rescaled(utc.time(), scale)), moment.offset())
        })),
        "decimal" | "numeric" => ColumnData::Numeric(text.map(numeric)),
        _ => Parameter::of((sql_type, text)).0,
    }
}

/// The same time of day in ticks of another size.
fn rescaled(time: Time, scale: u8) -> Time {
    Time::new(time.increments() / 10u64.pow(u32::from(7 - scale)), scale)
}

fn numeric(text: &str) -> Numeric {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let unscaled = format!("{whole}{fraction}").parse().expect("a decimal number");
    Numeric::new_with_scale(unscaled, fraction.len().try_into().expect("a scale"))
}

fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(1, 1, 1).expect("a day")
}

fn day(text: &str) -> Date {
    let date: NaiveDate = text.parse().expect("a day");
    Date::new((date - first_day()).num_days().try_into().expect("a day of the calendar"))
}

fn clock(text: &str) -> Time {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let clock: NaiveTime = seconds.parse().expect("a time of day");
    let seconds = (clock - NaiveTime::MIN).num_seconds().unsigned_abs();
    let ticks: u64 = format!("{fraction:0<7}").parse().expect("a fraction");
    Time::new(seconds * TICKS + ticks, 7)
}

fn moment(text: &str) -> DateTime2 {
    let (date, time) = text.split_once(' ').expect("a day and a time");
    DateTime2::new(day(date), clock(time))
}

/// The wire carries UTC and the offset.
fn moment_with_offset(text: &str) -> DateTimeOffset {
    let (local, offset) = text.rsplit_once(' ').expect("an offset");
    let (hours, minutes) = offset[1..].split_once(':').expect("hours and minutes");
    let minutes = hours.parse::<i16>().expect("hours") * 60 + minutes.parse::<i16>().expect("minutes");
    let minutes = if offset.starts_with('-') { -minutes } else { minutes };
    let local: NaiveDateTime = local.parse().or_else(|_| local.replace(' ', "T").parse()).expect("a moment");
    let utc = local - TimeDelta::minutes(minutes.into());
    DateTimeOffset::new(moment(&utc.format("%Y-%m-%d %H:%M:%S%.9f").to_string()[..27]), minutes)
}

/// A value as text; None for NULL.
pub(super) fn text_of(value: &ColumnData<'_>) -> Option<String> {
    fn shown<T: ToString>(value: &Option<T>) -> Option<String> {
        value.as_ref().map(T::to_string)
    }
    let date = |date: &Date| (first_day() + Days::new(date.days().into())).to_string();
    let time = |time: &Time| {
        let ticks = time.increments() * 10u64.pow((7 - time.scale()).into());
        let seconds = ticks / TICKS;
        format!("{:02}:{:02}:{:02}.{:07}", seconds / 3600, seconds / 60 % 60, seconds % 60, ticks % TICKS)
    };
    let moment = |moment: &DateTime2| format!("{} {}", date(&moment.date()), time(&moment.time()));
    match value {
        ColumnData::Bit(value) => value.map(|bit| u8::from(bit).to_string()),
        ColumnData::U8(value) => shown(value),
        ColumnData::I16(value) => shown(value),
        ColumnData::I32(value) => shown(value),
        ColumnData::I64(value) => shown(value),
        ColumnData::F32(value) => value.map(|value| hex_of(&f64::from(value).to_be_bytes())),
        ColumnData::F64(value) => value.map(|value| hex_of(&value.to_be_bytes())),
        ColumnData::String(value) => shown(value),
        ColumnData::Guid(value) => shown(value),
        ColumnData::Binary(value) => value.as_ref().map(|bytes| hex_of(bytes)),
        ColumnData::Numeric(value) => value.map(decimal_text),
        ColumnData::Xml(value) => value.as_ref().map(|xml| xml.to_string()),
        ColumnData::DateTime(value) => value.map(datetime_text),
        ColumnData::SmallDateTime(value) => value.map(small_datetime_text),
        ColumnData::Date(value) => value.as_ref().map(date),
        ColumnData::Time(value) => value.as_ref().map(time),
        ColumnData::DateTime2(value) => value.as_ref().map(moment),
        ColumnData::DateTimeOffset(value) => value.map(offset_text),
    }
}

/// The digits of the value, whatever its sign and scale.
fn decimal_text(value: Numeric) -> String {
    let scale = usize::from(value.scale());
    let digits = format!("{:0>width$}", value.value().unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if value.value() < 0 { "-" } else { "" };
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

fn day_of_1900(days: i64) -> NaiveDate {
    NaiveDate::from_ymd_opt(1900, 1, 1).expect("a day") + TimeDelta::days(days)
}

fn datetime_text(value: DateTime) -> String {
    let midnight = day_of_1900(value.days().into()).and_time(NaiveTime::MIN);
    let nanoseconds = i64::from(value.seconds_fragments()) * 1_000_000_000 / 300;
    (midnight + TimeDelta::nanoseconds(nanoseconds)).format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

fn small_datetime_text(value: SmallDateTime) -> String {
    let midnight = day_of_1900(value.days().into()).and_time(NaiveTime::MIN);
    (midnight + TimeDelta::minutes(value.seconds_fragments().into())).format("%Y-%m-%d %H:%M:%S").to_string()
}

fn offset_text(value: DateTimeOffset) -> String {
    let utc = value.datetime2();
    let ticks = utc.time().increments() * 10u64.pow((7 - utc.time().scale()).into());
    let midnight = (first_day() + Days::new(utc.date().days().into())).and_time(NaiveTime::MIN);
    let minutes = value.offset();
    let nanoseconds = i64::try_from(ticks * 100).expect("a time of day");
    let local = midnight + TimeDelta::nanoseconds(nanoseconds) + TimeDelta::minutes(minutes.into());
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.unsigned_abs();
    format!("{} {sign}{:02}:{:02}", local.format("%Y-%m-%d %H:%M:%S%.9f"), minutes / 60, minutes % 60)
}
