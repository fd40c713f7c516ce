//! Random overlapping SERIALIZABLE transactions: what each of them read and wrote must be what it would have, had they
//! run one after the other in the order of their commits.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

const SEEDS: u64 = 80;
/// With `CONFORMANCE=long`.
const LONG_SEEDS: u64 = 3000;
const STEPS: usize = 300;
const KEYS: i64 = 40;
const VALUES: i64 = 60;
const SESSIONS: usize = 3;
const LEVEL: Isolation = Isolation::Serializable;

/// Value by key.
type Rows = BTreeMap<i64, i64>;

/// What a transaction did, as it saw it.
enum Action {
    /// The rows whose keys are in a range.
    ReadKeys((i64, i64), Vec<(i64, i64)>),
    /// The rows whose values are in a range, by value.
    ReadValues((i64, i64), Vec<(i64, i64)>),
    /// A key was given a value, or its row was removed.
    Put(i64, Option<i64>),
    /// A new row was refused: its key was there.
    Refused(i64),
}

struct Open {
    transaction: TransactionId,
    actions: Vec<Action>,
}

struct History {
    fixture: Fixture,
    table: Arc<TableDef>,
    committed: Rows,
    sessions: Vec<Open>,
    waits: usize,
    commits: usize,
}

impl History {
    fn new() -> Self {
        let fixture = Fixture::new();
        let table = fixture.indexed(&fixture.table("t", &["id", "a"]));
        let sessions = (0..SESSIONS).map(|_| Open::begin(&fixture)).collect();
        Self { fixture, table, committed: Rows::new(), sessions, waits: 0, commits: 0 }
    }

    fn step(&mut self, random: &mut StdRng) {
        let number = random.random_range(0..SESSIONS);
        let done = match random.random_range(0..14) {
            0..=2 => self.read(number, IndexRef::Primary, range(KEYS, random)),
            3..=5 => self.read(number, IndexRef::Secondary(0), range(VALUES, random)),
            6..=8 => {
                let value = random.random_bool(0.4).then(|| random.random_range(0..VALUES));
                self.put(number, random.random_range(0..KEYS), value)
            }
            9..=12 => self.insert(number, random.random_range(0..KEYS), random.random_range(0..VALUES)),
            _ => return self.commit(number),
        };
        match done {
            Ok(Some(action)) => self.sessions[number].actions.push(action),
            Ok(None) => {}
            // Some of those who would have to wait give up altogether, the others do something else.
            Err(Interrupt::Wait(_)) => {
                self.waits += 1;
                if random.random_bool(0.2) {
                    self.abandon(number);
                }
            }
            Err(interrupt) => panic!("{interrupt:?}"),
        }
    }

    fn read(
        &self,
        number: usize,
        index: IndexRef,
        (from, to): (i64, i64),
    ) -> Result<Option<Action>, Interrupt> {
        let found = self.rows(number, index, (from, to), ReadHint::default())?;
        let seen = found.iter().map(|found| pair(&self.table, &found.row)).collect();
        Ok(Some(match index {
            IndexRef::Primary => Action::ReadKeys((from, to), seen),
            IndexRef::Secondary(_) => Action::ReadValues((from, to), seen),
        }))
    }

    fn put(&self, number: usize, key: i64, value: Option<i64>) -> Result<Option<Action>, Interrupt> {
        let target = ReadHint { write_target: true, ..ReadHint::default() };
        let found = self.rows(number, IndexRef::Primary, (key, key), target)?;
        let after = value.map(|value| row_of(&self.table.layout, &[Value::Int(key), Value::Int(value)]));
        let write = match (found.into_iter().next(), after) {
            (None, Some(after)) => RowWrite::Insert(after),
            (Some(found), Some(after)) => {
                RowWrite::Update { key: found.key, before: found.row, after, set_list: 0 }
            }
            (Some(found), None) => RowWrite::Delete { key: found.key, before: found.row },
            (None, None) => return Ok(None),
        };
        self.apply(number, write)?;
        Ok(Some(Action::Put(key, value)))
    }

