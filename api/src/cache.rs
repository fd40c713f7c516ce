//! Answers by revision and question.
//!
//! An answer belongs to the revisions under which it was asked for; a new revision is a new key, and old answers leave as the
//! least recently used. Many clients that ask the same at the same moment, as all do after a revision, cause one query.

use crate::problem::Problem;
use crate::queries::pipeline::Source;
use bytes::Bytes;
use lru::LruCache;
use serde::Serialize;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::OnceCell;

const CAPACITY: NonZeroUsize = NonZeroUsize::new(512).expect("not zero");

/// A body, and the sources as its own transaction saw them.
#[derive(Debug)]
pub(crate) struct Answer {
    pub body: Bytes,
    pub sources: Vec<Source>,
    pub read: Instant,
}

impl Answer {
    /// The answer that `body` is, from a transaction that saw `sources` at `read`.
    pub(crate) fn new(body: &impl Serialize, sources: Vec<Source>, read: Instant) -> Result<Self, Problem> {
        let body = serde_json::to_vec(body).map_err(|error| {
            tracing::error!(%error, "an answer cannot be written as JSON");
            Problem::Internal
        })?;
        Ok(Self { body: body.into(), sources, read })
    }
}

/// Answers that are likely to be asked for again.
pub(crate) struct Cache {
    answers: Mutex<LruCache<String, Arc<OnceCell<Arc<Answer>>>>>,
}

impl Cache {
    pub(crate) fn new() -> Self {
        Self { answers: Mutex::new(LruCache::new(CAPACITY)) }
    }

    /// The answer for `key`, read by the first who asks; a failure is not kept. The flag tells whether it was there.
    pub(crate) async fn get_or_read<E>(
        &self,
        key: String,
        read: impl Future<Output = Result<Answer, E>>,
    ) -> Result<(Arc<Answer>, bool), E> {
        let cell = {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(answers.get_or_insert(key, Arc::default))
        };
        let mut was_there = true;
        let answer = cell
            .get_or_try_init(async || {
                was_there = false;
                read.await.map(Arc::new)
            })
            .await?;
        Ok((Arc::clone(answer), was_there))
    }
}
