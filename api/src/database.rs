//! PostgreSQL: a bounded pool of connections, and the transactions in which everything is read.
//!
//! A [`Reading`] is one read-only REPEATABLE READ transaction that carries the asker's scope in its settings, so all its
//! queries see one state, filtered by row-level security. A connection goes back to the pool only after its commit: one
//! whose reading failed, ran out of time or was abandoned by its asker is closed, because its answer may still be under
//! way.

use crate::access::Scope;
use crate::config::{self, ConfigError};
use crate::tls;
use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, Timeouts,
};
use secrecy::ExposeSecret;
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Connection, Row, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long a connection may take to be made or to become free.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// How long one statement may take; PostgreSQL is told the same.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Session settings of every connection. JSON shows moments in UTC.
const OPTIONS: &str = "-c statement_timeout=10s -c idle_in_transaction_session_timeout=15s -c TimeZone=UTC \
                       -c default_transaction_read_only=on -c lock_timeout=5s \
                       -c client_connection_check_interval=1s";

/// A line to PostgreSQL together with the future that drives it.
pub(crate) type Line =
    (Client, Connection<Socket, <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<Socket>>::Stream>);

/// The pool.
#[derive(Clone)]
pub(crate) struct Database {
    pool: Pool,
    settings: tokio_postgres::Config,
    tls: MakeRustlsConnect,
}

/// One transaction. Without [`Reading::finish`] its connection is closed.
pub(crate) struct Reading {
    connection: Option<Object>,
}

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    #[error("PostgreSQL cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("no connection to PostgreSQL became free within {} s", CONNECT_WITHIN.as_secs())]
    Busy,
    #[error("PostgreSQL did not answer within {} s", .after.as_secs())]
    TimedOut { after: Duration },
    #[error("PostgreSQL has no such view, or this role may not read it")]
    NotServed(#[source] tokio_postgres::Error),
    #[error("PostgreSQL refused a query")]
    Refused(#[source] tokio_postgres::Error),
}

impl Database {
    pub(crate) fn new(config: &config::Database) -> Result<Self, ConfigError> {
        let mut settings = tokio_postgres::Config::new();
        settings
            .host(&config.host)
            .port(config.port)
            .dbname(&config.database)
            .user(&config.user)
            .password(config.password()?.expose_secret())
            .application_name("cdc-api")
            .connect_timeout(CONNECT_WITHIN)
            .keepalives_idle(Duration::from_secs(15))
            .tcp_user_timeout(Duration::from_secs(15))
            .options(OPTIONS);
        let tls = match config.tls {
            config::Tls::Verify => {
                settings.ssl_mode(SslMode::Require);
                tls::verifying(config.ca_file.as_deref())?
            }
            config::Tls::Plaintext => {
                settings.ssl_mode(SslMode::Disable);
                tls::unused()?
            }
        };
        let manager = Manager::from_config(
            settings.clone(),
            tls.clone(),
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let within = Some(CONNECT_WITHIN);
        let pool = Pool::builder(manager)
            .max_size(config.connections)
            .timeouts(Timeouts { wait: within, create: within, recycle: within })
            .runtime(Runtime::Tokio1)
            .build()
            .expect("a runtime is set, which is all that timeouts need");
        Ok(Self { pool, settings, tls })
    }

    /// A line of its own, outside the pool.
    pub(crate) async fn dedicated(&self) -> Result<Line, DatabaseError> {
        timeout(CONNECT_WITHIN, self.settings.connect(self.tls.clone()))
            .await
            .map_err(|_| DatabaseError::TimedOut { after: CONNECT_WITHIN })?
            .map_err(|error| DatabaseError::Unreachable(Box::new(error)))
    }

    /// Begins a transaction that sees what `scope` may see.
    pub(crate) async fn begin(&self, scope: &Scope) -> Result<Reading, DatabaseError> {
        const SETTINGS: &str = "select set_config('cdc.scope', $1, true), set_config('cdc.companies', $2, true), \
                                set_config('cdc.warehouses', $3, true)";
        // Boxed: making a connection is a large future, and rare.
        let reading = Reading { connection: Some(Box::pin(self.pool.get()).await?) };
        within(reading.connection().batch_execute("begin isolation level repeatable read read only")).await?;
        let companies = scope.companies().unwrap_or_default().join(",");
        let warehouses = scope.warehouses().unwrap_or_default().join(",");
        reading.query(SETTINGS, &[&scope.kind(), &companies, &warehouses]).await?;
        Ok(reading)
    }
}

impl Reading {
    fn connection(&self) -> &Object {
        self.connection.as_ref().expect("the connection is taken only when the reading ends")
    }

    /// Runs a query that the connection keeps prepared.
    pub(crate) async fn query(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, DatabaseError> {
        let connection = self.connection();
        within(async {
            let statement = connection.prepare_cached(sql).await?;
            connection.query(&statement, parameters).await
        })
        .await
    }

    /// Ends the transaction and gives the connection back.
    pub(crate) async fn finish(mut self) -> Result<(), DatabaseError> {
        within(self.connection().batch_execute("commit")).await?;
        drop(self.connection.take());
        Ok(())
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(Object::take(connection));
        }
    }
}

/// Waits for an answer, but not for ever.
async fn within<T>(
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, DatabaseError> {
    timeout(ANSWER_WITHIN, answer)
        .await
        .map_err(|_| DatabaseError::TimedOut { after: ANSWER_WITHIN })?
        .map_err(DatabaseError::from)
}

impl From<tokio_postgres::Error> for DatabaseError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(code) = error.code() else {
            return Self::Unreachable(Box::new(error));
        };
        if [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME, SqlState::INSUFFICIENT_PRIVILEGE]
            .contains(code)
        {
            return Self::NotServed(error);
        }
        match code.code().get(..2) {
            // Connection exceptions, invalid authorisation, resources, operator intervention (also: statement timeout).
            Some("08" | "28" | "53" | "57") => Self::Unreachable(Box::new(error)),
            _ => Self::Refused(error),
        }
    }
}

impl From<PoolError> for DatabaseError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Timeout(deadpool_postgres::TimeoutType::Wait) => Self::Busy,
            PoolError::Backend(error) => Self::from(error),
            error => Self::Unreachable(Box::new(error)),
        }
    }
}
