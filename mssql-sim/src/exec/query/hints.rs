//! Table hints: how they have a table read.

use crate::engine::{LockMode, ReadHint, ReadLevel};
use crate::parser::ast::TableHint;
use crate::types::SqlError;

/// How a table with these hints is read.
///
/// # Errors
/// 1047 where hints contradict each other; what is for other kinds of tables is not supported.
pub(in crate::exec) fn read_hint(hints: &[TableHint]) -> Result<ReadHint, SqlError> {
    let mut read = ReadHint::default();
    for hint in hints {
        match hint {
            TableHint::NoLock => set_level(&mut read, ReadLevel::Uncommitted)?,
            TableHint::ReadCommitted => set_level(&mut read, ReadLevel::Committed)?,
            TableHint::ReadCommittedLock => set_level(&mut read, ReadLevel::CommittedLock)?,
            TableHint::RepeatableRead => set_level(&mut read, ReadLevel::Repeatable)?,
            TableHint::Serializable => set_level(&mut read, ReadLevel::Serializable)?,
            TableHint::UpdateLock => strengthen(&mut read.rows, LockMode::Update),
            TableHint::ExclusiveLock => strengthen(&mut read.rows, LockMode::Exclusive),
            TableHint::TableLock => strengthen(&mut read.table, LockMode::Shared),
            TableHint::ExclusiveTableLock => strengthen(&mut read.table, LockMode::Exclusive),
            TableHint::ReadPast => read.skip_locked = true,
            TableHint::NoWait => read.no_wait = true,
            TableHint::WriteTarget => read.write_target = true,
            // Which locks are small and which index is used never changes a result.
            TableHint::RowLock
            | TableHint::PageLock
            | TableHint::NoExpand
            | TableHint::ForceSeek
            | TableHint::ForceScan
            | TableHint::Index => {}
            TableHint::Snapshot | TableHint::KeepIdentity | TableHint::KeepDefaults => {
                return Err(SqlError::unsupported(format_args!("table hint {hint:?}")));
            }
        }
    }
    let locks = read.rows.is_some() || read.table.is_some() || read.skip_locked;
    if locks && read.level == ReadLevel::Uncommitted || read.skip_locked && read.table.is_some() {
        return Err(conflicting());
    }
    Ok(read)
}

fn set_level(read: &mut ReadHint, level: ReadLevel) -> Result<(), SqlError> {
    if read.level != ReadLevel::Session && read.level != level {
        return Err(conflicting());
    }
    read.level = level;
    Ok(())
}

fn strengthen(lock: &mut Option<LockMode>, mode: LockMode) {
    if *lock != Some(LockMode::Exclusive) {
        *lock = Some(mode);
    }
}

/// 1047
fn conflicting() -> SqlError {
    SqlError { class: 15, ..SqlError::batch(1047, "Conflicting locking hints specified.") }
}
