//! The command line: what may be asked for, and in which language the answers are.

use crate::telemetry::LogForm;
use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Replicates tables of SQL Server into PostgreSQL and keeps daily figures over them.
///
/// Data goes to stdout, everything else to stderr.
///
/// Exit codes: 0 ok, 1 failure, 2 usage, 3 configuration, 4 source unreachable or unusable, 5 target unreachable or unusable,
/// 6 differences found, 7 a load is needed, 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "cdc-agent", version)]
pub struct Cli {
    /// Configuration file
    #[arg(long, global = true, value_name = "FILE", env = "CDC_AGENT_CONFIG", default_value = "agent.toml")]
    pub config: PathBuf,
    /// Language of findings and errors; without it LC_ALL, LC_MESSAGES and LANG decide
    #[arg(long, global = true, value_enum)]
    lang: Option<Language>,
    /// Form of the log on stderr
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub log_form: LogForm,
    /// What is logged, such as `info` or `cdc_agent=debug`
    #[arg(long, global = true, value_name = "FILTER", env = "CDC_AGENT_LOG", default_value = "info")]
    pub log: String,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What may be asked for.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look at both sides and print what is missing, each with the statement that mends it
    Check,
    /// Print what `migrate` and `run` would do
    Plan,
    /// Bring the shared schema in PostgreSQL up to date
    Migrate,
    /// Replicate until a signal stops it
    Run {
        /// Replicate what the source holds now, then end
        #[arg(long)]
        once: bool,
    },
    /// Print position, age and every table's phase and conditions
    Status {
        /// As one JSON object
        #[arg(long)]
        json: bool,
        /// Again every second, until interrupted
        #[arg(long)]
        watch: bool,
    },
    /// Ask the running agent to load a table again, and follow it
    Resync {
        /// The table, by its name at the source or in the target
        #[arg(long, value_name = "NAME")]
        table: String,
    },
    /// Ask the running agent to leave a table alone; what changes meanwhile stays at the source
    Pause {
        /// The table, by its name at the source or in the target
        #[arg(long, value_name = "NAME")]
        table: String,
    },
    /// Ask the running agent to take a paused table up where it stopped, and follow it
    Resume {
        /// The table, by its name at the source or in the target
        #[arg(long, value_name = "NAME")]
        table: String,
    },
    /// Keys whose current row the target refuses
    #[command(subcommand)]
    Quarantine(Quarantine),
    /// Compare what is stored with what it was made from
    Verify(Verify),
}

/// What is compared.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Verify {
    /// Every stored figure with its recomputation
    #[arg(long, required_unless_present_any = ["table", "all"])]
    pub metrics: bool,
    /// The rows of a table with the source's, by its name at the source or in the target; the running agent does it
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    pub table: Option<String>,
    /// The rows of every table, one after the other
    #[arg(long)]
    pub all: bool,
    /// Write what differs, after saying it
    #[arg(long, conflicts_with = "metrics")]
    pub repair: bool,
}

/// What may be done about keys in quarantine.
#[derive(Debug, Subcommand)]
pub enum Quarantine {
    /// Print them, each with what PostgreSQL said
    List {
        /// Of one table, by its name at the source or in the target
        #[arg(long, value_name = "NAME")]
        table: Option<String>,
        /// As a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Ask the running agent to read a table's keys again, and say how many are still refused
    Retry {
        /// The table, by its name at the source or in the target
        #[arg(long, value_name = "NAME")]
        table: String,
    },
}

/// A language of texts for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Spanish
    Es,
    /// English
    En,
}

impl Cli {
    /// The language asked for, or the environment's; English for every other one.
    pub fn language(&self) -> Language {
        let environment = || {
            let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
            names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        };
        self.lang.unwrap_or_else(|| match environment() {
            Some(locale) if locale.starts_with("es") => Language::Es,
            _ => Language::En,
        })
    }
}

impl Language {
    /// Chooses between two texts.
    pub fn choose<T>(self, es: T, en: T) -> T {
        match self {
            Self::Es => es,
            Self::En => en,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
