//! Text equality as the source's collation sees it.
//!
//! PostgreSQL compares text byte by byte; SQL Server ignores trailing blanks, and, by collation, case, accents and width.
//! A text column that takes part in a key, a join or a figure therefore has a stored *twin*: the text folded so that two
//! texts are equal at the source exactly when their twins are equal bytes. The fold may be coarser or finer than the source's
//! comparison for rare characters; the applier names two present rows with one twin as an error, never merges them.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What a collation's equality ignores, besides trailing blanks, which every collation ignores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fold {
    /// `_CI`: case.
    pub case: bool,
    /// `_AI`: accents.
    pub accents: bool,
    /// No `_WS`: full and half width.
    pub width: bool,
}

impl Fold {
    /// Reads a collation's name: `_BIN`, `_BIN2` and `_CS` keep case, `_AI` ignores accents, `_WS` keeps width.
    pub fn of_collation(name: &str) -> Self {
        let mut parts = name.split('_').map(str::to_ascii_uppercase).collect::<Vec<_>>();
        parts.retain(|part| !part.is_empty());
        let has = |part: &str| parts.iter().any(|p| p == part);
        let binary = has("BIN") || has("BIN2");
        Self { case: has("CI") && !binary, accents: has("AI") && !binary, width: !has("WS") && !binary }
    }

    /// The twin of `text`. Upper case, so that a code such as `SJU1` reads as people write it.
    pub fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let trimmed = text.trim_end_matches(' ');
        let plain = trimmed.bytes().all(|b| b.is_ascii() && !(self.case && b.is_ascii_lowercase()));
        if plain {
            return Cow::Borrowed(trimmed);
        }
        let mut folded = String::with_capacity(trimmed.len());
        for c in trimmed.chars() {
            let c = if self.width { narrow(c) } else { c };
            let c = if self.accents { base_letter(c) } else { c };
            if self.case {
                folded.extend(upper(c));
            } else {
                folded.push(c);
            }
        }
        Cow::Owned(folded)
    }
}

/// SQL Server maps case one character to one character: `ß` stays `ß`.
fn upper(c: char) -> impl Iterator<Item = char> {
    let mut mapped = c.to_uppercase();
    let one = if mapped.len() == 1 { mapped.next().unwrap_or(c) } else { c };
    std::iter::once(one)
}

/// Full-width ASCII and the ideographic blank to their narrow forms.
fn narrow(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        '\u{3000}' => ' ',
        _ => c,
    }
}

/// The letter under the accent for the Latin letters of Western and Central European languages.
fn base_letter(c: char) -> char {
    const ACCENTED: [(&str, char); 24] = [
        ("ÀÁÂÃÄÅĀĂĄ", 'A'),
        ("àáâãäåāăą", 'a'),
        ("ÇĆĈĊČ", 'C'),
        ("çćĉċč", 'c'),
        ("ÈÉÊËĒĔĖĘĚ", 'E'),
        ("èéêëēĕėęě", 'e'),
        ("ÌÍÎÏĨĪĬĮİ", 'I'),
        ("ìíîïĩīĭį", 'i'),
        ("ÑŃŅŇ", 'N'),
        ("ñńņň", 'n'),
        ("ÒÓÔÕÖŌŎŐ", 'O'),
        ("òóôõöōŏő", 'o'),
        ("ÙÚÛÜŨŪŬŮŰŲ", 'U'),
        ("ùúûüũūŭůűų", 'u'),
        ("ÝŶŸ", 'Y'),
        ("ýÿŷ", 'y'),
        ("ŚŜŞŠ", 'S'),
        ("śŝşš", 's'),
        ("ŹŻŽ", 'Z'),
        ("źżž", 'z'),
        ("ŔŖŘ", 'R'),
        ("ŕŗř", 'r'),
        ("ŢŤ", 'T'),
        ("ţť", 't'),
    ];
    ACCENTED.iter().find(|(accented, _)| accented.contains(c)).map_or(c, |(_, base)| *base)
}

#[cfg(test)]
mod tests {
    use super::Fold;

    #[test]
    fn collation_names_decide_what_equality_ignores() {
        let default = Fold::of_collation("SQL_Latin1_General_CP1_CI_AS");
        assert_eq!(default, Fold { case: true, accents: false, width: true });
        assert_eq!(
            Fold::of_collation("Latin1_General_100_CS_AS_WS"),
            Fold { case: false, accents: false, width: false }
        );
        assert_eq!(
            Fold::of_collation("Latin1_General_BIN2"),
            Fold { case: false, accents: false, width: false }
        );
        assert!(Fold::of_collation("Modern_Spanish_CI_AI").accents);
    }

    #[test]
    fn twins_are_equal_when_the_source_says_so() {
        let default = Fold::of_collation("SQL_Latin1_General_CP1_CI_AS");
        assert_eq!(default.apply("sju1  "), "SJU1");
        assert_eq!(default.apply("Ñandú"), "ÑANDÚ");
        assert_ne!(default.apply("nandu"), default.apply("ñandú"));
        assert_eq!(default.apply("straße"), "STRAßE");
        assert_eq!(Fold::of_collation("Modern_Spanish_CI_AI").apply("Ñandú "), "NANDU");
        assert_eq!(Fold::of_collation("Latin1_General_BIN2").apply("Abc "), "Abc");
    }
}
