//! The agent's metrics, each with its name and help in one place. All of them exist from the start: zero, not missing.

use crate::apply::Applied;
use crate::capture::Pulse;
use crate::clock;
use prometheus::core::Collector;
use prometheus::{
    Encoder, Gauge, Histogram, HistogramOpts, IntCounter, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};
use state::Journal;
use std::time::Duration;

/// Upper bounds of durations, in seconds.
const DURATIONS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

const STATES: [&str; 5] = ["starting", "streaming", "source_unreachable", "waiting", "stopped"];

/// Every metric of one source's agent.
pub struct Metrics {
    registry: Registry,
    /// Whether SQL Server answers.
    pub source_connected: IntGauge,
    /// Errors of the source, whatever was done about them.
    pub source_errors: IntCounter,
    /// Whether PostgreSQL answers.
    pub target_connected: IntGauge,
    /// Errors of the target, whatever was done about them.
    pub target_errors: IntCounter,
    captured_sequence: IntGauge,
    applied_sequence: IntGauge,
    source_heard: Gauge,
    agent_state: IntGaugeVec,
    journal_bytes: IntGauge,
    journal_runs: IntGauge,
    journal_oldest_age: Gauge,
    journal_full: IntGauge,
    apply_duration: Histogram,
    applied_runs: IntCounter,
    applied_images: IntCounter,
    written_rows: IntCounter,
    deleted_rows: IntCounter,
    quarantined_keys: IntCounter,
    revision: IntGauge,
}

/// Makes metrics that carry the source's name.
struct Maker<'a> {
    registry: Registry,
    source: &'a str,
}

impl Maker<'_> {
    fn options(&self, name: &str, help: &str) -> Opts {
        Opts::new(name, help).const_label("source", self.source)
    }

    fn add<M: Collector + Clone + 'static>(&self, made: prometheus::Result<M>) -> M {
        let metric = made.expect("names and labels are constants");
        self.registry.register(Box::new(metric.clone())).expect("every name is used once");
        metric
    }

    fn count(&self, name: &str, help: &str) -> IntCounter {
        self.add(IntCounter::with_opts(self.options(name, help)))
    }

    fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.add(IntGauge::with_opts(self.options(name, help)))
    }

    fn seconds(&self, name: &str, help: &str) -> Gauge {
        self.add(Gauge::with_opts(self.options(name, help)))
    }

    fn durations(&self, name: &str, help: &str) -> Histogram {
        let options = HistogramOpts { common_opts: self.options(name, help), buckets: DURATIONS.to_vec() };
        self.add(Histogram::with_opts(options))
    }

    fn gauges(&self, name: &str, help: &str, label: &str) -> IntGaugeVec {
        self.add(IntGaugeVec::new(self.options(name, help), &[label]))
    }
}

impl Metrics {
    /// All at zero, labelled with the source's name.
    pub fn new(source: &str) -> Self {
        let maker = Maker { registry: Registry::new(), source };
        let build = maker.gauges("cdc_build_info", "Always 1; the version is a label.", "version");
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let agent_state = maker.gauges("cdc_agent_state", "1 for the state that the agent is in.", "state");
        for state in STATES {
            agent_state.with_label_values(&[state]).set(0);
        }
        Self {
            source_connected: maker.gauge("cdc_source_connected", "1 while SQL Server answers."),
            source_errors: maker.count("cdc_source_errors_total", "Errors of the source."),
            target_connected: maker.gauge("cdc_target_connected", "1 while PostgreSQL answers."),
            target_errors: maker.count("cdc_target_errors_total", "Errors of the target."),
            captured_sequence: maker.gauge("cdc_captured_sequence", "Number of the last run in the journal."),
            applied_sequence: maker.gauge("cdc_applied_sequence", "Number of the last run in the target."),
            source_heard: maker.seconds(
                "cdc_source_heard_timestamp_seconds",
                "When the source last answered, by the agent's clock.",
            ),
            agent_state,
            journal_bytes: maker.gauge("cdc_journal_bytes", "Bytes of the journal on disk."),
            journal_runs: maker.gauge("cdc_journal_runs", "Runs that wait in the journal."),
            journal_oldest_age: maker.seconds(
                "cdc_journal_oldest_age_seconds",
                "Age of the oldest run that waits, 0 when none does.",
            ),
            journal_full: maker
                .gauge("cdc_journal_full", "1 while capture waits because the journal is full."),
            apply_duration: maker
                .durations("cdc_apply_duration_seconds", "From reading a run to the answer to its COMMIT."),
            applied_runs: maker.count("cdc_applied_runs_total", "Runs applied."),
            applied_images: maker.count("cdc_applied_images_total", "Images in applied runs."),
            written_rows: maker.count("cdc_written_rows_total", "Rows inserted or changed in the target."),
            deleted_rows: maker.count("cdc_deleted_rows_total", "Rows deleted in the target."),
            quarantined_keys: maker.count("cdc_quarantined_keys_total", "Keys put into quarantine."),
            revision: maker.gauge("cdc_revision", "Revision of the target after the last applied run."),
            registry: maker.registry,
        }
    }

    /// A run was applied.
    pub fn applied(&self, applied: &Applied, took: Duration) {
        self.apply_duration.observe(took.as_secs_f64());
        self.applied_runs.inc();
        self.applied_images.inc_by(applied.images);
        self.written_rows.inc_by(applied.written);
        self.deleted_rows.inc_by(applied.deleted);
        self.quarantined_keys.inc_by(applied.quarantined);
        self.revision.set(whole(applied.revision));
    }

    /// A sign of life: where both sides are, and what waits between them.
    pub fn pulse(&self, pulse: &Pulse, applied: u64, journal: &Journal) {
        self.captured_sequence.set(whole(pulse.sequence));
        self.applied_sequence.set(whole(applied));
        if let Some(moment) = pulse.moment {
            self.source_heard.set(seconds(moment.agent_clock));
        }
        for state in STATES {
            self.agent_state.with_label_values(&[state]).set(i64::from(state == pulse.state));
        }
        // A journal that has stopped says so where it is used; its last figures stay.
        if let Ok((bytes, runs, oldest, full)) = measure(journal) {
            self.journal_bytes.set(whole(bytes));
            self.journal_runs.set(whole(runs));
            self.journal_oldest_age.set(oldest.map_or(0.0, |at| seconds(clock::now_micros() - at).max(0.0)));
            self.journal_full.set(i64::from(full));
        }
    }

    /// Whether both sides answer.
    pub fn is_connected(&self) -> (bool, bool) {
        (self.source_connected.get() == 1, self.target_connected.get() == 1)
    }

    /// The text that Prometheus reads.
    ///
    /// # Errors
    /// A metric cannot be written as text.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

type Measures = (u64, u64, Option<i64>, bool);

fn measure(journal: &Journal) -> Result<Measures, state::StateError> {
    Ok((journal.bytes()?, journal.runs()?, journal.oldest_captured_at()?, journal.is_full()?))
}

/// Gauges are signed; no counter of ours comes near the difference.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn seconds(micros: i64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "microseconds since 1970 fit a double's 53 bits until 2255"
    )]
    let micros = micros as f64;
    micros / 1e6
}
