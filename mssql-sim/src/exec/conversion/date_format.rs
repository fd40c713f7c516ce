//! Dates and times as text, by CONVERT's styles.

use chrono::Datelike;

use super::date::{Moment, TICKS_PER_SECOND, moment_of};
use super::rules::{Family, family, fraction_digits};
use crate::exec::messages::conversion_error;
use crate::types::{SqlError, SqlType, Value};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// What a style shows.
enum Shape {
    Date(String),
    Time(String),
    Both(String),
}

/// The text of a date or time. Without a style the older types show `Mon dd yyyy`, the newer ones ISO 8601.
pub(super) fn format_moment(
    value: &Value,
    from: SqlType,
    to: SqlType,
    style: Option<i32>,
) -> Result<String, SqlError> {
    let Some(moment) = moment_of(value) else { return Err(conversion_error(from, to)) };
    let style = style.unwrap_or(if family(from) == Family::LegacyDate { 0 } else { 121 });
    let parts = Parts::new(moment, from);
    match (family(from), parts.shape(style)) {
        (_, None) => {
            let message = format!(
                "{style} is not a valid style number when converting from {} to a character string.",
                super::type_name(from)
            );
            Err(SqlError::statement(281, message))
        }
        (Family::Date, Some(Shape::Date(text))) | (Family::Time, Some(Shape::Time(text))) => Ok(text),
        (Family::Date, Some(Shape::Time(_))) | (Family::Time, Some(Shape::Date(_))) => {
            Err(conversion_error(from, to))
        }
        (Family::Date, Some(Shape::Both(_))) => Ok(parts.date_of(style)),
        (Family::Time, Some(Shape::Both(_))) => Ok(parts.time_of(style)),
        (_, Some(Shape::Date(text) | Shape::Time(text) | Shape::Both(text))) => Ok(text),
    }
}

/// A moment taken apart, as its type shows it.
struct Parts {
    year: i32,
    month: u32,
    day: u32,
    hour: u64,
    minute: u64,
    second: u64,
    /// Digits behind the second, with their separator; empty when the type has none.
    fraction: String,
    /// The same with a colon for the older types.
    colon_fraction: String,
    /// `+01:00`, empty for types without offset.
    offset: String,
    /// Minutes east of UTC.
    moment: Moment,
}

impl Parts {
    fn new(moment: Moment, from: SqlType) -> Self {
        let date = moment.date();
        let seconds = moment.ticks / TICKS_PER_SECOND;
        let digits = usize::from(if from == SqlType::SmallDateTime { 3 } else { fraction_digits(from) });
        let below_second = moment.ticks % TICKS_PER_SECOND;
        // Thirds of a millisecond show as .000, .003 and .007.
        let shown = if family(from) == Family::LegacyDate {
            (below_second + 5000) / 10_000 * 10_000
        } else {
            below_second
        };
        let fraction = format!("{shown:07}")[..digits].to_owned();
        let separator = if family(from) == Family::LegacyDate { ':' } else { '.' };
        let with = |mark: char| if digits == 0 { String::new() } else { format!("{mark}{fraction}") };
        let offset = match from {
            SqlType::DateTimeOffset(_) => format_offset(moment.offset),
            _ => String::new(),
        };
        Self {
            year: date.year(),
            month: date.month(),
            day: date.day(),
            hour: seconds / 3600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            colon_fraction: with(separator),
            fraction: with('.'),
            offset,
            moment,
        }
    }

