//! A call's arguments while it is bound, and values as bodies want them.

use crate::exec::conversion::{Family, declared_length, family, is_text};
use crate::exec::expression::bind::{stronger, value_conflict};
use crate::exec::expression::{Node, Scalar, TextCollation};
use crate::exec::messages::invalid_argument;
use crate::types::{Length, SqlError, SqlType, Value};

/// The arguments of a call that is being bound.
pub(super) struct Arguments<'a> {
    name: &'a str,
    pub(super) scalars: Vec<Scalar>,
}

impl<'a> Arguments<'a> {
    pub(super) fn new(name: &'a str, scalars: Vec<Scalar>) -> Self {
        Self { name, scalars }
    }

    /// The function's name.
    pub(super) fn name(&self) -> &str {
        self.name
    }

    pub(super) fn len(&self) -> usize {
        self.scalars.len()
    }

    pub(super) fn sql_type(&self, position: usize) -> SqlType {
        self.scalars[position].sql_type
    }

    pub(super) fn nullable(&self, position: usize) -> bool {
        self.scalars[position].nullable
    }

    /// Converts an argument; 8116 where its type does not convert by itself.
    pub(super) fn convert(&mut self, position: usize, to: SqlType) -> Result<(), SqlError> {
        let scalar = self.scalars[position].clone();
        let from = scalar.sql_type;
        self.scalars[position] =
            scalar.converted(to).map_err(|_| invalid_argument(from, position + 1, self.name))?;
        Ok(())
    }

    /// Converts an argument to text of its own length, and returns its type.
    pub(super) fn text(&mut self, position: usize) -> Result<SqlType, SqlError> {
        let scalar = self.scalars[position].clone();
        if matches!(family(scalar.sql_type), Family::Binary | Family::RowVersion) {
            return Err(invalid_argument(scalar.sql_type, position + 1, self.name));
        }
        self.scalars[position] = scalar.into_text()?;
        Ok(self.scalars[position].sql_type)
    }

    /// A literal text argument, upper-case: which property is asked for.
    pub(super) fn literal(&self, position: usize) -> Option<String> {
        match &self.scalars.get(position)?.node {
            Node::Constant(Value::Text(units)) => Some(String::from_utf16_lossy(units).to_uppercase()),
            _ => None,
        }
    }

    /// The error for an argument of a type that the function does not take.
    pub(super) fn refuse(&self, position: usize) -> SqlError {
        invalid_argument(self.sql_type(position), position + 1, self.name)
    }

    /// The strongest collation of the text arguments; 457 if two conflict.
    pub(super) fn collation(&self) -> Result<TextCollation, SqlError> {
        let mut joint = TextCollation::default();
        for scalar in self.scalars.iter().filter(|s| is_text(s.sql_type)) {
            joint = stronger(&joint, &scalar.collation)
                .ok_or_else(|| value_conflict(&joint, &scalar.collation, scalar.sql_type))?;
        }
        Ok(joint)
    }
}

/// `varchar` or `nvarchar` of a length, by whether one of the types is national.
pub(super) fn text_type(like: &[SqlType], length: Length) -> SqlType {
    if like.iter().any(|t| family(*t) == Family::NationalText) {
        SqlType::NVarChar(crate::exec::conversion::capped(length, 4000))
    } else {
        SqlType::VarChar(crate::exec::conversion::capped(length, 8000))
    }
}

/// The longest length below `max` unless one of the types is `max`.
pub(super) fn longest(like: &[SqlType]) -> Length {
    if like.iter().any(|t| declared_length(*t) == Some(Length::Max)) {
        Length::Max
    } else {
        Length::Limited(8000)
    }
}

/// A text type of variable length, as wide as `like`.
pub(super) fn variable(like: SqlType) -> SqlType {
    text_type(&[like], declared_length(like).unwrap_or(Length::Max))
}

/// `int`, or `bigint` over text or binary of `max` length.
pub(super) fn length_type(like: SqlType) -> SqlType {
    if declared_length(like) == Some(Length::Max) { SqlType::BigInt } else { SqlType::Int }
}

/// Units of a text value; anything else has none.
pub(super) fn units(value: &Value) -> &[u16] {
    match value {
        Value::Text(units) => units,
        _ => &[],
    }
}

/// A text value as a string.
pub(super) fn string(value: &Value) -> String {
    String::from_utf16_lossy(units(value))
}

/// An integer value.
pub(super) fn int(value: &Value) -> i64 {
    match value {
        Value::Int(n) => *n,
        Value::Bit(bit) => i64::from(*bit),
        _ => 0,
    }
}

/// Whether one of the values is NULL, which makes most functions NULL.
pub(super) fn any_null(values: &[Value]) -> bool {
    values.iter().any(Value::is_null)
}
