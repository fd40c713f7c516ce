//! An armed fault: what is left until it strikes, and how often it still does.

use super::line::Meeting;
use super::{Effect, Fault, Point, Strikes};

/// A fault with its counts.
#[derive(Debug)]
pub(super) struct Armed {
    fault: Fault,
    /// Connections and requests there were when it was armed.
    connections_before: u64,
    requests_before: u64,
    /// Statements, rows or bytes that pass before it strikes.
    passing: u64,
    /// None strikes for ever.
    strikes_left: Option<u64>,
}

impl Armed {
    pub(super) fn new(fault: Fault, connections_before: u64, requests_before: u64) -> Self {
        let nth = match fault.at {
            Point::Statement { nth, .. } | Point::Row { nth, .. } | Point::Byte { nth } => nth,
            Point::Connect | Point::Login | Point::Request => 1,
        };
        let strikes_left = match fault.strikes {
            Strikes::Once => Some(1),
            Strikes::Times(times) => Some(times),
            Strikes::Always => None,
        };
        let passing = nth.saturating_sub(1);
        Self { fault, connections_before, requests_before, passing, strikes_left }
    }

    pub(super) fn is_spent(&self) -> bool {
        self.strikes_left == Some(0)
    }

    /// Whether it is about a connection and its present request. `request` counts those of the connection, `requests` all.
    pub(super) fn is_met(&self, connection: u64, request: u64, requests: u64) -> bool {
        let Fault { connection: wanted, request: wanted_request, .. } = &self.fault;
        let request = if wanted.is_some() { request } else { requests - self.requests_before };
        wanted.is_none_or(|wanted| connection.checked_sub(self.connections_before) == Some(wanted))
            && wanted_request.is_none_or(|wanted| request == wanted)
    }

    /// Its effect, if it strikes at what is met.
    pub(super) fn meet(&mut self, meeting: Meeting<'_>) -> Option<Effect> {
        let met = match (&self.fault.at, meeting) {
            (Point::Connect, Meeting::Connect)
            | (Point::Login, Meeting::Login)
            | (Point::Request, Meeting::Request)
            | (Point::Byte { .. }, Meeting::Byte) => true,
            (Point::Statement { text, .. }, Meeting::Statement(batch))
            | (Point::Row { text, .. }, Meeting::Row(batch)) => batch.contains(text.as_str()),
            _ => false,
        };
        if !met || self.is_spent() {
            return None;
        }
        if !matches!(meeting, Meeting::Byte) && self.passing > 0 {
            self.passing -= 1;
            return None;
        }
        if self.passing > 0 {
            return None;
        }
        if let Some(left) = &mut self.strikes_left {
            *left -= 1;
        }
        Some(self.fault.effect.clone())
    }

    pub(super) fn watches_rows(&self) -> bool {
        matches!(self.fault.at, Point::Row { .. })
    }

    /// Bytes that may still be sent before it strikes, if it counts bytes.
    pub(super) fn bytes_left(&self) -> Option<u64> {
        matches!(self.fault.at, Point::Byte { .. }).then_some(self.passing)
    }

    /// Bytes were sent.
    pub(super) fn count_bytes(&mut self, sent: u64) {
        if matches!(self.fault.at, Point::Byte { .. }) {
            self.passing = self.passing.saturating_sub(sent);
        }
    }
}
