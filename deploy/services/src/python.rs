//! A Python environment with packages from PyPI, for clients that nobody here wrote.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Python of an environment under `folder` that has `package` in that version; made when it is not there.
///
/// # Errors
/// What Python or pip said.
pub fn environment(folder: &Path, package: &str) -> Result<PathBuf, String> {
    let python = folder.join("bin/python");
    let done = folder.join(format!("{package}.installed"));
    if done.exists() {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    run(Command::new(&python).args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        package,
    ]))?;
    std::fs::write(done, "").map_err(|error| error.to_string())?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
}
