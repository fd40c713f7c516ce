//! Batches on a server elsewhere, over TDS. Its messages of class 10 and less are not shown: the client library keeps
//! them to itself.

use std::io;

use tiberius::time::{Date, Time};
use tiberius::{AuthMethod, Client, ColumnData, Config, EncryptionLevel};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

use super::{Answer, Table, Target};
use crate::exec::conversion::text_of;
use crate::types::{SqlError, SqlType, Value};

/// A session on a server.
pub struct RemoteTarget {
    client: Client<Compat<TcpStream>>,
}

/// Why a server cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RemoteTargetError {
    /// No connection.
    #[error("no connection: {0}")]
    Connect(#[from] io::Error),
    /// The login failed.
    #[error("the login failed: {0}")]
    LogIn(#[from] tiberius::error::Error),
}

impl RemoteTarget {
    /// Logs in; everything is encrypted or nothing, and the server's certificate is not checked.
    ///
    /// # Errors
    /// No connection, or no login.
    pub async fn connect(
        (host, port): (&str, u16),
        (user, password): (&str, &str),
        database: &str,
        encrypted: bool,
    ) -> Result<Self, RemoteTargetError> {
        let mut config = Config::new();
        config.host(host);
        config.port(port);
        config.authentication(AuthMethod::sql_server(user, password));
        config.database(database);
        config.encryption(if encrypted { EncryptionLevel::Required } else { EncryptionLevel::NotSupported });
        config.trust_cert();
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        // Boxed: the handshake's future is large.
        let client = Box::pin(Client::connect(config, stream.compat_write())).await?;
        Ok(Self { client })
    }
}

impl Target for RemoteTarget {
    async fn run(&mut self, batch: &str) -> io::Result<Vec<Answer>> {
        let results = match self.client.simple_query(batch).await {
            Ok(stream) => stream.into_results().await,
            Err(error) => Err(error),
        };
        match results {
            Ok(results) => Ok(results.into_iter().map(|rows| Answer::Table(table(&rows))).collect()),
            Err(tiberius::error::Error::Server(error)) => Ok(vec![Answer::Error(SqlError {
                class: error.class(),
                state: error.state(),
                line: i32::try_from(error.line()).unwrap_or_default(),
                ..SqlError::statement(i32::try_from(error.code()).unwrap_or_default(), error.message())
            })]),
            Err(other) => Err(io::Error::other(other)),
        }
    }
}

fn table(rows: &[tiberius::Row]) -> Table {
    let columns = rows.first().map_or(&[][..], tiberius::Row::columns);
    Table {
        columns: columns.iter().map(|column| column.name().to_owned()).collect(),
        rows: rows.iter().map(|row| row.cells().map(|(_, data)| shown(data)).collect()).collect(),
    }
}

/// A value as text.
fn shown(data: &ColumnData<'static>) -> Option<String> {
    match data {
        ColumnData::Bit(value) => value.map(|bit| u8::from(bit).to_string()),
        ColumnData::U8(value) => value.map(|n| n.to_string()),
        ColumnData::I16(value) => value.map(|n| n.to_string()),
        ColumnData::I32(value) => value.map(|n| n.to_string()),
        ColumnData::I64(value) => value.map(|n| n.to_string()),
        ColumnData::F32(value) => value.map(|n| n.to_string()),
        ColumnData::F64(value) => value.map(|n| n.to_string()),
        ColumnData::Numeric(value) => value.map(|n| n.to_string()),
        ColumnData::String(value) => value.as_ref().map(|text| text.to_string()),
        ColumnData::Guid(value) => value.map(|guid| guid.to_string().to_uppercase()),
        ColumnData::Binary(value) => value.as_ref().map(|bytes| {
            let digits = bytes.iter().map(|byte| format!("{byte:02X}"));
            format!("0x{}", digits.collect::<String>())
        }),
        other => temporal(other),
    }
}

/// A date or time as text.
fn temporal(data: &ColumnData<'static>) -> Option<String> {
    let (value, sql_type) = match data {
        ColumnData::DateTime(Some(time)) => {
            (Value::DateTime { days: time.days(), ticks: time.seconds_fragments() }, SqlType::DateTime)
        }
        ColumnData::SmallDateTime(Some(time)) => {
            let ticks = u32::from(time.seconds_fragments()) * TICKS_PER_MINUTE;
            (Value::DateTime { days: i32::from(time.days()), ticks }, SqlType::SmallDateTime)
        }
        ColumnData::Date(Some(date)) => (Value::Date(days(*date)), SqlType::Date),
        ColumnData::Time(Some(time)) => (Value::Time(increments(*time)), SqlType::Time(time.scale())),
        ColumnData::DateTime2(Some(time)) => (
            Value::DateTime2 { days: days(time.date()), ticks: increments(time.time()) },
            SqlType::DateTime2(time.time().scale()),
        ),
        ColumnData::DateTimeOffset(Some(time)) => {
            let utc = time.datetime2();
            let (days, ticks) = (days(utc.date()), increments(utc.time()));
            (
                Value::DateTimeOffset { days, ticks, offset: time.offset() },
                SqlType::DateTimeOffset(utc.time().scale()),
            )
        }
        _ => return None,
    };
    text_of(value, sql_type).ok().map(|units| String::from_utf16_lossy(&units))
}

/// 1/300 s of a minute.
const TICKS_PER_MINUTE: u32 = 60 * 300;

fn days(date: Date) -> i32 {
    i32::try_from(date.days()).unwrap_or(i32::MAX)
}

/// 100 ns since midnight.
fn increments(time: Time) -> u64 {
    time.increments() * 10u64.pow(u32::from(7 - time.scale()))
}
