//! What only the double can do: hold a commit, move the clock, go back in time, fail over, fail on command.

#[path = "../batch/mod.rs"]
mod batch;
mod cleanup;
#[path = "../client/mod.rs"]
mod client;
mod control;
mod faults;
mod gate;
mod restore;
