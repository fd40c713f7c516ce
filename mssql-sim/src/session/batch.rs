//! A batch: its statements one after the other, and how far an error reaches.
//!
//! The whole batch is parsed before any of it runs. An error inside TRY goes to its CATCH; else it is sent, and ends
//! the statement, the batch, or the transaction too, as [`Reach`] and XACT_ABORT say.

use std::slice;

use super::compile::declare_all;
use super::event::{ClientGone, Command, Event, Events};
use super::{Ending, Failure, Session};
use crate::exec::context::Variables;
use crate::parser::ast::{Expr, Located, Statement};
use crate::parser::parse_batch;
use crate::types::{Reach, SqlError};

/// Number of errors that RAISERROR raises.
const USER_ERROR: i32 = 50000;
/// Highest class that does not count as an error.
const HIGHEST_INFO_CLASS: u8 = 10;

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
            Err(Failure::Error(error)) => {
                events.send(Event::Error(error)).await?;
                Flow::Return
            }
            Err(Failure::ClientGone) => return Err(ClientGone),
        };
        self.end_batch(flow, events).await
    }

    /// Rolls a doomed transaction back at the end of its batch.
    pub(super) async fn end_batch(&mut self, flow: Flow, events: &Events) -> Result<Ending, ClientGone> {
        if self.is_doomed() {
            let descriptor = self.abandon_transaction();
            self.announce_rollback(descriptor, events).await?;
            let message = "Uncommittable transaction is detected at the end of the batch. The transaction is rolled back.";
            events.send(Event::Error(SqlError::statement(3998, message))).await?;
        }
        Ok(if flow == Flow::Close { Ending::Close } else { Ending::Open })
    }

    /// Parses and runs a frame's text. An error comes back only where a TRY of the caller waits for it.
    pub(super) async fn run_frame(&mut self, frame: &mut Frame<'_>) -> Result<Flow, Failure> {
        let statements = match parse_batch(frame.text) {
            Ok(statements) => statements,
            Err(error) => return self.fail(frame, error, false).await,
        };
        let checked = declare_all(&statements, &mut frame.variables);
        let declared = checked.and_then(|()| self.declare_tables(frame, &statements));
        match declared.and_then(|()| self.check_batch(frame, &statements)) {
            Ok(()) => self.run_statements(frame, &statements).await,
            Err(error) => self.fail(frame, error, false).await,
        }
    }

    pub(super) async fn run_statements(
        &mut self,
        frame: &mut Frame<'_>,
        statements: &[Located],
    ) -> Result<Flow, Failure> {
        for located in statements {
            let flow = match self.run_statement(frame, located).await {
                Ok(flow) => {
                    self.last_error = 0;
                    flow
                }
                Err(Failure::Error(error)) => {
                    let error = error.at_line(located.line);
                    self.fail(frame, error, changes_rows(&located.statement)).await?
                }
                Err(Failure::ClientGone) => return Err(Failure::ClientGone),
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
        if !only_holds_others && let Some(error) = self.shared.faults.strike_statement(frame.text) {
            return Err(error.into());
        }
        match &located.statement {
            Statement::Block(statements) => Box::pin(self.run_statements(frame, statements)).await,
            Statement::If { condition, then, otherwise } => {
                let holds = self.evaluate_condition(frame, condition).await?;
                frame.events.send(Event::Done { command: Command::Condition, rows: None }).await?;
                match (holds, otherwise) {
                    (true, _) => Box::pin(self.run_body(frame, then)).await,
                    (false, Some(otherwise)) => Box::pin(self.run_body(frame, otherwise)).await,
                    (false, None) => Ok(Flow::Next),
                }
            }
            Statement::While { condition, body } => Box::pin(self.run_while(frame, condition, body)).await,
            Statement::TryCatch(body, handler) => Box::pin(self.run_try(frame, body, handler)).await,
            Statement::Break => Ok(Flow::Break),
            Statement::Continue => Ok(Flow::Continue),
            Statement::Return => Ok(Flow::Return),
            Statement::Execute { name, arguments } => {
                Box::pin(self.execute_procedure(frame, name, arguments)).await
            }
            Statement::ExecuteText(text) => Box::pin(self.execute_text(frame, text)).await,
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
                self.fail(frame, SqlError { line: located.line, ..error }, false).await?;
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
        let command = match statement {
            Statement::Begin(name) => {
                self.require_healthy_transaction()?;
                self.begin(name.as_deref(), frame.events).await?;
                Command::Begin
            }
            Statement::Commit => {
                self.commit(frame.events).await?;
                Command::Commit
            }
            Statement::Rollback(name) => {
                self.rollback(name.as_deref(), frame.events).await?;
                Command::Rollback
            }
            Statement::Save(name) => {
                self.save(name)?;
                Command::Other
            }
            Statement::SetOption(option) => {
                self.set_option(option)?;
                Command::Other
            }
            Statement::Use(database) => {
                self.use_database(database, frame.events).await?;
                Command::Other
            }
            Statement::Print(text) => {
                let text = self.evaluate_text(frame, text).await?;
                let message = SqlError { class: 0, ..SqlError::statement(0, text) };
                frame.events.send(Event::Info(message)).await?;
                Command::Other
            }
            Statement::WaitFor(delay) => {
                let delay = self.evaluate_text(frame, delay).await?;
                tokio::time::sleep(parse_delay(&delay)?).await;
                Command::Other
            }
            Statement::Nothing => Command::Other,
            _ => return self.run_data_statement(frame, statement).await,
        };
        self.row_count = 0;
        Ok(frame.events.send(Event::Done { command, rows: None }).await?)
    }

    async fn run_while(
        &mut self,
        frame: &mut Frame<'_>,
        condition: &Expr,
        body: &Located,
    ) -> Result<Flow, Failure> {
        while self.evaluate_condition(frame, condition).await? {
            // A loop that never waits for anything must still let an attention through.
            tokio::task::yield_now().await;
            match self.run_body(frame, body).await? {
                Flow::Next | Flow::Continue => {}
                Flow::Break => break,
                end => return Ok(end),
            }
        }
        self.row_count = 0;
        Ok(Flow::Next)
    }

    async fn run_try(
        &mut self,
        frame: &mut Frame<'_>,
        body: &[Located],
        handler: &[Located],
    ) -> Result<Flow, Failure> {
        frame.protected += 1;
        let result = self.run_statements(frame, body).await;
        frame.protected -= 1;
        let error = match result {
            Err(Failure::Error(error)) if error.reach != Reach::Batch => error,
            other => return other,
        };
        if error.reach == Reach::Transaction
            || (self.settings.abort_transaction && error.number != USER_ERROR)
        {
            self.doom_transaction();
        }
        self.last_error = error.number;
        frame.caught.push(error);
        let result = self.run_statements(frame, handler).await;
        frame.caught.pop();
        result
    }

    /// Deals with a statement's error: hands it to the TRY around, or sends it and says what goes on.
    async fn fail(&mut self, frame: &Frame<'_>, error: SqlError, terminated: bool) -> Result<Flow, Failure> {
        self.last_error = error.number;
        if frame.catches(&error) {
            return Err(error.into());
        }
        let ordinary = matches!(error.reach, Reach::Statement | Reach::BatchUnlessCaught);
        let aborts = self.settings.abort_transaction && ordinary;
        if aborts || error.reach == Reach::Transaction {
            let descriptor = self.abandon_transaction();
            self.announce_rollback(descriptor, frame.events).await?;
        }
        let reach = error.reach;
        frame.events.send(Event::Error(error)).await?;
        Ok(match reach {
            Reach::Connection => Flow::Close,
            Reach::Statement if !aborts => {
                if terminated {
                    let message = SqlError { class: 0, state: 0, ..terminated_message() };
                    frame.events.send(Event::Info(message)).await?;
                }
                Flow::Next
            }
            Reach::Batch | Reach::BatchUnlessCaught if !aborts => Flow::Return,
            _ => Flow::Abort,
        })
    }

    /// RAISERROR's error never ends the batch and never rolls back by itself.
    async fn raise(&mut self, frame: &Frame<'_>, error: SqlError) -> Result<Flow, Failure> {
        if error.class <= HIGHEST_INFO_CLASS {
            frame.events.send(Event::Info(error)).await?;
            frame.events.send(Event::Done { command: Command::Other, rows: None }).await?;
        } else if frame.catches(&error) {
            return Err(error.into());
        } else {
            frame.events.send(Event::Error(error)).await?;
        }
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

fn changes_rows(statement: &Statement) -> bool {
    matches!(statement, Statement::Insert(_) | Statement::Update(_) | Statement::Delete(_))
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
