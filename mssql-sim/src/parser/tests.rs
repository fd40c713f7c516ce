//! What statements parse to, and how refused ones are refused.

use super::ast::*;
use super::*;
use crate::types::{Length, SqlType, Value};

fn statements(text: &str) -> Vec<Statement> {
    let located = parse_batch(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    located.into_iter().map(|l| l.statement).collect()
}

fn expression(text: &str) -> Expr {
    match statements(&format!("SET @x = {text}")).remove(0) {
        Statement::SetVariable(_, expr) => expr,
        other => panic!("{other:?}"),
    }
}

fn int(n: i64) -> Expr {
    Expr::Literal(Value::Int(n), SqlType::Int)
}

fn select(text: &str) -> Select {
    match statements(text).remove(0) {
        Statement::Select(Query { body: QueryBody::Select(select), .. }) => *select,
        other => panic!("{other:?}"),
    }
}

fn column(name: &str) -> Expr {
    Expr::Column(vec![name.to_owned()])
}

fn refusal(text: &str) -> (i32, i32, String) {
    match parse_batch(text) {
        Ok(parsed) => panic!("{text} parsed to {parsed:?}"),
        Err(e) => (e.number, e.line, e.message),
    }
}

#[test]
fn statements_need_no_semicolons() {
    let parsed = statements(
        "DECLARE @v bigint = 1, @w nvarchar(10) SET @v += 2 SELECT 1 SELECT @v AS a BEGIN TRAN t1 SELECT 1 COMMIT \
         IF @v > 1 SELECT 2; ELSE SELECT 3 WHILE 1 = 0 BREAK ROLLBACK set nocount, xact_abort on SET TEXTSIZE -1;;",
    );
    assert_eq!(parsed.len(), 12, "{parsed:#?}");
    assert!(matches!(&parsed[7], Statement::If { otherwise: Some(_), .. }));
    assert_eq!(
        parsed[10],
        Statement::SetOption(SetOption::Switch(vec!["NOCOUNT".to_owned(), "XACT_ABORT".to_owned()], true))
    );
    assert_eq!(parsed[11], Statement::SetOption(SetOption::Other("TEXTSIZE".to_owned(), "-1".to_owned())));
    let lines: Vec<i32> =
        parse_batch("select 1\n\n/*\n*/ select\n2").unwrap().iter().map(|l| l.line).collect();
    assert_eq!(lines, [1, 4]);
}

#[test]
fn literals_have_the_types_of_the_server() {
    let numeric = |unscaled, precision, scale| {
        Expr::Literal(Value::Decimal { unscaled, scale }, SqlType::Numeric { precision, scale })
    };
    let cases = [
        ("3", int(3)),
        ("-2147483648", int(-2_147_483_648)),
        ("2147483648", numeric(2_147_483_648, 10, 0)),
        ("000000000001", numeric(1, 1, 0)),
        ("0.1", numeric(1, 1, 1)),
        ("-1.5", numeric(-15, 2, 1)),
        ("100.0", numeric(1000, 4, 1)),
        ("1e2", Expr::Literal(Value::Float(100.0), SqlType::Float)),
        ("''", Expr::Literal(Value::text(""), SqlType::VarChar(Length::Limited(1)))),
        ("N'añ'", Expr::Literal(Value::text("añ"), SqlType::NVarChar(Length::Limited(2)))),
        ("0xAABB", Expr::Literal(Value::Bytes(vec![0xAA, 0xBB]), SqlType::VarBinary(Length::Limited(2)))),
        ("$12.34567", Expr::Literal(Value::Money(123_457), SqlType::Money)),
    ];
    for (text, expected) in cases {
        assert_eq!(expression(text), expected, "{text}");
    }
}

#[test]
fn operators_bind_as_on_the_server() {
    let binary = |l: Expr, op, r: Expr| Expr::Binary(Box::new(l), op, Box::new(r));
    assert_eq!(
        expression("1 + 2 * 3 - 4"),
        binary(
            binary(int(1), BinaryOp::Add, binary(int(2), BinaryOp::Multiply, int(3))),
            BinaryOp::Subtract,
            int(4)
        )
    );
    // The sign takes the whole quotient: 100 / -(10 / 2).
    assert_eq!(
        expression("100 / -10 / 2"),
        binary(
            int(100),
            BinaryOp::Divide,
            Expr::Unary(UnaryOp::Minus, Box::new(binary(int(10), BinaryOp::Divide, int(2))))
        )
    );
    let filter = select("SELECT a FROM t WHERE NOT a = 1 AND b = 2 OR (c = 3 AND (d) > 4)").filter.unwrap();
    let Expr::Binary(left, BinaryOp::Or, _) = filter else { panic!("OR binds loosest") };
    assert!(matches!(*left, Expr::Binary(l, BinaryOp::And, _) if matches!(*l, Expr::Not(_))));
}

#[test]
fn change_tracking_forms() {
    let changes = |text: &str| select(text).from.remove(0);
    let join = changes(
        "SELECT CT.id FROM CHANGETABLE(CHANGES dbo.t, @P1) AS CT LEFT JOIN dbo.t AS T ON T.id = CT.id",
    );
    let TableRef::Join { kind: JoinKind::Left, left, .. } = join else { panic!("{join:?}") };
    let TableRef::Changes { table, last_sync, alias } = *left else { panic!("{left:?}") };
    assert_eq!(
        (table.name.as_str(), *last_sync, alias.as_ref().map(|alias| alias.name.as_str())),
        ("t", Expr::Variable("p1".into()), Some("CT"))
    );
    assert!(matches!(
        changes("SELECT 1 FROM CHANGETABLE(VERSION t, (a, b), (@a, s.b)) v"),
        TableRef::RowVersionOf { columns, .. } if columns == ["a", "b"]
    ));
    assert!(matches!(
        changes("SELECT 1 FROM CHANGETABLE(CHANGES t, -1)"),
        TableRef::Changes { alias: None, .. }
    ));
    assert_eq!(refusal("SELECT 1 FROM CHANGETABLE(CHANGES t, 1 + 1) c").0, 102);
    let options = |text: &str| match statements(text).remove(0) {
        Statement::AlterDatabase { mut options, .. } => options.remove(0),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        options(
            "ALTER DATABASE CURRENT SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 2 HOURS, AUTO_CLEANUP = OFF)"
        ),
        DatabaseOption::ChangeTrackingOn(TrackingOptions {
            retention: Some((2, 60)),
            auto_cleanup: Some(false)
        })
    );
    let tracked =
        statements("ALTER TABLE dbo.t ENABLE CHANGE_TRACKING WITH (TRACK_COLUMNS_UPDATED = ON)").remove(0);
    assert!(matches!(
        tracked,
        Statement::AlterTable { action: AlterTable::EnableTracking { columns_updated: true }, .. }
    ));
    let context = statements("WITH CHANGE_TRACKING_CONTEXT (0x01) DELETE FROM t WHERE a = 1").remove(0);
    assert!(matches!(context, Statement::Delete(Delete { context: Some(Expr::Literal(..)), .. })));
}

#[test]
fn queries_keep_every_clause() {
    let text = "WITH c (n) AS (SELECT 1) SELECT TOP (5) [x] = a.b, a.*, count(*) over (partition by q order by r desc) \
                FROM s.t AS a WITH (NOLOCK, INDEX(1)) CROSS APPLY (SELECT 1 AS one) z (o), u \
                WHERE a.b LIKE N'%' ESCAPE '!' AND EXISTS (SELECT 1) GROUP BY a.b HAVING COUNT(DISTINCT a.c) > 1 \
                UNION ALL SELECT 1, 2, 3 ORDER BY 1 DESC, [x] OFFSET 0 ROWS FETCH NEXT @n ROWS ONLY OPTION (RECOMPILE, MAXDOP 1)";
    let Statement::Select(query) = statements(text).remove(0) else { panic!() };
    assert_eq!((query.ctes.len(), query.order_by.len(), query.order_by[0].1), (1, 2, true));
    assert!(query.offset.is_some() && query.fetch.is_some());
    let QueryBody::Set { operator: SetOperator::UnionAll, left, .. } = query.body else { panic!() };
    let QueryBody::Select(left) = *left else { panic!() };
    assert_eq!((left.items.len(), left.from.len(), left.group_by.len()), (3, 2, 1));
    assert!(left.top.is_some() && left.having.is_some());
    let SelectItem::Expr(_, Some(alias)) = &left.items[0] else { panic!() };
    assert_eq!(alias, "x");
    let assign = statements("SELECT @a = id, @b = name FROM t ORDER BY id").remove(0);
    assert!(matches!(assign, Statement::SelectAssign { assignments, .. } if assignments.len() == 2));
    assert_eq!(
        select("SELECT status, version, [select] FROM date").items[0],
        SelectItem::Expr(column("status"), None)
    );
}

#[test]
fn table_definitions() {
    let text = "CREATE TABLE dbo.[Order Lines] (id int IDENTITY(10, 5) NOT NULL PRIMARY KEY CLUSTERED, \
                code varchar(20) COLLATE Latin1_General_BIN2 NOT NULL CONSTRAINT df DEFAULT ('x') UNIQUE, \
                qty decimal(18, 4) NULL DEFAULT 0, total AS (qty * 2) PERSISTED, rv rowversion, \
                parent int REFERENCES dbo.p (id) ON DELETE CASCADE, CONSTRAINT ck CHECK (qty > 0), \
                CONSTRAINT uq UNIQUE NONCLUSTERED (code DESC, id) WITH (PAD_INDEX = OFF) ON [PRIMARY]) ON [PRIMARY]";
    let Statement::CreateTable(table) = statements(text).remove(0) else { panic!() };
    assert_eq!(table.name.name, "Order Lines");
    assert_eq!(table.columns.len(), 6);
    assert_eq!(table.columns[0].identity, Some((10, 5)));
    assert_eq!(
        table.columns[2].type_name,
        Some(TypeName::System(SqlType::Decimal { precision: 18, scale: 4 }))
    );
    assert!(matches!(table.columns[3].computed, Some((_, true))));
    let named: Vec<_> = table.constraints.iter().map(|c| c.name.as_deref()).collect();
    assert_eq!(named, [None, Some("df"), None, None, Some("ck"), Some("uq")]);
    let ConstraintKind::Unique(key) = &table.constraints[5].kind else { panic!() };
    assert_eq!(key.columns, [("code".to_owned(), true), ("id".to_owned(), false)]);
    assert_eq!(key.clustered, Some(false));
}

#[test]
fn parameters_of_sp_executesql() {
    assert_eq!(
        parse_declarations("@P1 int, @p2 nvarchar(max) OUTPUT, @P3 numeric(10,2)").unwrap(),
        vec![
            ("p1".to_owned(), SqlType::Int, false),
            ("p2".to_owned(), SqlType::NVarChar(Length::Max), true),
            ("p3".to_owned(), SqlType::Numeric { precision: 10, scale: 2 }, false),
        ]
    );
    assert_eq!(parse_declarations("").unwrap(), Vec::new());
    assert_eq!(parse_declarations("@a int b").unwrap_err().number, 102);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let cases = [
        ("SELECT 1 +", 102, 1, "near '+'"),
        ("SELECT 1\nFROM WHERE", 156, 2, "keyword 'WHERE'"),
        ("SELECT a FROM t\nWHERE a", 4145, 2, "near 'a'"),
        ("SELECT a = (b = 1) FROM t", 156, 1, "keyword 'FROM'"),
        ("SELECT 'abc", 105, 1, "abc"),
        ("SELECT 1 /* x", 113, 1, "*/"),
        ("SELECT 1\nWITH c AS (SELECT 1) SELECT * FROM c", 319, 2, "previous statement"),
        ("SELECT @a = 1, 2", 141, 1, "assigns"),
        ("SELECT 1, @a = 2", 141, 1, "assigns"),
        ("SELECT 1 UNION SELECT @a = 2", 141, 1, "assigns"),
        ("SELECT * FROM t WITH (NOPE)", 321, 1, "NOPE"),
        ("SELECT CAST(1 AS nope)", 243, 1, "nope"),
        ("CREATE TABLE t (a varchar(8001))", 131, 1, "8001"),
        ("ALTER DATABASE d SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 1 DAY)", 155, 1, "DAY"),
        (
            "ALTER DATABASE d SET CHANGE_TRACKING (AUTO_CLEANUP = ON, AUTO_CLEANUP = ON)",
            5091,
            1,
            "AUTO_CLEANUP",
        ),
        ("ALTER DATABASE d SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 0 DAYS)", 5092, 1, "minutes"),
        ("ALTER DATABASE d SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 2)", 102, 1, "CHANGE_RETENTION"),
        ("SET NOCOUNT MAYBE", 102, 1, "NOCOUNT"),
        ("SET NOPE ON", 195, 1, "NOPE"),
        ("DELETE TOP 5 FROM t", 102, 1, "near '5'"),
        ("MERGE t USING s ON 1 = 1 WHEN MATCHED THEN\nDELETE", 10713, 2, "semi-colon"),
        ("SELECT 1;\nCREATE VIEW v AS SELECT 1", 111, 2, "'CREATE VIEW' must be the first statement"),
        ("BEGIN TRY END TRY BEGIN CATCH END CATCH", 156, 1, "END"),
    ];
    for (text, number, line, part) in cases {
        let (got, at, message) = refusal(text);
        assert_eq!((got, at), (number, line), "{text}: {message}");
        assert!(message.contains(part), "{text}: {message}");
    }
    let deep = format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000));
    assert_eq!(refusal(&deep).0, 191);
    assert_eq!(refusal(&format!("SELECT 1{}", "+1".repeat(5000))).0, 191);
}

