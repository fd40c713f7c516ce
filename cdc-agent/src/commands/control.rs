//! `resync`, `pause`, `resume`, `quarantine retry` and `verify` of rows: requests to the running agent, followed until they are done.

use super::comparison::Comparison;
use super::{quarantine, status};
use crate::apply::{Connection, Doing, TargetError};
use crate::config::{Config, Table};
use std::fmt;
use std::io::IsTerminal;
use std::time::Duration;

/// Between two looks at the progress.
const LOOK: Duration = Duration::from_millis(300);

/// What may be asked of the agent for one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Load it again.
    Resync,
    /// Leave it alone until it is resumed.
    Pause,
    /// Take it up again.
    Resume,
    /// Read its keys in quarantine again.
    Retry,
    /// Compare its rows with the source.
    Verify,
    /// Compare its rows with the source and write what differs.
    Repair,
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resync => "resync",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Retry => "retry",
            Self::Verify => "verify",
            Self::Repair => "repair",
        })
    }
}

/// How a request ended for the one who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The table was loaded.
    Loaded {
        /// Rows read at the source.
        rows: u64,
    },
    /// The table is paused.
    Paused,
    /// Its keys were read again.
    Retried {
        /// Keys that are still refused.
        refused: u64,
    },
    /// The table was compared.
    Compared(Comparison),
    /// The comparison gave way to a load.
    CutShort,
    /// No agent is running; the request waits for the next one.
    Waits,
    /// The agent did not take it.
    Refused {
        /// Its words.
        outcome: String,
    },
}

/// Asks and follows.
///
/// # Errors
/// PostgreSQL cannot be reached or asked; a request that was written stays.
pub async fn run(config: &Config, table: &Table, ask: Ask, requested_by: &str) -> Result<Ended, TargetError> {
    let connection = Connection::open(&config.target.endpoint).await?;
    let id: i64 = connection
        .client
        .query_one(
            "insert into cdc.control (source, command, name, requested_by) values ($1, $2, $3, $4) returning id",
            &[&config.source.name, &ask.to_string(), &table.target, &requested_by],
        )
        .await
        .doing("writing the request")?
        .get(0);
    if status::read(config).await?.is_none_or(|status| status.agent_silent) {
        return Ok(Ended::Waits);
    }
    let began_in = match until_answered(&connection, id).await? {
        Ok(began_in) => began_in,
        Err(outcome) => return Ok(Ended::Refused { outcome }),
    };
    let rows = until_done(config, table, &connection, began_in).await?;
    Ok(match ask {
        Ask::Resync | Ask::Resume => Ended::Loaded { rows },
        Ask::Pause => Ended::Paused,
        Ask::Retry => {
            let refused = quarantine::read(config, Some(table)).await?;
            Ended::Retried { refused: refused.len() as u64 }
        }
        Ask::Verify | Ask::Repair => {
            let comparison = Comparison::read(&connection, &config.source.name, &table.target, rows).await?;
            comparison
                .filter(|comparison| comparison.ended_in >= began_in)
                .map_or(Ended::CutShort, Ended::Compared)
        }
    })
}

/// The run in which the request is done or begins to be, or why there is none.
async fn until_answered(connection: &Connection, id: i64) -> Result<Result<i64, String>, TargetError> {
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

/// It is done when the target has that run, and no load is under way. Returns the rows that the load has read.
async fn until_done(
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
            .doing("looking at the progress")?;
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
