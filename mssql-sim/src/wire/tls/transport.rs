//! A connection's bytes, in clear or under TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Identity;
use super::handshake::HandshakeStream;

/// What carries a connection's packets.
#[derive(Debug)]
pub(crate) enum Transport<S> {
    /// Bare.
    Clear(S),
    /// Under TLS.
    Protected(Box<TlsStream<HandshakeStream<S>>>),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Transport<S> {
    /// Shakes hands with a client that has read the PRELOGIN answer.
    ///
    /// # Errors
    /// The client does not take the certificate, or speaks no TLS.
    pub(crate) async fn protect(stream: S, identity: &Identity) -> io::Result<Self> {
        let acceptor = TlsAcceptor::from(identity.config());
        // Boxed: the state of a handshake is large.
        let mut protected = Box::new(Box::pin(acceptor.accept(HandshakeStream::new(stream))).await?);
        protected.get_mut().0.unwrap_records();
        Ok(Self::Protected(protected))
    }

    /// The same connection without TLS, as both sides go on after an encrypted login.
    pub(crate) fn unprotect(self) -> Self {
        match self {
            Self::Protected(protected) => Self::Clear(protected.into_inner().0.into_inner()),
            clear @ Self::Clear(_) => clear,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Transport<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_read(cx, out),
            Self::Protected(stream) => Pin::new(stream.as_mut()).poll_read(cx, out),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Transport<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Protected(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_flush(cx),
            Self::Protected(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Protected(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}
