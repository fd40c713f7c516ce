//! Functions on dates and times. The server's local time is UTC.

use chrono::{DateTime, Datelike, Months, NaiveDate, Timelike, Utc, Weekday};

use super::arguments::{Arguments, any_null, int};
use super::date_part::DatePart;
use super::{Body, Definition, Returns, Site};
use crate::engine::Interrupt;
use crate::exec::conversion::{
    Family, Moment, TICKS_PER_DAY, TICKS_PER_SECOND, convert, family, is_text, moment_of, moment_to,
    type_name,
};
use crate::exec::messages::overflow;
use crate::types::{SqlError, SqlType, Value};

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

pub(super) fn definition(name: &str) -> Option<Definition> {
    let define = |count, rule, body: Body| Some(Definition { count, rule, body });
    let present =
        |sql_type: fn(&mut Arguments<'_>) -> Result<Returns, SqlError>| define(0..=0, sql_type, current);
    match name {
        "GETDATE" | "GETUTCDATE" | "CURRENT_TIMESTAMP" => {
            present(|_| Ok(Returns::present(SqlType::DateTime)))
        }
        "SYSDATETIME" | "SYSUTCDATETIME" => present(|_| Ok(Returns::present(SqlType::DateTime2(7)))),
        "SYSDATETIMEOFFSET" => present(|_| Ok(Returns::present(SqlType::DateTimeOffset(7)))),
        "DATEADD" => define(3..=3, add_rule, date_add),
        "DATEDIFF" | "DATEDIFF_BIG" => define(3..=3, difference_rule, date_difference),
        "DATEPART" => {
            define(2..=2, part_rule, |_, v| date_part(&v).map(|n| n.map_or(Value::Null, Value::Int)))
        }
        "DATENAME" => define(2..=2, name_rule, date_name),
        "YEAR" => define(1..=1, single_rule, |_, v| Ok(calendar(&v[0], |d| i64::from(d.year())))),
        "MONTH" => define(1..=1, single_rule, |_, v| Ok(calendar(&v[0], |d| i64::from(d.month())))),
        "DAY" => define(1..=1, single_rule, |_, v| Ok(calendar(&v[0], |d| i64::from(d.day())))),
        "EOMONTH" => define(1..=2, end_of_month_rule, end_of_month),
        "CURRENT_DATE" => present(|_| Ok(Returns::present(SqlType::Date))),
        "ISDATE" => define(1..=1, |a| a.text(0).map(|_| Returns::present(SqlType::Int)), is_date),
        _ => None,
    }
}

/// The statement's instant as 100 ns on the calendar.
fn now(clock: DateTime<Utc>) -> Moment {
    let ticks =
        u64::from(clock.num_seconds_from_midnight()) * TICKS_PER_SECOND + u64::from(clock.nanosecond() / 100);
    Moment { days: clock.num_days_from_ce() - 1, ticks: ticks.min(TICKS_PER_DAY - 1), offset: 0 }
}

fn current(site: &Site<'_>, _: Vec<Value>) -> Result<Value, Interrupt> {
    let sql_type = site.result.sql_type;
    Ok(moment_to(now(site.frame.context.now), sql_type, sql_type)?)
}

/// Makes an argument a date or time: text becomes `datetime`, or `datetime2` where only its parts are asked for.
pub(super) fn require_date(
    arguments: &mut Arguments<'_>,
    position: usize,
    text: SqlType,
) -> Result<SqlType, SqlError> {
    let sql_type = arguments.sql_type(position);
    match family(sql_type) {
        Family::LegacyDate | Family::DateAndTime | Family::Date | Family::Time => Ok(sql_type),
        Family::Exact | Family::Approximate => {
            arguments.convert(position, SqlType::DateTime).map(|()| SqlType::DateTime)
        }
        _ if is_text(sql_type) => arguments.convert(position, text).map(|()| text),
        _ => Err(arguments.refuse(position)),
    }
}

fn add_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    if is_text(arguments.sql_type(1)) {
        return Err(arguments.refuse(1));
    }
    arguments.convert(1, SqlType::BigInt)?;
    require_date(arguments, 2, SqlType::DateTime).map(Returns::nullable)
}

fn difference_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    require_date(arguments, 1, SqlType::DateTimeOffset(7))?;
    require_date(arguments, 2, SqlType::DateTimeOffset(7))?;
    Ok(Returns::nullable(if arguments.name() == "DATEDIFF" { SqlType::Int } else { SqlType::BigInt }))
}

fn part_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    require_date(arguments, 1, SqlType::DateTime2(7))?;
    Ok(Returns::nullable(SqlType::Int))
}

fn name_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    require_date(arguments, 1, SqlType::DateTime2(7))?;
    Ok(Returns::nullable(SqlType::NVarChar(crate::types::Length::Limited(30))))
}

