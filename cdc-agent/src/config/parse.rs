//! TOML files into typed sections, with errors that name the line and the nearest valid key.

use super::{ConfigError, Place};
use serde::de::DeserializeOwned;
use std::path::Path;

/// Reads one file.
pub(super) fn file<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|error| explained(path, &text, &error))
}

/// serde reports an unknown key as text only: "unknown field `x`, expected one of `a`, `b`".
fn explained(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let start = error.span().map_or(0, |span| span.start);
    let line = 1 + text.as_bytes().iter().take(start).filter(|byte| **byte == b'\n').count();
    let place = Place { file: path.to_owned(), line };
    for (prefix, what) in [("unknown field ", "key"), ("unknown variant ", "choice")] {
        if let Some(names) = error.message().strip_prefix(prefix) {
            let mut quoted = names.split('`').skip(1).step_by(2).map(str::to_owned);
            if let Some(found) = quoted.next() {
                return ConfigError::unknown(place, what, found, quoted.collect());
            }
        }
    }
    ConfigError::Malformed { place, message: error.message().to_owned() }
}
