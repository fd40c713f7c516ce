//! TLS inside TDS 7.x (2.2.6.5, 3.2.5.2).
//!
//! The handshake's records travel in packets of type 0x12, each side's flight as a message of its own; the records
//! behind it travel bare. Only TLS 1.2 fits: a TLS 1.3 server goes on talking after the client believes the handshake
//! over, and Microsoft's drivers offer 1.2 only. Sessions are never resumed, so every connection verifies the
//! certificate.

mod certificate;
mod handshake;
mod transport;

pub use certificate::{Authority, Identity, IdentityError, Validity};
pub(crate) use transport::Transport;

/// How a server protects its connections.
#[derive(Clone, Debug)]
pub struct Tls {
    /// What the server shows.
    pub identity: Identity,
    /// Refuse clients that do not encrypt everything; else the client decides, and the login is encrypted at least.
    pub forced: bool,
}
