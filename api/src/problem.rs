//! Errors as the client sees them: RFC 9457, `application/problem+json`.
//!
//! A [`Problem`] leaves a handler without an address; [`locate`], the outermost layer of the router, writes it into
//! `instance`. What a person of the outside must not read (the database's own words) is logged here and not sent.

use crate::database::DatabaseError;
use crate::queries::catalogue::CatalogueError;
use crate::queries::detail::DetailError;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::error::Error;

/// Why a request was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error(
        "A token is needed: the header \"Authorization: Bearer ...\", or the cookie of POST /api/session."
    )]
    Unauthorized,
    #[error("The token is not the right one.")]
    WrongToken,
    #[error("The request comes from another site.")]
    ForeignOrigin,
    #[error("There is nothing at this address.")]
    NotFound,
    #[error("This address does not know the method {method}.")]
    Method { method: String },
    #[error("The page was not built into this program; run `make`, or build the frontend and then the API.")]
    NoPage,
    #[error("{0}")]
    BadRequest(String),
    #[error("The parameter {name:?} is unknown here; known are: {known}.")]
    UnknownParameter { name: String, known: String },
    #[error("The parameter {name:?} may be given once.")]
    RepeatedParameter { name: String },
    #[error("The parameter {name:?} is missing; it takes {allowed}.")]
    MissingParameter { name: &'static str, allowed: String },
    #[error("The parameter {name:?} does not take {value:?}; it takes {allowed}.")]
    InvalidParameter { name: &'static str, value: String, allowed: String },
    #[error("{0}")]
    Unavailable(String),
    #[error("The answer could not be made; the log of this API has the reason.")]
    Internal,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: String,
    instance: &'a str,
}

impl Problem {
    fn kind(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized", "Not signed in"),
            Self::WrongToken => (StatusCode::UNAUTHORIZED, "wrong-token", "Wrong token"),
            Self::ForeignOrigin => (StatusCode::FORBIDDEN, "foreign-origin", "Request from another site"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "Not found"),
            Self::Method { .. } => (StatusCode::METHOD_NOT_ALLOWED, "method", "Method not allowed"),
            Self::NoPage => (StatusCode::NOT_FOUND, "no-page", "No page"),
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "bad-request", "Bad request"),
            Self::UnknownParameter { .. } => {
                (StatusCode::BAD_REQUEST, "unknown-parameter", "Unknown parameter")
            }
            Self::RepeatedParameter { .. } => {
                (StatusCode::BAD_REQUEST, "repeated-parameter", "Repeated parameter")
            }
            Self::MissingParameter { .. } => {
                (StatusCode::BAD_REQUEST, "missing-parameter", "Missing parameter")
            }
            Self::InvalidParameter { .. } => {
                (StatusCode::BAD_REQUEST, "invalid-parameter", "Invalid parameter")
            }
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available now"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error"),
        }
    }

    fn document(&self, instance: &str) -> Response {
        let (status, name, title) = self.kind();
        let document = Document {
            r#type: format!("urn:cdc-agent:problem:{name}"),
            title,
            status: status.as_u16(),
            detail: self.to_string(),
            instance,
        };
        let mut response = (status, axum::Json(document)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind().0.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the documents of problems, with the address they happened at.
pub(crate) async fn locate(request: Request, next: Next) -> Response {
    let instance = request.uri().to_string();
    let response = next.run(request).await;
    match response.extensions().get::<Problem>() {
        Some(problem) => problem.document(&instance),
        None => response,
    }
}

impl From<DatabaseError> for Problem {
    fn from(error: DatabaseError) -> Self {
        match &error {
            DatabaseError::Unreachable(_) | DatabaseError::Busy | DatabaseError::TimedOut { .. } => {
                tracing::warn!(error = %chain(&error), "a request found PostgreSQL unavailable");
                Self::Unavailable("PostgreSQL does not answer now.".to_owned())
            }
            DatabaseError::NotServed(_) => {
                tracing::error!(error = %chain(&error), "the schema \"reading\" is not as expected; run `cdc-agent migrate`");
                Self::Unavailable("The database is not prepared yet.".to_owned())
            }
            DatabaseError::Refused(_) => {
                tracing::error!(error = %chain(&error), "a query was refused");
                Self::Internal
            }
        }
    }
}

impl From<CatalogueError> for Problem {
    fn from(error: CatalogueError) -> Self {
        match error {
            CatalogueError::Database(error) => error.into(),
            CatalogueError::Definition { .. } => {
                tracing::error!(error = %chain(&error), "the catalogue cannot be read");
                Self::Internal
            }
        }
    }
}

impl From<DetailError> for Problem {
    fn from(error: DetailError) -> Self {
        match error {
            DetailError::Database(error) => error.into(),
            DetailError::NoView { table } => {
                Self::Unavailable(format!("The table {table:?} is not replicated yet, or not exposed."))
            }
            error => {
                tracing::error!(error = %chain(&error), "a detail table cannot be read");
                Self::Internal
            }
        }
    }
}

/// An error and its causes in one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
