//! The file as it is written: sections with defaults, and how they become a [`Config`].

use super::{
    Config, ConfigError, Endpoint, Journal, NaiveZone, Scope, Secret, Source, Table, Target, Tls, Zones,
    name, parse,
};
use proto::MetricDefinition;
use serde::Deserialize;
use serde::de::{MapAccess, Visitor, value::MapAccessDeserializer};
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    source: SourceSection,
    table: Vec<TableSection>,
    zones: Option<ZonesSection>,
    target: TargetSection,
    journal: JournalSection,
    metrics: Option<MetricsSection>,
    #[serde(default)]
    listen: ListenSection,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceSection {
    name: String,
    host: String,
    #[serde(default = "default_source_port")]
    port: u16,
    database: String,
    user: String,
    password_env: Option<String>,
    password_file: Option<PathBuf>,
    #[serde(default)]
    tls: TlsChoice,
    ca_file: Option<PathBuf>,
    naive_zone: String,
    #[serde(default = "default_poll_interval_ms")]
    poll_interval_ms: u64,
    #[serde(default = "default_chunk_rows")]
    chunk_rows: usize,
    #[serde(default = "default_max_cut_rows")]
    max_cut_rows: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetSection {
    host: String,
    #[serde(default = "default_target_port")]
    port: u16,
    database: String,
    user: String,
    password_env: Option<String>,
    password_file: Option<PathBuf>,
    #[serde(default)]
    tls: TlsChoice,
    ca_file: Option<PathBuf>,
    schema: Option<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TlsChoice {
    #[default]
    Verify,
    Plaintext,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableSection {
    name: String,
    target: Option<String>,
    #[serde(default)]
    scope: ScopeChoice,
    #[serde(default)]
    columns_excluded: Vec<String>,
}

/// `"public"`, `"hidden"` or `{ company = "…", warehouse = "…" }`.
#[derive(Default)]
enum ScopeChoice {
    #[default]
    Hidden,
    Public,
    Columns(ScopeColumns),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeColumns {
    company: Option<String>,
    warehouse: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ZonesSection {
    table: String,
    warehouse: String,
    zone: String,
    company: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JournalSection {
    folder: PathBuf,
    #[serde(default = "default_max_bytes")]
    max_bytes: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MetricsSection {
    file: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MetricsDocument {
    metric: Vec<MetricDefinition>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListenSection {
    address: SocketAddr,
}

impl Default for ListenSection {
    fn default() -> Self {
        Self { address: SocketAddr::from(([127, 0, 0, 1], 9187)) }
    }
}

fn default_source_port() -> u16 {
    1433
}

fn default_target_port() -> u16 {
    5432
}

fn default_poll_interval_ms() -> u64 {
    1_000
}

fn default_chunk_rows() -> usize {
    5_000
}

fn default_max_cut_rows() -> u64 {
    200_000
}

fn default_max_bytes() -> u64 {
    1 << 30
}

impl<'de> Deserialize<'de> for ScopeChoice {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScopeVisitor;
        impl<'de> Visitor<'de> for ScopeVisitor {
            type Value = ScopeChoice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"public\", \"hidden\" or a table with the keys company and warehouse")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ScopeChoice, E> {
                match text {
                    "public" => Ok(ScopeChoice::Public),
                    "hidden" => Ok(ScopeChoice::Hidden),
                    other => Err(E::unknown_variant(other, &["public", "hidden"])),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ScopeChoice, A::Error> {
                ScopeColumns::deserialize(MapAccessDeserializer::new(map)).map(ScopeChoice::Columns)
            }
        }
        deserializer.deserialize_any(ScopeVisitor)
    }
}

/// The parts of a server's section that both sides have.
struct EndpointSection {
    section: &'static str,
    host: String,
    port: u16,
    database: String,
    user: String,
    password_env: Option<String>,
    password_file: Option<PathBuf>,
    tls: TlsChoice,
    ca_file: Option<PathBuf>,
}

/// A file being resolved: relative paths in it are relative to its folder.
struct Resolver<'a> {
    file: &'a Path,
}

impl Document {
    pub(super) fn resolve(self, file: &Path) -> Result<Config, ConfigError> {
        let resolver = Resolver { file };
        let source = resolver.source(self.source)?;
        if source.naive_zone == NaiveZone::Warehouse && self.zones.is_none() {
            return Err(ConfigError::ZonesMissing { file: file.to_owned() });
        }
        let tables = resolver.tables(self.table)?;
        let zones = self.zones.map(|zones| resolver.zones(zones, &tables)).transpose()?;
        let target = resolver.target(self.target, &source.name)?;
        let metrics = self.metrics.map(|section| resolver.metrics(&section.file)).transpose()?;
        let journal = Journal {
            folder: resolver.path(self.journal.folder),
            max_bytes: resolver.at_least("journal.max_bytes", self.journal.max_bytes, 1 << 20)?,
        };
        Ok(Config {
            source,
            tables,
            zones,
            target,
            journal,
            metrics: metrics.unwrap_or_default(),
            listen: self.listen.address,
        })
    }
}

impl Resolver<'_> {
    fn refuse(&self, key: &str, value: impl fmt::Display, problem: &'static str) -> ConfigError {
        ConfigError::Value {
            file: self.file.to_owned(),
            key: key.to_owned(),
            value: value.to_string(),
            problem,
        }
    }

    fn path(&self, path: PathBuf) -> PathBuf {
        self.file.parent().map_or(path.clone(), |folder| folder.join(path))
    }

    fn at_least<N: PartialOrd + fmt::Display>(
        &self,
        key: &str,
        value: N,
        least: N,
    ) -> Result<N, ConfigError> {
        if value < least { Err(self.refuse(key, value, "is too small to work with")) } else { Ok(value) }
    }

    fn source(&self, section: SourceSection) -> Result<Source, ConfigError> {
        if !name::is_identifier(&section.name) {
            return Err(self.refuse("source.name", section.name, NOT_AN_IDENTIFIER));
        }
        let naive_zone = match section.naive_zone.as_str() {
            "warehouse" => NaiveZone::Warehouse,
            zone => NaiveZone::Fixed(zone.parse().map_err(|_| {
                self.refuse(
                    "source.naive_zone",
                    zone,
                    "is neither \"warehouse\" nor an IANA zone such as \"America/Puerto_Rico\"",
                )
            })?),
        };
        let poll_interval_ms = self.at_least("source.poll_interval_ms", section.poll_interval_ms, 10)?;
        Ok(Source {
            name: section.name,
            naive_zone,
            poll_interval: Duration::from_millis(poll_interval_ms),
            chunk_rows: self.at_least("source.chunk_rows", section.chunk_rows, 1)?,
            max_cut_rows: self.at_least("source.max_cut_rows", section.max_cut_rows, 1)?,
            endpoint: self.endpoint(EndpointSection {
                section: "source",
                host: section.host,
                port: section.port,
                database: section.database,
                user: section.user,
                password_env: section.password_env,
                password_file: section.password_file,
                tls: section.tls,
                ca_file: section.ca_file,
            })?,
        })
    }

    fn target(&self, section: TargetSection, source_name: &str) -> Result<Target, ConfigError> {
        let schema = section.schema.unwrap_or_else(|| source_name.to_owned());
        if !name::is_identifier(&schema) {
            return Err(self.refuse("target.schema", schema, NOT_AN_IDENTIFIER));
        }
        if ["cdc", "reading", "public", "information_schema"].contains(&schema.as_str())
            || schema.starts_with("pg_")
        {
            return Err(self.refuse(
                "target.schema",
                schema,
                "is taken; name a schema for this source alone",
            ));
        }
        let endpoint = self.endpoint(EndpointSection {
            section: "target",
            host: section.host,
            port: section.port,
            database: section.database,
            user: section.user,
            password_env: section.password_env,
            password_file: section.password_file,
            tls: section.tls,
            ca_file: section.ca_file,
        })?;
        Ok(Target { endpoint, schema })
    }

    fn endpoint(&self, section: EndpointSection) -> Result<Endpoint, ConfigError> {
        let tls = match section.tls {
            TlsChoice::Verify => Tls::Verify { ca_file: section.ca_file.map(|path| self.path(path)) },
            TlsChoice::Plaintext if is_loopback(&section.host) => Tls::Plaintext,
            TlsChoice::Plaintext => {
                let (file, section, host) = (self.file.to_owned(), section.section, section.host);
                return Err(ConfigError::PlaintextRefused { file, section, host });
            }
        };
        let password = match (section.password_env, section.password_file) {
            (Some(variable), None) => Secret::from_environment(&variable)?,
            (None, Some(path)) => Secret::from_file(&self.path(path))?,
            _ => {
                return Err(ConfigError::PasswordChoice {
                    file: self.file.to_owned(),
                    section: section.section,
                });
            }
        };
        Ok(Endpoint {
            host: section.host,
            port: section.port,
            database: section.database,
            user: section.user,
            password,
            tls,
        })
    }

    fn tables(&self, sections: Vec<TableSection>) -> Result<Vec<Table>, ConfigError> {
        let mut by_target = BTreeMap::new();
        let mut tables = Vec::with_capacity(sections.len());
        for section in sections {
            let table = self.table(section)?;
            if let Some(first) = by_target.insert(table.target.clone(), table.source.clone()) {
                return Err(ConfigError::Collision {
                    file: self.file.to_owned(),
                    name: table.target,
                    first: first.to_string(),
                    second: table.source.to_string(),
                });
            }
            tables.push(table);
        }
        Ok(tables)
    }

    fn table(&self, section: TableSection) -> Result<Table, ConfigError> {
        let Some(source) = name::source_table(&section.name) else {
            let problem = "is not a table's name; write it as schema.table";
            return Err(self.refuse("table.name", section.name, problem));
        };
        let target = match section.target {
            Some(target) if name::is_identifier(&target) => target,
            Some(target) => return Err(self.refuse("table.target", target, NOT_AN_IDENTIFIER)),
            None => name::identifier(&source.table).ok_or_else(|| {
                let problem = "does not make an identifier; give the table a name with target";
                self.refuse("table.name", &source.table, problem)
            })?,
        };
        let scope = match section.scope {
            ScopeChoice::Hidden => Scope::Hidden,
            ScopeChoice::Public => Scope::Public,
            ScopeChoice::Columns(ScopeColumns { company: None, warehouse: None }) => {
                let problem = "needs company, warehouse or both; for no restriction write \"public\"";
                return Err(self.refuse("table.scope", "{}", problem));
            }
            ScopeChoice::Columns(ScopeColumns { company, warehouse }) => {
                Scope::Columns { company, warehouse }
            }
        };
        Ok(Table { source, target, scope, columns_excluded: section.columns_excluded })
    }

    fn zones(&self, section: ZonesSection, tables: &[Table]) -> Result<Zones, ConfigError> {
        if !tables.iter().any(|table| table.target == section.table) {
            let nearest = name::nearest(&section.table, tables.iter().map(|table| &table.target));
            return Err(ConfigError::UnknownTable {
                wanted_by: "[zones] table",
                name: section.table,
                nearest,
            });
        }
        Ok(Zones {
            table: section.table,
            warehouse: section.warehouse,
            zone: section.zone,
            company: section.company,
        })
    }

    fn metrics(&self, file: &Path) -> Result<Vec<MetricDefinition>, ConfigError> {
        let file = self.path(file.to_owned());
        let metrics = parse::file::<MetricsDocument>(&file)?.metric;
        let mut owners = BTreeMap::new();
        for metric in &metrics {
            for name in std::iter::once(&metric.name).chain(&metric.aliases) {
                if let Some(first) = owners.insert(name, &metric.name) {
                    return Err(ConfigError::Collision {
                        file,
                        name: name.clone(),
                        first: format!("metric {first}"),
                        second: format!("metric {}", metric.name),
                    });
                }
            }
        }
        Ok(metrics)
    }
}

const NOT_AN_IDENTIFIER: &str =
    "must be a lower-case identifier: letters, digits and underscores, no digit first, at most 63 bytes";

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
