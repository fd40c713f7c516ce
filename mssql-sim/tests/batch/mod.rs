//! Batches run by an in-process administrator, answers as short text.

use mssql_sim::server::{Options, Server};
use mssql_sim::types::Value;

/// A server with a database that tracks changes.
pub(crate) async fn server(setup: &str) -> Server {
    let server = Server::new(Options::default());
    run(&server, "ALTER DATABASE CURRENT SET CHANGE_TRACKING = ON").await;
    run(&server, "ALTER DATABASE CURRENT SET ALLOW_SNAPSHOT_ISOLATION ON").await;
    run(&server, setup).await;
    server
}

/// Runs a batch that succeeds.
pub(crate) async fn run(server: &Server, sql: &str) {
    if let Err(error) = server.execute(sql).await {
        panic!("{error}\nin: {sql}");
    }
}

/// Rows of a batch that succeeds: columns between commas, rows between semicolons.
pub(crate) async fn rows(server: &Server, sql: &str) -> String {
    match server.execute(sql).await {
        Ok(rows) => {
            let rows = rows.iter().map(|row| row.iter().map(shown).collect::<Vec<_>>().join(","));
            rows.collect::<Vec<_>>().join("; ")
        }
        Err(error) => panic!("{error}\nin: {sql}"),
    }
}

/// Error number of a batch that fails, 0 of one that does not.
pub(crate) async fn error(server: &Server, sql: &str) -> i32 {
    server.execute(sql).await.err().map_or(0, |error| error.number)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bit(bit) => u8::from(*bit).to_string(),
        Value::Int(n) => n.to_string(),
        Value::Text(units) => String::from_utf16_lossy(units).trim_end().to_owned(),
        Value::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
        other => format!("{other:?}"),
    }
}
