//! tiberius, asked as the other clients are.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use futures::TryStreamExt;
use tiberius::time::{Date, DateTime, DateTime2, DateTimeOffset, SmallDateTime, Time};
use tiberius::{
    AuthMethod, Client, ColumnData, Config, EncryptionLevel, IsolationLevel, QueryItem, ToSql, TokenRow,
    numeric::Numeric,
};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

use super::{Encryption, Failure, Reply, Request, ResultSet, Typed};
use crate::site::Login;
use crate::values::{bytes_of, hex_of};

type Session = Client<Compat<TcpStream>>;
type Error = tiberius::error::Error;

/// How long a hasty session waits before it cancels.
const PATIENCE: Duration = Duration::from_millis(200);
/// Ticks of the finest clock per second.
const TICKS: u64 = 10_000_000;

/// The sessions, each with whether it is hasty.
#[derive(Default)]
pub(crate) struct TiberiusClient {
    sessions: HashMap<String, (Session, bool)>,
}

impl TiberiusClient {
    pub(crate) async fn ask(&mut self, request: &Request<'_>) -> Reply {
        let mut reply = Reply::default();
        if let Err(error) = self.answer(request, &mut reply).await {
            reply.error = Some(failure(&error));
        }
        reply
    }

    async fn answer(&mut self, request: &Request<'_>, reply: &mut Reply) -> Result<(), Error> {
        match *request {
            Request::Connect { session, login, encryption, hasty } => {
                self.sessions.insert(session.to_owned(), (connect(login, encryption).await?, hasty));
                Ok(())
            }
            Request::Close { session } => {
                let (session, _) = self.sessions.remove(session).expect("an open session");
                session.close().await
            }
            Request::Run { session, sql, parameters } => {
                let (session, hasty) = self.session(session);
                if !*hasty {
                    return run(session, sql, parameters, reply).await;
                }
                if let Ok(ended) = tokio::time::timeout(PATIENCE, run(session, sql, parameters, reply)).await
                {
                    return ended;
                }
                session.cancel_query().await?;
                Err(Error::Protocol("given up".into()))
            }
            Request::Change { session, sql, parameters } => {
                let parameters: Vec<_> = parameters.iter().copied().map(Parameter::of).collect();
                let borrowed: Vec<&dyn ToSql> = parameters.iter().map(|value| value as &dyn ToSql).collect();
                let changed = self.session(session).0.execute(numbered(sql), &borrowed).await?;
                reply.affected = Some(changed.total().try_into().expect("a count"));
                Ok(())
            }
            Request::Repeat { session, sql, rows } => {
                let (session, _) = self.session(session);
                for row in rows {
                    run(session, sql, row, reply).await?;
                }
                Ok(())
            }
            Request::Copy { session, table, columns, rows } => {
                let mut load = Box::pin(self.session(session).0.bulk_insert(table)).await?;
                for row in rows {
                    let mut copied = TokenRow::with_capacity(row.len());
                    row.iter()
                        .zip(columns)
                        .for_each(|(text, (_, sql_type))| copied.push(copied_value(sql_type, *text)));
                    load.send(copied).await?;
                }
                load.finalize().await.map(drop)
            }
            Request::Begin { session, isolation } => {
                self.session(session).0.begin_transaction_with_isolation(level(isolation)).await
            }
            Request::End { session, commit: true } => self.session(session).0.commit_transaction().await,
            Request::End { session, commit: false } => self.session(session).0.rollback_transaction().await,
        }
    }

    fn session(&mut self, name: &str) -> &mut (Session, bool) {
        self.sessions.get_mut(name).expect("an open session")
    }
}

async fn connect(login: &Login, encryption: Encryption) -> Result<Session, Error> {
    let mut config = Config::new();
    config.host("localhost");
    config.authentication(AuthMethod::sql_server(&login.user, &login.password));
    config.database(&login.database);
    config.encryption(match encryption {
        Encryption::None => EncryptionLevel::NotSupported,
        Encryption::Login => EncryptionLevel::Off,
        Encryption::Full => EncryptionLevel::Required,
    });
    if let Some(ca) = &login.ca {
        config.trust_cert_ca(ca.display());
    }
    let stream = TcpStream::connect(("127.0.0.1", login.port)).await?;
    stream.set_nodelay(true)?;
    Box::pin(Client::connect(config, stream.compat_write())).await
}

