//! Error numbers: each provoked by a batch, with what it ends.

use crate::target::Target;
use crate::tds::Session;

/// How far an error reaches when nothing catches it and XACT_ABORT is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// The batch runs on.
    Statement,
    /// The rest of the batch does not run; the transaction stays.
    Batch,
    /// The transaction is rolled back too.
    Transaction,
}

/// A batch, the error that it fails with (number, class, state), a part of its text, and what it ends.
type Case = (&'static str, (i32, u8, u8), &'static str, Ends);

const TABLES: &str = "
    CREATE TABLE dbo.parent (id int NOT NULL CONSTRAINT pk_parent PRIMARY KEY, code varchar(3) NULL CONSTRAINT uq_code UNIQUE,
        qty int NULL CONSTRAINT ck_qty CHECK (qty > 0), twice AS id * 2, rv rowversion);
    CREATE TABLE dbo.child (id int IDENTITY(1, 1) NOT NULL CONSTRAINT pk_child PRIMARY KEY,
        parent int NOT NULL CONSTRAINT fk_child REFERENCES dbo.parent (id), note varchar(5) NULL);
    CREATE UNIQUE INDEX ux_note ON dbo.child (note);
    INSERT INTO dbo.parent (id, code) VALUES (1, 'a'), (2, 'b');
    INSERT INTO dbo.child (parent, note) VALUES (1, 'x'), (2, NULL);";

const SYNTAX: &[Case] = &[
    ("SELECT FROM dbo.parent", (156, 15, 1), "Incorrect syntax near the keyword 'FROM'.", Ends::Batch),
    ("SELECT 1)", (102, 15, 1), "Incorrect syntax near ')'.", Ends::Batch),
    ("SELECT 'open", (105, 15, 1), "Unclosed quotation mark after the character string", Ends::Batch),
    ("SELECT @nosuch", (137, 15, 2), "Must declare the scalar variable \"@nosuch\".", Ends::Batch),
    ("DECLARE @a int, @a int", (134, 15, 1), "has already been declared", Ends::Batch),
    ("SELECT NOSUCH(1)", (195, 15, 10), "'NOSUCH' is not a recognized built-in function name.", Ends::Batch),
    (
        "SELECT DATEADD(fortnight, 1, '2024-01-01')",
        (155, 15, 1),
        "'fortnight' is not a recognized dateadd option.",
        Ends::Batch,
    ),
    (
        "SELECT id FROM dbo.parent WITH (BOGUS)",
        (321, 15, 1),
        "\"BOGUS\" is not a recognized table hints option.",
        Ends::Batch,
    ),
    (
        "SELECT id FROM dbo.parent WITH (NOLOCK, XLOCK)",
        (1047, 15, 1),
        "Conflicting locking hints specified.",
        Ends::Batch,
    ),
    (
        "INSERT INTO dbo.parent (id, code) VALUES (3)",
        (109, 15, 1),
        "There are more columns in the INSERT statement than values",
        Ends::Batch,
    ),
    (
        "INSERT INTO dbo.parent (id) VALUES (3, 4)",
        (110, 15, 1),
        "There are fewer columns in the INSERT statement than values",
        Ends::Batch,
    ),
    (
        "SELECT * FROM (VALUES (1), (2, 3)) v(a)",
        (10709, 15, 1),
        "The number of columns for each row in a table value constructor",
        Ends::Batch,
    ),
    (
        "SELECT COUNT(*) FROM dbo.parent WHERE COUNT(*) > 1",
        (147, 15, 1),
        "An aggregate may not appear in the WHERE clause",
        Ends::Batch,
    ),
    (
        "SELECT ROW_NUMBER() OVER () FROM dbo.parent",
        (4112, 15, 1),
        "must have an OVER clause with ORDER BY",
        Ends::Batch,
    ),
    (
        "SELECT id FROM (SELECT id FROM dbo.parent ORDER BY id) d",
        (1033, 15, 1),
        "The ORDER BY clause is invalid in views",
        Ends::Batch,
    ),
];

