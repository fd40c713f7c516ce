//! Types that do not compare, sort or group, and how each is refused.

use crate::exec::conversion::{Family, family, type_name, unify};
use crate::exec::messages::incompatible_operands;
use crate::parser::ast::BinaryOp;
use crate::types::{ClrType, SqlError, SqlType};

/// The type in which a comparison takes place.
///
/// # Errors
/// 206 and 257 for types that do not meet, 305 for `xml`, 402 for types that meet but do not compare, 403 for a type
/// without the operator.
pub(super) fn compared_type(one: SqlType, operator: BinaryOp, other: SqlType) -> Result<SqlType, SqlError> {
    let name = comparison_name(operator);
    if let Some(spatial) = [one, other].into_iter().find(|t| is_spatial(*t)) {
        let message = format!(
            "Invalid operator for data type. Operator equals {name}, type equals {}.",
            type_name(spatial)
        );
        return Err(SqlError::batch(403, message));
    }
    let is = |wanted: Family| [family(one) == wanted, family(other) == wanted];
    if is(Family::Xml) == [true, true] {
        return Err(xml_refused());
    }
    let refused = [Family::Xml, Family::LongText, Family::Image].into_iter().any(|f| is(f).contains(&true));
    // A time and an old date unify, but do not compare.
    let time_and_date = is(Family::Time).contains(&true) && is(Family::LegacyDate).contains(&true);
    if refused || time_and_date {
        return Err(incompatible_operands(one, other, name));
    }
    unify(one, other)
}

/// A comparison as messages name it.
pub(super) fn comparison_name(operator: BinaryOp) -> &'static str {
    match operator {
        BinaryOp::NotEqual => "not equal to",
        BinaryOp::Less => "less than",
        BinaryOp::LessOrEqual => "less than or equal to",
        BinaryOp::Greater => "greater than",
        BinaryOp::GreaterOrEqual => "greater than or equal to",
        _ => "equal to",
    }
}

fn is_spatial(sql_type: SqlType) -> bool {
    matches!(sql_type, SqlType::Clr(ClrType::Geometry | ClrType::Geography))
}

fn xml_refused() -> SqlError {
    let message = "The XML data type cannot be compared or sorted, except when using the IS NULL operator.";
    SqlError::batch(305, message)
}

/// Whether values of a type have an order.
pub(crate) fn is_comparable(sql_type: SqlType) -> bool {
    !matches!(family(sql_type), Family::LongText | Family::Image | Family::Xml) && !is_spatial(sql_type)
}

/// Refuses what stands in a clause that sorts or groups: `ORDER BY` or `GROUP BY`.
///
/// # Errors
/// 249, 305, 306.
pub(crate) fn require_order(sql_type: SqlType, clause: &str) -> Result<(), SqlError> {
    match family(sql_type) {
        _ if is_comparable(sql_type) => Ok(()),
        Family::Xml => Err(xml_refused()),
        Family::Clr => {
            let kind = type_name(sql_type);
            let message =
                format!("The type \"{kind}\" is not comparable. It cannot be used in the {clause} clause.");
            Err(SqlError::batch(249, message))
        }
        _ => {
            let message = "The text, ntext, and image data types cannot be compared or sorted, except when using IS NULL \
                           or LIKE operator.";
            Err(SqlError { state: 2, ..SqlError::batch(306, message) })
        }
    }
}

/// Refuses a column of a SELECT DISTINCT: 421.
pub(crate) fn require_distinct(sql_type: SqlType) -> Result<(), SqlError> {
    if is_comparable(sql_type) {
        return Ok(());
    }
    let kind = type_name(sql_type);
    let message =
        format!("The {kind} data type cannot be selected as DISTINCT because it is not comparable.");
    Err(SqlError::batch(421, message))
}

/// Refuses a column of a UNION, INTERSECT or EXCEPT: 5335.
pub(crate) fn require_set_operand(sql_type: SqlType) -> Result<(), SqlError> {
    if is_comparable(sql_type) {
        return Ok(());
    }
    let message = format!(
        "The data type {} cannot be used as an operand to the UNION, INTERSECT or EXCEPT operators because it is not \
         comparable.",
        type_name(sql_type)
    );
    Err(SqlError::batch(5335, message))
}
