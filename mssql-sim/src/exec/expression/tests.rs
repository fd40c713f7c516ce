//! Types, nullability and values of expressions, and the numbers of their errors.

use super::*;
use crate::exec::conversion::convert;
use crate::exec::testing::context;
use crate::parser::ast::{SelectItem, Statement};
use crate::types::Length::Limited;
use crate::types::{Length, SqlError};

fn parse(text: &str) -> ast::Expr {
    let parsed =
        crate::parser::parse_batch(&format!("SELECT {text}")).unwrap_or_else(|e| panic!("{text}: {e}"));
    let Some(Statement::Select(query)) = parsed.into_iter().next().map(|l| l.statement) else {
        panic!("{text}")
    };
    let ast::QueryBody::Select(mut select) = query.body else { panic!("{text}") };
    match select.items.remove(0) {
        SelectItem::Expr(expr, _) => expr,
        SelectItem::Wildcard(_) => panic!("{text}"),
    }
}

fn bound(text: &str) -> Result<Scalar, Interrupt> {
    Binder::new(&context(), &Scope::empty()).scalar(&parse(text))
}

/// The value as CONVERT shows it; NULL as a word.
fn value(text: &str) -> Result<String, SqlError> {
    let context = context();
    let (sql_type, value) = match evaluate(&context, &parse(text)) {
        Ok(typed) => typed,
        Err(Interrupt::Error(error)) => return Err(error),
        Err(interrupt) => panic!("{text}: {interrupt:?}"),
    };
    if value.is_null() {
        return Ok("NULL".to_owned());
    }
    let style = if matches!(value, Value::Bytes(_)) { Some(1) } else { None };
    match convert(value, sql_type, SqlType::NVarChar(Length::Max), style)? {
        Value::Text(units) => Ok(String::from_utf16_lossy(&units)),
        other => panic!("{other:?}"),
    }
}

fn number(text: &str) -> i32 {
    value(text).map_or_else(|error| error.number, |value| panic!("{text} is {value}"))
}

