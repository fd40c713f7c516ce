//! The five clients, asked for the same things in the same words.
//!
//! A client keeps sessions by name. Values travel as text, in the forms of [`crate::values`]; each client turns them into
//! its driver's own and back. Parameters are marked `?` in the SQL.

mod process;
mod tiberius_client;
mod tiberius_values;

use serde::{Deserialize, Serialize};

use crate::site::Login;
use process::ProcessClient;
use tiberius_client::TiberiusClient;

/// A client's driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    /// Microsoft's ODBC driver 18, as mssql-python carries it.
    Odbc,
    /// FreeTDS by pymssql.
    Pymssql,
    /// python-tds.
    Pytds,
    /// tedious, on Node.
    Tedious,
    /// tiberius.
    Tiberius,
}

impl Driver {
    pub(crate) const ALL: [Self; 5] = [Self::Odbc, Self::Pymssql, Self::Pytds, Self::Tedious, Self::Tiberius];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Odbc => "odbc",
            Self::Pymssql => "pymssql",
            Self::Pytds => "pytds",
            Self::Tedious => "tedious",
            Self::Tiberius => "tiberius",
        }
    }

    /// Microsoft's driver always offers to encrypt the login, tedious never does without the rest.
    pub(crate) fn can_ask_for(self, encryption: Encryption) -> bool {
        match encryption {
            Encryption::None => self != Self::Odbc,
            Encryption::Login => self != Self::Tedious,
            Encryption::Full => true,
        }
    }
}

/// How much of a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encryption {
    None,
    /// The login, not what follows it.
    Login,
    /// All of it, and the certificate is verified.
    Full,
}

/// A value for a parameter or column: declared type and text.
pub(crate) type Typed<'a> = (&'a str, Option<&'a str>);

/// What a client is told to do.
#[derive(Debug, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Request<'a> {
    /// Logs a session in.
    Connect {
        session: &'a str,
        #[serde(flatten)]
        login: &'a Login,
        encryption: Encryption,
        /// Give up a statement that does not answer at once, by the driver's own means.
        hasty: bool,
    },
    /// Logs a session out.
    Close { session: &'a str },
    /// Runs a statement with parameters, or a batch without, and fetches what it returns.
    Run { session: &'a str, sql: &'a str, parameters: &'a [Typed<'a>] },
    /// Runs a statement and counts the rows that it changed.
    Change { session: &'a str, sql: &'a str, parameters: &'a [Typed<'a>] },
    /// Runs one statement for each row of parameters, prepared where the driver prepares.
    Repeat { session: &'a str, sql: &'a str, rows: &'a [Vec<Typed<'a>>] },
    /// Begins a transaction by the driver's own means.
    Begin { session: &'a str, isolation: &'a str },
    /// Ends it.
    End { session: &'a str, commit: bool },
    /// Loads rows by the driver's bulk copy. Columns are names and types.
    Copy {
        session: &'a str,
        table: &'a str,
        columns: &'a [(&'a str, &'a str)],
        rows: &'a [Vec<Option<&'a str>>],
    },
}

/// What came of a request.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Reply {
    /// Result sets up to the first error.
    pub(crate) results: Vec<ResultSet>,
    /// Rows changed, where that was asked for.
    pub(crate) affected: Option<i64>,
    pub(crate) error: Option<Failure>,
}

/// Rows of one statement.
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
pub(crate) struct ResultSet {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Option<String>>>,
}

/// An error as a driver tells it.
#[derive(Debug, Deserialize)]
pub(crate) struct Failure {
    /// None where the driver hides it, or the error is the driver's own.
    pub(crate) number: Option<u32>,
    pub(crate) message: String,
}

/// A running client.
pub(crate) struct Client {
    pub(crate) driver: Driver,
    means: Means,
}

enum Means {
    Process(Box<ProcessClient>),
    Tiberius(TiberiusClient),
}

impl Client {
    /// Starts a client, its driver installed where it is not.
    pub(crate) async fn start(driver: Driver) -> Self {
        let means = match driver {
            Driver::Tiberius => Means::Tiberius(TiberiusClient::default()),
            _ => Means::Process(Box::new(ProcessClient::start(driver).await)),
        };
        Self { driver, means }
    }

    /// Does what is asked and tells what came of it.
    pub(crate) async fn ask(&mut self, request: Request<'_>) -> Reply {
        match &mut self.means {
            Means::Process(process) => process.ask(&request).await,
            Means::Tiberius(tiberius) => tiberius.ask(&request).await,
        }
    }

    /// Does what is asked, which succeeds.
    pub(crate) async fn expect(&mut self, request: Request<'_>) -> Reply {
        let told = format!("{request:?}");
        let reply = self.ask(request).await;
        if let Some(error) = reply.error {
            panic!("{}: {error:?} over {told:.400}", self.driver.name());
        }
        reply
    }

    /// Logs a session in, without encryption.
    pub(crate) async fn connect(&mut self, session: &str, login: &Login) {
        let encryption = Encryption::None;
        self.expect(Request::Connect { session, login, encryption, hasty: false }).await;
    }

    /// Runs a batch, which succeeds.
    pub(crate) async fn run(&mut self, session: &str, sql: &str) -> Vec<ResultSet> {
        self.expect(Request::Run { session, sql, parameters: &[] }).await.results
    }

    /// The only value of the only row that a query returns.
    pub(crate) async fn value(&mut self, session: &str, sql: &str) -> Option<String> {
        let results = self.run(session, sql).await;
        assert!(
            results.len() == 1 && results[0].rows.len() == 1,
            "{}: {sql}: {results:?}",
            self.driver.name()
        );
        results[0].rows[0][0].clone()
    }
}
