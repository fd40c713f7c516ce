//! TDS 7.4 as bytes: packets, messages, tokens and the wire form of values. Nothing here knows SQL.

pub mod value;
