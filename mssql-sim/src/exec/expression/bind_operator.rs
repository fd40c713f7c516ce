//! Types of arithmetic: what each operator takes, converts to and gives.

use super::bind::{Binder, stronger, value_conflict};
use super::comparable::is_comparable;
use super::{Node, Scalar, TextCollation};
use crate::exec::conversion::{self, Family, declared_length, family, is_text, literal_parts, precedence};
use crate::exec::decimal::{Operation, result_type};
use crate::exec::messages::{explicit_only, incompatible_operands, invalid_operand, type_clash};
use crate::parser::ast::BinaryOp;
use crate::types::{Length, SqlError, SqlType, Value};

/// An operator as messages name it.
fn operator_name(operator: BinaryOp) -> &'static str {
    match operator {
        BinaryOp::Add => "add",
        BinaryOp::Subtract => "subtract",
        BinaryOp::Multiply => "multiply",
        BinaryOp::Divide => "divide",
        BinaryOp::Modulo => "modulo",
        BinaryOp::BitAnd => "'&'",
        BinaryOp::BitOr => "'|'",
        _ => "'^'",
    }
}

fn is_integer(sql_type: SqlType) -> bool {
    matches!(sql_type, SqlType::TinyInt | SqlType::SmallInt | SqlType::Int | SqlType::BigInt)
}

fn is_decimal(sql_type: SqlType) -> bool {
    matches!(sql_type, SqlType::Decimal { .. } | SqlType::Numeric { .. })
}

impl Binder<'_> {
    pub(super) fn arithmetic(left: Scalar, operator: BinaryOp, right: Scalar) -> Result<Scalar, SqlError> {
        let (left, right) = typed_nulls(left, right);
        let (one, other) = (left.sql_type, right.sql_type);
        if operator == BinaryOp::Add && is_text(one) && is_text(other) {
            return concatenation(left, right);
        }
        if operator == BinaryOp::Add && is_bytes(one) && is_bytes(other) {
            let sum = sum_of_lengths(one, other, 8000);
            return Ok(operation(left, operator, right, SqlType::VarBinary(sum)));
        }
        if matches!(operator, BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor) {
            return bitwise(left, operator, right);
        }
        let name = operator_name(operator);
        if !is_comparable(one) || !is_comparable(other) {
            return Err(incompatible_operands(one, other, name));
        }
        match (family(one), family(other)) {
            (Family::Variant, Family::Variant) => return Err(invalid_operand(one, name)),
            (Family::Variant, _) => return Err(explicit_only(one, other)),
            (_, Family::Variant) => return Err(explicit_only(other, one)),
            _ => {}
        }
        // Text gives way to whatever else stands beside it.
        let common = match (is_text(one) || is_bytes(one), is_text(other) || is_bytes(other)) {
            (true, true) => return Err(refused(one, other, name)),
            (true, false) => return Self::arithmetic(left.converted(other)?, operator, right),
            (false, true) => return Self::arithmetic(left, operator, right.converted(one)?),
            (false, false) => {
                if precedence(one) >= precedence(other) {
                    one
                } else {
                    other
                }
            }
        };
        match family(common) {
            Family::LegacyDate => date_arithmetic(left, operator, right),
            Family::Exact | Family::Approximate => numeric(left, operator, right, common),
            _ if family(one) == family(other) => Err(invalid_operand(one, name)),
            _ => Err(type_clash(one, other)),
        }
    }

    /// Unary minus. A `tinyint` has no negative, so it widens.
    pub(super) fn negate(operand: Scalar) -> Result<Scalar, SqlError> {
        let sql_type = match operand.sql_type {
            SqlType::TinyInt => SqlType::SmallInt,
            other => other,
        };
        let operand =
            if is_text(sql_type) { operand.converted(SqlType::Int)? } else { operand.converted(sql_type)? };
        let sql_type = operand.sql_type;
        match family(sql_type) {
            Family::Exact | Family::Approximate if sql_type != SqlType::Bit => {
                Ok(Scalar::of(Node::Negate(Box::new(operand)), sql_type, true))
            }
            _ => Err(invalid_operand(sql_type, "minus")),
        }
    }

    pub(super) fn bit_not(operand: Scalar) -> Result<Scalar, SqlError> {
        let sql_type = operand.sql_type;
        if is_integer(sql_type) || sql_type == SqlType::Bit {
            return Ok(Scalar::of(Node::BitNot(Box::new(operand)), sql_type, true));
        }
        Err(invalid_operand(sql_type, "'~'"))
    }
}

/// Gives the word NULL the type of its neighbour.
fn typed_nulls(left: Scalar, right: Scalar) -> (Scalar, Scalar) {
    let (one, other) = (left.sql_type, right.sql_type);
    if left.is_untyped_null() {
        return (Scalar { sql_type: other, ..left }, right);
    }
    if right.is_untyped_null() {
        return (left, Scalar { sql_type: one, ..right });
    }
    (left, right)
}

fn is_bytes(sql_type: SqlType) -> bool {
    matches!(family(sql_type), Family::Binary | Family::RowVersion)
}

