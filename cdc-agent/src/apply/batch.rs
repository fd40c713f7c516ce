//! A batch: images of one table, staged, compared and merged inside a savepoint.

use super::encode::Cell;
use super::error::{Doing, TargetError};
use super::quarantine::{self, Incident, Quarantine};
use super::session::{TRANSACTION_SETTINGS, WHOLE_TABLE_SETTINGS, Writer};
use super::table::TargetTable;
use futures::future::try_join_all;
use proto::{Image, LoadKind, Value};
use std::pin::pin;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Statement, Transaction};

/// Most images of one batch: staged tables larger than this make PostgreSQL plan for the worst.
pub(super) const MAX_IMAGES: usize = 10_000;

/// Most bytes of one batch; what the agent's memory is bounded by.
pub(super) const MAX_BYTES: usize = 8 << 20;

/// The transaction's part that batches need.
pub(super) struct Scope<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) source: &'a str,
    pub(super) sequence: i64,
    /// The source's clock at the cut.
    pub(super) as_of: Value,
}

/// What is done with the rows of a batch that differ from the target's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// They are written.
    Write,
    /// They are written, and their keys remembered as met by the load.
    Load,
    /// They are noted; with `repair` they are written too. Their keys are remembered as met by the load.
    Compare {
        /// Whether they are written.
        repair: bool,
    },
}

impl Treatment {
    /// That of a load's chunks; None for one that does not compare.
    pub(super) fn of_load(compared: Option<LoadKind>) -> Self {
        match compared {
            None => Self::Load,
            Some(kind) => Self::Compare { repair: kind == LoadKind::Repair },
        }
    }
}

/// Rows moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) written: u64,
    pub(super) deleted: u64,
    pub(super) quarantined: u64,
}

