//! ALTER and DROP.

use super::Parser;
use super::ast::{
    AlterTable, ConstraintDef, CreateMode, DropElement, LockEscalation, ObjectKind, ObjectName, Statement,
};
use super::ddl::Elements;
use crate::types::SqlError;

impl Parser {
    pub(super) fn alter(&mut self) -> Result<Statement, SqlError> {
        self.expect("ALTER")?;
        if self.accept("TABLE") {
            let table = self.object_name()?;
            let action = self.alter_table()?;
            return Ok(Statement::AlterTable { table, action });
        }
        if self.accept("DATABASE") {
            return self.alter_database();
        }
        if self.accept("INDEX") {
            return self.alter_index();
        }
        if self.accept("VIEW") {
            return self.create_view(CreateMode::Alter);
        }
        if self.accept("SCHEMA") {
            let schema = self.identifier()?;
            self.expect("TRANSFER")?;
            if self.is_symbol_at(1, "::") {
                self.expect("OBJECT")?;
                self.expect_symbol("::")?;
            }
            return Ok(Statement::TransferObject { schema, object: self.object_name()? });
        }
        if self.is_any(&["ROLE", "USER", "LOGIN", "SERVER", "AUTHORIZATION"]) {
            return self.alter_principal();
        }
        let construct = format!("ALTER {}", self.kind().shown().to_uppercase());
        self.unsupported(&construct)
    }

    fn alter_table(&mut self) -> Result<AlterTable, SqlError> {
        if self.accept_sequence(&["ENABLE", "CHANGE_TRACKING"]) {
            let columns_updated = self.accept("WITH") && self.parenthesized(Self::track_columns)?;
            return Ok(AlterTable::EnableTracking { columns_updated });
        }
        if self.accept_sequence(&["DISABLE", "CHANGE_TRACKING"]) {
            return Ok(AlterTable::DisableTracking);
        }
        let validate = if self.accept_sequence(&["WITH", "NOCHECK"]) {
            Some(false)
        } else {
            self.accept_sequence(&["WITH", "CHECK"]).then_some(true)
        };
        if self.accept("ADD") {
            // New constraints are checked unless one says otherwise, ones that were off are not.
            return self.add_elements(validate.unwrap_or(true));
        }
        if self.is_at(1, "CONSTRAINT") && self.is_any(&["CHECK", "NOCHECK"]) {
            return self.set_checking(validate.unwrap_or(false));
        }
        if validate.is_some() {
            return Err(self.unexpected());
        }
        if self.accept("DROP") {
            return self.drop_elements().map(AlterTable::Drop);
        }
        if self.accept_sequence(&["ALTER", "COLUMN"]) {
            return self.alter_column();
        }
        if self.accept("SET") {
            return self.parenthesized(Self::lock_escalation).map(AlterTable::LockEscalation);
        }
        let construct = format!("ALTER TABLE {}", self.kind().shown().to_uppercase());
        self.unsupported(&construct)
    }

