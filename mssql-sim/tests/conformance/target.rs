//! The server that is asked: the double in this process, or the one that `MSSQL_TEST_URL` names.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};

use mssql_sim::server::{ListeningServer, Options, Server};

use crate::tds::{Login, Session};

/// `mssql://user:password@host:port` of a server to ask instead of the double.
const URL: &str = "MSSQL_TEST_URL";

/// A server with an empty database for one test.
#[derive(Debug)]
pub(crate) struct Target {
    login: Login,
    /// The double, which lives as long as the test.
    double: Option<ListeningServer>,
}

impl Target {
    /// The server, with a new database whose options are a new database's.
    pub(crate) async fn new() -> Self {
        let (double, server_login) = match std::env::var(URL) {
            Ok(url) => (None, login(&url)),
            Err(_) => {
                let (server, login) = double().await;
                (Some(server), login)
            }
        };
        let database = new_name();
        let mut administrator = Session::log_in(&server_login).await.expect("the administrator logs in");
        administrator.run(&format!("CREATE DATABASE {database}")).await;
        Self { login: Login { database, ..server_login }, double }
    }

    /// A session in the test's database.
    pub(crate) async fn session(&self) -> Session {
        match Session::log_in(&self.login).await {
            Ok(session) => session,
            Err(answer) => panic!("{:#?}", answer.lines()),
        }
    }

    /// How a client logs in.
    pub(crate) fn login(&self) -> &Login {
        &self.login
    }

    /// Drops the database of a server that outlives the test. Every session must be closed.
    pub(crate) async fn close(self) {
        if self.double.is_some() {
            return;
        }
        let database = &self.login.database;
        let administrator = Login { database: "master".into(), ..self.login.clone() };
        let mut session = Session::log_in(&administrator).await.expect("the administrator logs in");
        session.run(&format!("ALTER DATABASE {database} SET SINGLE_USER WITH ROLLBACK IMMEDIATE")).await;
        session.run(&format!("DROP DATABASE {database}")).await;
    }
}

async fn double() -> (ListeningServer, Login) {
    let options = Options::default();
    let login = |port| Login {
        host: Ipv4Addr::LOCALHOST.to_string(),
        port,
        user: options.user.clone(),
        password: options.password.clone(),
        database: "master".into(),
    };
    let server = Server::new(options.clone());
    let listening = server.listen((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback has a free port");
    let login = login(listening.addr.port());
    (listening, login)
}

/// A database name that no other test of this or another run has.
fn new_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("conformance_{}_{number}", std::process::id())
}

fn login(url: &str) -> Login {
    let parts = || {
        let (account, address) = url.strip_prefix("mssql://")?.rsplit_once('@')?;
        let (user, password) = account.split_once(':')?;
        let (host, port) = address.split_once(':')?;
        Some(Login {
            host: host.into(),
            port: port.parse().ok()?,
            user: user.into(),
            password: password.into(),
            database: "master".into(),
        })
    };
    parts().unwrap_or_else(|| panic!("{URL} is not mssql://user:password@host:port"))
}
