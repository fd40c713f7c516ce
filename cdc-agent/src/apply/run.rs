//! Applying one run.

use super::batch::{MAX_BYTES, MAX_IMAGES, Moved, Scope, Treatment};
use super::encode::Cell;
use super::error::{Doing, TargetError};
use super::figures;
use super::load::Marks;
use super::prepare::as_json;
use super::quarantine::Quarantine;
use super::session::{Session, TRANSACTION_SETTINGS, WHOLE_TABLE_SETTINGS, Writer};
use super::stream::{StreamRow, json};
use super::table::TargetTable;
use super::{Applier, Plan, Settings};
use crate::clock;
use proto::{Condition, Image, LayoutId, LoadKind, LoadMark, Record, RunEnd, RunStart, Value};
use std::collections::BTreeMap;
use std::error::Error;
use std::mem;
use tokio_postgres::Transaction;

/// A run as the journal hands it out: only ended runs, records in order.
#[derive(Debug)]
pub struct Run<I> {
    /// Its first entry.
    pub start: RunStart,
    /// Its last entry.
    pub end: RunEnd,
    /// What is between them; first and last entry may be among them.
    pub records: I,
}

/// What became of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is applied now.
    Applied(Applied),
    /// It was applied before.
    AlreadyThere,
}

/// What an applied run moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The stream's revision after it.
    pub revision: u64,
    /// Images in the run.
    pub images: u64,
    /// Rows inserted or changed.
    pub written: u64,
    /// Rows deleted.
    pub deleted: u64,
    /// Keys put into quarantine.
    pub quarantined: u64,
}

/// What the stream row says about a run.
enum Decision {
    Apply,
    AlreadyThere,
}

impl Applier {
    /// Applies a run in one transaction, or finds that it is there already.
    ///
    /// # Errors
    /// [`TargetError::Fenced`] and [`TargetError::Gap`] when the stream row refuses the run; any error leaves the target as it was,
    /// but for [`TargetError::CommitUnknown`]: reconnect and apply the same run again.
    pub async fn apply<I, E>(&mut self, run: Run<I>) -> Result<Outcome, TargetError>
    where
        I: Iterator<Item = Result<Record, E>>,
        E: Error + Send + Sync + 'static,
    {
        #[cfg(feature = "test-switches")]
        let unchecked = self.sequence_unchecked;
        #[cfg(not(feature = "test-switches"))]
        let unchecked = false;
        let Self { settings, connection, epoch, plan, session, .. } = self;
        let source = settings.zoning.source.as_str();
        let not_taken_over = || TargetError::NotTakenOver { source_name: source.to_owned() };
        let (Some(epoch), Some(session)) = (*epoch, session.as_ref()) else { return Err(not_taken_over()) };
        let transaction = connection.client.transaction().await.doing("beginning a transaction")?;
        transaction.batch_execute(TRANSACTION_SETTINGS).await.doing("beginning a transaction")?;
        let row = StreamRow::locked(&transaction, source).await?.ok_or_else(not_taken_over)?;
        if row.epoch != Some(epoch) {
            return Err(TargetError::Fenced { source_name: source.to_owned() });
        }
        if !unchecked && matches!(decide(&row, &run.start)?, Decision::AlreadyThere) {
            return Ok(Outcome::AlreadyThere);
        }
        let context = Context { transaction: &transaction, settings, plan, session };
        let applied = Work::new(context, &run).await?.apply(run).await?;
        transaction.commit().await.map_err(TargetError::CommitUnknown)?;
        Ok(Outcome::Applied(applied))
    }
}

