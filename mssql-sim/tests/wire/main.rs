//! The wire as clients meet it: TLS, packets, tokens, hostile bytes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../client/mod.rs"]
mod client;

mod attention;
mod bulk;
mod examples;
mod golden;
mod hostile;
mod packets;
mod raw;
mod tap;
mod tls;
mod transactions;
