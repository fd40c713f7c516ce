//! Overlapping transactions: what each isolation level lets happen.
//!
//! A scenario is a script of two or three sessions that runs at every level. Its steps name what each level must answer: the
//! rows, `!` and an error number, `waits`, or `-` where the step does not apply. A session that waits is seen in
//! `sys.dm_exec_requests`, and answers in a later step without a statement. Outcomes are those of Microsoft's
//! documentation and of the answers of a real server.

mod anomalies;
mod application_locks;
mod blocking;
mod contention;
mod doomed;
mod footprints;
mod kill;
mod views;

use std::time::{Duration, Instant};

use crate::target::Target;
use crate::tds::{Answer, Session};

/// An isolation level: how the database is set up for it, and its name.
const LEVELS: [(&str, &str); 6] = [
    ("", "READ UNCOMMITTED"),
    ("", "READ COMMITTED"),
    ("READ_COMMITTED_SNAPSHOT ON", "READ COMMITTED"),
    ("", "REPEATABLE READ"),
    ("", "SERIALIZABLE"),
    ("ALLOW_SNAPSHOT_ISOLATION ON", "SNAPSHOT"),
];

const SETUP: &str = "CREATE TABLE t (id int NOT NULL CONSTRAINT pk_t PRIMARY KEY, v int NOT NULL);
    INSERT INTO t VALUES (10, 1), (20, 2), (30, 3), (40, 4);
    CREATE TABLE h (id int NOT NULL, v int NOT NULL);
    INSERT INTO h VALUES (10, 1), (20, 2);
    CREATE TABLE parent (id int NOT NULL CONSTRAINT pk_parent PRIMARY KEY);
    INSERT INTO parent VALUES (1), (2);
    CREATE TABLE coded (id int NOT NULL CONSTRAINT pk_coded PRIMARY KEY, code int NULL CONSTRAINT uq_coded UNIQUE);
    INSERT INTO coded VALUES (1, 1), (2, 2);
    CREATE TABLE child (id int NOT NULL CONSTRAINT pk_child PRIMARY KEY, parent int NOT NULL CONSTRAINT fk_child REFERENCES parent)";

const SESSIONS: usize = 3;
/// A session that is not seen waiting for so long never will be.
const PATIENCE: Duration = Duration::from_secs(20);

/// Session, statement, and what it answers at each level; without a statement, what the waiting session answers at last.
type Step = (usize, &'static str, [&'static str; 6]);

/// The same at every level.
const fn all(outcome: &'static str) -> [&'static str; 6] {
    [outcome; 6]
}

struct Scenario {
    name: &'static str,
    steps: &'static [Step],
}

/// Three sessions at one level, and one that watches them.
struct Stage {
    sessions: Vec<Session>,
    ids: Vec<String>,
    watcher: Session,
}

impl Stage {
    async fn open(target: &Target, (option, level): (&str, &str)) -> Self {
        let mut watcher = target.session().await;
        if !option.is_empty() {
            watcher.run(&format!("ALTER DATABASE CURRENT SET {option}")).await;
        }
        watcher.run(SETUP).await;
        let (mut sessions, mut ids) = (Vec::new(), Vec::new());
        for _ in 0..SESSIONS {
            let mut session = target.session().await;
            session.run(&format!("SET TRANSACTION ISOLATION LEVEL {level}")).await;
            ids.push(session.run("SELECT @@SPID").await.rows());
            sessions.push(session);
        }
        Self { sessions, ids, watcher }
    }

    /// Starts a statement and returns once its session waits for another.
    async fn start_waiting(&mut self, session: usize, sql: &str) {
        self.sessions[session].start(sql).await;
        let question = format!(
            "SELECT COUNT(*) FROM sys.dm_exec_requests WHERE session_id = {} AND blocking_session_id <> 0",
            self.ids[session]
        );
        let begun = Instant::now();
        while self.watcher.run(&question).await.rows() != "1" {
            assert!(begun.elapsed() < PATIENCE, "session {} never waits: {sql}", session + 1);
        }
    }

    async fn play(&mut self, scenario: &Scenario, level: usize) {
        for (number, (session, sql, outcomes)) in scenario.steps.iter().enumerate() {
            let place = format!("{}, {}, step {}", scenario.name, LEVELS[level].1, number + 1);
            let answer = match (outcomes[level], *sql) {
                ("-", _) => continue,
                ("waits", sql) => {
                    self.start_waiting(session - 1, sql).await;
                    continue;
                }
                (_, "") => self.sessions[session - 1].answer().await,
                (_, sql) => self.sessions[session - 1].batch(sql).await,
            };
            assert_eq!(outcome(&answer), outcomes[level], "{place}: {sql}\n{:#?}", answer.lines());
        }
        for session in &mut self.sessions {
            session.run("IF @@TRANCOUNT > 0 ROLLBACK").await;
        }
    }
}

/// The rows, or `!` and the first error's number.
fn outcome(answer: &Answer) -> String {
    match answer.error() {
        0 => answer.rows(),
        number => format!("!{number}"),
    }
}

/// Plays scenarios at every level, each on tables of its own.
async fn play_all(scenarios: &[Scenario]) {
    for (level, setup) in LEVELS.iter().enumerate() {
        for scenario in scenarios {
            let target = Target::new().await;
            let mut stage = Stage::open(&target, *setup).await;
            stage.play(scenario, level).await;
            drop(stage);
            target.close().await;
        }
    }
    println!("{} scenarios, each at {} levels", scenarios.len(), LEVELS.len());
}
