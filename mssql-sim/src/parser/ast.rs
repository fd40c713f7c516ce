//! The syntax tree of the supported T-SQL.

use crate::types::{SqlType, Value};

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

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// `[WITH ctes] SELECT ...`
    Select(Query),
    /// `SELECT @a = ..., @b = ...  [FROM ...]`
    SelectAssign {
        /// Variables (without `@`, lower-case) and their expressions.
        assignments: Vec<(String, Expr)>,
        /// The rest; its select list is empty.
        query: Box<Query>,
    },
    /// `INSERT [INTO] t [(columns)] VALUES ... | SELECT ... | DEFAULT VALUES`
    Insert(Insert),
    /// `UPDATE`
    Update(Update),
    /// `DELETE`
    Delete(Delete),
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
    /// `DROP TABLE [IF EXISTS] a, b`
    DropTable {
        /// Tables.
        tables: Vec<ObjectName>,
        /// Whether absence is fine.
        if_exists: bool,
    },
    /// `CREATE [UNIQUE] [CLUSTERED|NONCLUSTERED] INDEX name ON t (columns) [INCLUDE (...)]`
    CreateIndex {
        /// Index name.
        name: String,
        /// Table.
        table: ObjectName,
        /// `UNIQUE`
        unique: bool,
        /// Key columns, with `DESC` as true.
        columns: Vec<(String, bool)>,
    },
    /// `DROP INDEX name ON t`
    DropIndex {
        /// Index name.
        name: String,
        /// Table.
        table: ObjectName,
    },
    /// `CREATE SCHEMA name`
    CreateSchema(String),
    /// `CREATE DATABASE name`
    CreateDatabase(String),
    /// `DROP DATABASE [IF EXISTS] name`
    DropDatabase {
        /// Name.
        name: String,
        /// Whether absence is fine.
        if_exists: bool,
    },
    /// `ALTER DATABASE name|CURRENT SET option`
    AlterDatabase {
        /// None for CURRENT.
        database: Option<String>,
        /// The option.
        option: DatabaseOption,
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
    Declare(Vec<(String, SqlType, Option<Expr>)>),
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
    },
    /// `EXEC ('...')`
    ExecuteText(Expr),
    /// `CHECKPOINT` and the like: accepted, nothing to do
    Nothing,
}

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
    /// `DEFAULT expr`
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
    AlterColumn(ColumnDef),
    /// `ENABLE CHANGE_TRACKING [WITH (TRACK_COLUMNS_UPDATED = ON|OFF)]`
    EnableTracking {
        /// `TRACK_COLUMNS_UPDATED`
        columns_updated: bool,
    },
    /// `DISABLE CHANGE_TRACKING`
    DisableTracking,
}

/// `INSERT`
#[derive(Clone, Debug, PartialEq)]
pub struct Insert {
    /// `WITH CHANGE_TRACKING_CONTEXT (expr)`
    pub context: Option<Expr>,
    /// Target.
    pub table: ObjectName,
    /// Columns, empty when not listed.
    pub columns: Vec<String>,
    /// What to insert.
    pub source: InsertSource,
}

/// Source of an `INSERT`.
#[derive(Clone, Debug, PartialEq)]
pub enum InsertSource {
    /// `VALUES (...), (...)`; None is `DEFAULT`
    Values(Vec<Vec<Option<Expr>>>),
    /// `SELECT`
    Query(Box<Query>),
    /// `DEFAULT VALUES`
    Defaults,
}

/// `UPDATE [TOP (n)] target SET ... [FROM ...] [WHERE ...]`
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// `WITH CHANGE_TRACKING_CONTEXT (expr)`
    pub context: Option<Expr>,
    /// `TOP (n)`
    pub top: Option<Expr>,
    /// Table name or alias of the `FROM` list.
    pub target: ObjectName,
    /// `column = expr`; None is `DEFAULT`
    pub assignments: Vec<(String, Option<Expr>)>,
    /// `FROM`
    pub from: Vec<TableRef>,
    /// `WHERE`
    pub filter: Option<Expr>,
}

