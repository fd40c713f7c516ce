//! Probes. `/healthz`: this program runs. `/readyz`: it can answer.

use crate::router::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    reasons: Vec<&'static str>,
}

/// `GET`: alive.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET`: able to answer, or 503 with the reasons.
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let pulse = app.pulse.borrow().clone();
    let mut reasons = Vec::new();
    if !pulse.reachable {
        reasons.push("PostgreSQL cannot be read");
    } else if pulse.last.is_none_or(|overview| overview.sources.is_empty()) {
        reasons.push("no agent has begun a stream yet");
    }
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready: reasons.is_empty(), reasons })).into_response()
}
