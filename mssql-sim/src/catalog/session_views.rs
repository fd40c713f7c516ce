//! Views of sessions, requests and transactions.

use std::collections::HashMap;

use super::lock_views::described;
use super::{
    BIGINT, BIT, Catalog, DATETIME, INT, SMALLINT, SYSNAME, ViewDef, ViewRows, bit, datetime, int, text,
};
use crate::engine::SessionInfo;
use crate::parser::ast::Isolation;
use crate::types::{Length, SqlType, Value};

/// Permission on the server without which its state is hidden.
pub(super) const SERVER_STATE: &str = "VIEW SERVER PERFORMANCE STATE";

const STATUS: SqlType = SqlType::NVarChar(Length::Limited(30));
const COMMAND: SqlType = SqlType::NVarChar(Length::Limited(32));
const WAIT_TYPE: SqlType = SqlType::NVarChar(Length::Limited(60));
const WAIT_RESOURCE: SqlType = SqlType::NVarChar(Length::Limited(256));

pub(super) const VIEWS: &[ViewDef] = &[
    ViewDef::new("sys", "dm_exec_sessions", SESSIONS, sessions),
    ViewDef::new("sys", "dm_exec_requests", REQUESTS, requests),
    ViewDef {
        permission: Some(SERVER_STATE),
        ..ViewDef::new("sys", "dm_tran_active_transactions", ACTIVE_TRANSACTIONS, active_transactions)
    },
    ViewDef {
        permission: Some(SERVER_STATE),
        ..ViewDef::new("sys", "dm_tran_session_transactions", SESSION_TRANSACTIONS, session_transactions)
    },
    ViewDef {
        permission: Some(SERVER_STATE),
        ..ViewDef::new(
            "sys",
            "dm_tran_active_snapshot_database_transactions",
            SNAPSHOT_TRANSACTIONS,
            snapshot_transactions,
        )
    },
];

/// Number of an isolation level in the views.
fn level(isolation: Isolation) -> Value {
    int(match isolation {
        Isolation::ReadUncommitted => 1,
        Isolation::ReadCommitted => 2,
        Isolation::RepeatableRead => 3,
        Isolation::Serializable => 4,
        Isolation::Snapshot => 5,
    })
}

fn count(n: impl TryInto<i64>) -> Value {
    int(n.try_into().unwrap_or(i64::MAX))
}

impl Catalog<'_> {
    /// All sessions for those who may see the server's state, else only the one that asks.
    fn visible_sessions(&self) -> Vec<SessionInfo> {
        let mut sessions = self.engine.sessions();
        if !self.scope.principal.sysadmin {
            let own = self.engine.session_of(self.scope.transaction);
            sessions.retain(|session| session.id == own);
        }
        sessions
    }
}

const SESSIONS: &[super::ViewColumn] = &[
    ("session_id", SMALLINT, false),
    ("login_time", DATETIME, false),
    ("host_name", SYSNAME, true),
    ("program_name", SYSNAME, true),
    ("login_name", SYSNAME, false),
    ("status", STATUS, false),
    ("is_user_process", BIT, false),
    ("transaction_isolation_level", SMALLINT, false),
    ("lock_timeout", INT, false),
    ("deadlock_priority", INT, false),
    ("row_count", BIGINT, false),
    ("original_login_name", SYSNAME, false),
    ("database_id", SMALLINT, false),
    ("open_transaction_count", INT, false),
];

fn sessions(catalog: &Catalog<'_>) -> ViewRows {
    let sessions = catalog.visible_sessions().into_iter().map(|session| {
        let activity = session.activity;
        vec![
            int(session.id),
            datetime(session.since),
            text(&session.host),
            text(&session.program),
            text(&session.login),
            text(if activity.request.is_some() { "running" } else { "sleeping" }),
            bit(true),
            level(activity.isolation),
            int(activity.lock_timeout),
            int(activity.deadlock_priority),
            count(activity.row_count),
            text(&session.login),
            int(activity.database.0),
            int(activity.nesting),
        ]
    });
    sessions.collect()
}

const REQUESTS: &[super::ViewColumn] = &[
    ("session_id", SMALLINT, false),
    ("request_id", INT, false),
    ("start_time", DATETIME, false),
    ("status", STATUS, false),
    ("command", COMMAND, false),
    ("database_id", SMALLINT, false),
    ("blocking_session_id", SMALLINT, true),
    ("wait_type", WAIT_TYPE, true),
    ("wait_time", INT, false),
    ("wait_resource", WAIT_RESOURCE, false),
    ("open_transaction_count", INT, false),
    ("transaction_isolation_level", SMALLINT, false),
    ("lock_timeout", INT, false),
    ("deadlock_priority", INT, false),
    ("row_count", BIGINT, false),
];

