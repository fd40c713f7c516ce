//! A context for tests of single parts.

use super::context::{ExecContext, SessionFacts, Variables, ViewStack};
use crate::collation::Collation;
use crate::engine::{DatabaseId, Engine, NameScope, Options, Principal, Temporaries};
use crate::parser::ast::Isolation;

/// A statement of a sysadmin in an empty database `wms`.
pub(super) fn context() -> ExecContext {
    let engine = Engine::new(Options::default());
    let database = engine.create_database("wms", Collation::DEFAULT).expect("a new name");
    statement(engine, database)
}

/// A statement of another transaction on the same server.
pub(super) fn beside(context: &ExecContext) -> ExecContext {
    statement(context.engine.clone(), context.names.database)
}

fn statement(engine: Engine, database: DatabaseId) -> ExecContext {
    let transaction = engine.begin();
    let principal = Principal::of_login("sa", true);
    ExecContext {
        names: NameScope { database, principal, transaction, temporaries: Temporaries::default() },
        statement: engine.statement(transaction, Isolation::ReadCommitted),
        variables: Variables::default(),
        session: SessionFacts { database: "wms".to_owned(), ..SessionFacts::default() },
        now: engine.now(),
        views: ViewStack::default(),
        null_eliminated: Default::default(),
        engine,
    }
}
