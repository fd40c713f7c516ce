//! Loads as the target sees them: what they have met, how far they are, when they are done.

use super::Applier;
use super::encode::Stored;
use super::error::{Doing, TargetError};
use super::ident;
use super::prepare::{add_condition, as_json};
use super::stream::json;
use super::table::TargetTable;
use proto::{Condition, Key, LoadKind, LoadMark, Phase, Version};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{GenericClient, Row};

/// Conditions that end when a load has ended.
const ENDED_BY_A_LOAD: [Condition; 4] =
    [Condition::Suspect, Condition::CatchingUp, Condition::Resyncing, Condition::Blind];

/// Marks of a table in the transaction that applies them.
pub(super) struct Marks<'a, C> {
    pub(super) client: &'a C,
    pub(super) source: &'a str,
    pub(super) sequence: i64,
    /// Position of the source that the run moves to.
    pub(super) to: Version,
}

impl<C: GenericClient> Marks<'_, C> {
    /// A load begins: what an earlier one has met is forgotten, and the table is no longer paused.
    pub(super) async fn begin(&self, table: &TargetTable, mark: &LoadMark) -> Result<(), TargetError> {
        let sql = format!("truncate {}", table.met());
        self.client.batch_execute(&sql).await.doing("beginning a load")?;
        self.client
            .execute(
                "update cdc.table_state set load = $3::text::jsonb, load_sequence = $4, load_resume = null, \
                 load_rows = 0, load_scanned = null, own_position = null, phase = case when phase = 'live' then phase else $5 end \
                 where source = $1 and name = $2",
                &[&self.source, &mark.table, &as_json(mark)?, &self.sequence, &Phase::Loading.to_string()],
            )
            .await
            .doing("beginning a load")?;
        self.end_conditions(&mark.table, &[Condition::Paused]).await?;
        let condition = match mark.kind {
            LoadKind::First => return Ok(()),
            LoadKind::Resync => Condition::Resyncing,
            LoadKind::Window => Condition::CatchingUp,
            LoadKind::Verify | LoadKind::Repair => return self.forget_differences(&mark.table).await,
        };
        add_condition(self.client, self.source, &mark.table, condition, &mark.reason).await
    }

    /// The table leaves step: a load under way counts no more, whoever goes on from here.
    pub(super) async fn leave(
        &self,
        table: &str,
        condition: Condition,
        reason: &str,
    ) -> Result<(), TargetError> {
        let doing = "taking a table out of step";
        if condition == Condition::Paused {
            self.keep_position(table).await.doing(doing)?;
        }
        self.client
            .execute(
                "update cdc.table_state set load = null, load_sequence = null, load_resume = null, load_scanned = null \
                 where source = $1 and name = $2",
                &[&self.source, &table],
            )
            .await
            .doing(doing)?;
        add_condition(self.client, self.source, table, condition, reason).await
    }

    /// What [`Stage::Paused`](crate::capture::Stage::Paused) begins from when the table is resumed: the position before this run, or
    /// the base of a load over changed keys; nothing where the target does not have the table whole.
    async fn keep_position(&self, table: &str) -> Result<u64, tokio_postgres::Error> {
        let voided = [Condition::Suspect, Condition::Blind].map(|condition| condition.to_string());
        self.client
            .execute(
                "update cdc.table_state t set own_position = case \
                   when t.load->>'kind' = 'window' then (t.load->>'base')::int8 \
                   when coalesce(t.load->>'kind' in ('verify', 'repair'), true) and t.phase = $3 and not exists (select from cdc.table_condition c \
                     where c.source = t.source and c.name = t.name and c.condition = any ($4)) then s.position end \
                 from cdc.stream s where s.source = t.source and t.source = $1 and t.name = $2",
                &[&self.source, &table, &Phase::Live.to_string(), &voided.as_slice()],
            )
            .await
    }

    pub(super) async fn progress(&self, table: &str, resume: &str, rows: u64) -> Result<(), TargetError> {
        let sql =
            "update cdc.table_state set load_resume = $3, load_rows = $4 where source = $1 and name = $2";
        let parameters: [&(dyn ToSql + Sync); 4] = [&self.source, &table, &resume, &rows.cast_signed()];
        self.client.execute(sql, &parameters).await.doing("recording a load's progress")?;
        Ok(())
    }

    pub(super) async fn scanned(&self, table: &str, rows: u64) -> Result<(), TargetError> {
        let sql =
            "update cdc.table_state set load_scanned = $3, load_rows = $4 where source = $1 and name = $2";
        let parameters: [&(dyn ToSql + Sync); 4] =
            [&self.source, &table, &self.sequence, &rows.cast_signed()];
        self.client.execute(sql, &parameters).await.doing("recording the end of a scan")?;
        Ok(())
    }

    /// A comparison has ended: the target was what its differences say, up to this position.
    pub(super) async fn verified(&self, table: &str) -> Result<(), TargetError> {
        self.client
            .execute(
                "update cdc.table_state set verified_in = $3, verified_through = $4, verified_at = clock_timestamp() \
                 where source = $1 and name = $2",
                &[&self.source, &table, &self.sequence, &self.to.0],
            )
            .await
            .doing("ending a comparison")?;
        Ok(())
    }

    /// Whether the comparison of a table has found anything.
    pub(super) async fn has_differences(&self, table: &str) -> Result<bool, TargetError> {
        let sql = "select exists (select from cdc.difference where source = $1 and name = $2)";
        let row = self.client.query_one(sql, &[&self.source, &table]).await;
        Ok(row.doing("ending a comparison")?.get(0))
    }

    async fn forget_differences(&self, table: &str) -> Result<(), TargetError> {
        let sql = "delete from cdc.difference where source = $1 and name = $2";
        self.client.execute(sql, &[&self.source, &table]).await.doing("beginning a comparison")?;
        Ok(())
    }

    /// The load has ended: the table is in step.
    pub(super) async fn end(&self, table: &TargetTable) -> Result<(), TargetError> {
        let doing = "ending a load";
        let name = &table.layout.target;
        self.client.batch_execute(&format!("truncate {}", table.met())).await.doing(doing)?;
        self.client
            .execute(
                "update cdc.table_state set phase = $3, load = null, load_sequence = null, load_resume = null, \
                 load_scanned = null, loaded_at = clock_timestamp() where source = $1 and name = $2",
                &[&self.source, name, &Phase::Live.to_string()],
            )
            .await
            .doing(doing)?;
        self.end_conditions(name, &ENDED_BY_A_LOAD).await
    }

    async fn end_conditions(&self, table: &str, conditions: &[Condition]) -> Result<(), TargetError> {
        let ended: Vec<_> = conditions.iter().map(ToString::to_string).collect();
        let sql = "delete from cdc.table_condition where source = $1 and name = $2 and condition = any ($3)";
        self.client.execute(sql, &[&self.source, &table, &ended]).await.doing("ending conditions")?;
        Ok(())
    }
}

