//! Everything of the demo on one machine: PostgreSQL, the SQL Server double with its WMS, the agent and the API.

use crate::client::{Login, SqlServer};
use crate::processes::{Process, program};
use crate::wms::{self, history, traffic::Traffic};
use chrono::Utc;
use mssql_sim::server::{ListeningServer, Options, Server};
use services::postgres::{Durability, Postgres};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use tokio_postgres::{Client, NoTls};

/// Why the demo could not start or go on.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The running demo.
pub struct Warehouse {
    /// Where files are; removed at the end.
    pub folder: PathBuf,
    /// The target.
    pub postgres: Postgres,
    /// How clients log in at the source.
    pub login: Login,
    /// What the traffic goes on with.
    pub traffic: Traffic,
    /// The API's address.
    pub api: SocketAddr,
    /// The token for the page and the API.
    pub token: String,
    agent_process: Process,
    api_process: Process,
    _source: ListeningServer,
}

const DATABASE: &str = "warehouse";
const SOURCE_DATABASE: &str = "wms";

/// The tables of the WMS that are replicated; `cycle_counts` has no key, so Change Tracking cannot carry it.
pub const TABLES: [&str; 11] = [
    "company",
    "warehouse",
    "item",
    "orders",
    "order_lines",
    "pick_tasks",
    "receipts",
    "receipt_lines",
    "inventory",
    "shipments",
    "labor_shifts",
];

impl Warehouse {
    /// Starts everything; `say` hears each step.
    ///
    /// # Errors
    /// The step that failed.
    pub async fn start(seed: u64, port: u16, say: impl Fn(&str)) -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("cdc-demo-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&folder)?;
        say("PostgreSQL: a private server");
        let postgres = Postgres::start(&folder.join("postgres"), Durability::Full)?;
        let api_password = prepare_target(&postgres).await?;
        say("SQL Server double: a WMS with 90 days of history");
        let (source, login) = start_source().await?;
        let history = history::write(seed, Utc::now());
        let mut client = SqlServer::open(&login).await?;
        client.script(wms::SCHEMA).await?;
        for statement in &history.statements {
            client.run(statement).await?;
        }
        let traffic = Traffic::new(seed, history.open, history.serial);
        say("cdc-agent: migrate, then run");
        let config = write_agent_config(&folder, &login, &postgres)?;
        let agent_process = start_agent(&config, &folder).await?;
        say("API");
        let token = uuid::Uuid::new_v4().simple().to_string();
        let api = SocketAddr::from((Ipv4Addr::LOCALHOST, if port == 0 { free_port()? } else { port }));
        let api_config = write_api_config(&folder, api, &token, &postgres, &api_password)?;
        let api_process = Process::start("api", &["--config", text(&api_config)?], &folder.join("api.log"))?;
        Ok(Self { folder, postgres, login, traffic, api, token, agent_process, api_process, _source: source })
    }

    /// A connection to the target as its owner.
    ///
    /// # Errors
    /// What PostgreSQL says.
    pub async fn target(&self) -> Result<Client, Failure> {
        connect(&self.postgres, DATABASE).await
    }

    /// Fails when the agent or the API has ended.
    ///
    /// # Errors
    /// Which one, and how, with the end of its log.
    pub fn check(&mut self) -> Result<(), Failure> {
        for (process, log) in [(&mut self.agent_process, "agent.log"), (&mut self.api_process, "api.log")] {
            if let Err(error) = process.check() {
                let said = std::fs::read_to_string(self.folder.join(log)).unwrap_or_default();
                let end: Vec<_> = said.lines().rev().take(15).collect();
                let end: Vec<_> = end.into_iter().rev().collect();
                return Err(format!("{error}\n{}", end.join("\n")).into());
            }
        }
        Ok(())
    }

    /// Runs another command of the agent to its end and returns its exit code and what it printed.
    ///
    /// # Errors
    /// The program does not start.
    pub async fn agent_command(&self, arguments: &[&str]) -> Result<(i32, String), Failure> {
        let config = self.folder.join("agent.toml");
        let output = tokio::process::Command::new(program("cdc-agent")?)
            .args(["--config", text(&config)?])
            .args(arguments)
            .output()
            .await?;
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned()))
    }

    /// Stops everything and removes the files.
    ///
    /// # Errors
    /// A process that could not be waited for.
    pub async fn stop(self) -> Result<(), Failure> {
        let Self { folder, mut postgres, agent_process, api_process, .. } = self;
        api_process.stop().await?;
        agent_process.stop().await?;
        postgres.stop();
        std::fs::remove_dir_all(folder)?;
        Ok(())
    }
}

