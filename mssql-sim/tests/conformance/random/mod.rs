//! Random queries, asked of the server and of PostgreSQL.
//!
//! One tree is printed in both dialects ([`dialect`] holds what differs) and must give the same rows in the same order.
//! Query number n is made from seed n alone, over tables made from the seed of its hundred, so a difference is replayed
//! by `CONFORMANCE_SEED=n`. `CONFORMANCE=long` asks many more.

mod data;
mod dialect;
mod expression;
mod generate;
mod tree;

use std::fmt::Write;

use rand::SeedableRng;
use rand::rngs::StdRng;
use services::postgres::Postgres;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::target::Target;
use crate::tds::Session;
use dialect::Dialect;
use generate::Generator;
use tree::{Family, Query};

/// Queries over one filling of the tables.
const QUERIES_PER_FILLING: u64 = 100;
/// Differences that are shown.
const SHOWN: usize = 5;
const POSTGRES: Dialect = Dialect::Postgres { nulls_first: true };

/// Both servers with the tables.
struct Pair {
    target: Target,
    session: Session,
    client: Client,
    _postgres: Postgres,
}

impl Pair {
    async fn new() -> Self {
        let target = Target::new().await;
        let mut session = target.session().await;
        let started = tokio::task::spawn_blocking(Postgres::temporary).await.expect("no panic");
        let postgres = started.expect("PostgreSQL starts");
        let connected = tokio_postgres::connect(&postgres.url("postgres"), NoTls).await;
        let (client, connection) = connected.expect("PostgreSQL takes a client");
        tokio::spawn(connection);
        session.run(&data::definitions(Dialect::SqlServer)).await;
        client.batch_execute(&data::definitions(POSTGRES)).await.expect("tables for PostgreSQL");
        Self { target, session, client, _postgres: postgres }
    }

    async fn fill(&mut self, seed: u64) {
        let rows = data::rows(&mut StdRng::seed_from_u64(seed));
        self.session.run(&rows).await;
        self.client.batch_execute(&rows).await.expect("rows for PostgreSQL");
    }

    /// What differs for the query of a seed.
    async fn difference(&mut self, seed: u64, other: Dialect) -> Option<String> {
        let query = Generator::new(StdRng::seed_from_u64(seed)).query();
        let (ours, theirs) = (query.sql(Dialect::SqlServer), query.sql(other));
        let given = self.ask(&query, &ours).await;
        let expected = self.ask_postgres(&query, &theirs).await;
        (given != expected).then(|| format!("seed {seed}\n{ours}\n  {given}\n{theirs}\n  {expected}\n"))
    }

    async fn ask(&mut self, query: &Query, sql: &str) -> String {
        let answer = self.session.batch(sql).await;
        if let Some(error) = answer.errors().first() {
            return format!("error {}: {}", error.number, error.text);
        }
        let rows = answer.values();
        shown(rows.iter().map(|row| row.iter().map(|value| unquoted(value)).collect()), query)
    }

    async fn ask_postgres(&self, query: &Query, sql: &str) -> String {
        let messages = match self.client.simple_query(sql).await {
            Ok(messages) => messages,
            Err(error) => return format!("error {error:?}"),
        };
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|column| row.get(column)).collect()),
            _ => None,
        });
        shown(rows, query)
    }
}

fn unquoted(value: &str) -> Option<&str> {
    let inner = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
    inner.or(Some(value).filter(|value| *value != "NULL"))
}

/// Rows as text in which equal numbers are equal texts.
fn shown<'a>(rows: impl Iterator<Item = Vec<Option<&'a str>>>, query: &Query) -> String {
    let mut text = String::new();
    for row in rows {
        for (value, of) in row.iter().zip(&query.columns) {
            let value = match (value, of.family()) {
                (None, _) => "NULL".to_owned(),
                (Some(value), Family::Integer | Family::Decimal) => shortest(value).to_owned(),
                (Some(value), Family::Text) => format!("'{value}'"),
                (Some(value), Family::Date) => (*value).to_owned(),
            };
            write!(text, "{value} ").expect("to memory");
        }
        text.push_str("| ");
    }
    text
}

/// A number without the zeros behind its last digit.
fn shortest(number: &str) -> &str {
    let number =
        if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
    if number == "-0" { "0" } else { number }
}

/// Asks the queries of so many seeds; the differences.
async fn differences(first: u64, count: u64, other: Dialect) -> Vec<String> {
    let mut pair = Pair::new().await;
    let mut found = Vec::new();
    for seed in first..first + count {
        if seed == first || seed.is_multiple_of(QUERIES_PER_FILLING) {
            pair.fill(seed / QUERIES_PER_FILLING).await;
        }
        found.extend(pair.difference(seed, other).await);
    }
    let Pair { target, session, .. } = pair;
    drop(session);
    target.close().await;
    found
}

#[tokio::test]
async fn random_queries_mean_the_same_in_postgres() {
    let variable = |name| std::env::var(name).ok();
    let count = if variable("CONFORMANCE").as_deref() == Some("long") { 20_000 } else { 500 };
    let first = variable("CONFORMANCE_SEED").map_or(1, |seed| seed.parse().expect("a number"));
    let found = differences(first, count, POSTGRES).await;
    println!("random queries: seeds {first} to {}, {} differences", first + count - 1, found.len());
    assert!(found.is_empty(), "{} differences\n{}", found.len(), found[..found.len().min(SHOWN)].join("\n"));
}

/// The comparison finds a rule that is wrong.
#[tokio::test]
async fn a_wrong_rule_of_a_dialect_is_found() {
    let found = differences(1, 100, Dialect::Postgres { nulls_first: false }).await;
    assert!(!found.is_empty(), "NULLs were sorted to the other end, and no query shows it");
}
