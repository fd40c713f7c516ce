//! Passwords: named by the configuration, read once, never printed.

use super::ConfigError;
use secrecy::{ExposeSecret, SecretString};
use std::path::Path;

/// A password. Its `Debug` form says nothing.
#[derive(Clone, Debug)]
pub struct Secret(SecretString);

impl Secret {
    /// Keeps a password.
    pub fn new(password: &str) -> Self {
        Self(SecretString::from(password))
    }

    /// The password itself, for the login only.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub(super) fn from_environment(variable: &str) -> Result<Self, ConfigError> {
        std::env::var(variable)
            .map(|password| Self::new(&password))
            .map_err(|source| ConfigError::PasswordVariable { variable: variable.to_owned(), source })
    }

    /// One line end at the file's end is not part of the password.
    pub(super) fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::PasswordFile { path: path.to_owned(), source })?;
        let password = text.strip_suffix('\n').unwrap_or(&text);
        Ok(Self::new(password.strip_suffix('\r').unwrap_or(password)))
    }
}
