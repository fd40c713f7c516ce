//! Faults on command: what a test makes go wrong on an otherwise healthy server.
//!
//! A [`Fault`] says where it strikes, what then happens and how often. Numbers count from the moment of arming: the
//! n-th connection that opens, its n-th request, the n-th matching statement or row, the n-th byte sent. Chance, where an
//! effect has some, comes from one seed. Sessions in the server's own process ([`crate::server::Server::execute`]) meet
//! no faults, so a test can go on working on the server that it makes fail.

mod armed;
mod error;
mod line;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::counters::Tally;
use armed::Armed;
pub use error::FaultError;
pub(crate) use line::{FaultyStream, Line, Meeting, Socket, Struck};

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Only on the n-th connection that opens from now on, counted from 1.
    #[serde(default)]
    pub connection: Option<u64>,
    /// Only in the n-th request, counted from 1: of the connection, if that is given, else of all from now on.
    #[serde(default)]
    pub request: Option<u64>,
    /// Where.
    pub at: Point,
    /// What.
    pub effect: Effect,
    /// How often.
    #[serde(default)]
    pub strikes: Strikes,
}

/// A place at which a fault may strike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Point {
    /// A connection opens; nothing was received yet.
    Connect,
    /// A login is judged.
    Login,
    /// A request begins.
    Request,
    /// The n-th statement from 1 of a batch whose text contains `text`, before it runs.
    Statement {
        /// Part of the batch's text; any if empty.
        #[serde(default)]
        text: String,
        /// Which one.
        nth: u64,
    },
    /// The n-th row from 1 that is sent of results of a batch whose text contains `text`, before it is sent.
    Row {
        /// Part of the batch's text, such as a table's name; any if empty.
        #[serde(default)]
        text: String,
        /// Which one.
        nth: u64,
    },
    /// The n-th byte from 1 that is sent, TLS records and packet headers included.
    Byte {
        /// Which one.
        nth: u64,
    },
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The connection is closed without another word.
    Close,
    /// The connection is reset (RST, where it is a socket).
    Reset,
    /// Nothing goes on there until [`Faults::resume`].
    Stall,
    /// It takes longer.
    Delay {
        /// Milliseconds.
        ms: u64,
        /// At most so many milliseconds more, by chance.
        #[serde(default)]
        jitter_ms: u64,
    },
    /// An error is raised.
    Error(FaultError),
    /// A batch runs in the server's own process first: a cleanup, a TRUNCATE, a change of a definition.
    Run(String),
    /// The byte is another one.
    Corrupt(u8),
    /// The connection sends no faster than so many bytes per second.
    Throttle(u64),
    /// The connection's packets hold at most so many bytes; with 0 an empty packet stands before every full one.
    Packets(usize),
    /// Whether a row is a ROW or an NBCROW is chance.
    MixRows,
    /// TLS is not to be had, although the server has a certificate.
    DenyTls,
    /// The reply breaks off inside its last DONE.
    TruncateDone,
}

/// How often a fault strikes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strikes {
    /// The first time only.
    #[default]
    Once,
    /// So many times in a row.
    Times(u64),
    /// Every time from the first on.
    Always,
}

/// A fault whose effect cannot be had at its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{effect:?} is no fault at {point:?}")]
pub struct Unfit {
    /// Where.
    pub point: Point,
    /// What.
    pub effect: Effect,
}

impl Fault {
    /// A fault on any connection, once.
    pub fn new(at: Point, effect: Effect) -> Self {
        Self { connection: None, request: None, at, effect, strikes: Strikes::Once }
    }

    fn fits(&self) -> bool {
        let anywhere = matches!(self.effect, Effect::Close | Effect::Reset | Effect::Stall);
        anywhere
            || match (&self.at, &self.effect) {
                (Point::Byte { .. }, Effect::Corrupt(_)) => true,
                (Point::Byte { .. }, _) => false,
                (_, Effect::Delay { .. }) => true,
                (Point::Connect, Effect::Throttle(rate)) => *rate > 0,
                (Point::Connect, effect) => {
                    matches!(effect, Effect::Packets(_) | Effect::MixRows | Effect::DenyTls)
                }
                (_, Effect::Error(_)) => true,
                (Point::Request, Effect::TruncateDone) => true,
                (Point::Statement { .. } | Point::Row { .. }, Effect::Run(_)) => true,
                _ => false,
            }
    }
}

