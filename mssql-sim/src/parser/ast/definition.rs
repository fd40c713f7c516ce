//! Definitions: databases, principals, tables.

use super::{Expr, ObjectName, Query};
use crate::types::{SqlType, Value};

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
    /// `RECOVERY FULL|SIMPLE|BULK_LOGGED`
    Recovery(RecoveryModel),
    /// `COMPATIBILITY_LEVEL = n`
    CompatibilityLevel(u8),
    /// An option that is on or off and that only the catalog shows: its upper-case name.
    Switch(&'static str, bool),
    /// An option that the server knows and that changes nothing here.
    Neutral,
}

/// What is kept of a database's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoveryModel {
    /// `FULL`
    Full,
    /// `BULK_LOGGED`
    BulkLogged,
    /// `SIMPLE`
    Simple,
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
    /// `DROP LOGIN name`
    DropLogin(String),
    /// `CREATE USER name [FOR LOGIN login | WITHOUT LOGIN] [WITH DEFAULT_SCHEMA = schema]`
    CreateUser {
        /// User.
        name: String,
        /// Login; None for a user without one.
        login: Option<String>,
        /// `DEFAULT_SCHEMA`
        default_schema: Option<String>,
    },
    /// `CREATE ROLE name`
    CreateRole(String),
    /// `DROP USER | ROLE [IF EXISTS] name`
    DropUser {
        /// User or role.
        name: String,
        /// Whether it is a role.
        is_role: bool,
        /// Whether absence is fine.
        if_exists: bool,
    },
    /// `ALTER LOGIN | USER name ...`
    SetPrincipal(String, SetPrincipal),
    /// `ALTER [SERVER] ROLE role ADD | DROP MEMBER member`
    ChangeMember {
        /// The role.
        role: String,
        /// Who enters or leaves it.
        member: String,
        /// `ADD`
        add: bool,
        /// Whether it is a role of the server.
        on_server: bool,
    },
    /// `GRANT permissions [ON [SCHEMA::|OBJECT::]name] TO principals`, also `REVOKE` and `DENY`
    Change {
        /// What happens.
        kind: GrantKind,
        /// Which permissions.
        permissions: Vec<GrantedPermission>,
        /// What on.
        securable: Securable,
        /// To whom.
        principals: Vec<String>,
    },
}

/// A permission of GRANT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedPermission {
    /// Upper-case, such as `SELECT` and `VIEW CHANGE TRACKING`.
    pub name: String,
    /// The columns to which it is limited; empty for the whole object.
    pub columns: Vec<String>,
}

/// What ALTER LOGIN and ALTER USER change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetPrincipal {
    /// `WITH PASSWORD`
    Password(String),
    /// `ENABLE`, `DISABLE`
    Enabled(bool),
    /// `WITH DEFAULT_SCHEMA`
    DefaultSchema(String),
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

/// A type as it is written.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeName {
    /// A system type.
    System(SqlType),
    /// An alias type, or a name that means nothing.
    Alias {
        /// Schema, if it was written.
        schema: Option<String>,
        /// Name.
        name: String,
    },
}

/// One column of a definition.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnDef {
    /// Name.
    pub name: String,
    /// Type; None for a computed column.
    pub type_name: Option<TypeName>,
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
    /// `PRIMARY KEY (columns)`
    PrimaryKey(KeyClause),
    /// `UNIQUE (columns)`
    Unique(KeyClause),
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
    /// `CHECK (expr)`, and the column in whose definition it stands
    Check(Expr, Option<String>),
    /// `DEFAULT expr FOR column`
    Default(Expr, String),
}

/// Columns of a key or index, and how it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyClause {
    /// Columns in order, with `DESC` as true.
    pub columns: Vec<(String, bool)>,
    /// `CLUSTERED` or `NONCLUSTERED`, None when neither was written.
    pub clustered: Option<bool>,
    /// `WITH (...)`
    pub options: IndexOptions,
}

/// Options of an index. The catalog shows them; they change no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexOptions {
    /// `FILLFACTOR`, 0 for the server's own.
    pub fill_factor: u8,
    /// `PAD_INDEX`
    pub padded: bool,
    /// `ALLOW_ROW_LOCKS`
    pub row_locks: bool,
    /// `ALLOW_PAGE_LOCKS`
    pub page_locks: bool,
}

impl Default for IndexOptions {
    fn default() -> Self {
        Self { fill_factor: 0, padded: false, row_locks: true, page_locks: true }
    }
}

