//! INSERT .. EXEC: what a procedure answers goes into a table instead of to the client.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::batch::{Flow, Frame};
use super::event::{ClientGone, Event, Events};
use super::{Failure, Session};
use crate::exec::dml::{self, ResultSet};
use crate::parser::ast::{InsertSource, Statement};
use crate::types::SqlError;

impl Session {
    pub(super) async fn insert_execute(
        &mut self,
        frame: &mut Frame<'_>,
        statement: &Statement,
    ) -> Result<Flow, Failure> {
        let Statement::Insert(insert) = statement else { return Ok(Flow::Next) };
        let InsertSource::Execute(call) = &insert.source else { return Ok(Flow::Next) };
        if self.captures {
            return Err(SqlError::statement(8164, "An INSERT EXEC statement cannot be nested.").into());
        }
        let (events, received) = Events::channel();
        let outer = frame.events;
        self.captures = true;
        let (flow, results) = tokio::join!(self.captured_call(frame, call, events), capture(received, outer));
        self.captures = false;
        let results = results?;
        match flow? {
            Flow::Next => {}
            ended => return Ok(ended),
        }
        self.require_healthy_transaction()?;
        let affected = self.attempt(frame, |context| dml::insert_results(context, insert, &results)).await?;
        self.done(frame, statement, affected.rows).await?;
        Ok(Flow::Next)
    }

    /// Runs the call with events of its own, which end with it.
    async fn captured_call(
        &mut self,
        frame: &mut Frame<'_>,
        call: &Statement,
        events: Events,
    ) -> Result<Flow, Failure> {
        let variables = std::mem::take(&mut frame.variables);
        let mut inner = Frame::new(frame.text, &events, variables, frame.is_protected());
        let result = match call {
            Statement::Execute { name, arguments, status } => {
                Box::pin(self.execute_procedure(&mut inner, name, arguments, status.as_deref())).await
            }
            Statement::ExecuteText(text) => Box::pin(self.execute_text(&mut inner, text)).await,
            _ => Ok(Flow::Next),
        };
        frame.variables = inner.variables;
        result
    }
}

/// Keeps the result sets; messages, errors and changes of the environment are for the client all the same.
async fn capture(mut received: mpsc::Receiver<Event>, outer: &Events) -> Result<Vec<ResultSet>, ClientGone> {
    let mut results: Vec<ResultSet> = Vec::new();
    while let Some(event) = received.recv().await {
        match event {
            Event::Columns(columns) => {
                results.push(ResultSet { columns: Arc::clone(&columns), rows: Vec::new() });
            }
            Event::Rows(rows) => {
                results.last_mut().into_iter().for_each(|set| set.rows.extend(rows.iter().cloned()));
            }
            Event::Done { .. }
            | Event::ProcedureBegan
            | Event::ProcedureEnded { .. }
            | Event::ReturnStatus(_)
            | Event::ReturnValue { .. } => {}
            other => outer.send(other).await?,
        }
    }
    Ok(results)
}
