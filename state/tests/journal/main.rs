//! The journal against its promises, on real files.

mod crash;
mod damage;
mod durability;
mod model;
mod sample;