/// Why tables are degraded that are not read in one snapshot.
const READ_APART: &str = "the source does not allow snapshots: tables are read at different instants";

impl Applier {
    /// Says of every table whether a cut reads it at one instant with the others; those that it does not are never in step.
    ///
    /// # Errors
    /// PostgreSQL cannot be asked.
    pub async fn note_instants(&self, one_instant: bool) -> Result<(), TargetError> {
        let degraded = Condition::Degraded.to_string();
        let sql = if one_instant {
            "delete from cdc.table_condition where source = $1 and condition = $2 and reason = $3"
        } else {
            "insert into cdc.table_condition (source, name, condition, reason, caused_by) \
             select source, name, $2, $3, 'agent' from cdc.table_state where source = $1 \
             on conflict (source, name, condition) do nothing"
        };
        let noted = self.connection.client.execute(sql, &[&self.source(), &degraded, &READ_APART]).await;
        noted.doing("noting how the source is read").map(drop)
    }

    /// Keys of the target that the load under way has not met, after a key, in the target's own order: the last one is where the
    /// next page begins. Before the first page (`after` None) come the keys that were in quarantine before the load began, beyond
    /// `limit`.
    ///
    /// # Errors
    /// The table is unknown, or PostgreSQL cannot be asked.
    pub async fn keys_not_met(
        &self,
        table: &str,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>, TargetError> {
        let doing = "asking for the keys that a load has not met";
        let unknown = || TargetError::UnknownTable { table: table.to_owned() };
        let target =
            self.plan.tables.iter().find(|known| known.layout.target == table).ok_or_else(unknown)?;
        let identity = after.map(|key| target.identity_cells(key)).unwrap_or_default();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut parameters: Vec<(&(dyn ToSql + Sync), Type)> =
            identity.iter().zip(target.identity_types()).map(|(cell, of)| (cell as _, of)).collect();
        parameters.push((&limit, Type::INT8));
        let sql = not_met(target, after.is_some());
        let rows = self.connection.client.query_typed(&sql, &parameters).await.doing(doing)?;
        let mut keys = Vec::new();
        if after.is_none() {
            let sql = "select q.source_key::text from cdc.quarantine q join cdc.table_state t using (source, name) \
                       where source = $1 and name = $2 and q.sequence < t.load_sequence";
            for row in self.connection.client.query(sql, &[&self.source(), &table]).await.doing(doing)? {
                keys.push(json(row.get(0), "a key in quarantine")?);
            }
        }
        keys.extend(rows.iter().map(|row| read_key(row, target.identity.len())));
        Ok(keys)
    }
}

/// Keys as the source spells them, in the order of the primary key.
fn not_met(table: &TargetTable, after: bool) -> String {
    let spelled: Vec<_> = table.layout.key_columns().map(|column| column.target.clone()).collect();
    let count = table.identity.len();
    let (bound, limit) = if after {
        let places = ident::join(", ", (1..=count).map(|place| format!("${place}")));
        (format!("and ({}) > ({places})", ident::columns("t", &table.identity)), count + 1)
    } else {
        (String::new(), 1)
    };
    format!(
        "select {spelled} from {table} t where not exists (select from {met} m where {same}) {bound} \
         order by {keys} limit ${limit}",
        spelled = ident::columns("t", &spelled),
        met = table.met(),
        same = ident::equal("m", "t", &table.identity),
        keys = ident::columns("t", &table.identity),
        table = table.qualified(),
    )
}

fn read_key(row: &Row, columns: usize) -> Key {
    Key((0..columns).map(|column| row.get::<_, Stored>(column).0).collect())
}
