//! One client's connection: login, then requests one after the other, each with an ear on the line for an
//! attention.
//!
//! A request runs as two futures, the session that produces events and the reply that writes them, joined by a small
//! channel. An attention, or the client going away, drops both at their next await; [`Session::cancel`] then undoes
//! the statement that was cut short.

use std::pin::pin;
use std::sync::Arc;

use tokio::io::{ReadHalf, WriteHalf};
use tokio::sync::mpsc;

use super::event::{Command, Event, Events};
use super::handshake::{self, Greeting};
use super::reply::ReplyWriter;
use super::{Ending, Session};
use crate::exec::conversion::type_name;
use crate::faults::{Effect, FaultyStream, Line, Meeting, Socket, Struck};
use crate::server::{AttentionReply, NullRows, Shared};
use crate::types::{Reach, SqlError};
use crate::wire::login;
use crate::wire::packet::{Message, MessageReader, MessageType, MessageWriter};
use crate::wire::request::{self, Request, RequestKind};
use crate::wire::tls::Transport;
use crate::wire::token::{self, Done, DoneKind};
use crate::wire::{ArgumentFault, ProtocolError};

type Stream<S> = Transport<FaultyStream<S>>;
type Writer<S> = MessageWriter<WriteHalf<Stream<S>>>;

/// Serves a connection until the client leaves, a protocol error, or an error that closes it.
pub(crate) async fn serve<S>(stream: S, shared: Arc<Shared>) -> Result<(), ProtocolError>
where
    S: Socket,
{
    let spid = shared.next_spid();
    let line = shared.faults.open_line(Arc::clone(&shared.tally));
    let mut stream = FaultyStream::new(stream, Arc::clone(&line));
    let Ok(manners) = line.meet(Meeting::Connect).await else {
        stream.end();
        return Ok(());
    };
    let manners = Manners::of(&manners);
    stream.throttle(manners.rate);
    let tls = shared.tls().filter(|_| !manners.denies_tls);
    let greeting = handshake::receive_login(stream, tls.as_ref(), spid).await?;
    let Some(Greeting { login, transport }) = greeting else { return Ok(()) };
    let (read, write) = tokio::io::split(transport);
    let reader = MessageReader::new(read);
    let mut writer = MessageWriter::new(write, spid);
    writer.limit_packets(manners.packet_body);
    let session = match line.meet(Meeting::Login).await {
        Ok(_) => Session::log_in(&shared, &login, spid, Arc::clone(&line)),
        Err(Struck::Error(error)) => Err(vec![error]),
        // Nothing can be said any more, which is what happens.
        Err(Struck::Cut) => Err(Vec::new()),
    };
    let session = match session {
        Ok(session) => session,
        Err(errors) => return refuse_login(writer, &errors, &shared).await,
    };
    login::accept(&login, &session.database_name(), &shared.server_name(), &mut writer.tokens);
    Done::plain(DoneKind::Done).write(&mut writer.tokens);
    writer.finish().await?;
    writer.set_packet_size(login.packet_size);

    let options = &shared.options;
    let null_rows = if manners.mixes_rows { NullRows::Random(line.chance()) } else { options.null_rows };
    let reply = ReplyWriter::new(writer, shared.server_name(), null_rows);
    let presence = session.presence();
    let attention = options.attention_reply;
    let connection = Connection { line, reader, reply, session, attention, queued: None };
    tokio::select! {
        served = connection.run() => served,
        () = presence.ended() => Ok(()),
    }
}

async fn refuse_login<S: Socket>(
    mut writer: Writer<S>,
    errors: &[SqlError],
    shared: &Shared,
) -> Result<(), ProtocolError> {
    for error in errors {
        token::message(error, &shared.server_name(), &mut writer.tokens);
    }
    Done { error: true, ..Done::plain(DoneKind::Done) }.write(&mut writer.tokens);
    writer.finish().await
}

/// How a connection behaves all through, by its faults.
#[derive(Clone, Copy, Debug, Default)]
struct Manners {
    /// Bytes per second.
    rate: Option<u64>,
    /// Bytes in a packet at most; 0 for an empty packet before every full one.
    packet_body: Option<usize>,
    mixes_rows: bool,
    denies_tls: bool,
}

