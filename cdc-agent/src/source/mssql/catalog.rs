//! What the server's catalog says about the database and the configured tables.

use super::answer::Fields;
use super::connection::Connection;
use super::error::SourceError;
use super::ident::TableIdent;
use super::sql;
use super::sql_type::SqlType;
use crate::config::{self, nearest};
use proto::SourceTable;
use std::collections::BTreeMap;
use tiberius::Query;

/// The database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// Its collation, which parameters have.
    pub collation: String,
    /// Whether it may not be written: a secondary replica, or set so.
    pub read_only: bool,
    /// Whether snapshots are allowed.
    pub snapshot_isolation: bool,
    /// Whether changes are tracked.
    pub tracking: bool,
    /// How long changes are kept, where the login may know.
    pub retention: Option<Retention>,
    /// Whether the login may read who committed a version.
    pub commits_readable: bool,
}

/// How long changes are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Minutes.
    pub minutes: i64,
    /// Whether older ones are removed at all.
    pub auto_cleanup: bool,
}

/// A table as the catalog describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its name, as the catalog spells it.
    pub source: SourceTable,
    /// Its `object_id`.
    pub object_id: i32,
    /// The database's collation.
    pub database_collation: String,
    /// Columns in catalog order.
    pub columns: Vec<SourceColumn>,
    /// Primary key in key order; empty without one.
    pub key: Vec<KeyPart>,
    /// Whether its changes are tracked, as far as the login may see.
    pub tracked: bool,
    /// Whether the login has SELECT.
    pub may_select: bool,
    /// Whether the login has VIEW CHANGE TRACKING.
    pub may_view_tracking: bool,
}

/// A column as the catalog describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub sql_type: SqlType,
    /// Whether it allows NULL.
    pub nullable: bool,
    /// Collation of a text column.
    pub collation: Option<String>,
    /// Computed anew at every read: its value can change without a tracked change.
    pub recomputed: bool,
}

/// A column's part in the primary key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPart {
    /// Its position in [`Description::columns`].
    pub column: usize,
    /// Whether the index runs downwards here.
    pub descending: bool,
}

/// What was found for one configured table.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// As configured.
    pub table: config::Table,
    /// Its description, if it exists and the login sees it.
    pub found: Option<Description>,
    /// Otherwise a table with a similar name.
    pub nearest: Option<String>,
}

/// The database and every configured table, in the configuration's order.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The database.
    pub database: Database,
    /// The tables.
    pub tables: Vec<Lookup>,
}

impl Connection {
    /// Describes the database and the tables, whatever their state.
    ///
    /// # Errors
    /// Only if the server does not answer; what is wrong with a table stands in the survey.
    pub async fn survey(&mut self, tables: &[config::Table]) -> Result<Survey, SourceError> {
        let database = self.database().await?;
        let mut found = self.find(tables, &database).await?;
        self.read_columns(&mut found).await?;
        let names = if found.len() < tables.len() { self.table_names().await? } else { Vec::new() };
        let lookups = tables.iter().enumerate().map(|(ordinal, table)| {
            let found = found.remove(&ordinal);
            let nearest = found.is_none().then(|| nearest(&table.source.to_string(), &names)).flatten();
            Lookup { table: table.clone(), found, nearest }
        });
        Ok(Survey { tables: lookups.collect(), database })
    }

    /// Describes the tables, in the order given.
    ///
    /// # Errors
    /// [`SourceError::ReadOnly`], [`SourceError::TrackingOff`], [`SourceError::UnknownTable`].
    pub async fn describe(&mut self, tables: &[config::Table]) -> Result<Vec<Description>, SourceError> {
        let survey = self.survey(tables).await?;
        if survey.database.read_only {
            return Err(SourceError::ReadOnly { database: survey.database.name });
        }
        if !survey.database.tracking {
            return Err(SourceError::TrackingOff { database: survey.database.name });
        }
        let found = survey.tables.into_iter().map(|lookup| {
            let table = lookup.table.source.to_string();
            lookup.found.ok_or(SourceError::UnknownTable { table, nearest: lookup.nearest })
        });
        found.collect()
    }

    async fn database(&mut self) -> Result<Database, SourceError> {
        let doing = "reading the database's settings";
        let rows = self.rows(doing, Query::new(sql::DATABASE)).await?;
        let row = rows.into_iter().next().ok_or_else(|| SourceError::Unreadable {
            doing: doing.to_owned(),
            reason: "the database does not list itself".to_owned(),
        })?;
        let mut fields = Fields::new(doing, row);
        Ok(Database {
            name: fields.name("name")?,
            collation: fields.name("collation_name")?,
            read_only: fields.name("updateability")? != "READ_WRITE",
            snapshot_isolation: fields.integer()? == Some(1),
            tracking: fields.integer()?.is_some(),
            retention: retention(&mut fields)?,
            commits_readable: self.commits_readable(),
        })
    }

