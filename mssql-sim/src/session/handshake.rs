//! From a client's first byte to its LOGIN7: PRELOGIN, the TLS handshake, and what of the rest is encrypted.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::wire::ProtocolError;
use crate::wire::login::{self, Login};
use crate::wire::packet::{Message, MessageReader, MessageType, MessageWriter};
use crate::wire::prelogin::{self, Policy, Protection};
use crate::wire::tls::{Tls, Transport};

/// Patience with a client that does not log in.
const LOGIN_PATIENCE: Duration = Duration::from_secs(30);

/// A client that wants in.
pub(super) struct Greeting<S> {
    pub(super) login: Login,
    /// What carries the connection from here on.
    pub(super) transport: Transport<S>,
}

/// Waits for a client's LOGIN7; None when it leaves before, or when one side wants more encryption than the other has.
///
/// # Errors
/// Bytes that are no login, a TLS handshake that fails, a client that takes too long.
pub(super) async fn receive_login<S>(
    stream: S,
    tls: Option<&Tls>,
    spid: u16,
) -> Result<Option<Greeting<S>>, ProtocolError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let greeting = Box::pin(greet(stream, tls, spid));
    let in_time = tokio::time::timeout(LOGIN_PATIENCE, greeting).await;
    in_time.map_err(|_| ProtocolError::Idle { patience: LOGIN_PATIENCE })?
}

async fn greet<S>(mut stream: S, tls: Option<&Tls>, spid: u16) -> Result<Option<Greeting<S>>, ProtocolError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let policy = match tls {
        None => Policy::Unavailable,
        Some(Tls { forced: false, .. }) => Policy::Available,
        Some(Tls { forced: true, .. }) => Policy::Forced,
    };
    let Some(first) = next_message(&mut stream).await? else { return Ok(None) };
    if first.kind == MessageType::Login {
        // A client without PRELOGIN is one that knows no TLS.
        let (_, protection) = prelogin::negotiate(prelogin::Encryption::NotSupported, policy);
        return protection.map(|_| read_login(&first, Transport::Clear(stream))).transpose();
    }
    let asked = prelogin::requested_encryption(expect(&first, MessageType::PreLogin)?)?;
    let (answer, protection) = prelogin::negotiate(asked, policy);
    tracing::debug!(?asked, ?answer, "prelogin");
    let mut writer = MessageWriter::new(&mut stream, spid);
    writer.tokens = prelogin::answer(answer);
    writer.finish().await?;

    let mut transport = match (protection, tls) {
        (None, _) => return Ok(None),
        (Some(Protection::Login | Protection::Everything), Some(tls)) => {
            Transport::protect(stream, &tls.identity).await?
        }
        _ => Transport::Clear(stream),
    };
    let Some(second) = next_message(&mut transport).await? else { return Ok(None) };
    if protection == Some(Protection::Login) {
        transport = transport.unprotect();
    }
    read_login(&second, transport).map(Some)
}

/// The next message of a client that waits for an answer behind it, so that no byte of a later one is taken.
async fn next_message<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Option<Message>, ProtocolError> {
    let mut reader = MessageReader::new(stream);
    let message = reader.next().await?;
    if reader.has_more() {
        let found = "bytes before the answer".into();
        return Err(ProtocolError::Invalid { field: "message before login", found });
    }
    Ok(message)
}

fn read_login<S>(message: &Message, transport: Transport<S>) -> Result<Greeting<S>, ProtocolError> {
    let login = login::read(expect(message, MessageType::Login)?)?;
    Ok(Greeting { login, transport })
}

fn expect(message: &Message, kind: MessageType) -> Result<&[u8], ProtocolError> {
    if message.kind == kind {
        return Ok(&message.body);
    }
    Err(ProtocolError::Invalid { field: "message before login", found: format!("{:?}", message.kind) })
}
