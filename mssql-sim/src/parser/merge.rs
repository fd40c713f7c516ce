//! MERGE.

use super::Parser;
use super::ast::{Cte, Expr, Merge, MergeAction, MergeClause, MergeWhen, Statement};
use super::lexer::syntax_error;
use crate::types::SqlError;
use std::mem;

impl Parser {
    pub(super) fn merge(&mut self, context: Option<Expr>, ctes: Vec<Cte>) -> Result<Statement, SqlError> {
        self.expect("MERGE")?;
        let top = self.write_top()?;
        self.accept("INTO");
        let (target, hints) = self.target()?;
        let named = self.accept("AS");
        let alias = if named || !self.is("USING") { Some(self.identifier()?) } else { None };
        self.expect("USING")?;
        let source = self.table_ref()?;
        self.expect("ON")?;
        let on = self.condition()?;
        let mut clauses = Vec::new();
        while self.is("WHEN") {
            let clause = self.merge_clause(&clauses)?;
            clauses.push(clause);
        }
        if clauses.is_empty() {
            return Err(self.unexpected());
        }
        let outputs = self.outputs()?;
        self.query_hints()?;
        if !self.is_symbol(";") {
            let message = "A MERGE statement must be terminated by a semi-colon (;).";
            return Err(syntax_error(10713, self.line(), message));
        }
        let merge = Merge { context, ctes, top, target, hints, alias, source, on, clauses, outputs };
        Ok(Statement::Merge(Box::new(merge)))
    }

    /// `WHEN ... THEN ...`, checked against those before it.
    fn merge_clause(&mut self, before: &[MergeClause]) -> Result<MergeClause, SqlError> {
        let line = self.line();
        self.expect("WHEN")?;
        let when = if self.accept("MATCHED") {
            MergeWhen::Matched
        } else {
            self.expect_sequence(&["NOT", "MATCHED"])?;
            if self.accept_sequence(&["BY", "SOURCE"]) {
                MergeWhen::NotMatchedBySource
            } else {
                self.accept_sequence(&["BY", "TARGET"]);
                MergeWhen::NotMatchedByTarget
            }
        };
        let condition = if self.accept("AND") { Some(self.condition()?) } else { None };
        self.expect("THEN")?;
        let mut same_kind = before.iter().filter(|clause| clause.when == when);
        if when == MergeWhen::NotMatchedByTarget && same_kind.clone().next().is_some() {
            return Err(repeated_action("INSERT", when, line));
        }
        if same_kind.clone().any(|clause| clause.condition.is_none()) {
            let name = when_name(when);
            let message = format!(
                "In a MERGE statement, a '{name}' clause with a search condition cannot appear after a '{name}' clause \
                 with no search condition."
            );
            return Err(syntax_error(5324, line, message));
        }
        let action = self.merge_action(when)?;
        if same_kind.any(|clause| mem::discriminant(&clause.action) == mem::discriminant(&action)) {
            return Err(repeated_action(action.name(), when, line));
        }
        Ok(MergeClause { when, condition, action })
    }

    fn merge_action(&mut self, when: MergeWhen) -> Result<MergeAction, SqlError> {
        let inserts = self.is("INSERT");
        if inserts != (when == MergeWhen::NotMatchedByTarget) && self.is_any(&["INSERT", "UPDATE", "DELETE"])
        {
            let action = self.kind().shown().to_uppercase();
            let number = if inserts { 10711 } else { 10710 };
            let message = format!(
                "An action of type '{action}' is not allowed in the '{}' clause of a MERGE statement.",
                when_name(when)
            );
            return Err(syntax_error(number, self.line(), message));
        }
        if self.accept("DELETE") {
            return Ok(MergeAction::Delete);
        }
        if self.accept("UPDATE") {
            self.expect("SET")?;
            return self.comma_list(Self::assignment).map(MergeAction::Update);
        }
        self.expect("INSERT")?;
        let columns = if self.is_symbol("(") { self.identifier_list()? } else { Vec::new() };
        if self.accept_sequence(&["DEFAULT", "VALUES"]) {
            return Ok(MergeAction::Insert { columns, values: None });
        }
        self.expect("VALUES")?;
        let values = Some(self.row_of_values()?);
        Ok(MergeAction::Insert { columns, values })
    }
}

impl MergeAction {
    fn name(&self) -> &'static str {
        match self {
            Self::Update(_) => "UPDATE",
            Self::Delete => "DELETE",
            Self::Insert { .. } => "INSERT",
        }
    }
}

fn repeated_action(action: &str, when: MergeWhen, line: i32) -> SqlError {
    let clause = when_name(when);
    let message = format!(
        "An action of type '{action}' cannot appear more than once in a '{clause}' clause of a MERGE statement."
    );
    syntax_error(10714, line, message)
}

fn when_name(when: MergeWhen) -> &'static str {
    match when {
        MergeWhen::Matched => "WHEN MATCHED",
        MergeWhen::NotMatchedByTarget => "WHEN NOT MATCHED",
        MergeWhen::NotMatchedBySource => "WHEN NOT MATCHED BY SOURCE",
    }
}
