//! TYPE_INFO and values that a client sends.

use super::*;
use crate::collation::Collation;
use crate::types::{ClrType, Value};
use crate::wire::ProtocolError;
use crate::wire::reader::Reader;

const PLP_NULL: u64 = u64::MAX;
/// Bytes behind the pointer of a `text`, `ntext` or `image` value.
const TIMESTAMP_WIDTH: usize = 8;

/// A type as a client describes it, and how the values that follow are delimited.
#[derive(Clone, Copy, Debug)]
pub struct TypeInfo {
    /// The type; that of NULL without a type is `int`.
    pub sql_type: SqlType,
    collation: Collation,
    delimiter: Delimiter,
}

/// How a value is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delimiter {
    /// No bytes at all: NULL.
    Nothing,
    Fixed(usize),
    Byte,
    Short,
    /// A u32; all ones is NULL.
    Long,
    /// A pointer with its length, a timestamp, a u32, as in rows of `text`, `ntext` and `image`; no pointer is NULL.
    Pointer,
    /// A u32; 0 is NULL.
    Variant,
    Plp,
}

impl TypeInfo {
    /// Reads a TYPE_INFO.
    ///
    /// # Errors
    /// [`ProtocolError`] for bytes that are none, or a type that no parameter has here.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, ProtocolError> {
        let token = reader.u8("parameter type")?;
        let mut collation = Collation::DEFAULT;
        let (sql_type, delimiter) = match token {
            NULL => (SqlType::Int, Delimiter::Nothing),
            INTN | BITN | FLTN | MONEYN | DATETIMN | GUIDN => {
                (sized_type(token, reader.u8("parameter length")?)?, Delimiter::Byte)
            }
            DECIMALN | NUMERICN => (read_decimal(token, reader)?, Delimiter::Byte),
            DATEN => (SqlType::Date, Delimiter::Byte),
            TIMEN | DATETIME2N | DATETIMEOFFSETN => {
                let scale = reader.u8("parameter scale")?;
                let found = || invalid("parameter scale", scale);
                (time_type(token, scale).ok_or_else(found)?, Delimiter::Byte)
            }
            BIGVARBINARY | BIGBINARY => {
                let length = reader.u16("parameter length")?;
                if length == 0 {
                    return Err(invalid("parameter length", length));
                }
                (binary_type(token, length).expect("a token of binary"), short_or_plp(length))
            }
            BIGVARCHAR | BIGCHAR | NVARCHAR | NCHAR => {
                let length = reader.u16("parameter length")?;
                collation = read_collation(reader)?;
                (text_type(token, length).expect("a token of text"), short_or_plp(length))
            }
            IMAGE | TEXT | NTEXT => {
                reader.u32("parameter length")?;
                if token != IMAGE {
                    collation = read_collation(reader)?;
                }
                (long_type(token), Delimiter::Long)
            }
            VARIANT => {
                reader.u32("parameter length")?;
                (SqlType::SqlVariant, Delimiter::Variant)
            }
            XML => (read_xml(reader)?, Delimiter::Plp),
            UDT => (read_clr(reader)?, Delimiter::Plp),
            _ => {
                let unknown = || ProtocolError::Unsupported(format!("a parameter of wire type {token:#04x}"));
                let sql_type = fixed_type(token).ok_or_else(unknown)?;
                let width = value::fixed_width(sql_type).expect("fixed tokens have a width");
                (sql_type, Delimiter::Fixed(width))
            }
        };
        Ok(Self { sql_type, collation, delimiter })
    }

    /// Reads the TYPE_INFO of a column of a bulk load: a parameter's, and for the types of old the table's name. `xml`
    /// and CLR types are loaded as text and bytes.
    ///
    /// # Errors
    /// As [`TypeInfo::read`].
    pub fn read_column(reader: &mut Reader<'_>) -> Result<Self, ProtocolError> {
        if let Some(token @ (XML | UDT)) = reader.peek() {
            return Err(ProtocolError::Unsupported(format!("a bulk load of wire type {token:#04x}")));
        }
        let mut column = Self::read(reader)?;
        if column.delimiter == Delimiter::Long {
            let units = reader.u16("table name of a long column")?;
            reader.bytes(2 * usize::from(units), "table name of a long column")?;
            column.delimiter = Delimiter::Pointer;
        }
        Ok(column)
    }

    /// Reads a value of this type.
    ///
    /// # Errors
    /// [`ProtocolError`] for bytes that are no value of the type.
    pub fn read_value(&self, reader: &mut Reader<'_>) -> Result<Value, ProtocolError> {
        let Some(content) = read_content(reader, self.delimiter)? else { return Ok(Value::Null) };
        let value = value::from_content(&content, self.sql_type, self.collation.code_page());
        value
            .filter(|value| value::is_in_range(value, self.sql_type))
            .ok_or_else(|| invalid("parameter value", format_args!("{content:02x?} for {:?}", self.sql_type)))
    }
}

