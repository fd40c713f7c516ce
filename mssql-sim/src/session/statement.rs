//! One statement that touches data or variables.
//!
//! A statement is attempted until no lock stands in its way: an attempt that meets one leaves nothing behind but the
//! locks it took, the session awaits the holder's end, and the statement starts again. A query that streams goes on
//! where it stopped instead.

use std::cell::Cell;

use super::batch::Frame;
use super::event::{ClientGone, Command, Event};
use super::{Failure, Session};
use crate::collation::Collation;
use crate::engine::{Interrupt, NameScope, Row, TransactionId, TransactionOrigin};
use crate::exec::context::{ExecContext, SessionFacts, Variables, ViewStack};
use crate::exec::conversion::{convert, convert_in, require_implicit};
use crate::exec::dml::ResultSet;
use crate::exec::{ddl, dml, expression, query};
use crate::faults::Meeting;
use crate::parser::ast::{Expr, Isolation, Query, Statement};
use crate::types::{ColumnMeta, Length, SqlError, SqlType, Value};
use crate::wire::value;

/// Rows of a result that are encoded between two looks at the client.
const CHUNK_ROWS: usize = 512;
const TEXT: SqlType = SqlType::NVarChar(Length::Max);

impl Session {
    pub(super) async fn run_data_statement(
        &mut self,
        frame: &mut Frame<'_>,
        statement: &Statement,
    ) -> Result<(), Failure> {
        if self.settings.format_only {
            return self.show_columns(frame, statement).await;
        }
        if self.settings.implicit_transactions && self.transaction.is_none() && statement.begins_transaction()
        {
            self.begin(None, frame.events).await?;
        }
        match statement {
            Statement::Select(query) => self.run_select(frame, statement, query).await,
            Statement::SelectAssign { assignments, query } => {
                let rows = self.attempt(frame, |context| query::assign(context, assignments, query)).await?;
                self.done(frame, statement, rows).await
            }
            Statement::SetVariable(name, expr) => {
                self.attempt(frame, |context| assign(context, name, expr)).await?;
                self.done(frame, statement, 1).await
            }
            Statement::Declare(variables) => {
                for (name, _, initial) in variables {
                    if let Some(expr) = initial {
                        self.attempt(frame, |context| assign(context, name, expr)).await?;
                        self.done(frame, statement, 1).await?;
                    }
                }
                Ok(())
            }
            // Its table is there since the batch began.
            Statement::DeclareTable(_) => Ok(()),
            Statement::Insert(_) | Statement::Update(_) | Statement::Delete(_) | Statement::Merge(_) => {
                self.run_write(frame, statement).await
            }
            Statement::SelectInto { target, query } => {
                self.require_healthy_transaction()?;
                let created = self.attempt(frame, |context| dml::select_into(context, target, query)).await?;
                self.done(frame, statement, created.rows).await
            }
            Statement::InsertBulk(bulk) => {
                self.announce_load(frame, bulk).await?;
                Ok(frame.events.send(Event::Done { command: Command::Insert, rows: None }).await?)
            }
            Statement::Backup(backup) => {
                self.back_up(frame, backup).await?;
                self.done(frame, statement, 0).await
            }
            Statement::Restore(restore) => {
                self.restore(frame, restore).await?;
                self.done(frame, statement, 0).await
            }
            _ => {
                self.require_healthy_transaction()?;
                let text = frame.text;
                self.attempt(frame, |context| ddl::run(context, statement, text)).await?;
                self.done(frame, statement, 0).await
            }
        }
    }

    /// What is left of a statement under FMTONLY: the columns of a query.
    async fn show_columns(&mut self, frame: &mut Frame<'_>, statement: &Statement) -> Result<(), Failure> {
        if let Statement::Select(query) = statement {
            let columns = self.attempt(frame, |context| query::check(context, query)).await?;
            frame.result_begun = true;
            frame.events.send(Event::Columns(columns)).await?;
        }
        self.done(frame, statement, 0).await
    }

    async fn run_write(&mut self, frame: &mut Frame<'_>, statement: &Statement) -> Result<(), Failure> {
        self.require_healthy_transaction()?;
        let affected = self.attempt(frame, |context| dml::run(context, statement)).await?;
        if let Some(ResultSet { columns, mut rows }) = affected.output {
            frame.result_begun = true;
            frame.events.send(Event::Columns(columns)).await?;
            while !rows.is_empty() {
                let rest = rows.split_off(rows.len().min(CHUNK_ROWS));
                frame.events.send(Event::Rows(rows)).await?;
                rows = rest;
            }
        }
        self.done(frame, statement, affected.rows).await
    }

    /// Sends a query's rows as they are found.
    async fn run_select(
        &mut self,
        frame: &mut Frame<'_>,
        statement: &Statement,
        query: &Query,
    ) -> Result<(), Failure> {
        let mut context = self.statement_context(frame);
        let result = self.stream(frame, &mut context, query).await;
        self.take_back(frame, context);
        self.end_statement(result.is_ok()).await;
        let rows = result?;
        self.done(frame, statement, rows).await
    }

