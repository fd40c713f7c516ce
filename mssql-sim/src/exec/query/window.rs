//! Window functions, bound: ranking, neighbours, and aggregates over a frame.

use super::aggregate_call::{AggregateCall, bind_call, is_aggregate};
use crate::engine::Interrupt;
use crate::exec::expression::bind::Binder;
use crate::exec::expression::{ColumnRef, Node, Scalar, TextCollation};
use crate::parser::ast::{Expr, FrameBound, Over, WindowFrame};
use crate::types::{SqlError, SqlType, Value};

/// What a window function computes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Function {
    RowNumber,
    Rank,
    DenseRank,
    Ntile,
    PercentRank,
    CumulativeDistribution,
    /// The row so many before (LAG) or behind (LEAD).
    Neighbour {
        before: bool,
    },
    FirstValue,
    LastValue,
    Aggregate(Box<AggregateCall>),
}

/// One window function.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WindowCall {
    pub(super) function: Function,
    pub(super) arguments: Vec<Scalar>,
    /// The partition's expressions, then those of its order.
    pub(super) keys: Vec<(Scalar, bool)>,
    /// How many of the keys are the partition's.
    pub(super) partitioned: usize,
    pub(super) frame: WindowFrame,
    pub(super) ignore_nulls: bool,
}

/// Window functions of a query. Binding its expressions adds them one by one.
#[derive(Debug)]
pub(crate) struct Windows {
    pub(super) place: usize,
    pub(super) calls: Vec<WindowCall>,
}

