//! Key bytes: values as bytes whose order is SQL Server's order.
//!
//! A value is a marker (0 NULL, 1 not) and, for the latter, bytes that delimit themselves: fixed-width big-endian for
//! numbers and times, a collation's sort key for text, escaped bytes for binary. A key is its values one after the
//! other, so the keys that begin with given values are exactly those with their bytes as prefix. `DESC` inverts a
//! value's bytes.

use super::definition::{IndexRef, KeyColumn, TableDef};
use super::{Key, layout};
use crate::types::{ColumnMeta, SqlType, Value, Variant};

const NULL: u8 = 0;
const PRESENT: u8 = 1;
/// SQL Server compares a uniqueidentifier's bytes in this order; positions are those of its text.
const GUID_ORDER: [usize; 16] = [10, 11, 12, 13, 14, 15, 8, 9, 7, 6, 5, 4, 3, 2, 1, 0];

/// A half-open range of key bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// First key inside.
    pub from: Vec<u8>,
    /// First key behind; None for no end.
    pub to: Option<Vec<u8>>,
}

impl KeyRange {
    /// Every key.
    pub fn all() -> Self {
        Self { from: Vec::new(), to: None }
    }

    /// Keys that begin with a prefix.
    pub fn starting_with(prefix: &[u8]) -> Self {
        Self { from: prefix.to_vec(), to: successor(prefix) }
    }

    /// Keys whose beginning is not less than the prefix.
    pub fn at_least(prefix: &[u8]) -> Self {
        Self { from: prefix.to_vec(), to: None }
    }

    /// Keys whose beginning is greater than the prefix.
    pub fn greater_than(prefix: &[u8]) -> Self {
        match successor(prefix) {
            Some(from) => Self { from, to: None },
            None => Self { from: prefix.to_vec(), to: Some(prefix.to_vec()) },
        }
    }

    /// Keys whose beginning is less than the prefix.
    pub fn less_than(prefix: &[u8]) -> Self {
        Self { from: Vec::new(), to: Some(prefix.to_vec()) }
    }

    /// Keys whose beginning is not greater than the prefix.
    pub fn at_most(prefix: &[u8]) -> Self {
        Self { from: Vec::new(), to: successor(prefix) }
    }

    /// What both ranges hold.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        let to = match (self.to, other.to) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (one, None) | (None, one) => one,
        };
        Self { from: self.from.max(other.from), to }
    }

    /// Whether no key can be inside.
    pub fn is_empty(&self) -> bool {
        self.to.as_ref().is_some_and(|to| *to <= self.from)
    }
}

/// The first byte string behind all that begin with `prefix`.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != 0xFF)?;
    let mut next = prefix[..=last].to_vec();
    next[last] += 1;
    Some(next)
}

/// Bytes of the first columns of a key, to seek with. The values must be of the columns' types already, without loss;
/// there are at most as many as the key has columns.
pub fn key_prefix(table: &TableDef, index: IndexRef, values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    for (value, column) in values.iter().zip(table.index_columns(index)) {
        encode(value, &table.layout[column.column], column.descending, &mut out);
    }
    out
}

impl TableDef {
    /// Key of a row of a table with a primary key; None for a table without one.
    pub fn key_of(&self, row: &[u8]) -> Option<Key> {
        let primary = self.primary_key.as_ref()?;
        let mut bytes = Vec::with_capacity(16);
        encode_row(self, &primary.columns, row, &mut bytes);
        Some(bytes.into())
    }
}

/// Appends the key bytes of a row's columns.
pub(super) fn encode_row(table: &TableDef, columns: &[KeyColumn], row: &[u8], out: &mut Vec<u8>) {
    for column in columns {
        let value = layout::column_value(&table.layout, row, column.column);
        encode(&value, &table.layout[column.column], column.descending, out);
    }
}

/// The key bytes of one column's value.
pub(super) fn value_bytes(table: &TableDef, column: usize, value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    encode(value, &table.layout[column], false, &mut out);
    out
}

fn encode(value: &Value, column: &ColumnMeta, descending: bool, out: &mut Vec<u8>) {
    let start = out.len();
    if value.is_null() {
        out.push(NULL);
    } else {
        out.push(PRESENT);
        encode_present(value, column, out);
    }
    if descending {
        for byte in &mut out[start..] {
            *byte = !*byte;
        }
    }
}

