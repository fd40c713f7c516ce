//! SQL Server's types and values, as the engine and the wire share them.

use std::fmt;

use crate::collation::Collation;

/// Declared length of a variable-length type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Length {
    /// A limit: bytes for `varchar` and `varbinary`, UTF-16 units for `nvarchar`.
    Limited(u16),
    /// `(max)`: sent as PLP.
    Max,
}

/// A column's or expression's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SqlType {
    /// `bit`
    Bit,
    /// `tinyint`, unsigned
    TinyInt,
    /// `smallint`
    SmallInt,
    /// `int`
    Int,
    /// `bigint`
    BigInt,
    /// `decimal(precision, scale)`, wire token 0x6A
    Decimal {
        /// 1 to 38
        precision: u8,
        /// 0 to `precision`
        scale: u8,
    },
    /// `numeric(precision, scale)`, wire token 0x6C
    Numeric {
        /// 1 to 38
        precision: u8,
        /// 0 to `precision`
        scale: u8,
    },
    /// `money`
    Money,
    /// `smallmoney`
    SmallMoney,
    /// `real`
    Real,
    /// `float`
    Float,
    /// `datetime`, ticks of 1/300 s
    DateTime,
    /// `smalldatetime`, minutes
    SmallDateTime,
    /// `datetime2(scale)`
    DateTime2(u8),
    /// `date`
    Date,
    /// `time(scale)`
    Time(u8),
    /// `datetimeoffset(scale)`
    DateTimeOffset(u8),
    /// `char(n)`
    Char(u16),
    /// `varchar(n|max)`
    VarChar(Length),
    /// `nchar(n)`
    NChar(u16),
    /// `nvarchar(n|max)`
    NVarChar(Length),
    /// `binary(n)`
    Binary(u16),
    /// `varbinary(n|max)`
    VarBinary(Length),
    /// `uniqueidentifier`
    UniqueIdentifier,
    /// `rowversion`, alias `timestamp`
    RowVersion,
    /// `text`
    Text,
    /// `ntext`
    NText,
    /// `image`
    Image,
    /// `xml`
    Xml,
    /// `sql_variant`
    SqlVariant,
    /// A type of the CLR, by its bytes.
    Clr(ClrType),
}

/// The types that come with the server's CLR assembly. Their values are bytes to this double; their methods are not
/// here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClrType {
    /// `hierarchyid`; its bytes stand in the order of the tree.
    HierarchyId,
    /// `geometry`
    Geometry,
    /// `geography`
    Geography,
}

impl ClrType {
    /// Its name in the schema `sys`.
    pub fn name(self) -> &'static str {
        match self {
            Self::HierarchyId => "hierarchyid",
            Self::Geometry => "geometry",
            Self::Geography => "geography",
        }
    }
}

impl SqlType {
    /// Whether it holds characters, which a collation rules.
    pub fn has_collation(self) -> bool {
        self.has_code_page() || matches!(self, Self::NChar(_) | Self::NVarChar(_) | Self::NText)
    }

    /// Whether its characters are bytes of a code page, as its length counts them.
    pub fn has_code_page(self) -> bool {
        matches!(self, Self::Char(_) | Self::VarChar(_) | Self::Text)
    }
}

/// A value. Its type stands beside it (column or expression); text is kept as Unicode and encoded by the
/// column's type and collation when it is stored or sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// NULL of any type
    Null,
    /// `bit`
    Bit(bool),
    /// every integer type
    Int(i64),
    /// `decimal` and `numeric`: `unscaled / 10^scale`
    Decimal {
        /// the digits without the point
        unscaled: i128,
        /// digits after the point
        scale: u8,
    },
    /// `money` and `smallmoney` in ten-thousandths
    Money(i64),
    /// `float` and `real`
    Float(f64),
    /// `datetime` and `smalldatetime`
    DateTime {
        /// days since 1900-01-01
        days: i32,
        /// 1/300 s since midnight
        ticks: u32,
    },
    /// `datetime2`
    DateTime2 {
        /// days since 0001-01-01
        days: i32,
        /// 100 ns since midnight
        ticks: u64,
    },
    /// `date`: days since 0001-01-01
    Date(i32),
    /// `time`: 100 ns since midnight
    Time(u64),
    /// `datetimeoffset`, in UTC with the offset beside it
    DateTimeOffset {
        /// UTC days since 0001-01-01
        days: i32,
        /// UTC 100 ns since midnight
        ticks: u64,
        /// minutes east of UTC
        offset: i16,
    },
    /// every character type and `xml`; UTF-16 so that lone surrogates survive
    Text(Vec<u16>),
    /// `binary`, `varbinary`, `image`, `rowversion`, and the types of the CLR
    Bytes(Vec<u8>),
    /// `uniqueidentifier`, in the order in which it is written as text
    Guid([u8; 16]),
    /// `sql_variant`: a value with its type
    Variant(Box<Variant>),
}

