//! The catalog: `sys` and `INFORMATION_SCHEMA` views as tables computed from the engine's state.
//!
//! A view is its name and a [`field::List`]: the things that it lists, and one line per column that says what the column
//! tells of a thing. It shows the database's present state without waiting, and only the objects on which the principal
//! holds some permission.

mod column_views;
mod constraint_views;
mod database_views;
mod definition;
mod field;
mod index_views;
mod information_schema;
mod lock_views;
mod object_views;
mod principal_views;
mod server_views;
mod session_views;
mod storage_views;
mod tracking_views;
pub mod type_facts;

use std::sync::Arc;

use chrono::{DateTime, Datelike, Timelike, Utc};

use crate::collation::Collation;
use crate::engine::layout::row_of;
use crate::engine::{DatabaseId, Engine, NameScope, Row, TableInfo, UserView};
use crate::types::{ColumnMeta, Length, SqlError, SqlType, Value};
use field::Listing;

/// The values of a view's rows.
type ViewRows = Vec<Vec<Value>>;

/// A view's definition.
struct ViewDef {
    schema: &'static str,
    name: &'static str,
    listing: &'static dyn Listing,
    guard: Guard,
}

/// What it takes to read a view; most hide what one may not see instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guard {
    /// Nothing.
    Open,
    /// A permission on the database, else 262.
    Database(&'static str),
    /// A permission on the server, else this error: 300 or 371.
    Server(&'static str, i32),
}

impl ViewDef {
    /// A `sys` view that hides what the principal may not see.
    const fn sys(name: &'static str, listing: &'static dyn Listing) -> Self {
        Self { schema: "sys", name, listing, guard: Guard::Open }
    }

    /// An `INFORMATION_SCHEMA` view.
    const fn information(name: &'static str, listing: &'static dyn Listing) -> Self {
        Self { schema: "INFORMATION_SCHEMA", name, listing, guard: Guard::Open }
    }

    /// A view of the server's state.
    const fn guarded(name: &'static str, guard: Guard, listing: &'static dyn Listing) -> Self {
        Self { schema: "sys", name, listing, guard }
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
        if !equal(schema, "sys") && !equal(schema, "INFORMATION_SCHEMA") {
            return None;
        }
        Self::all().find(|view| equal(view.0.schema, schema) && equal(view.0.name, name))
    }

    /// Every view.
    pub fn all() -> impl Iterator<Item = Self> {
        [
            object_views::VIEWS,
            column_views::VIEWS,
            index_views::VIEWS,
            constraint_views::VIEWS,
            storage_views::VIEWS,
            database_views::VIEWS,
            principal_views::VIEWS,
            server_views::VIEWS,
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
        self.0.listing.columns().into()
    }

    /// Its rows for a session, in row form.
    ///
    /// # Errors
    /// 262, 300 or 371 for a view of the server's state without the permission to see it.
    pub fn rows(
        self,
        engine: &Engine,
        scope: &NameScope,
        database: DatabaseId,
    ) -> Result<Vec<Row>, SqlError> {
        let catalog = Catalog { engine, scope, database };
        catalog.require(self.0.guard)?;
        Ok(self.in_row_form(&self.0.listing.rows(&catalog)))
    }

    /// Whether [`View::rows_by_key`] saves making all rows.
    pub fn has_key(self) -> bool {
        self.0.listing.has_key()
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
        catalog.require(self.0.guard)?;
        Ok(self.in_row_form(&self.0.listing.rows_by_key(&catalog, key)))
    }

    fn in_row_form(self, rows: &[Vec<Value>]) -> Vec<Row> {
        let columns = self.columns();
        rows.iter().map(|values| row_of(&columns, values)).collect()
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

    fn views(&self) -> Vec<Arc<UserView>> {
        self.engine.shown_views(self.scope, self.database)
    }

    /// Name of the database whose catalog it is.
    fn database_name(&self) -> String {
        self.engine.database_name(self.database).unwrap_or_default()
    }

    fn require(&self, guard: Guard) -> Result<(), SqlError> {
        let principal = &self.scope.principal;
        let refused = |number: i32, message: String| {
            Err(SqlError { class: 14, ..SqlError::statement(number, message) })
        };
        match guard {
            Guard::Database(permission)
                if !self.engine.permitted_on_database(principal, permission, self.database) =>
            {
                let name = self.database_name();
                refused(262, format!("{permission} permission denied in database '{name}'."))
            }
            Guard::Server(permission, number) if !self.engine.permitted_on_server(principal, permission) => {
                let message = match number {
                    371 => "The user does not have permission to perform this action.".to_owned(),
                    _ => format!("{permission} permission was denied on object 'server', database 'master'."),
                };
                refused(number, message)
            }
            _ => Ok(()),
        }
    }
}

fn int(n: impl Into<i64>) -> Value {
    Value::Int(n.into())
}

fn optional_int(n: Option<i64>) -> Value {
    n.map_or(Value::Null, Value::Int)
}

fn optional_text(s: Option<&str>) -> Value {
    s.map_or(Value::Null, text)
}

/// The position of something in a list, from 1.
fn ordinal(position: usize) -> Value {
    Value::Int(i64::try_from(position + 1).unwrap_or(i64::MAX))
}

/// What a column says that is no, or nothing, of everything.
fn no<T>(_: &T) -> Value {
    Value::Bit(false)
}

/// What a column says that is 0 of everything.
fn zero<T>(_: &T) -> Value {
    Value::Int(0)
}

/// What a column says that is NULL of everything.
fn null<T>(_: &T) -> Value {
    Value::Null
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
