//! Procedure calls, by RPC and by EXECUTE: `sp_executesql` and the prepared statements of drivers.
//!
//! What a procedure's text sets with SET ends with it, and an error inside goes to a TRY of the caller.

use super::batch::{Flow, Frame};
use super::event::{ClientGone, Event, Events};
use super::statement::store;
use super::{Ending, Failure, Session, Surroundings};
use crate::collation::Collation;
use crate::exec::context::Variables;
use crate::parser::ast::{Expr, ObjectName};
use crate::parser::parse_declarations;
use crate::types::{Reach, SqlError, SqlType, Value};
use crate::wire::rpc::{Argument, Call};

/// A statement that a driver prepared.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    declarations: String,
    text: String,
}

/// A declared parameter: name without `@`, type, whether OUTPUT.
type Parameter = (String, SqlType, bool);

/// What a procedure leaves behind.
struct Outcome {
    flow: Flow,
    status: i32,
    outputs: Vec<Output>,
}

/// An output parameter of a procedure.
struct Output {
    /// Name as the caller wrote it.
    name: String,
    sql_type: SqlType,
    value: Value,
}

/// The caller's side of a procedure's run.
#[derive(Clone, Copy)]
struct Caller<'a> {
    events: &'a Events,
    /// It is a client, which takes outputs and errors as tokens; else it is a batch.
    is_client: bool,
    /// A TRY around the call takes its errors.
    protected: bool,
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
    ) -> Result<Flow, Failure> {
        let mut values = Vec::with_capacity(arguments.len());
        for (name, expr, output) in arguments {
            let (sql_type, value) = self.evaluate(frame, expr).await?;
            let name = name.as_ref().map(|name| format!("@{name}")).unwrap_or_default();
            values.push(Argument { name, output: *output, sql_type, value });
        }
        let routine = Routine::Procedure { name: &name.name, arguments: &values };
        let outcome = self.call(routine, Caller::batch(frame)).await?;
        let targets = arguments.iter().filter(|(_, _, output)| *output).map(|(_, expr, _)| expr);
        for (target, output) in targets.zip(outcome.outputs) {
            if let Expr::Variable(variable) = target {
                store(&mut frame.variables, variable, (output.sql_type, output.value), self.collation())?;
            }
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
        let result = self.dispatch(routine, caller).await;
        match &result {
            Ok(outcome) => {
                events.send(Event::ReturnStatus(outcome.status)).await?;
                for Output { name, sql_type, value } in outcome.outputs.iter().filter(|_| caller.is_client) {
                    let (name, sql_type, value) = (name.clone(), *sql_type, value.clone());
                    events.send(Event::ReturnValue { name, sql_type, value }).await?;
                }
            }
            Err(Failure::Error(error)) if caller.is_client => {
                events.send(Event::Error(error.clone())).await?;
                events.send(Event::ReturnStatus(error.number)).await?;
            }
            Err(_) => {}
        }
        events.send(Event::ProcedureEnded).await?;
        result
    }

    async fn dispatch(&mut self, routine: Routine<'_>, caller: Caller<'_>) -> Result<Outcome, Failure> {
        let (name, arguments) = match routine {
            Routine::Procedure { name, arguments } => (name, arguments),
            Routine::Text(text) => {
                let prepared = Prepared { declarations: String::new(), text };
                return self.run_prepared(&prepared, &[], caller).await;
            }
        };
        match name.to_ascii_lowercase().rsplit('.').next().unwrap_or_default() {
            "sp_executesql" => {
                let text = text_argument(arguments, 0, "statement")?;
                let declarations =
                    if arguments.len() > 1 { text_argument(arguments, 1, "params")? } else { String::new() };
                let values = arguments.get(2..).unwrap_or_default();
                self.run_prepared(&Prepared { declarations, text }, values, caller).await
            }
            "sp_prepare" => {
                let (handle, _) = self.prepare(arguments)?;
                Ok(Outcome { flow: Flow::Next, status: 0, outputs: vec![handle_output(arguments, handle)] })
            }
            "sp_prepexec" => {
                let (handle, prepared) = self.prepare(arguments)?;
                let values = arguments.get(3..).unwrap_or_default();
                let mut outcome = self.run_prepared(&prepared, values, caller).await?;
                outcome.outputs.insert(0, handle_output(arguments, handle));
                Ok(outcome)
            }
            "sp_execute" => {
                let handle = handle_argument(arguments)?;
                let prepared = self.prepared.get(&handle).cloned().ok_or_else(|| unknown_handle(handle))?;
                self.run_prepared(&prepared, &arguments[1..], caller).await
            }
            "sp_unprepare" => {
                let handle = handle_argument(arguments)?;
                self.prepared.remove(&handle).ok_or_else(|| unknown_handle(handle))?;
                Ok(Outcome { flow: Flow::Next, status: 0, outputs: Vec::new() })
            }
            _ => {
                let message = format!("Could not find stored procedure '{name}'.");
                Err(SqlError { state: 62, ..SqlError::statement(2812, message) }.into())
            }
        }
    }

    /// Runs a text with parameters, on a copy of the session's settings.
    async fn run_prepared(
        &mut self,
        prepared: &Prepared,
        arguments: &[Argument],
        caller: Caller<'_>,
    ) -> Result<Outcome, Failure> {
        let declared = parse_declarations(&prepared.declarations)?;
        let variables = bind(&declared, arguments, self.collation())?;
        self.enter_procedure();
        let mut frame = Frame::new(&prepared.text, caller.events, variables, caller.protected);
        let result = Box::pin(self.run_frame(&mut frame)).await;
        self.leave_procedure(caller.events).await?;

        let flow = match result {
            Ok(flow) => flow,
            // An error that ends its own batch is an ordinary one for the batch around it.
            Err(Failure::Caught(error)) if error.reach == Reach::Batch => {
                return Err(Failure::Caught(SqlError { reach: Reach::Statement, ..error }));
            }
            Err(failure) => return Err(failure),
        };
        let mut outputs = Vec::new();
        for (index, argument) in arguments.iter().enumerate().filter(|(_, argument)| argument.output) {
            let (parameter, ..) = &declared[position_of(&declared, argument, index)?];
            let (sql_type, value) = frame.variables.get(parameter)?;
            outputs.push(Output { name: argument.name.clone(), sql_type, value: value.clone() });
        }
        Ok(Outcome { flow, status: self.last_error, outputs })
    }

    /// Whether what runs is not the client's batch itself.
    pub(super) fn is_in_procedure(&self) -> bool {
        !self.callers.is_empty()
    }

    /// Remembers the caller's settings and database.
    fn enter_procedure(&mut self) {
        self.temporaries.enter();
        self.callers.push(Surroundings { settings: self.settings.clone(), database: self.database.clone() });
    }

    /// Returns to the caller's settings and database; the procedure's temporary tables end.
    async fn leave_procedure(&mut self, events: &Events) -> Result<(), ClientGone> {
        self.shared.engine.drop_temporaries(&self.temporaries.leave());
        let Some(Surroundings { settings, database }) = self.callers.pop() else { return Ok(()) };
        let old = self.database_name();
        self.settings = settings;
        self.database = database;
        let new = self.database_name();
        if old == new { Ok(()) } else { events.send(Event::DatabaseChanged { old, new }).await }
    }

    /// `sp_prepare` and the first half of `sp_prepexec`: `@handle OUTPUT, @params, @stmt`
    fn prepare(&mut self, arguments: &[Argument]) -> Result<(i32, Prepared), SqlError> {
        let declarations = match arguments.get(1) {
            Some(Argument { value: Value::Null, .. }) => String::new(),
            _ => text_argument(arguments, 1, "params")?,
        };
        let prepared = Prepared { declarations, text: text_argument(arguments, 2, "stmt")? };
        self.last_handle += 1;
        self.prepared.insert(self.last_handle, prepared.clone());
        Ok((self.last_handle, prepared))
    }
}

