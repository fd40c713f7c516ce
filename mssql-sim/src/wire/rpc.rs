//! Procedure calls (2.2.6.6).

use super::{ProtocolError, reader::Reader, type_info};
use crate::types::{SqlType, Value};

const BY_NUMBER: u16 = 0xFFFF;
/// Between two calls of one message.
const SEPARATORS: [u8; 3] = [0x80, 0xFF, 0xFE];

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Name as the client gave it; well-known procedures called by number get their name.
    pub procedure: String,
    /// Arguments in order.
    pub arguments: Vec<Argument>,
}

/// One argument.
#[derive(Clone, Debug)]
pub struct Argument {
    /// Name with its `@`; empty when passed by position.
    pub name: String,
    /// Whether the caller wants its value back.
    pub output: bool,
    /// Type on the wire.
    pub sql_type: SqlType,
    /// Value.
    pub value: Value,
}

/// Reads the calls of a message.
pub fn read(reader: &mut Reader<'_>) -> Result<Vec<Call>, ProtocolError> {
    let mut calls = Vec::new();
    loop {
        calls.push(read_call(reader)?);
        match reader.peek() {
            Some(_) => reader.u8("call separator")?,
            None => return Ok(calls),
        };
    }
}

fn read_call(reader: &mut Reader<'_>) -> Result<Call, ProtocolError> {
    let procedure = match reader.u16("procedure name")? {
        BY_NUMBER => well_known(reader.u16("procedure number")?)?.to_owned(),
        units => reader.text(usize::from(units), "procedure name")?,
    };
    reader.u16("call options")?;
    let mut arguments = Vec::new();
    while reader.peek().is_some_and(|byte| !SEPARATORS.contains(&byte)) {
        let name = reader.short_text("argument name")?;
        let status = reader.u8("argument status")?;
        let (sql_type, value) = type_info::read_parameter(reader)?;
        arguments.push(Argument { name, output: status & 1 != 0, sql_type, value });
    }
    Ok(Call { procedure, arguments })
}

fn well_known(number: u16) -> Result<&'static str, ProtocolError> {
    Ok(match number {
        10 => "sp_executesql",
        11 => "sp_prepare",
        12 => "sp_execute",
        13 => "sp_prepexec",
        15 => "sp_unprepare",
        other => return Err(ProtocolError::Unsupported(format!("procedure number {other}"))),
    })
}
