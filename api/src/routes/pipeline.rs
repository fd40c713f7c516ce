//! `/api/pipeline/`: the sources and their tables, as of the last second.

use crate::conditional::overview;
use crate::freshness::{moment, rounded};
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::queries::pipeline::Table;
use crate::router::App;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

#[derive(Serialize)]
struct Pipeline<'a> {
    sources: Vec<Source<'a>>,
}

/// Versions are texts: JavaScript would round them.
#[derive(Serialize)]
struct Source<'a> {
    source: &'a str,
    state: &'static str,
    detail: Option<&'a str>,
    position: Option<String>,
    hi: Option<String>,
    applied_sequence: i64,
    revision: i64,
    as_of: Option<String>,
    age_seconds: Option<f64>,
    agent_seen_seconds: Option<f64>,
    tables: &'a [Table],
}

/// `GET`: everything about the way of the data.
pub(crate) async fn show(State(app): State<App>, parameters: Parameters) -> Result<Response, Problem> {
    parameters.only(&[])?;
    let pulse = app.pulse.borrow().clone();
    let overview = overview(&pulse)?;
    let elapsed = overview.at.elapsed();
    let sources = pulse
        .freshness()
        .map(|(source, freshness)| Source {
            source: &source.name,
            state: freshness.state.as_str(),
            detail: source.agent_detail.as_deref(),
            position: source.position.map(|position| position.to_string()),
            hi: source.hi.map(|hi| hi.to_string()),
            applied_sequence: source.applied_sequence,
            revision: freshness.revision,
            as_of: freshness.as_of.map(moment),
            age_seconds: freshness.age.map(rounded),
            agent_seen_seconds: source.agent_seen.map(|seen| rounded(seen + elapsed)),
            tables: &source.tables,
        })
        .collect();
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((no_store, Json(Pipeline { sources })).into_response())
}
