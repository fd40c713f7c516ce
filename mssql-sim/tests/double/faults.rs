//! Faults strike where they are armed, as often as they say, and nowhere else.

use std::time::Duration;

use futures::TryStreamExt;
use mssql_sim::faults::{Effect, Fault, FaultError, Point, Strikes};
use mssql_sim::server::Server;
use tiberius::QueryItem;
use tiberius::error::Error;
use tokio::io::DuplexStream;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::batch::{self, server};
use crate::client::{self, Connection, config, connect, connect_as};

const SETUP: &str = "CREATE TABLE t (id int NOT NULL PRIMARY KEY, a varchar(200) NULL, b int NULL)";
const ROWS: usize = 200;
/// What takes longer takes for ever.
const LIMIT: Duration = Duration::from_secs(60);

async fn filled() -> Server {
    let server = server(SETUP).await;
    let values: Vec<String> = (1..=ROWS)
        .map(|id| {
            if id % 2 == 0 {
                format!("({id}, REPLICATE('x', 200), NULL)")
            } else {
                format!("({id}, NULL, NULL)")
            }
        })
        .collect();
    batch::run(&server, &format!("INSERT t VALUES {}", values.join(", "))).await;
    server
}

fn arm(server: &Server, at: Point, effect: Effect) {
    server.faults().arm(Fault::new(at, effect)).expect("the effect fits");
}

/// In place of an error's number: the line is broken.
const BROKEN: i64 = -1;
/// In place of an error's number: the client waits for more.
const WAITS: i64 = -2;

/// How a batch ends: rows that came, and the number of the error behind them.
async fn ends(client: &mut Connection<DuplexStream>, sql: &str) -> (usize, i64) {
    let work = async {
        let mut rows = 0;
        let mut stream = match client.simple_query(sql).await {
            Ok(stream) => stream,
            Err(error) => return (0, number(&error)),
        };
        loop {
            match stream.try_next().await {
                Ok(Some(QueryItem::Row(_))) => rows += 1,
                Ok(Some(_)) => {}
                Ok(None) => return (rows, 0),
                Err(error) => return (rows, number(&error)),
            }
        }
    };
    tokio::time::timeout(LIMIT, work).await.unwrap_or((0, WAITS))
}

fn number(error: &Error) -> i64 {
    match error {
        Error::Server(error) => i64::from(error.code()),
        _ => BROKEN,
    }
}

#[tokio::test]
async fn a_login_fails_as_it_is_told() {
    let server = server(SETUP).await;
    for number in [18456, 4060, 40613, 17830] {
        arm(&server, Point::Login, Effect::Error(FaultError::new(number)));
        let error = connect_as(config(), server.connect()).await.map(drop).expect_err("it is refused");
        assert!(matches!(&error, Error::Server(e) if e.code() == u32::try_from(number).unwrap()), "{error}");
    }
    for (at, effect) in [
        (Point::Connect, Effect::Close),
        (Point::Connect, Effect::Reset),
        (Point::Login, Effect::Close),
        (Point::Byte { nth: 1 }, Effect::Close),
        (Point::Byte { nth: 9 }, Effect::Reset),
        (Point::Byte { nth: 60 }, Effect::Close),
    ] {
        let listening = server.listen("127.0.0.1:0").await.expect("loopback has a free port");
        arm(&server, at.clone(), effect.clone());
        let stream = TcpStream::connect(listening.addr).await.expect("it listens");
        let refused = tokio::time::timeout(LIMIT, connect_as(config(), stream)).await.expect("no hang");
        assert!(refused.is_err(), "{effect:?} at {at:?}");
    }
    connect(&server).await;
}

