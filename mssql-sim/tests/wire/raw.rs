//! A client that sends whatever bytes it is told to.

use std::io;
use std::time::Duration;

use mssql_sim::server::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

const HEADER: usize = 8;
/// Status of a message's last packet.
pub(crate) const LAST_PACKET: u8 = 1;
/// Status of a message that the client takes back.
pub(crate) const IGNORE: u8 = 2;
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

/// A packet of an answer.
pub(crate) struct Packet {
    /// It ends its message.
    pub(crate) last: bool,
    pub(crate) id: u8,
    pub(crate) body: Vec<u8>,
}

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
        Self::log_in_with(server, 4096).await.0
    }

    /// Connects and logs in, asking for a packet size; also the tokens that answer the login.
    pub(crate) async fn log_in_with(server: &Server, packet_size: u32) -> (Self, Vec<u8>) {
        let mut raw = Self::connect(server);
        raw.send(&packet(PRELOGIN, LAST_PACKET, &prelogin())).await.unwrap();
        raw.message().await.unwrap();
        let mut login = login7();
        login[8..12].copy_from_slice(&packet_size.to_le_bytes());
        raw.send(&packet(LOGIN, LAST_PACKET, &login)).await.unwrap();
        let answer = raw.message().await.unwrap();
        (raw, answer)
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// The next packet.
    pub(crate) async fn packet(&mut self) -> io::Result<Packet> {
        let mut header = [0; HEADER];
        self.stream.read_exact(&mut header).await?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let mut body = vec![0; length - HEADER];
        self.stream.read_exact(&mut body).await?;
        Ok(Packet { last: header[1] & LAST_PACKET != 0, id: header[6], body })
    }

    /// The packets of the next message.
    pub(crate) async fn packets(&mut self) -> io::Result<Vec<Packet>> {
        let mut packets = vec![self.packet().await?];
        while packets.last().is_some_and(|packet| !packet.last) {
            packets.push(self.packet().await?);
        }
        Ok(packets)
    }

    /// The body of the next message.
    pub(crate) async fn message(&mut self) -> io::Result<Vec<u8>> {
        Ok(self.packets().await?.into_iter().flat_map(|packet| packet.body).collect())
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
