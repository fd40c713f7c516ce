//! Commands that either succeed or say why not.

use std::process::Command;

/// Runs a command to its end.
///
/// # Errors
/// What it said on standard error, or why it did not start.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
}
