//! A site of a test: a SQL Server, a PostgreSQL, a folder with the agent's configuration, and the agent's program.

use demo::client::{Login, SqlServer};
use mssql_sim::server::{ListeningServer, Options, Server};
use services::postgres::Postgres;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Output;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_postgres::{Client, NoTls};

/// How long any awaited state may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

const LOOK: Duration = Duration::from_millis(20);

pub(crate) struct Site {
    pub(crate) source: Server,
    pub(crate) login: Login,
    pub(crate) postgres: Postgres,
    pub(crate) folder: tempfile::TempDir,
    /// Where the agent finds PostgreSQL: its own port, or a proxy's.
    pub(crate) target_port: u16,
    listen_port: u16,
    _listening: ListeningServer,
}

/// What a test replicates.
pub(crate) struct Replicated<'a> {
    /// `[[table]]` sections.
    pub(crate) tables: &'a str,
    /// The metrics file.
    pub(crate) metrics: &'a str,
}

impl Site {
    pub(crate) async fn new() -> Self {
        let source = Server::new(Options::default());
        let listening = source.listen((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let login = Login {
            address: listening.addr,
            database: "wms".into(),
            user: "sa".into(),
            password: Options::default().password,
        };
        let postgres = Postgres::temporary().unwrap();
        let target_port = postgres.port();
        let listen_port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        Self { source, login, postgres, folder, target_port, listen_port, _listening: listening }
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.folder.path().join("agent.toml")
    }

    /// Writes the configuration; `edit` may break it.
    pub(crate) fn configure(&self, replicated: &Replicated<'_>, edit: impl Fn(String) -> String) {
        let file = |name: &str, text: &str| std::fs::write(self.folder.path().join(name), text).unwrap();
        file("source-password", &self.login.password);
        file("target-password", self.postgres.password());
        file("metrics.toml", replicated.metrics);
        let metrics = if replicated.metrics.is_empty() { "" } else { "[metrics]\nfile = \"metrics.toml\"\n" };
        let text = format!(
            "[source]\nname = \"wms\"\nhost = \"127.0.0.1\"\nport = {source_port}\ndatabase = \"wms\"\nuser = \"sa\"\n\
             password_file = \"source-password\"\ntls = \"plaintext\"\nnaive_zone = \"America/Puerto_Rico\"\npoll_interval_ms = 20\n\n\
             [target]\nhost = \"127.0.0.1\"\nport = {target_port}\ndatabase = \"postgres\"\nuser = \"postgres\"\n\
             password_file = \"target-password\"\ntls = \"plaintext\"\n\n[journal]\nfolder = \"journal\"\n\n\
             [listen]\naddress = \"127.0.0.1:{listen}\"\n\n{metrics}\n{tables}",
            source_port = self.login.address.port(),
            target_port = self.target_port,
            listen = self.listen_port,
            tables = replicated.tables,
        );
        file("agent.toml", &edit(text));
    }

    /// A command of the agent, not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cdc-agent"));
        command.arg("--config").arg(self.config_file()).args(arguments).kill_on_drop(true);
        command
    }

    /// Runs a command of the agent to its end.
    pub(crate) async fn agent(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output();
        tokio::time::timeout(PATIENCE, output).await.expect("the command ends").unwrap()
    }

    /// Runs a command that must succeed; returns what it printed.
    pub(crate) async fn agent_ok(&self, arguments: &[&str]) -> String {
        let output = self.agent(arguments).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?} ended with {}: {said}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts `run`; its log goes to `agent.log`.
    pub(crate) fn start_agent(&self) -> Child {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_file()).unwrap();
        self.command(&["run"]).stderr(log.try_clone().unwrap()).stdout(log).spawn().unwrap()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("agent.log")
    }

    /// Everything that agents of this site have logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// A gauge without labels beyond the source, as the running agent's `/metrics` shows it.
    pub(crate) async fn gauge(&self, name: &str) -> f64 {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.listen_port)).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let line = text
            .lines()
            .find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])));
        let line = line.unwrap_or_else(|| panic!("no {name} in:\n{text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    pub(crate) async fn target(&self) -> Client {
        connect(&self.postgres.url("postgres")).await.unwrap()
    }

    pub(crate) async fn source_client(&self) -> SqlServer {
        SqlServer::open(&self.login).await.unwrap()
    }

    /// Waits until every table is in step at the source's present version.
    pub(crate) async fn until_caught_up(&self) {
        self.until_applied(|waiting| waiting == 0).await;
    }

    /// Waits until the target is at the source's present version; loads may be under way.
    pub(crate) async fn until_position(&self) {
        self.until_applied(|_| true).await;
    }

    async fn until_applied(&self, enough: impl Fn(i64) -> bool) {
        let mut source = self.source_client().await;
        let rows = source.rows("SELECT CHANGE_TRACKING_CURRENT_VERSION()").await.unwrap();
        let version: i64 = rows[0].get(0).unwrap();
        let begun = Instant::now();
        let mut last = String::new();
        while begun.elapsed() < PATIENCE {
            match self.progress().await {
                Ok((position, waiting)) if position >= Some(version) && enough(waiting) => return,
                Ok(progress) => last = format!("position and tables not live: {progress:?}"),
                Err(error) => last = error.to_string(),
            }
            tokio::time::sleep(LOOK).await;
        }
        let log = self.log();
        let tail: Vec<_> = log.lines().rev().take(30).collect();
        panic!("not caught up with version {version}; {last}\nlog, newest first:\n{}", tail.join("\n"));
    }

    /// Waits until an agent that was stopped in good order streams again.
    pub(crate) async fn until_streaming(&self) {
        let target = self.target().await;
        let begun = Instant::now();
        let state = "select coalesce(max(agent_state), '') from cdc.stream";
        while target.query_one(state, &[]).await.unwrap().get::<_, String>(0) != "streaming" {
            assert!(begun.elapsed() < PATIENCE, "the agent does not begin to stream");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Number of the source's history, as the target has it.
    pub(crate) async fn history(&self) -> i32 {
        self.target().await.query_one("select history from cdc.stream", &[]).await.unwrap().get(0)
    }

    /// Waits until the agent has begun a new history of the source.
    pub(crate) async fn until_history_after(&self, before: i32) {
        let begun = Instant::now();
        while self.history().await <= before {
            assert!(begun.elapsed() < PATIENCE, "still in history {before}\nlog:\n{}", self.log());
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn progress(&self) -> Result<(Option<i64>, i64), tokio_postgres::Error> {
        let client = connect(&self.postgres.url("postgres")).await?;
        let row = client
            .query_one(
                "select position, (select count(*) from cdc.table_state where phase <> 'live' or load is not null) from cdc.stream",
                &[],
            )
            .await?;
        Ok((row.get(0), row.get(1)))
    }

    /// Compares tables `(schema, source name, target name)` in every column; returns the rows compared.
    pub(crate) async fn compare(&self, tables: &[(&str, &str, &str)]) -> usize {
        let (mut source, target) = (self.source_client().await, self.target().await);
        let mut rows = 0;
        for (schema, name, replica) in tables {
            let found =
                demo::compare::table(&mut source, &target, (schema, name), ("wms", replica), target_name)
                    .await
                    .unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)));
            println!("{found}");
            assert_eq!(found.different, 0, "{found}");
            rows += found.rows;
        }
        rows
    }
}

/// Columns are renamed as the agent documents it: lower case, one underscore for whatever is no letter or digit.
fn target_name(column: &str) -> String {
    column.to_lowercase().replace([' ', '/'], "_")
}

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
