//! Faults on command: what a test makes go wrong on an otherwise healthy server.
//!
//! A fault is armed on the server and strikes once, whichever connection meets it first. Bytes are counted over all
//! connections from the moment of arming, statements likewise. What a retention clean-up takes away is the engine's
//! matter: see [`crate::engine::Engine::cleanup`].

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::types::SqlError;

/// A server's faults; clones arm the same server.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    cut_after: Option<u64>,
    stall_after: Option<u64>,
    stalled: Vec<Waker>,
    statements: Vec<StatementFault>,
}

#[derive(Debug)]
struct StatementFault {
    trigger: Trigger,
    error: SqlError,
}

/// Which statement a fault strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The n-th statement from now, counted from 1.
    Nth(u64),
    /// The first statement of a batch whose text contains this.
    TextContains(String),
}

impl Faults {
    /// The connection that sends byte number `bytes` from now is closed instead of sending it.
    pub fn cut_after(&self, bytes: u64) {
        self.state().cut_after = Some(bytes);
    }

    /// Once `bytes` bytes have been sent from now, every connection stops sending until [`Self::resume`].
    pub fn stall_after(&self, bytes: u64) {
        self.state().stall_after = Some(bytes);
    }

    /// Ends a stall.
    pub fn resume(&self) {
        let mut state = self.state();
        state.stall_after = None;
        state.stalled.drain(..).for_each(Waker::wake);
    }

    /// A statement fails with `error` instead of running.
    pub fn fail_statement(&self, trigger: Trigger, error: SqlError) {
        self.state().statements.push(StatementFault { trigger, error });
    }

    /// Takes back whatever is armed.
    pub fn clear(&self) {
        self.resume();
        *self.state() = State::default();
    }

    /// Counts a statement of the batch `text`; the error that it is to fail with, if a fault strikes.
    pub(crate) fn strike_statement(&self, text: &str) -> Option<SqlError> {
        let mut state = self.state();
        let struck = state.statements.iter_mut().position(|fault| match &mut fault.trigger {
            Trigger::Nth(left) => {
                *left = left.saturating_sub(1);
                *left == 0
            }
            Trigger::TextContains(part) => text.contains(part.as_str()),
        })?;
        Some(state.statements.swap_remove(struck).error)
    }

    /// How many of `wanted` bytes may be sent now.
    fn admit(&self, wanted: usize, waker: &Waker) -> Admission {
        let mut state = self.state();
        if state.stall_after == Some(0) {
            state.stalled.push(waker.clone());
            return Admission::Stall;
        }
        if state.cut_after == Some(0) {
            state.cut_after = None;
            return Admission::Cut;
        }
        let limit = [state.cut_after, state.stall_after].into_iter().flatten().min();
        Admission::Bytes(
            limit.map_or(wanted, |limit| wanted.min(usize::try_from(limit).unwrap_or(usize::MAX))),
        )
    }

    fn count_sent(&self, bytes: usize) {
        let mut state = self.state();
        let State { cut_after, stall_after, .. } = &mut *state;
        for left in [cut_after, stall_after].into_iter().flatten() {
            *left = left.saturating_sub(bytes as u64);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Admission {
    Bytes(usize),
    Cut,
    Stall,
}

/// A connection's bytes, as they are on the line; what is sent is under the server's faults.
#[derive(Debug)]
pub(crate) struct FaultyStream<S> {
    stream: S,
    faults: Faults,
}

impl<S> FaultyStream<S> {
    pub(crate) fn new(stream: S, faults: Faults) -> Self {
        Self { stream, faults }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for FaultyStream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, out)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FaultyStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let admitted = match this.faults.admit(bytes.len(), cx.waker()) {
            Admission::Bytes(admitted) => admitted,
            Admission::Cut => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            Admission::Stall => return Poll::Pending,
        };
        let sent = Pin::new(&mut this.stream).poll_write(cx, &bytes[..admitted]);
        if let Poll::Ready(Ok(sent)) = sent {
            this.faults.count_sent(sent);
        }
        sent
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
