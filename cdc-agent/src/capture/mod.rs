//! Capture: from the source into the journal.
//!
//! Invariants
//! - The position moves only by a run that has its end mark: what a poll reads is captured whole or not at all.
//! - Every table in step or loading is validated before and after a cut, moved or not, and at every idle poll; a heartbeat goes out
//!   only after that comparison.
//! - A table whose history is lost leaves step visibly, by an entry of the run that begins its load.
//! - A paused table keeps the position at which it was paused; resuming it is a load over the keys changed since then.
//! - Versions that run backwards, or another commit under a version already seen, mean that the source was restored: capture stops
//!   and the stream is taken over in a new history.
//!
//! ```text
//! tick → overview → (nothing to do) heartbeat
//!                 → cut (see `cut`) → run ended in the journal → captured state observes its entries
//! ```
//!
//! Crash: a run without its end is removed when the journal is opened; the captured state is rebuilt from the stream row and the
//! ended runs (see `captured`).

mod captured;
mod cut;
mod plan;
mod request;

pub use captured::{Captured, Load, Pause, Seen, Stage};
pub use request::{Command, Request, Requests};

use crate::source::{CapturedTable, Connection, Isolation, Overview, SourceError};
use cut::{Cut, Run, Unmet};
use proto::{Key, SourceMoment, Version};
use state::{Journal, StateError};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Bounds of a cut.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Changed keys above which a table's window becomes a load: the windows of a cut together stay below it, and so do the
    /// rows of its loads.
    pub max_cut_rows: u64,
    /// Bytes of a cut: the window that passes them becomes a load, and loads go on in the next cut.
    pub max_cut_bytes: u64,
    /// Rows of one keyset read.
    pub chunk_rows: u64,
    /// How a cut reads.
    pub isolation: Isolation,
    /// Pause between polls that found nothing to do.
    pub poll_interval: Duration,
}

/// Why capture stopped or a cut was dropped.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The source could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The journal could not be written.
    #[error(transparent)]
    Journal(#[from] StateError),
    /// A table lost its history between the two validations of a cut; the cut was dropped, the next poll mends it.
    #[error("{table}: {reason}, while it was being read")]
    LostDuringCut {
        /// Table in the target.
        table: String,
        /// What happened to it.
        reason: String,
    },
    /// A window is too large for one cut; the cut was dropped, the next poll loads its keys instead.
    #[error("{table}: its changes take more than {max_cut_bytes} bytes in one cut")]
    WindowTooLarge {
        /// Table in the target.
        table: String,
        /// The bound.
        max_cut_bytes: u64,
    },
    /// The source's versions ran backwards.
    #[error("the source's version went back from {from} to {to}: it was restored from a backup")]
    WentBackwards {
        /// Seen before.
        from: Version,
        /// Seen now.
        to: Version,
    },
    /// The journal is full though the target has everything in it.
    #[error(
        "the journal is full although everything in it is applied: the disk under its folder has too little room"
    )]
    NoRoom,
    /// A version already seen belongs to another commit now.
    #[error("version {version} belongs to another commit than before: the source was restored from a backup")]
    AnotherPast {
        /// The version.
        version: Version,
    },
}

impl CaptureError {
    /// Whether the source's past is another one: the stream has to be taken over in a new history.
    pub fn is_another_history(&self) -> bool {
        matches!(self, Self::WentBackwards { .. } | Self::AnotherPast { .. })
    }
}

/// What capture asks of the side that talks to PostgreSQL.
#[derive(Debug)]
pub enum Question {
    /// Keys of the target's table that its load has not met, after a key, at most so many.
    KeysNotMet {
        /// Table in the target.
        table: String,
        /// Last key of the page before.
        after: Option<Key>,
        /// Size of the page.
        limit: usize,
        /// Where the answer goes.
        answer: oneshot::Sender<Vec<Key>>,
    },
    /// A request is settled.
    Settled {
        /// The request.
        request: i64,
        /// The run that does what was asked for, or begins to; or why there is none.
        outcome: Result<u64, String>,
    },
}

/// The latest word about the source: everything up to `sequence` is in the journal, and the source stood like that at `moment`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pulse {
    /// Last captured run.
    pub sequence: u64,
    /// When the source was last heard.
    pub moment: Option<SourceMoment>,
    /// Whether it was unchanged then: nothing beyond `sequence` existed.
    pub idle: bool,
    /// What capture is doing, as the stream row's `agent_state`.
    pub state: &'static str,
    /// One sentence for an operator.
    pub detail: Option<String>,
}

