//! The commands of an operator. Each prints what was asked for to stdout and talks to stderr.

pub mod check;
pub mod comparison;
pub mod control;
pub mod plan;
pub mod quarantine;
pub mod run;
pub mod status;
