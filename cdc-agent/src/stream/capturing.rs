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
                polled = self.one_connection(&mut pauses, &stop) => polled,
            };
            let Err(error) = polled else { return Ok(()) };
            let error = AgentError::from(error);
            let treatment = verdict(&error);
            self.metrics.source_errors.inc();
            self.metrics.source_connected.set(0);
            if self.until == Until::CaughtUp || treatment.class == Class::Stop || another_past(&error) {
                return Err(error);
            }
            let pause = pauses.next(treatment.class);
            tracing::warn!(error = %error.chain(), remedy = treatment.remedy, pause_ms = pause.as_millis(), "the source cannot be read");
            let state = if treatment.class == Class::Operator { "waiting" } else { "source_unreachable" };
            self.capture.pulse(None, false, state, Some(&error.chain().to_string()));
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Polls on a fresh connection until it fails or there is nothing left to do.
    async fn one_connection(&mut self, pauses: &mut Pauses, stop: &CancellationToken) -> Result<(), CaptureError> {
        let mut connection = self.connector.connect().await?;
        self.metrics.source_connected.set(1);
        if self.until == Until::Stopped {
            pauses.reset();
            return self.capture.stream(&mut connection, stop).await;
        }
        self.until_caught_up(&mut connection).await
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
            if polled != Polled::Busy {
                self.capture.links.applied.wait_for(|applied| *applied >= sequence).await.ok();
            }
        }
    }
}

fn another_past(error: &AgentError) -> bool {
    matches!(error, AgentError::Capture(error) if error.is_another_history())
}
