//! A session: packets out, packets in.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::answer::Answer;
use super::login::{self, Login};
use super::request::{self, Kind, Parameter, TransactionRequest};
use super::token::{self, Token};

const HEADER: usize = 8;
const LAST_PACKET: u8 = 0x01;
const RESET: u8 = 0x08;
const RESET_KEEPING_TRANSACTION: u8 = 0x10;
const PACKET_SIZE: usize = 4096;
/// A reply that takes longer is a hang.
const DEADLINE: Duration = Duration::from_secs(60);

/// A connection that has logged in.
#[derive(Debug)]
pub(crate) struct Session {
    stream: TcpStream,
    /// The transaction under way, as the server named it; 0 for none.
    descriptor: u64,
    /// Status of the next request's packets beyond the end of the message.
    reset: u8,
    /// What the login was answered.
    pub(crate) greeting: Answer,
}

impl Session {
    /// Connects and logs in.
    ///
    /// # Errors
    /// The answer, if it is not an acknowledgement.
    pub(crate) async fn log_in(login: &Login) -> Result<Self, Answer> {
        let stream = TcpStream::connect((login.host.as_str(), login.port)).await;
        let stream = stream.unwrap_or_else(|error| panic!("{}:{}: {error}", login.host, login.port));
        stream.set_nodelay(true).expect("a socket takes TCP_NODELAY");
        let mut session = Self { stream, descriptor: 0, reset: 0, greeting: Answer::default() };
        session.send(Kind::Prelogin, &login::prelogin()).await;
        session.message().await.expect("PRELOGIN is answered");
        let packet_size = u32::try_from(PACKET_SIZE).expect("it is small");
        session.send(Kind::Login, &login::login7(login, packet_size)).await;
        let greeting = session.answer().await;
        if !greeting.tokens.iter().any(|token| matches!(token, Token::LoginAck(_))) {
            return Err(greeting);
        }
        session.greeting = greeting;
        Ok(session)
    }

    /// Has the session start afresh before the next request runs, as connection pools do.
    pub(crate) fn reset_with_next_request(&mut self, keeps_transaction: bool) {
        self.reset = if keeps_transaction { RESET_KEEPING_TRANSACTION } else { RESET };
        if !keeps_transaction {
            self.descriptor = 0;
        }
    }

    /// Runs a batch and reads its answer.
    pub(crate) async fn batch(&mut self, sql: &str) -> Answer {
        self.start(sql).await;
        self.answer().await
    }

    /// Runs a batch that must succeed.
    pub(crate) async fn run(&mut self, sql: &str) -> Answer {
        let answer = self.batch(sql).await;
        assert!(answer.errors().is_empty() && !answer.closed, "{sql}\n{:#?}", answer.lines());
        answer
    }

    /// Sends a batch; its answer is read by [`Self::answer`].
    pub(crate) async fn start(&mut self, sql: &str) {
        let mut body = request::headers(self.descriptor);
        request::batch(sql, &mut body);
        self.send(Kind::Batch, &body).await;
    }

    /// Calls a procedure.
    pub(crate) async fn call(&mut self, procedure: &str, parameters: &[Parameter]) -> Answer {
        let mut body = request::headers(self.descriptor);
        request::call(procedure, parameters, &mut body);
        self.send(Kind::Call, &body).await;
        self.answer().await
    }

    /// Has the transaction manager do something.
    pub(crate) async fn transaction(&mut self, request: TransactionRequest) -> Answer {
        let mut body = request::headers(self.descriptor);
        request::transaction(request, &mut body);
        self.send(Kind::Transaction, &body).await;
        self.answer().await
    }

    /// Cancels what runs; the answer ends with the acknowledgement, in however many messages.
    pub(crate) async fn cancel(&mut self) -> Answer {
        self.send(Kind::Attention, &[]).await;
        let mut whole = Answer::default();
        loop {
            let part = self.answer().await;
            let acknowledged = part
                .tokens
                .iter()
                .any(|token| matches!(token, Token::Done(done) if done.acknowledges_attention()));
            whole.tokens.extend(part.tokens);
            whole.closed = part.closed;
            if acknowledged || whole.closed {
                return whole;
            }
        }
    }

    /// Reads an answer: one message.
    pub(crate) async fn answer(&mut self) -> Answer {
        let message = match timeout(DEADLINE, self.message()).await {
            Ok(Ok(message)) => message,
            Ok(Err(_)) => return Answer { closed: true, ..Answer::default() },
            Err(_) => panic!("no answer within {DEADLINE:?}"),
        };
        let tokens = token::read_all(&message);
        for token in &tokens {
            if let Token::Environment(change) = token {
                self.descriptor = change.transaction.unwrap_or(self.descriptor);
            }
        }
        check_done_bits(&tokens);
        Answer { tokens, closed: false }
    }

    async fn send(&mut self, kind: Kind, body: &[u8]) {
        let mut packets: Vec<&[u8]> = body.chunks(PACKET_SIZE - HEADER).collect();
        if packets.is_empty() {
            packets.push(&[]);
        }
        let reset = std::mem::take(&mut self.reset);
        let mut bytes = Vec::with_capacity(body.len() + HEADER * packets.len());
        for (index, packet) in packets.iter().enumerate() {
            let last = if index + 1 == packets.len() { LAST_PACKET } else { 0 };
            let status = last | if index == 0 { reset } else { 0 };
            let length = u16::try_from(packet.len() + HEADER).expect("a packet is short");
            bytes.extend([kind as u8, status]);
            bytes.extend(length.to_be_bytes());
            bytes.extend([0, 0, u8::try_from((index + 1) % 256).expect("a remainder fits"), 0]);
            bytes.extend(*packet);
        }
        self.stream.write_all(&bytes).await.expect("the server takes a request");
    }

    async fn message(&mut self) -> io::Result<Vec<u8>> {
        let mut message = Vec::new();
        loop {
            let mut header = [0; HEADER];
            self.stream.read_exact(&mut header).await?;
            let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
            let start = message.len();
            message.resize(start + length - HEADER, 0);
            self.stream.read_exact(&mut message[start..]).await?;
            if header[1] & LAST_PACKET != 0 {
                return Ok(message);
            }
        }
    }
}

/// Every DONE but a message's last says that more follows.
fn check_done_bits(tokens: &[Token]) {
    let last = tokens.len() - 1;
    for (index, token) in tokens.iter().enumerate() {
        if let Token::Done(done) = token {
            assert_eq!(done.is_last(), index == last, "token {index} of {tokens:#?}");
        }
    }
    assert!(matches!(tokens[last], Token::Done(_)), "a message ends in DONE: {tokens:#?}");
}
