//! Folders that are not what was written: nothing wrong is ever handed out, and the agent can always go on.

use crate::sample::{check_run, entries, fresh, options, read_all, reopen, write_run};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use state::{Damage, LastRun, OpenReport, Options, SetAside, StateError};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const RUNS: usize = 12;
const APPLIED: usize = 4;
const MUTATIONS: u64 = 60;

/// A closed journal of [`RUNS`] runs, of which the target has applied [`APPLIED`].
struct Closed {
    folder: tempfile::TempDir,
    journal: proto::JournalId,
    runs: Vec<LastRun>,
}

impl Closed {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = fresh(&options(folder.path()));
        let runs = (0..RUNS).map(|_| write_run(&journal).unwrap()).collect();
        Self { journal: journal.id(), folder, runs }
    }

    fn applied(&self) -> LastRun {
        self.runs[APPLIED - 1]
    }

    fn copy(&self) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(self.folder.path(), copy.path());
        copy
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

fn data_file(folder: &Path) -> PathBuf {
    folder.join("queue.1/db")
}

/// Damages a copy in a way that the seed decides; returns what it did.
fn mutate(folder: &Path, random: &mut StdRng) -> &'static str {
    let path = data_file(folder);
    let mut bytes = fs::read(&path).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    let at = random.random_range(0..used);
    let kind = match random.random_range(0..6) {
        0 => {
            bytes[at] ^= 1 << random.random_range(0..8);
            "bit flipped"
        }
        1 => {
            bytes.iter_mut().skip(at).take(4096).for_each(|byte| *byte = 0);
            "page zeroed"
        }
        2 => {
            random.fill(&mut bytes[at..used.min(at + 512)]);
            "garbage written"
        }
        3 => {
            bytes.truncate(at);
            "file cut off"
        }
        4 => {
            let snapshot = fs::read_dir(folder.join("queue.1"))
                .unwrap()
                .flatten()
                .find(|entry| entry.file_name().to_string_lossy().starts_with("snap."));
            if let Some(snapshot) = snapshot {
                fs::remove_file(snapshot.path()).unwrap();
            }
            bytes.truncate(at);
            "snapshot deleted, file cut off"
        }
        _ => {
            let identity = folder.join("identity");
            let mut text = fs::read(&identity).unwrap();
            let at = random.random_range(0..text.len());
            text[at] ^= 1 << random.random_range(0..7);
            fs::write(&identity, text).unwrap();
            "identity flipped"
        }
    };
    fs::write(&path, bytes).unwrap();
    kind
}

#[test]
fn a_damaged_journal_is_intact_or_shorter_or_set_aside_but_never_wrong() {
    let closed = Closed::new();
    let mut outcomes = BTreeMap::<(&str, &str), u64>::new();
    for seed in 0..MUTATIONS {
        let copy = closed.copy();
        let kind = mutate(copy.path(), &mut StdRng::seed_from_u64(seed));
        let applied = state::Applied {
            journal: closed.journal,
            sequence: closed.applied().sequence,
            last_run: closed.applied().id,
        };
        let opened = match state::open(&options(copy.path()), Some(&applied)) {
            Ok(opened) => opened,
            Err(StateError::LaterFormat { .. }) => {
                *outcomes.entry((kind, "refused as a later format")).or_default() += 1;
                continue;
            }
            Err(error) => panic!("seed {seed}, {kind}: {error:?}"),
        };
        let runs = read_all(&opened.journal, applied.sequence);
        let runs = runs.unwrap_or_else(|error| panic!("seed {seed}, {kind}: {error}"));
        assert!(closed.runs[APPLIED..].starts_with(&runs), "seed {seed}, {kind}: {runs:?}");
        let outcome = match opened.report {
            OpenReport::Continued { .. } if runs.len() == RUNS - APPLIED => "intact",
            OpenReport::Continued { .. } => "shorter",
            OpenReport::SetAside { folder, .. } => {
                assert!(folder.is_dir() && opened.journal.id() != closed.journal, "seed {seed}, {kind}");
                "set aside"
            }
            OpenReport::New => "new",
        };
        *outcomes.entry((kind, outcome)).or_default() += 1;
        let next = write_run(&opened.journal).unwrap();
        check_run(opened.journal.next_run(next.sequence - 1).unwrap().unwrap()).unwrap();
    }
    println!("{MUTATIONS} damaged folders (seeds 0..{MUTATIONS}): {outcomes:#?}");
}

