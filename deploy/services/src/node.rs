//! Packages from npm, for clients that nobody here wrote.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::run;

/// The `node_modules` under `folder`, with what `package.json` and `package-lock.json` in `manifest` name; made when it is not
/// there.
///
/// # Errors
/// What npm said, or which file cannot be copied.
pub fn environment(folder: &Path, manifest: &Path) -> Result<PathBuf, String> {
    let modules = folder.join("node_modules");
    let lock = manifest.join("package-lock.json");
    let wanted = std::fs::read(&lock).map_err(said(&lock))?;
    let installed = folder.join("installed.json");
    if std::fs::read(&installed).is_ok_and(|lock| lock == wanted) {
        return Ok(modules);
    }
    std::fs::create_dir_all(folder).map_err(said(folder))?;
    for name in ["package.json", "package-lock.json"] {
        let file = manifest.join(name);
        std::fs::copy(&file, folder.join(name)).map_err(said(&file))?;
    }
    run(Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--silent"]).current_dir(folder))?;
    std::fs::write(&installed, wanted).map_err(said(&installed))?;
    Ok(modules)
}

fn said(file: &Path) -> impl Fn(std::io::Error) -> String {
    move |error| format!("{}: {error}", file.display())
}