/// 402 for two types that have the operator with others, 8117 for one that never has it.
fn refused(one: SqlType, other: SqlType, name: &str) -> SqlError {
    if is_text(one) { invalid_operand(one, name) } else { incompatible_operands(one, other, name) }
}

fn operation(left: Scalar, operator: BinaryOp, right: Scalar, sql_type: SqlType) -> Scalar {
    Scalar::of(Node::Arithmetic(Box::new(left), operator, Box::new(right)), sql_type, true)
}

fn sum_of_lengths(one: SqlType, other: SqlType, cap: u16) -> Length {
    match (declared_length(one), declared_length(other)) {
        (Some(Length::Limited(a)), Some(Length::Limited(b))) => Length::Limited(a.saturating_add(b).min(cap)),
        _ => Length::Max,
    }
}

/// Text joined to text: as wide as both together, national if either is.
fn concatenation(left: Scalar, right: Scalar) -> Result<Scalar, SqlError> {
    let Some(collation) = stronger(&left.collation, &right.collation) else {
        return Err(value_conflict(&left.collation, &right.collation, right.sql_type));
    };
    let national = [&left, &right].iter().any(|s| family(s.sql_type) == Family::NationalText);
    let (one, other) = (left.sql_type, right.sql_type);
    let sql_type = if national {
        SqlType::NVarChar(sum_of_lengths(one, other, 4000))
    } else {
        SqlType::VarChar(sum_of_lengths(one, other, 8000))
    };
    let nullable = left.nullable || right.nullable;
    Ok(Scalar { nullable, collation, ..operation(left, BinaryOp::Add, right, sql_type) })
}

/// `&`, `|`, `^` on integers and bits.
fn bitwise(left: Scalar, operator: BinaryOp, right: Scalar) -> Result<Scalar, SqlError> {
    let (one, other) = (left.sql_type, right.sql_type);
    let common = if precedence(one) >= precedence(other) { one } else { other };
    let name = operator_name(operator);
    let integral = |t: SqlType| is_integer(t) || t == SqlType::Bit || is_bytes(t);
    if !integral(one) || !integral(other) || is_bytes(common) {
        return Err(incompatible_operands(one, other, name));
    }
    Ok(operation(left.converted(common)?, operator, right.converted(common)?, common))
}

/// A `datetime` plus or minus days.
fn date_arithmetic(left: Scalar, operator: BinaryOp, right: Scalar) -> Result<Scalar, SqlError> {
    let (one, other) = (left.sql_type, right.sql_type);
    if !matches!(operator, BinaryOp::Add | BinaryOp::Subtract) {
        return Err(incompatible_operands(one, other, operator_name(operator)));
    }
    let numeric_or_legacy =
        |t: SqlType| matches!(family(t), Family::LegacyDate | Family::Exact | Family::Approximate);
    if !numeric_or_legacy(one) || !numeric_or_legacy(other) {
        return Err(incompatible_operands(one, other, operator_name(operator)));
    }
    let sql_type = if one == SqlType::DateTime || other == SqlType::DateTime {
        SqlType::DateTime
    } else {
        SqlType::SmallDateTime
    };
    let (left, right) = (left.converted(SqlType::DateTime)?, right.converted(SqlType::DateTime)?);
    Ok(operation(left, operator, right, sql_type))
}

fn numeric(left: Scalar, operator: BinaryOp, right: Scalar, common: SqlType) -> Result<Scalar, SqlError> {
    let (one, other) = (left.sql_type, right.sql_type);
    let name = operator_name(operator);
    if common == SqlType::Bit {
        return Err(if operator == BinaryOp::Add {
            incompatible_operands(one, other, name)
        } else {
            invalid_operand(one, name)
        });
    }
    if family(common) == Family::Approximate {
        if operator == BinaryOp::Modulo {
            return Err(incompatible_operands(one, other, name));
        }
        return Ok(operation(left.converted(common)?, operator, right.converted(common)?, common));
    }
    if is_decimal(common) {
        return decimal(left, operator, right);
    }
    Ok(operation(left.converted(common)?, operator, right.converted(common)?, common))
}

/// Both sides stay as they are: the result's precision and scale follow from theirs.
fn decimal(left: Scalar, operator: BinaryOp, right: Scalar) -> Result<Scalar, SqlError> {
    let parts = |scalar: &Scalar| match &scalar.node {
        Node::Constant(value) if !matches!(value, Value::Null) => literal_parts(value, scalar.sql_type),
        _ => conversion::as_decimal(scalar.sql_type),
    };
    let (Some(a), Some(b)) = (parts(&left), parts(&right)) else {
        return Err(type_clash(left.sql_type, right.sql_type));
    };
    let rule = match operator {
        BinaryOp::Multiply => Operation::Multiply,
        BinaryOp::Divide => Operation::Divide,
        BinaryOp::Modulo => Operation::Remainder,
        _ => Operation::Add,
    };
    let sql_type = result_type(rule, left.sql_type, right.sql_type, [a, b]);
    let collation = TextCollation::default();
    Ok(Scalar { collation, ..operation(left, operator, right, sql_type) })
}
