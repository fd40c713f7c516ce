//! Types of SQL Server's columns: what becomes of them in the target, how they are selected and how a key of them is bound.
//!
//! The server converts what the wire or the driver would spoil: `money` (decoded through floating point), single-byte text
//! (code pages that the driver lacks; one invalid byte ends the whole answer), and the deprecated large types.

use proto::ColumnType;
use std::fmt;

/// Length of a variable type as its declaration says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Bytes of a binary or single-byte type, UTF-16 units of a national one.
    Of(u16),
    /// `(max)`
    Max,
}

impl Length {
    /// Reads `sys.columns.max_length`, which counts bytes and says -1 for `(max)`.
    fn of_catalog(max_length: i16, bytes_per_unit: u16) -> Self {
        u16::try_from(max_length).map_or(Self::Max, |bytes| Self::Of(bytes / bytes_per_unit))
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Of(length) => write!(f, "{length}"),
            Self::Max => f.write_str("max"),
        }
    }
}

/// A column's type at the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqlType {
    /// `tinyint`, unsigned.
    TinyInt,
    /// `smallint`
    SmallInt,
    /// `int`
    Int,
    /// `bigint`
    BigInt,
    /// `bit`
    Bit,
    /// `decimal(p, s)` and `numeric(p, s)`
    Decimal {
        /// 1 to 38
        precision: u8,
        /// 0 to `precision`
        scale: u8,
    },
    /// `money`
    Money,
    /// `smallmoney`
    SmallMoney,
    /// `real`
    Real,
    /// `float`
    Float,
    /// `date`
    Date,
    /// `time(scale)`
    Time {
        /// Digits of the second's fraction, 0 to 7.
        scale: u8,
    },
    /// `datetime`, in ticks of 1/300 second.
    DateTime,
    /// `smalldatetime`
    SmallDateTime,
    /// `datetime2(scale)`
    DateTime2 {
        /// Digits of the second's fraction, 0 to 7.
        scale: u8,
    },
    /// `datetimeoffset(scale)`
    DateTimeOffset {
        /// Digits of the second's fraction, 0 to 7.
        scale: u8,
    },
    /// `char(n)`
    Char(Length),
    /// `varchar(n)`
    VarChar(Length),
    /// `nchar(n)`
    NChar(Length),
    /// `nvarchar(n)`, `sysname`
    NVarChar(Length),
    /// `text`, `ntext`, `xml`
    LongText,
    /// `binary(n)`
    Binary(Length),
    /// `varbinary(n)`
    VarBinary(Length),
    /// `image`
    Image,
    /// `rowversion`, 8 bytes.
    RowVersion,
    /// `uniqueidentifier`
    UniqueIdentifier,
    /// A type that is not replicated; its name.
    Unsupported(String),
}

impl SqlType {
    /// Reads a type from `sys.columns`. Alias types arrive as what they are made of, since `system_type_id` decides.
    pub(super) fn of_catalog(system_type: u8, name: &str, max_length: i16, precision: u8, scale: u8) -> Self {
        match system_type {
            48 => Self::TinyInt,
            52 => Self::SmallInt,
            56 => Self::Int,
            127 => Self::BigInt,
            104 => Self::Bit,
            106 | 108 => Self::Decimal { precision, scale },
            60 => Self::Money,
            122 => Self::SmallMoney,
            59 => Self::Real,
            62 => Self::Float,
            40 => Self::Date,
            41 => Self::Time { scale },
            61 => Self::DateTime,
            58 => Self::SmallDateTime,
            42 => Self::DateTime2 { scale },
            43 => Self::DateTimeOffset { scale },
            175 => Self::Char(Length::of_catalog(max_length, 1)),
            167 => Self::VarChar(Length::of_catalog(max_length, 1)),
            239 => Self::NChar(Length::of_catalog(max_length, 2)),
            231 => Self::NVarChar(Length::of_catalog(max_length, 2)),
            35 | 99 | 241 => Self::LongText,
            173 => Self::Binary(Length::of_catalog(max_length, 1)),
            165 => Self::VarBinary(Length::of_catalog(max_length, 1)),
            34 => Self::Image,
            189 => Self::RowVersion,
            36 => Self::UniqueIdentifier,
            _ => Self::Unsupported(name.to_owned()),
        }
    }

    /// The target's type; None for a type that is not replicated.
    pub fn column_type(&self) -> Option<ColumnType> {
        Some(match self {
            Self::TinyInt | Self::SmallInt => ColumnType::Int2,
            Self::Int => ColumnType::Int4,
            Self::BigInt => ColumnType::Int8,
            Self::Bit => ColumnType::Bool,
            Self::Decimal { precision, scale } => {
                ColumnType::Numeric { precision: *precision, scale: *scale }
            }
            Self::Money => ColumnType::Numeric { precision: 19, scale: 4 },
            Self::SmallMoney => ColumnType::Numeric { precision: 10, scale: 4 },
            Self::Real => ColumnType::Float4,
            Self::Float => ColumnType::Float8,
            Self::Date => ColumnType::Date,
            Self::Time { .. } => ColumnType::Time,
            Self::DateTime | Self::SmallDateTime | Self::DateTime2 { .. } => ColumnType::Timestamp,
            Self::DateTimeOffset { .. } => ColumnType::TimestampTz,
            Self::Char(_) | Self::VarChar(_) | Self::NChar(_) | Self::NVarChar(_) | Self::LongText => {
                ColumnType::Text
            }
            Self::Binary(_) | Self::VarBinary(_) | Self::Image | Self::RowVersion => ColumnType::Bytes,
            Self::UniqueIdentifier => ColumnType::Uuid,
            Self::Unsupported(_) => return None,
        })
    }

