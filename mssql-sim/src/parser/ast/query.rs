//! Queries.

use super::{Expr, ObjectName, TableHint};

/// A common table expression: name, columns, query.
pub type Cte = (String, Vec<String>, Query);

/// A query: CTEs, selects joined by set operators, ordering and paging.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// `WITH name [(columns)] AS (query)`
    pub ctes: Vec<Cte>,
    /// The select or set operation.
    pub body: QueryBody,
    /// `ORDER BY expr [DESC]`, true for descending
    pub order_by: Vec<(Expr, bool)>,
    /// `OFFSET n ROWS`
    pub offset: Option<Expr>,
    /// `FETCH NEXT n ROWS ONLY`
    pub fetch: Option<Expr>,
    /// `OPTION (MAXRECURSION n)`
    pub max_recursion: Option<u32>,
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

impl QueryBody {
    /// Whether a select of it reads from something.
    pub fn has_from(&self) -> bool {
        match self {
            Self::Select(select) => !select.from.is_empty(),
            Self::Set { left, right, .. } => left.has_from() || right.has_from(),
            Self::Values(_) => false,
        }
    }
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
    /// `TOP`
    pub top: Option<Top>,
    /// The list.
    pub items: Vec<SelectItem>,
    /// `FROM a, b`
    pub from: Vec<TableRef>,
    /// `WHERE`
    pub filter: Option<Expr>,
    /// `GROUP BY`: everything that is grouped by.
    pub group_by: Vec<Expr>,
    /// `ROLLUP`, `CUBE` and `GROUPING SETS`: positions in `group_by` of each set; None for the one set of all.
    pub grouping_sets: Option<Vec<Vec<usize>>>,
    /// `HAVING`
    pub having: Option<Expr>,
}

/// `TOP (n) [PERCENT] [WITH TIES]`
#[derive(Clone, Debug, PartialEq)]
pub struct Top {
    /// How many.
    pub count: Expr,
    /// `PERCENT`
    pub percent: bool,
    /// `WITH TIES`
    pub ties: bool,
}

/// An item of a select list.
#[derive(Clone, Debug, PartialEq)]
pub enum SelectItem {
    /// `*` or `t.*`
    Wildcard(Option<String>),
    /// An expression with its alias.
    Expr(Expr, Option<String>),
}

/// `AS name [(columns)]`
#[derive(Clone, Debug, PartialEq)]
pub struct Alias {
    /// Name.
    pub name: String,
    /// New names of the columns; empty where they keep theirs.
    pub columns: Vec<String>,
}

/// An item of `FROM`.
#[derive(Clone, Debug, PartialEq)]
pub enum TableRef {
    /// A table, view, catalog view or CTE.
    Table {
        /// Name.
        name: ObjectName,
        /// Alias.
        alias: Option<String>,
        /// `WITH (...)`
        hints: Vec<TableHint>,
    },
    /// `function(arguments) [AS alias] [(columns)]`, the name in upper case
    Function {
        /// Name.
        name: String,
        /// Arguments.
        arguments: Vec<Expr>,
        /// Alias; the function's name if there is none.
        alias: Option<String>,
        /// Column names.
        columns: Vec<String>,
    },
    /// `CHANGETABLE(CHANGES t, last_sync [, FORCESEEK]) AS alias [(columns)]`
    Changes {
        /// Table.
        table: ObjectName,
        /// Literal, NULL or variable.
        last_sync: Box<Expr>,
        /// Alias; None is error 22104 at binding.
        alias: Option<Alias>,
    },
    /// `CHANGETABLE(VERSION t, (columns), (values)) AS alias [(columns)]`
    RowVersionOf {
        /// Table.
        table: ObjectName,
        /// Key columns.
        columns: Vec<String>,
        /// Key values.
        values: Vec<Expr>,
        /// Alias; None is error 22104 at binding.
        alias: Option<Alias>,
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
