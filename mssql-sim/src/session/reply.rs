//! From events to tokens.
//!
//! Every DONE but a reply's last says that more follows, so a DONE is held back until the next event or the end of
//! the reply shows which it is. Inside a procedure each statement ends in DONEINPROC and the procedure in DONEPROC.

use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::io::AsyncWrite;

use super::event::{Command, Event};
use crate::server::NullRows;
use crate::types::ColumnMeta;
use crate::wire::ProtocolError;
use crate::wire::packet::MessageWriter;
use crate::wire::token::{self, Done, DoneKind};
use crate::wire::value;

/// Bytes that a truncated DONE lacks: its count of rows.
const DONE_TAIL: usize = 8;

/// A connection's replies.
#[derive(Debug)]
pub(crate) struct ReplyWriter<W> {
    messages: MessageWriter<W>,
    server_name: String,
    null_rows: NullRows,
    /// The coin of [`NullRows::Random`].
    coin: StdRng,
    /// Columns of the current result set.
    columns: Arc<[ColumnMeta]>,
    held: Option<Done>,
    procedure_depth: u32,
    /// The message under way breaks off inside its last DONE.
    truncates: bool,
}

impl<W: AsyncWrite + Unpin> ReplyWriter<W> {
    pub(crate) fn new(messages: MessageWriter<W>, server_name: String, null_rows: NullRows) -> Self {
        let seed = if let NullRows::Random(seed) = null_rows { seed } else { 0 };
        Self {
            messages,
            server_name,
            null_rows,
            coin: StdRng::seed_from_u64(seed),
            columns: Arc::default(),
            held: None,
            procedure_depth: 0,
            truncates: false,
        }
    }

