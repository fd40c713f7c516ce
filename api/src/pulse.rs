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
use crate::queries::catalogue::{self, CatalogueError, Metric, WarehouseZone};
use crate::queries::pipeline::{self, Source};
use crate::telemetry::Telemetry;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};
use tokio_postgres::AsyncMessage;
use tokio_util::sync::CancellationToken;

/// How often the state is read without a hint, and how long after a loss the listening connection is made again.
const EVERY: Duration = Duration::from_secs(1);

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
    let listening = listen(database.clone(), hint);
    let reading = async {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                _ = hints.recv() => {}
            }
            publish(Overview::take(&database).await, &pulse, &telemetry);
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = listening => {}
        () = reading => {}
    }
}

fn publish(read: Result<Overview, CatalogueError>, pulse: &watch::Sender<Pulse>, telemetry: &Telemetry) {
    let reachable = read.is_ok();
    telemetry.database_up.set(i64::from(reachable));
    let was_reachable = pulse.borrow().reachable;
    match read {
        Ok(overview) => {
            if !was_reachable {
                tracing::info!(sources = overview.sources.len(), "reading from PostgreSQL");
            }
            let last = Some(Arc::new(overview));
            pulse.send_replace(Pulse { last, reachable });
        }
        Err(error) => {
            telemetry.database_failures.inc();
            if was_reachable || pulse.borrow().last.is_none() {
                tracing::error!(error = %crate::problem::chain(&error), "PostgreSQL cannot be read; trying every second");
            }
            pulse.send_modify(|pulse| pulse.reachable = false);
        }
    }
    telemetry.show_ages(&pulse.borrow());
}

/// Listens on a connection of its own and makes it again whenever it is lost.
async fn listen(database: Database, hint: mpsc::Sender<()>) {
    loop {
        match listen_once(&database, &hint).await {
            Ok(()) => tracing::warn!("the connection that listens for revisions was closed"),
            Err(error) => {
                tracing::debug!(error = %crate::problem::chain(&error), "listening for revisions failed");
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn listen_once(database: &Database, hint: &mpsc::Sender<()>) -> Result<(), DatabaseError> {
    let (client, mut connection) = database.dedicated().await?;
    let mut messages = futures::stream::poll_fn(move |context| connection.poll_message(context));
    let mut asked = std::pin::pin!(client.batch_execute("listen cdc_revision"));
    let mut is_listening = false;
    loop {
        tokio::select! {
            answer = &mut asked, if !is_listening => {
                answer?;
                is_listening = true;
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
