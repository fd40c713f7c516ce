//! `/api/session`: signing in and out, and who is signed in.

use crate::access::Principal;
use crate::config::Language;
use crate::problem::Problem;
use crate::router::App;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

/// What a page sends to sign in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    token: String,
}

/// Who is signed in, and what they see.
#[derive(Serialize)]
pub(crate) struct Session {
    name: String,
    language: Language,
    tabs: &'static [Tab],
    scope: &'static str,
}

/// A tab of the page.
#[derive(Serialize)]
struct Tab {
    id: &'static str,
    title_es: &'static str,
    title_en: &'static str,
}

/// Every tab there is, in the order of the page.
const TABS: &[Tab] = &[Tab { id: "testing", title_es: "Pruebas", title_en: "Testing" }];

/// `GET`: who is signed in.
pub(crate) async fn show(Extension(principal): Extension<Principal>) -> Response {
    let scope = principal.scope.kind();
    let session = Session { name: principal.name, language: principal.language, tabs: TABS, scope };
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(session)).into_response()
}

/// `POST`: exchanges the token for a cookie.
pub(crate) async fn sign_in(
    State(app): State<App>,
    body: Result<Json<SignIn>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(SignIn { token }) = body.map_err(|rejection| Problem::BadRequest(rejection.body_text()))?;
    cookie(app.access.sign_in(&token)?)
}

/// `DELETE`: ends the session in this browser.
pub(crate) async fn sign_out(State(app): State<App>) -> Result<Response, Problem> {
    cookie(app.access.sign_out())
}

fn cookie(cookie: String) -> Result<Response, Problem> {
    let cookie = HeaderValue::try_from(cookie).map_err(|_| Problem::Internal)?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}
