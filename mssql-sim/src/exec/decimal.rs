//! Arithmetic on exact numbers: an integer and the number of its digits behind the point, at most 38 digits.
//!
//! Rounding is half away from zero, except that division truncates, as SQL Server does. Intermediate results may need
//! more than 38 digits, so what overflows an `i128` is computed with big integers.

use num_bigint::BigInt;

use crate::types::SqlType;

/// Most digits of a decimal.
pub const MAX_PRECISION: u8 = 38;

/// 10 to the `exponent`, which is at most 38.
fn power_of_ten(exponent: u8) -> i128 {
    10i128.pow(u32::from(exponent))
}

fn big_power_of_ten(exponent: u32) -> BigInt {
    BigInt::from(10).pow(exponent)
}

/// Whether a number has at most `precision` digits.
pub fn fits(unscaled: i128, precision: u8) -> bool {
    unscaled.unsigned_abs() < power_of_ten(precision.min(MAX_PRECISION)).unsigned_abs()
}

/// The number with another count of digits behind the point, rounded; None beyond 38 digits.
pub fn rescale(unscaled: i128, from: u8, to: u8) -> Option<i128> {
    if to >= from {
        let scaled = unscaled.checked_mul(power_of_ten((to - from).min(MAX_PRECISION)))?;
        return fits(scaled, MAX_PRECISION).then_some(scaled);
    }
    if from - to > MAX_PRECISION {
        return Some(0);
    }
    Some(divide_rounded(unscaled, power_of_ten(from - to)))
}

/// `dividend / divisor` rounded half away from zero; the divisor is positive.
fn divide_rounded(dividend: i128, divisor: i128) -> i128 {
    let quotient = dividend / divisor;
    let rest = (dividend % divisor).unsigned_abs();
    if rest >= divisor.unsigned_abs() - rest { quotient + dividend.signum() } else { quotient }
}

fn big_divide_rounded(dividend: &BigInt, divisor: &BigInt) -> BigInt {
    let doubled = dividend * 2;
    let half = if dividend.sign() == num_bigint::Sign::Minus { doubled - divisor } else { doubled + divisor };
    half / (divisor * 2)
}

fn bounded(number: &BigInt) -> Option<i128> {
    i128::try_from(number).ok().filter(|n| fits(*n, MAX_PRECISION))
}

/// An operand: unscaled integer and scale.
pub type Operand = (i128, u8);

/// `a + b` with `scale` digits behind the point; None beyond 38 digits.
pub fn add(a: Operand, b: Operand, scale: u8) -> Option<i128> {
    let common = a.1.max(b.1);
    let align =
        |(unscaled, from): Operand| BigInt::from(unscaled) * big_power_of_ten(u32::from(common - from));
    let sum = align(a) + align(b);
    if scale >= common {
        return bounded(&(sum * big_power_of_ten(u32::from(scale - common))));
    }
    bounded(&big_divide_rounded(&sum, &big_power_of_ten(u32::from(common - scale))))
}

/// `a * b`, rounded to `scale`; None beyond 38 digits.
pub fn multiply(a: Operand, b: Operand, scale: u8) -> Option<i128> {
    let exact = u32::from(a.1) + u32::from(b.1);
    let product = BigInt::from(a.0) * BigInt::from(b.0);
    let wanted = u32::from(scale);
    if wanted >= exact {
        return bounded(&(product * big_power_of_ten(wanted - exact)));
    }
    bounded(&big_divide_rounded(&product, &big_power_of_ten(exact - wanted)))
}

/// `a / b`, truncated to `scale`; `b` is not zero; None beyond 38 digits.
pub fn divide(a: Operand, b: Operand, scale: u8) -> Option<i128> {
    let exponent = i32::from(scale) + i32::from(b.1) - i32::from(a.1);
    let (mut dividend, mut divisor) = (BigInt::from(a.0), BigInt::from(b.0));
    if exponent >= 0 {
        dividend *= big_power_of_ten(exponent.unsigned_abs());
    } else {
        divisor *= big_power_of_ten(exponent.unsigned_abs());
    }
    bounded(&(dividend / divisor))
}

/// `a % b` with the larger of both scales; `b` is not zero; None beyond 38 digits.
pub fn remainder(a: Operand, b: Operand) -> Option<i128> {
    let common = a.1.max(b.1);
    let align =
        |(unscaled, from): Operand| BigInt::from(unscaled) * big_power_of_ten(u32::from(common - from));
    bounded(&(align(a) % align(b)))
}

/// Reads `[+-]digits[.digits]`, rounded to `scale`; None if it is no number, `Some(None)` if it is too large.
pub fn parse(text: &str, scale: u8) -> Option<Option<i128>> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let numeric = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if !numeric(whole) || !numeric(fraction) || whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let number: BigInt = format!("0{whole}{fraction}").parse().ok()?;
    let (written, wanted) = (fraction.len() as u32, u32::from(scale));
    let scaled = if wanted >= written {
        number * big_power_of_ten(wanted - written)
    } else {
        big_divide_rounded(&number, &big_power_of_ten(written - wanted))
    };
    Some(bounded(&scaled).map(|n| if negative { -n } else { n }))
}