async fn run(
    session: &mut Session,
    sql: &str,
    parameters: &[Typed<'_>],
    reply: &mut Reply,
) -> Result<(), Error> {
    let parameters: Vec<_> = parameters.iter().copied().map(Parameter::of).collect();
    let borrowed: Vec<&dyn ToSql> = parameters.iter().map(|value| value as &dyn ToSql).collect();
    let mut stream = match borrowed.as_slice() {
        [] => session.simple_query(sql).await?,
        parameters => session.query(numbered(sql), parameters).await?,
    };
    while let Some(item) = stream.try_next().await? {
        match item {
            QueryItem::Metadata(metadata) => {
                let columns = metadata.columns().iter().map(|column| column.name().to_owned()).collect();
                reply.results.push(ResultSet { columns, rows: Vec::new() });
            }
            QueryItem::Row(row) => {
                let row = row.cells().map(|(_, value)| text_of(value)).collect();
                reply.results.last_mut().expect("rows follow their metadata").rows.push(row);
            }
        }
    }
    Ok(())
}

fn failure(error: &Error) -> Failure {
    match error {
        Error::Server(token) => Failure { number: Some(token.code()), message: token.message().to_owned() },
        other => Failure { number: None, message: other.to_string() },
    }
}

fn level(isolation: &str) -> IsolationLevel {
    match isolation {
        "READ UNCOMMITTED" => IsolationLevel::ReadUncommitted,
        "READ COMMITTED" => IsolationLevel::ReadCommitted,
        "REPEATABLE READ" => IsolationLevel::RepeatableRead,
        "SERIALIZABLE" => IsolationLevel::Serializable,
        "SNAPSHOT" => IsolationLevel::Snapshot,
        other => panic!("no isolation level {other}"),
    }
}

/// Each `?` as `@P1`, `@P2` and so on.
fn numbered(sql: &str) -> String {
    let mut parts = sql.split('?');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for (index, part) in parts.enumerate() {
        text.push_str(&format!("@P{}{part}", index + 1));
    }
    text
}

/// A parameter in the driver's own form.
#[derive(Debug)]
struct Parameter(ColumnData<'static>);

impl ToSql for Parameter {
    fn to_sql(&self) -> ColumnData<'_> {
        self.0.clone()
    }
}

impl Parameter {
    fn of((sql_type, text): Typed<'_>) -> Self {
        fn number<T: std::str::FromStr>(text: Option<&str>) -> Option<T> {
            text.map(|text| text.parse().unwrap_or_else(|_| panic!("{text} is no such number")))
        }
        let base = sql_type.split(['(', ' ']).next().unwrap_or_default();
        Self(match base {
            // The driver counts the digit before the point, which makes one too many.
            "decimal" if sql_type == "decimal(38,38)" => {
                ColumnData::String(text.map(|text| text.to_owned().into()))
            }
            "bit" => ColumnData::Bit(text.map(|text| text == "1")),
            "tinyint" => ColumnData::U8(number(text)),
            "smallint" => ColumnData::I16(number(text)),
            "int" => ColumnData::I32(number(text)),
            "bigint" => ColumnData::I64(number(text)),
            "decimal" | "numeric" | "money" | "smallmoney" => ColumnData::Numeric(text.map(numeric)),
            "float" => ColumnData::F64(number(text)),
            "real" => ColumnData::F32(number(text)),
            "date" => ColumnData::Date(text.map(|text| day(text))),
            "time" => ColumnData::Time(text.map(clock)),
            "datetime" | "smalldatetime" | "datetime2" => ColumnData::DateTime2(text.map(moment)),
            "datetimeoffset" => ColumnData::DateTimeOffset(text.map(moment_with_offset)),
            "binary" | "varbinary" | "image" => {
                ColumnData::Binary(text.map(|text| Cow::Owned(bytes_of(text))))
            }
            "uniqueidentifier" => ColumnData::Guid(number(text)),
            _ => ColumnData::String(text.map(|text| Cow::Owned(text.to_owned()))),
        })
    }
}

/// A value for a bulk load, which asks for the column's own type.
fn copied_value(sql_type: &str, text: Option<&str>) -> ColumnData<'static> {
    /// Days from 0001-01-01 to 1900-01-01.
    const DAYS: i64 = 693_595;
    let parts = |text: &str| {
        let moment = moment(text);
        let days = i64::from(moment.date().days()) - DAYS;
        (days, moment.time().increments())
    };
    let scale =
        sql_type.split_once('(').and_then(|(_, size)| size.trim_end_matches(')').parse().ok()).unwrap_or(7);
    match sql_type.split(['(', ' ']).next().unwrap_or_default() {
        "datetime" => ColumnData::DateTime(text.map(|text| {
            let (days, ticks) = parts(text);
            let fragments = (ticks * 300 + TICKS / 2) / TICKS;
            DateTime::new(days.try_into().expect("a day"), fragments.try_into().expect("a time of day"))
        })),
        "smalldatetime" => ColumnData::SmallDateTime(text.map(|text| {
            let (days, ticks) = parts(text);
            let minutes = ticks / TICKS / 60;
            SmallDateTime::new(days.try_into().expect("a day"), minutes.try_into().expect("a time of day"))
        })),
        "time" => ColumnData::Time(text.map(|text| rescaled(clock(text), scale))),
        "datetime2" => ColumnData::DateTime2(text.map(|text| {
            let moment = moment(text);
            DateTime2::new(moment.date(), rescaled(moment.time(), scale))
        })),
        "datetimeoffset" => ColumnData::DateTimeOffset(text.map(|text| {
            let moment = moment_with_offset(text);
            let utc = moment.datetime2();
            DateTimeOffset::new(DateTime2::new(utc.date(), rescaled(utc.time(), scale)), moment.offset())
        })),
        "decimal" | "numeric" => ColumnData::Numeric(text.map(numeric)),
        _ => Parameter::of((sql_type, text)).0,
    }
}