/// `DELETE [TOP (n)] [FROM] target [FROM ...] [WHERE ...]`
#[derive(Clone, Debug, PartialEq)]
pub struct Delete {
    /// `WITH CHANGE_TRACKING_CONTEXT (expr)`
    pub context: Option<Expr>,
    /// `TOP (n)`
    pub top: Option<Expr>,
    /// Table name or alias of the `FROM` list.
    pub target: ObjectName,
    /// `FROM`
    pub from: Vec<TableRef>,
    /// `WHERE`
    pub filter: Option<Expr>,
}

/// A query: CTEs, selects joined by set operators, ordering and paging.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// `WITH name [(columns)] AS (query)`
    pub ctes: Vec<(String, Vec<String>, Query)>,
    /// The select or set operation.
    pub body: QueryBody,
    /// `ORDER BY expr [DESC]`, true for descending
    pub order_by: Vec<(Expr, bool)>,
    /// `OFFSET n ROWS`
    pub offset: Option<Expr>,
    /// `FETCH NEXT n ROWS ONLY`
    pub fetch: Option<Expr>,
}

/// Body of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum QueryBody {
    /// One select.
    Select(Box<Select>),
    /// `UNION`, `UNION ALL`, `EXCEPT`, `INTERSECT`
    Set {
        /// The operator.
        operator: SetOperator,
        /// Left side.
        left: Box<QueryBody>,
        /// Right side.
        right: Box<QueryBody>,
    },
    /// `(VALUES (...), (...))` as a table
    Values(Vec<Vec<Expr>>),
}

/// Set operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOperator {
    /// `UNION`
    Union,
    /// `UNION ALL`
    UnionAll,
    /// `EXCEPT`
    Except,
    /// `INTERSECT`
    Intersect,
}

/// One `SELECT`.
#[derive(Clone, Debug, PartialEq)]
pub struct Select {
    /// `DISTINCT`
    pub distinct: bool,
    /// `TOP (n) [PERCENT]`
    pub top: Option<(Expr, bool)>,
    /// The list.
    pub items: Vec<SelectItem>,
    /// `FROM a, b`
    pub from: Vec<TableRef>,
    /// `WHERE`
    pub filter: Option<Expr>,
    /// `GROUP BY`
    pub group_by: Vec<Expr>,
    /// `HAVING`
    pub having: Option<Expr>,
}

/// An item of a select list.
#[derive(Clone, Debug, PartialEq)]
pub enum SelectItem {
    /// `*` or `t.*`
    Wildcard(Option<String>),
    /// An expression with its alias.
    Expr(Expr, Option<String>),
}

/// An item of `FROM`.
#[derive(Clone, Debug, PartialEq)]
pub enum TableRef {
    /// A table, view, catalog view or CTE; hints are upper-case.
    Table {
        /// Name.
        name: ObjectName,
        /// Alias.
        alias: Option<String>,
        /// `WITH (...)`
        hints: Vec<String>,
    },
    /// `CHANGETABLE(CHANGES t, last_sync [, FORCESEEK]) AS alias`
    Changes {
        /// Table.
        table: ObjectName,
        /// Literal, NULL or variable.
        last_sync: Box<Expr>,
        /// Alias; None is error 22104 at binding.
        alias: Option<String>,
    },
    /// `CHANGETABLE(VERSION t, (columns), (values)) AS alias`
    RowVersionOf {
        /// Table.
        table: ObjectName,
        /// Key columns.
        columns: Vec<String>,
        /// Key values.
        values: Vec<Expr>,
        /// Alias; None is error 22104 at binding.
        alias: Option<String>,
    },
    /// `(query) AS alias [(columns)]`
    Derived {
        /// The query.
        query: Box<Query>,
        /// Alias.
        alias: String,
        /// Column names.
        columns: Vec<String>,
    },
    /// A join.
    Join {
        /// Kind.
        kind: JoinKind,
        /// Left side.
        left: Box<TableRef>,
        /// Right side.
        right: Box<TableRef>,
        /// `ON`; None for CROSS JOIN and APPLY
        on: Option<Expr>,
    },
}