    /// The expression that selects `column`, itself an expression such as `T.[price]`.
    pub(super) fn projection(&self, column: &str) -> String {
        let conversion = match self {
            Self::Money => "decimal(19,4)".to_owned(),
            Self::SmallMoney => "decimal(10,4)".to_owned(),
            Self::Char(Length::Of(n)) | Self::VarChar(Length::Of(n)) if *n <= 4000 => {
                format!("nvarchar({n})")
            }
            Self::Char(_) | Self::VarChar(_) | Self::LongText => "nvarchar(max)".to_owned(),
            Self::Image => "varbinary(max)".to_owned(),
            _ => return column.to_owned(),
        };
        format!("CAST({column} AS {conversion})")
    }

    /// The declaration under which a key's value is bound; None where the target's type cannot hold every value exactly
    /// or the text form is not exact, so that a key read back would miss its row.
    pub(super) fn key_declaration(&self) -> Option<String> {
        Some(match self {
            Self::TinyInt => "tinyint".to_owned(),
            Self::SmallInt => "smallint".to_owned(),
            Self::Int => "int".to_owned(),
            Self::BigInt => "bigint".to_owned(),
            Self::Bit => "bit".to_owned(),
            Self::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
            Self::Money => "money".to_owned(),
            Self::SmallMoney => "smallmoney".to_owned(),
            Self::Date => "date".to_owned(),
            Self::Time { scale: scale @ 0..=6 } => format!("time({scale})"),
            Self::DateTime => "datetime".to_owned(),
            Self::SmallDateTime => "smalldatetime".to_owned(),
            Self::DateTime2 { scale: scale @ 0..=6 } => format!("datetime2({scale})"),
            Self::DateTimeOffset { scale: scale @ 0..=6 } => format!("datetimeoffset({scale})"),
            Self::Char(length) => format!("char({length})"),
            Self::VarChar(length) => format!("varchar({length})"),
            Self::NChar(length) => format!("nchar({length})"),
            Self::NVarChar(length) => format!("nvarchar({length})"),
            Self::Binary(length) => format!("binary({length})"),
            Self::VarBinary(length) => format!("varbinary({length})"),
            Self::RowVersion => "binary(8)".to_owned(),
            Self::UniqueIdentifier => "uniqueidentifier".to_owned(),
            Self::Time { .. }
            | Self::DateTime2 { .. }
            | Self::DateTimeOffset { .. }
            | Self::Real
            | Self::Float
            | Self::LongText
            | Self::Image
            | Self::Unsupported(_) => return None,
        })
    }

    /// Whether values are single-byte text, whose code page the collation decides.
    pub(super) fn is_single_byte_text(&self) -> bool {
        matches!(self, Self::Char(_) | Self::VarChar(_))
    }

    /// Whether values are bytes.
    pub(super) fn is_binary(&self) -> bool {
        matches!(self, Self::Binary(_) | Self::VarBinary(_) | Self::RowVersion)
    }

    /// The type as an operator knows it.
    pub fn display_name(&self) -> String {
        match self {
            Self::Unsupported(name) => name.clone(),
            Self::LongText => "text".to_owned(),
            Self::Image => "image".to_owned(),
            Self::Real => "real".to_owned(),
            Self::Float => "float".to_owned(),
            Self::RowVersion => "rowversion".to_owned(),
            Self::Time { scale } => format!("time({scale})"),
            Self::DateTime2 { scale } => format!("datetime2({scale})"),
            Self::DateTimeOffset { scale } => format!("datetimeoffset({scale})"),
            other => other.key_declaration().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Length, SqlType};
    use proto::ColumnType;

    #[test]
    fn catalog_lengths_count_bytes() {
        assert_eq!(SqlType::of_catalog(231, "nvarchar", 64, 0, 0), SqlType::NVarChar(Length::Of(32)));
        assert_eq!(SqlType::of_catalog(231, "nvarchar", -1, 0, 0), SqlType::NVarChar(Length::Max));
        assert_eq!(SqlType::of_catalog(167, "varchar", 8000, 0, 0), SqlType::VarChar(Length::Of(8000)));
        assert_eq!(SqlType::of_catalog(240, "geography", -1, 0, 0), SqlType::Unsupported("geography".into()));
    }

    #[test]
    fn the_server_converts_what_the_wire_would_spoil() {
        let project = |sql_type: SqlType| sql_type.projection("T.[c]");
        assert_eq!(project(SqlType::Money), "CAST(T.[c] AS decimal(19,4))");
        assert_eq!(project(SqlType::VarChar(Length::Of(30))), "CAST(T.[c] AS nvarchar(30))");
        assert_eq!(project(SqlType::Char(Length::Of(4001))), "CAST(T.[c] AS nvarchar(max))");
        assert_eq!(project(SqlType::NVarChar(Length::Of(30))), "T.[c]");
        assert_eq!(project(SqlType::Int), "T.[c]");
    }

    #[test]
    fn a_type_whose_values_the_target_rounds_is_no_key() {
        assert_eq!(SqlType::DateTime2 { scale: 7 }.key_declaration(), None);
        assert_eq!(SqlType::DateTime2 { scale: 6 }.key_declaration().as_deref(), Some("datetime2(6)"));
        assert_eq!(SqlType::DateTime2 { scale: 7 }.column_type(), Some(ColumnType::Timestamp));
        assert_eq!(SqlType::Float.key_declaration(), None);
    }
}
