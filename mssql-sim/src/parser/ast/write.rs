//! INSERT, UPDATE, DELETE, MERGE.

use super::query::Cte;
use super::{Expr, ObjectName, Query, SelectItem, Statement, TableHint, TableRef};

/// `TOP (n) [PERCENT]` of a write, true for PERCENT.
pub type WriteTop = Option<(Expr, bool)>;

/// `INSERT`
#[derive(Clone, Debug, PartialEq)]
pub struct Insert {
    /// `WITH CHANGE_TRACKING_CONTEXT (expr)`
    pub context: Option<Expr>,
    /// `TOP`
    pub top: WriteTop,
    /// Target.
    pub table: ObjectName,
    /// `WITH (...)` of the target.
    pub hints: Vec<TableHint>,
    /// Columns, empty when not listed.
    pub columns: Vec<String>,
    /// `OUTPUT`
    pub outputs: Vec<Output>,
    /// What to insert.
    pub source: InsertSource,
}

/// `INSERT BULK`: what the rows of the bulk load behind it are for.
#[derive(Clone, Debug, PartialEq)]
pub struct InsertBulk {
    /// Target.
    pub table: ObjectName,
    /// Columns in the order of the rows' values, empty for all.
    pub columns: Vec<String>,
    /// `KEEP_NULLS`: NULL stays NULL where the column has a DEFAULT.
    pub keep_nulls: bool,
    /// `CHECK_CONSTRAINTS`: CHECK and FOREIGN KEY hold for the rows too.
    pub check_constraints: bool,
}

/// Source of an `INSERT`.
#[derive(Clone, Debug, PartialEq)]
pub enum InsertSource {
    /// `VALUES (...), (...)`; None is `DEFAULT`
    Values(Vec<Vec<Option<Expr>>>),
    /// `SELECT`
    Query(Box<Query>),
    /// `EXEC ...`
    Execute(Box<Statement>),
    /// `DEFAULT VALUES`
    Defaults,
}

/// `OUTPUT list [INTO table [(columns)]]`
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// The list.
    pub items: Vec<SelectItem>,
    /// Table and columns that take the rows; the client takes them if there is none.
    pub into: Option<(ObjectName, Vec<String>)>,
}

/// One item of a SET list: `column = value`, `@variable = value` or `@variable = column = value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// Variable.
    pub variable: Option<String>,
    /// Column, with its qualifiers.
    pub column: Option<Vec<String>>,
    /// Value; None is `DEFAULT`.
    pub value: Option<Expr>,
}

/// `UPDATE [TOP (n)] target SET ... [OUTPUT ...] [FROM ...] [WHERE ...]`
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// `WITH CHANGE_TRACKING_CONTEXT (expr)`
    pub context: Option<Expr>,
    /// `WITH name AS (...)`
    pub ctes: Vec<Cte>,
    /// `TOP`
    pub top: WriteTop,
    /// Table name or alias of the `FROM` list.
    pub target: ObjectName,
    /// `WITH (...)` of the target.
    pub hints: Vec<TableHint>,
    /// `SET`
    pub assignments: Vec<Assignment>,
    /// `OUTPUT`
    pub outputs: Vec<Output>,
    /// `FROM`
    pub from: Vec<TableRef>,
    /// `WHERE`
    pub filter: Option<Expr>,
}

/// `DELETE [TOP (n)] [FROM] target [OUTPUT ...] [FROM ...] [WHERE ...]`
#[derive(Clone, Debug, PartialEq)]
pub struct Delete {
    /// `WITH CHANGE_TRACKING_CONTEXT (expr)`
    pub context: Option<Expr>,
    /// `WITH name AS (...)`
    pub ctes: Vec<Cte>,
    /// `TOP`
    pub top: WriteTop,
    /// Table name or alias of the `FROM` list.
    pub target: ObjectName,
    /// `WITH (...)` of the target.
    pub hints: Vec<TableHint>,
    /// `OUTPUT`
    pub outputs: Vec<Output>,
    /// `FROM`
    pub from: Vec<TableRef>,
    /// `WHERE`
    pub filter: Option<Expr>,
}

/// `MERGE [TOP (n)] [INTO] target USING source ON condition WHEN ... [OUTPUT ...];`
#[derive(Clone, Debug, PartialEq)]
pub struct Merge {
    /// `WITH CHANGE_TRACKING_CONTEXT (expr)`
    pub context: Option<Expr>,
    /// `WITH name AS (...)`
    pub ctes: Vec<Cte>,
    /// `TOP`
    pub top: WriteTop,
    /// Target.
    pub target: ObjectName,
    /// `WITH (...)` of the target.
    pub hints: Vec<TableHint>,
    /// Alias of the target.
    pub alias: Option<String>,
    /// `USING`
    pub source: TableRef,
    /// `ON`
    pub on: Expr,
    /// `WHEN`, in order.
    pub clauses: Vec<MergeClause>,
    /// `OUTPUT`
    pub outputs: Vec<Output>,
}

/// `WHEN ... [AND condition] THEN action`
#[derive(Clone, Debug, PartialEq)]
pub struct MergeClause {
    /// Which rows.
    pub when: MergeWhen,
    /// `AND`
    pub condition: Option<Expr>,
    /// What happens to them.
    pub action: MergeAction,
}

/// Which rows a clause of MERGE is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeWhen {
    /// `MATCHED`
    Matched,
    /// `NOT MATCHED [BY TARGET]`
    NotMatchedByTarget,
    /// `NOT MATCHED BY SOURCE`
    NotMatchedBySource,
}

/// What a clause of MERGE does.
#[derive(Clone, Debug, PartialEq)]
pub enum MergeAction {
    /// `UPDATE SET ...`
    Update(Vec<Assignment>),
    /// `DELETE`
    Delete,
    /// `INSERT [(columns)] VALUES (...)`; a None among the values is `DEFAULT`
    Insert {
        /// Columns, empty when not listed.
        columns: Vec<String>,
        /// Values; None for `DEFAULT VALUES`.
        values: Option<Vec<Option<Expr>>>,
    },
}
