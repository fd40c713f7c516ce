//! Expressions and conditions.

use super::Query;
use crate::types::{SqlType, Value};

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
    /// `operand operator ANY|ALL (query)`, true for ALL
    Quantified(Box<Expr>, BinaryOp, bool, Box<Query>),
    /// `IS [NOT] DISTINCT FROM`, true for NOT
    DistinctFrom(Box<Expr>, Box<Expr>, bool),
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
        /// `WITHIN GROUP (ORDER BY ...)`, true for descending
        order_within: Vec<(Expr, bool)>,
        /// `OVER (PARTITION BY ... ORDER BY ...)`
        over: Option<Box<Over>>,
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
    /// `ROWS` or `RANGE`
    pub frame: Option<WindowFrame>,
    /// `IGNORE NULLS` before `OVER`
    pub ignore_nulls: bool,
}

/// A window frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowFrame {
    /// `ROWS`; else `RANGE`, which takes rows of equal order together.
    pub by_rows: bool,
    /// First row.
    pub start: FrameBound,
    /// Last row.
    pub end: FrameBound,
}

/// A side of a window frame, from first to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FrameBound {
    /// `UNBOUNDED PRECEDING`
    First,
    /// `n PRECEDING` (negative), `CURRENT ROW` (0), `n FOLLOWING`
    Offset(i64),
    /// `UNBOUNDED FOLLOWING`
    Last,
}

impl Expr {
    /// The expressions directly inside, but not those of subqueries.
    pub fn children(&self) -> Vec<&Expr> {
        match self {
            Self::Unary(_, a)
            | Self::Not(a)
            | Self::IsNull(a, _)
            | Self::InQuery(a, ..)
            | Self::Quantified(a, ..)
            | Self::Collate(a, _) => vec![a],
            Self::Binary(a, _, b) | Self::DistinctFrom(a, b, _) => vec![a, b],
            Self::InList(a, list, _) => std::iter::once(&**a).chain(list).collect(),
            Self::Between(a, b, c, _) => vec![a, b, c],
            Self::Like(a, b, c, _) => {
                [Some(a), Some(b), c.as_ref()].into_iter().flatten().map(|e| &**e).collect()
            }
            Self::Case { operand, branches, otherwise } => {
                let branches = branches.iter().flat_map(|(when, then)| [when, then]);
                operand.iter().chain(otherwise).map(|e| &**e).chain(branches).collect()
            }
            Self::Cast { expr, style, .. } => std::iter::once(expr).chain(style).map(|e| &**e).collect(),
            Self::Function { arguments, order_within, over, .. } => {
                let windows = over.iter().flat_map(|over| {
                    over.partition_by.iter().chain(over.order_by.iter().map(|(expr, _)| expr))
                });
                arguments.iter().chain(order_within.iter().map(|(expr, _)| expr)).chain(windows).collect()
            }
            Self::Literal(..)
            | Self::Null
            | Self::Column(_)
            | Self::Variable(_)
            | Self::Global(_)
            | Self::Exists(_)
            | Self::Subquery(_)
            | Self::Star => Vec::new(),
        }
    }
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
