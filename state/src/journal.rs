//! Opening a journal, and what both sides ask of an open one.

use crate::error::{Damage, SetAside, StateError};
use crate::folder::{Folder, Identity, sync_folder};
use crate::frame::FrameError;
use crate::index::{Index, IndexedRun};
use crate::queue::{Queue, catching_panics};
use crate::reader::RunReader;
use crate::switches::Switches;
use crate::writer::RunWriter;
use proto::{JournalId, RunEnd, RunId, RunStart};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::watch;
use tracing::{info, warn};
use uuid::Uuid;

/// An empty queue larger than this gives way to a new one: sled's file never shrinks.
const CHANGE_QUEUE_BYTES: u64 = 128 << 20;

/// Free disk below which capture waits. sled cannot even open on a full disk.
const FREE_DISK_BYTES: u64 = 256 << 20;

/// Where the journal lies and how large it may grow.
#[derive(Clone)]
pub struct Options {
    /// Its folder; created when missing.
    pub folder: PathBuf,
    /// Bytes on disk at which it is full.
    pub max_bytes: u64,
    /// Protections turned off by a test.
    #[cfg(feature = "test-switches")]
    pub switches: Switches,
    #[cfg(not(feature = "test-switches"))]
    pub(crate) switches: Switches,
}

/// What the target says about progress: three columns of its stream row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The journal whose runs it applies.
    pub journal: JournalId,
    /// Number of the last applied run, 0 before the first.
    pub sequence: u64,
    /// Id of the last applied run.
    pub last_run: Option<RunId>,
}

/// An open journal and how it was found.
#[derive(Debug)]
pub struct Opened {
    /// The journal.
    pub journal: Journal,
    /// How it was found.
    pub report: OpenReport,
    /// A run without an end was there and was removed.
    pub unfinished_removed: bool,
}

/// How a journal was found. Unless it continued, its id is new and the target must be told by a takeover.
#[derive(Debug)]
pub enum OpenReport {
    /// There was none, or one without runs that the target does not know.
    New,
    /// It continues what the target has applied.
    Continued {
        /// Ended runs that the target does not have yet.
        runs: u64,
    },
    /// It could not be used; a new one has begun.
    SetAside {
        /// Why.
        reason: SetAside,
        /// Where it lies now.
        folder: PathBuf,
    },
}

/// The last ended run, or the last applied one that an empty journal continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastRun {
    /// Its number.
    pub sequence: u64,
    /// Its id; None before the first run of a stream.
    pub id: Option<RunId>,
}

/// An open journal. Clones are handles to the same one. Calls block on the disk.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

pub(crate) struct Inner {
    folder: Folder,
    options: Options,
    id: JournalId,
    content: Mutex<Content>,
    ended: watch::Sender<u64>,
}

/// What changes while the journal is open.
struct Content {
    queue: Queue,
    queue_number: u64,
    index: Index,
    last: LastRun,
    writer_open: bool,
    stopped: bool,
}

impl Options {
    /// Every protection on.
    pub fn new(folder: impl Into<PathBuf>, max_bytes: u64) -> Self {
        Self { folder: folder.into(), max_bytes, switches: Switches::default() }
    }
}

/// Opens the journal that continues what the target has applied (`applied` is None when the target has no stream yet). One that
/// does not is set aside and a new one begins.
///
/// # Errors
/// The folder cannot be used, another process has it, or a later version wrote it. Damage is no error.
pub fn open(options: &Options, applied: Option<&Applied>) -> Result<Opened, StateError> {
    let folder = Folder::lock(&options.folder)?;
    match find(&folder, options, applied)? {
        Found::Nothing => begin(folder, options, applied, OpenReport::New),
        Found::Usable(stored) => resume(folder, options, applied, stored),
        Found::Unusable(reason) => set_aside(folder, options, applied, reason),
    }
}

/// Sets aside whatever is there, for `reason`, and begins a new journal that continues what the target has applied.
///
/// # Errors
/// As [`open`].
pub fn open_anew(
    options: &Options,
    applied: Option<&Applied>,
    reason: impl Into<String>,
) -> Result<Opened, StateError> {
    let folder = Folder::lock(&options.folder)?;
    set_aside(folder, options, applied, SetAside::Asked { reason: reason.into() })
}

enum Found {
    Nothing,
    Usable(Stored),
    Unusable(SetAside),
}

/// A journal as it lies on the disk.
struct Stored {
    identity: Identity,
    queue: Queue,
    index: Index,
}