    /// Inserts without a look at what is there.
    fn insert(&self, number: usize, key: i64, value: i64) -> Result<Option<Action>, Interrupt> {
        let row = row_of(&self.table.layout, &[Value::Int(key), Value::Int(value)]);
        match self.apply(number, RowWrite::Insert(row)) {
            Ok(()) => Ok(Some(Action::Put(key, Some(value)))),
            Err(Interrupt::Error(error)) if error.number == 2627 => Ok(Some(Action::Refused(key))),
            Err(interrupt) => Err(interrupt),
        }
    }

    fn apply(&self, number: usize, write: RowWrite) -> Result<(), Interrupt> {
        let engine = &self.fixture.engine;
        let statement = engine.statement(self.sessions[number].transaction, LEVEL);
        let writes = TableWrites { table: self.table.clone(), rows: vec![write], set_lists: vec![vec![2]] };
        engine.apply(&statement, &[writes], None)
    }

    fn rows(
        &self,
        number: usize,
        index: IndexRef,
        (from, to): (i64, i64),
        hint: ReadHint,
    ) -> Result<Vec<ScannedRow>, Interrupt> {
        let engine = &self.fixture.engine;
        let statement = engine.statement(self.sessions[number].transaction, LEVEL);
        let read = engine.open(&statement, &self.table, hint)?;
        let bytes = |n: i64| key_prefix(&self.table, index, &[Value::Int(n)]);
        let range = KeyRange::at_least(&bytes(from)).intersect(KeyRange::at_most(&bytes(to)));
        let unique = from == to && index == IndexRef::Primary;
        let mut scan = Scan { index, range, after: None, limit: usize::MAX, unique };
        let mut rows = Vec::new();
        loop {
            let chunk = engine.scan(&read, &scan)?;
            let Some(last) = chunk.last() else { return Ok(rows) };
            scan.after = Some(last.position.clone());
            rows.extend(chunk);
            if unique {
                return Ok(rows);
            }
        }
    }

    /// Commits, and does over what the transaction did on the rows that were committed before.
    fn commit(&mut self, number: usize) {
        let ended = std::mem::replace(&mut self.sessions[number], Open::begin(&self.fixture));
        self.fixture.engine.commit(ended.transaction);
        self.commits += 1;
        for action in ended.actions {
            match action {
                Action::ReadKeys((from, to), seen) => {
                    let expected: Vec<_> = self.committed.range(from..=to).map(|(k, v)| (*k, *v)).collect();
                    assert_eq!(seen, expected, "keys {from} to {to}");
                }
                Action::ReadValues((from, to), seen) => {
                    let within = |(_, value): &(&i64, &i64)| (from..=to).contains(*value);
                    let mut expected: Vec<_> =
                        self.committed.iter().filter(within).map(|(k, v)| (*k, *v)).collect();
                    expected.sort_by_key(|(key, value)| (*value, *key));
                    assert_eq!(seen, expected, "values {from} to {to}");
                }
                Action::Put(key, Some(value)) => {
                    self.committed.insert(key, value);
                }
                Action::Put(key, None) => {
                    self.committed.remove(&key);
                }
                Action::Refused(key) => assert!(self.committed.contains_key(&key), "key {key}"),
            }
        }
    }

    fn abandon(&mut self, number: usize) {
        let ended = std::mem::replace(&mut self.sessions[number], Open::begin(&self.fixture));
        self.fixture.engine.rollback(ended.transaction);
    }
}

impl Open {
    fn begin(fixture: &Fixture) -> Self {
        Self { transaction: fixture.engine.begin(), actions: Vec::new() }
    }
}

fn range(end: i64, random: &mut StdRng) -> (i64, i64) {
    let from = random.random_range(0..end);
    (from, from + random.random_range(0..4))
}

#[test]
fn serializable_transactions_are_serial_in_the_order_of_their_commits() {
    let (mut waits, mut commits) = (0, 0);
    let long = std::env::var("CONFORMANCE").is_ok_and(|length| length == "long");
    for seed in 0..if long { LONG_SEEDS } else { SEEDS } {
        println!("seed {seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let mut history = History::new();
        for _ in 0..STEPS {
            history.step(&mut random);
        }
        for number in 0..SESSIONS {
            history.commit(number);
        }
        (waits, commits) = (waits + history.waits, commits + history.commits);
        assert!(
            !history.fixture.engine.state().locks.is_locked(|_| true),
            "no lock outlives its transaction"
        );
    }
    assert!(waits > 1000 && commits > 1000, "{waits} waits and {commits} commits put nothing to the test");
}
