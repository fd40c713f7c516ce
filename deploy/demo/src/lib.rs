//! The parts of a warehouse on one machine, for the demo and for tests.

pub mod postgres;
