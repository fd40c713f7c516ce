//! The pulse: what the sources, metrics and zones are right now, read once for all clients.
//!
//! One connection listens for `cdc_revision`. A notification is only a hint that something changed; it can be lost with its
//! connection, so the state is also read again every second. Each reading is one transaction, and what it finds is handed to
//! everybody who waits: event streams, the pipeline's answer, the cache and the probes.
//!
//! When PostgreSQL cannot be reached, the last reading stays visible, its age grows, and it is marked unreachable; the next
//! reading that succeeds ends that. Nothing else has to be done for recovery.

use crate::access::Scope;
use crate::database::{Database, DatabaseError};
use crate::freshness::{Freshness, State};
use crate::problem::chain;
use crate::queries::catalogue::{self, CatalogueError, Metric, WarehouseZone};
use crate::queries::pipeline::{self, Source};
use crate::telemetry::Telemetry;
use prometheus::IntGauge;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_postgres::AsyncMessage;
use tokio_util::sync::CancellationToken;

/// How often the state is read without a hint, and how long after a loss the listening connection is made again.
const EVERY: Duration = Duration::from_secs(1);

/// How long one reading may take before PostgreSQL counts as unreachable.
const READ_WITHIN: Duration = Duration::from_secs(3);

/// One reading of the state.
#[derive(Debug)]
pub(crate) struct Overview {
    pub sources: Vec<Source>,
    pub metrics: Vec<Metric>,
    pub zones: Vec<WarehouseZone>,
    /// When it was read; ages grow from here.
    pub at: Instant,
}

/// The last reading, and whether PostgreSQL can be reached now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pulse {
    pub last: Option<Arc<Overview>>,
    pub reachable: bool,
}

impl Pulse {
    /// The last reading, if PostgreSQL can be reached now.
    pub(crate) fn current(&self) -> Option<&Arc<Overview>> {
        self.last.as_ref().filter(|_| self.reachable)
    }

    /// The freshness of each source, with its name.
    pub(crate) fn freshness(&self) -> impl Iterator<Item = (&Source, Freshness)> {
        self.last.iter().flat_map(|overview| {
            overview.sources.iter().map(|source| {
                let mut freshness = Freshness::of_source(source, overview.at.elapsed());
                if !self.reachable {
                    freshness.state = State::DatabaseUnreachable;
                }
                (source, freshness)
            })
        })
    }
}

impl Overview {
    async fn take(database: &Database) -> Result<Self, CatalogueError> {
        let scope = Scope::All;
        let reading = database.begin(&scope).await?;
        let sources = pipeline::sources(&reading, &scope).await?;
        let at = Instant::now();
        let metrics = catalogue::metrics(&reading, &scope).await?;
        let zones = catalogue::zones(&reading, &scope).await?;
        reading.finish().await?;
        Ok(Self { sources, metrics, zones, at })
    }
}

/// Reads the state until `stop`, and publishes every reading.
pub(crate) async fn beat(
    database: Database,
    pulse: watch::Sender<Pulse>,
    telemetry: Telemetry,
    stop: CancellationToken,
) {
    let (hint, mut hints) = mpsc::channel(1);
    let listening = listen(database.clone(), hint, telemetry.listening.clone());
    let reading = async {
        let mut reachable = None;
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                _ = hints.recv() => {}
            }
            let read = timeout(READ_WITHIN, Overview::take(&database)).await;
            let read = read.unwrap_or(Err(DatabaseError::TimedOut { after: READ_WITHIN }.into()));
            reachable = Some(publish(read, reachable, &pulse, &telemetry));
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = listening => {}
        () = reading => {}
    }
}

/// Shows a reading to everybody, and logs when PostgreSQL comes or goes. Tells whether it can be reached.
fn publish(
    read: Result<Overview, CatalogueError>,
    was_reachable: Option<bool>,
    pulse: &watch::Sender<Pulse>,
    telemetry: &Telemetry,
) -> bool {
    let reachable = read.is_ok();
    telemetry.database_up.set(i64::from(reachable));
    match read {
        Ok(overview) => {
            if was_reachable != Some(true) {
                tracing::info!(sources = overview.sources.len(), "reading from PostgreSQL");
            }
            pulse.send_replace(Pulse { last: Some(Arc::new(overview)), reachable });
        }
        Err(error) => {
            telemetry.database_failures.inc();
            if was_reachable != Some(false) {
                tracing::error!(error = %chain(&error), "PostgreSQL cannot be read; trying every second");
            }
            pulse.send_modify(|pulse| pulse.reachable = false);
        }
    }
    telemetry.show_ages(&pulse.borrow());
    reachable
}

/// Listens on a connection of its own and makes it again whenever it is lost.
async fn listen(database: Database, hint: mpsc::Sender<()>, listening: IntGauge) {
    loop {
        let ended = listen_once(&database, &hint, &listening).await;
        listening.set(0);
        match ended {
            Ok(()) => tracing::warn!("the connection that listens for revisions was closed"),
            Err(error) => {
                tracing::debug!(error = %chain(&error), "listening for revisions failed");
            }
        }
        sleep(EVERY).await;
    }
}

async fn listen_once(
    database: &Database,
    hint: &mpsc::Sender<()>,
    listening: &IntGauge,
) -> Result<(), DatabaseError> {
    let (client, mut connection) = database.dedicated().await?;
    let mut messages = futures::stream::poll_fn(move |context| connection.poll_message(context));
    let mut asked = std::pin::pin!(client.batch_execute("listen cdc_revision"));
    let mut is_listening = false;
    loop {
        tokio::select! {
            answer = &mut asked, if !is_listening => {
                answer?;
                is_listening = true;
                listening.set(1);
            }
            message = futures::StreamExt::next(&mut messages) => match message {
                // A full channel already holds a hint that nobody has read yet.
                Some(Ok(AsyncMessage::Notification(_))) => {
                    hint.try_send(()).ok();
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Ok(()),
            },
        }
    }
}
