//! A warehouse's order lines: fifteen columns of mixed types, 208 bytes in a row on average.

use std::borrow::Cow;

use tiberius::numeric::Numeric;
use tiberius::time::{Date, DateTime, DateTime2, Time};
use tiberius::{ColumnData, TokenRow};
use uuid::Uuid;

/// Creates the table.
pub(crate) const CREATE: &str = "CREATE TABLE dbo.lines (
    id bigint NOT NULL PRIMARY KEY, status nchar(1) NOT NULL, order_id int NOT NULL, sku nvarchar(20) NOT NULL,
    location varchar(40) NULL, line smallint NOT NULL, quantity decimal(18, 4) NOT NULL, price money NULL,
    weight float NULL, picked_at datetime2(3) NULL, entered_at datetime NOT NULL, short bit NOT NULL,
    tag uniqueidentifier NULL, stamp binary(8) NOT NULL, notes nvarchar(200) NULL)";

const TAG: u128 = 0x6F96_19FF_8B86_D011_B42D_00C0_4FC9_64FF;
const STAMP: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

/// A third of the notes are NULL.
fn notes(n: usize) -> Option<String> {
    (!n.is_multiple_of(3)).then(|| format!("note number {n} about this line"))
}

fn sku(n: usize) -> String {
    format!("SKU-{:06}", n % 10_000)
}

fn location(n: usize) -> String {
    format!("A-{:02}-{:03}", n % 90, n % 700)
}

/// One row as T-SQL.
pub(crate) fn literal(n: usize) -> String {
    let notes = notes(n).map_or_else(|| "NULL".to_owned(), |text| format!("N'{text}'"));
    format!(
        "({n}, N'A', {order}, N'{sku}', '{location}', {line}, {n}.25, {price}.5, {weight}.125, \
         '2026-11-24T10:00:00.123', '2026-11-24T09:00:00', {short}, '6F9619FF-8B86-D011-B42D-00C04FC964FF', \
         0x0102030405060708, {notes})",
        order = n / 5,
        sku = sku(n),
        location = location(n),
        line = n % 5,
        price = n % 1000,
        weight = n % 100,
        short = n % 2,
    )
}

/// The same row for a bulk load.
pub(crate) fn token_row(n: usize) -> TokenRow<'static> {
    /// 2026-11-24 since 0001-01-01 and since 1900-01-01.
    const DAY: (u32, i32) = (739_943, 46_348);
    let number = |n: usize| i32::try_from(n).expect("a number of four bytes");
    let text = |text: String| ColumnData::String(Some(Cow::Owned(text)));
    let mut row = TokenRow::with_capacity(15);
    row.push(ColumnData::I64(Some(number(n).into())));
    row.push(text("A".into()));
    row.push(ColumnData::I32(Some(number(n / 5))));
    row.push(text(sku(n)));
    row.push(text(location(n)));
    row.push(ColumnData::I16(Some((n % 5) as i16)));
    row.push(ColumnData::Numeric(Some(Numeric::new_with_scale(i128::from(number(n)) * 10_000 + 2_500, 4))));
    row.push(ColumnData::F64(Some((n % 1000) as f64 + 0.5)));
    row.push(ColumnData::F64(Some((n % 100) as f64 + 0.125)));
    row.push(ColumnData::DateTime2(Some(DateTime2::new(Date::new(DAY.0), Time::new(36_000_123, 3)))));
    row.push(ColumnData::DateTime(Some(DateTime::new(DAY.1, 9 * 3600 * 300))));
    row.push(ColumnData::Bit(Some(n % 2 == 1)));
    row.push(ColumnData::Guid(Some(Uuid::from_u128(TAG))));
    row.push(ColumnData::Binary(Some(Cow::Borrowed(&STAMP))));
    row.push(ColumnData::String(notes(n).map(Cow::Owned)));
    row
}
