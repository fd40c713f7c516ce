//! Values as text: numbers as T-SQL writes them, text between quotes, bytes in hexadecimal, dates in ISO form.

use chrono::{Days, NaiveDate};

use super::reader::{Reader, utf16};
use super::type_info::TypeInfo;

const NULL: &str = "NULL";
const TICKS_PER_SECOND: u64 = 10_000_000;

/// Reads one value of a row or a return value.
pub(super) fn read(reader: &mut Reader<'_>, info: &TypeInfo) -> String {
    match bytes(reader, info) {
        Some(bytes) => text(&bytes, info),
        None => NULL.to_owned(),
    }
}

/// The value's own bytes; none of NULL.
fn bytes(reader: &mut Reader<'_>, info: &TypeInfo) -> Option<Vec<u8>> {
    if let Some(size) = info.fixed_size() {
        return (size > 0).then(|| reader.bytes(size).to_vec());
    }
    if info.is_chunked() {
        return chunks(reader);
    }
    if info.has_pointer() {
        let pointer = usize::from(reader.u8());
        if pointer == 0 {
            return None;
        }
        reader.bytes(pointer + 8);
        let length = reader.u32() as usize;
        return Some(reader.bytes(length).to_vec());
    }
    let length = match info.token {
        0xA5 | 0xA7 | 0xAD | 0xAF | 0xE7 | 0xEF => match reader.u16() {
            0xFFFF => return None,
            length => usize::from(length),
        },
        0x62 => match reader.u32() {
            0 => return None,
            length => length as usize,
        },
        _ => match reader.u8() {
            0 => return None,
            length => usize::from(length),
        },
    };
    Some(reader.bytes(length).to_vec())
}

fn chunks(reader: &mut Reader<'_>) -> Option<Vec<u8>> {
    let total = reader.u64();
    if total == u64::MAX {
        return None;
    }
    let mut bytes = Vec::new();
    loop {
        let length = reader.u32() as usize;
        if length == 0 {
            break;
        }
        bytes.extend_from_slice(reader.bytes(length));
    }
    let announced = usize::try_from(total).expect("the test machine has 64 bits");
    assert!(
        total == u64::MAX - 1 || announced == bytes.len(),
        "{announced} bytes announced, {} sent",
        bytes.len()
    );
    Some(bytes)
}