    fn add_elements(&mut self, validate: bool) -> Result<AlterTable, SqlError> {
        let mut elements = Elements::default();
        self.added_element(&mut elements)?;
        while self.accept_symbol(",") {
            self.added_element(&mut elements)?;
        }
        let Elements { columns, constraints } = elements;
        Ok(AlterTable::Add { columns, constraints, validate })
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

    /// `CHECK | NOCHECK CONSTRAINT ALL | a, b`
    fn set_checking(&mut self, validate: bool) -> Result<AlterTable, SqlError> {
        let enabled = self.is("CHECK");
        self.advance();
        self.expect("CONSTRAINT")?;
        let names = if self.accept("ALL") { None } else { Some(self.comma_list(Self::identifier)?) };
        Ok(AlterTable::SetChecking { names, enabled, validate })
    }

    fn alter_column(&mut self) -> Result<AlterTable, SqlError> {
        if self.is_at(1, "ADD") || self.is_at(1, "DROP") {
            return self.unsupported("ALTER COLUMN ADD or DROP");
        }
        let mut elements = Elements::default();
        self.column(&mut elements)?;
        match elements.columns.pop() {
            Some(column) => Ok(AlterTable::AlterColumn(Box::new(column))),
            None => Err(self.unexpected()),
        }
    }

    fn lock_escalation(&mut self) -> Result<LockEscalation, SqlError> {
        if !self.is("LOCK_ESCALATION") {
            let construct = format!("ALTER TABLE SET {}", self.kind().shown().to_uppercase());
            return self.unsupported(&construct);
        }
        self.advance();
        self.expect_symbol("=")?;
        let levels = [
            ("TABLE", LockEscalation::Table),
            ("DISABLE", LockEscalation::Disable),
            ("AUTO", LockEscalation::Auto),
        ];
        let Some((_, level)) = levels.into_iter().find(|(word, _)| self.is(word)) else {
            return Err(self.unexpected());
        };
        self.advance();
        Ok(level)
    }

    fn track_columns(&mut self) -> Result<bool, SqlError> {
        self.expect("TRACK_COLUMNS_UPDATED")?;
        self.expect_symbol("=")?;
        self.on_off()
    }

    /// `[CONSTRAINT] [IF EXISTS] a, COLUMN [IF EXISTS] b`; a kind goes on until the next one.
    fn drop_elements(&mut self) -> Result<Vec<DropElement>, SqlError> {
        let (mut is_column, mut if_exists) = (false, false);
        self.comma_list(|p| {
            if p.is("PERIOD") {
                return p.unsupported("DROP PERIOD");
            }
            // COLUMN and CONSTRAINT are reserved, so a column of that name stands in brackets.
            let kind = p.is_any(&["COLUMN", "CONSTRAINT"]);
            if kind {
                is_column = p.is("COLUMN");
                p.advance();
            }
            if p.accept_sequence(&["IF", "EXISTS"]) {
                if_exists = true;
            } else if kind {
                if_exists = false;
            }
            let name = p.identifier()?;
            if !is_column {
                p.storage_options()?;
            }
            Ok(DropElement { name, is_column, if_exists })
        })
    }

    pub(super) fn drop(&mut self) -> Result<Statement, SqlError> {
        self.expect("DROP")?;
        let kinds = [
            ("TABLE", ObjectKind::Table),
            ("VIEW", ObjectKind::View),
            ("SYNONYM", ObjectKind::Synonym),
            ("PROCEDURE", ObjectKind::Procedure),
            ("PROC", ObjectKind::Procedure),
            ("FUNCTION", ObjectKind::Function),
            ("TRIGGER", ObjectKind::Trigger),
        ];
        if let Some((_, kind)) = kinds.into_iter().find(|(word, _)| self.is(word)) {
            self.advance();
            let if_exists = self.accept_sequence(&["IF", "EXISTS"]);
            let names: Vec<ObjectName> = self.comma_list(Self::object_name)?;
            return Ok(Statement::DropObjects { kind, names, if_exists });
        }
        if self.accept("INDEX") {
            return self.drop_index();
        }
        if self.accept("TYPE") {
            let if_exists = self.accept_sequence(&["IF", "EXISTS"]);
            return Ok(Statement::DropType { name: self.object_name()?, if_exists });
        }
        if self.accept("SCHEMA") {
            let if_exists = self.accept_sequence(&["IF", "EXISTS"]);
            return Ok(Statement::DropSchema { name: self.identifier()?, if_exists });
        }
        if self.accept("DATABASE") {
            let if_exists = self.accept_sequence(&["IF", "EXISTS"]);
            return Ok(Statement::DropDatabase { name: self.identifier()?, if_exists });
        }
        if self.is_any(&["USER", "LOGIN", "ROLE"]) {
            return self.drop_principal();
        }
        let construct = format!("DROP {}", self.kind().shown().to_uppercase());
        self.unsupported(&construct)
    }
}
