//! Errors that more than one part of the execution raises.

use crate::types::{Reach, SqlError, SqlType};

use super::conversion::{is_text, type_name};

/// 8115: a result does not fit its type.
pub(crate) fn overflow(to: SqlType) -> SqlError {
    let message =
        format!("Arithmetic overflow error converting expression to data type {}.", number_name(to));
    SqlError { state: 2, ..SqlError::statement(8115, message) }
}

/// 8115 in the wording for a value of another type.
pub(crate) fn overflow_from(from: SqlType, to: SqlType) -> SqlError {
    let (from, to) = (number_name(from), number_name(to));
    let message = format!("Arithmetic overflow error converting {from} to data type {to}.");
    SqlError { state: if to == "numeric" { 8 } else { 6 }, ..SqlError::statement(8115, message) }
}

/// 220: an integer does not fit a narrower one.
pub(crate) fn integer_overflow(from: SqlType, to: SqlType, value: i64) -> SqlError {
    let message = format!("Arithmetic overflow error for data type {}, value = {value}.", type_name(to));
    let state = if (from, to) == (SqlType::SmallInt, SqlType::TinyInt) { 2 } else { 1 };
    SqlError { state, ..SqlError::statement(220, message) }
}

/// 237, or 232 for `tinyint`: money does not fit an integer.
pub(crate) fn money_overflow(to: SqlType, ten_thousandths: i64) -> SqlError {
    let message =
        format!("There is insufficient result space to convert a money value to {}.", type_name(to));
    match to {
        SqlType::TinyInt => {
            let units = ten_thousandths as f64 / 10_000.0;
            let message = format!("Arithmetic overflow error for type tinyint, value = {units:.6}.");
            SqlError { state: 11, ..SqlError::statement(232, message) }
        }
        SqlType::SmallInt => SqlError { state: 2, ..SqlError::statement(237, message) },
        _ => SqlError::statement(237, message),
    }
}

/// How arithmetic's messages name a type: `decimal` is `numeric`.
fn number_name(sql_type: SqlType) -> &'static str {
    if matches!(sql_type, SqlType::Decimal { .. }) { "numeric" } else { type_name(sql_type) }
}

/// 245, which takes the transaction along.
pub(crate) fn conversion_failed(from: SqlType, text: &[u16], to: SqlType) -> SqlError {
    let shown = String::from_utf16_lossy(text);
    let message = format!(
        "Conversion failed when converting the {} value '{shown}' to data type {}.",
        type_name(from),
        type_name(to)
    );
    SqlError { reach: Reach::Transaction, ..SqlError::statement(245, message) }
}

/// 8114, which takes the transaction along: a value has no meaning in the other type.
pub(crate) fn conversion_error(from: SqlType, to: SqlType) -> SqlError {
    let message = format!("Error converting data type {} to {}.", number_name(from), number_name(to));
    SqlError { state: 5, reach: Reach::Transaction, ..SqlError::statement(8114, message) }
}

/// 8134.
pub(crate) fn divide_by_zero() -> SqlError {
    SqlError::statement(8134, "Divide by zero error encountered.")
}

/// 241, which takes the transaction along: text that is no date or time; 295 for `smalldatetime`.
pub(crate) fn not_a_date(to: SqlType) -> SqlError {
    let failed = match to {
        SqlType::SmallDateTime => {
            let message = "Conversion failed when converting character string to smalldatetime data type.";
            SqlError { state: 3, ..SqlError::statement(295, message) }
        }
        _ => SqlError::statement(
            241,
            "Conversion failed when converting date and/or time from character string.",
        ),
    };
    SqlError { reach: Reach::Transaction, ..failed }
}

/// 242: a date outside the target's range.
pub(crate) fn date_out_of_range(from: SqlType, to: SqlType) -> SqlError {
    let message = format!(
        "The conversion of {} {} data type to {} {} data type resulted in an out-of-range value.",
        article(from),
        type_name(from),
        article(to),
        type_name(to)
    );
    SqlError { state: 3, ..SqlError::statement(242, message) }
}

fn article(sql_type: SqlType) -> &'static str {
    if is_text(sql_type) || type_name(sql_type).starts_with(['d', 't', 's']) { "a" } else { "an" }
}

/// 206: two types that never meet.
pub(crate) fn type_clash(one: SqlType, other: SqlType) -> SqlError {
    let message = format!("Operand type clash: {} is incompatible with {}", type_name(one), type_name(other));
    SqlError { state: 2, ..SqlError::batch(206, message) }
}

/// 257: a conversion that must be written out.
pub(crate) fn explicit_only(from: SqlType, to: SqlType) -> SqlError {
    let message = format!(
        "Implicit conversion from data type {} to {} is not allowed. Use the CONVERT function to run this query.",
        type_name(from),
        type_name(to)
    );
    SqlError { state: 3, ..SqlError::batch(257, message) }
}

/// 529: a CAST that is never possible.
pub(crate) fn impossible_cast(from: SqlType, to: SqlType) -> SqlError {
    let message = format!(
        "Explicit conversion from data type {} to {} is not allowed.",
        type_name(from),
        type_name(to)
    );
    SqlError { state: 2, ..SqlError::batch(529, message) }
}

/// 402: two types that an operator does not take together.
pub(crate) fn incompatible_operands(one: SqlType, other: SqlType, operator: &str) -> SqlError {
    let message = format!(
        "The data types {} and {} are incompatible in the {operator} operator.",
        type_name(one),
        type_name(other)
    );
    SqlError::batch(402, message)
}

/// 8117: a type that an operator or function does not take at all.
pub(crate) fn invalid_operand(sql_type: SqlType, operator: &str) -> SqlError {
    let message = format!("Operand data type {} is invalid for {operator} operator.", type_name(sql_type));
    SqlError::batch(8117, message)
}

/// 8116: a type that an argument of a function does not take.
pub(crate) fn invalid_argument(sql_type: SqlType, position: usize, function: &str) -> SqlError {
    let message = format!(
        "Argument data type {} is invalid for argument {position} of {} function.",
        type_name(sql_type),
        function.to_lowercase()
    );
    SqlError::batch(8116, message)
}

/// 208 for a table that does not exist; 1087 for a table variable that is not declared.
pub(crate) fn unknown_table(name: &str) -> SqlError {
    if name.starts_with('@') {
        let message = format!("Must declare the table variable \"{name}\".");
        return SqlError { class: 15, state: 2, ..SqlError::batch(1087, message) };
    }
    SqlError::batch(208, format!("Invalid object name '{name}'."))
}
