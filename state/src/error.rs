//! What can go wrong with a journal, and why one is set aside.

use crate::codec::CodecError;
use crate::frame::FrameError;
use proto::JournalId;
use std::path::PathBuf;
use thiserror::Error;

/// An operation on the journal failed. After any of these except [`StateError::RunOpen`] the journal is opened again.
#[derive(Debug, Error)]
pub enum StateError {
    /// A file operation failed.
    #[error("{}: cannot {action}", path.display())]
    File {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process has this journal open.
    #[error("{}: the journal is open in another process", folder.display())]
    Locked {
        /// The journal's folder.
        folder: PathBuf,
    },
    /// A later version of this program wrote it. It is not touched: that version can still read it.
    #[error("{}: the journal was written by a later version (format {found})", folder.display())]
    LaterFormat {
        /// The journal's folder.
        folder: PathBuf,
        /// Its format.
        found: String,
    },
    /// The storage engine refused a write or a flush.
    #[error("the journal cannot be written")]
    Write(#[from] sled::Error),
    /// What is stored is not what was written. The next opening sets the journal aside.
    #[error("the journal is damaged")]
    Damaged(#[from] Damage),
    /// A record that has no stored form.
    #[error("a record cannot be stored")]
    Record(#[source] CodecError),
    /// An earlier write failed; what is on the disk is not known.
    #[error("the journal stopped after an earlier failure")]
    Stopped,
    /// A run is already being written.
    #[error("a run of this journal is already being written")]
    RunOpen,
}

impl StateError {
    /// Whether the next opening will set the journal aside.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged(_))
    }
}

/// Stored bytes that are not what was written.
#[derive(Debug, Error)]
pub enum Damage {
    /// The storage engine cannot open or read its files.
    #[error("the storage engine reports an error")]
    Storage(#[source] sled::Error),
    /// The storage engine gave up in the middle of a call.
    #[error("the storage engine panicked: {message}")]
    Panic {
        /// Its last words.
        message: String,
    },
    /// The file `identity` does not say which journal this is.
    #[error("the file {} does not identify a journal", path.display())]
    Identity {
        /// The file.
        path: PathBuf,
    },
    /// Records are missing.
    #[error("record {expected} is missing; {} follows", found.map_or("nothing".to_owned(), |n| format!("record {n}")))]
    Gap {
        /// The number that should come.
        expected: u64,
        /// The number that comes instead.
        found: Option<u64>,
    },
    /// A key that is no record number.
    #[error("a key of {length} bytes is no record number")]
    Key {
        /// Its length.
        length: usize,
    },
    /// A frame that fails its checks.
    #[error("record {number} is not what was written")]
    Frame {
        /// Its number.
        number: u64,
        /// Which check.
        source: FrameError,
    },
    /// A payload that is no record.
    #[error("record {number} cannot be decoded")]
    Payload {
        /// Its number.
        number: u64,
        /// Why.
        source: CodecError,
    },
    /// A record in a place where it cannot stand.
    #[error("record {number} is out of place: {problem}")]
    Place {
        /// Its number.
        number: u64,
        /// Why it cannot stand there.
        problem: &'static str,
    },
}

/// Why a journal was set aside. Nothing is lost: the source is read again from the target's position.
#[derive(Debug, Error)]
pub enum SetAside {
    /// It is not the one whose runs the target applies.
    #[error("it is journal {found}, the target applies {}", expected.map_or("none yet".to_owned(), |id| id.to_string()))]
    Foreign {
        /// The id found.
        found: JournalId,
        /// The target's.
        expected: Option<JournalId>,
    },
    /// The target has applied more than it holds: an older copy.
    #[error("it ends with run {last}, the target has applied run {applied}")]
    Older {
        /// Number of its last run.
        last: u64,
        /// Number of the target's last run.
        applied: u64,
    },
    /// Its runs do not follow the target's last one.
    #[error("its run {sequence} does not continue what the target has applied")]
    Diverged {
        /// Number of the run that should follow.
        sequence: u64,
    },
    /// It cannot be read as it was written.
    #[error("it is damaged")]
    Damaged(#[source] Damage),
    /// Its runs belong to a past that the source no longer has, or an operator said so.
    #[error("{reason}")]
    Asked {
        /// In words for an operator.
        reason: String,
    },
}
