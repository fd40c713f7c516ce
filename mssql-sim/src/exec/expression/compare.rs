//! Order of values of one type.

use std::cmp::Ordering;

use crate::collation::Collation;
use crate::engine::keys::variant_key;
use crate::exec::conversion::exact_parts;
use crate::exec::decimal;
use crate::parser::ast::BinaryOp;
use crate::types::Value;

/// SQL Server compares a uniqueidentifier's bytes in this order; positions are those of its text.
const GUID_ORDER: [usize; 16] = [10, 11, 12, 13, 14, 15, 8, 9, 7, 6, 5, 4, 3, 2, 1, 0];

/// Compares two values of one type; NULL is lowest, as ORDER BY has it.
pub(crate) fn compare_values(a: &Value, b: &Value, collation: &Collation) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Text(a), Value::Text(b)) => collation.compare(a, b),
        (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::DateTime { days: a, ticks: s }, Value::DateTime { days: b, ticks: t }) => (a, s).cmp(&(b, t)),
        (Value::DateTime2 { days: a, ticks: s }, Value::DateTime2 { days: b, ticks: t })
        | (
            Value::DateTimeOffset { days: a, ticks: s, .. },
            Value::DateTimeOffset { days: b, ticks: t, .. },
        ) => (a, s).cmp(&(b, t)),
        (Value::Guid(a), Value::Guid(b)) => GUID_ORDER.map(|i| a[i]).cmp(&GUID_ORDER.map(|i| b[i])),
        (Value::Variant(a), Value::Variant(b)) => {
            let (mut left, mut right) = (Vec::new(), Vec::new());
            variant_key(a, &mut left);
            variant_key(b, &mut right);
            left.cmp(&right)
        }
        _ => compare_exact(a, b),
    }
}

fn compare_exact(a: &Value, b: &Value) -> Ordering {
    let (Some((n, s)), Some((m, t))) = (exact_parts(a), exact_parts(b)) else { return Ordering::Equal };
    if s == t {
        return n.cmp(&m);
    }
    let scale = s.max(t);
    match (decimal::rescale(n, s, scale), decimal::rescale(m, t, scale)) {
        (Some(n), Some(m)) => n.cmp(&m),
        // Too large to align: then the wholes differ.
        _ => (n / 10i128.pow(u32::from(s))).cmp(&(m / 10i128.pow(u32::from(t)))),
    }
}

/// Whether a comparison holds for an ordering.
pub(crate) fn holds(operator: BinaryOp, ordering: Ordering) -> bool {
    match operator {
        BinaryOp::Equal => ordering.is_eq(),
        BinaryOp::NotEqual => ordering.is_ne(),
        BinaryOp::Less => ordering.is_lt(),
        BinaryOp::LessOrEqual => ordering.is_le(),
        BinaryOp::Greater => ordering.is_gt(),
        _ => ordering.is_ge(),
    }
}
