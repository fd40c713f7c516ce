//! Statements, names and session options.

use std::fmt;

use super::{
    AlterTable, BackupDatabase, CreateIndex, CreateTable, CreateView, DatabaseOption, Delete, Expr, Insert,
    InsertBulk, Merge, ObjectKind, Permission, PropertyStatement, Query, RenamedKind, RestoreDatabase,
    TypeName, Update,
};
use crate::types::SqlType;

/// A statement with the line on which it starts (1-based, within its batch).
#[derive(Clone, Debug, PartialEq)]
pub struct Located {
    /// First line.
    pub line: i32,
    /// The statement.
    pub statement: Statement,
}

/// `[database.][schema.]name`, parts as written without their quotes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectName {
    /// Database, if given.
    pub database: Option<String>,
    /// Schema, if given.
    pub schema: Option<String>,
    /// Object.
    pub name: String,
}

impl fmt::Display for ObjectName {
    /// The name as it was written, without quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for qualifier in [&self.database, &self.schema].into_iter().flatten() {
            write!(f, "{qualifier}.")?;
        }
        write!(f, "{}", self.name)
    }
}

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// `[WITH ctes] SELECT ...`
    Select(Query),
    /// `[WITH ctes] SELECT ... INTO table ...`
    SelectInto {
        /// The table that is created.
        target: ObjectName,
        /// The query.
        query: Box<Query>,
    },
    /// `SELECT @a = ..., @b = ...  [FROM ...]`
    SelectAssign {
        /// Variables (without `@`, lower-case) and their expressions.
        assignments: Vec<(String, Expr)>,
        /// The rest; its select list is empty.
        query: Box<Query>,
    },
    /// `INSERT [INTO] t [(columns)] VALUES ... | SELECT ... | DEFAULT VALUES`
    Insert(Insert),
    /// `INSERT BULK`
    InsertBulk(InsertBulk),
    /// `UPDATE`
    Update(Update),
    /// `DELETE`
    Delete(Delete),
    /// `MERGE`
    Merge(Box<Merge>),
    /// `TRUNCATE TABLE t`
    Truncate(ObjectName),
    /// `CREATE TABLE`
    CreateTable(CreateTable),
    /// `ALTER TABLE`
    AlterTable {
        /// The table.
        table: ObjectName,
        /// What to do.
        action: AlterTable,
    },
    /// `DROP TABLE | VIEW | SYNONYM ... [IF EXISTS] a, b`
    DropObjects {
        /// What they are.
        kind: ObjectKind,
        /// Their names.
        names: Vec<ObjectName>,
        /// Whether absence is fine.
        if_exists: bool,
    },
    /// `CREATE [UNIQUE] [CLUSTERED|NONCLUSTERED] INDEX`
    CreateIndex(CreateIndex),
    /// `DROP INDEX [IF EXISTS] name ON t, ...`
    DropIndex {
        /// Index names and their tables.
        indexes: Vec<(String, ObjectName)>,
        /// Whether absence is fine.
        if_exists: bool,
    },
    /// `ALTER INDEX name | ALL ON t REBUILD | REORGANIZE`, which change nothing that shows
    RebuildIndex {
        /// Index; None for ALL.
        name: Option<String>,
        /// Table.
        table: ObjectName,
    },
    /// `CREATE VIEW`, `ALTER VIEW`
    CreateView(Box<CreateView>),
    /// `CREATE SYNONYM name FOR base`
    CreateSynonym {
        /// Name.
        name: ObjectName,
        /// What it stands for; it need not exist.
        base: ObjectName,
    },
    /// `CREATE SCHEMA name`
    CreateSchema(String),
    /// `DROP SCHEMA [IF EXISTS] name`
    DropSchema {
        /// Name.
        name: String,
        /// Whether absence is fine.
        if_exists: bool,
    },
    /// `ALTER SCHEMA schema TRANSFER object`
    TransferObject {
        /// Where to.
        schema: String,
        /// What.
        object: ObjectName,
    },
    /// `sp_rename`
    Rename {
        /// What: up to three parts, each quoted or not.
        object: String,
        /// The new name, which is not quoted.
        new_name: String,
        /// `@objtype`
        kind: Option<RenamedKind>,
    },
    /// `sp_addextendedproperty` and its siblings
    ExtendedProperty(PropertyStatement),
    /// `CREATE TYPE .. FROM`
    CreateType {
        /// Name.
        name: ObjectName,
        /// The system type.
        base: SqlType,
        /// Whether NULL is allowed where a column does not say.
        nullable: bool,
    },
    /// `DROP TYPE`
    DropType {
        /// Name.
        name: ObjectName,
        /// `IF EXISTS`
        if_exists: bool,
    },
    /// `CREATE DATABASE name`
    CreateDatabase {
        /// Name.
        name: String,
        /// `COLLATE`
        collation: Option<String>,
    },
    /// `DROP DATABASE [IF EXISTS] name`
    DropDatabase {
        /// Name.
        name: String,
        /// Whether absence is fine.
        if_exists: bool,
    },
    /// `ALTER DATABASE name|CURRENT SET option, ...`
    AlterDatabase {
        /// None for CURRENT.
        database: Option<String>,
        /// The options.
        options: Vec<DatabaseOption>,
    },
    /// `CREATE LOGIN | USER ...`, `GRANT | DENY | REVOKE ...`
    Permission(Permission),
    /// `USE name`
    Use(String),
    /// `BEGIN TRAN[SACTION] [name]`
    Begin(Option<String>),
    /// `COMMIT [TRAN|WORK] [name]`
    Commit,
    /// `ROLLBACK [TRAN|WORK] [name]`; a name rolls back to the savepoint
    Rollback(Option<String>),
    /// `SAVE TRAN name`
    Save(String),
    /// `SET option ...` that is not a variable
    SetOption(SetOption),
    /// `SET @v = expr` (also `+=` and the like, already expanded)
    SetVariable(String, Expr),
    /// `DECLARE @a int = 1, @b ...`
    Declare(Vec<(String, TypeName, Option<Expr>)>),
    /// `DECLARE @t TABLE (...)`; the table's name begins with `@`
    DeclareTable(CreateTable),
    /// `IF condition statement [ELSE statement]`
    If {
        /// Condition.
        condition: Expr,
        /// Statement or block.
        then: Box<Located>,
        /// Statement or block.
        otherwise: Option<Box<Located>>,
    },
    /// `WHILE condition statement`
    While {
        /// Condition.
        condition: Expr,
        /// Statement or block.
        body: Box<Located>,
    },
    /// `BREAK`
    Break,
    /// `CONTINUE`
    Continue,
    /// `RETURN`
    Return,
    /// `BEGIN ... END`
    Block(Vec<Located>),
    /// `BEGIN TRY ... END TRY BEGIN CATCH ... END CATCH`
    TryCatch(Vec<Located>, Vec<Located>),
    /// `PRINT expr`
    Print(Expr),
    /// `RAISERROR(message, severity, state)`
    RaiseError(Expr, Expr, Expr),
    /// `THROW [n, m, s]`
    Throw(Option<(Expr, Expr, Expr)>),
    /// `WAITFOR DELAY 'hh:mm:ss'`
    WaitFor(Expr),
    /// `EXEC [@rc =] name arguments`
    Execute {
        /// Procedure.
        name: ObjectName,
        /// `(name without @, value, OUTPUT)`
        arguments: Vec<(Option<String>, Expr, bool)>,
        /// Variable that takes the return status, without `@`, lower-case.
        status: Option<String>,
    },
    /// `EXECUTE AS USER | LOGIN = 'name'`
    ExecuteAs {
        /// Whether a login is meant.
        is_login: bool,
        /// Its name.
        name: String,
    },
    /// `REVERT`
    Revert,
    /// `EXEC ('...')`
    ExecuteText(Expr),
    /// `BACKUP DATABASE`
    Backup(BackupDatabase),
    /// `RESTORE DATABASE`
    Restore(RestoreDatabase),
    /// `KILL session`
    Kill(i64),
    /// `CHECKPOINT` and the like: accepted, nothing to do
    Nothing,
}

