//! `/api/metrics`: what can be asked for.

use crate::conditional::overview;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::router::App;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use proto::MetricKind;
use serde::Serialize;

#[derive(Serialize)]
struct Catalogue<'a> {
    results: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    aliases: &'a [String],
    title_es: &'a str,
    title_en: &'a str,
    unit: &'a str,
    kind: MetricKind,
    tabs: &'a [String],
    /// False while its figures are being built.
    ready: bool,
}

/// `GET`: every metric.
pub(crate) async fn list(State(app): State<App>, parameters: Parameters) -> Result<Response, Problem> {
    parameters.only(&[])?;
    let overview = overview(&app.pulse.borrow())?;
    let results = overview
        .metrics
        .iter()
        .map(|metric| {
            let definition = &metric.definition;
            Entry {
                name: &definition.name,
                aliases: &definition.aliases,
                title_es: &definition.title_es,
                title_en: &definition.title_en,
                unit: &definition.unit,
                kind: definition.kind,
                tabs: &definition.tabs,
                ready: metric.ready,
            }
        })
        .collect();
    let cache = [(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"))];
    Ok((cache, Json(Catalogue { results })).into_response())
}
