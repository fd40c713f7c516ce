//! tiberius, asked as the other clients are.

use std::collections::HashMap;
use std::time::Duration;

use futures::TryStreamExt;
use tiberius::{AuthMethod, Client, Config, EncryptionLevel, IsolationLevel, QueryItem, ToSql, TokenRow};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

use super::tiberius_values::{Parameter, copied_value, text_of};
use super::{Encryption, Failure, Reply, Request, ResultSet, Typed};
use crate::site::Login;

type Session = Client<Compat<TcpStream>>;
type Error = tiberius::error::Error;

/// How long a hasty session waits before it cancels.
const PATIENCE: Duration = Duration::from_millis(200);

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
