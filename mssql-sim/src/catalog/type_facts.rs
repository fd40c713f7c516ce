//! Types as the catalog describes them.

use crate::types::{ClrType, Length, SqlType};

/// What `sys.types` and `sys.columns` say about a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeFacts {
    /// Name, as in `sys.types`.
    pub name: &'static str,
    /// `system_type_id`
    pub id: u8,
    /// `max_length` in bytes, -1 for `(max)`.
    pub max_length: i16,
    /// `precision`
    pub precision: u8,
    /// `scale`
    pub scale: u8,
}

/// `system_type_id` of every type of the CLR.
const CLR_ID: u8 = 240;

/// `sysname`: an alias of `nvarchar(128)`.
pub const SYSNAME_ID: i32 = 256;

/// Every type, at its widest.
pub const ALL_TYPES: [SqlType; 33] = [
    SqlType::UniqueIdentifier,
    SqlType::Date,
    SqlType::Time(7),
    SqlType::DateTime2(7),
    SqlType::DateTimeOffset(7),
    SqlType::TinyInt,
    SqlType::SmallInt,
    SqlType::Int,
    SqlType::SmallDateTime,
    SqlType::Real,
    SqlType::Money,
    SqlType::DateTime,
    SqlType::Float,
    SqlType::Bit,
    SqlType::Decimal { precision: 38, scale: 38 },
    SqlType::Numeric { precision: 38, scale: 38 },
    SqlType::SmallMoney,
    SqlType::BigInt,
    SqlType::VarBinary(Length::Limited(8000)),
    SqlType::VarChar(Length::Limited(8000)),
    SqlType::Binary(8000),
    SqlType::Char(8000),
    SqlType::RowVersion,
    SqlType::NVarChar(Length::Limited(4000)),
    SqlType::NChar(4000),
    SqlType::Text,
    SqlType::NText,
    SqlType::Image,
    SqlType::Xml,
    SqlType::SqlVariant,
    SqlType::Clr(ClrType::HierarchyId),
    SqlType::Clr(ClrType::Geometry),
    SqlType::Clr(ClrType::Geography),
];

/// `user_type_id` of a type that is no alias.
pub fn user_type_id(sql_type: SqlType) -> i32 {
    match sql_type {
        SqlType::Clr(ClrType::HierarchyId) => 128,
        SqlType::Clr(ClrType::Geometry) => 129,
        SqlType::Clr(ClrType::Geography) => 130,
        other => i32::from(facts(other).id),
    }
}

/// Facts of a type.
pub fn facts(sql_type: SqlType) -> TypeFacts {
    let (name, id, max_length, precision, scale) = match sql_type {
        SqlType::Bit => ("bit", 104, 1, 1, 0),
        SqlType::TinyInt => ("tinyint", 48, 1, 3, 0),
        SqlType::SmallInt => ("smallint", 52, 2, 5, 0),
        SqlType::Int => ("int", 56, 4, 10, 0),
        SqlType::BigInt => ("bigint", 127, 8, 19, 0),
        SqlType::Decimal { precision, scale } => ("decimal", 106, decimal_bytes(precision), precision, scale),
        SqlType::Numeric { precision, scale } => ("numeric", 108, decimal_bytes(precision), precision, scale),
        SqlType::Money => ("money", 60, 8, 19, 4),
        SqlType::SmallMoney => ("smallmoney", 122, 4, 10, 4),
        SqlType::Real => ("real", 59, 4, 24, 0),
        SqlType::Float => ("float", 62, 8, 53, 0),
        SqlType::DateTime => ("datetime", 61, 8, 23, 3),
        SqlType::SmallDateTime => ("smalldatetime", 58, 4, 16, 0),
        SqlType::Date => ("date", 40, 3, 10, 0),
        SqlType::Time(scale) => ("time", 41, time_bytes(scale), with_fraction(8, scale), scale),
        SqlType::DateTime2(scale) => {
            ("datetime2", 42, time_bytes(scale) + 3, with_fraction(19, scale), scale)
        }
        SqlType::DateTimeOffset(scale) => {
            ("datetimeoffset", 43, time_bytes(scale) + 5, with_fraction(26, scale), scale)
        }
        SqlType::Char(n) => ("char", 175, limited(n, 1), 0, 0),
        SqlType::VarChar(length) => ("varchar", 167, bytes(length, 1), 0, 0),
        SqlType::NChar(n) => ("nchar", 239, limited(n, 2), 0, 0),
        SqlType::NVarChar(length) => ("nvarchar", 231, bytes(length, 2), 0, 0),
        SqlType::Binary(n) => ("binary", 173, limited(n, 1), 0, 0),
        SqlType::VarBinary(length) => ("varbinary", 165, bytes(length, 1), 0, 0),
        SqlType::UniqueIdentifier => ("uniqueidentifier", 36, 16, 0, 0),
        SqlType::RowVersion => ("timestamp", 189, 8, 0, 0),
        SqlType::Text => ("text", 35, 16, 0, 0),
        SqlType::NText => ("ntext", 99, 16, 0, 0),
        SqlType::Image => ("image", 34, 16, 0, 0),
        SqlType::Xml => ("xml", 241, -1, 0, 0),
        SqlType::SqlVariant => ("sql_variant", 98, 8016, 0, 0),
        SqlType::Clr(clr) => (clr.name(), CLR_ID, if clr == ClrType::HierarchyId { 892 } else { -1 }, 0, 0),
    };
    TypeFacts { name, id, max_length, precision, scale }
}

fn decimal_bytes(precision: u8) -> i16 {
    match precision {
        0..=9 => 5,
        10..=19 => 9,
        20..=28 => 13,
        _ => 17,
    }
}

fn time_bytes(scale: u8) -> i16 {
    match scale {
        0..=2 => 3,
        3..=4 => 4,
        _ => 5,
    }
}

/// Digits of a time's text: those before the point, and the point and the fraction if there is one.
fn with_fraction(base: u8, scale: u8) -> u8 {
    if scale == 0 { base } else { base + 1 + scale }
}

fn limited(length: u16, width: u16) -> i16 {
    i16::try_from(length * width).unwrap_or(i16::MAX)
}

fn bytes(length: Length, width: u16) -> i16 {
    match length {
        Length::Limited(n) => limited(n, width),
        Length::Max => -1,
    }
}
