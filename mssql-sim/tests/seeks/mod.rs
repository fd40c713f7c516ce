//! Reading by a key must find what reading everything finds, in the same order.
//!
//! Random conditions are asked twice: over the columns, which the engine may seek by, and over expressions of the same
//! values, which it cannot. Without the residual conditions, or with a range one key too short, the answers differ.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::batch::{rows, run, server};

const ROUNDS: usize = 600;

const TABLES: &str = "
    CREATE TABLE dbo.t (a int NOT NULL, b varchar(4) NOT NULL, c decimal(6, 2) NULL,
        PRIMARY KEY (a, b DESC));
    CREATE UNIQUE INDEX c_index ON dbo.t (c, a DESC, b);
    CREATE TABLE dbo.heap (a int NULL, b nvarchar(4) NULL);";

/// Columns as the engine may seek by them, and as it may not.
const PLAIN: [&str; 3] = ["t.a", "t.b", "t.c"];
const DISGUISED: [&str; 3] = ["(t.a + 0)", "(t.b + '')", "(t.c + 0)"];

fn literal(random: &mut StdRng, column: usize) -> String {
    match column {
        0 => match random.random_range(0..8) {
            0 => "NULL".to_owned(),
            1 => format!("{}.5", random.random_range(0..6)),
            _ => random.random_range(-1..7).to_string(),
        },
        1 => {
            let word = ["", "A", "a ", "b", "B", "bb", "c", "-"].choose(random).expect("not empty");
            if random.random_bool(0.5) { format!("N'{word}'") } else { format!("'{word}'") }
        }
        _ => ["NULL", "1", "1.5", "-1.25", "0", "2.500", "1.005", "CAST(1.5 AS float)"]
            .choose(random)
            .expect("not empty")
            .to_string(),
    }
}

/// A condition in which `{0}`, `{1}` and `{2}` stand for the columns.
fn condition(random: &mut StdRng, depth: u32) -> String {
    if depth > 0 && random.random_bool(0.6) {
        let word = if random.random_bool(0.5) { "AND" } else { "OR" };
        let (left, right) = (condition(random, depth - 1), condition(random, depth - 1));
        return format!("({left} {word} {right})");
    }
    let column = random.random_range(0..3);
    let value = literal(random, column);
    match random.random_range(0..8) {
        0 => format!("{{{column}}} BETWEEN {value} AND {}", literal(random, column)),
        1 => format!("{{{column}}} IN ({value}, {}, {})", literal(random, column), literal(random, column)),
        2 => format!("{{{column}}} IS NULL"),
        3 => format!("NOT {{{column}}} > {value}"),
        _ => {
            let operator = ["=", "=", "<", "<=", ">", ">="].choose(random).expect("not empty");
            if random.random_bool(0.2) {
                format!("{value} {operator} {{{column}}}")
            } else {
                format!("{{{column}}} {operator} {value}")
            }
        }
    }
}

fn filled(template: &str, columns: [&str; 3]) -> String {
    (0..3).fold(template.to_owned(), |text, column| text.replace(&format!("{{{column}}}"), columns[column]))
}

/// An order without ties.
fn order(random: &mut StdRng) -> &'static str {
    ["{0}, {1} DESC", "{0} DESC, {1}", "{1} DESC, {0}", "{2}, {0} DESC, {1}", "{0}, {1} DESC, {2}"]
        .choose(random)
        .expect("not empty")
}

#[tokio::test]
async fn a_seek_finds_what_a_scan_finds() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let server = server(TABLES).await;
    for a in 0..6 {
        for b in ["", "a", "B", "bb", "c"] {
            let c = ["NULL", "1", "1.5", "-1.25", "2.5"].choose(&mut random).expect("not empty");
            run(&server, &format!("INSERT INTO dbo.t VALUES ({a}, '{b}', {c})")).await;
        }
        run(&server, &format!("INSERT INTO dbo.heap VALUES ({a}, N'b'), ({a}, NULL), (NULL, N'A ')")).await;
    }
    for _ in 0..ROUNDS {
        let (wanted, by) = (condition(&mut random, 3), order(&mut random));
        let top = if random.random_bool(0.3) { "TOP (4) " } else { "" };
        let query = |columns| {
            filled(&format!("SELECT {top}t.a, t.b FROM dbo.t WHERE {wanted} ORDER BY {by}"), columns)
        };
        let sought = rows(&server, &query(PLAIN)).await;
        assert_eq!(sought, rows(&server, &query(DISGUISED)).await, "seed {seed}: {}", query(PLAIN));
    }
    for _ in 0..ROUNDS / 4 {
        let kind = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"].choose(&mut random).expect("not empty");
        let wanted = condition(&mut random, 1);
        let query = |columns: [&str; 3]| {
            let on = format!("{{0}} = h.a AND {{1}} = h.b AND {wanted}");
            filled(
                &format!(
                    "SELECT t.a, t.b, h.a, h.b FROM dbo.heap h {kind} dbo.t ON {on} ORDER BY 3, 4, 1, 2"
                ),
                columns,
            )
        };
        let sought = rows(&server, &query(PLAIN)).await;
        assert_eq!(sought, rows(&server, &query(DISGUISED)).await, "seed {seed}: {}", query(PLAIN));
    }
}