impl Manners {
    fn of(effects: &[Effect]) -> Self {
        let mut manners = Self::default();
        for effect in effects {
            match effect {
                Effect::Throttle(rate) => manners.rate = Some(*rate),
                Effect::Packets(body) => manners.packet_body = Some(*body),
                Effect::MixRows => manners.mixes_rows = true,
                Effect::DenyTls => manners.denies_tls = true,
                _ => {}
            }
        }
        manners
    }
}

struct Connection<S> {
    line: Arc<Line>,
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
    /// The client took a bulk load back while sending it.
    Ignored,
    ClientGone,
    /// Another session killed this one.
    Killed,
}

/// Where the packets of a bulk load go; none when no load wants any more.
type Feed = Option<mpsc::Sender<Message>>;

impl<S: Socket> Connection<S> {
    async fn run(mut self) -> Result<(), ProtocolError> {
        while let Some(message) = self.next_message().await? {
            if self.answer(message).await? == Ending::Close {
                break;
            }
        }
        Ok(())
    }

    /// The client's next message; none when it has left or was killed.
    async fn next_message(&mut self) -> Result<Option<Message>, ProtocolError> {
        if let Some(message) = self.queued.take() {
            return Ok(Some(message));
        }
        let presence = self.session.presence();
        tokio::select! {
            biased;
            () = presence.killed() => Ok(None),
            message = self.reader.next() => message,
        }
    }

    async fn answer(&mut self, message: Message) -> Result<Ending, ProtocolError> {
        if message.kind == MessageType::Attention {
            self.session.abandon_load();
            self.reply.acknowledge_attention().await?;
            return Ok(Ending::Open);
        }
        if message.is_ignored() {
            self.session.abandon_load();
            self.reply.finish_cancelled().await?;
            return Ok(Ending::Open);
        }
        if message.resets_session() {
            if let Err(error) = self.session.reset(message.keeps_transaction()) {
                self.refuse(error).await?;
                return Ok(Ending::Close);
            }
            token::environment_bytes(token::ENV_RESET, &[], &[], &mut self.reply.messages().tokens);
        }
        if message.kind == MessageType::BulkLoad {
            return self.answer_load(message).await;
        }
        let request = match request::read(&message) {
            Ok(request) => request,
            Err(error) => return self.refuse(refusal(error)?).await,
        };
        match self.refuse_unexpected(&request) {
            None => self.answer_request(request, None).await,
            Some(error) => self.refuse(error).await,
        }
    }

    /// Answers a request that does not run.
    async fn refuse(&mut self, error: SqlError) -> Result<Ending, ProtocolError> {
        let rolls_back = error.reach == Reach::Transaction;
        self.reply.event(Event::Error(error)).await?;
        if let Some(descriptor) = rolls_back.then(|| self.session.abandon_transaction()).flatten() {
            self.reply.event(Event::TransactionRolledBack(descriptor)).await?;
        }
        self.reply.event(Event::Failed(Command::Nothing)).await?;
        self.reply.finish().await?;
        Ok(Ending::Open)
    }

    /// What speaks against a request where it comes.
    fn refuse_unexpected(&mut self, request: &Request) -> Option<SqlError> {
        if let Some(error) = self.session.abandon_load() {
            return Some(error);
        }
        if self.session.knows_transaction(request.transaction) {
            return None;
        }
        let message =
            "New request is not allowed to start because it should come with valid transaction descriptor.";
        Some(SqlError::batch(3989, message))
    }

    /// Takes a bulk load, of which the first packet is there.
    async fn answer_load(&mut self, first: Message) -> Result<Ending, ProtocolError> {
        if !self.session.expects_load() {
            let found = "rows of a bulk load that was not announced".into();
            return Err(ProtocolError::Invalid { field: "packet type", found });
        }
        let (feed, packets) = mpsc::channel(1);
        self.queued = Some(first);
        let request = Request { transaction: 0, kind: RequestKind::Load(packets) };
        self.answer_request(request, Some(feed)).await
    }

