//! Text to date and time: ISO 8601, the ODBC form, and the forms of us_english (month, day, year).

use super::date::{TICKS_PER_DAY, TICKS_PER_SECOND, days_of};

/// What a text says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Parsed {
    /// Days since 0001-01-01: None without a date, `Some(None)` for a date that is not in the calendar.
    pub(crate) days: Option<Option<i32>>,
    /// 100 ns since midnight.
    pub(crate) ticks: u64,
    /// Minutes east of UTC, if written.
    pub(crate) offset: Option<i16>,
    /// Digits written behind the second.
    pub(crate) fraction_digits: u8,
}

/// Two-digit years up to this one belong to 2000.
const CUTOFF: i32 = 49;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Number(String),
    Word(String),
    Mark(char),
}

/// Reads a date, a time, or both; None if the text is neither. Styles 3, 4, 5, 103, 104 and 105 put the day first.
pub(crate) fn parse_moment(text: &str, style: Option<i32>) -> Option<Parsed> {
    let day_first = matches!(style, Some(3 | 4 | 5 | 103 | 104 | 105));
    let mut reader = Reader { pieces: pieces(text)?, position: 0, day_first };
    let mut parsed = Parsed { days: None, ticks: 0, offset: None, fraction_digits: 0 };
    if reader.pieces.is_empty() {
        return Some(parsed);
    }
    if !reader.at_time() {
        parsed.days = Some(reader.date()?);
        if reader.take_word("t") && !reader.at_time() {
            return None;
        }
    }
    if reader.at_time() {
        (parsed.ticks, parsed.fraction_digits) = reader.time()?;
        parsed.offset = reader.offset()?;
    }
    (reader.position == reader.pieces.len()).then_some(parsed)
}

fn pieces(text: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = text.trim();
    while let Some(first) = rest.chars().next() {
        let run =
            |accept: fn(&char) -> bool| rest.chars().take_while(accept).map(char::len_utf8).sum::<usize>();
        let length = if first.is_ascii_digit() {
            let length = run(char::is_ascii_digit);
            pieces.push(Piece::Number(rest[..length].to_owned()));
            length
        } else if first.is_ascii_alphabetic() {
            let length = run(char::is_ascii_alphabetic);
            pieces.push(Piece::Word(rest[..length].to_ascii_lowercase()));
            length
        } else if first.is_whitespace() {
            first.len_utf8()
        } else if "-/.:,+".contains(first) {
            pieces.push(Piece::Mark(first));
            1
        } else {
            return None;
        };
        rest = &rest[length..];
    }
    Some(pieces)
}

struct Reader {
    pieces: Vec<Piece>,
    position: usize,
    day_first: bool,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<&Piece> {
        self.pieces.get(self.position + ahead)
    }

