//! Runs whose content follows from their number, so that any process can say what must be in them.

use proto::{
    Decimal, Image, Incarnation, JournalId, Key, LayoutId, LoadKind, LoadMark, Record, Row, RunEnd, RunId,
    SourceMoment, TableMark, Value, Version,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use state::{Applied, Journal, LastRun, OpenReport, Opened, Options, RunReader, StateError};
use std::path::Path;
use uuid::Uuid;

pub(crate) const MAX_BYTES: u64 = 1 << 30;

pub(crate) fn options(folder: &Path) -> Options {
    Options::new(folder, MAX_BYTES)
}

/// Opens a journal as its own target would that has applied `applied`.
pub(crate) fn reopen(options: &Options, journal: JournalId, applied: LastRun) -> Opened {
    let applied = Applied { journal, sequence: applied.sequence, last_run: applied.id };
    state::open(options, Some(&applied)).unwrap()
}

/// A new journal for a stream without a past.
pub(crate) fn fresh(options: &Options) -> Journal {
    let opened = state::open(options, None).unwrap();
    assert!(matches!(opened.report, OpenReport::New), "{:?}", opened.report);
    opened.journal
}

/// The entries of run `sequence`.
pub(crate) fn entries(sequence: u64) -> Vec<Record> {
    let mut random = StdRng::seed_from_u64(sequence);
    let mut entries = vec![Record::LoadBegin(LoadMark {
        table: "orders".to_owned(),
        kind: LoadKind::Resync,
        base: Version(i64::try_from(sequence).unwrap()),
        incarnation: incarnation(),
        reason: format!("run {sequence}"),
    })];
    for _ in 0..random.random_range(0..4) {
        let images = (0..random.random_range(1..200)).map(|_| image(&mut random)).collect();
        entries.push(Record::Rows { layout: LayoutId(random.random()), images, chunk: random.random() });
    }
    if random.random_ratio(1, 8) {
        let large = Value::Bytes((0..300_000).map(|_| random.random()).collect());
        let images = vec![Image::Present(Row(vec![Value::Int(1), large]))];
        entries.push(Record::Rows { layout: LayoutId(7), images, chunk: false });
    }
    entries
}

fn image(random: &mut StdRng) -> Image {
    let key = Value::Int(random.random());
    if random.random_ratio(1, 5) {
        return Image::Absent(Key(vec![key]));
    }
    let text = (0..random.random_range(0..300)).map(|_| random.random_range('a'..'ÿ')).collect();
    let decimal = Decimal { unscaled: random.random(), scale: random.random_range(0..=38) };
    Image::Present(Row(vec![
        key,
        Value::Text(text),
        Value::Decimal(decimal),
        Value::Null,
        Value::Timestamp(random.random()),
        Value::Float8(random.random()),
    ]))
}

fn incarnation() -> Incarnation {
    Incarnation {
        object_id: 42,
        begin_version: Version(7),
        side_table: Some("change_tracking_42".to_owned()),
    }
}

pub(crate) fn end(sequence: u64) -> RunEnd {
    let version = i64::try_from(sequence).unwrap();
    RunEnd {
        id: RunId(Uuid::nil()),
        to: Version(version),
        hi: Version(version + 1),
        hi_identity: Some(format!("commit {version}")),
        moment: SourceMoment { source_clock: version * 1_000, agent_clock: version * 2_000 },
        tables: vec![TableMark { table: "orders".to_owned(), incarnation: incarnation() }],
        record_count: 0,
        image_count: 0,
    }
}

/// Writes the next run.
pub(crate) fn write_run(journal: &Journal) -> Result<LastRun, StateError> {
    let mut writer = journal.begin_run()?;
    let sequence = writer.start().sequence;
    for entry in entries(sequence) {
        writer.append(&entry)?;
    }
    let start = writer.end(end(sequence))?;
    Ok(LastRun { sequence, id: Some(start.id) })
}

/// Whether a run holds what its number promises. Rows may lie in more records than they were given in.
pub(crate) fn check_run(run: RunReader) -> Result<LastRun, String> {
    let start = *run.start();
    let mut expected_end = end(start.sequence);
    expected_end.id = start.id;
    expected_end.record_count = run.end().record_count;
    expected_end.image_count = run.end().image_count;
    if *run.end() != expected_end {
        return Err(format!("end of run {}: {:?}", start.sequence, run.end()));
    }
    let read = run.collect::<Result<Vec<_>, _>>().map_err(|error| format!("{error:?}"))?;
    if flattened(read) != flattened(entries(start.sequence)) {
        return Err(format!("run {} holds other entries than were written", start.sequence));
    }
    Ok(LastRun { sequence: start.sequence, id: Some(start.id) })
}

/// Entries with every row on its own.
fn flattened(entries: Vec<Record>) -> Vec<Record> {
    let single = |entry| match entry {
        Record::Rows { layout, images, chunk } => images
            .into_iter()
            .map(|image| Record::Rows { layout, images: vec![image], chunk })
            .collect::<Vec<_>>(),
        other => vec![other],
    };
    entries.into_iter().flat_map(single).collect()
}

/// Every run after `sequence`, checked.
pub(crate) fn read_all(journal: &Journal, sequence: u64) -> Result<Vec<LastRun>, String> {
    let mut runs = Vec::new();
    let mut after = sequence;
    while let Some(run) = journal.next_run(after).map_err(|error| format!("{error:?}"))? {
        let run = check_run(run)?;
        if run.sequence != after + 1 {
            return Err(format!("run {} follows run {after}", run.sequence));
        }
        after = run.sequence;
        runs.push(run);
    }
    Ok(runs)
}