/// Kinds of joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// `INNER JOIN`
    Inner,
    /// `LEFT [OUTER] JOIN`
    Left,
    /// `RIGHT [OUTER] JOIN`
    Right,
    /// `FULL [OUTER] JOIN`
    Full,
    /// `CROSS JOIN`
    Cross,
    /// `CROSS APPLY`
    CrossApply,
    /// `OUTER APPLY`
    OuterApply,
}

/// An expression or condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A literal with its type.
    Literal(Value, SqlType),
    /// `NULL`
    Null,
    /// `[[schema.]table.]column`, parts as written
    Column(Vec<String>),
    /// `@name`, lower-case, without `@`
    Variable(String),
    /// `@@NAME`, upper-case, without `@@`
    Global(String),
    /// Unary minus, plus and `~`
    Unary(UnaryOp, Box<Expr>),
    /// Arithmetic, bitwise, comparison, AND, OR
    Binary(Box<Expr>, BinaryOp, Box<Expr>),
    /// `NOT`
    Not(Box<Expr>),
    /// `IS [NOT] NULL`, true for NOT
    IsNull(Box<Expr>, bool),
    /// `[NOT] IN (list)`
    InList(Box<Expr>, Vec<Expr>, bool),
    /// `[NOT] IN (query)`
    InQuery(Box<Expr>, Box<Query>, bool),
    /// `[NOT] BETWEEN a AND b`
    Between(Box<Expr>, Box<Expr>, Box<Expr>, bool),
    /// `[NOT] LIKE pattern [ESCAPE e]`
    Like(Box<Expr>, Box<Expr>, Option<Box<Expr>>, bool),
    /// `EXISTS (query)`
    Exists(Box<Query>),
    /// `(query)` as a value
    Subquery(Box<Query>),
    /// `CASE [operand] WHEN ... THEN ... [ELSE ...] END`
    Case {
        /// Operand of the simple form.
        operand: Option<Box<Expr>>,
        /// Branches.
        branches: Vec<(Expr, Expr)>,
        /// `ELSE`
        otherwise: Option<Box<Expr>>,
    },
    /// `CAST(e AS t)`, `CONVERT(t, e [, style])`, `TRY_` forms
    Cast {
        /// What.
        expr: Box<Expr>,
        /// To which type.
        sql_type: SqlType,
        /// Style of CONVERT.
        style: Option<Box<Expr>>,
        /// `TRY_`: failure is NULL
        try_cast: bool,
    },
    /// `name(arguments)`, upper-case name without schema; date parts arrive as `Column`, `*` as `Star`
    Function {
        /// Name.
        name: String,
        /// `DISTINCT`
        distinct: bool,
        /// Arguments.
        arguments: Vec<Expr>,
        /// `OVER (PARTITION BY ... ORDER BY ...)`
        over: Option<Over>,
    },
    /// `*` inside COUNT(*)
    Star,
    /// `e COLLATE name`
    Collate(Box<Expr>, String),
}

/// A window.
#[derive(Clone, Debug, PartialEq)]
pub struct Over {
    /// `PARTITION BY`
    pub partition_by: Vec<Expr>,
    /// `ORDER BY`, true for descending
    pub order_by: Vec<(Expr, bool)>,
}

/// Unary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Minus,
    /// `+`
    Plus,
    /// `~`
    BitNot,
}

/// Binary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
    /// `&`
    BitAnd,
    /// `|`
    BitOr,
    /// `^`
    BitXor,
    /// `=`
    Equal,
    /// `<>`, `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `AND`
    And,
    /// `OR`
    Or,
}

impl BinaryOp {
    /// Whether the result is true, false or unknown rather than a value.
    pub fn is_condition(self) -> bool {
        self.is_comparison() || matches!(self, Self::And | Self::Or)
    }

    /// Whether this compares two values.
    pub fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Equal
                | Self::NotEqual
                | Self::Less
                | Self::LessOrEqual
                | Self::Greater
                | Self::GreaterOrEqual
        )
    }
}
