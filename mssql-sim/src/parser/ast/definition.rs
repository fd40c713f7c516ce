//! Definitions: databases, principals, tables.

use super::{Expr, ObjectName};
use crate::types::SqlType;

/// `ALTER DATABASE ... SET`
#[derive(Clone, Debug, PartialEq)]
pub enum DatabaseOption {
    /// `CHANGE_TRACKING = ON (...)`
    ChangeTrackingOn(TrackingOptions),
    /// `CHANGE_TRACKING = OFF`
    ChangeTrackingOff,
    /// `CHANGE_TRACKING (...)`
    ChangeTracking(TrackingOptions),
    /// `ALLOW_SNAPSHOT_ISOLATION ON|OFF`
    AllowSnapshot(bool),
    /// `READ_COMMITTED_SNAPSHOT ON|OFF`
    ReadCommittedSnapshot(bool),
    /// `RECOVERY FULL|SIMPLE` and other options that change nothing here
    Ignored(String),
}

impl DatabaseOption {
    /// Whether it is about Change Tracking, which stands alone in its SET list.
    pub fn is_change_tracking(&self) -> bool {
        matches!(self, Self::ChangeTrackingOn(_) | Self::ChangeTrackingOff | Self::ChangeTracking(_))
    }
}

/// Options of database change tracking; None where not named.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct TrackingOptions {
    /// `CHANGE_RETENTION`: number and minutes per unit (1, 60, 1440).
    pub retention: Option<(u32, u32)>,
    /// `AUTO_CLEANUP`
    pub auto_cleanup: Option<bool>,
}

/// Logins, users and permissions.
#[derive(Clone, Debug, PartialEq)]
pub enum Permission {
    /// `CREATE LOGIN name WITH PASSWORD = '...'`
    CreateLogin {
        /// Login.
        name: String,
        /// Password.
        password: String,
    },
    /// `CREATE USER name [FOR LOGIN login]`
    CreateUser {
        /// User.
        name: String,
        /// Login; the user's own name if not given.
        login: String,
    },
    /// `GRANT permissions [ON [SCHEMA::|OBJECT::]name] TO principal`, also `REVOKE` and `DENY`
    Change {
        /// What happens.
        kind: GrantKind,
        /// Upper-case, such as `SELECT` and `VIEW CHANGE TRACKING`.
        permissions: Vec<String>,
        /// What on.
        securable: Securable,
        /// To whom.
        principal: String,
    },
}

/// `GRANT`, `DENY` or `REVOKE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantKind {
    /// `GRANT`
    Grant,
    /// `DENY`
    Deny,
    /// `REVOKE`
    Revoke,
}

/// What a permission is on.
#[derive(Clone, Debug, PartialEq)]
pub enum Securable {
    /// The current database.
    Database,
    /// A schema.
    Schema(String),
    /// A table.
    Object(ObjectName),
}

/// `CREATE TABLE`
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTable {
    /// Name.
    pub name: ObjectName,
    /// Columns in order.
    pub columns: Vec<ColumnDef>,
    /// Constraints of the table and of its columns, in order.
    pub constraints: Vec<ConstraintDef>,
}

/// One column of a definition.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnDef {
    /// Name.
    pub name: String,
    /// Type; None for a computed column.
    pub sql_type: Option<SqlType>,
    /// `NULL` or `NOT NULL`, None when neither was written.
    pub nullable: Option<bool>,
    /// `IDENTITY(seed, increment)`
    pub identity: Option<(i64, i64)>,
    /// `DEFAULT expr` without a name; with one it is a [`ConstraintKind::Default`].
    pub default: Option<Expr>,
    /// `AS expr`, and whether `PERSISTED`
    pub computed: Option<(Expr, bool)>,
    /// `COLLATE name`
    pub collation: Option<String>,
}

/// A constraint.
#[derive(Clone, Debug, PartialEq)]
pub struct ConstraintDef {
    /// `CONSTRAINT name`
    pub name: Option<String>,
    /// What it is.
    pub kind: ConstraintKind,
}

/// Kinds of constraints.
#[derive(Clone, Debug, PartialEq)]
pub enum ConstraintKind {
    /// `PRIMARY KEY (columns)`, with `DESC` as true
    PrimaryKey(Vec<(String, bool)>),
    /// `UNIQUE (columns)`
    Unique(Vec<(String, bool)>),
    /// `FOREIGN KEY (columns) REFERENCES t (columns)`
    ForeignKey {
        /// Referencing columns.
        columns: Vec<String>,
        /// Referenced table.
        parent: ObjectName,
        /// Referenced columns; empty for its primary key.
        parent_columns: Vec<String>,
        /// `ON DELETE CASCADE`
        cascade_delete: bool,
        /// `ON UPDATE CASCADE`
        cascade_update: bool,
    },
    /// `CHECK (expr)`
    Check(Expr),
    /// `DEFAULT expr FOR column`
    Default(Expr, String),
}

/// `ALTER TABLE`
#[derive(Clone, Debug, PartialEq)]
pub enum AlterTable {
    /// `ADD column, ...` and constraints
    Add(Vec<ColumnDef>, Vec<ConstraintDef>),
    /// `DROP COLUMN a, b`
    DropColumns(Vec<String>),
    /// `DROP CONSTRAINT a`
    DropConstraint(String),
    /// `ALTER COLUMN c type [NULL|NOT NULL]`
    AlterColumn(Box<ColumnDef>),
    /// `ENABLE CHANGE_TRACKING [WITH (TRACK_COLUMNS_UPDATED = ON|OFF)]`
    EnableTracking {
        /// `TRACK_COLUMNS_UPDATED`
        columns_updated: bool,
    },
    /// `DISABLE CHANGE_TRACKING`
    DisableTracking,
}