/// The agent's role owns the database; the API's login may only read what `cdc_reader` may.
async fn prepare_target(postgres: &Postgres) -> Result<String, Failure> {
    let client = connect(postgres, "postgres").await?;
    let (agent, api) = (postgres.password(), uuid::Uuid::new_v4().simple().to_string());
    client
        .batch_execute(&format!(
            "create role cdc_reader nologin; create role cdc_views nologin;
             create role cdc_agent login password '{agent}'; grant cdc_views to cdc_agent;
             create role cdc_api login password '{api}' in role cdc_reader;"
        ))
        .await?;
    client.batch_execute(&format!("create database {DATABASE} owner cdc_agent")).await?;
    Ok(api)
}

async fn connect(postgres: &Postgres, database: &str) -> Result<Client, Failure> {
    let (client, connection) = tokio_postgres::connect(&postgres.url(database), NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn start_source() -> Result<(ListeningServer, Login), Failure> {
    let password = uuid::Uuid::new_v4().simple().to_string();
    let options = Options {
        database: SOURCE_DATABASE.into(),
        user: "sa".into(),
        password: password.clone(),
        ..Options::default()
    };
    let server = Server::new(options);
    let listening = server.listen((Ipv4Addr::LOCALHOST, 0)).await?;
    let login =
        Login { address: listening.addr, database: SOURCE_DATABASE.into(), user: "sa".into(), password };
    Ok((listening, login))
}

async fn start_agent(config: &Path, folder: &Path) -> Result<Process, Failure> {
    let migrated = tokio::process::Command::new(program("cdc-agent")?)
        .args(["--config", text(config)?, "migrate"])
        .output()
        .await?;
    if !migrated.status.success() {
        return Err(format!("cdc-agent migrate: {}", String::from_utf8_lossy(&migrated.stderr)).into());
    }
    Ok(Process::start("cdc-agent", &["--config", text(config)?, "run"], &folder.join("agent.log"))?)
}

fn write_agent_config(folder: &Path, login: &Login, postgres: &Postgres) -> Result<PathBuf, Failure> {
    write_secret(&folder.join("source-password"), &login.password)?;
    write_secret(&folder.join("target-password"), postgres.password())?;
    std::fs::write(folder.join("metrics.toml"), include_str!("../metrics.toml"))?;
    let scope = |table: &str| match table {
        "warehouse" | "orders" | "receipts" | "inventory" => {
            "scope = { company = \"company_id\", warehouse = \"wh_id\" }\n"
        }
        "company" | "item" => "scope = { company = \"company_id\" }\n",
        _ => "",
    };
    let tables = TABLES.map(|table| format!("[[table]]\nname = \"wms.{table}\"\n{}", scope(table)));
    let config = format!(
        "[source]\nname = \"wms\"\nhost = \"127.0.0.1\"\nport = {source_port}\ndatabase = \"{SOURCE_DATABASE}\"\nuser = \"sa\"\n\
         password_file = \"source-password\"\ntls = \"plaintext\"\nnaive_zone = \"warehouse\"\npoll_interval_ms = 500\n\n\
         [target]\nhost = \"127.0.0.1\"\nport = {target_port}\ndatabase = \"{DATABASE}\"\nuser = \"cdc_agent\"\n\
         password_file = \"target-password\"\ntls = \"plaintext\"\n\n\
         [journal]\nfolder = \"journal\"\n\n[metrics]\nfile = \"metrics.toml\"\n\n[listen]\naddress = \"127.0.0.1:{listen}\"\n\n\
         [zones]\ntable = \"warehouse\"\nwarehouse = \"wh_id\"\nzone = \"tz\"\ncompany = \"company_id\"\n\n{tables}",
        source_port = login.address.port(),
        target_port = postgres.port(),
        listen = free_port()?,
        tables = tables.join("\n"),
    );
    let file = folder.join("agent.toml");
    std::fs::write(&file, config)?;
    Ok(file)
}

fn write_api_config(
    folder: &Path,
    address: SocketAddr,
    token: &str,
    postgres: &Postgres,
    password: &str,
) -> Result<PathBuf, Failure> {
    write_secret(&folder.join("api-password"), password)?;
    write_secret(&folder.join("api-token"), token)?;
    let config = format!(
        "[database]\nhost = \"127.0.0.1\"\nport = {port}\ndatabase = \"{DATABASE}\"\nuser = \"cdc_api\"\n\
         password_file = \"{secret}\"\ntls = \"plaintext\"\n\n[listen]\naddress = \"{address}\"\n\
         metrics_address = \"127.0.0.1:{metrics}\"\n\n[access]\ntoken_file = \"{token}\"\nsecure_cookie = false\n\n{details}",
        port = postgres.port(),
        secret = folder.join("api-password").display(),
        metrics = free_port()?,
        token = folder.join("api-token").display(),
        details = include_str!("../details.toml"),
    );
    let file = folder.join("api.toml");
    std::fs::write(&file, config)?;
    Ok(file)
}

fn write_secret(file: &Path, secret: &str) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(file, secret)?;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600))?;
    Ok(())
}

fn text(path: &Path) -> Result<&str, Failure> {
    path.to_str().ok_or_else(|| "the folder for temporary files has a name that is not UTF-8".into())
}

fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
