//! Names inside strings, as OBJECT_ID and `sp_rename` take them.

use super::ast::ObjectName;

/// A name of up to three parts, each quoted or not; None if it is no name.
pub fn parse_name(text: &str) -> Option<ObjectName> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    loop {
        let (part, tail) = match rest.chars().next() {
            Some('[') => quoted_part(&rest[1..], ']')?,
            Some('"') => quoted_part(&rest[1..], '"')?,
            _ => {
                let end = rest.find('.').unwrap_or(rest.len());
                (rest[..end].trim().to_owned(), &rest[end..])
            }
        };
        parts.push(part);
        match tail.trim_start().strip_prefix('.') {
            Some(tail) => rest = tail.trim_start(),
            None if tail.trim().is_empty() => break,
            None => return None,
        }
    }
    let name = parts.pop().filter(|name| !name.is_empty())?;
    let schema = parts.pop().filter(|schema| !schema.is_empty());
    let database = parts.pop().filter(|database| !database.is_empty());
    parts.is_empty().then_some(ObjectName { database, schema, name })
}

fn quoted_part(text: &str, close: char) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text;
    loop {
        let end = rest.find(close)?;
        part.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix(close) {
            Some(tail) => {
                part.push(close);
                rest = tail;
            }
            None => return Some((part, rest)),
        }
    }
}
