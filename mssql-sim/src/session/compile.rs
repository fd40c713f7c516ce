//! What refuses a whole batch before any of it runs, beyond syntax: a column that an existing table does not have, a
//! CHANGETABLE of a table that is not tracked.
//!
//! A name that does not exist yet is no error here: it is looked up again when its statement runs. So is a table that
//! another transaction, or the session's own, is just creating or changing.

use std::slice;

use super::Session;
use super::batch::Frame;
use crate::engine::Interrupt;
use crate::exec::context::Variables;
use crate::exec::{ddl, query};
use crate::parser::ast::{Insert, InsertSource, Isolation, Located, Query, Statement};
use crate::types::{Reach, SqlError};

/// Columns not found or ambiguous, and CHANGETABLE of what cannot be tracked.
const REFUSING: [i32; 6] = [207, 209, 4104, 22104, 22105, 22107];

impl Session {
    /// Creates the table variables of a batch, wherever they are declared in it.
    pub(super) fn declare_tables(
        &mut self,
        frame: &mut Frame<'_>,
        statements: &[Located],
    ) -> Result<(), SqlError> {
        let mut tables = Vec::new();
        collect(statements, &mut |located| {
            if let Statement::DeclareTable(_) = located.statement {
                tables.push(located);
            }
        });
        for Located { line, statement } in tables {
            let transaction = self.shared.engine.begin();
            let mut context = self.context(frame, transaction, Isolation::ReadCommitted);
            let created = ddl::run(&mut context, statement);
            self.take_back(frame, context);
            self.shared.engine.commit(transaction);
            match created {
                // Nobody else knows the table, so there is nobody to wait for.
                Ok(()) | Err(Interrupt::Wait(_) | Interrupt::Retry) => {}
                Err(Interrupt::Error(error)) => return Err(SqlError { line: *line, ..error }),
            }
        }
        Ok(())
    }

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

/// Declares every variable of a batch: DECLARE counts wherever it stands, even where it is never reached.
pub(super) fn declare_all(statements: &[Located], variables: &mut Variables) -> Result<(), SqlError> {
    let mut result = Ok(());
    collect(statements, &mut |Located { line, statement }| {
        let declared = match statement {
            Statement::Declare(scalars) => {
                scalars.iter().try_for_each(|(name, sql_type, _)| variables.declare(name, *sql_type))
            }
            Statement::DeclareTable(table) => variables.declare_table(&table.name.name),
            _ => Ok(()),
        };
        if let (Ok(()), Err(error)) = (&result, declared) {
            result = Err(SqlError { line: *line, ..error });
        }
    });
    result
}

fn collect_queries<'a>(statements: &'a [Located], queries: &mut Vec<(i32, &'a Query)>) {
    collect(statements, &mut |located| match &located.statement {
        Statement::Select(query) => queries.push((located.line, query)),
        Statement::Insert(Insert { source: InsertSource::Query(query), .. }) => {
            queries.push((located.line, query))
        }
        _ => {}
    });
}

/// Shows every statement of a batch, those inside blocks too.
fn collect<'a>(statements: &'a [Located], visit: &mut impl FnMut(&'a Located)) {
    for located in statements {
        visit(located);
        match &located.statement {
            Statement::Block(body) => collect(body, visit),
            Statement::If { then, otherwise, .. } => {
                collect(slice::from_ref(&**then), visit);
                if let Some(otherwise) = otherwise {
                    collect(slice::from_ref(&**otherwise), visit);
                }
            }
            Statement::While { body, .. } => collect(slice::from_ref(&**body), visit),
            Statement::TryCatch(body, handler) => {
                collect(body, visit);
                collect(handler, visit);
            }
            _ => {}
        }
    }
}
