//! The server's clock. Tests move it; everything that the server dates is dated by it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// How time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The machine's clock, moved forward.
    System {
        /// By how much.
        ahead: TimeDelta,
    },
    /// Stands still until it is moved.
    Fixed(DateTime<Utc>),
}

impl Clock {
    /// The machine's clock.
    pub const SYSTEM: Self = Self::System { ahead: TimeDelta::zero() };

    pub(super) fn now(self) -> DateTime<Utc> {
        match self {
            Self::System { ahead } => Utc::now() + ahead,
            Self::Fixed(time) => time,
        }
    }

    pub(super) fn advance(&mut self, by: Duration) {
        let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
        match self {
            Self::System { ahead } => *ahead += by,
            Self::Fixed(time) => *time += by,
        }
    }
}
