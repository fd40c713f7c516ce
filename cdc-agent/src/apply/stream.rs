//! The stream row and the tables' states: reading them, taking the stream over, signs of life, requests.

use super::error::{Doing, TargetError};
use super::{Applier, encode::Cell};
use proto::{Incarnation, JournalId, Layout, LoadMark, RunId, SourceMoment, Value, Version};
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

/// Progress of a source, as the target knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamRow {
    /// Token of the agent that may write; None before the first.
    pub epoch: Option<Uuid>,
    /// Journal whose runs apply; None before the first.
    pub journal: Option<JournalId>,
    /// Number of the source's history; a restored source begins a new one.
    pub history: i32,
    /// Last applied run.
    pub last_run: Option<RunId>,
    /// Its number; 0 before the first.
    pub applied_sequence: u64,
    /// `to` of that run.
    pub position: Option<Version>,
    /// Highest version seen.
    pub hi: Option<Version>,
    /// Identity of its commit, where it may be read.
    pub hi_identity: Option<String>,
    /// Counter of changes that readers can see.
    pub revision: u64,
}

/// A replicated table, as the target knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct TableState {
    /// Table in the target.
    pub name: String,
    /// Where it is on its way, as [`proto::Phase`] writes it.
    pub phase: String,
    /// Columns of the target's table.
    pub layout: Layout,
    /// Tracking that was validated with the last applied run.
    pub incarnation: Option<Incarnation>,
    /// Load under way.
    pub load: Option<LoadMark>,
    /// Where its scan goes on.
    pub load_resume: Option<String>,
    /// Rows read by its scan.
    pub load_rows: u64,
    /// Run with its last chunk.
    pub load_scanned: Option<u64>,
    /// Where a paused table stopped; None where only a whole-table load takes it up again.
    pub own_position: Option<Version>,
    /// Through which version its last comparison with the source went.
    pub verified_through: Option<Version>,
    /// Conditions in force, as [`proto::Condition`] writes them, with their reasons.
    pub conditions: Vec<(String, String)>,
}

/// "The source has not changed since run `sequence`."
#[derive(Clone, Copy, Debug)]
pub struct Idle {
    /// The last captured run.
    pub sequence: u64,
    /// When the source said so.
    pub moment: SourceMoment,
    /// How long ago that was, by the agent's clock.
    pub age: Duration,
}

/// An operator's request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlRequest {
    /// Its number.
    pub id: i64,
    /// What is asked for.
    pub command: String,
    /// Table in the target.
    pub table: String,
    /// Who asks.
    pub requested_by: String,
}

const STREAM: &str = "select epoch, journal, history, last_run, applied_sequence, position, hi, hi_identity, revision \
                      from cdc.stream where source = $1";

impl StreamRow {
    fn read(row: &Row) -> Self {
        Self {
            epoch: row.get(0),
            journal: row.get::<_, Option<Uuid>>(1).map(JournalId),
            history: row.get(2),
            last_run: row.get::<_, Option<Uuid>>(3).map(RunId),
            applied_sequence: row.get::<_, i64>(4).unsigned_abs(),
            position: row.get::<_, Option<i64>>(5).map(Version),
            hi: row.get::<_, Option<i64>>(6).map(Version),
            hi_identity: row.get(7),
            revision: row.get::<_, i64>(8).unsigned_abs(),
        }
    }

    /// Reads the row and holds it until the transaction ends: whoever decides by it does so under this lock.
    pub(super) async fn locked(
        client: &impl GenericClient,
        source: &str,
    ) -> Result<Option<Self>, TargetError> {
        let row = client.query_opt(&format!("{STREAM} for update"), &[&source]).await;
        Ok(row.doing("locking the stream row")?.as_ref().map(Self::read))
    }
}