impl Statement {
    /// Whether it sets a switch.
    pub fn sets(&self, switch: &str) -> bool {
        matches!(self, Self::SetOption(SetOption::Switch(names, _)) if names.iter().any(|name| name == switch))
    }

    /// Whether it begins a transaction under IMPLICIT_TRANSACTIONS: all that touches data or definitions does, a SELECT
    /// only with a FROM.
    pub fn begins_transaction(&self) -> bool {
        match self {
            Self::Select(query) => query.body.has_from(),
            Self::SelectAssign { query, .. } => query.body.has_from(),
            Self::SetVariable(..) | Self::Declare(_) | Self::CreateDatabase { .. } => false,
            Self::DropDatabase { .. } | Self::AlterDatabase { .. } => false,
            _ => true,
        }
    }
}

/// `SET ...`
#[derive(Clone, Debug, PartialEq)]
pub enum SetOption {
    /// `SET NOCOUNT, XACT_ABORT ON`: upper-case names.
    Switch(Vec<String>, bool),
    /// `SET TRANSACTION ISOLATION LEVEL`
    Isolation(Isolation),
    /// `SET LOCK_TIMEOUT n`
    LockTimeout(i64),
    /// `SET DEADLOCK_PRIORITY n` (LOW -5, NORMAL 0, HIGH 5)
    DeadlockPriority(i8),
    /// `SET IDENTITY_INSERT t ON|OFF`
    IdentityInsert(ObjectName, bool),
    /// `SET ROWCOUNT n`
    RowCount(i64),
    /// `SET TEXTSIZE`, `DATEFORMAT`, `DATEFIRST`, `LANGUAGE` ...: upper-case name and what was written.
    Other(String, String),
}

/// Isolation levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// `READ UNCOMMITTED`
    ReadUncommitted,
    /// `READ COMMITTED`
    ReadCommitted,
    /// `REPEATABLE READ`
    RepeatableRead,
    /// `SERIALIZABLE`
    Serializable,
    /// `SNAPSHOT`
    Snapshot,
}
