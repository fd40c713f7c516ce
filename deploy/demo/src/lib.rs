//! The parts of a warehouse on one machine, for the demo and for tests.

pub mod client;
pub mod compare;
pub mod processes;
pub mod smoke;
pub mod warehouse;
#[macro_use]
pub mod wms;
