//! PostgreSQL's binary form of `numeric`: groups of four decimal digits around the point.
//!
//! ```text
//! groups: i16 | weight of the first group: i16 | sign: u16 | digits after the point: u16 | group: i16 ...
//! ```

use bytes::{Buf, BufMut};
use proto::Decimal;

const GROUP: u128 = 10_000;
const GROUP_DIGITS: usize = 4;
const NEGATIVE: u16 = 0x4000;

/// Writes a decimal.
pub(super) fn encode(decimal: Decimal, out: &mut impl BufMut) {
    let scale = usize::from(decimal.scale);
    let magnitude = decimal.unscaled.unsigned_abs();
    let unit = 10_u128.pow(u32::from(decimal.scale));
    let (whole, fraction) = (magnitude / unit, magnitude % unit);
    let mut groups = whole_groups(whole);
    let mut weight = groups.len() as i16 - 1;
    groups.extend(fraction_groups(fraction, scale));
    while groups.last() == Some(&0) {
        groups.pop();
    }
    let leading = groups.iter().take_while(|group| **group == 0).count();
    groups.drain(..leading);
    weight -= leading as i16;
    out.put_i16(groups.len() as i16);
    out.put_i16(if groups.is_empty() { 0 } else { weight });
    out.put_u16(if decimal.unscaled < 0 { NEGATIVE } else { 0 });
    out.put_u16(u16::from(decimal.scale));
    for group in groups {
        out.put_i16(group);
    }
}

/// Most significant first; none for 0.
fn whole_groups(mut whole: u128) -> Vec<i16> {
    let mut groups = Vec::new();
    while whole > 0 {
        groups.push((whole % GROUP) as i16);
        whole /= GROUP;
    }
    groups.reverse();
    groups
}

/// The last group is filled up with zeros on its right.
fn fraction_groups(fraction: u128, scale: usize) -> impl Iterator<Item = i16> {
    (0..scale.div_ceil(GROUP_DIGITS)).map(move |index| {
        let after = (index + 1) * GROUP_DIGITS;
        let group = if scale >= after {
            fraction / 10_u128.pow((scale - after) as u32) % GROUP
        } else {
            fraction % 10_u128.pow((scale + GROUP_DIGITS - after) as u32)
                * 10_u128.pow((after - scale) as u32)
        };
        group as i16
    })
}

/// Reads a decimal. None for NaN, the infinities and more than 38 digits, which no source value can be.
pub(super) fn decode(mut raw: &[u8]) -> Option<Decimal> {
    if raw.len() < 8 {
        return None;
    }
    let groups = usize::try_from(raw.get_i16()).ok()?;
    let weight = i32::from(raw.get_i16());
    let sign = raw.get_u16();
    let scale = u8::try_from(raw.get_u16()).ok()?;
    if raw.len() != groups * 2 || (sign != 0 && sign != NEGATIVE) {
        return None;
    }
    let mut magnitude: i128 = 0;
    for index in 0..groups {
        let group = i128::from(raw.get_i16());
        // The power of ten of the group's last digit, counted from the last digit kept.
        let power = (weight - i32::try_from(index).ok()?) * GROUP_DIGITS as i32 + i32::from(scale);
        let part = match u32::try_from(power) {
            Ok(power) => group.checked_mul(10_i128.checked_pow(power)?)?,
            Err(_) => group / 10_i128.checked_pow(power.unsigned_abs())?,
        };
        magnitude = magnitude.checked_add(part)?;
    }
    Some(Decimal { unscaled: if sign == NEGATIVE { -magnitude } else { magnitude }, scale })
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use proto::Decimal;

    #[test]
    fn every_scale_survives_the_way_there_and_back() {
        for unscaled in [0, 1, -1, 9_999, 10_000, -123_456_789, 10_i128.pow(37), 10_i128.pow(38) - 1] {
            for scale in 0..=38 {
                let decimal = Decimal { unscaled, scale };
                let mut raw = Vec::new();
                encode(decimal, &mut raw);
                assert_eq!(decode(&raw), Some(decimal), "{decimal}");
            }
        }
    }
}
