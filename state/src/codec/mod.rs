//! Records to bytes and back. The only module that knows bincode.
//!
//! A payload is the bincode 2 form (`standard` configuration) of a type in a frozen module, [`v1`]; the frame says which module.
//! A changed record gets a module of its own; the old ones stay, and golden files hold them to it.

mod v1;

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use proto::{Image, LayoutId, Record};
use thiserror::Error;

/// Bytes of the largest record. What is written without a limit could claim, once damaged, more memory than there is.
const MAX_RECORD: usize = 512 << 20;

const FORM: Configuration<LittleEndian, Varint, Limit<MAX_RECORD>> =
    bincode::config::standard().with_limit::<MAX_RECORD>();

/// Bytes that no record has.
#[derive(Debug, Error)]
pub enum CodecError {
    /// A record that cannot be written.
    #[error("the record cannot be encoded")]
    Encode(#[from] bincode::error::EncodeError),
    /// A record that would be refused when it is read again.
    #[error("the record has {bytes} bytes, more than {MAX_RECORD}")]
    TooLarge {
        /// How many.
        bytes: usize,
    },
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
    let payload = bincode::serde::encode_to_vec(record, FORM)?;
    if payload.len() > MAX_RECORD {
        return Err(CodecError::TooLarge { bytes: payload.len() });
    }
    Ok(payload)
}

/// The record of a payload of format 1.
pub(crate) fn decode(payload: &[u8]) -> Result<Record, CodecError> {
    let (record, length) = bincode::serde::decode_from_slice::<v1::Record<'static>, _>(payload, FORM)?;
    if length != payload.len() {
        return Err(CodecError::Trailing { bytes: payload.len() - length });
    }
    Ok(record.into())
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use crate::frame::{self, Kind, Label};
    use proto::{
        Column, ColumnType, Condition, Decimal, Fold, Image, Incarnation, Key, Layout, LayoutId, LoadKind,
        LoadMark, Record, Row, RunEnd, RunId, RunStart, SourceMoment, SourceTable, TableMark, Value, Version,
    };
    use uuid::Uuid;

    /// One frame a line, in hexadecimal. Written once: a change here is a change of the format.
    const GOLDEN: &str = include_str!("golden_v1.txt");

    const RUN: RunId = RunId(Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10));

    fn incarnation() -> Incarnation {
        Incarnation { object_id: -5, begin_version: Version(0), side_table: Some("ct_5 ñ".to_owned()) }
    }

    fn layout() -> Layout {
        let types = [
            ColumnType::Bool,
            ColumnType::Int2,
            ColumnType::Int4,
            ColumnType::Int8,
            ColumnType::Float4,
            ColumnType::Float8,
            ColumnType::Numeric { precision: 38, scale: 4 },
            ColumnType::Text,
            ColumnType::Bytes,
            ColumnType::Date,
            ColumnType::Time,
            ColumnType::Timestamp,
            ColumnType::TimestampTz,
            ColumnType::Uuid,
        ];
        let column = |(position, column_type)| Column {
            source: format!("Column {position}"),
            target: format!("column_{position}"),
            column_type,
            nullable: position % 2 == 0,
            twin: (position == 7).then_some(Fold { case: true, accents: false, width: true }),
        };
        Layout {
            source: SourceTable { schema: "wms".to_owned(), table: "Órdenes".to_owned() },
            target: "ordenes".to_owned(),
            columns: types.into_iter().enumerate().map(column).collect(),
            key: vec![3, 7],
        }
    }

    fn values() -> Vec<Value> {
        vec![
            Value::Null,
            Value::Bool(true),
            Value::Int(i64::MIN),
            Value::Float4(-1.5),
            Value::Float8(1e300),
            Value::Decimal(Decimal { unscaled: i128::MIN + 1, scale: 38 }),
            Value::Text("Bayamón ␀".to_owned()),
            Value::Bytes(vec![0, 255, 127]),
            Value::Date(-719_162),
            Value::Time(86_399_999_999),
            Value::Timestamp(-1),
            Value::TimestampTz(1_795_000_000_000_000),
            Value::Uuid([0xab; 16]),
        ]
    }

