//! Beginning a stream: both ends, the journal between them, and what is captured already.
//!
//! The journal is opened against the stream row, and the takeover reads that row again under its lock: if another agent moved it in
//! between, the journal was judged by an old row and is judged once more.

use super::{Until, isolation_of};
use crate::apply::{Applier, Settings, StreamRow, TablePlan};
use crate::capture::Captured;
use crate::config::Config;
use crate::errors::AgentError;
use crate::metrics_catalogue::twins_wanted;
use crate::source::{CapturedTable, Connector, Isolation, LayoutError, Severity, SourceError, Survey};
use state::{Journal, OpenReport, Opened};
use std::collections::BTreeMap;

/// A stream that can run.
pub(super) struct Begun {
    pub(super) applier: Applier,
    pub(super) journal: Journal,
    pub(super) captured: Captured,
    pub(super) tables: BTreeMap<String, CapturedTable>,
    pub(super) isolation: Isolation,
    pub(super) applied: u64,
}

/// What a beginning has to do with what was there before.
#[derive(Debug)]
pub(super) enum Past {
    /// Go on from it.
    Continues,
    /// The journal's content is of no use; the target's progress is.
    JournalUnusable { reason: String },
    /// The source has another past: neither journal nor position mean anything.
    Void { reason: String },
}

/// Times that the journal is judged before another agent's interference is reported.
const ATTEMPTS: usize = 5;

pub(super) async fn begin(config: &Config, until: Until, past: &Past) -> Result<Begun, AgentError> {
    let mut applier = Applier::connect(Settings::from(config)).await?;
    let survey = Connector::new(config.source.clone()).connect().await?.survey(&config.tables).await?;
    refuse_unready(config, &survey)?;
    let isolation = isolation_of(survey.database.snapshot_isolation);
    if !isolation.is_one_instant() {
        tracing::warn!(
            database = survey.database.name,
            "the database does not allow snapshots, so tables are read at different instants; `check` prints the statement that ends this"
        );
    }
    let tables = usable_tables(config, survey)?;
    let plans: Vec<_> = tables.values().map(|table| plan_of(config, table)).collect();
    applier.prepare_tables(&plans, &config.metrics).await?;
    let (journal, row) = open_journal(config, &mut applier, past).await?;
    applier.note_instants(isolation.is_one_instant()).await?;
    let mut captured = Captured::restore(tables.keys().cloned(), &row, &applier.tables().await?);
    let unapplied = journal.clone();
    let applied = row.applied_sequence;
    captured = tokio::task::spawn_blocking(move || observe_unapplied(captured, &unapplied, applied))
        .await
        .expect("reading the journal does not panic")?;
    tracing::info!(
        source = config.source.name,
        tables = tables.len(),
        position = ?captured.position.map(|version| version.0),
        applied_sequence = applied,
        once = until == Until::CaughtUp,
        "stream begins"
    );
    Ok(Begun { applier, journal, captured, tables, isolation, applied })
}

/// What an administrator of the source has to mend first, each with its statement. Tables without a key are none of it.
fn refuse_unready(config: &Config, survey: &Survey) -> Result<(), AgentError> {
    let keyless: Vec<_> = survey
        .tables
        .iter()
        .filter(|lookup| lookup.found.as_ref().is_some_and(|found| found.key.is_empty()))
        .map(|lookup| lookup.table.source.to_string())
        .collect();
    let findings: Vec<_> = survey
        .findings(&config.source.endpoint.user)
        .into_iter()
        .filter(|finding| finding.severity == Severity::Error && !keyless.contains(&finding.subject))
        .filter_map(|finding| {
            Some(format!("{}: {} Run: {}", finding.subject, finding.text_en, finding.mend?))
        })
        .collect();
    if findings.is_empty() { Ok(()) } else { Err(AgentError::Unready { findings: findings.join(" ") }) }
}

