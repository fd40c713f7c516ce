//! One TDS connection: how it is opened, and the rule that it is never used after it broke off in the middle of an answer.

use super::error::SourceError;
use super::sql;
use crate::config::{Source, Tls};
use crate::tls::TlsError;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::path::Path;
use std::time::Duration;
use tiberius::{AuthMethod, Client, EncryptionLevel, Query, Row};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

/// Patience with a host that does not answer at all.
const CONNECT_PATIENCE: Duration = Duration::from_secs(15);
/// Patience with prelogin, TLS and login together.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(15);
/// Patience with a server that does not go on answering; longer than its own lock timeout of 5 s.
const ANSWER_PATIENCE: Duration = Duration::from_secs(60);
/// Silence after which the line is probed, so that a dead one is noticed while nothing is asked.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Numbers with which the server refuses a view that needs a right, or does not have it.
const NOT_READABLE: [u32; 6] = [208, 229, 262, 297, 300, 371];

/// Shown by the server in its list of sessions.
const APPLICATION_NAME: &str = "cdc-agent";

/// A line of bytes to a server.
trait Line: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// How a cut reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// One SNAPSHOT transaction: everything in a cut is of one instant.
    Snapshot,
    /// Each statement sees its own instant; for databases that do not allow snapshots.
    ReadCommitted,
}

impl Isolation {
    /// Whether everything in a cut is of one instant.
    pub fn is_one_instant(self) -> bool {
        self == Self::Snapshot
    }
}

/// Opens connections to one source.
#[derive(Clone, Debug)]
pub struct Connector {
    source: Source,
    #[cfg(feature = "test-switches")]
    filter_windows: bool,
}

/// One session with the server. Dropped after any error, timeout or cancelled call.
pub struct Connection {
    client: Client<Compat<Box<dyn Line>>>,
    /// From the moment a question is sent until its answer was read to the end.
    mid_answer: bool,
    /// Characters U+0000 that were replaced since the connection was opened.
    nul_count: u64,
    database: String,
    commits_readable: bool,
    isolation: Isolation,
    #[cfg(feature = "test-switches")]
    filter_windows: bool,
    /// The version of the last overview, above which a filtered window shows nothing.
    #[cfg(feature = "test-switches")]
    pub(super) upper: Option<proto::Version>,
}

impl Connector {
    /// Keeps what is needed to connect.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            #[cfg(feature = "test-switches")]
            filter_windows: false,
        }
    }

    /// Filters windows by the version read before the snapshot: wrong, and tests show that it is.
    #[cfg(feature = "test-switches")]
    pub fn filter_windows(mut self) -> Self {
        self.filter_windows = true;
        self
    }

    /// Connects, logs in and sets the session up.
    ///
    /// # Errors
    /// [`SourceError::Unreachable`], [`SourceError::Unprotected`], or the server's refusal (18456, 4060).
    pub async fn connect(&self) -> Result<Connection, SourceError> {
        let endpoint = &self.source.endpoint;
        let address = (endpoint.host.as_str(), endpoint.port);
        let line = tokio::time::timeout(CONNECT_PATIENCE, TcpStream::connect(address)).await;
        let line = line.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).and_then(|line| {
            line.set_nodelay(true)?;
            let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 3);
            SockRef::from(&line).set_tcp_keepalive(&keepalive)?;
            Ok(line)
        });
        let line = line.map_err(|cause| SourceError::Unreachable {
            host: endpoint.host.clone(),
            port: endpoint.port,
            cause,
        })?;
        Box::pin(self.connect_over(line)).await
    }

    /// Logs in over a line that is already there.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_over(
        &self,
        line: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> Result<Connection, SourceError> {
        let config = self.driver_config()?;
        let line: Box<dyn Line> = Box::new(line);
        let client = Box::pin(Client::connect(config, line.compat())).await.map_err(|error| match error {
            tiberius::error::Error::Tls(reason) => {
                SourceError::Unprotected { host: self.source.endpoint.host.clone(), reason }
            }
            other => SourceError::of_driver(other, "logging in", HANDSHAKE_PATIENCE),
        })?;
        let mut connection = Connection {
            client,
            mid_answer: false,
            nul_count: 0,
            database: self.source.endpoint.database.clone(),
            commits_readable: false,
            isolation: Isolation::ReadCommitted,
            #[cfg(feature = "test-switches")]
            filter_windows: self.filter_windows,
            #[cfg(feature = "test-switches")]
            upper: None,
        };
        connection.batch("setting the session up", sql::SESSION).await?;
        connection.probe_commits().await?;
        Ok(connection)
    }

    fn driver_config(&self) -> Result<tiberius::Config, SourceError> {
        let endpoint = &self.source.endpoint;
        let mut config = tiberius::Config::new();
        config.host(&endpoint.host);
        config.port(endpoint.port);
        config.database(&endpoint.database);
        config.application_name(APPLICATION_NAME);
        config.authentication(AuthMethod::sql_server(&endpoint.user, endpoint.password.expose()));
        config.handshake_timeout(Some(HANDSHAKE_PATIENCE));
        config.command_timeout(Some(ANSWER_PATIENCE));
        // One lone surrogate in one row would otherwise end every answer that contains it.
        config.lossy_utf16_decoding(true);
        match &endpoint.tls {
            Tls::Plaintext => config.encryption(EncryptionLevel::NotSupported),
            Tls::Verify { ca_file } => {
                config.encryption(EncryptionLevel::Required);
                if let Some(path) = ca_file {
                    config.trust_cert_ca_bundle(authorities(path)?);
                }
            }
        }
        Ok(config)
    }
}

