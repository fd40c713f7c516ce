//! One connection's session: batches, procedure calls and transaction requests in, [`event::Event`]s out.
//!
//! A statement runs in the session's transaction, or in one of its own that is committed when it ends. Whatever has
//! to wait for another transaction's lock gives up its attempt, awaits the lock and is tried again, so that no thread
//! is ever blocked. A session that is dropped rolls its transaction back.
//!
//! `compile` refuses a batch before it runs; `batch` walks its statements and decides how far an error reaches;
//! `statement` runs one that touches data; `procedure` runs calls and `prepared` their texts.

mod application_lock;
mod backup;
mod batch;
mod bulk;
mod cleanup;
mod command;
mod compile;
pub(crate) mod connection;
pub mod event;
mod handshake;
mod impersonation;
mod insert_execute;
mod kill;
pub mod local;
mod prepared;
mod presence;
mod procedure;
mod reply;
mod set_option;
pub mod settings;
mod statement;
mod system_procedure;
mod table_collations;
mod transaction;

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::collation::Collation;
use crate::engine::{
    Activity, ApplicationLockOwner, DatabaseUse, Mark, Principal, RequestInfo, SessionInfo, Temporaries,
    TransactionId,
};
use crate::faults::{Effect, Line, Meeting, Struck};
use crate::parser::ast::InsertBulk;
use crate::server::Shared;
use crate::types::SqlError;
use crate::wire::login::Login;
use crate::wire::request::{Request, RequestKind};
use command::Command;
use event::{ClientGone, Event, Events};
use prepared::Prepared;
use presence::Presence;
pub(crate) use presence::Sessions;
use settings::Settings;
use transaction::UserTransaction;

/// A session.
pub(crate) struct Session {
    shared: Arc<Shared>,
    spid: u16,
    /// `HOST_NAME()`
    host: String,
    /// `APP_NAME()`
    program: String,
    principal: Principal,
    /// Those that the session was before it impersonated others, the login first.
    impersonated: Vec<Principal>,
    database: DatabaseUse,
    /// What the server knows of it.
    presence: Arc<Presence>,
    /// The faults of its connection; a session in the server's own process has none.
    line: Option<Arc<Line>>,
    /// Name of the database in which the session began.
    login_database: String,
    settings: Settings,
    /// What the callers of the running procedures return to, outermost first.
    callers: Vec<Surroundings>,
    /// The transaction that the client began, if any.
    transaction: Option<UserTransaction>,
    /// The transaction of a statement that runs outside one.
    autocommit: Option<TransactionId>,
    temporaries: Temporaries,
    /// Whether an aggregate of the running statement has passed over a NULL.
    null_eliminated: bool,
    /// Whether an INSERT .. EXEC takes what procedures answer.
    captures: bool,
    prepared: HashMap<i32, Arc<Prepared>>,
    last_handle: i32,
    /// When the running request began.
    request_since: Option<DateTime<Utc>>,
    /// The bulk load whose rows come next.
    announced: Option<InsertBulk>,
    /// Where a bulk load began that is under way.
    load_mark: Option<Mark>,
    /// `@@ROWCOUNT`
    row_count: u64,
    /// `@@ERROR`
    last_error: i32,
    /// `@@IDENTITY`
    last_identity: Option<i64>,
    /// `SCOPE_IDENTITY()` outside procedures: all batches of a session are one scope.
    scope_identity: Option<i64>,
}

/// What a procedure may change only for itself.
struct Surroundings {
    settings: Settings,
    /// How many principals were impersonated.
    impersonations: usize,
    database: DatabaseUse,
}

/// What becomes of the connection after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It takes the next request.
    Open,
    /// It is closed, as after an error of class 20 and more.
    Close,
}

/// Why a statement did not end well.
#[derive(Debug)]
enum Failure {
    Error(SqlError),
    /// An error that a TRY around takes; its statement is already completed towards the client.
    Caught(SqlError),
    ClientGone,
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        Self::Error(error)
    }
}

