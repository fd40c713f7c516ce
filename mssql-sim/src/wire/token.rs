//! Tokens of a reply (2.2.7), each appended to a buffer.

use super::{type_info, value};
use crate::types::{ColumnMeta, Origin, SqlError, SqlType, Value};

/// ENVCHANGE: database.
pub const ENV_DATABASE: u8 = 1;
/// ENVCHANGE: language.
pub const ENV_LANGUAGE: u8 = 2;
/// ENVCHANGE: packet size, in decimal.
pub const ENV_PACKET_SIZE: u8 = 4;
/// ENVCHANGE: collation.
pub const ENV_COLLATION: u8 = 7;
/// ENVCHANGE: transaction began.
pub const ENV_BEGIN: u8 = 8;
/// ENVCHANGE: transaction committed.
pub const ENV_COMMIT: u8 = 9;
/// ENVCHANGE: transaction rolled back.
pub const ENV_ROLLBACK: u8 = 10;
/// ENVCHANGE: the session was reset.
pub const ENV_RESET: u8 = 18;

const RETURN_STATUS: u8 = 0x79;
const COLMETADATA: u8 = 0x81;
const ERROR: u8 = 0xAA;
const INFO: u8 = 0xAB;
const RETURN_VALUE: u8 = 0xAC;
const LOGIN_ACK: u8 = 0xAD;
const ORDER: u8 = 0xA9;
const ROW: u8 = 0xD1;
const NBC_ROW: u8 = 0xD2;
const ENV_CHANGE: u8 = 0xE3;
const ROWVERSION_USER_TYPE: u32 = 0x50;
/// TDS 7.4 in LOGINACK, big-endian unlike everything else.
const TDS_VERSION: [u8; 4] = [0x74, 0, 0, 4];

/// Highest class that is a message and not an error.
pub const HIGHEST_INFO_CLASS: u8 = 10;

/// UTF-16 units of a message that the server sends.
const LONGEST_MESSAGE: usize = 2047;

/// The three DONE tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoneKind {
    /// A statement of a batch.
    Done = 0xFD,
    /// A procedure.
    Procedure = 0xFE,
    /// A statement inside a procedure.
    InProcedure = 0xFF,
}

/// A DONE token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Which one.
    pub kind: DoneKind,
    /// `CurCmd`.
    pub command: u16,
    /// More of the reply follows.
    pub more: bool,
    /// The statement failed.
    pub error: bool,
    /// The reply to an attention.
    pub attention: bool,
    /// Row count, if there is one.
    pub rows: Option<u64>,
}

impl Done {
    /// A statement's end with nothing to say.
    pub fn plain(kind: DoneKind) -> Self {
        Self { kind, command: 0, more: false, error: false, attention: false, rows: None }
    }

    /// Appends the token.
    pub fn write(&self, out: &mut Vec<u8>) {
        let flag = |set: bool, bit: u16| if set { bit } else { 0 };
        let status = flag(self.more, 0x01)
            | flag(self.error, 0x02)
            | flag(self.rows.is_some(), 0x10)
            | flag(self.attention, 0x20);
        out.push(self.kind as u8);
        out.extend_from_slice(&status.to_le_bytes());
        out.extend_from_slice(&self.command.to_le_bytes());
        out.extend_from_slice(&self.rows.unwrap_or(0).to_le_bytes());
    }
}

/// COLMETADATA.
pub fn columns(columns: &[ColumnMeta], out: &mut Vec<u8>) {
    out.push(COLMETADATA);
    let count = u16::try_from(columns.len()).expect("a result has at most 4096 columns");
    out.extend_from_slice(&count.to_le_bytes());
    for column in columns {
        let user_type = if column.sql_type == SqlType::RowVersion { ROWVERSION_USER_TYPE } else { 0 };
        out.extend_from_slice(&user_type.to_le_bytes());
        out.extend_from_slice(&column_flags(column).to_le_bytes());
        type_info::write(column, out);
        if matches!(column.sql_type, SqlType::Text | SqlType::NText | SqlType::Image) {
            // TableName: no parts, as for an expression.
            out.push(0);
        }
        short_text(&column.name, out);
    }
}

/// ORDER: positions of columns.
pub fn order(columns: &[u16], out: &mut Vec<u8>) {
    out.push(ORDER);
    let length = u16::try_from(2 * columns.len()).expect("a result has at most 4096 columns");
    out.extend_from_slice(&length.to_le_bytes());
    columns.iter().for_each(|column| out.extend_from_slice(&column.to_le_bytes()));
}

