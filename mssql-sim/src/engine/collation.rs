//! Collations: equality and order of text.
//!
//! A collation turns text into a *sort key*; two texts are equal when their sort keys are, and ordered as their sort
//! keys are. Trailing blanks never count. A sort key holds three levels, each ended by a zero byte: characters without
//! case and accents, accents (if the collation sees them), case (if it sees it). Within the first level punctuation
//! comes before digits and digits before letters. Half and full width are the same; expansions (`ß` = `ss`) and the
//! near-ignored hyphen of Windows collations are not modelled.

use std::cmp::Ordering;
use std::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use crate::types::SqlError;

/// What a collation distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sensitivity {
    /// Code units as they are.
    Binary,
    /// By letters, with case and accents as told.
    Linguistic { case: bool, accent: bool },
}

/// A collation.
#[derive(Clone, PartialEq, Eq)]
pub struct Collation {
    name: std::borrow::Cow<'static, str>,
    sensitivity: Sensitivity,
}

/// Ends every level of a sort key; no weight begins with it.
const LEVEL_END: u8 = 0;
const CLASS_PUNCTUATION: u8 = 1;
const CLASS_DIGIT: u8 = 2;
const CLASS_LETTER: u8 = 3;
/// Half of a surrogate pair, or a lone one.
const CLASS_SURROGATE: u8 = 4;
const BLANK: u16 = 0x20;

impl Collation {
    /// The server's and every database's collation, and that of names.
    pub const DEFAULT: Self = Self {
        name: std::borrow::Cow::Borrowed("SQL_Latin1_General_CP1_CI_AS"),
        sensitivity: Sensitivity::Linguistic { case: false, accent: true },
    };

