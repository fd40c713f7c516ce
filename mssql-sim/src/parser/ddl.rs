//! CREATE, ALTER and DROP of tables, indexes and schemas.

use super::Parser;
use super::ast::{AlterTable, ColumnDef, ConstraintDef, ConstraintKind, CreateTable, Statement};
use super::lexer::{Token, TokenKind};
use crate::types::SqlError;

/// Columns and constraints of a definition, as they are met.
#[derive(Default)]
struct Elements {
    columns: Vec<ColumnDef>,
    constraints: Vec<ConstraintDef>,
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
            let name = self.identifier()?;
            if self.is("AUTHORIZATION") {
                return self.unsupported("CREATE SCHEMA AUTHORIZATION");
            }
            return Ok(Statement::CreateSchema(name));
        }
        if self.is_any(&["UNIQUE", "CLUSTERED", "NONCLUSTERED", "INDEX"]) {
            return self.create_index();
        }
        if self.is_any(&["DATABASE", "LOGIN", "USER"]) {
            return self.create_database_object();
        }
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

    /// `ON filegroup`, `TEXTIMAGE_ON filegroup`, `WITH (...)`: where and how data is stored.
    fn storage_options(&mut self) -> Result<(), SqlError> {
        loop {
            if self.is("ON") || self.is("TEXTIMAGE_ON") {
                self.advance();
                if !self.accept("PRIMARY") {
                    self.identifier()?;
                }
                if self.is_symbol("(") {
                    return self.unsupported("partition scheme");
                }
            } else if self.is("WITH") && self.is_symbol_at(1, "(") {
                self.advance();
                self.parenthesized(|p| p.comma_list(Self::storage_option))?;
            } else {
                return Ok(());
            }
        }
    }

    /// `name = word|number`; an option that would change what a statement does is refused.
    fn storage_option(&mut self) -> Result<(), SqlError> {
        let name = self.kind().shown().to_uppercase();
        let neutral = [
            "PAD_INDEX",
            "FILLFACTOR",
            "STATISTICS_NORECOMPUTE",
            "ALLOW_ROW_LOCKS",
            "ALLOW_PAGE_LOCKS",
            "OPTIMIZE_FOR_SEQUENTIAL_KEY",
            "DATA_COMPRESSION",
            "SORT_IN_TEMPDB",
            "ONLINE",
            "MAXDOP",
            "DROP_EXISTING",
            "IGNORE_DUP_KEY",
        ];
        if !neutral.contains(&name.as_str()) {
            return self.unsupported_here();
        }
        self.advance();
        self.expect_symbol("=")?;
        if matches!(name.as_str(), "IGNORE_DUP_KEY" | "DROP_EXISTING") && !self.is("OFF") {
            return self.unsupported(&name);
        }
        self.advance();
        Ok(())
    }

    /// A column or a table constraint.
    fn element(&mut self, elements: &mut Elements) -> Result<(), SqlError> {
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

    fn table_constraint(&mut self) -> Result<ConstraintKind, SqlError> {
        if self.accept_sequence(&["PRIMARY", "KEY"]) {
            let columns = self.key_columns()?;
            return Ok(ConstraintKind::PrimaryKey(columns));
        }
        if self.accept("UNIQUE") {
            let columns = self.key_columns()?;
            return Ok(ConstraintKind::Unique(columns));
        }
        if self.accept_sequence(&["FOREIGN", "KEY"]) {
            let columns = self.identifier_list()?;
            return self.references(columns);
        }
        if self.accept("CHECK") {
            return self.parenthesized(Self::condition).map(ConstraintKind::Check);
        }
        if self.accept("DEFAULT") {
            let value = self.scalar()?;
            self.expect("FOR")?;
            return Ok(ConstraintKind::Default(value, self.identifier()?));
        }
        Err(self.unexpected())
    }

    fn clustering(&mut self) {
        if !self.accept("CLUSTERED") {
            self.accept("NONCLUSTERED");
        }
    }

    /// `[CLUSTERED|NONCLUSTERED] (column [ASC|DESC], ...)` and storage options.
    fn key_columns(&mut self) -> Result<Vec<(String, bool)>, SqlError> {
        self.clustering();
        let columns = self.parenthesized(|p| p.comma_list(Self::key_column))?;
        self.storage_options()?;
        Ok(columns)
    }

    fn key_column(&mut self) -> Result<(String, bool), SqlError> {
        let name = self.identifier()?;
        let descending = self.accept("DESC");
        if !descending {
            self.accept("ASC");
        }
        Ok((name, descending))
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
        Ok(ConstraintKind::ForeignKey { columns, parent, parent_columns, cascade_delete, cascade_update })
    }

    fn column(&mut self, elements: &mut Elements) -> Result<(), SqlError> {
        let name = self.identifier()?;
        let mut column = ColumnDef {
            name,
            sql_type: None,
            nullable: None,
            identity: None,
            default: None,
            computed: None,
            collation: None,
        };
        if self.accept("AS") {
            let value = self.parenthesized(Self::scalar)?;
            column.computed = Some((value, self.accept("PERSISTED")));
        } else {
            column.sql_type = Some(self.data_type()?);
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
        let key = || vec![(column.to_owned(), false)];
        let kind = if self.accept_sequence(&["PRIMARY", "KEY"]) {
            self.clustering();
            ConstraintKind::PrimaryKey(key())
        } else if self.accept("UNIQUE") {
            self.clustering();
            ConstraintKind::Unique(key())
        } else if self.accept("CHECK") {
            ConstraintKind::Check(self.parenthesized(Self::condition)?)
        } else if self.accept("DEFAULT") {
            ConstraintKind::Default(self.scalar()?, column.to_owned())
        } else {
            self.accept_sequence(&["FOREIGN", "KEY"]);
            self.references(vec![column.to_owned()])?
        };
        if matches!(kind, ConstraintKind::PrimaryKey(_) | ConstraintKind::Unique(_)) {
            self.storage_options()?;
        }
        Ok(ConstraintDef { name, kind })
    }

    fn create_index(&mut self) -> Result<Statement, SqlError> {
        let unique = self.accept("UNIQUE");
        self.clustering();
        if self.is("COLUMNSTORE") {
            return self.unsupported_here();
        }
        self.expect("INDEX")?;
        let name = self.identifier()?;
        self.expect("ON")?;
        let table = self.object_name()?;
        let columns = self.parenthesized(|p| p.comma_list(Self::key_column))?;
        if self.accept("INCLUDE") {
            self.identifier_list()?;
        }
        if self.is("WHERE") {
            return self.unsupported("filtered index");
        }
        self.storage_options()?;
        Ok(Statement::CreateIndex { name, table, unique, columns })
    }

    pub(super) fn alter(&mut self) -> Result<Statement, SqlError> {
        self.expect("ALTER")?;
        if self.accept("DATABASE") {
            return self.alter_database();
        }
        if !self.accept("TABLE") {
            let construct = format!("ALTER {}", self.kind().shown().to_uppercase());
            return self.unsupported(&construct);
        }
        let table = self.object_name()?;
        let action = self.alter_table()?;
        Ok(Statement::AlterTable { table, action })
    }

    fn alter_table(&mut self) -> Result<AlterTable, SqlError> {
        if self.accept_sequence(&["ENABLE", "CHANGE_TRACKING"]) {
            let columns_updated = self.accept("WITH") && self.parenthesized(Self::track_columns)?;
            return Ok(AlterTable::EnableTracking { columns_updated });
        }
        if self.accept_sequence(&["DISABLE", "CHANGE_TRACKING"]) {
            return Ok(AlterTable::DisableTracking);
        }
        if self.is_sequence(&["WITH", "NOCHECK"]) {
            return self.unsupported("WITH NOCHECK");
        }
        self.accept_sequence(&["WITH", "CHECK"]);
        if self.accept("ADD") {
            let mut elements = Elements::default();
            self.added_element(&mut elements)?;
            while self.accept_symbol(",") {
                self.added_element(&mut elements)?;
            }
            return Ok(AlterTable::Add(elements.columns, elements.constraints));
        }
        if self.accept("DROP") {
            return self.drop_element();
        }
        if self.accept_sequence(&["ALTER", "COLUMN"]) {
            let mut elements = Elements::default();
            self.column(&mut elements)?;
            return match elements.columns.pop() {
                Some(column) => Ok(AlterTable::AlterColumn(Box::new(column))),
                None => Err(self.unexpected()),
            };
        }
        let construct = format!("ALTER TABLE {}", self.kind().shown().to_uppercase());
        self.unsupported(&construct)
    }

    /// An element of ADD; `DEFAULT x FOR c` needs no name.
    fn added_element(&mut self, elements: &mut Elements) -> Result<(), SqlError> {
        if self.is("DEFAULT") {
            let kind = self.table_constraint()?;
            elements.constraints.push(ConstraintDef { name: None, kind });
            return Ok(());
        }
        self.element(elements)
    }

    fn track_columns(&mut self) -> Result<bool, SqlError> {
        self.expect("TRACK_COLUMNS_UPDATED")?;
        self.expect_symbol("=")?;
        self.on_off()
    }

    fn drop_element(&mut self) -> Result<AlterTable, SqlError> {
        if self.accept("COLUMN") {
            self.refuse_if_exists()?;
            return self.comma_list(Self::identifier).map(AlterTable::DropColumns);
        }
        self.accept("CONSTRAINT");
        self.refuse_if_exists()?;
        let name = self.identifier()?;
        if self.is_symbol(",") {
            return self.unsupported("DROP CONSTRAINT of several");
        }
        Ok(AlterTable::DropConstraint(name))
    }

    fn refuse_if_exists(&self) -> Result<(), SqlError> {
        if self.is("IF") { self.unsupported("IF EXISTS in ALTER TABLE DROP") } else { Ok(()) }
    }

    pub(super) fn drop(&mut self) -> Result<Statement, SqlError> {
        self.expect("DROP")?;
        if self.accept("TABLE") {
            let if_exists = self.accept_sequence(&["IF", "EXISTS"]);
            let tables = self.comma_list(Self::object_name)?;
            return Ok(Statement::DropTable { tables, if_exists });
        }
        if self.accept("INDEX") {
            if self.is("IF") {
                return self.unsupported("DROP INDEX IF EXISTS");
            }
            let name = self.identifier()?;
            self.expect("ON")?;
            return Ok(Statement::DropIndex { name, table: self.object_name()? });
        }
        if self.accept("DATABASE") {
            let if_exists = self.accept_sequence(&["IF", "EXISTS"]);
            return Ok(Statement::DropDatabase { name: self.identifier()?, if_exists });
        }
        let construct = format!("DROP {}", self.kind().shown().to_uppercase());
        self.unsupported(&construct)
    }
}