/// The same time of day in ticks of another size.
fn rescaled(time: Time, scale: u8) -> Time {
    Time::new(time.increments() / 10u64.pow(u32::from(7 - scale)), scale)
}

fn numeric(text: &str) -> Numeric {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let unscaled = format!("{whole}{fraction}").parse().expect("a decimal number");
    Numeric::new_with_scale(unscaled, fraction.len().try_into().expect("a scale"))
}

fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(1, 1, 1).expect("a day")
}

fn day(text: &str) -> Date {
    let date: NaiveDate = text.parse().expect("a day");
    Date::new((date - first_day()).num_days().try_into().expect("a day of the calendar"))
}

fn clock(text: &str) -> Time {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let clock: NaiveTime = seconds.parse().expect("a time of day");
    let seconds = (clock - NaiveTime::MIN).num_seconds().unsigned_abs();
    let ticks: u64 = format!("{fraction:0<7}").parse().expect("a fraction");
    Time::new(seconds * TICKS + ticks, 7)
}

fn moment(text: &str) -> DateTime2 {
    let (date, time) = text.split_once(' ').expect("a day and a time");
    DateTime2::new(day(date), clock(time))
}

/// The wire carries UTC and the offset.
fn moment_with_offset(text: &str) -> DateTimeOffset {
    let (local, offset) = text.rsplit_once(' ').expect("an offset");
    let (hours, minutes) = offset[1..].split_once(':').expect("hours and minutes");
    let minutes = hours.parse::<i16>().expect("hours") * 60 + minutes.parse::<i16>().expect("minutes");
    let minutes = if offset.starts_with('-') { -minutes } else { minutes };
    let local: NaiveDateTime = local.parse().or_else(|_| local.replace(' ', "T").parse()).expect("a moment");
    let utc = local - TimeDelta::minutes(minutes.into());
    DateTimeOffset::new(moment(&utc.format("%Y-%m-%d %H:%M:%S%.9f").to_string()[..27]), minutes)
}

