//! `check`: what stands in the way on both sides, each with the exact statement that mends it.

use crate::apply::{self, Connection, Settings, TargetError};
use crate::cli::Language;
use crate::config::{Config, Endpoint};
use crate::errors::{AgentError, ExitCode, verdict};
use crate::metrics_catalogue::twins_wanted;
use crate::source::{CapturedTable, Connector, Finding, Severity, Survey};

/// What was found on both sides.
#[derive(Debug)]
pub struct Report {
    /// At the source, the database first.
    pub source: Vec<Finding>,
    /// In the target.
    pub target: Vec<Finding>,
    /// Tables that were looked at.
    pub tables: usize,
    /// Set by a side that could not be looked at.
    exit: Option<ExitCode>,
}

/// Looks at both sides; one that cannot be used is a finding of its own and does not hide the other.
pub async fn run(config: &Config) -> Report {
    let source = of_source(config).await;
    let target = of_target(config).await;
    let failed = [source.as_ref().err(), target.as_ref().err()];
    let exit = failed.into_iter().flatten().next().map(|error| verdict(error).exit);
    Report {
        source: source.unwrap_or_else(|error| vec![unusable(&config.source.endpoint, &error)]),
        target: target.unwrap_or_else(|error| vec![unusable(&config.target.endpoint, &error)]),
        tables: config.tables.len(),
        exit,
    }
}

async fn of_source(config: &Config) -> Result<Vec<Finding>, AgentError> {
    let mut connection = Connector::new(config.source.clone()).connect().await?;
    let survey = connection.survey(&config.tables).await?;
    let mut findings = survey.findings(&config.source.endpoint.user);
    let is_whole = findings.iter().all(|finding| finding.severity != Severity::Error);
    if is_whole && let Some(finding) = of_metrics(config, &survey) {
        findings.push(finding);
    }
    Ok(findings)
}

/// The first metric that does not fit its tables, looked for once all of those are usable.
fn of_metrics(config: &Config, survey: &Survey) -> Option<Finding> {
    let twins = twins_wanted(config);
    let described = survey.tables.iter().filter_map(|lookup| Some((lookup.found.as_ref()?, &lookup.table)));
    let layouts: Vec<_> = described
        .filter_map(|(found, table)| Some(CapturedTable::new(found, table, &twins).ok()?.layout))
        .collect();
    let zoning = Settings::from(config).zoning;
    let error = apply::catalogue_of(&layouts, &config.metrics, &config.target.schema, &zoning).err()?;
    Some(Finding {
        severity: Severity::Error,
        subject: "metrics".to_owned(),
        text_es: format!("Una métrica no corresponde a sus tablas: {error}."),
        text_en: format!("{error}."),
        mend: None,
    })
}

async fn of_target(config: &Config) -> Result<Vec<Finding>, AgentError> {
    let connection = Connection::open(&config.target.endpoint).await?;
    connection.check().await?;
    let pending = migrations::pending_names(&connection.client).await.map_err(TargetError::from)?;
    if pending.is_empty() {
        return Ok(Vec::new());
    }
    let names = pending.join(", ");
    Ok(vec![Finding {
        severity: Severity::Warning,
        subject: config.target.endpoint.database.clone(),
        text_es: format!("Faltan migraciones: {names}."),
        text_en: format!("Migrations are pending: {names}."),
        mend: Some("cdc-agent migrate".to_owned()),
    }])
}

fn unusable(endpoint: &Endpoint, error: &AgentError) -> Finding {
    let remedy = verdict(error).remedy;
    let chain = error.chain();
    Finding {
        severity: Severity::Error,
        subject: format!("{}:{}", endpoint.host, endpoint.port),
        text_es: format!("No se puede usar: {chain}. {}", remedy.es),
        text_en: format!("Not usable: {chain}. {}", remedy.en),
        mend: None,
    }
}

impl Report {
    /// 4 or 5 when something at the source or in the target prevents replication, or the code of the error that hid the rest.
    pub fn exit(&self) -> ExitCode {
        let is_blocked =
            |findings: &[Finding]| findings.iter().any(|finding| finding.severity == Severity::Error);
        match self.exit {
            Some(exit) => exit,
            None if is_blocked(&self.source) => ExitCode::SourceUnreachable,
            None if is_blocked(&self.target) => ExitCode::TargetUnreachable,
            None => ExitCode::Ok,
        }
    }

    /// The report as people read it.
    pub fn text(&self, language: Language) -> String {
        let findings = self.source.iter().chain(&self.target);
        let mut text: String = findings.map(|finding| paragraph(finding, language)).collect();
        text.push_str(&match (self.exit(), language) {
            (ExitCode::Ok, Language::Es) => format!("{} tablas pueden replicarse.", self.tables),
            (ExitCode::Ok, Language::En) => format!("{} tables can be replicated.", self.tables),
            (_, Language::Es) => {
                "Hay impedimentos; vuelva a ejecutar check cuando estén resueltos.".to_owned()
            }
            (_, Language::En) => "Something stands in the way; run check again when it is mended.".to_owned(),
        });
        text
    }
}

fn paragraph(finding: &Finding, language: Language) -> String {
    let severity = match finding.severity {
        Severity::Notice => language.choose("nota", "notice"),
        Severity::Warning => language.choose("aviso", "warning"),
        Severity::Error => language.choose("impedimento", "error"),
    };
    let text = language.choose(&finding.text_es, &finding.text_en);
    let mend = finding.mend.as_ref().map(|statement| format!("    {statement}\n")).unwrap_or_default();
    format!("{severity}: {}: {text}\n{mend}", finding.subject)
}
