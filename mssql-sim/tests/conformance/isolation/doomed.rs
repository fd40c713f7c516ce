//! What errors do to the transaction around them: XACT_ABORT, TRY and CATCH, transactions that can only be rolled back.

use super::{LEVELS, Stage};
use crate::target::Target;
use crate::tds::Answer;

/// A batch in a session of its own, its rows and its errors, and what `@@TRANCOUNT` is behind it.
type Case = (&'static str, &'static str, &'static [i32], &'static str);

const CASES: [Case; 14] = [
    (
        "BEGIN TRAN; BEGIN TRY INSERT INTO t VALUES (10, 0) END TRY
         BEGIN CATCH SELECT ERROR_NUMBER(), XACT_STATE(), @@TRANCOUNT END CATCH",
        "2627,1,1",
        &[],
        "1",
    ),
    (
        "SET XACT_ABORT ON; BEGIN TRAN; BEGIN TRY INSERT INTO t VALUES (10, 0) END TRY
         BEGIN CATCH SELECT ERROR_NUMBER(), XACT_STATE(), @@TRANCOUNT END CATCH; SELECT COUNT(*) FROM t",
        "2627,-1,1; 4",
        &[3998],
        "0",
    ),
    (
        "SET XACT_ABORT ON; BEGIN TRAN; BEGIN TRY INSERT INTO t VALUES (10, 0) END TRY
         BEGIN CATCH INSERT INTO t VALUES (50, 0) END CATCH; SELECT 'not reached'",
        "",
        &[3930],
        "0",
    ),
    (
        "SET XACT_ABORT ON; BEGIN TRAN; BEGIN TRY INSERT INTO t VALUES (10, 0) END TRY
         BEGIN CATCH COMMIT END CATCH; SELECT 'not reached'",
        "",
        &[3930],
        "0",
    ),
    (
        "SET XACT_ABORT ON; BEGIN TRAN; BEGIN TRY INSERT INTO t VALUES (10, 0) END TRY
         BEGIN CATCH SAVE TRAN s END CATCH; SELECT 'not reached'",
        "",
        &[3930],
        "0",
    ),
    (
        "SET XACT_ABORT ON; BEGIN TRAN; BEGIN TRY INSERT INTO t VALUES (10, 0) END TRY
         BEGIN CATCH
             BEGIN TRY CREATE TABLE u (id int) END TRY BEGIN CATCH SELECT ERROR_NUMBER() END CATCH
         END CATCH",
        "3930",
        &[3998],
        "0",
    ),
    (
        "SET XACT_ABORT ON; BEGIN TRAN; BEGIN TRY INSERT INTO t VALUES (10, 0) END TRY
         BEGIN CATCH ROLLBACK END CATCH; INSERT INTO t VALUES (50, 0); SELECT XACT_STATE(), COUNT(*) FROM t",
        "0,5",
        &[],
        "0",
    ),
    (
        "SET XACT_ABORT ON; BEGIN TRAN; BEGIN TRY RAISERROR('a', 16, 1) END TRY
         BEGIN CATCH SELECT ERROR_NUMBER(), XACT_STATE() END CATCH",
        "50000,-1",
        &[3998],
        "0",
    ),
    (
        "SET XACT_ABORT ON; BEGIN TRAN; RAISERROR('a', 16, 1); SELECT XACT_STATE()",
        "1",
        &[50000],
        "1",
    ),
    ("SET XACT_ABORT ON; BEGIN TRAN; THROW 50001, 'a', 1; SELECT 'not reached'", "", &[50001], "0"),
    (
        "SET XACT_ABORT ON; BEGIN TRAN; BEGIN TRAN; SELECT 1 / (@@TRANCOUNT - 2); SELECT 'not reached'",
        "",
        &[8134],
        "0",
    ),
    (
        "BEGIN TRAN; BEGIN TRY DECLARE @n int = CAST('x' AS int) END TRY
         BEGIN CATCH SELECT ERROR_NUMBER(), XACT_STATE() END CATCH",
        "245,-1",
        &[3998],
        "0",
    ),
    ("BEGIN TRAN; DECLARE @n int = CAST('x' AS int); SELECT 'not reached'", "", &[245], "0"),
    (
        "SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRAN; SELECT COUNT(*) FROM sys.tables WHERE name = 't';
         SELECT COUNT(*) FROM t; SELECT @@TRANCOUNT",
        "1; 1",
        &[3952],
        "1",
    ),
];

#[tokio::test]
async fn errors_end_no_more_than_they_should() {
    let target = Target::new().await;
    let stage = Stage::open(&target, LEVELS[1]).await;
    for (sql, rows, errors, nesting) in CASES {
        let mut session = target.session().await;
        let answer: Answer = session.batch(sql).await;
        let numbers: Vec<i32> = answer.errors().iter().map(|error| error.number).collect();
        assert_eq!((answer.rows().as_str(), numbers.as_slice()), (rows, errors), "{sql}");
        assert_eq!(session.run("SELECT @@TRANCOUNT").await.rows(), nesting, "{sql}");
        session.run("IF @@TRANCOUNT > 0 ROLLBACK; SET TRANSACTION ISOLATION LEVEL READ COMMITTED; DELETE FROM t WHERE id = 50").await;
    }
    drop(stage);
    target.close().await;
}