impl TableState {
    fn read(row: &Row) -> Result<Self, TargetError> {
        let conditions: Vec<String> = row.get(10);
        let reasons: Vec<String> = row.get(11);
        Ok(Self {
            name: row.get(0),
            phase: row.get(1),
            layout: json(row.get(2), "the layout of a table")?,
            incarnation: row
                .get::<_, Option<String>>(3)
                .map(|text| json(text, "an incarnation"))
                .transpose()?,
            load: row.get::<_, Option<String>>(4).map(|text| json(text, "the mark of a load")).transpose()?,
            load_resume: row.get(5),
            load_rows: row.get::<_, i64>(6).unsigned_abs(),
            load_scanned: row.get::<_, Option<i64>>(7).map(i64::unsigned_abs),
            own_position: row.get::<_, Option<i64>>(8).map(Version),
            verified_through: row.get::<_, Option<i64>>(9).map(Version),
            conditions: conditions.into_iter().zip(reasons).collect(),
        })
    }

    pub(crate) async fn all(client: &impl GenericClient, source: &str) -> Result<Vec<Self>, TargetError> {
        let sql = "select t.name, t.phase, t.layout::text, t.incarnation::text, t.load::text, t.load_resume, t.load_rows, \
                          t.load_scanned, t.own_position, t.verified_through, \
                          array(select c.condition from cdc.table_condition c where c.source = t.source and c.name = t.name \
                                order by c.condition), \
                          array(select c.reason from cdc.table_condition c where c.source = t.source and c.name = t.name \
                                order by c.condition) \
                   from cdc.table_state t where t.source = $1 order by t.name";
        let rows = client.query(sql, &[&source]).await.doing("reading the tables' states")?;
        rows.iter().map(Self::read).collect()
    }
}

pub(crate) fn json<T: DeserializeOwned>(text: String, what: &'static str) -> Result<T, TargetError> {
    serde_json::from_str(&text).map_err(|source| TargetError::Unreadable { what, source })
}

impl Applier {
    /// The stream's row; None when the source was never prepared here.
    ///
    /// # Errors
    /// PostgreSQL cannot be asked.
    pub async fn stream(&self) -> Result<Option<StreamRow>, TargetError> {
        let row = self.connection.client.query_opt(STREAM, &[&self.source()]).await;
        Ok(row.doing("reading the stream row")?.as_ref().map(StreamRow::read))
    }

    /// Every table of the source, in the order of their names.
    ///
    /// # Errors
    /// PostgreSQL cannot be asked.
    pub async fn tables(&self) -> Result<Vec<TableState>, TargetError> {
        TableState::all(&self.connection.client, self.source()).await
    }

    /// Makes this agent, with its journal, the one whose runs apply: a new epoch, decided under the row's lock. With
    /// `drop_history` the source's past is void: a new history, no position, and every table out of step, paused ones too.
    /// Position and last run are what the returned row says.
    ///
    /// # Errors
    /// PostgreSQL cannot be asked; nothing has changed then.
    pub async fn take_over(
        &mut self,
        journal: JournalId,
        drop_history: bool,
    ) -> Result<StreamRow, TargetError> {
        let doing = "taking the stream over";
        let source = self.settings.zoning.source.clone();
        let poll_interval = i64::try_from(self.settings.poll_interval.as_millis()).unwrap_or(i64::MAX);
        let epoch = Uuid::new_v4();
        let transaction = self.connection.client.transaction().await.doing(doing)?;
        create_row(&transaction, &source).await?;
        StreamRow::locked(&transaction, &source).await?;
        transaction
            .execute(
                "update cdc.stream set epoch = $2, journal = $3, poll_interval_ms = $4, agent_state = 'starting', \
                 agent_detail = null, agent_seen_at = clock_timestamp() where source = $1",
                &[&source, &epoch, &journal.0, &poll_interval],
            )
            .await
            .doing(doing)?;
        if drop_history {
            void_history(&transaction, &source).await?;
        }
        let row = StreamRow::locked(&transaction, &source).await?;
        transaction.commit().await.map_err(TargetError::CommitUnknown)?;
        self.epoch = Some(epoch);
        row.ok_or(TargetError::NotTakenOver { source_name: source })
    }

