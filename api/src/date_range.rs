//! Which days are meant. A named range such as `today` means other days in other zones at the same moment, so it is resolved
//! for each warehouse where the warehouse is.

use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::queries::daily::Days;
use chrono::{DateTime, Datelike, Days as DayCount, NaiveDate, Utc};
use chrono_tz::Tz;

/// Longest range, in days.
const LONGEST: i64 = 400;

/// A range as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DateRange {
    /// The same days everywhere.
    Fixed(Days),
    /// Other days by zone.
    Named(NamedRange),
}

/// Ranges that have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NamedRange {
    Today,
    Yesterday,
    Last7Days,
    Last30Days,
    ThisMonth,
}

impl NamedRange {
    const ALL: [(&'static str, Self); 5] = [
        ("today", Self::Today),
        ("yesterday", Self::Yesterday),
        ("last_7_days", Self::Last7Days),
        ("last_30_days", Self::Last30Days),
        ("this_month", Self::ThisMonth),
    ];

    fn parse(value: &str) -> Result<Self, Problem> {
        Self::ALL.into_iter().find(|(name, _)| *name == value).map(|(_, range)| range).ok_or_else(|| {
            Problem::InvalidParameter {
                name: "date_range",
                value: value.to_owned(),
                allowed: Self::ALL.map(|(name, _)| name).join(", "),
            }
        })
    }

    /// `last_n_days` is today and the days before it.
    fn days(self, today: NaiveDate) -> Days {
        let back = |days| today.checked_sub_days(DayCount::new(days)).unwrap_or(today);
        match self {
            Self::Today => Days { first: today, last: today },
            Self::Yesterday => Days { first: back(1), last: back(1) },
            Self::Last7Days => Days { first: back(6), last: today },
            Self::Last30Days => Days { first: back(29), last: today },
            Self::ThisMonth => Days { first: back(u64::from(today.day0())), last: today },
        }
    }
}

impl DateRange {
    /// Reads `date_range`, or `from` and `to`.
    pub(crate) fn parse(parameters: &Parameters) -> Result<Self, Problem> {
        let name = parameters.one("date_range")?;
        let (first, last) = (parameters.day("from")?, parameters.day("to")?);
        match (name, first, last) {
            (Some(name), None, None) => NamedRange::parse(name).map(Self::Named),
            (None, Some(first), Some(last)) => Self::fixed(first, last),
            (None, None, None) => Err(Problem::MissingParameter {
                name: "date_range",
                allowed: format!(
                    "{}; or give \"from\" and \"to\"",
                    NamedRange::ALL.map(|(name, _)| name).join(", ")
                ),
            }),
            _ => Err(Problem::BadRequest(
                "Give either \"date_range\", or both \"from\" and \"to\".".to_owned(),
            )),
        }
    }

    fn fixed(first: NaiveDate, last: NaiveDate) -> Result<Self, Problem> {
        let length = (last - first).num_days() + 1;
        if (1..=LONGEST).contains(&length) {
            return Ok(Self::Fixed(Days { first, last }));
        }
        let allowed = format!("a day from {first} on, for at most {LONGEST} days");
        Err(Problem::InvalidParameter { name: "to", value: last.to_string(), allowed })
    }

    /// The days that are meant in a zone at this moment.
    pub(crate) fn days(self, now: DateTime<Utc>, zone: Tz) -> Days {
        match self {
            Self::Fixed(days) => days,
            Self::Named(range) => range.days(now.with_timezone(&zone).date_naive()),
        }
    }
}
