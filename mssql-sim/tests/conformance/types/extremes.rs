//! The smallest and the largest value of every type, and NULL: from a column, through a variable, as a parameter.

use crate::target::Target;

/// A type, an expression that gives one of its extremes, and the value as this suite shows it.
const EXTREMES: &[(&str, &str, &str)] = &[
    ("bit", "0", "0"),
    ("bit", "1", "1"),
    ("tinyint", "0", "0"),
    ("tinyint", "255", "255"),
    ("smallint", "-32768", "-32768"),
    ("smallint", "32767", "32767"),
    ("int", "-2147483648", "-2147483648"),
    ("int", "2147483647", "2147483647"),
    ("bigint", "-9223372036854775808", "-9223372036854775808"),
    ("bigint", "9223372036854775807", "9223372036854775807"),
    ("decimal(38,0)", "-99999999999999999999999999999999999999", "-99999999999999999999999999999999999999"),
    (
        "decimal(38,38)",
        "0.99999999999999999999999999999999999999",
        "0.99999999999999999999999999999999999999",
    ),
    ("decimal(1,0)", "9", "9"),
    ("decimal(10,2)", "-99999999.99", "-99999999.99"),
    ("numeric(20,4)", "9999999999999999.9999", "9999999999999999.9999"),
    ("money", "-922337203685477.5808", "-922337203685477.5808"),
    ("money", "922337203685477.5807", "922337203685477.5807"),
    ("smallmoney", "-214748.3648", "-214748.3648"),
    ("smallmoney", "214748.3647", "214748.3647"),
    ("real", "-3.40e38", "-340000000000000000000000000000000000000.0"),
    ("real", "1.5e-1", "0.15"),
    ("float", "0.1e0", "0.1"),
    ("float", "-4e0", "-4.0"),
    ("datetime", "'17530101'", "1753-01-01 00:00:00.000"),
    ("datetime", "'99991231 23:59:59.997'", "9999-12-31 23:59:59.997"),
    ("smalldatetime", "'19000101'", "1900-01-01 00:00"),
    ("smalldatetime", "'20790606 23:59'", "2079-06-06 23:59"),
    ("date", "'0001-01-01'", "0001-01-01"),
    ("date", "'9999-12-31'", "9999-12-31"),
    ("time(0)", "'23:59:59'", "23:59:59"),
    ("time(7)", "'23:59:59.9999999'", "23:59:59.9999999"),
    ("datetime2(0)", "'0001-01-01'", "0001-01-01 00:00:00"),
    ("datetime2(3)", "'9999-12-31 23:59:59.999'", "9999-12-31 23:59:59.999"),
    ("datetime2(7)", "'9999-12-31 23:59:59.9999999'", "9999-12-31 23:59:59.9999999"),
    ("datetimeoffset(7)", "'0001-01-01 14:00:00 +14:00'", "0001-01-01 14:00:00.0000000 +14:00"),
    ("datetimeoffset(0)", "'9999-12-31 09:59:59 -14:00'", "9999-12-31 09:59:59 -14:00"),
    ("char(3)", "''", "'   '"),
    ("char(3)", "'abc'", "'abc'"),
    ("varchar(3)", "''", "''"),
    ("varchar(8000)", "REPLICATE('x', 8000)", "'8000 of x'"),
    ("varchar(max)", "REPLICATE(CAST('x' AS varchar(max)), 9000)", "'9000 of x'"),
    ("nchar(2)", "N''", "'  '"),
    ("nvarchar(4000)", "REPLICATE(N'x', 4000)", "'4000 of x'"),
    ("nvarchar(max)", "N''", "''"),
    ("nvarchar(5)", "N'\u{1f69a}\u{e9}\u{4e2d}'", "'\u{1f69a}\u{e9}\u{4e2d}'"),
    ("binary(2)", "0x", "0x0000"),
    ("binary(2)", "0xFFFF", "0xFFFF"),
    ("varbinary(2)", "0x", "0x"),
    ("varbinary(max)", "CAST(REPLICATE(CAST('A' AS varchar(max)), 9000) AS varbinary(max))", "0x9000 of 41"),
    ("uniqueidentifier", "'00000000-0000-0000-0000-000000000000'", "00000000-0000-0000-0000-000000000000"),
    ("uniqueidentifier", "'ffffffff-ffff-ffff-ffff-ffffffffffff'", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"),
    ("sql_variant", "CAST(255 AS tinyint)", "tinyint 255"),
    ("xml", "N'<a/>'", "'<a/>'"),
    ("hierarchyid", "0x", "0x"),
];

/// `N of x` written out.
fn expanded(expected: &str) -> String {
    let Some((head, tail)) = expected.split_once(" of ") else { return expected.to_owned() };
    let start = head.find(|c: char| c.is_ascii_digit() && !head.starts_with("0x")).unwrap_or(2);
    let (prefix, count) = head.split_at(start);
    let (unit, suffix) = tail.split_at(tail.find('\'').unwrap_or(tail.len()));
    format!("{prefix}{}{suffix}", unit.repeat(count.parse().expect("a count")))
}

#[tokio::test]
async fn extremes_and_null_come_back() {
    let target = Target::new().await;
    let mut session = target.session().await;
    let mut wrong = Vec::new();
    for (number, (sql_type, literal, expected)) in EXTREMES.iter().enumerate() {
        let table = format!("dbo.extreme_{number}");
        session.run(&format!("CREATE TABLE {table} (v {sql_type} NOT NULL, n {sql_type} NULL)")).await;
        session.run(&format!("INSERT {table} VALUES ({literal}, {literal}), ({literal}, NULL)")).await;
        let variable = format!(
            "DECLARE @v {sql_type} = {literal}, @n {sql_type}; SELECT @v, @n; \
             EXEC sp_executesql N'SELECT @v, @n', N'@v {sql_type}, @n {sql_type}', @v = @v, @n = @n"
        );
        let expected = expanded(expected);
        let (both, null) = (format!("row {expected} | {expected}"), format!("row {expected} | NULL"));
        for (sql, rows) in [(format!("SELECT v, n FROM {table}"), [&both, &null]), (variable, [&null, &null])]
        {
            let lines = session.batch(&sql).await.lines();
            let given: Vec<_> =
                lines.iter().filter(|line| line.starts_with("row") || line.starts_with("error")).collect();
            if given != rows {
                let shown: Vec<String> = given.iter().map(|line| line.chars().take(120).collect()).collect();
                wrong.push(format!("{sql_type} {literal:.60}: {shown:?}\n  {sql:.200}"));
            }
        }
    }
    drop(session);
    target.close().await;
    assert!(wrong.is_empty(), "{} extremes differ:\n{}", wrong.len(), wrong.join("\n"));
}
