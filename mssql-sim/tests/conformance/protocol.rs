//! The order of tokens where the request is no batch.

use crate::target::Target;
use crate::tds::{Argument, Parameter, Session, TransactionRequest};

async fn check(session: &mut Session, requests: &[(TransactionRequest, &[&str])]) {
    for (request, expected) in requests {
        assert_eq!(session.transaction(*request).await.lines(), *expected, "{request:?}");
    }
}

#[tokio::test]
async fn a_login_is_told_its_surroundings() {
    let target = Target::new().await;
    let session = target.session().await;
    let lines = session.greeting.lines();
    let kinds: Vec<String> = lines.iter().map(|line| line.split_inclusive(' ').take(2).collect()).collect();
    let expected = [
        "env database ",
        "info 5701 ",
        "env language ",
        "info 5703 ",
        "env collation",
        "loginack Microsoft ",
        "env packet ",
        "done - ",
    ];
    assert_eq!(
        kinds.iter().map(|kind| kind.trim()).collect::<Vec<_>>(),
        expected.map(str::trim),
        "{lines:#?}"
    );
    drop(session);
    target.close().await;
}

#[tokio::test]
async fn a_refused_login_is_answered_and_closed() {
    let target = Target::new().await;
    let login = crate::tds::Login { password: "wrong".into(), ..target.login().clone() };
    let refusal = Session::log_in(&login).await.expect_err("the password is wrong");
    let errors: Vec<_> = refusal.errors().iter().map(|error| (error.number, error.class)).collect();
    assert_eq!(errors, [(18456, 14)]);
    target.close().await;
}

#[tokio::test]
async fn the_transaction_manager_tells_what_is_in_force() {
    let target = Target::new().await;
    let mut session = target.session().await;
    check(
        &mut session,
        &[
            (TransactionRequest::Begin, &["env begin", "done none"]),
            (TransactionRequest::Begin, &["done none"]),
            (TransactionRequest::Save, &["done none"]),
            (TransactionRequest::Commit, &["done none"]),
            (TransactionRequest::Rollback, &["env rollback", "done none"]),
            (TransactionRequest::Begin, &["env begin", "done none"]),
            (TransactionRequest::Commit, &["env commit", "done none"]),
            (
                TransactionRequest::Commit,
                &[
                    "error 3902 class 16 state 3 line 1: The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.",
                    "done none failed",
                ],
            ),
            (
                TransactionRequest::Rollback,
                &[
                    "error 3903 class 16 state 2 line 1: The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.",
                    "done none failed",
                ],
            ),
        ],
    )
    .await;
    drop(session);
    target.close().await;
}

#[tokio::test]
async fn a_call_ends_in_its_status_and_outputs() {
    let target = Target::new().await;
    let mut session = target.session().await;
    let parameters = [
        Parameter::text("SELECT @a AS a; SET @b = @a + 1"),
        Parameter::text("@a int, @b int OUTPUT"),
        Parameter { name: "@a".into(), argument: Argument::Int(Some(4)), output: false },
        Parameter { name: "@b".into(), argument: Argument::Int(None), output: true },
    ];
    let answer = session.call("sp_executesql", &parameters).await;
    let lines = answer.lines();
    assert_eq!(answer.rows(), "4", "{lines:#?}");
    let tail = ["status 0", "value @b int? = 5", "doneproc execute"];
    assert_eq!(lines[lines.len() - 3..], tail, "{lines:#?}");
    drop(session);
    target.close().await;
}

#[tokio::test]
async fn a_cancelled_batch_leaves_a_usable_session() {
    let target = Target::new().await;
    let mut session = target.session().await;
    session.run("BEGIN TRANSACTION").await;
    session.start("WAITFOR DELAY '00:01:00' SELECT 1").await;
    let answer = session.cancel().await;
    assert_eq!((answer.rows().as_str(), answer.error()), ("", 0), "{:#?}", answer.lines());
    assert_eq!(session.run("SELECT @@TRANCOUNT").await.rows(), "1");
    drop(session);
    target.close().await;
}
