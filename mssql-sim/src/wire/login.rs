//! LOGIN7 (2.2.6.4) and the tokens that answer it.

use super::{ProtocolError, packet::DEFAULT_PACKET_SIZE, reader::Reader, reader::utf16, token};
use crate::collation::Collation;
use crate::types::SqlError;

/// Major, minor and build as LOGINACK carries them: 16.0.1000, SQL Server 2022.
pub const SERVER_VERSION: [u8; 4] = [16, 0, 0x03, 0xE8];
/// What LOGINACK calls the server, with the two units of nothing that real servers send.
pub const SERVER_NAME: &str = "Microsoft SQL Server\0\0";
const FIXED_PART: usize = 36;
const PACKET_SIZES: std::ops::RangeInclusive<usize> = 512..=32767;

/// What a client says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Client machine.
    pub host: String,
    /// Login name.
    pub user: String,
    /// Password, in clear.
    pub password: String,
    /// Program.
    pub program: String,
    /// Database, empty for the login's default.
    pub database: String,
    /// Packet size that the client wants, made legal.
    pub packet_size: usize,
}

/// Reads a LOGIN7 message.
pub fn read(body: &[u8]) -> Result<Login, ProtocolError> {
    let mut fixed = Reader::new(body);
    fixed.bytes(8, "LOGIN7 length and version")?;
    let packet_size = match fixed.u32("LOGIN7 packet size")? as usize {
        0 => DEFAULT_PACKET_SIZE,
        asked => asked.clamp(*PACKET_SIZES.start(), *PACKET_SIZES.end()),
    };
    let text = |pair: usize, field| field_text(body, pair, field);
    Ok(Login {
        host: text(0, "LOGIN7 host name")?,
        user: text(1, "LOGIN7 user name")?,
        password: utf16(&clear_password(field_bytes(body, 2, "LOGIN7 password")?), "LOGIN7 password")?,
        program: text(3, "LOGIN7 program name")?,
        database: text(8, "LOGIN7 database")?,
        packet_size,
    })
}

fn field_text(body: &[u8], pair: usize, field: &'static str) -> Result<String, ProtocolError> {
    utf16(field_bytes(body, pair, field)?, field)
}

/// The bytes that offset/length pair number `pair` points at; lengths are in UTF-16 units.
fn field_bytes<'a>(body: &'a [u8], pair: usize, field: &'static str) -> Result<&'a [u8], ProtocolError> {
    let truncated = ProtocolError::Truncated { field };
    let Some(pairs) = body.get(FIXED_PART + 4 * pair..) else { return Err(truncated) };
    let mut pairs = Reader::new(pairs);
    let (offset, units) = (usize::from(pairs.u16(field)?), usize::from(pairs.u16(field)?));
    body.get(offset..offset + 2 * units).ok_or(truncated)
}

/// The client swaps each byte's nibbles and flips 0xA5.
fn clear_password(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| (byte ^ 0xA5).rotate_left(4)).collect()
}

/// Appends the tokens that accept a login.
pub fn accept(login: &Login, database: &str, server: &str, out: &mut Vec<u8>) {
    token::environment_text(token::ENV_DATABASE, database, "master", out);
    token::message(&token::database_changed(database), server, out);
    token::environment_text(token::ENV_LANGUAGE, "us_english", "", out);
    let language =
        SqlError { class: 0, ..SqlError::statement(5703, "Changed language setting to us_english.") };
    token::message(&language, server, out);
    token::environment_bytes(token::ENV_COLLATION, &Collation::DEFAULT.wire_bytes(), &[], out);
    token::login_ack(SERVER_NAME, SERVER_VERSION, out);
    let (new, old) = (login.packet_size.to_string(), DEFAULT_PACKET_SIZE.to_string());
    token::environment_text(token::ENV_PACKET_SIZE, &new, &old, out);
}
