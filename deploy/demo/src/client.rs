//! A TDS connection for the demo and its tests: whole batches, whole results.

use std::net::SocketAddr;
use tiberius::{AuthMethod, Client, Config, EncryptionLevel, Row};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

/// A login to the double on loopback.
#[derive(Clone, Debug)]
pub struct Login {
    /// Where it listens.
    pub address: SocketAddr,
    /// Database.
    pub database: String,
    /// Login.
    pub user: String,
    /// Password.
    pub password: String,
}

/// An open connection.
pub struct SqlServer(Client<Compat<TcpStream>>);

impl SqlServer {
    /// Logs in.
    ///
    /// # Errors
    /// What the socket or the server says.
    pub async fn open(login: &Login) -> Result<Self, tiberius::error::Error> {
        let mut config = Config::new();
        config.host(login.address.ip());
        config.port(login.address.port());
        config.database(&login.database);
        config.authentication(AuthMethod::sql_server(&login.user, &login.password));
        config.encryption(EncryptionLevel::NotSupported);
        let socket = TcpStream::connect(login.address).await?;
        socket.set_nodelay(true)?;
        // The login's future is large; on the heap it does not make every caller's large.
        Ok(Self(Box::pin(Client::connect(config, socket.compat_write())).await?))
    }

    /// Runs a batch to its end.
    ///
    /// # Errors
    /// The first error of the batch.
    pub async fn run(&mut self, batch: &str) -> Result<(), tiberius::error::Error> {
        self.0.simple_query(batch).await?.into_results().await?;
        Ok(())
    }

    /// Runs a script whose batches are separated by lines with `GO`.
    ///
    /// # Errors
    /// The first error.
    pub async fn script(&mut self, script: &str) -> Result<(), tiberius::error::Error> {
        for batch in script.split("\nGO\n").filter(|batch| !batch.trim().is_empty()) {
            self.run(batch).await?;
        }
        Ok(())
    }

    /// The rows of a batch with one result.
    ///
    /// # Errors
    /// The first error of the batch.
    pub async fn rows(&mut self, batch: &str) -> Result<Vec<Row>, tiberius::error::Error> {
        self.0.simple_query(batch).await?.into_first_result().await
    }
}
