//! `sp_tablecollations_100`: the collations of a table's columns, for which drivers ask before a bulk load.

use super::cleanup::argument;
use super::command::Command;
use super::event::Event;
use super::procedure::{Caller, Outcome};
use super::{Failure, Session};
use crate::engine::{TableDef, layout};
use crate::types::{ColumnMeta, Length, SqlError, SqlType, Value};
use crate::wire::rpc::Argument;

impl Session {
    /// `[@object =] table`
    pub(super) async fn table_collations(
        &self,
        arguments: &[Argument],
        caller: Caller<'_>,
    ) -> Result<Outcome, Failure> {
        let Some(Argument { value: Value::Text(name), .. }) = argument(arguments, 0, "@object") else {
            let message = "Procedure or function 'sp_tablecollations_100' expects parameter '@object', which was not supplied.";
            return Err(SqlError { state: 4, ..SqlError::statement(201, message) }.into());
        };
        let columns = columns();
        let table = self.table_named(&String::from_utf16_lossy(name));
        let rows: Vec<_> = table
            .iter()
            .flat_map(|table| values(&table.def))
            .map(|row| layout::row_of(&columns, &row))
            .collect();
        let count = rows.len() as u64;
        caller.events.send(Event::Columns(columns.into())).await?;
        caller.events.send(Event::Rows(rows)).await?;
        caller.events.send(Event::Done { command: Command::Select, rows: Some(count) }).await?;
        Ok(Outcome::success(Vec::new()))
    }
}

fn columns() -> [ColumnMeta; 4] {
    const NAME: SqlType = SqlType::NVarChar(Length::Limited(128));
    [
        ColumnMeta::new("colid", SqlType::Int, false),
        ColumnMeta::new("name", NAME, false),
        ColumnMeta::new("tds_collation", SqlType::Binary(5), true),
        ColumnMeta::new("collation", NAME, true),
    ]
}

/// One row for each column; a column without characters has no collation.
fn values(table: &TableDef) -> impl Iterator<Item = Vec<Value>> {
    table.columns.iter().zip(&*table.layout).map(|(column, meta)| {
        let collation = Some(meta.collation).filter(|_| meta.sql_type.has_collation());
        vec![
            Value::Int(column.column_id.into()),
            Value::text(&column.name),
            collation.map_or(Value::Null, |collation| Value::Bytes(collation.wire_bytes().to_vec())),
            collation.map_or(Value::Null, |collation| Value::text(&collation.name())),
        ]
    })
}