/// Words from which random batches are made: whatever stands where, the parser answers and does not panic.
const VOCABULARY: [&str; 64] = [
    "SELECT",
    "FROM",
    "WHERE",
    "t",
    "a",
    "b",
    "[x]",
    "'s'",
    "N's'",
    "1",
    "1.5",
    "0x1",
    "$1",
    "@v",
    "@@ROWCOUNT",
    "(",
    ")",
    ",",
    ".",
    ";",
    "=",
    "<",
    "+",
    "-",
    "*",
    "/",
    "AND",
    "OR",
    "NOT",
    "IN",
    "IS",
    "NULL",
    "LIKE",
    "BETWEEN",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "CAST",
    "AS",
    "int",
    "JOIN",
    "LEFT",
    "ON",
    "CHANGETABLE",
    "CHANGES",
    "VERSION",
    "GROUP",
    "BY",
    "ORDER",
    "TOP",
    "INSERT",
    "INTO",
    "VALUES",
    "UPDATE",
    "SET",
    "DELETE",
    "CREATE",
    "TABLE",
    "IF",
    "BEGIN",
    "WITH",
    "UNION",
];

#[test]
fn any_words_get_an_answer() {
    use rand::rngs::StdRng;
    use rand::seq::IndexedRandom;
    use rand::{Rng, SeedableRng};
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    for _ in 0..20_000 {
        let length = random.random_range(1..25);
        let words: Vec<&str> = (0..length).filter_map(|_| VOCABULARY.choose(&mut random)).copied().collect();
        let text = words.join(" ");
        if let Err(error) = parse_batch(&text) {
            assert!(error.number > 0 && error.line == 1, "{text}: {error}");
        }
    }
}
