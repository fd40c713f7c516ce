//! Scripts of several batches, as `sqlcmd` reads them.

/// The batches of a script: the text between lines that say only `GO`.
pub fn batches(script: &str) -> Vec<&str> {
    let mut batches = Vec::new();
    let mut start = 0;
    let mut end = 0;
    for line in script.split_inclusive('\n') {
        if line.trim().eq_ignore_ascii_case("GO") {
            batches.push(&script[start..end]);
            start = end + line.len();
        }
        end += line.len();
    }
    batches.push(&script[start..]);
    batches.retain(|batch| !batch.trim().is_empty());
    batches
}

#[cfg(test)]
mod tests {
    use super::batches;

    #[test]
    fn only_a_line_of_its_own_separates() {
        let script = "CREATE TABLE go_on (a int)\r\n  go  \r\nGO\nSELECT 'GO' -- GO\nGO";
        assert_eq!(batches(script), ["CREATE TABLE go_on (a int)\r\n", "SELECT 'GO' -- GO\n"]);
    }
}
