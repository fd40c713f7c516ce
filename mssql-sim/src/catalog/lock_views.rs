//! Views of locks and of those who wait for them.

use super::session_views::SERVER_STATE;
use super::table_views::partition_id;
use super::{BIGINT, Catalog, INT, SMALLINT, ViewDef, ViewRows, int, text};
use crate::engine::{LockInfo, Resource, WaitInfo};
use crate::types::{Length, SqlType, Value};

const NAME: SqlType = SqlType::NVarChar(Length::Limited(60));
const RESOURCE: SqlType = SqlType::NVarChar(Length::Limited(256));

pub(super) const VIEWS: &[ViewDef] = &[
    ViewDef { permission: Some(SERVER_STATE), ..ViewDef::new("sys", "dm_tran_locks", LOCKS, locks) },
    ViewDef {
        permission: Some(SERVER_STATE),
        ..ViewDef::new("sys", "dm_os_waiting_tasks", WAITING_TASKS, waiting_tasks)
    },
];

/// A locked thing in the words of the views.
pub(super) struct Described {
    kind: &'static str,
    database: i32,
    description: String,
    /// Object id of a table, else the id of the index's or heap's rows.
    entity: i64,
    /// As in `sys.dm_exec_requests`.
    pub(super) wait_resource: String,
    /// As in `sys.dm_os_waiting_tasks`.
    waiting_for: String,
}

/// Describes a locked thing; `index_id` is that of a key's index.
pub(super) fn described(resource: &Resource, index_id: i32) -> Described {
    let (database, object) = resource.table();
    let database = database.0;
    let rows = partition_id(object, index_id);
    match resource {
        Resource::Object(_) => Described {
            kind: "OBJECT",
            database,
            // Blanks to the column's width, as the server has it.
            description: " ".repeat(256),
            entity: i64::from(object),
            wait_resource: format!("OBJECT: {database}:{object}:0 "),
            waiting_for: format!(
                "objectlock lockPartition=0 objid={object} subresource=FULL dbid={database}"
            ),
        },
        Resource::Row(_, key) => {
            let number = key.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
            let (page, slot) = (number >> 8, number & 0xFF);
            Described {
                kind: "RID",
                database,
                description: format!("1:{page}:{slot}"),
                entity: rows,
                wait_resource: format!("RID: {database}:1:{page}:{slot}"),
                waiting_for: format!("ridlock fileid=1 pageid={page} dbid={database}"),
            }
        }
        Resource::Key(..) | Resource::End(..) => {
            let digest = match resource {
                Resource::Key(_, _, key) => digest(key),
                _ => "(ffffffffffff)".to_owned(),
            };
            Described {
                kind: "KEY",
                database,
                entity: rows,
                wait_resource: format!("KEY: {database}:{rows} {digest}"),
                waiting_for: format!("keylock hobtid={rows} dbid={database}"),
                description: digest,
            }
        }
    }
}

/// Six bytes that stand for a key.
fn digest(key: &[u8]) -> String {
    const OFFSET: u64 = 0xCBF2_9CE4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01B3;
    let hash = key.iter().fold(OFFSET, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME));
    format!("({:012x})", hash >> 16)
}

const LOCKS: &[super::ViewColumn] = &[
    ("resource_type", NAME, false),
    ("resource_subtype", NAME, false),
    ("resource_database_id", INT, false),
    ("resource_description", RESOURCE, false),
    ("resource_associated_entity_id", BIGINT, true),
    ("resource_lock_partition", INT, false),
    ("request_mode", NAME, false),
    ("request_type", NAME, false),
    ("request_status", NAME, false),
    ("request_session_id", INT, false),
    ("request_owner_type", NAME, false),
    ("request_owner_id", BIGINT, true),
];

fn locks(catalog: &Catalog<'_>) -> ViewRows {
    let databases = catalog.engine.sessions().into_iter().map(|session| {
        let database = Value::Int(i64::from(session.activity.database.0));
        let (mode, status) = ("S", "GRANT");
        let owner = (session.id, "SHARED_TRANSACTION_WORKSPACE", 0);
        lock_row(("DATABASE", database, "", Value::Int(0)), (mode, status), owner)
    });
    let others = catalog.engine.locks().into_iter().map(|lock: LockInfo| {
        let Described { kind, database, description, entity, .. } = described(&lock.resource, lock.index_id);
        let resource = (kind, Value::Int(i64::from(database)), description.as_str(), Value::Int(entity));
        lock_row(resource, (lock.mode.name(), lock.status), (lock.session, "TRANSACTION", lock.owner.0))
    });
    databases.chain(others).collect()
}

fn lock_row(
    (kind, database, description, entity): (&str, Value, &str, Value),
    (mode, status): (&str, &str),
    (session, owner_type, owner): (u16, &str, u64),
) -> Vec<Value> {
    vec![
        text(kind),
        text(""),
        database,
        text(description),
        entity,
        int(0),
        text(mode),
        text("LOCK"),
        text(status),
        int(session),
        text(owner_type),
        int(i64::try_from(owner).unwrap_or(i64::MAX)),
    ]
}

const WAITING_TASKS: &[super::ViewColumn] = &[
    ("session_id", SMALLINT, true),
    ("exec_context_id", INT, true),
    ("wait_duration_ms", BIGINT, true),
    ("wait_type", NAME, true),
    ("blocking_session_id", SMALLINT, true),
    ("blocking_exec_context_id", INT, true),
    ("resource_description", SqlType::NVarChar(Length::Limited(3072)), true),
];

fn waiting_tasks(catalog: &Catalog<'_>) -> ViewRows {
    let waits = catalog.engine.lock_waits().into_values().map(|wait: WaitInfo| {
        vec![
            int(wait.session),
            int(0),
            int(i64::try_from(wait.duration.as_millis()).unwrap_or(i64::MAX)),
            text(wait.mode.wait_type()),
            int(wait.blocker),
            Value::Null,
            text(&described(&wait.resource, wait.index_id).waiting_for),
        ]
    });
    waits.collect()
}
