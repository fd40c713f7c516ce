//! Types: which converts to which, and every type's extremes and NULLs through tables, casts and parameters.

mod conversions;
mod extremes;
