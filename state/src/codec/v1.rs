//! Format 1, frozen. The order of variants and fields is the format: nothing here may be reordered, renamed in place, added or
//! removed. Text and bytes are borrowed when written and owned when read.

use proto::{
    Column, ColumnType, Condition, Decimal, Fold, Image, Incarnation, Key, Layout, LayoutId, LoadKind,
    LoadMark, Row, RunEnd, RunId, RunStart, SourceMoment, SourceTable, TableMark, Value, Version,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use uuid::Uuid;

type Text<'a> = Cow<'a, str>;
type Id = [u8; 16];

#[derive(Serialize, Deserialize)]
pub(super) enum Record<'a> {
    Start(StartV1),
    Layout(LayoutV1<'a>),
    Leave { table: Text<'a>, condition: ConditionV1, reason: Text<'a> },
    LoadBegin(LoadMarkV1<'a>),
    Rows { layout: u64, images: Vec<ImageV1<'a>>, chunk: bool },
    LoadProgress { table: Text<'a>, resume: Text<'a>, rows: u64 },
    LoadScanned { table: Text<'a>, rows: u64 },
    LoadEnd { table: Text<'a>, sweep: bool },
    End(EndV1<'a>),
}

#[derive(Serialize, Deserialize)]
pub(super) struct StartV1 {
    sequence: u64,
    id: Id,
    predecessor: Option<Id>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct LayoutV1<'a> {
    source_schema: Text<'a>,
    source_table: Text<'a>,
    target: Text<'a>,
    columns: Vec<ColumnV1<'a>>,
    key: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ColumnV1<'a> {
    source: Text<'a>,
    target: Text<'a>,
    column_type: ColumnTypeV1,
    nullable: bool,
    twin: Option<FoldV1>,
}

#[derive(Serialize, Deserialize)]
pub(super) enum ColumnTypeV1 {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric { precision: u8, scale: u8 },
    Text,
    Bytes,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Uuid,
}

#[derive(Serialize, Deserialize)]
pub(super) struct FoldV1 {
    case: bool,
    accents: bool,
    width: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) enum ConditionV1 {
    Paused,
    Suspect,
    CatchingUp,
    Resyncing,
    Blind,
    Degraded,
}

#[derive(Serialize, Deserialize)]
pub(super) struct IncarnationV1<'a> {
    object_id: i32,
    begin_version: i64,
    side_table: Option<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
pub(super) enum LoadKindV1 {
    First,
    Resync,
    Window,
    Verify,
    Repair,
}

#[derive(Serialize, Deserialize)]
pub(super) struct LoadMarkV1<'a> {
    table: Text<'a>,
    kind: LoadKindV1,
    base: i64,
    incarnation: IncarnationV1<'a>,
    reason: Text<'a>,
}

#[derive(Serialize, Deserialize)]
pub(super) enum ImageV1<'a> {
    Present(Vec<ValueV1<'a>>),
    Absent(Vec<ValueV1<'a>>),
}

#[derive(Serialize, Deserialize)]
pub(super) enum ValueV1<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float4(f32),
    Float8(f64),
    Decimal { unscaled: i128, scale: u8 },
    Text(Text<'a>),
    Bytes(Cow<'a, [u8]>),
    Date(i32),
    Time(i64),
    Timestamp(i64),
    TimestampTz(i64),
    Uuid(Id),
}

#[derive(Serialize, Deserialize)]
pub(super) struct EndV1<'a> {
    id: Id,
    to: i64,
    hi: i64,
    hi_identity: Option<Text<'a>>,
    source_clock: i64,
    agent_clock: i64,
    tables: Vec<TableMarkV1<'a>>,
    record_count: u64,
    image_count: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct TableMarkV1<'a> {
    table: Text<'a>,
    incarnation: IncarnationV1<'a>,
}

fn borrowed(text: &str) -> Text<'_> {
    Cow::Borrowed(text)
}

fn run_id(id: Id) -> RunId {
    RunId(Uuid::from_bytes(id))
}

impl<'a> Record<'a> {
    pub(super) fn rows(layout: LayoutId, images: &'a [Image], chunk: bool) -> Self {
        Self::Rows { layout: layout.0, images: images.iter().map(ImageV1::from).collect(), chunk }
    }
}

impl<'a> From<&'a proto::Record> for Record<'a> {
    fn from(record: &'a proto::Record) -> Self {
        match record {
            proto::Record::Start(start) => Self::Start(start.into()),
            proto::Record::Layout(layout) => Self::Layout(layout.into()),
            proto::Record::Leave { table, condition, reason } => Self::Leave {
                table: borrowed(table),
                condition: (*condition).into(),
                reason: borrowed(reason),
            },
            proto::Record::LoadBegin(mark) => Self::LoadBegin(mark.into()),
            proto::Record::Rows { layout, images, chunk } => Self::rows(*layout, images, *chunk),
            proto::Record::LoadProgress { table, resume, rows } => {
                Self::LoadProgress { table: borrowed(table), resume: borrowed(resume), rows: *rows }
            }
            proto::Record::LoadScanned { table, rows } => {
                Self::LoadScanned { table: borrowed(table), rows: *rows }
            }
            proto::Record::LoadEnd { table, sweep } => {
                Self::LoadEnd { table: borrowed(table), sweep: *sweep }
            }
            proto::Record::End(end) => Self::End(end.as_ref().into()),
        }
    }
}

impl From<Record<'_>> for proto::Record {
    fn from(record: Record<'_>) -> Self {
        match record {
            Record::Start(start) => Self::Start(start.into()),
            Record::Layout(layout) => Self::Layout(layout.into()),
            Record::Leave { table, condition, reason } => Self::Leave {
                table: table.into_owned(),
                condition: condition.into(),
                reason: reason.into_owned(),
            },
            Record::LoadBegin(mark) => Self::LoadBegin(mark.into()),
            Record::Rows { layout, images, chunk } => Self::Rows {
                layout: LayoutId(layout),
                images: images.into_iter().map(Image::from).collect(),
                chunk,
            },
            Record::LoadProgress { table, resume, rows } => {
                Self::LoadProgress { table: table.into_owned(), resume: resume.into_owned(), rows }
            }
            Record::LoadScanned { table, rows } => Self::LoadScanned { table: table.into_owned(), rows },
            Record::LoadEnd { table, sweep } => Self::LoadEnd { table: table.into_owned(), sweep },
            Record::End(end) => Self::End(Box::new(end.into())),
        }
    }
}

impl From<&RunStart> for StartV1 {
    fn from(start: &RunStart) -> Self {
        Self {
            sequence: start.sequence,
            id: start.id.0.into_bytes(),
            predecessor: start.predecessor.map(|id| id.0.into_bytes()),
        }
    }
}

impl From<StartV1> for RunStart {
    fn from(start: StartV1) -> Self {
        Self { sequence: start.sequence, id: run_id(start.id), predecessor: start.predecessor.map(run_id) }
    }
}

impl<'a> From<&'a Layout> for LayoutV1<'a> {
    fn from(layout: &'a Layout) -> Self {
        let key =
            layout.key.iter().map(|position| u32::try_from(*position).expect("a table has 1024 columns"));
        Self {
            source_schema: borrowed(&layout.source.schema),
            source_table: borrowed(&layout.source.table),
            target: borrowed(&layout.target),
            columns: layout.columns.iter().map(ColumnV1::from).collect(),
            key: key.collect(),
        }
    }
}

impl From<LayoutV1<'_>> for Layout {
    fn from(layout: LayoutV1<'_>) -> Self {
        Self {
            source: SourceTable {
                schema: layout.source_schema.into_owned(),
                table: layout.source_table.into_owned(),
            },
            target: layout.target.into_owned(),
            columns: layout.columns.into_iter().map(Column::from).collect(),
            key: layout.key.into_iter().map(|position| position as usize).collect(),
        }
    }
}

impl<'a> From<&'a Column> for ColumnV1<'a> {
    fn from(column: &'a Column) -> Self {
        Self {
            source: borrowed(&column.source),
            target: borrowed(&column.target),
            column_type: column.column_type.into(),
            nullable: column.nullable,
            twin: column.twin.map(|fold| FoldV1 {
                case: fold.case,
                accents: fold.accents,
                width: fold.width,
            }),
        }
    }
}

