//! TYPE_INFO (2.2.5.6): a column's or parameter's type as the wire tells it.

use super::reader::Reader;

/// Length that means `(max)`.
const MAX: usize = 0xFFFF;

/// A type.
#[derive(Clone, Debug)]
pub(super) struct TypeInfo {
    /// The type's token.
    pub(super) token: u8,
    /// Bytes at most, where the wire tells them.
    pub(super) size: usize,
    pub(super) precision: u8,
    pub(super) scale: u8,
    pub(super) collation: Option<[u8; 5]>,
}

impl TypeInfo {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let token = reader.u8();
        let mut info = Self { token, size: 0, precision: 0, scale: 0, collation: None };
        match token {
            0x24 | 0x26 | 0x68 | 0x6D | 0x6E | 0x6F => info.size = usize::from(reader.u8()),
            0x28 => {}
            0x29..=0x2B => info.scale = reader.u8(),
            0x6A | 0x6C => {
                info.size = usize::from(reader.u8());
                info.precision = reader.u8();
                info.scale = reader.u8();
            }
            0xA5 | 0xAD => info.size = usize::from(reader.u16()),
            0xA7 | 0xAF | 0xE7 | 0xEF => {
                info.size = usize::from(reader.u16());
                info.collation = Some(reader.array());
            }
            0x22 | 0x62 => info.size = reader.u32() as usize,
            0x23 | 0x63 => {
                info.size = reader.u32() as usize;
                info.collation = Some(reader.array());
            }
            0xF1 => xml_schema(reader),
            0xF0 => clr_type(reader, &mut info),
            _ => assert!(fixed_size(token).is_some(), "no type has the token {token:#04x}"),
        }
        info
    }

    /// Bytes of a value that has no length of its own.
    pub(super) fn fixed_size(&self) -> Option<usize> {
        fixed_size(self.token)
    }

    /// Whether values come in chunks (PLP).
    pub(super) fn is_chunked(&self) -> bool {
        self.token == 0xF1
            || self.token == 0xF0
            || (matches!(self.token, 0xA5 | 0xA7 | 0xE7) && self.size == MAX)
    }

    /// Whether values are text, ntext or image with a pointer before them.
    pub(super) fn has_pointer(&self) -> bool {
        matches!(self.token, 0x22 | 0x23 | 0x63)
    }

    /// The type as T-SQL writes it. A type of fixed width that cannot be NULL on the wire has the same name as its
    /// nullable form; the column's flags tell which it is.
    pub(super) fn name(&self) -> String {
        let Self { size, precision, scale, .. } = self;
        match (self.token, size) {
            (0x1F, _) => "null".into(),
            (0x30, _) | (0x26, 1) => "tinyint".into(),
            (0x34, _) | (0x26, 2) => "smallint".into(),
            (0x38, _) | (0x26, 4) => "int".into(),
            (0x7F, _) | (0x26, 8) => "bigint".into(),
            (0x32 | 0x68, _) => "bit".into(),
            (0x3B, _) | (0x6D, 4) => "real".into(),
            (0x3E, _) | (0x6D, 8) => "float".into(),
            (0x7A, _) | (0x6E, 4) => "smallmoney".into(),
            (0x3C, _) | (0x6E, 8) => "money".into(),
            (0x3A, _) | (0x6F, 4) => "smalldatetime".into(),
            (0x3D, _) | (0x6F, 8) => "datetime".into(),
            (0x6A, _) => format!("decimal({precision},{scale})"),
            (0x6C, _) => format!("numeric({precision},{scale})"),
            (0x24, _) => "uniqueidentifier".into(),
            (0x28, _) => "date".into(),
            (0x29, _) => format!("time({scale})"),
            (0x2A, _) => format!("datetime2({scale})"),
            (0x2B, _) => format!("datetimeoffset({scale})"),
            (0xA5, &MAX) => "varbinary(max)".into(),
            (0xA7, &MAX) => "varchar(max)".into(),
            (0xE7, &MAX) => "nvarchar(max)".into(),
            (0xA5, _) => format!("varbinary({size})"),
            (0xAD, _) => format!("binary({size})"),
            (0xA7, _) => format!("varchar({size})"),
            (0xAF, _) => format!("char({size})"),
            (0xE7, _) => format!("nvarchar({})", size / 2),
            (0xEF, _) => format!("nchar({})", size / 2),
            (0x62, _) => "sql_variant".into(),
            (0xF1, _) => "xml".into(),
            (0xF0, _) => "clr".into(),
            (0x22, _) => "image".into(),
            (0x23, _) => "text".into(),
            (0x63, _) => "ntext".into(),
            (token, size) => panic!("no type has the token {token:#04x} and the size {size}"),
        }
    }

    /// Whether the token itself says that the column holds no NULL.
    pub(super) fn never_null(&self) -> bool {
        self.fixed_size().is_some_and(|size| size > 0)
    }
}

fn fixed_size(token: u8) -> Option<usize> {
    match token {
        0x1F => Some(0),
        0x30 | 0x32 => Some(1),
        0x34 => Some(2),
        0x38 | 0x3A | 0x3B | 0x7A => Some(4),
        0x3C | 0x3D | 0x3E | 0x7F => Some(8),
        _ => None,
    }
}

fn xml_schema(reader: &mut Reader<'_>) {
    if reader.u8() == 1 {
        reader.short_text();
        reader.short_text();
        reader.long_text();
    }
}

fn clr_type(reader: &mut Reader<'_>, info: &mut TypeInfo) {
    info.size = usize::from(reader.u16());
    for _ in 0..3 {
        reader.short_text();
    }
    reader.long_text();
}
