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
#[derive(Clone, Copy)]
struct Configuration {
    id: i32,
    name: &'static str,
    value: i32,
    range: (i32, i32),
    advanced: bool,
}

/// The options that tools ask for, with their defaults.
const CONFIGURATIONS: [Configuration; 12] = [
    Configuration { id: 101, name: "recovery interval (min)", value: 0, range: (0, 32767), advanced: true },
    Configuration { id: 103, name: "user connections", value: 0, range: (0, 32767), advanced: true },
    Configuration { id: 115, name: "nested triggers", value: 1, range: (0, 1), advanced: false },
    Configuration { id: 124, name: "default language", value: 0, range: (0, 9999), advanced: false },
    Configuration { id: 503, name: "max worker threads", value: 0, range: (128, 65535), advanced: true },
    Configuration { id: 518, name: "show advanced options", value: 0, range: (0, 1), advanced: false },
    Configuration {
        id: 1538,
        name: "cost threshold for parallelism",
        value: 5,
        range: (0, 32767),
        advanced: true,
    },
    Configuration {
        id: 1539,
        name: "max degree of parallelism",
        value: 0,
        range: (0, 32767),
        advanced: true,
    },
    Configuration {
        id: 1543,
        name: "min server memory (MB)",
        value: 0,
        range: (0, i32::MAX),
        advanced: true,
    },
    Configuration {
        id: 1544,
        name: "max server memory (MB)",
        value: i32::MAX,
        range: (128, i32::MAX),
        advanced: true,
    },
    Configuration { id: 1562, name: "clr enabled", value: 0, range: (0, 1), advanced: false },
    Configuration { id: 1579, name: "backup compression default", value: 0, range: (0, 1), advanced: false },
];

fn configurations(_: &Catalog<'_>) -> Vec<Configuration> {
    CONFIGURATIONS.to_vec()
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
