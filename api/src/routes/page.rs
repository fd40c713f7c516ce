//! The page, from inside this program. Addresses without a file belong to the page's own router and get its document.

use crate::problem::Problem;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rust_embed::{Embed, EmbeddedFile};

const DOCUMENT: &str = "index.html";
/// The build puts a digest into the name of every file below.
const NAMED_BY_DIGEST: &str = "assets/";

#[derive(Embed)]
#[folder = "../frontend/dist"]
struct Files;

/// `GET`: a file of the page, or its document.
pub(crate) async fn serve(uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    let path = uri.path().trim_start_matches('/');
    if let Some(file) = Files::get(path) {
        return Ok(respond(&headers, path, file));
    }
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    if is_file || path.starts_with(NAMED_BY_DIGEST) {
        return Err(Problem::NotFound);
    }
    let document = Files::get(DOCUMENT).ok_or(Problem::NoPage)?;
    Ok(respond(&headers, DOCUMENT, document))
}

fn respond(asked: &HeaderMap, path: &str, file: EmbeddedFile) -> Response {
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&file.metadata.sha256_hash()[..16]));
    let is_known = asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let content_type = file.metadata.mimetype().to_owned();
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        file.data.into_owned().into_response()
    };
    let caching =
        if path.starts_with(NAMED_BY_DIGEST) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    for (name, value) in [(header::CONTENT_TYPE, content_type), (header::ETAG, tag)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    response
}
