//! Rows in row form, taken apart and put together by their columns' types.

use super::Row;
use crate::types::{ColumnMeta, Value};
use crate::wire::value;

/// Every column's value.
pub fn values_of(layout: &[ColumnMeta], row: &[u8]) -> Vec<Value> {
    let mut rest = row;
    layout.iter().map(|meta| value::decode(&mut rest, meta)).collect()
}

/// A row from its columns' values, which are of the columns' types already.
pub fn row_of(layout: &[ColumnMeta], values: &[Value]) -> Row {
    let mut row = Vec::with_capacity(layout.len() * 8);
    for (meta, value) in layout.iter().zip(values) {
        value::encode(value, meta, &mut row);
    }
    row.into()
}

/// One column's value.
pub fn column_value(layout: &[ColumnMeta], row: &[u8], column: usize) -> Value {
    value::decode(&mut column_tail(layout, row, column), &layout[column])
}

/// A row's bytes from a column on.
pub(crate) fn column_tail<'a>(layout: &[ColumnMeta], row: &'a [u8], column: usize) -> &'a [u8] {
    let mut rest = row;
    for meta in &layout[..column] {
        value::skip(&mut rest, meta);
    }
    rest
}