    fn month_name(&self) -> &'static str {
        MONTHS[self.month as usize - 1]
    }

    fn iso_date(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    fn clock(&self) -> String {
        format!("{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
    }

    /// Hour of the half day padded with a blank, and the half.
    fn half_day(&self) -> (u64, &'static str) {
        let hour = if self.hour.is_multiple_of(12) { 12 } else { self.hour % 12 };
        (hour, if self.hour < 12 { "AM" } else { "PM" })
    }

    fn english_date(&self) -> String {
        format!("{} {:>2} {:04}", self.month_name(), self.day, self.year)
    }

    /// The date half of a style that shows both.
    fn date_of(&self, style: i32) -> String {
        match style {
            0 | 9 | 100 | 109 => self.english_date(),
            13 | 113 => format!("{:02} {} {:04}", self.day, self.month_name(), self.year),
            _ => self.iso_date(),
        }
    }

    /// The time half of a style that shows both.
    fn time_of(&self, style: i32) -> String {
        let (hour, half) = self.half_day();
        match style {
            0 | 100 => format!("{hour:>2}:{:02}{half}", self.minute),
            9 | 109 => {
                format!("{hour:>2}:{:02}:{:02}{}{half}", self.minute, self.second, self.colon_fraction)
            }
            13 | 113 => format!("{}{}", self.clock(), self.colon_fraction),
            20 | 120 => self.clock(),
            _ => format!("{}{}", self.clock(), self.fraction),
        }
    }

    fn shape(&self, style: i32) -> Option<Shape> {
        if let Some(text) = self.date_style(style) {
            return Some(Shape::Date(text));
        }
        Some(match style {
            0 | 100 | 9 | 109 | 13 | 113 => {
                Shape::Both(format!("{} {}", self.date_of(style), self.time_of(style)))
            }
            8 | 24 | 108 => Shape::Time(self.clock()),
            14 | 114 => Shape::Time(format!("{}{}", self.clock(), self.colon_fraction)),
            20 | 120 | 21 | 25 | 121 => {
                let offset = if self.offset.is_empty() { String::new() } else { format!(" {}", self.offset) };
                Shape::Both(format!("{} {}{offset}", self.iso_date(), self.time_of(style)))
            }
            126 => Shape::Both(format!(
                "{}T{}{}{}",
                self.iso_date(),
                self.clock(),
                self.iso_fraction(),
                self.offset
            )),
            127 => Shape::Both(self.utc()),
            _ => return None,
        })
    }

    /// Style 126 leaves a fraction of zero out.
    fn iso_fraction(&self) -> &str {
        if self.fraction.bytes().any(|b| matches!(b, b'1'..=b'9')) { &self.fraction } else { "" }
    }

    /// Style 127: in UTC with a Z when the type has an offset, else as it stands.
    fn utc(&self) -> String {
        if self.offset.is_empty() {
            return format!("{}T{}{}", self.iso_date(), self.clock(), self.iso_fraction());
        }
        let ticks_per_minute = 60 * TICKS_PER_SECOND as i64;
        let day = 1440 * ticks_per_minute;
        let ticks = self.moment.ticks as i64 - i64::from(self.moment.offset) * ticks_per_minute;
        let days = self.moment.days + ticks.div_euclid(day) as i32;
        let moment = Moment { days, ticks: ticks.rem_euclid(day) as u64, offset: 0 };
        let digits = self.fraction.len().saturating_sub(1) as u8;
        let parts = Self::new(moment, SqlType::DateTime2(digits));
        format!("{}T{}{}Z", parts.iso_date(), parts.clock(), parts.iso_fraction())
    }

    /// Styles that show a date only; those below 100 have two digits of the year.
    fn date_style(&self, style: i32) -> Option<String> {
        let (month, day) = (self.month, self.day);
        let year = if style > 100 { format!("{:04}", self.year) } else { format!("{:02}", self.year % 100) };
        Some(match style {
            23 => self.iso_date(),
            1 | 101 => format!("{month:02}/{day:02}/{year}"),
            2 | 102 => format!("{year}.{month:02}.{day:02}"),
            3 | 103 => format!("{day:02}/{month:02}/{year}"),
            4 | 104 => format!("{day:02}.{month:02}.{year}"),
            5 | 105 => format!("{day:02}-{month:02}-{year}"),
            6 | 106 => format!("{day:02} {} {year}", self.month_name()),
            7 | 107 => format!("{} {day:02}, {year}", self.month_name()),
            10 | 110 => format!("{month:02}-{day:02}-{year}"),
            11 | 111 => format!("{year}/{month:02}/{day:02}"),
            12 | 112 => format!("{year}{month:02}{day:02}"),
            _ => return None,
        })
    }
}

fn format_offset(minutes: i16) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.unsigned_abs();
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}