    /// Says that the agent lives and what it is doing (`starting`, `streaming`, `source_unreachable`, `waiting`, `stopped`), and,
    /// when the source has just been compared and not moved, since which run it has not.
    ///
    /// # Errors
    /// [`TargetError::Fenced`] when another agent took over.
    pub async fn heartbeat(
        &self,
        idle: Option<&Idle>,
        state: &str,
        detail: Option<&str>,
    ) -> Result<(), TargetError> {
        let source = self.source();
        let sequence = idle.map(|idle| idle.sequence.cast_signed());
        let clock = idle.map_or(Value::Null, |idle| Value::TimestampTz(idle.moment.source_clock));
        let age = idle.map(|idle| i64::try_from(idle.age.as_micros()).unwrap_or(i64::MAX));
        let touched = self
            .connection
            .client
            .execute(
                "update cdc.stream set agent_state = $3, agent_detail = $4, agent_seen_at = clock_timestamp(), \
                 idle_sequence = coalesce($5, idle_sequence), idle_as_of = coalesce($6, idle_as_of), \
                 idle_at = coalesce(clock_timestamp() - $7::int8 * interval '1 microsecond', idle_at) \
                 where source = $1 and epoch = $2",
                &[&source, &self.epoch, &state, &detail, &sequence, &Cell::Value(&clock), &age],
            )
            .await
            .doing("saying that the agent lives")?;
        if touched == 1 { Ok(()) } else { Err(TargetError::Fenced { source_name: source.to_owned() }) }
    }

    /// Requests that nobody has taken up yet, and those taken up and not finished, oldest first. An agent that dies between
    /// the two takes them up again.
    ///
    /// # Errors
    /// PostgreSQL cannot be asked.
    pub async fn take_requests(&self) -> Result<Vec<ControlRequest>, TargetError> {
        let rows = self
            .connection
            .client
            .query(
                "update cdc.control set taken_at = coalesce(taken_at, clock_timestamp()) \
                 where source = $1 and finished_at is null returning id, command, name, requested_by",
                &[&self.source()],
            )
            .await
            .doing("taking up requests")?;
        let mut requests: Vec<_> = rows
            .iter()
            .map(|row| ControlRequest {
                id: row.get(0),
                command: row.get(1),
                table: row.get(2),
                requested_by: row.get(3),
            })
            .collect();
        requests.sort_by_key(|request| request.id);
        Ok(requests)
    }

    /// Closes a request: with the run in which its load began, or why there is none.
    ///
    /// # Errors
    /// PostgreSQL cannot be asked.
    pub async fn finish_request(&self, id: i64, outcome: &Result<u64, String>) -> Result<(), TargetError> {
        let (began_in, refusal) = match outcome {
            Ok(sequence) => (Some(sequence.cast_signed()), None),
            Err(reason) => (None, Some(reason)),
        };
        let sql = "update cdc.control set finished_at = clock_timestamp(), began_in = $2, refusal = $3 \
                   where id = $1 and finished_at is null";
        self.connection.client.execute(sql, &[&id, &began_in, &refusal]).await.doing("closing a request")?;
        Ok(())
    }
}

/// The stream's row, without an agent yet.
pub(super) async fn create_row(client: &impl GenericClient, source: &str) -> Result<(), TargetError> {
    let sql = "insert into cdc.stream (source) values ($1) on conflict do nothing";
    client.execute(sql, &[&source]).await.doing("creating the stream row")?;
    Ok(())
}

async fn void_history(client: &impl GenericClient, source: &str) -> Result<(), TargetError> {
    let doing = "beginning a new history";
    for sql in [
        "update cdc.stream set history = history + 1, position = null, hi = null, hi_identity = null, \
         revision = revision + 1 where source = $1",
        "update cdc.table_state set phase = 'pending', incarnation = null, load = null, load_resume = null, \
         load_rows = 0, load_scanned = null, load_sequence = null, own_position = null where source = $1",
        "insert into cdc.table_condition (source, name, condition, reason, caused_by) \
         select source, name, 'suspect', 'the source has another past than the one that was copied', 'agent' \
         from cdc.table_state where source = $1 on conflict (source, name, condition) do nothing",
    ] {
        client.execute(sql, &[&source]).await.doing(doing)?;
    }
    Ok(())
}