/// The sequence alone orders; the chain of ids tells two runs of one number apart.
fn decide(row: &StreamRow, start: &RunStart) -> Result<Decision, TargetError> {
    let there = start.sequence < row.applied_sequence
        || (start.sequence == row.applied_sequence && row.last_run == Some(start.id));
    if there {
        return Ok(Decision::AlreadyThere);
    }
    if start.sequence == row.applied_sequence + 1 && start.predecessor == row.last_run {
        return Ok(Decision::Apply);
    }
    Err(TargetError::Gap {
        sequence: start.sequence,
        predecessor: start.predecessor,
        applied: row.applied_sequence,
        applied_run: row.last_run,
    })
}

/// Tables that a load under way compares.
async fn compared_tables(
    transaction: &Transaction<'_>,
    source: &str,
) -> Result<BTreeMap<String, LoadKind>, TargetError> {
    let sql = "select name, load::text from cdc.table_state where source = $1 and load is not null";
    let rows = transaction.query(sql, &[&source]).await.doing("reading the loads under way")?;
    let mut compared = BTreeMap::new();
    for row in &rows {
        let mark: LoadMark = json(row.get(1), "the mark of a load")?;
        if mark.kind.compares() {
            compared.insert(row.get(0), mark.kind);
        }
    }
    Ok(compared)
}

#[derive(Clone, Copy)]
struct Context<'a> {
    transaction: &'a Transaction<'a>,
    settings: &'a Settings,
    plan: &'a Plan,
    session: &'a Session,
}

/// The transaction of one run.
struct Work<'a> {
    context: Context<'a>,
    scope: Scope<'a>,
    marks: Marks<'a, Transaction<'a>>,
    quarantine: Quarantine,
    /// Tables whose load compares, by what is done about differences.
    compared: BTreeMap<String, LoadKind>,
    /// Tables by the layouts that the run has explained.
    layouts: BTreeMap<LayoutId, &'a Writer>,
    batch: Batch<'a>,
    moved: Moved,
    images: u64,
    zones_touched: bool,
}

/// Images that are not written yet.
#[derive(Default)]
struct Batch<'a> {
    writer: Option<&'a Writer>,
    chunk: bool,
    images: Vec<Image>,
    bytes: usize,
}

impl<'a> Work<'a> {
    async fn new<I>(context: Context<'a>, run: &Run<I>) -> Result<Self, TargetError> {
        let source = context.settings.zoning.source.as_str();
        let sequence = run.start.sequence.cast_signed();
        let as_of = Value::TimestampTz(run.end.moment.source_clock);
        Ok(Self {
            context,
            scope: Scope { transaction: context.transaction, source, sequence, as_of },
            marks: Marks { client: context.transaction, source, sequence, to: run.end.to },
            compared: compared_tables(context.transaction, source).await?,
            quarantine: Quarantine::read(context.transaction, source).await?,
            layouts: BTreeMap::new(),
            batch: Batch::default(),
            moved: Moved::default(),
            images: 0,
            zones_touched: false,
        })
    }

    async fn apply<I, E>(mut self, run: Run<I>) -> Result<Applied, TargetError>
    where
        I: Iterator<Item = Result<Record, E>>,
        E: Error + Send + Sync + 'static,
    {
        for record in run.records {
            self.take(record.map_err(|error| TargetError::Journal(Box::new(error)))?).await?;
        }
        self.flush().await?;
        if self.images != run.end.image_count {
            let (sequence, found, expected) = (run.start.sequence, self.images, run.end.image_count);
            return Err(TargetError::Torn { sequence, found, expected });
        }
        if self.zones_touched {
            self.follow_zones().await?;
        }
        let revision = self.advance(&run.start, &run.end).await?;
        let Moved { written, deleted, quarantined } = self.moved;
        Ok(Applied { revision, images: self.images, written, deleted, quarantined })
    }

