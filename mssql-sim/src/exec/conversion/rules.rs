//! Which types convert into which, and what type two types have together.

use crate::exec::messages::{explicit_only, type_clash};
use crate::types::{Length, SqlError, SqlType};

/// How one type becomes another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// Without being asked.
    Implicit,
    /// By CAST or CONVERT only.
    Explicit,
    /// Never.
    Impossible,
}

/// Kinds of types that convert alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Integers, bit, decimal, money.
    Exact,
    /// float, real
    Approximate,
    /// char, varchar
    Text,
    /// nchar, nvarchar
    NationalText,
    /// binary, varbinary
    Binary,
    /// rowversion
    RowVersion,
    /// datetime, smalldatetime
    LegacyDate,
    /// datetime2, datetimeoffset
    DateAndTime,
    /// date
    Date,
    /// time
    Time,
    /// uniqueidentifier
    Guid,
    /// text, ntext
    LongText,
    /// image
    Image,
    /// xml
    Xml,
    /// sql_variant
    Variant,
    /// hierarchyid, geometry, geography
    Clr,
}

pub(crate) fn family(sql_type: SqlType) -> Family {
    match sql_type {
        SqlType::Bit | SqlType::TinyInt | SqlType::SmallInt | SqlType::Int | SqlType::BigInt => Family::Exact,
        SqlType::Decimal { .. } | SqlType::Numeric { .. } | SqlType::Money | SqlType::SmallMoney => {
            Family::Exact
        }
        SqlType::Real | SqlType::Float => Family::Approximate,
        SqlType::Char(_) | SqlType::VarChar(_) => Family::Text,
        SqlType::NChar(_) | SqlType::NVarChar(_) => Family::NationalText,
        SqlType::Binary(_) | SqlType::VarBinary(_) => Family::Binary,
        SqlType::RowVersion => Family::RowVersion,
        SqlType::DateTime | SqlType::SmallDateTime => Family::LegacyDate,
        SqlType::DateTime2(_) | SqlType::DateTimeOffset(_) => Family::DateAndTime,
        SqlType::Date => Family::Date,
        SqlType::Time(_) => Family::Time,
        SqlType::UniqueIdentifier => Family::Guid,
        SqlType::Text | SqlType::NText => Family::LongText,
        SqlType::Image => Family::Image,
        SqlType::Xml => Family::Xml,
        SqlType::SqlVariant => Family::Variant,
        SqlType::Clr(_) => Family::Clr,
    }
}

/// Whether and how `from` converts to `to`.
pub fn conversion(from: SqlType, to: SqlType) -> Conversion {
    use Family as F;
    match (family(from), family(to)) {
        (F::Variant, F::Variant) | (F::Xml, F::Xml) => Conversion::Implicit,
        (F::Clr, F::Clr) if from == to => Conversion::Implicit,
        (_, F::Variant) if !fits_variant(from) => Conversion::Impossible,
        (F::Variant, F::LongText | F::Image | F::Xml | F::Clr | F::RowVersion) => Conversion::Impossible,
        (_, F::Variant) => Conversion::Implicit,
        (F::Variant, _) => Conversion::Explicit,
        (F::Binary, F::Clr) => Conversion::Implicit,
        (F::Clr, F::Binary) => Conversion::Explicit,
        (F::Text | F::NationalText | F::LongText | F::Binary, F::Xml) => Conversion::Implicit,
        (F::Xml, F::Text | F::NationalText | F::Binary) => Conversion::Explicit,
        (F::Clr | F::Xml, _) | (_, F::Clr | F::Xml) => Conversion::Impossible,
        (F::Text | F::NationalText | F::LongText, F::LongText) | (F::LongText, F::Text | F::NationalText) => {
            Conversion::Implicit
        }
        (F::Text | F::Image | F::Binary | F::RowVersion, F::Image)
        | (F::Image, F::Binary | F::RowVersion) => Conversion::Implicit,
        (F::LongText | F::Image, _) | (_, F::LongText | F::Image) => Conversion::Impossible,
        (F::Date, F::Time) | (F::Time, F::Date) => Conversion::Impossible,
        (
            F::LegacyDate | F::DateAndTime | F::Date | F::Time,
            F::LegacyDate | F::DateAndTime | F::Date | F::Time,
        ) => Conversion::Implicit,
        (F::Text | F::NationalText, F::Binary) | (F::Text, F::RowVersion) => Conversion::Explicit,
        (F::NationalText, F::RowVersion) | (F::RowVersion, F::NationalText) => Conversion::Impossible,
        (F::Text | F::NationalText, _) | (_, F::Text | F::NationalText) => Conversion::Implicit,
        (F::Exact | F::Approximate, F::Exact | F::Approximate | F::LegacyDate) => Conversion::Implicit,
        (F::Exact, F::Binary | F::RowVersion) | (F::Binary | F::RowVersion, F::Exact) => Conversion::Implicit,
        (F::Approximate, F::Binary) => Conversion::Explicit,
        (F::LegacyDate, F::Exact | F::Approximate) => Conversion::Explicit,
        (F::Binary | F::RowVersion, F::Binary | F::RowVersion | F::LegacyDate) => Conversion::Implicit,
        (F::Binary, F::Date | F::Time | F::DateAndTime)
        | (F::LegacyDate | F::DateAndTime | F::Date | F::Time, F::Binary) => Conversion::Explicit,
        (F::Guid, F::Guid | F::Binary) | (F::Binary, F::Guid) => Conversion::Implicit,
        _ => Conversion::Impossible,
    }
}

