//! Names and literals as PostgreSQL's SQL text writes them. Nothing else puts a name into a statement.

use std::fmt;

/// A quoted identifier.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ident<'a>(pub(crate) &'a str);

/// A table or view with its schema.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Qualified<'a> {
    pub(crate) schema: &'a str,
    pub(crate) name: &'a str,
}

/// A quoted text constant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Literal<'a>(pub(crate) &'a str);

/// PostgreSQL cuts longer names off without a word.
pub(crate) const MAX_NAME_BYTES: usize = 63;

impl fmt::Display for Ident<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

impl fmt::Display for Qualified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", Ident(self.schema), Ident(self.name))
    }
}

impl fmt::Display for Literal<'_> {
    /// A backslash would mean something only in the `E''` form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.0.replace('\'', "''"))
    }
}

/// `alias."a", alias."b"`
pub(crate) fn columns<'a>(alias: &str, names: impl IntoIterator<Item = &'a String>) -> String {
    join(", ", names.into_iter().map(|name| format!("{alias}.{}", Ident(name))))
}

/// `"a", "b"`
pub(crate) fn names<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    join(", ", names.into_iter().map(|name| Ident(name).to_string()))
}

/// `left."a" = right."a" and …`
pub(crate) fn equal<'a>(left: &str, right: &str, names: impl IntoIterator<Item = &'a String>) -> String {
    join(" and ", names.into_iter().map(|name| format!("{left}.{0} = {right}.{0}", Ident(name))))
}

/// The parts with a separator between them.
pub(crate) fn join(separator: &str, parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().collect::<Vec<_>>().join(separator)
}
