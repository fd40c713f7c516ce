//! From events to tokens.
//!
//! Every DONE but a reply's last says that more follows, so a DONE is held back until the next event or the end of
//! the reply shows which it is. Inside a procedure each statement ends in DONEINPROC and the procedure in DONEPROC.

use std::sync::Arc;

use tokio::io::AsyncWrite;

use super::event::{Command, Event};
use crate::types::{ColumnMeta, SqlError};
use crate::wire::ProtocolError;
use crate::wire::packet::MessageWriter;
use crate::wire::token::{self, Done, DoneKind};
use crate::wire::value;

/// A connection's replies.
#[derive(Debug)]
pub(crate) struct ReplyWriter<W> {
    messages: MessageWriter<W>,
    server_name: String,
    compress_nulls: bool,
    /// Columns of the current result set.
    columns: Arc<[ColumnMeta]>,
    held: Option<Done>,
    procedure_depth: u32,
}

impl<W: AsyncWrite + Unpin> ReplyWriter<W> {
    pub(crate) fn new(messages: MessageWriter<W>, server_name: String, compress_nulls: bool) -> Self {
        Self {
            messages,
            server_name,
            compress_nulls,
            columns: Arc::default(),
            held: None,
            procedure_depth: 0,
        }
    }

    /// The message under way, for tokens that no event stands for.
    pub(crate) fn messages(&mut self) -> &mut MessageWriter<W> {
        &mut self.messages
    }

    /// Adds an event; packets that it fills are sent.
    pub(crate) async fn event(&mut self, event: Event) -> Result<(), ProtocolError> {
        self.release_done();
        match event {
            Event::Columns(columns) => {
                token::columns(&columns, &mut self.messages.tokens);
                self.columns = columns;
            }
            Event::Rows(rows) => rows.iter().for_each(|row| self.row(row)),
            Event::Done { command, rows } => {
                self.held = Some(Done { command: command as u16, rows, ..self.statement_done() });
            }
            Event::Error(error) => {
                token::message(&error, &self.server_name, &mut self.messages.tokens);
                self.held = Some(Done { error: true, ..self.statement_done() });
            }
            Event::Info(message) => token::message(&message, &self.server_name, &mut self.messages.tokens),
            Event::ProcedureBegan => self.procedure_depth += 1,
            Event::ReturnStatus(status) => token::return_status(status, &mut self.messages.tokens),
            Event::ReturnValue { name, sql_type, value } => {
                token::return_value(&name, sql_type, &value, &mut self.messages.tokens);
            }
            Event::ProcedureEnded => {
                self.procedure_depth -= 1;
                let kind =
                    if self.procedure_depth == 0 { DoneKind::Procedure } else { DoneKind::InProcedure };
                self.held = Some(Done { command: Command::Execute as u16, ..Done::plain(kind) });
            }
            Event::TransactionBegan(_)
            | Event::TransactionCommitted(_)
            | Event::TransactionRolledBack(_)
            | Event::DatabaseChanged { .. } => self.environment(&event),
        }
        self.messages.send_full().await
    }

    /// Ends the reply.
    pub(crate) async fn finish(&mut self) -> Result<(), ProtocolError> {
        let last = self.held.take().unwrap_or(Done::plain(DoneKind::Done));
        last.write(&mut self.messages.tokens);
        self.messages.finish().await
    }

    /// Ends the reply of a request that was cancelled: what was sent so far ends in a failed DONE.
    pub(crate) async fn finish_cancelled(&mut self) -> Result<(), ProtocolError> {
        self.abandon();
        Done { error: true, ..Done::plain(DoneKind::Done) }.write(&mut self.messages.tokens);
        self.messages.finish().await
    }

    /// Acknowledges an attention, in the reply under way if there is one.
    pub(crate) async fn acknowledge_attention(&mut self) -> Result<(), ProtocolError> {
        self.abandon();
        Done { attention: true, ..Done::plain(DoneKind::Done) }.write(&mut self.messages.tokens);
        self.messages.finish().await
    }

    /// Sends an error and ends the reply.
    pub(crate) async fn refuse(&mut self, error: SqlError) -> Result<(), ProtocolError> {
        self.event(Event::Error(error)).await?;
        self.finish().await
    }

    fn abandon(&mut self) {
        self.release_done();
        self.procedure_depth = 0;
    }

    fn release_done(&mut self) {
        if let Some(done) = self.held.take() {
            Done { more: true, ..done }.write(&mut self.messages.tokens);
        }
    }

    fn statement_done(&self) -> Done {
        Done::plain(if self.procedure_depth == 0 { DoneKind::Done } else { DoneKind::InProcedure })
    }

    fn row(&mut self, row: &[u8]) {
        if self.compress_nulls && saves_by_compression(row, &self.columns) {
            token::null_compressed_row(row, &self.columns, &mut self.messages.tokens);
        } else {
            token::row(row, &mut self.messages.tokens);
        }
    }

    fn environment(&mut self, event: &Event) {
        let tokens = &mut self.messages.tokens;
        match event {
            Event::TransactionBegan(descriptor) => {
                token::environment_bytes(token::ENV_BEGIN, &descriptor.to_le_bytes(), &[], tokens);
            }
            Event::TransactionCommitted(descriptor) => {
                token::environment_bytes(token::ENV_COMMIT, &[], &descriptor.to_le_bytes(), tokens);
            }
            Event::TransactionRolledBack(descriptor) => {
                token::environment_bytes(token::ENV_ROLLBACK, &[], &descriptor.to_le_bytes(), tokens);
            }
            Event::DatabaseChanged { old, new } => {
                token::environment_text(token::ENV_DATABASE, new, old, tokens);
                token::message(&token::database_changed(new), &self.server_name, tokens);
            }
            _ => {}
        }
    }
}

/// Whether the NULLs' own bytes outweigh the bitmap.
fn saves_by_compression(row: &[u8], columns: &[ColumnMeta]) -> bool {
    let bitmap = columns.len().div_ceil(8);
    let (mut rest, mut saved) = (row, 0);
    for column in columns {
        let bytes = value::take(&mut rest, column.sql_type, column.nullable);
        if value::is_null(bytes, column.sql_type, column.nullable) {
            saved += bytes.len();
        }
    }
    saved > bitmap
}
