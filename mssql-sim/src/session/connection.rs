//! One client's connection: login, then requests one after the other, each with an ear on the line for an
//! attention.
//!
//! A request runs as two futures, the session that produces events and the reply that writes them, joined by a small
//! channel. An attention, or the client going away, drops both at their next await; [`Session::cancel`] then undoes
//! the statement that was cut short.

use std::pin::pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf};

use super::event::{Event, Events};
use super::handshake::{self, Greeting};
use super::reply::ReplyWriter;
use super::{Ending, Session};
use crate::faults::FaultyStream;
use crate::server::{AttentionReply, Shared};
use crate::types::{Reach, SqlError};
use crate::wire::login;
use crate::wire::packet::{Message, MessageReader, MessageType, MessageWriter};
use crate::wire::request;
use crate::wire::tls::Transport;
use crate::wire::token::{self, Done, DoneKind};
use crate::wire::{ProtocolError, request::Request};

type Stream<S> = Transport<FaultyStream<S>>;
type Writer<S> = MessageWriter<WriteHalf<Stream<S>>>;

/// Serves a connection until the client leaves, a protocol error, or an error that closes it.
pub(crate) async fn serve<S>(stream: S, shared: Arc<Shared>) -> Result<(), ProtocolError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let spid = shared.next_spid();
    let stream = FaultyStream::new(stream, shared.faults.clone());
    let greeting = handshake::receive_login(stream, shared.tls().as_ref(), spid).await?;
    let Some(Greeting { login, transport }) = greeting else { return Ok(()) };
    let (read, write) = tokio::io::split(transport);
    let reader = MessageReader::new(read);
    let mut writer = MessageWriter::new(write, spid);
    let session = match Session::log_in(&shared, &login, spid) {
        Ok(session) => session,
        Err(errors) => return refuse_login(writer, &errors, &shared).await,
    };
    login::accept(&login, &session.database_name(), &shared.options.server_name, &mut writer.tokens);
    Done::plain(DoneKind::Done).write(&mut writer.tokens);
    writer.finish().await?;
    writer.set_packet_size(login.packet_size);

    let options = &shared.options;
    let reply = ReplyWriter::new(writer, options.server_name.clone(), options.compress_nulls);
    Connection { reader, reply, session, attention: options.attention_reply, queued: None }.run().await
}

async fn refuse_login<S: AsyncRead + AsyncWrite + Unpin>(
    mut writer: Writer<S>,
    errors: &[SqlError],
    shared: &Shared,
) -> Result<(), ProtocolError> {
    for error in errors {
        token::message(error, &shared.options.server_name, &mut writer.tokens);
    }
    Done { error: true, ..Done::plain(DoneKind::Done) }.write(&mut writer.tokens);
    writer.finish().await
}

struct Connection<S> {
    reader: MessageReader<ReadHalf<Stream<S>>>,
    reply: ReplyWriter<WriteHalf<Stream<S>>>,
    session: Session,
    attention: AttentionReply,
    /// A request that arrived while another was running.
    queued: Option<Message>,
}

/// How a request's run came to its end.
enum Outcome {
    Completed(Ending),
    Cancelled,
    ClientGone,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    async fn run(mut self) -> Result<(), ProtocolError> {
        while let Some(message) = self.next_message().await? {
            if message.kind == MessageType::Attention {
                self.reply.acknowledge_attention().await?;
                continue;
            }
            if message.is_ignored() {
                self.reply.finish_cancelled().await?;
                continue;
            }
            if message.resets_session() {
                if let Err(error) = self.session.reset(message.keeps_transaction()) {
                    return self.reply.refuse(error).await;
                }
                token::environment_bytes(token::ENV_RESET, &[], &[], &mut self.reply.messages().tokens);
            }
            let request = match request::read(&message) {
                Ok(request) => request,
                Err(ProtocolError::Unsupported(construct)) => {
                    self.reply.refuse(SqlError::unsupported(construct)).await?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            if !self.session.knows_transaction(request.transaction) {
                self.reply.refuse(stale_descriptor(request.transaction)).await?;
                continue;
            }
            match self.run_request(request).await? {
                Outcome::Completed(Ending::Open) => self.reply.finish().await?,
                Outcome::Completed(Ending::Close) => return self.reply.finish().await,
                Outcome::Cancelled => self.answer_cancelled().await?,
                Outcome::ClientGone => return Ok(()),
            }
        }
        Ok(())
    }

    async fn next_message(&mut self) -> Result<Option<Message>, ProtocolError> {
        match self.queued.take() {
            Some(message) => Ok(Some(message)),
            None => self.reader.next().await,
        }
    }

    async fn run_request(&mut self, request: Request) -> Result<Outcome, ProtocolError> {
        let (events, mut received) = Events::channel();
        let outcome = {
            let reply = &mut self.reply;
            let writing = async move {
                while let Some(event) = received.recv().await {
                    reply.event(event).await?;
                }
                Ok::<(), ProtocolError>(())
            };
            let running = async { Ok(self.session.run(request, events).await) };
            let mut work = pin!(async { tokio::try_join!(running, writing) });
            loop {
                // In this order, so that a run on one thread can be repeated.
                tokio::select! {
                    biased;
                    finished = &mut work => break Outcome::Completed(finished?.0),
                    message = self.reader.next(), if self.queued.is_none() => match message? {
                        Some(message) if message.kind == MessageType::Attention => break Outcome::Cancelled,
                        Some(message) => self.queued = Some(message),
                        None => break Outcome::ClientGone,
                    },
                }
            }
        };
        Ok(outcome)
    }

    async fn answer_cancelled(&mut self) -> Result<(), ProtocolError> {
        if let Some(descriptor) = self.session.cancel() {
            self.reply.event(Event::TransactionRolledBack(descriptor)).await?;
        }
        if self.attention == AttentionReply::TwoMessages {
            self.reply.finish_cancelled().await?;
        }
        self.reply.acknowledge_attention().await
    }
}

/// The client names a transaction that the server does not have: its book-keeping of ENVCHANGE is wrong.
fn stale_descriptor(descriptor: u64) -> SqlError {
    let message = format!(
        "The request names transaction {descriptor:#018x}, which is not this session's current transaction; \
         a client has to follow the transaction ENVCHANGE tokens."
    );
    SqlError { reach: Reach::Batch, ..SqlError::statement(3989, message) }
}
