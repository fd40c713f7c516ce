//! Packets (2.2.3): an 8-byte header and a part of a message.
//!
//! Every await here may be dropped and taken up again by the next call: what has arrived and what is not sent yet
//! stays in a buffer, so an attention never tears a packet apart. A [`MessageWriter`] sends a packet when it is full and the rest at the end of the message, as the real server
//! does; a client that waits for a half-full packet waits until the message ends.

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::ProtocolError;

const HEADER: usize = 8;
const STATUS_END_OF_MESSAGE: u8 = 0x01;
const REPLY: u8 = 4;
/// Packet size until the login has agreed on another.
pub const DEFAULT_PACKET_SIZE: usize = 4096;

/// What a client's message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageType {
    /// T-SQL text.
    SqlBatch,
    /// A procedure call.
    Rpc,
    /// Cancel the running request.
    Attention,
    /// Begin, commit, roll back.
    TransactionManager,
    /// LOGIN7.
    Login,
    /// PRELOGIN.
    PreLogin,
}

impl MessageType {
    fn from_byte(byte: u8) -> Result<Self, ProtocolError> {
        Ok(match byte {
            1 => Self::SqlBatch,
            3 => Self::Rpc,
            6 => Self::Attention,
            14 => Self::TransactionManager,
            16 => Self::Login,
            18 => Self::PreLogin,
            7 => return Err(ProtocolError::Unsupported("bulk load".into())),
            other => {
                return Err(ProtocolError::Invalid { field: "packet type", found: format!("{other:#04x}") });
            }
        })
    }
}

/// A whole message.
#[derive(Clone, Debug)]
pub struct Message {
    /// What it is.
    pub kind: MessageType,
    /// Status of its last packet.
    status: u8,
    /// Its packets' bodies, joined.
    pub body: Vec<u8>,
}

impl Message {
    /// The client took the message back while sending it; it is answered, not run.
    pub fn is_ignored(&self) -> bool {
        self.status & 0x02 != 0
    }

    /// The session starts afresh before this message runs.
    pub fn resets_session(&self) -> bool {
        self.status & 0x18 != 0
    }
}

/// Reads messages.
#[derive(Debug)]
pub struct MessageReader<R> {
    stream: R,
    buffer: BytesMut,
    partial: Option<Message>,
}

impl<R: AsyncRead + Unpin> MessageReader<R> {
    /// Reads from `stream`.
    pub fn new(stream: R) -> Self {
        Self { stream, buffer: BytesMut::new(), partial: None }
    }

    /// The next message; None when the client has closed the connection between messages.
    pub async fn next(&mut self) -> Result<Option<Message>, ProtocolError> {
        loop {
            while let Some(message) = self.take_packet()? {
                if message.status & STATUS_END_OF_MESSAGE != 0 {
                    return Ok(Some(message));
                }
                self.partial = Some(message);
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return if self.buffer.is_empty() && self.partial.is_none() {
                    Ok(None)
                } else {
                    Err(ProtocolError::Truncated { field: "a packet" })
                };
            }
        }
    }

    /// The message so far with the buffer's first packet joined to it; None until that packet is complete.
    fn take_packet(&mut self) -> Result<Option<Message>, ProtocolError> {
        let Some(header) = self.buffer.first_chunk::<HEADER>() else { return Ok(None) };
        let (kind, status) = (MessageType::from_byte(header[0])?, header[1]);
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if length < HEADER {
            return Err(ProtocolError::Invalid { field: "packet length", found: length.to_string() });
        }
        if self.buffer.len() < length {
            return Ok(None);
        }
        let mut message = self.partial.take().unwrap_or(Message { kind, status, body: Vec::new() });
        if message.kind != kind {
            let found = format!("{kind:?} inside {:?}", message.kind);
            return Err(ProtocolError::Invalid { field: "packet type", found });
        }
        message.status = status;
        message.body.extend_from_slice(&self.buffer[HEADER..length]);
        self.buffer.advance(length);
        Ok(Some(message))
    }
}

/// Writes replies.
#[derive(Debug)]
pub struct MessageWriter<W> {
    stream: W,
    packet_size: usize,
    spid: u16,
    packet_id: u8,
    /// Tokens that are not in a packet yet.
    pub tokens: Vec<u8>,
    packets: BytesMut,
}

impl<W: AsyncWrite + Unpin> MessageWriter<W> {
    /// Writes to `stream` as session `spid`.
    pub fn new(stream: W, spid: u16) -> Self {
        let packet_size = DEFAULT_PACKET_SIZE;
        Self { stream, packet_size, spid, packet_id: 0, tokens: Vec::new(), packets: BytesMut::new() }
    }

    /// The packet size of the next messages.
    pub fn set_packet_size(&mut self, packet_size: usize) {
        self.packet_size = packet_size;
    }

    /// Sends the packets that [`Self::tokens`] fills; the end of a message is never among them.
    pub async fn send_full(&mut self) -> Result<(), ProtocolError> {
        let capacity = self.packet_size - HEADER;
        if self.tokens.len() <= capacity {
            return Ok(());
        }
        let tokens = std::mem::take(&mut self.tokens);
        let mut rest = tokens.as_slice();
        while rest.len() > capacity {
            let (body, tail) = rest.split_at(capacity);
            self.add_packet(body, 0);
            rest = tail;
        }
        self.tokens.extend_from_slice(rest);
        self.write_packets().await
    }

    /// Sends what is left and ends the message.
    pub async fn finish(&mut self) -> Result<(), ProtocolError> {
        self.send_full().await?;
        let tokens = std::mem::take(&mut self.tokens);
        self.add_packet(&tokens, STATUS_END_OF_MESSAGE);
        self.packet_id = 0;
        self.write_packets().await?;
        Ok(self.stream.flush().await?)
    }

    fn add_packet(&mut self, body: &[u8], status: u8) {
        self.packet_id = self.packet_id.wrapping_add(1);
        let length = u16::try_from(HEADER + body.len()).expect("a packet holds at most 32767 bytes");
        self.packets.extend_from_slice(&[REPLY, status]);
        self.packets.extend_from_slice(&length.to_be_bytes());
        self.packets.extend_from_slice(&self.spid.to_be_bytes());
        self.packets.extend_from_slice(&[self.packet_id, 0]);
        self.packets.extend_from_slice(body);
    }

    async fn write_packets(&mut self) -> Result<(), ProtocolError> {
        while self.packets.has_remaining() {
            if self.stream.write_buf(&mut self.packets).await? == 0 {
                return Err(std::io::Error::from(std::io::ErrorKind::WriteZero).into());
            }
        }
        Ok(())
    }
}
