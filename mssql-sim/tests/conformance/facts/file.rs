//! The text form of facts.

/// A file, taken apart.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) setup: Vec<String>,
    pub(super) facts: Vec<Fact>,
}

/// One question and its answer.
#[derive(Debug)]
pub(super) struct Fact {
    /// What it shows; of an expression, the expression.
    pub(super) name: String,
    /// Batches.
    pub(super) sql: Vec<String>,
    pub(super) expected: Expected,
}

/// The answer.
#[derive(Debug)]
pub(super) enum Expected {
    /// Lines, one per token.
    Tokens(Vec<String>),
    /// `type value` of the only column, or `error number`.
    Scalar(String),
}

#[derive(Clone, Copy)]
enum Section {
    Setup,
    FactSql,
    FactAnswer,
    Expressions,
}

impl File {
    /// Reads a file; a line that fits nowhere is a panic.
    pub(super) fn parse(text: &str) -> Self {
        let mut file = Self::default();
        let mut section = None;
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some(header) = line.strip_prefix('@').filter(|header| !header.starts_with('@')) {
                section = Some(file.begin(header));
                continue;
            }
            if line.trim().is_empty() && !matches!(section, Some(Section::Setup | Section::FactSql)) {
                continue;
            }
            match section.unwrap_or_else(|| panic!("{line}: before the first @")) {
                Section::Setup => add_sql(&mut file.setup, line),
                Section::FactSql if line == "=>" => section = Some(Section::FactAnswer),
                Section::FactSql => add_sql(&mut file.last().sql, line),
                Section::FactAnswer => match &mut file.last().expected {
                    Expected::Tokens(lines) => lines.push(line.trim_end().to_owned()),
                    Expected::Scalar(_) => unreachable!("a fact's answer is tokens"),
                },
                Section::Expressions => file.facts.push(expression(line)),
            }
        }
        file
    }

    fn begin(&mut self, header: &str) -> Section {
        match header.split_once(' ').unwrap_or((header, "")) {
            ("setup", _) => Section::Setup,
            ("expressions", _) => Section::Expressions,
            ("fact", name) => {
                let expected = Expected::Tokens(Vec::new());
                self.facts.push(Fact { name: name.into(), sql: Vec::new(), expected });
                Section::FactSql
            }
            _ => panic!("@{header}: no such section"),
        }
    }

    fn last(&mut self) -> &mut Fact {
        self.facts.last_mut().expect("the section's header made one")
    }
}

/// Appends a line to the last batch; `GO` begins the next.
fn add_sql(batches: &mut Vec<String>, line: &str) {
    if line == "GO" {
        batches.push(String::new());
        return;
    }
    if batches.is_empty() {
        batches.push(String::new());
    }
    let batch = batches.last_mut().expect("one was pushed");
    if !batch.is_empty() {
        batch.push('\n');
    }
    batch.push_str(line);
}

fn expression(line: &str) -> Fact {
    let (sql, expected) = line.split_once(" => ").unwrap_or_else(|| panic!("{line}: no =>"));
    let sql = sql.trim();
    Fact {
        name: sql.into(),
        sql: vec![format!("SELECT {sql}")],
        expected: Expected::Scalar(expected.trim().into()),
    }
}
