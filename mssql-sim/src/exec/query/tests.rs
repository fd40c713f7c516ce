//! Queries over real tables.
