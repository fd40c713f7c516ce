//! Values in PostgreSQL's binary form, for COPY and for parameters, and back for keys.

use super::numeric;
use bytes::BytesMut;
use postgres_types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use proto::Value;
use std::borrow::Cow;
use std::error::Error;

/// Days from 1970-01-01 to PostgreSQL's day 0, 2000-01-01.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * 86_400 * 1_000_000;

/// A value that its column cannot hold.
#[derive(Debug, thiserror::Error)]
#[error("a value of kind {kind} does not fit a column of type {column}")]
pub(crate) struct EncodeError {
    kind: &'static str,
    column: Type,
}

/// One field of a staged row or one parameter.
#[derive(Clone, Debug)]
pub(crate) enum Cell<'a> {
    /// A captured value.
    Value(&'a Value),
    /// A text that was made here, such as a twin.
    Text(Cow<'a, str>),
    /// A whole number that was made here.
    Int4(i32),
    /// A truth value that was made here.
    Bool(bool),
    /// NULL.
    Null,
}

impl ToSql for Cell<'_> {
    fn to_sql(&self, column: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Value(value) => encode(value, column, out),
            Self::Text(text) => text.as_ref().to_sql(column, out),
            Self::Int4(number) => number.to_sql(column, out),
            Self::Bool(truth) => truth.to_sql(column, out),
            Self::Null => Ok(IsNull::Yes),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn encode(value: &Value, column: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
    let misfit = |kind| EncodeError { kind, column: column.clone() };
    match (value, column) {
        (Value::Null, _) => Ok(IsNull::Yes),
        (Value::Bool(truth), &Type::BOOL) => truth.to_sql(column, out),
        (Value::Int(number), &Type::INT2) => {
            i16::try_from(*number).map_err(|_| misfit("integer"))?.to_sql(column, out)
        }
        (Value::Int(number), &Type::INT4) => {
            i32::try_from(*number).map_err(|_| misfit("integer"))?.to_sql(column, out)
        }
        (Value::Int(number), &Type::INT8) => number.to_sql(column, out),
        (Value::Float4(number), &Type::FLOAT4) => number.to_sql(column, out),
        (Value::Float8(number), &Type::FLOAT8) => number.to_sql(column, out),
        (Value::Decimal(decimal), &Type::NUMERIC) => {
            numeric::encode(*decimal, out);
            Ok(IsNull::No)
        }
        (Value::Text(text), &Type::TEXT) => text.to_sql(column, out),
        (Value::Bytes(bytes), &Type::BYTEA) => bytes.to_sql(column, out),
        (Value::Date(days), &Type::DATE) => {
            days.checked_sub(EPOCH_DAYS).ok_or_else(|| misfit("date"))?.to_sql(&Type::INT4, out)
        }
        (Value::Time(micros), &Type::TIME) => micros.to_sql(&Type::INT8, out),
        (Value::Timestamp(micros), &Type::TIMESTAMP) | (Value::TimestampTz(micros), &Type::TIMESTAMPTZ) => {
            micros.checked_sub(EPOCH_MICROS).ok_or_else(|| misfit("timestamp"))?.to_sql(&Type::INT8, out)
        }
        (Value::Uuid(bytes), &Type::UUID) => {
            out.extend_from_slice(bytes);
            Ok(IsNull::No)
        }
        _ => Err(misfit(kind(value)).into()),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Int(_) => "integer",
        Value::Float4(_) | Value::Float8(_) => "float",
        Value::Decimal(_) => "decimal",
        Value::Text(_) => "text",
        Value::Bytes(_) => "bytes",
        Value::Date(_) => "date",
        Value::Time(_) => "time",
        Value::Timestamp(_) => "timestamp",
        Value::TimestampTz(_) => "timestamp with zone",
        Value::Uuid(_) => "uuid",
    }
}

/// A value read back from a key column.
#[derive(Debug)]
pub(crate) struct Stored(pub(crate) Value);

impl<'a> FromSql<'a> for Stored {
    fn from_sql(column: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(match *column {
            Type::BOOL => Value::Bool(bool::from_sql(column, raw)?),
            Type::INT2 => Value::Int(i16::from_sql(column, raw)?.into()),
            Type::INT4 => Value::Int(i32::from_sql(column, raw)?.into()),
            Type::INT8 => Value::Int(i64::from_sql(column, raw)?),
            Type::FLOAT4 => Value::Float4(f32::from_sql(column, raw)?),
            Type::FLOAT8 => Value::Float8(f64::from_sql(column, raw)?),
            Type::NUMERIC => {
                Value::Decimal(numeric::decode(raw).ok_or("a numeric that no source value can be")?)
            }
            Type::TEXT => Value::Text(String::from_sql(column, raw)?),
            Type::BYTEA => Value::Bytes(raw.to_vec()),
            Type::DATE => Value::Date(i32::from_sql(&Type::INT4, raw)? + EPOCH_DAYS),
            Type::TIME => Value::Time(i64::from_sql(&Type::INT8, raw)?),
            Type::TIMESTAMP => Value::Timestamp(i64::from_sql(&Type::INT8, raw)? + EPOCH_MICROS),
            Type::TIMESTAMPTZ => Value::TimestampTz(i64::from_sql(&Type::INT8, raw)? + EPOCH_MICROS),
            Type::UUID => Value::Uuid(raw.try_into()?),
            _ => return Err(format!("no captured value is stored as {column}").into()),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Value::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
