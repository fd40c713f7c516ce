//! The stream of one source: a capture and an applier that meet in the journal.
//!
//! ```text
//! begin      target connected, journal opened against the stream row, stream taken over, tables prepared
//! capturing  source -> journal; on its own connection, which is replaced after every error
//! applying   journal -> target; on its own connection, which is replaced after every error
//! ```
//!
//! Either side goes on without the other: with PostgreSQL away the journal grows to its bound, with SQL Server away the applier
//! empties it. A restored source, or a journal that does not continue what the target has, ends both sides; the stream begins
//! again with a takeover, in a new history where the past is void.

mod applying;
mod begin;
mod capturing;
#[cfg(feature = "test-switches")]
mod step;

use crate::capture::{CaptureError, Captured, Limits, Links, Pulse, Requests};
use crate::config::Config;
use crate::errors::{AgentError, Class, verdict};
use crate::retry::Pauses;
use crate::source::{Connector, Isolation, SourceError};
use crate::telemetry::Metrics;
use applying::{Applying, Side};
use begin::{Begun, Past};
use capturing::Capturing;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

#[cfg(feature = "test-switches")]
pub use step::StepByStep;

/// When a stream is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// A signal stops it.
    Stopped,
    /// Everything that the source held when it began is applied and every load is done; the first error ends it.
    CaughtUp,
}

/// Pause before a stream that has run begins again.
const BEGIN_AGAIN: Duration = Duration::from_secs(1);

/// A stream that has run for so long does not repeat the failure before.
const SETTLED: Duration = Duration::from_secs(60);

/// Questions and requests that may wait at either side.
const QUEUED: usize = 64;

