//! Rows of a bulk load (2.2.6.1): COLMETADATA, ROW after ROW, DONE, as if the client were the server. Some clients leave
//! the DONE out.
//!
//! A bulk load is one message that may be larger than memory, so it is taken packet by packet: [`RowDecoder`] is fed
//! with packets and gives the rows that are complete. A row that is not complete yet is tried again from its beginning,
//! but only once the bytes have grown by half, so that a long value costs no more than a few readings.

use super::ProtocolError;
use super::reader::Reader;
use super::type_info::TypeInfo;
use crate::types::Value;

const COLMETADATA: u8 = 0x81;
const ROW: u8 = 0xD1;
const DONE: u8 = 0xFD;
/// `Status`, `CurCmd` and `DoneRowCount`, which has another four bytes from some clients; nothing follows it.
const DONE_WIDTH: usize = 8;

/// Why a bulk load cannot be read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BulkError {
    /// The message ends inside a row, or goes on with what is neither a row nor DONE.
    #[error("the rows end too early")]
    Premature,
    /// A column of a type that cannot be loaded.
    #[error("column {0} is of a type that cannot be loaded")]
    Type(usize),
    /// A value that its column's type does not have.
    #[error("column {0} has a value that is not of its type")]
    Value(usize),
}

/// Takes a bulk load's message apart.
#[derive(Debug, Default)]
pub struct RowDecoder {
    buffer: Vec<u8>,
    /// Where in the buffer the next token begins.
    next: usize,
    /// Bytes behind that place which are known not to be enough.
    too_few: usize,
    columns: Vec<TypeInfo>,
    began: bool,
    ended: bool,
}

/// A token of the message.
enum Token {
    Columns(Vec<TypeInfo>),
    Row(Vec<Value>),
    Done,
}

impl RowDecoder {
    /// Types of the rows' columns; empty until they were read.
    pub fn columns(&self) -> &[TypeInfo] {
        &self.columns
    }

    /// Adds a packet's body.
    pub fn push(&mut self, body: &[u8]) {
        self.buffer.drain(..self.next);
        self.next = 0;
        self.buffer.extend_from_slice(body);
    }

    /// The next row; None when more packets are needed, and at the end of a message whose `last` packet is there.
    ///
    /// # Errors
    /// The message cannot be read any further.
    pub fn next_row(&mut self, last: bool) -> Result<Option<Vec<Value>>, BulkError> {
        while !self.ended {
            let rest = &self.buffer[self.next..];
            if last && rest.is_empty() && self.began {
                self.ended = true;
                break;
            }
            if !last && rest.len() < self.too_few {
                return Ok(None);
            }
            let mut reader = Reader::new(rest);
            let token = match self.read_token(&mut reader) {
                Ok(token) => token,
                Err(Incomplete::Broken(error)) => return Err(error),
                Err(Incomplete::Cut) if last => return Err(BulkError::Premature),
                Err(Incomplete::Cut) => {
                    self.too_few = rest.len() + rest.len() / 2 + 1;
                    return Ok(None);
                }
            };
            self.next += rest.len() - reader.remaining();
            self.too_few = 0;
            match token {
                Token::Columns(columns) => {
                    self.columns = columns;
                    self.began = true;
                }
                Token::Row(row) => return Ok(Some(row)),
                Token::Done => self.ended = true,
            }
        }
        Ok(None)
    }

    fn read_token(&self, reader: &mut Reader<'_>) -> Result<Token, Incomplete> {
        match (reader.u8("token")?, self.began) {
            (COLMETADATA, false) => {
                let count = usize::from(reader.u16("column count")?);
                let columns = (1..=count).map(|number| read_column(reader, number));
                columns.collect::<Result<_, _>>().map(Token::Columns)
            }
            (ROW, true) => {
                let values = self.columns.iter().zip(1..).map(|(column, number)| {
                    column.read_value(reader).map_err(|error| Incomplete::at(error, BulkError::Value(number)))
                });
                values.collect::<Result<_, _>>().map(Token::Row)
            }
            (DONE, true) => {
                reader.bytes(DONE_WIDTH, "DONE")?;
                Ok(Token::Done)
            }
            _ => Err(Incomplete::Broken(BulkError::Premature)),
        }
    }
}

