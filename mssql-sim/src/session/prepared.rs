//! Texts with parameters: those of `sp_executesql`, and the prepared statements of drivers.
//!
//! A text is parsed once, when it is prepared; it is bound anew at every execution, as the tables may have changed.

use std::sync::Arc;

use super::batch::{Flow, Frame};
use super::procedure::{Caller, Outcome, Output};
use super::statement::store;
use super::{Failure, Session};
use crate::collation::Collation;
use crate::exec::context::Variables;
use crate::parser::ast::Located;
use crate::parser::{parse_batch, parse_declarations};
use crate::types::{ColumnMeta, Reach, SqlError, SqlType};
use crate::wire::rpc::Argument;

/// UTF-16 units of a text that 8178 repeats.
const QUOTED_UNITS: usize = 64;

/// A declared parameter: name without `@`, type, whether OUTPUT.
type Parameter = (String, SqlType, bool);

/// A parsed text with its parameters.
#[derive(Debug)]
pub(super) struct Prepared {
    declarations: String,
    text: String,
    parameters: Vec<Parameter>,
    statements: Vec<Located>,
}

impl Prepared {
    /// Parses a text and the declarations of its parameters.
    pub(super) fn parse(declarations: String, text: String) -> Result<Self, SqlError> {
        let parameters = parse_declarations(&declarations)?;
        let statements = parse_batch(&text)?;
        Ok(Self { declarations, text, parameters, statements })
    }

    fn declared(&self) -> Result<Variables, SqlError> {
        let mut variables = Variables::default();
        for (name, sql_type, _) in &self.parameters {
            variables.declare(name, *sql_type)?;
        }
        Ok(variables)
    }

    /// The parameters as variables, each with its argument converted to the declared type.
    fn bind(&self, arguments: &[Argument], collation: Collation) -> Result<Variables, SqlError> {
        let mut variables = self.declared()?;
        let mut missing: Vec<&str> = self.parameters.iter().map(|(name, ..)| name.as_str()).collect();
        for (index, argument) in arguments.iter().enumerate() {
            let (name, _, is_output) = &self.parameters[self.position_of(argument, index)?];
            if argument.output && !is_output {
                let message = format!(
                    "The formal parameter \"@{name}\" was not declared as an OUTPUT parameter, but the actual \
                     parameter passed in requested output."
                );
                return Err(SqlError { state: 2, ..SqlError::statement(8162, message) });
            }
            store(&mut variables, name, (argument.sql_type, argument.value.clone()), collation)?;
            missing.retain(|parameter| parameter != name);
        }
        missing.first().map_or(Ok(variables), |name| Err(self.missing(name)))
    }

    /// Which parameter an argument is for: the one of its name, or without a name the one in its place.
    fn position_of(&self, argument: &Argument, index: usize) -> Result<usize, SqlError> {
        let declared = &self.parameters;
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

    fn missing(&self, parameter: &str) -> SqlError {
        let query = format!("({}){}", self.declarations, self.text);
        let units: Vec<u16> = query.encode_utf16().take(QUOTED_UNITS).collect();
        let message = format!(
            "The parameterized query '{}' expects the parameter '@{parameter}', which was not supplied.",
            String::from_utf16_lossy(&units)
        );
        SqlError::statement(8178, message)
    }
}

impl Session {
    /// Prepares a text for later; its handle. A driver that asks for it also gets the columns of its first query.
    ///
    /// # Errors
    /// What is wrong with the text, followed by 8180.
    pub(super) fn prepare(
        &mut self,
        declarations: String,
        text: String,
        caller: Caller<'_>,
    ) -> Result<(i32, Arc<Prepared>), SqlError> {
        let prepared = Prepared::parse(declarations, text).and_then(|prepared| {
            let mut frame = Frame::new(&prepared.text, caller.events, prepared.declared()?, false);
            self.compile_prepared(&mut frame, &prepared.statements)?;
            drop(frame);
            Ok(Arc::new(prepared))
        });
        let prepared = prepared.map_err(|error| {
            SqlError::batch(8180, "Statement(s) could not be prepared.").caused_by(error).at_line(1)
        })?;
        self.last_handle += 1;
        self.prepared.insert(self.last_handle, prepared.clone());
        Ok((self.last_handle, prepared))
    }