fn invalid(field: &'static str, found: impl std::fmt::Display) -> ProtocolError {
    ProtocolError::Invalid { field, found: found.to_string() }
}

fn sized_type(token: u8, length: u8) -> Result<SqlType, ProtocolError> {
    Ok(match (token, length) {
        (INTN, 1) => SqlType::TinyInt,
        (INTN, 2) => SqlType::SmallInt,
        (INTN, 4) => SqlType::Int,
        (INTN, 8) => SqlType::BigInt,
        (BITN, 1) => SqlType::Bit,
        (FLTN, 4) => SqlType::Real,
        (FLTN, 8) => SqlType::Float,
        (MONEYN, 4) => SqlType::SmallMoney,
        (MONEYN, 8) => SqlType::Money,
        (DATETIMN, 4) => SqlType::SmallDateTime,
        (DATETIMN, 8) => SqlType::DateTime,
        (GUIDN, 16) => SqlType::UniqueIdentifier,
        _ => {
            let found = format!("{length} for type {token:#04x}");
            return Err(ProtocolError::Invalid { field: "parameter length", found });
        }
    })
}

fn read_decimal(token: u8, reader: &mut Reader<'_>) -> Result<SqlType, ProtocolError> {
    reader.u8("parameter length")?;
    let (precision, scale) = (reader.u8("parameter precision")?, reader.u8("parameter scale")?);
    let found = || invalid("parameter precision", format_args!("({precision}, {scale})"));
    decimal_type(token, precision, scale).ok_or_else(found)
}

/// A client sends the types of old as those that took their place.
fn long_type(token: u8) -> SqlType {
    match token {
        IMAGE => SqlType::VarBinary(Length::Max),
        TEXT => SqlType::VarChar(Length::Max),
        _ => SqlType::NVarChar(Length::Max),
    }
}

/// The names of a schema collection, if there are any, say nothing here.
fn read_xml(reader: &mut Reader<'_>) -> Result<SqlType, ProtocolError> {
    const FIELD: &str = "parameter schema collection";
    if reader.u8(FIELD)? != 0 {
        for _ in 0..2 {
            read_name(reader, FIELD)?;
        }
        let length = reader.u16(FIELD)?;
        reader.text(usize::from(length), FIELD)?;
    }
    Ok(SqlType::Xml)
}

/// UDT_INFO_IN_RPC: the names of database, schema and type.
fn read_clr(reader: &mut Reader<'_>) -> Result<SqlType, ProtocolError> {
    const FIELD: &str = "parameter type name";
    read_name(reader, FIELD)?;
    read_name(reader, FIELD)?;
    let name = read_name(reader, FIELD)?;
    [ClrType::HierarchyId, ClrType::Geometry, ClrType::Geography]
        .into_iter()
        .find(|clr| clr.name().eq_ignore_ascii_case(&name))
        .map(SqlType::Clr)
        .ok_or_else(|| ProtocolError::Unsupported(format!("a parameter of CLR type {name}")))
}

fn read_name(reader: &mut Reader<'_>, field: &'static str) -> Result<String, ProtocolError> {
    let length = reader.u8(field)?;
    reader.text(usize::from(length), field)
}

/// A parameter's collation; some clients send zeros for the server's.
fn read_collation(reader: &mut Reader<'_>) -> Result<Collation, ProtocolError> {
    let bytes = reader.array("parameter collation")?;
    if bytes == [0; 5] {
        return Ok(Collation::DEFAULT);
    }
    Collation::from_wire(bytes)
        .ok_or_else(|| ProtocolError::Unsupported(format!("a parameter of collation {bytes:02x?}")))
}

fn short_or_plp(length: u16) -> Delimiter {
    if length == MAX_LENGTH { Delimiter::Plp } else { Delimiter::Short }
}

/// The value's bytes without delimiters; None is NULL.
fn read_content(reader: &mut Reader<'_>, delimiter: Delimiter) -> Result<Option<Vec<u8>>, ProtocolError> {
    const FIELD: &str = "parameter value";
    let length = match delimiter {
        Delimiter::Nothing => return Ok(None),
        Delimiter::Fixed(width) => width,
        Delimiter::Byte => match reader.u8(FIELD)? {
            0 => return Ok(None),
            length => usize::from(length),
        },
        Delimiter::Short => match reader.u16(FIELD)? {
            MAX_LENGTH => return Ok(None),
            length => usize::from(length),
        },
        Delimiter::Long => match reader.u32(FIELD)? {
            u32::MAX => return Ok(None),
            length => length as usize,
        },
        Delimiter::Pointer => match reader.u8(FIELD)? {
            0 => return Ok(None),
            pointer => {
                reader.bytes(usize::from(pointer) + TIMESTAMP_WIDTH, FIELD)?;
                reader.u32(FIELD)? as usize
            }
        },
        Delimiter::Variant => match reader.u32(FIELD)? {
            0 => return Ok(None),
            length => length as usize,
        },
        Delimiter::Plp => return read_chunks(reader),
    };
    Ok(Some(reader.bytes(length, FIELD)?.to_vec()))
}

