//! Functions: what they take, what type they give, what they compute.
//!
//! A function is a [`Definition`]: how many arguments it takes, a rule that converts them and states the result's type,
//! and a body. The families are in modules of their own; what is not a plain function (ISNULL, COALESCE, NULLIF,
//! aggregates, window functions) is bound here.

mod application_lock;
mod arguments;
mod bits;
mod conditional;
mod date;
mod date_build;
mod date_part;
mod format;
mod hash;
mod number;
mod object;
mod phonetic;
mod property;
mod security;
mod session;
mod text;
mod tracking;
mod variant;

use std::ops::RangeInclusive;

pub(crate) use session::{global, sequential_id};

use crate::engine::Interrupt;
use crate::exec::expression::bind::Binder;
use crate::exec::expression::{Frame, Node, Scalar, TextCollation};
use crate::exec::query::{aggregate, window};
use crate::parser::ast::Expr;
use crate::types::{SqlError, SqlType, Value};
use arguments::Arguments;

/// A function.
pub(crate) struct Definition {
    /// How many arguments it takes.
    count: RangeInclusive<usize>,
    /// Converts the arguments and states the result.
    rule: fn(&mut Arguments) -> Result<Returns, SqlError>,
    /// Computes the result from the arguments' values.
    body: Body,
}

/// A function's body.
type Body = fn(&Site<'_>, Vec<Value>) -> Result<Value, Interrupt>;

/// Type and nullability of a function's result.
pub(crate) struct Returns {
    sql_type: SqlType,
    nullable: bool,
}

impl Returns {
    fn nullable(sql_type: SqlType) -> Self {
        Self { sql_type, nullable: true }
    }

    fn present(sql_type: SqlType) -> Self {
        Self { sql_type, nullable: false }
    }
}

/// A bound call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    name: String,
    body: Body,
    arguments: Vec<Scalar>,
}

impl PartialEq for Call {
    /// A name has one body, so it stands for it.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.arguments == other.arguments
    }
}

/// Where a body is called.
pub(crate) struct Site<'a> {
    frame: &'a Frame<'a>,
    call: &'a Call,
    /// The call as an expression: its type and collation.
    result: &'a Scalar,
}

impl Call {
    /// The value in a frame.
    pub(crate) fn evaluate(&self, frame: &Frame<'_>, result: &Scalar) -> Result<Value, Interrupt> {
        let values = self.arguments.iter().map(|a| a.evaluate(frame)).collect::<Result<Vec<_>, _>>()?;
        (self.body)(&Site { frame, call: self, result }, values)
    }

    /// The arguments.
    pub(crate) fn arguments(&self) -> &[Scalar] {
        &self.arguments
    }
}

/// Binds a call, which is an [`Expr::Function`].
pub(crate) fn bind(binder: &Binder<'_>, expr: &Expr) -> Result<Scalar, Interrupt> {
    let Expr::Function { name, distinct, arguments, order_within, over } = expr else {
        return Err(SqlError::unsupported("expression").into());
    };
    if let Some(over) = over {
        return window::bind(binder, expr, over);
    }
    if aggregate::is_aggregate(name) {
        return aggregate::bind(binder, expr);
    }
    if window::needs_window(name) {
        return Err(window::without_window(name).into());
    }
    if matches!(name.as_str(), "GROUPING" | "GROUPING_ID") {
        return aggregate::bind_grouping(binder, name, arguments);
    }
    if !order_within.is_empty() {
        let message = format!("The function '{name}' may not have a WITHIN GROUP clause.");
        return Err(SqlError { class: 15, ..SqlError::batch(10757, message) }.into());
    }
    if *distinct {
        return Err(SqlError::batch(102, "Incorrect syntax near 'DISTINCT'.").into());
    }
    if let Some(bound) = conditional::bind(binder, name, arguments)? {
        return Ok(bound);
    }
    let Some(definition) = definition(name) else {
        let message = format!("'{name}' is not a recognized built-in function name.");
        return Err(SqlError { class: 15, state: 10, ..SqlError::batch(195, message) }.into());
    };
    if !definition.count.contains(&arguments.len()) {
        return Err(wrong_count(name, &definition.count).into());
    }
    let scalars = if date_part::takes_part(name) {
        date_part::bind_arguments(binder, name, arguments)?
    } else {
        arguments.iter().map(|a| binder.scalar(a)).collect::<Result<Vec<_>, _>>()?
    };
    let mut arguments = Arguments::new(name, scalars);
    let returns = (definition.rule)(&mut arguments)?;
    let collation = arguments.collation()?;
    let call = Call { name: name.clone(), body: definition.body, arguments: arguments.scalars };
    Ok(Scalar { collation, ..Scalar::of(Node::Call(call), returns.sql_type, returns.nullable) })
}

fn definition(name: &str) -> Option<Definition> {
    text::definition(name)
        .or_else(|| number::definition(name))
        .or_else(|| date::definition(name))
        .or_else(|| date_build::definition(name))
        .or_else(|| format::definition(name))
        .or_else(|| bits::definition(name))
        .or_else(|| phonetic::definition(name))
        .or_else(|| hash::definition(name))
        .or_else(|| session::definition(name))
        .or_else(|| object::definition(name))
        .or_else(|| property::definition(name))
        .or_else(|| security::definition(name))
        .or_else(|| tracking::definition(name))
        .or_else(|| application_lock::definition(name))
        .or_else(|| variant::definition(name))
}

fn wrong_count(name: &str, count: &RangeInclusive<usize>) -> SqlError {
    let name = name.to_lowercase();
    let (low, high) = (count.start(), count.end());
    let (number, message) = if low == high {
        (174, format!("The {name} function requires {low} argument(s)."))
    } else {
        (189, format!("The {name} function requires {low} to {high} arguments."))
    };
    SqlError { class: 15, ..SqlError::batch(number, message) }
}

/// A call without arguments, as `@@` names and niladic functions are.
fn niladic(name: &str, sql_type: SqlType, nullable: bool, body: Body) -> Scalar {
    let call = Call { name: name.to_owned(), body, arguments: Vec::new() };
    Scalar { collation: TextCollation::default(), ..Scalar::of(Node::Call(call), sql_type, nullable) }
}
