//! Values from one type to another: CAST, CONVERT, and what happens without being asked.
//!
//! [`rules`] says which conversions exist, [`convert`] carries one out. Text comes from and goes to the other modules:
//! `number`, `binary`, `date_parse`, `date_format`.

mod binary;
mod date;
mod date_format;
mod date_parse;
mod number;
mod rules;
mod text;
mod xml;

pub(crate) use binary::text_bytes;
pub(crate) use date::{Moment, TICKS_PER_DAY, TICKS_PER_SECOND, days_of, moment_of, moment_to};
pub(crate) use number::{exact_parts, finite, float_of, integer_bounds, literal_parts};
pub use rules::{Conversion, conversion, is_text, require_implicit, type_name, unify};
pub(crate) use rules::{
    Family, as_decimal, capped, declared_length, family, fraction_digits, is_max, precedence,
};
pub(crate) use text::{text_of, text_width};

use crate::collation::Collation;
use crate::exec::messages::impossible_cast;
use crate::types::{Length, SqlError, SqlType, Value, Variant};

/// Converts a value as [`convert_in`] does, text being of the server's collation.
///
/// # Errors
/// As [`convert_in`].
pub fn convert(value: Value, from: SqlType, to: SqlType, style: Option<i32>) -> Result<Value, SqlError> {
    convert_in(value, from, to, style, Collation::DEFAULT)
}

/// Converts a value; what is too long is cut, as CAST does.
///
/// `style` is that of CONVERT, None without one. `collation` is that of the target if it is `char` or `varchar`, else
/// that of the source. The pair of types must convert at all (see [`conversion()`]).
///
/// # Errors
/// The number that SQL Server gives for the pair: 220, 232, 235, 241, 242, 245, 248, 281, 529, 8114, 8115, 8169, ...
pub fn convert_in(
    value: Value,
    from: SqlType,
    to: SqlType,
    style: Option<i32>,
    collation: Collation,
) -> Result<Value, SqlError> {
    if value.is_null() || from == to && !to.has_code_page() {
        return Ok(value);
    }
    if let Value::Variant(held) = value {
        return match to {
            SqlType::SqlVariant => Ok(Value::Variant(held)),
            _ => convert_in(held.value, held.sql_type, to, style, collation),
        };
    }
    let code_page = collation.code_page();
    match family(to) {
        Family::Exact | Family::Approximate => number::to_number(value, from, to),
        Family::Text | Family::NationalText | Family::LongText => {
            text::to_text(value, from, to, style, code_page)
        }
        Family::Binary | Family::RowVersion | Family::Image | Family::Clr => {
            binary::to_binary(value, from, to, style, code_page)
        }
        Family::LegacyDate | Family::DateAndTime | Family::Date | Family::Time => {
            date::to_date(value, from, to, style)
        }
        Family::Xml => xml::to_xml(value, from),
        Family::Variant => {
            Ok(Value::Variant(Box::new(Variant { sql_type: from, collation: Collation::DEFAULT, value })))
        }
        Family::Guid => match value {
            Value::Guid(_) => Ok(value),
            Value::Text(units) => text::parse_guid(&units),
            Value::Bytes(bytes) => Ok(binary::guid_from_bytes(&bytes)),
            _ => Err(impossible_cast(from, to)),
        },
    }
}

/// Where a value is stored, for the text of error 2628.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// `database.schema.table`
    pub table: &'a str,
    /// Column.
    pub column: &'a str,
    /// Collation of the column.
    pub collation: Collation,
}

/// Converts a value to be stored in a column: nothing is cut silently except trailing blanks.
///
/// # Errors
/// As [`convert`]; 206 and 257 for what needs a CAST; 2628 for what is too long.
pub fn assign(value: Value, from: SqlType, to: SqlType, target: Target<'_>) -> Result<Value, SqlError> {
    require_implicit(from, to)?;
    if let (Some(Length::Limited(limit)), Value::Text(_) | Value::Bytes(_)) = (declared_length(to), &value) {
        let too_long = match &value {
            Value::Text(units) if is_text(to) => {
                text::length_in(&units[..text::trimmed_length(units)], to, target.collation.code_page())
                    > usize::from(limit)
            }
            Value::Bytes(bytes) if !is_text(to) => bytes.len() > usize::from(limit),
            _ => false,
        };
        if too_long {
            return Err(truncated(&value, to, target));
        }
    }
    convert_in(value, from, to, None, target.collation)
}

fn truncated(value: &Value, to: SqlType, target: Target<'_>) -> SqlError {
    let kept = match value {
        Value::Text(units) => {
            String::from_utf16_lossy(&text::fit(units.clone(), to, target.collation.code_page()))
        }
        _ => String::new(),
    };
    let message = format!(
        "String or binary data would be truncated in table '{}', column '{}'. Truncated value: '{kept}'.",
        target.table, target.column
    );
    SqlError::statement(2628, message)
}
