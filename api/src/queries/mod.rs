//! Every query of this API. Each runs in a [`Reading`](crate::database::Reading), which carries the scope for PostgreSQL's
//! policies, and each that reads a tenant's rows takes the scope again and filters by it itself.

pub(crate) mod catalogue;
pub(crate) mod daily;
pub(crate) mod detail;
pub(crate) mod pipeline;

/// Puts an identifier in quotes.
fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

#[cfg(test)]
mod tests;
