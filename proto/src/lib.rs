//! The vocabulary that crosses a process, disk or crate boundary: names, values, rows, versions, runs, metrics and
//! conditions. No I/O, no clock, no database.

mod change;
mod condition;
mod fold;
mod metric;
mod table;
mod value;
mod version;

pub use change::{
    Image, Incarnation, JournalId, LoadKind, LoadMark, Record, RunEnd, RunId, RunStart, SourceMoment,
    TableMark,
};
pub use condition::{Condition, Phase};
pub use fold::Fold;
pub use metric::{
    Comparison, Condition as FactCondition, Dimension, Measure, MetricDefinition, MetricKind, Operand, Side,
};
pub use table::{Column, ColumnType, Layout, LayoutId, SourceTable};
pub use value::{Decimal, Key, Row, Value};
pub use version::Version;
