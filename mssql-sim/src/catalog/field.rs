//! How a view is declared: the things that it lists, and what each of its columns says of one.

use super::{Catalog, ViewRows};
use crate::types::{ColumnMeta, SqlType, Value};

/// A column of a view over things of one kind.
pub(super) struct Field<T: 'static> {
    name: &'static str,
    sql_type: SqlType,
    nullable: bool,
    value: fn(&T) -> Value,
}

/// A column that is never NULL.
pub(super) const fn field<T>(name: &'static str, sql_type: SqlType, value: fn(&T) -> Value) -> Field<T> {
    Field { name, sql_type, nullable: false, value }
}

/// A column that may be NULL.
pub(super) const fn optional<T>(name: &'static str, sql_type: SqlType, value: fn(&T) -> Value) -> Field<T> {
    Field { name, sql_type, nullable: true, value }
}

/// A view's columns and rows, whatever it lists.
pub(super) trait Listing: Sync {
    /// Its columns.
    fn columns(&self) -> Vec<ColumnMeta>;
    /// Its rows.
    fn rows(&self, catalog: &Catalog<'_>) -> ViewRows;
    /// At least those of its rows with this value in the first column.
    fn rows_by_key(&self, catalog: &Catalog<'_>, key: i64) -> ViewRows;
    /// Whether [`Listing::rows_by_key`] saves making all rows.
    fn has_key(&self) -> bool;
}

/// A view over things of one kind.
pub(super) struct List<T: 'static> {
    /// Its columns, in groups that several views may share.
    pub(super) fields: &'static [&'static [Field<T>]],
    /// What it lists.
    pub(super) things: fn(&Catalog<'_>) -> Vec<T>,
    /// A faster way to the things with one value in the first column, for a view that is long.
    pub(super) by_key: Option<fn(&Catalog<'_>, i64) -> Vec<T>>,
}

impl<T> List<T> {
    /// A view of some things.
    pub(super) const fn of(
        fields: &'static [&'static [Field<T>]],
        things: fn(&Catalog<'_>) -> Vec<T>,
    ) -> Self {
        Self { fields, things, by_key: None }
    }

    fn row(&self, thing: &T) -> Vec<Value> {
        self.fields.iter().copied().flatten().map(|field| (field.value)(thing)).collect()
    }
}

impl<T> Listing for List<T> {
    fn columns(&self) -> Vec<ColumnMeta> {
        let fields = self.fields.iter().copied().flatten();
        fields.map(|field| ColumnMeta::new(field.name, field.sql_type, field.nullable)).collect()
    }

    fn rows(&self, catalog: &Catalog<'_>) -> ViewRows {
        (self.things)(catalog).iter().map(|thing| self.row(thing)).collect()
    }

    fn rows_by_key(&self, catalog: &Catalog<'_>, key: i64) -> ViewRows {
        match self.by_key {
            Some(by_key) => by_key(catalog, key).iter().map(|thing| self.row(thing)).collect(),
            None => self.rows(catalog),
        }
    }

    fn has_key(&self) -> bool {
        self.by_key.is_some()
    }
}

/// A view that lists nothing here.
pub(super) fn nothing<T>(_: &Catalog<'_>) -> Vec<T> {
    Vec::new()
}
