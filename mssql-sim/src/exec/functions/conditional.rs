//! ISNULL, COALESCE, NULLIF, CHOOSE, GREATEST, LEAST: functions that are really expressions.

use std::cmp::Ordering;

use super::{Body, Call, Site, wrong_count};
use crate::engine::Interrupt;
use crate::exec::conversion::is_text;
use crate::exec::expression::bind::{Binder, joint_type};
use crate::exec::expression::compare::compare_values;
use crate::exec::expression::{Condition, Node, Scalar};
use crate::parser::ast::{BinaryOp, Expr};
use crate::types::{SqlError, SqlType, Value};

/// Binds one of these; None for any other name.
pub(super) fn bind(binder: &Binder<'_>, name: &str, arguments: &[Expr]) -> Result<Option<Scalar>, Interrupt> {
    if !matches!(name, "ISNULL" | "COALESCE" | "NULLIF" | "CHOOSE" | "GREATEST" | "LEAST") {
        return Ok(None);
    }
    let scalars = arguments.iter().map(|a| binder.scalar(a)).collect::<Result<Vec<_>, _>>()?;
    match name {
        "CHOOSE" if scalars.len() > 1 => return choose(scalars).map(Some),
        "CHOOSE" => return Err(wrong_count(name, &(2..=254)).into()),
        "GREATEST" | "LEAST" => return extreme(name, scalars).map(Some),
        _ => {}
    }
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

/// `CHOOSE(index, a, b, ...)` is a CASE of the index.
fn choose(mut scalars: Vec<Scalar>) -> Result<Scalar, Interrupt> {
    let index = scalars.remove(0).converted(SqlType::Int)?;
    let (sql_type, collation) = joint_type(&scalars)?;
    let mut branches = Vec::new();
    for (number, scalar) in (1..).zip(scalars) {
        let number = Scalar::constant(Value::Int(number), SqlType::Int);
        branches
            .push((Binder::compare(index.clone(), BinaryOp::Equal, number)?, scalar.converted(sql_type)?));
    }
    let node = Node::Case { branches, otherwise: None };
    Ok(Scalar { collation, ..Scalar::of(node, sql_type, true) })
}

/// GREATEST and LEAST pass over NULLs.
fn extreme(name: &str, scalars: Vec<Scalar>) -> Result<Scalar, Interrupt> {
    if scalars.is_empty() {
        return Err(wrong_count(name, &(1..=254)).into());
    }
    let (sql_type, collation) = joint_type(&scalars)?;
    let nullable = scalars.iter().all(|scalar| scalar.nullable);
    let arguments = scalars.into_iter().map(|s| s.converted(sql_type)).collect::<Result<Vec<_>, _>>()?;
    let body: Body = if name == "GREATEST" {
        |site, values| Ok(best(site, values, Ordering::Greater))
    } else {
        |site, values| Ok(best(site, values, Ordering::Less))
    };
    let call = Call { name: name.to_owned(), body, arguments };
    Ok(Scalar { collation, ..Scalar::of(Node::Call(call), sql_type, nullable) })
}

fn best(site: &Site<'_>, values: Vec<Value>, wanted: Ordering) -> Value {
    let collation = &site.result.collation.collation;
    let present = values.into_iter().filter(|value| !value.is_null());
    let better = |a: Value, b: Value| if compare_values(&b, &a, collation) == wanted { b } else { a };
    present.reduce(better).unwrap_or(Value::Null)
}
