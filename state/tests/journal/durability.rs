//! What is acknowledged is on the disk, the disk is bounded, and one process has the journal.

use crate::sample::{entries, fresh, options, read_all, reopen, write_run};
use proto::{Image, LayoutId, Record, Row, Value};
use state::{LastRun, OpenReport, StateError};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

const RUNS: usize = 40;

/// Whether the file holds these bytes.
fn holds(path: &Path, wanted: &[u8]) -> bool {
    fs::read(path).unwrap().windows(wanted.len()).any(|window| window == wanted)
}

#[test]
fn every_acknowledged_run_was_synced_after_its_end_had_reached_the_file() {
    for sync_off in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options(folder.path());
        let synced = Arc::new(Mutex::new(Vec::<Vec<u8>>::new()));
        options.switches.sync_off = sync_off;
        options.switches.on_sync = Some(Arc::new({
            let synced = Arc::clone(&synced);
            move |path: &Path| synced.lock().unwrap().push(fs::read(path).unwrap())
        }));
        let journal = fresh(&options);
        for count in 1..=RUNS {
            let mut writer = journal.begin_run().unwrap();
            writer.append(&entries(1)[0]).unwrap();
            let mut end = crate::sample::end(writer.start().sequence);
            end.hi_identity = Some(format!("the end of run {count}!"));
            writer.end(end).unwrap();
            if sync_off {
                assert!(synced.lock().unwrap().is_empty());
                continue;
            }
            let mut synced = synced.lock().unwrap();
            let file = synced.pop().expect("a run was acknowledged without a sync");
            let wanted = format!("the end of run {count}!");
            assert!(file.windows(wanted.len()).any(|window| window == wanted.as_bytes()), "run {count}");
        }
        assert!(holds(&folder.path().join("queue.1/db"), b"the end of run 1!"));
    }
}

#[test]
fn a_large_queue_gives_its_space_back_and_keeps_its_identity() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    options.max_bytes = 64 << 20;
    let journal = fresh(&options);
    let id = journal.id();
    let rows = |fill: u8| Record::Rows {
        layout: LayoutId(1),
        images: (0..256).map(|_| Image::Present(Row(vec![Value::Bytes(vec![fill; 8 << 10])]))).collect(),
        chunk: true,
    };
    let mut last = LastRun { sequence: 0, id: None };
    for fill in 0..80 {
        let mut writer = journal.begin_run().unwrap();
        writer.append(&rows(fill)).unwrap();
        let start = writer.end(crate::sample::end(u64::from(fill))).unwrap();
        last = LastRun { sequence: start.sequence, id: Some(start.id) };
    }
    assert!(journal.is_full().unwrap(), "{} bytes", journal.bytes().unwrap());
    let unsynced_blobs = fs::read_dir(folder.path().join("queue.1/blobs")).unwrap().count();
    assert_eq!(unsynced_blobs, 0, "values in files of their own are never synced");
    let large = journal.bytes().unwrap();
    journal.trim_through(last.sequence).unwrap();
    assert!(!journal.is_full().unwrap());
    let after = write_run(&journal).unwrap();
    let small = journal.bytes().unwrap();
    assert!(small < large / 4, "{large} bytes before, {small} after");
    assert_eq!((journal.id(), after.sequence), (id, last.sequence + 1));
    assert!(!folder.path().join("queue.1").exists());
    drop(journal);
    let opened = reopen(&options, id, last);
    assert_eq!(read_all(&opened.journal, last.sequence), Ok(vec![after]));
}

#[test]
fn one_process_and_one_writer_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let journal = fresh(&options);
    assert!(matches!(state::open(&options, None), Err(StateError::Locked { .. })));
    let writer = journal.begin_run().unwrap();
    assert!(matches!(journal.begin_run(), Err(StateError::RunOpen)));
    drop(writer);
    write_run(&journal).unwrap();
    drop(journal);
    fs::write(folder.path().join("identity"), "cdc-journal 2\nsomething else\n").unwrap();
    assert!(matches!(state::open(&options, None), Err(StateError::LaterFormat { .. })));
    assert!(folder.path().join("queue.1").exists(), "a later version's journal is not touched");
}

#[test]
fn an_empty_journal_of_another_id_begins_anew_where_the_target_is() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    drop(fresh(&options));
    let applied = LastRun { sequence: 9, id: Some(proto::RunId(uuid::Uuid::new_v4())) };
    let opened = reopen(&options, proto::JournalId(uuid::Uuid::new_v4()), applied);
    assert!(matches!(opened.report, OpenReport::New), "{:?}", opened.report);
    let writer = opened.journal.begin_run().unwrap();
    assert_eq!((writer.start().sequence, writer.start().predecessor), (10, applied.id));
}
