//! Functions on text.

use super::arguments::{Arguments, any_null, int, length_type, longest, string, text_type, units, variable};
use super::{Body, Definition, Returns, Site};
use crate::engine::Interrupt;
use crate::exec::conversion::{Family, convert, declared_length, family, float_of, text_bytes};
use crate::exec::expression::like::Pattern;
use crate::types::{Length, SqlError, SqlType, Value};

const BLANK: u16 = 0x20;
/// Most units that a text without `max` can grow to.
const LONGEST: usize = 8000;

pub(super) fn definition(name: &str) -> Option<Definition> {
    let define = |count, rule, body: Body| Some(Definition { count, rule, body });
    match name {
        "LEN" => define(1..=1, measured, len),
        "DATALENGTH" => define(1..=1, any_measured, data_length),
        "LEFT" => define(2..=2, sliced, left),
        "RIGHT" => define(2..=2, sliced, right),
        "SUBSTRING" => define(3..=3, substring_rule, substring),
        "UPPER" => define(1..=1, same_text, |site, v| mapped(site, &v, |s| s.to_uppercase())),
        "LOWER" => define(1..=1, same_text, |site, v| mapped(site, &v, |s| s.to_lowercase())),
        "LTRIM" => define(1..=2, same_text, |_, v| Ok(trim(&v, true, false))),
        "RTRIM" => define(1..=2, same_text, |_, v| Ok(trim(&v, false, true))),
        "TRIM" => define(1..=2, same_text, |_, v| Ok(trim(&v, true, true))),
        "TRANSLATE" => define(3..=3, translate_rule, translate),
        "STRING_ESCAPE" => define(2..=2, escape_rule, escape),
        "REVERSE" => {
            define(1..=1, same_text, |_, v| Ok(map_units(&v[0], |u| u.iter().rev().copied().collect())))
        }
        "REPLACE" => define(3..=3, replace_rule, replace),
        "CHARINDEX" => define(2..=3, search_rule, char_index),
        "PATINDEX" => define(2..=2, search_rule, pat_index),
        "CONCAT" => define(2..=254, concat_rule, concat),
        "CONCAT_WS" => define(3..=254, concat_rule, concat_with_separator),
        "REPLICATE" => define(2..=2, grown, replicate),
        "SPACE" => define(1..=1, space_rule, space),
        "STUFF" => define(4..=4, stuff_rule, stuff),
        "STR" => define(1..=3, str_rule, str),
        "QUOTENAME" => define(1..=2, quote_rule, quote_name),
        "CHAR" => define(1..=1, char_rule, char_of),
        "NCHAR" => define(1..=1, nchar_rule, nchar_of),
        "ASCII" => define(1..=1, code_rule, ascii),
        "UNICODE" => define(1..=1, code_rule, unicode),
        _ => None,
    }
}

fn same_text(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    let sql_type = arguments.text(0)?;
    if arguments.len() > 1 {
        arguments.text(1)?;
    }
    Ok(Returns { sql_type: variable(sql_type), nullable: arguments.nullable(0) })
}

fn measured(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    if matches!(family(arguments.sql_type(0)), Family::Binary | Family::RowVersion) {
        return Ok(Returns::nullable(length_type(arguments.sql_type(0))));
    }
    arguments.text(0).map(|t| Returns::nullable(length_type(t)))
}

fn any_measured(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    Ok(Returns::nullable(length_type(arguments.sql_type(0))))
}

fn sliced(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    let sql_type = arguments.text(0)?;
    arguments.convert(1, SqlType::BigInt)?;
    Ok(Returns::nullable(variable(sql_type)))
}

fn substring_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    arguments.convert(1, SqlType::BigInt)?;
    arguments.convert(2, SqlType::BigInt)?;
    let sql_type = arguments.sql_type(0);
    if matches!(family(sql_type), Family::Binary | Family::RowVersion) {
        let length = declared_length(sql_type).unwrap_or(Length::Max);
        return Ok(Returns::nullable(SqlType::VarBinary(length)));
    }
    arguments.text(0).map(|t| Returns::nullable(variable(t)))
}

fn replace_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    let types = [arguments.text(0)?, arguments.text(1)?, arguments.text(2)?];
    Ok(Returns::nullable(text_type(&types, longest(&types))))
}

fn search_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    arguments.text(0)?;
    let sql_type = arguments.text(1)?;
    if arguments.len() == 3 {
        arguments.convert(2, SqlType::BigInt)?;
    }
    Ok(Returns::nullable(length_type(sql_type)))
}

