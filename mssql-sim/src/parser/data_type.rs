//! Names of types.

use super::Parser;
use super::ast::{Statement, TypeName};
use super::lexer::{TokenKind, syntax_error};
use crate::types::{ClrType, Length, SqlError, SqlType};

/// Length of a character or binary type written without one: 1 in a declaration, 30 in CAST and CONVERT.
#[derive(Clone, Copy)]
struct DefaultLength(u16);

/// Number of the error for a name that is no type.
const UNKNOWN_TYPE: i32 = 2715;

/// Largest length in bytes of `char`, `varchar`, `binary`, `varbinary`.
const BYTES_LIMIT: i64 = 8000;
/// Largest length in UTF-16 units of `nchar`, `nvarchar`.
const UNITS_LIMIT: i64 = 4000;

impl Parser {
    /// A type of a column, variable or parameter.
    pub(super) fn data_type(&mut self) -> Result<SqlType, SqlError> {
        self.type_with(DefaultLength(1))
    }

    /// A type that may be an alias: of a column or variable.
    pub(super) fn type_name(&mut self) -> Result<TypeName, SqlError> {
        if self.is_identifier() && self.is_symbol_at(1, ".") && !self.is("sys") {
            let schema = self.identifier()?;
            self.expect_symbol(".")?;
            return Ok(TypeName::Alias { schema: Some(schema), name: self.identifier()? });
        }
        let start = self.position;
        match self.data_type() {
            // `sysname` is an alias that the server brings along.
            Ok(_) if self.tokens[start].kind.shown().eq_ignore_ascii_case("sysname") => {
                Ok(TypeName::Alias { schema: None, name: "sysname".to_owned() })
            }
            Ok(sql_type) => Ok(TypeName::System(sql_type)),
            Err(error) if error.number == UNKNOWN_TYPE => {
                self.position = start;
                Ok(TypeName::Alias { schema: None, name: self.identifier()? })
            }
            Err(error) => Err(error),
        }
    }

    /// `CREATE TYPE name FROM type [NULL | NOT NULL]`
    pub(super) fn create_type(&mut self) -> Result<Statement, SqlError> {
        let name = self.object_name()?;
        if !self.accept("FROM") {
            let construct = format!("CREATE TYPE {}", self.kind().shown().to_uppercase());
            return self.unsupported(&construct);
        }
        let base = self.data_type()?;
        let nullable = !self.accept_sequence(&["NOT", "NULL"]);
        if nullable {
            self.accept("NULL");
        }
        Ok(Statement::CreateType { name, base, nullable })
    }

    /// A type as the target of CAST or CONVERT.
    pub(super) fn cast_type(&mut self) -> Result<SqlType, SqlError> {
        let written = self.kind().shown();
        self.type_with(DefaultLength(30)).map_err(|error| match error.number {
            UNKNOWN_TYPE => {
                let message = format!("Type {written} is not a defined system type.");
                SqlError { number: 243, state: 1, message, ..error }
            }
            _ => error,
        })
    }

    fn type_with(&mut self, default: DefaultLength) -> Result<SqlType, SqlError> {
        if self.is_at(0, "sys") && self.is_symbol_at(1, ".") {
            self.advance();
            self.advance();
        }
        let line = self.line();
        let name = match self.kind() {
            TokenKind::Word(word) => word.to_ascii_lowercase(),
            TokenKind::Quoted(word) => word.to_ascii_lowercase(),
            _ => return Err(self.unexpected()),
        };
        self.advance();
        let name = self.spelled_out(name);
        if let Some(fixed) = fixed_type(&name) {
            return Ok(fixed);
        }
        match name.as_str() {
            "decimal" | "dec" => {
                self.precision_scale().map(|(precision, scale)| SqlType::Decimal { precision, scale })
            }
            "numeric" => {
                self.precision_scale().map(|(precision, scale)| SqlType::Numeric { precision, scale })
            }
            "float" => Ok(match self.type_argument()? {
                Some(bits) if bits <= 24 => SqlType::Real,
                _ => SqlType::Float,
            }),
            "datetime2" => self.fraction().map(SqlType::DateTime2),
            "time" => self.fraction().map(SqlType::Time),
            "datetimeoffset" => self.fraction().map(SqlType::DateTimeOffset),
            "char" => self.fixed_length(default, BYTES_LIMIT).map(SqlType::Char),
            "nchar" => self.fixed_length(default, UNITS_LIMIT).map(SqlType::NChar),
            "binary" => self.fixed_length(default, BYTES_LIMIT).map(SqlType::Binary),
            "varchar" => self.length(default, BYTES_LIMIT).map(SqlType::VarChar),
            "nvarchar" => self.length(default, UNITS_LIMIT).map(SqlType::NVarChar),
            "varbinary" => self.length(default, BYTES_LIMIT).map(SqlType::VarBinary),
            "xml" if self.is_symbol("(") => self.unsupported("xml schema collection"),
            "xml" => Ok(SqlType::Xml),
            "json" | "cursor" | "table" | "vector" => self.unsupported(&format!("type {name}")),
            _ => Err(SqlError { line, ..unknown_type(&name) }),
        }
    }