/// The declared parameters with their arguments, each converted to its declared type.
fn bind(declared: &[Parameter], arguments: &[Argument], collation: Collation) -> Result<Variables, SqlError> {
    let mut variables = Variables::default();
    for (name, sql_type, _) in declared {
        variables.declare(name, *sql_type)?;
    }
    let mut missing: Vec<&str> = declared.iter().map(|(name, ..)| name.as_str()).collect();
    for (index, argument) in arguments.iter().enumerate() {
        let (name, _, is_output) = &declared[position_of(declared, argument, index)?];
        if argument.output && !is_output {
            let message = format!(
                "The formal parameter \"@{name}\" was not declared as an OUTPUT parameter, but the actual parameter \
                 passed in requested output."
            );
            return Err(SqlError { state: 2, ..SqlError::statement(8162, message) });
        }
        store(&mut variables, name, (argument.sql_type, argument.value.clone()), collation)?;
        missing.retain(|parameter| parameter != name);
    }
    missing.first().map_or(Ok(variables), |name| Err(missing_parameter(name)))
}

/// Which parameter an argument is for: the one of its name, or without a name the one in its place.
fn position_of(declared: &[Parameter], argument: &Argument, index: usize) -> Result<usize, SqlError> {
    match argument.name.strip_prefix('@') {
        Some(given) => {
            declared.iter().position(|(name, ..)| name.eq_ignore_ascii_case(given)).ok_or_else(|| {
                let message = format!("@{given} is not a parameter for procedure sp_executesql.");
                SqlError { state: 2, ..SqlError::statement(8145, message) }
            })
        }
        None if index < declared.len() => Ok(index),
        None => {
            let message = "Procedure or function sp_executesql has too many arguments specified.";
            Err(SqlError { state: 2, ..SqlError::statement(8144, message) })
        }
    }
}

fn text_argument(arguments: &[Argument], index: usize, name: &str) -> Result<String, SqlError> {
    match arguments.get(index).map(|argument| &argument.value) {
        Some(Value::Text(units)) => Ok(String::from_utf16_lossy(units)),
        Some(_) => {
            let message = format!("Procedure expects parameter '@{name}' of type 'ntext/nchar/nvarchar'.");
            Err(SqlError { state: 2, ..SqlError::statement(214, message) })
        }
        None => Err(missing_parameter(name)),
    }
}

fn missing_parameter(name: &str) -> SqlError {
    let message = format!("The parameterized query expects the parameter '@{name}', which was not supplied.");
    SqlError::statement(8178, message)
}

fn handle_argument(arguments: &[Argument]) -> Result<i32, SqlError> {
    match arguments.first().map(|argument| &argument.value) {
        Some(Value::Int(handle)) => i32::try_from(*handle).map_err(|_| unknown_handle(i32::MAX)),
        _ => Err(missing_parameter("handle")),
    }
}

fn handle_output(arguments: &[Argument], handle: i32) -> Output {
    let name = arguments.first().map(|argument| argument.name.clone()).unwrap_or_default();
    Output { name, sql_type: SqlType::Int, value: Value::Int(i64::from(handle)) }
}

fn unknown_handle(handle: i32) -> SqlError {
    SqlError {
        state: 4,
        ..SqlError::statement(8179, format!("Could not find prepared statement with handle {handle}."))
    }
}
