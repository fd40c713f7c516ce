//! Frames: what lies under one key of the queue.
//!
//! ```text
//!  0  magic    2  "cj"
//!  2  format   1  version of the payload's codec
//!  3  kind     1  1 start, 2 entry, 3 end; +128: the payload goes on in the next frame
//!  4  number   8  the record number, equal to the key
//! 12  run     16  id of the run
//! 28  layout   8  layout of the rows, 0 for other entries
//! 36  length   4  of the payload in this frame
//! 40  payload
//!     crc32c   4  over everything before it
//! ```
//!
//! Integers are big-endian. The run's id stands in every frame because numbers are used again after an unfinished run: a frame
//! of that run that comes back from the dead must not pass for one of its successor.

use proto::{LayoutId, RunId};
use thiserror::Error;
use uuid::Uuid;

/// The codec that writes today's payloads.
pub(crate) const FORMAT: u8 = 1;

/// Payload bytes per frame. A page of sled holds up to 17 values and must stay below a quarter of a segment.
pub(crate) const MAX_PAYLOAD: usize = 64 << 10;

const MAGIC: [u8; 2] = *b"cj";
const HEADER: usize = 40;
const TRAILER: usize = 4;
const CONTINUES: u8 = 0x80;

/// Place of a frame's record in its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Start,
    Entry,
    End,
}

/// What every frame of one record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) kind: Kind,
    pub(crate) run: RunId,
    pub(crate) layout: LayoutId,
}

/// A frame that passed every check.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) label: Label,
    pub(crate) continues: bool,
    pub(crate) payload: &'a [u8],
}

/// Why bytes are not the frame that their key promises.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FrameError {
    /// Shorter than a frame, or its length field disagrees with its size.
    #[error("{bytes} bytes are no frame")]
    Length {
        /// Bytes found.
        bytes: usize,
    },
    /// The checksum over the frame is another one.
    #[error("the checksum does not match")]
    Checksum,
    /// Not written by this program.
    #[error("the magic bytes are missing")]
    Magic,
    /// Written by a later program.
    #[error("format {found} is not known to this version, which knows {FORMAT}")]
    Format {
        /// Format byte found.
        found: u8,
    },
    /// The kind byte means nothing.
    #[error("kind {found} does not exist")]
    Kind {
        /// Kind byte found.
        found: u8,
    },
    /// A valid frame under the wrong key.
    #[error("it says that it is number {found}")]
    Number {
        /// Number in the frame.
        found: u64,
    },
}

/// The frames of one record, in order, the first under `first_number`.
pub(crate) fn encode(label: Label, first_number: u64, payload: &[u8]) -> Vec<Vec<u8>> {
    let pieces = payload.chunks(MAX_PAYLOAD);
    let count = pieces.len();
    let numbers = first_number..;
    pieces
        .zip(numbers)
        .enumerate()
        .map(|(position, (piece, number))| encode_one(label, number, piece, position + 1 < count))
        .collect()
}

fn encode_one(label: Label, number: u64, payload: &[u8], continues: bool) -> Vec<u8> {
    let kind = match label.kind {
        Kind::Start => 1,
        Kind::Entry => 2,
        Kind::End => 3,
    };
    let length = u32::try_from(payload.len()).expect("a piece is at most MAX_PAYLOAD long");
    let mut bytes = Vec::with_capacity(HEADER + payload.len() + TRAILER);
    bytes.extend_from_slice(&MAGIC);
    bytes.push(FORMAT);
    bytes.push(if continues { kind | CONTINUES } else { kind });
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.extend_from_slice(label.run.0.as_bytes());
    bytes.extend_from_slice(&label.layout.0.to_be_bytes());
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_be_bytes());
    bytes
}

/// Reads the frame that must be `number`. `checksum` is false only in tests that show what the checksum is for.
pub(crate) fn decode(bytes: &[u8], number: u64, checksum: bool) -> Result<Frame<'_>, FrameError> {
    let short = FrameError::Length { bytes: bytes.len() };
    let body_length =
        bytes.len().checked_sub(TRAILER).filter(|length| *length >= HEADER).ok_or(short.clone())?;
    let (body, trailer) = bytes.split_at(body_length);
    if checksum && crc32c::crc32c(body).to_be_bytes() != *trailer {
        return Err(FrameError::Checksum);
    }
    let (header, payload) = body.split_at(HEADER);
    if header[0..2] != MAGIC {
        return Err(FrameError::Magic);
    }
    if header[2] != FORMAT {
        return Err(FrameError::Format { found: header[2] });
    }
    if long(&header[4..12]) != number {
        return Err(FrameError::Number { found: long(&header[4..12]) });
    }
    if long(&header[36..40]) != payload.len() as u64 {
        return Err(short);
    }
    let kind = match header[3] & !CONTINUES {
        1 => Kind::Start,
        2 => Kind::Entry,
        3 => Kind::End,
        found => return Err(FrameError::Kind { found }),
    };
    let run = RunId(Uuid::from_slice(&header[12..28]).expect("16 bytes are a UUID"));
    let label = Label { kind, run, layout: LayoutId(long(&header[28..36])) };
    Ok(Frame { label, continues: header[3] & CONTINUES != 0, payload })
}

/// A big-endian integer of up to 8 bytes.
fn long(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}