    fn take_mark(&mut self, mark: char) -> bool {
        let found = self.peek(0) == Some(&Piece::Mark(mark));
        self.position += usize::from(found);
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(0), Some(Piece::Word(w)) if w == word);
        self.position += usize::from(found);
        found
    }

    fn number(&mut self) -> Option<String> {
        let Some(Piece::Number(digits)) = self.peek(0) else { return None };
        let digits = digits.clone();
        self.position += 1;
        Some(digits)
    }

    /// A number of at most `width` digits.
    fn short_number(&mut self, width: usize) -> Option<u32> {
        let digits = self.number()?;
        if digits.len() <= width { digits.parse().ok() } else { None }
    }

    /// Whether `n:` or `n AM` is next.
    fn at_time(&self) -> bool {
        matches!(self.peek(0), Some(Piece::Number(_)))
            && match self.peek(1) {
                Some(Piece::Mark(':')) => true,
                Some(Piece::Word(word)) => matches!(word.as_str(), "am" | "pm"),
                _ => false,
            }
    }

    /// A date in the calendar, `Some(None)` for one that is not, None for something else.
    fn date(&mut self) -> Option<Option<i32>> {
        match (self.peek(0)?, self.peek(1)) {
            (Piece::Number(digits), Some(Piece::Mark(mark @ ('-' | '/' | '.')))) => {
                let (year_first, mark) = (digits.len() == 4, *mark);
                self.separated_date(year_first, mark)
            }
            (Piece::Number(_), Some(Piece::Word(_))) if !self.is_word_at(1, "t") => {
                let day = self.short_number(2)?;
                let month = self.month()?;
                self.take_mark(',');
                let year = self.number()?;
                Some(days_of(full_year(&year)?, month, day))
            }
            (Piece::Number(_), _) => self.solid_date(),
            (Piece::Word(_), _) => {
                let month = self.month()?;
                let day = self.short_number(2)?;
                self.take_mark(',');
                let year = self.number()?;
                Some(days_of(full_year(&year)?, month, day))
            }
            _ => None,
        }
    }

    fn is_word_at(&self, ahead: usize, word: &str) -> bool {
        matches!(self.peek(ahead), Some(Piece::Word(w)) if w == word)
    }

    /// `2026-11-24`, `11/24/2026`, `24.11.26`
    fn separated_date(&mut self, year_first: bool, mark: char) -> Option<Option<i32>> {
        let first = self.number()?;
        self.take_mark(mark);
        let second = self.short_number(2)?;
        if !self.take_mark(mark) {
            return None;
        }
        let third = self.number()?;
        if year_first {
            return Some(days_of(full_year(&first)?, second, third.parse().ok()?));
        }
        let first: u32 = if first.len() <= 2 { first.parse().ok()? } else { return None };
        let (month, day) = if self.day_first { (second, first) } else { (first, second) };
        Some(days_of(full_year(&third)?, month, day))
    }

    /// `20261124`, `261124`, `2026`
    fn solid_date(&mut self) -> Option<Option<i32>> {
        let digits = self.number()?;
        let part = |from: usize, to: usize| digits[from..to].parse::<u32>().ok();
        match digits.len() {
            8 => Some(days_of(full_year(&digits[..4])?, part(4, 6)?, part(6, 8)?)),
            6 => Some(days_of(full_year(&digits[..2])?, part(2, 4)?, part(4, 6)?)),
            4 => Some(days_of(full_year(&digits)?, 1, 1)),
            _ => None,
        }
    }

    fn month(&mut self) -> Option<u32> {
        let Some(Piece::Word(word)) = self.peek(0) else { return None };
        let index =
            MONTHS.iter().position(|m| word == m || word.len() == 3 && m.starts_with(word.as_str()))?;
        self.position += 1;
        Some(index as u32 + 1)
    }

    /// 100 ns since midnight, and the digits behind the second.
    fn time(&mut self) -> Option<(u64, u8)> {
        let mut hour = self.short_number(2)?;
        let (mut minute, mut second, mut fraction, mut digits) = (0, 0, 0, 0);
        if self.take_mark(':') {
            minute = self.short_number(2)?;
            if self.take_mark(':') {
                second = self.short_number(2)?;
                if self.take_mark('.') || self.take_mark(':') {
                    let written = self.number()?;
                    digits = u8::try_from(written.len()).ok().filter(|n| *n <= 9)?;
                    fraction = format!("{written:0<9}").parse::<u64>().ok()? / 100;
                }
            }
        }
        let (am, pm) = (self.take_word("am"), self.take_word("pm"));
        if am || pm {
            if !(1..=12).contains(&hour) {
                return None;
            }
            hour = hour % 12 + if pm { 12 } else { 0 };
        }
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let ticks = u64::from(hour * 3600 + minute * 60 + second) * TICKS_PER_SECOND + fraction;
        debug_assert!(ticks < TICKS_PER_DAY);
        Some((ticks, digits))
    }

    /// `Z` or `+01:00`; `Some(None)` if nothing follows.
    fn offset(&mut self) -> Option<Option<i16>> {
        if self.take_word("z") {
            return Some(Some(0));
        }
        let sign = if self.take_mark('+') {
            1
        } else if self.take_mark('-') {
            -1
        } else {
            return Some(None);
        };
        let hours = self.short_number(2)?;
        if !self.take_mark(':') {
            return None;
        }
        let minutes = hours * 60 + self.short_number(2)?;
        if minutes > 14 * 60 { None } else { Some(Some(sign * minutes as i16)) }
    }
}

/// A year of four digits, or of two in the window that ends with 2049.
fn full_year(digits: &str) -> Option<i32> {
    let year: i32 = digits.parse().ok()?;
    match digits.len() {
        4 => Some(year),
        1 | 2 => Some(if year <= CUTOFF { 2000 + year } else { 1900 + year }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_dates() {
        let day = days_of(2026, 11, 24);
        for text in [
            "2026-11-24",
            "20261124",
            "11/24/2026",
            "2026/11/24",
            "11-24-26",
            "Nov 24, 2026",
            "24 november 2026",
            "2026-11-24T00:00:00",
            "2026-11-24 12:00 AM",
            "2026-11-24T00:00:00.0000000Z",
        ] {
            let parsed = parse_moment(text, None).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((parsed.days, parsed.ticks), (Some(day), 0), "{text}");
        }
        assert_eq!(parse_moment("24/11/2026", Some(103)).map(|p| p.days), Some(Some(day)));
        assert_eq!(parse_moment("2026-02-30", None).map(|p| p.days), Some(Some(None)));
        for text in ["2026-11", "x", "2026-11-24 25:00", "2026-11-24 10:00 junk", "2026-11-24T"] {
            assert!(parse_moment(text, None).is_none(), "{text}");
        }
    }

    #[test]
    fn forms_of_times() {
        let ticks = |text| parse_moment(text, None).map(|p| (p.ticks, p.offset, p.fraction_digits));
        let second = TICKS_PER_SECOND;
        assert_eq!(ticks("13:30"), Some((48_600 * second, None, 0)));
        assert_eq!(ticks("1:30:01.5 PM"), Some((48_601 * second + second / 2, None, 1)));
        assert_eq!(ticks("2026-11-24 00:00:00.1234567 -05:30"), Some((1_234_567, Some(-330), 7)));
        assert_eq!(ticks("13:00 PM"), None);
    }
}