/// As wide as all arguments together; never NULL.
fn concat_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    let mut types = Vec::new();
    let mut sum = Some(0u16);
    for position in 0..arguments.len() {
        let sql_type = arguments.text(position)?;
        sum = match (sum, declared_length(sql_type)) {
            (Some(sum), Some(Length::Limited(n))) => Some(sum.saturating_add(n)),
            _ => None,
        };
        types.push(sql_type);
    }
    let length = sum.map_or(Length::Max, |n| Length::Limited(n.max(1)));
    Ok(Returns::present(text_type(&types, length)))
}

fn grown(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    let types = [arguments.text(0)?];
    arguments.convert(1, SqlType::BigInt)?;
    Ok(Returns::nullable(text_type(&types, longest(&types))))
}

fn space_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    arguments.convert(0, SqlType::BigInt)?;
    Ok(Returns::nullable(SqlType::VarChar(Length::Limited(8000))))
}

fn stuff_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    let types = [arguments.text(0)?, arguments.text(3)?];
    arguments.convert(1, SqlType::BigInt)?;
    arguments.convert(2, SqlType::BigInt)?;
    Ok(Returns::nullable(text_type(&types, longest(&types))))
}

fn str_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    arguments.convert(0, SqlType::Float)?;
    (1..arguments.len()).try_for_each(|position| arguments.convert(position, SqlType::Int))?;
    Ok(Returns::nullable(SqlType::VarChar(Length::Limited(8000))))
}

fn quote_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    (0..arguments.len()).try_for_each(|position| arguments.text(position).map(|_| ()))?;
    Ok(Returns::nullable(SqlType::NVarChar(Length::Limited(258))))
}

fn char_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    arguments.convert(0, SqlType::Int)?;
    Ok(Returns::nullable(SqlType::Char(1)))
}

fn nchar_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    arguments.convert(0, SqlType::Int)?;
    Ok(Returns::nullable(SqlType::NChar(1)))
}

fn code_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    arguments.text(0)?;
    Ok(Returns::nullable(SqlType::Int))
}

fn map_units(value: &Value, map: impl FnOnce(&[u16]) -> Vec<u16>) -> Value {
    match value {
        Value::Text(units) => Value::Text(map(units)),
        _ => Value::Null,
    }
}

fn mapped(site: &Site<'_>, values: &[Value], map: fn(&str) -> String) -> Result<Value, Interrupt> {
    let text = map_units(&values[0], |u| map(&String::from_utf16_lossy(u)).encode_utf16().collect());
    fitted(text, site.result.sql_type)
}

/// A text cut to what the result's type holds.
fn fitted(value: Value, sql_type: SqlType) -> Result<Value, Interrupt> {
    Ok(convert(value, SqlType::NVarChar(Length::Max), sql_type, None)?)
}

/// Takes characters off a text's ends: blanks, or those of a second text.
fn trim(values: &[Value], front: bool, back: bool) -> Value {
    if any_null(values) {
        return Value::Null;
    }
    let characters = values.get(1).map_or(&[BLANK][..], units);
    map_units(&values[0], |units| {
        let outside = |u: &u16| characters.contains(u);
        let start = if front { units.iter().take_while(|u| outside(u)).count() } else { 0 };
        let kept = &units[start..];
        let end = if back { kept.iter().rev().take_while(|u| outside(u)).count() } else { 0 };
        kept[..kept.len() - end].to_vec()
    })
}

fn translate_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    let sql_type = arguments.text(0)?;
    (1..3).try_for_each(|position| arguments.text(position).map(|_| ()))?;
    Ok(Returns::nullable(variable(sql_type)))
}

/// Each character of the second text becomes the one in its place in the third.
fn translate(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    if any_null(&values) {
        return Ok(Value::Null);
    }
    let (wanted, substitutes) = (units(&values[1]), units(&values[2]));
    if wanted.len() != substitutes.len() {
        let message = "The second and third arguments of the TRANSLATE built-in function must contain an equal number of \
                       characters.";
        return Err(SqlError::statement(9828, message).into());
    }
    let collation = &site.result.collation.collation;
    let substitute = |unit: &u16| {
        let place = wanted.iter().position(|w| w == unit || collation.compare(&[*w], &[*unit]).is_eq());
        place.map_or(*unit, |place| substitutes[place])
    };
    fitted(Value::Text(units(&values[0]).iter().map(substitute).collect()), site.result.sql_type)
}

fn escape_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    arguments.text(0)?;
    match arguments.literal(1).as_deref() {
        Some("JSON") => Ok(Returns::nullable(SqlType::NVarChar(Length::Max))),
        _ => Err(SqlError::statement(13620, "The type argument of STRING_ESCAPE must be 'json'.")),
    }
}

