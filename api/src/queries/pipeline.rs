//! The state of the sources and their tables. It names no company and no warehouse, so every scope sees all of it.

use crate::access::Scope;
use crate::database::{DatabaseError, Reading};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_postgres::Row;

/// A source's stream.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub name: String,
    pub position: Option<i64>,
    pub hi: Option<i64>,
    pub applied_sequence: i64,
    pub revision: i64,
    /// The source's clock at the last cut or heartbeat.
    pub as_of: Option<DateTime<Utc>>,
    /// How long ago, by PostgreSQL's clock.
    pub age: Option<Duration>,
    pub agent_state: String,
    pub agent_detail: Option<String>,
    /// How long ago the agent showed itself, by PostgreSQL's clock.
    pub agent_seen: Option<Duration>,
    pub poll_interval: Duration,
    pub tables: Vec<Table>,
}

/// A replicated table.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Table {
    pub name: String,
    /// Schema and table at the source.
    pub source_name: String,
    pub phase: String,
    pub conditions: Vec<Condition>,
    /// The load under way.
    pub load: Option<Load>,
    /// Keys whose current image could not be applied.
    pub quarantined: i64,
    /// Live, at the source's position, with no load and nothing out of the ordinary that breaks it.
    pub in_step: bool,
}

/// What is out of the ordinary about a table.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Condition {
    pub condition: String,
    pub reason: String,
    pub since: DateTime<Utc>,
    pub by: String,
}

/// A load under way.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Load {
    pub kind: String,
    /// Rows applied so far.
    pub rows: i64,
    /// Whether its last chunk was applied.
    pub scanned: bool,
}

impl Load {
    /// A comparison with the source writes nothing that a change did not write before: the table stays in step.
    fn compares(&self) -> bool {
        matches!(self.kind.as_str(), "verify" | "repair")
    }
}

/// A heartbeat counts only while it is about the run that was applied last.
const STREAMS: &str = "
    select source, position, hi, applied_sequence, revision, agent_state, agent_detail, poll_interval_ms,
           case when idle then greatest(as_of, idle_as_of) else as_of end as as_of,
           extract(epoch from now.moment - case when idle then greatest(read_at, idle_at) else read_at end)::float8 as age,
           extract(epoch from now.moment - agent_seen_at)::float8 as agent_seen
    from (select *, coalesce(idle_sequence = applied_sequence, false) as idle from reading.stream) as stream,
         (select clock_timestamp() as moment) as now
    order by source";

const TABLES: &str = "
    select t.source, t.name, t.source_schema, t.source_table, t.phase, t.load ->> 'kind' as load_kind, t.load_rows,
           t.load_scanned is not null as load_scanned, coalesce(q.keys, 0) as quarantined
    from reading.table_state t
    left join reading.quarantine_count q using (source, name)
    order by t.source, t.name";

const CONDITIONS: &str = "
    select source, name, condition, reason, since, caused_by
    from reading.table_condition
    order by source, name, condition";

/// Every source with its tables.
pub(crate) async fn sources(reading: &Reading, _scope: &Scope) -> Result<Vec<Source>, DatabaseError> {
    let (streams, tables, conditions) = tokio::try_join!(
        reading.query(STREAMS, &[]),
        reading.query(TABLES, &[]),
        reading.query(CONDITIONS, &[])
    )?;
    let mut conditions_of: BTreeMap<(String, String), Vec<Condition>> = BTreeMap::new();
    for row in &conditions {
        conditions_of.entry((row.get("source"), row.get("name"))).or_default().push(Condition {
            condition: row.get("condition"),
            reason: row.get("reason"),
            since: row.get("since"),
            by: row.get("caused_by"),
        });
    }
    let mut tables_of: BTreeMap<String, Vec<Table>> = BTreeMap::new();
    for row in &tables {
        let key = (row.get("source"), row.get("name"));
        let conditions = conditions_of.remove(&key).unwrap_or_default();
        tables_of.entry(key.0).or_default().push(table(row, conditions));
    }
    Ok(streams.iter().map(|row| source(row, &mut tables_of)).collect())
}

fn source(row: &Row, tables_of: &mut BTreeMap<String, Vec<Table>>) -> Source {
    let name: String = row.get("source");
    let poll_interval = row.get::<_, i64>("poll_interval_ms");
    Source {
        tables: tables_of.remove(&name).unwrap_or_default(),
        name,
        position: row.get("position"),
        hi: row.get("hi"),
        applied_sequence: row.get("applied_sequence"),
        revision: row.get("revision"),
        as_of: row.get("as_of"),
        age: row.get::<_, Option<f64>>("age").map(elapsed),
        agent_state: row.get("agent_state"),
        agent_detail: row.get("agent_detail"),
        agent_seen: row.get::<_, Option<f64>>("agent_seen").map(elapsed),
        poll_interval: Duration::from_millis(poll_interval.unsigned_abs()),
    }
}

fn table(row: &Row, conditions: Vec<Condition>) -> Table {
    let phase: String = row.get("phase");
    let load = row.get::<_, Option<String>>("load_kind").map(|kind| Load {
        kind,
        rows: row.get("load_rows"),
        scanned: row.get("load_scanned"),
    });
    let out_of_step = conditions.iter().any(|condition| condition.condition != "degraded");
    Table {
        name: row.get("name"),
        source_name: format!(
            "{}.{}",
            row.get::<_, &str>("source_schema"),
            row.get::<_, &str>("source_table")
        ),
        in_step: phase == "live" && load.as_ref().is_none_or(Load::compares) && !out_of_step,
        phase,
        conditions,
        load,
        quarantined: row.get("quarantined"),
    }
}

/// PostgreSQL's clock may be set back between two statements; an age is never negative.
fn elapsed(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.max(0.0))
}