/// The number as text with all digits behind the point.
pub fn format(unscaled: i128, scale: u8) -> String {
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = usize::from(scale) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    let sign = if unscaled < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// The nearest float.
pub fn to_float(unscaled: i128, scale: u8) -> f64 {
    // Through text, so that the result is the nearest float and not one that was rounded twice.
    format(unscaled, scale).parse().unwrap_or(f64::NAN)
}

/// A float rounded to `scale`; None beyond 38 digits.
pub fn from_float(number: f64, scale: u8) -> Option<i128> {
    if !number.is_finite() || number.abs() >= 1e38 {
        return None;
    }
    // A float has no more than 17 digits that mean anything.
    let shortest = format!("{number:.17e}");
    let (mantissa, exponent) = shortest.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let negative = mantissa.starts_with('-');
    let digits: BigInt = mantissa.trim_start_matches('-').replace('.', "").parse().ok()?;
    let shift = exponent - 17 + i32::from(scale);
    let scaled = if shift >= 0 {
        digits * big_power_of_ten(shift.unsigned_abs())
    } else {
        big_divide_rounded(&digits, &big_power_of_ten(shift.unsigned_abs()))
    };
    bounded(&scaled).map(|n| if negative { -n } else { n })
}

/// Operators whose result's precision and scale follow a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `+` and `-`
    Add,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

/// Precision and scale of an operation's result.
pub fn result_parts(operation: Operation, (p1, s1): (u8, u8), (p2, s2): (u8, u8)) -> (u8, u8) {
    let [p1, s1, p2, s2] = [p1, s1, p2, s2].map(i32::from);
    let max = i32::from(MAX_PRECISION);
    let (precision, scale) = match operation {
        Operation::Add => {
            let whole = (p1 - s1).max(p2 - s2);
            let scale = s1.max(s2);
            let precision = whole + scale + 1;
            (precision, if precision > max { scale.min(max - whole) } else { scale })
        }
        Operation::Remainder => ((p1 - s1).min(p2 - s2) + s1.max(s2), s1.max(s2)),
        Operation::Multiply => shrink(p1 + p2 + 1, s1 + s2),
        Operation::Divide => {
            let scale = (s1 + p2 + 1).max(6);
            shrink(p1 - s1 + s2 + scale, scale)
        }
    };
    (precision.clamp(1, max) as u8, scale.clamp(0, max) as u8)
}

/// Beyond 38 digits the scale gives up the excess, down to six digits.
fn shrink(precision: i32, scale: i32) -> (i32, i32) {
    let excess = precision - i32::from(MAX_PRECISION);
    if excess <= 0 { (precision, scale) } else { (precision, (scale - excess).max(scale.min(6))) }
}

/// `decimal` or `numeric` with these parts; `numeric` when either operand was.
pub fn result_type(operation: Operation, one: SqlType, other: SqlType, parts: [(u8, u8); 2]) -> SqlType {
    let (precision, scale) = result_parts(operation, parts[0], parts[1]);
    let numeric = [one, other].iter().any(|t| matches!(t, SqlType::Numeric { .. }));
    if numeric { SqlType::Numeric { precision, scale } } else { SqlType::Decimal { precision, scale } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_and_scale_follow_the_rules() {
        use Operation::{Add, Divide, Multiply, Remainder};
        for (operation, a, b, expected) in [
            (Add, (10, 2), (5, 4), (13, 4)),
            (Add, (38, 10), (38, 2), (38, 2)),
            (Multiply, (10, 2), (5, 4), (16, 6)),
            (Multiply, (38, 10), (38, 10), (38, 6)),
            (Divide, (3, 1), (1, 0), (8, 6)),
            (Divide, (3, 1), (10, 0), (14, 12)),
            (Remainder, (10, 2), (5, 4), (5, 4)),
        ] {
            assert_eq!(result_parts(operation, a, b), expected, "{operation:?} {a:?} {b:?}");
        }
    }

    #[test]
    fn division_truncates_and_the_rest_rounds_away_from_zero() {
        assert_eq!(divide((400, 2), (7, 0), 6), Some(571_428));
        assert_eq!(multiply((15, 1), (5, 1), 1), Some(8));
        assert_eq!(rescale(-25, 1, 0), Some(-3));
        assert_eq!(rescale(24, 1, 0), Some(2));
        assert_eq!(add((1, 0), (-15, 1), 0), Some(-1));
        let large = 10i128.pow(38) - 1;
        assert_eq!(add((large, 0), (1, 0), 0), None);
        assert_eq!(multiply((large, 19), (large, 19), 1), None);
        assert_eq!(divide((large, 0), (large, 38), 0), None);
        assert_eq!(remainder((-75, 1), (2, 0)), Some(-15));
    }

    #[test]
    fn text_and_floats() {
        assert_eq!(parse("-12.345", 2), Some(Some(-1235)));
        assert_eq!((parse("", 0), parse(".", 0), parse("1e5", 0)), (None, None, None));
        assert_eq!(parse(&"9".repeat(39), 0), Some(None));
        assert_eq!((format(-5, 3), format(120, 0)), ("-0.005".to_owned(), "120".to_owned()));
        assert_eq!(from_float(0.1, 4), Some(1000));
        assert_eq!(from_float(-2.5, 0), Some(-3));
        assert_eq!(to_float(1, 1), 0.1);
    }
}
