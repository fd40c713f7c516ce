//! The journal's folder: who has it open, which journal it is, which queue is in use, and what was set aside.

use crate::error::{Damage, StateError};
use crate::patience;
use proto::JournalId;
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Queues set aside that are kept for a person to look at.
const KEPT_ASIDE: usize = 3;

const IDENTITY_FORMAT: &str = "cdc-journal 1";

/// The folder, locked for this process while the value lives.
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

/// Which journal the folder holds, and in which queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) journal: JournalId,
    pub(crate) queue: u64,
}

impl Folder {
    /// Locks the folder, creating it for its owner only when it is not there: the journal holds business data.
    pub(crate) fn lock(path: &Path) -> Result<Self, StateError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path).map_err(failed("create the folder", path))?;
        let lock_path = path.join("lock");
        let lock = File::create(&lock_path).map_err(failed("create", &lock_path))?;
        let is_locked = |error: &TryLockError| matches!(error, TryLockError::WouldBlock);
        match patience::until_unlocked(|| lock.try_lock(), is_locked) {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StateError::Locked { folder: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed("lock", &lock_path)(source)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn queue_path(&self, queue: u64) -> PathBuf {
        self.path.join(format!("queue.{queue}"))
    }

    fn identity_path(&self) -> PathBuf {
        self.path.join("identity")
    }

    /// None when the folder holds no journal yet.
    pub(crate) fn identity(&self) -> Result<Option<Identity>, StateError> {
        let path = self.identity_path();
        let text = match fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let unused = self.numbered("queue")?.is_empty();
                return if unused { Ok(None) } else { Err(Damage::Identity { path }.into()) };
            }
            Err(source) => return Err(failed("read", &path)(source)),
        };
        let first_line = text.lines().next().unwrap_or_default();
        if first_line != IDENTITY_FORMAT && first_line.starts_with("cdc-journal ") {
            return Err(StateError::LaterFormat { folder: self.path.clone(), found: first_line.to_owned() });
        }
        Ok(Some(Identity::parse(&text).ok_or(Damage::Identity { path })?))
    }

    /// Replaced as a whole: a crash leaves the old or the new one.
    pub(crate) fn write_identity(&self, identity: &Identity) -> Result<(), StateError> {
        let path = self.identity_path();
        let draft = self.path.join("identity.new");
        let write = || {
            let mut file = File::create(&draft)?;
            file.write_all(identity.text().as_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, &path)
        };
        write().map_err(failed("replace", &path))?;
        sync_folder(&self.path)
    }

    /// A number that no queue, in use or set aside, has had.
    pub(crate) fn next_queue(&self) -> Result<u64, StateError> {
        let queues = self.numbered("queue")?;
        let aside = self.numbered("aside")?;
        Ok(queues.into_iter().chain(aside).max().map_or(1, |last| last + 1))
    }

    /// Renames every queue; returns the folder of the newest.
    pub(crate) fn set_aside(&self) -> Result<PathBuf, StateError> {
        let mut newest = self.path.clone();
        for queue in self.numbered("queue")? {
            let from = self.queue_path(queue);
            newest = self.path.join(format!("aside.{queue}"));
            fs::rename(&from, &newest).map_err(failed("set aside", &from))?;
        }
        let aside = self.numbered("aside")?;
        for old in aside.iter().take(aside.len().saturating_sub(KEPT_ASIDE)) {
            remove_folder(&self.path.join(format!("aside.{old}")))?;
        }
        Ok(newest)
    }

    /// Removes queues that are not in use: both were empty when the queue was changed.
    pub(crate) fn remove_queues_except(&self, in_use: u64) -> Result<(), StateError> {
        for queue in self.numbered("queue")? {
            if queue != in_use {
                remove_folder(&self.queue_path(queue))?;
            }
        }
        Ok(())
    }

    /// The numbers of `prefix.<n>`, ascending.
    fn numbered(&self, prefix: &str) -> Result<Vec<u64>, StateError> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed("list", &self.path))? {
            let name = entry.map_err(failed("list", &self.path))?.file_name();
            let name = name.to_string_lossy();
            let number = name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.'));
            numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }
}

impl Identity {
    fn text(&self) -> String {
        format!("{IDENTITY_FORMAT}\njournal {}\nqueue {}\n", self.journal, self.queue)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        if lines.next()? != IDENTITY_FORMAT {
            return None;
        }
        let journal = JournalId(lines.next()?.strip_prefix("journal ")?.parse().ok()?);
        let queue = lines.next()?.strip_prefix("queue ")?.parse().ok()?;
        let identity = Self { journal, queue };
        (identity.text() == text).then_some(identity)
    }
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), StateError> {
    if cfg!(unix) {
        File::open(path).and_then(|folder| folder.sync_all()).map_err(failed("sync", path))?;
    }
    Ok(())
}

fn remove_folder(path: &Path) -> Result<(), StateError> {
    fs::remove_dir_all(path).map_err(failed("remove", path))
}

fn failed(action: &'static str, path: &Path) -> impl Fn(std::io::Error) -> StateError {
    move |source| StateError::File { action, path: path.to_owned(), source }
}
