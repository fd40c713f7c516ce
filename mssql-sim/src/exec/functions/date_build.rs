//! Dates and times made of parts, cut down to a part, and moved between offsets.

use chrono::{Datelike, NaiveDate};

use super::arguments::{Arguments, any_null, int, string};
use super::date::{part_not_supported, require_date};
use super::date_part::DatePart;
use super::{Body, Definition, Returns, Site};
use crate::engine::Interrupt;
use crate::exec::conversion::{
    Family, Moment, TICKS_PER_DAY, TICKS_PER_SECOND, days_of, family, fraction_digits, is_text, moment_of,
    moment_to, type_name,
};
use crate::exec::expression::Node;
use crate::types::{SqlError, SqlType, Value};

/// Farthest offset from UTC, in minutes.
const MOST_MINUTES: i64 = 14 * 60;

pub(super) fn definition(name: &str) -> Option<Definition> {
    let define = |count, rule, body: Body| Some(Definition { count, rule, body });
    match name {
        "DATEFROMPARTS" => define(3..=3, |a| parts(a, SqlType::Date), from_parts),
        "DATETIMEFROMPARTS" => define(7..=7, |a| parts(a, SqlType::DateTime), from_parts),
        "SMALLDATETIMEFROMPARTS" => define(5..=5, |a| parts(a, SqlType::SmallDateTime), from_parts),
        "TIMEFROMPARTS" => define(5..=5, |a| scaled_parts(a, SqlType::Time), from_parts),
        "DATETIME2FROMPARTS" => define(8..=8, |a| scaled_parts(a, SqlType::DateTime2), from_parts),
        "DATETIMEOFFSETFROMPARTS" => {
            define(10..=10, |a| scaled_parts(a, SqlType::DateTimeOffset), from_parts)
        }
        "DATETRUNC" => define(2..=2, truncated_rule, truncated),
        "SWITCHOFFSET" => define(2..=2, switched_rule, switched),
        "TODATETIMEOFFSET" => define(2..=2, offset_rule, with_offset),
        "AT TIME ZONE" => define(2..=2, zone_rule, in_zone),
        _ => None,
    }
}

fn parts(arguments: &mut Arguments<'_>, sql_type: SqlType) -> Result<Returns, SqlError> {
    (0..arguments.len()).try_for_each(|position| arguments.convert(position, SqlType::Int))?;
    Ok(Returns::nullable(sql_type))
}

/// The last part is the scale, which the type needs to know.
fn scaled_parts(arguments: &mut Arguments<'_>, sql_type: fn(u8) -> SqlType) -> Result<Returns, SqlError> {
    let last = arguments.len() - 1;
    let scale = match &arguments.scalars[last].node {
        Node::Constant(Value::Int(scale)) => u8::try_from(*scale).ok().filter(|scale| *scale <= 7),
        _ => {
            let message = "Scale argument is not valid. Valid expressions for data type scale argument are integer constants \
                           and integer constant expressions.";
            return Err(SqlError::batch(10760, message));
        }
    };
    let Some(scale) = scale else {
        return Err(SqlError { class: 15, ..SqlError::batch(1002, "Specified scale is invalid.") });
    };
    parts(arguments, sql_type(scale))
}

fn from_parts(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    if any_null(&values) {
        return Ok(Value::Null);
    }
    let numbers: Vec<i64> = values.iter().map(int).collect();
    let sql_type = site.result.sql_type;
    let moment = match (sql_type, numbers.as_slice()) {
        (SqlType::Date, [y, m, d]) => date(*y, *m, *d),
        (SqlType::DateTime, [y, m, d, h, min, s, ms]) => {
            at(date(*y, *m, *d), clock([*h, *min, *s], (*ms, 3)), 0)
        }
        (SqlType::SmallDateTime, [y, m, d, h, min]) => at(date(*y, *m, *d), clock([*h, *min, 0], (0, 0)), 0),
        (SqlType::Time(_), [h, min, s, fraction, scale]) => {
            at(date(1900, 1, 1), clock([*h, *min, *s], (*fraction, *scale)), 0)
        }
        (SqlType::DateTime2(_), [y, m, d, h, min, s, fraction, scale]) => {
            at(date(*y, *m, *d), clock([*h, *min, *s], (*fraction, *scale)), 0)
        }
        (_, [y, m, d, h, min, s, fraction, off_h, off_min, scale]) => offset_of(*off_h, *off_min)
            .and_then(|offset| at(date(*y, *m, *d), clock([*h, *min, *s], (*fraction, *scale)), offset)),
        _ => None,
    };
    moment.and_then(|moment| moment_to(moment, sql_type, sql_type).ok()).ok_or_else(|| {
        let message = format!(
            "Cannot construct data type {}, some of the arguments have values which are not valid.",
            type_name(sql_type)
        );
        SqlError::statement(289, message).into()
    })
}

