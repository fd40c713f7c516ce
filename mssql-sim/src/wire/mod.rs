//! TDS 7.4 as bytes: packets, messages, tokens and the wire form of values. Nothing here knows SQL.
//!
//! Section numbers are those of MS-TDS. A client's bytes that do not follow it are a [`ProtocolError`], which ends
//! the connection; it is never guessed what they meant.

use std::io;
use std::time::Duration;

use crate::types::SqlType;

pub mod bulk;
pub mod login;
pub mod packet;
pub mod prelogin;
pub mod reader;
pub mod request;
pub mod rpc;
pub mod tls;
pub mod token;
pub mod type_info;
pub mod value;
mod variant;

/// What is wrong with an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentFault {
    /// A type of this token with such a length, precision or scale does not exist.
    #[error("a type {0:#04x} of such a length does not exist")]
    Type(u8),
    /// The value is none of the type.
    #[error("the value is none of {0:?}")]
    Value(SqlType),
}

/// Why a client's bytes were refused. The connection cannot go on, except after a refused request.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// The transport failed.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// A message ended inside a field.
    #[error("the message ends inside {field}")]
    Truncated {
        /// The field.
        field: &'static str,
    },
    /// A field holds what it may not hold.
    #[error("{field} holds {found}, which TDS does not allow there")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What was found.
        found: String,
    },
    /// The client is silent where it has to speak.
    #[error("the client does not log in within {} s", patience.as_secs())]
    Idle {
        /// How long it was waited for.
        patience: Duration,
    },
    /// An argument of a call that cannot be read; the call is refused and the connection goes on.
    #[error("argument {number} (\"{name}\"): {fault}")]
    Argument {
        /// Its place among the call's arguments, from 1.
        number: usize,
        /// Its name, empty when passed by position.
        name: String,
        /// What is wrong.
        fault: ArgumentFault,
    },
    /// A part of TDS that this double does not have. A request that asks for it can be refused by name.
    #[error("{0} is not supported by mssql-sim")]
    Unsupported(String),
}