    /// The tables that are there, by their place in the configuration, without their columns.
    async fn find(
        &mut self,
        tables: &[config::Table],
        database: &Database,
    ) -> Result<BTreeMap<usize, Description>, SourceError> {
        if tables.is_empty() {
            return Ok(BTreeMap::new());
        }
        let doing = "looking the configured tables up";
        let mut query = Query::new(sql::tables(tables.len()));
        query.bind_iter(tables.iter().map(|table| TableIdent(&table.source).to_string()));
        let mut found = BTreeMap::new();
        for row in self.rows(doing, query).await? {
            let mut fields = Fields::new(doing, row);
            let ordinal = fields.number("ordinal")?;
            let object_id = fields.number("object_id")?;
            let source = SourceTable { schema: fields.name("schema_name")?, table: fields.name("name")? };
            let description = Description {
                source,
                object_id,
                database_collation: database.collation.clone(),
                columns: Vec::new(),
                key: Vec::new(),
                may_select: fields.flag()?,
                may_view_tracking: fields.flag()?,
                tracked: fields.integer()?.is_some(),
            };
            found.insert(ordinal, description);
        }
        Ok(found)
    }

    async fn read_columns(&mut self, found: &mut BTreeMap<usize, Description>) -> Result<(), SourceError> {
        if found.is_empty() {
            return Ok(());
        }
        let doing = "reading the tables' columns";
        let mut query = Query::new(sql::columns(found.len()));
        query.bind_iter(found.values().map(|description| description.object_id));
        let mut keys: BTreeMap<i32, Vec<(i64, KeyPart)>> = BTreeMap::new();
        let rows = self.rows(doing, query).await?;
        let mut by_id: BTreeMap<i32, &mut Description> =
            found.values_mut().map(|description| (description.object_id, description)).collect();
        for row in rows {
            let mut fields = Fields::new(doing, row);
            let object_id: i32 = fields.number("object_id")?;
            let Some(description) = by_id.get_mut(&object_id) else { continue };
            let column = column(&mut fields)?;
            let part = KeyPart { column: description.columns.len(), descending: column.key_descending };
            if let Some(ordinal) = column.key_ordinal {
                keys.entry(object_id).or_default().push((ordinal, part));
            }
            description.columns.push(column.column);
        }
        for (object_id, mut parts) in keys {
            parts.sort_by_key(|(ordinal, _)| *ordinal);
            if let Some(description) = by_id.get_mut(&object_id) {
                description.key = parts.into_iter().map(|(_, part)| part).collect();
            }
        }
        Ok(())
    }

    async fn table_names(&mut self) -> Result<Vec<String>, SourceError> {
        let doing = "reading the names of the database's tables";
        let rows = self.rows(doing, Query::new(sql::TABLE_NAMES)).await?;
        let names = rows.into_iter().map(|row| {
            let mut fields = Fields::new(doing, row);
            Ok(SourceTable { schema: fields.name("schema_name")?, table: fields.name("name")? }.to_string())
        });
        names.collect()
    }
}

/// A column's row: the column, and its place in the key.
struct CatalogColumn {
    column: SourceColumn,
    key_ordinal: Option<i64>,
    key_descending: bool,
}

fn column(fields: &mut Fields<'_>) -> Result<CatalogColumn, SourceError> {
    let name = fields.name("name")?;
    let system_type = fields.number("system_type_id")?;
    let type_name = fields.name("type_name")?;
    let max_length = fields.number("max_length")?;
    let precision = fields.number("precision")?;
    let scale = fields.number("scale")?;
    let collation = fields.text()?;
    let nullable = fields.flag()?;
    let key_ordinal = fields.integer()?;
    let key_descending = fields.flag()?;
    let recomputed = fields.integer()? == Some(0);
    let sql_type = SqlType::of_catalog(system_type, &type_name, max_length, precision, scale);
    let column = SourceColumn { name, sql_type, nullable, collation, recomputed };
    Ok(CatalogColumn { column, key_ordinal, key_descending })
}

/// The catalog counts in minutes (1), hours (2) or days (3).
fn retention(fields: &mut Fields<'_>) -> Result<Option<Retention>, SourceError> {
    let (period, unit) = (fields.integer()?, fields.integer()?);
    let auto_cleanup = fields.flag()?;
    let minutes_per_unit = match unit {
        Some(1) => 1,
        Some(2) => 60,
        Some(3) => 24 * 60,
        _ => return Ok(None),
    };
    Ok(period.map(|period| Retention { minutes: period * minutes_per_unit, auto_cleanup }))
}
