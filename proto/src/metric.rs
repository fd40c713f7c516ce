//! Declarations of daily metrics: what the agent maintains and the API serves.

use serde::{Deserialize, Serialize};

/// A metric as its file declares it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricDefinition {
    /// Name in answers, such as `orders_received`.
    pub name: String,
    /// Other names under which it may be asked for.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Title in Spanish.
    pub title_es: String,
    /// Title in English.
    pub title_en: String,
    /// Unit, such as `orders`, `units` or `ratio`.
    pub unit: String,
    /// Whether the value is a sum or a ratio of two.
    pub kind: MetricKind,
    /// The table whose rows are counted: the facts. A name of the target.
    pub facts: String,
    /// The fact's other sides, joined by equality.
    #[serde(default)]
    pub sides: Vec<Side>,
    /// Column that holds the event's time; its day is the figure's day. Facts without it count nowhere.
    pub day: Dimension,
    /// Column with the company; without it every figure belongs to the company `''`.
    #[serde(default)]
    pub company: Option<Dimension>,
    /// Column with the warehouse; without it every figure belongs to the warehouse `''`.
    #[serde(default)]
    pub warehouse: Option<Dimension>,
    /// All of these hold for a fact that counts.
    #[serde(default)]
    pub filter: Vec<Condition>,
    /// What is summed, or the numerator of a ratio.
    pub numerator: Measure,
    /// Denominator of a ratio.
    #[serde(default)]
    pub denominator: Option<Measure>,
    /// Tabs on which it appears.
    #[serde(default)]
    pub tabs: Vec<String>,
}

/// Kinds of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// The value is the numerator.
    Sum,
    /// The value is numerator / denominator, null where the denominator is 0.
    Ratio,
}

/// A table joined to the facts by equality of columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// Table of the target.
    pub table: String,
    /// Pairs `[column of the facts, column of this table]`. They cover this table's primary key, so that a fact
    /// meets at most one row.
    pub on: Vec<(String, String)>,
}

/// A column of the facts (`column`) or of a side (`table.column`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dimension(pub String);

/// What a fact adds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Measure {
    /// 1 for each fact.
    Count,
    /// 1 for each fact for which all of these hold.
    CountWhere(Vec<Condition>),
    /// The value of an exact numeric column; NULL adds nothing.
    Sum(Dimension),
    /// The product of exact numeric columns; a NULL among them adds nothing.
    SumProduct(Vec<Dimension>),
}

/// A comparison; not true when a side is NULL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Left side.
    pub column: Dimension,
    /// Operator.
    pub is: Comparison,
    /// Right side; none for `null` and `not_null`.
    #[serde(default)]
    pub than: Option<Operand>,
}

/// Operators of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `IS NULL`
    Null,
    /// `IS NOT NULL`
    NotNull,
}

/// Right side of a condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Operand {
    /// Another column.
    Column(Dimension),
    /// A whole number.
    Number(i64),
    /// A text, compared as the column's collation compares.
    Text(String),
}

impl Dimension {
    /// Table (None for the facts) and column.
    pub fn parts(&self) -> (Option<&str>, &str) {
        self.0.split_once('.').map_or((None, self.0.as_str()), |(table, column)| (Some(table), column))
    }
}
