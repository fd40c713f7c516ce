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
    match until_settled(&connection, id).await? {
        Ok(began_in) => Ok(Ended::Loaded { rows: until_loaded(config, table, &connection, began_in).await? }),
        Err(outcome) => Ok(Ended::Refused { outcome }),
    }
}

/// The run in which the load began, or why there is none.
async fn until_settled(connection: &Connection, id: i64) -> Result<Result<i64, String>, TargetError> {
    let sql = "select began_in, refusal from cdc.control where id = $1";
    loop {
        let row = connection.client.query_one(sql, &[&id]).await.doing("looking for the agent's answer")?;
        match (row.get(0), row.get(1)) {
            (Some(began_in), _) => return Ok(Ok(began_in)),
            (None, Some(refusal)) => return Ok(Err(refusal)),
            (None, None) => tokio::time::sleep(LOOK).await,
        }
    }
}

/// The load is done when the target has the run in which it began, and no load is under way.
async fn until_loaded(
    config: &Config,
    table: &Table,
    connection: &Connection,
    began_in: i64,
) -> Result<u64, TargetError> {
    let sql = "select s.applied_sequence >= $3 and t.load is null, t.load_rows \
               from cdc.table_state t join cdc.stream s using (source) where t.source = $1 and t.name = $2";
    let progress = std::io::stderr().is_terminal();
    loop {
        let row = connection
            .client
            .query_one(sql, &[&config.source.name, &table.target, &began_in])
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
