//! SOUNDEX and DIFFERENCE: how words sound in English.

use super::arguments::{any_null, string};
use super::{Body, Definition, Returns};
use crate::types::{Length, SqlType, Value};

/// Characters of a code.
const CODE_LENGTH: usize = 4;

pub(super) fn definition(name: &str) -> Option<Definition> {
    let define = |count, rule, body: Body| Some(Definition { count, rule, body });
    match name {
        "SOUNDEX" => define(
            1..=1,
            |a| a.text(0).map(|_| Returns::nullable(SqlType::VarChar(Length::Limited(5)))),
            |_, v| Ok(if any_null(&v) { Value::Null } else { Value::text(&soundex(&string(&v[0]))) }),
        ),
        "DIFFERENCE" => define(
            2..=2,
            |a| {
                a.text(0)?;
                a.text(1).map(|_| Returns::nullable(SqlType::Int))
            },
            |_, v| {
                if any_null(&v) {
                    return Ok(Value::Null);
                }
                let (one, other) = (soundex(&string(&v[0])), soundex(&string(&v[1])));
                Ok(Value::Int(one.chars().zip(other.chars()).filter(|(a, b)| a == b).count() as i64))
            },
        ),
        _ => None,
    }
}

/// The first letter, then digits for the consonants behind it; neighbours of one digit count once.
fn soundex(word: &str) -> String {
    let digit = |letter: char| match letter.to_ascii_uppercase() {
        'B' | 'F' | 'P' | 'V' => Some('1'),
        'C' | 'G' | 'J' | 'K' | 'Q' | 'S' | 'X' | 'Z' => Some('2'),
        'D' | 'T' => Some('3'),
        'L' => Some('4'),
        'M' | 'N' => Some('5'),
        'R' => Some('6'),
        _ => None,
    };
    let mut letters = word.chars().take_while(char::is_ascii_alphabetic);
    let mut code = String::new();
    let mut last = None;
    if let Some(first) = letters.next() {
        code.push(first.to_ascii_uppercase());
        last = digit(first);
    }
    for letter in letters {
        let next = digit(letter);
        if let Some(next) = next.filter(|next| last != Some(*next)) {
            code.push(next);
        }
        // H and W do not come between two letters of one digit.
        if !matches!(letter.to_ascii_uppercase(), 'H' | 'W') {
            last = next;
        }
    }
    format!("{code:0<CODE_LENGTH$.CODE_LENGTH$}")
}
