//! A small SQL Server for tests: TDS 7.4 on a real socket or an in-memory duplex, an in-memory engine, Change
//! Tracking. What it does not support is an error that names the construct.

pub mod catalog;
pub mod engine;
pub mod exec;
pub mod faults;
pub mod parser;
pub mod script;
pub mod server;
pub mod session;
pub mod types;
pub mod wire;