#[test]
fn results_have_the_types_of_the_server() {
    let numeric = |precision, scale| SqlType::Numeric { precision, scale };
    let decimal = |precision, scale| SqlType::Decimal { precision, scale };
    let varchar = |n| SqlType::VarChar(Limited(n));
    let nvarchar = |n| SqlType::NVarChar(Limited(n));
    for (text, expected, nullable) in [
        ("1", SqlType::Int, false),
        ("1 + 1", SqlType::Int, true),
        ("10.0 / 3", numeric(8, 6), true),
        ("10.0 / CAST(3 AS int)", numeric(14, 12), true),
        ("1.5 * 2.25", numeric(6, 3), true),
        ("CAST(1 AS decimal(10, 2)) + CAST(1 AS decimal(5, 4))", decimal(13, 4), true),
        ("CAST(1 AS decimal(10, 2)) + 1.0", numeric(11, 2), true),
        ("CAST(1 AS tinyint) + CAST(1 AS smallint)", SqlType::SmallInt, true),
        ("$1.5 + 1", SqlType::Money, true),
        ("$1 * 1.5", numeric(22, 5), true),
        ("1e0 + 1.5", SqlType::Float, true),
        ("-CAST(1 AS tinyint)", SqlType::SmallInt, true),
        ("'ab' + 'cde'", varchar(5), false),
        ("'ab' + N'cde'", nvarchar(5), false),
        ("CONCAT('ab', 1, NULL)", varchar(15), false),
        ("ISNULL(CAST(NULL AS varchar(3)), 'abcdef')", varchar(3), false),
        ("COALESCE(NULL, 1.5, 2)", numeric(11, 1), true),
        ("NULLIF(5, 6)", SqlType::TinyInt, true),
        ("CASE WHEN 1 = 1 THEN 'a' ELSE N'bcd' END", nvarchar(3), false),
        ("CASE WHEN 1 = 1 THEN 1 END", SqlType::Int, true),
        ("CAST('a' AS varchar)", varchar(30), true),
        ("GETDATE()", SqlType::DateTime, false),
        ("SYSUTCDATETIME()", SqlType::DateTime2(7), false),
        ("DATEADD(day, 1, CAST('2026-01-01' AS date))", SqlType::Date, true),
        ("DATEADD(day, 1, '2026-01-01')", SqlType::DateTime, true),
        ("LEN(N'abc')", SqlType::Int, true),
        ("LEN(CAST('a' AS varchar(max)))", SqlType::BigInt, true),
        ("CHANGE_TRACKING_CURRENT_VERSION()", SqlType::BigInt, true),
        ("@@ROWCOUNT", SqlType::Int, false),
        ("MIN_ACTIVE_ROWVERSION()", SqlType::Binary(8), false),
        ("DATABASEPROPERTYEX('wms', 'IsChangeTrackingEnabled')", SqlType::TinyInt, true),
    ] {
        let scalar = bound(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
        assert_eq!((scalar.sql_type, scalar.nullable), (expected, nullable), "{text}");
    }
}

#[test]
fn arithmetic_and_conversion_give_the_values_of_the_server() {
    for (text, expected) in [
        ("7 / 2", "3"),
        ("-7 % 3", "-1"),
        ("100 / -10 / 2", "-20"),
        ("4.00 / 7", "0.571428"),
        ("$1.00 / 7", "0.14"),
        ("CONVERT(varchar(20), $1.00 / 7, 2)", "0.1428"),
        ("CONVERT(varchar(20), $1.0001 * $0.5555, 2)", "0.5556"),
        ("CAST(2.5 AS int)", "2"),
        ("CAST(-2.5 AS decimal(5, 0))", "-3"),
        ("CAST(1234.5678 AS decimal(10, 2))", "1234.57"),
        ("CAST(' 42 ' AS int)", "42"),
        ("CAST('' AS int)", "0"),
        ("1 + '2'", "3"),
        ("CAST(12345 AS varchar(3))", "*"),
        ("CAST('abcdef' AS varchar(3))", "abc"),
        ("CAST(N'€ł' AS varchar(10))", "€?"),
        ("CAST(1e10 AS varchar(30))", "1e+010"),
        ("CAST(0.1e0 AS varchar(30))", "0.1"),
        ("CONVERT(varchar(30), CAST(0.1 AS float), 3)", "1.0000000000000001e-001"),
        ("CONVERT(varchar(30), $1234567.891, 1)", "1,234,567.89"),
        ("CAST(0x0102 AS int)", "258"),
        ("CAST(258 AS binary(4))", "0x00000102"),
        ("CAST(0x61 AS varchar(1))", "a"),
        ("CONVERT(varbinary(4), '0x1F', 1)", "0x1F"),
        ("CAST(CAST('2026-11-24' AS datetime) + 1.5 AS varchar(30))", "Nov 25 2026 12:00PM"),
        (
            "CONVERT(nvarchar(23), CAST('2026-11-24 01:02:03.004' AS datetime), 126)",
            "2026-11-24T01:02:03.003",
        ),
        (
            "CONVERT(varchar(40), CAST('2026-11-24 23:59:59.9999999' AS datetime2(3)), 121)",
            "2026-11-25 00:00:00.000",
        ),
        (
            "CONVERT(varchar(40), CAST('2026-11-24 10:00:00 +05:30' AS datetimeoffset(0)), 127)",
            "2026-11-24T04:30:00Z",
        ),
        ("CONVERT(varchar(20), CAST('20261124' AS date), 103)", "24/11/2026"),
        ("CAST('10:20:30.5' AS time(1))", "10:20:30.5"),
        (
            "CAST('6F9619FF-8B86-D011-B42D-00C04FC964FF' AS uniqueidentifier)",
            "6F9619FF-8B86-D011-B42D-00C04FC964FF",
        ),
        ("TRY_CAST('x' AS int)", "NULL"),
        ("ISNULL(NULL, 'a')", "a"),
        ("CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END", "b"),
        ("IIF(NULL = 1, 'a', 'b')", "b"),
        ("CASE WHEN 'abc ' = 'ABC' AND N'é' <> N'e' THEN 1 ELSE 0 END", "1"),
        ("CASE WHEN 1 NOT IN (2, NULL) THEN 1 ELSE 0 END", "0"),
        ("CASE WHEN 'x  ' LIKE 'x' AND N'x  ' NOT LIKE N'x' THEN 1 ELSE 0 END", "1"),
        ("5 & 3 | 8", "9"),
        ("~CAST(1 AS tinyint)", "254"),
    ] {
        assert_eq!(value(text).unwrap_or_else(|e| panic!("{text}: {e}")), expected, "{text}");
    }
}

#[test]
fn functions() {
    for (text, expected) in [
        ("LEN('ab  ')", "2"),
        ("DATALENGTH(N'ab  ')", "8"),
        ("LEFT('abc', 2) + RIGHT('abc', 1)", "abc"),
        ("SUBSTRING('abcdef', -1, 4)", "ab"),
        ("REPLACE('aXbx', 'x', '-')", "a-b-"),
        ("CHARINDEX('C', 'abcabc', 4)", "6"),
        ("PATINDEX('%[0-9]%', 'ab7')", "3"),
        ("STUFF('abcdef', 2, 3, 'X')", "aXef"),
        ("REPLICATE('ab', 3)", "ababab"),
        ("REVERSE('abc')", "cba"),
        ("LTRIM('  a ') + '|' + RTRIM(' a  ') + '|' + TRIM('x' FROM 'xax')", "a | a|a"),
        ("STR(3.14159, 6, 2)", "  3.14"),
        ("QUOTENAME('a]b')", "[a]]b]"),
        ("CONCAT_WS('-', 'a', NULL, 'b')", "a-b"),
        ("CHAR(65) + NCHAR(8364)", "A€"),
        ("UNICODE(N'€') + ASCII('A')", "8429"),
        ("ROUND(2.345, 2)", "2.350"),
        ("ROUND(-1250, -2)", "-1300"),
        ("ROUND(2.349, 2, 1)", "2.340"),
        ("FLOOR(-1.5)", "-2"),
        ("CEILING(1.2)", "2"),
        ("ABS(-5) + SIGN(-2.5) + POWER(2, 3)", "12.0"),
        ("DATEDIFF(day, '2026-01-31 23:59', '2026-02-01 00:01')", "1"),
        ("DATEDIFF(month, '2026-01-31', '2026-03-01')", "2"),
        ("DATEDIFF(week, '2026-11-21', '2026-11-22')", "1"),
        ("DATEADD(month, 1, CAST('2026-01-31' AS date))", "2026-02-28"),
        ("DATEPART(weekday, '2026-11-24')", "3"),
        ("DATENAME(month, '2026-11-24')", "November"),
        ("YEAR('2026-11-24') + MONTH('2026-11-24') + DAY('2026-11-24')", "2061"),
        ("EOMONTH('2026-02-10')", "2026-02-28"),
        ("DATEFROMPARTS(2026, 2, 28)", "2026-02-28"),
        (
            "HASHBYTES('SHA2_256', 'abc')",
            "0xBA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
        ),
        (
            "CASE WHEN CHECKSUM(1.50) = CHECKSUM(1.5) AND CHECKSUM('a') = CHECKSUM('A ') THEN 1 ELSE 0 END",
            "1",
        ),
        ("DB_NAME() + DB_NAME(1)", "wmsmaster"),
        ("OBJECT_ID(N'dbo.nothing')", "NULL"),
        ("SCHEMA_NAME(1) + TYPE_NAME(56) + SCHEMA_NAME(SCHEMA_ID('sys'))", "dbointsys"),
        ("CAST(SERVERPROPERTY('EngineEdition') AS varchar(5))", "3"),
        ("HAS_PERMS_BY_NAME(NULL, 'DATABASE', 'VIEW CHANGE TRACKING')", "1"),
        ("CHANGE_TRACKING_IS_COLUMN_IN_MASK(3, 0x0000000003000000)", "1"),
        ("CHANGE_TRACKING_CURRENT_VERSION()", "NULL"),
        ("XACT_STATE() + @@TRANCOUNT", "0"),
    ] {
        assert_eq!(value(text).unwrap_or_else(|e| panic!("{text}: {e}")), expected, "{text}");
    }
}

#[test]
fn what_fails_has_the_number_of_the_server() {
    for (text, expected) in [
        ("1 / 0", 8134),
        ("2147483647 + 1", 8115),
        ("CAST(1 AS tinyint) - CAST(2 AS tinyint)", 8115),
        ("CAST(300 AS tinyint)", 220),
        ("CAST('5.5' AS int)", 245),
        ("CAST('99999999999' AS int)", 248),
        ("CAST('x' AS decimal(5, 2))", 8114),
        ("CAST(1234.5 AS decimal(5, 2))", 8115),
        ("CAST(123456 AS nvarchar(3))", 8115),
        ("CAST('2026-02-30' AS date)", 241),
        ("CAST('1700-01-01' AS datetime)", 242),
        ("CAST(1 AS date)", 529),
        ("1 + CAST('2026-01-01' AS date)", 206),
        ("CAST(1 AS bit) + CAST(1 AS bit)", 402),
        ("CAST(1 AS bit) * CAST(1 AS bit)", 8117),
        ("1e0 % 2", 402),
        ("'a' - 'b'", 8117),
        ("CASE WHEN CAST('10:00' AS time) = GETDATE() THEN 1 END", 402),
        ("NOSUCH(1)", 195),
        ("LEN()", 174),
        ("@nothing", 137),
        ("nothing", 207),
        ("a.nothing", 4104),
        ("CHANGE_TRACKING_MIN_VALID_VERSION(NULL)", 8116),
        ("CHANGE_TRACKING_MIN_VALID_VERSION('1')", 8116),
        ("CONVERT(varchar(30), GETDATE(), 99)", 281),
        ("DATEPART(nonsense, GETDATE())", 155),
        ("DATEADD(hour, 1, CAST('2026-01-01' AS date))", 9810),
        ("COUNT(1)", 147),
    ] {
        assert_eq!(number(text), expected, "{text}");
    }
}