    /// Has the message under way break off inside its last DONE.
    pub(crate) fn truncate(&mut self) {
        self.truncates = true;
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
            Event::Order(columns) => token::order(&columns, &mut self.messages.tokens),
            Event::Rows(rows) => rows.iter().for_each(|row| self.row(row)),
            Event::Done { command, rows } => {
                self.held = Some(Done { command: command as u16, rows, ..self.statement_done() });
            }
            Event::Error(error) => {
                for error in error.causes.iter().chain([&error]) {
                    token::message(error, &self.server_name, &mut self.messages.tokens);
                }
            }
            Event::Failed(command) => {
                self.held = Some(Done { command: command as u16, error: true, ..self.statement_done() });
            }
            Event::Info(message) => token::message(&message, &self.server_name, &mut self.messages.tokens),
            Event::ProcedureBegan => self.procedure_depth += 1,
            Event::ReturnStatus(status) if self.procedure_depth == 1 => {
                token::return_status(status, &mut self.messages.tokens);
            }
            // Only the outermost call tells what it returned.
            Event::ReturnStatus(_) => {}
            Event::ReturnValue { ordinal, name, sql_type, value } => {
                let output = ColumnMeta::new(name, sql_type, true);
                token::return_value(ordinal, &output, &value, &mut self.messages.tokens);
            }
            Event::ProcedureEnded { failed: error } => {
                self.procedure_depth -= 1;
                let kind =
                    if self.procedure_depth == 0 { DoneKind::Procedure } else { DoneKind::InProcedure };
                self.held = Some(Done { command: Command::Execute as u16, error, ..Done::plain(kind) });
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
        let nothing = Done { command: Command::Nothing as u16, ..Done::plain(DoneKind::Done) };
        let last = self.held.take().unwrap_or(nothing);
        last.write(&mut self.messages.tokens);
        if std::mem::take(&mut self.truncates) {
            let length = self.messages.tokens.len();
            self.messages.tokens.truncate(length - DONE_TAIL);
        }
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
        let compressed = match self.null_rows {
            NullRows::Never => false,
            NullRows::WhereShorter => saves_by_compression(row, &self.columns),
            NullRows::Random(_) => self.coin.random(),
        };
        if compressed {
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
        let bytes = value::take(&mut rest, column);
        if value::is_null(bytes, column) {
            saved += bytes.len();
        }
    }
    saved > bitmap
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{SqlError, SqlType, Value};

    const MORE: u16 = 1;
    const ERROR: u16 = 2;
    const COUNT: u16 = 0x10;
    const ATTENTION: u16 = 0x20;

    /// Kinds of the tokens of one message, with the status of those that are DONE.
    fn tokens(message: &[u8]) -> Vec<(u8, u16)> {
        let mut rest = &message[8..];
        let mut tokens = Vec::new();
        while let Some(&kind) = rest.first() {
            let word = |at: usize| u16::from_le_bytes([rest[at], rest[at + 1]]);
            let (status, length) = match kind {
                0xFD..=0xFF => (word(1), 13),
                0x79 => (0, 5),
                0xAA | 0xAB | 0xE3 => (0, 3 + usize::from(word(1))),
                // One unnamed int column that may not be NULL, and its rows.
                0x81 => (0, 11),
                0xD1 => (0, 5),
                other => panic!("no such token: {other:#04x}"),
            };
            tokens.push((kind, status));
            rest = &rest[length..];
        }
        tokens
    }

    async fn reply(events: Vec<Event>) -> Vec<(u8, u16)> {
        let mut sent = Vec::new();
        let mut reply =
            ReplyWriter::new(MessageWriter::new(&mut sent, 51), "SIM".into(), NullRows::WhereShorter);
        for event in events {
            reply.event(event).await.unwrap();
        }
        reply.finish().await.unwrap();
        tokens(&sent)
    }

    fn select() -> Vec<Event> {
        let column = ColumnMeta::new("", SqlType::Int, false);
        let mut row = Vec::new();
        value::encode(&Value::Int(1), &column, &mut row);
        vec![
            Event::Columns(vec![column].into()),
            Event::Rows(vec![row.into()]),
            Event::Done { command: Command::Select, rows: Some(1) },
        ]
    }

    #[tokio::test]
    async fn only_the_last_done_of_a_reply_says_that_nothing_follows() {
        let both = [select(), select()].concat();
        let result = [(0x81, 0), (0xD1, 0)];
        let expected = [result.as_slice(), &[(0xFD, MORE | COUNT)], &result, &[(0xFD, COUNT)]].concat();
        assert_eq!(reply(both).await, expected);
        assert_eq!(reply(Vec::new()).await, [(0xFD, 0)]);
        let message = Event::Info(SqlError { class: 0, ..SqlError::statement(0, "done") });
        let printed = [select(), vec![message]].concat();
        assert_eq!(reply(printed).await[2..], [(0xFD, MORE | COUNT), (0xAB, 0), (0xFD, 0)]);
        let victim = Event::Error(SqlError::statement(1205, "victim"));
        let failed = vec![victim, Event::TransactionRolledBack(7), Event::Failed(Command::Nothing)];
        assert_eq!(reply(failed).await, [(0xAA, 0), (0xE3, 0), (0xFD, ERROR)]);
    }

    #[tokio::test]
    async fn a_procedure_ends_its_statements_in_its_own_way() {
        let ended = Event::ProcedureEnded { failed: false };
        let inner = [vec![Event::ProcedureBegan], select(), vec![Event::ReturnStatus(0), ended]];
        let expected = [(0x81, 0), (0xD1, 0), (0xFF, MORE | COUNT), (0x79, 0), (0xFE, 0)];
        assert_eq!(reply(inner.concat()).await, expected);
    }

    #[tokio::test]
    async fn an_attention_cuts_a_reply_in_two() {
        let mut sent = Vec::new();
        let mut reply =
            ReplyWriter::new(MessageWriter::new(&mut sent, 51), "SIM".into(), NullRows::WhereShorter);
        reply.event(Event::ProcedureBegan).await.unwrap();
        reply.event(select().remove(0)).await.unwrap();
        reply.finish_cancelled().await.unwrap();
        reply.acknowledge_attention().await.unwrap();
        let (cut, acknowledgement) = sent.split_at(8 + 11 + 13);
        assert_eq!(tokens(cut), [(0x81, 0), (0xFD, ERROR)]);
        assert_eq!(tokens(acknowledgement), [(0xFD, ATTENTION)]);
    }
}
