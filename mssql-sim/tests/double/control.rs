//! Counters, and the control port as a test in any language uses it.

use mssql_sim::control::ControlPort;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::batch::{error, rows, run, server};
use crate::client::{self, connect};

const VERSION: &str = "SELECT CHANGE_TRACKING_CURRENT_VERSION()";

/// One request by hand: status and body.
async fn ask(address: std::net::SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: control\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, body.to_owned())
}

#[tokio::test]
async fn counters_count() {
    let server = server("CREATE TABLE t (id int NOT NULL PRIMARY KEY)").await;
    run(&server, "INSERT t VALUES (1), (2), (3)").await;
    let before = server.counters();
    let mut client = connect(&server).await;
    client::run(&mut client, "SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRAN; SELECT id FROM t").await;
    let after = server.counters();
    assert_eq!((after.connections - before.connections, after.open_sessions - before.open_sessions), (1, 1));
    assert_eq!((after.requests - before.requests, after.statements - before.statements), (1, 3));
    assert_eq!((after.rows_read - before.rows_read, after.rows_sent - before.rows_sent), (3, 3));
    assert_eq!((after.open_transactions, after.open_snapshots), (1, 1));
    assert!(after.bytes_received > before.bytes_received + 200 && after.bytes_sent > before.bytes_sent + 200);
    client::run(&mut client, "COMMIT").await;
    let ended = server.counters();
    assert_eq!((ended.open_transactions, ended.open_snapshots, ended.waits), (0, 0, before.waits));
}

#[tokio::test]
async fn the_control_port_does_what_the_library_does() {
    let server = server("CREATE TABLE t (id int NOT NULL PRIMARY KEY)").await;
    run(&server, "ALTER TABLE t ENABLE CHANGE_TRACKING").await;
    let port = ControlPort::bind("127.0.0.1:0".parse().expect("an address")).await.expect("a free port");
    let address = port.address().expect("it is bound");
    let serving = tokio::spawn(port.serve(server.clone()));
    let ok = async |method: &str, path: &str, body: &str| {
        assert_eq!(ask(address, method, path, body).await, (204, String::new()), "{method} {path} {body}");
    };

    ok("POST", "/save", r#"{"database":"wms","device":"first"}"#).await;
    run(&server, "INSERT t VALUES (1)").await;
    ok("POST", "/clock", r#"{"advance_ms":604800000}"#).await;
    ok("POST", "/cleanup", r#"{"database":"wms"}"#).await;
    let kept = "SELECT COUNT(*) FROM CHANGETABLE(CHANGES t, 0) AS c";
    assert_eq!((rows(&server, VERSION).await, rows(&server, kept).await), ("1".into(), "0".into()));

    let fault = r#"{"at":{"statement":{"text":"FROM t","nth":1}},"effect":{"error":{"number":1205}},"strikes":{"times":2}}"#;
    ok("POST", "/faults", fault).await;
    let mut client = connect(&server).await;
    let failed = client::rows(&mut client, "SELECT id FROM t").await.expect_err("a fault is armed");
    assert!(failed.to_string().contains("1205"), "{failed}");
    ok("DELETE", "/faults", "").await;
    client::run(&mut client, "SELECT id FROM t").await;

    ok("POST", "/gate", r#"{"hold":1}"#).await;
    let committing = tokio::spawn({
        let server = server.clone();
        async move { run(&server, "INSERT t VALUES (2)").await }
    });
    server.engine().commit_held().await;
    ok("DELETE", "/gate", "").await;
    committing.await.expect("the commit goes through");

    ok("POST", "/restore", r#"{"database":"wms","device":"first"}"#).await;
    assert_eq!(rows(&server, VERSION).await, "0");
    ok("POST", "/failover", r#"{"outage_ms":1,"server_name":"SECOND"}"#).await;
    assert_eq!(rows(&server, "SELECT @@SERVERNAME").await, "SECOND");

    let (status, counters) = ask(address, "GET", "/counters", "").await;
    let counters: serde_json::Value = serde_json::from_str(&counters).expect("JSON");
    assert_eq!((status, counters["connections"].as_u64()), (200, Some(1)));
    for (path, body, expected) in [
        ("/restore", r#"{"database":"wms","device":"none"}"#, 409),
        ("/save", r#"{"database":"none","device":"x"}"#, 409),
        ("/faults", r#"{"at":"login","effect":"mix_rows"}"#, 422),
        ("/faults", r#"{"at":"login"}"#, 422),
        ("/clock", "{", 400),
    ] {
        assert_eq!(ask(address, "POST", path, body).await.0, expected, "{path} {body}");
    }
    assert_eq!(error(&server, "SELECT id FROM t").await, 0);
    serving.abort();
    let outside = ControlPort::bind("0.0.0.0:0".parse().expect("an address")).await;
    assert!(outside.is_err(), "only the loopback may control it");
}