fn find(folder: &Folder, options: &Options, applied: Option<&Applied>) -> Result<Found, StateError> {
    let identity = match folder.identity() {
        Ok(Some(identity)) => identity,
        Ok(None) => return Ok(Found::Nothing),
        Err(StateError::Damaged(damage)) => return Ok(Found::Unusable(SetAside::Damaged(damage))),
        Err(error) => return Err(error),
    };
    let path = folder.queue_path(identity.queue);
    let read = catching_panics(|| {
        let queue = Queue::open(&path)?;
        let index = Index::scan(&queue, &options.switches)?;
        Ok(Stored { identity, queue, index })
    });
    let stored = match read {
        Ok(stored) => stored,
        Err(Damage::Frame { source: FrameError::Format { found }, .. }) => {
            let found = found.to_string();
            return Err(StateError::LaterFormat { folder: folder.path().to_owned(), found });
        }
        Err(damage) => return Ok(Found::Unusable(SetAside::Damaged(damage))),
    };
    if let Err(reason) = stored.index.continues(identity.journal, applied) {
        return Ok(Found::Unusable(reason));
    }
    let unknown = applied.is_some_and(|applied| applied.journal != identity.journal);
    Ok(if unknown { Found::Nothing } else { Found::Usable(stored) })
}

fn set_aside(
    folder: Folder,
    options: &Options,
    applied: Option<&Applied>,
    reason: SetAside,
) -> Result<Opened, StateError> {
    let aside = folder.set_aside()?;
    warn!(folder = %aside.display(), reason = %reason, "journal set aside, the source is read again");
    begin(folder, options, applied, OpenReport::SetAside { reason, folder: aside })
}

/// Begins a new journal.
fn begin(
    folder: Folder,
    options: &Options,
    applied: Option<&Applied>,
    report: OpenReport,
) -> Result<Opened, StateError> {
    let identity = Identity { journal: JournalId(Uuid::new_v4()), queue: folder.next_queue()? };
    let queue = create_queue(&folder, &identity)?;
    let journal = Journal::new(folder, options, Stored { identity, queue, index: Index::default() }, applied);
    Ok(Opened { journal, report, unfinished_removed: false })
}

/// A new, empty queue becomes the journal's. Only then the others go: they hold nothing that counts.
fn create_queue(folder: &Folder, identity: &Identity) -> Result<Queue, StateError> {
    let path = folder.queue_path(identity.queue);
    let queue = catching_panics(|| Queue::open(&path))?;
    sync_folder(&path)?;
    folder.write_identity(identity)?;
    folder.remove_queues_except(identity.queue)?;
    Ok(queue)
}

/// Goes on with a stored journal.
fn resume(
    folder: Folder,
    options: &Options,
    applied: Option<&Applied>,
    mut stored: Stored,
) -> Result<Opened, StateError> {
    folder.remove_queues_except(stored.identity.queue)?;
    let unfinished = stored.index.unfinished_last.take();
    if let Some(last) = unfinished {
        stored.queue.remove(stored.index.next_number..=last)?;
    }
    let journal = Journal::new(folder, options, stored, applied);
    journal.trim_through(applied.map_or(0, |applied| applied.sequence))?;
    let report = OpenReport::Continued { runs: journal.runs()? };
    Ok(Opened { journal, report, unfinished_removed: unfinished.is_some() })
}

impl Journal {
    fn new(folder: Folder, options: &Options, stored: Stored, applied: Option<&Applied>) -> Self {
        let of_target = applied.map(|applied| LastRun { sequence: applied.sequence, id: applied.last_run });
        let of_runs = stored.index.runs.back().map(|run| LastRun::from(&run.start));
        let last = of_runs.or(of_target).unwrap_or(LastRun { sequence: 0, id: None });
        Self(Arc::new(Inner {
            folder,
            options: options.clone(),
            id: stored.identity.journal,
            content: Mutex::new(Content {
                queue: stored.queue,
                queue_number: stored.identity.queue,
                index: stored.index,
                last,
                writer_open: false,
                stopped: false,
            }),
            ended: watch::Sender::new(last.sequence),
        }))
    }

    /// Identity of the journal.
    pub fn id(&self) -> JournalId {
        self.0.id
    }

    /// Begins the next run.
    ///
    /// # Errors
    /// A run is being written already, or the queue cannot be written.
    pub fn begin_run(&self) -> Result<RunWriter, StateError> {
        let mut content = self.0.content()?;
        if content.writer_open {
            return Err(StateError::RunOpen);
        }
        let prepared = content.make_ready(&self.0);
        self.0.stop_after_failure(&mut content, prepared)?;
        content.writer_open = true;
        let (queue, number, last) = (content.queue.clone(), content.index.next_number, content.last);
        drop(content);
        RunWriter::begin(Arc::clone(&self.0), queue, number, last)
    }

    /// The last ended run, or what an empty journal continues.
    ///
    /// # Errors
    /// The journal has stopped.
    pub fn last(&self) -> Result<LastRun, StateError> {
        Ok(self.0.content()?.last)
    }

    /// The end of the last ended run that is still here.
    ///
    /// # Errors
    /// The journal has stopped.
    pub fn last_end(&self) -> Result<Option<Arc<RunEnd>>, StateError> {
        Ok(self.0.content()?.index.runs.back().map(|run| Arc::clone(&run.end)))
    }

    /// The first ended run with a number above `sequence`.
    ///
    /// # Errors
    /// The journal has stopped.
    pub fn next_run(&self, sequence: u64) -> Result<Option<RunReader>, StateError> {
        let content = self.0.content()?;
        let position = content.index.runs.partition_point(|run| run.start.sequence <= sequence);
        let run = content.index.runs.get(position);
        Ok(run.map(|run| RunReader::new(&content.queue, run, &self.0.options.switches)))
    }

