//! `sp_getapplock`: names that sessions lock by agreement.

use super::{LEVELS, Stage, outcome};
use crate::target::Target;

/// Session, batch, and its rows or error; a batch that waits is answered by the next step of its session.
type Step = (usize, &'static str, &'static str);

const TAKE: &str = "DECLARE @r int; EXEC @r = sp_getapplock @Resource = N'a', @LockMode = 'Exclusive', @LockOwner = 'Session'; SELECT @r";
const GIVE: &str =
    "DECLARE @r int; EXEC @r = sp_releaseapplock @Resource = N'a', @LockOwner = 'Session'; SELECT @r";
const MODE: &str = "SELECT APPLOCK_MODE('public', N'a', 'Session')";
const TEST: &str = "SELECT APPLOCK_TEST('public', N'a', 'Shared', 'Session'), APPLOCK_TEST('dbo', N'a', 'Shared', 'Session')";
const AT_ONCE: &str = "DECLARE @r int; EXEC @r = sp_getapplock N'a', 'Shared', 'Session', 0; SELECT @r";
const WAIT: &str = "DECLARE @r int; EXEC @r = sp_getapplock N'a', 'Shared', 'Session'; SELECT @r";

const STEPS: [Step; 26] = [
    (1, MODE, "NoLock"),
    (1, TAKE, "0"),
    (1, TAKE, "0"),
    (1, MODE, "Exclusive"),
    (1, TEST, "1,1"),
    (2, TEST, "0,1"),
    (2, AT_ONCE, "-1"),
    (2, WAIT, "waits"),
    (1, GIVE, "0"),
    (1, MODE, "Exclusive"),
    (1, GIVE, "0"),
    (2, "", "1"),
    (1, GIVE, "!1223"),
    (1, AT_ONCE, "0"),
    (1, MODE, "Shared"),
    (1, GIVE, "0"),
    // Deadlock is a return status, and costs nothing that is held.
    (1, "EXEC sp_getapplock N'b', 'Exclusive', 'Session'", ""),
    (1, TAKE, "waits"),
    (2, "DECLARE @r int; EXEC @r = sp_getapplock N'b', 'Exclusive', 'Session'; SELECT @r", "-3"),
    (2, MODE, "Shared"),
    (2, GIVE, "0"),
    (1, "", "1"),
    // Owned by a transaction.
    (3, "DECLARE @r int; EXEC @r = sp_getapplock N'c', 'Shared'; SELECT @r", "-999"),
    (
        3,
        "DECLARE @r int; BEGIN TRAN; EXEC @r = sp_getapplock N'c', 'update'; SAVE TRAN s; ROLLBACK TRAN s;
         SELECT @r, APPLOCK_MODE('public', N'c', 'Transaction'), APPLOCK_MODE('public', N'c', 'Session')",
        "0,Update,NoLock",
    ),
    (3, "COMMIT; SELECT APPLOCK_MODE('public', N'c', NULL)", "!3918"),
    (2, "DECLARE @r int; EXEC @r = sp_getapplock N'c', 'Exclusive', 'Session', 0; SELECT @r", "0"),
];

const REFUSED: [(&str, &str); 8] = [
    (
        "DECLARE @r int; EXEC @r = sp_getapplock @Resource = N'a', @LockMode = 'Bogus', @LockOwner = 'Session'; SELECT @r",
        "-999",
    ),
    ("DECLARE @r int; EXEC @r = sp_getapplock N'a', 'Shared', 'Nobody'; SELECT @r", "-999"),
    (
        "DECLARE @r int; EXEC @r = sp_getapplock @LockMode = 'Shared', @LockOwner = 'Session'; SELECT @r",
        "-999",
    ),
    ("EXEC sp_getapplock @Resource = N'a', @LockOwner = 'Session'", "!201"),
    ("EXEC sp_getapplock NULL, 'Shared', 'Session'", "!1224"),
    ("EXEC sp_getapplock N'a', 'Shared', 'Session', -2", "!1227"),
    ("EXEC sp_getapplock N'a', 'Shared', 'Session', 0, 'stranger'", "!1202"),
    ("SELECT APPLOCK_TEST('public', N'a', 'Bogus', 'Session')", "!1225"),
];

#[tokio::test]
async fn names_are_locked_by_agreement() {
    let target = Target::new().await;
    let mut stage = Stage::open(&target, LEVELS[1]).await;
    for (number, (session, sql, expected)) in STEPS.into_iter().enumerate() {
        let answer = match (sql, expected) {
            (sql, "waits") => {
                stage.start_waiting(session - 1, sql).await;
                continue;
            }
            ("", _) => stage.sessions[session - 1].answer().await,
            (sql, _) => stage.sessions[session - 1].batch(sql).await,
        };
        assert_eq!(outcome(&answer), expected, "step {}: {sql}\n{:#?}", number + 1, answer.lines());
    }
    for (sql, expected) in REFUSED {
        assert_eq!(outcome(&stage.sessions[2].batch(sql).await), expected, "{sql}");
    }
    drop(stage);
    target.close().await;
}
