//! A look at the bytes on the line.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

/// A client's end of a connection that keeps a copy of what the client sends.
pub(crate) struct Tap {
    stream: DuplexStream,
    sent: Sent,
}

/// What a client has sent so far.
#[derive(Clone, Default)]
pub(crate) struct Sent(Arc<Mutex<Vec<u8>>>);

impl Tap {
    pub(crate) fn new(stream: DuplexStream) -> (Self, Sent) {
        let sent = Sent::default();
        (Self { stream, sent: sent.clone() }, sent)
    }
}

impl Sent {
    /// Whether a text stands there in clear, in UTF-16 as TDS carries it.
    pub(crate) fn contains(&self, text: &str) -> bool {
        let needle: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        self.0.lock().unwrap().windows(needle.len()).any(|window| window == needle)
    }
}

impl AsyncRead for Tap {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, out)
    }
}

impl AsyncWrite for Tap {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = written {
            this.sent.0.lock().unwrap().extend_from_slice(&bytes[..written]);
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
