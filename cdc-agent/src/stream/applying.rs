//! The target's side: applies runs in order, answers capture's questions, keeps the stream row alive.

use super::Until;
use crate::apply::{Applier, ControlRequest, Idle, Outcome, Run, TargetError};
use crate::capture::{Command, Pulse, Question, Request};
use crate::clock;
use crate::errors::{AgentError, Class, verdict};
use crate::retry::Pauses;
use crate::telemetry::Metrics;
use state::Journal;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// Between two signs of life, and between two looks for requests.
const SIGN_OF_LIFE: Duration = Duration::from_millis(500);

/// Longest wait for an answer that is short; a server that hangs behind a living line says nothing otherwise.
const PATIENCE: Duration = Duration::from_secs(15);
/// Longest wait for an answer that reads a whole table.
const SCAN_PATIENCE: Duration = Duration::from_secs(600);
/// Keys in quarantine that one request reads again.
const RETRIED_AT_ONCE: usize = 1_000;
/// Longest wait for the answer to the last word.
const LAST_WORD: Duration = Duration::from_secs(1);

pub(super) struct Applying {
    pub(super) applier: Applier,
    pub(super) journal: Journal,
    pub(super) side: Side,
    pub(super) until: Until,
    pub(super) metrics: Arc<Metrics>,
    /// Requests handed to capture and not finished yet.
    pub(super) known_requests: BTreeSet<i64>,
    /// Outcomes that PostgreSQL does not have yet.
    pub(super) settled: VecDeque<(i64, Result<u64, String>)>,
}

/// The answer, or the error of a call that was given up. Its connection is replaced then, since nobody knows what it will say.
async fn within<T>(
    patience: Duration,
    call: impl Future<Output = Result<T, TargetError>>,
) -> Result<T, AgentError> {
    match tokio::time::timeout(patience, call).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(TargetError::NoAnswer { patience }.into()),
    }
}

/// The applier's ends of the channels.
pub(super) struct Side {
    pub(super) applied: watch::Sender<u64>,
    pub(super) questions: mpsc::Receiver<Question>,
    pub(super) requests: mpsc::Sender<Request>,
    pub(super) pulses: watch::Receiver<Pulse>,
}

impl Applying {
    /// Applies until `stop` is cancelled, or capture has ended and the journal is empty.
    pub(super) async fn run(mut self, stop: CancellationToken) -> Result<(), AgentError> {
        let mut pauses = Pauses::new();
        loop {
            let worked = tokio::select! {
                () = stop.cancelled() => break,
                worked = self.work(&mut pauses) => worked,
            };
            let Err(error) = worked else { break };
            let treatment = verdict(&error);
            self.metrics.target_connected.set(0);
            let passes = matches!(treatment.class, Class::Retry | Class::Reconnect | Class::Operator);
            if self.until == Until::CaughtUp || !passes || error.needs_another_journal() {
                return Err(error);
            }
            self.wait_for_target(error, &mut pauses, &stop).await?;
        }
        self.say_stopped().await;
        Ok(())
    }

    /// Runs, questions and signs of life take turns: under a source that never rests there is always another run, and a load that
    /// waits for an answer, or a person for theirs, must not wait for ever. Ends when capture has ended and nothing is left.
    async fn work(&mut self, pauses: &mut Pauses) -> Result<(), AgentError> {
        let mut life = tokio::time::interval(SIGN_OF_LIFE);
        life.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        self.metrics.target_connected.set(1);
        loop {
            if self.apply_next().await? {
                pauses.reset();
            }
            let applied = *self.side.applied.borrow();
            tokio::select! {
                biased;
                _ = life.tick() => self.sign_of_life().await?,
                question = self.side.questions.recv() => match question {
                    Some(question) => self.answer(question).await?,
                    None => return self.apply_the_rest().await,
                },
                () = self.journal.run_ended(applied) => {}
            }
        }
    }

    async fn apply_the_rest(&mut self) -> Result<(), AgentError> {
        while self.apply_next().await? {}
        Ok(())
    }

    async fn apply_next(&mut self) -> Result<bool, AgentError> {
        let applied = *self.side.applied.borrow();
        let Some(run) = self.journal.next_run(applied)? else { return Ok(false) };
        let sequence = run.start().sequence;
        let begun = tokio::time::Instant::now();
        let run = Run { start: *run.start(), end: run.end().clone(), records: run };
        match self.applier.apply(run).await? {
            Outcome::Applied(applied) => self.metrics.applied(&applied, begun.elapsed()),
            Outcome::AlreadyThere => {}
        }
        self.side.applied.send_replace(sequence);
        self.journal.trim_through(sequence)?;
        Ok(true)
    }

    async fn answer(&mut self, question: Question) -> Result<(), AgentError> {
        match question {
            Question::KeysNotMet { table, after, limit, answer } => {
                let asked = self.applier.keys_not_met(&table, after.as_ref(), limit);
                // Capture may have dropped the poll that asked.
                answer.send(within(SCAN_PATIENCE, asked).await?).ok();
            }
            Question::Settled { request, outcome } => {
                self.settled.push_back((request, outcome));
                self.finish_requests().await?;
            }
        }
        Ok(())
    }

