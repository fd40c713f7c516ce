//! Tables, columns and layouts.

use crate::Fold;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A table as the source names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceTable {
    /// Schema, such as `dbo`.
    pub schema: String,
    /// Table, such as `Orders`.
    pub table: String,
}

impl fmt::Display for SourceTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.table)
    }
}

/// A column's type in the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ColumnType {
    /// `boolean`
    Bool,
    /// `smallint`
    Int2,
    /// `integer`
    Int4,
    /// `bigint`
    Int8,
    /// `real`
    Float4,
    /// `double precision`
    Float8,
    /// `numeric(precision, scale)`
    Numeric {
        /// 1 to 38
        precision: u8,
        /// 0 to `precision`
        scale: u8,
    },
    /// `text`
    Text,
    /// `bytea`
    Bytes,
    /// `date`
    Date,
    /// `time`
    Time,
    /// `timestamp`
    Timestamp,
    /// `timestamptz`
    TimestampTz,
    /// `uuid`
    Uuid,
}

/// A column under both its names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Column {
    /// Name at the source, as written there.
    pub source: String,
    /// Name in the target: one lower-case identifier.
    pub target: String,
    /// Type in the target.
    pub column_type: ColumnType,
    /// Whether the source allows NULL.
    pub nullable: bool,
    /// For text that takes part in a key, a join or a figure: how its stored twin is folded.
    pub twin: Option<Fold>,
}

impl Column {
    /// The name of the stored twin beside the column.
    pub fn twin_name(&self) -> String {
        format!("{}__key", self.target)
    }

    /// The column that decides equality: the twin where there is one.
    pub fn identity_name(&self) -> String {
        if self.twin.is_some() { self.twin_name() } else { self.target.clone() }
    }
}

/// The columns and types under which rows are captured.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Layout {
    /// The table at the source.
    pub source: SourceTable,
    /// The table in the target, inside the source's target schema.
    pub target: String,
    /// Columns in the order of every row.
    pub columns: Vec<Column>,
    /// Positions in `columns` of the primary key, in key order.
    pub key: Vec<usize>,
}

/// Identity of a layout: equal layouts have equal ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LayoutId(pub u64);

impl Layout {
    /// A stable hash (FNV-1a over the debug-free text of every part), the same on every machine and build.
    pub fn id(&self) -> LayoutId {
        let mut hash = Fnv::new();
        hash.text(&self.source.schema);
        hash.text(&self.source.table);
        hash.text(&self.target);
        for column in &self.columns {
            hash.text(&column.source);
            hash.text(&column.target);
            hash.text(&column.column_type.to_string());
            hash.byte(u8::from(column.nullable));
            match column.twin {
                None => hash.byte(0),
                Some(fold) => {
                    hash.byte(
                        1 | u8::from(fold.case) << 1
                            | u8::from(fold.accents) << 2
                            | u8::from(fold.width) << 3,
                    );
                }
            }
        }
        for position in &self.key {
            hash.text(&position.to_string());
        }
        LayoutId(hash.0)
    }

    /// The key columns in key order.
    pub fn key_columns(&self) -> impl Iterator<Item = &Column> {
        self.key.iter().map(|&position| &self.columns[position])
    }
}

impl fmt::Display for ColumnType {
    /// The type as PostgreSQL's DDL writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("boolean"),
            Self::Int2 => f.write_str("smallint"),
            Self::Int4 => f.write_str("integer"),
            Self::Int8 => f.write_str("bigint"),
            Self::Float4 => f.write_str("real"),
            Self::Float8 => f.write_str("double precision"),
            Self::Numeric { precision, scale } => write!(f, "numeric({precision},{scale})"),
            Self::Text => f.write_str("text"),
            Self::Bytes => f.write_str("bytea"),
            Self::Date => f.write_str("date"),
            Self::Time => f.write_str("time"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::TimestampTz => f.write_str("timestamptz"),
            Self::Uuid => f.write_str("uuid"),
        }
    }
}

struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }

    /// The length goes first, so that no two lists of texts run into one.
    fn text(&mut self, text: &str) {
        for byte in text.len().to_le_bytes() {
            self.byte(byte);
        }
        for byte in text.bytes() {
            self.byte(byte);
        }
    }
}