    async fn take(&mut self, record: Record) -> Result<(), TargetError> {
        match record {
            Record::Start(_) | Record::End(_) => Ok(()),
            Record::Layout(layout) => {
                let writer = self.context.session.writers.get(&layout.target);
                let id = layout.id();
                let writer = writer.filter(|writer| writer.table.id == id).ok_or_else(|| {
                    TargetError::UnknownLayout { table: Some(layout.target.clone()), layout: id }
                })?;
                self.layouts.insert(id, writer);
                Ok(())
            }
            Record::Rows { layout, images, chunk } => self.rows(layout, images, chunk).await,
            // Marks take effect at their place in the order, so what stands before them is written first.
            mark => {
                self.flush().await?;
                self.mark(mark).await
            }
        }
    }

    async fn mark(&mut self, mark: Record) -> Result<(), TargetError> {
        match mark {
            Record::Leave { table, condition, reason } => {
                self.compared.remove(&table);
                self.marks.leave(&table, condition, &reason).await
            }
            Record::LoadBegin(mark) => {
                self.compared.remove(&mark.table);
                if mark.kind.compares() {
                    self.compared.insert(mark.table.clone(), mark.kind);
                }
                self.marks.begin(&self.writer(&mark.table)?.table, &mark).await
            }
            Record::LoadProgress { table, resume, rows } => self.marks.progress(&table, &resume, rows).await,
            Record::LoadScanned { table, rows } => self.marks.scanned(&table, rows).await,
            Record::LoadEnd { table, sweep } => {
                let writer = self.writer(&table)?;
                let compared = self.compared.remove(&table);
                if sweep {
                    let swept = self.scope.sweep(writer, Treatment::of_load(compared)).await?;
                    self.moved.deleted += swept.deleted;
                    self.note_zones(&table);
                }
                // A comparison leaves keys in quarantine where they are.
                if sweep && compared.is_none() {
                    self.quarantine.sweep(self.context.transaction, self.scope.source, &table).await?;
                }
                if compared.is_some() {
                    self.marks.verified(&table).await?;
                }
                if compared == Some(LoadKind::Repair) && self.marks.has_differences(&table).await? {
                    // Nobody knows whether the figures had followed the rows that were wrong.
                    self.rebuild(|used| used == table).await?;
                }
                self.marks.end(&writer.table).await
            }
            Record::Start(_) | Record::Layout(_) | Record::Rows { .. } | Record::End(_) => Ok(()),
        }
    }

    async fn rows(&mut self, layout: LayoutId, images: Vec<Image>, chunk: bool) -> Result<(), TargetError> {
        let writer = *self.layouts.get(&layout).ok_or(TargetError::UnknownLayout { table: None, layout })?;
        let same = self.batch.chunk == chunk
            && self.batch.writer.is_some_and(|current| current.table.id == writer.table.id);
        if !same {
            self.flush().await?;
            self.batch = Batch { writer: Some(writer), chunk, ..Batch::default() };
        }
        self.note_zones(&writer.table.layout.target);
        self.images += images.len() as u64;
        for image in images {
            self.batch.bytes += image.size();
            self.batch.images.push(image);
            if self.batch.images.len() >= MAX_IMAGES || self.batch.bytes >= MAX_BYTES {
                self.flush().await?;
            }
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), TargetError> {
        let images = mem::take(&mut self.batch.images);
        self.batch.bytes = 0;
        let Some(writer) = self.batch.writer.filter(|_| !images.is_empty()) else { return Ok(()) };
        let treatment = match self.batch.chunk {
            false => Treatment::Write,
            true => Treatment::of_load(self.compared.get(&writer.table.layout.target).copied()),
        };
        let moved = self.scope.write(writer, &images, treatment, &mut self.quarantine).await?;
        self.moved.written += moved.written;
        self.moved.deleted += moved.deleted;
        self.moved.quarantined += moved.quarantined;
        Ok(())
    }

    fn writer(&self, table: &str) -> Result<&'a Writer, TargetError> {
        let unknown = || TargetError::UnknownTable { table: table.to_owned() };
        self.context.session.writers.get(table).ok_or_else(unknown)
    }

