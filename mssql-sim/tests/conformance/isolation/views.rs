//! What the views show of sessions and transactions while they are open.

use super::{LEVELS, Stage, outcome};
use crate::target::Target;
use crate::tds::{Login, Session};

/// What a session runs, a question to the views about `@id`, its session, and the answer.
const SHOWN: [(&str, &str, &str); 12] = [
    ("BEGIN TRAN named; BEGIN TRAN inner_one", "SELECT open_transaction_count FROM sys.dm_exec_sessions WHERE session_id = @id", "2"),
    ("SELECT 1", "SELECT is_user_transaction, open_transaction_count FROM sys.dm_tran_session_transactions WHERE session_id = @id", "1,1"),
    (
        "SELECT 1",
        "SELECT name, transaction_type, transaction_state FROM sys.dm_tran_active_transactions AS a
         JOIN sys.dm_tran_session_transactions AS s ON s.transaction_id = a.transaction_id WHERE session_id = @id",
        "named,1,2",
    ),
    (
        "ROLLBACK; BEGIN TRAN",
        "SELECT name FROM sys.dm_tran_active_transactions AS a
         JOIN sys.dm_tran_session_transactions AS s ON s.transaction_id = a.transaction_id WHERE session_id = @id",
        "user_transaction",
    ),
    ("SELECT 1", "SELECT COUNT(*) FROM sys.dm_tran_active_snapshot_database_transactions WHERE session_id = @id", "0"),
    (
        "SELECT COUNT(*) FROM t",
        "SELECT is_snapshot FROM sys.dm_tran_active_snapshot_database_transactions WHERE session_id = @id",
        "1",
    ),
    ("ROLLBACK", "SELECT COUNT(*) FROM sys.dm_tran_session_transactions WHERE session_id = @id", "0"),
    ("SELECT 1", "SELECT transaction_isolation_level FROM sys.dm_exec_sessions WHERE session_id = @id", "5"),
    (
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SELECT transaction_isolation_level FROM sys.dm_exec_sessions WHERE session_id = @id",
        "4",
    ),
    (
        "SET LOCK_TIMEOUT 1500; SET DEADLOCK_PRIORITY HIGH",
        "SELECT lock_timeout, deadlock_priority, status, is_user_process FROM sys.dm_exec_sessions WHERE session_id = @id",
        "1500,5,sleeping,1",
    ),
    ("SELECT 1", "SELECT COUNT(*) FROM sys.dm_exec_requests WHERE session_id = @id", "0"),
    ("SELECT 1", "SELECT status, command, blocking_session_id FROM sys.dm_exec_requests WHERE session_id = @@SPID", "running,SELECT,0"),
];

#[tokio::test]
async fn open_transactions_are_shown() {
    let target = Target::new().await;
    let mut stage = Stage::open(&target, LEVELS[5]).await;
    for (sql, question, expected) in SHOWN {
        stage.sessions[0].run(sql).await;
        let question = question.replace("@id", &stage.ids[0]);
        assert_eq!(stage.watcher.run(&question).await.rows(), expected, "{sql}: {question}");
    }
    drop(stage);
    target.close().await;
}

#[tokio::test]
async fn the_servers_state_is_not_for_everybody() {
    let target = Target::new().await;
    let mut administrator = target.session().await;
    let login = Login {
        user: format!("watcher_of_{}", target.login().database),
        password: "Watcher-0123".into(),
        ..target.login().clone()
    };
    let Login { user, password, .. } = &login;
    administrator.run(&format!("CREATE LOGIN {user} WITH PASSWORD = '{password}', CHECK_POLICY = OFF")).await;
    administrator.run(&format!("CREATE USER {user} FOR LOGIN {user}")).await;
    let mut watcher = Session::log_in(&login).await.expect("the user may log in");
    for (question, expected) in [
        ("SELECT COUNT(*) FROM sys.dm_tran_locks", "!300"),
        ("SELECT COUNT(*) FROM sys.dm_os_waiting_tasks", "!300"),
        ("SELECT COUNT(*) FROM sys.dm_tran_active_transactions", "!300"),
        ("SELECT COUNT(*), MIN(session_id) - @@SPID FROM sys.dm_exec_sessions", "1,0"),
        ("SELECT COUNT(*), MIN(session_id) - @@SPID FROM sys.dm_exec_requests", "1,0"),
        ("KILL 32000", "!6102"),
    ] {
        assert_eq!(outcome(&watcher.batch(question).await), expected, "{question}");
    }
    drop(watcher);
    administrator.batch(&format!("DROP USER {user}; DROP LOGIN {user}")).await;
    drop(administrator);
    target.close().await;
}