/// Reads the file of authorities; the check of its content comes first, for its clearer errors.
fn authorities(path: &Path) -> Result<Vec<u8>, TlsError> {
    crate::tls::client_config(Some(path))?;
    std::fs::read(path).map_err(|source| TlsError::AuthorityFile {
        path: path.to_owned(),
        source: rustls::pki_types::pem::Error::Io(source),
    })
}

impl Connection {
    /// Opens the transaction of a cut.
    ///
    /// # Errors
    /// Those of the line. 3952 (snapshots not allowed) comes from the first table that is read.
    pub async fn begin_cut(&mut self, isolation: Isolation) -> Result<(), SourceError> {
        if isolation == Isolation::Snapshot {
            self.batch("opening a snapshot", sql::BEGIN_SNAPSHOT).await?;
        }
        self.isolation = isolation;
        Ok(())
    }

    /// Ends the transaction of a cut.
    ///
    /// # Errors
    /// Those of the line.
    pub async fn end_cut(&mut self) -> Result<(), SourceError> {
        if self.isolation == Isolation::Snapshot {
            self.batch("closing the snapshot", sql::END_SNAPSHOT).await?;
        }
        self.isolation = Isolation::ReadCommitted;
        Ok(())
    }

    /// How many characters U+0000, which PostgreSQL's text cannot hold, were replaced by U+2400 on this connection.
    pub fn nul_count(&self) -> u64 {
        self.nul_count
    }

    /// Whether the login may read who committed a version. Without it a restored source whose versions have overtaken the agent's
    /// cannot be told from the old one.
    pub fn commits_readable(&self) -> bool {
        self.commits_readable
    }

    /// Remembers the version up to which a filtered window shows changes.
    #[cfg(feature = "test-switches")]
    pub(super) fn note_upper(&mut self, version: proto::Version) {
        self.upper = self.filter_windows.then_some(version);
    }

    pub(super) fn tracking_off(&self) -> SourceError {
        SourceError::TrackingOff { database: self.database.clone() }
    }

    async fn probe_commits(&mut self) -> Result<(), SourceError> {
        let doing = "asking for the commit table";
        match self.rows(doing, Query::new(sql::PROBE_COMMITS)).await {
            Ok(_) => self.commits_readable = true,
            // The refusal is the whole answer and no transaction is open: the session goes on.
            Err(SourceError::Server { number, .. }) if NOT_READABLE.contains(&number) => {
                self.mid_answer = false;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Runs statements that answer without rows, as a plain batch.
    async fn batch(&mut self, doing: &str, sql: &str) -> Result<(), SourceError> {
        self.take(doing)?;
        let answer = self.client.simple_query(sql).await;
        let read = match answer {
            Ok(stream) => stream.into_results().await.map(|_| ()),
            Err(error) => Err(error),
        };
        read.map_err(|error| SourceError::of_driver(error, doing, ANSWER_PATIENCE))?;
        self.mid_answer = false;
        Ok(())
    }

    /// Sends a query whose answer is read row by row.
    pub(super) async fn open(&mut self, doing: String, query: Query<'_>) -> Result<Answer<'_>, SourceError> {
        self.take(&doing)?;
        let answer = query.query(&mut self.client).await;
        let stream = answer.map_err(|error| SourceError::of_driver(error, &doing, ANSWER_PATIENCE))?;
        Ok(Answer {
            rows: stream.into_row_stream(),
            doing,
            mid_answer: &mut self.mid_answer,
            nul_count: &mut self.nul_count,
        })
    }

    /// All rows of a small answer.
    pub(super) async fn rows(&mut self, doing: &str, query: Query<'_>) -> Result<Vec<Row>, SourceError> {
        let mut answer = self.open(doing.to_owned(), query).await?;
        let mut rows = Vec::new();
        while let Some(row) = answer.next().await? {
            rows.push(row);
        }
        Ok(rows)
    }

    /// Takes the connection for one question, unless an earlier answer was not read to its end.
    fn take(&mut self, doing: &str) -> Result<(), SourceError> {
        if self.mid_answer {
            return Err(SourceError::LeftMidAnswer { doing: doing.to_owned() });
        }
        self.mid_answer = true;
        Ok(())
    }
}

/// An answer being read. Errors come after rows, so nothing of it holds until its end was reached.
pub(super) struct Answer<'a> {
    rows: BoxStream<'a, tiberius::Result<Row>>,
    /// What was asked, for errors.
    pub(super) doing: String,
    mid_answer: &'a mut bool,
    /// The connection's count.
    pub(super) nul_count: &'a mut u64,
}

impl Answer<'_> {
    /// The next row, None at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Row>, SourceError> {
        let row = self.rows.try_next().await;
        let row = row.map_err(|error| SourceError::of_driver(error, &self.doing, ANSWER_PATIENCE))?;
        if row.is_none() {
            *self.mid_answer = false;
        }
        Ok(row)
    }
}
