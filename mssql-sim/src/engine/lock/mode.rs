//! Lock modes: which of them exclude each other, and what two of them amount to in one hand.
//!
//! A mode has two parts. The base is for the thing itself: a table, or a row's key. The range is for the gap before a
//! key, up to the key before it; it is what SERIALIZABLE holds against phantoms, and an insert tests it on the key
//! that will follow the new one.

/// A lock's mode, named as `sys.dm_tran_locks` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockMode {
    /// Sch-S: uses a definition.
    SchemaStability,
    /// Sch-M: changes a definition.
    SchemaModification,
    /// IS: will read rows.
    IntentShared,
    /// IX: will write rows.
    IntentExclusive,
    /// S
    Shared,
    /// SIX: reads all of a table and will write rows.
    SharedIntentExclusive,
    /// U: reads, and may write.
    Update,
    /// X
    Exclusive,
    /// RangeS-S
    RangeShared,
    /// RangeS-U
    RangeUpdate,
    /// RangeI-N: tests a gap for an insert; it is never kept.
    RangeInsert,
    /// RangeX-X
    RangeExclusive,
}

/// The part of a mode that is about the gap before a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Range {
    Free,
    Shared,
    Insert,
    Exclusive,
}

use LockMode::{
    Exclusive, IntentExclusive, IntentShared, RangeExclusive, RangeInsert, RangeShared, RangeUpdate,
    SchemaModification, SchemaStability, Shared, SharedIntentExclusive, Update,
};

impl LockMode {
    /// Whether another owner may hold `other` at the same time.
    pub(super) fn admits(self, other: Self) -> bool {
        ranges_admit(self.range(), other.range())
            && match (self.base(), other.base()) {
                (Some(one), Some(other)) => bases_admit(one, other),
                // RangeI-N says nothing about the key itself.
                _ => true,
            }
    }

    /// The weakest mode that is worth both.
    pub(in crate::engine) fn with(self, other: Self) -> Self {
        let base = match (self.base(), other.base()) {
            (Some(one), Some(other)) => bases_together(one, other),
            (one, other) => one.or(other).unwrap_or(RangeInsert),
        };
        let ranged = self.range() != Range::Free || other.range() != Range::Free;
        match base {
            Shared if ranged => RangeShared,
            Update if ranged => RangeUpdate,
            Exclusive if ranged => RangeExclusive,
            base => base,
        }
    }

    /// Whether who holds it needs no `other` any more.
    pub(in crate::engine) fn covers(self, other: Self) -> bool {
        self.with(other) == self
    }

    /// Whether who holds it on a table needs no `inner` on anything in it.
    pub(super) fn shelters(self, inner: Self) -> bool {
        match self {
            Exclusive | SchemaModification => true,
            Shared | SharedIntentExclusive => matches!(inner, Shared | RangeShared),
            _ => false,
        }
    }

    /// Whether it is about the gap before a key too.
    pub(in crate::engine) fn is_range(self) -> bool {
        self.range() != Range::Free
    }

    /// The same with the gap before the key.
    pub(in crate::engine) fn ranged(self) -> Self {
        match self {
            Shared => RangeShared,
            Update => RangeUpdate,
            Exclusive => RangeExclusive,
            other => other,
        }
    }

    fn range(self) -> Range {
        match self {
            RangeShared | RangeUpdate => Range::Shared,
            RangeInsert => Range::Insert,
            RangeExclusive => Range::Exclusive,
            _ => Range::Free,
        }
    }

    fn base(self) -> Option<Self> {
        match self {
            RangeShared => Some(Shared),
            RangeUpdate => Some(Update),
            RangeInsert => None,
            RangeExclusive => Some(Exclusive),
            other => Some(other),
        }
    }

    /// The mode that `sp_getapplock` means, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "shared" => Shared,
            "update" => Update,
            "exclusive" => Exclusive,
            "intentshared" => IntentShared,
            "intentexclusive" => IntentExclusive,
            _ => return None,
        })
    }

    /// The mode as `APPLOCK_MODE` names it.
    pub fn application_name(self) -> Option<&'static str> {
        Some(match self {
            Shared => "Shared",
            Update => "Update",
            Exclusive => "Exclusive",
            IntentShared => "IntentShared",
            IntentExclusive => "IntentExclusive",
            _ => return None,
        })
    }

    /// `request_mode` of `sys.dm_tran_locks`.
    pub fn name(self) -> &'static str {
        match self {
            SchemaStability => "Sch-S",
            SchemaModification => "Sch-M",
            IntentShared => "IS",
            IntentExclusive => "IX",
            Shared => "S",
            SharedIntentExclusive => "SIX",
            Update => "U",
            Exclusive => "X",
            RangeShared => "RangeS-S",
            RangeUpdate => "RangeS-U",
            RangeInsert => "RangeI-N",
            RangeExclusive => "RangeX-X",
        }
    }

    /// `wait_type` of `sys.dm_os_waiting_tasks`.
    pub fn wait_type(self) -> &'static str {
        match self {
            SchemaStability => "LCK_M_SCH_S",
            SchemaModification => "LCK_M_SCH_M",
            IntentShared => "LCK_M_IS",
            IntentExclusive => "LCK_M_IX",
            Shared => "LCK_M_S",
            SharedIntentExclusive => "LCK_M_SIX",
            Update => "LCK_M_U",
            Exclusive => "LCK_M_X",
            RangeShared => "LCK_M_RS_S",
            RangeUpdate => "LCK_M_RS_U",
            RangeInsert => "LCK_M_RIn_NL",
            RangeExclusive => "LCK_M_RX_X",
        }
    }
}

