//! Procedure calls, by RPC and by EXECUTE.
//!
//! What a procedure's text sets with SET ends with it, and an error inside goes to a TRY of the caller.

use std::sync::Arc;

use super::batch::{Flow, Frame};
use super::event::{ClientGone, Command, Event, Events};
use super::prepared::Prepared;
use super::statement::store;
use super::{Ending, Failure, Session, Surroundings};
use crate::parser::ast::{Expr, ObjectName};
use crate::types::{SqlError, SqlType, Value};
use crate::wire::rpc::{Argument, Call};

/// Errors of a call that finds nothing to run; it has no return status.
const NEVER_BEGUN: [i32; 2] = [2812, 8179];
/// The text of a call cannot be prepared; the handle that it gives is NULL.
const NOT_PREPARED: i32 = 8180;
/// Arguments that a call can have.
const MOST_ARGUMENTS: usize = 2100;
/// Bit of `sp_prepare`'s options: send the columns of the first query.
const RETURN_METADATA: i64 = 1;
/// Procedures that drivers call for server cursors and for calls of stored procedures.
const UNSUPPORTED_PROCEDURES: [&str; 10] = [
    "sp_cursor",
    "sp_cursoropen",
    "sp_cursorprepare",
    "sp_cursorexecute",
    "sp_cursorprepexec",
    "sp_cursorunprepare",
    "sp_cursorfetch",
    "sp_cursoroption",
    "sp_cursorclose",
    "sp_prepexecrpc",
];

/// What a procedure leaves behind.
pub(super) struct Outcome {
    pub(super) flow: Flow,
    pub(super) status: i32,
    pub(super) outputs: Vec<Output>,
}

impl Outcome {
    pub(super) fn success(outputs: Vec<Output>) -> Self {
        Self { flow: Flow::Next, status: 0, outputs }
    }

    /// The outcome of a text whose own arguments stand behind so many others.
    fn behind(mut self, arguments: u16) -> Self {
        self.outputs.iter_mut().for_each(|output| output.ordinal += arguments);
        self
    }
}

/// An output parameter of a procedure.
pub(super) struct Output {
    /// Its place among the call's arguments, from 0.
    pub(super) ordinal: u16,
    /// Name as the caller wrote it.
    pub(super) name: String,
    pub(super) sql_type: SqlType,
    pub(super) value: Value,
}

/// The caller's side of a procedure's run.
#[derive(Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) events: &'a Events,
    /// It is a client, which takes outputs and errors as tokens; else it is a batch.
    pub(super) is_client: bool,
    /// A TRY around the call takes its errors.
    pub(super) protected: bool,
}

impl<'a> Caller<'a> {
    fn batch(frame: &Frame<'a>) -> Self {
        Self { events: frame.events, is_client: false, protected: frame.is_protected() }
    }
}

/// What a caller asks for.
enum Routine<'a> {
    /// A procedure by name.
    Procedure { name: &'a str, arguments: &'a [Argument] },
    /// A text without parameters.
    Text(String),
}

impl Session {
    /// Runs the calls of an RPC message.
    pub(super) async fn run_calls(&mut self, calls: &[Call], events: &Events) -> Result<Ending, ClientGone> {
        let caller = Caller { events, is_client: true, protected: false };
        for Call { procedure, arguments } in calls {
            let routine = Routine::Procedure { name: procedure, arguments };
            let flow = match self.call(routine, caller).await {
                Ok(outcome) => outcome.flow,
                Err(Failure::Error(_) | Failure::Caught(_)) => Flow::Return,
                Err(Failure::ClientGone) => return Err(ClientGone),
            };
            if self.end_batch(flow, events).await? == Ending::Close {
                return Ok(Ending::Close);
            }
        }
        Ok(Ending::Open)
    }

    /// `EXEC [@rc =] name arguments`
    pub(super) async fn execute_procedure(
        &mut self,
        frame: &mut Frame<'_>,
        name: &ObjectName,
        arguments: &[(Option<String>, Expr, bool)],
        status: Option<&str>,
    ) -> Result<Flow, Failure> {
        let mut values = Vec::with_capacity(arguments.len());
        for (name, expr, output) in arguments {
            let (sql_type, value) = self.evaluate(frame, expr).await?;
            let name = name.as_ref().map(|name| format!("@{name}")).unwrap_or_default();
            values.push(Argument { name, output: *output, sql_type, value });
        }
        let written = name.to_string();
        let routine = Routine::Procedure { name: &written, arguments: &values };
        let outcome = self.call(routine, Caller::batch(frame)).await?;
        let targets = arguments.iter().filter(|(_, _, output)| *output).map(|(_, expr, _)| expr);
        for (target, output) in targets.zip(outcome.outputs) {
            if let Expr::Variable(variable) = target {
                store(&mut frame.variables, variable, (output.sql_type, output.value), self.collation())?;
            }
        }
        if let Some(variable) = status {
            let status = (SqlType::Int, Value::Int(i64::from(outcome.status)));
            store(&mut frame.variables, variable, status, self.collation())?;
        }
        Ok(outcome.flow.after_procedure())
    }