    /// Joins names of two and three words into one: `character varying`, `double precision`, `national character`.
    fn spelled_out(&mut self, name: String) -> String {
        match name.as_str() {
            "double" if self.accept("PRECISION") => "float".to_owned(),
            "national" if self.accept("CHARACTER") || self.accept("CHAR") => {
                if self.accept("VARYING") { "nvarchar" } else { "nchar" }.to_owned()
            }
            "char" | "character" => if self.accept("VARYING") { "varchar" } else { "char" }.to_owned(),
            "binary" if self.accept("VARYING") => "varbinary".to_owned(),
            _ => name,
        }
    }

    /// `(n)`, if written.
    fn type_argument(&mut self) -> Result<Option<i64>, SqlError> {
        if !self.is_symbol("(") {
            return Ok(None);
        }
        self.parenthesized(Self::integer).map(Some)
    }

    fn precision_scale(&mut self) -> Result<(u8, u8), SqlError> {
        if !self.is_symbol("(") {
            return Ok((18, 0));
        }
        let line = self.line();
        let (precision, scale) = self.parenthesized(|p| {
            let precision = p.integer()?;
            let scale = if p.accept_symbol(",") { p.integer()? } else { 0 };
            Ok((precision, scale))
        })?;
        let invalid = |message: String, number| Err(syntax_error(number, line, message));
        match (u8::try_from(precision), u8::try_from(scale)) {
            (Ok(1..=38), Ok(scale)) if i64::from(scale) > precision => invalid(
                format!("The scale ({scale}) must be less than or equal to the precision ({precision})."),
                192,
            ),
            (Ok(precision @ 1..=38), Ok(scale)) => Ok((precision, scale)),
            _ => invalid(
                format!(
                    "Specified column precision {precision} is greater than the maximum precision of 38."
                ),
                2750,
            ),
        }
    }

    /// Digits of the seconds of `time`, `datetime2` and `datetimeoffset`; 7 when not written.
    fn fraction(&mut self) -> Result<u8, SqlError> {
        let line = self.line();
        match self.type_argument()? {
            None => Ok(7),
            Some(n @ 0..=7) => Ok(n as u8),
            Some(n) => Err(syntax_error(1002, line, format!("Line {line}: Specified scale {n} is invalid."))),
        }
    }

    fn fixed_length(&mut self, default: DefaultLength, limit: i64) -> Result<u16, SqlError> {
        let line = self.line();
        match self.type_argument()? {
            None => Ok(default.0),
            Some(n) => checked_length(n, limit, line),
        }
    }

    fn length(&mut self, default: DefaultLength, limit: i64) -> Result<Length, SqlError> {
        if self.is_symbol("(") && self.is_at(1, "MAX") {
            self.advance();
            self.advance();
            return self.expect_symbol(")").map(|()| Length::Max);
        }
        self.fixed_length(default, limit).map(Length::Limited)
    }
}

/// Types without arguments.
fn fixed_type(name: &str) -> Option<SqlType> {
    Some(match name {
        "bit" => SqlType::Bit,
        "tinyint" => SqlType::TinyInt,
        "smallint" => SqlType::SmallInt,
        "int" | "integer" => SqlType::Int,
        "bigint" => SqlType::BigInt,
        "money" => SqlType::Money,
        "smallmoney" => SqlType::SmallMoney,
        "real" => SqlType::Real,
        "datetime" => SqlType::DateTime,
        "smalldatetime" => SqlType::SmallDateTime,
        "date" => SqlType::Date,
        "uniqueidentifier" => SqlType::UniqueIdentifier,
        "rowversion" | "timestamp" => SqlType::RowVersion,
        "text" => SqlType::Text,
        "ntext" => SqlType::NText,
        "image" => SqlType::Image,
        "sql_variant" => SqlType::SqlVariant,
        "hierarchyid" => SqlType::Clr(ClrType::HierarchyId),
        "geometry" => SqlType::Clr(ClrType::Geometry),
        "geography" => SqlType::Clr(ClrType::Geography),
        "sysname" => SqlType::NVarChar(Length::Limited(128)),
        _ => return None,
    })
}

fn checked_length(length: i64, limit: i64, line: i32) -> Result<u16, SqlError> {
    match u16::try_from(length) {
        Ok(n) if n > 0 && length <= limit => Ok(n),
        Ok(0) | Err(_) if length <= 0 => {
            let message = format!("Length or precision specification {length} is invalid.");
            Err(syntax_error(1001, line, message))
        }
        _ => {
            let message =
                format!("The size ({length}) given to the type exceeds the maximum allowed ({limit}).");
            Err(syntax_error(131, line, message))
        }
    }
}

fn unknown_type(name: &str) -> SqlError {
    SqlError { state: 6, ..SqlError::batch(UNKNOWN_TYPE, format!("Cannot find data type {name}.")) }
}