const NAMES: &[Case] = &[
    ("SELECT id FROM dbo.nosuch", (208, 16, 1), "Invalid object name 'dbo.nosuch'.", Ends::Batch),
    ("SELECT nosuch FROM dbo.parent", (207, 16, 1), "Invalid column name 'nosuch'.", Ends::Batch),
    ("SELECT id FROM dbo.parent, dbo.child", (209, 16, 1), "Ambiguous column name 'id'.", Ends::Batch),
    (
        "SELECT q.id FROM dbo.parent",
        (4104, 16, 1),
        "The multi-part identifier \"q.id\" could not be bound.",
        Ends::Batch,
    ),
    (
        "SELECT id FROM dbo.parent ORDER BY 3",
        (108, 16, 1),
        "The ORDER BY position number 3 is out of range",
        Ends::Batch,
    ),
    ("SELECT 1 UNION SELECT 1, 2", (205, 16, 1), "must have an equal number of expressions", Ends::Batch),
    (
        "SELECT (SELECT id, code FROM dbo.parent)",
        (116, 16, 1),
        "Only one expression can be specified",
        Ends::Batch,
    ),
    ("SELECT id, COUNT(*) FROM dbo.parent", (8120, 16, 1), "is invalid in the select list", Ends::Batch),
    (
        "INSERT INTO dbo.parent (id, nosuch) VALUES (3, 1)",
        (207, 16, 1),
        "Invalid column name 'nosuch'.",
        Ends::Batch,
    ),
    ("EXEC dbo.nosuch", (2812, 16, 62), "Could not find stored procedure 'dbo.nosuch'.", Ends::Statement),
    (
        "USE conformance_nosuch",
        (911, 16, 1),
        "does not exist. Make sure that the name is entered correctly.",
        Ends::Batch,
    ),
];

const TYPES: &[Case] = &[
    (
        "SELECT CAST('x' AS int)",
        (245, 16, 1),
        "Conversion failed when converting the varchar value 'x' to data type int.",
        Ends::Transaction,
    ),
    (
        "SELECT CAST('x' AS date)",
        (241, 16, 1),
        "Conversion failed when converting date and/or time",
        Ends::Transaction,
    ),
    (
        "SELECT CAST('x' AS decimal(5, 2))",
        (8114, 16, 5),
        "Error converting data type varchar to numeric.",
        Ends::Transaction,
    ),
    (
        "SELECT CAST('2024-02-30' AS datetime)",
        (242, 16, 3),
        "resulted in an out-of-range value",
        Ends::Statement,
    ),
    (
        "DECLARE @i int = 300 SELECT CAST(@i AS tinyint)",
        (220, 16, 1),
        "Arithmetic overflow error for data type tinyint, value = 300.",
        Ends::Statement,
    ),
    (
        "SELECT CAST(1 AS date)",
        (529, 16, 2),
        "Explicit conversion from data type int to date is not allowed.",
        Ends::Batch,
    ),
    ("DECLARE @d date = 1", (206, 16, 2), "Operand type clash: int is incompatible with date", Ends::Batch),
    (
        "SELECT CAST(1 AS bit) + CAST(1 AS bit)",
        (402, 16, 1),
        "The data types bit and bit are incompatible in the add operator.",
        Ends::Batch,
    ),
    (
        "SELECT SUM(code) FROM dbo.parent",
        (8117, 16, 1),
        "Operand data type varchar is invalid for sum operator.",
        Ends::Batch,
    ),
    ("SELECT 1 / 0", (8134, 16, 1), "Divide by zero error encountered.", Ends::Statement),
    (
        "SELECT 2147483647 + 1",
        (8115, 16, 2),
        "Arithmetic overflow error converting expression to data type int.",
        Ends::Statement,
    ),
    (
        "SELECT DATEADD(year, 9000, CAST('2024-01-01' AS date))",
        (517, 16, 3),
        "Adding a value to a 'date' column caused an overflow.",
        Ends::Statement,
    ),
    (
        "SELECT (SELECT id FROM dbo.parent)",
        (512, 16, 1),
        "Subquery returned more than 1 value.",
        Ends::Statement,
    ),
];