    /// `EXEC ('text')`
    pub(super) async fn execute_text(&mut self, frame: &mut Frame<'_>, text: &Expr) -> Result<Flow, Failure> {
        let text = self.evaluate_text(frame, text).await?;
        let outcome = self.call(Routine::Text(text), Caller::batch(frame)).await?;
        Ok(outcome.flow.after_procedure())
    }

    /// Calls a routine and sends what the caller gets of it, from its beginning to its end.
    async fn call(&mut self, routine: Routine<'_>, caller: Caller<'_>) -> Result<Outcome, Failure> {
        let events = caller.events;
        events.send(Event::ProcedureBegan).await?;
        let no_handle = match &routine {
            Routine::Procedure { arguments, .. } => handle_output(arguments, None),
            Routine::Text(_) => handle_output(&[], None),
        };
        let result = self.dispatch(routine, caller).await;
        match &result {
            Ok(Outcome { status, outputs, .. }) => {
                events.send(Event::ReturnStatus(*status)).await?;
                for output in outputs.iter().filter(|_| caller.is_client) {
                    send_output(output, events).await?;
                }
            }
            Err(Failure::Error(error)) if caller.is_client => {
                events.send(Event::Error(error.clone())).await?;
                if !NEVER_BEGUN.contains(&error.number) {
                    events.send(Event::ReturnStatus(error.number)).await?;
                }
                if error.number == NOT_PREPARED {
                    send_output(&no_handle, events).await?;
                }
            }
            Err(_) => {}
        }
        events.send(Event::ProcedureEnded { failed: result.is_err() }).await?;
        result
    }

    async fn dispatch(&mut self, routine: Routine<'_>, caller: Caller<'_>) -> Result<Outcome, Failure> {
        let (name, arguments) = match routine {
            Routine::Procedure { name, arguments } => (name, arguments),
            Routine::Text(text) => return self.run_text(String::new(), text, &[], caller).await,
        };
        if arguments.len() > MOST_ARGUMENTS {
            return Err(too_many_arguments().into());
        }
        match name.to_ascii_lowercase().rsplit('.').next().unwrap_or_default() {
            "sp_executesql" => {
                let text = text_argument(arguments, 0, "statement")?;
                let declarations =
                    if arguments.len() > 1 { text_argument(arguments, 1, "params")? } else { String::new() };
                let values = arguments.get(2..).unwrap_or_default();
                Ok(self.run_text(declarations, text, values, caller).await?.behind(2))
            }
            "sp_prepare" => {
                let (handle, prepared) = self.prepare_as_asked(arguments, caller)?;
                let options = arguments.get(3).map(|argument| &argument.value);
                if matches!(options, Some(Value::Int(options)) if options & RETURN_METADATA != 0) {
                    self.send_columns(&prepared, caller).await?;
                }
                Ok(Outcome::success(vec![handle_output(arguments, Some(handle))]))
            }
            "sp_prepexec" => {
                let (handle, prepared) = self.prepare_as_asked(arguments, caller)?;
                let values = arguments.get(3..).unwrap_or_default();
                let mut outcome = self.run_prepared(&prepared, values, caller).await?.behind(3);
                outcome.outputs.insert(0, handle_output(arguments, Some(handle)));
                Ok(outcome)
            }
            "sp_execute" => {
                let prepared = self.prepared(handle_argument(arguments)?)?;
                Ok(self.run_prepared(&prepared, &arguments[1..], caller).await?.behind(1))
            }
            "sp_unprepare" => {
                self.unprepare(handle_argument(arguments)?)?;
                Ok(Outcome::success(Vec::new()))
            }
            "sp_tablecollations_100" => self.table_collations(arguments, caller).await,
            "sp_flush_ct_internal_table_on_demand" => self.flush_side_tables(arguments, caller).await,
            "sp_getapplock" => Ok(self.get_application_lock(arguments).await?),
            "sp_releaseapplock" => Ok(self.release_application_lock(arguments)?),
            known if UNSUPPORTED_PROCEDURES.contains(&known) => Err(SqlError::unsupported(known).into()),
            other => {
                if let Some(outcome) = self.run_system_procedure(other, arguments, caller).await? {
                    return Ok(outcome);
                }
                let message = format!("Could not find stored procedure '{name}'.");
                Err(SqlError { state: 62, ..SqlError::statement(2812, message) }.into())
            }
        }
    }

