//! ISNULL, COALESCE, NULLIF: functions that are really expressions.

use super::wrong_count;
use crate::engine::Interrupt;
use crate::exec::conversion::is_text;
use crate::exec::expression::bind::{Binder, joint_type};
use crate::exec::expression::{Condition, Node, Scalar};
use crate::parser::ast::{BinaryOp, Expr};
use crate::types::{SqlError, SqlType, Value};

/// Binds one of these; None for any other name.
pub(super) fn bind(binder: &Binder<'_>, name: &str, arguments: &[Expr]) -> Result<Option<Scalar>, Interrupt> {
    if !matches!(name, "ISNULL" | "COALESCE" | "NULLIF") {
        return Ok(None);
    }
    let scalars = arguments.iter().map(|a| binder.scalar(a)).collect::<Result<Vec<_>, _>>()?;
    match (name, <[Scalar; 2]>::try_from(scalars)) {
        ("ISNULL", Ok([value, substitute])) => is_null(value, substitute).map(Some),
        ("NULLIF", Ok([value, other])) => null_if(value, other).map(Some),
        ("COALESCE", Ok(two)) => coalesce(two.into()).map(Some),
        ("COALESCE", Err(many)) if many.len() > 2 => coalesce(many).map(Some),
        (name, _) => Err(wrong_count(name, &(2..=2)).into()),
    }
}

/// Type, width and collation are the first argument's.
fn is_null(value: Scalar, substitute: Scalar) -> Result<Scalar, Interrupt> {
    let sql_type = if value.is_untyped_null() { substitute.sql_type } else { value.sql_type };
    let nullable = value.nullable && substitute.nullable;
    let collation =
        if is_text(value.sql_type) { value.collation.clone() } else { substitute.collation.clone() };
    let candidates = vec![value.converted(sql_type)?, substitute.converted(sql_type)?];
    Ok(Scalar { collation, ..Scalar::of(Node::Coalesce(candidates), sql_type, nullable) })
}

fn coalesce(candidates: Vec<Scalar>) -> Result<Scalar, Interrupt> {
    if candidates.iter().all(Scalar::is_untyped_null) {
        let message =
            "At least one of the arguments to COALESCE must be an expression that is not the NULL constant.";
        return Err(SqlError::batch(4127, message).into());
    }
    let (sql_type, collation) = joint_type(&candidates)?;
    let nullable = !candidates.iter().all(|c| !c.nullable);
    let candidates = candidates.into_iter().map(|c| c.converted(sql_type)).collect::<Result<Vec<_>, _>>()?;
    Ok(Scalar { collation, ..Scalar::of(Node::Coalesce(candidates), sql_type, nullable) })
}

/// `CASE WHEN value = other THEN NULL ELSE value END`, with the type of the first; an integer literal narrows.
fn null_if(value: Scalar, other: Scalar) -> Result<Scalar, Interrupt> {
    if value.is_untyped_null() {
        return Err(SqlError::batch(
            4151,
            "The type of the first argument to NULLIF cannot be the NULL constant.",
        )
        .into());
    }
    let sql_type = match (&value.node, value.sql_type) {
        (Node::Constant(Value::Int(0..=255)), SqlType::Int) => SqlType::TinyInt,
        (Node::Constant(Value::Int(-32768..=32767)), SqlType::Int) => SqlType::SmallInt,
        _ => value.sql_type,
    };
    let collation = value.collation.clone();
    let equal: Condition = Binder::compare(value.clone(), BinaryOp::Equal, other)?;
    let null = Scalar::null().converted(sql_type)?;
    let otherwise = Some(Box::new(value.converted(sql_type)?));
    let node = Node::Case { branches: vec![(equal, null)], otherwise };
    Ok(Scalar { collation, ..Scalar::of(node, sql_type, true) })
}
