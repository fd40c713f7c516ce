//! The agent's own listener, on loopback unless configured otherwise.
//!
//! `/metrics`: for Prometheus. `/healthz`: the process lives. `/readyz`: both databases answer, or 503 and which does not.

use super::Metrics;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A bound listener.
pub struct Listener {
    socket: TcpListener,
    metrics: Arc<Metrics>,
}

impl Listener {
    /// Takes the address.
    ///
    /// # Errors
    /// It is taken or not of this machine.
    pub async fn bind(address: SocketAddr, metrics: Arc<Metrics>) -> std::io::Result<Self> {
        Ok(Self { socket: TcpListener::bind(address).await?, metrics })
    }

    /// The address that was taken.
    ///
    /// # Errors
    /// The operating system does not say it.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Answers until `stop` is cancelled.
    ///
    /// # Errors
    /// The socket is gone.
    pub async fn serve(self, stop: CancellationToken) -> std::io::Result<()> {
        let routes = Router::new()
            .route("/metrics", get(metrics))
            .route("/healthz", get(|| async { "alive\n" }))
            .route("/readyz", get(ready))
            .with_state(self.metrics);
        axum::serve(self.socket, routes).with_graceful_shutdown(stop.cancelled_owned()).await
    }
}

async fn metrics(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn ready(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.is_connected() {
        (true, true) => "ready\n".into_response(),
        (source, target) => {
            let names = [(source, "source"), (target, "target")];
            let away: Vec<_> = names.iter().filter(|(there, _)| !there).map(|(_, name)| *name).collect();
            let reason = format!("not connected: {}\n", away.join(", "));
            (StatusCode::SERVICE_UNAVAILABLE, reason).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Listener, Metrics};
    use std::net::{Ipv4Addr, SocketAddr};
    use std::sync::Arc;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio_util::sync::CancellationToken;

    async fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn every_metric_is_there_from_the_start_and_readiness_follows_both_databases() {
        let metrics = Arc::new(Metrics::new("wms"));
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = Listener::bind(any_port, Arc::clone(&metrics)).await.unwrap();
        let address = listener.address().unwrap();
        let stop = CancellationToken::new();
        let serving = tokio::spawn(listener.serve(stop.clone()));

        let text = get(address, "/metrics").await;
        for line in [
            "cdc_source_errors_total{source=\"wms\"} 0",
            "cdc_journal_bytes{source=\"wms\"} 0",
            "cdc_apply_duration_seconds_count{source=\"wms\"} 0",
            "cdc_agent_state{source=\"wms\",state=\"streaming\"} 0",
        ] {
            assert!(text.contains(line), "{line} is missing in:\n{text}");
        }
        assert!(get(address, "/healthz").await.starts_with("HTTP/1.1 200"));
        metrics.target_connected.set(1);
        let not_ready = get(address, "/readyz").await;
        assert!(
            not_ready.starts_with("HTTP/1.1 503") && not_ready.ends_with("not connected: source\n"),
            "{not_ready}"
        );
        metrics.source_connected.set(1);
        assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 200"));
        stop.cancel();
        serving.await.unwrap().unwrap();
    }
}
