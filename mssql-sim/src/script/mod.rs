//! Scripts of several batches, as `sqlcmd` reads them, and running them.

mod answer;
mod remote;
mod run;

pub use answer::{Answer, Table};
pub use remote::{RemoteTarget, RemoteTargetError};
pub use run::{ScriptError, Target, run};

/// A batch of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch<'a> {
    /// Its text.
    pub text: &'a str,
    /// Line of the script on which it begins, from 1.
    pub line: i32,
    /// How often it is run.
    pub times: u32,
}

/// The batches of a script: the text between lines that say only `GO`, or `GO n` to run what is before them n times.
pub fn batches(script: &str) -> Vec<Batch<'_>> {
    let mut batches = Vec::new();
    let (mut start, mut end) = (0, 0);
    let (mut first_line, mut line_number) = (1, 0);
    for line in script.split_inclusive('\n') {
        line_number += 1;
        if let Some(times) = separator(line) {
            batches.push(Batch { text: &script[start..end], line: first_line, times });
            start = end + line.len();
            first_line = line_number + 1;
        }
        end += line.len();
    }
    batches.push(Batch { text: &script[start..], line: first_line, times: 1 });
    batches.retain(|batch| !batch.text.trim().is_empty());
    batches
}

/// How often a line that is a separator runs the batch before it.
fn separator(line: &str) -> Option<u32> {
    let mut words = line.split_whitespace();
    if !words.next()?.eq_ignore_ascii_case("GO") {
        return None;
    }
    match (words.next(), words.next()) {
        (None, _) => Some(1),
        (Some(times), None) => times.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Batch, batches};

    #[test]
    fn only_a_line_of_its_own_separates() {
        let script = "CREATE TABLE go_on (a int)\r\n  go  \r\nGO\n\nSELECT 'GO' -- GO\nGO 3\nGO TO work";
        assert_eq!(
            batches(script),
            [
                Batch { text: "CREATE TABLE go_on (a int)\r\n", line: 1, times: 1 },
                Batch { text: "\nSELECT 'GO' -- GO\n", line: 4, times: 3 },
                Batch { text: "GO TO work", line: 7, times: 1 },
            ]
        );
    }
}
