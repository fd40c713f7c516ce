//! Values as bytes that are equal exactly when the values are: for grouping, joining and DISTINCT.

use crate::collation::Collation;
use crate::engine::keys::variant_key;
use crate::exec::conversion::exact_parts;
use crate::types::Value;

/// Appends the key of a value. Values of one type are equal when their keys are; a key delimits itself.
pub(crate) fn push_key(value: &Value, collation: &Collation, out: &mut Vec<u8>) {
    let start = out.len();
    // Room for the length.
    out.extend_from_slice(&[0; 4]);
    match value {
        Value::Null => {
            out[start] = u8::MAX;
            return;
        }
        Value::Text(units) => collation.sort_key(units, out),
        Value::Bytes(bytes) => out.extend_from_slice(bytes),
        Value::Guid(guid) => out.extend_from_slice(guid),
        // Both zeros are one.
        Value::Float(x) => out.extend_from_slice(&if *x == 0.0 { 0.0 } else { *x }.to_le_bytes()),
        Value::Date(days) => out.extend_from_slice(&days.to_le_bytes()),
        Value::Time(ticks) => out.extend_from_slice(&ticks.to_le_bytes()),
        Value::DateTime { days, ticks } => {
            out.extend_from_slice(&days.to_le_bytes());
            out.extend_from_slice(&ticks.to_le_bytes());
        }
        Value::DateTime2 { days, ticks } | Value::DateTimeOffset { days, ticks, .. } => {
            out.extend_from_slice(&days.to_le_bytes());
            out.extend_from_slice(&ticks.to_le_bytes());
        }
        Value::Variant(variant) => variant_key(variant, out),
        exact => {
            let (unscaled, scale) = exact_parts(exact).unwrap_or_default();
            out.extend_from_slice(&unscaled.to_le_bytes());
            out.push(scale);
        }
    }
    let length = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}
