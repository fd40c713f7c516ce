//! CHANGETABLE in a FROM clause.

use std::sync::Arc;

use super::arrange::Raw;
use super::bind_from::{FromBinder, renamed, written};
use super::plan::{MadeLeaf, Maker, Relation};
use crate::engine::{Interrupt, KeyColumn, Object, ReadHint, TableDef, TableRead, tracking};
use crate::exec::expression::bind::Binder;
use crate::exec::expression::scope::{Scope, ScopeSource, same_name};
use crate::exec::messages::explicit_only;
use crate::parser::ast::{Alias, Expr, ObjectName};
use crate::types::{ColumnMeta, SqlError, SqlType};

impl FromBinder<'_> {
    /// `CHANGETABLE(CHANGES t, last_sync)`
    pub(super) fn changes(
        &mut self,
        name: &ObjectName,
        last_sync: &Expr,
        alias: Option<&Alias>,
    ) -> Result<Raw, Interrupt> {
        let (alias, table, read) = self.tracked(name, alias)?;
        let last_sync = Binder::new(self.context, &Scope::empty()).scalar(last_sync)?;
        if is_date(last_sync.sql_type) {
            return Err(explicit_only(last_sync.sql_type, SqlType::BigInt).into());
        }
        let last_sync = last_sync.converted(SqlType::BigInt)?;
        let source = source(alias, &tracking::changes_columns(&table))?;
        let place = self.push(source);
        Ok(Raw::Changes { place, read, last_sync: Box::new(last_sync) })
    }

    /// `CHANGETABLE(VERSION t, (columns), (values))`: the columns are the primary key's, in any order.
    pub(super) fn version_of(
        &mut self,
        name: &ObjectName,
        (columns, values): (&[String], &[Expr]),
        alias: Option<&Alias>,
    ) -> Result<Raw, Interrupt> {
        let (alias, table, read) = self.tracked(name, alias)?;
        let key_columns = table.primary_key.as_ref().map_or(&[][..], |key| &key.columns);
        check_key(&table, key_columns, (columns, values), name)?;
        let binder = Binder { ctes: self.ctes, ..Binder::new(self.context, &self.scope) };
        let mut key = Vec::new();
        for key_column in key_columns {
            let column = &table.columns[key_column.column];
            let position = columns.iter().position(|c| same_name(c, &column.name));
            let position = position.expect("as many columns as the key has, each of the key and none twice");
            key.push(binder.scalar(&values[position])?.converted(column.sql_type())?);
        }
        let source = source(alias, &tracking::version_columns(&table))?;
        Ok(self.made(source, Maker::Version { read, table, key }))
    }

    /// The tracked table of a CHANGETABLE, opened.
    fn tracked<'n>(
        &self,
        name: &ObjectName,
        alias: Option<&'n Alias>,
    ) -> Result<(&'n Alias, Arc<TableDef>, TableRead), Interrupt> {
        let Some(alias) = alias else {
            let message = "A table returned by the CHANGETABLE function must be aliased.";
            return Err(SqlError::batch(22104, message).into());
        };
        let shown = written(name);
        match self.context.engine.resolve(&self.context.names, name)? {
            Some(Object::Table(table)) if !table.is_temporary() => {
                self.context.engine.require_tracking_role(table.database)?;
                if !self.context.engine.is_tracked(&table) {
                    let message = format!("Change tracking is not enabled on table '{shown}'.");
                    return Err(SqlError::batch(22105, message).into());
                }
                let read = self.open(&table, "VIEW CHANGE TRACKING", ReadHint::default())?;
                Ok((alias, table, read))
            }
            Some(_) => {
                let message = format!(
                    "Object '{shown}' is of a data type that is not supported by the CHANGETABLE function. The object \
                     must be a user-defined table."
                );
                Err(SqlError::batch(22107, message).into())
            }
            None => Err(SqlError::batch(208, format!("Invalid object name '{shown}'.")).into()),
        }
    }

    fn made(&mut self, source: ScopeSource, maker: Maker) -> Raw {
        let place = self.push(source);
        Raw::Other(place, Relation::Made(Arc::new(MadeLeaf { place, maker })))
    }
}

/// Dates are refused as a version by another number than elsewhere.
fn is_date(sql_type: SqlType) -> bool {
    matches!(sql_type, SqlType::Date | SqlType::DateTime2(_) | SqlType::DateTimeOffset(_) | SqlType::Time(_))
}

/// Each column has to be of the key, then all of the key's have to be there, then a value for each.
fn check_key(
    table: &TableDef,
    key_columns: &[KeyColumn],
    (columns, values): (&[String], &[Expr]),
    name: &ObjectName,
) -> Result<(), SqlError> {
    let shown = written(name);
    let is_key = |name: &String| table.column(name).is_some_and(|column| table.is_key_column(column));
    if let Some(stranger) = columns.iter().find(|column| !is_key(column)) {
        let message = format!(
            "The column '{stranger}' specified in the CHANGETABLE(VERSION ...) function is not part of the primary key \
             for table '{shown}'."
        );
        return Err(SqlError::batch(22111, message));
    }
    let twice = |(position, name): &(usize, &String)| columns[..*position].iter().any(|c| same_name(c, name));
    if let Some((_, repeated)) = columns.iter().enumerate().find(twice) {
        let message = format!(
            "Each primary key column must be specified once in the CHANGETABLE(VERSION ...) function. The column \
             '{repeated}' is specified more than once."
        );
        return Err(SqlError::batch(22112, message));
    }
    if columns.len() != key_columns.len() {
        let message = format!(
            "The number of columns specified in the CHANGETABLE(VERSION ...) function does not match the number of \
             primary key columns for table '{shown}'."
        );
        return Err(SqlError::batch(22110, message));
    }
    if columns.len() != values.len() {
        let message =
            "The arguments supplied are not valid for the VERSION option of the CHANGETABLE function.";
        return Err(SqlError::batch(22103, message));
    }
    Ok(())
}

/// The columns of a CHANGETABLE under its alias.
fn source(alias: &Alias, columns: &[ColumnMeta]) -> Result<ScopeSource, SqlError> {
    let columns = renamed(columns, &alias.name, &alias.columns)?;
    Ok(ScopeSource::plain(&alias.name, columns.into()))
}
