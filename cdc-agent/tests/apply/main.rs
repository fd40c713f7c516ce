//! The target against a real PostgreSQL: runs are made here, without a source or a journal.

mod fixture;
mod model;
mod random;
mod values;
