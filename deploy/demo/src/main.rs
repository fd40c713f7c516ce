//! `demo`: a whole warehouse on this machine, live, until Ctrl-C; with `--smoke` it checks itself and ends.

use chrono::Utc;
use clap::Parser;
use demo::client::SqlServer;
use demo::smoke;
use demo::warehouse::{Failure, Warehouse};
use std::process::ExitCode;
use std::time::Duration;

/// Starts PostgreSQL, a SQL Server double with a live WMS, the agent and the API.
#[derive(Parser)]
struct Arguments {
    /// Port of the page and the API; 0 takes a free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Seed of the warehouse's past and traffic.
    #[arg(long, default_value_t = 20_261_124)]
    seed: u64,
    /// Check everything without a person, print the figures and end.
    #[arg(long)]
    smoke: bool,
}

/// Pause between two steps of the traffic.
const TICK: Duration = Duration::from_millis(500);

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let port = if arguments.smoke { 0 } else { arguments.port };
    let start = Warehouse::start(arguments.seed, port, |step| eprintln!("· {step}"));
    let mut warehouse = tokio::select! {
        started = start => started?,
        () = interrupted() => return Ok(()),
    };
    let ended = tokio::select! {
        ended = live(&mut warehouse, arguments.smoke) => ended,
        () = interrupted() => {
            eprintln!("\n· stopping");
            Ok(())
        }
    };
    warehouse.stop().await?;
    ended
}

async fn live(warehouse: &mut Warehouse, smoke: bool) -> Result<(), Failure> {
    if smoke {
        return smoke::run(warehouse).await;
    }
    println!("\n  Open   http://{}/", warehouse.api);
    println!("  Token  {}\n", warehouse.token);
    eprintln!("  Logs in {}; Ctrl-C stops everything.", warehouse.folder.display());
    let mut source = SqlServer::open(&warehouse.login).await?;
    let mut tick = tokio::time::interval(TICK);
    loop {
        tick.tick().await;
        for batch in warehouse.traffic.tick(Utc::now(), TICK.as_secs_f64()) {
            source.run(&batch).await?;
        }
        warehouse.check()?;
    }
}

/// Ctrl-C, or the signal that `kill` and service managers send.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminated = signal(SignalKind::terminate()).expect("a handler for SIGTERM can be set");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}
