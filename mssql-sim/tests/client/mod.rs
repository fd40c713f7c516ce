//! A tiberius client of a server under test, over its socket or its in-memory duplex.

use mssql_sim::server::{Options, Server};
use tiberius::{AuthMethod, Client, Config, EncryptionLevel, Row};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

/// A connected client.
pub(crate) type Connection<S> = Client<Compat<S>>;

/// The configuration with which the server's administrator logs in.
pub(crate) fn config() -> Config {
    let options = Options::default();
    let mut config = Config::new();
    config.encryption(EncryptionLevel::NotSupported);
    config.authentication(AuthMethod::sql_server(options.user, options.password));
    config.database(options.database);
    config
}

/// Logs in over a stream.
pub(crate) async fn log_in<S: AsyncRead + AsyncWrite + Unpin + Send>(stream: S) -> Connection<S> {
    connect_as(config(), stream).await.expect("the administrator may log in")
}

/// Logs in as configured.
pub(crate) async fn connect_as<S>(config: Config, stream: S) -> Result<Connection<S>, tiberius::error::Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    // Boxed: the handshake's future is large.
    Box::pin(Client::connect(config, stream.compat_write())).await
}

/// A client over the server's in-memory duplex.
pub(crate) async fn connect(server: &Server) -> Connection<tokio::io::DuplexStream> {
    log_in(server.connect()).await
}

/// Runs a batch and returns the rows of its first result set.
pub(crate) async fn rows<S>(client: &mut Connection<S>, sql: &str) -> Result<Vec<Row>, tiberius::error::Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    client.simple_query(sql).await?.into_first_result().await
}

/// Runs a batch whose results do not matter.
pub(crate) async fn run<S>(client: &mut Connection<S>, sql: &str)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let results = match client.simple_query(sql).await {
        Ok(stream) => stream.into_results().await,
        Err(error) => Err(error),
    };
    results.unwrap_or_else(|error| panic!("{sql}: {error}"));
}
