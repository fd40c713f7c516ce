//! What a SQL Server answers to what a client may ask, token by token.
//!
//! The suite only speaks TDS, through a client of its own that shares no code with the server. By default it asks a
//! server in this process; with `MSSQL_TEST_URL=mssql://user:password@host:port` it asks that server, in databases that
//! it makes and drops. Every expected value comes from documentation or from what a real server was seen to answer.

mod calls;
mod facts;
mod isolation;
mod numbers;
mod protocol;
mod random;
mod target;
mod tds;
mod tracking;
mod types;