impl From<ClientGone> for Failure {
    fn from(_: ClientGone) -> Self {
        Self::ClientGone
    }
}

impl Session {
    /// A session for a login; else the errors that refuse it, in order.
    pub(crate) fn log_in(
        shared: &Arc<Shared>,
        login: &Login,
        spid: u16,
        line: Arc<Line>,
    ) -> Result<Self, Vec<SqlError>> {
        let engine = &shared.engine;
        let principal = engine.log_in(&login.user, &login.password).map_err(|error| vec![error])?;
        let name = if login.database.is_empty() { &shared.options.database } else { &login.database };
        let database = engine.use_database(&principal, name).map_err(|_| {
            let opened = format!("Cannot open database \"{name}\" requested by the login. The login failed.");
            let login = format!("Login failed for user '{}'.", login.user);
            vec![
                SqlError { class: 11, ..SqlError::statement(4060, opened) },
                SqlError { class: 14, ..SqlError::statement(18456, login) },
            ]
        })?;
        let mut session = Self::new(shared, spid, principal, database);
        session.host.clone_from(&login.host);
        session.program.clone_from(&login.program);
        session.line = Some(line);
        session.register();
        Ok(session)
    }

    fn new(shared: &Arc<Shared>, spid: u16, principal: Principal, database: DatabaseUse) -> Self {
        let presence = shared.sessions.enter(spid, database.id());
        let login_database = shared.engine.database_name(database.id()).unwrap_or_default();
        Self {
            shared: shared.clone(),
            spid,
            host: String::new(),
            program: String::new(),
            principal,
            impersonated: Vec::new(),
            database,
            presence,
            line: None,
            login_database,
            settings: Settings::default(),
            callers: Vec::new(),
            transaction: None,
            autocommit: None,
            temporaries: Temporaries::default(),
            null_eliminated: false,
            captures: false,
            prepared: HashMap::new(),
            last_handle: 0,
            request_since: None,
            announced: None,
            load_mark: None,
            row_count: 0,
            last_error: 0,
            last_identity: None,
            scope_identity: None,
        }
    }

    /// Suffers the faults that strike at a place.
    async fn meet(&self, meeting: Meeting<'_>) -> Result<(), Failure> {
        let Some(line) = &self.line else { return Ok(()) };
        match line.meet(meeting).await {
            Ok(effects) => {
                for effect in effects {
                    if let Effect::Run(sql) = effect {
                        local::execute_apart(Arc::clone(&self.shared), sql).await?;
                    }
                }
                Ok(())
            }
            Err(Struck::Error(error)) => Err(error.into()),
            Err(Struck::Cut) => Err(Failure::ClientGone),
        }
    }

    /// Goes to another database.
    fn enter(&mut self, database: DatabaseUse) {
        self.presence.moved(database.id());
        self.database = database;
    }

    /// What the server knows of the session.
    pub(crate) fn presence(&self) -> Arc<Presence> {
        Arc::clone(&self.presence)
    }

    /// Name of the current database.
    pub(crate) fn database_name(&self) -> String {
        self.shared.engine.database_name(self.database.id()).unwrap_or_default()
    }

    /// Collation of the current database.
    pub(crate) fn collation(&self) -> Collation {
        self.shared.engine.database_collation(self.database.id())
    }

    /// Whether a request's descriptor is that of the session's transaction; 0 says that the client has none.
    pub(crate) fn knows_transaction(&self, descriptor: u64) -> bool {
        descriptor == self.transaction.as_ref().map_or(0, UserTransaction::descriptor)
    }

