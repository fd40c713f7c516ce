//! Sort keys.
//!
//! A linguistic sort key holds four levels, each ended by a zero byte: characters without case and accents, accents,
//! case, and hyphens and apostrophes, each level only if the collation sees it. Within the first level punctuation
//! comes before digits and digits before letters. Expansions (`ß` = `ss`) and the order of letters that a locale has
//! of its own are not modelled.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Ends every level of a sort key; no weight begins with it.
const LEVEL_END: u8 = 0;
const CLASS_PUNCTUATION: u8 = 1;
const CLASS_DIGIT: u8 = 2;
const CLASS_LETTER: u8 = 3;
/// Half of a surrogate pair, or a lone one.
const CLASS_SURROGATE: u8 = 4;

/// Weight on the levels of accents and case that says nothing special.
const PLAIN: u8 = 1;
const CAPITAL: u8 = 2;

/// From katakana to the same syllable of hiragana.
const KATAKANA_TO_HIRAGANA: u32 = 0x60;

/// Code units in their order; a zero unit is escaped so that the end mark stays unique.
pub(super) fn binary(text: &[u16], out: &mut Vec<u8>) {
    for unit in text {
        out.push(1);
        out.extend_from_slice(&unit.to_be_bytes());
    }
    out.push(LEVEL_END);
}

/// What a linguistic sort key distinguishes.
pub(super) struct Rules {
    pub(super) case: bool,
    pub(super) accent: bool,
    pub(super) kana: bool,
    pub(super) width: bool,
    /// Whether `i` and `I` are two letters.
    pub(super) turkish: bool,
    /// Whether hyphen and apostrophe count only where everything else is equal.
    pub(super) minor_punctuation: bool,
}

/// The levels of a sort key under way.
struct Levels<'o> {
    /// The first level goes where the key goes.
    letters: &'o mut Vec<u8>,
    accents: Vec<u8>,
    cases: Vec<u8>,
    punctuation: Vec<u8>,
}

impl Rules {
    /// Appends the sort key of a text.
    pub(super) fn key(&self, text: &[u16], out: &mut Vec<u8>) {
        let mut levels =
            Levels { letters: out, accents: Vec::new(), cases: Vec::new(), punctuation: Vec::new() };
        for decoded in char::decode_utf16(text.iter().copied()) {
            match decoded {
                Ok(c) if c.is_ascii() => self.push(c, &mut levels),
                Ok('İ') if self.turkish => {
                    self.push('i', &mut levels);
                    levels.capitalize();
                }
                Ok(c) => self.decomposed(c, |part| self.push(part, &mut levels)),
                Err(lone) => levels.push_unit(CLASS_SURROGATE, lone.unpaired_surrogate()),
            }
        }
        let Levels { letters, accents, cases, punctuation } = levels;
        letters.push(LEVEL_END);
        if self.accent {
            push_level(&accents, letters);
        }
        if self.case {
            push_level(&cases, letters);
        }
        if self.minor_punctuation {
            letters.extend_from_slice(&punctuation);
            letters.push(LEVEL_END);
        }
    }

    /// Letter and combining marks of a character; full-width forms become their usual ones where width does not
    /// count, other compatibility forms stay.
    fn decomposed(&self, c: char, mut visit: impl FnMut(char)) {
        if !self.width && ('\u{FF01}'..='\u{FF5E}').contains(&c) {
            decompose_compatible(c, visit);
        } else if !self.kana && ('\u{30A1}'..='\u{30F6}').contains(&c) {
            let hiragana = char::from_u32(u32::from(c) - KATAKANA_TO_HIRAGANA);
            std::iter::once(hiragana.unwrap_or(c)).nfd().for_each(&mut visit);
        } else {
            std::iter::once(c).nfd().for_each(&mut visit);
        }
    }

    fn push(&self, c: char, levels: &mut Levels<'_>) {
        if is_combining_mark(c) {
            return levels.push_mark(c);
        }
        if self.minor_punctuation && matches!(c, '-' | '\'') {
            return levels.push_minor(c);
        }
        let lower = self.lower_case(c);
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
            levels.push_unit(class, *unit);
        }
        if lower != c {
            levels.capitalize();
        }
    }

    /// The single lower-case character, or the character itself where there is none.
    fn lower_case(&self, c: char) -> char {
        if self.turkish && c == 'I' {
            return 'ı';
        }
        let mut lower = c.to_lowercase();
        match (lower.next(), lower.next()) {
            (Some(one), None) => one,
            _ => c,
        }
    }
}

impl Levels<'_> {
    fn push_unit(&mut self, class: u8, unit: u16) {
        self.letters.push(class);
        self.letters.extend_from_slice(&unit.to_be_bytes());
        self.accents.push(PLAIN);
        self.cases.push(PLAIN);
    }

    /// The last letter is a capital.
    fn capitalize(&mut self) {
        if let Some(last) = self.cases.last_mut() {
            *last = CAPITAL;
        }
    }

    /// A mark belongs to the letter before it, so it takes that letter's place on the second level.
    fn push_mark(&mut self, mark: char) {
        if let Some(last) = self.accents.last_mut() {
            let code = u8::try_from(u32::from(mark) & 0x7F).expect("seven bits");
            *last = last.wrapping_add(code + 1).max(2);
        }
    }

    /// What stands where among the letters; counted from 1, so that no byte of it is the end mark.
    fn push_minor(&mut self, c: char) {
        let place = u16::try_from(self.accents.len()).unwrap_or(u16::MAX).saturating_add(1);
        self.punctuation.push(1);
        self.punctuation.extend_from_slice(&place.to_be_bytes());
        self.punctuation.push(c as u8);
    }
}

/// A level's weights without its trailing "nothing special" ones.
fn push_level(weights: &[u8], out: &mut Vec<u8>) {
    let end = weights.iter().rposition(|&weight| weight != PLAIN).map_or(0, |last| last + 1);
    out.extend_from_slice(&weights[..end]);
    out.push(LEVEL_END);
}
