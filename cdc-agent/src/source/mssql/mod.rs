//! SQL Server through Change Tracking: reads only, and what is read is current.
//!
//! ```text
//! overview     version and clock, then every table's incarnation and oldest valid version: one query, before the snapshot exists
//! begin_cut    SNAPSHOT transaction; its instant is fixed by the first table that is read
//! moved        which tables have changes after their position
//! window       keys of CHANGETABLE LEFT JOIN the table: the row there is the image, no row there is a deletion
//! chunk        the next rows in the server's own key order
//! by_keys      the rows of given keys, or their absence
//! end_cut      commit; latest (version and its commit) and overview again follow
//! ```
//!
//! Invariants
//! - No upper version filter: under SNAPSHOT it would hide rows that changed between the version and the snapshot.
//! - Presence of the row decides, never the operation's letter, which some builds of the server get wrong.
//! - Keys are compared by the server alone. A key that is sent back is bound with its column's exact type, else `datetime` keys
//!   miss their rows and `varchar` keys lose their index.
//! - Session settings and transactions travel as plain batches: inside a parameterised call they end with the call.
//! - A [`Connection`] after an error, a timeout or a cancelled call is between two messages; it refuses all work and is dropped.
//!   The server then rolls the snapshot back; a cut that was under way is lost, never half taken.

mod answer;
mod catalog;
mod connection;
mod decode;
mod error;
mod findings;
mod ident;
mod key;
mod layout;
mod poll;
mod read;
mod sql;
mod sql_type;

pub use catalog::{Database, Description, KeyPart, Lookup, Retention, SourceColumn, Survey};
pub use connection::{Connection, Connector, Isolation};
pub use error::SourceError;
pub use findings::{Finding, Severity};
pub use layout::{CapturedTable, LayoutError};
pub use poll::{Latest, Overview, Standing};
pub use read::{Chunk, ImageReader};
pub use sql_type::{Length, SqlType};
