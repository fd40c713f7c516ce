//! Keys that go back to the server: values in an exact text form, cast there to the column's own type.

use super::sql_type::SqlType;
use chrono::{DateTime, NaiveDate, NaiveTime};
use proto::{Key, Value};
use uuid::Uuid;

/// A key column as statements need it.
#[derive(Clone, Debug)]
pub(super) struct KeyColumn {
    /// Its position in the layout.
    pub(super) position: usize,
    /// Its type.
    pub(super) sql_type: SqlType,
    /// The declaration under which a value is bound.
    pub(super) declaration: String,
    /// The column's collation where it is not the database's: parameters come in the latter.
    pub(super) collation: Option<String>,
    /// Whether the primary key's index runs downwards here.
    pub(super) descending: bool,
}

impl KeyColumn {
    /// Parameter number `number` (from 1) as a value of exactly this column's type.
    pub(super) fn parameter(&self, number: usize) -> String {
        let declaration = &self.declaration;
        if self.sql_type.is_binary() {
            return format!("CONVERT({declaration}, @P{number}, 1)");
        }
        match &self.collation {
            None => format!("CAST(@P{number} AS {declaration})"),
            // The inner collation decides the code page into which the text is converted, the outer one how it compares.
            Some(name) if self.sql_type.is_single_byte_text() => {
                format!("CAST(@P{number} COLLATE {name} AS {declaration}) COLLATE {name}")
            }
            Some(name) => format!("CAST(@P{number} AS {declaration}) COLLATE {name}"),
        }
    }
}

/// The text form of a key, one text per column.
pub(super) fn texts(key: &Key, columns: &[KeyColumn]) -> Option<Vec<String>> {
    if key.0.len() != columns.len() {
        return None;
    }
    key.0.iter().zip(columns).map(|(value, column)| text(value, &column.sql_type)).collect()
}

/// A value as its type's CAST reads it, whatever the session's language; None for NULL and values that no key has.
fn text(value: &Value, sql_type: &SqlType) -> Option<String> {
    Some(match value {
        Value::Bool(value) => u8::from(*value).to_string(),
        Value::Int(value) => value.to_string(),
        Value::Decimal(value) => value.to_string(),
        Value::Text(value) => value.clone(),
        Value::Bytes(value) => hexadecimal(value),
        Value::Date(days) => NaiveDate::from_epoch_days(*days)?.format("%Y-%m-%d").to_string(),
        Value::Time(micros) => {
            let seconds = u32::try_from(micros / 1_000_000).ok()?;
            let nanos = u32::try_from(micros % 1_000_000 * 1_000).ok()?;
            let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos)?;
            cut(time.format("%H:%M:%S%.6f").to_string(), sql_type)
        }
        Value::Timestamp(micros) => cut(timestamp(*micros)?, sql_type),
        Value::TimestampTz(micros) => format!("{}+00:00", cut(timestamp(*micros)?, sql_type)),
        Value::Uuid(bytes) => Uuid::from_bytes(*bytes).to_string(),
        Value::Null | Value::Float4(_) | Value::Float8(_) => return None,
    })
}

/// With six digits of the second's fraction.
fn timestamp(micros: i64) -> Option<String> {
    Some(DateTime::from_timestamp_micros(micros)?.format("%Y-%m-%dT%H:%M:%S%.6f").to_string())
}

/// Leaves as many digits of the fraction as the type has; `datetime` refuses more than three. The others are zero.
fn cut(mut text: String, sql_type: &SqlType) -> String {
    let digits = match sql_type {
        SqlType::DateTime => 3,
        SqlType::Time { scale } | SqlType::DateTime2 { scale } | SqlType::DateTimeOffset { scale } => *scale,
        _ => 0,
    };
    let spare = 6_usize.saturating_sub(usize::from(digits));
    text.truncate(text.len() - spare);
    if digits == 0 {
        text.pop();
    }
    text
}

/// `0x…`, as CONVERT's style 1 reads it.
fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("0x");
    for byte in bytes {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{KeyColumn, text};
    use crate::source::mssql::sql_type::{Length, SqlType};
    use proto::{Decimal, Value};

    fn column(sql_type: SqlType, collation: Option<&str>) -> KeyColumn {
        KeyColumn {
            position: 0,
            declaration: sql_type.key_declaration().unwrap(),
            sql_type,
            collation: collation.map(str::to_owned),
            descending: false,
        }
    }

    #[test]
    fn values_keep_as_many_digits_as_their_type_has() {
        // 2026-11-24 10:20:30.123
        let moment = 1_795_515_630_123_000;
        for (value, sql_type, expected) in [
            (Value::Timestamp(moment), SqlType::DateTime, "2026-11-24T10:20:30.123"),
            (Value::Timestamp(moment), SqlType::DateTime2 { scale: 6 }, "2026-11-24T10:20:30.123000"),
            (Value::Timestamp(moment - 123_000), SqlType::DateTime2 { scale: 0 }, "2026-11-24T10:20:30"),
            (Value::Timestamp(moment - 123_000), SqlType::SmallDateTime, "2026-11-24T10:20:30"),
            (
                Value::TimestampTz(moment),
                SqlType::DateTimeOffset { scale: 3 },
                "2026-11-24T10:20:30.123+00:00",
            ),
            (Value::Time(1_500_000), SqlType::Time { scale: 1 }, "00:00:01.5"),
            (Value::Date(-719_162), SqlType::Date, "0001-01-01"),
            (Value::Bytes(vec![0, 0xAB]), SqlType::VarBinary(Length::Of(8)), "0x00ab"),
            (Value::Decimal(Decimal { unscaled: -5, scale: 1 }), SqlType::Money, "-0.5"),
        ] {
            assert_eq!(text(&value, &sql_type).as_deref(), Some(expected), "{sql_type:?}");
        }
    }

    #[test]
    fn parameters_have_the_column_s_type_and_collation() {
        let varchar = SqlType::VarChar(Length::Of(20));
        assert_eq!(column(varchar.clone(), None).parameter(1), "CAST(@P1 AS varchar(20))");
        assert_eq!(
            column(varchar, Some("Modern_Spanish_CI_AI")).parameter(2),
            "CAST(@P2 COLLATE Modern_Spanish_CI_AI AS varchar(20)) COLLATE Modern_Spanish_CI_AI"
        );
        assert_eq!(column(SqlType::RowVersion, None).parameter(3), "CONVERT(binary(8), @P3, 1)");
    }
}