/// `CREATE [UNIQUE] INDEX`
#[derive(Clone, Debug, PartialEq)]
pub struct CreateIndex {
    /// Index name.
    pub name: String,
    /// Table.
    pub table: ObjectName,
    /// `UNIQUE`
    pub unique: bool,
    /// Key columns and options.
    pub key: KeyClause,
    /// `INCLUDE (columns)`
    pub included: Vec<String>,
    /// `WHERE condition`
    pub filter: Option<Expr>,
    /// `DROP_EXISTING = ON`: replaces the index of that name.
    pub drop_existing: bool,
}

/// `CREATE | ALTER VIEW name [(columns)] [WITH SCHEMABINDING] AS query [WITH CHECK OPTION]`
#[derive(Clone, Debug, PartialEq)]
pub struct CreateView {
    /// Name.
    pub name: ObjectName,
    /// Whether the name may or must be there.
    pub mode: CreateMode,
    /// Names of the columns; empty for those of the query.
    pub columns: Vec<String>,
    /// The query.
    pub query: Query,
    /// `WITH SCHEMABINDING`
    pub schema_bound: bool,
    /// `WITH CHECK OPTION`
    pub check_option: bool,
}

/// What a definition does with the name that it defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateMode {
    /// `CREATE`
    Create,
    /// `ALTER`
    Alter,
    /// `CREATE OR ALTER`
    CreateOrAlter,
}

/// Kinds of objects that DROP names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// `TABLE`
    Table,
    /// `VIEW`
    View,
    /// `SYNONYM`
    Synonym,
    /// `PROCEDURE`
    Procedure,
    /// `FUNCTION`
    Function,
    /// `TRIGGER`
    Trigger,
}

impl ObjectKind {
    /// The word for it in messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::View => "view",
            Self::Synonym => "synonym",
            Self::Procedure => "procedure",
            Self::Function => "function",
            Self::Trigger => "trigger",
        }
    }
}

/// What `sp_rename` renames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenamedKind {
    /// `OBJECT`
    Object,
    /// `COLUMN`
    Column,
    /// `INDEX`
    Index,
}

impl RenamedKind {
    /// As `@objtype` says it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Object => "OBJECT",
            Self::Column => "COLUMN",
            Self::Index => "INDEX",
        }
    }
}

/// A change of an extended property.
#[derive(Clone, Debug, PartialEq)]
pub struct PropertyStatement {
    /// Name of the property.
    pub name: String,
    /// Upper-case kind and name of each level, such as `SCHEMA` `dbo`, `TABLE` `t`, `COLUMN` `c`.
    pub levels: Vec<(String, String)>,
    /// What becomes of it.
    pub change: PropertyChange,
}

/// What becomes of an extended property; values are `sql_variant`.
#[derive(Clone, Debug, PartialEq)]
pub enum PropertyChange {
    /// `sp_addextendedproperty`
    Add((SqlType, Value)),
    /// `sp_updateextendedproperty`
    Update((SqlType, Value)),
    /// `sp_dropextendedproperty`
    Drop,
}

/// `ALTER TABLE`
#[derive(Clone, Debug, PartialEq)]
pub enum AlterTable {
    /// `[WITH CHECK | NOCHECK] ADD column, ...` and constraints
    Add {
        /// New columns.
        columns: Vec<ColumnDef>,
        /// New constraints.
        constraints: Vec<ConstraintDef>,
        /// False for `WITH NOCHECK`: the rows that are there are not checked.
        validate: bool,
    },
    /// `DROP [CONSTRAINT] a, COLUMN b`
    Drop(Vec<DropElement>),
    /// `ALTER COLUMN c type [NULL|NOT NULL]`
    AlterColumn(Box<ColumnDef>),
    /// `[WITH CHECK | NOCHECK] CHECK | NOCHECK CONSTRAINT ALL | a, b`
    SetChecking {
        /// Constraints; None for ALL.
        names: Option<Vec<String>>,
        /// `CHECK`
        enabled: bool,
        /// `WITH CHECK`: the rows that are there are checked.
        validate: bool,
    },
    /// `SET (LOCK_ESCALATION = ...)`
    LockEscalation(LockEscalation),
    /// `ENABLE CHANGE_TRACKING [WITH (TRACK_COLUMNS_UPDATED = ON|OFF)]`
    EnableTracking {
        /// `TRACK_COLUMNS_UPDATED`
        columns_updated: bool,
    },
    /// `DISABLE CHANGE_TRACKING`
    DisableTracking,
}

/// An element of `ALTER TABLE DROP`.
#[derive(Clone, Debug, PartialEq)]
pub struct DropElement {
    /// Column or constraint.
    pub name: String,
    /// Whether it is a column.
    pub is_column: bool,
    /// Whether absence is fine.
    pub if_exists: bool,
}

/// When a table's row locks give way to a table lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum LockEscalation {
    /// `TABLE`
    #[default]
    Table,
    /// `DISABLE`
    Disable,
    /// `AUTO`
    Auto,
}