    /// A request leaves the queue when PostgreSQL has its outcome.
    async fn finish_requests(&mut self) -> Result<(), AgentError> {
        while let Some((request, outcome)) = self.settled.front() {
            within(PATIENCE, self.applier.finish_request(*request, outcome)).await?;
            self.known_requests.remove(request);
            self.settled.pop_front();
        }
        Ok(())
    }

    async fn sign_of_life(&mut self) -> Result<(), AgentError> {
        let pulse = self.side.pulses.borrow().clone();
        let applied = *self.side.applied.borrow();
        // "Unchanged since run n" may be said only when the target has run n.
        let idle = pulse.moment.filter(|_| pulse.idle && pulse.sequence == applied).map(|moment| Idle {
            sequence: applied,
            moment,
            age: Duration::from_micros((clock::now_micros() - moment.agent_clock).max(0).unsigned_abs()),
        });
        self.measure();
        within(PATIENCE, self.applier.heartbeat(idle.as_ref(), pulse.state, pulse.detail.as_deref())).await?;
        self.finish_requests().await?;
        for request in within(PATIENCE, self.applier.take_requests()).await? {
            self.hand_over(request).await?;
        }
        Ok(())
    }

    fn measure(&self) {
        self.metrics.pulse(&self.side.pulses.borrow(), *self.side.applied.borrow(), &self.journal);
    }

    async fn hand_over(&mut self, request: ControlRequest) -> Result<(), AgentError> {
        if !self.known_requests.insert(request.id) {
            return Ok(());
        }
        match self.command(&request).await? {
            Ok(command) => {
                let ControlRequest { id, table, requested_by, .. } = request;
                // A full queue is no loss: the request stays in the table and is read again.
                if self.side.requests.try_send(Request { id, table, command, requested_by }).is_err() {
                    self.known_requests.remove(&id);
                }
                Ok(())
            }
            Err(refusal) => {
                self.settled.push_back((request.id, Err(refusal)));
                self.finish_requests().await
            }
        }
    }

    /// What capture has to do for a request, or why nothing.
    async fn command(&self, request: &ControlRequest) -> Result<Result<Command, String>, AgentError> {
        Ok(match request.command.as_str() {
            "resync" => Ok(Command::Resync),
            "pause" => Ok(Command::Pause),
            "resume" => Ok(Command::Resume),
            "verify" => Ok(Command::Verify { repair: false }),
            "repair" => Ok(Command::Verify { repair: true }),
            "retry" => {
                let asked = self.applier.keys_in_quarantine(&request.table, RETRIED_AT_ONCE);
                match within(PATIENCE, asked).await? {
                    keys if keys.is_empty() => Err("none of its keys is in quarantine".to_owned()),
                    keys => Ok(Command::Retry(keys)),
                }
            }
            unknown => Err(format!("this agent knows no command {unknown:?}")),
        })
    }

    /// Pauses and connects again until PostgreSQL answers. Capture goes on meanwhile; its questions stay unanswered.
    async fn wait_for_target(
        &mut self,
        error: AgentError,
        pauses: &mut Pauses,
        stop: &CancellationToken,
    ) -> Result<(), AgentError> {
        let mut error = error;
        loop {
            let treatment = verdict(&error);
            let pause = pauses.next(treatment.class);
            self.metrics.target_errors.inc();
            tracing::warn!(error = %error.chain(), remedy = treatment.remedy.en, pause_ms = pause.as_millis(), "the target cannot be written; changes wait in the journal");
            if !self.pause(pause, stop).await {
                return Ok(());
            }
            match self.reconnect().await {
                Ok(()) => return Ok(()),
                Err(again) => error = again,
            }
            if verdict(&error).class == Class::Stop {
                return Err(error);
            }
        }
    }

    /// Pauses, while an operator goes on seeing what waits in the journal; false when it is time to stop.
    async fn pause(&self, pause: Duration, stop: &CancellationToken) -> bool {
        let mut looks = tokio::time::interval(SIGN_OF_LIFE);
        let mut over = std::pin::pin!(tokio::time::sleep(pause));
        loop {
            tokio::select! {
                () = stop.cancelled() => return false,
                () = &mut over => return true,
                _ = looks.tick() => self.measure(),
            }
        }
    }

    /// A server that came back without its last commits is behind what was applied and trimmed: the stream has to begin again.
    async fn reconnect(&mut self) -> Result<(), AgentError> {
        within(PATIENCE, self.applier.reconnect()).await?;
        let applied = *self.side.applied.borrow();
        match within(PATIENCE, self.applier.stream()).await? {
            Some(row) if row.applied_sequence >= applied => Ok(()),
            row => Err(TargetError::Gap {
                sequence: applied + 1,
                predecessor: None,
                applied: row.as_ref().map_or(0, |row| row.applied_sequence),
                applied_run: row.and_then(|row| row.last_run),
            }
            .into()),
        }
    }

    async fn say_stopped(&mut self) {
        if let Err(error) = within(LAST_WORD, self.applier.heartbeat(None, "stopped", None)).await {
            tracing::warn!(%error, "the stream row could not be told that the agent stops");
        }
    }
}