fn read_column(reader: &mut Reader<'_>, number: usize) -> Result<TypeInfo, Incomplete> {
    reader.bytes(6, "user type and flags")?;
    let column =
        TypeInfo::read_column(reader).map_err(|error| Incomplete::at(error, BulkError::Type(number)))?;
    reader.short_text("column name")?;
    Ok(column)
}

/// Why there is no token yet.
enum Incomplete {
    /// The bytes end inside it.
    Cut,
    /// It never will be one.
    Broken(BulkError),
}

impl Incomplete {
    fn at(error: ProtocolError, otherwise: BulkError) -> Self {
        match error {
            ProtocolError::Truncated { .. } => Self::Cut,
            _ => Self::Broken(otherwise),
        }
    }
}

impl From<ProtocolError> for Incomplete {
    fn from(error: ProtocolError) -> Self {
        Self::at(error, BulkError::Premature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two columns, int and nvarchar(max), and three rows.
    fn message() -> Vec<u8> {
        let text = |units: &str| units.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let name = |name: &str| [vec![u8::try_from(name.len()).unwrap()], text(name)].concat();
        let int = [&[0, 0, 0, 0, 9, 0, 0x26, 4], name("a").as_slice()].concat();
        let long =
            [&[0, 0, 0, 0, 9, 0, 0xE7, 0xFF, 0xFF, 9, 4, 0xD0, 0, 0x34], name("b").as_slice()].concat();
        let value = text(&"x".repeat(3000));
        let length = u32::try_from(value.len()).unwrap().to_le_bytes();
        let chunk = [&[0xFE, 255, 255, 255, 255, 255, 255, 255], length.as_slice(), &value, &[0; 4]].concat();
        let null = [0xFF; 8];
        let rows = [
            [&[0xD1, 4, 1, 0, 0, 0], chunk.as_slice()].concat(),
            [&[0xD1, 0], null.as_slice()].concat(),
            [&[0xD1, 4, 2, 0, 0, 0], chunk.as_slice()].concat(),
        ];
        [&[0x81, 2, 0], int.as_slice(), &long, &rows.concat(), &[0xFD], &[0; DONE_WIDTH]].concat()
    }

    fn decode(message: &[u8], packet: usize) -> Result<Vec<Vec<Value>>, BulkError> {
        let mut decoder = RowDecoder::default();
        let mut rows = Vec::new();
        let packets = message.chunks(packet).count();
        for (number, body) in message.chunks(packet).enumerate() {
            decoder.push(body);
            while let Some(row) = decoder.next_row(number + 1 == packets)? {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    #[test]
    fn rows_come_whole_however_the_packets_are_cut() {
        let long = Value::text(&"x".repeat(3000));
        let expected =
            [vec![Value::Int(1), long.clone()], vec![Value::Null, Value::Null], vec![Value::Int(2), long]];
        let wide_count = [message(), vec![0; 4]].concat();
        for packet in [1, 7, 504, 4088, 100_000] {
            assert_eq!(decode(&message(), packet).unwrap(), expected, "packets of {packet}");
            assert_eq!(decode(&wide_count, packet).unwrap(), expected, "packets of {packet}");
        }
    }

    #[test]
    fn a_message_that_ends_inside_a_row_is_refused() {
        let whole = message();
        let whole_rows = (1..whole.len()).filter_map(|length| match decode(&whole[..length], 512) {
            Ok(rows) => Some(rows.len()),
            Err(error) => {
                assert_eq!(error, BulkError::Premature, "{length} bytes");
                None
            }
        });
        assert_eq!(whole_rows.collect::<Vec<_>>(), [0, 1, 2, 3], "behind each row it may end");
    }

    #[test]
    fn wrong_types_and_values_are_refused_by_column() {
        let mut wrong_type = message();
        wrong_type[9] = 0xF1;
        assert_eq!(decode(&wrong_type, 512), Err(BulkError::Type(1)));
        let mut wrong_value = message();
        let row = wrong_value.iter().position(|&byte| byte == 0xD1).unwrap();
        wrong_value[row + 1] = 3;
        assert_eq!(decode(&wrong_value, 512), Err(BulkError::Value(1)));
    }
}
