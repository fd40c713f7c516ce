//! The source's side against a SQL Server double: real driver, real protocol bytes.

mod checks;
mod history;
mod lines;
mod site;
mod types;
mod windows;
