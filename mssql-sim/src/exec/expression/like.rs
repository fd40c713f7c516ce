//! LIKE: `%`, `_`, `[abc]`, `[a-c]`, `[^a]` and an escape character.

use std::cmp::Ordering;

use crate::collation::Collation;

const BLANK: u16 = 0x20;

/// A pattern taken apart.
pub(crate) struct Pattern<'c> {
    parts: Vec<Part>,
    collation: &'c Collation,
}

enum Part {
    /// `%`
    Any,
    /// `_`
    One,
    Unit(u16),
    /// Ranges of one unit each or more, and whether they are excluded.
    Set(Vec<(u16, u16)>, bool),
}

impl<'c> Pattern<'c> {
    pub(crate) fn new(pattern: &[u16], escape: Option<u16>, collation: &'c Collation) -> Self {
        let mut parts = Vec::new();
        let mut rest = pattern;
        while let Some((&unit, tail)) = rest.split_first() {
            rest = tail;
            if Some(unit) == escape {
                if let Some((&literal, tail)) = rest.split_first() {
                    parts.push(Part::Unit(literal));
                    rest = tail;
                }
                continue;
            }
            match char::from_u32(u32::from(unit)) {
                Some('%') => parts.push(Part::Any),
                Some('_') => parts.push(Part::One),
                Some('[') => match set(rest) {
                    Some((part, tail)) => {
                        parts.push(part);
                        rest = tail;
                    }
                    // A bracket that never closes matches nothing.
                    None => parts.push(Part::Set(Vec::new(), false)),
                },
                _ => parts.push(Part::Unit(unit)),
            }
        }
        Self { parts, collation }
    }

    /// Whether the whole text matches; `forgive_blanks` also tries it without its trailing blanks.
    pub(crate) fn matches(&self, text: &[u16], forgive_blanks: bool) -> bool {
        if self.matches_from(text, 0) {
            return true;
        }
        let trimmed = text.len() - text.iter().rev().take_while(|u| **u == BLANK).count();
        forgive_blanks && (trimmed..text.len()).rev().any(|end| self.matches_from(&text[..end], 0))
    }

    fn matches_from(&self, text: &[u16], first: usize) -> bool {
        let mut position = 0;
        let mut part = first;
        // Where to go on when the rest after the last `%` does not match.
        let mut retry: Option<(usize, usize)> = None;
        loop {
            let step = match self.parts.get(part) {
                Some(Part::Any) => {
                    part += 1;
                    retry = Some((part, position));
                    continue;
                }
                Some(one) => text.get(position).is_some_and(|unit| self.accepts(one, *unit)),
                None if position == text.len() => return true,
                None => false,
            };
            if step {
                position += 1;
                part += 1;
                continue;
            }
            match retry {
                Some((after, start)) if start < text.len() => {
                    retry = Some((after, start + 1));
                    (part, position) = (after, start + 1);
                }
                _ => return false,
            }
        }
    }

    fn accepts(&self, part: &Part, unit: u16) -> bool {
        match part {
            Part::Any | Part::One => true,
            Part::Unit(wanted) => self.compare(*wanted, unit).is_eq(),
            Part::Set(ranges, excluded) => {
                let inside = ranges
                    .iter()
                    .any(|(low, high)| self.compare(*low, unit).is_le() && self.compare(unit, *high).is_le());
                inside != *excluded
            }
        }
    }

    fn compare(&self, a: u16, b: u16) -> Ordering {
        if a == b { Ordering::Equal } else { self.collation.compare(&[a], &[b]) }
    }
}

/// The set after a `[`, and what stands behind its `]`.
fn set(text: &[u16]) -> Option<(Part, &[u16])> {
    let end = text.iter().position(|u| *u == u16::from(b']'))?;
    let (mut inside, rest) = (&text[..end], &text[end + 1..]);
    let excluded = inside.first() == Some(&u16::from(b'^'));
    if excluded {
        inside = &inside[1..];
    }
    let mut ranges = Vec::new();
    while let Some(&low) = inside.first() {
        if let [_, dash, high, ..] = inside
            && *dash == u16::from(b'-')
        {
            ranges.push((low, *high));
            inside = &inside[3..];
        } else {
            ranges.push((low, low));
            inside = &inside[1..];
        }
    }
    Some((Part::Set(ranges, excluded), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(text: &str, pattern: &str) -> bool {
        let units = |s: &str| s.encode_utf16().collect::<Vec<_>>();
        Pattern::new(&units(pattern), Some(u16::from(b'!')), &Collation::DEFAULT).matches(&units(text), false)
    }

    #[test]
    fn wildcards_sets_and_escapes() {
        for (text, pattern, expected) in [
            ("WMS-42", "wms-%", true),
            ("abcabd", "%abd", true),
            ("abc", "a_c", true),
            ("abc", "a_", false),
            ("b7", "[a-c][0-9]", true),
            ("d7", "[^a-c]7", true),
            ("50%", "50!%", true),
            ("500", "50!%", false),
            ("a[b", "a[[]b", true),
            ("x  ", "x", false),
            ("", "%", true),
            ("a", "[a", false),
        ] {
            assert_eq!(like(text, pattern), expected, "{text} LIKE {pattern}");
        }
    }
}
