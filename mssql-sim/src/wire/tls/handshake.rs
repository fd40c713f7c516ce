//! The handshake's records in packets (2.2.6.5).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::wire::packet::{DEFAULT_PACKET_SIZE, HEADER, PRELOGIN, STATUS_END_OF_MESSAGE};

/// A stream whose bytes are bodies of PRELOGIN packets until [`Self::unwrap_records`], and bare from then on.
///
/// What is written is held back until a flush: a flight is one message.
#[derive(Debug)]
pub(crate) struct HandshakeStream<S> {
    stream: S,
    wraps: bool,
    /// The header of the packet that is being read, as far as it has arrived.
    header: [u8; HEADER],
    header_length: usize,
    /// What is still to come of that packet's body.
    body_left: usize,
    /// Written and not in a packet yet.
    flight: Vec<u8>,
    packets: BytesMut,
}

impl<S> HandshakeStream<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            wraps: true,
            header: [0; HEADER],
            header_length: 0,
            body_left: 0,
            flight: Vec::new(),
            packets: BytesMut::new(),
        }
    }

    /// The handshake is over: bytes travel bare from here on.
    pub(super) fn unwrap_records(&mut self) {
        self.wraps = false;
    }

    pub(super) fn into_inner(self) -> S {
        self.stream
    }

    /// Puts the flight into packets; the last one ends the message.
    fn pack_flight(&mut self) {
        let flight = std::mem::take(&mut self.flight);
        let mut bodies = flight.chunks(DEFAULT_PACKET_SIZE - HEADER).peekable();
        let mut packet_id = 0u8;
        while let Some(body) = bodies.next() {
            packet_id = packet_id.wrapping_add(1);
            let status = if bodies.peek().is_none() { STATUS_END_OF_MESSAGE } else { 0 };
            let length = u16::try_from(HEADER + body.len()).expect("a packet was just cut to size");
            self.packets.extend_from_slice(&[PRELOGIN, status]);
            self.packets.extend_from_slice(&length.to_be_bytes());
            self.packets.extend_from_slice(&[0, 0, packet_id, 0]);
            self.packets.extend_from_slice(body);
        }
    }

    /// Takes the length of the body from a header that has arrived.
    fn begin_packet(&mut self) -> io::Result<()> {
        let length = usize::from(u16::from_be_bytes([self.header[2], self.header[3]]));
        self.header_length = 0;
        if self.header[0] != PRELOGIN || length < HEADER {
            let message = format!("{:02x?} is no packet of a TLS handshake", self.header);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        self.body_left = length - HEADER;
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HandshakeStream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.wraps {
            return Pin::new(&mut this.stream).poll_read(cx, out);
        }
        while this.body_left == 0 {
            let mut header = ReadBuf::new(&mut this.header[this.header_length..]);
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut header))?;
            match header.filled().len() {
                0 => return Poll::Ready(Ok(())),
                read => this.header_length += read,
            }
            if this.header_length == HEADER {
                this.begin_packet()?;
            }
        }
        let room = out.remaining().min(this.body_left);
        let mut body = ReadBuf::new(out.initialize_unfilled_to(room));
        ready!(Pin::new(&mut this.stream).poll_read(cx, &mut body))?;
        let read = body.filled().len();
        out.advance(read);
        this.body_left -= read;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HandshakeStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if !this.wraps {
            return Pin::new(&mut this.stream).poll_write(cx, bytes);
        }
        this.flight.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.pack_flight();
        while this.packets.has_remaining() {
            let sent = ready!(Pin::new(&mut this.stream).poll_write(cx, &this.packets))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            this.packets.advance(sent);
        }
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
