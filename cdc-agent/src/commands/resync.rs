//! `resync`: a request to the running agent to load a table again, followed until it is done.

use super::status;
use crate::apply::{Connection, Doing, TargetError};
use crate::config::{Config, Table};
use std::io::IsTerminal;
use std::time::Duration;

/// Between two looks at the progress.
const LOOK: Duration = Duration::from_millis(300);

/// How a request ended for the one who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The table was loaded again.
    Loaded {
        /// Rows read at the source.
        rows: u64,
    },
    /// No agent is running; the request waits for the next one.
    Waits,
    /// The agent did not take it.
    Refused {
        /// Its words.
        outcome: String,
    },
}

/// Asks for the load of `table` and follows it.
///
/// # Errors
/// PostgreSQL cannot be reached or asked; a request that was written stays.
pub async fn run(config: &Config, table: &Table, requested_by: &str) -> Result<Ended, TargetError> {
    let connection = Connection::open(&config.target.endpoint).await?;
    let id: i64 = connection
        .client
        .query_one(
            "insert into cdc.control (source, command, name, requested_by) values ($1, 'resync', $2, $3) returning id",
            &[&config.source.name, &table.target, &requested_by],
        )
        .await
        .doing("writing the request")?
        .get(0);
    if status::read(config).await?.is_none_or(|status| status.agent_silent) {
        return Ok(Ended::Waits);
    }
    let begun = until_taken(&connection, id).await?;
    if !begun.contains("began") {
        return Ok(Ended::Refused { outcome: begun });
    }
    let rows = until_loaded(config, table, &connection).await?;
    Ok(Ended::Loaded { rows })
}

async fn until_taken(connection: &Connection, id: i64) -> Result<String, TargetError> {
    let sql = "select outcome from cdc.control where id = $1";
    loop {
        let row = connection.client.query_one(sql, &[&id]).await.doing("looking for the agent's answer")?;
        if let Some(outcome) = row.get::<_, Option<String>>(0) {
            return Ok(outcome);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The request is answered when the run with the load's beginning is in the journal; the target may have it later, so the end is a
/// load that is newer than the request.
async fn until_loaded(config: &Config, table: &Table, connection: &Connection) -> Result<u64, TargetError> {
    let sql = "select t.load is null and coalesce(t.loaded_at > r.finished_at, false), t.load_rows \
               from cdc.table_state t, lateral (select max(finished_at) as finished_at from cdc.control c \
               where c.source = t.source and c.name = t.name) r where t.source = $1 and t.name = $2";
    let progress = std::io::stderr().is_terminal();
    loop {
        let row = connection
            .client
            .query_one(sql, &[&config.source.name, &table.target])
            .await
            .doing("looking at the load's progress")?;
        let rows = row.get::<_, i64>(1).unsigned_abs();
        if row.get(0) {
            return Ok(rows);
        }
        if progress {
            eprint!("\r{}: {rows} rows read", table.target);
        }
        tokio::time::sleep(LOOK).await;
    }
}
