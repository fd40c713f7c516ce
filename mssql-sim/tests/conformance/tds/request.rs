//! Requests (2.2.6): a batch, a call, a transaction's begin and end.

/// A request's packet type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Batch = 0x01,
    Call = 0x03,
    Attention = 0x06,
    Transaction = 0x0E,
    Login = 0x10,
    Prelogin = 0x12,
}

/// What a call's parameter carries.
#[derive(Clone, Debug)]
pub(crate) enum Argument {
    /// `nvarchar`
    Text(String),
    /// `int`, NULL if there is none
    Int(Option<i32>),
}

/// A call's parameter.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    /// With its `@`; empty for a parameter by position.
    pub(crate) name: String,
    pub(crate) argument: Argument,
    pub(crate) output: bool,
}

impl Parameter {
    /// A text by position.
    pub(crate) fn text(text: &str) -> Self {
        Self { name: String::new(), argument: Argument::Text(text.into()), output: false }
    }
}

/// ALL_HEADERS with the transaction descriptor.
pub(super) fn headers(descriptor: u64) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(22_u32.to_le_bytes());
    out.extend(18_u32.to_le_bytes());
    out.extend(2_u16.to_le_bytes());
    out.extend(descriptor.to_le_bytes());
    out.extend(1_u32.to_le_bytes());
    out
}

/// A batch's body behind its headers.
pub(super) fn batch(sql: &str, out: &mut Vec<u8>) {
    out.extend(sql.encode_utf16().flat_map(u16::to_le_bytes));
}

/// A call by name, behind its headers.
pub(super) fn call(procedure: &str, parameters: &[Parameter], out: &mut Vec<u8>) {
    let units: Vec<u16> = procedure.encode_utf16().collect();
    out.extend(u16::try_from(units.len()).expect("a name is short").to_le_bytes());
    out.extend(units.into_iter().flat_map(u16::to_le_bytes));
    out.extend([0; 2]); // option flags
    for parameter in parameters {
        short_text(&parameter.name, out);
        out.push(u8::from(parameter.output));
        match &parameter.argument {
            Argument::Text(text) => {
                const COLLATION: [u8; 5] = [0x09, 0x04, 0xD0, 0x00, 0x34];
                let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                out.push(0xE7);
                out.extend(8000_u16.to_le_bytes());
                out.extend(COLLATION);
                out.extend(u16::try_from(bytes.len()).expect("a parameter is short").to_le_bytes());
                out.extend(bytes);
            }
            Argument::Int(value) => {
                out.extend([0x26, 4]);
                match value {
                    Some(value) => {
                        out.push(4);
                        out.extend(value.to_le_bytes());
                    }
                    None => out.push(0),
                }
            }
        }
    }
}

/// A transaction manager's request (2.2.6.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransactionRequest {
    /// At the session's isolation level.
    Begin,
    Commit,
    Rollback,
    /// `SAVE TRANSACTION s`
    Save,
}

/// Its body behind its headers.
pub(super) fn transaction(request: TransactionRequest, out: &mut Vec<u8>) {
    match request {
        TransactionRequest::Begin => out.extend([5, 0, 0, 0]),
        TransactionRequest::Commit => out.extend([7, 0, 0, 0]),
        TransactionRequest::Rollback => out.extend([8, 0, 0, 0]),
        TransactionRequest::Save => out.extend([9, 0, 2, b's', 0]),
    }
}

fn short_text(text: &str, out: &mut Vec<u8>) {
    let units: Vec<u16> = text.encode_utf16().collect();
    out.push(u8::try_from(units.len()).expect("a name is short"));
    out.extend(units.into_iter().flat_map(u16::to_le_bytes));
}
