//! The server: one engine behind a listener or an in-memory duplex.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use parking_lot::RwLock;
use tokio::io::DuplexStream;
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::collation::Collation;
use crate::counters::{Counters, Tally};
use crate::engine::{Engine, Options as EngineOptions};
use crate::faults::{Faults, Socket};
use crate::session::local::LocalSession;
use crate::session::{Sessions, connection, local};
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
    /// Which rows are sent as NBCROW.
    pub null_rows: NullRows,
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
            null_rows: NullRows::WhereShorter,
            attention_reply: AttentionReply::TwoMessages,
            tls: None,
            engine: EngineOptions::default(),
        }
    }
}

/// Which rows are sent as NBCROW, whose bitmap stands for the NULLs; the others are ROWs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NullRows {
    /// None.
    Never,
    /// Those that are shorter that way.
    WhereShorter,
    /// Any row, by a coin of this seed: a client must take both.
    Random(u64),
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
    pub(crate) tally: Arc<Tally>,
    /// What [`Server::set_tls`] said last.
    tls: RwLock<Option<Tls>>,
    /// `@@SERVERNAME`; a failover may change it.
    server_name: RwLock<String>,
    pub(crate) sessions: Sessions,
    /// Outages under way: connections are refused while there is one.
    outages: watch::Sender<usize>,
    last_spid: AtomicU16,
}

impl Shared {
    pub(crate) fn next_spid(&self) -> u16 {
        self.last_spid.fetch_add(1, Ordering::Relaxed)
    }

    /// `@@SERVERNAME`
    pub(crate) fn server_name(&self) -> String {
        self.server_name.read().clone()
    }

    fn is_up(&self) -> bool {
        *self.outages.borrow() == 0
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
        let shared = Shared {
            engine,
            faults: Faults::default(),
            tally: Arc::default(),
            tls: RwLock::new(options.tls.clone()),
            server_name: RwLock::new(options.server_name.clone()),
            sessions: Sessions::default(),
            outages: watch::Sender::new(0),
            last_spid: AtomicU16::new(FIRST_SPID),
            options,
        };
        Self { shared: Arc::new(shared) }
    }

    /// Accepts connections on `address` until the returned value is dropped.
    pub async fn listen(&self, address: impl ToSocketAddrs) -> io::Result<ListeningServer> {
        let listener = TcpListener::bind(address).await?;
        let addr = listener.local_addr()?;
        let task = tokio::spawn(accept(listener, addr, self.clone()));
        Ok(ListeningServer { addr, task })
    }

    /// A connection in memory: the client's end of it, closed already while there is an outage.
    pub fn connect(&self) -> DuplexStream {
        let (client, server) = tokio::io::duplex(DUPLEX_BUFFER);
        if self.shared.is_up() {
            tokio::spawn(serve(server, self.shared.clone()));
        }
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

    /// A session of the administrator in the user database, without a connection.
    ///
    /// # Errors
    /// If that database is gone.
    pub fn local_session(&self) -> Result<LocalSession, SqlError> {
        LocalSession::begin(&self.shared)
    }

    /// What it has done and does.
    pub fn counters(&self) -> Counters {
        let tally = &self.shared.tally;
        let sessions = self.shared.sessions.count();
        self.shared.engine.count(Counters {
            connections: tally.connections.get(),
            open_sessions: sessions as u64,
            requests: tally.requests.get(),
            statements: tally.statements.get(),
            bytes_received: tally.bytes_received.get(),
            bytes_sent: tally.bytes_sent.get(),
            rows_sent: tally.rows_sent.get(),
            ..Counters::default()
        })
    }

    /// What may be made to go wrong.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Ends every session and refuses connections while the result lives.
    pub(crate) fn begin_outage(&self) -> Outage {
        self.shared.outages.send_modify(|outages| *outages += 1);
        self.shared.sessions.end_all();
        Outage(Arc::clone(&self.shared))
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.shared.sessions
    }

    /// Another server answers under the same address.
    pub(crate) fn rename(&self, name: String) {
        *self.shared.server_name.write() = name;
    }

    /// The engine: clock, cleanup, state.
    pub fn engine(&self) -> &Engine {
        &self.shared.engine
    }
}

/// A time in which connections are refused.
pub(crate) struct Outage(Arc<Shared>);

impl Drop for Outage {
    fn drop(&mut self) {
        self.0.outages.send_modify(|outages| *outages -= 1);
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

/// Accepts connections; through an outage nobody listens, and those that were there are gone.
async fn accept(mut listener: TcpListener, address: SocketAddr, server: Server) {
    let mut outages = server.shared.outages.subscribe();
    loop {
        tokio::select! {
            never = accept_all(&listener, &server) => never,
            changed = outages.wait_for(|outages| *outages > 0) => {
                changed.expect("the server has the sender");
            }
        }
        drop(listener);
        outages.wait_for(|outages| *outages == 0).await.expect("the server has the sender");
        listener = match TcpListener::bind(address).await {
            Ok(listener) => listener,
            Err(error) => {
                tracing::error!(%address, %error, "the address is taken after an outage");
                return;
            }
        };
    }
}

async fn accept_all(listener: &TcpListener, server: &Server) -> ! {
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

async fn serve<S: Socket>(stream: S, shared: Arc<Shared>) {
    if let Err(error) = connection::serve(stream, shared).await {
        tracing::info!(%error, "a connection ended");
    }
}
