//! Running a script batch by batch, until one fails.

use std::future::Future;
use std::io::{self, Write};

use super::{Answer, Batch, batches};
use crate::types::SqlError;

/// Where batches run, one after the other in one session.
pub trait Target {
    /// Runs a batch to its end.
    ///
    /// # Errors
    /// What keeps the session from answering; errors of the batch are answers.
    fn run(&mut self, batch: &str) -> impl Future<Output = io::Result<Vec<Answer>>>;
}

/// Why a script stopped.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// A batch failed.
    #[error("{line}: {error}")]
    Batch {
        /// Line of the script, from 1.
        line: i32,
        /// The first error of the batch.
        error: SqlError,
    },
    /// The session is over, or the answers cannot be written.
    #[error(" {0}")]
    Io(#[from] io::Error),
}

/// Runs a script and writes what it answers; the first batch that fails ends it.
///
/// # Errors
/// The first error of that batch, with its line in the script.
pub async fn run(target: &mut impl Target, script: &str, out: &mut impl Write) -> Result<(), ScriptError> {
    for Batch { text, line, times } in batches(script) {
        for _ in 0..times {
            let answers = target.run(text).await?;
            for answer in &answers {
                writeln!(out, "{answer}")?;
            }
            let failed = answers.into_iter().find_map(|answer| match answer {
                Answer::Error(error) => Some(error),
                _ => None,
            });
            if let Some(error) = failed {
                return Err(ScriptError::Batch { line: line + (error.line - 1).max(0), error });
            }
        }
    }
    Ok(())
}