    fn load(kind: LoadKind) -> Record {
        Record::LoadBegin(LoadMark {
            table: "t".to_owned(),
            kind,
            base: Version(i64::MAX),
            incarnation: incarnation(),
            reason: "why".to_owned(),
        })
    }

    fn leave(condition: Condition) -> Record {
        Record::Leave { table: "t".to_owned(), condition, reason: "history lost".to_owned() }
    }

    /// One record of every kind, with every variant of every part.
    fn records() -> Vec<Record> {
        let table = || "t".to_owned();
        let images = vec![Image::Present(Row(values())), Image::Absent(Key(vec![Value::Int(300)]))];
        vec![
            Record::Start(RunStart { sequence: 1, id: RUN, predecessor: None }),
            Record::Start(RunStart { sequence: u64::MAX, id: RUN, predecessor: Some(RUN) }),
            Record::Layout(layout()),
            leave(Condition::Paused),
            leave(Condition::Suspect),
            leave(Condition::CatchingUp),
            leave(Condition::Resyncing),
            leave(Condition::Blind),
            leave(Condition::Degraded),
            load(LoadKind::First),
            load(LoadKind::Resync),
            load(LoadKind::Window),
            Record::Rows { layout: LayoutId(0x1122_3344_5566_7788), images, chunk: true },
            Record::LoadProgress { table: table(), resume: "{\"after\":[1]}".to_owned(), rows: 70_000 },
            Record::LoadScanned { table: table(), rows: 5_000_000_000 },
            Record::LoadEnd { table: table(), sweep: true },
            Record::End(Box::new(RunEnd {
                id: RUN,
                to: Version(7),
                hi: Version(9),
                hi_identity: Some("0x00c0ffee".to_owned()),
                moment: SourceMoment { source_clock: -3, agent_clock: 4 },
                tables: vec![TableMark { table: table(), incarnation: incarnation() }],
                record_count: 12,
                image_count: 2,
            })),
            load(LoadKind::Verify),
            load(LoadKind::Repair),
        ]
    }

    fn label(record: &Record) -> Label {
        let (kind, layout) = match record {
            Record::Start(_) => (Kind::Start, LayoutId(0)),
            Record::End(_) => (Kind::End, LayoutId(0)),
            Record::Rows { layout, .. } => (Kind::Entry, *layout),
            _ => (Kind::Entry, LayoutId(0)),
        };
        Label { kind, run: RUN, layout }
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn format_1_is_written_and_read_as_it_always_was() {
        let records = records();
        assert_eq!(GOLDEN.lines().count(), records.len());
        for (number, (line, record)) in (0_u64..).zip(GOLDEN.lines().zip(records)) {
            let golden = bytes(line);
            let frames = frame::encode(label(&record), number, &encode(&record).unwrap());
            assert_eq!(hex(&frames.concat()), line, "line {}: {record:?}", number + 1);
            let frame = frame::decode(&golden, number, true).unwrap();
            assert_eq!(frame.label, label(&record));
            assert_eq!(decode(frame.payload).unwrap(), record);
        }
    }

    #[test]
    fn every_flipped_bit_of_a_frame_is_found() {
        let record = &records()[12];
        let golden = frame::encode(label(record), 12, &encode(record).unwrap()).concat();
        let mut wrong_without_checksum = 0;
        for bit in 0..golden.len() * 8 {
            let mut flipped = golden.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(frame::decode(&flipped, 12, true).is_err(), "bit {bit}");
            let believed =
                frame::decode(&flipped, 12, false).ok().and_then(|frame| decode(frame.payload).ok());
            wrong_without_checksum += usize::from(believed.is_some_and(|believed| believed != *record));
        }
        assert!(wrong_without_checksum > 100, "{wrong_without_checksum}");
    }
}