/// What a `sql_variant` holds; never NULL, and never of a type that a variant cannot hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Its type.
    pub sql_type: SqlType,
    /// Its collation, if it is text.
    pub collation: Collation,
    /// The value.
    pub value: Value,
}

impl Value {
    /// Text from a Rust string.
    pub fn text(s: &str) -> Self {
        Self::Text(s.encode_utf16().collect())
    }

    /// Whether this is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// Where a column's values come from, as `Flags` of COLMETADATA tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A table's column.
    Stored,
    /// A table's identity column.
    Identity,
    /// A computed column of a table, or an expression.
    Computed,
    /// Something that is neither: a column of VALUES, UNION or a derived table's expression, an aggregate.
    Derived,
}

/// A column as a result describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnMeta {
    /// Name, empty when the expression has none.
    pub name: String,
    /// Type.
    pub sql_type: SqlType,
    /// A column that may not be NULL is sent with the fixed-width token where its type has one.
    pub nullable: bool,
    /// Where its values come from.
    pub origin: Origin,
    /// Collation of a character type; it says which bytes `char` and `varchar` have.
    pub collation: Collation,
}

impl ColumnMeta {
    /// A plain column of a table, of the server's collation.
    pub fn new(name: impl Into<String>, sql_type: SqlType, nullable: bool) -> Self {
        Self { name: name.into(), sql_type, nullable, origin: Origin::Stored, collation: Collation::DEFAULT }
    }
}

/// An error or message as SQL Server numbers it.
#[derive(Clone, Debug, PartialEq)]
pub struct SqlError {
    /// Message number, such as 208 or 1205.
    pub number: i32,
    /// Severity; 10 and less is an INFO token.
    pub class: u8,
    /// State.
    pub state: u8,
    /// Text.
    pub message: String,
    /// First line of the failing statement, 1-based; 0 where it is not known yet.
    pub line: i32,
    /// What else ends with it.
    pub reach: Reach,
    /// Errors that the client gets before this one, as 5074 before 4922; `ERROR_NUMBER()` answers this one.
    pub causes: Vec<SqlError>,
}

/// How far an error reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The statement; the batch runs on.
    Statement,
    /// The batch, which was found wrong as a whole: no TRY of its own takes the error. The transaction stays.
    Batch,
    /// The batch, unless a TRY takes the error; the transaction stays. Most errors of CREATE and ALTER are so.
    BatchUnlessCaught,
    /// The batch, and the transaction is rolled back.
    Transaction,
    /// The connection is closed after the error.
    Connection,
}

impl SqlError {
    /// An error of class 16 that ends its statement.
    pub fn statement(number: i32, message: impl Into<String>) -> Self {
        Self {
            number,
            class: 16,
            state: 1,
            message: message.into(),
            line: 0,
            reach: Reach::Statement,
            causes: Vec::new(),
        }
    }

    /// An error that ends its batch before anything of it ran (syntax, names).
    pub fn batch(number: i32, message: impl Into<String>) -> Self {
        Self { reach: Reach::Batch, ..Self::statement(number, message) }
    }

    /// This error behind the one that caused it; it reaches as far as its cause.
    #[must_use]
    pub fn caused_by(self, mut cause: Self) -> Self {
        let mut causes = std::mem::take(&mut cause.causes);
        let reach = cause.reach;
        causes.push(cause);
        Self { reach, causes, ..self }
    }

    /// The error that the client gets first.
    pub fn first(&self) -> &Self {
        self.causes.first().unwrap_or(self)
    }

    /// The error at the line of its statement, unless it has a line of its own already.
    #[must_use]
    pub fn at_line(mut self, line: i32) -> Self {
        if self.line == 0 {
            self.line = line;
        }
        self.causes = self.causes.into_iter().map(|cause| cause.at_line(line)).collect();
        self
    }

    /// A construct that this double does not support, named.
    pub fn unsupported(construct: impl fmt::Display) -> Self {
        Self {
            class: 15,
            ..Self::batch(
                102,
                format!("Incorrect syntax near '{construct}'. (mssql-sim does not support this construct.)"),
            )
        }
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Msg {}, Level {}, State {}, Line {}: {}",
            self.number, self.class, self.state, self.line, self.message
        )
    }
}

impl std::error::Error for SqlError {}
