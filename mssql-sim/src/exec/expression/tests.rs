//! Types and values of expressions.