/// Channels between capture and the applier's task.
pub struct Links {
    /// Sequence of the last applied run.
    pub applied: watch::Receiver<u64>,
    /// Questions to PostgreSQL.
    pub questions: mpsc::Sender<Question>,
    /// Operators' requests.
    pub requests: mpsc::Receiver<Request>,
    /// Signs of life.
    pub pulse: watch::Sender<Pulse>,
}

/// Captures one source.
pub struct Capture {
    /// Tables by their name in the target.
    pub tables: BTreeMap<String, CapturedTable>,
    /// State after the last ended run.
    pub captured: Captured,
    /// Where runs go.
    pub journal: Journal,
    /// Bounds.
    pub limits: Limits,
    /// The applier's side.
    pub links: Links,
    /// Requests received and not yet answered.
    pub pending: Requests,
    /// How far the keys not met of a load were read again, by table.
    pub reread_after: BTreeMap<String, Key>,
    /// Tables whose window was too large: their next window becomes a load.
    pub too_large: BTreeSet<String>,
    /// Questions for keys not met that were not answered yet, by table.
    pub asked: BTreeMap<String, oneshot::Receiver<Vec<Key>>>,
}

/// What a poll did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// Nothing had changed.
    Idle,
    /// The journal is full; nothing was read. Change Tracking keeps the changes meanwhile.
    JournalFull,
    /// A run ended that was part of a load; its next part can be read at once.
    Busy,
    /// A run ended and nothing is left to do.
    CaughtUp,
}

/// How long a poll waits for an answer that is not there yet.
const ANSWER_PATIENCE: Duration = Duration::from_millis(200);

/// Keys not met that are read again in one cut.
const REREAD_PAGE: usize = 1_000;

impl Capture {
    /// One poll: a heartbeat, or a cut.
    pub async fn poll(&mut self, connection: &mut Connection) -> Result<Polled, CaptureError> {
        self.receive_requests();
        if self.journal.is_full()? {
            self.pulse(None, false, "waiting", Some("the journal is full; changes wait at the source"));
            return Ok(Polled::JournalFull);
        }
        let overview = connection.overview(&self.tables).await?;
        if let Some(seen) = self.captured.highest.as_ref().filter(|seen| overview.version < seen.version) {
            return Err(CaptureError::WentBackwards { from: seen.version, to: overview.version });
        }
        self.refuse_hopeless_requests(&overview).await;
        let wishes = self.pending.wishes();
        let plan = plan::plan(&self.captured, overview.version, &overview.tables, &wishes);
        let unmoved = self.captured.position == Some(overview.version);
        if unmoved && plan.is_idle() {
            self.pulse(Some(overview.moment), true, "streaming", None);
            return Ok(Polled::Idle);
        }
        let unmet = self.ask_unmet(&plan).await;
        let more = plan.has_work() || !unmet.is_empty();
        if unmoved && !more {
            self.pulse(Some(overview.moment), true, "streaming", None);
            return Ok(Polled::Idle);
        }
        self.check_past(connection).await?;
        self.cut(connection, overview, plan, unmet).await?;
        Ok(if more { Polled::Busy } else { Polled::CaughtUp })
    }

    async fn cut(
        &mut self,
        connection: &mut Connection,
        overview: Overview,
        plan: plan::Plan,
        unmet: Vec<Unmet>,
    ) -> Result<(), CaptureError> {
        let pages: Vec<_> =
            unmet.iter().map(|page| (page.table.clone(), page.keys.last().cloned())).collect();
        let cut = Cut {
            connection,
            tables: &self.tables,
            captured: &self.captured,
            limits: &self.limits,
            too_large: &self.too_large,
            run: Run::new(self.journal.begin_run()?),
        };
        let taken = cut.take(&overview, &plan, unmet).await;
        if let Err(CaptureError::WindowTooLarge { table, .. }) = &taken {
            self.too_large.insert(table.clone());
        }
        let (sequence, marks) = taken?;
        self.too_large.clear();
        for mark in &marks {
            self.captured.observe(sequence, mark);
            announce(sequence, mark);
        }
        for (table, last) in pages {
            match last {
                Some(key) => self.reread_after.insert(table, key),
                None => self.reread_after.remove(&table),
            };
        }
        self.settle_requests(sequence, &marks, &plan).await;
        self.pulse(Some(overview.moment), false, "streaming", None);
        Ok(())
    }

