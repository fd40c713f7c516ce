//! What a server has done and does: figures that tests and benchmarks read.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// Figures of a server since its start, and of the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Connections that were opened.
    pub connections: u64,
    /// Sessions that are there.
    pub open_sessions: u64,
    /// Requests that clients have sent: batches, calls, transaction requests, loads.
    pub requests: u64,
    /// Statements that began to run, those of the server's own process included.
    pub statements: u64,
    /// Bytes from clients, as they were on the line.
    pub bytes_received: u64,
    /// Bytes to clients.
    pub bytes_sent: u64,
    /// Rows that scans and seeks of user tables have found.
    pub rows_read: u64,
    /// Rows of results.
    pub rows_sent: u64,
    /// Transactions that are open, those of single statements included.
    pub open_transactions: u64,
    /// Instants that somebody reads as of.
    pub open_snapshots: u64,
    /// Times that somebody had to wait for a lock.
    pub waits: u64,
}

/// A count that many add to.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, n: usize) {
        self.0.fetch_add(n as u64, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What connections and sessions count.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) connections: Count,
    pub(crate) requests: Count,
    pub(crate) statements: Count,
    pub(crate) bytes_received: Count,
    pub(crate) bytes_sent: Count,
    pub(crate) rows_sent: Count,
}
