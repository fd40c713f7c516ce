//! Rows of small, fixed queries, read field by field. Integer and flag widths differ between server versions, so any will do.

use super::decode::{datetime2_micros, kind};
use super::error::SourceError;
use std::borrow::Cow;
use std::vec;
use tiberius::{ColumnData, Row};

/// One row, read from left to right.
pub(super) struct Fields<'a> {
    doing: &'a str,
    values: vec::IntoIter<ColumnData<'static>>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(doing: &'a str, row: Row) -> Self {
        Self { doing, values: row.into_iter() }
    }

    /// The next field as an integer.
    pub(super) fn integer(&mut self) -> Result<Option<i64>, SourceError> {
        match self.next("an integer")? {
            ColumnData::U8(value) => Ok(value.map(i64::from)),
            ColumnData::I16(value) => Ok(value.map(i64::from)),
            ColumnData::I32(value) => Ok(value.map(i64::from)),
            ColumnData::I64(value) => Ok(value),
            ColumnData::Bit(value) => Ok(value.map(i64::from)),
            other => Err(self.unreadable("an integer", &other)),
        }
    }

    /// The next field as an integer that is not NULL and fits.
    pub(super) fn number<N: TryFrom<i64>>(&mut self, name: &str) -> Result<N, SourceError> {
        let value = self.integer()?;
        value.and_then(|value| N::try_from(value).ok()).ok_or_else(|| self.missing(name))
    }

    /// The next field as a flag; NULL is false.
    pub(super) fn flag(&mut self) -> Result<bool, SourceError> {
        Ok(self.integer()?.is_some_and(|value| value != 0))
    }

    /// The next field as text.
    pub(super) fn text(&mut self) -> Result<Option<String>, SourceError> {
        match self.next("a text")? {
            ColumnData::String(value) => Ok(value.map(Cow::into_owned)),
            other => Err(self.unreadable("a text", &other)),
        }
    }

    /// The next field as text that is not NULL.
    pub(super) fn name(&mut self, name: &str) -> Result<String, SourceError> {
        self.text()?.ok_or_else(|| self.missing(name))
    }

    /// The next field, a `datetime2`, in microseconds since 1970-01-01.
    pub(super) fn moment(&mut self, name: &str) -> Result<i64, SourceError> {
        match self.next("a datetime2")? {
            ColumnData::DateTime2(Some(value)) => Ok(datetime2_micros(value)),
            ColumnData::DateTime2(None) => Err(self.missing(name)),
            other => Err(self.unreadable("a datetime2", &other)),
        }
    }

    fn next(&mut self, wanted: &str) -> Result<ColumnData<'static>, SourceError> {
        self.values.next().ok_or_else(|| SourceError::Unreadable {
            doing: self.doing.to_owned(),
            reason: format!("{wanted} is missing at the row's end"),
        })
    }

    fn missing(&self, name: &str) -> SourceError {
        SourceError::Unreadable {
            doing: self.doing.to_owned(),
            reason: format!("{name} is NULL or out of range"),
        }
    }

    fn unreadable(&self, wanted: &str, found: &ColumnData<'_>) -> SourceError {
        let reason = format!("{} instead of {wanted}", kind(found));
        SourceError::Unreadable { doing: self.doing.to_owned(), reason }
    }
}