#[tokio::test]
async fn a_fault_is_addressed_by_connection_request_statement_and_row() {
    let server = filled().await;
    let select = "SELECT id FROM t ORDER BY id";
    let fault = Fault {
        connection: Some(2),
        request: Some(2),
        at: Point::Statement { text: "FROM t".into(), nth: 2 },
        effect: Effect::Error(FaultError::new(701)),
        strikes: Strikes::Once,
    };
    server.faults().arm(fault).expect("the effect fits");
    let (mut first, mut second) = (connect(&server).await, connect(&server).await);
    let twice = format!("{select}; {select}");
    for (is_second, expected) in
        [(false, (400, 0)), (true, (400, 0)), (false, (400, 0)), (true, (200, 701)), (true, (400, 0))]
    {
        let client = if is_second { &mut second } else { &mut first };
        assert_eq!(ends(client, &twice).await, expected);
    }
    for (number, rows) in [(1205, 150), (1222, 0), (3960, 199), (701, 1), (8645, 7)] {
        let at = Point::Row { text: "FROM t".into(), nth: rows + 1 };
        arm(&server, at, Effect::Error(FaultError::new(number)));
        client::run(&mut first, "BEGIN TRAN").await;
        assert_eq!(ends(&mut first, select).await, (usize::try_from(rows).unwrap(), i64::from(number)));
        let open = client::rows(&mut first, "SELECT @@TRANCOUNT").await.unwrap()[0].get::<i32, _>(0);
        assert_eq!(open, Some(i32::from(!matches!(number, 1205 | 3960))), "{number}");
        client::run(&mut first, "IF @@TRANCOUNT > 0 ROLLBACK").await;
    }
    let twice_only = Fault {
        strikes: Strikes::Times(2),
        ..Fault::new(Point::Request, Effect::Error(FaultError::new(40197)))
    };
    server.faults().arm(twice_only).expect("the effect fits");
    for expected in [40197, 40197, 0] {
        assert_eq!(ends(&mut first, "SELECT 1 AS a").await.1, expected);
    }
}

/// Time is paused, so that one who waits for the rest of a reply is known at once.
#[tokio::test(start_paused = true)]
async fn a_line_that_breaks_is_an_error_wherever_it_breaks() {
    let server = filled().await;
    let select = "SELECT id, a, b FROM t ORDER BY id";
    for (at, effect) in [
        (Point::Request, Effect::Close),
        (Point::Request, Effect::TruncateDone),
        (Point::Statement { text: String::new(), nth: 1 }, Effect::Reset),
        (Point::Row { text: String::new(), nth: 100 }, Effect::Close),
        (Point::Byte { nth: 3 }, Effect::Close),
        (Point::Byte { nth: 5_000 }, Effect::Reset),
        (Point::Byte { nth: 9 }, Effect::Corrupt(0x00)),
        (Point::Row { text: String::new(), nth: 9 }, Effect::Error(FaultError::new(596))),
    ] {
        let mut client = connect(&server).await;
        arm(&server, at.clone(), effect.clone());
        assert_ne!(ends(&mut client, select).await.1, 0, "{effect:?} at {at:?}");
    }
    let mut client = connect(&server).await;
    assert_eq!(ends(&mut client, select).await, (ROWS, 0));
}

