//! Bulk load: `INSERT BULK` announces it, the next message brings the rows.
//!
//! The rows are one statement, in the session's transaction or in one of its own: they are written in parts as the
//! packets come, and all of them are taken back if one fails.

use tokio::sync::mpsc;

use super::batch::Frame;
use super::event::{ClientGone, Events};
use super::{Ending, Failure, Session};
use crate::exec::context::Variables;
use crate::exec::dml::{self, BulkRows};
use crate::parser::ast::{InsertBulk, Statement};
use crate::types::{Reach, SqlError};
use crate::wire::bulk::{BulkError, RowDecoder};
use crate::wire::packet::Message;

/// Rows that are written at a time.
const PART_ROWS: usize = 4096;

impl Session {
    /// `INSERT BULK`
    pub(super) async fn announce_load(
        &mut self,
        frame: &mut Frame<'_>,
        bulk: &InsertBulk,
    ) -> Result<(), Failure> {
        self.require_healthy_transaction()?;
        self.attempt(frame, |context| dml::check_bulk(context, bulk)).await?;
        self.announced = Some(bulk.clone());
        Ok(())
    }

    /// Whether the next message has to be a bulk load's.
    pub(crate) fn expects_load(&self) -> bool {
        self.announced.is_some()
    }

    /// Forgets an announced bulk load; the error with which another request is refused instead.
    pub(crate) fn abandon_load(&mut self) -> Option<SqlError> {
        self.announced.take().map(|_| {
            let message = "Bulk load data was expected but not sent. The batch will be terminated.";
            SqlError::batch(4022, message)
        })
    }

    /// Loads the rows of a message, packet by packet.
    pub(super) async fn run_load(
        &mut self,
        mut packets: mpsc::Receiver<Message>,
        events: &Events,
    ) -> Result<Ending, ClientGone> {
        let Some(bulk) = self.announced.take() else { return Ok(Ending::Close) };
        let mut frame = Frame::new("", events, Variables::default(), false);
        let loaded = self.load(&mut frame, &bulk, &mut packets).await;
        // What is left of the message of a load that failed.
        while packets.recv().await.is_some() {}
        let statement = Statement::InsertBulk(bulk);
        let ended = match loaded {
            Ok(rows) => {
                self.last_error = 0;
                self.done(&frame, &statement, rows).await
            }
            Err(Failure::Error(error)) => {
                return match self.fail(&frame, error.at_line(1), Some(&statement)).await {
                    Ok(flow) => self.end_batch(flow, events).await,
                    Err(_) => Err(ClientGone),
                };
            }
            Err(failure) => Err(failure),
        };
        ended.map(|()| Ending::Open).map_err(|_| ClientGone)
    }

    /// All rows, as one statement; their number.
    async fn load(
        &mut self,
        frame: &mut Frame<'_>,
        bulk: &InsertBulk,
        packets: &mut mpsc::Receiver<Message>,
    ) -> Result<u64, Failure> {
        let transaction = self.statement_transaction();
        self.load_mark = Some(self.shared.engine.mark(transaction)?);
        let loaded = self.load_parts(frame, bulk, packets).await;
        let mark = self.load_mark.take();
        if let (Err(_), Some(mark)) = (&loaded, mark) {
            self.shared.engine.undo_to(transaction, mark);
        }
        self.end_statement(loaded.is_ok()).await;
        loaded
    }

    async fn load_parts(
        &mut self,
        frame: &mut Frame<'_>,
        bulk: &InsertBulk,
        packets: &mut mpsc::Receiver<Message>,
    ) -> Result<u64, Failure> {
        let mut decoder = RowDecoder::default();
        let mut part = BulkRows::default();
        let mut loaded = 0;
        while let Some(packet) = packets.recv().await {
            let last = packet.is_complete();
            decoder.push(&packet.body);
            while let Some(row) = decoder.next_row(last).map_err(refused)? {
                part.rows.push(row);
                if part.rows.len() == PART_ROWS {
                    loaded += self.load_part(frame, bulk, (&decoder, &mut part)).await?;
                }
            }
            if last {
                return Ok(loaded + self.load_part(frame, bulk, (&decoder, &mut part)).await?);
            }
        }
        Err(Failure::ClientGone)
    }

    async fn load_part(
        &mut self,
        frame: &mut Frame<'_>,
        bulk: &InsertBulk,
        (decoder, part): (&RowDecoder, &mut BulkRows),
    ) -> Result<u64, Failure> {
        part.types = decoder.columns().iter().map(|column| column.sql_type).collect();
        loop {
            let mut context = self.statement_context(frame);
            let written = dml::load(&mut context, bulk, part);
            self.take_back(frame, context);
            match written {
                Ok(()) => break,
                Err(interrupt) => self.resolve(interrupt).await?,
            }
        }
        let rows = part.rows.len() as u64;
        part.rows.clear();
        Ok(rows)
    }
}

/// What the client is told of rows that cannot be read.
fn refused(error: BulkError) -> SqlError {
    match error {
        BulkError::Type(column) => dml::wrong_bulk_type(column),
        BulkError::Value(column) => {
            let message =
                format!("Received an invalid column length from the bcp client for colid {column}.");
            SqlError::statement(4815, message)
        }
        BulkError::Premature => {
            let message = "While reading current row from host, a premature end-of-message was encountered--an incoming data \
                           stream was interrupted when the server expected to see more data. The host program may have \
                           terminated. Ensure that you are using a supported client application programming interface (API).";
            SqlError { class: 21, reach: Reach::Connection, ..SqlError::statement(4804, message) }
        }
    }
}