    /// Columns of a prepared text's first query; None if it has none.
    pub(super) fn describe(&mut self, prepared: &Prepared, caller: Caller<'_>) -> Option<Arc<[ColumnMeta]>> {
        let mut frame = Frame::new(&prepared.text, caller.events, prepared.declared().ok()?, false);
        self.compile_prepared(&mut frame, &prepared.statements).ok()?
    }

    /// The text behind a handle.
    pub(super) fn prepared(&self, handle: i32) -> Result<Arc<Prepared>, SqlError> {
        self.prepared.get(&handle).cloned().ok_or_else(|| unknown_handle(handle))
    }

    /// Forgets a handle.
    pub(super) fn unprepare(&mut self, handle: i32) -> Result<(), SqlError> {
        self.prepared.remove(&handle).map(drop).ok_or_else(|| unknown_handle(handle))
    }

    /// Parses a text and runs it with its arguments.
    pub(super) async fn run_text(
        &mut self,
        declarations: String,
        text: String,
        arguments: &[Argument],
        caller: Caller<'_>,
    ) -> Result<Outcome, Failure> {
        match Prepared::parse(declarations, text) {
            Ok(prepared) => self.run_prepared(&prepared, arguments, caller).await,
            Err(error) => {
                self.enter_procedure();
                let frame = Frame::new("", caller.events, Variables::default(), caller.protected);
                let refused = self.refuse_text(&frame, error, caller).await;
                self.leave_procedure(caller.events).await?;
                let flow = refused.map_err(outside)?;
                Ok(Outcome { flow, status: self.last_error, outputs: Vec::new() })
            }
        }
    }

    /// Runs a text with its arguments, on a copy of the session's settings.
    pub(super) async fn run_prepared(
        &mut self,
        prepared: &Prepared,
        arguments: &[Argument],
        caller: Caller<'_>,
    ) -> Result<Outcome, Failure> {
        let variables = prepared.bind(arguments, self.collation())?;
        self.enter_procedure();
        let mut frame = Frame::new(&prepared.text, caller.events, variables, caller.protected);
        let result = match self.compile(&mut frame, &prepared.statements) {
            Ok(()) => Box::pin(self.run_statements(&mut frame, &prepared.statements)).await,
            Err(error) => self.refuse_text(&frame, error, caller).await,
        };
        self.leave_procedure(caller.events).await?;

        let flow = result.map_err(outside)?;
        let mut outputs = Vec::new();
        for (index, argument) in arguments.iter().enumerate().filter(|(_, argument)| argument.output) {
            let (parameter, ..) = &prepared.parameters[prepared.position_of(argument, index)?];
            let (sql_type, value) = frame.variables.get(parameter)?;
            let ordinal = u16::try_from(index).expect("a call has at most 2100 arguments");
            outputs.push(Output { ordinal, name: argument.name.clone(), sql_type, value: value.clone() });
        }
        Ok(Outcome { flow, status: self.last_error, outputs })
    }

    /// Deals with the error of a text none of which ran: for a client the call as a whole fails, for a batch it is an
    /// error inside the procedure.
    async fn refuse_text(
        &mut self,
        frame: &Frame<'_>,
        error: SqlError,
        caller: Caller<'_>,
    ) -> Result<Flow, Failure> {
        if caller.is_client {
            self.last_error = error.number;
            return Err(error.into());
        }
        self.fail(frame, error, None).await
    }
}

/// An error that ends its own batch is an ordinary one for the batch around it.
fn outside(failure: Failure) -> Failure {
    match failure {
        Failure::Caught(error) if error.reach == Reach::Batch => {
            Failure::Caught(SqlError { reach: Reach::Statement, ..error })
        }
        other => other,
    }
}

fn unknown_handle(handle: i32) -> SqlError {
    SqlError::statement(8179, format!("Could not find prepared statement with handle {handle}."))
}
