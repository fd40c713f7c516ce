//! Phases and conditions of a table.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a table is on its way. A table has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Known, nothing read yet.
    Pending,
    /// A load is under way.
    Loading,
    /// Loaded; changes stream.
    Live,
    /// Given up until an operator acts.
    Failed,
}

/// What is out of the ordinary about a table. A table has any number of them, each with reason, since and by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// An operator stopped it; it keeps its own position.
    Paused,
    /// Its content may belong to another past until a verifying load is done.
    Suspect,
    /// A window too large for one cut is being loaded.
    CatchingUp,
    /// It is being read again as a whole.
    Resyncing,
    /// Its history was lost; what the target shows is older than it looks until the load is done.
    Blind,
    /// Keys are in quarantine, or the source cannot be read in one snapshot.
    Degraded,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Loading => "loading",
            Self::Live => "live",
            Self::Failed => "failed",
        })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Paused => "paused",
            Self::Suspect => "suspect",
            Self::CatchingUp => "catching_up",
            Self::Resyncing => "resyncing",
            Self::Blind => "blind",
            Self::Degraded => "degraded",
        })
    }
}
