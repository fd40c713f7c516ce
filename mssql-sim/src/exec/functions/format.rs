//! FORMAT with the culture en-US: the standard patterns of numbers and dates, and patterns of one's own.

use chrono::{Datelike, NaiveDate};

use super::arguments::{Arguments, string};
use super::date::{MONTHS, WEEKDAYS};
use super::{Body, Definition, Returns, Site};
use crate::engine::Interrupt;
use crate::exec::conversion::{Family, Moment, TICKS_PER_SECOND, exact_parts, family, moment_of};
use crate::types::{Length, SqlError, SqlType, Value};

pub(super) fn definition(name: &str) -> Option<Definition> {
    let body: Body = format;
    (name == "FORMAT").then_some(Definition { count: 2..=3, rule, body })
}

fn rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    let takes = matches!(
        family(arguments.sql_type(0)),
        Family::Exact
            | Family::Approximate
            | Family::LegacyDate
            | Family::Date
            | Family::Time
            | Family::DateAndTime
    );
    if !takes || arguments.sql_type(0) == SqlType::Bit {
        return Err(arguments.refuse(0));
    }
    arguments.text(1)?;
    if arguments.len() > 2 {
        match arguments.literal(2).as_deref() {
            Some("EN-US") => {}
            Some(culture) => {
                return Err(SqlError::unsupported(format_args!("FORMAT with culture {culture}")));
            }
            None => return Err(SqlError::unsupported("FORMAT with a culture that is no literal")),
        }
    }
    Ok(Returns::nullable(SqlType::NVarChar(Length::Limited(4000))))
}

fn format(_: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    if values[..2].iter().any(Value::is_null) {
        return Ok(Value::Null);
    }
    let pattern = string(&values[1]);
    let shown = match moment_of(&values[0]) {
        Some(moment) => date(moment, &pattern),
        None => Number::of(&values[0]).and_then(|number| number.shown(&pattern)),
    };
    Ok(shown.map_or(Value::Null, |shown| Value::text(&shown)))
}

/// A number as digits.
struct Number {
    negative: bool,
    /// Digits before the point, without leading zeros.
    whole: String,
    /// Digits behind it.
    fraction: String,
}

impl Number {
    fn of(value: &Value) -> Option<Self> {
        let text = match value {
            Value::Float(x) => format!("{x}"),
            exact => {
                let (unscaled, scale) = exact_parts(exact)?;
                let digits = format!("{:0>1$}", unscaled.unsigned_abs(), usize::from(scale) + 1);
                let point = digits.len() - usize::from(scale);
                format!("{}{}.{}", if unscaled < 0 { "-" } else { "" }, &digits[..point], &digits[point..])
            }
        };
        let (negative, text) = text.strip_prefix('-').map_or((false, text.as_str()), |rest| (true, rest));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        Some(Self {
            negative,
            whole: whole.trim_start_matches('0').to_owned(),
            fraction: fraction.to_owned(),
        })
    }

    /// Rounded half away from zero.
    fn rounded(&self, digits: usize) -> Self {
        let mut all: Vec<u8> = format!("{}{:0<digits$}", self.whole, self.fraction).into_bytes();
        let kept = self.whole.len() + digits;
        let up = all.get(kept).is_some_and(|digit| *digit >= b'5');
        all.truncate(kept);
        let mut carry = up;
        for digit in all.iter_mut().rev() {
            if !carry {
                break;
            }
            carry = *digit == b'9';
            *digit = if carry { b'0' } else { *digit + 1 };
        }
        if carry {
            all.insert(0, b'1');
        }
        let all = String::from_utf8(all).expect("digits");
        let (whole, fraction) = all.split_at(all.len() - digits);
        let is_zero = all.bytes().all(|digit| digit == b'0');
        Self {
            negative: self.negative && !is_zero,
            whole: whole.trim_start_matches('0').to_owned(),
            fraction: fraction.to_owned(),
        }
    }

