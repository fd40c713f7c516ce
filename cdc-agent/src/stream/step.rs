//! The stream, one step at a time: tests stand between two commits.

use super::begin::{self, Begun, Past};
use super::{QUEUED, Until, starting};
use crate::apply::{Applier, Outcome, Run};
use crate::capture::{Capture, Links, Polled, Question, Requests};
use crate::config::Config;
use crate::errors::AgentError;
use crate::source::{Connection, Connector, Isolation};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::{mpsc, watch};

/// A stream that polls and applies only when it is told to.
pub struct StepByStep {
    capture: Capture,
    applier: Applier,
    connector: Connector,
    connection: Connection,
    applied: watch::Sender<u64>,
    questions: mpsc::Receiver<Question>,
}

impl StepByStep {
    /// Begins as [`run`](super::run) does.
    ///
    /// # Errors
    /// As [`run`](super::run).
    pub async fn begin(config: &Config) -> Result<Self, AgentError> {
        let Begun { applier, journal, captured, tables, isolation, applied } =
            begin::begin(config, Until::CaughtUp, &Past::Continues).await?;
        let (applied, applied_receiver) = watch::channel(applied);
        let (questions, asked) = mpsc::channel(QUEUED);
        let (_, requests) = mpsc::channel(QUEUED);
        let (pulse, _) = watch::channel(starting(&captured));
        let connector = Connector::new(config.source.clone());
        let connection = connector.connect().await?;
        let capture = Capture {
            tables,
            captured,
            journal,
            limits: super::limits(config, isolation),
            links: Links { applied: applied_receiver, questions, requests, pulse },
            pending: Requests::default(),
            reread_after: BTreeMap::new(),
            too_large: BTreeSet::new(),
            asked: BTreeMap::new(),
        };
        Ok(Self { capture, applier, connector, connection, applied, questions: asked })
    }

    /// Reads cuts otherwise than they must be read.
    ///
    /// # Errors
    /// The source cannot be reached.
    pub async fn read_with(&mut self, isolation: Isolation, upper_filter: bool) -> Result<(), AgentError> {
        self.capture.limits.isolation = isolation;
        if upper_filter {
            self.connection = self.connector.clone().filter_windows().connect().await?;
        }
        Ok(())
    }

    /// Polls once and applies one run; tells whether the target has a new committed state.
    ///
    /// # Errors
    /// What either side says.
    pub async fn step(&mut self) -> Result<bool, AgentError> {
        let polled = self.capture.poll(&mut self.connection).await?;
        self.answer().await?;
        if matches!(polled, Polled::Idle | Polled::JournalFull) {
            return Ok(false);
        }
        let applied = *self.applied.borrow();
        let Some(run) = self.capture.journal.next_run(applied)? else { return Ok(false) };
        let sequence = run.start().sequence;
        let outcome =
            self.applier.apply(Run { start: *run.start(), end: run.end().clone(), records: run }).await?;
        self.applied.send_replace(sequence);
        self.capture.journal.trim_through(sequence)?;
        self.answer().await?;
        Ok(matches!(outcome, Outcome::Applied(_)))
    }

    async fn answer(&mut self) -> Result<(), AgentError> {
        while let Ok(question) = self.questions.try_recv() {
            if let Question::KeysNotMet { table, after, limit, answer } = question {
                let keys = self.applier.keys_not_met(&table, after.as_ref(), limit).await?;
                answer.send(keys).ok();
            }
        }
        Ok(())
    }
}
