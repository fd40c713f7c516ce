//! The server: one engine behind a listener or an in-memory duplex.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use parking_lot::RwLock;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::task::{JoinHandle, JoinSet};

use crate::collation::Collation;
use crate::engine::{Engine, Options as EngineOptions};
use crate::faults::Faults;
use crate::session::{connection, local};
use crate::types::{SqlError, Value};
use crate::wire::tls::Tls;

/// Ids below are the real server's own.
const FIRST_SPID: u16 = 51;
/// Bytes that an in-memory connection holds per direction before the writer waits.
const DUPLEX_BUFFER: usize = 64 * 1024;

/// How a server is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// `@@SERVERNAME`
    pub server_name: String,
    /// A user database, created at the start; logins that name no database get it.
    pub database: String,
    /// A login of the sysadmin role.
    pub user: String,
    /// Its password.
    pub password: String,
    /// Send a row as NBCROW where that is shorter; else every row is a ROW.
    pub compress_nulls: bool,
    /// How an attention is answered.
    pub attention_reply: AttentionReply,
    /// How connections are protected; None for want of a certificate, so that everything is in clear.
    pub tls: Option<Tls>,
    /// The engine's clock and switches.
    pub engine: EngineOptions,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            server_name: "MSSQL-SIM".into(),
            database: "wms".into(),
            user: "sa".into(),
            password: "Passw0rd!".into(),
            compress_nulls: true,
            attention_reply: AttentionReply::TwoMessages,
            tls: None,
            engine: EngineOptions::default(),
        }
    }
}

/// How the attention of a running request is answered. Clients disagree on what they expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttentionReply {
    /// The cut reply ends in a failed DONE; the acknowledgement is a message of its own.
    TwoMessages,
    /// The acknowledgement ends the cut reply.
    OneMessage,
}

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) options: Options,
    pub(crate) faults: Faults,
    /// What [`Server::set_tls`] said last.
    tls: RwLock<Option<Tls>>,
    last_spid: AtomicU16,
}

impl Shared {
    pub(crate) fn next_spid(&self) -> u16 {
        self.last_spid.fetch_add(1, Ordering::Relaxed)
    }

    /// How a connection that begins now is protected.
    pub(crate) fn tls(&self) -> Option<Tls> {
        self.tls.read().clone()
    }
}

/// A server; clones are the same server.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

impl Server {
    /// A server with one empty user database.
    pub fn new(options: Options) -> Self {
        let engine = Engine::new(options.engine);
        engine.create_login(&options.user, &options.password, true);
        if engine.database_id(&options.database).is_none() {
            engine.create_database(&options.database, Collation::DEFAULT).expect("the name is free");
        }
        let tls = RwLock::new(options.tls.clone());
        let last_spid = AtomicU16::new(FIRST_SPID);
        Self { shared: Arc::new(Shared { engine, options, faults: Faults::default(), tls, last_spid }) }
    }

    /// Accepts connections on `address` until the returned value is dropped.
    pub async fn listen(&self, address: impl ToSocketAddrs) -> io::Result<ListeningServer> {
        let listener = TcpListener::bind(address).await?;
        let addr = listener.local_addr()?;
        let task = tokio::spawn(accept(listener, self.clone()));
        Ok(ListeningServer { addr, task })
    }

    /// A connection in memory: the client's end of it.
    pub fn connect(&self) -> DuplexStream {
        let (client, server) = tokio::io::duplex(DUPLEX_BUFFER);
        tokio::spawn(serve(server, self.shared.clone()));
        client
    }

    /// Runs a batch as administrator in the user database, in a session of its own.
    ///
    /// Returns the rows of the last result set.
    ///
    /// # Errors
    /// The batch's first error.
    pub async fn execute(&self, sql: &str) -> Result<Vec<Vec<Value>>, SqlError> {
        local::execute(&self.shared, sql).await
    }

    /// Protects connections that begin from now on in another way: with another certificate, or not at all.
    pub fn set_tls(&self, tls: Option<Tls>) {
        *self.shared.tls.write() = tls;
    }

    /// What may be made to go wrong.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// The engine: clock, cleanup, state.
    pub fn engine(&self) -> &Engine {
        &self.shared.engine
    }
}

/// A server that accepts connections. Dropping it closes them all and the listener; the data stay with [`Server`].
#[derive(Debug)]
pub struct ListeningServer {
    /// Bound address.
    pub addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for ListeningServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, server: Server) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::warn!(%peer, %error, "the socket refuses TCP_NODELAY");
                    }
                    connections.spawn(serve(stream, server.shared.clone()));
                }
                Err(error) => tracing::warn!(%error, "a connection could not be accepted"),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: S, shared: Arc<Shared>) {
    if let Err(error) = connection::serve(stream, shared).await {
        tracing::info!(%error, "a connection ended");
    }
}
