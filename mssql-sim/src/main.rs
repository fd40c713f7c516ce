//! `mssql-sim`: the server as a program.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};
use mssql_sim::control::ControlPort;
use mssql_sim::script::{self, RemoteTarget, RemoteTargetError, ScriptError};
use mssql_sim::server::{Options, Server};
use mssql_sim::wire::tls::{Authority, Identity, IdentityError, Tls, Validity};
use tokio::signal::unix::{SignalKind, signal};

/// A small SQL Server for tests: TDS 7.4, everything in memory.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Program {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    serve: Option<Arguments>,
}

/// Something other than serving.
#[derive(Debug, Subcommand)]
enum Task {
    /// Runs a script batch by batch and prints what it answers; the first error ends it.
    Run(RunArguments),
}

#[derive(Debug, Args)]
struct RunArguments {
    /// T-SQL; batches are separated by lines that say GO, or GO and how often.
    script: PathBuf,
    /// Server to run it on, as host:port; without it an empty one is made for the script alone.
    #[arg(long, requires = "password_file")]
    server: Option<String>,
    /// Encrypt the connection to that server; its certificate is not checked.
    #[arg(long, requires = "server")]
    tls: bool,
    /// Database in which the script begins.
    #[arg(long, default_value = "wms")]
    database: String,
    /// Login.
    #[arg(long, default_value = "sa")]
    user: String,
    /// File with the login's password; a line end behind it does not count.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Arguments {
    /// Address to listen on; port 0 takes a free one, which is printed.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// User database to create.
    #[arg(long, default_value = "wms")]
    database: String,
    /// Administrator's login.
    #[arg(long, default_value = "sa")]
    user: String,
    /// File with the administrator's password; a line end behind it does not count.
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
    /// T-SQL to run before listening; batches are separated by lines that say GO.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Address of the loopback for the control port (counters, faults, clock, backups); port 0 takes a free one, which is
    /// printed. Without it there is none.
    #[arg(long, value_name = "ADDRESS")]
    control: Option<SocketAddr>,
    /// Protect connections with a certificate made at the start, and write its authority here in PEM.
    #[arg(long, value_name = "FILE", conflicts_with = "tls_certificate")]
    tls_authority: Option<PathBuf>,
    /// Names and addresses by which clients know the server, for the certificate made at the start.
    #[arg(long, value_name = "HOST", default_values = ["localhost", "127.0.0.1"])]
    tls_host: Vec<String>,
    /// Protect connections with this certificate chain in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// Key of that certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Refuse clients that do not encrypt everything.
    #[arg(long)]
    tls_forced: bool,
}

/// Why the program stopped.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{} cannot be read: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("{} cannot be written: {source}", path.display())]
    AuthorityFile { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error("{}:{error}", path.display())]
    Script { path: PathBuf, error: ScriptError },
    #[error("--server is not host:port")]
    ServerName,
    #[error("the server cannot be used: {0}")]
    Server(#[from] RemoteTargetError),
    #[error("{address} cannot be listened on: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("the output cannot be written: {0}")]
    Output(std::io::Error),
    #[error("the control port fails: {0}")]
    Control(std::io::Error),
    #[error("signals cannot be received: {0}")]
    Signal(std::io::Error),
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let program = Program::parse();
    let done = match (program.task, program.serve) {
        (Some(Task::Run(arguments)), _) => Box::pin(run_script(arguments)).await,
        (None, Some(arguments)) => serve(arguments).await,
        (None, None) => Program::command().print_help().map_err(Failure::Output),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("mssql-sim: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a script on a server elsewhere, or on one of its own.
async fn run_script(arguments: RunArguments) -> Result<(), Failure> {
    let text = read(&arguments.script)?;
    let mut out = std::io::stdout().lock();
    let done = match &arguments.server {
        Some(server) => {
            let (host, port) = server.rsplit_once(':').ok_or(Failure::ServerName)?;
            let port = port.parse().map_err(|_| Failure::ServerName)?;
            let password = arguments.password_file.as_deref().map_or_else(|| Ok(String::new()), read)?;
            let login = (arguments.user.as_str(), password.trim_end_matches(['\r', '\n']));
            let mut target =
                RemoteTarget::connect((host, port), login, &arguments.database, arguments.tls).await?;
            Box::pin(script::run(&mut target, &text, &mut out)).await
        }
        None => {
            let server = Server::new(Options {
                database: arguments.database,
                user: arguments.user,
                ..Options::default()
            });
            run_locally(&server, &text, &mut out).await
        }
    };
    done.map_err(|error| Failure::Script { path: arguments.script, error })
}

async fn run_locally(server: &Server, text: &str, out: &mut impl Write) -> Result<(), ScriptError> {
    let mut session = server.local_session().map_err(|error| ScriptError::Batch { line: 1, error })?;
    script::run(&mut session, text, out).await
}

async fn serve(arguments: Arguments) -> Result<(), Failure> {
    let password = read(&arguments.password_file)?;
    let tls = tls(&arguments)?;
    let server = Server::new(Options {
        database: arguments.database,
        user: arguments.user,
        password: password.trim_end_matches(['\r', '\n']).to_owned(),
        tls,
        ..Options::default()
    });
    if let Some(path) = arguments.script {
        let done = run_locally(&server, &read(&path)?, &mut std::io::sink()).await;
        done.map_err(|error| Failure::Script { path, error })?;
    }
    let address = arguments.listen;
    let listening = server.listen(address).await.map_err(|source| Failure::Listen { address, source })?;
    println!("listening {}", listening.addr);
    let control = match arguments.control {
        Some(address) => Some(ControlPort::bind(address).await.map_err(Failure::Control)?),
        None => None,
    };
    if let Some(port) = &control {
        println!("control {}", port.address().map_err(Failure::Control)?);
    }

    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::Signal)?;
    tokio::select! {
        ended = serve_control(control, server) => ended,
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Failure::Signal),
        _ = terminate.recv() => Ok(()),
    }
}

/// Serves the control port, if there is one.
async fn serve_control(control: Option<ControlPort>, server: Server) -> Result<(), Failure> {
    match control {
        Some(port) => port.serve(server).await.map_err(Failure::Control),
        None => std::future::pending().await,
    }
}

/// How the connections are to be protected, if at all.
fn tls(arguments: &Arguments) -> Result<Option<Tls>, Failure> {
    let identity = match arguments {
        Arguments { tls_authority: Some(path), .. } => {
            let authority = Authority::new();
            let written = std::fs::write(path, authority.pem());
            written.map_err(|source| Failure::AuthorityFile { path: path.clone(), source })?;
            let hosts: Vec<&str> = arguments.tls_host.iter().map(String::as_str).collect();
            authority.issue(&hosts, Validity::Current)
        }
        Arguments { tls_certificate: Some(certificate), tls_key: Some(key), .. } => {
            Identity::from_pem(&read(certificate)?, &read(key)?)?
        }
        _ => return Ok(None),
    };
    Ok(Some(Tls { identity, forced: arguments.tls_forced }))
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|source| Failure::File { path: path.to_owned(), source })
}