fn text(bytes: &[u8], info: &TypeInfo) -> String {
    let mut reader = Reader::new(bytes);
    match info.token {
        0x30 => reader.u8().to_string(),
        0x26 if bytes.len() == 1 => reader.u8().to_string(),
        0x32 | 0x68 => reader.u8().to_string(),
        0x34 | 0x38 | 0x7F | 0x26 => reader.signed(bytes.len()).to_string(),
        0x3B | 0x3E | 0x6D if bytes.len() == 4 => float(f32::from_le_bytes(reader.array()).to_string()),
        0x3B | 0x3E | 0x6D => float(f64::from_le_bytes(reader.array()).to_string()),
        0x3C | 0x7A | 0x6E => money(bytes),
        0x3A | 0x3D | 0x6F => old_date_time(bytes),
        0x6A | 0x6C => decimal(&mut reader, info.scale),
        0x24 => guid(bytes),
        0x28 => date(days(&mut reader)),
        0x29 => time(&mut reader, info.scale, bytes.len()),
        0x2A => {
            let time = time(&mut reader, info.scale, bytes.len() - 3);
            format!("{} {time}", date(days(&mut reader)))
        }
        0x2B => offset_date_time(&mut reader, info.scale, bytes.len()),
        0xA7 | 0xAF | 0x23 => quoted(&from_code_page(bytes, info.collation)),
        0xE7 | 0xEF | 0x63 | 0xF1 => quoted(&utf16(bytes)),
        0x62 => variant(&mut reader),
        _ => format!("0x{}", hexadecimal(bytes)),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\n', "\\n").replace('\r', "\\r"))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// Whole numbers keep a sign that they are floating.
fn float(text: String) -> String {
    if text.contains(['.', 'e', 'N', 'i']) { text } else { text + ".0" }
}

/// `unscaled / 10^scale`
fn scaled(negative: bool, unscaled: u128, scale: u8) -> String {
    let scale = usize::from(scale);
    let digits = format!("{unscaled:0width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if negative { "-" } else { "" };
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

fn decimal(reader: &mut Reader<'_>, scale: u8) -> String {
    let positive = reader.u8() == 1;
    let magnitude = Reader::rest(reader);
    let unscaled = Reader::new(magnitude).unsigned(magnitude.len());
    scaled(!positive && unscaled != 0, unscaled, scale)
}

/// 8 bytes have their high half first.
fn money(bytes: &[u8]) -> String {
    let mut reader = Reader::new(bytes);
    let amount = if bytes.len() == 4 {
        reader.signed(4)
    } else {
        let high = reader.signed(4);
        high << 32 | i64::from(reader.u32())
    };
    scaled(amount < 0, u128::from(amount.unsigned_abs()), 4)
}

fn guid(bytes: &[u8]) -> String {
    let bytes: [u8; 16] = bytes.try_into().expect("a uniqueidentifier has 16 bytes");
    uuid::Uuid::from_bytes_le(bytes).hyphenated().to_string().to_uppercase()
}

fn days(reader: &mut Reader<'_>) -> i64 {
    i64::try_from(reader.unsigned(3)).expect("three bytes fit")
}

/// Days since 0001-01-01 as a date.
fn date(days: i64) -> String {
    let first = NaiveDate::from_ymd_opt(1, 1, 1).expect("year 1 is in range");
    let days = u64::try_from(days).expect("no date lies before year 1");
    let date = first.checked_add_days(Days::new(days)).expect("every date ends before year 10000");
    date.format("%Y-%m-%d").to_string()
}

fn days_until_1900() -> i64 {
    let day = |year| NaiveDate::from_ymd_opt(year, 1, 1).expect("the year is in range");
    (day(1900) - day(1)).num_days()
}

/// `datetime` to its milliseconds, `smalldatetime` to its minutes.
fn old_date_time(bytes: &[u8]) -> String {
    let mut reader = Reader::new(bytes);
    if bytes.len() == 4 {
        let (days, minutes) = (i64::from(reader.u16()), reader.u16());
        return format!("{} {:02}:{:02}", date(days + days_until_1900()), minutes / 60, minutes % 60);
    }
    let (days, ticks) = (i64::from(reader.i32()), u64::from(reader.u32()));
    let milliseconds = (ticks * 10 + 1) / 3;
    let time = clock(milliseconds * TICKS_PER_SECOND / 1000, 3);
    format!("{} {time}", date(days + days_until_1900()))
}

/// Ticks of 100 ns since midnight, with so many digits of the second.
fn clock(ticks: u64, scale: u8) -> String {
    let (seconds, fraction) = (ticks / TICKS_PER_SECOND, ticks % TICKS_PER_SECOND);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = &format!("{fraction:07}")[..usize::from(scale)];
    let point = if scale == 0 { "" } else { "." };
    format!("{hours:02}:{minutes:02}:{seconds:02}{point}{fraction}")
}

fn ticks(reader: &mut Reader<'_>, scale: u8, length: usize) -> u64 {
    let units = u64::try_from(reader.unsigned(length)).expect("a time has at most five bytes");
    units * 10_u64.pow(7 - u32::from(scale))
}

fn time(reader: &mut Reader<'_>, scale: u8, length: usize) -> String {
    clock(ticks(reader, scale, length), scale)
}

/// The wire has it in UTC; it is shown in its own zone.
fn offset_date_time(reader: &mut Reader<'_>, scale: u8, length: usize) -> String {
    let utc = i64::try_from(ticks(reader, scale, length - 5)).expect("a day has fewer ticks");
    let days = days(reader);
    let offset = reader.signed(2);
    let day = 86_400 * i64::try_from(TICKS_PER_SECOND).expect("it fits");
    let local = days * day + utc + offset * 60 * i64::try_from(TICKS_PER_SECOND).expect("it fits");
    let time = clock(u64::try_from(local.rem_euclid(day)).expect("a remainder is positive"), scale);
    let sign = if offset < 0 { '-' } else { '+' };
    let (hours, minutes) = (offset.abs() / 60, offset.abs() % 60);
    format!("{} {time} {sign}{hours:02}:{minutes:02}", date(local.div_euclid(day)))
}

/// Text of a non-Unicode type. A code page that this client has no table for is shown as bytes.
fn from_code_page(bytes: &[u8], collation: Option<[u8; 5]>) -> String {
    let collation = collation.expect("text has a collation");
    let locale = u32::from_le_bytes([collation[0], collation[1], collation[2], 0]) & 0xF_FFFF;
    let is_utf8 = collation[3] & 0x04 != 0;
    let encoding = match (is_utf8, locale, collation[4]) {
        (true, ..) => encoding_rs::UTF_8,
        (_, _, 52) | (_, 0x409, 0) => encoding_rs::WINDOWS_1252,
        _ if bytes.is_ascii() => encoding_rs::WINDOWS_1252,
        _ => return format!("bytes {}", hexadecimal(bytes)),
    };
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// `sql_variant`: the base type, its properties, the value.
fn variant(reader: &mut Reader<'_>) -> String {
    let token = reader.u8();
    let mut properties = {
        let length = usize::from(reader.u8());
        reader.part(length)
    };
    let mut info = TypeInfo { token, size: 0, precision: 0, scale: 0, collation: None };
    match token {
        0x29..=0x2B => info.scale = properties.u8(),
        0x6A | 0x6C => {
            info.precision = properties.u8();
            info.scale = properties.u8();
        }
        0xA5 | 0xAD => info.size = usize::from(properties.u16()),
        0xA7 | 0xAF | 0xE7 | 0xEF => {
            info.collation = Some(properties.array());
            info.size = usize::from(properties.u16());
        }
        _ => {}
    }
    let value = text(reader.rest(), &info);
    format!("{} {value}", info.name())
}
