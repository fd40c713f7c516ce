//! Packets: sizes, numbers, and messages that are cut in odd ways.

use mssql_sim::server::{Options, Server};

use crate::raw::{self, BATCH, LAST_PACKET, Raw};

const HEADER: usize = 8;

#[tokio::test]
async fn answers_come_in_packets_of_the_agreed_size() {
    let server = Server::new(Options::default());
    for (asked, agreed) in [
        (0, 4096),
        (1, 512),
        (512, 512),
        (513, 513),
        (4096, 4096),
        (8192, 8192),
        (32767, 32767),
        (70_000, 32767),
    ] {
        let (mut raw, login) = Raw::log_in_with(&server, asked).await;
        let size = raw::utf16(&agreed.to_string());
        let change = [&[4, u8::try_from(size.len() / 2).unwrap()], size.as_slice()].concat();
        assert!(login.windows(change.len()).any(|window| window == change), "asked {asked}");

        raw.send(&raw::message(
            BATCH,
            &raw::batch("SELECT REPLICATE(CAST(N'x' AS nvarchar(max)), 80000)"),
            agreed,
        ))
        .await
        .unwrap();
        let packets = raw.packets().await.unwrap();
        let (last, full) = packets.split_last().unwrap();
        assert!(
            full.iter().all(|packet| packet.body.len() == agreed - HEADER && !packet.last),
            "asked {asked}"
        );
        assert!(!last.body.is_empty() && last.body.len() <= agreed - HEADER);
        let ids: Vec<u8> = packets.iter().map(|packet| packet.id).collect();
        let expected: Vec<u8> =
            (1..=packets.len()).map(|number| u8::try_from(number % 256).unwrap()).collect();
        assert_eq!(ids, expected, "numbers begin at 1 and wrap");
        assert!(agreed > 512 || packets.len() > 256, "they do wrap");
    }
}

#[tokio::test]
async fn a_reset_stands_in_the_first_packet() {
    const RESET: u8 = 8;
    let server = Server::new(Options::default());
    let mut raw = Raw::log_in(&server).await;
    raw.send(&raw::message(BATCH, &raw::batch("SET LOCK_TIMEOUT 5"), 4096)).await.unwrap();
    raw.message().await.unwrap();
    let request = raw::batch("SELECT @@LOCK_TIMEOUT");
    let (head, tail) = request.split_at(30);
    raw.send(&[raw::packet(BATCH, RESET, head), raw::packet(BATCH, LAST_PACKET, tail)].concat())
        .await
        .unwrap();
    let answer = raw.message().await.unwrap();
    assert_eq!(answer[..4], [0xE3, 3, 0, 18], "ENVCHANGE comes first: {answer:02x?}");
    let value = &answer[answer.len() - 17..answer.len() - 13];
    assert_eq!(value, (-1_i32).to_le_bytes());
}

#[tokio::test]
async fn a_request_is_read_however_it_is_cut() {
    let server = Server::new(Options::default());
    let mut raw = Raw::log_in(&server).await;
    let request = raw::batch("SELECT 'whole'");
    let last = raw::packet(BATCH, LAST_PACKET, &[]);
    let empty = raw::packet(BATCH, 0, &[]);
    let bytes = request.iter().map(|byte| raw::packet(BATCH, 0, &[*byte])).collect::<Vec<_>>();
    let cases = [
        raw::message(BATCH, &request, 4096),
        raw::message(BATCH, &request, 19),
        // A packet per byte, and a last one with nothing in it.
        [bytes.concat(), last].concat(),
        // Packets with nothing in them between the others.
        [
            empty.clone(),
            raw::packet(BATCH, 0, &request[..9]),
            empty.clone(),
            raw::packet(BATCH, 1, &request[9..]),
        ]
        .concat(),
    ];
    for request in cases {
        raw.send(&request).await.unwrap();
        let answer = raw.message().await.unwrap();
        assert_eq!(answer[0], 0x81, "a result: {answer:02x?}");
        assert!(answer.windows(5).any(|window| window == b"whole"));
    }
}
