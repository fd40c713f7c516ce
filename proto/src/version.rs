//! Change Tracking versions.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A Change Tracking version of one database. 0 is a version like any other; "none" is an `Option`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version(pub i64);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
