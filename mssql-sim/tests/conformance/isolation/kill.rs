//! `KILL`: what becomes of the victim, its transaction and those who waited for it.

use super::{LEVELS, Stage};
use crate::target::Target;

#[tokio::test]
async fn a_killed_session_lets_go_of_everything() {
    let target = Target::new().await;
    let mut stage = Stage::open(&target, LEVELS[1]).await;
    stage.sessions[0].run("BEGIN TRAN; UPDATE t SET v = 99 WHERE id = 10").await;
    stage.start_waiting(1, "UPDATE t SET v = v + 1 WHERE id = 10").await;
    stage.watcher.run(&format!("KILL {}", stage.ids[0])).await;
    let waiter = stage.sessions[1].answer().await;
    assert_eq!(waiter.error(), 0, "{:#?}", waiter.lines());
    assert_eq!(stage.sessions[1].run("SELECT v FROM t WHERE id = 10").await.rows(), "2");
    assert!(stage.sessions[0].answer().await.closed, "an idle victim hears nothing");
    drop(stage);
    target.close().await;
}

#[tokio::test]
async fn a_victim_that_runs_is_told() {
    let target = Target::new().await;
    let mut stage = Stage::open(&target, LEVELS[1]).await;
    stage.sessions[0].run("BEGIN TRAN; UPDATE t SET v = 99 WHERE id = 10").await;
    let caught = "BEGIN TRY UPDATE t SET v = 5 WHERE id = 10 END TRY BEGIN CATCH SELECT 'caught' END CATCH";
    stage.start_waiting(1, caught).await;
    stage.watcher.run(&format!("KILL {}", stage.ids[1])).await;
    let answer = stage.sessions[1].answer().await;
    let errors: Vec<_> = answer.errors().iter().map(|error| (error.number, error.class)).collect();
    assert_eq!((answer.rows().as_str(), errors.as_slice()), ("", [(596, 21)].as_slice()));
    drop(stage);
    target.close().await;
}

#[tokio::test]
async fn not_every_session_can_be_killed() {
    let target = Target::new().await;
    let mut session = target.session().await;
    let own = session.run("SELECT @@SPID").await.rows();
    for (sql, error) in [
        (format!("KILL {own}"), 6104),
        ("KILL 1".to_owned(), 6107),
        ("KILL 32000".to_owned(), 6106),
        ("BEGIN TRAN KILL 32000".to_owned(), 6115),
    ] {
        assert_eq!(session.batch(&sql).await.error(), error, "{sql}");
    }
    drop(session);
    target.close().await;
}
