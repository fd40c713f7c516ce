//! Why a metric cannot be maintained.

/// A metric that does not fit its tables. The name of the metric stands in every message.
#[derive(Debug, thiserror::Error)]
pub enum MetricError {
    /// No such table.
    #[error("metric {metric:?}: table {table:?} is not replicated{}", hint(nearest.as_deref()))]
    UnknownTable {
        /// The metric.
        metric: String,
        /// The name that was not found.
        table: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// No such column.
    #[error("metric {metric:?}: table {table:?} has no column {column:?}{}", hint(nearest.as_deref()))]
    UnknownColumn {
        /// The metric.
        metric: String,
        /// The table.
        table: String,
        /// The name that was not found.
        column: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A column of a type that does not do.
    #[error("metric {metric:?}: column {column:?} is {found}, but {needed}")]
    ColumnType {
        /// The metric.
        metric: String,
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// What it is used for.
        needed: &'static str,
    },
    /// A side that a fact could meet twice.
    #[error(
        "metric {metric:?}: the join with {side:?} leaves out {column:?} of its primary key, so a fact could meet several rows"
    )]
    SideKey {
        /// The metric.
        metric: String,
        /// The side.
        side: String,
        /// The missing column.
        column: String,
    },
    /// One table as two sides.
    #[error("metric {metric:?}: {table:?} is joined twice; a table takes part in a metric once")]
    SideTwice {
        /// The metric.
        metric: String,
        /// The table.
        table: String,
    },
    /// A ratio without a denominator, or a sum with one.
    #[error("metric {metric:?}: a ratio has a denominator, a sum has none")]
    Denominator {
        /// The metric.
        metric: String,
    },
    /// A comparison without, or with too many, sides.
    #[error(
        "metric {metric:?}: the comparison of {column:?} is not complete: null and not_null take no `than`, the others need one"
    )]
    Comparison {
        /// The metric.
        metric: String,
        /// The column.
        column: String,
    },
    /// A text column without its twin.
    #[error("metric {metric:?}: text column {column:?} has no stored key yet; run: cdc-agent migrate")]
    TwinMissing {
        /// The metric.
        metric: String,
        /// The column.
        column: String,
    },
    /// A time whose zone nobody knows.
    #[error(
        "metric {metric:?}: the day of {column:?} needs a zone: declare [zones] and a warehouse column of the same table, \
         or an IANA zone as [source] naive_zone"
    )]
    ZoneUnknown {
        /// The metric.
        metric: String,
        /// The column.
        column: String,
    },
    /// Two metrics would store different days under one name.
    #[error("metric {metric:?}: another metric takes the day of {column:?} by another warehouse column")]
    DayTwice {
        /// The metric.
        metric: String,
        /// The column.
        column: String,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
}