/// Whether a `sql_variant` can hold a type.
fn fits_variant(sql_type: SqlType) -> bool {
    let held = !matches!(
        family(sql_type),
        Family::LongText | Family::Image | Family::Xml | Family::Clr | Family::RowVersion
    );
    held && !is_max(sql_type)
}

/// Whether a type is one of unlimited length.
pub(crate) fn is_max(sql_type: SqlType) -> bool {
    declared_length(sql_type) == Some(Length::Max)
}

/// Refuses what does not convert without being asked: 206 or 257.
pub fn require_implicit(from: SqlType, to: SqlType) -> Result<(), SqlError> {
    match conversion(from, to) {
        Conversion::Implicit => Ok(()),
        Conversion::Explicit => Err(explicit_only(from, to)),
        Conversion::Impossible => Err(type_clash(from, to)),
    }
}

/// Rank of a type; of two types that meet, the lower one converts.
pub(crate) fn precedence(sql_type: SqlType) -> u8 {
    match sql_type {
        SqlType::Binary(_) => 1,
        SqlType::VarBinary(_) => 2,
        SqlType::Char(_) => 3,
        SqlType::VarChar(_) => 4,
        SqlType::NChar(_) => 5,
        SqlType::NVarChar(_) => 6,
        SqlType::UniqueIdentifier => 7,
        SqlType::RowVersion => 8,
        SqlType::Image => 9,
        SqlType::Text => 10,
        SqlType::NText => 11,
        SqlType::Bit => 12,
        SqlType::TinyInt => 13,
        SqlType::SmallInt => 14,
        SqlType::Int => 15,
        SqlType::BigInt => 16,
        SqlType::SmallMoney => 17,
        SqlType::Money => 18,
        SqlType::Decimal { .. } => 19,
        SqlType::Numeric { .. } => 20,
        SqlType::Real => 21,
        SqlType::Float => 22,
        SqlType::Time(_) => 23,
        SqlType::Date => 24,
        SqlType::SmallDateTime => 25,
        SqlType::DateTime => 26,
        SqlType::DateTime2(_) => 27,
        SqlType::DateTimeOffset(_) => 28,
        SqlType::SqlVariant => 29,
        SqlType::Xml => 30,
        SqlType::Clr(_) => 31,
    }
}

/// The type that two types have together in CASE, UNION, COALESCE and comparisons.
///
/// # Errors
/// 206 or 257 when the lower does not convert to the higher.
pub fn unify(one: SqlType, other: SqlType) -> Result<SqlType, SqlError> {
    if one == other {
        return Ok(one);
    }
    let (low, high) = if precedence(one) <= precedence(other) { (one, other) } else { (other, one) };
    require_implicit(low, high)?;
    Ok(match high {
        SqlType::Decimal { .. } | SqlType::Numeric { .. } => match as_decimal(low) {
            Some(low_parts) => joined_decimal(high, low_parts),
            None => high,
        },
        SqlType::VarBinary(_) => SqlType::VarBinary(widest(low, high)),
        SqlType::Binary(_) => SqlType::Binary(limit(widest(low, high))),
        SqlType::Char(_) => SqlType::Char(limit(widest(low, high))),
        SqlType::VarChar(_) if is_character_or_binary(low) => SqlType::VarChar(widest(low, high)),
        SqlType::NChar(_) if matches!(low, SqlType::VarChar(_)) => SqlType::NVarChar(widest(low, high)),
        SqlType::NChar(_) if is_character_or_binary(low) => {
            SqlType::NChar(limit(widest(low, high)).min(4000))
        }
        SqlType::NVarChar(_) if is_character_or_binary(low) => {
            SqlType::NVarChar(capped(widest(low, high), 4000))
        }
        SqlType::DateTime2(scale) => SqlType::DateTime2(scale.max(fraction_digits(low))),
        SqlType::DateTimeOffset(scale) => SqlType::DateTimeOffset(scale.max(fraction_digits(low))),
        SqlType::Time(scale) => SqlType::Time(scale.max(fraction_digits(low))),
        _ => high,
    })
}

