//! The session's transaction: T-SQL's nesting count over one engine transaction, and the transaction-manager
//! requests that drivers send instead of T-SQL.

use super::event::{ClientGone, Command, Event, Events};
use super::{Ending, Failure, Session};
use crate::engine::{ApplicationLockOwner, TransactionId, TransactionOrigin};
use crate::parser::ast::Isolation;
use crate::types::{Reach, SqlError};
use crate::wire::request::{Begin, TransactionRequest};

/// A transaction that a client began.
#[derive(Clone, Debug)]
pub(super) struct UserTransaction {
    pub(super) id: TransactionId,
    /// Name given to the outermost BEGIN; ROLLBACK may say it.
    name: Option<String>,
    /// `@@TRANCOUNT`
    pub(super) nesting: u32,
    /// `XACT_STATE()` is -1: it can only be rolled back.
    pub(super) doomed: bool,
}

impl UserTransaction {
    pub(super) fn descriptor(&self) -> u64 {
        self.id.0
    }
}

impl Session {
    /// `@@TRANCOUNT`
    pub(super) fn nesting(&self) -> u32 {
        self.transaction.as_ref().map_or(0, |transaction| transaction.nesting)
    }

    /// Rolls the transaction back without a word to the client; its descriptor, if there was one.
    pub(super) fn abandon_transaction(&mut self) -> Option<u64> {
        let transaction = self.transaction.take()?;
        self.shared.engine.rollback(transaction.id);
        self.shared.engine.unlock_names(self.spid, ApplicationLockOwner::Transaction);
        Some(transaction.descriptor())
    }

    /// Marks the transaction as one that can only be rolled back.
    pub(super) fn doom_transaction(&mut self) {
        if let Some(transaction) = &mut self.transaction {
            transaction.doomed = true;
        }
    }

    /// Whether the transaction can only be rolled back.
    pub(super) fn is_doomed(&self) -> bool {
        self.transaction.as_ref().is_some_and(|transaction| transaction.doomed)
    }

    /// Refuses what a doomed transaction may not do any more.
    pub(super) fn require_healthy_transaction(&self) -> Result<(), SqlError> {
        if !self.is_doomed() {
            return Ok(());
        }
        let message = "The current transaction cannot be committed and cannot support operations that write to the \
                       log file. Roll back the transaction.";
        Err(SqlError { reach: Reach::Transaction, ..SqlError::statement(3930, message) })
    }

    /// `BEGIN TRAN [name]`
    pub(super) async fn begin(&mut self, name: Option<&str>, events: &Events) -> Result<(), ClientGone> {
        if let Some(transaction) = &mut self.transaction {
            transaction.nesting += 1;
            return Ok(());
        }
        let name = name.map(str::to_owned);
        let origin = TransactionOrigin { session: self.spid, name: name.clone(), by_user: true };
        let id = self.shared.engine.begin_for(origin);
        self.transaction = Some(UserTransaction { id, name, nesting: 1, doomed: false });
        events.send(Event::TransactionBegan(id.0)).await
    }

    /// `COMMIT`: the outermost one commits.
    pub(super) async fn commit(&mut self, events: &Events) -> Result<(), Failure> {
        self.require_healthy_transaction()?;
        let Some(transaction) = &mut self.transaction else {
            let message = "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.";
            return Err(SqlError::statement(3902, message).into());
        };
        transaction.nesting -= 1;
        if transaction.nesting > 0 {
            return Ok(());
        }
        let id = transaction.id;
        self.transaction = None;
        self.shared.engine.commit(id);
        self.shared.engine.published(id).await;
        self.shared.engine.unlock_names(self.spid, ApplicationLockOwner::Transaction);
        Ok(events.send(Event::TransactionCommitted(id.0)).await?)
    }

    /// `ROLLBACK [name]`: everything, or back to a savepoint.
    pub(super) async fn rollback(&mut self, name: Option<&str>, events: &Events) -> Result<(), Failure> {
        let Some(transaction) = &self.transaction else {
            let message = "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.";
            return Err(SqlError::statement(3903, message).into());
        };
        match name {
            Some(name) if transaction.name.as_deref() != Some(name) => {
                Ok(self.shared.engine.rollback_to(transaction.id, name)?)
            }
            _ => {
                let descriptor = self.abandon_transaction();
                Ok(self.announce_rollback(descriptor, events).await?)
            }
        }
    }

    /// `SAVE TRAN name`
    pub(super) fn save(&mut self, name: &str) -> Result<(), SqlError> {
        self.require_healthy_transaction()?;
        let Some(transaction) = &self.transaction else {
            return Err(SqlError::statement(
                628,
                "Cannot issue SAVE TRANSACTION when there is no active transaction.",
            ));
        };
        self.shared.engine.save(transaction.id, name)
    }

    /// A transaction-manager request.
    pub(super) async fn run_transaction_request(
        &mut self,
        request: TransactionRequest,
        events: &Events,
    ) -> Result<Ending, ClientGone> {
        let result = match request {
            TransactionRequest::Begin(begin) => self.begin_as_asked(&begin, events).await,
            TransactionRequest::Commit(next) => {
                let committed = self.commit(events).await.map_err(|error| with_state(error, 3));
                self.begin_next(committed, next, events).await
            }
            TransactionRequest::Rollback { name, next } => {
                let name = Some(name.as_str()).filter(|name| !name.is_empty());
                let rolled_back = self.rollback(name, events).await.map_err(|error| with_state(error, 2));
                self.begin_next(rolled_back, next, events).await
            }
            TransactionRequest::Save(name) => self.save(&name).map_err(Failure::Error),
        };
        match result {
            Ok(()) => events.send(Event::Done { command: Command::Nothing, rows: None }).await?,
            Err(Failure::Error(error) | Failure::Caught(error)) => {
                events.send(Event::Error(error.at_line(1))).await?;
                events.send(Event::Failed(Command::Nothing)).await?;
            }
            Err(Failure::ClientGone) => return Err(ClientGone),
        }
        Ok(Ending::Open)
    }

    async fn begin_next(
        &mut self,
        ended: Result<(), Failure>,
        next: Option<Begin>,
        events: &Events,
    ) -> Result<(), Failure> {
        ended?;
        match next {
            Some(begin) => self.begin_as_asked(&begin, events).await,
            None => Ok(()),
        }
    }

    async fn begin_as_asked(&mut self, begin: &Begin, events: &Events) -> Result<(), Failure> {
        match begin.isolation {
            0 => {}
            1 => self.settings.isolation = Isolation::ReadUncommitted,
            2 => self.settings.isolation = Isolation::ReadCommitted,
            3 => self.settings.isolation = Isolation::RepeatableRead,
            4 => self.settings.isolation = Isolation::Serializable,
            5 => self.settings.isolation = Isolation::Snapshot,
            other => {
                return Err(
                    SqlError::unsupported(format!("isolation level {other} of a begin request")).into()
                );
            }
        }
        let name = Some(begin.name.as_str()).filter(|name| !name.is_empty());
        Ok(self.begin(name, events).await?)
    }
}

/// The state of 3902 and 3903 tells how the end of the missing transaction was asked for.
fn with_state(failure: Failure, state: u8) -> Failure {
    match failure {
        Failure::Error(error) if matches!(error.number, 3902 | 3903) => SqlError { state, ..error }.into(),
        other => other,
    }
}