/// STRING_ESCAPE(text, 'json')
fn escape(_: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    if values[0].is_null() {
        return Ok(Value::Null);
    }
    let mut escaped = String::new();
    for character in string(&values[0]).chars() {
        match character {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '/' => escaped.push_str("\\/"),
            '\u{8}' => escaped.push_str("\\b"),
            '\u{c}' => escaped.push_str("\\f"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            control if control < ' ' => escaped.push_str(&format!("\\u{:04x}", control as u32)),
            plain => escaped.push(plain),
        }
    }
    Ok(Value::text(&escaped))
}

fn len(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let whole_characters = site.call.arguments[0].collation.collation.is_supplementary();
    Ok(match &values[0] {
        Value::Text(units) => {
            let blanks = units.iter().rev().take_while(|u| **u == BLANK).count();
            let counted = &units[..units.len() - blanks];
            let length = if whole_characters {
                char::decode_utf16(counted.iter().copied()).count()
            } else {
                counted.len()
            };
            Value::Int(length as i64)
        }
        Value::Bytes(bytes) => Value::Int(bytes.len() as i64),
        _ => Value::Null,
    })
}

/// Bytes that a value takes.
fn data_length(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let measured = &site.call.arguments[0];
    let bytes = match &values[0] {
        Value::Null => return Ok(Value::Null),
        Value::Text(units) => {
            text_bytes(units, measured.sql_type, measured.collation.collation.code_page()).len()
        }
        Value::Bytes(bytes) => bytes.len(),
        other => {
            let mut wire = Vec::new();
            crate::wire::value::encode(other, &measured.described(), &mut wire);
            wire.len() - 1
        }
    };
    Ok(Value::Int(bytes as i64))
}

/// A length argument; a negative one is error 537 or 536, as the function has it.
fn length(value: &Value, function: &str) -> Result<usize, Interrupt> {
    usize::try_from(int(value)).map_err(|_| {
        let message = format!("Invalid length parameter passed to the {function} function.");
        SqlError { state: 3, ..SqlError::statement(537, message) }.into()
    })
}

fn left(_: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    if any_null(&values) {
        return Ok(Value::Null);
    }
    let length = length(&values[1], "LEFT or SUBSTRING")?;
    Ok(map_units(&values[0], |u| u[..length.min(u.len())].to_vec()))
}

fn right(_: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    if any_null(&values) {
        return Ok(Value::Null);
    }
    let length = length(&values[1], "RIGHT")?;
    Ok(map_units(&values[0], |u| u[u.len() - length.min(u.len())..].to_vec()))
}

/// Positions count from 1; what lies before the text takes from the length.
fn substring(_: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    if any_null(&values) {
        return Ok(Value::Null);
    }
    let length = length(&values[2], "LEFT or SUBSTRING")? as i64;
    let start = int(&values[1]);
    let end = start.saturating_add(length).max(1);
    let slice = |len: usize| {
        let clamp = |n: i64| usize::try_from(n - 1).unwrap_or(0).min(len);
        let from = clamp(start.max(1));
        from..clamp(end).max(from)
    };
    Ok(match &values[0] {
        Value::Bytes(bytes) => Value::Bytes(bytes[slice(bytes.len())].to_vec()),
        other => map_units(other, |u| u[slice(u.len())].to_vec()),
    })
}

/// The first place at or after `from` where `wanted` stands in `text`, by the call's collation.
fn find(site: &Site<'_>, text: &[u16], wanted: &[u16], from: usize) -> Option<usize> {
    let collation = &site.result.collation.collation;
    if wanted.is_empty() || wanted.len() > text.len() {
        return None;
    }
    let same = |a: &[u16], b: &[u16]| {
        a.iter().zip(b).all(|(x, y)| x == y || collation.compare(&[*x], &[*y]).is_eq())
    };
    (from..=text.len() - wanted.len()).find(|start| same(&text[*start..*start + wanted.len()], wanted))
}

fn replace(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    if any_null(&values) {
        return Ok(Value::Null);
    }
    let (text, wanted, substitute) = (units(&values[0]), units(&values[1]), units(&values[2]));
    let (mut result, mut position) = (Vec::new(), 0);
    while let Some(found) = find(site, text, wanted, position) {
        result.extend_from_slice(&text[position..found]);
        result.extend_from_slice(substitute);
        position = found + wanted.len();
    }
    result.extend_from_slice(&text[position..]);
    fitted(Value::Text(result), site.result.sql_type)
}

fn char_index(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    if any_null(&values) {
        return Ok(Value::Null);
    }
    let from = values.get(2).map_or(0, |v| usize::try_from(int(v) - 1).unwrap_or(0));
    let found = find(site, units(&values[1]), units(&values[0]), from);
    Ok(Value::Int(found.map_or(0, |start| start as i64 + 1)))
}

/// The first place from which the rest of the text matches; the pattern's own `%` says what may stand around it.
fn pat_index(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    if any_null(&values) {
        return Ok(Value::Null);
    }
    let (pattern, text) = (units(&values[0]), units(&values[1]));
    let percent = u16::from(b'%');
    let floating = pattern.first() == Some(&percent);
    let inner = if floating { &pattern[1..] } else { pattern };
    let pattern = Pattern::new(inner, None, &site.result.collation.collation);
    let last = if floating { text.len() } else { 0 };
    let found = (0..=last).find(|start| pattern.matches(&text[*start..], false));
    Ok(Value::Int(found.map_or(0, |start| start as i64 + 1)))
}

fn concat(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let joined = values.iter().flat_map(units).copied().collect();
    fitted(Value::Text(joined), site.result.sql_type)
}

/// CONCAT_WS: the first argument stands between the others that are not NULL.
fn concat_with_separator(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let parts: Vec<&[u16]> = values[1..].iter().filter(|v| !v.is_null()).map(units).collect();
    fitted(Value::Text(parts.join(units(&values[0]))), site.result.sql_type)
}

fn replicate(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    if any_null(&values) || int(&values[1]) < 0 {
        return Ok(Value::Null);
    }
    let text = units(&values[0]);
    let limit = match declared_length(site.result.sql_type) {
        Some(Length::Limited(n)) => usize::from(n),
        _ => usize::MAX,
    };
    let wanted = usize::try_from(int(&values[1])).unwrap_or(usize::MAX).saturating_mul(text.len()).min(limit);
    Ok(Value::Text(text.iter().copied().cycle().take(wanted).collect()))
}

fn space(_: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    Ok(match usize::try_from(int(&values[0])) {
        Ok(count) if !values[0].is_null() => Value::Text(vec![BLANK; count.min(LONGEST)]),
        _ => Value::Null,
    })
}

fn stuff(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let (start, length) = (int(&values[1]), int(&values[2]));
    let text = units(&values[0]);
    if any_null(&values[..3]) || start < 1 || length < 0 || start as usize > text.len() {
        return Ok(Value::Null);
    }
    let from = start as usize - 1;
    let to = from.saturating_add(length as usize).min(text.len());
    fitted(Value::Text([&text[..from], units(&values[3]), &text[to..]].concat()), site.result.sql_type)
}

/// STR(number, width 10, digits 0): right-aligned, stars where it does not fit.
fn str(_: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    if any_null(&values) {
        return Ok(Value::Null);
    }
    let width = values.get(1).map_or(10, |v| usize::try_from(int(v)).unwrap_or(0));
    let digits = values.get(2).map_or(0, |v| usize::try_from(int(v)).unwrap_or(0).min(16));
    let number = float_of(&values[0]).unwrap_or(0.0);
    let whole = format!("{:.0}", number.trunc());
    if whole.len() > width {
        return Ok(Value::text(&"*".repeat(width)));
    }
    // Digits behind the point give way to the width.
    let room = (width - whole.len()).saturating_sub(1);
    Ok(Value::text(&format!("{number:>width$.*}", digits.min(room))))
}

fn quote_name(_: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let name = string(&values[0]);
    let quote = values.get(1).map_or("[".to_owned(), string);
    if any_null(&values) || name.encode_utf16().count() > 128 {
        return Ok(Value::Null);
    }
    let (open, close) = match quote.as_str() {
        "[" | "]" | "" => ('[', ']'),
        "\"" => ('"', '"'),
        "'" => ('\'', '\''),
        "(" | ")" => ('(', ')'),
        "{" | "}" => ('{', '}'),
        "<" | ">" => ('<', '>'),
        _ => return Ok(Value::Null),
    };
    let doubled = name.replace(close, &format!("{close}{close}"));
    Ok(Value::text(&format!("{open}{doubled}{close}")))
}

fn char_of(_: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let Ok(byte) = u8::try_from(int(&values[0])) else { return Ok(Value::Null) };
    if values[0].is_null() {
        return Ok(Value::Null);
    }
    Ok(convert(Value::Bytes(vec![byte]), SqlType::Binary(1), SqlType::VarChar(Length::Limited(1)), None)?)
}

fn nchar_of(_: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    Ok(match u16::try_from(int(&values[0])) {
        Ok(unit) if !values[0].is_null() => Value::Text(vec![unit]),
        _ => Value::Null,
    })
}

fn ascii(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let first = units(&values[0]).iter().take(1).copied().collect::<Vec<_>>();
    let code_page = site.call.arguments[0].collation.collation.code_page();
    let bytes = text_bytes(&first, SqlType::VarChar(Length::Max), code_page);
    Ok(bytes.first().map_or(Value::Null, |b| Value::Int(i64::from(*b))))
}

fn unicode(_: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    Ok(units(&values[0]).first().map_or(Value::Null, |u| Value::Int(i64::from(*u))))
}
