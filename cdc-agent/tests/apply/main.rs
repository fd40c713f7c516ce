//! The target against a real PostgreSQL: runs are made here, without a source or a journal.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod fence;
mod fixture;
mod line;
mod load;
mod migrations;
mod model;
mod plans;
mod quarantine;
mod random;
mod values;
mod zones;
