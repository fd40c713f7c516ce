//! Who asks, and what they may see.
//!
//! A program sends the token as `Authorization: Bearer`; a page exchanges it for a cookie that no script can read and no
//! other site can send. The cookie holds the moment at which it ends and an HMAC of that moment under the token: it
//! survives a restart, needs no memory here, and a new token ends every session. Requests that change something are also
//! refused when the browser says that another site made them.

mod scope;

pub use scope::{Scope, ScopeError};

use crate::clock::Clock;
use crate::config::{self, ConfigError, Language};
use crate::problem::Problem;
use crate::router::App;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const COOKIE: &str = "cdc_session";
/// How long a session lasts.
const SESSION: TimeDelta = TimeDelta::days(7);

/// Somebody who showed the token.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    pub name: String,
    pub language: Language,
    pub scope: Scope,
    /// When the session ends; None for a token shown with the request itself.
    pub until: Option<DateTime<Utc>>,
}

/// Decides who may ask.
pub(crate) struct Access {
    token: SecretString,
    secure_cookie: bool,
    name: String,
    language: Language,
    clock: Clock,
}

impl Access {
    pub(crate) fn new(config: &config::Access, clock: Clock) -> Result<Self, ConfigError> {
        Ok(Self {
            token: config.token()?,
            secure_cookie: config.secure_cookie,
            name: config.name.clone(),
            language: config.language,
            clock,
        })
    }

    /// Who sent these headers.
    pub(crate) fn principal(&self, headers: &HeaderMap) -> Result<Principal, Problem> {
        if let Some(value) = headers.get(header::AUTHORIZATION) {
            let token = value.to_str().ok().and_then(|value| value.split_once(' '));
            return match token {
                Some((scheme, token))
                    if scheme.eq_ignore_ascii_case("bearer") && self.is_token(token.trim()) =>
                {
                    Ok(self.granted(None))
                }
                _ => Err(Problem::WrongToken),
            };
        }
        let until =
            cookies(headers).find_map(|cookie| self.session_end(cookie)).ok_or(Problem::Unauthorized)?;
        Ok(self.granted(Some(until)))
    }

    /// The `Set-Cookie` of a new session, for whoever shows the token.
    pub(crate) fn sign_in(&self, token: &str) -> Result<String, Problem> {
        if !self.is_token(token) {
            return Err(Problem::WrongToken);
        }
        let end = (self.clock.now() + SESSION).timestamp();
        let seal = URL_SAFE_NO_PAD.encode(self.seal(end).finalize().into_bytes());
        Ok(self.cookie(&format!("{end}.{seal}"), SESSION))
    }

    /// The `Set-Cookie` that ends a session.
    pub(crate) fn sign_out(&self) -> String {
        self.cookie("", TimeDelta::zero())
    }

    /// The one principal there is: whoever knows the token sees everything.
    fn granted(&self, until: Option<DateTime<Utc>>) -> Principal {
        Principal { name: self.name.clone(), language: self.language, scope: Scope::All, until }
    }

    /// Digests are compared, so that the time taken tells neither content nor length.
    fn is_token(&self, shown: &str) -> bool {
        let shown = Sha256::digest(shown.as_bytes());
        let token = Sha256::digest(self.token.expose_secret().as_bytes());
        shown.as_slice().ct_eq(token.as_slice()).into()
    }

    /// The end of the session that a cookie's value stands for; None for a forged or an ended one.
    fn session_end(&self, cookie: &str) -> Option<DateTime<Utc>> {
        let (end, seal) = cookie.split_once('.')?;
        let end = end.parse::<i64>().ok()?;
        let seal = URL_SAFE_NO_PAD.decode(seal).ok()?;
        self.seal(end).verify_slice(&seal).ok()?;
        DateTime::from_timestamp(end, 0).filter(|end| *end > self.clock.now())
    }

    fn seal(&self, end: i64) -> Hmac<Sha256> {
        let key = self.token.expose_secret().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(format!("{COOKIE}.{end}").as_bytes());
        mac
    }

    fn cookie(&self, value: &str, lasts: TimeDelta) -> String {
        let secure = if self.secure_cookie { "; Secure" } else { "" };
        let lasts = lasts.num_seconds();
        format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={lasts}{secure}")
    }
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// Lets a request pass only with a principal, which handlers then find in its extensions.
pub(crate) async fn require(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let principal = app.access.principal(request.headers())?;
    request.extensions_mut().insert(principal);
    Ok(next.run(request).await)
}

/// Refuses what another site makes a browser send, except for reading, which the cookie itself refuses.
pub(crate) async fn same_origin(request: Request, next: Next) -> Result<Response, Problem> {
    let is_reading = matches!(*request.method(), Method::GET | Method::HEAD);
    let site = request.headers().get("sec-fetch-site");
    let is_own = site.is_none_or(|site| site == "same-origin" || site == "none");
    if is_reading || is_own { Ok(next.run(request).await) } else { Err(Problem::ForeignOrigin) }
}
