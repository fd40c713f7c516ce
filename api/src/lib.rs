//! Serves the figures, filtered by who asks, with the age of each.
//!
//! The API meets the agent only in PostgreSQL, where its role reads the views of the schema `reading` and nothing else.
//! A request for data goes: access (who, which scope) → route (strict parameters) → cache, by revision → query, in one
//! transaction that carries the scope → answer with age, state and entity tag.

mod access;
mod cache;
mod clock;
mod conditional;
mod config;
mod database;
mod date_range;
mod freshness;
mod parameters;
mod problem;
mod pulse;
mod queries;
mod router;
mod routes;
mod server;
mod stream;
mod telemetry;
mod tls;

pub use access::{Scope, ScopeError};
pub use clock::Clock;
pub use config::{Access, Config, ConfigError, Database, Detail, Language, Listen, Tls};
pub use problem::chain;
pub use telemetry::start_log;
pub use tls::TlsError;

use router::{App, Parts};
use server::Limits;
use std::net::SocketAddr;
use std::sync::Arc;
use telemetry::Telemetry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Why the API did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An address cannot be listened on.
    #[error("{address} of [listen] cannot be listened on")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The metrics cannot be registered.
    #[error("the metrics cannot be registered")]
    Metrics(#[from] prometheus::Error),
}

/// An API that listens on its addresses and serves once it is run.
pub struct Server {
    app: App,
    public: TcpListener,
    metrics: TcpListener,
    stopping: CancellationToken,
}

impl Server {
    /// Takes the addresses. PostgreSQL need not be there yet.
    ///
    /// # Errors
    /// A secret is missing, TLS cannot be set up, or an address is taken.
    pub async fn bind(config: &Config, clock: Clock) -> Result<Self, StartError> {
        let stopping = CancellationToken::new();
        let app = Arc::new(Parts::new(config, clock, Telemetry::new()?, stopping.clone())?);
        let public = listen(config.listen.address).await?;
        let metrics = listen(config.listen.metrics_address).await?;
        Ok(Self { app, public, metrics, stopping })
    }

    /// The addresses of the API and of its metrics.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn addresses(&self) -> std::io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.public.local_addr()?, self.metrics.local_addr()?))
    }

    /// Serves until `stop`, then ends within 5 seconds.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { app, public, metrics, stopping } = self;
        let limits = Limits::default();
        let beat =
            pulse::beat(app.database.clone(), app.pulse.clone(), app.telemetry.clone(), stopping.clone());
        let metrics_router = router::metrics_router(app.telemetry.clone());
        let metrics = server::serve(metrics, metrics_router, limits, stopping.clone());
        let public = server::serve(public, router::router(app), limits, stopping.clone());
        let stop = async {
            stop.await;
            stopping.cancel();
        };
        tokio::join!(Box::pin(beat), Box::pin(metrics), Box::pin(public), stop);
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })
}
