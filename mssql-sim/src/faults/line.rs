//! A connection under faults: its line, and the places where it meets them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parking_lot::Mutex;
use rand::Rng;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use super::{Effect, Faults};
use crate::counters::Tally;
use crate::types::SqlError;

/// A place that a connection has come to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Meeting<'a> {
    Connect,
    Login,
    Request,
    /// A statement of a batch with this text.
    Statement(&'a str),
    /// A row of a result of a batch with this text.
    Row(&'a str),
    /// The next byte to be sent.
    Byte,
}

/// How a fault ends what the connection is doing.
#[derive(Debug)]
pub(crate) enum Struck {
    Error(SqlError),
    /// The line is cut; nothing can be said any more.
    Cut,
}

/// One connection, as faults see it.
#[derive(Debug)]
pub(crate) struct Line {
    faults: Faults,
    tally: Arc<Tally>,
    /// Its place among the server's connections, from 1.
    number: u64,
    /// Requests that it has begun.
    requests: AtomicU64,
    cut: Mutex<Option<Cut>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Close,
    Reset,
}

impl Line {
    pub(super) fn new(faults: Faults, tally: Arc<Tally>, number: u64) -> Self {
        Self { faults, tally, number, requests: AtomicU64::new(0), cut: Mutex::new(None) }
    }

    /// A request begins.
    pub(crate) fn begin_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.faults.0.state.lock().requests += 1;
        self.tally.requests.add(1);
    }

    /// Suffers what strikes here; returns the effects that are the caller's to bring about.
    pub(crate) async fn meet(&self, meeting: Meeting<'_>) -> Result<Vec<Effect>, Struck> {
        let mut rest = Vec::new();
        for effect in self.strike(meeting) {
            match effect {
                Effect::Close => return Err(self.cut(Cut::Close)),
                Effect::Reset => return Err(self.cut(Cut::Reset)),
                Effect::Stall => self.faults.resumed().await,
                Effect::Delay { ms, jitter_ms } => tokio::time::sleep(self.faults.delay(ms, jitter_ms)).await,
                Effect::Error(error) => return Err(Struck::Error(error.into())),
                other => rest.push(other),
            }
        }
        Ok(rest)
    }

    /// Whether a fault waits for some row.
    pub(crate) fn watches_rows(&self) -> bool {
        self.faults.0.state.lock().armed.iter().any(super::Armed::watches_rows)
    }

    /// A seed for what the connection leaves to chance.
    pub(crate) fn chance(&self) -> u64 {
        self.faults.0.state.lock().chance.random()
    }

    fn strike(&self, meeting: Meeting<'_>) -> Vec<Effect> {
        self.faults.strike(self.number, self.requests.load(Ordering::Relaxed), meeting)
    }

    fn cut(&self, how: Cut) -> Struck {
        *self.cut.lock() = Some(how);
        Struck::Cut
    }

    fn how_cut(&self) -> Option<Cut> {
        *self.cut.lock()
    }

    /// How many of `wanted` bytes pass before a fault strikes; 0 if one strikes at the next.
    fn bytes_until_strike(&self, wanted: usize) -> usize {
        let state = self.faults.0.state.lock();
        let request = self.requests.load(Ordering::Relaxed);
        let met = state.armed.iter().filter(|armed| armed.is_met(self.number, request, state.requests));
        let left = met.filter_map(super::Armed::bytes_left).min();
        left.map_or(wanted, |left| wanted.min(usize::try_from(left).unwrap_or(usize::MAX)))
    }

    fn count_sent(&self, bytes: usize) {
        self.tally.bytes_sent.add(bytes);
        let mut state = self.faults.0.state.lock();
        let (request, requests) = (self.requests.load(Ordering::Relaxed), state.requests);
        let met = state.armed.iter_mut().filter(|armed| armed.is_met(self.number, request, requests));
        met.for_each(|armed| armed.count_bytes(bytes as u64));
    }
}

