//! The configuration: a TOML file, unknown keys refused, secrets only from the environment or a file.
//!
//! ```toml
//! [database]                      # PostgreSQL, as a role that is a member of cdc_reader
//! host = "db.example.com"
//! database = "warehouse"
//! user = "cdc_api"
//! password_env = "CDC_API_PASSWORD"   # or password_file
//!
//! [listen]
//! address = "127.0.0.1:8080"
//! metrics_address = "127.0.0.1:9188"
//!
//! [access]
//! token_file = "/etc/cdc-agent/api-token"   # or token_env
//! secure_cookie = true
//!
//! [[detail]]                      # served at /api/data/orders/
//! name = "orders"
//! newest_by = "entered_at"
//! key = ["wh_id", "order_no"]
//! filters = { company = "company_id", warehouse = "wh_id", status = "status" }
//! ```

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Shortest token that is accepted, in characters.
pub(crate) const TOKEN_LENGTH: usize = 20;

/// Everything that the API is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where PostgreSQL is.
    pub database: Database,
    /// Where this API listens.
    #[serde(default)]
    pub listen: Listen,
    /// Who may ask.
    pub access: Access,
    /// Tables that are served row by row.
    #[serde(default, rename = "detail")]
    pub details: Vec<Detail>,
}

/// Where PostgreSQL is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Host name or address.
    pub host: String,
    /// Port.
    #[serde(default = "postgres_port")]
    pub port: u16,
    /// Database.
    pub database: String,
    /// A role that is a member of `cdc_reader` and owns nothing.
    pub user: String,
    /// Environment variable with the password.
    pub password_env: Option<String>,
    /// File with the password.
    pub password_file: Option<PathBuf>,
    /// Whether the line is encrypted.
    #[serde(default)]
    pub tls: Tls,
    /// Certificate authorities (PEM) instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Connections for queries; one more listens for news.
    #[serde(default = "connection_count")]
    pub connections: usize,
}

/// Whether a line is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// Encrypted; certificate and host name are verified.
    #[default]
    Verify,
    /// In the clear; only to this machine.
    Plaintext,
}

/// Where this API listens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// The API and the page.
    pub address: SocketAddr,
    /// Prometheus.
    pub metrics_address: SocketAddr,
}

/// Who may ask.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// File with the token.
    pub token_file: Option<PathBuf>,
    /// Environment variable with the token.
    pub token_env: Option<String>,
    /// Whether the cookie travels over HTTPS only. False where the page is served over plain HTTP on this machine.
    #[serde(default = "always")]
    pub secure_cookie: bool,
    /// The name that the page shows.
    #[serde(default = "operator")]
    pub name: String,
    /// The page's first language.
    #[serde(default)]
    pub language: Language,
}

/// Languages of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Spanish.
    #[default]
    Es,
    /// English.
    En,
}

/// A table that is served row by row, newest first.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    /// Its name in the address, which is also the name of the view in the schema `reading`.
    pub name: String,
    /// The column by which rows are newest.
    pub newest_by: String,
    /// The columns of its primary key.
    pub key: Vec<String>,
    /// Parameters that filter, each with the column whose text it must equal. `company` and `warehouse` also carry the
    /// asker's scope.
    #[serde(default)]
    pub filters: BTreeMap<String, String>,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{} cannot be read", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text is not the expected TOML.
    #[error("{} is not a valid configuration", .file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// What and where.
        source: Box<toml::de::Error>,
    },
    /// A secret's environment variable is missing.
    #[error("the environment variable {variable} of [{section}] is not set")]
    Variable {
        /// Section of the file.
        section: &'static str,
        /// The variable.
        variable: String,
    },
    /// A secret has no place, or two.
    #[error("[{section}] needs exactly one of {name}_env and {name}_file")]
    SecretPlace {
        /// Section of the file.
        section: &'static str,
        /// The secret.
        name: &'static str,
    },
    /// The token is too short to resist guessing.
    #[error(
        "the token of [access] is shorter than {TOKEN_LENGTH} characters; make one with: openssl rand -hex 32"
    )]
    ShortToken,
    /// Plaintext to another machine.
    #[error(
        "[database] tls = \"plaintext\" is for this machine only, and {host:?} is another; remove the line"
    )]
    Plaintext {
        /// The host.
        host: String,
    },
    /// A detail table that cannot be paged.
    #[error("[[detail]] {name:?} needs at least one column in `key`")]
    DetailWithoutKey {
        /// The table.
        name: String,
    },
    /// A name that the address has already.
    #[error("[[detail]] {name:?} is declared twice or is an address of the API itself; choose another name")]
    DetailName {
        /// The name.
        name: String,
    },
    /// The authorities of `ca_file` or of the system cannot be used.
    #[error("TLS to [database] cannot be set up")]
    Tls(#[from] crate::tls::TlsError),
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// The file is unreadable, holds an unknown key, or breaks a rule that its section states.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file)
            .map_err(|source| ConfigError::File { file: file.to_owned(), source })?;
        let config: Self = toml::from_str(&text)
            .map_err(|source| ConfigError::Syntax { file: file.to_owned(), source: Box::new(source) })?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.database.check()?;
        let mut taken = vec!["daily_metrics"];
        for detail in &self.details {
            if detail.key.is_empty() {
                return Err(ConfigError::DetailWithoutKey { name: detail.name.clone() });
            }
            if taken.contains(&detail.name.as_str()) {
                return Err(ConfigError::DetailName { name: detail.name.clone() });
            }
            taken.push(&detail.name);
        }
        Ok(())
    }
}

