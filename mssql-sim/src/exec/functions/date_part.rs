//! The parts of a date that DATEADD and its kin name.

use crate::engine::Interrupt;
use crate::exec::expression::Scalar;
use crate::exec::expression::bind::Binder;
use crate::parser::ast::Expr;
use crate::types::{SqlError, SqlType, Value};

/// A part of a date or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DatePart {
    Year,
    Quarter,
    Month,
    DayOfYear,
    Day,
    Week,
    Weekday,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
    TimeZone,
    IsoWeek,
}

use DatePart as P;

/// Every spelling of every part.
const SPELLINGS: [(&[&str], DatePart); 15] = [
    (&["YEAR", "YY", "YYYY"], P::Year),
    (&["QUARTER", "QQ", "Q"], P::Quarter),
    (&["MONTH", "MM", "M"], P::Month),
    (&["DAYOFYEAR", "DY", "Y"], P::DayOfYear),
    (&["DAY", "DD", "D"], P::Day),
    (&["WEEK", "WK", "WW"], P::Week),
    (&["WEEKDAY", "DW", "W"], P::Weekday),
    (&["HOUR", "HH"], P::Hour),
    (&["MINUTE", "MI", "N"], P::Minute),
    (&["SECOND", "SS", "S"], P::Second),
    (&["MILLISECOND", "MS"], P::Millisecond),
    (&["MICROSECOND", "MCS"], P::Microsecond),
    (&["NANOSECOND", "NS"], P::Nanosecond),
    (&["TZOFFSET", "TZ"], P::TimeZone),
    (&["ISO_WEEK", "ISOWK", "ISOWW"], P::IsoWeek),
];

impl DatePart {
    fn named(name: &str) -> Option<Self> {
        SPELLINGS.iter().find(|(names, _)| names.contains(&name)).map(|(_, part)| *part)
    }

    /// The part that a bound argument stands for.
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Int(n) => SPELLINGS.get(*n as usize).map_or(P::Day, |(_, part)| *part),
            _ => P::Day,
        }
    }

    fn place(self) -> i64 {
        SPELLINGS.iter().position(|(_, part)| *part == self).map_or(0, |place| place as i64)
    }
}

/// Whether a function's first argument is a part and not an expression.
pub(super) fn takes_part(name: &str) -> bool {
    matches!(name, "DATEADD" | "DATEDIFF" | "DATEDIFF_BIG" | "DATEPART" | "DATENAME" | "DATETRUNC")
}

/// Binds the arguments of such a function; the part becomes a number.
pub(super) fn bind_arguments(
    binder: &Binder<'_>,
    name: &str,
    arguments: &[Expr],
) -> Result<Vec<Scalar>, Interrupt> {
    let [part, rest @ ..] = arguments else { return Ok(Vec::new()) };
    let Expr::Column(words) = part else {
        let message = format!("Invalid parameter 1 specified for {}.", name.to_lowercase());
        return Err(SqlError { class: 15, ..SqlError::batch(1023, message) }.into());
    };
    let word = words.join(".");
    let Some(part) = DatePart::named(&word.to_ascii_uppercase()) else {
        let message = format!("'{word}' is not a recognized {} option.", name.to_lowercase());
        return Err(SqlError { class: 15, ..SqlError::batch(155, message) }.into());
    };
    let part = Scalar::constant(Value::Int(part.place()), SqlType::Int);
    let rest = rest.iter().map(|argument| binder.scalar(argument));
    std::iter::once(Ok(part)).chain(rest).collect()
}
