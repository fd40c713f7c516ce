//! Procedure calls: `sp_executesql`, prepared statements, their errors and what is answered around them.

use crate::target::Target;
use crate::tds::{Answer, Argument, Parameter, Session};

fn number(name: &str, value: Option<i32>) -> Parameter {
    Parameter { name: name.into(), argument: Argument::Int(value), output: false }
}

fn output(name: &str) -> Parameter {
    Parameter { output: true, ..number(name, None) }
}

/// The answer without the texts of its errors.
fn outline(answer: &Answer) -> Vec<String> {
    let lines = answer.lines().into_iter();
    lines.map(|line| line.split_once(" line ").map_or(line.clone(), |(head, _)| head.to_owned())).collect()
}

async fn call(session: &mut Session, procedure: &str, parameters: &[Parameter]) -> Vec<String> {
    outline(&session.call(procedure, parameters).await)
}

/// Prepares a text that has to be right; its handle.
async fn prepare(session: &mut Session, declarations: &str, text: &str) -> i32 {
    let parameters = [output(""), Parameter::text(declarations), Parameter::text(text)];
    let answer = session.call("sp_prepare", &parameters).await;
    let lines = answer.lines();
    let handle = lines.iter().find_map(|line| line.strip_prefix("value _ int? = "));
    handle.and_then(|handle| handle.parse().ok()).unwrap_or_else(|| panic!("no handle: {lines:#?}"))
}

#[tokio::test]
async fn a_prepared_statement_lives_until_it_is_unprepared() {
    let target = Target::new().await;
    let mut session = target.session().await;
    let handle = prepare(&mut session, "@a int", "SELECT @a + 1 AS b").await;
    for (argument, row) in [(Some(2), "row 3"), (None, "row NULL"), (Some(-1), "row 0")] {
        let answer =
            call(&mut session, "sp_execute", &[number("", Some(handle)), number("", argument)]).await;
        assert_eq!(answer[1..], [row, "doneinproc select 1", "status 0", "doneproc execute"]);
    }
    let parameters = [number("", Some(handle))];
    assert_eq!(call(&mut session, "sp_unprepare", &parameters).await, ["status 0", "doneproc execute"]);
    let unknown = ["error 8179 class 16 state 1", "doneproc execute failed"];
    assert_eq!(call(&mut session, "sp_execute", &parameters).await, unknown);
    drop(session);
    target.close().await;
}

#[tokio::test]
async fn preparing_tells_the_columns_if_asked() {
    let target = Target::new().await;
    let mut session = target.session().await;
    for (options, columns) in [(0, None), (1, Some("columns b int? computed"))] {
        let text = Parameter::text("SELECT @a + 1 AS b");
        let parameters = [output("@handle"), Parameter::text("@a int"), text, number("", Some(options))];
        let mut answer = call(&mut session, "sp_prepare", &parameters).await;
        if let Some(columns) = columns {
            assert_eq!(answer.drain(..2).collect::<Vec<_>>(), [columns, "doneinproc select 0"]);
        }
        assert_eq!(answer.len(), 3, "{answer:#?}");
        assert_eq!((answer[0].as_str(), answer[2].as_str()), ("status 0", "doneproc execute"));
        assert!(answer[1].starts_with("value @handle int? = "), "{answer:#?}");
    }
    drop(session);
    target.close().await;
}

#[tokio::test]
async fn what_cannot_be_prepared_has_no_handle() {
    let target = Target::new().await;
    let mut session = target.session().await;
    session.run("CREATE TABLE dbo.t (a int)").await;
    for (text, number) in [
        ("SELECT b FROM dbo.t", 207),
        ("SELECT a FROM dbo.missing", 208),
        ("SELECT 1 +", 102),
        ("SELECT @a", 137),
    ] {
        for procedure in ["sp_prepare", "sp_prepexec"] {
            let parameters = [output(""), Parameter::text(""), Parameter::text(text)];
            let answer = session.call(procedure, &parameters).await;
            let errors: Vec<_> = answer.errors().iter().map(|error| error.number).collect();
            assert_eq!(errors, [number, 8180], "{text}");
            let rest = &outline(&answer)[2..];
            assert!(rest[0].starts_with("status "), "{rest:#?}");
            assert_eq!(rest[1..], ["value _ int? = NULL", "doneproc execute failed"], "{text}");
        }
    }
    drop(session);
    target.close().await;
}