/// A server's faults; clones arm the same server.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Rung when stalls end.
    resumed: Notify,
}

#[derive(Debug)]
struct State {
    armed: Vec<Armed>,
    /// Connections that have opened.
    connections: u64,
    /// Requests that have begun.
    requests: u64,
    /// How often stalls were ended.
    resumptions: u64,
    chance: StdRng,
}

impl Default for Shared {
    fn default() -> Self {
        let chance = StdRng::seed_from_u64(0);
        let state = State { armed: Vec::new(), connections: 0, requests: 0, resumptions: 0, chance };
        Self { state: Mutex::new(state), resumed: Notify::new() }
    }
}

impl Faults {
    /// Arms a fault.
    ///
    /// # Errors
    /// An effect that is none at its place.
    pub fn arm(&self, fault: Fault) -> Result<(), Unfit> {
        if !fault.fits() {
            return Err(Unfit { point: fault.at, effect: fault.effect });
        }
        let mut state = self.0.state.lock();
        let armed = Armed::new(fault, state.connections, state.requests);
        state.armed.push(armed);
        Ok(())
    }

    /// The connection that sends byte number `bytes` from now, counted from 0, is closed instead of sending it.
    pub fn cut_after(&self, bytes: u64) {
        self.arm_byte(bytes, Effect::Close);
    }

    /// The connection that sends byte number `bytes` from now, counted from 0, stops there until [`Self::resume`].
    pub fn stall_after(&self, bytes: u64) {
        self.arm_byte(bytes, Effect::Stall);
    }

    /// A statement of a batch whose text contains `text` fails instead of running, once.
    pub fn fail_statement(&self, text: &str, error: FaultError) {
        let at = Point::Statement { text: text.to_owned(), nth: 1 };
        self.arm(Fault::new(at, Effect::Error(error))).expect("a statement may fail");
    }

    /// Ends every stall.
    pub fn resume(&self) {
        self.0.state.lock().resumptions += 1;
        self.0.resumed.notify_waiters();
    }

    /// Takes back whatever is armed, and ends every stall.
    pub fn clear(&self) {
        self.0.state.lock().armed.clear();
        self.resume();
    }

    /// Where chance begins anew.
    pub fn reseed(&self, seed: u64) {
        self.0.state.lock().chance = StdRng::seed_from_u64(seed);
    }

    fn arm_byte(&self, bytes: u64, effect: Effect) {
        let at = Point::Byte { nth: bytes.saturating_add(1) };
        self.arm(Fault::new(at, effect)).expect("a line may end or stall at any byte");
    }

    /// A new connection's line.
    pub(crate) fn open_line(&self, tally: Arc<Tally>) -> Arc<Line> {
        let mut state = self.0.state.lock();
        state.connections += 1;
        tally.connections.add(1);
        Arc::new(Line::new(self.clone(), tally, state.connections))
    }

    /// The effects that strike at a place, in the order in which they were armed.
    fn strike(&self, line: u64, request: u64, meeting: Meeting<'_>) -> Vec<Effect> {
        let mut state = self.0.state.lock();
        let requests = state.requests;
        let met = state.armed.iter_mut().filter(|armed| armed.is_met(line, request, requests));
        let struck = met.filter_map(|armed| armed.meet(meeting)).collect();
        state.armed.retain(|armed| !armed.is_spent());
        struck
    }

    /// A delay with its jitter.
    fn delay(&self, ms: u64, jitter_ms: u64) -> Duration {
        Duration::from_millis(ms + self.0.state.lock().chance.random_range(0..=jitter_ms))
    }

    /// Waits for the end of stalls.
    async fn resumed(&self) {
        let seen = self.0.state.lock().resumptions;
        loop {
            let resumed = self.0.resumed.notified();
            tokio::pin!(resumed);
            resumed.as_mut().enable();
            if self.0.state.lock().resumptions != seen {
                return;
            }
            resumed.await;
        }
    }
}
