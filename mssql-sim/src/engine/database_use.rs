//! Which database a session is in: it cannot be dropped meanwhile.

use super::Engine;
use super::definition::DatabaseId;
use super::state::State;

/// A hold on a database, as a session has on its current one. Clones hold it too.
pub struct DatabaseUse {
    engine: Engine,
    id: DatabaseId,
}

impl DatabaseUse {
    /// The database.
    pub fn id(&self) -> DatabaseId {
        self.id
    }
}

impl Clone for DatabaseUse {
    fn clone(&self) -> Self {
        self.engine.hold_database(&mut self.engine.state(), self.id)
    }
}

impl Drop for DatabaseUse {
    fn drop(&mut self) {
        let mut state = self.engine.state();
        if let Some(holds) = state.database_uses.get_mut(&self.id) {
            *holds -= 1;
            if *holds == 0 {
                state.database_uses.remove(&self.id);
            }
        }
        drop(state);
        self.engine.settle();
    }
}

impl Engine {
    /// Holds a database that is known to exist.
    pub(super) fn hold_database(&self, state: &mut State, id: DatabaseId) -> DatabaseUse {
        *state.database_uses.entry(id).or_default() += 1;
        DatabaseUse { engine: self.clone(), id }
    }
}
