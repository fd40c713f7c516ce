//! `/api/data/<table>/`: rows of a declared table, newest first.
//!
//! A cursor is the place of a page's last row, as base64 of JSON. It holds nothing that the row did not show and grants
//! nothing: whoever makes one up gets rows of their own scope.

use crate::access::{Principal, Scope};
use crate::cache::Answer;
use crate::conditional::{Question, answer, overview};
use crate::config::Detail;
use crate::freshness::Basis;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::queries::detail::{self, Page, Rows};
use crate::queries::pipeline;
use crate::router::App;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::value::RawValue;
use std::time::Instant;

const DEFAULT_LIMIT: i64 = 50;
const HIGHEST_LIMIT: i64 = 1000;

#[derive(Serialize)]
struct Body {
    results: Vec<Box<RawValue>>,
    next_cursor: Option<String>,
}

/// `GET`: a page of rows.
pub(crate) async fn list(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let detail = app.details.iter().find(|detail| detail.name == name).ok_or(Problem::NotFound)?;
    let page = asked_page(&parameters, detail)?;
    let overview = overview(&app.pulse.borrow())?;
    let basis = overview
        .sources
        .iter()
        .filter(|source| source.tables.iter().any(|table| table.name == detail.name))
        .map(|source| (source.name.clone(), vec![detail.name.clone()]))
        .collect::<Basis>();
    let question = Question::new(&principal, basis, &(&page, &detail.name));
    answer(&app, &headers, question, Box::pin(read(&app, &principal.scope, detail, &page))).await
}

async fn read(app: &App, scope: &Scope, detail: &Detail, page: &Page) -> Result<Answer, Problem> {
    let reading = app.database.begin(scope).await?;
    let sources = pipeline::sources(&reading, scope).await?;
    let read = Instant::now();
    let Rows { rows, next } = detail::page(&reading, scope, detail, page).await?;
    reading.finish().await?;
    let next_cursor = next.as_deref().map(encode_cursor).transpose()?;
    Answer::new(&Body { results: rows, next_cursor }, sources, read)
}

fn asked_page(parameters: &Parameters, detail: &Detail) -> Result<Page, Problem> {
    let filters = detail.filters.keys().map(String::as_str);
    let known = ["limit", "cursor"].into_iter().chain(filters).collect::<Vec<_>>();
    parameters.only(&known)?;
    let limit = match parameters.one("limit")? {
        None => DEFAULT_LIMIT,
        Some(value) => parse_limit(value)?,
    };
    let after = parameters.one("cursor")?.map(|cursor| decode_cursor(cursor, detail)).transpose()?;
    let mut filters = Vec::new();
    for (name, column) in &detail.filters {
        if let Some(value) = parameters.one(name)? {
            filters.push((column.clone(), value.to_owned()));
        }
    }
    Ok(Page { limit, after, filters })
}

fn parse_limit(value: &str) -> Result<i64, Problem> {
    value.parse().ok().filter(|limit| (1..=HIGHEST_LIMIT).contains(limit)).ok_or_else(|| {
        Problem::InvalidParameter {
            name: "limit",
            value: value.to_owned(),
            allowed: format!("a number from 1 to {HIGHEST_LIMIT}"),
        }
    })
}

fn encode_cursor(place: &[String]) -> Result<String, Problem> {
    let json = serde_json::to_vec(place).map_err(|_| Problem::Internal)?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

fn decode_cursor(cursor: &str, detail: &Detail) -> Result<Vec<String>, Problem> {
    let place = URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|json| serde_json::from_slice::<Vec<String>>(&json).ok())
        .filter(|place| place.len() == detail.key.len() + 1);
    place.ok_or_else(|| Problem::InvalidParameter {
        name: "cursor",
        value: cursor.to_owned(),
        allowed: "a next_cursor of this address".to_owned(),
    })
}
