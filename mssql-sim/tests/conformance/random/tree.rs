//! Queries that mean the same in both dialects, and how each dialect writes them.

use std::fmt::Write;

use super::dialect::Dialect;

/// What an expression's value is. Bounds let the generator keep clear of overflow, which the dialects report for
/// different rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// `int`, and the largest magnitude a value can have.
    Int(i64),
    /// `bigint`, likewise.
    Big(i64),
    Decimal {
        precision: u8,
        scale: u8,
    },
    Text,
    Date,
}

/// Types whose values can stand for one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Integer,
    Decimal,
    Text,
    Date,
}

impl Type {
    pub(super) fn family(self) -> Family {
        match self {
            Self::Int(_) | Self::Big(_) => Family::Integer,
            Self::Decimal { .. } => Family::Decimal,
            Self::Text => Family::Text,
            Self::Date => Family::Date,
        }
    }
}

/// An expression.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    Column(String),
    Int(i64),
    Text(String),
    /// A literal that both write as a conversion of a text.
    Converted(String, Type),
    Null(Type),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// Of decimals, cut to a scale.
    Divide(Box<Expr>, Box<Expr>, u8),
    Cast(Box<Expr>, Type),
    /// A decimal without its fraction.
    Truncate(Box<Expr>),
    Call(Function, Vec<Expr>),
    Case(Vec<(Condition, Expr)>, Option<Box<Expr>>),
    Aggregate {
        name: Aggregate,
        distinct: bool,
        argument: Box<Expr>,
    },
    CountRows,
    Window {
        function: String,
        argument: Option<Box<Expr>>,
        partition: Vec<Expr>,
        order: Vec<(Expr, bool)>,
    },
    Subquery(Box<Query>),
}

/// A function that both have, by whatever name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    AddDays,
    AddMonths,
    Ceiling,
    Coalesce,
    Concat,
    Day,
    DaysBetween,
    EndOfMonth,
    Floor,
    Left,
    Length,
    Lower,
    Month,
    NullIf,
    Position,
    Replace,
    Reverse,
    Right,
    Round,
    Substring,
    Upper,
    Year,
}

/// An aggregate. The average of integers is cut to an integer, that of decimals to a scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregate {
    Count,
    Sum,
    Min,
    Max,
    Average { scale: u8 },
}

/// A condition, true, false or unknown.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    Compare(&'static str, Expr, Expr),
    Between(Expr, Expr, Expr),
    In(Expr, Vec<Expr>),
    IsNull(Expr),
    Like(Expr, String),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Exists(Box<Query>),
    InQuery(Expr, Box<Query>),
}

/// A query with its common table expressions and its order.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) ctes: Vec<(String, Query)>,
    pub(super) selects: Vec<Select>,
    /// Between the selects.
    pub(super) operator: &'static str,
    /// By every column, so that any two rows that tie are the same; with the number of rows to keep.
    pub(super) order: Option<(Vec<bool>, Option<u32>)>,
    pub(super) columns: Vec<Type>,
}

/// One SELECT; its items are named c1, c2, ...
#[derive(Clone, Debug)]
pub(super) struct Select {
    pub(super) distinct: bool,
    pub(super) items: Vec<Expr>,
    pub(super) from: From,
    pub(super) filter: Option<Condition>,
    pub(super) group: Vec<Expr>,
    pub(super) having: Option<Condition>,
}

