mod batch;
use std::time::Instant;
#[tokio::test]
async fn speed() {
    let s = batch::server("CREATE TABLE dbo.t (a int NOT NULL, b varchar(8) NOT NULL, c nvarchar(40), d decimal(18,4), e datetime2(3), f bit, g float, h money, i datetime, j nvarchar(200), PRIMARY KEY (a, b));
      CREATE TABLE dbo.n (n int NOT NULL PRIMARY KEY)").await;
    batch::run(&s, "INSERT INTO n VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)").await;
    batch::run(&s, "ALTER TABLE t ENABLE CHANGE_TRACKING").await;
    batch::run(&s, "INSERT INTO t SELECT x.n % 3, CAST(x.n AS varchar(8)), N'hello', 1.5, '2026-01-01', 1, 2.5, $3, '2026-01-01', NULL FROM (SELECT a.n + 10*b.n + 100*c.n + 1000*d.n + 10000*e.n AS n FROM n a, n b, n c, n d, n e) x").await;
    for q in ["SELECT COUNT(*) FROM CHANGETABLE(CHANGES t, 0) CT",
     "SELECT COUNT(*) FROM CHANGETABLE(CHANGES t, 0) CT LEFT JOIN t T ON T.a = CT.a AND T.b = CT.b",
     "SELECT CASE WHEN T.a IS NULL THEN 0 ELSE 1 END, CAST(CT.b AS nvarchar(8)), CT.a, CAST(T.b AS nvarchar(8)), T.c, T.d, T.e, T.f, T.g, CAST(T.h AS decimal(19,4)), T.i, T.j FROM CHANGETABLE(CHANGES t, 0) CT LEFT JOIN t T ON T.a = CT.a AND T.b = CT.b",
     "SELECT CAST(T.b AS nvarchar(8)), T.a, T.c, T.d, T.e, T.f, T.g, CAST(T.h AS decimal(19,4)), T.i, T.j FROM t T",
     "SELECT T.b, T.a, T.c, T.d, T.e, T.f, T.g, T.h, T.i FROM t T",
     "SELECT * FROM t"] {
        let t = Instant::now();
        let r = s.execute(q).await.unwrap();
        println!("{:?} {} {q}", t.elapsed(), r.len());
    }
}
