//! Metrics for Prometheus and the log. No company, warehouse or other value of a row is in a label.

use crate::freshness::rounded;
use crate::pulse::Pulse;
use prometheus::{
    Encoder, GaugeVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    TextEncoder,
};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// What the pool says about lost connections is said once, by who needed them.
const DEFAULT_FILTER: &str = "info,deadpool=error";

/// Every metric of this API.
#[derive(Clone)]
pub(crate) struct Telemetry {
    registry: Registry,
    pub requests: IntCounterVec,
    pub request_duration: HistogramVec,
    pub cache_lookups: IntCounterVec,
    pub streams: IntGauge,
    pub database_up: IntGauge,
    pub database_failures: IntCounter,
    pub listening: IntGauge,
    data_age: GaugeVec,
}

impl Telemetry {
    /// Registers every metric; those without labels report zero from the first moment.
    pub(crate) fn new() -> Result<Self, prometheus::Error> {
        let telemetry = Self {
            registry: Registry::new(),
            requests: IntCounterVec::new(
                Opts::new("cdc_api_requests_total", "Requests answered."),
                &["route", "method", "status"],
            )?,
            request_duration: HistogramVec::new(
                HistogramOpts::new("cdc_api_request_duration_seconds", "Time until an answer began.")
                    .buckets(prometheus::exponential_buckets(0.001, 2.0, 14)?),
                &["route"],
            )?,
            cache_lookups: IntCounterVec::new(
                Opts::new("cdc_api_cache_lookups_total", "Answers taken from the cache, or not."),
                &["result"],
            )?,
            streams: IntGauge::new("cdc_api_streams", "Event streams that are open.")?,
            database_up: IntGauge::new("cdc_api_database_up", "1 while PostgreSQL can be read.")?,
            database_failures: IntCounter::new(
                "cdc_api_database_failures_total",
                "Readings of the state that failed.",
            )?,
            listening: IntGauge::new(
                "cdc_api_listening",
                "1 while revisions are announced to this API; without it they are found every second.",
            )?,
            data_age: GaugeVec::new(
                Opts::new("cdc_api_data_age_seconds", "Age of a source's data; NaN before its first cut."),
                &["source"],
            )?,
        };
        for result in ["hit", "miss"] {
            telemetry.cache_lookups.with_label_values(&[result]);
        }
        let registry = &telemetry.registry;
        registry.register(Box::new(telemetry.requests.clone()))?;
        registry.register(Box::new(telemetry.request_duration.clone()))?;
        registry.register(Box::new(telemetry.cache_lookups.clone()))?;
        registry.register(Box::new(telemetry.streams.clone()))?;
        registry.register(Box::new(telemetry.database_up.clone()))?;
        registry.register(Box::new(telemetry.database_failures.clone()))?;
        registry.register(Box::new(telemetry.listening.clone()))?;
        registry.register(Box::new(telemetry.data_age.clone()))?;
        Ok(telemetry)
    }

    /// The text that Prometheus reads.
    pub(crate) fn text(&self) -> Result<Vec<u8>, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }

    /// Shows the age of each source's data.
    pub(crate) fn show_ages(&self, pulse: &Pulse) {
        for (source, freshness) in pulse.freshness() {
            let age = freshness.age.map_or(f64::NAN, rounded);
            self.data_age.with_label_values(&[source.name.as_str()]).set(age);
        }
    }
}

/// Sends the log to stderr: for people on a terminal, otherwise as JSON. `RUST_LOG` chooses what is logged.
pub fn start_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        log.init();
    } else {
        log.json().init();
    }
}
