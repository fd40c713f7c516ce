//! Views, synonyms and schemas.

use super::Parser;
use super::ast::{CreateMode, CreateView, Query, QueryBody, Statement};
use super::lexer::syntax_error;
use crate::types::SqlError;

impl Parser {
    /// 111 unless the statement opens its batch.
    fn require_first(&self, statement: &str) -> Result<(), SqlError> {
        // All of its words have been taken, and nothing else.
        if self.position == statement.split(' ').count() {
            return Ok(());
        }
        let message = format!("'{statement}' must be the first statement in a query batch.");
        Err(syntax_error(111, self.line(), message))
    }

    /// What follows `CREATE VIEW` and `ALTER VIEW`; it goes on to the end of the batch.
    pub(super) fn create_view(&mut self, mode: CreateMode) -> Result<Statement, SqlError> {
        self.require_first(match mode {
            CreateMode::Create => "CREATE VIEW",
            CreateMode::Alter => "ALTER VIEW",
            CreateMode::CreateOrAlter => "CREATE OR ALTER VIEW",
        })?;
        let name = self.object_name()?;
        let columns = if self.is_symbol("(") { self.identifier_list()? } else { Vec::new() };
        let schema_bound = self.accept("WITH") && self.view_attributes()?;
        self.expect("AS")?;
        let query = self.query()?;
        if !query.order_by.is_empty() && !limits_rows(&query) {
            let message = "The ORDER BY clause is invalid in views, inline functions, derived tables, subqueries, and \
                           common table expressions, unless TOP, OFFSET or FOR XML is also specified.";
            return Err(syntax_error(1033, self.line(), message));
        }
        let check_option = self.accept_sequence(&["WITH", "CHECK", "OPTION"]);
        self.accept_symbol(";");
        if !self.at_end() {
            return Err(self.unexpected());
        }
        let view = CreateView { name, mode, columns, query, schema_bound, check_option };
        Ok(Statement::CreateView(Box::new(view)))
    }

    /// True if the view is bound to its schema.
    fn view_attributes(&mut self) -> Result<bool, SqlError> {
        let attributes = self.comma_list(|p| {
            if p.is_any(&["ENCRYPTION"]) {
                return p.unsupported("WITH ENCRYPTION");
            }
            let schema_bound = p.accept("SCHEMABINDING");
            if !schema_bound {
                p.expect("VIEW_METADATA")?;
            }
            Ok(schema_bound)
        })?;
        Ok(attributes.contains(&true))
    }

    /// What follows `CREATE SYNONYM`.
    pub(super) fn create_synonym(&mut self) -> Result<Statement, SqlError> {
        let name = self.object_name()?;
        self.expect("FOR")?;
        Ok(Statement::CreateSynonym { name, base: self.object_name()? })
    }

    /// What follows `CREATE SCHEMA`.
    pub(super) fn create_schema(&mut self) -> Result<Statement, SqlError> {
        self.require_first("CREATE SCHEMA")?;
        let name = self.identifier()?;
        if self.accept("AUTHORIZATION") {
            let owner = self.identifier()?;
            if !owner.eq_ignore_ascii_case("dbo") {
                return self.unsupported("CREATE SCHEMA AUTHORIZATION other than dbo");
            }
        }
        if self.is_any(&["CREATE", "GRANT", "DENY", "REVOKE"]) {
            return self.unsupported("elements of CREATE SCHEMA");
        }
        Ok(Statement::CreateSchema(name))
    }
}

/// Whether a query has TOP, OFFSET or FETCH, so that its ORDER BY has a meaning.
fn limits_rows(query: &Query) -> bool {
    let has_top = matches!(&query.body, QueryBody::Select(select) if select.top.is_some());
    has_top || query.offset.is_some() || query.fetch.is_some()
}
