//! Protections that tests turn off to show what they are for. In ordinary builds every one of them is on, by construction.

use std::path::Path;

/// Called with the data file.
#[cfg(feature = "test-switches")]
pub type SyncSpy = std::sync::Arc<dyn Fn(&Path) + Send + Sync>;

/// Which protections are off. Exists with fields only under the feature `test-switches`.
#[cfg(feature = "test-switches")]
#[derive(Clone, Default)]
pub struct Switches {
    /// Frames are believed without their checksum.
    pub checksum_off: bool,
    /// A run without an end is handed out like an ended one.
    pub end_mark_off: bool,
    /// The data file is not synced.
    pub sync_off: bool,
    /// Called with the data file just before it is synced.
    pub on_sync: Option<SyncSpy>,
}

#[cfg(feature = "test-switches")]
impl Switches {
    pub(crate) fn checksum(&self) -> bool {
        !self.checksum_off
    }

    pub(crate) fn end_mark(&self) -> bool {
        !self.end_mark_off
    }

    pub(crate) fn sync(&self, file: &Path) -> bool {
        if let (false, Some(spy)) = (self.sync_off, &self.on_sync) {
            spy(file);
        }
        !self.sync_off
    }
}

#[cfg(not(feature = "test-switches"))]
#[derive(Clone, Default)]
pub(crate) struct Switches;

#[cfg(not(feature = "test-switches"))]
impl Switches {
    pub(crate) fn checksum(&self) -> bool {
        true
    }

    pub(crate) fn sync(&self, _file: &Path) -> bool {
        true
    }
}
