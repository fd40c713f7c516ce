//! Views of how data is stored: partitions, allocation units, files. There is one filegroup, PRIMARY, and what a row
//! takes is an estimate by its bytes.

use super::field::{Field, List, field, optional};
use super::index_views::indexes_of;
use super::{
    BIGINT, BIT, Catalog, DESCRIPTION, Guard, INT, SYSNAME, TINYINT, ViewDef, bit, code, int, no, null, text,
    zero,
};
use crate::types::{Length, SqlType};

pub(super) const VIEWS: &[ViewDef] = &[
    ViewDef::sys("partitions", &List::of(&[PARTITION], partitions)),
    ViewDef::sys("allocation_units", &List::of(&[ALLOCATION_UNIT], partitions)),
    ViewDef::guarded(
        "dm_db_partition_stats",
        Guard::Database("VIEW DATABASE STATE"),
        &List::of(&[PARTITION_STATS], partitions),
    ),
    ViewDef::sys("data_spaces", &List::of(&[FILEGROUP], filegroups)),
    ViewDef::sys("filegroups", &List::of(&[FILEGROUP], filegroups)),
    ViewDef::sys("database_files", &List::of(&[FILE], own_files)),
    ViewDef::sys("master_files", &List::of(&[FILE_DATABASE, FILE], all_files)),
];

/// The only partition of a heap or index.
struct Partition {
    object_id: i32,
    index_id: i32,
    rows: i64,
}

impl Partition {
    fn id(&self) -> i64 {
        partition_id(self.object_id, self.index_id)
    }

    /// Pages of 8 KiB, as if a page held so many rows.
    fn pages(&self) -> i64 {
        const ROWS_PER_PAGE: i64 = 50;
        (self.rows + ROWS_PER_PAGE - 1) / ROWS_PER_PAGE
    }
}

/// `partition_id` and `hobt_id` of an index or heap.
pub(super) fn partition_id(object_id: i32, index_id: i32) -> i64 {
    /// Leaves room for the index ids.
    const STEP: i64 = 1 << 16;
    i64::from(object_id) * STEP + i64::from(index_id)
}

fn partitions(catalog: &Catalog<'_>) -> Vec<Partition> {
    let mut rows = Vec::new();
    for table in catalog.tables() {
        // A table that was dropped since has no partitions to show.
        let Ok(count) = catalog.engine.row_count(catalog.scope, &table.def) else { continue };
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        rows.extend(indexes_of(&table.def).into_iter().map(|index| Partition {
            object_id: index.object_id,
            index_id: index.index_id,
            rows: count,
        }));
    }
    rows
}

const PARTITION: &[Field<Partition>] = &[
    field("partition_id", BIGINT, |p| int(p.id())),
    field("object_id", INT, |p| int(p.object_id)),
    field("index_id", INT, |p| int(p.index_id)),
    field("partition_number", INT, |_| int(1)),
    field("hobt_id", BIGINT, |p| int(p.id())),
    optional("rows", BIGINT, |p| int(p.rows)),
    field("filestream_filegroup_id", SqlType::SmallInt, zero),
    field("data_compression", TINYINT, zero),
    optional("data_compression_desc", DESCRIPTION, |_| text("NONE")),
    optional("xml_compression", BIT, no),
    optional("xml_compression_desc", SqlType::VarChar(Length::Limited(3)), |_| text("OFF")),
];

const ALLOCATION_UNIT: &[Field<Partition>] = &[
    field("allocation_unit_id", BIGINT, |p| int(p.id())),
    field("type", TINYINT, |_| int(1)),
    optional("type_desc", DESCRIPTION, |_| text("IN_ROW_DATA")),
    field("container_id", BIGINT, |p| int(p.id())),
    optional("data_space_id", INT, |_| int(1)),
    field("total_pages", BIGINT, |p| int(p.pages())),
    field("used_pages", BIGINT, |p| int(p.pages())),
    field("data_pages", BIGINT, |p| int(p.pages())),
];

