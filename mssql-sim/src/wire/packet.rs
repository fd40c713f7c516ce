//! Packets (2.2.3): an 8-byte header and a part of a message.
//!
//! Every await here may be dropped and taken up again by the next call: what has arrived and what is not sent yet
//! stays in a buffer, so an attention never tears a packet apart. A [`MessageWriter`] sends a packet when it is full and the rest at the end of the message, as the real server
//! does; a client that waits for a half-full packet waits until the message ends.

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::ProtocolError;

/// Bytes of a packet's header.
pub(super) const HEADER: usize = 8;
/// Status of a message's last packet.
pub(super) const STATUS_END_OF_MESSAGE: u8 = 0x01;
/// Type of the packets of PRELOGIN and of the TLS handshake.
pub(super) const PRELOGIN: u8 = 18;
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
    /// A packet with rows of a bulk load; it may be one of many.
    BulkLoad,
}

impl MessageType {
    fn from_byte(byte: u8) -> Result<Self, ProtocolError> {
        Ok(match byte {
            1 => Self::SqlBatch,
            3 => Self::Rpc,
            6 => Self::Attention,
            7 => Self::BulkLoad,
            14 => Self::TransactionManager,
            16 => Self::Login,
            PRELOGIN => Self::PreLogin,
            other => {
                return Err(ProtocolError::Invalid { field: "packet type", found: format!("{other:#04x}") });
            }
        })
    }
}

/// A whole message, or one packet of a bulk load.
#[derive(Clone, Debug)]
pub struct Message {
    /// What it is.
    pub kind: MessageType,
    /// Statuses of its packets.
    status: u8,
    /// Its packets' bodies, joined.
    pub body: Vec<u8>,
}

impl Message {
    /// Nothing of it follows.
    pub fn is_complete(&self) -> bool {
        self.status & STATUS_END_OF_MESSAGE != 0
    }

    /// The client took the message back while sending it; it is answered, not run.
    pub fn is_ignored(&self) -> bool {
        self.status & 0x02 != 0
    }

    /// The session starts afresh before this message runs.
    pub fn resets_session(&self) -> bool {
        self.status & 0x18 != 0
    }

    /// A reset leaves the transaction as it is.
    pub fn keeps_transaction(&self) -> bool {
        self.status & 0x10 != 0
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
                if message.is_complete() || message.kind == MessageType::BulkLoad {
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

    /// Whether more has arrived than the messages that were taken.
    pub fn has_more(&self) -> bool {
        !self.buffer.is_empty()
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
        // A reset stands in the first packet only, the end of the message in the last.
        message.status |= status;
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
    /// Bytes in a packet at most, beyond what its size says; 0 for an empty packet before every full one.
    body_limit: Option<usize>,
}

impl<W: AsyncWrite + Unpin> MessageWriter<W> {
    /// Writes to `stream` as session `spid`.
    pub fn new(stream: W, spid: u16) -> Self {
        let packet_size = DEFAULT_PACKET_SIZE;
        Self {
            stream,
            packet_size,
            spid,
            packet_id: 0,
            tokens: Vec::new(),
            packets: BytesMut::new(),
            body_limit: None,
        }
    }

    /// The packet size of the next messages.
    pub fn set_packet_size(&mut self, packet_size: usize) {
        self.packet_size = packet_size;
    }

    /// Holds packets shorter than they might be, as a server may: at most so many bytes each; with 0 an empty one
    /// stands before every full one.
    pub fn limit_packets(&mut self, body: Option<usize>) {
        self.body_limit = body;
    }

    fn capacity(&self) -> usize {
        let full = self.packet_size - HEADER;
        self.body_limit.filter(|limit| *limit > 0).map_or(full, |limit| full.min(limit))
    }

    /// Sends the packets that [`Self::tokens`] fills; the end of a message is never among them.
    pub async fn send_full(&mut self) -> Result<(), ProtocolError> {
        let capacity = self.capacity();
        if self.tokens.len() <= capacity {
            return Ok(());
        }
        let tokens = std::mem::take(&mut self.tokens);
        let mut rest = tokens.as_slice();
        while rest.len() > capacity {
            let (body, tail) = rest.split_at(capacity);
            if self.body_limit == Some(0) {
                self.add_packet(&[], 0);
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(kind: u8, status: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(HEADER + body.len()).unwrap().to_be_bytes();
        [&[kind, status], length.as_slice(), &[0, 0, 1, 0], body].concat()
    }

    #[tokio::test]
    async fn a_message_arrives_in_whatever_pieces() {
        let bytes = [packet(1, 0, b"one "), packet(1, 1, b"message"), packet(6, 1, b"")].concat();
        let (mut client, server) = tokio::io::duplex(1);
        let sender = tokio::spawn(async move { client.write_all(&bytes).await });
        let mut reader = MessageReader::new(server);
        let mut messages = Vec::new();
        loop {
            // Every read is dropped at its first await and taken up again.
            tokio::select! {
                biased;
                message = reader.next() => match message.unwrap() {
                    Some(message) => messages.push((message.kind, message.body)),
                    None => break,
                },
                () = tokio::task::yield_now() => {}
            }
        }
        sender.await.unwrap().unwrap();
        let expected =
            [(MessageType::SqlBatch, b"one message".to_vec()), (MessageType::Attention, Vec::new())];
        assert_eq!(messages, expected);
    }

    #[tokio::test]
    async fn a_message_that_breaks_off_is_an_error() {
        for bytes in
            [packet(1, 0, b"no end"), packet(1, 1, b"half")[..9].to_vec(), vec![1, 1, 0, 4, 0, 0, 0, 0]]
        {
            let mut reader = MessageReader::new(bytes.as_slice());
            reader.next().await.unwrap_err();
        }
        assert!(MessageReader::new([].as_slice()).next().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_reply_is_cut_into_packets_of_the_agreed_size() {
        let mut sent = Vec::new();
        let mut writer = MessageWriter::new(&mut sent, 51);
        writer.set_packet_size(HEADER + 4);
        writer.tokens.extend_from_slice(b"0123456789");
        writer.send_full().await.unwrap();
        writer.tokens.extend_from_slice(b"ab");
        writer.finish().await.unwrap();
        let expected = [(0, 1, "0123"), (0, 2, "4567"), (1, 3, "89ab")]
            .map(|(status, id, body)| [&[REPLY, status, 0, 12, 0, 51, id, 0], body.as_bytes()].concat());
        assert_eq!(sent, expected.concat());
    }
}
