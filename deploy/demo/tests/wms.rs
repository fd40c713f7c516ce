//! The WMS's own part of the demo: its schema, past and traffic are accepted by the server, and are the same for the same seed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use chrono::{Duration, TimeZone, Utc};
use demo::client::{Login, SqlServer};
use demo::wms::{self, history, traffic::Traffic};
use mssql_sim::server::{Options, Server};
use std::net::Ipv4Addr;

#[tokio::test(flavor = "multi_thread")]
async fn the_server_takes_the_whole_past_and_the_traffic() {
    let server = Server::new(Options::default());
    let listening = server.listen((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let login = Login {
        address: listening.addr,
        database: "wms".into(),
        user: "sa".into(),
        password: Options::default().password,
    };
    let mut client = SqlServer::open(&login).await.unwrap();
    client.script(wms::SCHEMA).await.unwrap();
    let now = Utc.with_ymd_and_hms(2026, 11, 24, 18, 0, 0).unwrap();
    let written = history::write(7, now);
    assert_eq!(written.statements, history::write(7, now).statements);
    let begun = std::time::Instant::now();
    for statement in &written.statements {
        client
            .run(statement)
            .await
            .unwrap_or_else(|error| panic!("{error}: {}", &statement[..300.min(statement.len())]));
    }
    println!("{} statements in {:?}", written.statements.len(), begun.elapsed());
    let mut traffic = Traffic::new(7, written.open, written.serial);
    let mut batches = 0;
    for second in 0..120 {
        for batch in traffic.tick(now + Duration::seconds(second), 1.0) {
            client.run(&batch).await.unwrap_or_else(|error| panic!("{error}: {batch}"));
            batches += 1;
        }
    }
    println!("{batches} transactions");
    assert!(batches > 100);
    let shipped = client
        .rows("SELECT COUNT(*) FROM wms.orders WHERE status = 50 AND shipped_at IS NULL")
        .await
        .unwrap();
    assert_eq!(shipped[0].get::<i32, _>(0), Some(0));
}