/// Streams until `stop` is cancelled, or, with [`Until::CaughtUp`], until nothing is left to do.
///
/// # Errors
/// What neither side may go on after, or, with [`Until::CaughtUp`], the first error.
pub async fn run(
    config: &Config,
    until: Until,
    metrics: &Arc<Metrics>,
    stop: &CancellationToken,
) -> Result<(), AgentError> {
    let mut past = Past::Continues;
    let mut begun_before = false;
    let mut pauses = Pauses::new();
    loop {
        let begun = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            begun = begin::begin(config, until, &past) => begun,
        };
        let begun = match begun {
            Ok(begun) => begun,
            // The first beginning tells whoever started the agent what is wrong; later ones happen unattended.
            Err(error) if begun_before && until == Until::Stopped && verdict(&error).class != Class::Stop => {
                tracing::warn!(error = %error.chain(), "the stream cannot begin again yet");
                tokio::time::sleep(BEGIN_AGAIN).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        begun_before = true;
        let begun_at = tokio::time::Instant::now();
        match both_sides(config, until, begun, metrics, stop).await {
            Ok(()) => return Ok(()),
            Err(AgentError::Capture(error)) if error.is_another_history() => {
                tracing::error!(%error, "the source has another past; every table is loaded again");
                past = Past::Void { reason: error.to_string() };
            }
            Err(error) if error.needs_another_journal() => {
                tracing::error!(%error, "the journal does not continue what the target has; it is set aside and the source is read again");
                if begun_at.elapsed() > SETTLED {
                    pauses.reset();
                }
                tokio::time::sleep(pauses.next(Class::Reconnect)).await;
                past = Past::JournalUnusable { reason: error.to_string() };
            }
            Err(error) if error.needs_another_survey() && until == Until::Stopped => {
                tracing::error!(error = %error.chain(), "a table is not what it was; the source is looked at again");
                past = Past::Continues;
                tokio::time::sleep(BEGIN_AGAIN).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Runs both sides until one ends; the other one is stopped then. The error of the side that ended first counts.
async fn both_sides(
    config: &Config,
    until: Until,
    begun: Begun,
    metrics: &Arc<Metrics>,
    stop: &CancellationToken,
) -> Result<(), AgentError> {
    let Begun { applier, journal, captured, tables, isolation, applied } = begun;
    let halt = stop.child_token();
    let (applied_sender, applied_receiver) = watch::channel(applied);
    let (questions, asked) = mpsc::channel(QUEUED);
    let (resyncs, requests) = mpsc::channel(QUEUED);
    let (pulse, pulses) = watch::channel(starting(&captured));
    let applying = Applying {
        applier,
        journal: journal.clone(),
        side: Side { applied: applied_sender, questions: asked, requests: resyncs, pulses },
        until,
        metrics: Arc::clone(metrics),
        known_requests: BTreeSet::new(),
        settled: VecDeque::new(),
    };
    let capturing = Capturing {
        connector: Connector::new(config.source.clone()),
        capture: crate::capture::Capture {
            tables,
            captured,
            journal,
            limits: limits(config, isolation),
            links: Links { applied: applied_receiver, questions, requests, pulse },
            pending: Requests::default(),
            reread_after: BTreeMap::new(),
            too_large: BTreeSet::new(),
            asked: BTreeMap::new(),
        },
        until,
        metrics: Arc::clone(metrics),
    };
    let applying = tokio::spawn(applying.run(halt.clone()));
    let capturing = tokio::spawn(capturing.run(halt.clone()));
    first_error(applying, capturing, halt).await
}

type SideTask = tokio::task::JoinHandle<Result<(), AgentError>>;

async fn first_error(
    mut applying: SideTask,
    mut capturing: SideTask,
    halt: CancellationToken,
) -> Result<(), AgentError> {
    let (first, other) = tokio::select! {
        ended = &mut applying => (ended, capturing),
        ended = &mut capturing => (ended, applying),
    };
    let first = settled(first);
    if first.is_err() {
        halt.cancel();
    }
    let second = settled(other.await);
    first.and(second)
}

/// A side that panicked is a defect: the panic goes on, so that the process ends with it.
fn settled(ended: Result<Result<(), AgentError>, tokio::task::JoinError>) -> Result<(), AgentError> {
    match ended {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Ok(()),
        },
    }
}

fn starting(captured: &Captured) -> Pulse {
    Pulse { sequence: captured.sequence, moment: None, idle: false, state: "starting", detail: None }
}

/// A cut takes at most half the journal, so that one can be applied while the next is captured.
fn limits(config: &Config, isolation: Isolation) -> Limits {
    Limits {
        max_cut_rows: config.source.max_cut_rows,
        max_cut_bytes: config.journal.max_bytes / 2,
        chunk_rows: config.source.chunk_rows as u64,
        isolation,
        poll_interval: config.source.poll_interval,
    }
}

impl AgentError {
    /// Whether a table or a column went away or changed its type: the layouts in use are no longer the source's.
    fn needs_another_survey(&self) -> bool {
        const NAMES: [u32; 2] = [207, 208];
        match self {
            Self::Source(SourceError::UnexpectedValue { .. }) => true,
            Self::Source(error) => error.number().is_some_and(|number| NAMES.contains(&number)),
            _ => false,
        }
    }

    /// Whether the journal in use can no longer be applied: what it holds does not follow what the target has, or has rows that
    /// only a change at the source can mend.
    fn needs_another_journal(&self) -> bool {
        use crate::apply::TargetError;
        matches!(
            self,
            Self::Target(
                TargetError::Gap { .. }
                    | TargetError::Journal(_)
                    | TargetError::Torn { .. }
                    | TargetError::UnknownLayout { .. }
                    | TargetError::UnknownTable { .. }
                    | TargetError::FoldTooCoarse { .. }
            )
        ) || matches!(self, Self::Journal(error) if error.is_damage())
            || matches!(self, Self::Capture(CaptureError::Journal(error)) if error.is_damage())
    }
}

/// How the source is read, from what it allows.
fn isolation_of(snapshot_allowed: bool) -> Isolation {
    if snapshot_allowed { Isolation::Snapshot } else { Isolation::ReadCommitted }
}