fn encode_present(value: &Value, column: &ColumnMeta, out: &mut Vec<u8>) {
    match value {
        Value::Null => {}
        Value::Bit(bit) => out.push(u8::from(*bit)),
        Value::Int(n) => signed(*n, out),
        Value::Decimal { unscaled, scale } => decimal(*unscaled, *scale, column.sql_type, out),
        Value::Money(n) => signed(*n, out),
        Value::Float(n) => float(*n, out),
        Value::DateTime { days, ticks } => {
            signed(i64::from(*days), out);
            out.extend_from_slice(&ticks.to_be_bytes());
        }
        Value::DateTime2 { days, ticks } | Value::DateTimeOffset { days, ticks, .. } => {
            signed(i64::from(*days), out);
            out.extend_from_slice(&ticks.to_be_bytes());
        }
        Value::Date(days) => signed(i64::from(*days), out),
        Value::Time(ticks) => out.extend_from_slice(&ticks.to_be_bytes()),
        Value::Text(text) => column.collation.sort_key(text, out),
        Value::Bytes(bytes) => delimited(bytes, out),
        Value::Guid(bytes) => out.extend(GUID_ORDER.map(|position| bytes[position])),
        Value::Variant(variant) => variant_key(variant, out),
    }
}

/// Kinds of types in a `sql_variant`, lowest first: two values of different kinds compare by kind alone.
#[derive(Clone, Copy)]
enum VariantKind {
    Guid = 1,
    Bytes,
    Text,
    Exact,
    Approximate,
    Moment,
}

/// Days from 0001-01-01 to 1900-01-01, where a time without a date stands.
const DAYS_TO_1900: i32 = 693_595;
/// Units of `time` and its kin, 100 ns, in the unit of `datetime`, 1/300 s: 10,000,000 to 300.
const MODERN_TICKS: u64 = 100_000;
const LEGACY_TICKS: u64 = 3;

/// Appends bytes that order variants: by the kind of their types first, by value within a kind.
pub(crate) fn variant_key(variant: &Variant, out: &mut Vec<u8>) {
    match &variant.value {
        Value::Guid(guid) => {
            out.push(VariantKind::Guid as u8);
            out.extend(GUID_ORDER.map(|position| guid[position]));
        }
        Value::Bytes(bytes) => {
            out.push(VariantKind::Bytes as u8);
            delimited(bytes, out);
        }
        Value::Text(units) => {
            out.push(VariantKind::Text as u8);
            variant.collation.sort_key(units, out);
        }
        Value::Float(number) => {
            out.push(VariantKind::Approximate as u8);
            float(*number, out);
        }
        Value::Bit(bit) => exact(i128::from(*bit), 0, out),
        Value::Int(n) => exact(i128::from(*n), 0, out),
        Value::Money(n) => exact(i128::from(*n), 4, out),
        Value::Decimal { unscaled, scale } => exact(*unscaled, *scale, out),
        Value::Date(days) => moment(*days, 0, out),
        Value::Time(ticks) => moment(DAYS_TO_1900, *ticks * LEGACY_TICKS, out),
        Value::DateTime { days, ticks } => {
            moment(days + DAYS_TO_1900, u64::from(*ticks) * MODERN_TICKS, out);
        }
        Value::DateTime2 { days, ticks } | Value::DateTimeOffset { days, ticks, .. } => {
            moment(*days, *ticks * LEGACY_TICKS, out);
        }
        Value::Null | Value::Variant(_) => {}
    }
}

/// The whole part, then the fraction in units of the smallest scale.
fn exact(unscaled: i128, scale: u8, out: &mut Vec<u8>) {
    let one = 10i128.pow(u32::from(scale));
    out.push(VariantKind::Exact as u8);
    out.extend_from_slice(&(unscaled.div_euclid(one) ^ i128::MIN).to_be_bytes());
    let fraction = unscaled.rem_euclid(one) * 10i128.pow(u32::from(38 - scale));
    out.extend_from_slice(&fraction.to_be_bytes());
}

/// Days since 0001-01-01, and 1/30,000,000 s since midnight, in which every type of time is whole.
fn moment(days: i32, ticks: u64, out: &mut Vec<u8>) {
    out.push(VariantKind::Moment as u8);
    signed(i64::from(days), out);
    out.extend_from_slice(&ticks.to_be_bytes());
}

