//! Requests that the client does not want any more, in both forms of the answer.

use mssql_sim::server::{AttentionReply, Options, Server};

use crate::raw::{self, ATTENTION, BATCH, BULK_LOAD, IGNORE, LAST_PACKET, Raw};

const ERROR: u16 = 0x02;
const ATTENTION_ACKNOWLEDGED: u16 = 0x20;
const ENVIRONMENT_CHANGE: u8 = 0xE3;

async fn server(attention_reply: AttentionReply) -> Server {
    let server = Server::new(Options { attention_reply, ..Options::default() });
    let values = (0..1000).map(|n| format!("({n})")).collect::<Vec<_>>().join(", ");
    server.execute(&format!("CREATE TABLE dbo.t (a int); INSERT INTO dbo.t VALUES {values}")).await.unwrap();
    server
}

async fn send(raw: &mut Raw, sql: &str) {
    raw.send(&raw::message(BATCH, &raw::batch(sql), 4096)).await.unwrap();
}

async fn cancel(raw: &mut Raw) {
    raw.send(&raw::packet(ATTENTION, LAST_PACKET, &[])).await.unwrap();
}

/// Status of the DONE that ends a message.
fn last_status(message: &[u8]) -> u16 {
    let done = &message[message.len() - 13..];
    assert_eq!(done[0], 0xFD, "{done:02x?}");
    u16::from_le_bytes([done[1], done[2]])
}

/// Reads what answers the attention of a request under way, up to the acknowledgement; the cut answer.
async fn acknowledged(raw: &mut Raw, form: AttentionReply) -> Vec<u8> {
    let cut = raw.message().await.unwrap();
    match form {
        AttentionReply::OneMessage => assert_eq!(last_status(&cut), ATTENTION_ACKNOWLEDGED),
        AttentionReply::TwoMessages => {
            assert_eq!(last_status(&cut), ERROR);
            let acknowledgement = raw.message().await.unwrap();
            assert_eq!((acknowledgement.len(), last_status(&acknowledgement)), (13, ATTENTION_ACKNOWLEDGED));
        }
    }
    cut
}

/// The one integer of a query's answer.
async fn number(raw: &mut Raw, sql: &str) -> i32 {
    send(raw, sql).await;
    let answer = raw.message().await.unwrap();
    assert_eq!(answer[0], 0x81, "{answer:02x?}");
    let value = &answer[answer.len() - 17..answer.len() - 13];
    i32::from_le_bytes(value.try_into().unwrap())
}

#[tokio::test]
async fn what_runs_is_cut_and_the_connection_goes_on() {
    for form in [AttentionReply::TwoMessages, AttentionReply::OneMessage] {
        let server = server(form).await;
        let mut raw = Raw::log_in(&server).await;

        send(&mut raw, "WAITFOR DELAY '01:00'").await;
        cancel(&mut raw).await;
        acknowledged(&mut raw, form).await;
        assert_eq!(number(&mut raw, "SELECT 1").await, 1);

        // A million rows, of which the client has seen one packet.
        send(&mut raw, "SELECT a.a, b.a FROM dbo.t AS a CROSS JOIN dbo.t AS b").await;
        assert!(!raw.packet().await.unwrap().last);
        cancel(&mut raw).await;
        let rows = acknowledged(&mut raw, form).await.len();
        assert!(rows < 1_000_000, "{rows} bytes");
        assert_eq!(number(&mut raw, "SELECT 2").await, 2);

        // Nothing runs any more: there is only the acknowledgement.
        cancel(&mut raw).await;
        let acknowledgement = raw.message().await.unwrap();
        assert_eq!((acknowledgement.len(), last_status(&acknowledgement)), (13, ATTENTION_ACKNOWLEDGED));
        assert_eq!(number(&mut raw, "SELECT 3").await, 3);
    }
}

#[tokio::test]
async fn a_cancelled_statement_is_undone_and_xact_abort_takes_its_transaction_along() {
    for form in [AttentionReply::TwoMessages, AttentionReply::OneMessage] {
        let server = server(form).await;
        for (xact_abort, left) in [("OFF", 1001), ("ON", 1000)] {
            let mut raw = Raw::log_in(&server).await;
            let sql =
                "BEGIN TRANSACTION; INSERT INTO dbo.t VALUES (1); WAITFOR DELAY '01:00'; DELETE FROM dbo.t";
            send(&mut raw, &format!("SET XACT_ABORT {xact_abort}; {sql}")).await;
            cancel(&mut raw).await;
            let cut = acknowledged(&mut raw, form).await;
            // ENVCHANGE 10, its new value empty, its old one the descriptor.
            let rolled_back = cut.windows(6).any(|window| window == [ENVIRONMENT_CHANGE, 11, 0, 10, 0, 8]);
            assert_eq!(rolled_back, xact_abort == "ON", "XACT_ABORT {xact_abort}");
            if xact_abort == "ON" {
                assert_eq!(number(&mut raw, "SELECT COUNT(*) FROM dbo.t").await, left);
            }
            drop(raw);
            let counted =
                server.execute("SELECT COUNT(*) FROM dbo.t WITH (READCOMMITTEDLOCK)").await.unwrap();
            assert_eq!(format!("{counted:?}"), "[[Int(1000)]]", "a connection that is gone leaves nothing");
        }
    }
}

#[tokio::test]
async fn a_bulk_load_can_be_taken_back_midway() {
    let columns = [0x81, 1, 0, 0, 0, 0, 0, 9, 0, 0x26, 4, 1, b'a', 0];
    let rows = [0xD1, 4, 7, 0, 0, 0].repeat(500);
    let body = [columns.as_slice(), &rows].concat();
    for form in [AttentionReply::TwoMessages, AttentionReply::OneMessage] {
        let server = server(form).await;
        let mut raw = Raw::log_in(&server).await;
        for ignored in [false, true] {
            send(&mut raw, "INSERT BULK dbo.t (a int)").await;
            assert_eq!(last_status(&raw.message().await.unwrap()), 0);
            raw.send(&raw::packet(BULK_LOAD, 0, &body)).await.unwrap();
            if ignored {
                raw.send(&raw::packet(BULK_LOAD, LAST_PACKET | IGNORE, &[])).await.unwrap();
                assert_eq!(last_status(&raw.message().await.unwrap()), ERROR);
            } else {
                cancel(&mut raw).await;
                acknowledged(&mut raw, form).await;
            }
            assert_eq!(number(&mut raw, "SELECT COUNT(*) FROM dbo.t").await, 1000, "ignored: {ignored}");
        }
        send(&mut raw, "INSERT BULK dbo.t (a int)").await;
        raw.message().await.unwrap();
        raw.send(&raw::packet(BULK_LOAD, LAST_PACKET, &body)).await.unwrap();
        assert_eq!(last_status(&raw.message().await.unwrap()), 0x10, "a count");
        assert_eq!(number(&mut raw, "SELECT COUNT(*) FROM dbo.t").await, 1500);
    }
}
