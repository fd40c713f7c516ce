//! The one clock of this crate: which day "today" is, and when a session ends.
//!
//! The age of data never comes from here; it is measured on PostgreSQL's clock alone.

use chrono::{DateTime, Utc};
use std::fmt;
use std::sync::Arc;

/// Tells the current moment; tests hand in their own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Arc::new(Utc::now))
    }

    /// A clock that shows whatever `now` returns.
    pub fn showing(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The current moment.
    pub fn now(&self) -> DateTime<Utc> {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}
