//! The API over real sockets and a real PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod access;
mod api;
mod detail;
mod figures;
mod lifecycle;
mod pipeline;
mod stream;
#[path = "../warehouse/mod.rs"]
mod warehouse;

/// A moment at which it is 24 November in all of the warehouses' zones.
const NOON: &str = "2026-11-24T12:00:00Z";
