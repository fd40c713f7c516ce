//! HASHBYTES and CHECKSUM.
//!
//! CHECKSUM's bits are not those of SQL Server, which are not documented; only its equality is: equal values have equal
//! checksums, whatever the case of text and the scale of decimals.

use sha2::{Digest, Sha256, Sha512};

use super::arguments::{Arguments, any_null};
use super::{Body, Definition, Returns, Site};
use crate::engine::Interrupt;
use crate::exec::conversion::{Family, exact_parts, family, text_bytes};
use crate::exec::expression::Scalar;
use crate::types::{Length, SqlError, SqlType, Value};

pub(super) fn definition(name: &str) -> Option<Definition> {
    let define = |count, rule, body: Body| Some(Definition { count, rule, body });
    match name {
        "HASHBYTES" => define(2..=2, hash_rule, hash_bytes),
        "CHECKSUM" => define(1..=1024, |_| Ok(Returns::present(SqlType::Int)), checksum),
        "BINARY_CHECKSUM" => define(1..=1024, |_| Ok(Returns::present(SqlType::Int)), binary_checksum),
        _ => None,
    }
}

fn hash_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    match arguments.literal(0).as_deref() {
        Some("SHA2_256" | "SHA2_512") | None => {}
        Some(algorithm) => return Err(SqlError::unsupported(format_args!("HASHBYTES('{algorithm}')"))),
    }
    if !matches!(family(arguments.sql_type(1)), Family::Binary | Family::RowVersion) {
        arguments.text(1)?;
    }
    Ok(Returns::nullable(SqlType::VarBinary(Length::Limited(8000))))
}

/// The hash of the stored bytes, so that `varchar` and `nvarchar` differ.
fn hash_bytes(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    if any_null(&values) {
        return Ok(Value::Null);
    }
    let bytes = match &values[1] {
        Value::Text(units) => {
            let text = &site.call.arguments[1];
            text_bytes(units, text.sql_type, text.collation.collation.code_page())
        }
        Value::Bytes(bytes) => bytes.clone(),
        _ => return Ok(Value::Null),
    };
    Ok(match super::arguments::string(&values[0]).to_uppercase().as_str() {
        "SHA2_256" => Value::Bytes(Sha256::digest(bytes).to_vec()),
        "SHA2_512" => Value::Bytes(Sha512::digest(bytes).to_vec()),
        _ => Value::Null,
    })
}

/// FNV-1a of 32 bits.
fn mix(hash: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(16_777_619))
}

const START: u32 = 2_166_136_261;

fn folded(values: &[Value], scalars: &[Scalar], bytes: fn(&Value, &Scalar) -> Vec<u8>) -> Value {
    let hash =
        values.iter().zip(scalars).fold(START, |hash, (value, scalar)| mix(hash, &bytes(value, scalar)));
    Value::Int(i64::from(hash as i32))
}

fn checksum(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    Ok(folded(&values, &site.call.arguments, comparable_bytes))
}

fn binary_checksum(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    Ok(folded(&values, &site.call.arguments, |value, scalar| {
        let mut bytes = Vec::new();
        crate::wire::value::encode(value, &scalar.described(), &mut bytes);
        bytes
    }))
}

/// Bytes that are the same for equal values.
fn comparable_bytes(value: &Value, scalar: &Scalar) -> Vec<u8> {
    let mut bytes = Vec::new();
    match value {
        Value::Text(units) => scalar.collation.collation.sort_key(units, &mut bytes),
        exact => match exact_parts(exact) {
            Some((mut unscaled, mut scale)) => {
                while scale > 0 && unscaled % 10 == 0 {
                    (unscaled, scale) = (unscaled / 10, scale - 1);
                }
                bytes.extend_from_slice(&unscaled.to_le_bytes());
                bytes.push(scale);
            }
            None => crate::wire::value::encode(exact, &scalar.described(), &mut bytes),
        },
    }
    bytes
}