#[test]
fn a_snapshot_left_half_written_does_not_cost_the_journal() {
    let closed = Closed::new();
    fs::write(closed.folder.path().join("queue.1/snap.00000000000000FF.generating"), b"torn").unwrap();
    let opened = reopen(&options(closed.folder.path()), closed.journal, closed.applied());
    assert!(matches!(opened.report, OpenReport::Continued { .. }), "{:?}", opened.report);
    assert_eq!(read_all(&opened.journal, closed.applied().sequence), Ok(closed.runs[APPLIED..].to_vec()));
}

/// Opens the folder and says why it was set aside.
fn reason(options: &Options, journal: proto::JournalId, applied: LastRun) -> SetAside {
    match reopen(options, journal, applied).report {
        OpenReport::SetAside { reason, .. } => reason,
        other => panic!("not set aside: {other:?}"),
    }
}

#[test]
fn a_journal_that_does_not_continue_the_target_is_set_aside_and_only_three_are_kept() {
    let closed = Closed::new();
    let other = Closed::new();
    let applied = closed.applied();
    let copy = || closed.copy();

    let foreign = reason(&options(copy().path()), other.journal, other.applied());
    assert!(matches!(foreign, SetAside::Foreign { .. }), "{foreign}");
    let no_stream = state::open(&options(copy().path()), None).unwrap().report;
    assert!(matches!(
        no_stream,
        OpenReport::SetAside { reason: SetAside::Foreign { expected: None, .. }, .. }
    ));
    let ahead = LastRun { sequence: RUNS as u64 + 1, id: applied.id };
    let older = reason(&options(copy().path()), closed.journal, ahead);
    assert!(matches!(older, SetAside::Older { .. }), "{older}");
    let same_number_other_run = LastRun { sequence: applied.sequence, id: other.applied().id };
    let diverged = reason(&options(copy().path()), closed.journal, same_number_other_run);
    assert!(matches!(diverged, SetAside::Diverged { .. }), "{diverged}");

    let trimmed = copy();
    reopen(&options(trimmed.path()), closed.journal, closed.runs[APPLIED]);
    let gap = reason(&options(trimmed.path()), closed.journal, closed.runs[0]);
    assert!(matches!(gap, SetAside::Diverged { .. }), "{gap}");

    let folder = tempfile::tempdir().unwrap();
    for _ in 0..5 {
        drop(state::open_anew(&options(folder.path()), None, "the source was restored").unwrap());
    }
    let aside = fs::read_dir(folder.path()).unwrap().flatten();
    let aside = aside.filter(|entry| entry.file_name().to_string_lossy().starts_with("aside."));
    assert_eq!(aside.count(), 3);
}

/// Changes one bit of the last stored row behind the storage engine's back, where its own checks do not see it.
fn change_stored_row(folder: &Path) {
    let database = open_database(&folder.join("queue.1"));
    let (key, frame) = database.iter().flatten().filter(|(_, frame)| frame.len() > 1_000).last().unwrap();
    let mut frame = frame.to_vec();
    let at = frame.len() - 100;
    frame[at] ^= 0x01;
    database.insert(key, frame).unwrap();
    database.flush().unwrap();
}

fn open_database(path: &Path) -> sled::Db {
    loop {
        match sled::Config::new().path(path).segment_size(8 << 20).open() {
            Err(sled::Error::Io(error)) if error.to_string().contains("could not acquire lock") => {
                std::thread::yield_now();
            }
            opened => return opened.unwrap(),
        }
    }
}

#[test]
fn without_the_checksum_a_changed_row_is_handed_out() {
    let closed = Closed::new();
    let copy = closed.copy();
    change_stored_row(copy.path());
    let found = reason(&options(copy.path()), closed.journal, closed.applied());
    assert!(matches!(found, SetAside::Damaged(Damage::Frame { .. })), "{found:?}");

    let copy = closed.copy();
    change_stored_row(copy.path());
    let mut believing = options(copy.path());
    believing.switches.checksum_off = true;
    let opened = reopen(&believing, closed.journal, closed.applied());
    assert!(
        read_all(&opened.journal, closed.applied().sequence).is_err(),
        "the change went unnoticed by the test"
    );
}

#[test]
fn without_the_end_mark_a_torn_run_is_handed_out() {
    for end_mark_off in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options(folder.path());
        let journal = fresh(&options);
        let (id, first) = (journal.id(), write_run(&journal).unwrap());
        let mut torn = journal.begin_run().unwrap();
        torn.append(&entries(torn.start().sequence)[0]).unwrap();
        drop(torn);
        drop(journal);
        options.switches.end_mark_off = end_mark_off;
        let opened = reopen(&options, id, first);
        assert_eq!(opened.unfinished_removed, !end_mark_off);
        assert_eq!(opened.journal.next_run(first.sequence).unwrap().is_some(), end_mark_off);
    }
}
