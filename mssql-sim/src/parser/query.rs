//! Queries: CTEs, SELECT, set operators, ordering and paging.

use super::ast::{Cte, Expr, ObjectName, Query, QueryBody, Select, SelectItem, SetOperator, Statement, Top};
use super::lexer::{TokenKind, syntax_error};
use super::{MAX_CHAIN, Parser};
use crate::types::SqlError;

/// A SELECT, and what a statement makes of it besides an answer.
struct SelectParts {
    select: Select,
    /// Variables that it assigns.
    assignments: Vec<(String, Expr)>,
    /// Table that it creates.
    into: Option<ObjectName>,
}

/// What stands between SELECT and FROM.
enum SelectList {
    Items(Vec<SelectItem>),
    Assignments(Vec<(String, Expr)>),
}

/// Words of `OPTION (...)`; they direct the optimizer and never change a result.
const QUERY_HINTS: [&str; 21] = [
    "RECOMPILE",
    "MAXDOP",
    "FORCE",
    "ORDER",
    "LOOP",
    "HASH",
    "MERGE",
    "JOIN",
    "GROUP",
    "CONCAT",
    "UNION",
    "FAST",
    "KEEP",
    "KEEPFIXED",
    "PLAN",
    "OPTIMIZE",
    "FOR",
    "UNKNOWN",
    "EXPAND",
    "VIEWS",
    "ROBUST",
];

impl Parser {
    /// A query inside another construct: `[WITH ...] SELECT ...`.
    pub(super) fn query(&mut self) -> Result<Query, SqlError> {
        let ctes = if self.accept("WITH") { self.comma_list(Self::cte)? } else { Vec::new() };
        self.query_after(ctes)
    }

    /// The rest of a query whose CTEs are parsed already.
    pub(super) fn query_after(&mut self, ctes: Vec<Cte>) -> Result<Query, SqlError> {
        self.nested(|p| {
            let first = p.query_term()?;
            let body = p.set_operations(first)?;
            p.finish_query(ctes, body)
        })
    }

    /// `SELECT` as a statement, where the list may assign variables.
    pub(super) fn select_statement(&mut self, ctes: Vec<Cte>) -> Result<Statement, SqlError> {
        if !self.is("SELECT") {
            return self.query_after(ctes).map(Statement::Select);
        }
        let mixed = self.mixed_assignment();
        let SelectParts { select, assignments, into } = self.select(true)?;
        let first = QueryBody::Select(Box::new(select));
        match (into, assignments.is_empty()) {
            (Some(target), true) => {
                let body = self.set_operations(first)?;
                let query = Box::new(self.finish_query(ctes, body)?);
                Ok(Statement::SelectInto { target, query })
            }
            (Some(_), false) => Err(mixed),
            (None, true) => {
                let body = self.set_operations(first)?;
                self.finish_query(ctes, body).map(Statement::Select)
            }
            (None, false) => {
                let query = Box::new(self.finish_query(ctes, first)?);
                Ok(Statement::SelectAssign { assignments, query })
            }
        }
    }

    /// `name [(columns)] AS (query)`
    pub(super) fn cte(&mut self) -> Result<Cte, SqlError> {
        // It leads a statement or is not there at all.
        if self.is("CHANGE_TRACKING_CONTEXT") {
            return Err(self.unexpected());
        }
        let name = self.identifier()?;
        let columns = if self.is_symbol("(") { self.identifier_list()? } else { Vec::new() };
        self.expect("AS")?;
        let query = self.parenthesized(Self::query)?;
        Ok((name, columns, query))
    }

    fn finish_query(&mut self, ctes: Vec<Cte>, body: QueryBody) -> Result<Query, SqlError> {
        let order_by = self.order_by()?;
        let (mut offset, mut fetch) = (None, None);
        if !order_by.is_empty() && self.accept("OFFSET") {
            offset = Some(self.scalar()?);
            self.rows_word()?;
            if self.accept("FETCH") {
                if !self.accept("NEXT") {
                    self.expect("FIRST")?;
                }
                fetch = Some(self.scalar()?);
                self.rows_word()?;
                self.expect("ONLY")?;
            }
        }
        if self.is("FOR") {
            return self.unsupported("FOR");
        }
        let max_recursion = self.query_hints()?;
        Ok(Query { ctes, body, order_by, offset, fetch, max_recursion })
    }