const WRITES: &[Case] = &[
    (
        "INSERT INTO dbo.parent (id) VALUES (1)",
        (2627, 14, 1),
        "Violation of PRIMARY KEY constraint 'pk_parent'.",
        Ends::Statement,
    ),
    (
        "INSERT INTO dbo.child (parent, note) VALUES (1, 'x')",
        (2601, 14, 1),
        "Cannot insert duplicate key row in object 'dbo.child' with unique index 'ux_note'.",
        Ends::Statement,
    ),
    (
        "INSERT INTO dbo.parent (id) VALUES (NULL)",
        (515, 16, 2),
        "Cannot insert the value NULL into column 'id'",
        Ends::Statement,
    ),
    (
        "INSERT INTO dbo.parent (id, qty) VALUES (3, 0)",
        (547, 16, 0),
        "conflicted with the CHECK constraint \"ck_qty\"",
        Ends::Statement,
    ),
    (
        "DELETE FROM dbo.parent WHERE id = 1",
        (547, 16, 0),
        "conflicted with the REFERENCE constraint \"fk_child\"",
        Ends::Statement,
    ),
    (
        "INSERT INTO dbo.parent (id, code) VALUES (3, 'long')",
        (2628, 16, 1),
        "String or binary data would be truncated in table",
        Ends::Statement,
    ),
    (
        "INSERT INTO dbo.child (id, parent) VALUES (9, 1)",
        (544, 16, 1),
        "when IDENTITY_INSERT is set to OFF.",
        Ends::Statement,
    ),
    ("UPDATE dbo.child SET id = 9", (8102, 16, 1), "Cannot update identity column 'id'.", Ends::Batch),
    ("UPDATE dbo.parent SET twice = 9", (271, 16, 1), "The column \"twice\" cannot be modified", Ends::Batch),
    ("UPDATE dbo.parent SET rv = 0x01", (272, 16, 1), "Cannot update a timestamp column.", Ends::Batch),
    (
        "INSERT INTO dbo.parent (id, rv) VALUES (3, 0x01)",
        (273, 16, 1),
        "Cannot insert an explicit value into a timestamp column.",
        Ends::Batch,
    ),
    (
        "INSERT INTO dbo.parent VALUES (3)",
        (213, 16, 1),
        "Column name or number of supplied values does not match table definition.",
        Ends::Batch,
    ),
    (
        "SET IDENTITY_INSERT dbo.parent ON",
        (8106, 16, 1),
        "does not have the identity property",
        Ends::Statement,
    ),
    (
        "TRUNCATE TABLE dbo.parent",
        (4712, 16, 1),
        "Cannot truncate table 'dbo.parent' because it is being referenced by a FOREIGN KEY constraint.",
        Ends::Statement,
    ),
    ("TRUNCATE TABLE dbo.nosuch", (4701, 16, 1), "Cannot find the object \"nosuch\"", Ends::Statement),
];

