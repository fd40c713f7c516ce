//! Batches run by the process itself, without a connection.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::Session;
use super::event::{Event, Events};
use crate::engine::Principal;
use crate::server::Shared;
use crate::types::{ColumnMeta, SqlError, Value};
use crate::wire::value;

/// Runs a batch as administrator in the server's user database; the rows of the last result set, or the first error.
pub(crate) async fn execute(shared: &Arc<Shared>, sql: &str) -> Result<Vec<Vec<Value>>, SqlError> {
    let options = &shared.options;
    let principal = Principal::of_login(&options.user, true);
    let database = shared.engine.use_database(&principal, &options.database)?;
    let mut session = Session::new(shared, shared.next_spid(), principal, database);
    session.register();
    let (events, received) = Events::channel();
    let batch = async move { session.run_batch(sql, &events).await };
    // The batch only fails if nobody takes its events, and `collect` takes them all.
    let (_, collected) = tokio::join!(batch, collect(received));
    collected
}

/// The same for a batch inside another session's.
pub(super) fn execute_apart(
    shared: Arc<Shared>,
    sql: String,
) -> Pin<Box<dyn Future<Output = Result<(), SqlError>> + Send>> {
    Box::pin(async move { execute(&shared, &sql).await.map(drop) })
}

async fn collect(mut received: mpsc::Receiver<Event>) -> Result<Vec<Vec<Value>>, SqlError> {
    let mut columns: Arc<[ColumnMeta]> = Arc::default();
    let mut rows = Vec::new();
    let mut first_error = None;
    while let Some(event) = received.recv().await {
        match event {
            Event::Columns(new) => {
                columns = new;
                rows.clear();
            }
            Event::Rows(chunk) => rows.extend(chunk.iter().map(|row| decode(row, &columns))),
            Event::Error(error) => first_error = first_error.or_else(|| Some(error.first().clone())),
            _ => {}
        }
    }
    first_error.map_or(Ok(rows), Err)
}

fn decode(mut row: &[u8], columns: &[ColumnMeta]) -> Vec<Value> {
    columns.iter().map(|column| value::decode(&mut row, column)).collect()
}
