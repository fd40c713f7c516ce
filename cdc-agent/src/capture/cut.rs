//! Taking one cut.
//!
//! ```text
//! overview (to, standing of every table)        before the snapshot exists
//! SNAPSHOT transaction: moved? windows, chunks, re-reads      no upper version filter: the state is the snapshot's
//! latest (hi and who committed it)              after it, in one statement
//! overview again                                every table in step or loading must still stand as before
//! end mark, fsync                               only now did the cut happen
//! ```
//!
//! All of it on one connection. An error anywhere, or a lost connection, drops the cut: the run has no end mark, so nobody reads it,
//! and the position stays. What was read in (to, S] is read again by the next cut; that changes nothing.

use super::captured::{Captured, Stage};
use super::plan::{Plan, still_valid};
use super::{CaptureError, Limits};
use crate::source::{CapturedTable, Chunk, Connection, Overview};
use proto::{Image, Incarnation, Key, LayoutId, LoadKind, LoadMark, Record, RunEnd, TableMark, Version};
use state::RunWriter;
use std::collections::{BTreeMap, BTreeSet};

/// Everything one cut reads from and writes to.
pub(super) struct Cut<'a> {
    pub(super) connection: &'a mut Connection,
    pub(super) tables: &'a BTreeMap<String, CapturedTable>,
    pub(super) captured: &'a Captured,
    pub(super) limits: &'a Limits,
    /// Tables whose window did not fit the last cut.
    pub(super) too_large: &'a BTreeSet<String>,
    pub(super) run: Run,
}

/// The run being written, and the entries that move the captured state once it has ended.
pub(super) struct Run {
    writer: RunWriter,
    marks: Vec<Record>,
    layouts: BTreeSet<LayoutId>,
    images: u64,
    bytes: u64,
}

/// Keys of the target that a whole-table load has not met, to be read again at the source.
pub(super) struct Unmet {
    /// Table in the target.
    pub(super) table: String,
    /// One page of keys; empty when there are no more, which ends the load.
    pub(super) keys: Vec<Key>,
}

impl Run {
    pub(super) fn new(writer: RunWriter) -> Self {
        Self { writer, marks: Vec::new(), layouts: BTreeSet::new(), images: 0, bytes: 0 }
    }

    fn mark(&mut self, record: Record) -> Result<(), CaptureError> {
        self.writer.append(&record)?;
        self.marks.push(record);
        Ok(())
    }

    fn rows(&mut self, table: &CapturedTable, images: Vec<Image>, chunk: bool) -> Result<(), CaptureError> {
        if images.is_empty() {
            return Ok(());
        }
        let layout = table.layout.id();
        if self.layouts.insert(layout) {
            self.writer.append(&Record::Layout(table.layout.clone()))?;
        }
        self.images += images.len() as u64;
        self.bytes += images.iter().map(Image::size).sum::<usize>() as u64;
        self.writer.append(&Record::Rows { layout, images, chunk })?;
        Ok(())
    }
}

