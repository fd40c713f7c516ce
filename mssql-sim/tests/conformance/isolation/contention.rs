//! Many sessions that read a counter and write it back: where the level forbids lost updates, none is lost, and nobody
//! waits for ever.

use super::{LEVELS, Stage};
use crate::target::Target;
use crate::tds::Session;

const WORKERS: usize = 6;
/// Increments of each worker.
const INCREMENTS: usize = 15;
/// Errors after which the transaction is run again.
const AGAIN: [i32; 2] = [1205, 3960];

/// Level, and the hint under which the counter is read.
const SAFE: [(usize, &str); 6] =
    [(0, "WITH (UPDLOCK)"), (1, "WITH (UPDLOCK)"), (2, "WITH (XLOCK)"), (3, ""), (4, ""), (5, "")];

/// Adds to one of two counters in a transaction of three round trips, until it is committed.
async fn increment(session: &mut Session, key: usize, hint: &str) {
    loop {
        let read = session.batch(&format!("BEGIN TRAN; SELECT v FROM t {hint} WHERE id = {key}")).await;
        let mut error = read.error();
        if error == 0 {
            let value: i64 = read.rows().parse().expect("a counter");
            let written = session.batch(&format!("UPDATE t SET v = {} WHERE id = {key}", value + 1)).await;
            error = written.error();
        }
        if error == 0 {
            session.run("COMMIT").await;
            return;
        }
        assert!(AGAIN.contains(&error), "error {error}");
    }
}

#[tokio::test]
async fn no_increment_is_lost_and_nobody_waits_for_ever() {
    for (level, hint) in SAFE {
        let target = Target::new().await;
        let mut stage = Stage::open(&target, LEVELS[level]).await;
        let mut workers = Vec::new();
        for worker in 0..WORKERS {
            let mut session = target.session().await;
            session.run(&format!("SET TRANSACTION ISOLATION LEVEL {}", LEVELS[level].1)).await;
            workers.push(tokio::spawn(async move {
                for number in 0..INCREMENTS {
                    increment(&mut session, if (worker + number) % 2 == 0 { 10 } else { 20 }, hint).await;
                }
            }));
        }
        for worker in workers {
            worker.await.expect("a worker ends well");
        }
        let total = stage.watcher.run("SELECT SUM(v) - 3 FROM t WHERE id IN (10, 20)").await.rows();
        assert_eq!(total, (WORKERS * INCREMENTS).to_string(), "{}", LEVELS[level].1);
        drop(stage);
        target.close().await;
    }
}
