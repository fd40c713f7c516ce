//! Listening: bounded connections, bounded patience, and an end within [`STOP_WITHIN`].

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

/// Connections at a time; more wait in the system's queue.
const CONNECTIONS: usize = 1024;
/// A client that has not sent its request's head by then is cut off.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// A client that takes nothing for this long is cut off.
const WRITE_WITHIN: Duration = Duration::from_secs(15);
/// How long open requests may take to end; what is left then is cut off.
pub(crate) const STOP_WITHIN: Duration = Duration::from_secs(4);

/// Serves `router` until `stop`, then lets open requests end.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        let accepted = async {
            let permit = Arc::clone(&free).acquire_owned().await.expect("the semaphore is never closed");
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accepted => accepted,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        match accepted {
            Ok((socket, _)) => {
                let connection = graceful.watch(connection(socket, router.clone()));
                connections.spawn(async move {
                    // A client that goes away is no event.
                    if let Err(error) = connection.await {
                        tracing::debug!(%error, "a connection ended early");
                    }
                    drop(permit);
                });
            }
            // Out of file descriptors, mostly: others end soon.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
    if timeout(STOP_WITHIN, graceful.shutdown()).await.is_err() {
        tracing::warn!(seconds = STOP_WITHIN.as_secs(), "requests that were still open are cut off");
    }
    connections.shutdown().await;
}

fn connection(
    socket: TcpStream,
    router: Router,
) -> http1::Connection<TokioIo<std::pin::Pin<Box<TimeoutStream<TcpStream>>>>, TowerToHyperService<Router>> {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "small answers may wait: TCP_NODELAY cannot be set");
    }
    let mut socket = TimeoutStream::new(socket);
    socket.set_write_timeout(Some(WRITE_WITHIN));
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .serve_connection(TokioIo::new(Box::pin(socket)), TowerToHyperService::new(router))
}
