//! The server that the clients meet.

use mssql_sim::server::{AttentionReply, ListeningServer, Options, Server};
use serde::Serialize;

use crate::driver::Driver;

/// How to log in.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Login {
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) database: String,
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

    async fn with(options: Options) -> Self {
        let options = Options { password: "P\u{e4}ss w0rd;'\"".into(), ..options };
        let server = Server::new(options.clone());
        let listening = server.listen("127.0.0.1:0").await.expect("a free port");
        let Options { user, password, database, .. } = options;
        let login = Login { port: listening.addr.port(), user, password, database };
        Self { login, _listening: listening }
    }
}