impl Scope<'_> {
    /// Applies the images in order. Those that PostgreSQL refuses are found by halving and put into quarantine.
    pub(super) async fn write(
        &self,
        writer: &Writer,
        images: &[Image],
        treatment: Treatment,
        quarantine: &mut Quarantine,
    ) -> Result<Moved, TargetError> {
        let mut moved = Moved::default();
        let mut parts = vec![images];
        while let Some(part) = parts.pop() {
            let begin = format!("savepoint part; {}", writer.clear);
            self.transaction.batch_execute(&begin).await.doing("beginning a batch")?;
            match self.merge(writer, part, treatment).await {
                Ok(merged) => {
                    self.transaction.batch_execute("release part").await.doing("ending a batch")?;
                    moved.written += merged.written;
                    moved.deleted += merged.deleted;
                    if treatment != (Treatment::Compare { repair: false }) {
                        quarantine.clear(self.transaction, self.source, &writer.table, part).await?;
                    }
                }
                Err(error) if quarantine::blames_a_row(&error) => {
                    let undo = "rollback to part; release part";
                    self.transaction.batch_execute(undo).await.doing("undoing a batch")?;
                    if let [image] = part {
                        self.put_aside(writer, image, &error, quarantine).await?;
                        if treatment != Treatment::Write {
                            self.meet(&writer.table, image).await?;
                        }
                        moved.quarantined += 1;
                    } else {
                        let (first, second) = part.split_at(part.len() / 2);
                        parts.extend([second, first]);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(moved)
    }

    async fn put_aside(
        &self,
        writer: &Writer,
        image: &Image,
        error: &TargetError,
        quarantine: &mut Quarantine,
    ) -> Result<(), TargetError> {
        let reason = quarantine::reason(error);
        let table = &writer.table;
        tracing::warn!(table = table.layout.target, error = reason, "a row was put into quarantine");
        let incident = Incident { source: self.source, sequence: self.sequence, reason };
        quarantine.put(self.transaction, table, image, &incident).await
    }

    /// The load has met the key though its image was refused: the row that the target has of it stays.
    async fn meet(&self, table: &TargetTable, image: &Image) -> Result<(), TargetError> {
        let key = quarantine::key_of(table, image);
        let cells = table.identity_cells(&key);
        let typed = cells.iter().zip(table.identity_types());
        let parameters: Vec<(&(dyn ToSql + Sync), _)> = typed.map(|(cell, of)| (cell as _, of)).collect();
        let met = self.transaction.query_typed(&table.meet(), &parameters).await;
        met.doing("remembering a refused key as met by a load").map(drop)
    }

    async fn merge(
        &self,
        writer: &Writer,
        images: &[Image],
        treatment: Treatment,
    ) -> Result<Moved, TargetError> {
        self.stage(writer, images).await?;
        if let Some(find_merged_keys) = &writer.find_merged_keys {
            let merged = self.transaction.query_opt(find_merged_keys, &[]).await.doing("comparing keys")?;
            if let Some(row) = merged {
                let table = writer.table.layout.target.clone();
                return Err(TargetError::FoldTooCoarse { table, first: row.get(0), second: row.get(1) });
            }
        }
        let moved = self.treat(writer, &writer.find_changes, treatment).await?;
        if treatment != Treatment::Write {
            self.transaction
                .execute(&writer.remember_met, &[])
                .await
                .doing("remembering keys met by a load")?;
        }
        Ok(moved)
    }

    /// Treats every row of the target that the load under way has not met as gone at the source.
    pub(super) async fn sweep(&self, writer: &Writer, treatment: Treatment) -> Result<Moved, TargetError> {
        let begin = format!("{}; {WHOLE_TABLE_SETTINGS}", writer.clear);
        self.transaction.batch_execute(&begin).await.doing("beginning a sweep")?;
        let moved = self.treat(writer, &writer.find_unmet, treatment).await?;
        self.transaction.batch_execute(TRANSACTION_SETTINGS).await.doing("ending a sweep")?;
        Ok(moved)
    }

    /// Finds what differs and does with it what the treatment says.
    async fn treat(
        &self,
        writer: &Writer,
        find: &Statement,
        treatment: Treatment,
    ) -> Result<Moved, TargetError> {
        let Treatment::Compare { repair } = treatment else { return self.replace(writer, Some(find)).await };
        let doing = "comparing a batch";
        let found = self.transaction.execute(find, &[]).await.doing(doing)?;
        if found == 0 {
            return Ok(Moved::default());
        }
        let parameters: [&(dyn ToSql + Sync); 3] = [&self.source, &self.sequence, &repair];
        self.transaction.execute(&writer.note_differences, &parameters).await.doing(doing)?;
        if repair { self.replace(writer, None).await } else { Ok(Moved::default()) }
    }

    async fn stage(&self, writer: &Writer, images: &[Image]) -> Result<(), TargetError> {
        let doing = "staging a batch";
        let sink = self.transaction.copy_in(&writer.copy).await.doing(doing)?;
        let mut copy = pin!(BinaryCopyInWriter::new(sink, &writer.stage_types));
        let mut cells = Vec::with_capacity(writer.stage_types.len());
        for (place, image) in (0..).zip(images) {
            cells.clear();
            cells.push(Cell::Int4(place));
            push_cells(&writer.table, image, &mut cells);
            copy.as_mut().write_raw(cells.iter()).await.doing(doing)?;
        }
        copy.finish().await.doing(doing)?;
        Ok(())
    }

    /// Makes the target's rows those of `change`, which `find` fills, with the figures before and after. All statements go to the
    /// server at once and are answered in order.
    async fn replace(&self, writer: &Writer, find: Option<&Statement>) -> Result<Moved, TargetError> {
        let as_of = Cell::Value(&self.as_of);
        let as_of: [&(dyn ToSql + Sync); 1] = [&as_of];
        let before: [&(dyn ToSql + Sync); 1] = [&-1_i64];
        let after: [&(dyn ToSql + Sync); 1] = [&1_i64];
        let mut steps: Vec<(&Statement, &[&(dyn ToSql + Sync)])> = Vec::new();
        steps.extend(find.map(|find| (find, [].as_slice())));
        steps.extend(writer.contributions.iter().map(|statement| (statement, before.as_slice())));
        let delete = steps.len();
        steps.push((&writer.delete, &[]));
        steps.push((&writer.upsert, &as_of));
        steps.extend(writer.contributions.iter().map(|statement| (statement, after.as_slice())));
        let sent =
            steps.iter().map(|(statement, parameters)| self.transaction.execute(*statement, parameters));
        let counts = try_join_all(sent).await.doing("merging a batch")?;
        Ok(Moved { written: counts[delete + 1], deleted: counts[delete], quarantined: 0 })
    }
}

/// `present`, the columns, the twins. A key's image has its key columns only.
fn push_cells<'a>(table: &'a TargetTable, image: &'a Image, cells: &mut Vec<Cell<'a>>) {
    let columns = &table.layout.columns;
    let first = cells.len() + 1;
    match image {
        Image::Present(row) => {
            cells.push(Cell::Bool(true));
            cells.extend(row.0.iter().map(Cell::Value));
        }
        Image::Absent(key) => {
            cells.push(Cell::Bool(false));
            cells.extend(columns.iter().map(|_| Cell::Null));
            for (&position, value) in table.layout.key.iter().zip(&key.0) {
                cells[first + position] = Cell::Value(value);
            }
        }
    }
    for (position, column) in columns.iter().enumerate() {
        let Some(fold) = column.twin else { continue };
        let twin = match cells[first + position] {
            Cell::Value(Value::Text(text)) => Cell::Text(fold.apply(text)),
            _ => Cell::Null,
        };
        cells.push(twin);
    }
}
