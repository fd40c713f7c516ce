//! The agent's program: reads the command line and the configuration, then does what was asked for.

use cdc_agent::apply::{Applier, Settings};
use cdc_agent::cli::{Cli, Command, Language};
use cdc_agent::commands::{check, plan, resync, run, status};
use cdc_agent::config::Config;
use cdc_agent::errors::{AgentError, ExitCode, verdict};
use cdc_agent::stream::Until;
use cdc_agent::{telemetry, verify};
use clap::Parser;

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    telemetry::start_log(cli.log_form, &cli.log);
    let exit = finish(&cli).unwrap_or_else(|error| {
        eprintln!("{}", explained(&error, cli.language()));
        verdict(&error).exit
    });
    std::process::ExitCode::from(exit as u8)
}

/// One paragraph: what is wrong, why, and what to do about it.
fn explained(error: &AgentError, language: Language) -> String {
    let what_to_do = language.choose("Qué hacer", "What to do");
    let wrong = error.chain().to_string();
    format!("error: {}. {what_to_do}: {}", wrong.trim_end_matches('.'), verdict(error).remedy)
}

/// The configuration is complete before anything is touched.
#[expect(clippy::result_large_err, reason = "made once, at the end of the process")]
fn finish(cli: &Cli) -> Result<ExitCode, AgentError> {
    let config = Config::load(&cli.config)?;
    let runtime = tokio::runtime::Runtime::new().map_err(AgentError::Runtime)?;
    let exit = runtime.block_on(dispatch(cli, &config));
    // A blocked thread must not hold the process up once the work is done.
    runtime.shutdown_background();
    exit
}

async fn dispatch(cli: &Cli, config: &Config) -> Result<ExitCode, AgentError> {
    match &cli.command {
        Command::Check => {
            let report = check::run(config).await;
            println!("{}", report.text(cli.language()));
            Ok(report.exit())
        }
        Command::Plan => {
            println!("{}", plan::read(config).await?);
            Ok(ExitCode::Ok)
        }
        Command::Migrate => migrate(config).await,
        Command::Run { once } => run::run(config, if *once { Until::CaughtUp } else { Until::Stopped }).await,
        Command::Status { json } => show_status(config, *json).await,
        Command::Resync { table } => ask_for_resync(config, table).await,
        Command::Verify { .. } => verify_metrics(config).await,
    }
}

async fn migrate(config: &Config) -> Result<ExitCode, AgentError> {
    let applied = Applier::connect(Settings::from(config)).await?.migrate().await?;
    if applied.is_empty() {
        println!("migrations: none pending");
    }
    for name in applied {
        println!("migrated: {name}");
    }
    Ok(ExitCode::Ok)
}

async fn show_status(config: &Config, json: bool) -> Result<ExitCode, AgentError> {
    let Some(status) = status::read(config).await? else {
        eprintln!(
            "source {} has not been replicated into this database yet; run: cdc-agent run",
            config.source.name
        );
        return Ok(ExitCode::LoadNeeded);
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&status).expect("a status is plain data"));
    } else {
        println!("{status}");
    }
    Ok(ExitCode::Ok)
}

async fn ask_for_resync(config: &Config, name: &str) -> Result<ExitCode, AgentError> {
    let table = config.table(name)?;
    let requested_by = std::env::var("USER").unwrap_or_else(|_| "operator".to_owned());
    match resync::run(config, table, &requested_by).await? {
        resync::Ended::Loaded { rows } => {
            println!("{}: {rows} rows read, the table is live again", table.target);
            Ok(ExitCode::Ok)
        }
        resync::Ended::Waits => {
            eprintln!("no agent is running; the next one loads {} when it starts", table.target);
            Ok(ExitCode::LoadNeeded)
        }
        resync::Ended::Refused { outcome } => {
            eprintln!("error: {}: {outcome}", table.target);
            Ok(ExitCode::Failure)
        }
    }
}

async fn verify_metrics(config: &Config) -> Result<ExitCode, AgentError> {
    let verification = verify::metrics(&Settings::from(config)).await?;
    for difference in &verification.differences {
        println!("{difference}");
    }
    let different = verification.differences.len();
    println!(
        "{} metrics, {} groups compared, {different} different",
        verification.metrics, verification.groups
    );
    Ok(if different == 0 { ExitCode::Ok } else { ExitCode::Differences })
}