/// FROM.
#[derive(Clone, Debug)]
pub(super) enum From {
    Table(String, String),
    Derived(Box<Query>, String),
    Join(Box<From>, &'static str, Box<From>, Option<Box<Condition>>),
}

impl Query {
    pub(super) fn sql(&self, dialect: Dialect) -> String {
        let mut sql = String::new();
        if !self.ctes.is_empty() {
            let ctes: Vec<_> =
                self.ctes.iter().map(|(name, query)| format!("{name} AS ({})", query.sql(dialect))).collect();
            write!(sql, "WITH {} ", ctes.join(", ")).expect("to memory");
        }
        let limit = self.order.as_ref().and_then(|(_, limit)| *limit);
        let selects: Vec<_> = self.selects.iter().map(|select| select.sql(dialect)).collect();
        let joined = selects.join(&format!(" {} ", self.operator));
        let Some((descending, _)) = &self.order else { return sql + &joined };
        // The limit is on the whole, which a set operation only is as a derived table.
        let top = dialect.top(limit);
        write!(sql, "SELECT {top}* FROM ({joined}) AS whole ORDER BY ").expect("to memory");
        let keys = descending.iter().enumerate();
        let keys: Vec<_> =
            keys.map(|(index, down)| dialect.order(&format!("c{}", index + 1), *down)).collect();
        sql + &keys.join(", ") + &dialect.limit(limit)
    }
}

impl Select {
    fn sql(&self, dialect: Dialect) -> String {
        let items = self.items.iter().enumerate();
        let items: Vec<_> =
            items.map(|(index, item)| format!("{} AS c{}", item.sql(dialect), index + 1)).collect();
        let distinct = if self.distinct { "DISTINCT " } else { "" };
        let mut sql = format!("SELECT {distinct}{} FROM {}", items.join(", "), self.from.sql(dialect));
        if let Some(filter) = &self.filter {
            write!(sql, " WHERE {}", filter.sql(dialect)).expect("to memory");
        }
        if !self.group.is_empty() {
            write!(sql, " GROUP BY {}", list(&self.group, dialect)).expect("to memory");
        }
        if let Some(having) = &self.having {
            write!(sql, " HAVING {}", having.sql(dialect)).expect("to memory");
        }
        sql
    }
}

impl From {
    fn sql(&self, dialect: Dialect) -> String {
        match self {
            Self::Table(name, alias) => format!("{name} AS {alias}"),
            Self::Derived(query, alias) => format!("({}) AS {alias}", query.sql(dialect)),
            Self::Join(left, kind, right, on) => {
                let on = on.as_ref().map(|on| format!(" ON {}", on.sql(dialect))).unwrap_or_default();
                format!("{} {kind} {}{on}", left.sql(dialect), right.sql(dialect))
            }
        }
    }
}

impl Condition {
    fn sql(&self, dialect: Dialect) -> String {
        match self {
            Self::Compare(operator, a, b) => format!("({} {operator} {})", a.sql(dialect), b.sql(dialect)),
            Self::Between(a, low, high) => {
                format!("({} BETWEEN {} AND {})", a.sql(dialect), low.sql(dialect), high.sql(dialect))
            }
            Self::In(a, items) => format!("({} IN ({}))", a.sql(dialect), list(items, dialect)),
            Self::IsNull(a) => format!("({} IS NULL)", a.sql(dialect)),
            Self::Like(a, pattern) => format!("({} LIKE '{pattern}')", a.sql(dialect)),
            Self::And(a, b) => format!("({} AND {})", a.sql(dialect), b.sql(dialect)),
            Self::Or(a, b) => format!("({} OR {})", a.sql(dialect), b.sql(dialect)),
            Self::Not(a) => format!("(NOT {})", a.sql(dialect)),
            Self::Exists(query) => format!("EXISTS ({})", query.sql(dialect)),
            Self::InQuery(a, query) => format!("({} IN ({}))", a.sql(dialect), query.sql(dialect)),
        }
    }
}

impl Expr {
    pub(super) fn sql(&self, dialect: Dialect) -> String {
        match self {
            Self::Column(name) => name.clone(),
            Self::Int(n) if *n < 0 => format!("({n})"),
            Self::Int(n) => n.to_string(),
            Self::Text(text) => dialect.text(&format!("'{text}'")),
            Self::Converted(text, to) => format!("CAST('{text}' AS {})", dialect.type_name(*to)),
            Self::Null(of) => dialect.null(*of),
            Self::Binary(operator, a, b) => format!("({} {operator} {})", a.sql(dialect), b.sql(dialect)),
            Self::Divide(a, b, scale) => dialect.divide(&a.sql(dialect), &b.sql(dialect), *scale),
            Self::Cast(a, Type::Text) => {
                dialect.text(&format!("CAST({} AS {})", a.sql(dialect), dialect.type_name(Type::Text)))
            }
            Self::Cast(a, to) => format!("CAST({} AS {})", a.sql(dialect), dialect.type_name(*to)),
            Self::Truncate(a) => dialect.truncate(&a.sql(dialect)),
            Self::Call(function, arguments) => {
                let arguments: Vec<_> = arguments.iter().map(|argument| argument.sql(dialect)).collect();
                dialect.call(*function, &arguments)
            }
            Self::Case(branches, otherwise) => {
                let mut sql = "CASE".to_owned();
                for (condition, value) in branches {
                    write!(sql, " WHEN {} THEN {}", condition.sql(dialect), value.sql(dialect))
                        .expect("to memory");
                }
                if let Some(otherwise) = otherwise {
                    write!(sql, " ELSE {}", otherwise.sql(dialect)).expect("to memory");
                }
                sql + " END"
            }
            Self::CountRows => "COUNT(*)".into(),
            Self::Aggregate { name, distinct, argument } => {
                let distinct = if *distinct { "DISTINCT " } else { "" };
                dialect.aggregate(*name, &format!("{distinct}{}", argument.sql(dialect)))
            }
            Self::Window { function, argument, partition, order } => {
                let argument = argument.as_ref().map(|argument| argument.sql(dialect)).unwrap_or_default();
                let mut over = Vec::new();
                if !partition.is_empty() {
                    over.push(format!("PARTITION BY {}", list(partition, dialect)));
                }
                if !order.is_empty() {
                    let keys = order.iter().map(|(key, down)| dialect.order(&key.sql(dialect), *down));
                    over.push(format!("ORDER BY {}", keys.collect::<Vec<_>>().join(", ")));
                }
                format!("{function}({argument}) OVER ({})", over.join(" "))
            }
            Self::Subquery(query) => format!("({})", query.sql(dialect)),
        }
    }
}

fn list(items: &[Expr], dialect: Dialect) -> String {
    items.iter().map(|item| item.sql(dialect)).collect::<Vec<_>>().join(", ")
}