impl Cut<'_> {
    /// Reads what `plan` asks for and ends the run. Returns the entries that move the captured state.
    pub(super) async fn take(
        mut self,
        before: &Overview,
        plan: &Plan,
        unmet: Vec<Unmet>,
    ) -> Result<(u64, Vec<Record>), CaptureError> {
        self.connection.begin_cut(self.limits.isolation).await?;
        for record in &plan.opening {
            self.run.mark(record.clone())?;
        }
        let began = self.windows(plan, before).await?;
        self.chunks(plan, &began).await?;
        self.rereads(unmet).await?;
        self.retries(plan).await?;
        self.connection.end_cut().await?;
        self.validate_and_end(before, plan).await
    }

    /// Reads the windows of the tables that moved. A window that does not fit becomes a load; returns the tables that began one.
    async fn windows(&mut self, plan: &Plan, before: &Overview) -> Result<Vec<String>, CaptureError> {
        let tables = self.tables;
        let candidates: Vec<_> = plan.windows.iter().map(|(name, since)| (&tables[name], *since)).collect();
        let moved = self.connection.moved(&candidates).await?;
        let mut oversized = Vec::new();
        let mut room = self.limits.max_cut_rows;
        for index in moved {
            let (name, since) = &plan.windows[index];
            let table = &self.tables[name];
            let changes = self.connection.count_changes(table, *since).await?;
            if changes > room || self.too_large.contains(name) {
                self.begin_window_load(name, *since, changes, before)?;
                oversized.push(name.clone());
                continue;
            }
            room -= changes;
            let mut reader = self.connection.window(table, *since).await?;
            while let Some(images) = reader.next_batch().await? {
                self.run.rows(table, images, false)?;
                if self.run.bytes > self.limits.max_cut_bytes {
                    let max_cut_bytes = self.limits.max_cut_bytes;
                    return Err(CaptureError::WindowTooLarge { table: name.clone(), max_cut_bytes });
                }
            }
        }
        Ok(oversized)
    }

    /// A load over the keys that changed. It keeps the base at which the table left step, however often it begins again: keys
    /// that changed after that base and were not read yet are in no later window.
    fn begin_window_load(
        &mut self,
        name: &str,
        since: Version,
        changes: u64,
        before: &Overview,
    ) -> Result<(), CaptureError> {
        let reason = format!("{changes} changes in one window, more than fit one cut");
        let over_keys = |incarnation: &Incarnation, reason| LoadMark {
            table: name.into(),
            kind: LoadKind::Window,
            base: since,
            incarnation: incarnation.clone(),
            reason,
        };
        let mark = match &self.captured.tables[name] {
            // A comparison writes nothing, so the keys that changed need a load of their own; it has to be asked for again.
            Stage::Loading(load) if load.mark.kind.compares() => over_keys(&load.mark.incarnation, reason),
            Stage::Loading(load) if load.mark.kind.is_whole_table() => {
                LoadMark { base: before.version, reason, ..load.mark.clone() }
            }
            Stage::Loading(load) => LoadMark { reason, ..load.mark.clone() },
            Stage::Live(incarnation) => over_keys(incarnation, reason),
            Stage::Out { .. } | Stage::Paused(_) => return Ok(()),
        };
        self.run.mark(Record::LoadBegin(mark))
    }

    /// Reads chunks, one table after the other, until the budget of a cut is used.
    async fn chunks(&mut self, plan: &Plan, oversized: &[String]) -> Result<(), CaptureError> {
        let mut budget = self.limits.max_cut_rows;
        let names = plan.chunks.iter().filter(|name| !oversized.contains(name));
        for name in names.chain(oversized) {
            if budget == 0 {
                break;
            }
            self.load_table(name, &mut budget).await?;
        }
        Ok(())
    }

    async fn load_table(&mut self, name: &str, budget: &mut u64) -> Result<(), CaptureError> {
        let Some((mark, mut resume, mut rows)) = self.scan_of(name) else { return Ok(()) };
        let from_the_start = resume.is_none() && rows == 0;
        let table = &self.tables[name];
        while *budget > 0 && self.run.bytes < self.limits.max_cut_bytes {
            let size = self.limits.chunk_rows.min(*budget);
            let chunk = self.chunk(table, &mark, resume.as_deref(), size).await?;
            let read = chunk.images.len() as u64;
            rows += read;
            *budget = budget.saturating_sub(read.max(1));
            self.run.rows(table, chunk.images, true)?;
            if chunk.finished {
                return self.finish_scan(&mark, rows, from_the_start);
            }
            resume = chunk.resume;
            let progress = resume.clone().unwrap_or_default();
            self.run.mark(Record::LoadProgress { table: name.into(), resume: progress, rows })?;
        }
        Ok(())
    }

    /// A whole-table scan that began in this cut has seen the table as the snapshot shows it: the load ends here, and what the
    /// target has beyond it is gone at the source. Otherwise the keys not met are read again once the target has the scan.
    fn finish_scan(&mut self, mark: &LoadMark, rows: u64, from_the_start: bool) -> Result<(), CaptureError> {
        let table = mark.table.clone();
        self.run.mark(Record::LoadScanned { table: table.clone(), rows })?;
        let whole = mark.kind.is_whole_table();
        let one_snapshot = from_the_start && self.limits.isolation.is_one_instant();
        if !whole || one_snapshot {
            self.run.mark(Record::LoadEnd { table, sweep: whole })?;
        }
        Ok(())
    }

    async fn chunk(
        &mut self,
        table: &CapturedTable,
        mark: &LoadMark,
        resume: Option<&str>,
        rows: u64,
    ) -> Result<Chunk, CaptureError> {
        let chunk = if mark.kind.is_whole_table() {
            self.connection.chunk(table, resume, rows).await?
        } else {
            self.connection.changed_chunk(table, mark.base, resume, rows).await?
        };
        Ok(chunk)
    }

    /// The load of a table as this run leaves it: begun in it, or under way before it.
    fn scan_of(&self, name: &str) -> Option<(LoadMark, Option<String>, u64)> {
        let begun = self.run.marks.iter().rev().find_map(|record| match record {
            Record::LoadBegin(mark) if mark.table == name => Some((mark.clone(), None, 0)),
            _ => None,
        });
        begun.or_else(|| match &self.captured.tables[name] {
            Stage::Loading(load) => Some((load.mark.clone(), load.resume.clone(), load.rows)),
            _ => None,
        })
    }

    /// Presence at the source decides about each key that the load did not meet; a page without keys ends the load.
    async fn rereads(&mut self, unmet: Vec<Unmet>) -> Result<(), CaptureError> {
        for Unmet { table: name, keys } in unmet {
            let restarted = self.run.marks.iter().any(|record| {
                matches!(record,
                Record::LoadBegin(mark) if mark.table == name)
            });
            if restarted {
                continue;
            }
            if keys.is_empty() {
                self.run.mark(Record::LoadEnd { table: name, sweep: false })?;
                continue;
            }
            let table = &self.tables[&name];
            let images = self.connection.by_keys(table, &keys).await?;
            // A comparison's are compared too, as its chunks are.
            let compared =
                matches!(&self.captured.tables[&name], Stage::Loading(load) if load.mark.kind.compares());
            self.run.rows(table, images, compared)?;
        }
        Ok(())
    }

    /// Keys in quarantine, as they are now. They are the table's own rows: what the target makes of them is its affair.
    async fn retries(&mut self, plan: &Plan) -> Result<(), CaptureError> {
        for (name, keys) in &plan.retries {
            let table = &self.tables[name];
            let images = self.connection.by_keys(table, keys).await?;
            self.run.rows(table, images, false)?;
        }
        Ok(())
    }

    async fn validate_and_end(
        self,
        before: &Overview,
        plan: &Plan,
    ) -> Result<(u64, Vec<Record>), CaptureError> {
        let latest = self.connection.latest().await?;
        let after = self.connection.overview(self.tables).await?;
        if latest.version < before.version || after.version < before.version {
            return Err(CaptureError::WentBackwards { from: before.version, to: latest.version });
        }
        still_valid(self.captured, plan, &before.tables, &after.tables)
            .map_err(|(table, reason)| CaptureError::LostDuringCut { table, reason })?;
        let Run { writer, mut marks, images, .. } = self.run;
        let end = RunEnd {
            id: writer.start().id,
            to: before.version,
            hi: latest.version,
            hi_identity: latest.identity,
            moment: before.moment,
            tables: after.marks().collect::<Vec<TableMark>>(),
            record_count: 0,
            image_count: images,
        };
        let sequence = writer.start().sequence;
        let ended = end.clone();
        tokio::task::spawn_blocking(move || writer.end(ended)).await.expect("the journal does not panic")?;
        marks.push(Record::End(Box::new(end)));
        Ok((sequence, marks))
    }
}
