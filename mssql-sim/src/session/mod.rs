//! One connection's session: batches, procedure calls and transaction requests in, [`event::Event`]s out.

pub mod event;
