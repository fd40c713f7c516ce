//! Temporary tables and table variables: tables of `tempdb` that only some statements' names mean.
//!
//! `#t` belongs to the session, or to the procedure whose text created it, and is seen by what that calls. `@t` lives
//! as long as one run of a batch and is seen by that batch alone. `##t` is everybody's and goes with the session that
//! created it. In the catalog the first two have made-up names. A list keeps what its session created; an entry whose
//! table is gone (dropped, or rolled back with its creation) means nothing, so the list itself is never rolled back.

use super::definition::{DatabaseId, ObjectId, TableDef};
use super::state::State;
use super::{Engine, TransactionId};
use crate::collation::fold_name;

/// The database of all temporary tables.
pub const TEMPDB: DatabaseId = DatabaseId(2);

/// Characters of a made-up name before its number.
const NAME_WIDTH: usize = 116;

/// What a session created in `tempdb`, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Temporaries {
    created: Vec<Temporary>,
    /// Procedures that are running.
    depth: usize,
}

#[derive(Clone, Debug)]
struct Temporary {
    name: String,
    id: ObjectId,
    /// Procedures that were running when it was created.
    depth: usize,
}

/// Whether a name is that of a temporary table, `##t` included, or of a table variable.
pub fn is_temporary(name: &str) -> bool {
    name.starts_with(['#', '@'])
}

/// Whether a name is that of a temporary table which every session sees.
pub fn is_global(name: &str) -> bool {
    name.starts_with("##")
}

/// Whether a name is that of a table variable.
pub fn is_variable(name: &str) -> bool {
    name.starts_with('@')
}

/// The name of a new temporary table in the catalog.
pub fn catalog_name(name: &str, id: ObjectId) -> String {
    if is_global(name) { name.to_owned() } else { format!("{name:_<NAME_WIDTH$}{id:012X}") }
}

impl Temporaries {
    /// Remembers a table that was created under a name.
    pub fn add(&mut self, name: &str, id: ObjectId) {
        let depth = if is_global(name) { 0 } else { self.depth };
        self.created.push(Temporary { name: fold_name(name), id, depth });
    }

    /// A procedure begins.
    pub fn enter(&mut self) {
        self.depth += 1;
    }

    /// A procedure ends; the tables that end with it.
    pub fn leave(&mut self) -> Vec<ObjectId> {
        let depth = self.depth;
        self.depth = depth.saturating_sub(1);
        self.split(|table| table.depth >= depth)
    }

    /// A batch ends; its table variables.
    pub fn end_batch(&mut self) -> Vec<ObjectId> {
        self.split(|table| is_variable(&table.name))
    }

    /// Everything ends that a cancelled request leaves behind: its procedures and its table variables.
    pub fn unwind(&mut self) -> Vec<ObjectId> {
        self.depth = 0;
        self.split(|table| table.depth > 0 || is_variable(&table.name))
    }

    /// The session ends; all its tables.
    pub fn end_session(&mut self) -> Vec<ObjectId> {
        self.depth = 0;
        self.split(|_| true)
    }

    fn split(&mut self, ended: impl Fn(&Temporary) -> bool) -> Vec<ObjectId> {
        let (ended, kept) = std::mem::take(&mut self.created).into_iter().partition(ended);
        self.created = kept;
        ended.into_iter().map(|table| table.id).collect()
    }

    /// Tables that a name may mean, the newest first. A table variable is not seen by what its batch calls.
    fn named(&self, name: &str) -> impl Iterator<Item = ObjectId> {
        let name = fold_name(name);
        let own = is_variable(&name);
        let named = self.created.iter().rev().filter(move |table| table.name == name);
        named.filter(move |table| !own || table.depth == self.depth).map(|table| table.id)
    }

    /// Whether the running procedure, or the session outside one, has a table of this name already.
    pub fn has_own(&self, name: &str) -> impl Iterator<Item = ObjectId> {
        let name = fold_name(name);
        let own = self.created.iter().filter(move |table| table.name == name && table.depth == self.depth);
        own.map(|table| table.id)
    }
}

impl State {
    /// The table that a temporary name means to a transaction.
    pub(super) fn temporary(
        &self,
        temporaries: &Temporaries,
        transaction: TransactionId,
        name: &str,
    ) -> Option<&std::sync::Arc<TableDef>> {
        let existing = temporaries.named(name).filter_map(|id| self.find_table((TEMPDB, id)));
        existing.filter(|table| table.exists_for(transaction)).map(|table| &table.def).next()
    }
}

impl Engine {
    /// Removes tables that ended with a batch, a procedure or a session, whatever transaction has used them.
    pub fn drop_temporaries(&self, ended: &[ObjectId]) {
        if ended.is_empty() {
            return;
        }
        let mut state = self.state();
        let tempdb = state.database_mut(TEMPDB);
        ended.iter().for_each(|id| tempdb.remove_table(*id));
    }
}
