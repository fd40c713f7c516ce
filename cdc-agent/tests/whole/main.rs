//! The whole path, as in production: the agent's own program between a SQL Server (the double, on a real socket) and a real
//! PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_input;
mod bounds;
mod history;
mod killed;
mod lines;
mod loads;
mod one_cut;
mod operator;
mod proxy;
mod real_data;
mod restored;
mod site;
mod verification;
mod workload;