/// What carries a connection.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Unpin {
    /// Has the peer told of a reset when the socket is closed.
    fn reset_on_close(&self);
}

impl Socket for TcpStream {
    fn reset_on_close(&self) {
        if let Err(error) = self.set_zero_linger() {
            tracing::warn!(%error, "the socket will be closed instead of reset");
        }
    }
}

impl Socket for DuplexStream {
    fn reset_on_close(&self) {}
}

/// Slice of a throttled line's time.
const SLICE: Duration = Duration::from_millis(50);

/// A connection's bytes, as they are on the line; what is sent is under the server's faults.
pub(crate) struct FaultyStream<S> {
    stream: S,
    line: Arc<Line>,
    /// Bytes per second.
    rate: Option<u64>,
    /// What sending waits for: the end of a stall, or of a throttled line's slice.
    pause: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl<S: Socket> FaultyStream<S> {
    pub(crate) fn new(stream: S, line: Arc<Line>) -> Self {
        Self { stream, line, rate: None, pause: None }
    }

    /// Sends no faster than so many bytes per second, if given.
    pub(crate) fn throttle(&mut self, rate: Option<u64>) {
        self.rate = rate;
    }

    /// Ends the connection as the line was cut.
    pub(crate) fn end(self) {
        drop(self.broken());
    }

    /// Closes the connection as the line was cut.
    fn broken(&self) -> Option<io::Error> {
        let how = self.line.how_cut()?;
        if how == Cut::Reset {
            self.stream.reset_on_close();
        }
        Some(io::ErrorKind::ConnectionReset.into())
    }

    /// Sends what passes the faults; None if it has to be tried again.
    fn poll_send(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Option<io::Result<usize>>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        if let Some(error) = self.broken() {
            return Poll::Ready(Some(Err(error)));
        }
        let slice = self.rate.map_or(bytes.len(), |rate| bytes.len().min(slice_bytes(rate)));
        let passing = self.line.bytes_until_strike(slice);
        let mut corrupted = None;
        if passing == 0 {
            for effect in self.line.strike(Meeting::Byte) {
                match effect {
                    Effect::Close => drop(self.line.cut(Cut::Close)),
                    Effect::Reset => drop(self.line.cut(Cut::Reset)),
                    Effect::Corrupt(with) => corrupted = Some(with),
                    _ => self.pause = Some(stalled(&self.line)),
                }
            }
            if corrupted.is_none() {
                return Poll::Ready(None);
            }
        }
        let sent = match corrupted {
            Some(with) => ready!(Pin::new(&mut self.stream).poll_write(cx, &[with])),
            None => ready!(Pin::new(&mut self.stream).poll_write(cx, &bytes[..passing])),
        };
        if let Ok(sent) = sent {
            self.line.count_sent(sent);
            if let Some(rate) = self.rate {
                let share = Duration::from_secs_f64(sent as f64 / rate as f64);
                self.pause = Some(Box::pin(sleep(share)));
            }
        }
        Poll::Ready(Some(sent))
    }
}

fn slice_bytes(rate: u64) -> usize {
    let slices_per_second = 1000 / SLICE.as_millis() as u64;
    usize::try_from((rate / slices_per_second).max(1)).unwrap_or(usize::MAX)
}

fn stalled(line: &Line) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let faults = line.faults.clone();
    Box::pin(async move { faults.resumed().await })
}

fn sleep(duration: Duration) -> Sleep {
    tokio::time::sleep(duration)
}

impl<S: AsyncRead + Unpin> AsyncRead for FaultyStream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = out.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, out);
        this.line.tally.bytes_received.add(out.filled().len() - before);
        read
    }
}

impl<S: Socket> AsyncWrite for FaultyStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        loop {
            if let Some(sent) = ready!(this.poll_send(cx, bytes)) {
                return Poll::Ready(sent);
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
