//! Asks the facts of a file and reports every one that the server contradicts.

use std::fmt::Write;

use super::file::{Expected, Fact, File};
use crate::target::Target;
use crate::tds::{Answer, Session};

/// Stands for any text in an expected line.
const WILDCARD: char = '…';
/// Kinds of line that are compared only where a fact has some.
const OPTIONAL: [&str; 4] = ["columns", "done", "env", "order"];

/// Asks a file's facts in one session.
pub(super) async fn check(file: &File) {
    let target = Target::new().await;
    let mut session = target.session().await;
    for batch in &file.setup {
        session.run(batch).await;
    }
    let (mut report, mut wrong) = (String::new(), 0);
    for fact in &file.facts {
        if let Some(difference) = difference(fact, &mut session).await {
            wrong += 1;
            writeln!(report, "\n@fact {}\n{}\n=>\n{difference}", fact.name, fact.sql.join("\nGO\n"))
                .expect("to memory");
        }
    }
    drop(session);
    target.close().await;
    assert_eq!(wrong, 0, "{wrong} of {} facts differ:\n{report}", file.facts.len());
}

async fn difference(fact: &Fact, session: &mut Session) -> Option<String> {
    let mut answers = Vec::new();
    for batch in &fact.sql {
        answers.push(session.batch(batch).await);
    }
    match &fact.expected {
        Expected::Scalar(expected) => {
            let given = scalar(&answers[0]);
            (!matches(expected, &given)).then(|| format!("  expected {expected}\n  given    {given}"))
        }
        Expected::Tokens(expected) => compare(expected, &lines(&answers)),
    }
}

/// Lines of the batches' answers, `GO` between them.
fn lines(answers: &[Answer]) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, answer) in answers.iter().enumerate() {
        if index > 0 {
            lines.push("GO".to_owned());
        }
        lines.extend(answer.lines());
        if answer.closed {
            lines.push("closed".to_owned());
        }
    }
    lines
}

/// `type value` of an answer of one column and one row, `error number` of a failed one.
fn scalar(answer: &Answer) -> String {
    if let Some(error) = answer.errors().first() {
        return format!("error {}", error.number);
    }
    let line = |kind: &str| {
        let lines = answer.lines();
        let line = lines.iter().find_map(|line| line.strip_prefix(kind));
        line.unwrap_or_else(|| panic!("no {kind}in {lines:#?}")).to_owned()
    };
    let column = line("columns _ ");
    let type_name = column.split(' ').next().unwrap_or_default();
    format!("{type_name} {}", line("row "))
}

/// What differs, as the answer's lines with `-` before those that are missing and `+` before those that are too many.
fn compare(expected: &[String], given: &[String]) -> Option<String> {
    let has = |lines: &[String], kind: &str| lines.iter().any(|line| line.starts_with(kind));
    let left_out: Vec<&str> = OPTIONAL.into_iter().filter(|kind| !has(expected, kind)).collect();
    let is_asked = |line: &&String| !left_out.iter().any(|kind| line.starts_with(kind));
    let given: Vec<&String> = given.iter().filter(is_asked).collect();
    let same = expected.len() == given.len()
        && expected.iter().zip(&given).all(|(expected, given)| matches(expected, given));
    if same {
        return None;
    }
    let mut report = String::new();
    let common = expected.iter().zip(&given).take_while(|(expected, given)| matches(expected, given)).count();
    let lines = given[..common].iter().map(|line| (' ', line.as_str()));
    let missing = expected[common..].iter().map(|line| ('-', line.as_str()));
    let surplus = given[common..].iter().map(|line| ('+', line.as_str()));
    for (sign, line) in lines.chain(missing).chain(surplus) {
        writeln!(report, "{sign} {line}").expect("to memory");
    }
    Some(report)
}

/// Whether a line is as expected.
fn matches(expected: &str, given: &str) -> bool {
    let mut parts = expected.split(WILDCARD);
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = given.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn a_difference_is_found() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let given = lines("columns n int\nrow 1\ndone select 1");
    assert_eq!(compare(&lines("row 1"), &given), None);
    assert_eq!(compare(&lines("columns n …\nrow …"), &given), None);
    let difference = compare(&lines("row 1\ndone select 2"), &given);
    assert_eq!(difference.as_deref(), Some("  row 1\n- done select 2\n+ done select 1\n"));
    assert!(compare(&lines("row 1\nrow 2"), &given).is_some());
    assert!(!matches("row … | 2", "row 1 | 3"));
}
