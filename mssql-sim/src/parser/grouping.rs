//! GROUP BY with ROLLUP, CUBE and GROUPING SETS.
//!
//! Each item of the clause is a list of grouping sets; the clause is every combination of one set of each item.

use super::Parser;
use super::ast::Expr;
use crate::types::SqlError;

/// What one grouping set is grouped by.
type GroupingSet = Vec<Expr>;

/// Everything that is grouped by, and positions in it of each set; None for the one set of all.
type Grouping = (Vec<Expr>, Option<Vec<Vec<usize>>>);

/// Most expressions of a CUBE, which has a set for each combination of them.
const MOST_OF_CUBE: usize = 12;

impl Parser {
    pub(super) fn group_by(&mut self) -> Result<Grouping, SqlError> {
        if !self.accept_sequence(&["GROUP", "BY"]) {
            return Ok((Vec::new(), None));
        }
        if self.is("ALL") {
            return self.unsupported_here();
        }
        let mut items = self.comma_list(Self::group_item)?;
        let plain = items.iter().all(|sets| matches!(sets.as_slice(), [set] if set.len() == 1));
        if self.is("WITH") && (self.is_at(1, "ROLLUP") || self.is_at(1, "CUBE")) {
            self.advance();
            let parts = items.into_iter().map(|sets| sets.concat()).collect();
            let cube = self.is("CUBE");
            self.advance();
            items = vec![if cube { self.cube(parts)? } else { rollup(&parts) }];
        } else if plain {
            return Ok((items.into_iter().flatten().flatten().collect(), None));
        }
        let mut sets: Vec<GroupingSet> = vec![Vec::new()];
        for item in items {
            sets = sets.iter().flat_map(|set| item.iter().map(|more| [&set[..], more].concat())).collect();
        }
        Ok(numbered(sets))
    }

    /// The grouping sets of an item.
    fn group_item(&mut self) -> Result<Vec<GroupingSet>, SqlError> {
        if self.is("ROLLUP") && self.is_symbol_at(1, "(") {
            self.advance();
            return Ok(rollup(&self.parenthesized(|p| p.comma_list(Self::group_part))?));
        }
        if self.is("CUBE") && self.is_symbol_at(1, "(") {
            self.advance();
            let parts = self.parenthesized(|p| p.comma_list(Self::group_part))?;
            return self.cube(parts);
        }
        if self.accept_sequence(&["GROUPING", "SETS"]) {
            let items = self.parenthesized(|p| {
                p.comma_list(|p| if p.is_symbol("(") { Ok(vec![p.group_part()?]) } else { p.group_item() })
            })?;
            return Ok(items.concat());
        }
        if self.is_symbol("(") && self.is_symbol_at(1, ")") {
            return Ok(vec![self.group_part()?]);
        }
        Ok(vec![vec![self.scalar()?]])
    }

    /// One expression, or several in parentheses, or none.
    fn group_part(&mut self) -> Result<GroupingSet, SqlError> {
        if !self.accept_symbol("(") {
            return Ok(vec![self.scalar()?]);
        }
        let part = if self.is_symbol(")") { Vec::new() } else { self.comma_list(Self::scalar)? };
        self.expect_symbol(")")?;
        Ok(part)
    }

    /// Every combination of the parts.
    fn cube(&self, parts: Vec<GroupingSet>) -> Result<Vec<GroupingSet>, SqlError> {
        if parts.len() > MOST_OF_CUBE {
            return self.unsupported("CUBE of so many expressions");
        }
        let mut sets: Vec<GroupingSet> = vec![Vec::new()];
        for part in parts {
            let with = sets.iter().map(|set| [&set[..], &part].concat());
            sets = with.chain(sets.iter().cloned()).collect();
        }
        Ok(sets)
    }
}

/// All parts, then always one less.
fn rollup(parts: &[GroupingSet]) -> Vec<GroupingSet> {
    (0..=parts.len()).rev().map(|count| parts[..count].concat()).collect()
}

fn numbered(sets: Vec<GroupingSet>) -> Grouping {
    let mut all: Vec<Expr> = Vec::new();
    let number = |expr: Expr, all: &mut Vec<Expr>| {
        all.iter().position(|known| *known == expr).unwrap_or_else(|| {
            all.push(expr);
            all.len() - 1
        })
    };
    let sets = sets.into_iter().map(|set| set.into_iter().map(|expr| number(expr, &mut all)).collect());
    let sets = sets.collect();
    (all, Some(sets))
}
