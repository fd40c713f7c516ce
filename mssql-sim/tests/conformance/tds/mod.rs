//! A client of TDS 7.4 that hides nothing: every token of a reply, with its flags, in order.
//!
//! It is written from MS-TDS and knows nothing of the server's own encoder, so that a fault in one does not cancel out
//! a fault in the other. A reply is read whole, then taken apart.

mod answer;
mod connection;
mod login;
mod reader;
mod request;
mod token;
mod type_info;
mod value;

pub(crate) use answer::Answer;
pub(crate) use connection::Session;
pub(crate) use login::Login;
pub(crate) use request::{Argument, Parameter, TransactionRequest};