    fn rows_word(&mut self) -> Result<(), SqlError> {
        if self.accept("ROW") { Ok(()) } else { self.expect("ROWS") }
    }

    /// `ORDER BY expr [ASC|DESC], ...`, empty when not written.
    pub(super) fn order_by(&mut self) -> Result<Vec<(Expr, bool)>, SqlError> {
        if !self.accept_sequence(&["ORDER", "BY"]) {
            return Ok(Vec::new());
        }
        self.comma_list(|p| {
            let expr = p.scalar()?;
            let descending = p.accept("DESC");
            if !descending {
                p.accept("ASC");
            }
            Ok((expr, descending))
        })
    }

    /// `OPTION (hint, ...)`; what MAXRECURSION says.
    pub(super) fn query_hints(&mut self) -> Result<Option<u32>, SqlError> {
        if !self.accept("OPTION") {
            return Ok(None);
        }
        let hints = self.parenthesized(|p| p.comma_list(Self::query_hint))?;
        Ok(hints.into_iter().flatten().next())
    }

    fn query_hint(&mut self) -> Result<Option<u32>, SqlError> {
        /// Most recursions that can be asked for.
        const MOST: i64 = 32_767;
        let line = self.line();
        if self.accept("MAXRECURSION") {
            let depth = self.integer()?;
            return match u32::try_from(depth) {
                Ok(n) if depth <= MOST => Ok(Some(n)),
                _ => {
                    let message = format!(
                        "The value {depth} specified for the MAXRECURSION option exceeds the allowed maximum of {MOST}."
                    );
                    Err(syntax_error(310, line, message))
                }
            };
        }
        let start = self.position;
        while QUERY_HINTS.iter().any(|hint| self.accept(hint)) {}
        if matches!(self.kind(), TokenKind::Number(_)) {
            self.advance();
        }
        if self.position == start { Err(self.unexpected()) } else { Ok(None) }
    }

    /// One operand of a set operator.
    fn query_term(&mut self) -> Result<QueryBody, SqlError> {
        if self.is_symbol("(") {
            return self.nested(|p| {
                p.parenthesized(|p| {
                    let first = p.query_term()?;
                    p.set_operations(first)
                })
            });
        }
        if self.accept("VALUES") {
            let rows = self.comma_list(|p| p.parenthesized(|p| p.comma_list(Self::scalar)))?;
            return Ok(QueryBody::Values(rows));
        }
        let mixed = self.mixed_assignment();
        let SelectParts { select, assignments, .. } = self.select(false)?;
        if assignments.is_empty() { Ok(QueryBody::Select(Box::new(select))) } else { Err(mixed) }
    }

    /// `first UNION ... EXCEPT ...`; INTERSECT binds tighter.
    fn set_operations(&mut self, first: QueryBody) -> Result<QueryBody, SqlError> {
        let mut left = self.intersections(first)?;
        let mut links = 0;
        loop {
            let operator = if self.accept("UNION") {
                if self.accept("ALL") { SetOperator::UnionAll } else { SetOperator::Union }
            } else if self.accept("EXCEPT") {
                SetOperator::Except
            } else {
                return Ok(left);
            };
            self.count_link(&mut links, MAX_CHAIN)?;
            let term = self.query_term()?;
            let right = self.intersections(term)?;
            left = QueryBody::Set { operator, left: Box::new(left), right: Box::new(right) };
        }
    }

    fn intersections(&mut self, first: QueryBody) -> Result<QueryBody, SqlError> {
        let mut left = first;
        while self.accept("INTERSECT") {
            let right = self.query_term()?;
            left = QueryBody::Set {
                operator: SetOperator::Intersect,
                left: Box::new(left),
                right: Box::new(right),
            };
        }
        Ok(left)
    }

