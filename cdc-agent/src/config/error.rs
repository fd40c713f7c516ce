//! What can be wrong with a configuration.

use super::name;
use std::fmt;
use std::path::PathBuf;
use thiserror::Error;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// A configuration that cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: the file cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A key or a choice that does not exist.
    #[error("{place}: unknown {what} `{found}`{}; there are: {}", suggestion(nearest.as_deref()), allowed.join(", "))]
    Unknown {
        /// Where.
        place: Place,
        /// `field` or `variant`.
        what: &'static str,
        /// As written.
        found: String,
        /// What was probably meant.
        nearest: Option<String>,
        /// Everything that may stand there.
        allowed: Vec<String>,
    },
    /// Anything else that the file's grammar or its types refuse.
    #[error("{place}: {message}")]
    Malformed {
        /// Where.
        place: Place,
        /// Why.
        message: String,
    },
    /// A value that is well-formed but cannot be.
    #[error("{}: {key} = {value:?} {problem}", file.display())]
    Value {
        /// The file.
        file: PathBuf,
        /// Dotted key.
        key: String,
        /// As written.
        value: String,
        /// What is wrong with it and what to write instead.
        problem: &'static str,
    },
    /// A line to another machine without protection.
    #[error(
        "{}: [{section}] tls = \"plaintext\" is for loopback hosts only, and {host} is another machine; remove the line to use TLS, and \
         name the server's authority in ca_file when the system does not know it",
        file.display()
    )]
    PlaintextRefused {
        /// The file.
        file: PathBuf,
        /// `source` or `target`.
        section: &'static str,
        /// The host.
        host: String,
    },
    /// Neither or both of the two ways to name a password.
    #[error("{}: [{section}] needs exactly one of password_env and password_file", file.display())]
    PasswordChoice {
        /// The file.
        file: PathBuf,
        /// `source` or `target`.
        section: &'static str,
    },
    /// The named environment variable is not there or not text.
    #[error("the environment variable {variable}, which password_env names, cannot be read")]
    PasswordVariable {
        /// Its name.
        variable: String,
        /// Why.
        source: std::env::VarError,
    },
    /// The named password file cannot be read.
    #[error("{}: the password file cannot be read", path.display())]
    PasswordFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Two tables, or two metrics, with one name.
    #[error("{}: {first} and {second} would both be called `{name}`", file.display())]
    Collision {
        /// The file.
        file: PathBuf,
        /// The name.
        name: String,
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// A table that the configuration does not have.
    #[error("{wanted_by}: the configuration has no table `{name}`{}", suggestion(nearest.as_deref()))]
    UnknownTable {
        /// Who names it: a section or an option.
        wanted_by: &'static str,
        /// As named there.
        name: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// `naive_zone = "warehouse"` without a table that knows the zones.
    #[error("{}: naive_zone = \"warehouse\" needs a [zones] section that names the table with each warehouse's zone", file.display())]
    ZonesMissing {
        /// The file.
        file: PathBuf,
    },
}

/// `, did you mean …?` when there is something to suggest.
fn suggestion(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default()
}

impl ConfigError {
    /// An unknown key or choice, with the nearest of those that exist.
    pub(super) fn unknown(place: Place, what: &'static str, found: String, allowed: Vec<String>) -> Self {
        let nearest = name::nearest(&found, &allowed);
        Self::Unknown { place, what, found, nearest, allowed }
    }
}