impl From<ColumnV1<'_>> for Column {
    fn from(column: ColumnV1<'_>) -> Self {
        Self {
            source: column.source.into_owned(),
            target: column.target.into_owned(),
            column_type: column.column_type.into(),
            nullable: column.nullable,
            twin: column.twin.map(|fold| Fold { case: fold.case, accents: fold.accents, width: fold.width }),
        }
    }
}

/// Enums without data, or with the same data on both sides, in both directions.
macro_rules! mirrored {
    ($domain:ident, $frozen:ident, $($variant:ident $({ $($field:ident),+ })?),+ $(,)?) => {
        impl From<$domain> for $frozen {
            fn from(value: $domain) -> Self {
                match value { $($domain::$variant $({ $($field),+ })? => Self::$variant $({ $($field),+ })?),+ }
            }
        }
        impl From<$frozen> for $domain {
            fn from(value: $frozen) -> Self {
                match value { $($frozen::$variant $({ $($field),+ })? => Self::$variant $({ $($field),+ })?),+ }
            }
        }
    };
}

mirrored!(
    ColumnType,
    ColumnTypeV1,
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric { precision, scale },
    Text,
    Bytes,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Uuid,
);
mirrored!(Condition, ConditionV1, Paused, Suspect, CatchingUp, Resyncing, Blind, Degraded);
mirrored!(LoadKind, LoadKindV1, First, Resync, Window, Verify, Repair);

impl<'a> From<&'a Incarnation> for IncarnationV1<'a> {
    fn from(incarnation: &'a Incarnation) -> Self {
        Self {
            object_id: incarnation.object_id,
            begin_version: incarnation.begin_version.0,
            side_table: incarnation.side_table.as_deref().map(borrowed),
        }
    }
}

