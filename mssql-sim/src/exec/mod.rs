//! Execution of statements: expressions, queries, writes, definitions.

pub mod context;
pub mod conversion;
pub mod ddl;
pub mod decimal;
pub mod dml;
pub mod expression;
pub(crate) mod functions;
mod messages;
pub mod query;
#[cfg(test)]
mod testing;
