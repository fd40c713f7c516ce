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