/// Precision and scale of an exact number as a decimal.
pub(crate) fn as_decimal(sql_type: SqlType) -> Option<(u8, u8)> {
    Some(match sql_type {
        SqlType::Bit => (1, 0),
        SqlType::TinyInt => (3, 0),
        SqlType::SmallInt => (5, 0),
        SqlType::Int => (10, 0),
        SqlType::BigInt => (19, 0),
        SqlType::Money => (19, 4),
        SqlType::SmallMoney => (10, 4),
        SqlType::Decimal { precision, scale } | SqlType::Numeric { precision, scale } => (precision, scale),
        _ => return None,
    })
}

/// Largest scale, and room for the most digits before the point.
fn joined_decimal(high: SqlType, low: (u8, u8)) -> SqlType {
    let (p, s) = as_decimal(high).unwrap_or((38, 0));
    let scale = s.max(low.1);
    let precision = ((p - s).max(low.0 - low.1) + scale).min(38);
    let scale = scale.min(precision);
    match high {
        SqlType::Numeric { .. } => SqlType::Numeric { precision, scale },
        _ => SqlType::Decimal { precision, scale },
    }
}

pub(crate) fn is_character_or_binary(sql_type: SqlType) -> bool {
    is_text(sql_type) || matches!(sql_type, SqlType::Binary(_) | SqlType::VarBinary(_))
}

/// Whether a type holds characters.
pub fn is_text(sql_type: SqlType) -> bool {
    matches!(family(sql_type), Family::Text | Family::NationalText)
}

/// Declared length of a character or binary type.
pub(crate) fn declared_length(sql_type: SqlType) -> Option<Length> {
    Some(match sql_type {
        SqlType::Char(n) | SqlType::NChar(n) | SqlType::Binary(n) => Length::Limited(n),
        SqlType::VarChar(length) | SqlType::NVarChar(length) | SqlType::VarBinary(length) => length,
        SqlType::Text | SqlType::NText | SqlType::Image | SqlType::Xml | SqlType::Clr(_) => Length::Max,
        SqlType::RowVersion => Length::Limited(8),
        _ => return None,
    })
}

fn widest(one: SqlType, other: SqlType) -> Length {
    match (declared_length(one), declared_length(other)) {
        (Some(Length::Limited(a)), Some(Length::Limited(b))) => Length::Limited(a.max(b)),
        (Some(Length::Limited(a)), None) | (None, Some(Length::Limited(a))) => Length::Limited(a),
        _ => Length::Max,
    }
}

fn limit(length: Length) -> u16 {
    match length {
        Length::Limited(n) => n,
        Length::Max => 8000,
    }
}

pub(crate) fn capped(length: Length, cap: u16) -> Length {
    match length {
        Length::Limited(n) => Length::Limited(n.min(cap)),
        Length::Max => Length::Max,
    }
}

/// Digits after the second that a type of time keeps.
pub(crate) fn fraction_digits(sql_type: SqlType) -> u8 {
    match sql_type {
        SqlType::Time(n) | SqlType::DateTime2(n) | SqlType::DateTimeOffset(n) => n,
        SqlType::DateTime => 3,
        SqlType::Date | SqlType::SmallDateTime => 0,
        _ => 7,
    }
}

/// Name of a type in messages.
pub fn type_name(sql_type: SqlType) -> &'static str {
    match sql_type {
        SqlType::Bit => "bit",
        SqlType::TinyInt => "tinyint",
        SqlType::SmallInt => "smallint",
        SqlType::Int => "int",
        SqlType::BigInt => "bigint",
        SqlType::Decimal { .. } => "decimal",
        SqlType::Numeric { .. } => "numeric",
        SqlType::Money => "money",
        SqlType::SmallMoney => "smallmoney",
        SqlType::Real => "real",
        SqlType::Float => "float",
        SqlType::DateTime => "datetime",
        SqlType::SmallDateTime => "smalldatetime",
        SqlType::DateTime2(_) => "datetime2",
        SqlType::Date => "date",
        SqlType::Time(_) => "time",
        SqlType::DateTimeOffset(_) => "datetimeoffset",
        SqlType::Char(_) => "char",
        SqlType::VarChar(Length::Limited(_)) => "varchar",
        SqlType::VarChar(Length::Max) => "varchar(max)",
        SqlType::NChar(_) => "nchar",
        SqlType::NVarChar(Length::Limited(_)) => "nvarchar",
        SqlType::NVarChar(Length::Max) => "nvarchar(max)",
        SqlType::Binary(_) => "binary",
        SqlType::VarBinary(Length::Limited(_)) => "varbinary",
        SqlType::VarBinary(Length::Max) => "varbinary(max)",
        SqlType::UniqueIdentifier => "uniqueidentifier",
        SqlType::RowVersion => "timestamp",
        SqlType::Text => "text",
        SqlType::NText => "ntext",
        SqlType::Image => "image",
        SqlType::Xml => "xml",
        SqlType::SqlVariant => "sql_variant",
        SqlType::Clr(clr) => clr.name(),
    }
}
