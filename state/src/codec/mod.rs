//! Records to bytes and back. The only module that knows bincode.
//!
//! A payload is the bincode 2 form (`standard` configuration) of a type in a frozen module, [`v1`]; the frame says which module.
//! A changed record gets a module of its own; the old ones stay, and golden files hold them to it.

mod v1;

use proto::{Image, LayoutId, Record};
use thiserror::Error;

/// Bytes that no record has.
#[derive(Debug, Error)]
pub enum CodecError {
    /// A record that cannot be written.
    #[error("the record cannot be encoded")]
    Encode(#[from] bincode::error::EncodeError),
    /// Not a record of this format.
    #[error("the payload is no record")]
    Decode(#[from] bincode::error::DecodeError),
    /// A record, and then something else.
    #[error("{bytes} bytes follow the record")]
    Trailing {
        /// How many.
        bytes: usize,
    },
}

/// The payload of one record.
pub(crate) fn encode(record: &Record) -> Result<Vec<u8>, CodecError> {
    encode_v1(&v1::Record::from(record))
}

/// The payload of a record of rows, without owning the rows.
pub(crate) fn encode_rows(layout: LayoutId, images: &[Image], chunk: bool) -> Result<Vec<u8>, CodecError> {
    encode_v1(&v1::Record::rows(layout, images, chunk))
}

fn encode_v1(record: &v1::Record<'_>) -> Result<Vec<u8>, CodecError> {
    Ok(bincode::serde::encode_to_vec(record, bincode::config::standard())?)
}

/// The record of a payload of format 1.
pub(crate) fn decode(payload: &[u8]) -> Result<Record, CodecError> {
    let (record, length) =
        bincode::serde::decode_from_slice::<v1::Record<'static>, _>(payload, bincode::config::standard())?;
    if length != payload.len() {
        return Err(CodecError::Trailing { bytes: payload.len() - length });
    }
    Ok(record.into())
}
