//! The program `api`.

use api::{Clock, Config, Server, StartError, start_log};
use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Serves the daily figures, detail rows and the state of the pipeline, and the page that shows them.
///
/// Exit codes: 0 stopped by a signal, 1 failure, 2 usage, 3 configuration.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The configuration, a TOML file.
    #[arg(long, value_name = "FILE", default_value = "api.toml")]
    config: PathBuf,
}

const FAILURE: u8 = 1;
const CONFIGURATION: u8 = 3;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_log();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = if matches!(error, StartError::Config(_)) { CONFIGURATION } else { FAILURE };
            eprintln!("error: {}", api::chain(&error));
            ExitCode::from(code)
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), StartError> {
    let config = Config::read(&arguments.config)?;
    let server = Server::bind(&config, Clock::system()).await?;
    tracing::info!(address = %config.listen.address, metrics = %config.listen.metrics_address, "serving");
    server.run(stopped()).await;
    tracing::info!("stopped");
    Ok(())
}

/// Ends with SIGINT or SIGTERM. A signal that cannot be listened for keeps its default, which also ends the program.
async fn stopped() {
    let wait = async |kind| match signal(kind) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(error) => {
            tracing::warn!(%error, "a signal cannot be listened for");
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = wait(SignalKind::interrupt()) => {}
        () = wait(SignalKind::terminate()) => {}
    }
}
