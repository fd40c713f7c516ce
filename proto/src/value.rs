//! Values, rows and keys in the form in which they travel from the source to the target.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An exact decimal: `unscaled / 10^scale`. Holds every `decimal(38, s)`, which `rust_decimal` cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Decimal {
    /// The digits without the point.
    pub unscaled: i128,
    /// Digits after the point, 0 to 38.
    pub scale: u8,
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.unscaled < 0 { "-" } else { "" };
        let digits = self.unscaled.unsigned_abs().to_string();
        let scale = usize::from(self.scale);
        if scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

/// One value. The column's type stands in the [`Layout`](crate::Layout).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// NULL of any type.
    Null,
    /// `bit`
    Bool(bool),
    /// Every integer type; the layout says how wide the target's column is.
    Int(i64),
    /// `real`
    Float4(f32),
    /// `float`
    Float8(f64),
    /// `decimal`, `numeric`, `money`, `smallmoney`
    Decimal(Decimal),
    /// Every character type.
    Text(String),
    /// `binary`, `varbinary`, `rowversion`
    Bytes(Vec<u8>),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 1970-01-01 00:00 of a clock whose zone the value does not know.
    Timestamp(i64),
    /// Microseconds since 1970-01-01 00:00 UTC.
    TimestampTz(i64),
    /// `uniqueidentifier`, in the order of its text form.
    Uuid([u8; 16]),
}

/// A row, one value per column of its layout, in that order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row(pub Vec<Value>);

/// The values of a row's primary key, in key order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Key(pub Vec<Value>);

impl Value {
    /// Roughly how many bytes the value takes on the wire and in memory; batches are cut by it.
    pub fn size(&self) -> usize {
        match self {
            Self::Text(text) => 8 + text.len(),
            Self::Bytes(bytes) => 8 + bytes.len(),
            Self::Decimal(_) | Self::Uuid(_) => 16,
            _ => 8,
        }
    }
}

impl Row {
    /// Sum of [`Value::size`].
    pub fn size(&self) -> usize {
        self.0.iter().map(Value::size).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;

    #[test]
    fn decimals_print_their_digits_and_nothing_else() {
        for (unscaled, scale, text) in [
            (-15, 1, "-1.5"),
            (-5, 1, "-0.5"),
            (5, 0, "5"),
            (0, 4, "0.0000"),
            (12345, 2, "123.45"),
            (10_i128.pow(37), 38, "0.10000000000000000000000000000000000000"),
        ] {
            assert_eq!(Decimal { unscaled, scale }.to_string(), text);
        }
    }
}
