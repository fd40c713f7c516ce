//! What the engine knows about a table: columns, keys, constraints. A definition never changes; DDL replaces it.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::index_filter::IndexFilter;
use super::schema_object::ObjectHeader;
use super::temporary;
use crate::collation::Collation;
use crate::parser::ast::{Expr, IndexOptions, LockEscalation};
use crate::types::{ColumnMeta, SqlType};

/// Identity of a database, as `DB_ID()` answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DatabaseId(pub i32);

/// Identity of an object within its database; never used twice.
pub type ObjectId = i32;

/// `index_id` of the clustered index, be it the primary key or another one.
pub const CLUSTERED_INDEX_ID: i32 = 1;

/// A table's definition.
#[derive(Clone, Debug)]
pub struct TableDef {
    /// Database that holds it.
    pub database: DatabaseId,
    /// Object id.
    pub object_id: ObjectId,
    /// Id of its schema.
    pub schema_id: i32,
    /// Name of its schema, as created.
    pub schema: String,
    /// Name, as created; made up for a temporary table.
    pub name: String,
    /// The name by which statements know a temporary table or table variable.
    pub known_as: Option<String>,
    /// Columns in order; their row form is [`TableDef::layout`].
    pub columns: Vec<Column>,
    /// The columns as a result describes them, in the same order.
    pub layout: Arc<[ColumnMeta]>,
    /// Primary key; its columns order the table's rows. Without one the rows stand in the order of insertion.
    pub primary_key: Option<KeyDef>,
    /// UNIQUE constraints and indexes, in the order of their creation.
    pub indexes: Vec<IndexDef>,
    /// FOREIGN KEY constraints of this table.
    pub foreign_keys: Vec<ForeignKey>,
    /// CHECK constraints.
    pub checks: Vec<Check>,
    /// Highest column id ever given; ids of dropped columns are not used again.
    pub last_column_id: i32,
    /// `LOCK_ESCALATION`
    pub lock_escalation: LockEscalation,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When its definition last changed.
    pub modified: DateTime<Utc>,
}

impl TableDef {
    /// Position of a column by name; names follow the default collation.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| Collation::DEFAULT.equal_str(&c.name, name))
    }

    /// The name by which statements know it.
    pub fn known_name(&self) -> &str {
        self.known_as.as_deref().unwrap_or(&self.name)
    }

    /// `schema.name`
    pub fn qualified_name(&self) -> String {
        format!("{}.{}", self.schema, self.known_name())
    }

    /// Whether it is a temporary table of one session or a table variable.
    pub fn is_temporary(&self) -> bool {
        self.known_as.is_some()
    }

    /// Whether it is a table variable, whose rows no transaction takes back.
    pub fn is_variable(&self) -> bool {
        self.known_as.as_deref().is_some_and(temporary::is_variable)
    }

    /// Name and identity.
    pub fn header(&self) -> ObjectHeader {
        ObjectHeader {
            database: self.database,
            object_id: self.object_id,
            schema_id: self.schema_id,
            schema: self.schema.clone(),
            name: self.name.clone(),
            created: self.created,
            modified: self.modified,
        }
    }

    /// Names and object ids of its constraints: keys, foreign keys, checks, defaults.
    pub fn constraints(&self) -> impl Iterator<Item = (&str, ObjectId)> {
        let primary = self.primary_key.iter().map(|key| (key.name.as_str(), key.object_id));
        let unique = self.indexes.iter().filter_map(|index| Some((index.name.as_str(), index.constraint?)));
        let foreign = self.foreign_keys.iter().map(|key| (key.name.as_str(), key.object_id));
        let checks = self.checks.iter().map(|check| (check.name.as_str(), check.object_id));
        let defaults = self.columns.iter().filter_map(|column| column.default.as_ref());
        let defaults = defaults.map(|default| (default.name.as_str(), default.object_id));
        primary.chain(unique).chain(foreign).chain(checks).chain(defaults)
    }

    /// Position of the identity column.
    pub fn identity_column(&self) -> Option<usize> {
        self.columns.iter().position(|c| c.identity.is_some())
    }

    /// Position of the rowversion column.
    pub fn rowversion_column(&self) -> Option<usize> {
        self.columns.iter().position(|c| c.sql_type() == SqlType::RowVersion)
    }

    /// Columns of a key or index, in key order; empty for the primary key of a table without one.
    pub fn index_columns(&self, index: IndexRef) -> &[KeyColumn] {
        match index {
            IndexRef::Primary => self.primary_key.as_ref().map_or(&[], |key| &key.columns),
            IndexRef::Secondary(position) => &self.indexes[position].columns,
        }
    }

    /// A key or index by its `index_id`.
    pub fn index_by_id(&self, index_id: i32) -> Option<IndexRef> {
        if self.primary_key.as_ref().is_some_and(|key| key.index_id == index_id) {
            return Some(IndexRef::Primary);
        }
        self.indexes.iter().position(|index| index.index_id == index_id).map(IndexRef::Secondary)
    }

    /// Whether a key or index is clustered.
    pub fn has_clustered_index(&self) -> bool {
        let mut ids = self.indexes.iter().map(|index| index.index_id);
        ids.any(|id| id == CLUSTERED_INDEX_ID)
            || self.primary_key.as_ref().is_some_and(|key| key.index_id == CLUSTERED_INDEX_ID)
    }

    /// The filter of an index; None for one that holds every row.
    pub fn filter(&self, index: IndexRef) -> Option<&IndexFilter> {
        match index {
            IndexRef::Primary => None,
            IndexRef::Secondary(position) => self.indexes[position].filter.as_ref(),
        }
    }

    /// Whether a key or index holds a row.
    pub fn holds(&self, index: IndexRef, row: &[u8]) -> bool {
        self.filter(index).is_none_or(|filter| filter.admits(self, row))
    }

    /// Whether a column belongs to the primary key.
    pub fn is_key_column(&self, column: usize) -> bool {
        self.primary_key.as_ref().is_some_and(|key| key.columns.iter().any(|c| c.column == column))
    }
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// `column_id`: stable, with gaps where columns were dropped.
    pub column_id: i32,
    /// Name, as created.
    pub name: String,
    /// Name, type and flags as a result describes them.
    pub meta: ColumnMeta,
    /// `user_type_id` of its alias type, if it was declared with one.
    pub alias: Option<i32>,
    /// DEFAULT constraint.
    pub default: Option<DefaultDef>,
    /// Expression of a computed column; its value is stored when the row is written.
    pub computed: Option<Computed>,
    /// IDENTITY.
    pub identity: Option<Identity>,
}