#[tokio::test]
async fn legal_oddities_change_no_result() {
    let server = filled().await;
    for effect in [Effect::Packets(1), Effect::Packets(500), Effect::Packets(0), Effect::MixRows] {
        arm(&server, Point::Connect, effect.clone());
        let mut client = connect(&server).await;
        let rows = client::rows(&mut client, "SELECT id, a, b FROM t ORDER BY id").await.expect("rows");
        assert_eq!(rows.len(), ROWS);
        for (index, row) in rows.iter().enumerate() {
            let id = i32::try_from(index + 1).unwrap();
            assert_eq!(row.get::<i32, _>(0), Some(id), "{effect:?}");
            assert_eq!(row.get::<&str, _>(1).map(str::len), (id % 2 == 0).then_some(200), "{effect:?}");
            assert_eq!(row.get::<i32, _>(2), None, "{effect:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn time_passes_as_it_is_told() {
    let server = filled().await;
    let mut client = connect(&server).await;
    let lasting = |at, effect| Fault { strikes: Strikes::Always, ..Fault::new(at, effect) };
    let elapsed = async |client: &mut Connection<DuplexStream>, sql: &str| {
        let begun = Instant::now();
        assert_eq!(ends(client, sql).await.1, 0);
        begun.elapsed()
    };
    server.faults().arm(lasting(Point::Request, Effect::Delay { ms: 300, jitter_ms: 0 })).expect("it fits");
    for _ in 0..2 {
        assert_eq!(elapsed(&mut client, "SELECT 1 AS a").await.as_millis(), 300);
    }
    server.faults().clear();
    let mut jitters = Vec::new();
    for _ in 0..2 {
        server.faults().reseed(7);
        server
            .faults()
            .arm(lasting(Point::Request, Effect::Delay { ms: 0, jitter_ms: 900 }))
            .expect("it fits");
        let delays =
            [elapsed(&mut client, "SELECT 1 AS a").await, elapsed(&mut client, "SELECT 1 AS a").await];
        assert_ne!(delays[0], delays[1], "jitter varies");
        jitters.push(delays);
        server.faults().clear();
    }
    assert_eq!(jitters[0], jitters[1], "a seed repeats it");

    arm(&server, Point::Connect, Effect::Throttle(10_000));
    let mut slow = connect(&server).await;
    let bytes = elapsed(&mut slow, "SELECT a FROM t").await.as_secs_f64();
    assert!((1.5..4.0).contains(&bytes), "some 22 kB at 10 kB/s take {bytes} s");
}

#[tokio::test]
async fn what_stalls_goes_on_when_it_is_resumed() {
    let server = filled().await;
    for at in [
        Point::Request,
        Point::Statement { text: String::new(), nth: 1 },
        Point::Row { text: String::new(), nth: 10 },
        Point::Byte { nth: 100 },
    ] {
        let mut client = connect(&server).await;
        arm(&server, at, Effect::Stall);
        let mut reading = std::pin::pin!(ends(&mut client, "SELECT id FROM t"));
        let stalled = tokio::time::timeout(Duration::from_millis(30), &mut reading).await;
        assert!(stalled.is_err(), "it stalls");
        server.faults().resume();
        assert_eq!(reading.await, (ROWS, 0));
    }
}

#[tokio::test]
async fn a_batch_runs_at_a_named_moment() {
    let server = filled().await;
    batch::run(&server, "ALTER TABLE t ENABLE CHANGE_TRACKING").await;
    let changes = "SELECT CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID(N't')); SELECT id FROM CHANGETABLE(CHANGES t, 0) AS c";
    let drop_and_create = format!("DROP TABLE t; {SETUP}; ALTER TABLE t ENABLE CHANGE_TRACKING");
    for (moment, expected) in [
        ("TRUNCATE TABLE t", (1, 0)),
        ("ALTER TABLE t DISABLE CHANGE_TRACKING", (1, 22105)),
        (&drop_and_create, (1, 0)),
        ("ALTER TABLE t ADD c int", (2, 0)),
        ("DROP TABLE t", (1, 208)),
    ] {
        batch::run(
            &server,
            "IF OBJECT_ID(N't') IS NULL CREATE TABLE t (id int NOT NULL PRIMARY KEY, a varchar(200), b int)",
        )
        .await;
        if batch::rows(&server, "SELECT COUNT(*) FROM sys.change_tracking_tables").await == "0" {
            batch::run(&server, "ALTER TABLE t ENABLE CHANGE_TRACKING").await;
        }
        batch::run(&server, "DELETE t; INSERT t (id) VALUES (1)").await;
        let mut client = connect(&server).await;
        // The first statement is the check, the second the read.
        arm(&server, Point::Statement { text: "CHANGETABLE".into(), nth: 2 }, Effect::Run(moment.into()));
        let given = ends(&mut client, changes).await;
        assert_eq!((given.0.min(2), given.1), expected, "{moment}");
    }
}

#[test]
fn an_effect_that_is_none_at_its_place_is_refused() {
    let server = Server::new(mssql_sim::server::Options::default());
    for (at, effect) in [
        (Point::Byte { nth: 1 }, Effect::Error(FaultError::new(701))),
        (Point::Connect, Effect::Run("SELECT 1".into())),
        (Point::Login, Effect::Throttle(1)),
        (Point::Request, Effect::Corrupt(0)),
    ] {
        assert!(server.faults().arm(Fault::new(at, effect)).is_err());
    }
}
