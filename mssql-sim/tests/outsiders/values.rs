//! Every type with its extremes, and what of a value each client can hold.
//!
//! Text forms: numbers in decimal, bytes in hexadecimal, `YYYY-MM-DD hh:mm:ss.fffffff +hh:mm` and its parts. A client tells
//! a floating-point number by the sixteen hexadecimal digits of its double, so that no formatting comes between.

use crate::driver::Driver;

/// A type and values of it, the extremes first.
pub(crate) struct Type {
    /// As in a column definition.
    pub(crate) sql: &'static str,
    pub(crate) values: Vec<String>,
}

/// Every type that all clients can read and write.
pub(crate) fn types() -> Vec<Type> {
    let short = SHORT.iter().map(|(sql, values)| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Type { sql, values }
    });
    let long = LONG.iter().map(|(sql, unit, lengths)| {
        let values = lengths.iter().map(|length| unit.repeat(*length)).collect();
        Type { sql, values }
    });
    short.chain(long).collect()
}

const SHORT: &[(&str, &[&str])] = &[
    ("bit", &["0", "1"]),
    ("tinyint", &["0", "255", "128"]),
    ("smallint", &["-32768", "32767", "-1", "0"]),
    ("int", &["-2147483648", "2147483647", "-1", "0"]),
    ("bigint", &["-9223372036854775808", "9223372036854775807", "-1", "0", "9007199254740993"]),
    (
        "decimal(38,0)",
        &["-99999999999999999999999999999999999999", "99999999999999999999999999999999999999", "0", "-1"],
    ),
    (
        "decimal(38,38)",
        &[
            "-0.99999999999999999999999999999999999999",
            "0.99999999999999999999999999999999999999",
            "0.00000000000000000000000000000000000001",
        ],
    ),
    ("decimal(28,10)", &["-999999999999999999.9999999999", "999999999999999999.9999999999"]),
    ("numeric(19,4)", &["-999999999999999.9999", "999999999999999.9999", "0.0001"]),
    ("decimal(9,2)", &["-9999999.99", "9999999.99", "0.01", "0.00"]),
    ("smallmoney", &["-214748.3648", "214748.3647", "0.0001"]),
    ("money", &["-922337203685477.5808", "922337203685477.5807", "0.0001", "-0.0001", "429496.7296"]),
    ("float", &["-1.7976931348623157e308", "1.7976931348623157e308", "2.2250738585072014e-308", "0.1", "0"]),
    ("real", &["-3.4028234663852886e38", "3.4028234663852886e38", "1.1754943508222875e-38", "0.5", "0"]),
    ("date", &["0001-01-01", "9999-12-31", "2000-02-29", "1582-10-10"]),
    ("time(0)", &["00:00:00", "23:59:59"]),
    ("time(3)", &["00:00:00.000", "23:59:59.999"]),
    ("time(7)", &["00:00:00.0000000", "23:59:59.9999999", "12:34:56.123456"]),
    ("smalldatetime", &["1900-01-01 00:00:00", "2079-06-06 23:59:00"]),
    (
        "datetime",
        &[
            "1753-01-01 00:00:00.000",
            "9999-12-31 23:59:59.997",
            "1899-12-31 23:59:59.993",
            "2026-11-24 10:11:12.123",
        ],
    ),
    ("datetime2(0)", &["0001-01-01 00:00:00", "9999-12-31 23:59:59"]),
    ("datetime2(3)", &["0001-01-01 00:00:00.000", "9999-12-31 23:59:59.999"]),
    (
        "datetime2(7)",
        &["0001-01-01 00:00:00.0000000", "9999-12-31 23:59:59.9999999", "2026-11-24 10:11:12.123456"],
    ),
    (
        "datetimeoffset(0)",
        &["2026-11-24 10:11:12 +14:00", "2026-11-24 10:11:12 -14:00", "2026-11-24 10:11:12 +05:45"],
    ),
    (
        "datetimeoffset(7)",
        &[
            "0001-01-01 00:00:00.0000000 +00:00",
            "9999-12-31 23:59:59.9999999 +00:00",
            "2026-02-28 23:30:00.123456 -05:30",
        ],
    ),
    ("char(10)", &["", "x", "\u{20ac}\u{e9}\u{ff}\u{a0}z"]),
    ("varchar(20)", &["", "x", " x ", "\u{20ac}\u{e9}\u{ff}\u{152}", "it's \"quoted\" %s {0}"]),
    ("nchar(10)", &["", "x", "\u{6f22}\u{5b57}\u{1f69a}\u{fffd}"]),
    ("nvarchar(20)", &["", " x ", "\u{6f22}\u{5b57}\u{1f69a}\u{3b1}\u{44f}\u{5d0}", "a\u{301}\r\n\t"]),
    ("binary(8)", &["0000000000000000", "ffffffffffffffff", "0102030405060708"]),
    ("varbinary(20)", &["00", "ffffffffffffffffffffffffffffffffffffffff", "0d0a00"]),
    (
        "uniqueidentifier",
        &[
            "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "6f9619ff-8b86-d011-b42d-00c04fc964ff",
        ],
    ),
    ("text", &["x", "\u{20ac}\u{e9}"]),
    ("ntext", &["x", "\u{6f22}\u{1f69a}"]),
    ("image", &["00", "ffd8ff"]),
    ("xml", &["<a/>", "<a b=\"1\">\u{e9}\u{6f22}</a>"]),
    ("varchar(20) COLLATE SQL_Latin1_General_CP437_CI_AS", &["", "\u{e9}\u{2591}\u{f1}"]),
    ("varchar(20) COLLATE SQL_Latin1_General_CP850_CI_AS", &["\u{e9}\u{2591}\u{f0}"]),
    ("varchar(20) COLLATE Cyrillic_General_CI_AS", &["\u{42f}\u{436}"]),
    ("varchar(20) COLLATE Japanese_CI_AS", &["\u{65e5}\u{672c}"]),
    ("varchar(20) COLLATE Latin1_General_100_CI_AS_SC_UTF8", &["\u{e9}\u{6f22}\u{1f69a}"]),
];

