//! Bytes that no well-behaved client sends: every connection ends in an answer or is closed, nothing panics, and the
//! server goes on.

use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use mssql_sim::server::{Options, Server};
use mssql_sim::wire::tls::{Authority, Tls, Validity};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::time::timeout;

use crate::client::{connect, rows, run};
use crate::raw::{self, ATTENTION, BATCH, BULK_LOAD, CALL, DEADLINE, LOGIN, PRELOGIN, Raw, TRANSACTION};

/// Connections of the short form; `CONFORMANCE=long` makes it the number of the second constant.
const CONNECTIONS: u64 = 1_500;
const CONNECTIONS_LONG: u64 = 50_000;
/// Connections between two looks at a healthy client.
const ROUND: u64 = 500;
/// The server must not believe a length that it reads.
const PEAK_KIBIBYTES: u64 = 1024 * 1024;

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Counts the panics of every task of this process.
fn watch_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.fetch_add(1, Ordering::Relaxed);
            report(info);
        }));
    });
}

/// A call of `sp_executesql` with an argument of each way in which a value can be delimited.
fn call() -> Vec<u8> {
    const COLLATION: [u8; 5] = [9, 4, 0xD0, 0, 0x34];
    let nvarchar = |text: &str| {
        let bytes = raw::utf16(text);
        let length = u16::try_from(bytes.len()).unwrap().to_le_bytes();
        [[0, 0, 0xE7, 0x40, 0x1F].as_slice(), &COLLATION, &length, &bytes].concat()
    };
    let plp = [
        [0, 0, 0xE7, 0xFF, 0xFF].as_slice(),
        &COLLATION,
        &[0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 4, 0, 0, 0, b'h', 0, b'i', 0, 0, 0, 0, 0],
    ];
    let decimal = [0, 0, 0x6C, 17, 38, 2, 5, 1, 42, 0, 0, 0];
    let float = [[0, 0, 0x6D, 8, 8].as_slice(), &0.5_f64.to_le_bytes()].concat();
    let datetime2 = [0, 0, 0x2A, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8];
    let ntext = [[0, 0, 0x63, 8, 0, 0, 0].as_slice(), &COLLATION, &[4, 0, 0, 0, b'h', 0, b'o', 0]].concat();
    let variant = [0, 0, 0x62, 0x49, 0x1F, 0, 0, 6, 0, 0, 0, 0x38, 0, 7, 0, 0, 0];
    let output = [0, 1, 0x26, 4, 0];
    let text = "SELECT @a, @b, @c, @d, @e, @f; SET @g = 1";
    let declared = "@a nvarchar(max), @b decimal(38, 2), @c float, @d datetime2(7), @e nvarchar(max), @f sql_variant, @g int OUT";
    [
        raw::headers(),
        vec![0xFF, 0xFF, 10, 0, 0, 0],
        nvarchar(text),
        nvarchar(declared),
        plp.concat(),
        decimal.to_vec(),
        float,
        datetime2.to_vec(),
        ntext,
        variant.to_vec(),
        output.to_vec(),
    ]
    .concat()
}

fn rows_of_a_load() -> Vec<u8> {
    let column = |info: &[u8], name: u8| [&[0, 0, 0, 0, 9, 0], info, &[1, name, 0]].concat();
    let columns = [column(&[0x26, 4], b'a'), column(&[0xE7, 40, 0, 9, 4, 0xD0, 0, 0x34], b'b')].concat();
    let row = [0xD1, 4, 1, 0, 0, 0, 4, 0, b'x', 0, b'y', 0];
    [&[0x81, 2, 0], columns.as_slice(), &row, &row, &[0xFD], &[0; 12]].concat()
}

/// What a client may say once it is logged in, each a sequence of messages.
fn conversations() -> Vec<Vec<(u8, Vec<u8>)>> {
    let transaction = |request: &[u8]| [raw::headers(), request.to_vec()].concat();
    let bulk = raw::batch("INSERT BULK dbo.t (a int, b nvarchar(20)) WITH (TABLOCK, KEEP_NULLS)");
    vec![
        vec![(BATCH, raw::batch("SELECT a, b FROM dbo.t WHERE a > 1 AND b LIKE N'x%' ORDER BY a DESC"))],
        vec![(
            BATCH,
            raw::batch(
                "DECLARE @a int = 5; IF @a > 3 INSERT INTO dbo.t VALUES (@a, N'\u{1f69a}') ELSE PRINT 'no'",
            ),
        )],
        vec![(BATCH, raw::batch("BEGIN TRY SELECT 1 / 0 END TRY BEGIN CATCH THROW END CATCH"))],
        vec![(CALL, call())],
        vec![(CALL, call()), (BATCH, raw::batch("SELECT 1"))],
        vec![(TRANSACTION, transaction(&[5, 0, 4, 2, b's', 0])), (TRANSACTION, transaction(&[8, 0, 0, 0]))],
        vec![(BATCH, bulk), (BULK_LOAD, rows_of_a_load())],
        vec![(ATTENTION, Vec::new()), (BATCH, raw::batch("SELECT @@SPID"))],
    ]
}

