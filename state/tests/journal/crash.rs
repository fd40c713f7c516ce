//! `kill -9` in the middle of writing and of opening.

use crate::sample::{options, read_all, reopen, write_run};
use proto::{Image, JournalId, Key, LayoutId, Record, Value};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use state::{LastRun, OpenReport};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const KILLS: u64 = 25;
const FOLDER: &str = "JOURNAL_CRASH_FOLDER";
const JOURNAL: &str = "JOURNAL_CRASH_ID";
const WHOLE_RUNS: &str = "JOURNAL_CRASH_WHOLE_RUNS";

/// The child: opens the journal, says its id, then writes runs and says each number once it is acknowledged. A child that is told to
/// writes one run without an end after a few, and says how far it is.
#[test]
#[ignore = "runs as the child of another test"]
fn child_writes_until_it_is_killed() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let none = LastRun { sequence: 0, id: None };
    let journal = match std::env::var(JOURNAL) {
        Ok(id) => reopen(&options(&folder), JournalId(id.parse().unwrap()), none).journal,
        Err(_) => state::open(&options(&folder), None).unwrap().journal,
    };
    println!("id {}", journal.id());
    let whole_runs = std::env::var(WHOLE_RUNS).map_or(u64::MAX, |count| count.parse().unwrap());
    for _ in 0..whole_runs {
        println!("run {}", write_run(&journal).unwrap().sequence);
    }
    let images = (0..16).map(|_| Image::Absent(Key(vec![Value::Bytes(vec![7; 64 << 10])]))).collect();
    let entry = Record::Rows { layout: LayoutId(1), images, chunk: false };
    let mut endless = journal.begin_run().unwrap();
    for mebibytes in 1.. {
        endless.append(&entry).unwrap();
        println!("torn {mebibytes}");
    }
}

fn spawn(folder: &Path, journal: Option<JournalId>, whole_runs: Option<u64>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "crash::child_writes_until_it_is_killed", "--ignored", "--nocapture"]);
    command.env(FOLDER, folder).stdout(Stdio::piped()).stderr(Stdio::null());
    if let Some(journal) = journal {
        command.env(JOURNAL, journal.to_string());
    }
    if let Some(count) = whole_runs {
        command.env(WHOLE_RUNS, count.to_string());
    }
    command.spawn().unwrap()
}

#[test]
fn killed_at_any_moment_nothing_acknowledged_is_lost_and_nothing_torn_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, mut acknowledged, mut removed) = (None, 0, 0);
    for seed in 0..KILLS {
        let mut random = StdRng::seed_from_u64(seed);
        let lines_until_kill = random.random_range(0..50);
        let whole_runs = random.random_bool(0.5).then(|| random.random_range(0..10));
        let mut child = spawn(folder.path(), journal, whole_runs);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        while seen < lines_until_kill {
            let line = lines.next().expect("the child ended by itself").unwrap();
            if let Some(id) = line.strip_prefix("id ") {
                journal.get_or_insert(JournalId(id.parse().unwrap()));
                seen += 1;
            } else if let Some(sequence) = line.strip_prefix("run ") {
                acknowledged = sequence.parse().unwrap();
                seen += 1;
            } else if line.starts_with("torn ") {
                seen += 1;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let said_before_death = lines
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix("run ").and_then(|sequence| sequence.parse::<u64>().ok()));
        acknowledged = said_before_death.last().unwrap_or(acknowledged);
        let Some(journal) = journal else { continue };
        let opened = reopen(&options(folder.path()), journal, LastRun { sequence: 0, id: None });
        assert!(matches!(opened.report, OpenReport::Continued { .. }), "seed {seed}: {:?}", opened.report);
        let runs = read_all(&opened.journal, 0).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let count = runs.len() as u64;
        assert!(count == acknowledged || count == acknowledged + 1, "seed {seed}: {count} of {acknowledged}");
        removed += u64::from(opened.unfinished_removed);
    }
    println!(
        "{KILLS} kills (seeds 0..{KILLS}): {acknowledged} runs acknowledged, {removed} torn runs removed"
    );
}