impl Database {
    fn check(&self) -> Result<(), ConfigError> {
        let local =
            matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "::1") || self.host.starts_with('/');
        if self.tls == Tls::Plaintext && !local {
            return Err(ConfigError::Plaintext { host: self.host.clone() });
        }
        Ok(())
    }

    pub(crate) fn password(&self) -> Result<SecretString, ConfigError> {
        secret("database", "password", self.password_env.as_deref(), self.password_file.as_deref())
    }
}

impl Access {
    pub(crate) fn token(&self) -> Result<SecretString, ConfigError> {
        let token = secret("access", "token", self.token_env.as_deref(), self.token_file.as_deref())?;
        if token.expose_secret().chars().count() < TOKEN_LENGTH {
            return Err(ConfigError::ShortToken);
        }
        Ok(token)
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8080)),
            metrics_address: SocketAddr::from(([127, 0, 0, 1], 9188)),
        }
    }
}

fn secret(
    section: &'static str,
    name: &'static str,
    variable: Option<&str>,
    file: Option<&Path>,
) -> Result<SecretString, ConfigError> {
    match (variable, file) {
        (Some(variable), None) => std::env::var(variable)
            .map(SecretString::from)
            .map_err(|_| ConfigError::Variable { section, variable: variable.to_owned() }),
        (None, Some(file)) => std::fs::read_to_string(file)
            .map(|text| SecretString::from(text.trim_end_matches(['\r', '\n'])))
            .map_err(|source| ConfigError::File { file: file.to_owned(), source }),
        _ => Err(ConfigError::SecretPlace { section, name }),
    }
}

fn postgres_port() -> u16 {
    5432
}

fn connection_count() -> usize {
    8
}

fn always() -> bool {
    true
}

fn operator() -> String {
    "operator".to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Config, ConfigError};

    const VALID: &str = "
        [database]
        host = 'localhost'
        database = 'warehouse'
        user = 'cdc_api'
        tls = 'plaintext'
        password_env = 'CDC_API_NO_SUCH_VARIABLE'
        [access]
        token_file = '/no/such/file'
        [[detail]]
        name = 'orders'
        newest_by = 'entered_at'
        key = ['order_no']
    ";

    fn parse(text: &str) -> Result<Config, ConfigError> {
        let config: Config = toml::from_str(text)
            .map_err(|source| ConfigError::Syntax { file: "test".into(), source: Box::new(source) })?;
        config.check()?;
        Ok(config)
    }

    #[test]
    fn what_is_not_meant_is_refused_by_name() {
        let config = parse(VALID).unwrap();
        assert!(config.access.secure_cookie, "a cookie over plain HTTP is asked for, never given");
        assert!(config.listen.metrics_address.ip().is_loopback());
        for (from, to, words) in [
            ("tls", "tsl", "unknown field `tsl`"),
            ("'plaintext'", "'prefer'", "unknown variant `prefer`"),
            ("'localhost'", "'db.example.com'", "db.example.com"),
            ("key = ['order_no']", "key = []", "needs at least one column"),
            ("name = 'orders'", "name = 'daily_metrics'", "an address of the API itself"),
        ] {
            let error = parse(&VALID.replace(from, to)).unwrap_err();
            let text = crate::problem::chain(&error);
            assert!(text.contains(words), "{words} in {text}");
        }
    }

    #[test]
    fn secrets_come_from_one_place_and_are_long_enough() {
        let config = parse(VALID).unwrap();
        assert!(matches!(config.database.password(), Err(ConfigError::Variable { .. })));
        assert!(matches!(config.access.token(), Err(ConfigError::File { .. })));
        let both = VALID.replace("password_env", "password_file = '/x'\npassword_env");
        assert!(matches!(parse(&both).unwrap().database.password(), Err(ConfigError::SecretPlace { .. })));
        let file = std::env::temp_dir().join(format!("cdc-api-token-{}", std::process::id()));
        std::fs::write(&file, "short\n").unwrap();
        let short = VALID.replace("/no/such/file", &file.display().to_string());
        assert!(matches!(parse(&short).unwrap().access.token(), Err(ConfigError::ShortToken)));
        std::fs::remove_file(&file).unwrap();
    }
}
