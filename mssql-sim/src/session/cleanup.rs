//! `sys.sp_flush_CT_internal_table_on_demand`: the side tables of Change Tracking, cleaned on demand.

use super::event::Event;
use super::procedure::{Caller, Outcome, Output};
use super::{Failure, Session};
use crate::collation::fold_name;
use crate::engine::{NameScope, TableInfo, Temporaries};
use crate::parser::parse_name;
use crate::types::{SqlError, SqlType, Value};
use crate::wire::rpc::Argument;

impl Session {
    /// `[@TableToClean =] table, [@DeletedRowCount =] rows OUTPUT`; without a table it cleans them all.
    pub(super) async fn flush_side_tables(
        &self,
        arguments: &[Argument],
        caller: Caller<'_>,
    ) -> Result<Outcome, Failure> {
        if !self.principal.sysadmin {
            let message = "User does not have permission to perform this action.";
            return Err(SqlError::statement(15247, message).into());
        }
        let mut deleted = 0;
        for table in self.tables_to_clean(argument(arguments, 0, "@TableToClean"))? {
            let cleaned = self.shared.engine.cleanup_expired(&table.def)?;
            deleted += cleaned.rows;
            let lines = [
                format!("Cleanup Watermark = {}", cleaned.watermark),
                format!("Internal Change Tracking table name : change_tracking_{}", table.def.object_id),
                format!("Total rows deleted: {}.", cleaned.rows),
            ];
            for line in lines {
                let message = SqlError { class: 0, ..SqlError::statement(0, line) };
                caller.events.send(Event::Info(message)).await?;
            }
        }
        let deleted = Value::Int(i64::try_from(deleted).unwrap_or(i64::MAX));
        let count = argument(arguments, 1, "@DeletedRowCount").filter(|argument| argument.output);
        let output = count.map(|argument| Output {
            ordinal: 1,
            name: argument.name.clone(),
            sql_type: SqlType::BigInt,
            value: deleted,
        });
        Ok(Outcome::success(output.into_iter().collect()))
    }

    fn tables_to_clean(&self, name: Option<&Argument>) -> Result<Vec<TableInfo>, SqlError> {
        let Some(Argument { value: Value::Text(units), .. }) = name else {
            let tables = self.visible_tables().into_iter();
            return Ok(tables.filter(|table| table.tracking.is_some()).collect());
        };
        let given = String::from_utf16_lossy(units);
        let Some(table) = self.table_named(&given) else {
            let message = format!(
                "The object '{given}' does not exist in database '{}' or is invalid for this operation.",
                self.database_name()
            );
            return Err(SqlError::statement(15009, message));
        };
        Ok(vec![table])
    }

    /// A table of the current database by its name as text.
    pub(super) fn table_named(&self, name: &str) -> Option<TableInfo> {
        let wanted = parse_name(name)?;
        let schema = wanted.schema.as_deref().unwrap_or("dbo");
        self.visible_tables().into_iter().find(|table| {
            fold_name(&table.def.name) == fold_name(&wanted.name)
                && fold_name(&table.def.schema) == fold_name(schema)
        })
    }

    fn visible_tables(&self) -> Vec<TableInfo> {
        let engine = &self.shared.engine;
        let transaction = engine.begin();
        let scope = NameScope {
            database: self.database.id(),
            principal: self.principal.clone(),
            transaction,
            temporaries: Temporaries::default(),
        };
        let tables = engine.tables(&scope, self.database.id());
        engine.rollback(transaction);
        tables
    }
}

/// An argument by its name, or by its place if it has none.
pub(super) fn argument<'a>(arguments: &'a [Argument], place: usize, name: &str) -> Option<&'a Argument> {
    let named = arguments.iter().find(|argument| argument.name.eq_ignore_ascii_case(name));
    named.or_else(|| arguments.get(place).filter(|argument| argument.name.is_empty()))
}