fn column_flags(column: &ColumnMeta) -> u16 {
    let origin = match column.origin {
        Origin::Stored => 0x08,
        Origin::Identity => 0x10,
        Origin::Computed => 0x20,
        Origin::Derived => 0,
    };
    origin | u16::from(column.nullable)
}

/// ROW: the row form as it is.
pub fn row(row: &[u8], out: &mut Vec<u8>) {
    out.push(ROW);
    out.extend_from_slice(row);
}

/// NBCROW: a bitmap of the NULLs, then the row form of the others.
pub fn null_compressed_row(row: &[u8], columns: &[ColumnMeta], out: &mut Vec<u8>) {
    out.push(NBC_ROW);
    let bitmap = out.len();
    out.resize(bitmap + columns.len().div_ceil(8), 0);
    let mut rest = row;
    for (index, column) in columns.iter().enumerate() {
        let bytes = value::take(&mut rest, column);
        if value::is_null(bytes, column) {
            out[bitmap + index / 8] |= 1 << (index % 8);
        } else {
            out.extend_from_slice(bytes);
        }
    }
}

/// ERROR, or INFO for classes that are messages.
pub fn message(error: &SqlError, server: &str, out: &mut Vec<u8>) {
    let kind = if error.class <= HIGHEST_INFO_CLASS { INFO } else { ERROR };
    with_length(kind, out, |out| {
        out.extend_from_slice(&error.number.to_le_bytes());
        // A message of severity 10 travels as class 0.
        out.extend_from_slice(&[
            error.state,
            if error.class == HIGHEST_INFO_CLASS { 0 } else { error.class },
        ]);
        let units: Vec<u16> = error.message.encode_utf16().take(LONGEST_MESSAGE).collect();
        out.extend_from_slice(&u16::try_from(units.len()).expect("just cut").to_le_bytes());
        out.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        short_text(server, out);
        short_text("", out);
        out.extend_from_slice(&error.line.to_le_bytes());
    });
}

/// The message that goes with a change of the current database.
pub fn database_changed(database: &str) -> SqlError {
    let message = format!("Changed database context to '{database}'.");
    SqlError { class: 0, state: 2, ..SqlError::statement(5701, message) }
}

/// ENVCHANGE of a text.
pub fn environment_text(kind: u8, new: &str, old: &str, out: &mut Vec<u8>) {
    with_length(ENV_CHANGE, out, |out| {
        out.push(kind);
        short_text(new, out);
        short_text(old, out);
    });
}

/// ENVCHANGE of bytes.
pub fn environment_bytes(kind: u8, new: &[u8], old: &[u8], out: &mut Vec<u8>) {
    with_length(ENV_CHANGE, out, |out| {
        out.push(kind);
        for bytes in [new, old] {
            out.push(u8::try_from(bytes.len()).expect("these values are short"));
            out.extend_from_slice(bytes);
        }
    });
}

/// LOGINACK.
pub fn login_ack(program: &str, version: [u8; 4], out: &mut Vec<u8>) {
    with_length(LOGIN_ACK, out, |out| {
        out.push(1);
        out.extend_from_slice(&TDS_VERSION);
        short_text(program, out);
        out.extend_from_slice(&version);
    });
}

/// RETURNSTATUS.
pub fn return_status(status: i32, out: &mut Vec<u8>) {
    out.push(RETURN_STATUS);
    out.extend_from_slice(&status.to_le_bytes());
}

/// RETURNVALUE of an output parameter.
pub fn return_value(ordinal: u16, column: &ColumnMeta, value: &Value, out: &mut Vec<u8>) {
    out.push(RETURN_VALUE);
    out.extend_from_slice(&ordinal.to_le_bytes());
    short_text(&column.name, out);
    out.push(1);
    out.extend_from_slice(&0u32.to_le_bytes());
    out.extend_from_slice(&1u16.to_le_bytes());
    type_info::write(column, out);
    value::encode(value, column, out);
}

fn with_length(kind: u8, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&[kind, 0, 0]);
    let start = out.len();
    write(out);
    let length = u16::try_from(out.len() - start).expect("such tokens are short");
    out[start - 2..start].copy_from_slice(&length.to_le_bytes());
}

fn short_text(text: &str, out: &mut Vec<u8>) {
    let units: Vec<u16> = text.encode_utf16().collect();
    out.push(u8::try_from(units.len()).expect("names have at most 128 units"));
    out.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
}