    /// A collation by its name.
    ///
    /// # Errors
    /// 448 for a name that is no collation of code page 1252.
    pub fn named(name: &str) -> Result<Self, SqlError> {
        let invalid = || SqlError::batch(448, format!("Invalid collation '{name}'."));
        let upper = name.to_ascii_uppercase();
        if upper == "DATABASE_DEFAULT" {
            return Ok(Self::DEFAULT);
        }
        if !(upper.starts_with("LATIN1_GENERAL")
            || upper.starts_with("SQL_LATIN1_GENERAL_CP1_")
            || upper.starts_with("MODERN_SPANISH"))
            || upper.contains("UTF8")
        {
            return Err(invalid());
        }
        let has = |part: &str| upper.split('_').any(|p| p == part);
        let sensitivity = if has("BIN") || has("BIN2") {
            Sensitivity::Binary
        } else if (has("CI") || has("CS")) && (has("AI") || has("AS")) {
            Sensitivity::Linguistic { case: has("CS"), accent: has("AS") }
        } else {
            return Err(invalid());
        };
        Ok(Self { name: name.to_owned().into(), sensitivity })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Appends the sort key of a text (UTF-16).
    pub fn sort_key(&self, text: &[u16], out: &mut Vec<u8>) {
        let text = without_trailing_blanks(text);
        match self.sensitivity {
            Sensitivity::Binary => binary_key(text, out),
            Sensitivity::Linguistic { case, accent } => linguistic_key(text, case, accent, out),
        }
    }

    /// Compares two texts.
    pub fn compare(&self, a: &[u16], b: &[u16]) -> Ordering {
        let (a, b) = (without_trailing_blanks(a), without_trailing_blanks(b));
        if a == b {
            return Ordering::Equal;
        }
        let (mut left, mut right) = (Vec::new(), Vec::new());
        self.sort_key(a, &mut left);
        self.sort_key(b, &mut right);
        left.cmp(&right)
    }

    /// Whether two names or texts are equal.
    pub fn equal_str(&self, a: &str, b: &str) -> bool {
        if a.is_ascii() && b.is_ascii() && *self == Self::DEFAULT {
            return a.trim_end_matches(' ').eq_ignore_ascii_case(b.trim_end_matches(' '));
        }
        let (a, b): (Vec<u16>, Vec<u16>) = (a.encode_utf16().collect(), b.encode_utf16().collect());
        self.compare(&a, &b) == Ordering::Equal
    }
}

impl fmt::Debug for Collation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Folds a name to the form in which names are looked up.
pub(crate) fn fold_name(name: &str) -> String {
    name.trim_end_matches(' ').to_lowercase()
}

fn without_trailing_blanks(text: &[u16]) -> &[u16] {
    let end = text.iter().rposition(|&unit| unit != BLANK).map_or(0, |last| last + 1);
    &text[..end]
}

/// Code units in their order; a zero unit is escaped so that the end mark stays unique.
fn binary_key(text: &[u16], out: &mut Vec<u8>) {
    for unit in text {
        out.push(1);
        out.extend_from_slice(&unit.to_be_bytes());
    }
    out.push(LEVEL_END);
}

fn linguistic_key(text: &[u16], case: bool, accent: bool, out: &mut Vec<u8>) {
    let mut accents = Vec::new();
    let mut cases = Vec::new();
    for decoded in char::decode_utf16(text.iter().copied()) {
        match decoded {
            Ok(c) if c.is_ascii() => push_weight(c, out, &mut accents, &mut cases),
            Ok(c) => decomposed(c, |part| push_weight(part, out, &mut accents, &mut cases)),
            Err(lone) => push_unit(CLASS_SURROGATE, lone.unpaired_surrogate(), out, &mut accents, &mut cases),
        }
    }
    out.push(LEVEL_END);
    if accent {
        push_level(&accents, out);
    }
    if case {
        push_level(&cases, out);
    }
}

/// Letter and combining marks of a character; full-width forms become their usual ones, other compatibility forms stay.
fn decomposed(c: char, mut visit: impl FnMut(char)) {
    if ('\u{FF01}'..='\u{FF5E}').contains(&c) {
        decompose_compatible(c, visit);
    } else {
        std::iter::once(c).nfd().for_each(&mut visit);
    }
}

fn push_weight(c: char, out: &mut Vec<u8>, accents: &mut Vec<u8>, cases: &mut Vec<u8>) {
    if is_combining_mark(c) {
        // A mark belongs to the letter before it, so it takes that letter's place on the second level.
        let code = u32::from(c);
        if let Some(last) = accents.last_mut() {
            *last = last.wrapping_add(u8::try_from(code & 0x7F).expect("seven bits") + 1).max(2);
        }
        return;
    }
    let lower = lower_case(c);
    let class = if lower.is_numeric() {
        CLASS_DIGIT
    } else if lower.is_alphabetic() {
        CLASS_LETTER
    } else {
        CLASS_PUNCTUATION
    };
    let mut units = [0; 2];
    let units = lower.encode_utf16(&mut units);
    let class = if units.len() == 2 { CLASS_SURROGATE } else { class };
    for unit in units {
        push_unit(class, *unit, out, accents, cases);
    }
    if lower != c
        && let Some(last) = cases.last_mut()
    {
        *last = 2;
    }
}

fn push_unit(class: u8, unit: u16, out: &mut Vec<u8>, accents: &mut Vec<u8>, cases: &mut Vec<u8>) {
    out.push(class);
    out.extend_from_slice(&unit.to_be_bytes());
    accents.push(1);
    cases.push(1);
}

/// A level's weights without its trailing "nothing special" ones.
fn push_level(weights: &[u8], out: &mut Vec<u8>) {
    let end = weights.iter().rposition(|&w| w != 1).map_or(0, |last| last + 1);
    out.extend_from_slice(&weights[..end]);
    out.push(LEVEL_END);
}

/// The single lower-case character, or the character itself where there is none.
fn lower_case(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(collation: &str, a: &str, b: &str) -> bool {
        Collation::named(collation).expect("a collation").equal_str(a, b)
    }

    #[test]
    fn equality_follows_the_collation() {
        for (collation, a, b, expected) in [
            ("SQL_Latin1_General_CP1_CI_AS", "Ab", "aB  ", true),
            ("SQL_Latin1_General_CP1_CI_AS", "café", "CAFÉ", true),
            ("SQL_Latin1_General_CP1_CI_AS", "café", "cafe", false),
            ("SQL_Latin1_General_CP1_CI_AS", " a", "a", false),
            ("SQL_Latin1_General_CP1_CI_AS", "ｓｋｕ", "SKU", true),
            ("Latin1_General_CI_AI", "café", "CAFE", true),
            ("Latin1_General_CS_AS", "a", "A", false),
            ("Latin1_General_CS_AS", "a ", "a", true),
            ("Latin1_General_BIN2", "é", "É", false),
            ("Latin1_General_BIN2", "a", "a  ", true),
        ] {
            assert_eq!(equal(collation, a, b), expected, "{collation}: {a:?} = {b:?}");
        }
        assert_eq!(Collation::named("Klingon_CI_AS").map_err(|e| e.number), Err(448));
    }

    #[test]
    fn order_is_punctuation_digits_letters() {
        let sorted = ["", " x", "-1", "1", "10", "2", "a", "A-1", "a1", "ab", "ábc", "b", "É", "f", "z"];
        for pair in sorted.windows(2) {
            let [a, b] = [pair[0], pair[1]].map(|s| s.encode_utf16().collect::<Vec<_>>());
            assert_eq!(Collation::DEFAULT.compare(&a, &b), Ordering::Less, "{pair:?}");
        }
    }
}
