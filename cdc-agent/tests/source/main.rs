//! The source's side against a SQL Server double: real driver, real protocol bytes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod checks;
mod history;
mod lines;
mod site;
mod tls;
mod types;
mod windows;