    async fn stream(
        &mut self,
        frame: &mut Frame<'_>,
        context: &mut ExecContext,
        query: &Query,
    ) -> Result<u64, Failure> {
        let mut cursor = loop {
            match query::open(context, query) {
                Ok(cursor) => break cursor,
                Err(interrupt) => self.resolve(interrupt).await?,
            }
        };
        frame.result_begun = true;
        let columns = cursor.columns();
        frame.events.send(Event::Columns(columns.clone())).await?;
        if !cursor.order().is_empty() {
            frame.events.send(Event::Order(cursor.order().to_vec())).await?;
        }
        let mut sent = 0;
        loop {
            match cursor.next_chunk(context, CHUNK_ROWS) {
                Ok(rows) if rows.is_empty() => return Ok(sent),
                Ok(rows) => {
                    sent += rows.len() as u64;
                    let rows = self.within_text_size(rows, &columns);
                    self.send_rows(frame, rows).await?;
                }
                Err(interrupt) => self.resolve(interrupt).await?,
            }
        }
    }

    /// The rows with their long values cut to `TEXTSIZE`.
    fn within_text_size(&self, rows: Vec<Row>, columns: &[ColumnMeta]) -> Vec<Row> {
        let Some(limit) = self.settings.text_size.filter(|_| columns.iter().any(value::is_long)) else {
            return rows;
        };
        rows.into_iter().map(|row| value::cut(&row, columns, limit as usize).into()).collect()
    }

    /// Sends rows, one by one where a fault watches them.
    async fn send_rows(&self, frame: &Frame<'_>, rows: Vec<Row>) -> Result<(), Failure> {
        self.shared.tally.rows_sent.add(rows.len());
        if !self.line.as_ref().is_some_and(|line| line.watches_rows()) {
            return Ok(frame.events.send(Event::Rows(rows)).await?);
        }
        for row in rows {
            self.meet(Meeting::Row(frame.text)).await?;
            frame.events.send(Event::Rows(vec![row])).await?;
        }
        Ok(())
    }

    /// Runs something until no lock stands in its way, in the session's transaction or in one of its own.
    pub(super) async fn attempt<T>(
        &mut self,
        frame: &mut Frame<'_>,
        mut run: impl FnMut(&mut ExecContext) -> Result<T, Interrupt>,
    ) -> Result<T, Failure> {
        loop {
            let mut context = self.statement_context(frame);
            let result = run(&mut context);
            self.take_back(frame, context);
            match result {
                Ok(done) => {
                    self.end_statement(true).await;
                    return Ok(done);
                }
                Err(interrupt) => {
                    if let Err(failure) = self.resolve(interrupt).await {
                        self.end_statement(false).await;
                        return Err(failure);
                    }
                }
            }
        }
    }

    /// Waits for the lock that stopped an attempt, or gives up on its error.
    pub(super) async fn resolve(&self, interrupt: Interrupt) -> Result<(), Failure> {
        match interrupt {
            Interrupt::Error(error) => Err(error.into()),
            Interrupt::Wait(wait) => {
                Ok(self.shared.engine.wait(wait, self.settings.patience(self.spid)).await?)
            }
            Interrupt::Retry => {
                tokio::task::yield_now().await;
                Ok(())
            }
        }
    }

    pub(super) fn statement_context(&mut self, frame: &mut Frame<'_>) -> ExecContext {
        let transaction = self.statement_transaction();
        self.context(frame, transaction, self.settings.isolation)
    }

    /// What a statement may know in a transaction; it takes the frame's variables with it.
    pub(super) fn context(
        &self,
        frame: &mut Frame<'_>,
        transaction: TransactionId,
        isolation: Isolation,
    ) -> ExecContext {
        let engine = self.shared.engine.clone();
        ExecContext {
            names: NameScope {
                database: self.database.id(),
                principal: self.principal.clone(),
                transaction,
                temporaries: self.temporaries.clone(),
            },
            statement: engine.statement(transaction, isolation),
            variables: std::mem::take(&mut frame.variables),
            session: self.facts(frame),
            now: engine.now(),
            views: ViewStack::default(),
            null_eliminated: Cell::default(),
            engine,
        }
    }

    /// Takes what a statement may have changed back out of its context.
    pub(super) fn take_back(&mut self, frame: &mut Frame<'_>, context: ExecContext) {
        frame.variables = context.variables;
        self.temporaries = context.names.temporaries;
        self.null_eliminated |= context.null_eliminated.get();
        self.last_identity = context.session.last_identity;
        frame.scope_identity = context.session.scope_identity;
    }

    fn facts(&self, frame: &Frame<'_>) -> SessionFacts {
        SessionFacts {
            spid: self.spid,
            row_count: self.row_count,
            last_error: self.last_error,
            caught: frame.caught.last().cloned(),
            transaction_count: self.nesting(),
            doomed: self.is_doomed(),
            last_identity: self.last_identity,
            scope_identity: frame.scope_identity,
            database: self.database_name(),
            collation: self.collation(),
            server: self.shared.server_name(),
            program: self.program.clone(),
            host: self.host.clone(),
            options: self.settings.options_word(),
            lock_timeout: self.settings.lock_timeout_milliseconds(),
            row_limit: self.settings.row_limit,
            text_size: self.settings.text_size,
            identity_insert: self.settings.identity_insert.clone(),
        }
    }