    /// Completes once a run with a number above `sequence` has ended.
    pub fn run_ended(&self, sequence: u64) -> impl Future<Output = ()> + Send + use<> {
        let mut ended = self.0.ended.subscribe();
        async move {
            // An error means that the journal is gone: its readers find out on their next call.
            drop(ended.wait_for(|last| *last > sequence).await);
        }
    }

    /// Removes the runs through `sequence`: the target has them.
    ///
    /// # Errors
    /// The queue cannot be written.
    pub fn trim_through(&self, sequence: u64) -> Result<(), StateError> {
        let mut content = self.0.content()?;
        let count = content.index.runs.partition_point(|run| run.start.sequence <= sequence);
        let trimmed = content.index.runs.drain(..count).collect::<Vec<_>>();
        for run in trimmed {
            let removed = content.queue.remove(run.first..=run.last);
            self.0.stop_after_failure(&mut content, removed)?;
        }
        Ok(())
    }

    /// Bytes on disk.
    ///
    /// # Errors
    /// The files cannot be measured.
    pub fn bytes(&self) -> Result<u64, StateError> {
        self.0.content()?.queue.bytes_on_disk()
    }

    /// Ended runs that are here.
    ///
    /// # Errors
    /// The journal has stopped.
    pub fn runs(&self) -> Result<u64, StateError> {
        Ok(self.0.content()?.index.runs.len() as u64)
    }

    /// Whether capture must wait for the target: the limit is reached or the disk is nearly full. An empty queue is never
    /// too large, since the next run begins a new one.
    ///
    /// # Errors
    /// The files cannot be measured.
    pub fn is_full(&self) -> Result<bool, StateError> {
        let content = self.0.content()?;
        let used = content.queue.bytes_on_disk()?;
        let folder = self.0.folder.path();
        let free = fs2::available_space(folder).map_err(|source| StateError::File {
            action: "measure the free space of",
            path: folder.to_owned(),
            source,
        })?;
        if content.index.runs.is_empty() {
            return Ok(free + used < FREE_DISK_BYTES);
        }
        Ok(used >= self.0.options.max_bytes || free < FREE_DISK_BYTES)
    }

    /// When the oldest run was captured: the agent's clock, microseconds since 1970-01-01 UTC. None when there is none.
    ///
    /// # Errors
    /// The journal has stopped.
    pub fn oldest_captured_at(&self) -> Result<Option<i64>, StateError> {
        Ok(self.0.content()?.index.runs.front().map(|run| run.end.moment.agent_clock))
    }
}

impl Inner {
    /// The content, unless an earlier failure makes it untrustworthy.
    fn content(&self) -> Result<MutexGuard<'_, Content>, StateError> {
        let content = self.content.lock().map_err(|_| StateError::Stopped)?;
        if content.stopped { Err(StateError::Stopped) } else { Ok(content) }
    }

    fn stop_after_failure<T>(
        &self,
        content: &mut Content,
        outcome: Result<T, StateError>,
    ) -> Result<T, StateError> {
        content.stopped |= outcome.is_err();
        outcome
    }

    pub(crate) fn switches(&self) -> &Switches {
        &self.options.switches
    }

    /// The writer's run is on the disk.
    pub(crate) fn run_has_ended(&self, run: IndexedRun) -> Result<(), StateError> {
        let mut content = self.content()?;
        content.writer_open = false;
        content.last = LastRun::from(&run.start);
        content.index.next_number = run.last + 1;
        content.index.runs.push_back(run);
        self.ended.send_replace(content.last.sequence);
        Ok(())
    }

    /// The writer gave up; `unfinished_last` is the last frame that it wrote.
    pub(crate) fn run_was_dropped(&self, unfinished_last: Option<u64>) {
        if let Ok(mut content) = self.content() {
            content.writer_open = false;
            content.index.unfinished_last = unfinished_last;
        }
    }

    /// A write of the writer failed.
    pub(crate) fn stop(&self) {
        if let Ok(mut content) = self.content() {
            content.stopped = true;
        }
    }
}

impl Content {
    /// Removes what a dropped run left, and changes the queue when a large one is empty.
    fn make_ready(&mut self, journal: &Inner) -> Result<(), StateError> {
        if let Some(last) = self.index.unfinished_last.take() {
            self.queue.remove(self.index.next_number..=last)?;
        }
        if self.index.runs.is_empty() && self.queue.bytes_on_disk()? > CHANGE_QUEUE_BYTES {
            let identity = Identity { journal: journal.id, queue: self.queue_number + 1 };
            self.queue = create_queue(&journal.folder, &identity)?;
            self.queue_number = identity.queue;
            info!(queue = identity.queue, "large empty queue replaced");
        }
        Ok(())
    }
}

impl From<&RunStart> for LastRun {
    fn from(start: &RunStart) -> Self {
        Self { sequence: start.sequence, id: Some(start.id) }
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("id", &self.0.id).field("folder", &self.0.folder.path()).finish()
    }
}