/// The tables that can be carried. One without a key is named and left out; anything else that does not fit stops the start,
/// since it is the configuration that has to change.
fn usable_tables(config: &Config, survey: Survey) -> Result<BTreeMap<String, CapturedTable>, AgentError> {
    if survey.database.read_only {
        return Err(SourceError::ReadOnly { database: survey.database.name }.into());
    }
    let twins = twins_wanted(config);
    let mut tables = BTreeMap::new();
    for lookup in survey.tables {
        let Some(description) = lookup.found else {
            let table = lookup.table.source.to_string();
            return Err(SourceError::UnknownTable { table, nearest: lookup.nearest }.into());
        };
        match CapturedTable::new(&description, &lookup.table, &twins) {
            Ok(table) => {
                tables.insert(lookup.table.target, table);
            }
            Err(error @ LayoutError::NoKey { .. }) => {
                tracing::error!(%error, "table left out; `check` says what can be done");
            }
            Err(error) => return Err(SourceError::from(error).into()),
        }
    }
    Ok(tables)
}

fn plan_of(config: &Config, table: &CapturedTable) -> TablePlan {
    let configured = config.tables.iter().find(|configured| configured.target == table.layout.target);
    let scope = configured.map_or(crate::config::Scope::Hidden, |configured| configured.scope.clone());
    TablePlan { layout: table.layout.clone(), scope }
}

async fn open_journal(
    config: &Config,
    applier: &mut Applier,
    past: &Past,
) -> Result<(Journal, StreamRow), AgentError> {
    for _ in 0..ATTEMPTS {
        let before = applier.stream().await?;
        let opened = open(config, before.as_ref().and_then(StreamRow::applied), past).await?;
        report(&opened);
        let row = applier.take_over(opened.journal.id(), matches!(past, Past::Void { .. })).await?;
        let judged_by = before.map_or((0, None), |row| (row.applied_sequence, row.last_run));
        if judged_by == (row.applied_sequence, row.last_run) {
            return Ok((opened.journal, row));
        }
        tracing::warn!("another agent applied runs while this one began; the journal is judged again");
    }
    Err(AgentError::Contended { source_name: config.source.name.clone() })
}

async fn open(config: &Config, applied: Option<state::Applied>, past: &Past) -> Result<Opened, AgentError> {
    let options = state::Options::new(&config.journal.folder, config.journal.max_bytes);
    let anew = match past {
        Past::Continues => None,
        Past::JournalUnusable { reason } | Past::Void { reason } => Some(reason.clone()),
    };
    let opened = tokio::task::spawn_blocking(move || match anew {
        None => state::open(&options, applied.as_ref()),
        Some(reason) => state::open_anew(&options, applied.as_ref(), reason),
    });
    Ok(opened.await.expect("opening the journal does not panic")?)
}

fn report(opened: &Opened) {
    match &opened.report {
        OpenReport::New => tracing::info!(journal = %opened.journal.id(), "journal begins"),
        OpenReport::Continued { runs } => {
            tracing::info!(journal = %opened.journal.id(), unapplied_runs = runs, "journal continues");
        }
        // Said by the journal itself, with its reason.
        OpenReport::SetAside { .. } => {}
    }
}

/// The runs that the target does not have yet move the captured state as they did when they were captured.
fn observe_unapplied(
    mut captured: Captured,
    journal: &Journal,
    applied: u64,
) -> Result<Captured, state::StateError> {
    let mut sequence = applied;
    while let Some(mut run) = journal.next_run(sequence)? {
        sequence = run.start().sequence;
        for record in &mut run {
            captured.observe(sequence, &record?);
        }
        captured.ended(sequence, run.end());
    }
    Ok(captured)
}

impl StreamRow {
    /// What the journal is judged by; None before the first takeover.
    fn applied(&self) -> Option<state::Applied> {
        let journal = self.journal?;
        Some(state::Applied { journal, sequence: self.applied_sequence, last_run: self.last_run })
    }
}
