//! CREATE: what follows it, and the elements of a table, which ALTER TABLE ADD takes too.

use super::Parser;
use super::ast::{ColumnDef, ConstraintDef, ConstraintKind, CreateMode, CreateTable, KeyClause, Statement};
use super::lexer::{Token, TokenKind};
use crate::types::SqlError;

/// Columns and constraints of a definition, as they are met.
#[derive(Default)]
pub(super) struct Elements {
    pub(super) columns: Vec<ColumnDef>,
    pub(super) constraints: Vec<ConstraintDef>,
}

impl Parser {
    pub(super) fn truncate(&mut self) -> Result<Statement, SqlError> {
        self.expect_sequence(&["TRUNCATE", "TABLE"])?;
        let table = self.object_name()?;
        if self.is("WITH") {
            return self.unsupported("TRUNCATE TABLE WITH");
        }
        Ok(Statement::Truncate(table))
    }

    pub(super) fn create(&mut self) -> Result<Statement, SqlError> {
        self.expect("CREATE")?;
        if self.accept("TABLE") {
            return self.create_table();
        }
        if self.accept("SCHEMA") {
            return self.create_schema();
        }
        if self.accept("TYPE") {
            return self.create_type();
        }
        if self.accept("VIEW") {
            return self.create_view(CreateMode::Create);
        }
        if self.is_sequence(&["OR", "ALTER", "VIEW"]) {
            self.expect_sequence(&["OR", "ALTER", "VIEW"])?;
            return self.create_view(CreateMode::CreateOrAlter);
        }
        if self.accept("SYNONYM") {
            return self.create_synonym();
        }
        if self.is_any(&["UNIQUE", "CLUSTERED", "NONCLUSTERED", "INDEX"]) {
            return self.create_index();
        }
        if self.is_any(&["DATABASE", "LOGIN", "USER", "ROLE"]) {
            return self.create_database_object();
        }
        self.accept_sequence(&["OR", "ALTER"]);
        let construct = format!("CREATE {}", self.kind().shown().to_uppercase());
        self.unsupported(&construct)
    }

    fn create_table(&mut self) -> Result<Statement, SqlError> {
        let name = self.object_name()?;
        if self.accept("AS") {
            return self.unsupported("CREATE TABLE AS");
        }
        let Elements { columns, constraints } = self.table_elements()?;
        self.storage_options()?;
        Ok(Statement::CreateTable(CreateTable { name, columns, constraints }))
    }

    /// `DECLARE @t TABLE (...)`, where constraints have no names and no foreign key may stand.
    pub(super) fn declare_table(&mut self) -> Result<Statement, SqlError> {
        let name = self.table_variable()?;
        self.accept("AS");
        self.expect("TABLE")?;
        let start = self.position;
        let Elements { columns, constraints } = self.table_elements()?;
        let forbidden = |word: &Token| matches!(&word.kind, TokenKind::Word(word) if word.eq_ignore_ascii_case("CONSTRAINT") || word.eq_ignore_ascii_case("REFERENCES"));
        if let Some(ahead) = self.tokens[start..self.position].iter().position(forbidden) {
            self.position = start + ahead;
            return Err(self.unexpected());
        }
        Ok(Statement::DeclareTable(CreateTable { name, columns, constraints }))
    }

    /// The columns and constraints of a new table, in parentheses.
    fn table_elements(&mut self) -> Result<Elements, SqlError> {
        let mut elements = Elements::default();
        self.parenthesized(|p| {
            p.element(&mut elements)?;
            while p.accept_symbol(",") {
                // A comma after the last element is accepted.
                if !p.is_symbol(")") {
                    p.element(&mut elements)?;
                }
            }
            Ok(())
        })?;
        Ok(elements)
    }

    /// A column or a table constraint.
    pub(super) fn element(&mut self, elements: &mut Elements) -> Result<(), SqlError> {
        let name = if self.accept("CONSTRAINT") { Some(self.identifier()?) } else { None };
        if name.is_some() || self.is_any(&["PRIMARY", "UNIQUE", "FOREIGN", "CHECK"]) {
            let kind = self.table_constraint()?;
            elements.constraints.push(ConstraintDef { name, kind });
            return Ok(());
        }
        if self.is_any(&["INDEX", "PERIOD"]) {
            return self
                .unsupported(&format!("{} in a table definition", self.kind().shown().to_uppercase()));
        }
        self.column(elements)
    }

    pub(super) fn table_constraint(&mut self) -> Result<ConstraintKind, SqlError> {
        if self.accept_sequence(&["PRIMARY", "KEY"]) {
            return self.key_clause().map(ConstraintKind::PrimaryKey);
        }
        if self.accept("UNIQUE") {
            return self.key_clause().map(ConstraintKind::Unique);
        }
        if self.accept_sequence(&["FOREIGN", "KEY"]) {
            let columns = self.identifier_list()?;
            return self.references(columns);
        }
        if self.accept("CHECK") {
            self.accept_sequence(&["NOT", "FOR", "REPLICATION"]);
            let condition = self.parenthesized(Self::condition)?;
            return Ok(ConstraintKind::Check(condition, None));
        }
        if self.accept("DEFAULT") {
            let value = self.scalar()?;
            self.expect("FOR")?;
            let column = self.identifier()?;
            self.accept_sequence(&["WITH", "VALUES"]);
            return Ok(ConstraintKind::Default(value, column));
        }
        Err(self.unexpected())
    }

