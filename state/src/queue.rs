//! The stored frames: one sled database. The only module that knows sled.

use crate::error::{Damage, StateError};
use crate::patience;
use crate::switches::Switches;
use std::fs::File;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Values above a quarter of this go to separate files, unsynced; a page of 17 frames stays below it.
const SEGMENT_BYTES: usize = 8 << 20;

const CACHE_BYTES: u64 = 32 << 20;

/// Frames removed per batch.
const REMOVE_BATCH: u64 = 1_000;

/// The data file of a queue in `folder`, as sled names it.
fn data_file(folder: &Path) -> PathBuf {
    folder.join("db")
}

/// One database. Clones are handles to the same one.
#[derive(Clone)]
pub(crate) struct Queue {
    database: sled::Db,
    path: PathBuf,
    data: Arc<File>,
}

/// The frames of a range of numbers, in order.
pub(crate) struct Frames(sled::Iter);

impl Queue {
    /// Opens the database in `path`, creating it when there is none. sled may panic on damaged files.
    pub(crate) fn open(path: &Path) -> Result<Self, Damage> {
        remove_half_written_snapshots(path).map_err(|error| Damage::Storage(error.into()))?;
        let database =
            patience::until_unlocked(|| open_database(path), is_locked).map_err(Damage::Storage)?;
        let path = data_file(path);
        let data = File::open(&path).map_err(|error| Damage::Storage(error.into()))?;
        Ok(Self { database, path, data: Arc::new(data) })
    }

    pub(crate) fn insert(&self, number: u64, frame: Vec<u8>) -> Result<(), StateError> {
        self.database.insert(number.to_be_bytes(), frame)?;
        Ok(())
    }

    pub(crate) fn remove(&self, numbers: RangeInclusive<u64>) -> Result<(), StateError> {
        let mut batch = sled::Batch::default();
        let mut pending = 0;
        for number in numbers {
            batch.remove(&number.to_be_bytes());
            pending += 1;
            if pending == REMOVE_BATCH {
                self.database.apply_batch(std::mem::take(&mut batch))?;
                pending = 0;
            }
        }
        Ok(self.database.apply_batch(batch)?)
    }

    pub(crate) fn frames_from(&self, number: u64) -> Frames {
        Frames(self.database.range(number.to_be_bytes()..))
    }

    /// Everything inserted so far is on the disk when this returns. A failed sync is never tried again: the kernel may have
    /// dropped the pages.
    pub(crate) fn sync(&self, switches: &Switches) -> Result<(), StateError> {
        self.database.flush()?;
        if switches.sync(&self.path) {
            self.data.sync_data().map_err(|source| StateError::File {
                action: "sync",
                path: self.path.clone(),
                source,
            })?;
        }
        Ok(())
    }

    pub(crate) fn bytes_on_disk(&self) -> Result<u64, StateError> {
        Ok(self.database.size_on_disk()?)
    }
}

impl Iterator for Frames {
    type Item = Result<(u64, sled::IVec), Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        let (key, frame) = match self.0.next()? {
            Ok(entry) => entry,
            Err(error) => return Some(Err(Damage::Storage(error))),
        };
        let number = <[u8; 8]>::try_from(key.as_ref()).map(u64::from_be_bytes);
        Some(number.map(|number| (number, frame)).map_err(|_| Damage::Key { length: key.len() }))
    }
}

/// Runs something that may hit sled's assertions on damaged files.
pub(crate) fn catching_panics<T>(work: impl FnOnce() -> Result<T, Damage>) -> Result<T, Damage> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Damage::Panic { message: text.unwrap_or("no message").to_owned() })
    })
}

fn open_database(path: &Path) -> Result<sled::Db, sled::Error> {
    sled::Config::new().path(path).segment_size(SEGMENT_BYTES).cache_capacity(CACHE_BYTES).open()
}

/// sled says so in words only; the error of the lock itself is lost.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(io) if io.to_string().contains("could not acquire lock"))
}

/// A crash while sled opens leaves `snap.*.generating`, beside which it may refuse to open. Finished snapshots are never touched:
/// without them a damaged database opens as an empty one.
fn remove_half_written_snapshots(path: &Path) -> std::io::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
