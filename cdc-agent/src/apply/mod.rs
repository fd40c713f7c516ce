//! The target: one PostgreSQL transaction per run, which moves rows, daily figures and progress together.
//!
//! ```text
//! begin
//!   stream row FOR UPDATE          epoch mine? run the next? its predecessor the last applied?     else: fenced, gap, already there
//!   per batch (≤ 10,000 images of one table), inside a savepoint
//!     COPY BINARY -> stage -> change           newest image per key; equal rows dropped
//!     contributions before, delete, upsert, contributions after, keys met by a load
//!   marks of loads, conditions, incarnations
//!   contributions -> cdc.daily                 in key order, last
//!   stream row: last run, sequence, position, revision; NOTIFY
//! commit
//! ```
//!
//! - **The sequence alone orders.** Rows carry no version to compare; a run applies once, after its predecessor, or not at all.
//! - **A crash at any point** leaves the transaction committed or not there. A lost answer to COMMIT is settled by applying the run
//!   again: the row lock waits for the first transaction, and the row then says whether it happened.
//! - **No statement reads a whole table.** Staged rows meet the target by its primary key or an index of a join; hash and merge
//!   joins are off in the transaction, since they would be chosen from a certain batch size on.
//! - **A row that PostgreSQL refuses** (class 22, 23) is found by halving its batch and put into quarantine; the old row stays.

mod batch;
mod connection;
mod encode;
mod error;
mod figures;
pub(crate) mod ident;
mod load;
mod numeric;
mod prepare;
mod quarantine;
mod run;
mod session;
mod stream;
mod table;

pub use error::TargetError;
pub use figures::Zoning;
pub use prepare::TablePlan;
pub use run::{Applied, Outcome, Run};
pub use stream::{ControlRequest, Idle, StreamRow, TableState};

pub(crate) use connection::Connection;
pub(crate) use error::Doing;

pub(crate) use prepare::catalogue_of;
pub(crate) use stream::json;

use crate::config::{Config, Endpoint};
use session::{Plan, Session};
use std::time::Duration;
use uuid::Uuid;

/// What the applier has to know of the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How to reach PostgreSQL.
    pub endpoint: Endpoint,
    /// Schema of the replicated tables.
    pub schema: String,
    /// Name of the stream, where naive datetimes live and where zones are found.
    pub zoning: Zoning,
    /// Silence of the agent is judged by it.
    pub poll_interval: Duration,
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        Self {
            endpoint: config.target.endpoint.clone(),
            schema: config.target.schema.clone(),
            zoning: Zoning {
                source: config.source.name.clone(),
                naive_zone: config.source.naive_zone,
                zones: config.zones.clone(),
            },
            poll_interval: config.source.poll_interval,
        }
    }
}

/// The only writer of one source's stream.
#[derive(Debug)]
pub struct Applier {
    settings: Settings,
    connection: Connection,
    /// The token under which this agent took the stream over.
    epoch: Option<Uuid>,
    /// Tables and metrics, once prepared.
    plan: Plan,
    /// Their statements on this connection.
    session: Option<Session>,
    #[cfg(feature = "test-switches")]
    sequence_unchecked: bool,
}

impl Applier {
    /// Connects, checks the server and keeps other agents of the same source out.
    ///
    /// # Errors
    /// The server cannot be reached or used, or another agent is at work.
    pub async fn connect(settings: Settings) -> Result<Self, TargetError> {
        let connection = Self::open(&settings).await?;
        Ok(Self {
            settings,
            connection,
            epoch: None,
            plan: Plan::default(),
            session: None,
            #[cfg(feature = "test-switches")]
            sequence_unchecked: false,
        })
    }

    /// Replaces a connection that was lost. The epoch stays, so that a run whose COMMIT was not answered can be applied again to
    /// find out.
    ///
    /// # Errors
    /// As [`Applier::connect`]; [`TargetError::Busy`] passes when the server has noticed the loss.
    pub async fn reconnect(&mut self) -> Result<(), TargetError> {
        self.session = None;
        self.connection.unlock().await;
        self.connection = Self::open(&self.settings).await?;
        self.session = Some(Session::new(&self.connection.client, &self.plan).await?);
        Ok(())
    }

    /// Applies every run that comes, whatever the stream row says: shows what the check is good for.
    #[cfg(feature = "test-switches")]
    pub fn leave_sequence_unchecked(&mut self) {
        self.sequence_unchecked = true;
    }

    /// Brings the shared schema up to date; returns the names of the migrations applied now.
    ///
    /// # Errors
    /// See [`migrations::MigrationError`].
    pub async fn migrate(&mut self) -> Result<Vec<&'static str>, TargetError> {
        Ok(migrations::migrate(&mut self.connection.client).await?)
    }

    async fn open(settings: &Settings) -> Result<Connection, TargetError> {
        let connection = Connection::open(&settings.endpoint).await?;
        connection.check().await?;
        connection.lock(&settings.zoning.source).await?;
        Ok(connection)
    }

    fn source(&self) -> &str {
        &self.settings.zoning.source
    }
}
