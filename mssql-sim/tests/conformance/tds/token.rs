//! Tokens of a reply (2.2.7) and how a line of an expected answer writes each.

use std::fmt;

use super::reader::Reader;
use super::type_info::TypeInfo;
use super::value;

/// One token, as far as a client can tell it from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Columns(Vec<Column>),
    Row(Vec<String>),
    Done(Done),
    /// An error, or a message of class 10 or less.
    Message(Message),
    Environment(Environment),
    ReturnStatus(i32),
    ReturnValue {
        column: Column,
        value: String,
    },
    Order(Vec<u16>),
    LoginAck(String),
}

/// A result's column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) type_name: String,
    pub(crate) flags: u16,
}

/// DONE, DONEPROC or DONEINPROC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    token: u8,
    pub(crate) status: u16,
    pub(crate) command: u16,
    pub(crate) rows: u64,
}

/// ENVCHANGE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Environment {
    text: String,
    /// The transaction now in force, 0 for none; None where the change is of something else.
    pub(super) transaction: Option<u64>,
}

/// ERROR or INFO.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) is_error: bool,
    pub(crate) number: i32,
    pub(crate) state: u8,
    pub(crate) class: u8,
    pub(crate) text: String,
    pub(crate) line: i32,
}

const MORE: u16 = 0x01;
const FAILED: u16 = 0x02;
const COUNTED: u16 = 0x10;
const ATTENTION: u16 = 0x20;

const NULLABLE: u16 = 0x01;
const UPDATABLE: u16 = 0x08;
const IDENTITY: u16 = 0x10;
const COMPUTED: u16 = 0x20;

/// Reads a whole message.
pub(super) fn read_all(message: &[u8]) -> Vec<Token> {
    let mut reader = Reader::new(message);
    let (mut tokens, mut columns) = (Vec::new(), Vec::new());
    while !reader.is_empty() {
        tokens.extend(read(&mut reader, &mut columns));
    }
    tokens
}

fn read(reader: &mut Reader<'_>, columns: &mut Vec<TypeInfo>) -> Option<Token> {
    let token = reader.u8();
    Some(match token {
        0x79 => Token::ReturnStatus(reader.i32()),
        0x81 => read_columns(reader, columns)?,
        0xA9 => {
            let count = usize::from(reader.u16() / 2);
            Token::Order((0..count).map(|_| reader.u16()).collect())
        }
        0xAA | 0xAB => Token::Message(read_message(reader, token == 0xAA)),
        0xAC => {
            reader.u16();
            let name = reader.short_text();
            reader.u8();
            let (column, info) = read_column(reader, Some(name));
            Token::ReturnValue { column, value: value::read(reader, &info) }
        }
        0xAD => {
            let length = usize::from(reader.u16());
            let mut body = reader.part(length);
            body.bytes(5);
            Token::LoginAck(body.short_text())
        }
        0xD1 => Token::Row(columns.iter().map(|info| value::read(reader, info)).collect()),
        0xD2 => {
            let nulls = reader.bytes(columns.len().div_ceil(8));
            let is_null = |index: usize| nulls[index / 8] >> (index % 8) & 1 == 1;
            let values = columns.iter().enumerate();
            let read = |(index, info)| if is_null(index) { "NULL".into() } else { value::read(reader, info) };
            Token::Row(values.map(read).collect())
        }
        0xE3 => Token::Environment(read_environment(reader)),
        0xFD..=0xFF => {
            Token::Done(Done { token, status: reader.u16(), command: reader.u16(), rows: reader.u64() })
        }
        _ => panic!("no token is {token:#04x}; behind it {:02X?}", reader.rest()),
    })
}

/// No token where the count says that there is no metadata.
fn read_columns(reader: &mut Reader<'_>, columns: &mut Vec<TypeInfo>) -> Option<Token> {
    let count = reader.u16();
    if count == 0xFFFF {
        return None;
    }
    let (described, types) = (0..count).map(|_| read_column(reader, None)).unzip();
    *columns = types;
    Some(Token::Columns(described))
}

/// A column, or a return value whose name came before.
fn read_column(reader: &mut Reader<'_>, name: Option<String>) -> (Column, TypeInfo) {
    reader.u32();
    let flags = reader.u16();
    let info = TypeInfo::read(reader);
    if info.has_pointer() && name.is_none() {
        let parts = reader.u8();
        (0..parts).for_each(|_| drop(reader.long_text()));
    }
    if name.is_none() {
        let nullable = flags & NULLABLE != 0;
        assert!(!(info.never_null() && nullable), "the token {:#04x} has no form for NULL", info.token);
    }
    let name = name.unwrap_or_else(|| reader.short_text());
    (Column { name, type_name: info.name(), flags }, info)
}