    async fn answer_request(&mut self, request: Request, feed: Feed) -> Result<Ending, ProtocolError> {
        self.line.begin_request();
        match self.line.meet(Meeting::Request).await {
            Ok(effects) if effects.contains(&Effect::TruncateDone) => self.reply.truncate(),
            Ok(_) => {}
            Err(Struck::Error(error)) => {
                let closes = error.reach == Reach::Connection;
                self.refuse(error).await?;
                return Ok(if closes { Ending::Close } else { Ending::Open });
            }
            Err(Struck::Cut) => {
                self.reply.finish().await?;
                return Ok(Ending::Close);
            }
        }
        match self.run_request(request, feed).await? {
            Outcome::Completed(ending) => {
                self.reply.finish().await?;
                return Ok(ending);
            }
            Outcome::Cancelled => self.answer_cancelled().await?,
            Outcome::Ignored => {
                self.session.cancel();
                self.reply.finish_cancelled().await?;
            }
            Outcome::ClientGone => return Ok(Ending::Close),
            Outcome::Killed => {
                let error = self.session.die();
                self.refuse(error).await?;
                return Ok(Ending::Close);
            }
        }
        Ok(Ending::Open)
    }

    async fn run_request(&mut self, request: Request, mut feed: Feed) -> Result<Outcome, ProtocolError> {
        let (events, mut received) = Events::channel();
        let (reply, presence) = (&mut self.reply, self.session.presence());
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
                finished = &mut work => return Ok(Outcome::Completed(finished?.0)),
                () = presence.killed() => return Ok(Outcome::Killed),
                () = pass_on(&mut feed, &mut self.queued), if feed.is_some() && self.queued.is_some() => {}
                message = self.reader.next(), if self.queued.is_none() => match message? {
                    Some(message) if message.kind == MessageType::Attention => return Ok(Outcome::Cancelled),
                    Some(message) if feed.is_none() => self.queued = Some(message),
                    Some(message) if message.kind != MessageType::BulkLoad => {
                        let found = format!("{:?} inside a bulk load", message.kind);
                        return Err(ProtocolError::Invalid { field: "packet type", found });
                    }
                    Some(packet) if packet.is_ignored() => return Ok(Outcome::Ignored),
                    Some(packet) => self.queued = Some(packet),
                    None => return Ok(Outcome::ClientGone),
                },
            }
        }
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

/// What the client is told of a request that cannot be read; else the connection is over.
fn refusal(error: ProtocolError) -> Result<SqlError, ProtocolError> {
    const CALL: &str =
        "The incoming tabular data stream (TDS) remote procedure call (RPC) protocol stream is incorrect.";
    let (number, message) = match error {
        ProtocolError::Unsupported(construct) => return Ok(SqlError::unsupported(construct)),
        ProtocolError::Truncated { .. } => {
            let message = "The incoming tabular data stream (TDS) protocol stream is incorrect. The stream ended unexpectedly.";
            (4002, message.to_owned())
        }
        ProtocolError::Argument { number, name, fault: ArgumentFault::Type(token) } => {
            let fault = format!("Data type 0x{token:02X} has an invalid data length or metadata length.");
            (8016, format!("{CALL} Parameter {number} (\"{name}\"): {fault}"))
        }
        ProtocolError::Argument { number, name, fault: ArgumentFault::Value(sql_type) } => {
            let fault = format!(
                "The supplied value is not a valid instance of data type {}. Check the source data for invalid \
                 values. An example of an invalid value is data of numeric type with scale greater than precision.",
                type_name(sql_type)
            );
            (8023, format!("{CALL} Parameter {number} (\"{name}\"): {fault}"))
        }
        other => return Err(other),
    };
    Ok(SqlError { reach: Reach::Transaction, line: 1, ..SqlError::statement(number, message) })
}

/// Hands the packet that waits to the load as soon as it takes one.
async fn pass_on(feed: &mut Feed, queued: &mut Option<Message>) {
    let Some(sender) = feed.clone() else { return };
    let permit = sender.reserve_owned().await;
    let Some(packet) = queued.take() else { return };
    let last = packet.is_complete();
    if let Ok(permit) = permit {
        permit.send(packet);
    }
    if last {
        *feed = None;
    }
}