fn signed(n: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&(n ^ i64::MIN).to_be_bytes());
}

/// A decimal by its column's scale, so that 1.5 and 1.50 are one key.
fn decimal(unscaled: i128, scale: u8, sql_type: SqlType, out: &mut Vec<u8>) {
    let declared = match sql_type {
        SqlType::Decimal { scale, .. } | SqlType::Numeric { scale, .. } => scale,
        _ => scale,
    };
    let rescaled = if declared >= scale {
        unscaled.saturating_mul(10i128.pow(u32::from(declared - scale)))
    } else {
        unscaled / 10i128.pow(u32::from(scale - declared))
    };
    out.extend_from_slice(&(rescaled ^ i128::MIN).to_be_bytes());
}

/// Flips the sign of positive numbers and all bits of negative ones; both zeros are one key.
fn float(n: f64, out: &mut Vec<u8>) {
    let bits = if n == 0.0 { 0 } else { n.to_bits() };
    let ordered = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
    out.extend_from_slice(&ordered.to_be_bytes());
}

/// Bytes ended by two zeros; a zero inside is followed by 0xFF.
fn delimited(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        out.push(byte);
        if byte == 0 {
            out.push(0xFF);
        }
    }
    out.extend_from_slice(&[0, 0]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Length;

    fn key(value: &Value, sql_type: SqlType, descending: bool) -> Vec<u8> {
        let mut out = Vec::new();
        encode(value, &ColumnMeta::new("", sql_type, true), descending, &mut out);
        out
    }

    #[test]
    fn keys_keep_the_order_of_values() {
        let decimal = SqlType::Decimal { precision: 18, scale: 2 };
        let bytes = SqlType::VarBinary(Length::Limited(10));
        let guid = |first: u8, last: u8| {
            let mut g = [0; 16];
            (g[0], g[15]) = (first, last);
            Value::Guid(g)
        };
        for (sql_type, ascending) in [
            (
                SqlType::BigInt,
                vec![Value::Null, Value::Int(i64::MIN), Value::Int(-1), Value::Int(0), Value::Int(7)],
            ),
            (
                SqlType::Float,
                vec![Value::Float(-1e300), Value::Float(-0.5), Value::Float(0.0), Value::Float(2.0)],
            ),
            (
                decimal,
                vec![
                    Value::Decimal { unscaled: -5, scale: 0 },
                    Value::Decimal { unscaled: 15, scale: 1 },
                    Value::Decimal { unscaled: 151, scale: 2 },
                ],
            ),
            (
                bytes,
                [&[][..], &[0], &[0, 0], &[0, 1], &[1], &[0xFF]].map(|b| Value::Bytes(b.to_vec())).to_vec(),
            ),
            (SqlType::UniqueIdentifier, vec![guid(9, 0), guid(10, 0), guid(0, 1)]),
        ] {
            for pair in ascending.windows(2) {
                assert!(
                    key(&pair[0], sql_type, false) < key(&pair[1], sql_type, false),
                    "{sql_type:?} {pair:?}"
                );
                assert!(
                    key(&pair[0], sql_type, true) > key(&pair[1], sql_type, true),
                    "{sql_type:?} DESC {pair:?}"
                );
            }
        }
    }

    #[test]
    fn ranges_select_by_prefix() {
        let inside = |range: &KeyRange, key: &[u8]| {
            range.from.as_slice() <= key && range.to.as_ref().is_none_or(|to| key < to.as_slice())
        };
        let prefix = [1, 0xFF];
        for (range, expected) in [
            (KeyRange::starting_with(&prefix), [false, true, true, false]),
            (KeyRange::greater_than(&prefix), [false, false, false, true]),
            (KeyRange::at_least(&prefix), [false, true, true, true]),
            (KeyRange::less_than(&prefix), [true, false, false, false]),
            (KeyRange::at_most(&prefix), [true, true, true, false]),
        ] {
            let keys: [&[u8]; 4] = [&[1, 0xFE, 9], &[1, 0xFF], &[1, 0xFF, 0xFF], &[2]];
            assert_eq!(keys.map(|k| inside(&range, k)), expected, "{range:?}");
        }
        assert!(KeyRange::greater_than(&[5]).intersect(KeyRange::at_most(&[5])).is_empty());
    }
}
