//! Which rows of a table a query reads, and when it sorts.

use std::sync::Arc;

use super::plan::{JoinMethod, PlanBody, QueryPlan, Relation, SelectPlan};
use crate::engine::layout::values_of;
use crate::engine::{IndexRef, Interrupt, KeyRange, TableDef, key_prefix};
use crate::exec::context::ExecContext;
use crate::exec::expression::Frame;
use crate::exec::testing::{beside, context};
use crate::exec::{ddl, dml, query};
use crate::parser::ast::Statement;
use crate::parser::parse_batch;
use crate::types::Value;

const TABLES: &str =
    "CREATE TABLE t (a int NOT NULL, b varchar(8) NOT NULL, c int NULL, PRIMARY KEY (a, b DESC), UNIQUE (c))
    CREATE TABLE u (id int NOT NULL PRIMARY KEY, a int NULL)";

fn prepared() -> ExecContext {
    let mut context = context();
    for located in parse_batch(TABLES).unwrap() {
        ddl::run(&mut context, &located.statement, "").unwrap();
    }
    context
}

fn run(context: &mut ExecContext, sql: &str) {
    for located in parse_batch(sql).unwrap() {
        dml::run(context, &located.statement).unwrap();
    }
}

fn plan(context: &ExecContext, sql: &str) -> Arc<SelectPlan> {
    let Statement::Select(query) = parse_batch(sql).unwrap().remove(0).statement else { panic!("{sql}") };
    let plan: Arc<QueryPlan> = query::bind::bind_query(context, None, None, &query).unwrap();
    match &plan.body {
        PlanBody::Select(select) => select.clone(),
        other => panic!("{sql}: {other:?}"),
    }
}

/// The ranges of the only table of a query, and the index they are of.
fn ranges(filter: &str) -> (IndexRef, Vec<KeyRange>, Arc<TableDef>) {
    let context = prepared();
    let plan = plan(&context, &format!("SELECT a FROM t WHERE {filter}"));
    let Relation::Table(leaf) = &plan.relation else { panic!("{filter}") };
    let ranges = leaf.access.ranges(&leaf.read.table, &Frame::bare(&context)).unwrap();
    (leaf.access.index, ranges, leaf.read.table.clone())
}

#[test]
fn conditions_on_a_key_bound_what_is_read() {
    let text = |s: &str| Value::text(s);
    let (_, _, table) = ranges("1 = 1");
    let key = |values: &[Value]| key_prefix(&table, IndexRef::Primary, values);
    let one = |range: KeyRange| vec![range];
    for (filter, expected) in [
        ("b = 'x'", one(KeyRange::all())),
        ("a = 1", one(KeyRange::starting_with(&key(&[Value::Int(1)])))),
        ("a = 1 AND b = N'x '", one(KeyRange::starting_with(&key(&[Value::Int(1), text("x")])))),
        (
            "a > 1 AND 5 >= a",
            one(KeyRange::greater_than(&key(&[Value::Int(1)]))
                .intersect(KeyRange::at_most(&key(&[Value::Int(5)])))),
        ),
        // The second column is descending: what is less comes behind.
        (
            "a >= 1 AND (a > 1 OR (a = 1 AND b < 'x'))",
            one(KeyRange::greater_than(&key(&[Value::Int(1), text("x")]))),
        ),
        (
            "a IN (7, 3, 3)",
            vec![
                KeyRange::starting_with(&key(&[Value::Int(3)])),
                KeyRange::starting_with(&key(&[Value::Int(7)])),
            ],
        ),
        ("a = 1 AND a = 2", Vec::new()),
        ("a = NULL", Vec::new()),
        ("a = 1.0", one(KeyRange::starting_with(&key(&[Value::Int(1)])))),
        ("a > 1 OR b = 'x'", one(KeyRange::all())),
        ("a + 1 = 2", one(KeyRange::all())),
    ] {
        let (index, found, _) = ranges(filter);
        assert_eq!((index, found), (IndexRef::Primary, expected), "{filter}");
    }
    let (index, found, table) = ranges("c = 5 AND a > 0");
    let sought = KeyRange::starting_with(&key_prefix(&table, IndexRef::Secondary(0), &[Value::Int(5)]));
    assert_eq!((index, found), (IndexRef::Secondary(0), vec![sought]));
}

