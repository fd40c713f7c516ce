//! Events for pages: one stream per client, all fed by the one [`Pulse`].
//!
//! - `freshness`: each source's age and state, on connection and at every reading, which is once a second; also without a
//!   reading when one is late.
//! - `revision` (its id is the revision): what can be read has changed. It is also the first event after a reconnection that
//!   missed one, as `Last-Event-ID` tells; that of a client which brings none comes at once.
//!
//! A client is never queued for: it sees the newest pulse whenever its socket takes more, so a slow one misses readings but
//! never a change. One whose socket takes nothing for a while is cut off by the listener's write timeout.

use crate::freshness::{moment, seconds};
use crate::pulse::Pulse;
use axum::response::sse::Event;
use futures::{Stream, StreamExt};
use serde::Serialize;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a page waits before it connects again.
const RETRY: Duration = Duration::from_secs(3);
/// More than the time between two readings.
const LONGEST_SILENCE: Duration = Duration::from_millis(1500);

#[derive(Serialize)]
struct FreshnessEvent<'a> {
    source: &'a str,
    revision: i64,
    as_of: Option<String>,
    #[serde(rename = "age_seconds", serialize_with = "seconds")]
    age: Option<Duration>,
    state: &'static str,
}

#[derive(Serialize)]
struct RevisionEvent {
    revision: i64,
}

struct Client {
    pulse: watch::Receiver<Pulse>,
    /// The last revision that the client knows.
    known: Option<i64>,
    waiting: VecDeque<Event>,
}

/// The events of one client, which knows the revision `known`.
pub(crate) fn events(
    mut pulse: watch::Receiver<Pulse>,
    known: Option<i64>,
) -> impl Stream<Item = Result<Event, axum::Error>> + Send + use<> {
    pulse.mark_changed();
    let client = Client { pulse, known, waiting: VecDeque::new() };
    futures::stream::unfold(client, |mut client| async move {
        loop {
            if let Some(event) = client.waiting.pop_front() {
                return Some((Ok(event), client));
            }
            // A reading that is late is no reason for silence: the age grows meanwhile.
            if let Ok(changed) = timeout(LONGEST_SILENCE, client.pulse.changed()).await {
                // The sender is gone when the API stops.
                changed.ok()?;
            }
            if let Err(error) = client.look() {
                return Some((Err(error), client));
            }
        }
    })
    .boxed()
}

impl Client {
    fn look(&mut self) -> Result<(), axum::Error> {
        let pulse = self.pulse.borrow_and_update().clone();
        let mut revision = None;
        for (source, freshness) in pulse.freshness() {
            revision = Some(revision.unwrap_or(0) + freshness.revision);
            let event = FreshnessEvent {
                source: &source.name,
                revision: freshness.revision,
                as_of: freshness.as_of.map(moment),
                age: freshness.age,
                state: freshness.state.as_str(),
            };
            self.waiting.push_back(Event::default().event("freshness").retry(RETRY).json_data(event)?);
        }
        // A revision that is not the known one: greater, or smaller after PostgreSQL was restored.
        if let Some(revision) = revision.filter(|revision| self.known != Some(*revision)) {
            self.known = Some(revision);
            let event = Event::default().event("revision").id(revision.to_string());
            self.waiting.push_back(event.json_data(RevisionEvent { revision })?);
        }
        Ok(())
    }
}
