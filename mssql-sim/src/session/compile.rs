//! What refuses a whole batch before any of it runs, beyond syntax: a column that an existing table does not have, a
//! CHANGETABLE of a table that is not tracked.
//!
//! A name that does not exist yet is no error here: it is looked up again when its statement runs. So is a table that
//! another transaction, or the session's own, is just creating or changing.

use std::slice;

use super::Session;
use super::batch::Frame;
use crate::engine::Interrupt;
use crate::exec::query;
use crate::parser::ast::{InsertSource, Isolation, Located, Query, Statement};
use crate::types::{Reach, SqlError};

/// Columns not found or ambiguous, and CHANGETABLE of what cannot be tracked.
const REFUSING: [i32; 6] = [207, 209, 4104, 22104, 22105, 22107];

impl Session {
    /// Binds the queries of a batch once to see whether it may run.
    pub(super) fn check_batch(&self, frame: &mut Frame<'_>, statements: &[Located]) -> Result<(), SqlError> {
        if let [] | [Located { statement: Statement::Select(_), .. }] = statements {
            // Its run binds it before anything else happens.
            return Ok(());
        }
        let mut queries = Vec::new();
        collect_queries(statements, &mut queries);
        // A transaction of its own, so that the look fixes no snapshot and takes no part in the session's.
        let transaction = self.shared.engine.begin();
        let context = self.context(frame, transaction, Isolation::ReadUncommitted);
        let refused = queries.into_iter().find_map(|(line, query)| match query::check(&context, query) {
            Err(Interrupt::Error(error)) if REFUSING.contains(&error.number) => {
                Some(SqlError { line, reach: Reach::Batch, ..error })
            }
            _ => None,
        });
        frame.variables = context.variables;
        drop(context.statement);
        self.shared.engine.rollback(transaction);
        refused.map_or(Ok(()), Err)
    }
}

fn collect_queries<'a>(statements: &'a [Located], queries: &mut Vec<(i32, &'a Query)>) {
    for Located { line, statement } in statements {
        match statement {
            Statement::Select(query) => queries.push((*line, query)),
            Statement::Insert(insert) => {
                if let InsertSource::Query(query) = &insert.source {
                    queries.push((*line, query));
                }
            }
            Statement::Block(body) => collect_queries(body, queries),
            Statement::If { then, otherwise, .. } => {
                collect_queries(slice::from_ref(&**then), queries);
                if let Some(otherwise) = otherwise {
                    collect_queries(slice::from_ref(&**otherwise), queries);
                }
            }
            Statement::While { body, .. } => collect_queries(slice::from_ref(&**body), queries),
            Statement::TryCatch(body, handler) => {
                collect_queries(body, queries);
                collect_queries(handler, queries);
            }
            _ => {}
        }
    }
}
