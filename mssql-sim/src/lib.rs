//! A small SQL Server for tests: TDS 7.4 on a real socket or an in-memory duplex, an in-memory engine, Change
//! Tracking. What it does not support is an error that names the construct.
//!
//! It is a model, written from Microsoft's documentation and from what real servers were seen to answer; it was never
//! compared with a real server side by side. Clients that nobody here wrote log in, run transactions, bind parameters
//! and read back what they wrote: tiberius, Microsoft's ODBC driver, FreeTDS, python-tds and tedious.
//!
//! [`server::Server`] is the way in, on a socket or in memory; [`faults::Faults`] makes it fail on command. Requests go
//! from [`wire`] to [`session`], which has them parsed ([`parser`]), executed ([`exec`]) over the [`engine`] and the
//! [`catalog`], and answers in [`session::event`]s that become tokens again.

pub mod catalog;
pub mod collation;
pub mod control;
pub mod counters;
pub mod engine;
pub mod exec;
pub mod faults;
pub mod operation;
pub mod parser;
pub mod script;
pub mod server;
pub mod session;
pub mod types;
pub mod wire;
