//! The source's side: polls on one connection after the other.

use super::Until;
use crate::capture::{Capture, CaptureError, Polled};
use crate::errors::{AgentError, Class, verdict};
use crate::retry::Pauses;
use crate::source::{Connection, Connector};
use crate::telemetry::Metrics;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub(super) struct Capturing {
    pub(super) connector: Connector,
    pub(super) capture: Capture,
    pub(super) until: Until,
    pub(super) metrics: Arc<Metrics>,
}

impl Capturing {
    /// Polls until `stop` is cancelled. An error that passes costs a pause and a new connection; the state that was captured stays.
    pub(super) async fn run(mut self, stop: CancellationToken) -> Result<(), AgentError> {
        let mut pauses = Pauses::new();
        loop {
            let polled = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                polled = self.one_connection(&mut pauses) => polled,
            };
            let Err(error) = polled else { return Ok(()) };
            let error = AgentError::from(error);
            let treatment = verdict(&error);
            self.metrics.source_errors.inc();
            self.metrics.source_connected.set(0);
            let ends = treatment.class == Class::Stop || another_past(&error) || error.needs_another_survey();
            if self.until == Until::CaughtUp || ends {
                return Err(error);
            }
            let pause = pauses.next(treatment.class);
            tracing::warn!(error = %error.chain(), remedy = treatment.remedy.en, pause_ms = pause.as_millis(), "the source cannot be read");
            let state = if treatment.class == Class::Operator { "waiting" } else { "source_unreachable" };
            self.capture.pulse(None, false, state, Some(&error.chain().to_string()));
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Polls on a fresh connection until it fails or there is nothing left to do.
    async fn one_connection(&mut self, pauses: &mut Pauses) -> Result<(), CaptureError> {
        let mut connection = self.connector.connect().await?;
        self.metrics.source_connected.set(1);
        match self.until {
            Until::Stopped => self.poll_on(&mut connection, pauses).await,
            Until::CaughtUp => self.until_caught_up(&mut connection).await,
        }
    }

    /// Polls until an error ends it. A poll that succeeded ends a series of errors; a mere connection does not.
    async fn poll_on(
        &mut self,
        connection: &mut Connection,
        pauses: &mut Pauses,
    ) -> Result<(), CaptureError> {
        loop {
            match self.capture.poll(connection).await {
                Ok(polled) => {
                    pauses.reset();
                    if polled != Polled::Busy {
                        tokio::time::sleep(self.capture.limits.poll_interval).await;
                    }
                }
                Err(CaptureError::LostDuringCut { table, reason }) => {
                    tracing::warn!(
                        table,
                        reason,
                        "a table lost its history during a cut; the cut is dropped and taken again"
                    );
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// `run --once`: until the version read first is captured, every load is done and the target has it all.
    async fn until_caught_up(&mut self, connection: &mut Connection) -> Result<(), CaptureError> {
        let goal = connection.overview(&self.capture.tables).await?.version;
        loop {
            let polled = self.capture.poll(connection).await?;
            let reached = self.capture.captured.position.is_some_and(|position| position >= goal);
            let sequence = self.capture.captured.sequence;
            if reached && self.capture.nothing_left() {
                return Ok(());
            }
            let everything_applied = *self.capture.links.applied.borrow() >= sequence;
            match polled {
                Polled::Busy => {}
                Polled::JournalFull if everything_applied => return Err(CaptureError::NoRoom),
                _ if everything_applied => tokio::time::sleep(self.capture.limits.poll_interval).await,
                // The applier's end of the channel goes first when it fails; its error is the one that counts.
                _ => drop(self.capture.links.applied.wait_for(|applied| *applied >= sequence).await),
            }
        }
    }
}

fn another_past(error: &AgentError) -> bool {
    matches!(error, AgentError::Capture(error) if error.is_another_history())
}
