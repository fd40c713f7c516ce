//! The log: one line per event on stderr; stdout belongs to data.

use std::io::IsTerminal;
use std::str::FromStr;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogForm {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Starts the log. `filter` is a directive such as `info` or `cdc_agent=debug`; one that cannot be read is treated as `info`.
pub fn start_log(form: LogForm, filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // A plaintext line stands in the configuration; the driver would say so again at every connection.
    let filter = filter
        .add_directive(tracing_subscriber::filter::Directive::from_str("tiberius=error").expect("it is one"));
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let started = match form {
        LogForm::Text => builder.with_ansi(std::io::stderr().is_terminal()).finish().try_init(),
        LogForm::Json => builder.json().flatten_event(true).finish().try_init(),
    };
    // Fails only when a test has started a log of its own.
    started.ok();
}
