//! The catalog: `sys` and `INFORMATION_SCHEMA` views as tables computed from the engine's state.
//!
//! A view is its name, its columns and a function that makes its rows. It shows the database's present state without
//! waiting and only the tables on which the principal holds some permission. Columns that no client was seen to
//! ask for are left out; `sql_variant` columns have the type of what they hold here.

mod column_views;
mod constraint_views;
mod database_views;
mod definition;
mod information_schema;
mod key_views;
mod lock_views;
mod session_views;
mod table_views;
mod tracking_views;
pub mod type_facts;

use std::sync::Arc;

use chrono::{DateTime, Datelike, Timelike, Utc};

use crate::collation::Collation;
use crate::engine::layout::row_of;
use crate::engine::{DatabaseId, Engine, NameScope, Row, TableInfo};
use crate::types::{ColumnMeta, Length, SqlError, SqlType, Value};

/// Name, type and nullability of a view's column.
type ViewColumn = (&'static str, SqlType, bool);

/// The values of a view's rows.
type ViewRows = Vec<Vec<Value>>;

/// A view's definition.
struct ViewDef {
    schema: &'static str,
    name: &'static str,
    columns: &'static [ViewColumn],
    rows: fn(&Catalog<'_>) -> ViewRows,
    /// Permission on the database without which reading is refused; None for views that hide rows instead.
    permission: Option<&'static str>,
    /// Rows with one value in the first column, for a view that is long and knows a faster way to them.
    by_key: Option<fn(&Catalog<'_>, i64) -> ViewRows>,
}

impl ViewDef {
    /// A view that hides what the principal may not see.
    const fn new(
        schema: &'static str,
        name: &'static str,
        columns: &'static [ViewColumn],
        rows: fn(&Catalog<'_>) -> ViewRows,
    ) -> Self {
        Self { schema, name, columns, rows, permission: None, by_key: None }
    }
}

/// A catalog view.
#[derive(Clone, Copy)]
pub struct View(&'static ViewDef);

/// What a view is computed from.
struct Catalog<'a> {
    engine: &'a Engine,
    scope: &'a NameScope,
    database: DatabaseId,
}

const BIT: SqlType = SqlType::Bit;
const TINYINT: SqlType = SqlType::TinyInt;
const SMALLINT: SqlType = SqlType::SmallInt;
const INT: SqlType = SqlType::Int;
const BIGINT: SqlType = SqlType::BigInt;
const DATETIME: SqlType = SqlType::DateTime;
const SYSNAME: SqlType = SqlType::NVarChar(Length::Limited(128));
const DESCRIPTION: SqlType = SqlType::NVarChar(Length::Limited(60));
const TEXT: SqlType = SqlType::NVarChar(Length::Max);
const TYPE_CODE: SqlType = SqlType::Char(2);

/// Object id of the first catalog view; system objects have negative ones.
const FIRST_VIEW_ID: i32 = -385;

impl View {
    /// A view by schema and name.
    pub fn named(schema: &str, name: &str) -> Option<Self> {
        let equal = |a: &str, b: &str| Collation::DEFAULT.equal_str(a, b);
        Self::all().find(|view| equal(view.0.schema, schema) && equal(view.0.name, name))
    }

    /// Every view.
    fn all() -> impl Iterator<Item = Self> {
        [
            database_views::VIEWS,
            table_views::VIEWS,
            column_views::VIEWS,
            key_views::VIEWS,
            constraint_views::VIEWS,
            tracking_views::VIEWS,
            session_views::VIEWS,
            lock_views::VIEWS,
            information_schema::VIEWS,
        ]
        .into_iter()
        .flatten()
        .map(Self)
    }

    /// Its object id.
    pub fn object_id(self) -> i32 {
        let position = Self::all().position(|view| std::ptr::eq(view.0, self.0)).unwrap_or_default();
        FIRST_VIEW_ID - i32::try_from(position).unwrap_or_default()
    }

    /// Its schema and name.
    pub fn name(self) -> (&'static str, &'static str) {
        (self.0.schema, self.0.name)
    }

    /// Its columns.
    pub fn columns(self) -> Arc<[ColumnMeta]> {
        let columns = self.0.columns.iter();
        columns.map(|(name, sql_type, nullable)| ColumnMeta::new(*name, *sql_type, *nullable)).collect()
    }

    /// Its rows for a session, in row form.
    ///
    /// # Errors
    /// 262 for a view of the server's state without the permission to see it.
    pub fn rows(
        self,
        engine: &Engine,
        scope: &NameScope,
        database: DatabaseId,
    ) -> Result<Vec<Row>, SqlError> {
        self.checked(&Catalog { engine, scope, database }, self.0.rows)
    }

    /// Whether [`View::rows_by_key`] saves making all rows.
    pub fn has_key(self) -> bool {
        self.0.by_key.is_some()
    }

    /// At least those of its rows that have a value in the first column.
    ///
    /// # Errors
    /// As [`View::rows`].
    pub fn rows_by_key(
        self,
        engine: &Engine,
        scope: &NameScope,
        database: DatabaseId,
        key: i64,
    ) -> Result<Vec<Row>, SqlError> {
        let catalog = Catalog { engine, scope, database };
        match self.0.by_key {
            Some(by_key) => self.checked(&catalog, |catalog| by_key(catalog, key)),
            None => self.checked(&catalog, self.0.rows),
        }
    }

    fn checked(
        self,
        catalog: &Catalog<'_>,
        rows: impl FnOnce(&Catalog<'_>) -> ViewRows,
    ) -> Result<Vec<Row>, SqlError> {
        if let Some(permission) = self.0.permission {
            catalog.require(permission)?;
        }
        let columns = self.columns();
        Ok(rows(catalog).iter().map(|values| row_of(&columns, values)).collect())
    }
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0.schema, self.0.name)
    }
}

impl PartialEq for View {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Catalog<'_> {
    fn tables(&self) -> Vec<TableInfo> {
        self.engine.tables(self.scope, self.database)
    }

    fn require(&self, permission: &str) -> Result<(), SqlError> {
        if permission == session_views::SERVER_STATE {
            return self.require_on_server(permission);
        }
        if self.engine.permitted_on_database(&self.scope.principal, permission, self.database) {
            return Ok(());
        }
        let name = self.engine.database_name(self.database).unwrap_or_default();
        let message = format!("{permission} permission denied in database '{name}'.");
        Err(SqlError { class: 14, ..SqlError::statement(262, message) })
    }
}

impl Catalog<'_> {
    /// Permissions on the server are the sysadmins'.
    fn require_on_server(&self, permission: &str) -> Result<(), SqlError> {
        if self.scope.principal.sysadmin {
            return Ok(());
        }
        let message = format!("{permission} permission was denied on object 'server', database 'master'.");
        Err(SqlError { class: 14, ..SqlError::statement(300, message) })
    }
}

fn int(n: impl Into<i64>) -> Value {
    Value::Int(n.into())
}

fn optional_int(n: Option<i64>) -> Value {
    n.map_or(Value::Null, Value::Int)
}

/// The position of something in a list, from 1.
fn ordinal(position: usize) -> Value {
    Value::Int(i64::try_from(position + 1).unwrap_or(i64::MAX))
}

fn bit(b: bool) -> Value {
    Value::Bit(b)
}

fn text(s: &str) -> Value {
    Value::text(s)
}

/// A two-character type code, padded.
fn code(s: &str) -> Value {
    Value::text(&format!("{s:<2}"))
}

/// A time as `datetime`, rounded to 1/300 s.
fn datetime(time: DateTime<Utc>) -> Value {
    /// Days of the common era before 1900-01-01.
    const DAYS_BEFORE_1900: i32 = 693_596;
    let millis =
        u64::from(time.num_seconds_from_midnight()) * 1000 + u64::from(time.nanosecond() / 1_000_000);
    let ticks = u32::try_from((millis * 3 + 5) / 10).unwrap_or(u32::MAX);
    Value::DateTime { days: time.num_days_from_ce() - DAYS_BEFORE_1900, ticks: ticks.min(300 * 86_400 - 1) }
}