    fn shown(&self, pattern: &str) -> Option<String> {
        let mut characters = pattern.chars();
        let letter = characters.next().filter(char::is_ascii_alphabetic);
        let digits = characters.as_str();
        match letter {
            Some(letter) if digits.is_empty() || digits.parse::<u8>().is_ok() => {
                self.standard(letter.to_ascii_uppercase(), digits.parse().ok())
            }
            _ => Some(self.custom(pattern)),
        }
    }

    fn standard(&self, letter: char, digits: Option<usize>) -> Option<String> {
        let sign = |number: &Self| if number.negative { "-" } else { "" };
        let with_point = |number: &Self, whole: String| {
            let whole = if whole.is_empty() { "0".to_owned() } else { whole };
            if number.fraction.is_empty() { whole } else { format!("{whole}.{}", number.fraction) }
        };
        Some(match letter {
            'N' | 'F' => {
                let number = self.rounded(digits.unwrap_or(2));
                let whole = if letter == 'N' { grouped(&number.whole) } else { number.whole.clone() };
                format!("{}{}", sign(&number), with_point(&number, whole))
            }
            'C' => {
                let number = self.rounded(digits.unwrap_or(2));
                let shown = format!("${}", with_point(&number, grouped(&number.whole)));
                if number.negative { format!("-{shown}") } else { shown }
            }
            'P' => {
                let number = self.hundredfold().rounded(digits.unwrap_or(2));
                format!("{}{}%", sign(&number), with_point(&number, grouped(&number.whole)))
            }
            'D' if self.fraction.is_empty() => {
                format!("{}{:0>width$}", sign(self), self.whole, width = digits.unwrap_or(1).max(1))
            }
            'X' if self.fraction.is_empty() && !self.negative => {
                let n: u64 = if self.whole.is_empty() { 0 } else { self.whole.parse().ok()? };
                format!("{n:0width$X}", width = digits.unwrap_or(1))
            }
            'G' if digits.is_none() => {
                let fraction = self.fraction.trim_end_matches('0').to_owned();
                let number = Self { fraction, whole: self.whole.clone(), negative: self.negative };
                format!("{}{}", sign(&number), with_point(&number, number.whole.clone()))
            }
            _ => return None,
        })
    }

    fn hundredfold(&self) -> Self {
        let fraction = format!("{:0<2}", self.fraction);
        let whole = format!("{}{}", self.whole, &fraction[..2]);
        Self {
            negative: self.negative,
            whole: whole.trim_start_matches('0').to_owned(),
            fraction: fraction[2..].to_owned(),
        }
    }

