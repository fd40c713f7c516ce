//! Procedure calls (2.2.6.6).

use super::type_info::TypeInfo;
use super::{ArgumentFault, ProtocolError, reader::Reader};
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
        let number = arguments.len() + 1;
        let (sql_type, value) = read_typed(reader).map_err(|error| error.of_argument(number, &name))?;
        arguments.push(Argument { name, output: status & 1 != 0, sql_type, value });
    }
    Ok(Call { procedure, arguments })
}

/// Reads an argument's TYPE_INFO and its value. The type is what the client declared on the wire; a procedure's own
/// declaration may ask for another.
fn read_typed(reader: &mut Reader<'_>) -> Result<(SqlType, Value), Fault> {
    let token = reader.peek().unwrap_or_default();
    let info = TypeInfo::read(reader).map_err(|error| Fault(error, ArgumentFault::Type(token)))?;
    let value = info.read_value(reader);
    let value = value.map_err(|error| Fault(error, ArgumentFault::Value(info.sql_type)))?;
    Ok((info.sql_type, value))
}

/// An error at an argument, and what is wrong if it is not that the message ends.
struct Fault(ProtocolError, ArgumentFault);

impl Fault {
    fn of_argument(self, number: usize, name: &str) -> ProtocolError {
        match self.0 {
            ProtocolError::Invalid { .. } => {
                ProtocolError::Argument { number, name: name.to_owned(), fault: self.1 }
            }
            other => other,
        }
    }
}

fn well_known(number: u16) -> Result<&'static str, ProtocolError> {
    Ok(match number {
        1 => "sp_cursor",
        2 => "sp_cursoropen",
        3 => "sp_cursorprepare",
        4 => "sp_cursorexecute",
        5 => "sp_cursorprepexec",
        6 => "sp_cursorunprepare",
        7 => "sp_cursorfetch",
        8 => "sp_cursoroption",
        9 => "sp_cursorclose",
        10 => "sp_executesql",
        11 => "sp_prepare",
        12 => "sp_execute",
        13 => "sp_prepexec",
        14 => "sp_prepexecrpc",
        15 => "sp_unprepare",
        other => return Err(ProtocolError::Unsupported(format!("procedure number {other}"))),
    })
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    /// `sp_executesql N'S', N'@a int', @a = 7`, called by number, the text as nvarchar(8), then as ntext.
    fn calls() -> Vec<u8> {
        let text = |s: &str| s.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let nvarchar = |s: &str| {
            let bytes = text(s);
            let length = u16::try_from(bytes.len()).unwrap().to_le_bytes();
            [&[0, 0, 0xE7, 16, 0, 9, 4, 0xD0, 0, 0x34], length.as_slice(), &bytes].concat()
        };
        let ntext =
            [&[0, 0, 0x63, 2, 0, 0, 0, 9, 4, 0xD0, 0, 0x34, 2, 0, 0, 0], text("S").as_slice()].concat();
        let named = [&[2], text("@a").as_slice(), &[1, 0x26, 4, 4, 7, 0, 0, 0]].concat();
        let by_number = [0xFF, 0xFF, 10, 0, 0, 0];
        let first = [&by_number, nvarchar("S").as_slice(), &nvarchar("@a int"), &named].concat();
        let name = [&[13, 0], text("sp_executesql").as_slice(), &[0, 0]].concat();
        [first, vec![0xFF], name, ntext].concat()
    }

    #[test]
    fn arguments_keep_name_direction_type_and_value() {
        let calls = read(&mut Reader::new(&calls())).unwrap();
        assert_eq!(calls.len(), 2);
        assert!(calls.iter().all(|call| call.procedure == "sp_executesql"));
        let arguments = &calls[0].arguments;
        assert_eq!(arguments[0].value, Value::text("S"));
        let last = &arguments[2];
        assert_eq!((last.name.as_str(), last.output), ("@a", true));
        assert_eq!((last.sql_type, &last.value), (SqlType::Int, &Value::Int(7)));
        assert_eq!(calls[1].arguments[0].value, Value::text("S"));
    }

    #[test]
    fn a_damaged_call_is_refused_or_read_and_never_a_panic() {
        let seed = rand::random();
        println!("seed {seed}");
        let mut random = StdRng::seed_from_u64(seed);
        for _ in 0..20_000 {
            let mut damaged = calls();
            for _ in 0..random.random_range(1..4) {
                let position = random.random_range(0..damaged.len());
                damaged[position] = random.random();
            }
            drop(read(&mut Reader::new(&damaged)));
        }
    }

    #[test]
    fn a_call_that_breaks_off_is_refused_wherever_it_does() {
        let whole = calls();
        for length in 0..whole.len() {
            let cut = &whole[..length];
            // A cut between two arguments or calls leaves a message that is whole in itself.
            if let Ok(calls) = read(&mut Reader::new(cut)) {
                assert!(calls.iter().map(|call| call.arguments.len()).sum::<usize>() < 4);
            }
        }
    }
}