/// Types with a unit that is repeated so many times.
const LONG: &[(&str, &str, &[usize])] = &[
    ("varchar(8000)", "8", &[8000]),
    ("nvarchar(4000)", "\u{6f22}", &[1, 4000]),
    ("varbinary(8000)", "a5", &[8000]),
    ("varchar(max)", "\u{e9}", &[0, 1, 8001]),
    ("nvarchar(max)", "\u{1f69a}", &[0, 1, 4001, 20_000]),
    ("varbinary(max)", "00ff", &[1, 4001, 20_000]),
];

/// Whether a driver's bulk copy carries the type unchanged. Where it does not, the driver and no server is the reason; long
/// types of old and collations are left to parameters.
pub(crate) fn can_copy(driver: Driver, sql_type: &str) -> bool {
    let base = base(sql_type);
    if matches!(base, "text" | "ntext" | "image" | "xml") || sql_type.contains("COLLATE") {
        return false;
    }
    match driver {
        // Microseconds only, and a moment with an offset goes without being made UTC.
        Driver::Odbc => !matches!(sql_type, "time(7)" | "datetime2(7)") && base != "datetimeoffset",
        // FreeTDS reads moments from text as `datetime`, takes UTF-8 for the code page's bytes, cuts trailing blanks and
        // makes NULL of what is empty.
        Driver::Pymssql => {
            !matches!(base, "date" | "time" | "datetime2" | "datetimeoffset" | "char" | "varchar" | "nchar")
                && !matches!(sql_type, "nvarchar(20)" | "nvarchar(max)")
        }
        // No parameters of such a length or type, and none with a seventh digit of a second.
        Driver::Pytds => {
            !matches!(sql_type, "time(7)" | "datetime2(7)" | "datetimeoffset(7)")
                && !matches!(base, "money" | "binary")
        }
        // Decimals are doubles, offsets are lost.
        Driver::Tedious => {
            !matches!(base, "decimal" | "numeric" | "money" | "datetimeoffset") || sql_type == "decimal(9,2)"
        }
        // No `nvarchar(max)` beyond 64 KiB.
        Driver::Tiberius => sql_type != "nvarchar(max)",
    }
}

/// Whether a driver can read the type: tiberius has no code pages of DOS, and with python-tds takes UTF-8 for another.
pub(crate) fn can_read(driver: Driver, sql_type: &str) -> bool {
    let unknown: &[&str] = match driver {
        Driver::Tiberius => &["CP437", "CP850", "UTF8"],
        Driver::Pytds => &["UTF8"],
        Driver::Odbc | Driver::Pymssql | Driver::Tedious => &[],
    };
    !unknown.iter().any(|page| sql_type.contains(page))
}

/// The name of a type without what is in parentheses or behind it.
fn base(sql_type: &str) -> &str {
    sql_type.split(['(', ' ']).next().unwrap_or_default()
}

/// The number in a type's parentheses.
fn size(sql_type: &str) -> Option<usize> {
    sql_type.split_once('(')?.1.split([',', ')']).next()?.parse().ok()
}

