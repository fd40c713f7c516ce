//! TYPE_INFO (2.2.5.6): how columns are described, and how a client describes its parameters.

mod read;
mod write;

pub use read::TypeInfo;
pub(super) use write::token;
pub use write::write;

use super::value;
use crate::types::{Length, SqlType};

/// The length that stands for `max`.
const MAX_LENGTH: u16 = 0xFFFF;

/// NULL without a type, and no bytes behind it.
const NULL: u8 = 0x1F;
const INTN: u8 = 0x26;
const BITN: u8 = 0x68;
pub(super) const DECIMALN: u8 = 0x6A;
pub(super) const NUMERICN: u8 = 0x6C;
const FLTN: u8 = 0x6D;
const MONEYN: u8 = 0x6E;
const DATETIMN: u8 = 0x6F;
pub(super) const GUIDN: u8 = 0x24;
pub(super) const DATEN: u8 = 0x28;
const TIMEN: u8 = 0x29;
const DATETIME2N: u8 = 0x2A;
const DATETIMEOFFSETN: u8 = 0x2B;
const BIGVARBINARY: u8 = 0xA5;
const BIGVARCHAR: u8 = 0xA7;
const BIGBINARY: u8 = 0xAD;
const BIGCHAR: u8 = 0xAF;
const NVARCHAR: u8 = 0xE7;
const NCHAR: u8 = 0xEF;
const IMAGE: u8 = 0x22;
const TEXT: u8 = 0x23;
const NTEXT: u8 = 0x63;
const VARIANT: u8 = 0x62;
const UDT: u8 = 0xF0;
const XML: u8 = 0xF1;

/// Most bytes of a `sql_variant`: 8000 of a value, 9 of its type.
const VARIANT_LENGTH: u32 = 8009;

/// The fixed-width and the nullable token of a type that has both.
fn number_tokens(sql_type: SqlType) -> Option<(u8, u8)> {
    Some(match sql_type {
        SqlType::Bit => (0x32, BITN),
        SqlType::TinyInt => (0x30, INTN),
        SqlType::SmallInt => (0x34, INTN),
        SqlType::Int => (0x38, INTN),
        SqlType::BigInt => (0x7F, INTN),
        SqlType::Real => (0x3B, FLTN),
        SqlType::Float => (0x3E, FLTN),
        SqlType::Money => (0x3C, MONEYN),
        SqlType::SmallMoney => (0x7A, MONEYN),
        SqlType::DateTime => (0x3D, DATETIMN),
        SqlType::SmallDateTime => (0x3A, DATETIMN),
        _ => return None,
    })
}

/// The type of a fixed-width token.
pub(super) fn fixed_type(token: u8) -> Option<SqlType> {
    const FIXED: [SqlType; 11] = [
        SqlType::Bit,
        SqlType::TinyInt,
        SqlType::SmallInt,
        SqlType::Int,
        SqlType::BigInt,
        SqlType::Real,
        SqlType::Float,
        SqlType::Money,
        SqlType::SmallMoney,
        SqlType::DateTime,
        SqlType::SmallDateTime,
    ];
    FIXED.into_iter().find(|&sql_type| number_tokens(sql_type).is_some_and(|(fixed, _)| fixed == token))
}

/// The type of a decimal's token; None if it cannot have so many digits.
pub(super) fn decimal_type(token: u8, precision: u8, scale: u8) -> Option<SqlType> {
    if !(1..=38).contains(&precision) || scale > precision {
        return None;
    }
    Some(match token {
        DECIMALN => SqlType::Decimal { precision, scale },
        _ => SqlType::Numeric { precision, scale },
    })
}

/// The type of a token whose property is a scale.
pub(super) fn time_type(token: u8, scale: u8) -> Option<SqlType> {
    match token {
        _ if scale > 7 => None,
        TIMEN => Some(SqlType::Time(scale)),
        DATETIME2N => Some(SqlType::DateTime2(scale)),
        DATETIMEOFFSETN => Some(SqlType::DateTimeOffset(scale)),
        _ => None,
    }
}

/// The binary type of a token.
pub(super) fn binary_type(token: u8, bytes: u16) -> Option<SqlType> {
    match token {
        BIGVARBINARY => Some(SqlType::VarBinary(variable(bytes, 1))),
        BIGBINARY => Some(SqlType::Binary(bytes)),
        _ => None,
    }
}

/// The character type of a token.
pub(super) fn text_type(token: u8, bytes: u16) -> Option<SqlType> {
    match token {
        BIGVARCHAR => Some(SqlType::VarChar(variable(bytes, 1))),
        NVARCHAR => Some(SqlType::NVarChar(variable(bytes, 2))),
        BIGCHAR => Some(SqlType::Char(bytes)),
        NCHAR => Some(SqlType::NChar(bytes / 2)),
        _ => None,
    }
}

fn variable(bytes: u16, width: u16) -> Length {
    if bytes == MAX_LENGTH { Length::Max } else { Length::Limited(bytes / width) }
}