fn read_message(reader: &mut Reader<'_>, is_error: bool) -> Message {
    let length = usize::from(reader.u16());
    let mut body = reader.part(length);
    let (number, state, class) = (body.i32(), body.u8(), body.u8());
    let text = body.long_text();
    body.short_text();
    body.short_text();
    Message { is_error, number, state, class, text, line: body.i32() }
}

fn read_environment(reader: &mut Reader<'_>) -> Environment {
    let length = usize::from(reader.u16());
    let mut body = reader.part(length);
    let (text, transaction) = match body.u8() {
        1 => (format!("database {}", body.short_text()), None),
        2 => (format!("language {}", body.short_text()), None),
        4 => (format!("packet size {}", body.short_text()), None),
        7 => ("collation".into(), None),
        8 => {
            body.u8();
            ("begin".into(), Some(body.u64()))
        }
        9 => ("commit".into(), Some(0)),
        10 => ("rollback".into(), Some(0)),
        18 => ("reset".into(), None),
        other => (format!("type {other}"), None),
    };
    Environment { text, transaction }
}

impl Done {
    pub(super) fn is_last(&self) -> bool {
        self.status & MORE == 0
    }

    pub(super) fn acknowledges_attention(&self) -> bool {
        self.status & ATTENTION != 0
    }

    pub(crate) fn count(&self) -> Option<u64> {
        (self.status & COUNTED != 0).then_some(self.rows)
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.token {
            0xFD => "done",
            0xFE => "doneproc",
            _ => "doneinproc",
        };
        write!(f, "{kind} {}", command_name(self.command))?;
        if let Some(rows) = self.count() {
            write!(f, " {rows}")?;
        }
        if self.status & FAILED != 0 {
            write!(f, " failed")?;
        }
        if self.acknowledges_attention() {
            write!(f, " attention")?;
        }
        Ok(())
    }
}

/// Commands as answers of a real server carry them; others by number.
fn command_name(command: u16) -> String {
    let name = match command {
        0 => "-",
        183 => "identity-insert-on",
        184 => "identity-insert-off",
        185 => "set-on",
        186 => "set-off",
        189 => "set-rowcount",
        190 => "set-textsize",
        192 => "if",
        193 => "select",
        194 => "select-into",
        195 => "insert",
        196 => "delete",
        197 => "update",
        198 => "create-table",
        199 => "drop-table",
        200 => "create-index",
        201 => "drop-index",
        202 => "break",
        203 => "create-database",
        204 => "drop-database",
        207 => "create-view",
        208 => "drop-view",
        210 => "rollback",
        212 => "begin",
        213 => "commit",
        214 => "save",
        215 => "alter-database",
        216 => "alter-table",
        219 => "return",
        224 => "execute",
        226 => "use",
        234 => "truncate",
        243 => "waitfor",
        246 => "raiserror",
        247 => "print",
        249 => "set",
        253 => "none",
        279 => "merge",
        349 => "try",
        350 => "catch",
        351 => "end-catch",
        other => return other.to_string(),
    };
    name.into()
}

impl fmt::Display for Column {
    /// `name type`, a `?` behind a type that may be NULL, `identity`, `computed` or `updatable` behind it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "_" } else { &self.name };
        let null = if self.flags & NULLABLE != 0 { "?" } else { "" };
        write!(f, "{name} {}{null}", self.type_name)?;
        for (flag, word) in [(UPDATABLE, "updatable"), (IDENTITY, "identity"), (COMPUTED, "computed")] {
            if self.flags & flag != 0 {
                write!(f, " {word}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, state, class, text, line, .. } = self;
        let kind = if self.is_error { "error" } else { "info" };
        write!(f, "{kind} {number} class {class} state {state} line {line}: {text}")
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |items: Vec<String>| items.join(" | ");
        match self {
            Self::Columns(columns) => {
                write!(f, "columns {}", listed(columns.iter().map(Column::to_string).collect()))
            }
            Self::Row(values) => write!(f, "row {}", listed(values.clone())),
            Self::Done(done) => write!(f, "{done}"),
            Self::Message(message) => write!(f, "{message}"),
            Self::Environment(change) => write!(f, "env {}", change.text),
            Self::ReturnStatus(status) => write!(f, "status {status}"),
            Self::ReturnValue { column, value } => write!(f, "value {column} = {value}"),
            Self::Order(columns) => write!(f, "order {columns:?}"),
            Self::LoginAck(program) => write!(f, "loginack {program}"),
        }
    }
}
