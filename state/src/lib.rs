//! The journal: a local, bounded, durable queue of runs between capture and apply.
//!
//! # What holds
//!
//! 1. A run that [`RunWriter::end`] has acknowledged is on the disk: data flushed, then the file synced.
//! 2. Readers see ended runs only, in order, each exactly as it was written; anything else is an error, never another run.
//! 3. Runs are contiguous by number, and each names the one before it by its random id.
//! 4. The target decides: a journal that does not continue what the target has applied is set aside, whole. Losing a journal
//!    costs a second reading of the source, never data, so nothing here repairs.
//!
//! # Shape on disk
//!
//! ```text
//! folder/
//!   lock                one process at a time
//!   identity            journal id and the number of the queue in use; replaced by rename
//!   queue.<n>/          a sled database: record number (8 bytes, big-endian, contiguous) -> frame
//!   aside.<micros>.<n>/ queues set aside, the last three
//! ```
//!
//! A record is one or more frames (see `frame`), its payload the frozen `v1` form (see `codec`). A run is a start record, its
//! entries and an end record; the end record is written last and only after everything before it was accepted.
//!
//! # What a crash leaves
//!
//! | died while | found at the next opening |
//! |---|---|
//! | writing a run | frames without an end: removed |
//! | syncing the end | with or without the end: both are a state that capture continues from |
//! | trimming | runs that the target has: trimmed again |
//! | opening sled | `snap.*.generating`: removed, for sled would refuse to open beside it |
//! | changing the queue | the queue that `identity` names counts; others are deleted, both were empty |
//!
//! sled's own `flush` does not reach the disk on Linux, its file never shrinks, and values larger than a quarter of a segment go
//! to separate files that nobody syncs. Hence the sync of our own, a new queue whenever a large one is empty, and frames small
//! enough that a full page of them stays below that limit.

mod codec;
mod error;
mod folder;
mod frame;
mod index;
mod journal;
mod patience;
mod queue;
mod reader;
mod switches;
mod writer;

pub use error::{Damage, SetAside, StateError};
pub use journal::{Applied, Journal, LastRun, OpenReport, Opened, Options, open, open_anew};
pub use reader::RunReader;
#[cfg(feature = "test-switches")]
pub use switches::{Switches, SyncSpy};
pub use writer::RunWriter;
