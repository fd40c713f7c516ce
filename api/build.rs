//! The page is embedded from `frontend/dist`. A build without a built page embeds an empty folder and serves only the API.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let page = Path::new("../frontend/dist");
    std::fs::create_dir_all(page)?;
    println!("cargo::rerun-if-changed={}", page.display());
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}
