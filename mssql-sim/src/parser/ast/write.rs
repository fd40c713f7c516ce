//! INSERT, UPDATE, DELETE.

use super::{Expr, ObjectName, Query, TableHint, TableRef};

/// `INSERT`
#[derive(Clone, Debug, PartialEq)]
pub struct Insert {
    /// `WITH CHANGE_TRACKING_CONTEXT (expr)`
    pub context: Option<Expr>,
    /// Target.
    pub table: ObjectName,
    /// `WITH (...)` of the target.
    pub hints: Vec<TableHint>,
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
    /// `WITH (...)` of the target.
    pub hints: Vec<TableHint>,
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
    /// `WITH (...)` of the target.
    pub hints: Vec<TableHint>,
    /// `FROM`
    pub from: Vec<TableRef>,
    /// `WHERE`
    pub filter: Option<Expr>,
}
