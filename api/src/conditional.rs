//! Answers with their age, and "not modified".
//!
//! A body holds only what its key determines; age, `as_of` and state travel in headers, with 304 too. The entity tag is made
//! of everything that can change the body or what it is worth: the question with its resolved days, scope and language, the
//! revisions and the state.

use crate::access::{Principal, Scope};
use crate::cache::Answer;
use crate::freshness::{Basis, Freshness, State, moment, rounded};
use crate::problem::Problem;
use crate::pulse::{Overview, Pulse};
use crate::router::App;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::sync::Arc;

const REVISION: HeaderName = HeaderName::from_static("cdc-revision");
const AS_OF: HeaderName = HeaderName::from_static("cdc-as-of");
const AGE: HeaderName = HeaderName::from_static("cdc-age-seconds");
const STATE: HeaderName = HeaderName::from_static("cdc-state");

/// What is asked, and what the answer will rest on.
pub(crate) struct Question {
    /// Names the question among all questions of all people.
    key: String,
    basis: Basis,
    /// A state that the question itself brings, such as a metric that is still being built.
    floor: State,
}

impl Question {
    /// `asked` is everything that selects rows, with names and days resolved.
    pub(crate) fn new(principal: &Principal, basis: Basis, asked: &impl std::fmt::Debug) -> Self {
        let language = principal.language;
        let scope: &Scope = &principal.scope;
        Self { key: format!("{scope:?} {language:?} {asked:?}"), basis, floor: State::Live }
    }

    /// Raises the state at least to `state`.
    pub(crate) fn at_least(mut self, state: State) -> Self {
        self.floor = self.floor.max(state);
        self
    }

    /// The key under the revisions of one overview.
    fn key_under(&self, overview: &Overview) -> String {
        let mut key = self.key.clone();
        for source in overview.sources.iter().filter(|source| self.basis.contains_key(&source.name)) {
            key.push_str(&format!(" {}={}", source.name, source.revision));
        }
        key
    }
}

/// The newest reading of the state, while PostgreSQL can be reached.
pub(crate) fn overview(pulse: &Pulse) -> Result<Arc<Overview>, Problem> {
    let unavailable = || Problem::Unavailable("PostgreSQL does not answer now.".to_owned());
    pulse.current().map(Arc::clone).ok_or_else(unavailable)
}

/// Answers from the cache, or by `read`.
pub(crate) async fn answer(
    app: &App,
    headers: &HeaderMap,
    question: Question,
    read: impl Future<Output = Result<Answer, Problem>>,
) -> Result<Response, Problem> {
    let overview = overview(&app.pulse.borrow())?;
    let (answer, was_there) = app.cache.get_or_read(question.key_under(&overview), read).await?;
    app.telemetry.cache_lookups.with_label_values(&[if was_there { "hit" } else { "miss" }]).inc();

    let own = Freshness::of_basis(&question.basis, &answer.sources, answer.read);
    let newest = app.pulse.borrow().last.clone().unwrap_or(overview);
    let pulse = Freshness::of_basis(&question.basis, &newest.sources, newest.at);
    // A heartbeat makes an unchanged answer younger; a revision that the answer does not have must not.
    let mut freshness = match (own, pulse) {
        (Some(own), Some(pulse)) if pulse.revision == own.revision && newest.at > answer.read => pulse,
        (Some(own), _) => own,
        (None, _) => {
            return Err(Problem::Unavailable("The source of these figures is not known yet.".to_owned()));
        }
    };
    freshness.state = freshness.state.max(question.floor);
    Ok(respond(headers, &question.key, &freshness, answer.body.clone()))
}

fn respond(asked: &HeaderMap, key: &str, freshness: &Freshness, body: Bytes) -> Response {
    let tag = entity_tag(key, freshness);
    let mut response = if is_known(asked, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
    };
    let mut set = |name: HeaderName, value: String| {
        let value = HeaderValue::try_from(value).expect("digits, letters and punctuation only");
        response.headers_mut().insert(name, value);
    };
    set(header::ETAG, tag);
    set(header::CACHE_CONTROL, "no-cache, private".to_owned());
    set(header::VARY, "Authorization, Cookie".to_owned());
    set(REVISION, freshness.revision.to_string());
    set(STATE, freshness.state.as_str().to_owned());
    if let Some(as_of) = freshness.as_of {
        set(AS_OF, moment(as_of));
    }
    if let Some(age) = freshness.age {
        set(AGE, format!("{:.3}", rounded(age)));
    }
    response
}

fn entity_tag(key: &str, freshness: &Freshness) -> String {
    let digest = Sha256::digest(format!("{key} {} {}", freshness.revision, freshness.state.as_str()));
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..16]))
}

/// Compares weakly, as `If-None-Match` asks for.
fn is_known(asked: &HeaderMap, tag: &str) -> bool {
    asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|value| value.trim().trim_start_matches("W/"))
        .any(|value| value == tag || value == "*")
}