/// Whether a client read what was written, as far as its own types go.
pub(crate) fn is_same(driver: Driver, sql_type: &str, read: Option<&str>, written: Option<&str>) -> bool {
    let (Some(read), Some(written)) = (read, written) else { return read == written };
    if is_double(driver, sql_type) {
        let bytes = bytes_of(read).try_into().expect("a double has eight bytes");
        let (read, written) = (f64::from_be_bytes(bytes), written.parse::<f64>().expect("a number"));
        // The driver divides by a power of ten, which rounds.
        return (read - written).abs() <= 4.0 * f64::EPSILON * written.abs();
    }
    held(driver, sql_type, comparable(sql_type, read))
        == held(driver, sql_type, comparable(sql_type, &stored(sql_type, written)))
}

/// What a column of the type makes of a value.
fn stored(sql_type: &str, written: &str) -> String {
    match base(sql_type) {
        "char" | "nchar" => {
            let units = written.encode_utf16().count();
            format!("{written}{}", " ".repeat(size(sql_type).unwrap_or(1) - units))
        }
        "float" => hex_of(&written.parse::<f64>().expect("a number").to_be_bytes()),
        "real" => hex_of(&f64::from(written.parse::<f32>().expect("a number")).to_be_bytes()),
        _ => written.to_owned(),
    }
}

/// One form for each value: fractions with all their digits, a datetime to the millisecond.
fn comparable(sql_type: &str, text: &str) -> String {
    match base(sql_type) {
        "uniqueidentifier" => text.to_lowercase(),
        "decimal" | "numeric" | "money" | "smallmoney" => {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            format!("{whole}.{fraction:0<38}")
        }
        "datetime" => {
            let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
            let ticks: u32 = format!("{fraction:0<7}")[..7].parse().expect("a fraction");
            format!("{clock}.{:03}", (ticks + 5000) / 10_000)
        }
        "time" | "datetime2" | "smalldatetime" => with_ticks(text),
        "datetimeoffset" => {
            let (clock, offset) = text.rsplit_once(' ').expect("an offset");
            if offset.contains(':') && !offset.contains('.') && offset.starts_with(['+', '-']) {
                format!("{} {offset}", with_ticks(clock))
            } else {
                with_ticks(text)
            }
        }
        _ => text.to_owned(),
    }
}

fn with_ticks(clock: &str) -> String {
    let (seconds, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    format!("{seconds}.{}", &format!("{fraction:0<7}")[..7])
}

/// The part of a value for which the driver's own type has room.
fn held(driver: Driver, sql_type: &str, value: String) -> String {
    let python = matches!(driver, Driver::Odbc | Driver::Pymssql | Driver::Pytds);
    match (driver, base(sql_type)) {
        // An instant in UTC, without the offset.
        (Driver::Tedious, "datetimeoffset") => instant(&value),
        (_, "time" | "datetime2") if python => value[..value.len() - 1].to_owned(),
        (_, "datetimeoffset") if python => {
            let (clock, offset) = value.rsplit_once(' ').expect("an offset");
            format!("{} {offset}", &clock[..clock.len() - 1])
        }
        _ => value,
    }
}

/// Whether the driver makes a double of a decimal type.
fn is_double(driver: Driver, sql_type: &str) -> bool {
    match base(sql_type) {
        "money" | "smallmoney" => matches!(driver, Driver::Tedious | Driver::Tiberius),
        "decimal" | "numeric" => driver == Driver::Tedious,
        _ => false,
    }
}

fn instant(text: &str) -> String {
    let Some((clock, offset)) = text.rsplit_once(' ').filter(|(_, offset)| offset.starts_with(['+', '-']))
    else {
        return text.to_owned();
    };
    let (hours, minutes) = offset[1..].split_once(':').expect("hours and minutes");
    let minutes = hours.parse::<i64>().expect("hours") * 60 + minutes.parse::<i64>().expect("minutes");
    let minutes = if offset.starts_with('-') { -minutes } else { minutes };
    let local: chrono::NaiveDateTime = clock.replace(' ', "T").parse().expect("a moment");
    let utc = local - chrono::TimeDelta::minutes(minutes);
    utc.format("%Y-%m-%d %H:%M:%S%.9f").to_string()[..27].to_owned()
}

/// Bytes in hexadecimal.
pub(crate) fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that hexadecimal digits spell.
pub(crate) fn bytes_of(hex: &str) -> Vec<u8> {
    let byte = |pair| u8::from_str_radix(pair, 16).expect("hexadecimal digits");
    (0..hex.len()).step_by(2).map(|at| byte(&hex[at..at + 2])).collect()
}
