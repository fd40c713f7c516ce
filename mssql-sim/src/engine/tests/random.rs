//! Random overlapping transactions against a model: a map that every commit changes at once.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::engine::tracking::ChangeScan;

const SEEDS: u64 = 40;
const STEPS: usize = 400;
const KEYS: i64 = 12;
const WRITERS: usize = 4;

type Rows = BTreeMap<i64, i64>;

/// An open transaction and what it did: the newest value per key, None for a delete.
struct Writer {
    transaction: TransactionId,
    writes: Vec<(i64, Option<i64>)>,
    saved: Option<usize>,
}

/// A snapshot and what it must see until its end.
struct Reader {
    transaction: TransactionId,
    expected: Rows,
}

/// A copy that follows the table by its changes alone.
#[derive(Default)]
struct Follower {
    version: i64,
    rows: Rows,
}

struct History {
    fixture: Fixture,
    table: Arc<TableDef>,
    committed: Rows,
    writers: Vec<Writer>,
    reader: Option<Reader>,
    follower: Follower,
}

impl History {
    fn new() -> Self {
        let fixture = Fixture::new();
        let table = fixture.indexed(&fixture.tracked_table("t", &["id", "a"], false));
        let writers = (0..WRITERS).map(|_| Writer::open(&fixture)).collect();
        Self { fixture, table, committed: Rows::new(), writers, reader: None, follower: Follower::default() }
    }

    fn step(&mut self, random: &mut StdRng) {
        let number = random.random_range(0..WRITERS);
        match random.random_range(0..12) {
            0..=5 => self.write(number, random),
            6 => self.save(number),
            7 => self.undo_to_savepoint(number),
            8 => self.end(number, true),
            9 => self.end(number, false),
            10 => self.look_back(),
            _ => self.follow(),
        }
    }

    fn write(&mut self, number: usize, random: &mut StdRng) {
        let key = random.random_range(0..KEYS);
        let value = random.random_bool(0.7).then(|| random.random_range(0..1000));
        let writer = &mut self.writers[number];
        // Reading uncommitted rows finds the row without waiting; whether it may be written is the engine's to say.
        match self.fixture.put(writer.transaction, Isolation::ReadUncommitted, &self.table, key, value) {
            Ok(true) => writer.writes.push((key, value)),
            Ok(false) => {}
            Err(Interrupt::Wait(wait)) => {
                assert_ne!(wait.request.owner, wait.holder, "only others' locks are in the way");
            }
            // It read a row that another transaction has since taken back or replaced.
            Err(Interrupt::Retry) => {}
            Err(Interrupt::Error(error)) => panic!("{error}"),
        }
    }

    fn save(&mut self, number: usize) {
        let writer = &mut self.writers[number];
        self.fixture.engine.save(writer.transaction, "s").expect("open");
        writer.saved = Some(writer.writes.len());
    }

    fn undo_to_savepoint(&mut self, number: usize) {
        let writer = &mut self.writers[number];
        if let Some(saved) = writer.saved {
            self.fixture.engine.rollback_to(writer.transaction, "s").expect("saved");
            writer.writes.truncate(saved);
        }
    }

    fn end(&mut self, number: usize, commit: bool) {
        let writer = std::mem::replace(&mut self.writers[number], Writer::open(&self.fixture));
        if !commit {
            return self.fixture.engine.rollback(writer.transaction);
        }
        self.fixture.engine.commit(writer.transaction);
        for (key, value) in writer.writes {
            match value {
                Some(value) => self.committed.insert(key, value),
                None => self.committed.remove(&key),
            };
        }
    }

    /// Opens a snapshot, or checks that the open one still sees what it saw and closes it.
    fn look_back(&mut self) {
        match self.reader.take() {
            None => {
                let transaction = self.fixture.engine.begin();
                assert_eq!(self.snapshot(transaction), self.committed);
                self.reader = Some(Reader { transaction, expected: self.committed.clone() });
            }
            Some(reader) => {
                assert_eq!(self.snapshot(reader.transaction), reader.expected, "a snapshot stays as it was");
                self.fixture.engine.rollback(reader.transaction);
            }
        }
    }

    fn snapshot(&self, transaction: TransactionId) -> Rows {
        let seen = |index| {
            let rows = self.fixture.read_by(transaction, Isolation::Snapshot, &self.table, index);
            rows.expect("a snapshot does not wait")
                .iter()
                .map(|row| pair(&self.table, row))
                .collect::<Vec<_>>()
        };
        let by_key = seen(IndexRef::Primary);
        let mut by_value = by_key.clone();
        by_value.sort_by_key(|(key, value)| (*value, *key));
        assert_eq!(seen(IndexRef::Secondary(0)), by_value, "the index has the same rows in its own order");
        by_key.into_iter().collect()
    }

    /// Takes over the rows of the keys that changed since the last time.
    fn follow(&mut self) {
        let transaction = self.fixture.engine.begin();
        let now = self.snapshot(transaction);
        let statement = self.fixture.engine.statement(transaction, Isolation::Snapshot);
        let read = self.fixture.engine.open(&statement, &self.table, ReadHint::default()).expect("open");
        let layout = crate::engine::tracking::changes_columns(&self.table);
        for row in self
            .fixture
            .engine
            .changes(&read, &ChangeScan::all(Some(self.follower.version)))
            .expect("tracked")
            .rows
        {
            let Value::Int(key) = column_value(&layout, &row, 5) else { panic!("the key is an integer") };
            match now.get(&key) {
                Some(value) => self.follower.rows.insert(key, *value),
                None => self.follower.rows.remove(&key),
            };
        }
        drop(statement);
        self.fixture.engine.rollback(transaction);
        self.follower.version = self.fixture.engine.tracking_version(self.fixture.database).expect("tracked");
        assert_eq!(self.follower.rows, self.committed, "the changes tell every row that moved");
    }

    /// Ends everything; what is left is the committed rows, each in one version.
    fn finish(mut self) {
        for number in 0..WRITERS {
            self.end(number, false);
        }
        if let Some(reader) = self.reader.take() {
            self.fixture.engine.rollback(reader.transaction);
        }
        self.follow();
        let state = self.fixture.engine.state();
        let rows = &state.table(&self.table).expect("there").rows;
        let versions: usize = rows.iter().map(|(_, entry)| 1 + entry.older.len()).sum();
        let positions = rows.range(IndexRef::Secondary(0), &KeyRange::all(), None).count();
        assert_eq!(
            (versions, positions),
            (self.committed.len(), self.committed.len()),
            "nothing old is left behind"
        );
        assert!(state.garbage.is_empty() && state.instants.is_empty() && state.statements.is_empty());
    }
}

impl Writer {
    fn open(fixture: &Fixture) -> Self {
        Self { transaction: fixture.engine.begin(), writes: Vec::new(), saved: None }
    }
}

#[test]
fn overlapping_transactions_agree_with_the_model() {
    for seed in 0..SEEDS {
        println!("seed {seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let mut history = History::new();
        for _ in 0..STEPS {
            history.step(&mut random);
        }
        history.finish();
    }
}
