//! Views of the server: its configuration, and the availability groups to which it does not belong.

use super::field::{Field, List, field, nothing, optional};
use super::{BIT, Catalog, DESCRIPTION, Guard, INT, TINYINT, ViewDef, bit, int, null, text};
use crate::types::{Length, SqlType};

pub(super) const VIEWS: &[ViewDef] = &[
    ViewDef::sys("configurations", &List::of(&[CONFIGURATION], configurations)),
    ViewDef::guarded(
        "dm_hadr_database_replica_states",
        Guard::Server("VIEW SERVER STATE", 300),
        &List::of(&[REPLICA_STATE], nothing),
    ),
    ViewDef::sys("availability_groups", &List::of(&[AVAILABILITY_GROUP], nothing)),
    ViewDef::sys("availability_replicas", &List::of(&[AVAILABILITY_REPLICA], nothing)),
    ViewDef::sys("servers", &List::of(&[SERVER], servers)),
];

/// An option of `sp_configure`.
struct Configuration {
    id: i32,
    name: &'static str,
    value: i32,
    range: (i32, i32),
    advanced: bool,
}

/// The options that tools ask for, with their defaults.
const CONFIGURATIONS: [(i32, &str, i32, (i32, i32), bool); 12] = [
    (101, "recovery interval (min)", 0, (0, 32767), true),
    (103, "user connections", 0, (0, 32767), true),
    (115, "nested triggers", 1, (0, 1), false),
    (124, "default language", 0, (0, 9999), false),
    (503, "max worker threads", 0, (128, 65535), true),
    (518, "show advanced options", 0, (0, 1), false),
    (1538, "cost threshold for parallelism", 5, (0, 32767), true),
    (1539, "max degree of parallelism", 0, (0, 32767), true),
    (1543, "min server memory (MB)", 0, (0, i32::MAX), true),
    (1544, "max server memory (MB)", i32::MAX, (128, i32::MAX), true),
    (1562, "clr enabled", 0, (0, 1), false),
    (1579, "backup compression default", 0, (0, 1), false),
];

fn configurations(_: &Catalog<'_>) -> Vec<Configuration> {
    let options = CONFIGURATIONS.iter().copied();
    options
        .map(|(id, name, value, range, advanced)| Configuration { id, name, value, range, advanced })
        .collect()
}

/// `sql_variant`s of ints.
const CONFIGURATION: &[Field<Configuration>] = &[
    field("configuration_id", INT, |c| int(c.id)),
    field("name", SqlType::NVarChar(Length::Limited(35)), |c| text(c.name)),
    optional("value", INT, |c| int(c.value)),
    optional("minimum", INT, |c| int(c.range.0)),
    optional("maximum", INT, |c| int(c.range.1)),
    optional("value_in_use", INT, |c| int(c.value)),
    field("description", SqlType::NVarChar(Length::Limited(255)), |c| text(c.name)),
    field("is_dynamic", BIT, |_| bit(true)),
    field("is_advanced", BIT, |c| bit(c.advanced)),
];

/// Something of an availability group; there is none.
struct Replica;

const REPLICA_STATE: &[Field<Replica>] = &[
    field("database_id", INT, null),
    field("group_id", SqlType::UniqueIdentifier, null),
    field("replica_id", SqlType::UniqueIdentifier, null),
    field("group_database_id", SqlType::UniqueIdentifier, null),
    optional("is_local", BIT, null),
    optional("is_primary_replica", BIT, null),
    optional("synchronization_state", TINYINT, null),
    optional("synchronization_state_desc", DESCRIPTION, null),
    optional("is_commit_participant", BIT, null),
    optional("synchronization_health", TINYINT, null),
    optional("synchronization_health_desc", DESCRIPTION, null),
    optional("database_state", TINYINT, null),
    optional("database_state_desc", DESCRIPTION, null),
    optional("is_suspended", BIT, null),
];

const AVAILABILITY_GROUP: &[Field<Replica>] = &[
    field("group_id", SqlType::UniqueIdentifier, null),
    optional("name", super::SYSNAME, null),
    optional("resource_id", SqlType::NVarChar(Length::Limited(40)), null),
];

const AVAILABILITY_REPLICA: &[Field<Replica>] = &[
    optional("replica_id", SqlType::UniqueIdentifier, null),
    optional("group_id", SqlType::UniqueIdentifier, null),
    optional("replica_server_name", SqlType::NVarChar(Length::Limited(256)), null),
    optional("availability_mode", TINYINT, null),
    optional("availability_mode_desc", DESCRIPTION, null),
];

/// The server itself.
struct ThisServer;

fn servers(_: &Catalog<'_>) -> Vec<ThisServer> {
    vec![ThisServer]
}

const SERVER: &[Field<ThisServer>] = &[
    field("server_id", INT, |_| int(0)),
    field("name", super::SYSNAME, |_| text("MSSQL-SIM")),
    field("product", super::SYSNAME, |_| text("SQL Server")),
    field("provider", super::SYSNAME, |_| text("SQLNCLI")),
    field("is_linked", BIT, |_| bit(false)),
];
