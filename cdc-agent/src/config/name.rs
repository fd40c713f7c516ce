//! Names: the source's, the target's, and the nearest one to a name that is not there.

use proto::SourceTable;

/// PostgreSQL cuts longer names off without a word.
const MAX_IDENTIFIER_BYTES: usize = 63;

/// Least similarity (Jaro-Winkler) at which a name is suggested for another.
const SIMILAR: f64 = 0.75;

/// The target's name for a name of the source: one lower-case identifier (`Order ID` becomes `order_id`). None when nothing
/// usable is left.
pub fn identifier(source_name: &str) -> Option<String> {
    let mut words = String::with_capacity(source_name.len());
    for c in source_name.chars() {
        if c.is_ascii_alphanumeric() {
            words.push(c.to_ascii_lowercase());
        } else if !words.ends_with('_') {
            words.push('_');
        }
    }
    let words = words.trim_matches('_');
    let name =
        if words.starts_with(|c: char| c.is_ascii_digit()) { format!("_{words}") } else { words.to_owned() };
    is_identifier(&name).then_some(name)
}

/// Whether PostgreSQL takes the name as it stands, unquoted and uncut.
pub fn is_identifier(name: &str) -> bool {
    let lower = |c: char| c.is_ascii_lowercase() || c == '_';
    name.starts_with(lower)
        && name.len() <= MAX_IDENTIFIER_BYTES
        && name.chars().all(|c| lower(c) || c.is_ascii_digit())
}

/// Reads `schema.table`; a part may stand in brackets (`[dbo].[Order Details]`), a table alone is in `dbo`. None when the text
/// is no such name.
pub fn source_table(text: &str) -> Option<SourceTable> {
    let (first, rest) = part(text)?;
    if rest.is_empty() {
        return Some(SourceTable { schema: "dbo".to_owned(), table: first });
    }
    let (second, rest) = part(rest.strip_prefix('.')?)?;
    rest.is_empty().then_some(SourceTable { schema: first, table: second })
}

/// The first part of a name and what follows it.
fn part(text: &str) -> Option<(String, &str)> {
    let Some(bracketed) = text.strip_prefix('[') else {
        let end = text.find('.').unwrap_or(text.len());
        return (end > 0).then(|| (text[..end].to_owned(), &text[end..]));
    };
    let mut name = String::new();
    let mut rest = bracketed;
    loop {
        let end = rest.find(']')?;
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix(']') {
            Some(after) => {
                name.push(']');
                rest = after;
            }
            None => return (!name.is_empty()).then_some((name, rest)),
        }
    }
}

/// The candidate that `name` was probably meant to be.
pub fn nearest(name: &str, candidates: impl IntoIterator<Item = impl AsRef<str>>) -> Option<String> {
    let name = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let candidate = candidate.as_ref();
            (strsim::jaro_winkler(&name, &candidate.to_lowercase()), candidate.to_owned())
        })
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::{identifier, nearest, source_table};

    #[test]
    fn source_names_become_identifiers_or_nothing() {
        for (source, target) in [
            ("Orders", Some("orders")),
            ("Order ID", Some("order_id")),
            ("[Order  Details]", Some("order_details")),
            ("3PL", Some("_3pl")),
            ("Año", Some("a_o")),
            ("%%%", None),
            ("", None),
            (&"x".repeat(64), None),
        ] {
            assert_eq!(identifier(source).as_deref(), target, "{source}");
        }
    }

    #[test]
    fn source_tables_are_read_with_and_without_brackets() {
        for (text, expected) in [
            ("wms.orders", Some(("wms", "orders"))),
            ("Orders", Some(("dbo", "Orders"))),
            ("dbo.Order Details", Some(("dbo", "Order Details"))),
            ("[a.b].[c]]d]", Some(("a.b", "c]d"))),
            ("a.b.c", None),
            ("a.", None),
            (".b", None),
            ("[a", None),
            ("[a]b", None),
        ] {
            let read = source_table(text);
            assert_eq!(read.as_ref().map(|t| (t.schema.as_str(), t.table.as_str())), expected, "{text}");
        }
    }

    #[test]
    fn typing_errors_find_the_name_that_was_meant() {
        let keys = ["host", "port", "database", "password_env", "password_file"];
        assert_eq!(nearest("prot", keys).as_deref(), Some("port"));
        assert_eq!(nearest("pasword_env", keys).as_deref(), Some("password_env"));
        assert_eq!(nearest("Databse", keys).as_deref(), Some("database"));
        assert_eq!(nearest("zzz", keys), None);
    }
}