/// Changes a few bytes, or their number.
fn mutate(bytes: &mut Vec<u8>, random: &mut StdRng) {
    const LENGTHS: [u32; 8] = [0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFE, u32::MAX];
    for _ in 0..random.random_range(1..4) {
        let position = random.random_range(0..=bytes.len());
        let width = random.random_range(0..8).min(bytes.len() - position);
        let place = position..position + width;
        match random.random_range(0..6) {
            0 => bytes[place].iter_mut().for_each(|byte| *byte = random.random()),
            1 => bytes[place].iter_mut().for_each(|byte| *byte ^= 1 << random.random_range(0..8)),
            2 => {
                let length = LENGTHS[random.random_range(0..LENGTHS.len())].to_le_bytes();
                bytes[place].iter_mut().zip(length).for_each(|(byte, new)| *byte = new);
            }
            3 => drop(bytes.drain(place)),
            4 => {
                let copy = bytes[place].to_vec();
                bytes.splice(position..position, copy);
            }
            _ => bytes.truncate(position),
        }
    }
}

/// One hostile conversation, to the end of its connection.
async fn converse(server: &Server, random: &mut StdRng) {
    let mut conversations = conversations();
    let conversation = conversations.swap_remove(random.random_range(0..conversations.len()));
    let spoils_login = random.random_bool(0.2);
    let mut raw = if spoils_login { Raw::connect(server) } else { Raw::log_in(server).await };
    let mut prelogin = raw::prelogin();
    // In half of them the client wants TLS, and goes on with what is no handshake.
    *prelogin.last_mut().unwrap() = random.random_range(0..4);
    let login = [(PRELOGIN, prelogin), (LOGIN, raw::login7())];
    let messages = if spoils_login { login.to_vec() } else { conversation };
    for (kind, mut body) in messages {
        let size = [512, 4096][random.random_range(0..2)];
        let mut bytes = if random.random_bool(0.7) {
            if random.random_bool(0.9) {
                mutate(&mut body, random);
            }
            body.truncate(60_000);
            raw::message(kind, &body, size)
        } else {
            raw::message(kind, &body, size)
        };
        if random.random_bool(0.3) {
            mutate(&mut bytes, random);
        }
        if raw.send(&bytes).await.is_err() {
            // Closed already.
            return;
        }
    }
    // However it ends.
    drop(raw.finish().await);
}

#[tokio::test]
async fn mutated_requests_end_in_an_answer_or_a_closed_connection() {
    watch_panics();
    let is_long = std::env::var("CONFORMANCE").is_ok_and(|form| form == "long");
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let authority = Authority::new();
    let tls = Tls { identity: authority.issue(&["localhost"], Validity::Current), forced: false };
    let server = Server::new(Options { tls: Some(tls), ..Options::default() });
    let mut healthy = connect(&server).await;
    run(&mut healthy, "CREATE TABLE dbo.t (a int, b nvarchar(20))").await;
    let connections = if is_long { CONNECTIONS_LONG } else { CONNECTIONS };
    for number in 0..connections {
        let mut random = StdRng::seed_from_u64(seed.wrapping_add(number));
        let ended = timeout(DEADLINE, converse(&server, &mut random)).await;
        assert!(
            ended.is_ok(),
            "seed {seed}, connection {number}: neither answered nor closed within {DEADLINE:?}"
        );
        if number % ROUND == 0 {
            assert_eq!(rows(&mut healthy, "SELECT 1").await.unwrap().len(), 1);
        }
        assert_eq!(PANICS.load(Ordering::Relaxed), 0, "seed {seed}, connection {number}");
    }
    assert_eq!(rows(&mut healthy, "SELECT 1").await.unwrap().len(), 1);
    let peak = peak_kibibytes();
    assert!(peak < PEAK_KIBIBYTES, "{peak} KiB");
    println!(
        "{connections} conversations with mutated bytes, 0 panics, 0 hangs, {} MiB at most",
        peak / 1024
    );
}

/// The most memory that this process has had.
fn peak_kibibytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or(0, |peak| peak.trim().trim_end_matches(" kB").parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_log_in_is_left() {
    let server = Server::new(Options::default());
    let mut silent = Raw::connect(&server);
    let begun = tokio::time::Instant::now();
    silent.message().await.expect_err("the server has nothing to say");
    assert_eq!(begun.elapsed().as_secs(), 30);
}

/// An argument that is no value, in a transaction: the call is refused, the transaction is gone, the connection is not.
#[tokio::test]
async fn a_call_that_cannot_be_read_is_refused_with_the_server_s_number() {
    let server = Server::new(Options::default());
    let mut raw = Raw::log_in(&server).await;
    let call = |argument: &[u8]| {
        let text = raw::utf16("SELECT 1");
        let length = u16::try_from(text.len()).unwrap().to_le_bytes();
        let statement = [[0, 0, 0xE7, 0x40, 0x1F, 9, 4, 0xD0, 0, 0x34].as_slice(), &length, &text].concat();
        [raw::headers(), vec![0xFF, 0xFF, 10, 0, 0, 0], statement, argument.to_vec()].concat()
    };
    let nan = [[0, 0, 0x6D, 8, 8].as_slice(), &f64::NAN.to_le_bytes()].concat();
    let cases: [(&[u8], i32); 5] = [
        (&nan, 8023),
        (&[0, 0, 0x28, 3, 0xFF, 0xFF, 0xFF], 8023),
        (&[0, 0, 0x6A, 17, 39, 0, 0], 8016),
        (&[0, 0, 0xA5, 0, 0, 0, 0], 8016),
        (&[0, 0, 0xA5, 0xFF, 0xFF, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9], 4002),
    ];
    for (argument, number) in cases {
        raw.send(&raw::message(CALL, &call(argument), 4096)).await.unwrap();
        let answer = raw.message().await.unwrap();
        assert_eq!(answer[0], 0xAA, "an ERROR comes first: {answer:02x?}");
        assert_eq!(i32::from_le_bytes(answer[3..7].try_into().unwrap()), number, "{argument:02x?}");
    }
}