fn ranges_admit(one: Range, other: Range) -> bool {
    match (one, other) {
        (Range::Free, _) | (_, Range::Free) => true,
        (Range::Shared, Range::Shared) | (Range::Insert, Range::Insert) => true,
        (Range::Exclusive, _) | (_, Range::Exclusive) => false,
        (Range::Shared, Range::Insert) | (Range::Insert, Range::Shared) => false,
    }
}

fn bases_admit(one: LockMode, other: LockMode) -> bool {
    let admitted: &[LockMode] = match one {
        SchemaModification => &[],
        SchemaStability => return other != SchemaModification,
        IntentShared => {
            &[SchemaStability, IntentShared, IntentExclusive, Shared, SharedIntentExclusive, Update]
        }
        IntentExclusive => &[SchemaStability, IntentShared, IntentExclusive],
        Shared => &[SchemaStability, IntentShared, Shared, Update],
        SharedIntentExclusive => &[SchemaStability, IntentShared],
        Update => &[SchemaStability, IntentShared, Shared],
        _ => &[SchemaStability],
    };
    admitted.contains(&other)
}

fn bases_together(one: LockMode, other: LockMode) -> LockMode {
    let rank = |mode| match mode {
        SchemaStability => 0,
        IntentShared => 1,
        Shared | IntentExclusive => 2,
        SharedIntentExclusive | Update => 3,
        Exclusive => 4,
        _ => 5,
    };
    let (weak, strong) = if rank(one) <= rank(other) { (one, other) } else { (other, one) };
    match (weak, strong) {
        (Shared, IntentExclusive) | (IntentExclusive, Shared) => SharedIntentExclusive,
        (IntentExclusive | SharedIntentExclusive, Update) | (Update, SharedIntentExclusive) => Exclusive,
        _ => strong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Held down, requested across, as documented.
    const COMPATIBLE: [(LockMode, &str); 12] = [
        (SchemaStability, "Sch-S IS IX S SIX U X"),
        (SchemaModification, ""),
        (IntentShared, "Sch-S IS IX S SIX U"),
        (IntentExclusive, "Sch-S IS IX"),
        (Shared, "Sch-S IS S U RangeS-S RangeS-U RangeI-N"),
        (SharedIntentExclusive, "Sch-S IS"),
        (Update, "Sch-S IS S RangeS-S RangeI-N"),
        (Exclusive, "Sch-S RangeI-N"),
        (RangeShared, "S U RangeS-S RangeS-U"),
        (RangeUpdate, "S RangeS-S"),
        (RangeInsert, "S U X RangeI-N"),
        (RangeExclusive, ""),
    ];
    /// Modes that no key is locked in.
    const OF_TABLES: [LockMode; 5] =
        [SchemaStability, SchemaModification, IntentShared, IntentExclusive, SharedIntentExclusive];

    #[test]
    fn modes_exclude_each_other_as_documented() {
        for (held, expected) in COMPATIBLE {
            for (requested, _) in COMPATIBLE {
                let unrelated = |one, other: LockMode| OF_TABLES.contains(&one) && other.is_range();
                if unrelated(held, requested) || unrelated(requested, held) {
                    continue;
                }
                let admitted = expected.split(' ').any(|name| name == requested.name());
                assert_eq!(held.admits(requested), admitted, "{held:?} held, {requested:?} requested");
            }
        }
    }

    #[test]
    fn two_modes_in_one_hand_are_worth_both() {
        for (one, other, both) in [
            (SchemaStability, IntentShared, IntentShared),
            (IntentShared, IntentExclusive, IntentExclusive),
            (Shared, IntentExclusive, SharedIntentExclusive),
            (SharedIntentExclusive, Exclusive, Exclusive),
            (Exclusive, SchemaModification, SchemaModification),
            (Shared, Update, Update),
            (Shared, RangeShared, RangeShared),
            (RangeShared, Update, RangeUpdate),
            (RangeShared, Exclusive, RangeExclusive),
            (Exclusive, RangeShared, RangeExclusive),
        ] {
            assert_eq!(one.with(other), both);
            assert_eq!(other.with(one), both);
            assert!(both.covers(one) && both.covers(other), "{one:?} {other:?}");
        }
    }
}
