//! What refuses a whole batch before any of it runs, beyond syntax: a column that an existing table does not have, a
//! CHANGETABLE of a table that is not tracked.
//!
//! A name that does not exist yet is no error here: it is looked up again when its statement runs. So is a table that
//! another transaction, or the session's own, is just creating or changing.

use std::slice;
use std::sync::Arc;

use super::Session;
use super::batch::Frame;
use crate::engine::Interrupt;
use crate::exec::context::Variables;
use crate::exec::{ddl, query};
use crate::parser::ast::{Insert, InsertSource, Isolation, Located, Query, Statement};
use crate::types::{ColumnMeta, Reach, SqlError, SqlType};

/// Variables not declared, columns not found or ambiguous, and CHANGETABLE of what cannot be tracked.
const REFUSING: [i32; 7] = [137, 207, 209, 4104, 22104, 22105, 22107];
/// A missing table, which only refuses what is prepared for later.
const MISSING_OBJECT: i32 = 208;

impl Session {
    /// Declares a batch's variables and sees whether it may run.
    pub(super) fn compile(&mut self, frame: &mut Frame<'_>, statements: &[Located]) -> Result<(), SqlError> {
        self.declare_all(statements, &mut frame.variables)?;
        self.declare_tables(frame, statements)?;
        self.check_batch(frame, statements)
    }

    /// Compiles a text that is prepared for later; the columns of its first query, if there is any.
    pub(super) fn compile_prepared(
        &mut self,
        frame: &mut Frame<'_>,
        statements: &[Located],
    ) -> Result<Option<Arc<[ColumnMeta]>>, SqlError> {
        self.temporaries.enter();
        let declared = self
            .declare_all(statements, &mut frame.variables)
            .and_then(|()| self.declare_tables(frame, statements));
        let columns = declared.and_then(|()| {
            let refuses = |number| number == MISSING_OBJECT || REFUSING.contains(&number);
            self.bind_queries(frame, statements, refuses)
        });
        self.shared.engine.drop_temporaries(&self.temporaries.leave());
        columns
    }

    /// Creates the table variables of a batch, wherever they are declared in it.
    fn declare_tables(&mut self, frame: &mut Frame<'_>, statements: &[Located]) -> Result<(), SqlError> {
        let mut tables = Vec::new();
        collect(statements, &mut |located| {
            if let Statement::DeclareTable(_) = located.statement {
                tables.push(located);
            }
        });
        for Located { line, statement } in tables {
            let transaction = self.shared.engine.begin();
            let mut context = self.context(frame, transaction, Isolation::ReadCommitted);
            let created = ddl::run(&mut context, statement, "");
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
    fn check_batch(&self, frame: &mut Frame<'_>, statements: &[Located]) -> Result<(), SqlError> {
        if let [] | [Located { statement: Statement::Select(_), .. }] = statements {
            // Its run binds it before anything else happens.
            return Ok(());
        }
        self.bind_queries(frame, statements, |number| REFUSING.contains(&number)).map(drop)
    }

    /// Binds the queries among statements; the columns of the first one that returns rows, or the first error that
    /// `refuses`.
    fn bind_queries(
        &self,
        frame: &mut Frame<'_>,
        statements: &[Located],
        refuses: impl Fn(i32) -> bool,
    ) -> Result<Option<Arc<[ColumnMeta]>>, SqlError> {
        let mut queries = Vec::new();
        collect_queries(statements, &mut queries);
        // A transaction of its own, so that the look fixes no snapshot and takes no part in the session's.
        let transaction = self.shared.engine.begin();
        let context = self.context(frame, transaction, Isolation::ReadUncommitted);
        let mut first = Ok(None);
        for FoundQuery { line, query, returns_rows } in queries {
            match query::check(&context, query) {
                Err(Interrupt::Error(error)) if refuses(error.number) => {
                    first = Err(SqlError { line, reach: Reach::Batch, ..error });
                    break;
                }
                Ok(columns) if returns_rows && matches!(first, Ok(None)) => first = Ok(Some(columns)),
                _ => {}
            }
        }
        frame.variables = context.variables;
        drop(context.statement);
        self.shared.engine.rollback(transaction);
        first
    }

    /// Declares every variable of a batch: DECLARE counts wherever it stands, even where it is never reached.
    fn declare_all(&self, statements: &[Located], variables: &mut Variables) -> Result<(), SqlError> {
        let mut result = Ok(());
        collect(statements, &mut |Located { line, statement }| {
            let declared = match statement {
                Statement::Declare(scalars) => scalars.iter().try_for_each(|(name, type_name, _)| {
                    let sql_type = self.shared.engine.resolve_type(self.database.id(), type_name)?.sql_type;
                    refuse_long(sql_type)?;
                    variables.declare(name, sql_type)
                }),
                Statement::DeclareTable(table) => variables.declare_table(&table.name.name),
                _ => Ok(()),
            };
            if let (Ok(()), Err(error)) = (&result, declared) {
                result = Err(SqlError { line: *line, ..error });
            }
        });
        result
    }
}

/// A query of a batch, with the line of its statement.
struct FoundQuery<'a> {
    line: i32,
    query: &'a Query,
    /// To the client, as a result set.
    returns_rows: bool,
}

/// 2739: types that no local variable has; a parameter may have them.
fn refuse_long(sql_type: SqlType) -> Result<(), SqlError> {
    if !matches!(sql_type, SqlType::Text | SqlType::NText | SqlType::Image) {
        return Ok(());
    }
    let message = "The text, ntext, and image data types are invalid for local variables.";
    Err(SqlError::batch(2739, message))
}

fn collect_queries<'a>(statements: &'a [Located], queries: &mut Vec<FoundQuery<'a>>) {
    collect(statements, &mut |&Located { line, ref statement }| {
        let (query, returns_rows) = match statement {
            Statement::Select(query) => (query, true),
            Statement::Insert(Insert { source: InsertSource::Query(query), .. }) => (&**query, false),
            _ => return,
        };
        queries.push(FoundQuery { line, query, returns_rows });
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
