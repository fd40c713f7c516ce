//! The server that the clients meet, and a place to listen in on the line between.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mssql_sim::server::{AttentionReply, ListeningServer, Options, Server};
use mssql_sim::wire::tls::{Authority, Tls, Validity};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::driver::Driver;

/// How to log in.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Login {
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) database: String,
    /// File with the authority that a verifying client trusts.
    pub(crate) ca: Option<PathBuf>,
}

/// A server that listens for as long as the value lives.
pub(crate) struct Site {
    pub(crate) login: Login,
    _listening: ListeningServer,
}

impl Site {
    /// A server for clients of any kind.
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    /// A server that answers attentions as the driver expects: they do not agree.
    pub(crate) async fn suiting(driver: Driver) -> Self {
        let attention_reply = match driver {
            Driver::Tiberius => AttentionReply::OneMessage,
            _ => AttentionReply::TwoMessages,
        };
        Self::with(Options { attention_reply, ..Options::default() }).await
    }

    /// A server that can encrypt, with a certificate for `host` of the authority that the login trusts.
    pub(crate) async fn certified(host: &str) -> Self {
        let authority = Authority::new();
        let identity = authority.issue(&[host], Validity::Current);
        let site =
            Self::with(Options { tls: Some(Tls { identity, forced: false }), ..Options::default() }).await;
        let ca = trusted(&authority);
        Self { login: Login { ca: Some(ca), ..site.login }, ..site }
    }

    async fn with(options: Options) -> Self {
        let options = Options { password: "P\u{e4}ss w0rd;'\"".into(), ..options };
        let server = Server::new(options.clone());
        let listening = server.listen("127.0.0.1:0").await.expect("a free port");
        let Options { user, password, database, .. } = options;
        let login = Login { port: listening.addr.port(), user, password, database, ca: None };
        Self { login, _listening: listening }
    }
}

/// A file with an authority's certificate.
pub(crate) fn trusted(authority: &Authority) -> PathBuf {
    let name = format!("authority-{}.pem", uuid::Uuid::new_v4());
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&file, authority.pem()).expect("the target directory is writable");
    file
}

/// A way to a server on which everything that clients send is recorded.
pub(crate) struct Tap {
    pub(crate) port: u16,
    sent: Arc<Mutex<Vec<u8>>>,
    forwarding: JoinHandle<()>,
}

impl Tap {
    pub(crate) async fn on(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a bound address").port();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let record = sent.clone();
        let forwarding = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server)).await.expect("the server listens");
                tokio::spawn(forward(client, server, record.clone()));
            }
        });
        Self { port, sent, forwarding }
    }

    /// Whether a text was sent in clear, in UTF-16 as texts travel.
    pub(crate) fn heard(&self, text: &str) -> bool {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        self.sent.lock().windows(bytes.len()).any(|window| window == bytes)
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.forwarding.abort();
    }
}

async fn forward(client: TcpStream, server: TcpStream, record: Arc<Mutex<Vec<u8>>>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
        record.lock().extend_from_slice(&buffer[..length]);
        if to_server.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
    drop(to_server);
    // The server's last words may still be on their way; a client that is gone does not mind.
    drop(back.await);
}