    /// Runs a request to its end.
    pub(crate) async fn run(&mut self, request: Request, events: Events) -> Ending {
        self.request_since = Some(self.shared.engine.now());
        let result = match request.kind {
            RequestKind::Batch(text) => self.run_batch(&text, &events).await,
            RequestKind::Load(packets) => self.run_load(packets, &events).await,
            RequestKind::Calls(calls) => self.run_calls(&calls, &events).await,
            RequestKind::Transaction(request) => self.run_transaction_request(request, &events).await,
        };
        self.rest();
        // With the client gone there is nobody to answer; the connection notices by itself.
        result.unwrap_or(Ending::Close)
    }

    /// Undoes a statement whose run was dropped. Returns the descriptor of a transaction that went with it: XACT_ABORT
    /// takes the client's own along.
    pub(crate) fn cancel(&mut self) -> Option<u64> {
        self.rest();
        self.announced = None;
        let load_mark = self.load_mark.take();
        if let Some(transaction) = self.autocommit.take() {
            self.shared.engine.rollback(transaction);
        } else if let (Some(mark), Some(transaction)) = (load_mark, &self.transaction) {
            self.shared.engine.undo_to(transaction.id, mark);
        }
        let aborts = self.settings.abort_transaction;
        self.shared.engine.drop_temporaries(&self.temporaries.unwind());
        self.captures = false;
        let caller = self.callers.drain(..).next();
        if let Some(Surroundings { settings, database, .. }) = caller {
            self.settings = settings;
            self.enter(database);
        }
        if aborts { self.abandon_transaction() } else { None }
    }

    /// Starts afresh, as pooled connections do: back in the login's database, settings and prepared statements
    /// forgotten, the transaction rolled back unless it is to be kept.
    ///
    /// # Errors
    /// 911 and 916 if that database cannot be used any more.
    pub(crate) fn reset(&mut self, keep_transaction: bool) -> Result<(), SqlError> {
        if !keep_transaction {
            self.abandon_transaction();
        }
        self.shared.engine.drop_temporaries(&self.temporaries.end_session());
        self.shared.engine.unlock_names(self.spid, ApplicationLockOwner::Session);
        self.revert_to(0);
        self.settings = Settings::default();
        self.prepared.clear();
        let database = self.shared.engine.use_database(&self.principal, &self.login_database)?;
        self.enter(database);
        Ok(())
    }

    /// Tells the engine's views who this is.
    fn register(&self) {
        let engine = &self.shared.engine;
        engine.open_session(SessionInfo {
            id: self.spid,
            login: self.principal.login.clone(),
            host: self.host.clone(),
            program: self.program.clone(),
            since: engine.now(),
            activity: self.activity(None),
        });
    }

    /// The request is over.
    fn rest(&mut self) {
        self.request_since = None;
        self.note_command(Command::Nothing);
    }

    /// Tells the engine's views what runs.
    fn note_command(&self, command: Command) {
        self.shared.engine.note_activity(self.spid, self.activity(Some(command)));
    }

    fn activity(&self, command: Option<Command>) -> Activity {
        let request = self.request_since.zip(command);
        Activity {
            database: self.database.id(),
            isolation: self.settings.isolation,
            lock_timeout: self.settings.lock_timeout_milliseconds(),
            deadlock_priority: self.settings.deadlock_priority,
            row_count: self.row_count,
            nesting: self.nesting(),
            request: request.map(|(since, command)| RequestInfo { since, command: command.name() }),
        }
    }

    /// Tells of a transaction's end, if one ended.
    async fn announce_rollback(&self, descriptor: Option<u64>, events: &Events) -> Result<(), ClientGone> {
        match descriptor {
            Some(descriptor) => events.send(Event::TransactionRolledBack(descriptor)).await,
            None => Ok(()),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.cancel();
        self.abandon_transaction();
        self.shared.engine.unlock_names(self.spid, ApplicationLockOwner::Session);
        self.shared.engine.close_session(self.spid);
        self.shared.engine.drop_temporaries(&self.temporaries.end_session());
        self.shared.sessions.leave(self.spid);
    }
}