fn text_of(value: &ColumnData<'_>) -> Option<String> {
    fn shown<T: ToString>(value: &Option<T>) -> Option<String> {
        value.as_ref().map(T::to_string)
    }
    let date = |date: &Date| (first_day() + Days::new(date.days().into())).to_string();
    let time = |time: &Time| {
        let ticks = time.increments() * 10u64.pow((7 - time.scale()).into());
        let seconds = ticks / TICKS;
        format!("{:02}:{:02}:{:02}.{:07}", seconds / 3600, seconds / 60 % 60, seconds % 60, ticks % TICKS)
    };
    let moment = |moment: &DateTime2| format!("{} {}", date(&moment.date()), time(&moment.time()));
    match value {
        ColumnData::Bit(value) => value.map(|bit| u8::from(bit).to_string()),
        ColumnData::U8(value) => shown(value),
        ColumnData::I16(value) => shown(value),
        ColumnData::I32(value) => shown(value),
        ColumnData::I64(value) => shown(value),
        ColumnData::F32(value) => value.map(|value| hex_of(&f64::from(value).to_be_bytes())),
        ColumnData::F64(value) => value.map(|value| hex_of(&value.to_be_bytes())),
        ColumnData::String(value) => shown(value),
        ColumnData::Guid(value) => shown(value),
        ColumnData::Binary(value) => value.as_ref().map(|bytes| hex_of(bytes)),
        ColumnData::Numeric(value) => value.map(decimal_text),
        ColumnData::Xml(value) => value.as_ref().map(|xml| xml.to_string()),
        ColumnData::DateTime(value) => value.map(datetime_text),
        ColumnData::SmallDateTime(value) => value.map(small_datetime_text),
        ColumnData::Date(value) => value.as_ref().map(date),
        ColumnData::Time(value) => value.as_ref().map(time),
        ColumnData::DateTime2(value) => value.as_ref().map(moment),
        ColumnData::DateTimeOffset(value) => value.map(offset_text),
    }
}

/// The digits of the value, whatever its sign and scale.
fn decimal_text(value: Numeric) -> String {
    let scale = usize::from(value.scale());
    let digits = format!("{:0>width$}", value.value().unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if value.value() < 0 { "-" } else { "" };
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

fn day_of_1900(days: i64) -> NaiveDate {
    NaiveDate::from_ymd_opt(1900, 1, 1).expect("a day") + TimeDelta::days(days)
}

fn datetime_text(value: DateTime) -> String {
    let midnight = day_of_1900(value.days().into()).and_time(NaiveTime::MIN);
    let nanoseconds = i64::from(value.seconds_fragments()) * 1_000_000_000 / 300;
    (midnight + TimeDelta::nanoseconds(nanoseconds)).format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

fn small_datetime_text(value: SmallDateTime) -> String {
    let midnight = day_of_1900(value.days().into()).and_time(NaiveTime::MIN);
    (midnight + TimeDelta::minutes(value.seconds_fragments().into())).format("%Y-%m-%d %H:%M:%S").to_string()
}

fn offset_text(value: DateTimeOffset) -> String {
    let utc = value.datetime2();
    let ticks = utc.time().increments() * 10u64.pow((7 - utc.time().scale()).into());
    let midnight = (first_day() + Days::new(utc.date().days().into())).and_time(NaiveTime::MIN);
    let minutes = value.offset();
    let nanoseconds = i64::try_from(ticks * 100).expect("a time of day");
    let local = midnight + TimeDelta::nanoseconds(nanoseconds) + TimeDelta::minutes(minutes.into());
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.unsigned_abs();
    format!("{} {sign}{:02}:{:02}", local.format("%Y-%m-%d %H:%M:%S%.9f"), minutes / 60, minutes % 60)
}