fn requests(catalog: &Catalog<'_>) -> ViewRows {
    let waits = catalog.engine.lock_waits();
    let requests = catalog.visible_sessions().into_iter().filter_map(|session| {
        let activity = session.activity;
        let request = activity.request?;
        let wait = waits.get(&session.id);
        Some(vec![
            int(session.id),
            int(0),
            datetime(request.since),
            text(if wait.is_some() { "suspended" } else { "running" }),
            text(request.command),
            int(activity.database.0),
            int(wait.map_or(0, |wait| wait.blocker)),
            wait.map_or(Value::Null, |wait| text(wait.mode.wait_type())),
            count(wait.map_or(0, |wait| wait.duration.as_millis())),
            text(&wait.map_or(String::new(), |wait| described(&wait.resource, wait.index_id).wait_resource)),
            int(activity.nesting),
            level(activity.isolation),
            int(activity.lock_timeout),
            int(activity.deadlock_priority),
            count(activity.row_count),
        ])
    });
    requests.collect()
}

const ACTIVE_TRANSACTIONS: &[super::ViewColumn] = &[
    ("transaction_id", BIGINT, false),
    ("name", SqlType::NVarChar(Length::Limited(32)), false),
    ("transaction_begin_time", DATETIME, false),
    ("transaction_type", INT, false),
    ("transaction_state", INT, false),
];

const READ_WRITE: i32 = 1;
const ACTIVE: i32 = 2;

fn active_transactions(catalog: &Catalog<'_>) -> ViewRows {
    let sessions: HashMap<u16, SessionInfo> =
        catalog.engine.sessions().into_iter().map(|session| (session.id, session)).collect();
    let open = catalog.engine.open_transactions().into_iter().map(|transaction| {
        let request = sessions.get(&transaction.origin.session).and_then(|session| session.activity.request);
        let name = match (&transaction.origin.name, transaction.origin.by_user, request) {
            (Some(name), ..) => name.as_str(),
            (None, true, _) => "user_transaction",
            (None, false, Some(request)) => request.command,
            (None, false, None) => "",
        };
        vec![count(transaction.id.0), text(name), datetime(transaction.since), int(READ_WRITE), int(ACTIVE)]
    });
    open.collect()
}

const SESSION_TRANSACTIONS: &[super::ViewColumn] = &[
    ("session_id", INT, false),
    ("transaction_id", BIGINT, false),
    ("transaction_descriptor", SqlType::Binary(8), false),
    ("enlist_count", INT, false),
    ("is_user_transaction", BIT, false),
    ("is_local", BIT, false),
    ("is_enlisted", BIT, false),
    ("is_bound", BIT, false),
    ("open_transaction_count", INT, false),
];

fn session_transactions(catalog: &Catalog<'_>) -> ViewRows {
    let open = catalog.engine.open_transactions().into_iter().filter(|open| open.origin.session != 0);
    let rows = open.map(|transaction| {
        vec![
            int(transaction.origin.session),
            count(transaction.id.0),
            Value::Bytes(transaction.id.0.to_le_bytes().to_vec()),
            int(1),
            bit(transaction.origin.by_user),
            bit(true),
            bit(false),
            bit(false),
            int(1),
        ]
    });
    rows.collect()
}

const SNAPSHOT_TRANSACTIONS: &[super::ViewColumn] = &[
    ("transaction_id", BIGINT, false),
    ("transaction_sequence_num", BIGINT, false),
    ("commit_sequence_num", BIGINT, true),
    ("is_snapshot", BIT, false),
    ("session_id", INT, false),
    ("first_snapshot_sequence_num", BIGINT, true),
    ("elapsed_time_seconds", BIGINT, false),
];

/// Transactions that read as of an instant; statements under READ COMMITTED SNAPSHOT are not among them.
fn snapshot_transactions(catalog: &Catalog<'_>) -> ViewRows {
    let now = catalog.engine.now();
    let open = catalog.engine.open_transactions().into_iter().filter_map(|transaction| {
        let snapshot = transaction.snapshot?;
        Some(vec![
            count(transaction.id.0),
            count(snapshot),
            Value::Null,
            bit(true),
            int(transaction.origin.session),
            count(snapshot),
            int((now - transaction.since).num_seconds()),
        ])
    });
    open.collect()
}
