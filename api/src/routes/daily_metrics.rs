//! `/api/data/daily_metrics/`: figures by day, company and warehouse.

use crate::access::{Principal, Scope};
use crate::cache::Answer;
use crate::conditional::{Question, answer, overview};
use crate::date_range::DateRange;
use crate::freshness::{Basis, State as DataState};
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::pulse::Overview;
use crate::queries::catalogue::Metric;
use crate::queries::daily::{self, AskedMetric, Days, Figure, Figures, Span};
use crate::queries::pipeline;
use crate::router::App;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use proto::MetricKind;
use serde::Serialize;
use std::collections::BTreeSet;
use std::time::Instant;

const PARAMETERS: &[&str] = &["metric", "date_range", "from", "to", "company", "warehouse"];
/// Days of figures that belong to no warehouse with a known zone.
const OTHER_ZONE: Tz = Tz::UTC;

#[derive(Serialize)]
struct Body {
    results: Vec<Figure>,
    ranges: Vec<Range>,
}

/// The days that were meant for a warehouse. The one without a warehouse is there only where figures belong to a warehouse
/// whose zone is not known.
#[derive(Serialize)]
struct Range {
    warehouse: Option<String>,
    zone: String,
    from: NaiveDate,
    to: NaiveDate,
}

/// `GET`: the figures of some metrics over some days.
pub(crate) async fn list(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.only(PARAMETERS)?;
    let overview = overview(&app.pulse.borrow())?;
    let metrics = asked_metrics(&parameters, &overview)?;
    let range = DateRange::parse(&parameters)?;
    let warehouse = parameters.one("warehouse")?.map(str::to_owned);
    let company = parameters.one("company")?.map(str::to_owned);
    let now = app.clock.now();
    let (spans, ranges) = spans(range, now, &overview, &principal.scope)?;
    let asked = Figures {
        metrics: metrics.iter().map(|metric| AskedMetric::from(*metric)).collect(),
        spans,
        other: range.days(now, OTHER_ZONE),
        company,
        warehouse,
    };
    let mut question = Question::new(&principal, basis(&metrics), &(&asked, "daily_metrics"));
    if metrics.iter().any(|metric| !metric.ready) {
        question = question.at_least(DataState::Loading);
    }
    answer(&app, &headers, question, Box::pin(read(&app, &principal.scope, &asked, ranges))).await
}

async fn read(app: &App, scope: &Scope, asked: &Figures, mut ranges: Vec<Range>) -> Result<Answer, Problem> {
    let reading = app.database.begin(scope).await?;
    let sources = pipeline::sources(&reading, scope).await?;
    let read = Instant::now();
    let results = daily::figures(&reading, scope, asked).await?;
    reading.finish().await?;
    let is_placed = |figure: &Figure| asked.spans.iter().any(|span| span.warehouse == figure.warehouse);
    if !results.iter().all(is_placed) {
        ranges.push(Range::new(None, OTHER_ZONE, asked.other));
    }
    Answer::new(&Body { results, ranges }, sources, read)
}

fn asked_metrics<'a>(parameters: &Parameters, overview: &'a Overview) -> Result<Vec<&'a Metric>, Problem> {
    let allowed = || {
        let names =
            overview.metrics.iter().map(|metric| metric.definition.name.as_str()).collect::<BTreeSet<_>>();
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        if names.is_empty() { "nothing yet: no metric is declared".to_owned() } else { names }
    };
    let mut metrics = Vec::<&Metric>::new();
    for name in parameters.list("metric") {
        let named = overview.metrics.iter().filter(|metric| metric.is_named(name)).collect::<Vec<_>>();
        if named.is_empty() {
            return Err(Problem::InvalidParameter {
                name: "metric",
                value: name.to_owned(),
                allowed: allowed(),
            });
        }
        for metric in named {
            if !metrics.iter().any(|known| std::ptr::eq(*known, metric)) {
                metrics.push(metric);
            }
        }
    }
    if metrics.is_empty() {
        return Err(Problem::MissingParameter { name: "metric", allowed: allowed() });
    }
    Ok(metrics)
}

fn basis(metrics: &[&Metric]) -> Basis {
    let mut basis = Basis::new();
    for metric in metrics {
        basis.entry(metric.source.clone()).or_default().extend(metric.tables().map(str::to_owned));
    }
    basis
}

/// The days of every warehouse whose zone is known, for the query and for the answer.
fn spans(
    range: DateRange,
    now: DateTime<Utc>,
    overview: &Overview,
    scope: &Scope,
) -> Result<(Vec<Span>, Vec<Range>), Problem> {
    let mut spans = Vec::new();
    let mut ranges = Vec::new();
    for place in overview.zones.iter().filter(|place| scope.covers_warehouse(&place.warehouse)) {
        let zone = place.zone.parse::<Tz>().map_err(|_| {
            tracing::error!(zone = place.zone, "a warehouse's zone is not an IANA name; correct it at the source");
            Problem::Unavailable(format!(
                "The zone {:?} of warehouse {:?} is not an IANA name, so its days are not known; correct it at the source.",
                place.zone, place.warehouse
            ))
        })?;
        let days = range.days(now, zone);
        spans.push(Span { source: place.source.clone(), warehouse: place.warehouse.clone(), days });
        ranges.push(Range::new(Some(place.warehouse.clone()), zone, days));
    }
    Ok((spans, ranges))
}

impl Range {
    fn new(warehouse: Option<String>, zone: Tz, days: Days) -> Self {
        Self { warehouse, zone: zone.name().to_owned(), from: days.first, to: days.last }
    }
}

impl From<&Metric> for AskedMetric {
    fn from(metric: &Metric) -> Self {
        Self {
            source: metric.source.clone(),
            name: metric.definition.name.clone(),
            ratio: metric.definition.kind == MetricKind::Ratio,
        }
    }
}