    /// `SELECT` up to and with HAVING, and what else a statement makes of it.
    fn select(&mut self, takes_into: bool) -> Result<SelectParts, SqlError> {
        self.expect("SELECT")?;
        let distinct = self.accept("DISTINCT");
        if !distinct {
            self.accept("ALL");
        }
        let top = self.select_top()?;
        let (items, assignments) = match self.select_list()? {
            SelectList::Items(items) => (items, Vec::new()),
            SelectList::Assignments(assignments) => (Vec::new(), assignments),
        };
        let into = if takes_into && self.accept("INTO") { Some(self.object_name()?) } else { None };
        let from = if self.accept("FROM") { self.comma_list(Self::table_ref)? } else { Vec::new() };
        let filter = self.filter()?;
        let (group_by, grouping_sets) = self.group_by()?;
        let having = if self.accept("HAVING") { Some(self.condition()?) } else { None };
        let select = Select { distinct, top, items, from, filter, group_by, grouping_sets, having };
        Ok(SelectParts { select, assignments, into })
    }

    /// `WHERE condition`, if written.
    pub(super) fn filter(&mut self) -> Result<Option<Expr>, SqlError> {
        if !self.accept("WHERE") {
            return Ok(None);
        }
        if self.is_sequence(&["CURRENT", "OF"]) {
            return self.unsupported("WHERE CURRENT OF");
        }
        self.condition().map(Some)
    }

    /// `TOP (expr) [PERCENT] [WITH TIES]`, also without the parentheses
    fn select_top(&mut self) -> Result<Option<Top>, SqlError> {
        if !self.accept("TOP") {
            return Ok(None);
        }
        let count = if self.is_symbol("(") {
            self.parenthesized(Self::scalar)?
        } else if matches!(self.kind(), TokenKind::Number(_)) {
            self.operand()?
        } else {
            return Err(self.unexpected());
        };
        let percent = self.accept("PERCENT");
        Ok(Some(Top { count, percent, ties: self.accept_sequence(&["WITH", "TIES"]) }))
    }

    fn select_list(&mut self) -> Result<SelectList, SqlError> {
        if self.at_assignment() {
            let assignment = |p: &mut Self| {
                if p.at_assignment() { p.variable_assignment() } else { Err(p.mixed_assignment()) }
            };
            return self.comma_list(assignment).map(SelectList::Assignments);
        }
        self.comma_list(Self::select_item).map(SelectList::Items)
    }

    /// Whether `@v =` is next.
    fn at_assignment(&self) -> bool {
        matches!(self.kind(), TokenKind::Variable(_)) && self.is_assignment_at(1)
    }

    /// 141: a SELECT assigns or answers, never both.
    fn mixed_assignment(&self) -> SqlError {
        let message = "A SELECT statement that assigns a value to a variable must not be combined with data-retrieval \
                       operations.";
        syntax_error(141, self.line(), message)
    }

    pub(super) fn select_item(&mut self) -> Result<SelectItem, SqlError> {
        if self.accept_symbol("*") {
            return Ok(SelectItem::Wildcard(None));
        }
        if self.at_assignment() {
            return Err(self.mixed_assignment());
        }
        if let Some(qualifier) = self.qualified_wildcard() {
            return Ok(SelectItem::Wildcard(Some(qualifier)));
        }
        // alias = expression
        if self.is_symbol_at(1, "=")
            && (self.is_identifier() || matches!(self.kind(), TokenKind::Text { .. }))
        {
            let alias = self.kind().shown();
            self.advance();
            self.advance();
            return Ok(SelectItem::Expr(self.scalar()?, Some(alias)));
        }
        let expr = self.scalar()?;
        let named = self.accept("AS");
        if self.is_identifier() || matches!(self.kind(), TokenKind::Text { .. }) {
            let alias = self.kind().shown();
            self.advance();
            return Ok(SelectItem::Expr(expr, Some(alias)));
        }
        if named { Err(self.unexpected()) } else { Ok(SelectItem::Expr(expr, None)) }
    }

    /// The last qualifier of `t.*` or `s.t.*`.
    fn qualified_wildcard(&mut self) -> Option<String> {
        let mut ahead = 0;
        while self.is_identifier_at(ahead) && self.is_symbol_at(ahead + 1, ".") {
            ahead += 2;
        }
        if ahead == 0 || !self.is_symbol_at(ahead, "*") {
            return None;
        }
        let qualifier = self.kind_at(ahead - 2).shown();
        (0..=ahead).for_each(|_| self.advance());
        Some(qualifier)
    }
}