    fn note_zones(&mut self, table: &str) {
        let zones = self.context.settings.zoning.zones.as_ref();
        self.zones_touched |= zones.is_some_and(|zones| zones.table == table);
    }

    /// Copies moved zones and, where a stored day depends on them, computes the days and the figures over them again.
    async fn follow_zones(&self) -> Result<(), TargetError> {
        let Context { transaction, settings, plan, .. } = self.context;
        let zoning = &settings.zoning;
        let Some(zones) = &zoning.zones else { return Ok(()) };
        let moved = figures::refresh_zones(transaction, zoning, &self.writer(&zones.table)?.table).await?;
        let restamped: Vec<_> =
            plan.tables.iter().filter(|table| table.days.iter().any(|day| day.is_zoned())).collect();
        if !moved || restamped.is_empty() {
            return Ok(());
        }
        transaction.batch_execute(WHOLE_TABLE_SETTINGS).await.doing("following a zone")?;
        for table in &restamped {
            figures::restamp(transaction, table, |day| day.is_zoned()).await?;
        }
        self.rebuild(|used| restamped.iter().any(|table| table.layout.target == used)).await
    }

    /// Counts every figure over such tables again, from the rows as they are now.
    async fn rebuild(&self, over: impl Fn(&str) -> bool) -> Result<(), TargetError> {
        let doing = "counting figures again";
        let Context { transaction, plan, .. } = self.context;
        transaction.batch_execute(WHOLE_TABLE_SETTINGS).await.doing(doing)?;
        for metric in &plan.catalogue.metrics {
            let uses = |table: &&TargetTable| metric.contribution.uses(&table.layout.target);
            if plan.tables.iter().filter(uses).any(|table| over(&table.layout.target)) {
                figures::rebuild(transaction, self.scope.source, metric).await?;
                let sql = "delete from pg_temp.contribution where metric = $1";
                transaction.execute(sql, &[&metric.definition.name]).await.doing(doing)?;
            }
        }
        transaction.batch_execute(TRANSACTION_SETTINGS).await.doing(doing)
    }

    /// Figures, incarnations and the stream row, last. A paused table keeps the incarnation that it had: resuming it is judged by
    /// that.
    async fn advance(&self, start: &RunStart, end: &RunEnd) -> Result<u64, TargetError> {
        let doing = "moving the stream row";
        let Context { transaction, session, .. } = self.context;
        let source = self.scope.source;
        transaction.execute(&session.shared.add_contributions, &[&source]).await.doing("adding figures")?;
        transaction
            .execute(&session.shared.remove_empty, &[&source])
            .await
            .doing("removing empty figures")?;
        let tables: Vec<_> = end.tables.iter().map(|mark| mark.table.as_str()).collect();
        let incarnations = end.tables.iter().map(|mark| as_json(&mark.incarnation));
        let incarnations = incarnations.collect::<Result<Vec<_>, _>>()?;
        transaction
            .execute(
                "update cdc.table_state t set incarnation = m.incarnation::jsonb \
                 from unnest($2::text[], $3::text[]) as m (name, incarnation) \
                 where t.source = $1 and t.name = m.name and t.incarnation is distinct from m.incarnation::jsonb \
                 and not exists (select from cdc.table_condition c where c.source = $1 and c.name = t.name and c.condition = $4)",
                &[&source, &tables, &incarnations, &Condition::Paused.to_string()],
            )
            .await
            .doing(doing)?;
        let age = clock::now_micros().saturating_sub(end.moment.agent_clock).max(0);
        let row = transaction
            .query_one(
                &session.shared.advance,
                &[
                    &source,
                    &start.id.0,
                    &self.scope.sequence,
                    &end.to.0,
                    &end.hi.0,
                    &end.hi_identity,
                    &Cell::Value(&self.scope.as_of),
                    &age,
                ],
            )
            .await
            .doing(doing)?;
        Ok(row.get::<_, i64>(0).unsigned_abs())
    }
}
