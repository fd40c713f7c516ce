//! Clients of the server under measurement: tiberius, and a reader that only counts bytes.

use mssql_sim::server::Options;
use tiberius::{AuthMethod, Client, Config, EncryptionLevel};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

use crate::Failure;

pub(crate) type Session = Client<Compat<TcpStream>>;

const PACKET_SIZE: u32 = 32_767;
const HEADER: usize = 8;
const BATCH: u8 = 1;
const END_OF_MESSAGE: u8 = 1;

/// Logs in.
pub(crate) async fn connect(address: &str) -> Result<Session, Failure> {
    log_in(TcpStream::connect(address).await?).await
}

async fn log_in(stream: TcpStream) -> Result<Session, Failure> {
    let options = Options::default();
    let mut config = Config::new();
    config.encryption(EncryptionLevel::NotSupported);
    config.authentication(AuthMethod::sql_server(options.user, options.password));
    config.database(options.database);
    config.packet_size(PACKET_SIZE);
    config.command_timeout(None);
    stream.set_nodelay(true)?;
    Ok(Box::pin(Client::connect(config, stream.compat_write())).await?)
}

/// A session whose replies are not decoded.
pub(crate) struct RawSession {
    stream: BufReader<TcpStream>,
    /// It logged the connection in, and closes it.
    _session: Session,
}

impl RawSession {
    pub(crate) async fn connect(address: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?.into_std()?;
        let session = log_in(TcpStream::from_std(stream.try_clone()?)?).await?;
        let stream = BufReader::with_capacity(1 << 18, TcpStream::from_std(stream)?);
        Ok(Self { stream, _session: session })
    }

    /// Runs a query and returns the rows that its last token counts, and the reply's bytes.
    pub(crate) async fn count(&mut self, sql: &str) -> Result<(u64, u64), Failure> {
        self.stream.get_mut().write_all(&batch(sql)).await?;
        let mut body = Vec::new();
        let mut bytes = 0;
        loop {
            let mut header = [0; HEADER];
            self.stream.read_exact(&mut header).await?;
            let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
            body.resize(length - HEADER, 0);
            self.stream.read_exact(&mut body).await?;
            bytes += length as u64;
            if header[1] & END_OF_MESSAGE != 0 {
                break;
            }
        }
        // DONE ends in the count.
        let count = body.last_chunk().ok_or("the reply ends in a DONE token")?;
        Ok((u64::from_le_bytes(*count), bytes))
    }
}

/// A batch in one packet, with a header that names no transaction.
fn batch(sql: &str) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(22u32.to_le_bytes());
    body.extend(18u32.to_le_bytes());
    body.extend(2u16.to_le_bytes());
    body.extend(0u64.to_le_bytes());
    body.extend(1u32.to_le_bytes());
    body.extend(sql.encode_utf16().flat_map(u16::to_le_bytes));
    let length = u16::try_from(HEADER + body.len()).expect("a short batch");
    let mut packet = vec![BATCH, END_OF_MESSAGE];
    packet.extend(length.to_be_bytes());
    packet.extend([0, 0, 1, 0]);
    packet.extend(body);
    packet
}
