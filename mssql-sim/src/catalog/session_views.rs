//! Views of sessions, requests and transactions.

use std::collections::HashMap;

use super::field::{Field, List, field, nothing, optional};
use super::lock_views::described;
use super::{
    BIGINT, BIT, Catalog, DATETIME, Guard, INT, SMALLINT, SYSNAME, ViewDef, bit, datetime, int, no, null,
    optional_text, text, zero,
};
use crate::engine::{Activity, RequestInfo, SessionInfo, TransactionInfo, WaitInfo};
use crate::parser::ast::Isolation;
use crate::types::{Length, SqlType, Value};

/// What it takes to see the server's state.
pub(super) const SERVER_STATE: Guard = Guard::Server("VIEW SERVER PERFORMANCE STATE", 300);

const STATUS: SqlType = SqlType::NVarChar(Length::Limited(30));
const COMMAND: SqlType = SqlType::NVarChar(Length::Limited(32));
const WAIT_TYPE: SqlType = SqlType::NVarChar(Length::Limited(60));
const WAIT_RESOURCE: SqlType = SqlType::NVarChar(Length::Limited(256));

pub(super) const VIEWS: &[ViewDef] = &[
    ViewDef::sys("dm_exec_sessions", &List::of(&[SESSION], visible_sessions)),
    ViewDef::sys("dm_exec_requests", &List::of(&[REQUEST], requests)),
    ViewDef::guarded(
        "dm_exec_connections",
        Guard::Server("VIEW SERVER SECURITY STATE", 371),
        &List::of(&[CONNECTION], visible_sessions),
    ),
    ViewDef::guarded(
        "dm_tran_active_transactions",
        SERVER_STATE,
        &List::of(&[ACTIVE_TRANSACTION], active_transactions),
    ),
    ViewDef::guarded(
        "dm_tran_session_transactions",
        SERVER_STATE,
        &List::of(&[SESSION_TRANSACTION], session_transactions),
    ),
    ViewDef::guarded(
        "dm_tran_active_snapshot_database_transactions",
        SERVER_STATE,
        &List::of(&[SNAPSHOT_TRANSACTION], snapshot_transactions),
    ),
    ViewDef::guarded("dm_os_performance_counters", SERVER_STATE, &List::of(&[PERFORMANCE_COUNTER], nothing)),
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

/// All sessions for those who may see the server's state, else only the one that asks.
fn visible_sessions(catalog: &Catalog<'_>) -> Vec<SessionInfo> {
    let mut sessions = catalog.engine.sessions();
    if catalog.require(SERVER_STATE).is_err() {
        let own = catalog.engine.session_of(catalog.scope.transaction);
        sessions.retain(|session| session.id == own);
    }
    sessions
}

const SESSION: &[Field<SessionInfo>] = &[
    field("session_id", SMALLINT, |s| int(s.id)),
    field("login_time", DATETIME, |s| datetime(s.since)),
    optional("host_name", SYSNAME, |s| text(&s.host)),
    optional("program_name", SYSNAME, |s| text(&s.program)),
    field("login_name", SYSNAME, |s| text(&s.login)),
    field("status", STATUS, |s| text(if s.activity.request.is_some() { "running" } else { "sleeping" })),
    field("is_user_process", BIT, |_| bit(true)),
    field("transaction_isolation_level", SMALLINT, |s| level(s.activity.isolation)),
    field("lock_timeout", INT, |s| int(s.activity.lock_timeout)),
    field("deadlock_priority", INT, |s| int(s.activity.deadlock_priority)),
    field("row_count", BIGINT, |s| count(s.activity.row_count)),
    field("original_login_name", SYSNAME, |s| text(&s.login)),
    field("database_id", SMALLINT, |s| int(s.activity.database.0)),
    field("open_transaction_count", INT, |s| int(s.activity.nesting)),
];

const CONNECTION: &[Field<SessionInfo>] = &[
    optional("session_id", INT, |s| int(s.id)),
    field("connect_time", DATETIME, |s| datetime(s.since)),
    field("net_transport", SqlType::NVarChar(Length::Limited(40)), |_| text("TCP")),
    optional("protocol_type", SqlType::NVarChar(Length::Limited(40)), |_| text("TSQL")),
    optional("protocol_version", INT, |_| int(0x7400_0004)),
    field("auth_scheme", SqlType::NVarChar(Length::Limited(40)), |_| text("SQL")),
];

/// A running request of a session, and the lock for which it waits.
struct RequestRow {
    session: u16,
    activity: Activity,
    request: RequestInfo,
    wait: Option<WaitInfo>,
}

fn requests(catalog: &Catalog<'_>) -> Vec<RequestRow> {
    let mut waits = catalog.engine.lock_waits();
    let requests = visible_sessions(catalog).into_iter().filter_map(|session| {
        let request = session.activity.request?;
        Some(RequestRow {
            session: session.id,
            activity: session.activity,
            request,
            wait: waits.remove(&session.id),
        })
    });
    requests.collect()
}

const REQUEST: &[Field<RequestRow>] = &[
    field("session_id", SMALLINT, |r| int(r.session)),
    field("request_id", INT, zero),
    field("start_time", DATETIME, |r| datetime(r.request.since)),
    field("status", STATUS, |r| text(if r.wait.is_some() { "suspended" } else { "running" })),
    field("command", COMMAND, |r| text(r.request.command)),
    field("database_id", SMALLINT, |r| int(r.activity.database.0)),
    optional("blocking_session_id", SMALLINT, |r| int(r.wait.as_ref().map_or(0, |wait| wait.blocker))),
    optional("wait_type", WAIT_TYPE, |r| optional_text(r.wait.as_ref().map(|wait| wait.mode.wait_type()))),
    field("wait_time", INT, |r| count(r.wait.as_ref().map_or(0, |wait| wait.duration.as_millis()))),
    field("wait_resource", WAIT_RESOURCE, |r| text(&wait_resource(r))),
    field("open_transaction_count", INT, |r| int(r.activity.nesting)),
    field("transaction_isolation_level", SMALLINT, |r| level(r.activity.isolation)),
    field("lock_timeout", INT, |r| int(r.activity.lock_timeout)),
    field("deadlock_priority", INT, |r| int(r.activity.deadlock_priority)),
    field("row_count", BIGINT, |r| count(r.activity.row_count)),
];

fn wait_resource(request: &RequestRow) -> String {
    let wait = request.wait.as_ref();
    wait.map_or_else(String::new, |wait| described(&wait.resource, wait.index_id).wait_resource)
}

/// An open transaction by its name.
struct ActiveTransaction {
    name: String,
    transaction: TransactionInfo,
}

const READ_WRITE: i32 = 1;
const ACTIVE: i32 = 2;

const ACTIVE_TRANSACTION: &[Field<ActiveTransaction>] = &[
    field("transaction_id", BIGINT, |t| count(t.transaction.id.0)),
    field("name", SqlType::NVarChar(Length::Limited(32)), |t| text(&t.name)),
    field("transaction_begin_time", DATETIME, |t| datetime(t.transaction.since)),
    field("transaction_type", INT, |_| int(READ_WRITE)),
    field("transaction_state", INT, |_| int(ACTIVE)),
];

fn active_transactions(catalog: &Catalog<'_>) -> Vec<ActiveTransaction> {
    let sessions: HashMap<u16, SessionInfo> =
        catalog.engine.sessions().into_iter().map(|session| (session.id, session)).collect();
    let open = catalog.engine.open_transactions().into_iter().map(|transaction| {
        let request = sessions.get(&transaction.origin.session).and_then(|session| session.activity.request);
        let name = match (&transaction.origin.name, transaction.origin.by_user, request) {
            (Some(name), ..) => name.clone(),
            (None, true, _) => "user_transaction".to_owned(),
            (None, false, Some(request)) => request.command.to_owned(),
            (None, false, None) => String::new(),
        };
        ActiveTransaction { name, transaction }
    });
    open.collect()
}

const SESSION_TRANSACTION: &[Field<TransactionInfo>] = &[
    field("session_id", INT, |t| int(t.origin.session)),
    field("transaction_id", BIGINT, |t| count(t.id.0)),
    field("transaction_descriptor", SqlType::Binary(8), |t| Value::Bytes(t.id.0.to_le_bytes().to_vec())),
    field("enlist_count", INT, |_| int(1)),
    field("is_user_transaction", BIT, |t| bit(t.origin.by_user)),
    field("is_local", BIT, |_| bit(true)),
    field("is_enlisted", BIT, no),
    field("is_bound", BIT, no),
    field("open_transaction_count", INT, |_| int(1)),
];

fn session_transactions(catalog: &Catalog<'_>) -> Vec<TransactionInfo> {
    catalog.engine.open_transactions().into_iter().filter(|open| open.origin.session != 0).collect()
}

/// A transaction that reads as of an instant.
struct SnapshotTransaction {
    transaction: TransactionInfo,
    snapshot: u64,
    /// How long it has been open.
    seconds: i64,
}

const SNAPSHOT_TRANSACTION: &[Field<SnapshotTransaction>] = &[
    field("transaction_id", BIGINT, |t| count(t.transaction.id.0)),
    field("transaction_sequence_num", BIGINT, |t| count(t.snapshot)),
    optional("commit_sequence_num", BIGINT, null),
    field("is_snapshot", BIT, |_| bit(true)),
    field("session_id", INT, |t| int(t.transaction.origin.session)),
    optional("first_snapshot_sequence_num", BIGINT, |t| count(t.snapshot)),
    field("elapsed_time_seconds", BIGINT, |t| int(t.seconds)),
];

/// Statements under READ COMMITTED SNAPSHOT are not among them.
fn snapshot_transactions(catalog: &Catalog<'_>) -> Vec<SnapshotTransaction> {
    let now = catalog.engine.now();
    let open = catalog.engine.open_transactions().into_iter().filter_map(|transaction| {
        let seconds = (now - transaction.since).num_seconds();
        Some(SnapshotTransaction { snapshot: transaction.snapshot?, seconds, transaction })
    });
    open.collect()
}

/// A counter of the server; none is kept.
struct PerformanceCounter;

const PERFORMANCE_COUNTER: &[Field<PerformanceCounter>] = &[
    field("object_name", SqlType::NChar(128), null),
    field("counter_name", SqlType::NChar(128), null),
    optional("instance_name", SqlType::NChar(128), null),
    field("cntr_value", BIGINT, null),
    field("cntr_type", INT, null),
];
