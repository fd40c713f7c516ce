//! What tests and the demo start beside us: programs that nobody here wrote, each private to whoever asked for it.

mod command;
pub mod node;
pub mod postgres;
pub mod python;