impl Column {
    /// Its type.
    pub fn sql_type(&self) -> SqlType {
        self.meta.sql_type
    }

    /// Its collation, if it holds characters.
    pub fn collation(&self) -> Option<Collation> {
        self.sql_type().has_collation().then_some(self.meta.collation)
    }

    /// Whether it may be NULL.
    pub fn nullable(&self) -> bool {
        self.meta.nullable
    }
}

/// `IDENTITY(seed, increment)`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// First value.
    pub seed: i64,
    /// Step.
    pub increment: i64,
}

/// A DEFAULT constraint.
#[derive(Clone, Debug)]
pub struct DefaultDef {
    /// Object id of the constraint.
    pub object_id: ObjectId,
    /// Its name.
    pub name: String,
    /// Whether the name was made up by the server.
    pub system_named: bool,
    /// The expression.
    pub expr: Expr,
}

/// A computed column's expression.
#[derive(Clone, Debug)]
pub struct Computed {
    /// The expression.
    pub expr: Expr,
    /// `PERSISTED`
    pub persisted: bool,
}

/// One column of a key or index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyColumn {
    /// Position among the table's columns.
    pub column: usize,
    /// `DESC`
    pub descending: bool,
}

/// The primary key.
#[derive(Clone, Debug)]
pub struct KeyDef {
    /// Object id of the constraint.
    pub object_id: ObjectId,
    /// Its name.
    pub name: String,
    /// Whether the name was made up by the server.
    pub system_named: bool,
    /// `index_id`: 1 if it is clustered.
    pub index_id: i32,
    /// Columns in key order.
    pub columns: Vec<KeyColumn>,
    /// Options that the catalog shows.
    pub options: IndexOptions,
}

/// An index other than the primary key.
#[derive(Clone, Debug)]
pub struct IndexDef {
    /// `index_id`: 1 if it is clustered, else 2 and up.
    pub index_id: i32,
    /// Its name.
    pub name: String,
    /// Whether two rows may not have the same key.
    pub unique: bool,
    /// Object id of the UNIQUE constraint, None for a plain index.
    pub constraint: Option<ObjectId>,
    /// Whether the constraint's name was made up by the server.
    pub system_named: bool,
    /// Columns in key order.
    pub columns: Vec<KeyColumn>,
    /// `INCLUDE`: positions of further columns.
    pub included: Vec<usize>,
    /// `WHERE`
    pub filter: Option<IndexFilter>,
    /// Options that the catalog shows.
    pub options: IndexOptions,
}

/// Which order of a table's rows is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IndexRef {
    /// The primary key's, or insertion order where there is none.
    Primary,
    /// That of `TableDef::indexes[position]`.
    Secondary(usize),
}

/// A FOREIGN KEY constraint.
#[derive(Clone, Debug)]
pub struct ForeignKey {
    /// Object id of the constraint.
    pub object_id: ObjectId,
    /// Its name.
    pub name: String,
    /// Whether the name was made up by the server.
    pub system_named: bool,
    /// Positions of the referencing columns, in the order of the referenced key.
    pub columns: Vec<usize>,
    /// Object id of the referenced table.
    pub parent: ObjectId,
    /// `index_id` of the referenced key; the foreign key references all its columns.
    pub parent_index_id: i32,
    /// `ON DELETE CASCADE`
    pub cascade_delete: bool,
    /// `ON UPDATE CASCADE`
    pub cascade_update: bool,
    /// Whether it is enforced, and was on every row.
    pub checking: Checking,
}

/// How far a FOREIGN KEY or CHECK constraint can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checking {
    /// `CHECK CONSTRAINT`: writes are checked.
    pub enabled: bool,
    /// Every row was checked since it was last off.
    pub trusted: bool,
}

/// A CHECK constraint.
#[derive(Clone, Debug)]
pub struct Check {
    /// Object id of the constraint.
    pub object_id: ObjectId,
    /// Its name.
    pub name: String,
    /// Whether the name was made up by the server.
    pub system_named: bool,
    /// The condition; only FALSE fails it.
    pub expr: Expr,
    /// `column_id` of the column in whose definition it was written, 0 for the table's own.
    pub column_id: i32,
    /// Whether it is enforced, and was on every row.
    pub checking: Checking,
}
