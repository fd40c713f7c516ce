//! Recorded facts: statements, and what a real server was seen to answer.
//!
//! A file of facts is asked in one session of an empty database, from top to bottom. Its lines:
//!
//! ```text
//! # a comment
//! @setup                      SQL up to the next `@`; must succeed
//! CREATE TABLE ...
//! @fact name                  SQL, `=>`, then one line per token of the answer
//! SELECT 1 AS n
//! =>
//! columns n int computed
//! row 1
//! done select 1
//! @expressions name           one fact per line: expression => type value
//! 1 / 2 => int? 0
//! 1 / 0 => error 8134
//! ```
//!
//! A line `GO` parts batches; in the answer it stands between theirs. `?` behind a type means that it may be NULL. `…`
//! stands for any text. Rows, messages and return values are always compared; `columns`, `done`, `env` and `order` lines
//! only where the fact has some.

mod file;
mod run;

use std::collections::BTreeSet;

use file::{Expected, File};

macro_rules! facts {
    ($($name:ident)+) => {$(
        #[tokio::test]
        async fn $name() {
            run::check(&File::parse(include_str!(concat!(stringify!($name), ".facts")))).await;
        }
    )+

        const FILES: &[&str] = &[$(include_str!(concat!(stringify!($name), ".facts"))),+];
    };
}

facts! {
    arithmetic
    catalog
    collations
    completions
    conversions
    dates
    definitions
    errors
    literals
    permissions
    queries
    strings
    types
}

#[test]
fn there_are_as_many_as_is_said() {
    let facts: Vec<_> = FILES.iter().flat_map(|file| File::parse(file).facts).collect();
    let lines = facts.iter().flat_map(|fact| match &fact.expected {
        Expected::Tokens(lines) => lines.as_slice(),
        Expected::Scalar(line) => std::slice::from_ref(line),
    });
    let numbers: BTreeSet<&str> =
        lines.filter_map(|line| line.strip_prefix("error ")?.split_whitespace().next()).collect();
    assert!(facts.len() >= 300, "{} facts", facts.len());
    assert!(numbers.len() >= 45, "{} error numbers", numbers.len());
    println!("{} facts, {} error numbers among them", facts.len(), numbers.len());
}
