//! Every route, and the layers around them.

use crate::access::{self, Access};
use crate::cache::Cache;
use crate::clock::Clock;
use crate::config::{Config, ConfigError, Detail};
use crate::database::Database;
use crate::problem::{self, Problem};
use crate::pulse::Pulse;
use crate::routes::{daily_metrics, detail, events, health, metrics, page, pipeline, session};
use crate::telemetry::Telemetry;
use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// Event streams at a time.
const STREAMS: usize = 512;
/// Longest request body, in bytes; the only body there is holds a token.
const LONGEST_BODY: usize = 16 * 1024;

/// What handlers share.
pub(crate) type App = Arc<Parts>;

/// The parts of the API.
pub(crate) struct Parts {
    pub access: Access,
    pub cache: Cache,
    pub clock: Clock,
    pub database: Database,
    pub details: Vec<Detail>,
    /// The newest state; it also keeps the channel of event streams.
    pub pulse: watch::Sender<Pulse>,
    /// One permit for each event stream.
    pub streams: Arc<Semaphore>,
    /// Ends event streams when the API stops.
    pub stopping: CancellationToken,
    pub telemetry: Telemetry,
}

impl Parts {
    pub(crate) fn new(
        config: &Config,
        clock: Clock,
        telemetry: Telemetry,
        stopping: CancellationToken,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            access: Access::new(&config.access, clock.clone())?,
            cache: Cache::new(),
            clock,
            database: Database::new(&config.database)?,
            details: config.details.clone(),
            pulse: watch::Sender::new(Pulse::default()),
            streams: Arc::new(Semaphore::new(STREAMS)),
            stopping,
            telemetry,
        })
    }
}

/// The API and the page. What is under `/api` wants a principal, but for signing in and out.
pub(crate) fn router(app: App) -> Router {
    let private = Router::new()
        .route("/api/session", get(session::show))
        .route("/api/metrics", get(metrics::list))
        .route("/api/data/daily_metrics/", get(daily_metrics::list))
        .route("/api/data/{table}/", get(detail::list))
        .route("/api/pipeline/", get(pipeline::show))
        .route("/api/stream", get(events::open))
        .route("/api", get(not_found))
        .route("/api/{*rest}", get(not_found))
        .layer(middleware::from_fn_with_state(app.clone(), access::require));
    let open = Router::new()
        .route("/api/session", post(session::sign_in).delete(session::sign_out))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(get(page::serve));
    private
        .merge(open)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(access::same_origin))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(middleware::from_fn(problem::locate))
        .layer(middleware::from_fn(protect))
        .layer(middleware::from_fn_with_state(app.clone(), measure))
        .with_state(app)
}

/// What Prometheus reads, on a listener of its own.
pub(crate) fn metrics_router(telemetry: Telemetry) -> Router {
    let show = async move || {
        telemetry.text().map_err(|error| {
            tracing::error!(%error, "the metrics cannot be written");
            Problem::Internal
        })
    };
    Router::new().route("/metrics", get(show)).layer(middleware::from_fn(problem::locate))
}

async fn not_found() -> Problem {
    Problem::NotFound
}

async fn wrong_method(method: Method) -> Problem {
    Problem::Method { method: method.to_string() }
}

/// Tells browsers what the page never needs, so that nothing that slips into it can use it.
async fn protect(request: Request, next: Next) -> Response {
    const HEADERS: [(HeaderName, &str); 7] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; \
             frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ];
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Counts and times requests by route; addresses that match none are one route.
async fn measure(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("page", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let began = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    let labels = [route.as_str(), method.as_str(), status.as_str()];
    app.telemetry.requests.with_label_values(&labels).inc();
    app.telemetry
        .request_duration
        .with_label_values(&[route.as_str()])
        .observe(began.elapsed().as_secs_f64());
    response
}
