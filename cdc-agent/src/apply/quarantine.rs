//! Keys whose current image the target refuses: which they are, putting them aside, clearing them.

use super::Applier;
use super::encode::EncodeError;
use super::error::{Doing, TargetError};
use super::prepare::{add_condition, as_json};
use super::stream::json;
use super::table::TargetTable;
use proto::{Condition, Image, Key, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use tokio_postgres::GenericClient;
use tokio_postgres::error::SqlState;

/// Why a table with such keys is degraded.
const ASIDE: &str = "keys are in quarantine: their rows are older than they look";

/// Identities in quarantine, by table, as the transaction knows them.
#[derive(Debug, Default)]
pub(super) struct Quarantine {
    keys: BTreeMap<String, BTreeSet<String>>,
}

/// Whether the error blames a row: data that does not fit (class 22, 23) rather than the statement or the server. A violated
/// uniqueness cannot come from a row, since every write goes through the primary key: that is an error of ours.
pub(super) fn blames_a_row(error: &TargetError) -> bool {
    let TargetError::Query { source, .. } = error else { return false };
    match source.code() {
        Some(code) if *code == SqlState::UNIQUE_VIOLATION => false,
        Some(code) => code.code().starts_with("22") || code.code().starts_with("23"),
        None => source.source().is_some_and(|cause| cause.is::<EncodeError>()),
    }
}

/// What PostgreSQL said, without the row's values.
pub(super) fn reason(error: &TargetError) -> String {
    let TargetError::Query { source, .. } = error else { return error.to_string() };
    match source.as_db_error() {
        Some(said) => format!("{}: {}", said.code().code(), said.message()),
        None => source.source().map_or_else(|| source.to_string(), ToString::to_string),
    }
}

/// The key of an image, as the source spells it.
pub(super) fn key_of(table: &TargetTable, image: &Image) -> Key {
    match image {
        Image::Present(row) => {
            Key(table.layout.key.iter().map(|&position| row.0[position].clone()).collect())
        }
        Image::Absent(key) => key.clone(),
    }
}

/// The key as text, equal for keys that are equal at the source.
fn identity(table: &TargetTable, key: &Key) -> Result<String, TargetError> {
    let values = table.layout.key_columns().zip(&key.0).map(|(column, value)| match (value, column.twin) {
        (Value::Text(text), Some(fold)) => Value::Text(fold.apply(text).into_owned()),
        _ => value.clone(),
    });
    as_json(&values.collect::<Vec<_>>())
}

impl Quarantine {
    pub(super) async fn read(client: &impl GenericClient, source: &str) -> Result<Self, TargetError> {
        let rows = client.query("select name, key from cdc.quarantine where source = $1", &[&source]).await;
        let mut quarantine = Self::default();
        for row in rows.doing("reading the quarantine")? {
            quarantine.keys.entry(row.get(0)).or_default().insert(row.get(1));
        }
        Ok(quarantine)
    }

    /// Puts one key aside; the target keeps the row that it has.
    pub(super) async fn put(
        &mut self,
        client: &impl GenericClient,
        table: &TargetTable,
        image: &Image,
        incident: &Incident<'_>,
    ) -> Result<(), TargetError> {
        let key = key_of(table, image);
        let identity = identity(table, &key)?;
        let name = &table.layout.target;
        client
            .execute(
                "insert into cdc.quarantine (source, name, key, source_key, error, sequence) \
                 values ($1, $2, $3, $4::text::jsonb, $5, $6) on conflict (source, name, key) do update set \
                 source_key = excluded.source_key, error = excluded.error, sequence = excluded.sequence",
                &[&incident.source, name, &identity, &as_json(&key)?, &incident.reason, &incident.sequence],
            )
            .await
            .doing("putting a key into quarantine")?;
        self.keys.entry(name.clone()).or_default().insert(identity);
        add_condition(client, incident.source, name, Condition::Degraded, ASIDE).await
    }

    /// A load has read the whole table: keys that were put aside before it began, and not again by it, are settled.
    pub(super) async fn sweep(
        &mut self,
        client: &impl GenericClient,
        source: &str,
        table: &str,
    ) -> Result<(), TargetError> {
        let doing = "clearing the quarantine after a load";
        let sql = "delete from cdc.quarantine q using cdc.table_state t where q.source = $1 and q.name = $2 \
                   and t.source = q.source and t.name = q.name and q.sequence < t.load_sequence returning q.key";
        let rows = client.query(sql, &[&source, &table]).await.doing(doing)?;
        let Some(aside) = self.keys.get_mut(table) else { return Ok(()) };
        for row in &rows {
            aside.remove(row.get::<_, &str>(0));
        }
        if aside.is_empty() { end_degraded(client, source, table).await } else { Ok(()) }
    }

    /// Clears the keys of images that were applied. The condition goes with the last of them.
    pub(super) async fn clear(
        &mut self,
        client: &impl GenericClient,
        source: &str,
        table: &TargetTable,
        images: &[Image],
    ) -> Result<(), TargetError> {
        let doing = "clearing the quarantine";
        let name = &table.layout.target;
        let Some(aside) = self.keys.get_mut(name).filter(|keys| !keys.is_empty()) else { return Ok(()) };
        let mut cleared = Vec::new();
        for image in images {
            let identity = identity(table, &key_of(table, image))?;
            if aside.remove(&identity) {
                cleared.push(identity);
            }
        }
        if cleared.is_empty() {
            return Ok(());
        }
        let sql = "delete from cdc.quarantine where source = $1 and name = $2 and key = any ($3)";
        client.execute(sql, &[&source, name, &cleared]).await.doing(doing)?;
        if aside.is_empty() { end_degraded(client, source, name).await } else { Ok(()) }
    }
}

impl Applier {
    /// Keys of a table in quarantine as the source spells them, the oldest first, at most so many.
    ///
    /// # Errors
    /// PostgreSQL cannot be asked.
    pub async fn keys_in_quarantine(&self, table: &str, limit: usize) -> Result<Vec<Key>, TargetError> {
        let sql = "select source_key::text from cdc.quarantine where source = $1 and name = $2 \
                   order by since, key limit $3";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.connection.client.query(sql, &[&self.source(), &table, &limit]).await;
        let rows = rows.doing("reading the quarantine")?;
        rows.iter().map(|row| json(row.get(0), "a key in quarantine")).collect()
    }
}

/// The condition goes with the last key; one that has another reason stays.
async fn end_degraded(client: &impl GenericClient, source: &str, table: &str) -> Result<(), TargetError> {
    let sql =
        "delete from cdc.table_condition where source = $1 and name = $2 and condition = $3 and reason = $4";
    let degraded = Condition::Degraded.to_string();
    client.execute(sql, &[&source, &table, &degraded, &ASIDE]).await.doing("clearing the quarantine")?;
    Ok(())
}

/// Where and why a key was refused.
pub(super) struct Incident<'a> {
    pub(super) source: &'a str,
    pub(super) sequence: i64,
    pub(super) reason: String,
}