#[test]
fn an_order_that_the_key_gives_is_not_sorted() {
    let context = prepared();
    for (sql, sorts) in [
        ("SELECT a FROM t ORDER BY a, b DESC", false),
        ("SELECT a FROM t ORDER BY a, b", true),
        ("SELECT a FROM t ORDER BY a DESC", true),
        ("SELECT a FROM t WHERE a = 3 ORDER BY b DESC", false),
        ("SELECT a FROM t WHERE a > 3 ORDER BY b DESC", true),
        ("SELECT t.a FROM t LEFT JOIN u ON u.id = t.c ORDER BY t.a", false),
        ("SELECT t.a FROM u RIGHT JOIN t ON u.id = t.c ORDER BY t.a", false),
        ("SELECT t.a FROM t FULL JOIN u ON u.id = t.c ORDER BY t.a", true),
        ("SELECT DISTINCT a FROM t ORDER BY a", false),
        ("SELECT a FROM t GROUP BY a ORDER BY a", true),
    ] {
        assert_eq!(!plan(&context, sql).order_by.is_empty(), sorts, "{sql}");
    }
}

#[test]
fn a_join_seeks_by_key_and_hashes_otherwise() {
    let context = prepared();
    for (sql, seeks) in [
        ("SELECT 1 FROM u LEFT JOIN t ON t.a = u.a AND t.b = 'x'", true),
        ("SELECT 1 FROM u JOIN t ON t.c = u.id", true),
        ("SELECT 1 FROM t, u WHERE u.id = t.a", true),
        ("SELECT 1 FROM t JOIN u ON u.a = t.a", false),
        ("SELECT 1 FROM t CROSS JOIN u", false),
        ("SELECT 1 FROM t CROSS APPLY (SELECT id FROM u WHERE u.a = t.a) x", true),
    ] {
        let plan = plan(&context, sql);
        let Relation::Join(join) = &plan.relation else { panic!("{sql}") };
        assert_eq!(matches!(join.method, JoinMethod::Lookup), seeks, "{sql}");
    }
}

#[test]
fn a_query_that_meets_a_lock_goes_on_where_it_stopped() {
    let mut setup = prepared();
    run(
        &mut setup,
        "INSERT INTO t VALUES (1, 'x', 1), (2, 'x', 2), (3, 'x', 3) INSERT INTO u VALUES (1, 1), (2, 2), (3, 3), (4, 3)",
    );
    setup.engine.commit(setup.names.transaction);
    for sql in [
        "SELECT u.id, t.c FROM u JOIN t ON t.a = u.a",
        "SELECT u.id, t.c FROM u JOIN t ON t.a + 0 = u.a",
        "SELECT u.id, (SELECT t.c FROM t WHERE t.a = u.a) FROM u",
        "SELECT u.id, t.c FROM u JOIN t ON t.a = u.a ORDER BY u.id % 10, u.id",
        "SELECT u.id, MAX(t.c) FROM u CROSS APPLY (SELECT c FROM t WHERE a = u.a) t GROUP BY u.id",
    ] {
        let mut writer = beside(&setup);
        run(&mut writer, "UPDATE t SET c = 20 WHERE a = 2");
        let reader = beside(&setup);
        let Statement::Select(query) = parse_batch(sql).unwrap().remove(0).statement else { panic!("{sql}") };
        let mut cursor = query::open(&reader, &query).unwrap();
        let (mut found, mut waited) = (Vec::new(), false);
        loop {
            match cursor.next_chunk(&reader, 2) {
                Ok(rows) if rows.is_empty() => break,
                Ok(rows) => found.extend(rows.iter().map(|row| values_of(&cursor.columns(), row))),
                Err(Interrupt::Wait(_)) => {
                    assert!(!std::mem::replace(&mut waited, true), "{sql}: waits once");
                    writer.engine.rollback(writer.names.transaction);
                }
                Err(interrupt) => panic!("{sql}: {interrupt:?}"),
            }
        }
        let expected = [(1, 1), (2, 2), (3, 3), (4, 3)].map(|(id, c)| vec![Value::Int(id), Value::Int(c)]);
        assert!(waited, "{sql}");
        assert_eq!(found, expected, "{sql}");
    }
}
