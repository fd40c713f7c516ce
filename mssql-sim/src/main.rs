//! `mssql-sim`: the server as a program.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use mssql_sim::script;
use mssql_sim::server::{Options, Server};
use mssql_sim::wire::tls::{Authority, Identity, IdentityError, Tls, Validity};
use tokio::signal::unix::{SignalKind, signal};

/// A small SQL Server for tests: TDS 7.4, everything in memory.
#[derive(Debug, Parser)]
#[command(version)]
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
    #[error("{} failed: {error}", path.display())]
    Script { path: PathBuf, error: mssql_sim::types::SqlError },
    #[error("{address} cannot be listened on: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
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
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("mssql-sim: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
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
        for batch in script::batches(&read(&path)?) {
            server.execute(batch).await.map_err(|error| Failure::Script { path: path.clone(), error })?;
        }
    }
    let address = arguments.listen;
    let listening = server.listen(address).await.map_err(|source| Failure::Listen { address, source })?;
    println!("listening {}", listening.addr);

    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::Signal)?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Failure::Signal),
        _ = terminate.recv() => Ok(()),
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