    /// A pattern of `0`, `#`, `,`, `.` and `%`; anything else stands for itself.
    fn custom(&self, pattern: &str) -> String {
        let number =
            if pattern.contains('%') { self.hundredfold() } else { self.rounded(self.fraction.len()) };
        let (before, behind) = pattern.split_once('.').unwrap_or((pattern, ""));
        let is_digit = |c: char| matches!(c, '0' | '#');
        let number = number.rounded(behind.chars().filter(|c| is_digit(*c)).count());
        let least = before.chars().skip_while(|c| *c != '0').filter(|c| is_digit(*c)).count();
        let whole = format!("{:0>least$}", number.whole);
        let whole = if before.contains(',') { grouped(&whole) } else { whole };
        let wanted = behind.chars().filter(|c| is_digit(*c)).collect::<String>();
        let needed = wanted.rfind('0').map_or(0, |last| last + 1);
        let mut fraction = number.fraction.clone();
        while fraction.len() > needed && fraction.ends_with('0') {
            fraction.pop();
        }
        let literals = |part: &str| part.chars().filter(|c| !is_digit(*c) && *c != ',').collect::<String>();
        let first = before.find(is_digit).unwrap_or(before.len());
        let sign = if number.negative { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        format!(
            "{sign}{}{whole}{}{point}{fraction}{}",
            literals(&before[..first]),
            literals(&before[first..]),
            literals(behind)
        )
    }
}

/// Digits with a comma between thousands.
fn grouped(digits: &str) -> String {
    let mut shown = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A date or time by a standard letter or a pattern of one's own.
fn date(moment: Moment, pattern: &str) -> Option<String> {
    let custom = match pattern {
        "d" => "M/d/yyyy",
        "D" => "dddd, MMMM d, yyyy",
        "t" => "h:mm tt",
        "T" => "h:mm:ss tt",
        "f" => "dddd, MMMM d, yyyy h:mm tt",
        "F" => "dddd, MMMM d, yyyy h:mm:ss tt",
        "g" => "M/d/yyyy h:mm tt",
        "G" => "M/d/yyyy h:mm:ss tt",
        "M" | "m" => "MMMM d",
        "Y" | "y" => "MMMM yyyy",
        "s" => "yyyy-MM-ddTHH:mm:ss",
        "u" => "yyyy-MM-dd HH:mm:ssZ",
        "o" | "O" => "yyyy-MM-ddTHH:mm:ss.fffffff",
        one if one.chars().count() == 1 => return None,
        own => own,
    };
    let mut shown = String::new();
    let mut rest = custom;
    while let Some(letter) = rest.chars().next() {
        if matches!(letter, '\'' | '"') {
            let (quoted, tail) = rest[1..].split_once(letter)?;
            shown.push_str(quoted);
            rest = tail;
            continue;
        }
        if letter == '\\' {
            shown.extend(rest.chars().nth(1));
            rest = rest.get(2..).unwrap_or_default();
            continue;
        }
        let run = rest.chars().take_while(|c| *c == letter).count();
        match part(moment, moment.date(), letter, run) {
            Some(text) => shown.push_str(&text),
            None => shown.extend(std::iter::repeat_n(letter, run)),
        }
        rest = &rest[run * letter.len_utf8()..];
    }
    Some(shown)
}

/// A part as so many letters show it; None for a letter that stands for itself.
fn part(moment: Moment, date: NaiveDate, letter: char, run: usize) -> Option<String> {
    let seconds = moment.ticks / TICKS_PER_SECOND;
    let fraction = format!("{:07}", moment.ticks % TICKS_PER_SECOND);
    let padded = |n: u64| format!("{n:0>width$}", width = run.min(2));
    let (hour, offset) = (seconds / 3600, moment.offset.unsigned_abs());
    let sign = if moment.offset < 0 { '-' } else { '+' };
    Some(match letter {
        'y' if run <= 2 => padded(date.year() as u64 % 100),
        'y' => format!("{:0>run$}", date.year()),
        'M' if run == 3 => MONTHS[date.month0() as usize][..3].to_owned(),
        'M' if run > 3 => MONTHS[date.month0() as usize].to_owned(),
        'M' => padded(u64::from(date.month())),
        'd' if run == 3 => WEEKDAYS[date.weekday().num_days_from_sunday() as usize][..3].to_owned(),
        'd' if run > 3 => WEEKDAYS[date.weekday().num_days_from_sunday() as usize].to_owned(),
        'd' => padded(u64::from(date.day())),
        'H' => padded(hour),
        'h' => padded((hour + 11) % 12 + 1),
        'm' => padded(seconds / 60 % 60),
        's' => padded(seconds % 60),
        'f' => fraction[..run.min(7)].to_owned(),
        'F' => fraction[..run.min(7)].trim_end_matches('0').to_owned(),
        't' => (if hour < 12 { "AM" } else { "PM" })[..run.min(2)].to_owned(),
        'z' if run < 3 => format!("{sign}{}", padded(u64::from(offset / 60))),
        'z' | 'K' => format!("{sign}{:02}:{:02}", offset / 60, offset % 60),
        _ => return None,
    })
}
