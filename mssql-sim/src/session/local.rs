//! Batches run by the process itself, without a connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::Session;
use super::event::{Event, Events};
use crate::engine::Principal;
use crate::exec::conversion::text_of;
use crate::script::{Answer, Table, Target};
use crate::server::Shared;
use crate::types::{ColumnMeta, SqlError, Value};
use crate::wire::value;

/// A session of the administrator in the server's user database.
pub struct LocalSession(Session);

impl LocalSession {
    pub(crate) fn begin(shared: &Arc<Shared>) -> Result<Self, SqlError> {
        let options = &shared.options;
        let principal = Principal::of_login(&options.user, true);
        let database = shared.engine.use_database(&principal, &options.database)?;
        let session = Session::new(shared, shared.next_spid(), principal, database);
        session.register();
        Ok(Self(session))
    }

    /// Runs a batch; `collect` takes its events to their end.
    async fn run_batch<T>(&mut self, sql: &str, collect: impl AsyncFnOnce(mpsc::Receiver<Event>) -> T) -> T {
        let (events, received) = Events::channel();
        let session = &mut self.0;
        let batch = async move { session.run_batch(sql, &events).await };
        // The batch only fails if nobody takes its events.
        let (_, collected) = tokio::join!(batch, collect(received));
        collected
    }
}

/// Runs a batch as administrator; the rows of the last result set, or the first error.
pub(crate) async fn execute(shared: &Arc<Shared>, sql: &str) -> Result<Vec<Vec<Value>>, SqlError> {
    LocalSession::begin(shared)?.run_batch(sql, last_rows).await
}

/// The same for a batch inside another session's.
pub(super) fn execute_apart(
    shared: Arc<Shared>,
    sql: String,
) -> Pin<Box<dyn Future<Output = Result<(), SqlError>> + Send>> {
    Box::pin(async move { execute(&shared, &sql).await.map(drop) })
}

async fn last_rows(mut received: mpsc::Receiver<Event>) -> Result<Vec<Vec<Value>>, SqlError> {
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

impl Target for LocalSession {
    async fn run(&mut self, batch: &str) -> io::Result<Vec<Answer>> {
        Ok(self.run_batch(batch, answers).await)
    }
}

/// Everything that a batch answers, as text.
async fn answers(mut received: mpsc::Receiver<Event>) -> Vec<Answer> {
    let mut columns: Arc<[ColumnMeta]> = Arc::default();
    let mut open: Option<Table> = None;
    let mut answers = Vec::new();
    while let Some(event) = received.recv().await {
        match event {
            Event::Columns(new) => {
                let names = new.iter().map(|column| column.name.clone()).collect();
                columns = new;
                open = Some(Table { columns: names, rows: Vec::new() });
            }
            Event::Rows(chunk) => {
                if let Some(table) = &mut open {
                    table.rows.extend(chunk.iter().map(|row| shown(row, &columns)));
                }
            }
            Event::Done { rows, .. } => match (open.take(), rows) {
                (Some(table), _) => answers.push(Answer::Table(table)),
                (None, Some(rows)) => answers.push(Answer::Affected(rows)),
                (None, None) => {}
            },
            Event::Info(message) => answers.push(Answer::Message(message.message)),
            Event::Error(mut error) => {
                answers.extend(open.take().map(Answer::Table));
                answers.extend(std::mem::take(&mut error.causes).into_iter().map(Answer::Error));
                answers.push(Answer::Error(error));
            }
            _ => {}
        }
    }
    answers
}

fn shown(row: &[u8], columns: &[ColumnMeta]) -> Vec<Option<String>> {
    let values = decode(row, columns).into_iter().zip(columns);
    let text = |value: Value, column: &ColumnMeta| {
        if let Value::Bytes(bytes) = &value {
            let digits = bytes.iter().map(|byte| format!("{byte:02X}"));
            return format!("0x{}", digits.collect::<String>());
        }
        String::from_utf16_lossy(&text_of(value, column.sql_type).unwrap_or_default())
    };
    values.map(|(value, column)| (!value.is_null()).then(|| text(value, column))).collect()
}
