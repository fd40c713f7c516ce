//! Which rows of a table a query reads, and when it sorts.

use std::sync::Arc;

use super::plan::{JoinMethod, PlanBody, QueryPlan, Relation, SelectPlan};
use crate::engine::{IndexRef, KeyRange, TableDef, key_prefix};
use crate::exec::context::ExecContext;
use crate::exec::expression::Frame;
use crate::exec::testing::context;
use crate::exec::{ddl, query};
use crate::parser::ast::Statement;
use crate::parser::parse_batch;
use crate::types::Value;

const TABLES: &str =
    "CREATE TABLE t (a int NOT NULL, b varchar(8) NOT NULL, c int NULL, PRIMARY KEY (a, b DESC), UNIQUE (c))
    CREATE TABLE u (id int NOT NULL PRIMARY KEY, a int NULL)";

fn prepared() -> ExecContext {
    let mut context = context();
    for located in parse_batch(TABLES).unwrap() {
        ddl::run(&mut context, &located.statement).unwrap();
    }
    context
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
