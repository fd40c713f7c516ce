//! Captures changes from SQL Server and applies them to PostgreSQL together with the daily figures that they move.
//!
//! A changed row travels one way, with two durable points:
//!
//! ```text
//! source ── poll ──> journal (run, end mark, fsync) ── apply ──> one PostgreSQL transaction ──> trim
//! ```

pub mod apply;
pub mod capture;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod errors;
pub mod metrics_catalogue;
pub mod retry;
pub mod source;
pub mod stream;
pub mod telemetry;
pub mod tls;
pub mod verify;
