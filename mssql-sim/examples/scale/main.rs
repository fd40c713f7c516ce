//! What the server can carry: a table of rows in memory, the rates at which they arrive and leave, sessions at a time.
//!
//! `cargo run --release -p mssql-sim --example scale [rows]`. The server runs in a process of its own, so that its
//! memory and CPU time are its alone; both come from `/proc`.

mod client;
mod lines;
mod process;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use client::{RawSession, Session};
use futures::TryStreamExt;
use mssql_sim::server::{Options, Server};

type Failure = Box<dyn std::error::Error>;

const ROWS: usize = 1_000_000;
/// First argument of the process that serves.
const SERVE: &str = "serve";
const ROWS_PER_INSERT: usize = 1_000;
/// The share of rows that arrive by INSERT; the others arrive by bulk load.
const INSERTED_SHARE: usize = 10;
const ROWS_PER_LOAD: usize = 100_000;
const SCANS: usize = 3;
const SESSIONS: usize = 400;
const REQUESTS_PER_SESSION: usize = 50;

fn main() -> Result<(), Failure> {
    let argument = std::env::args().nth(1);
    let serves = argument.as_deref() == Some(SERVE);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if serves {
        return runtime.block_on(serve());
    }
    let rows = argument.map_or(Ok(ROWS), |rows| rows.parse())?;
    let (mut child, address) = start()?;
    let measured = runtime.block_on(Measurement { server: child.id(), address, rows }.run());
    child.kill()?;
    child.wait()?;
    measured
}

async fn serve() -> Result<(), Failure> {
    let server = Server::new(Options::default());
    let listening = server.listen("127.0.0.1:0").await?;
    println!("{}", listening.addr);
    std::future::pending().await
}

fn start() -> Result<(Child, String), Failure> {
    let mut child = Command::new(std::env::current_exe()?).arg(SERVE).stdout(Stdio::piped()).spawn()?;
    let mut address = String::new();
    let stdout = child.stdout.take().ok_or("the server's stdout is piped")?;
    BufReader::new(stdout).read_line(&mut address)?;
    Ok((child, address.trim().to_owned()))
}

fn row(what: &str, figure: &str) {
    println!("| {what:<44} | {figure:<44} |");
}

struct Measurement {
    /// Its process.
    server: u32,
    address: String,
    rows: usize,
}

/// Time since its making, of a process and of the wall.
struct Watch {
    process: u32,
    cpu: f64,
    wall: Instant,
}

impl Watch {
    fn on(process: u32) -> Result<Self, Failure> {
        Ok(Self { process, cpu: process::cpu_seconds(process)?, wall: Instant::now() })
    }

    /// Thousands per second of CPU time and of the wall.
    fn rates(&self, count: usize) -> Result<(f64, f64), Failure> {
        let cpu = process::cpu_seconds(self.process)? - self.cpu;
        let thousands = count as f64 / 1000.0;
        Ok((thousands / cpu.max(0.01), thousands / self.wall.elapsed().as_secs_f64()))
    }
}

impl Measurement {
    async fn run(&self) -> Result<(), Failure> {
        row("what", "figure");
        row(&"-".repeat(44), &"-".repeat(44));
        let mut session = client::connect(&self.address).await?;
        session.execute(lines::CREATE, &[]).await?;
        let inserted = self.rows / INSERTED_SHARE;
        self.insert(&mut session, inserted).await?;
        self.load(&mut session, inserted).await?;
        self.memory()?;
        self.scan_raw().await?;
        self.scan_by_tiberius(&mut session).await?;
        self.sessions().await
    }

    async fn insert(&self, session: &mut Session, rows: usize) -> Result<(), Failure> {
        let watch = Watch::on(self.server)?;
        for first in (0..rows).step_by(ROWS_PER_INSERT) {
            let values: Vec<String> =
                (first..rows.min(first + ROWS_PER_INSERT)).map(lines::literal).collect();
            let insert = format!("INSERT INTO dbo.lines VALUES {}", values.join(", "));
            session.simple_query(insert).await?.into_results().await?;
        }
        let (cpu, wall) = watch.rates(rows)?;
        row(
            &format!("INSERT of {ROWS_PER_INSERT} rows each, {rows} rows"),
            &format!("{cpu:.0} k rows/CPU-s of the server, {wall:.0} k/s"),
        );
        Ok(())
    }