impl From<IncarnationV1<'_>> for Incarnation {
    fn from(incarnation: IncarnationV1<'_>) -> Self {
        Self {
            object_id: incarnation.object_id,
            begin_version: Version(incarnation.begin_version),
            side_table: incarnation.side_table.map(Cow::into_owned),
        }
    }
}

impl<'a> From<&'a LoadMark> for LoadMarkV1<'a> {
    fn from(mark: &'a LoadMark) -> Self {
        Self {
            table: borrowed(&mark.table),
            kind: mark.kind.into(),
            base: mark.base.0,
            incarnation: (&mark.incarnation).into(),
            reason: borrowed(&mark.reason),
        }
    }
}

impl From<LoadMarkV1<'_>> for LoadMark {
    fn from(mark: LoadMarkV1<'_>) -> Self {
        Self {
            table: mark.table.into_owned(),
            kind: mark.kind.into(),
            base: Version(mark.base),
            incarnation: mark.incarnation.into(),
            reason: mark.reason.into_owned(),
        }
    }
}

impl<'a> From<&'a Image> for ImageV1<'a> {
    fn from(image: &'a Image) -> Self {
        match image {
            Image::Present(row) => Self::Present(row.0.iter().map(ValueV1::from).collect()),
            Image::Absent(key) => Self::Absent(key.0.iter().map(ValueV1::from).collect()),
        }
    }
}

impl From<ImageV1<'_>> for Image {
    fn from(image: ImageV1<'_>) -> Self {
        match image {
            ImageV1::Present(values) => Self::Present(Row(values.into_iter().map(Value::from).collect())),
            ImageV1::Absent(values) => Self::Absent(Key(values.into_iter().map(Value::from).collect())),
        }
    }
}

impl<'a> From<&'a Value> for ValueV1<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(bit) => Self::Bool(*bit),
            Value::Int(number) => Self::Int(*number),
            Value::Float4(number) => Self::Float4(*number),
            Value::Float8(number) => Self::Float8(*number),
            Value::Decimal(Decimal { unscaled, scale }) => {
                Self::Decimal { unscaled: *unscaled, scale: *scale }
            }
            Value::Text(text) => Self::Text(borrowed(text)),
            Value::Bytes(bytes) => Self::Bytes(Cow::Borrowed(bytes)),
            Value::Date(days) => Self::Date(*days),
            Value::Time(micros) => Self::Time(*micros),
            Value::Timestamp(micros) => Self::Timestamp(*micros),
            Value::TimestampTz(micros) => Self::TimestampTz(*micros),
            Value::Uuid(bytes) => Self::Uuid(*bytes),
        }
    }
}

impl From<ValueV1<'_>> for Value {
    fn from(value: ValueV1<'_>) -> Self {
        match value {
            ValueV1::Null => Self::Null,
            ValueV1::Bool(bit) => Self::Bool(bit),
            ValueV1::Int(number) => Self::Int(number),
            ValueV1::Float4(number) => Self::Float4(number),
            ValueV1::Float8(number) => Self::Float8(number),
            ValueV1::Decimal { unscaled, scale } => Self::Decimal(Decimal { unscaled, scale }),
            ValueV1::Text(text) => Self::Text(text.into_owned()),
            ValueV1::Bytes(bytes) => Self::Bytes(bytes.into_owned()),
            ValueV1::Date(days) => Self::Date(days),
            ValueV1::Time(micros) => Self::Time(micros),
            ValueV1::Timestamp(micros) => Self::Timestamp(micros),
            ValueV1::TimestampTz(micros) => Self::TimestampTz(micros),
            ValueV1::Uuid(bytes) => Self::Uuid(bytes),
        }
    }
}

impl<'a> From<&'a RunEnd> for EndV1<'a> {
    fn from(end: &'a RunEnd) -> Self {
        let tables = end.tables.iter().map(|mark| TableMarkV1 {
            table: borrowed(&mark.table),
            incarnation: (&mark.incarnation).into(),
        });
        Self {
            id: end.id.0.into_bytes(),
            to: end.to.0,
            hi: end.hi.0,
            hi_identity: end.hi_identity.as_deref().map(borrowed),
            source_clock: end.moment.source_clock,
            agent_clock: end.moment.agent_clock,
            tables: tables.collect(),
            record_count: end.record_count,
            image_count: end.image_count,
        }
    }
}

impl From<EndV1<'_>> for RunEnd {
    fn from(end: EndV1<'_>) -> Self {
        let tables = end
            .tables
            .into_iter()
            .map(|mark| TableMark { table: mark.table.into_owned(), incarnation: mark.incarnation.into() });
        Self {
            id: run_id(end.id),
            to: Version(end.to),
            hi: Version(end.hi),
            hi_identity: end.hi_identity.map(Cow::into_owned),
            moment: SourceMoment { source_clock: end.source_clock, agent_clock: end.agent_clock },
            tables: tables.collect(),
            record_count: end.record_count,
            image_count: end.image_count,
        }
    }
}
