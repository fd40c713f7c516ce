//! A client that sends whatever bytes it is told to.

use std::io;
use std::time::Duration;

use mssql_sim::server::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

const HEADER: usize = 8;
const LAST_PACKET: u8 = 1;
/// An answer, or the end of the connection, that takes longer is a hang.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Packet types.
pub(crate) const BATCH: u8 = 1;
pub(crate) const CALL: u8 = 3;
pub(crate) const ATTENTION: u8 = 6;
pub(crate) const BULK_LOAD: u8 = 7;
pub(crate) const TRANSACTION: u8 = 14;
pub(crate) const LOGIN: u8 = 16;
pub(crate) const PRELOGIN: u8 = 18;

/// A connection.
pub(crate) struct Raw {
    stream: DuplexStream,
}

impl Raw {
    /// Connects without a word.
    pub(crate) fn connect(server: &Server) -> Self {
        Self { stream: server.connect() }
    }

    /// Connects and logs in as the administrator.
    pub(crate) async fn log_in(server: &Server) -> Self {
        let mut raw = Self::connect(server);
        for packet in [packet(PRELOGIN, LAST_PACKET, &prelogin()), packet(LOGIN, LAST_PACKET, &login7())] {
            raw.send(&packet).await.unwrap();
            raw.message().await.unwrap();
        }
        raw
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// The body of the next message.
    pub(crate) async fn message(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let mut header = [0; HEADER];
            self.stream.read_exact(&mut header).await?;
            let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
            let start = body.len();
            body.resize(start + length - HEADER, 0);
            self.stream.read_exact(&mut body[start..]).await?;
            if header[1] & LAST_PACKET != 0 {
                return Ok(body);
            }
        }
    }

    /// Says nothing more and waits until the server closes the connection.
    pub(crate) async fn finish(mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        let mut rest = [0; 4096];
        while self.stream.read(&mut rest).await? > 0 {}
        Ok(())
    }
}

/// A packet with a header that fits its body.
pub(crate) fn packet(kind: u8, status: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(HEADER + body.len()).unwrap().to_be_bytes();
    [&[kind, status], length.as_slice(), &[0, 0, 1, 0], body].concat()
}

/// A message in packets of `size`, the last one marked as such.
pub(crate) fn message(kind: u8, body: &[u8], size: usize) -> Vec<u8> {
    let mut bodies: Vec<&[u8]> = body.chunks(size - HEADER).collect();
    if bodies.is_empty() {
        bodies.push(&[]);
    }
    let last = bodies.len() - 1;
    let packets = bodies.iter().enumerate();
    packets.flat_map(|(number, body)| packet(kind, u8::from(number == last), body)).collect()
}

/// `ALL_HEADERS` outside a transaction.
pub(crate) fn headers() -> Vec<u8> {
    [[22, 0, 0, 0, 18, 0, 0, 0, 2, 0].as_slice(), &[0; 8], &[1, 0, 0, 0]].concat()
}

pub(crate) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

pub(crate) fn batch(sql: &str) -> Vec<u8> {
    [headers(), utf16(sql)].concat()
}

/// PRELOGIN that asks for no encryption.
pub(crate) fn prelogin() -> Vec<u8> {
    vec![0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xFF, 16, 0, 0, 0, 0, 0, 2]
}

/// LOGIN7 of the administrator.
pub(crate) fn login7() -> Vec<u8> {
    const FIXED: usize = 94;
    let fields = ["host", "sa", "Passw0rd!", "raw", "", "", "", "us_english", "wms"];
    let mut pairs = Vec::new();
    let mut data = Vec::new();
    for (index, field) in fields.into_iter().enumerate() {
        let mut bytes = utf16(field);
        if index == 2 {
            bytes.iter_mut().for_each(|byte| *byte = byte.rotate_left(4) ^ 0xA5);
        }
        pairs.extend(u16::try_from(FIXED + data.len()).unwrap().to_le_bytes());
        pairs.extend(u16::try_from(field.len()).unwrap().to_le_bytes());
        data.extend(bytes);
    }
    let fixed = [[4, 0, 0, 0x74], 4096_u32.to_le_bytes()].concat();
    let mut body = vec![0; 4];
    body.extend(fixed);
    body.resize(36, 0);
    body.extend(pairs);
    body.resize(FIXED, 0);
    body.extend(data);
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    body[..4].copy_from_slice(&length);
    body
}