    async fn load(&self, session: &mut Session, from: usize) -> Result<(), Failure> {
        let watch = Watch::on(self.server)?;
        for first in (from..self.rows).step_by(ROWS_PER_LOAD) {
            let mut load = session.bulk_insert("dbo.lines").await?;
            for n in first..self.rows.min(first + ROWS_PER_LOAD) {
                load.send(lines::token_row(n)).await?;
            }
            load.finalize().await?;
        }
        let rows = self.rows - from;
        let (cpu, wall) = watch.rates(rows)?;
        row(
            &format!("bulk load of {ROWS_PER_LOAD} rows each, {rows} rows"),
            &format!("{cpu:.0} k rows/CPU-s of the server, {wall:.0} k/s"),
        );
        Ok(())
    }

    fn memory(&self) -> Result<(), Failure> {
        let (now, highest) = process::resident(self.server)?;
        let gibibytes = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        row(
            &format!("{} rows of 15 columns in memory", self.rows),
            &format!(
                "{:.2} GiB, {:.2} at the highest; {} bytes a row",
                gibibytes(now),
                gibibytes(highest),
                now / self.rows as u64
            ),
        );
        Ok(())
    }

    /// What the server alone can send.
    async fn scan_raw(&self) -> Result<(), Failure> {
        let mut session = RawSession::connect(&self.address).await?;
        let mut best = (0.0, 0.0);
        let mut bytes = 0;
        for _ in 0..SCANS {
            let watch = Watch::on(self.server)?;
            let (rows, sent) = session.count("SELECT * FROM dbo.lines").await?;
            assert_eq!(rows, self.rows as u64, "every row arrives");
            bytes = sent;
            let rates = watch.rates(self.rows)?;
            best = if rates.0 > best.0 { rates } else { best };
        }
        row(
            &format!("scan into a socket, {} bytes a row", bytes / self.rows as u64),
            &format!("{:.0} k rows/CPU-s of the server, {:.0} k/s", best.0, best.1),
        );
        Ok(())
    }

    /// What a client of the agent's kind can take.
    async fn scan_by_tiberius(&self, session: &mut Session) -> Result<(), Failure> {
        let mut best = (0.0, 0.0);
        for _ in 0..SCANS {
            let watch = Watch::on(std::process::id())?;
            let mut rows = session.simple_query("SELECT * FROM dbo.lines").await?.into_row_stream();
            let mut read = 0;
            while rows.try_next().await?.is_some() {
                read += 1;
            }
            assert_eq!(read, self.rows, "every row arrives");
            let rates = watch.rates(read)?;
            best = if rates.0 > best.0 { rates } else { best };
        }
        row("scan by tiberius", &format!("{:.0} k rows/CPU-s of the client, {:.0} k/s", best.0, best.1));
        Ok(())
    }

    /// Sessions at once, each reading and writing rows of its own.
    async fn sessions(&self) -> Result<(), Failure> {
        let mut sessions = Vec::with_capacity(SESSIONS);
        for _ in 0..SESSIONS {
            sessions.push(client::connect(&self.address).await?);
        }
        let watch = Watch::on(self.server)?;
        let stride = self.rows / SESSIONS;
        let work = sessions.into_iter().enumerate().map(|(number, mut session)| async move {
            for request in 0..REQUESTS_PER_SESSION {
                let id = i64::try_from(number * stride + request % stride)?;
                let update = "UPDATE dbo.lines SET quantity = quantity + 1 WHERE id = @P1";
                let changed = session.execute(update, &[&id]).await?.total();
                assert_eq!(changed, 1, "the row of key {id} is there");
            }
            Ok::<_, Failure>(())
        });
        futures::future::try_join_all(work).await?;
        let (cpu, wall) = watch.rates(SESSIONS * REQUESTS_PER_SESSION)?;
        row(
            &format!("{SESSIONS} sessions at once, {REQUESTS_PER_SESSION} updates each"),
            &format!("{cpu:.1} k updates/CPU-s of the server, {wall:.1} k/s"),
        );
        Ok(())
    }
}
