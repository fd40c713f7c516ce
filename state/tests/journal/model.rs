//! Random histories against a queue in memory.

use crate::sample::{entries, fresh, options, read_all, reopen, write_run};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use state::{Journal, LastRun, OpenReport};

const HISTORIES: u64 = 30;
const STEPS: usize = 60;

#[derive(Debug)]
enum Step {
    Write,
    Abandon { entries: usize },
    Apply { runs: usize },
    Trim,
    Reopen,
    ReopenWhileWriting,
}

fn step(random: &mut StdRng) -> Step {
    match random.random_range(0..20) {
        0..8 => Step::Write,
        8..11 => Step::Abandon { entries: random.random_range(0..4) },
        11..15 => Step::Apply { runs: random.random_range(1..5) },
        15..17 => Step::Trim,
        17..19 => Step::Reopen,
        _ => Step::ReopenWhileWriting,
    }
}

fn abandon(journal: &Journal, count: usize) {
    let mut writer = journal.begin_run().unwrap();
    for entry in entries(writer.start().sequence).iter().take(count) {
        writer.append(entry).unwrap();
    }
}

#[test]
fn random_histories_agree_with_a_queue_in_memory() {
    for seed in 0..HISTORIES {
        let mut random = StdRng::seed_from_u64(seed);
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path());
        let mut journal = fresh(&options);
        let id = journal.id();
        let mut written = Vec::<LastRun>::new();
        let mut applied = LastRun { sequence: 0, id: None };
        for number in 0..STEPS {
            let step = step(&mut random);
            let context = format!("seed {seed}, step {number}: {step:?}");
            match step {
                Step::Write => written.push(write_run(&journal).unwrap()),
                Step::Abandon { entries } => abandon(&journal, entries),
                Step::Apply { runs } => {
                    applied = written.iter().take(runs).next_back().copied().unwrap_or(applied);
                    written.drain(..runs.min(written.len()));
                }
                Step::Trim => journal.trim_through(applied.sequence).unwrap(),
                Step::Reopen | Step::ReopenWhileWriting => {
                    let torn = matches!(step, Step::ReopenWhileWriting);
                    if torn {
                        abandon(&journal, 2);
                    }
                    drop(journal);
                    let opened = reopen(&options, id, applied);
                    let runs = written.len() as u64;
                    assert!(
                        matches!(opened.report, OpenReport::Continued { runs: found } if found == runs),
                        "{context}: {:?}",
                        opened.report
                    );
                    journal = opened.journal;
                    assert_eq!(journal.id(), id, "{context}");
                }
            }
            assert_eq!(read_all(&journal, applied.sequence).as_ref(), Ok(&written), "{context}");
            assert_eq!(journal.last().unwrap(), written.last().copied().unwrap_or(applied), "{context}");
        }
    }
}