fn read_chunks(reader: &mut Reader<'_>) -> Result<Option<Vec<u8>>, ProtocolError> {
    const FIELD: &str = "parameter chunk";
    // The total length may be unknown; the chunks say how long the value is.
    if reader.u64(FIELD)? == PLP_NULL {
        return Ok(None);
    }
    let mut content = Vec::new();
    loop {
        match reader.u32(FIELD)? {
            0 => return Ok(Some(content)),
            length => content.extend_from_slice(reader.bytes(length as usize, FIELD)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_carry_names_or_types_of_their_own_are_read() {
        let name = |text: &str| {
            let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            [&[u8::try_from(text.len()).expect("a short name")], units.as_slice()].concat()
        };
        let chunked = |content: &[u8]| {
            let length = u8::try_from(content.len()).expect("a short value");
            [&[length, 0, 0, 0, 0, 0, 0, 0, length, 0, 0, 0][..], content, &[0; 4]].concat()
        };
        let hierarchyid = [vec![UDT], name("wms"), name("sys"), name("hierarchyid"), chunked(&[0x58])];
        let schema = [vec![XML, 1], name("wms"), name("dbo"), vec![1, 0, b's', 0], chunked(b"x\0")];
        let variant = [vec![VARIANT, 0x49, 0x1F, 0, 0, 6, 0, 0, 0], vec![0x38, 0, 7, 0, 0, 0]];
        let seven = crate::types::Variant {
            sql_type: SqlType::Int,
            collation: Collation::DEFAULT,
            value: Value::Int(7),
        };
        // The collation of a Cyrillic column.
        let text = [vec![BIGVARCHAR, 4, 0, 0x19, 4, 0xD0, 0, 0], vec![1, 0, 0xC6]];
        for (bytes, sql_type, value) in [
            (hierarchyid.concat(), SqlType::Clr(ClrType::HierarchyId), Value::Bytes(vec![0x58])),
            (schema.concat(), SqlType::Xml, Value::text("x")),
            ([vec![XML, 0], vec![0xFF; 8]].concat(), SqlType::Xml, Value::Null),
            (variant.concat(), SqlType::SqlVariant, Value::Variant(Box::new(seven))),
            (vec![VARIANT, 0x49, 0x1F, 0, 0, 0, 0, 0, 0], SqlType::SqlVariant, Value::Null),
            (text.concat(), SqlType::VarChar(Length::Limited(4)), Value::text("\u{416}")),
        ] {
            let mut reader = Reader::new(&bytes);
            let info = TypeInfo::read(&mut reader).unwrap();
            assert_eq!((info.sql_type, info.read_value(&mut reader).unwrap()), (sql_type, value));
            assert_eq!(reader.remaining(), 0, "{bytes:02x?}");
        }
        for refused in [
            [vec![UDT], name("wms"), name("dbo"), name("point"), chunked(&[0])].concat(),
            vec![VARIANT, 0x49, 0x1F, 0, 0, 2, 0, 0, 0, 0x38, 0],
            vec![BIGVARCHAR, 4, 0, 0x19, 0xF4, 0xD0, 0, 0, 1, 0, 0xC6],
        ] {
            let mut reader = Reader::new(&refused);
            let read = TypeInfo::read(&mut reader).and_then(|info| info.read_value(&mut reader));
            assert!(read.is_err(), "{refused:02x?}");
        }
    }

    #[test]
    fn a_long_value_comes_in_chunks() {
        let parameter = [
            [BIGVARBINARY, 0xFF, 0xFF].as_slice(),
            // The total length is not known.
            &[0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            &[2, 0, 0, 0, 1, 2, 1, 0, 0, 0, 3, 0, 0, 0, 0],
        ]
        .concat();
        let mut reader = Reader::new(&parameter);
        let info = TypeInfo::read(&mut reader).unwrap();
        assert_eq!(info.sql_type, SqlType::VarBinary(Length::Max));
        assert_eq!(info.read_value(&mut reader).unwrap(), Value::Bytes(vec![1, 2, 3]));
    }
}