    pub(super) fn statement_transaction(&mut self) -> TransactionId {
        match &self.transaction {
            Some(transaction) => transaction.id,
            None => {
                let origin = TransactionOrigin { session: self.spid, ..TransactionOrigin::default() };
                *self.autocommit.get_or_insert_with(|| self.shared.engine.begin_for(origin))
            }
        }
    }

    /// Ends the transaction of a statement that had one of its own.
    pub(super) async fn end_statement(&mut self, completed: bool) {
        if let Some(transaction) = self.autocommit.take() {
            if completed {
                self.shared.engine.commit(transaction);
                self.shared.engine.published(transaction).await;
            } else {
                self.shared.engine.rollback(transaction);
            }
        }
    }

    /// Ends a statement that returned or changed so many rows.
    pub(super) async fn done(
        &mut self,
        frame: &Frame<'_>,
        statement: &Statement,
        rows: u64,
    ) -> Result<(), Failure> {
        self.row_count = rows;
        if std::mem::take(&mut self.null_eliminated) {
            let message = "Warning: Null value is eliminated by an aggregate or other SET operation.";
            let message = SqlError { class: 0, line: frame.line, ..SqlError::statement(8153, message) };
            frame.events.send(Event::Info(message)).await?;
        }
        match Command::of(statement) {
            Some(command) => Ok(self.complete(frame, command, rows).await?),
            None => Ok(()),
        }
    }

    /// Tells the client that something ended, and its rows if such a thing has any. Under NOCOUNT nobody is told rows,
    /// and a procedure tells only the ends of results.
    pub(super) async fn complete(
        &self,
        frame: &Frame<'_>,
        command: Command,
        rows: u64,
    ) -> Result<(), ClientGone> {
        let silent = self.settings.no_count;
        if silent && self.is_in_procedure() && !frame.result_begun {
            return Ok(());
        }
        let rows = (command.counts_rows() && !silent).then_some(rows);
        frame.events.send(Event::Done { command, rows }).await
    }

    /// Type and value of an expression outside a query.
    pub(super) async fn evaluate(
        &mut self,
        frame: &mut Frame<'_>,
        expr: &Expr,
    ) -> Result<(SqlType, Value), Failure> {
        self.attempt(frame, |context| expression::evaluate(context, expr)).await
    }

    /// Whether a condition is true; unknown is not.
    pub(super) async fn evaluate_condition(
        &mut self,
        frame: &mut Frame<'_>,
        condition: &Expr,
    ) -> Result<bool, Failure> {
        self.attempt(frame, |context| expression::evaluate_condition(context, condition)).await
    }

    /// An expression as text; NULL is empty, as PRINT shows it.
    pub(super) async fn evaluate_text(
        &mut self,
        frame: &mut Frame<'_>,
        expr: &Expr,
    ) -> Result<String, Failure> {
        let (sql_type, value) = self.evaluate(frame, expr).await?;
        match convert(value, sql_type, TEXT, None)? {
            Value::Text(units) => Ok(String::from_utf16_lossy(&units)),
            _ => Ok(String::new()),
        }
    }

    /// An expression as an integer; NULL is 0.
    pub(super) async fn evaluate_int(&mut self, frame: &mut Frame<'_>, expr: &Expr) -> Result<i64, Failure> {
        let (sql_type, value) = self.evaluate(frame, expr).await?;
        match convert(value, sql_type, SqlType::BigInt, None)? {
            Value::Int(n) => Ok(n),
            _ => Ok(0),
        }
    }

    /// A severity or state: an integer, made to fit.
    pub(super) async fn evaluate_byte(&mut self, frame: &mut Frame<'_>, expr: &Expr) -> Result<u8, Failure> {
        let n = self.evaluate_int(frame, expr).await?;
        Ok(u8::try_from(n.clamp(0, i64::from(u8::MAX))).expect("just clamped"))
    }
}

fn assign(context: &mut ExecContext, name: &str, expr: &Expr) -> Result<(), Interrupt> {
    let (sql_type, value) = expression::evaluate(context, expr)?;
    store(&mut context.variables, name, (sql_type, value), context.session.collation)
        .map_err(Interrupt::Error)
}

/// Gives a variable a value, converted to the variable's type; `collation` is the database's.
pub(super) fn store(
    variables: &mut Variables,
    name: &str,
    (sql_type, value): (SqlType, Value),
    collation: Collation,
) -> Result<(), SqlError> {
    let (target, _) = variables.get(name)?;
    // The word NULL is an `int` that fits everywhere.
    if (sql_type, &value) != (SqlType::Int, &Value::Null) {
        require_implicit(sql_type, target)?;
    }
    variables.set(name, convert_in(value, sql_type, target, None, collation)?)
}