    /// `REFERENCES t [(columns)] [ON DELETE|UPDATE action]`
    fn references(&mut self, columns: Vec<String>) -> Result<ConstraintKind, SqlError> {
        self.expect("REFERENCES")?;
        let parent = self.object_name()?;
        let parent_columns = if self.is_symbol("(") { self.identifier_list()? } else { Vec::new() };
        let (mut cascade_delete, mut cascade_update) = (false, false);
        while self.is("ON") && (self.is_at(1, "DELETE") || self.is_at(1, "UPDATE")) {
            self.advance();
            let on_delete = self.is("DELETE");
            self.advance();
            let cascade = self.accept("CASCADE");
            if !cascade {
                if self.accept("SET") {
                    return self.unsupported("referential action SET NULL or SET DEFAULT");
                }
                self.expect_sequence(&["NO", "ACTION"])?;
            }
            if on_delete {
                cascade_delete = cascade;
            } else {
                cascade_update = cascade;
            }
        }
        self.accept_sequence(&["NOT", "FOR", "REPLICATION"]);
        Ok(ConstraintKind::ForeignKey { columns, parent, parent_columns, cascade_delete, cascade_update })
    }

    pub(super) fn column(&mut self, elements: &mut Elements) -> Result<(), SqlError> {
        let name = self.identifier()?;
        let mut column = ColumnDef {
            name,
            type_name: None,
            nullable: None,
            identity: None,
            default: None,
            computed: None,
            collation: None,
        };
        if self.accept("AS") {
            let value = self.scalar()?;
            column.computed = Some((value, self.accept("PERSISTED")));
        } else {
            column.type_name = Some(self.type_name()?);
        }
        while self.column_option(&mut column, &mut elements.constraints)? {}
        elements.columns.push(column);
        Ok(())
    }

    /// One option or constraint of a column; false when there is none.
    fn column_option(
        &mut self,
        column: &mut ColumnDef,
        constraints: &mut Vec<ConstraintDef>,
    ) -> Result<bool, SqlError> {
        if self.accept("NULL") {
            column.nullable = Some(true);
        } else if self.accept_sequence(&["NOT", "NULL"]) {
            column.nullable = Some(false);
        } else if self.accept("IDENTITY") {
            column.identity = Some(self.identity()?);
            self.accept_sequence(&["NOT", "FOR", "REPLICATION"]);
        } else if self.accept("COLLATE") {
            column.collation = Some(self.identifier()?);
        } else if self.accept("DEFAULT") {
            column.default = Some(self.scalar()?);
            self.accept_sequence(&["WITH", "VALUES"]);
        } else if self.is_any(&["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "REFERENCES", "FOREIGN"]) {
            let constraint = self.column_constraint(&column.name)?;
            constraints.push(constraint);
        } else if self.is_any(&[
            "SPARSE",
            "ROWGUIDCOL",
            "MASKED",
            "GENERATED",
            "ENCRYPTED",
            "FILESTREAM",
            "INDEX",
        ]) {
            return self.unsupported(&format!("column option {}", self.kind().shown().to_uppercase()));
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn identity(&mut self) -> Result<(i64, i64), SqlError> {
        if !self.is_symbol("(") {
            return Ok((1, 1));
        }
        self.parenthesized(|p| {
            let seed = p.integer()?;
            p.expect_symbol(",")?;
            Ok((seed, p.integer()?))
        })
    }

    /// A constraint written inside a column; a named DEFAULT is a constraint of the table.
    fn column_constraint(&mut self, column: &str) -> Result<ConstraintDef, SqlError> {
        let name = if self.accept("CONSTRAINT") { Some(self.identifier()?) } else { None };
        let kind = if self.accept_sequence(&["PRIMARY", "KEY"]) {
            ConstraintKind::PrimaryKey(self.key_of_column(column)?)
        } else if self.accept("UNIQUE") {
            ConstraintKind::Unique(self.key_of_column(column)?)
        } else if self.accept("CHECK") {
            self.accept_sequence(&["NOT", "FOR", "REPLICATION"]);
            ConstraintKind::Check(self.parenthesized(Self::condition)?, Some(column.to_owned()))
        } else if self.accept("DEFAULT") {
            let value = self.scalar()?;
            self.accept_sequence(&["WITH", "VALUES"]);
            ConstraintKind::Default(value, column.to_owned())
        } else {
            self.accept_sequence(&["FOREIGN", "KEY"]);
            self.references(vec![column.to_owned()])?
        };
        Ok(ConstraintDef { name, kind })
    }

    /// What follows `PRIMARY KEY` or `UNIQUE` inside a column.
    fn key_of_column(&mut self, column: &str) -> Result<KeyClause, SqlError> {
        let clustered = self.clustering();
        let options = self.storage_options()?;
        Ok(KeyClause { columns: vec![(column.to_owned(), false)], clustered, options: options.index })
    }
}
