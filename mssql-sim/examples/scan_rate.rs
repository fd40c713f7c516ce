//! How fast a table of a million rows reaches a tiberius client: rows per second of the client's own CPU time.
//!
//! `cargo run --release -p mssql-sim --example scan_rate [rows]`. The server runs in a process of its own, so that
//! the figure is the client's alone.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use futures::TryStreamExt;
use mssql_sim::server::{Options, Server};
use tiberius::{AuthMethod, Client, Config, EncryptionLevel};
use tokio_util::compat::TokioAsyncWriteCompatExt;

type Failure = Box<dyn std::error::Error>;

const ROWS: usize = 1_000_000;
const ROUNDS: usize = 3;
/// First argument of the process that serves.
const SERVE: &str = "serve";

/// Fifteen columns of a warehouse's order lines.
const CREATE: &str = "CREATE TABLE dbo.lines (
    id bigint NOT NULL PRIMARY KEY, status nchar(1) NOT NULL, order_id int NOT NULL, sku nvarchar(20) NOT NULL,
    location varchar(40) NULL, line smallint NOT NULL, quantity decimal(18, 4) NOT NULL, price money NULL,
    weight float NULL, picked_at datetime2(3) NULL, entered_at datetime NOT NULL, short bit NOT NULL,
    tag uniqueidentifier NULL, stamp binary(8) NOT NULL, notes nvarchar(200) NULL)";

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let serves = arguments.first().is_some_and(|argument| argument == SERVE);
    let rows =
        arguments.last().filter(|argument| *argument != SERVE).map_or(Ok(ROWS), |rows| rows.parse())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if serves { runtime.block_on(serve(rows)) } else { runtime.block_on(measure(rows)) }
}

async fn serve(rows: usize) -> Result<(), Failure> {
    let server = Server::new(Options::default());
    server.execute(CREATE).await?;
    let mut next = 0;
    while next < rows {
        let end = rows.min(next + 1000);
        let values: Vec<String> = (next..end).map(line).collect();
        server.execute(&format!("INSERT INTO dbo.lines VALUES {}", values.join(", "))).await?;
        next = end;
    }
    let listening = server.listen("127.0.0.1:0").await?;
    println!("{}", listening.addr);
    std::future::pending().await
}

/// One row's values; a third of the notes are NULL.
fn line(n: usize) -> String {
    let notes =
        if n.is_multiple_of(3) { "NULL".to_owned() } else { format!("N'note number {n} about this line'") };
    format!(
        "({n}, N'A', {order}, N'SKU-{sku:06}', 'A-{aisle:02}-{bin:03}', {number}, {n}.25, {price}.5, {weight}.125, \
         '2026-11-24T10:00:00.123', '2026-11-24T09:00:00', {short}, '6F9619FF-8B86-D011-B42D-00C04FC964FF', \
         0x0102030405060708, {notes})",
        order = n / 5,
        sku = n % 10_000,
        aisle = n % 90,
        bin = n % 700,
        number = n % 5,
        price = n % 1000,
        weight = n % 100,
        short = n % 2,
    )
}

async fn measure(rows: usize) -> Result<(), Failure> {
    let mut child = Command::new(std::env::current_exe()?)
        .args([SERVE, &rows.to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut address = String::new();
    let stdout = child.stdout.take().ok_or("the server's stdout is piped")?;
    BufReader::new(stdout).read_line(&mut address)?;
    let measured = rounds(address.trim(), rows).await;
    child.kill()?;
    child.wait()?;
    measured
}

async fn rounds(address: &str, rows: usize) -> Result<(), Failure> {
    let options = Options::default();
    let mut config = Config::new();
    config.encryption(EncryptionLevel::NotSupported);
    config.authentication(AuthMethod::sql_server(options.user, options.password));
    let stream = tokio::net::TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut client = Box::pin(Client::connect(config, stream.compat_write())).await?;
    for round in 1..=ROUNDS {
        let (wall, cpu) = (Instant::now(), cpu_seconds()?);
        let mut stream = client.simple_query("SELECT * FROM dbo.lines").await?.into_row_stream();
        let mut read = 0;
        while stream.try_next().await?.is_some() {
            read += 1;
        }
        drop(stream);
        assert_eq!(read, rows, "every row arrives");
        let (wall, cpu) = (wall.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
        let per_second = |seconds: f64| read as f64 / seconds / 1000.0;
        println!(
            "round {round}: {read} rows, {:.0} k rows per CPU-second of the client, {:.0} k rows/s",
            per_second(cpu),
            per_second(wall)
        );
    }
    Ok(())
}

/// CPU time of this process so far, user and system, from `/proc`; in ticks of 10 ms.
fn cpu_seconds() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().ok_or("no process name in /proc/self/stat")?;
    // utime and stime are fields 14 and 15 of the line, 12 and 13 behind the name.
    let ticks: Vec<u64> =
        after_name.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<u64>() as f64 / 100.0)
}
