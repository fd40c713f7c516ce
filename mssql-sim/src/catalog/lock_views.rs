//! Views of locks and of those who wait for them.

use super::field::{Field, List, field, optional};
use super::session_views::SERVER_STATE;
use super::storage_views::partition_id;
use super::{BIGINT, Catalog, INT, SMALLINT, ViewDef, int, null, text, zero};
use crate::engine::{LockInfo, Resource, WaitInfo};
use crate::types::{Length, SqlType};

const NAME: SqlType = SqlType::NVarChar(Length::Limited(60));
const RESOURCE: SqlType = SqlType::NVarChar(Length::Limited(256));

pub(super) const VIEWS: &[ViewDef] = &[
    ViewDef::guarded("dm_tran_locks", SERVER_STATE, &List::of(&[LOCK], locks)),
    ViewDef::guarded("dm_os_waiting_tasks", SERVER_STATE, &List::of(&[WAITING_TASK], waiting_tasks)),
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
        Resource::Application(lock) => {
            let description = format!("0:[{}]:{}", lock.name, digest(lock.name.as_bytes()));
            Described {
                kind: "APPLICATION",
                database,
                entity: 0,
                wait_resource: format!("APPLICATION: {database}:{description}"),
                waiting_for: format!("applicationlock hash={} dbid={database}", lock.name),
                description,
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

/// A granted or requested lock.
struct LockRow {
    kind: &'static str,
    database: i32,
    description: String,
    entity: i64,
    mode: &'static str,
    status: &'static str,
    session: u16,
    owner_type: &'static str,
    owner: u64,
}

const LOCK: &[Field<LockRow>] = &[
    field("resource_type", NAME, |l| text(l.kind)),
    field("resource_subtype", NAME, |_| text("")),
    field("resource_database_id", INT, |l| int(l.database)),
    field("resource_description", RESOURCE, |l| text(&l.description)),
    optional("resource_associated_entity_id", BIGINT, |l| int(l.entity)),
    field("resource_lock_partition", INT, zero),
    field("request_mode", NAME, |l| text(l.mode)),
    field("request_type", NAME, |_| text("LOCK")),
    field("request_status", NAME, |l| text(l.status)),
    field("request_session_id", INT, |l| int(l.session)),
    field("request_owner_type", NAME, |l| text(l.owner_type)),
    optional("request_owner_id", BIGINT, |l| int(i64::try_from(l.owner).unwrap_or(i64::MAX))),
];

fn locks(catalog: &Catalog<'_>) -> Vec<LockRow> {
    let databases = catalog.engine.sessions().into_iter().map(|session| LockRow {
        kind: "DATABASE",
        database: session.activity.database.0,
        description: String::new(),
        entity: 0,
        mode: "S",
        status: "GRANT",
        session: session.id,
        owner_type: "SHARED_TRANSACTION_WORKSPACE",
        owner: 0,
    });
    let others = catalog.engine.locks().into_iter().map(|lock: LockInfo| {
        let Described { kind, database, description, entity, .. } = described(&lock.resource, lock.index_id);
        LockRow {
            kind,
            database,
            description,
            entity,
            mode: lock.mode.name(),
            status: lock.status,
            session: lock.session,
            owner_type: "TRANSACTION",
            owner: lock.owner.0,
        }
    });
    databases.chain(others).collect()
}

const WAITING_TASK: &[Field<WaitInfo>] = &[
    optional("session_id", SMALLINT, |w| int(w.session)),
    optional("exec_context_id", INT, zero),
    optional("wait_duration_ms", BIGINT, |w| int(i64::try_from(w.duration.as_millis()).unwrap_or(i64::MAX))),
    optional("wait_type", NAME, |w| text(w.mode.wait_type())),
    optional("blocking_session_id", SMALLINT, |w| int(w.blocker)),
    optional("blocking_exec_context_id", INT, null),
    optional("resource_description", SqlType::NVarChar(Length::Limited(3072)), |w| {
        text(&described(&w.resource, w.index_id).waiting_for)
    }),
];

fn waiting_tasks(catalog: &Catalog<'_>) -> Vec<WaitInfo> {
    catalog.engine.lock_waits().into_values().collect()
}