#[tokio::test]
async fn preparing_and_executing_are_one_call_for_drivers_that_want_it() {
    let target = Target::new().await;
    let mut session = target.session().await;
    let text = "SET @b = @a * 2; SELECT @b AS b";
    let parameters = [
        output(""),
        Parameter::text("@a int, @b int OUTPUT"),
        Parameter::text(text),
        number("@a", Some(21)),
        output("@b"),
    ];
    let answer = session.call("sp_prepexec", &parameters).await;
    let lines = outline(&answer);
    assert_eq!(answer.rows(), "42");
    let [status, handle, b, done] = &lines[lines.len() - 4..] else { panic!("{lines:#?}") };
    assert_eq!([status, b, done], ["status 0", "value @b int? = 42", "doneproc execute"]);
    let handle: i32 =
        handle.strip_prefix("value _ int? = ").expect("a handle comes first").parse().expect("int");

    let parameters = [number("", Some(handle)), number("@a", Some(4)), output("@b")];
    let answer = session.call("sp_execute", &parameters).await;
    assert_eq!((answer.rows().as_str(), answer.error()), ("8", 0));
    drop(session);
    target.close().await;
}

#[tokio::test]
async fn a_late_error_does_not_take_the_outputs_along() {
    let target = Target::new().await;
    let mut session = target.session().await;
    let text = "SET @b = 5; SELECT 1 / 0 AS c";
    let parameters = [Parameter::text(text), Parameter::text("@b int OUTPUT"), output("@b")];
    let answer = session.call("sp_executesql", &parameters).await;
    assert_eq!(answer.error(), 8134);
    assert!(answer.lines().contains(&"value @b int? = 5".to_owned()), "{:#?}", answer.lines());
    drop(session);
    target.close().await;
}

#[tokio::test]
async fn wrong_arguments_are_refused() {
    let target = Target::new().await;
    let mut session = target.session().await;
    let query = || vec![Parameter::text("SELECT @a AS a"), Parameter::text("@a int")];
    let with = |more: Vec<Parameter>| [query(), more].concat();
    let cases = [
        ("sp_executesql", with(vec![number("@b", Some(1))]), 8145),
        ("sp_executesql", with(vec![number("", Some(1)), number("", Some(2))]), 8144),
        ("sp_executesql", with(vec![output("@a")]), 8162),
        ("sp_executesql", with(vec![]), 8178),
        ("sp_executesql", vec![number("", Some(1))], 214),
        ("sp_execute", vec![number("", Some(99))], 8179),
        ("sp_unprepare", vec![number("", None)], 8179),
        ("dbo.no_such_procedure", vec![], 2812),
    ];
    for (procedure, parameters, number) in cases {
        let answer = session.call(procedure, &parameters).await;
        assert_eq!(answer.error(), number, "{procedure}: {:#?}", answer.lines());
    }
    let answer = session.call("sp_executesql", &query()).await;
    let expected = "The parameterized query '(@a int)SELECT @a AS a' expects the parameter '@a', which was not \
                    supplied.";
    assert_eq!(answer.errors()[0].text, expected);
    assert_eq!(session.run("SELECT 1").await.rows(), "1");
    drop(session);
    target.close().await;
}

#[tokio::test]
async fn a_reset_forgets_handles_and_settings_and_may_keep_the_transaction() {
    let target = Target::new().await;
    for keeps_transaction in [false, true] {
        let mut session = target.session().await;
        let handle = prepare(&mut session, "", "SELECT 42 AS a").await;
        session.run("CREATE TABLE #t (a int); SET NOCOUNT ON; BEGIN TRANSACTION").await;
        session.reset_with_next_request(keeps_transaction);
        let state =
            session.run("SELECT @@TRANCOUNT, XACT_STATE(), @@OPTIONS & 512, OBJECT_ID('tempdb..#t')").await;
        let expected = if keeps_transaction { "1,1,0,NULL" } else { "0,0,0,NULL" };
        assert_eq!(state.rows(), expected, "{:#?}", state.lines());
        let answer = call(&mut session, "sp_execute", &[number("", Some(handle))]).await;
        assert_eq!(answer[0], "error 8179 class 16 state 1");
        session.run("IF @@TRANCOUNT > 0 ROLLBACK").await;
    }
    target.close().await;
}
