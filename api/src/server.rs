//! Listening: bounded connections, bounded patience, and an end in time.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

type Socket = TokioIo<Pin<Box<TimeoutStream<TcpStream>>>>;

/// What a client may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Connections at a time; more wait in the system's queue.
    pub connections: usize,
    /// A client that has not sent its request's head by then is cut off.
    pub head_within: Duration,
    /// A client that takes nothing for this long is cut off.
    pub write_within: Duration,
    /// How long open requests may take to end; what is left then is cut off.
    pub stop_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            head_within: Duration::from_secs(10),
            write_within: Duration::from_secs(15),
            stop_within: Duration::from_secs(4),
        }
    }
}

/// Serves `router` until `stop`, then lets open requests end.
pub(crate) async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: CancellationToken) {
    let free = Arc::new(Semaphore::new(limits.connections));
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
                let connection = graceful.watch(connection(socket, router.clone(), limits));
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
    drop(listener);
    if timeout(limits.stop_within, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests that were still open are cut off");
    }
    connections.shutdown().await;
}

fn connection(
    socket: TcpStream,
    router: Router,
    limits: Limits,
) -> http1::Connection<Socket, TowerToHyperService<Router>> {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "small answers may wait: TCP_NODELAY cannot be set");
    }
    let mut socket = TimeoutStream::new(socket);
    socket.set_write_timeout(Some(limits.write_within));
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_within)
        .serve_connection(TokioIo::new(Box::pin(socket)), TowerToHyperService::new(router))
}

#[cfg(test)]
mod tests {
    use super::{Limits, serve};
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use bytes::Bytes;
    use std::convert::Infallible;
    use std::net::SocketAddr;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::mpsc;
    use tokio::time::timeout;
    use tokio_util::sync::CancellationToken;

    const REQUEST: &[u8] = b"GET /endless HTTP/1.1\r\nhost: test\r\n\r\n";

    /// Tells when an answer is dropped.
    struct Ended(mpsc::UnboundedSender<()>);

    impl Drop for Ended {
        fn drop(&mut self) {
            self.0.send(()).ok();
        }
    }

    /// Serves an answer without end.
    async fn endless(limits: Limits) -> (SocketAddr, mpsc::UnboundedReceiver<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (ended, endings) = mpsc::unbounded_channel();
        let answer = async move || {
            let ended = Ended(ended);
            Body::from_stream(futures::stream::repeat_with(move || {
                let _still_open = &ended;
                Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 65536]))
            }))
        };
        let router = Router::new().route("/endless", get(answer));
        tokio::spawn(serve(listener, router, limits, CancellationToken::new()));
        (address, endings)
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_cut_off() {
        let limits = Limits { write_within: Duration::from_millis(200), ..Limits::default() };
        let (address, mut endings) = endless(limits).await;
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(REQUEST).await.unwrap();
        timeout(Duration::from_secs(10), endings.recv()).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_client_that_asks_nothing_is_cut_off_and_makes_room() {
        let limits = Limits { connections: 1, head_within: Duration::from_millis(500), ..Limits::default() };
        let (address, _endings) = endless(limits).await;
        let mut idle = TcpStream::connect(address).await.unwrap();
        idle.write_all(b"GET /endless HT").await.unwrap();
        let mut second = TcpStream::connect(address).await.unwrap();
        second.write_all(REQUEST).await.unwrap();
        let mut first_byte = [0; 1];
        let early = timeout(Duration::from_millis(200), second.read_exact(&mut first_byte)).await;
        assert!(early.is_err(), "there is room for one connection");
        timeout(Duration::from_secs(10), second.read_exact(&mut first_byte)).await.unwrap().unwrap();
        assert_eq!(&first_byte, b"H");
    }
}
