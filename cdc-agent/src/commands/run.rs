//! `run`: the stream, the agent's own listener, and the signals that end both.

use crate::config::Config;
use crate::errors::{AgentError, ExitCode};
use crate::stream::{self, Until};
use crate::telemetry::{Listener, Metrics};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What has not ended by itself so long after a signal is dropped; nothing is lost by that.
const GRACE: Duration = Duration::from_secs(4);

/// Streams until a signal comes, or, with [`Until::CaughtUp`], until nothing is left to do.
///
/// # Errors
/// What the stream may not go on after, or the listener's address is taken.
pub async fn run(config: &Config, until: Until) -> Result<ExitCode, AgentError> {
    let metrics = Arc::new(Metrics::new(&config.source.name));
    let stop = CancellationToken::new();
    let _stopping = stop.clone().drop_guard();
    if until == Until::Stopped {
        let bound = Listener::bind(config.listen, Arc::clone(&metrics)).await;
        let listener = bound.map_err(|cause| AgentError::Listen { address: config.listen, cause })?;
        tokio::spawn(listener.serve(stop.clone()));
    }
    let mut streaming = std::pin::pin!(stream::run(config, until, &metrics, &stop));
    let signalled = tokio::select! {
        ended = &mut streaming => return ended.map(|()| ExitCode::Ok),
        exit = signal() => exit,
    };
    tracing::info!("stopping");
    stop.cancel();
    match tokio::time::timeout(GRACE, streaming).await {
        Ok(ended) => ended.map(|()| signalled),
        Err(_) => {
            tracing::warn!(
                grace_s = GRACE.as_secs(),
                "stopped in the middle of something; the next start continues"
            );
            Ok(signalled)
        }
    }
}

/// Waits for a signal. A service manager's is a regular end, a person's an interruption.
async fn signal() -> ExitCode {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            return tokio::select! {
                _ = terminate.recv() => ExitCode::Ok,
                exit = interrupted() => exit,
            };
        }
    }
    interrupted().await
}

/// Without a way to hear of signals the process ends as their default says.
async fn interrupted() -> ExitCode {
    match tokio::signal::ctrl_c().await {
        Ok(()) => ExitCode::Interrupted,
        Err(error) => {
            tracing::warn!(%error, "signals cannot be waited for");
            std::future::pending().await
        }
    }
}
