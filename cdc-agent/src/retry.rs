//! Pauses between attempts.

use crate::errors::Class;
use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;
use std::time::Duration;

/// Longest pause before a line is tried again.
const LONGEST_RECONNECT: Duration = Duration::from_secs(15);
/// Longest pause before it is tried whether a person has mended something.
const LONGEST_OPERATOR: Duration = Duration::from_secs(60);
/// First pause.
const SHORTEST: Duration = Duration::from_millis(100);

/// Pauses that grow from attempt to attempt, each with a random part, so that agents which lost the same server do not come back
/// at the same moment.
pub struct Pauses {
    reconnect: ExponentialBackoff,
    operator: ExponentialBackoff,
}

impl Pauses {
    /// Before the first attempt.
    pub fn new() -> Self {
        Self { reconnect: up_to(LONGEST_RECONNECT), operator: up_to(LONGEST_OPERATOR) }
    }

    /// The pause before the next attempt after an error of this class.
    pub fn next(&mut self, class: Class) -> Duration {
        let (pauses, longest) = match class {
            Class::Operator => (&mut self.operator, LONGEST_OPERATOR),
            _ => (&mut self.reconnect, LONGEST_RECONNECT),
        };
        pauses.next_backoff().unwrap_or(longest)
    }

    /// An attempt has succeeded.
    pub fn reset(&mut self) {
        self.reconnect.reset();
        self.operator.reset();
    }
}

impl Default for Pauses {
    fn default() -> Self {
        Self::new()
    }
}

/// Never gives up: whether to go on is decided by the error's class.
fn up_to(longest: Duration) -> ExponentialBackoff {
    ExponentialBackoff {
        current_interval: SHORTEST,
        initial_interval: SHORTEST,
        max_interval: longest,
        multiplier: 2.0,
        max_elapsed_time: None,
        ..ExponentialBackoff::default()
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_RECONNECT, Pauses, SHORTEST};
    use crate::errors::Class;

    #[test]
    fn pauses_grow_to_their_bound_and_start_over_after_a_success() {
        let mut pauses = Pauses::new();
        let first = pauses.next(Class::Reconnect);
        let later = (0..20).map(|_| pauses.next(Class::Reconnect)).last().unwrap();
        assert!(first <= SHORTEST * 2);
        assert!(later > first && later <= LONGEST_RECONNECT * 2);
        pauses.reset();
        assert!(pauses.next(Class::Reconnect) <= SHORTEST * 2);
    }
}
