//! A batch: its statements one after the other, and how far an error reaches.
//!
//! The whole batch is parsed before any of it runs. An error inside TRY goes to its CATCH; else it is sent, and ends
//! the statement, the batch, or the transaction too, as [`Reach`] and XACT_ABORT say.

use std::slice;

use super::event::{ClientGone, Command, Event, Events};
use super::{Ending, Failure, Session};
use crate::exec::context::Variables;
use crate::exec::ddl;
use crate::faults::Meeting;
use crate::parser::ast::{Expr, InsertSource, Located, SetOption, Statement};
use crate::parser::parse_batch;
use crate::types::{Reach, SqlError};

/// Number of errors that RAISERROR raises.
const USER_ERROR: i32 = 50000;
/// The one error that ends its transaction even where a TRY takes it.
const UPDATE_CONFLICT: i32 = 3960;
/// Highest class that does not count as an error.
const HIGHEST_INFO_CLASS: u8 = 10;

/// Errors of statements that were refused before they began: nothing of them is terminated.
const PERMISSION_ERRORS: [i32; 2] = [229, 230];

/// What a statement's end means for those behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Break,
    Continue,
    /// The batch or procedure is over.
    Return,
    /// The batch and those that called it are over.
    Abort,
    /// The connection is over.
    Close,
}

impl Flow {
    /// What the end of a procedure means for the batch that called it.
    pub(super) fn after_procedure(self) -> Self {
        match self {
            Self::Abort | Self::Close => self,
            _ => Self::Next,
        }
    }
}

/// One run of one batch's text.
pub(super) struct Frame<'a> {
    pub(super) text: &'a str,
    pub(super) events: &'a Events,
    pub(super) variables: Variables,
    /// `SCOPE_IDENTITY()`
    pub(super) scope_identity: Option<i64>,
    /// TRY blocks around the statement, that of a caller included.
    protected: u32,
    /// The batch runs inside a TRY of its caller, which also takes what ends the batch.
    caller_protects: bool,
    /// Errors of the CATCH blocks around the statement, innermost last.
    pub(super) caught: Vec<SqlError>,
    /// Line of the statement that runs.
    pub(super) line: i32,
    /// The statement sent its result's columns.
    pub(super) result_begun: bool,
}

impl Session {
    /// Runs a batch that a client sent.
    pub(super) async fn run_batch(&mut self, text: &str, events: &Events) -> Result<Ending, ClientGone> {
        let mut frame = Frame::new(text, events, Variables::default(), false);
        frame.scope_identity = self.scope_identity;
        let result = self.run_frame(&mut frame).await;
        self.shared.engine.drop_temporaries(&self.temporaries.end_batch());
        self.scope_identity = frame.scope_identity;
        let flow = match result {
            Ok(flow) => flow,
            Err(Failure::Error(error) | Failure::Caught(error)) => {
                events.send(Event::Error(error)).await?;
                events.send(Event::Failed(Command::Nothing)).await?;
                Flow::Return
            }
            Err(Failure::ClientGone) => return Err(ClientGone),
        };
        self.end_batch(flow, events).await
    }

    /// Rolls a doomed transaction back at the end of its batch.
    pub(super) async fn end_batch(&mut self, flow: Flow, events: &Events) -> Result<Ending, ClientGone> {
        if self.is_doomed() {
            let message = "Uncommittable transaction is detected at the end of the batch. The transaction is rolled back.";
            events.send(Event::Error(SqlError { line: 1, ..SqlError::statement(3998, message) })).await?;
            let descriptor = self.abandon_transaction();
            self.announce_rollback(descriptor, events).await?;
            events.send(Event::Failed(Command::Nothing)).await?;
        }
        Ok(if flow == Flow::Close { Ending::Close } else { Ending::Open })
    }

    /// Parses and runs a frame's text. An error comes back only where a TRY of the caller waits for it.
    pub(super) async fn run_frame(&mut self, frame: &mut Frame<'_>) -> Result<Flow, Failure> {
        let statements = match parse_batch(frame.text) {
            Ok(statements) => statements,
            Err(error) => return self.fail(frame, error, None).await,
        };
        match self.compile(frame, &statements) {
            Ok(()) => self.run_statements(frame, &statements).await,
            Err(error) => self.fail(frame, error, None).await,
        }
    }

