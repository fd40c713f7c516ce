//! Change Tracking, fact by fact.
//!
//! Each case has a database of its own, so its versions count from 0: a script, a question, the answer. Tables [`SETUP`]
//! makes are there before the script.

mod changes;
mod errors;
mod history;
mod permissions;

use crate::target::Target;
use crate::tds::{Answer, Session};

/// A tracked table with a mask, and one that is not tracked.
const SETUP: [&str; 3] = [
    "ALTER DATABASE CURRENT SET CHANGE_TRACKING = ON",
    "CREATE TABLE dbo.t (id int NOT NULL CONSTRAINT pk_t PRIMARY KEY, a int NULL, b int NULL); \
     CREATE TABLE dbo.u (id int NOT NULL CONSTRAINT pk_u PRIMARY KEY, a int NULL)",
    "ALTER TABLE dbo.t ENABLE CHANGE_TRACKING WITH (TRACK_COLUMNS_UPDATED = ON)",
];

/// A script of batches with `|` between them, a question, its answer: rows, or the numbers of its errors.
type Case<'a> = (&'a str, &'a str, &'a str);

/// Asks every case and reports all that are answered otherwise.
async fn check(setup: &[&str], cases: &[Case<'_>]) {
    let mut report = String::new();
    for (script, question, expected) in cases {
        let target = Target::new().await;
        let mut session = target.session().await;
        for batch in setup {
            session.run(batch).await;
        }
        run(&mut session, script).await;
        let given = shown(&session.batch(question).await);
        if given != *expected {
            report.push_str(&format!("\n{script}\n{question}\n  expected {expected}\n  given    {given}\n"));
        }
        drop(session);
        target.close().await;
    }
    assert!(report.is_empty(), "{report}");
    println!("{} facts", cases.len());
}

/// Runs the batches of a script. What fails in them is part of the case.
async fn run(session: &mut Session, script: &str) {
    for batch in script.split('|').map(str::trim).filter(|batch| !batch.is_empty()) {
        session.batch(batch).await;
    }
}

/// Rows, or `error` and the numbers of the errors in their order.
fn shown(answer: &Answer) -> String {
    let errors: Vec<String> = answer.errors().iter().map(|error| error.number.to_string()).collect();
    if errors.is_empty() { answer.rows() } else { format!("error {}", errors.join(" ")) }
}