    /// `sp_prepare` and the first half of `sp_prepexec`: `@handle OUTPUT, @params, @stmt`
    fn prepare_as_asked(
        &mut self,
        arguments: &[Argument],
        caller: Caller<'_>,
    ) -> Result<(i32, Arc<Prepared>), SqlError> {
        let declarations = match arguments.get(1) {
            Some(Argument { value: Value::Null, .. }) => String::new(),
            _ => text_argument(arguments, 1, "params")?,
        };
        let text = text_argument(arguments, 2, "stmt")?;
        self.prepare(declarations, text, caller).inspect_err(|error| self.last_error = error.number)
    }

    /// Sends the columns of a prepared text's first query, as if it had returned no rows.
    async fn send_columns(&mut self, prepared: &Prepared, caller: Caller<'_>) -> Result<(), ClientGone> {
        if let Some(columns) = self.describe(prepared, caller) {
            caller.events.send(Event::Columns(columns)).await?;
            caller.events.send(Event::Done { command: Command::Select, rows: Some(0) }).await?;
        }
        Ok(())
    }

    /// Whether what runs is not the client's batch itself.
    pub(super) fn is_in_procedure(&self) -> bool {
        !self.callers.is_empty()
    }

    /// Remembers the caller's settings and database.
    pub(super) fn enter_procedure(&mut self) {
        self.temporaries.enter();
        self.callers.push(Surroundings {
            settings: self.settings.clone(),
            impersonations: self.impersonated.len(),
            database: self.database.clone(),
        });
    }

    /// Returns to the caller's settings and database; the procedure's temporary tables end.
    pub(super) async fn leave_procedure(&mut self, events: &Events) -> Result<(), ClientGone> {
        self.shared.engine.drop_temporaries(&self.temporaries.leave());
        let Some(Surroundings { settings, impersonations, database }) = self.callers.pop() else {
            return Ok(());
        };
        self.revert_to(impersonations);
        let old = self.database_name();
        self.settings = settings;
        self.enter(database);
        let new = self.database_name();
        if old == new { Ok(()) } else { events.send(Event::DatabaseChanged { old, new }).await }
    }
}

async fn send_output(output: &Output, events: &Events) -> Result<(), ClientGone> {
    let Output { ordinal, name, sql_type, value } = output;
    let (name, value) = (name.clone(), value.clone());
    events.send(Event::ReturnValue { ordinal: *ordinal, name, sql_type: *sql_type, value }).await
}

/// A parameter that has to be Unicode text.
fn text_argument(arguments: &[Argument], index: usize, name: &str) -> Result<String, SqlError> {
    let argument = arguments.get(index).ok_or_else(|| not_supplied(name))?;
    match (&argument.value, argument.sql_type) {
        (Value::Text(units), SqlType::NVarChar(_) | SqlType::NChar(_)) => Ok(String::from_utf16_lossy(units)),
        _ => {
            let message = format!("Procedure expects parameter '@{name}' of type 'ntext/nchar/nvarchar'.");
            Err(SqlError { state: 2, ..SqlError::statement(214, message) })
        }
    }
}

fn too_many_arguments() -> SqlError {
    let message = format!(
        "The incoming request has too many parameters. The server supports a maximum of {MOST_ARGUMENTS} parameters. \
         Reduce the number of parameters and resend the request."
    );
    SqlError::statement(8003, message)
}

fn handle_argument(arguments: &[Argument]) -> Result<i32, SqlError> {
    match arguments.first().map(|argument| &argument.value) {
        Some(Value::Int(handle)) => Ok(i32::try_from(*handle).unwrap_or_default()),
        // NULL is looked for as the handle 0, which never is one.
        Some(Value::Null) => Ok(0),
        Some(_) => {
            let message = "Procedure expects parameter '@handle' of type 'int'.";
            Err(SqlError { state: 2, ..SqlError::statement(214, message) })
        }
        None => Err(not_supplied("handle")),
    }
}

fn not_supplied(parameter: &str) -> SqlError {
    let message = format!("Procedure or function expects parameter '@{parameter}', which was not supplied.");
    SqlError { state: 4, ..SqlError::statement(201, message) }
}

fn handle_output(arguments: &[Argument], handle: Option<i32>) -> Output {
    let name = arguments.first().map(|argument| argument.name.clone()).unwrap_or_default();
    let value = handle.map_or(Value::Null, |handle| Value::Int(i64::from(handle)));
    Output { ordinal: 0, name, sql_type: SqlType::Int, value }
}
