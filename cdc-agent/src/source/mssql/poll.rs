//! The cheap queries around a cut: where the source stands, and whether it is still the same source.

use super::answer::Fields;
use super::connection::Connection;
use super::error::SourceError;
use super::ident::TableIdent;
use super::layout::CapturedTable;
use super::sql;
use crate::clock;
use proto::{Incarnation, SourceMoment, TableMark, Version};
use std::collections::BTreeMap;
use tiberius::Query;

/// Where the source stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    /// The current version; everything committed up to it is visible to a snapshot that opens after this answer.
    pub version: Version,
    /// When it was.
    pub moment: SourceMoment,
    /// Every table asked for, by its name in the target.
    pub tables: BTreeMap<String, Standing>,
}

/// Where a table's tracking stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// It is tracked and may be read.
    Tracked {
        /// Identity of its tracking.
        incarnation: Incarnation,
        /// The oldest version after which changes are still kept.
        min_valid: Version,
    },
    /// It cannot be followed now.
    Unusable {
        /// Why, for an operator.
        reason: String,
    },
}

/// The version after a cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latest {
    /// The current version.
    pub version: Version,
    /// Who committed it, where the login may know and the server still does.
    pub identity: Option<String>,
}

impl Overview {
    /// The incarnations of the tables that are tracked.
    pub fn marks(&self) -> impl Iterator<Item = TableMark> {
        self.tables.iter().filter_map(|(table, standing)| match standing {
            Standing::Tracked { incarnation, .. } => {
                Some(TableMark { table: table.clone(), incarnation: incarnation.clone() })
            }
            Standing::Unusable { .. } => None,
        })
    }
}

impl Connection {
    /// One query that tells whether anything changed, and whether what was captured of each table still holds.
    ///
    /// # Errors
    /// [`SourceError::TrackingOff`]; what is wrong with one table is its [`Standing`].
    pub async fn overview(
        &mut self,
        tables: &BTreeMap<String, CapturedTable>,
    ) -> Result<Overview, SourceError> {
        let doing = "asking for the current version";
        let mut query = Query::new(sql::overview(tables.len()));
        query.bind_iter(tables.values().map(|table| TableIdent(&table.layout.source).to_string()));
        let rows = self.rows(doing, query).await?;
        let agent_clock = clock::now_micros();
        let names: Vec<_> = tables.keys().collect();
        let mut overview: Option<Overview> = None;
        for row in rows {
            let mut fields = Fields::new(doing, row);
            let ordinal: i64 = fields.number("ordinal")?;
            let version = Version(fields.integer()?.ok_or_else(|| self.tracking_off())?);
            let source_clock = fields.moment("clock")?;
            let moment = SourceMoment { source_clock, agent_clock };
            let seen = overview.get_or_insert_with(|| Overview { version, moment, tables: BTreeMap::new() });
            // The server may evaluate the version once a row; the lowest one is true of every row.
            seen.version = seen.version.min(version);
            seen.moment.source_clock = seen.moment.source_clock.min(source_clock);
            if let Some(name) = usize::try_from(ordinal).ok().and_then(|ordinal| names.get(ordinal)) {
                seen.tables.insert((*name).clone(), standing(&mut fields)?);
            }
        }
        let overview = overview.ok_or_else(|| SourceError::Unreadable {
            doing: doing.to_owned(),
            reason: "the answer has no rows".to_owned(),
        })?;
        #[cfg(feature = "test-switches")]
        self.note_upper(overview.version);
        Ok(overview)
    }

    /// The current version and, in the same statement, the identity of its commit.
    ///
    /// # Errors
    /// [`SourceError::TrackingOff`].
    pub async fn latest(&mut self) -> Result<Latest, SourceError> {
        let doing = "asking for the latest version";
        let text = if self.commits_readable() { sql::VERSION_AND_COMMIT } else { sql::VERSION };
        let row = self.rows(doing, Query::new(text)).await?.into_iter().next();
        let Some(row) = row else { return Err(self.tracking_off()) };
        let mut fields = Fields::new(doing, row);
        let version = Version(fields.integer()?.ok_or_else(|| self.tracking_off())?);
        Ok(Latest { version, identity: commit_identity(&mut fields, version)? })
    }

