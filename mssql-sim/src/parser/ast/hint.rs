//! Table hints.

/// A word of `WITH (...)` behind a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableHint {
    /// `NOLOCK`, `READUNCOMMITTED`
    NoLock,
    /// `READCOMMITTED`
    ReadCommitted,
    /// `READCOMMITTEDLOCK`
    ReadCommittedLock,
    /// `REPEATABLEREAD`
    RepeatableRead,
    /// `SERIALIZABLE`, `HOLDLOCK`
    Serializable,
    /// `SNAPSHOT`, which is for memory-optimized tables.
    Snapshot,
    /// `READPAST`
    ReadPast,
    /// `UPDLOCK`
    UpdateLock,
    /// `XLOCK`
    ExclusiveLock,
    /// `ROWLOCK`
    RowLock,
    /// `PAGLOCK`
    PageLock,
    /// `TABLOCK`
    TableLock,
    /// `TABLOCKX`
    ExclusiveTableLock,
    /// `NOWAIT`
    NoWait,
    /// `NOEXPAND`
    NoExpand,
    /// `FORCESEEK`
    ForceSeek,
    /// `FORCESCAN`
    ForceScan,
    /// `INDEX (...)`
    Index,
    /// `KEEPIDENTITY`
    KeepIdentity,
    /// `KEEPDEFAULTS`
    KeepDefaults,
    /// Never written: the table is the one whose rows the statement changes.
    WriteTarget,
}

impl TableHint {
    /// The hint that a word means, in upper case.
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "NOLOCK" | "READUNCOMMITTED" => Self::NoLock,
            "READCOMMITTED" => Self::ReadCommitted,
            "READCOMMITTEDLOCK" => Self::ReadCommittedLock,
            "REPEATABLEREAD" => Self::RepeatableRead,
            "SERIALIZABLE" | "HOLDLOCK" => Self::Serializable,
            "SNAPSHOT" => Self::Snapshot,
            "READPAST" => Self::ReadPast,
            "UPDLOCK" => Self::UpdateLock,
            "XLOCK" => Self::ExclusiveLock,
            "ROWLOCK" => Self::RowLock,
            "PAGLOCK" => Self::PageLock,
            "TABLOCK" => Self::TableLock,
            "TABLOCKX" => Self::ExclusiveTableLock,
            "NOWAIT" => Self::NoWait,
            "NOEXPAND" => Self::NoExpand,
            "FORCESEEK" => Self::ForceSeek,
            "FORCESCAN" => Self::ForceScan,
            "INDEX" => Self::Index,
            "KEEPIDENTITY" => Self::KeepIdentity,
            "KEEPDEFAULTS" => Self::KeepDefaults,
            _ => return None,
        })
    }
}