const DEFINITIONS: &[Case] = &[
    (
        "CREATE TABLE dbo.parent (id int)",
        (2714, 16, 6),
        "There is already an object named 'parent' in the database.",
        Ends::Batch,
    ),
    (
        "CREATE TABLE dbo.twice (id int, id int)",
        (2705, 16, 3),
        "Column names in each table must be unique.",
        Ends::Batch,
    ),
    ("CREATE TABLE dbo.odd (id nosuch)", (2715, 16, 6), "Cannot find data type nosuch.", Ends::Batch),
    (
        "CREATE TABLE nosuch.t (id int)",
        (2760, 16, 1),
        "The specified schema name \"nosuch\" either does not exist",
        Ends::Batch,
    ),
    ("DROP TABLE dbo.nosuch", (3701, 11, 5), "Cannot drop the table 'dbo.nosuch'", Ends::Statement),
    (
        "DROP TABLE dbo.parent",
        (3726, 16, 1),
        "Could not drop object 'dbo.parent' because it is referenced by a FOREIGN KEY constraint.",
        Ends::Statement,
    ),
    ("ALTER TABLE dbo.nosuch ADD a int", (4902, 16, 1), "Cannot find the object \"dbo.nosuch\"", Ends::Batch),
    (
        "ALTER TABLE dbo.parent DROP COLUMN nosuch",
        (4924, 16, 1),
        "ALTER TABLE DROP COLUMN failed because column 'nosuch' does not exist",
        Ends::Batch,
    ),
    (
        "ALTER TABLE dbo.parent ADD must int NOT NULL",
        (4901, 16, 1),
        "ALTER TABLE only allows columns to be added that can contain nulls",
        Ends::Batch,
    ),
    (
        "CREATE INDEX ix ON dbo.parent (nosuch)",
        (1911, 16, 1),
        "Column name 'nosuch' does not exist",
        Ends::Batch,
    ),
];

const SESSIONS: &[Case] = &[
    ("RAISERROR('own words', 16, 3)", (50000, 16, 3), "own words", Ends::Statement),
    ("SELECT 1; THROW 51000, 'thrown', 2", (51000, 16, 2), "thrown", Ends::Batch),
    (
        "ROLLBACK TRAN nosuch",
        (6401, 16, 1),
        "Cannot roll back nosuch. No transaction or savepoint of that name was found.",
        Ends::Statement,
    ),
    (
        "ALTER DATABASE CURRENT SET ALLOW_SNAPSHOT_ISOLATION ON",
        (226, 16, 6),
        "ALTER DATABASE statement not allowed within multi-statement transaction.",
        Ends::Transaction,
    ),
    (
        "SELECT * FROM CHANGETABLE(CHANGES dbo.parent, 0) c",
        (22105, 16, 1),
        "Change tracking is not enabled on table 'dbo.parent'.",
        Ends::Batch,
    ),
    ("SELECT * FROM CHANGETABLE(CHANGES dbo.parent, 0)", (22104, 16, 1), "CHANGETABLE", Ends::Batch),
    (
        "ALTER TABLE dbo.parent DISABLE CHANGE_TRACKING",
        (4998, 16, 1),
        "Change tracking is not enabled on table",
        Ends::Batch,
    ),
];

/// What a batch, in a transaction, was answered.
async fn provoke(session: &mut Session, sql: &str) -> String {
    session.run("BEGIN TRANSACTION").await;
    let answer = session.batch(&format!("{sql}\nSELECT 'went on'")).await;
    let went_on = answer.rows().ends_with("went on");
    let left = session.run("SELECT @@TRANCOUNT, XACT_STATE(); IF @@TRANCOUNT > 0 ROLLBACK").await.rows();
    let ends = match (went_on, left.as_str()) {
        (true, "1,1") => Ends::Statement,
        (false, "1,1") => Ends::Batch,
        (false, "0,0") => Ends::Transaction,
        odd => panic!("{sql}: {odd:?}"),
    };
    match answer.errors().last() {
        Some(error) => format!("{} {} {} {ends:?} {}", error.number, error.class, error.state, error.text),
        None => "no error".into(),
    }
}

#[tokio::test]
async fn every_number_has_its_class_its_state_and_its_reach() {
    let target = Target::new().await;
    let mut session = target.session().await;
    session.run(TABLES).await;
    let cases = [SYNTAX, NAMES, TYPES, WRITES, DEFINITIONS, SESSIONS].concat();
    let mut wrong = Vec::new();
    for (sql, (number, class, state), text, ends) in &cases {
        let given = provoke(&mut session, sql).await;
        let expected = format!("{number} {class} {state} {ends:?} ");
        if !(given.starts_with(&expected) && given.contains(text)) {
            wrong.push(format!("{sql}\n  expected {expected}{text}\n  given    {given}"));
        }
    }
    drop(session);
    target.close().await;
    assert!(wrong.is_empty(), "{} of {} differ\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
