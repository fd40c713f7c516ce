//! A Python environment with packages from PyPI, for clients that nobody here wrote.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::run;

/// Python of an environment under `folder` that has the packages, each as `name==version`; made when it is not there.
///
/// # Errors
/// What Python or pip said.
pub fn environment(folder: &Path, packages: &[&str]) -> Result<PathBuf, String> {
    let python = folder.join("bin/python");
    let installed = folder.join("installed.txt");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&installed).is_ok_and(|packages| packages == wanted) {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(packages))?;
    std::fs::write(installed, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}