fn date(year: i64, month: i64, day: i64) -> Option<Moment> {
    let days = days_of(i32::try_from(year).ok()?, u32::try_from(month).ok()?, u32::try_from(day).ok()?)?;
    Some(Moment { days, ticks: 0, offset: 0 })
}

/// 100 ns since midnight; the fraction counts in units of its scale.
fn clock([hour, minute, second]: [i64; 3], (fraction, scale): (i64, i64)) -> Option<u64> {
    let unit = 10i64.pow(u32::try_from(scale).ok().filter(|scale| *scale <= 7)?);
    let valid = (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second)
        && (0..unit).contains(&fraction);
    let seconds = (hour * 60 + minute) * 60 + second;
    let per_second = TICKS_PER_SECOND as i64;
    valid.then(|| (seconds * per_second + fraction * (per_second / unit)) as u64)
}

fn at(date: Option<Moment>, ticks: Option<u64>, offset: i16) -> Option<Moment> {
    Some(Moment { ticks: ticks?, offset, ..date? })
}

/// Minutes east of UTC; both parts have one sign.
fn offset_of(hours: i64, minutes: i64) -> Option<i16> {
    let total = hours * 60 + minutes;
    let valid = minutes.abs() < 60 && hours * minutes >= 0 && total.abs() <= MOST_MINUTES;
    i16::try_from(total).ok().filter(|_| valid)
}

fn truncated_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    require_date(arguments, 1, SqlType::DateTime2(7)).map(Returns::nullable)
}

/// DATETRUNC: the beginning of a part.
fn truncated(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let Some(moment) = moment_of(&values[1]) else { return Ok(Value::Null) };
    let (part, sql_type) = (DatePart::of(&values[0]), site.result.sql_type);
    let day = moment.date();
    let starts = |date: Option<NaiveDate>| {
        let days = date.map_or(moment.days, |date| date.num_days_from_ce() - 1);
        Moment { days, ticks: 0, ..moment }
    };
    let back = |days: u32| starts(day.checked_sub_days(chrono::Days::new(u64::from(days))));
    let in_day = |unit: u64| Moment { ticks: moment.ticks / unit * unit, ..moment };
    let unit = match part {
        DatePart::Hour => 3600 * TICKS_PER_SECOND,
        DatePart::Minute => 60 * TICKS_PER_SECOND,
        DatePart::Second => TICKS_PER_SECOND,
        DatePart::Millisecond => TICKS_PER_SECOND / 1000,
        DatePart::Microsecond => TICKS_PER_SECOND / 1_000_000,
        _ => TICKS_PER_DAY,
    };
    let has_no_such_part = match family(sql_type) {
        Family::Date => unit < TICKS_PER_DAY,
        Family::Time => unit == TICKS_PER_DAY,
        _ => false,
    };
    if has_no_such_part || matches!(part, DatePart::Weekday | DatePart::TimeZone | DatePart::Nanosecond) {
        return Err(part_not_supported("datetrunc", sql_type));
    }
    let start = match part {
        DatePart::Year => starts(NaiveDate::from_ymd_opt(day.year(), 1, 1)),
        DatePart::Quarter => starts(NaiveDate::from_ymd_opt(day.year(), day.month0() / 3 * 3 + 1, 1)),
        DatePart::Month => starts(NaiveDate::from_ymd_opt(day.year(), day.month(), 1)),
        DatePart::Week => back(day.weekday().num_days_from_sunday()),
        DatePart::IsoWeek => back(day.weekday().num_days_from_monday()),
        DatePart::Day | DatePart::DayOfYear => starts(None),
        _ => in_day(unit),
    };
    Ok(moment_to(start, sql_type, sql_type)?)
}