fn single_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    require_date(arguments, 0, SqlType::DateTime2(7))?;
    Ok(Returns::nullable(SqlType::Int))
}

fn end_of_month_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    require_date(arguments, 0, SqlType::DateTime2(7))?;
    if arguments.len() > 1 {
        arguments.convert(1, SqlType::Int)?;
    }
    Ok(Returns::nullable(SqlType::Date))
}

/// 9810: the type has no such part.
pub(super) fn part_not_supported(function: &str, sql_type: SqlType) -> Interrupt {
    let kind = type_name(sql_type);
    let message = format!("The datepart is not supported by date function {function} for data type {kind}.");
    SqlError::statement(9810, message).into()
}

/// 100 ns in a part of fixed length.
fn ticks_of(part: DatePart) -> Option<i128> {
    let second = i128::from(TICKS_PER_SECOND);
    Some(match part {
        DatePart::Week => 7 * i128::from(TICKS_PER_DAY),
        DatePart::Day | DatePart::DayOfYear | DatePart::Weekday => i128::from(TICKS_PER_DAY),
        DatePart::Hour => 3600 * second,
        DatePart::Minute => 60 * second,
        DatePart::Second => second,
        DatePart::Millisecond => second / 1000,
        DatePart::Microsecond => second / 1_000_000,
        _ => return None,
    })
}

fn date_add(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let Some(moment) = moment_of(&values[2]).filter(|_| !any_null(&values)) else { return Ok(Value::Null) };
    let (part, amount, sql_type) = (DatePart::of(&values[0]), int(&values[1]), site.result.sql_type);
    let has_no_such_part = match family(sql_type) {
        Family::Date => {
            ticks_of(part).is_some_and(|ticks| ticks < i128::from(TICKS_PER_DAY))
                || part == DatePart::Nanosecond
        }
        Family::Time => {
            ticks_of(part).is_none_or(|ticks| ticks >= i128::from(TICKS_PER_DAY))
                && part != DatePart::Nanosecond
        }
        _ => matches!(part, DatePart::TimeZone | DatePart::IsoWeek),
    };
    if has_no_such_part {
        return Err(part_not_supported("dateadd", sql_type));
    }
    let moved = match part {
        DatePart::Year => add_months(moment, amount.checked_mul(12)),
        DatePart::Quarter => add_months(moment, amount.checked_mul(3)),
        DatePart::Month => add_months(moment, Some(amount)),
        DatePart::Nanosecond => add_ticks(moment, i128::from(amount) / 100),
        part => add_ticks(moment, i128::from(amount) * ticks_of(part).unwrap_or(0)),
    };
    let moved =
        moved.map(|m| if family(sql_type) == Family::Time { Moment { days: moment.days, ..m } } else { m });
    moved.and_then(|m| moment_to(m, sql_type, sql_type).ok()).ok_or_else(|| {
        let message = format!("Adding a value to a '{}' column caused an overflow.", type_name(sql_type));
        let state = match sql_type {
            SqlType::DateTime => 1,
            SqlType::SmallDateTime => 2,
            _ => 3,
        };
        SqlError { state, ..SqlError::statement(517, message) }.into()
    })
}

fn add_months(moment: Moment, months: Option<i64>) -> Option<Moment> {
    let months = months?;
    let count = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    let date = moment.date();
    let moved = if months < 0 { date.checked_sub_months(count)? } else { date.checked_add_months(count)? };
    Some(Moment { days: moved.num_days_from_ce() - 1, ..moment })
}

fn add_ticks(moment: Moment, ticks: i128) -> Option<Moment> {
    let day = i128::from(TICKS_PER_DAY);
    let total = i128::from(moment.days) * day + i128::from(moment.ticks) + ticks;
    let days = i32::try_from(total.div_euclid(day)).ok()?;
    Some(Moment { days, ticks: total.rem_euclid(day) as u64, ..moment })
}

/// 100 ns since 0001-01-01, in UTC.
fn instant(value: &Value) -> Option<(i128, NaiveDate)> {
    let moment = moment_of(value)?;
    let ticks = i128::from(moment.days) * i128::from(TICKS_PER_DAY) + i128::from(moment.ticks);
    let utc = add_ticks(moment, -i128::from(moment.offset) * 60 * i128::from(TICKS_PER_SECOND))?;
    Some((ticks - i128::from(moment.offset) * 60 * i128::from(TICKS_PER_SECOND), utc.date()))
}