const PARTITION_STATS: &[Field<Partition>] = &[
    optional("partition_id", BIGINT, |p| int(p.id())),
    field("object_id", INT, |p| int(p.object_id)),
    field("index_id", INT, |p| int(p.index_id)),
    field("partition_number", INT, |_| int(1)),
    optional("in_row_data_page_count", BIGINT, |p| int(p.pages())),
    optional("in_row_used_page_count", BIGINT, |p| int(p.pages())),
    optional("in_row_reserved_page_count", BIGINT, |p| int(p.pages())),
    optional("lob_used_page_count", BIGINT, zero),
    optional("lob_reserved_page_count", BIGINT, zero),
    optional("row_overflow_used_page_count", BIGINT, zero),
    optional("row_overflow_reserved_page_count", BIGINT, zero),
    optional("used_page_count", BIGINT, |p| int(p.pages())),
    optional("reserved_page_count", BIGINT, |p| int(p.pages())),
    optional("row_count", BIGINT, |p| int(p.rows)),
];

/// The filegroup PRIMARY.
struct PrimaryFilegroup;

fn filegroups(_: &Catalog<'_>) -> Vec<PrimaryFilegroup> {
    vec![PrimaryFilegroup]
}

const FILEGROUP: &[Field<PrimaryFilegroup>] = &[
    field("name", SYSNAME, |_| text("PRIMARY")),
    field("data_space_id", INT, |_| int(1)),
    field("type", SqlType::Char(2), |_| code("FG")),
    optional("type_desc", DESCRIPTION, |_| text("ROWS_FILEGROUP")),
    optional("is_default", BIT, |_| bit(true)),
    optional("is_system", BIT, no),
];

/// A file of a database.
struct File {
    database_id: i32,
    file_id: i32,
    name: String,
}

impl File {
    fn is_log(&self) -> bool {
        self.file_id == 2
    }
}

fn files_of(database_id: i32, database: &str) -> [File; 2] {
    [
        File { database_id, file_id: 1, name: database.to_owned() },
        File { database_id, file_id: 2, name: format!("{database}_log") },
    ]
}

fn own_files(catalog: &Catalog<'_>) -> Vec<File> {
    files_of(catalog.database.0, &catalog.database_name()).into()
}

fn all_files(catalog: &Catalog<'_>) -> Vec<File> {
    let databases = catalog.engine.databases();
    databases.iter().flat_map(|database| files_of(database.id.0, &database.name)).collect()
}

const FILE_DATABASE: &[Field<File>] = &[field("database_id", INT, |f| int(f.database_id))];

const FILE: &[Field<File>] = &[
    field("file_id", INT, |f| int(f.file_id)),
    optional("file_guid", SqlType::UniqueIdentifier, null),
    field("type", TINYINT, |f| int(u8::from(f.is_log()))),
    optional("type_desc", DESCRIPTION, |f| text(if f.is_log() { "LOG" } else { "ROWS" })),
    field("data_space_id", INT, |f| int(u8::from(!f.is_log()))),
    field("name", SYSNAME, |f| text(&f.name)),
    optional("physical_name", SqlType::NVarChar(Length::Limited(260)), |f| {
        let extension = if f.is_log() { "ldf" } else { "mdf" };
        text(&format!("/var/opt/mssql/data/{}.{extension}", f.name))
    }),
    optional("state", TINYINT, zero),
    optional("state_desc", DESCRIPTION, |_| text("ONLINE")),
    field("size", INT, |_| int(1024)),
    field("max_size", INT, |_| int(-1)),
    field("growth", INT, |_| int(8192)),
    field("is_media_read_only", BIT, no),
    field("is_read_only", BIT, no),
    field("is_sparse", BIT, no),
    field("is_percent_growth", BIT, no),
    field("is_name_reserved", BIT, no),
];
