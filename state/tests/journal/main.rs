//! The journal against its promises, on real files.

#![allow(clippy::unwrap_used)]

mod crash;
mod damage;
mod durability;
mod model;
mod sample;