/// Counts the boundaries of a part between two instants.
fn date_difference(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let (Some((from, start)), Some((to, end))) = (instant(&values[1]), instant(&values[2])) else {
        return Ok(Value::Null);
    };
    let months = |date: NaiveDate| i128::from(date.year()) * 12 + i128::from(date.month0());
    let day = i128::from(TICKS_PER_DAY);
    let count = match DatePart::of(&values[0]) {
        DatePart::Year => i128::from(end.year() - start.year()),
        DatePart::Quarter => months(end).div_euclid(3) - months(start).div_euclid(3),
        DatePart::Month => months(end) - months(start),
        // 0001-01-01 was a Monday; weeks turn on Sunday whatever DATEFIRST says.
        DatePart::Week => (to.div_euclid(day) + 1).div_euclid(7) - (from.div_euclid(day) + 1).div_euclid(7),
        DatePart::Nanosecond => (to - from) * 100,
        part => match ticks_of(part) {
            Some(unit) => to.div_euclid(unit) - from.div_euclid(unit),
            None => {
                let message = "The datepart is not supported by date function datediff.";
                return Err(SqlError::statement(9806, message).into());
            }
        },
    };
    let in_bounds = match site.result.sql_type {
        SqlType::Int => i32::try_from(count).ok().map(i64::from),
        _ => i64::try_from(count).ok(),
    };
    in_bounds.map(Value::Int).ok_or_else(|| {
        let message = "The datediff function resulted in an overflow. The number of dateparts separating two date/time \
                       instances is too large. Try to use datediff with a less precise datepart.";
        SqlError::statement(535, message).into()
    })
}

fn date_part(values: &[Value]) -> Result<Option<i64>, Interrupt> {
    let Some(moment) = moment_of(&values[1]) else { return Ok(None) };
    let date = moment.date();
    let seconds = moment.ticks / TICKS_PER_SECOND;
    let fraction = moment.ticks % TICKS_PER_SECOND;
    let number = match DatePart::of(&values[0]) {
        DatePart::Year => i64::from(date.year()),
        DatePart::Quarter => i64::from(date.month0() / 3 + 1),
        DatePart::Month => i64::from(date.month()),
        DatePart::DayOfYear => i64::from(date.ordinal()),
        DatePart::Day => i64::from(date.day()),
        DatePart::Week => week_of_year(date),
        DatePart::Weekday => i64::from(date.weekday().num_days_from_sunday() + 1),
        DatePart::Hour => (seconds / 3600) as i64,
        DatePart::Minute => (seconds / 60 % 60) as i64,
        DatePart::Second => (seconds % 60) as i64,
        // The thirds of a millisecond of `datetime` count as .003 and .007.
        DatePart::Millisecond => match values[1] {
            Value::DateTime { .. } => ((fraction + 5000) / 10_000) as i64,
            _ => (fraction / 10_000) as i64,
        },
        DatePart::Microsecond => (fraction / 10) as i64,
        DatePart::Nanosecond => (fraction * 100) as i64,
        DatePart::TimeZone => i64::from(moment.offset),
        DatePart::IsoWeek => i64::from(date.iso_week().week()),
    };
    Ok(Some(number))
}

/// The week with 1 January is the first; weeks begin on Sunday (DATEFIRST 7).
fn week_of_year(date: NaiveDate) -> i64 {
    let first = NaiveDate::from_yo_opt(date.year(), 1).map_or(Weekday::Mon, |d| d.weekday());
    i64::from((date.ordinal0() + first.num_days_from_sunday()) / 7 + 1)
}

fn date_name(_: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let Some(number) = date_part(&values)? else { return Ok(Value::Null) };
    let name = match DatePart::of(&values[0]) {
        DatePart::Month => MONTHS.get(number as usize - 1).map(|s| (*s).to_owned()),
        DatePart::Weekday => WEEKDAYS.get(number as usize - 1).map(|s| (*s).to_owned()),
        DatePart::TimeZone => {
            let sign = if number < 0 { '-' } else { '+' };
            Some(format!("{sign}{:02}:{:02}", number.abs() / 60, number.abs() % 60))
        }
        _ => None,
    };
    Ok(Value::text(&name.unwrap_or_else(|| number.to_string())))
}

fn calendar(value: &Value, part: fn(NaiveDate) -> i64) -> Value {
    moment_of(value).map_or(Value::Null, |moment| Value::Int(part(moment.date())))
}

fn end_of_month(_: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let Some(moment) = moment_of(&values[0]) else { return Ok(Value::Null) };
    let months = values.get(1).map_or(0, int);
    let first = Moment { days: moment.days - moment.date().day0() as i32, ..moment };
    let next = add_months(first, months.checked_add(1)).ok_or_else(|| overflow(SqlType::Date))?;
    Ok(Value::Date(next.days - 1))
}

fn is_date(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let from = site.call.arguments[0].sql_type;
    let date = !values[0].is_null() && convert(values[0].clone(), from, SqlType::DateTime, None).is_ok();
    Ok(Value::Int(i64::from(date)))
}