/// An offset is minutes or `+hh:mm`.
fn require_offset(arguments: &mut Arguments<'_>) -> Result<(), SqlError> {
    if is_text(arguments.sql_type(1)) { Ok(()) } else { arguments.convert(1, SqlType::Int) }
}

fn switched_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    require_offset(arguments)?;
    let scale = fraction_digits(arguments.sql_type(0));
    let sql_type = SqlType::DateTimeOffset(if is_text(arguments.sql_type(0)) { 7 } else { scale });
    arguments.convert(0, sql_type)?;
    Ok(Returns::nullable(sql_type))
}

fn offset_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    require_offset(arguments)?;
    require_date(arguments, 0, SqlType::DateTime2(7))
        .map(|sql_type| Returns::nullable(SqlType::DateTimeOffset(fraction_digits(sql_type))))
}

fn given_offset(value: &Value, function: &str) -> Result<i16, SqlError> {
    let minutes = match value {
        Value::Int(minutes) => i16::try_from(*minutes).ok().filter(|n| i64::from(n.abs()) <= MOST_MINUTES),
        text => parse_offset(&string(text)),
    };
    minutes.ok_or_else(|| {
        let message = format!("The timezone provided to builtin function {function} is invalid.");
        SqlError::statement(9812, message)
    })
}

/// `+hh:mm` or `-hh:mm`
fn parse_offset(text: &str) -> Option<i16> {
    let (sign, rest) = match text.trim().split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    offset_of(sign * hours.parse::<i64>().ok()?, sign * minutes.parse::<i64>().ok()?)
}

/// The same instant with another offset.
fn moved(moment: Moment, offset: i16) -> Moment {
    let per_minute = 60 * TICKS_PER_SECOND as i64;
    let ticks = i64::from(moment.days) * TICKS_PER_DAY as i64
        + moment.ticks as i64
        + i64::from(offset - moment.offset) * per_minute;
    let day = TICKS_PER_DAY as i64;
    Moment { days: ticks.div_euclid(day) as i32, ticks: ticks.rem_euclid(day) as u64, offset }
}

fn switched(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let Some(moment) = moment_of(&values[0]).filter(|_| !any_null(&values)) else { return Ok(Value::Null) };
    let offset = given_offset(&values[1], "switchoffset")?;
    let sql_type = site.result.sql_type;
    Ok(moment_to(moved(moment, offset), sql_type, sql_type)?)
}

fn with_offset(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let Some(moment) = moment_of(&values[0]).filter(|_| !any_null(&values)) else { return Ok(Value::Null) };
    let offset = given_offset(&values[1], "todatetimeoffset")?;
    let sql_type = site.result.sql_type;
    Ok(moment_to(Moment { offset, ..moment }, sql_type, sql_type)?)
}

fn zone_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    arguments.text(1)?;
    match arguments.sql_type(0) {
        SqlType::DateTime | SqlType::SmallDateTime => Ok(Returns::nullable(SqlType::DateTimeOffset(3))),
        SqlType::DateTime2(scale) | SqlType::DateTimeOffset(scale) => {
            Ok(Returns::nullable(SqlType::DateTimeOffset(scale)))
        }
        _ => Err(arguments.refuse(0)),
    }
}

/// Of all time zones the server knows UTC only.
fn in_zone(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let Some(moment) = moment_of(&values[0]).filter(|_| !any_null(&values)) else { return Ok(Value::Null) };
    let zone = string(&values[1]);
    if !zone.eq_ignore_ascii_case("UTC") {
        return Err(SqlError::unsupported(format_args!("AT TIME ZONE '{zone}'")).into());
    }
    let sql_type = site.result.sql_type;
    let in_utc = match values[0] {
        Value::DateTimeOffset { .. } => moved(moment, 0),
        _ => moment,
    };
    Ok(moment_to(in_utc, sql_type, sql_type)?)
}
