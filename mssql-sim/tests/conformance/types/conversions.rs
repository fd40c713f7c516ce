//! The table of conversions as it is documented for CAST and CONVERT.

use crate::target::Target;

/// Types, in the order of the table's columns.
const TYPES: [&str; 28] = [
    "binary(8)",
    "varbinary(8)",
    "char(8)",
    "varchar(8)",
    "nchar(8)",
    "nvarchar(8)",
    "datetime",
    "smalldatetime",
    "date",
    "time",
    "datetimeoffset",
    "datetime2",
    "decimal(9, 2)",
    "numeric(9, 2)",
    "float",
    "real",
    "bigint",
    "int",
    "smallint",
    "tinyint",
    "money",
    "smallmoney",
    "bit",
    "uniqueidentifier",
    "image",
    "ntext",
    "text",
    "sql_variant",
];

/// From each type to every type: `i` implicitly, `e` only when asked, `-` never, `.` not asserted.
const TABLE: [&str; 28] = [
    // b v c v n n d s d t o 2 d n f r b i s t m s b u i n t v
    "i i i i i i i i e e e e i i - - i i i i i i i i i - - i", // binary
    "i i i i i i i i e e e e i i - - i i i i i i i i i - - i", // varbinary
    "e e i i i i i i i i i i i i i i i i i i i i i i i i i i", // char
    "e e i i i i i i i i i i i i i i i i i i i i i i i i i i", // varchar
    "e e i i i i i i i i i i i i i i i i i i i i i i - i i i", // nchar
    "e e i i i i i i i i i i i i i i i i i i i i i i - i i i", // nvarchar
    "e e i i i i i i i i i i e e e e e e e e e e e - - - - i", // datetime
    "e e i i i i i i i i i i e e e e e e e e e e e - - - - i", // smalldatetime
    "e e i i i i i i i - i i - - - - - - - - - - - - - - - i", // date
    "e e i i i i i i - i i i - - - - - - - - - - - - - - - i", // time
    "e e i i i i i i i i i i - - - - - - - - - - - - - - - i", // datetimeoffset
    "e e i i i i i i i i i i - - - - - - - - - - - - - - - i", // datetime2
    "i i i i i i i i - - - - i i i i i i i i i i i - - - - i", // decimal
    "i i i i i i i i - - - - i i i i i i i i i i i - - - - i", // numeric
    ". . i i i i i i - - - - i i i i i i i i i i i - - - - i", // float
    ". . i i i i i i - - - - i i i i i i i i i i i - - - - i", // real
    "i i i i i i i i - - - - i i i i i i i i i i i - - - - i", // bigint
    "i i i i i i i i - - - - i i i i i i i i i i i - - - - i", // int
    "i i i i i i i i - - - - i i i i i i i i i i i - - - - i", // smallint
    "i i i i i i i i - - - - i i i i i i i i i i i - - - - i", // tinyint
    "i i i i i i i i - - - - i i i i i i i i i i i - - - - i", // money
    "i i i i i i i i - - - - i i i i i i i i i i i - - - - i", // smallmoney
    "i i i i i i i i - - - - i i i i i i i i i i i - - - - i", // bit
    "i i i i i i - - - - - - - - - - - - - - - - - i - - - i", // uniqueidentifier
    "i i - - - - - - - - - - - - - - - - - - - - - - i - - -", // image
    "- - i i i i - - - - - - - - - - - - - - - - - - - i i -", // ntext
    "- - i i i i - - - - - - - - - - - - - - - - - - - i i -", // text
    "e e e e e e e e e e e e e e e e e e e e e e e e - - - i", // sql_variant
];

/// The errors that may stand for a conversion that is refused.
const NEVER_BY_CAST: i32 = 529;
const NEVER_BY_ITSELF: i32 = 206;
const ONLY_WHEN_ASKED: i32 = 257;

#[tokio::test]
async fn types_convert_as_the_table_says() {
    let target = Target::new().await;
    let mut session = target.session().await;
    let columns = (0..TYPES.len()).map(|i| format!("c{i} {} NULL", TYPES[i])).collect::<Vec<_>>();
    session.run(&format!("CREATE TABLE dbo.every (id int NULL, {})", columns.join(", "))).await;
    let mut wrong = Vec::new();
    for (from, row) in TABLE.iter().enumerate() {
        for (to, expected) in row.split(' ').enumerate().filter(|(to, _)| *to != from) {
            let (by_cast, by_itself) = match expected {
                "i" => (0, 0),
                "e" => (0, ONLY_WHEN_ASKED),
                "-" => (NEVER_BY_CAST, NEVER_BY_ITSELF),
                _ => continue,
            };
            // No row is there, so that only the types decide.
            let cast = format!("SELECT CAST(c{from} AS {}) FROM dbo.every", TYPES[to]);
            let assigned = format!("UPDATE dbo.every SET c{to} = c{from}");
            for (sql, expected) in [(cast, by_cast), (assigned, by_itself)] {
                let given = session.batch(&sql).await.error();
                if given != expected {
                    wrong.push(format!("{} to {}: {given}, not {expected}: {sql}", TYPES[from], TYPES[to]));
                }
            }
        }
    }
    drop(session);
    target.close().await;
    assert!(wrong.is_empty(), "{} conversions differ:\n{}", wrong.len(), wrong.join("\n"));
}