    /// A source that was restored and has overtaken the versions seen shows another commit under one of them.
    async fn check_past(&self, connection: &mut Connection) -> Result<(), CaptureError> {
        let Some(Seen { version, identity: Some(known) }) = &self.captured.highest else { return Ok(()) };
        match connection.identity_of(*version).await? {
            Some(now) if now != *known => Err(CaptureError::AnotherPast { version: *version }),
            _ => Ok(()),
        }
    }

    /// A page of keys not met of every load whose last chunk the target has applied, where the answer is there: with the target
    /// away the question stays open and capture goes on.
    async fn ask_unmet(&mut self, plan: &plan::Plan) -> Vec<Unmet> {
        let applied = *self.links.applied.borrow();
        let mut pages = Vec::new();
        for table in &plan.rereads {
            let scanned = match &self.captured.tables[table] {
                Stage::Loading(load) => load.scanned_in,
                _ => None,
            };
            if scanned.is_none_or(|sequence| sequence > applied) {
                continue;
            }
            let mut open = match self.asked.remove(table) {
                Some(open) => open,
                None => {
                    let (answer, open) = oneshot::channel();
                    let after = self.reread_after.get(table).cloned();
                    let question =
                        Question::KeysNotMet { table: table.clone(), after, limit: REREAD_PAGE, answer };
                    // A full queue is asked again at the next poll.
                    if self.links.questions.try_send(question).is_err() {
                        continue;
                    }
                    open
                }
            };
            match tokio::time::timeout(ANSWER_PATIENCE, &mut open).await {
                Ok(Ok(keys)) => pages.push(Unmet { table: table.clone(), keys }),
                Ok(Err(_)) => {}
                Err(_) => {
                    self.asked.insert(table.clone(), open);
                }
            }
        }
        pages
    }

    /// Whether no load is under way and none can begin.
    pub fn nothing_left(&self) -> bool {
        !self.captured.tables.values().any(|stage| matches!(stage, Stage::Loading(_)))
    }

    fn receive_requests(&mut self) {
        while let Ok(request) = self.links.requests.try_recv() {
            self.pending.push(request);
        }
    }

    /// Answers requests that cannot be followed as their tables stand.
    async fn refuse_hopeless_requests(&mut self, overview: &Overview) {
        let wishes = self.pending.wishes();
        let refused = wishes.iter().filter_map(|(table, wish)| {
            let (stage, standing) = (self.captured.tables.get(*table), overview.tables.get(*table));
            let refusal = request::refusal(wish.command, stage, standing, self.limits.isolation)?;
            Some(((*table).to_owned(), refusal))
        });
        let refused: Vec<_> = refused.collect();
        for (table, reason) in refused {
            self.settle(&table, &Err(reason)).await;
        }
    }

    /// Tells the operator's side which requests this run has taken up.
    async fn settle_requests(&mut self, sequence: u64, marks: &[proto::Record], plan: &plan::Plan) {
        for mark in marks {
            if let proto::Record::LoadBegin(mark) = mark {
                self.reread_after.remove(&mark.table);
                self.asked.remove(&mark.table);
            }
        }
        for table in &plan.granted {
            self.settle(table, &Ok(sequence)).await;
        }
    }

    async fn settle(&mut self, table: &str, outcome: &Result<u64, String>) {
        for request in self.pending.answered(table) {
            let settled = Question::Settled { request, outcome: outcome.clone() };
            // Without an applier the request stays in the table, and the next agent finds it.
            self.links.questions.send(settled).await.ok();
        }
    }

    /// Says what capture is doing; an unchanged word is sent too, since its moment is new.
    pub fn pulse(&self, moment: Option<SourceMoment>, idle: bool, state: &'static str, detail: Option<&str>) {
        self.links.pulse.send_replace(Pulse {
            sequence: self.captured.sequence,
            moment,
            idle,
            state,
            detail: detail.map(str::to_owned),
        });
    }
}

/// One line for each event of a table that an operator should find in the log.
fn announce(run: u64, record: &proto::Record) {
    match record {
        proto::Record::Leave { table, condition, reason } => {
            tracing::warn!(table, %condition, reason, run, "table leaves step");
        }
        proto::Record::LoadBegin(mark) => {
            tracing::info!(table = mark.table, kind = ?mark.kind, reason = mark.reason, run, "load begins");
        }
        proto::Record::LoadScanned { table, rows } => {
            tracing::info!(table, rows, run, "load has read its keys");
        }
        proto::Record::LoadEnd { table, .. } => tracing::info!(table, run, "load ends; the table is in step"),
        _ => {}
    }
}
