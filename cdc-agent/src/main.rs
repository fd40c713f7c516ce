//! The agent's program: reads the command line and the configuration, then does what was asked for.

use cdc_agent::apply::{Applier, Settings};
use cdc_agent::cli::{Cli, Command, Language, Quarantine, Verify};
use cdc_agent::commands::comparison::Comparison;
use cdc_agent::commands::control::{self, Ask, Ended};
use cdc_agent::commands::{check, plan, quarantine, run, status};
use cdc_agent::config::Config;
use cdc_agent::errors::{AgentError, Class, ExitCode, verdict};
use cdc_agent::stream::Until;
use cdc_agent::{telemetry, verify as verification};
use clap::Parser;
use std::io::IsTerminal;
use std::time::Duration;

/// Between two looks of `status --watch`.
const WATCH_PAUSE: Duration = Duration::from_secs(1);
/// Clears a terminal and goes to its upper left corner.
const CLEAR: &str = "\x1b[2J\x1b[H";

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
    format!("error: {}. {what_to_do}: {}", wrong.trim_end_matches('.'), verdict(error).remedy.text(language))
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
        Command::Status { json, watch: true } => watch_status(config, *json, cli.language()).await,
        Command::Status { json, watch: false } => show_status(config, *json).await,
        Command::Resync { table } => ask(config, table, Ask::Resync).await,
        Command::Pause { table } => ask(config, table, Ask::Pause).await,
        Command::Resume { table } => ask(config, table, Ask::Resume).await,
        Command::Quarantine(Quarantine::List { table, json }) => {
            list_quarantine(config, table.as_deref(), *json).await
        }
        Command::Quarantine(Quarantine::Retry { table }) => ask(config, table, Ask::Retry).await,
        Command::Verify(what) => verify(config, what).await,
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

/// Looks again and again; a target that is away for a while is said and looked for again.
async fn watch_status(config: &Config, json: bool, language: Language) -> Result<ExitCode, AgentError> {
    let on_terminal = std::io::stdout().is_terminal();
    loop {
        if on_terminal {
            print!("{CLEAR}");
        }
        match show_status(config, json).await {
            Ok(_) => println!(),
            Err(error) if verdict(&error).class == Class::Stop => return Err(error),
            Err(error) => eprintln!("{}", explained(&error, language)),
        }
        tokio::time::sleep(WATCH_PAUSE).await;
    }
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

async fn ask(config: &Config, name: &str, ask: Ask) -> Result<ExitCode, AgentError> {
    let table = config.table(name)?;
    let requested_by = std::env::var("USER").unwrap_or_else(|_| "operator".to_owned());
    let target = &table.target;
    Ok(match control::run(config, table, ask, &requested_by).await? {
        Ended::Loaded { rows } => {
            println!("{target}: {rows} rows read, the table is live again");
            ExitCode::Ok
        }
        Ended::Paused => {
            println!("{target}: paused; its figures stand still until: cdc-agent resume --table {target}");
            ExitCode::Ok
        }
        Ended::Retried { refused: 0 } => {
            println!("{target}: no key is in quarantine any more");
            ExitCode::Ok
        }
        Ended::Retried { refused } => {
            println!(
                "{target}: {refused} keys are still refused; see: cdc-agent quarantine list --table {target}"
            );
            ExitCode::Differences
        }
        Ended::Compared(comparison) => print_comparison(target, &comparison),
        Ended::CutShort => {
            eprintln!("error: {target}: a load came between, so the comparison did not end; ask again");
            ExitCode::Failure
        }
        Ended::Waits => {
            eprintln!("no agent is running; the next one does it when it starts: {ask} {target}");
            ExitCode::LoadNeeded
        }
        Ended::Refused { outcome } => {
            eprintln!("error: {target}: {outcome}");
            ExitCode::Failure
        }
    })
}

fn print_comparison(table: &str, comparison: &Comparison) -> ExitCode {
    let Comparison { through, rows, differences, .. } = comparison;
    differences.iter().for_each(|difference| println!("{difference}"));
    let open = differences.iter().filter(|difference| !difference.repaired).count();
    println!("{table}: {rows} rows compared through version {through}, {} different", differences.len());
    if open == 0 { ExitCode::Ok } else { ExitCode::Differences }
}

/// The first exit code that is not ok counts; every comparison is made.
async fn verify(config: &Config, what: &Verify) -> Result<ExitCode, AgentError> {
    let mut exits = Vec::new();
    if what.metrics {
        exits.push(verify_metrics(config).await?);
    }
    let all = config.tables.iter().filter(|_| what.all).map(|table| table.target.as_str());
    let compare = if what.repair { Ask::Repair } else { Ask::Verify };
    for table in what.table.as_deref().into_iter().chain(all) {
        exits.push(ask(config, table, compare).await?);
    }
    Ok(exits.into_iter().find(|exit| *exit != ExitCode::Ok).unwrap_or(ExitCode::Ok))
}

async fn list_quarantine(config: &Config, name: Option<&str>, json: bool) -> Result<ExitCode, AgentError> {
    let table = name.map(|name| config.table(name)).transpose()?;
    let keys = quarantine::read(config, table).await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&keys).expect("keys are plain data"));
    } else {
        keys.iter().for_each(|key| println!("{key}"));
        eprintln!("{} keys in quarantine", keys.len());
    }
    Ok(ExitCode::Ok)
}

async fn verify_metrics(config: &Config) -> Result<ExitCode, AgentError> {
    let verification = verification::metrics(&Settings::from(config)).await?;
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