    /// Who committed a version; None where the login may not know, or the server has forgotten.
    ///
    /// # Errors
    /// Those of the line.
    pub async fn identity_of(&mut self, version: Version) -> Result<Option<String>, SourceError> {
        if !self.commits_readable() {
            return Ok(None);
        }
        let doing = "asking for a commit's identity";
        let mut query = Query::new(sql::COMMIT);
        query.bind(version.0);
        let Some(row) = self.rows(doing, query).await?.into_iter().next() else { return Ok(None) };
        let mut fields = Fields::new(doing, row);
        fields.integer()?;
        commit_identity(&mut fields, version)
    }

    /// Indexes of the tables that have changes after their position.
    ///
    /// # Errors
    /// Those of the line and of the server, such as 22105 for a table that is no longer tracked.
    pub async fn moved(
        &mut self,
        positions: &[(&CapturedTable, Version)],
    ) -> Result<Vec<usize>, SourceError> {
        if positions.is_empty() {
            return Ok(Vec::new());
        }
        let doing = "looking for tables that changed";
        let mut query = Query::new(sql::moved(positions.iter().map(|(table, _)| *table)));
        query.bind_iter(positions.iter().map(|(_, since)| since.0));
        let rows = self.rows(doing, query).await?;
        let ordinals = rows.into_iter().map(|row| Fields::new(doing, row).number("ordinal"));
        let mut ordinals = ordinals.collect::<Result<Vec<_>, _>>()?;
        ordinals.sort_unstable();
        Ok(ordinals)
    }

    /// How many keys of a table changed after a version.
    ///
    /// # Errors
    /// Those of the line and of the server.
    pub async fn count_changes(&mut self, table: &CapturedTable, since: Version) -> Result<u64, SourceError> {
        let doing = format!("counting the changes of {}", table.layout.source);
        let mut query = Query::new(sql::count_changes(table));
        query.bind(since.0);
        let row = self.rows(&doing, query).await?.into_iter().next();
        row.map_or(Ok(0), |row| Fields::new(&doing, row).number("change_count"))
    }
}

/// The fields of the overview that belong to one table.
fn standing(fields: &mut Fields<'_>) -> Result<Standing, SourceError> {
    let (object_id, begin, min_valid) = (fields.integer()?, fields.integer()?, fields.integer()?);
    let Some(object_id) = object_id.and_then(|id| i32::try_from(id).ok()) else {
        return Ok(Standing::Unusable {
            reason: "the table is gone, or the login no longer sees it".to_owned(),
        });
    };
    let (Some(begin), Some(min_valid)) = (begin, min_valid) else {
        let reason = "its Change Tracking is off, or the login lacks VIEW CHANGE TRACKING on it; `check` prints what mends it";
        return Ok(Standing::Unusable { reason: reason.to_owned() });
    };
    let side_table = match fields.integer()? {
        Some(id) => Some(format!("{id} created {}", fields.moment("create_date")?)),
        None => None,
    };
    let incarnation = Incarnation { object_id, begin_version: Version(begin), side_table };
    Ok(Standing::Tracked { incarnation, min_valid: Version(min_valid) })
}

/// Transaction, log block and place within it: another commit under the same version has others.
fn commit_identity(fields: &mut Fields<'_>, version: Version) -> Result<Option<String>, SourceError> {
    let (transaction, block, place) = (fields.integer()?, fields.integer()?, fields.integer()?);
    let known = fields.integer()? == Some(version.0);
    let (Some(transaction), Some(block), Some(place)) = (transaction, block, place) else { return Ok(None) };
    Ok(known.then(|| format!("{transaction}/{block}/{place}")))
}
