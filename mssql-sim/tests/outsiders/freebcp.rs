//! FreeTDS's `freebcp`: a file into a table and out of it again.

use std::path::Path;

use tokio::process::Command;

use crate::driver::{Client, Driver};
use crate::site::Site;

const ROWS: usize = 3_000;
const CREATE: &str = "CREATE TABLE dbo.lines (
    id int NOT NULL PRIMARY KEY, sku nvarchar(40) NULL, quantity decimal(18, 4) NULL, weight float NULL, stock bigint NULL)";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_back_as_it_went_in() {
    let site = Site::start().await;
    let mut client = Client::start(Driver::Tiberius).await;
    client.connect("main", &site.login).await;
    client.run("main", CREATE).await;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (given, taken) = (folder.join("freebcp-in.txt"), folder.join("freebcp-out.txt"));
    let lines: String = (0..ROWS).map(line).collect();
    std::fs::write(&given, &lines).expect("the target directory is writable");

    bcp(&site, "in", &given).await;
    let figures = client.run("main", "SELECT COUNT(*), COUNT(sku), SUM(stock) FROM dbo.lines").await;
    let stock: usize = (0..ROWS).map(|n| n * 1_000_003).sum();
    let skus = ROWS - ROWS.div_ceil(7);
    let expected = [ROWS, skus, stock].map(|figure| Some(figure.to_string()));
    assert_eq!(figures[0].rows, [expected]);

    bcp(&site, "out", &taken).await;
    let back = std::fs::read_to_string(&taken).expect("freebcp wrote it");
    assert!(back == lines, "other lines came back: {back:.300}");
    println!("freebcp: {ROWS} rows in and out, equal");
}

/// Every seventh row has no text.
fn line(n: usize) -> String {
    let sku = if n.is_multiple_of(7) { String::new() } else { format!("c\u{f3}digo {n} \u{6f22}") };
    format!("{n}|{sku}|{n}.2500|{}.125|{}\n", n % 100, n * 1_000_003)
}

async fn bcp(site: &Site, direction: &str, file: &Path) {
    let settings = file.with_extension("conf");
    std::fs::write(&settings, "[global]\nclient charset = UTF-8\n")
        .expect("the target directory is writable");
    let login = &site.login;
    let output = Command::new("freebcp")
        .env("FREETDSCONF", &settings)
        .args(["wms.dbo.lines", direction])
        .arg(file)
        .args(["-S", &format!("127.0.0.1:{}", login.port), "-U", &login.user, "-P", &login.password])
        .args(["-c", "-t", "|", "-b", "1000"])
        .output()
        .await
        .expect("freebcp, of Debian's package freetds-bin, starts");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
}