impl Windows {
    pub(super) fn new(place: usize) -> Self {
        Self { place, calls: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }
}

/// How many arguments a function takes, and whether it takes a frame; None if it needs OVER but is none of these.
fn signature(name: &str) -> Option<(Function, std::ops::RangeInclusive<usize>, bool)> {
    Some(match name {
        "ROW_NUMBER" => (Function::RowNumber, 0..=0, false),
        "RANK" => (Function::Rank, 0..=0, false),
        "DENSE_RANK" => (Function::DenseRank, 0..=0, false),
        "NTILE" => (Function::Ntile, 1..=1, false),
        "PERCENT_RANK" => (Function::PercentRank, 0..=0, false),
        "CUME_DIST" => (Function::CumulativeDistribution, 0..=0, false),
        "LAG" => (Function::Neighbour { before: true }, 1..=3, false),
        "LEAD" => (Function::Neighbour { before: false }, 1..=3, false),
        "FIRST_VALUE" => (Function::FirstValue, 1..=1, true),
        "LAST_VALUE" => (Function::LastValue, 1..=1, true),
        _ => return None,
    })
}

/// Whether a function needs an OVER clause.
pub(crate) fn needs_window(name: &str) -> bool {
    signature(name).is_some()
}

/// 10753
pub(crate) fn without_window(name: &str) -> SqlError {
    let message = format!("The function '{name}' must have an OVER clause.");
    SqlError { class: 15, ..SqlError::batch(10753, message) }
}

/// Binds `name(arguments) OVER (...)`; `expr` is an [`Expr::Function`].
pub(crate) fn bind(binder: &Binder<'_>, expr: &Expr, over: &Over) -> Result<Scalar, Interrupt> {
    let Expr::Function { name, distinct, arguments, .. } = expr else {
        return Err(SqlError::unsupported("window function").into());
    };
    let Some(windows) = binder.windows else {
        let message = "Windowed functions can only appear in the SELECT or ORDER BY clauses.";
        return Err(SqlError { class: 15, ..SqlError::batch(4108, message) }.into());
    };
    let inside = Binder { windows: None, ..*binder };
    let (function, arguments, sql_type, collation) = if is_aggregate(name) {
        if *distinct {
            let message = "Use of DISTINCT is not allowed with the OVER clause.";
            return Err(SqlError { class: 15, ..SqlError::batch(10759, message) }.into());
        }
        let call = bind_call(&inside, expr)?;
        let (sql_type, collation) = (call.sql_type(), call.text_collation());
        (Function::Aggregate(Box::new(call)), Vec::new(), sql_type, collation)
    } else {
        let (function, count, framed) = signature(name).ok_or_else(|| not_windowed(name))?;
        check_window(name, over, framed)?;
        if !count.contains(&arguments.len()) {
            let message = format!(
                "The function '{name}' takes between {} and {} arguments.",
                count.start(),
                count.end()
            );
            return Err(SqlError { class: 15, ..SqlError::batch(10762, message) }.into());
        }
        let bound = bind_arguments(&inside, &function, arguments)?;
        let (sql_type, collation) = result(&function, &bound);
        (function, bound, sql_type, collation)
    };
    let mut keys = Vec::new();
    for expr in &over.partition_by {
        keys.push((inside.scalar(expr)?, false));
    }
    let partitioned = keys.len();
    for (expr, descending) in &over.order_by {
        keys.push((order_key(&inside, expr)?, *descending));
    }
    let whole = if over.order_by.is_empty() { FrameBound::Last } else { FrameBound::Offset(0) };
    let frame = over.frame.unwrap_or(WindowFrame { by_rows: false, start: FrameBound::First, end: whole });
    let mut windows = windows.borrow_mut();
    let ignore_nulls = over.ignore_nulls;
    windows.calls.push(WindowCall { function, arguments, keys, partitioned, frame, ignore_nulls });
    let place =
        ColumnRef { depth: 0, source: windows.place, column: windows.calls.len() - 1, layout: [].into() };
    Ok(Scalar { collation, ..Scalar::of(Node::Column(place), sql_type, true) })
}

/// 4112 without an order, 10752 for a frame that the function does not take.
fn check_window(name: &str, over: &Over, framed: bool) -> Result<(), SqlError> {
    if over.order_by.is_empty() {
        let message = format!("The function '{name}' must have an OVER clause with ORDER BY.");
        return Err(SqlError { class: 15, ..SqlError::batch(4112, message) });
    }
    if over.frame.is_some() && !framed {
        let message = format!("The function '{name}' may not have a window frame.");
        return Err(SqlError { class: 15, ..SqlError::batch(10752, message) });
    }
    Ok(())
}

fn not_windowed(name: &str) -> SqlError {
    let message = format!(
        "The function '{}' is not a valid windowing function, and cannot be used with the OVER clause.",
        name.to_lowercase()
    );
    SqlError { class: 15, ..SqlError::batch(4113, message) }
}

/// What a window is ordered by: no constant, which would order nothing.
fn order_key(binder: &Binder<'_>, expr: &Expr) -> Result<Scalar, Interrupt> {
    let key = binder.scalar(expr)?;
    let (number, what) = match &key.node {
        Node::Constant(Value::Int(_)) => (5308, "integer indices"),
        Node::Constant(_) => (5309, "constants"),
        _ => return Ok(key),
    };
    let message = format!(
        "Windowed functions, aggregates and NEXT VALUE FOR functions do not support {what} as ORDER BY clause expressions."
    );
    Err(SqlError::batch(number, message).into())
}

/// NTILE takes a number of buckets, LAG and LEAD a value, a distance and what stands in for no row.
fn bind_arguments(
    binder: &Binder<'_>,
    function: &Function,
    arguments: &[Expr],
) -> Result<Vec<Scalar>, Interrupt> {
    let mut bound = arguments.iter().map(|a| binder.scalar(a)).collect::<Result<Vec<_>, _>>()?;
    match function {
        Function::Ntile => bound[0] = bound[0].clone().converted(SqlType::BigInt)?,
        Function::Neighbour { .. } => {
            let sql_type = bound[0].sql_type;
            if let Some(distance) = bound.get_mut(1) {
                *distance = distance.clone().converted(SqlType::BigInt)?;
            }
            if let Some(substitute) = bound.get_mut(2) {
                *substitute = substitute.clone().converted(sql_type)?;
            }
        }
        _ => {}
    }
    Ok(bound)
}

fn result(function: &Function, arguments: &[Scalar]) -> (SqlType, TextCollation) {
    match function {
        Function::PercentRank | Function::CumulativeDistribution => {
            (SqlType::Float, TextCollation::default())
        }
        Function::Neighbour { .. } | Function::FirstValue | Function::LastValue => {
            (arguments[0].sql_type, arguments[0].collation.clone())
        }
        _ => (SqlType::BigInt, TextCollation::default()),
    }
}
