//! `/api/stream`: server-sent events.

use crate::access::Principal;
use crate::problem::Problem;
use crate::router::App;
use crate::stream::events;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use prometheus::IntGauge;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;

const KEEP_ALIVE: Duration = Duration::from_secs(15);
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// `GET`: freshness every second and every change of revision, until the session ends or the API stops.
pub(crate) async fn open(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Ok(permit) = app.streams.clone().try_acquire_owned() else {
        return Err(Problem::Unavailable("Too many event streams are open.".to_owned()));
    };
    let known = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()?.parse().ok());
    let left = principal.until.map(|until| (until - app.clock.now()).to_std().unwrap_or_default());
    let stopping = app.stopping.clone();
    let open = OpenStream::count(&app.telemetry.streams, permit);
    // Owned by the stream, so that it counts as open until it is dropped.
    let end = async move {
        let _open = open;
        let session = async {
            match left {
                Some(left) => sleep(left).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stopping.cancelled() => {}
            () = session => {}
        }
    };
    let events = events(app.pulse.subscribe(), known).take_until(Box::pin(end));
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    // Proxies that buffer would hold events back.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// Counts a stream, and holds its permit, for as long as it is open.
struct OpenStream {
    gauge: IntGauge,
    _permit: OwnedSemaphorePermit,
}

impl OpenStream {
    fn count(gauge: &IntGauge, permit: OwnedSemaphorePermit) -> Self {
        gauge.inc();
        Self { gauge: gauge.clone(), _permit: permit }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.gauge.dec();
    }
}
