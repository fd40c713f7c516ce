//! Functions in FROM: STRING_SPLIT and GENERATE_SERIES.

use std::sync::Arc;

use super::arrange::Raw;
use super::bind_from::{FromBinder, renamed};
use super::plan::{MadeLeaf, Maker, Relation};
use crate::engine::layout::row_of;
use crate::engine::{Interrupt, Row};
use crate::exec::conversion::{Family, declared_length, family, integer_bounds, unify};
use crate::exec::expression::bind::Binder;
use crate::exec::expression::scope::{Scope, ScopeSource};
use crate::exec::expression::{Frame, Node, Scalar};
use crate::parser::ast::Expr;
use crate::types::{ColumnMeta, Length, SqlError, SqlType, Value};

/// A call of such a function.
#[derive(Debug)]
pub(super) struct TableFunction {
    kind: Kind,
    arguments: Vec<Scalar>,
    columns: Arc<[ColumnMeta]>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// `STRING_SPLIT(text, separator [, 1])`, with the ordinal if asked for
    Split,
    /// `GENERATE_SERIES(start, stop [, step])`
    Series,
}

impl FromBinder<'_> {
    /// A call; only after APPLY may it refer to the sources before it.
    pub(super) fn table_function(
        &mut self,
        (name, arguments): (&str, &[Expr]),
        (alias, names): (Option<&str>, &[String]),
        lateral: bool,
    ) -> Result<Raw, Interrupt> {
        let bound = {
            let beside = Scope::inside(self.scope.outer);
            let scope = if lateral { &self.scope } else { &beside };
            let binder = Binder { ctes: self.ctes, ..Binder::new(self.context, scope) };
            arguments.iter().map(|argument| binder.scalar(argument)).collect::<Result<Vec<_>, _>>()?
        };
        let function = match name {
            "STRING_SPLIT" => split(bound)?,
            "GENERATE_SERIES" => series(bound)?,
            _ => return Err(SqlError::batch(208, format!("Invalid object name '{name}'.")).into()),
        };
        let alias = alias.unwrap_or(name);
        let columns = renamed(&function.columns, alias, names)?;
        let place = self.push(ScopeSource::plain(alias, columns.into()));
        let maker = Maker::Function(function);
        Ok(Raw::Other(place, Relation::Made(Arc::new(MadeLeaf { place, maker }))))
    }
}

fn wrong_count(name: &str, low: usize, high: usize) -> SqlError {
    let message = format!("The {name} function requires {low} to {high} arguments.");
    SqlError { class: 15, ..SqlError::batch(189, message) }
}

fn split(mut arguments: Vec<Scalar>) -> Result<TableFunction, SqlError> {
    if !(2..=3).contains(&arguments.len()) {
        return Err(wrong_count("string_split", 2, 3));
    }
    let ordinal = match arguments.get(2).map(|argument| &argument.node) {
        None | Some(Node::Constant(Value::Int(0) | Value::Null)) => false,
        Some(Node::Constant(Value::Int(1))) => true,
        Some(_) => {
            let message = "The enable_ordinal argument for string_split only supports constant values (not variables or columns).";
            return Err(SqlError::batch(8748, message));
        }
    };
    arguments.truncate(2);
    let separator = arguments.pop().expect("two are left").into_text()?;
    let text = arguments.pop().expect("one is left").into_text()?;
    if matches!(&separator.node, Node::Constant(Value::Text(units)) if units.len() != 1) {
        return Err(bad_separator());
    }
    let national = [&text, &separator].iter().any(|s| family(s.sql_type) == Family::NationalText);
    let length = declared_length(text.sql_type).unwrap_or(Length::Max);
    let sql_type = if national { SqlType::NVarChar(length) } else { SqlType::VarChar(length) };
    let value = ColumnMeta {
        collation: text.collation.collation,
        ..ColumnMeta::new("value".to_owned(), sql_type, true)
    };
    let ordinal = ordinal.then(|| ColumnMeta::new("ordinal".to_owned(), SqlType::BigInt, false));
    let columns = std::iter::once(value).chain(ordinal).collect();
    Ok(TableFunction { kind: Kind::Split, arguments: vec![text, separator], columns })
}

fn bad_separator() -> SqlError {
    SqlError::statement(214, "Procedure expects parameter 'separator' of type 'nchar(1)/nvarchar(1)'.")
}

fn series(arguments: Vec<Scalar>) -> Result<TableFunction, SqlError> {
    if !(2..=3).contains(&arguments.len()) {
        return Err(wrong_count("generate_series", 2, 3));
    }
    let mut sql_type = arguments[0].sql_type;
    for argument in &arguments[1..] {
        sql_type = unify(sql_type, argument.sql_type)?;
    }
    if !matches!(sql_type, SqlType::TinyInt | SqlType::SmallInt | SqlType::Int | SqlType::BigInt) {
        return Err(SqlError::unsupported("GENERATE_SERIES of other types than integers"));
    }
    let arguments = arguments.into_iter().map(|argument| argument.converted(sql_type));
    let columns = [ColumnMeta::new("value".to_owned(), sql_type, true)];
    Ok(TableFunction {
        kind: Kind::Series,
        arguments: arguments.collect::<Result<_, _>>()?,
        columns: columns.into(),
    })
}

impl TableFunction {
    /// Its rows for what the frame holds.
    pub(super) fn rows(&self, frame: &Frame<'_>) -> Result<Vec<Row>, Interrupt> {
        let values = self.arguments.iter().map(|a| a.evaluate(frame)).collect::<Result<Vec<_>, _>>()?;
        if values.iter().any(Value::is_null) {
            return Ok(Vec::new());
        }
        let column = match self.kind {
            Kind::Split => parts(&values)?,
            Kind::Series => self.numbers(&values)?,
        };
        let row = |(position, value)| {
            let ordinal = (self.columns.len() > 1).then_some(Value::Int(position));
            row_of(&self.columns, &std::iter::once(value).chain(ordinal).collect::<Vec<_>>())
        };
        Ok((1..).zip(column).map(row).collect())
    }

    fn numbers(&self, values: &[Value]) -> Result<Vec<Value>, SqlError> {
        let number = |position: usize| match values.get(position) {
            Some(Value::Int(n)) => Some(*n),
            _ => None,
        };
        let (Some(start), Some(stop)) = (number(0), number(1)) else { return Ok(Vec::new()) };
        let step = number(2).unwrap_or(if start <= stop { 1 } else { -1 });
        if step == 0 {
            let message = "The step size argument specified for GENERATE_SERIES cannot be zero.";
            return Err(SqlError::statement(4199, message));
        }
        let (low, high) = integer_bounds(self.columns[0].sql_type);
        let mut numbers = Vec::new();
        let mut next = Some(start);
        while let Some(n) = next.filter(|n| (low..=high).contains(n)) {
            if step > 0 && n > stop || step < 0 && n < stop {
                break;
            }
            numbers.push(Value::Int(n));
            next = n.checked_add(step);
        }
        Ok(numbers)
    }
}

/// The parts of a text between separators.
fn parts(values: &[Value]) -> Result<Vec<Value>, SqlError> {
    let (Value::Text(text), Value::Text(separator)) = (&values[0], &values[1]) else { return Ok(Vec::new()) };
    let [separator] = separator.as_slice() else { return Err(bad_separator()) };
    Ok(text.split(|unit| unit == separator).map(|part| Value::Text(part.to_vec())).collect())
}
