//! One connection to the target: protected, checked, and holding the lock that keeps a second agent out.

use super::error::{Doing, TargetError};
use crate::config::{Endpoint, Tls};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const KEEPALIVE_IDLE: Duration = Duration::from_secs(15);
/// A line on which sent bytes stay unanswered for so long is dead.
const UNANSWERED_LIMIT: Duration = Duration::from_secs(30);
/// How long an agent that has just ended may hold the lock.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);
const LOCK_PAUSE: Duration = Duration::from_millis(50);
const UNLOCK_PATIENCE: Duration = Duration::from_secs(1);
const LEAST_VERSION: i32 = 150_000;

/// First half of the advisory lock's key; the second is the source's name.
const LOCK_CLASS: i32 = 0x6364_6332;

/// A connection and the task that drives it.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) client: Client,
    driver: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    /// Opens a connection, without checks or locks.
    pub(crate) async fn open(endpoint: &Endpoint) -> Result<Self, TargetError> {
        let mut config = tokio_postgres::Config::new();
        config
            .host(&endpoint.host)
            .port(endpoint.port)
            .dbname(&endpoint.database)
            .user(&endpoint.user)
            .password(endpoint.password.expose())
            .application_name("cdc-agent")
            .connect_timeout(CONNECT_TIMEOUT)
            .keepalives_idle(KEEPALIVE_IDLE)
            .tcp_user_timeout(UNANSWERED_LIMIT);
        let failed =
            |source| TargetError::Connect { host: endpoint.host.clone(), port: endpoint.port, source };
        match &endpoint.tls {
            Tls::Plaintext => {
                let (client, connection) =
                    config.ssl_mode(SslMode::Disable).connect(NoTls).await.map_err(failed)?;
                Ok(Self::driven(client, connection))
            }
            Tls::Verify { ca_file } => {
                let tls = MakeRustlsConnect::new(crate::tls::client_config(ca_file.as_deref())?);
                let (client, connection) =
                    config.ssl_mode(SslMode::Require).connect(tls).await.map_err(failed)?;
                Ok(Self::driven(client, connection))
            }
        }
    }

    /// How a connection ends is seen by its client's calls.
    fn driven<S, T>(client: Client, connection: tokio_postgres::Connection<S, T>) -> Self
    where
        tokio_postgres::Connection<S, T>: Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static,
    {
        let driver = tokio::spawn(connection).abort_handle();
        Self { client, driver }
    }

    /// Refuses servers and lines on which the protocol would not hold.
    pub(crate) async fn check(&self) -> Result<(), TargetError> {
        let doing = "checking the server";
        let pid = "select pg_backend_pid()";
        let first: i32 = self.client.query_one(pid, &[]).await.doing(doing)?.get(0);
        let second: i32 = self.client.query_one(pid, &[]).await.doing(doing)?.get(0);
        if first != second {
            return Err(TargetError::Pooler);
        }
        let row = self
            .client
            .query_one(
                "select current_setting('server_version_num')::int4, current_setting('server_version'), pg_is_in_recovery()",
                &[],
            )
            .await
            .doing(doing)?;
        if row.get::<_, i32>(0) < LEAST_VERSION {
            return Err(TargetError::TooOld { found: row.get(1) });
        }
        if row.get(2) {
            return Err(TargetError::Standby);
        }
        Ok(())
    }

    /// Lets the lock go, so that the next connection of this agent gets it at once. A connection that is lost has nothing left to let
    /// go; one that hangs is not waited for.
    pub(crate) async fn unlock(&self) {
        let unlocked = self.client.batch_execute("select pg_advisory_unlock_all()");
        match tokio::time::timeout(UNLOCK_PATIENCE, unlocked).await {
            Ok(Ok(())) | Err(_) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the old connection is gone"),
        }
    }

    /// Keeps a second agent out for as long as the connection lives. An agent that has just ended may still hold the lock: PostgreSQL
    /// notices the end of its connection a moment later.
    pub(crate) async fn lock(&self, source: &str) -> Result<(), TargetError> {
        let begun = tokio::time::Instant::now();
        loop {
            let locked: bool = self
                .client
                .query_one("select pg_try_advisory_lock($1, hashtext($2))", &[&LOCK_CLASS, &source])
                .await
                .doing("taking the agent's lock")?
                .get(0);
            if locked {
                return Ok(());
            }
            if begun.elapsed() > LOCK_PATIENCE {
                return Err(TargetError::Busy { source_name: source.to_owned() });
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
    }
}