    pub(super) async fn run_statements(
        &mut self,
        frame: &mut Frame<'_>,
        statements: &[Located],
    ) -> Result<Flow, Failure> {
        for located in statements {
            if self.settings.no_exec && !located.statement.sets("NOEXEC") {
                continue;
            }
            frame.line = located.line;
            frame.result_begun = false;
            let flow = match self.run_statement(frame, located).await {
                Ok(flow) => {
                    if !keeps_error(&located.statement) {
                        self.last_error = 0;
                    }
                    flow
                }
                Err(Failure::Error(error)) => {
                    self.fail(frame, error.at_line(located.line), Some(&located.statement)).await?
                }
                Err(failure) => return Err(failure),
            };
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    /// A block of one statement, as IF and WHILE have.
    async fn run_body(&mut self, frame: &mut Frame<'_>, body: &Located) -> Result<Flow, Failure> {
        self.run_statements(frame, slice::from_ref(body)).await
    }

    async fn run_statement(&mut self, frame: &mut Frame<'_>, located: &Located) -> Result<Flow, Failure> {
        let only_holds_others = matches!(located.statement, Statement::Block(_) | Statement::TryCatch(..));
        if !only_holds_others {
            self.shared.tally.statements.add(1);
            self.meet(Meeting::Statement(frame.text)).await?;
        }
        match &located.statement {
            Statement::Block(statements) => Box::pin(self.run_statements(frame, statements)).await,
            Statement::If { condition, then, otherwise } => {
                let holds = self.evaluate_condition(frame, condition).await?;
                self.row_count = 0;
                self.complete(frame, Command::Condition, 0).await?;
                match (holds, otherwise) {
                    (true, _) => Box::pin(self.run_body(frame, then)).await,
                    (false, Some(otherwise)) => Box::pin(self.run_body(frame, otherwise)).await,
                    (false, None) => Ok(Flow::Next),
                }
            }
            Statement::While { condition, body } => Box::pin(self.run_while(frame, condition, body)).await,
            Statement::TryCatch(body, handler) => Box::pin(self.run_try(frame, body, handler)).await,
            Statement::Break => {
                self.complete(frame, Command::Jump, 0).await?;
                Ok(Flow::Break)
            }
            Statement::Continue => {
                self.complete(frame, Command::Jump, 0).await?;
                Ok(Flow::Continue)
            }
            Statement::Return => {
                self.row_count = 0;
                self.complete(frame, Command::Return, 0).await?;
                Ok(Flow::Return)
            }
            Statement::Execute { name, arguments, status } => {
                Box::pin(self.execute_procedure(frame, name, arguments, status.as_deref())).await
            }
            Statement::ExecuteText(text) => Box::pin(self.execute_text(frame, text)).await,
            Statement::Insert(insert) if matches!(insert.source, InsertSource::Execute(_)) => {
                Box::pin(self.insert_execute(frame, &located.statement)).await
            }
            Statement::RaiseError(message, severity, state) => {
                let error = self.raised_error(frame, message, severity, state).await?;
                self.raise(frame, SqlError { line: located.line, ..error }).await
            }
            Statement::Throw(arguments) => {
                let error = self.thrown_error(frame, arguments.as_ref()).await?;
                if frame.catches(&error) {
                    return Err(error.into());
                }
                // Unlike other errors of its class, it ends the batch.
                self.fail(frame, SqlError { line: located.line, ..error }, None).await?;
                Ok(Flow::Abort)
            }
            _ => {
                self.run_simple_statement(frame, &located.statement).await?;
                Ok(Flow::Next)
            }
        }
    }

    async fn run_simple_statement(
        &mut self,
        frame: &mut Frame<'_>,
        statement: &Statement,
    ) -> Result<(), Failure> {
        self.note_command(Command::of(statement).unwrap_or(Command::Nothing));
        match statement {
            Statement::Begin(name) => {
                self.require_healthy_transaction()?;
                self.begin(name.as_deref(), frame.events).await?;
            }
            Statement::Commit => self.commit(frame.events).await?,
            Statement::Rollback(name) => self.rollback(name.as_deref(), frame.events).await?,
            Statement::Save(name) => self.save(name)?,
            Statement::ExecuteAs { is_login, name } => self.impersonate(*is_login, name)?,
            Statement::Revert => self.revert(),
            Statement::SetOption(option) => {
                if let SetOption::IdentityInsert(table, true) = option {
                    self.attempt(frame, |context| ddl::require_identity(context, table)).await?;
                }
                self.set_option(option)?;
            }
            Statement::Use(database) => self.use_database(database, frame.events).await?,
            Statement::Print(text) => {
                let text = self.evaluate_text(frame, text).await?;
                let message = SqlError { class: 0, line: frame.line, ..SqlError::statement(0, text) };
                frame.events.send(Event::Info(message)).await?;
            }
            Statement::WaitFor(delay) => {
                let delay = self.evaluate_text(frame, delay).await?;
                tokio::time::sleep(parse_delay(&delay)?).await;
            }
            Statement::Kill(session) => self.kill(*session)?,
            Statement::Nothing => {}
            _ => return self.run_data_statement(frame, statement).await,
        }
        self.row_count = 0;
        if let Some(command) = Command::of(statement) {
            self.complete(frame, command, 0).await?;
        }
        Ok(())
    }

    async fn run_while(
        &mut self,
        frame: &mut Frame<'_>,
        condition: &Expr,
        body: &Located,
    ) -> Result<Flow, Failure> {
        loop {
            let holds = self.evaluate_condition(frame, condition).await?;
            self.row_count = 0;
            self.complete(frame, Command::Condition, 0).await?;
            if !holds {
                break;
            }
            // A loop that never waits for anything must still let an attention through.
            tokio::task::yield_now().await;
            match self.run_body(frame, body).await? {
                Flow::Next | Flow::Continue => {}
                Flow::Break => break,
                end => return Ok(end),
            }
        }
        Ok(Flow::Next)
    }

    async fn run_try(
        &mut self,
        frame: &mut Frame<'_>,
        body: &[Located],
        handler: &[Located],
    ) -> Result<Flow, Failure> {
        self.complete(frame, Command::Try, 0).await?;
        frame.protected += 1;
        let result = self.run_statements(frame, body).await;
        frame.protected -= 1;
        let flow = match result {
            Err(Failure::Caught(error)) if error.reach != Reach::Batch => {
                self.run_catch(frame, error, handler).await?
            }
            other => other?,
        };
        if flow == Flow::Next {
            self.row_count = 0;
            frame.result_begun = false;
            self.complete(frame, Command::EndCatch, 0).await?;
        }
        Ok(flow)
    }

    async fn run_catch(
        &mut self,
        frame: &mut Frame<'_>,
        error: SqlError,
        handler: &[Located],
    ) -> Result<Flow, Failure> {
        if error.number == UPDATE_CONFLICT {
            let descriptor = self.abandon_transaction();
            self.announce_rollback(descriptor, frame.events).await?;
        } else if error.reach == Reach::Transaction || self.settings.abort_transaction {
            self.doom_transaction();
        }
        self.last_error = error.number;
        self.row_count = 0;
        frame.result_begun = false;
        self.complete(frame, Command::Catch, 0).await?;
        frame.caught.push(error);
        let result = self.run_statements(frame, handler).await;
        frame.caught.pop();
        result
    }

    /// Deals with an error of a statement, or of the batch as a whole: hands it to the TRY around, or sends it and says
    /// what goes on.
    pub(super) async fn fail(
        &mut self,
        frame: &Frame<'_>,
        error: SqlError,
        statement: Option<&Statement>,
    ) -> Result<Flow, Failure> {
        self.last_error = error.number;
        let command = statement.and_then(Command::of);
        if frame.catches(&error) {
            if let Some(command) = command {
                self.complete(frame, command, 0).await?;
            }
            return Err(Failure::Caught(error));
        }
        let ordinary = matches!(error.reach, Reach::Statement | Reach::BatchUnlessCaught);
        let aborts = self.settings.abort_transaction && ordinary;
        let reach = error.reach;
        let runs_on = reach == Reach::Statement && !aborts;
        let begun = !PERMISSION_ERRORS.contains(&error.number);
        frame.events.send(Event::Error(error)).await?;
        if runs_on && begun && statement.is_some_and(changes_rows) {
            let message = SqlError { class: 0, state: 0, line: frame.line, ..terminated_message() };
            frame.events.send(Event::Info(message)).await?;
        }
        if aborts || reach == Reach::Transaction {
            let descriptor = self.abandon_transaction();
            self.announce_rollback(descriptor, frame.events).await?;
        }
        match command {
            Some(command) if runs_on || frame.result_begun => {
                frame.events.send(Event::Failed(command)).await?;
            }
            // What ends a procedure's text ends it without a word of its own.
            _ if self.is_in_procedure() => {}
            _ => frame.events.send(Event::Failed(Command::Nothing)).await?,
        }
        Ok(match reach {
            Reach::Connection => Flow::Close,
            Reach::Statement if !aborts => Flow::Next,
            Reach::Batch | Reach::BatchUnlessCaught if !aborts => Flow::Return,
            _ => Flow::Abort,
        })
    }

    /// RAISERROR's error never ends the batch and never rolls back by itself.
    async fn raise(&mut self, frame: &Frame<'_>, error: SqlError) -> Result<Flow, Failure> {
        if error.class <= HIGHEST_INFO_CLASS {
            self.last_error = 0;
            frame.events.send(Event::Info(error)).await?;
            self.complete(frame, Command::Raise, 0).await?;
        } else if frame.catches(&error) {
            return Err(error.into());
        } else {
            self.last_error = error.number;
            frame.events.send(Event::Error(error)).await?;
            frame.events.send(Event::Failed(Command::Raise)).await?;
        }
        self.row_count = 0;
        Ok(Flow::Next)
    }

    async fn raised_error(
        &mut self,
        frame: &mut Frame<'_>,
        message: &Expr,
        severity: &Expr,
        state: &Expr,
    ) -> Result<SqlError, Failure> {
        let message = self.evaluate_text(frame, message).await?;
        let class = self.evaluate_byte(frame, severity).await?;
        let state = self.evaluate_byte(frame, state).await?;
        Ok(SqlError { class, state, ..SqlError::statement(USER_ERROR, message) })
    }

    async fn thrown_error(
        &mut self,
        frame: &mut Frame<'_>,
        arguments: Option<&(Expr, Expr, Expr)>,
    ) -> Result<SqlError, Failure> {
        let Some((number, message, state)) = arguments else {
            let message = "To rethrow an error, a THROW statement must be used inside a CATCH block.";
            let outside = SqlError { class: 15, ..SqlError::batch(10704, message) };
            return frame.caught.last().cloned().ok_or(outside.into());
        };
        let number = self.evaluate_int(frame, number).await?;
        let number =
            i32::try_from(number).map_err(|_| SqlError::statement(8115, "THROW's number is no int."))?;
        let message = self.evaluate_text(frame, message).await?;
        let state = self.evaluate_byte(frame, state).await?;
        Ok(SqlError { state, ..SqlError::statement(number, message) })
    }
}

impl<'a> Frame<'a> {
    pub(super) fn new(
        text: &'a str,
        events: &'a Events,
        variables: Variables,
        caller_protects: bool,
    ) -> Self {
        Self {
            text,
            events,
            variables,
            scope_identity: None,
            protected: u32::from(caller_protects),
            caller_protects,
            caught: Vec::new(),
            line: 1,
            result_begun: false,
        }
    }

    /// Whether a TRY around the statement takes errors.
    pub(super) fn is_protected(&self) -> bool {
        self.protected > 0
    }

    /// Whether a TRY takes an error. What ends a batch is not caught in the batch itself.
    fn catches(&self, error: &SqlError) -> bool {
        match error.reach {
            Reach::Statement | Reach::BatchUnlessCaught | Reach::Transaction => self.is_protected(),
            Reach::Batch => self.caller_protects,
            Reach::Connection => false,
        }
    }
}

/// Whether `@@ERROR` behind a statement is what the statement itself, or the last one inside it, made of it.
fn keeps_error(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::RaiseError(..)
            | Statement::Block(_)
            | Statement::If { .. }
            | Statement::While { .. }
            | Statement::TryCatch(..)
            | Statement::Execute { .. }
            | Statement::ExecuteText(_)
    )
}

fn changes_rows(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Insert(_)
            | Statement::InsertBulk(_)
            | Statement::Update(_)
            | Statement::Delete(_)
            | Statement::Merge(_)
            | Statement::SelectInto { .. }
    )
}

fn terminated_message() -> SqlError {
    SqlError::statement(3621, "The statement has been terminated.")
}

/// `hh:mm[:ss[.fff]]`
fn parse_delay(text: &str) -> Result<std::time::Duration, SqlError> {
    let invalid =
        || SqlError::batch(148, format!("Incorrect time syntax in time string '{text}' used with WAITFOR."));
    let time = ["%H:%M:%S%.f", "%H:%M"]
        .into_iter()
        .find_map(|format| chrono::NaiveTime::parse_from_str(text.trim(), format).ok())
        .ok_or_else(invalid)?;
    (time - chrono::NaiveTime::MIN).to_std().map_err(|_| invalid())
}
