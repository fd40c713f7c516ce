//! Numbers that are given out once: identity values of a table, rowversions of a database.

use super::definition::{DatabaseId, TableDef};
use super::{Engine, TransactionId};
use crate::types::SqlError;

impl Engine {
    /// Draws identity values; returns the first. They are never given back.
    ///
    /// # Errors
    /// 8115 past the column's type, 208 if the table is gone.
    pub fn next_identities(&self, table: &TableDef, count: u64) -> Result<i64, SqlError> {
        let mut state = self.state();
        let Some(identity) = table.identity_column().and_then(|column| table.columns[column].identity) else {
            return Err(SqlError::statement(
                8106,
                format!("Table '{}' does not have the identity property.", table.name),
            ));
        };
        let counter = &mut state.table_mut(table)?.identity;
        let overflow =
            || SqlError::statement(8115, "Arithmetic overflow error converting IDENTITY to data type int.");
        let first = match *counter {
            None => identity.seed,
            Some(last) => last.checked_add(identity.increment).ok_or_else(overflow)?,
        };
        let steps = i64::try_from(count.saturating_sub(1)).map_err(|_| overflow())?;
        let span = steps.checked_mul(identity.increment).ok_or_else(overflow)?;
        *counter = Some(first.checked_add(span).ok_or_else(overflow)?);
        Ok(first)
    }

    /// Moves the identity counter past a value that was given explicitly.
    ///
    /// # Errors
    /// 208 if the table is gone.
    pub fn note_identity(&self, table: &TableDef, value: i64) -> Result<(), SqlError> {
        let mut state = self.state();
        let counter = &mut state.table_mut(table)?.identity;
        *counter = Some(counter.map_or(value, |last| last.max(value)));
        Ok(())
    }

    /// Last identity value of a table (`IDENT_CURRENT`); None before the first.
    pub fn last_identity(&self, table: &TableDef) -> Option<i64> {
        self.state().table(table).ok()?.identity
    }

    /// Draws rowversion values for a transaction; returns the first. They are never given back.
    ///
    /// # Errors
    /// 3926 if the transaction has ended.
    pub fn next_rowversions(
        &self,
        transaction: TransactionId,
        database: DatabaseId,
        count: u64,
    ) -> Result<u64, SqlError> {
        let mut state = self.state();
        let counter = &mut state.database_mut(database).rowversion;
        let first = *counter + 1;
        *counter += count;
        state.transaction_mut(transaction)?.first_rowversion.entry(database).or_insert(first);
        Ok(first)
    }

    /// `@@DBTS`: the last rowversion given.
    pub fn last_rowversion(&self, database: DatabaseId) -> u64 {
        self.state().database(database).rowversion
    }

    /// `MIN_ACTIVE_ROWVERSION()`: the lowest that an open transaction has drawn, else the next one.
    pub fn min_active_rowversion(&self, database: DatabaseId) -> u64 {
        let state = self.state();
        let next = state.database(database).rowversion + 1;
        state
            .transactions
            .values()
            .filter_map(|t| t.first_rowversion.get(&database))
            .copied()
            .min()
            .unwrap_or(next)
    }
}
