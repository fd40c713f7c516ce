//! Where the dialects differ: the rules that make one tree mean the same in both.

use super::tree::{Aggregate, Function, Type};

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    SqlServer,
    Postgres {
        /// NULL sorts before every value, as in SQL Server. Without this rule PostgreSQL sorts it behind.
        nulls_first: bool,
    },
}

impl Dialect {
    pub(super) fn type_name(self, of: Type) -> String {
        match (self, of) {
            (_, Type::Int(_)) => "int".into(),
            (_, Type::Big(_)) => "bigint".into(),
            (_, Type::Decimal { precision, scale }) => format!("decimal({precision}, {scale})"),
            (Self::SqlServer, Type::Text) => "varchar(40)".into(),
            (Self::Postgres { .. }, Type::Text) => "text".into(),
            (_, Type::Date) => "date".into(),
        }
    }

    /// The collation that compares texts by their bytes.
    pub(super) fn binary_collation(self) -> &'static str {
        match self {
            Self::SqlServer => "Latin1_General_BIN2",
            Self::Postgres { .. } => "\"C\"",
        }
    }

    /// A text that compares by its bytes.
    pub(super) fn text(self, sql: &str) -> String {
        format!("({sql} COLLATE {})", self.binary_collation())
    }

    pub(super) fn null(self, of: Type) -> String {
        let cast = format!("CAST(NULL AS {})", self.type_name(of));
        if of == Type::Text { self.text(&cast) } else { cast }
    }

    pub(super) fn order(self, key: &str, descending: bool) -> String {
        let direction = if descending { " DESC" } else { "" };
        let nulls = match self {
            Self::Postgres { nulls_first: true } if descending => " NULLS LAST",
            Self::Postgres { nulls_first: true } => " NULLS FIRST",
            _ => "",
        };
        format!("{key}{direction}{nulls}")
    }

    pub(super) fn top(self, limit: Option<u32>) -> String {
        match (self, limit) {
            (Self::SqlServer, Some(limit)) => format!("TOP ({limit}) "),
            _ => String::new(),
        }
    }

    pub(super) fn limit(self, limit: Option<u32>) -> String {
        match (self, limit) {
            (Self::Postgres { .. }, Some(limit)) => format!(" LIMIT {limit}"),
            _ => String::new(),
        }
    }

    /// SQL Server cuts a quotient to the scale of its type.
    pub(super) fn divide(self, a: &str, b: &str, scale: u8) -> String {
        match self {
            Self::SqlServer => format!("({a} / {b})"),
            // The factor makes PostgreSQL compute more digits than are kept.
            Self::Postgres { .. } => format!("trunc({a} * 1.{:040} / {b}, {scale})", 0),
        }
    }

    pub(super) fn truncate(self, a: &str) -> String {
        match self {
            Self::SqlServer => format!("CAST({a} AS int)"),
            Self::Postgres { .. } => format!("CAST(trunc({a}) AS int)"),
        }
    }

    pub(super) fn aggregate(self, name: Aggregate, argument: &str) -> String {
        match (name, self) {
            (Aggregate::Count, _) => format!("COUNT({argument})"),
            (Aggregate::Sum, _) => format!("SUM({argument})"),
            (Aggregate::Min, _) => format!("MIN({argument})"),
            (Aggregate::Max, _) => format!("MAX({argument})"),
            (Aggregate::Average { .. }, Self::SqlServer) => format!("AVG({argument})"),
            (Aggregate::Average { scale }, Self::Postgres { .. }) => {
                format!("trunc(CAST(SUM({argument}) AS numeric) * 1.{:040} / COUNT({argument}), {scale})", 0)
            }
        }
    }

    pub(super) fn call(self, function: Function, arguments: &[String]) -> String {
        let joined = arguments.join(", ");
        let argument = |index: usize| arguments[index].as_str();
        match self {
            Self::SqlServer => match function {
                Function::AddDays => format!("DATEADD(day, {}, {})", argument(1), argument(0)),
                Function::AddMonths => format!("DATEADD(month, {}, {})", argument(1), argument(0)),
                Function::Concat => format!("({} + {})", argument(0), argument(1)),
                Function::DaysBetween => format!("DATEDIFF(day, {joined})"),
                Function::Position => format!("CHARINDEX({}, {})", argument(1), argument(0)),
                _ => format!("{}({joined})", sql_server_name(function)),
            },
            Self::Postgres { .. } => match function {
                Function::AddDays => format!("({} + {})", argument(0), argument(1)),
                Function::AddMonths => {
                    format!("CAST({} + {} * interval '1 month' AS date)", argument(0), argument(1))
                }
                Function::Concat => format!("({} || {})", argument(0), argument(1)),
                Function::Day | Function::Month | Function::Year => {
                    format!("CAST(extract({} FROM {}) AS int)", sql_server_name(function), argument(0))
                }
                Function::DaysBetween => format!("({} - {})", argument(1), argument(0)),
                Function::EndOfMonth => {
                    format!("CAST(date_trunc('month', {}) + interval '1 month - 1 day' AS date)", argument(0))
                }
                Function::Length => format!("length({joined})"),
                Function::Position => format!("strpos({joined})"),
                _ => format!("{}({joined})", sql_server_name(function)),
            },
        }
    }
}

fn sql_server_name(function: Function) -> &'static str {
    match function {
        Function::Abs => "ABS",
        Function::AddDays | Function::AddMonths => "DATEADD",
        Function::Ceiling => "CEILING",
        Function::Coalesce => "COALESCE",
        Function::Concat => "CONCAT",
        Function::Day => "DAY",
        Function::DaysBetween => "DATEDIFF",
        Function::EndOfMonth => "EOMONTH",
        Function::Floor => "FLOOR",
        Function::Left => "LEFT",
        Function::Length => "LEN",
        Function::Lower => "LOWER",
        Function::Month => "MONTH",
        Function::NullIf => "NULLIF",
        Function::Position => "CHARINDEX",
        Function::Replace => "REPLACE",
        Function::Reverse => "REVERSE",
        Function::Right => "RIGHT",
        Function::Round => "ROUND",
        Function::Substring => "SUBSTRING",
        Function::Upper => "UPPER",
        Function::Year => "YEAR",
    }
}
