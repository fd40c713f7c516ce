//! The program as a user starts it, met by a client that nobody here wrote.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::driver::{Client, Driver, Encryption, Request};
use crate::site::Login;

fn file(name: &str, text: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&file, text).expect("the target directory is writable");
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_runs_its_script_serves_and_ends_on_sigterm() {
    let password = "P\u{e4}ssw0rd";
    let seed = "CREATE TABLE dbo.seed (id int)\nGO\nINSERT INTO dbo.seed VALUES (1), (2)\nGO\n";
    let ca = Path::new(env!("CARGO_TARGET_TMPDIR")).join("program-authority.pem");
    let mut program = Command::new(env!("CARGO_BIN_EXE_mssql-sim"))
        .args(["--listen", "127.0.0.1:0", "--database", "wms", "--user", "sa", "--password-file"])
        .arg(file("program-password", &format!("{password}\n")))
        .arg("--script")
        .arg(file("program-seed.sql", seed))
        .arg("--tls-authority")
        .arg(&ca)
        .args(["--tls-host", "localhost"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts");
    let stdout = program.stdout.take().expect("stdout is piped");
    let line = BufReader::new(stdout).lines().next_line().await.expect("stdout is UTF-8");
    let port = line
        .as_deref()
        .and_then(|line| line.rsplit(':').next()?.parse().ok())
        .expect("an address has a port");

    let login =
        Login { port, user: "sa".into(), password: password.into(), database: "wms".into(), ca: Some(ca) };
    let mut client = Client::start(Driver::Pymssql).await;
    let encryption = Encryption::Full;
    client.expect(Request::Connect { session: "main", login: &login, encryption, hasty: false }).await;
    let count = client.value("main", "SELECT COUNT(*) FROM dbo.seed").await;
    assert_eq!(count.as_deref(), Some("2"), "the script ran before the first login");

    let id = program.id().expect("it runs").to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.expect("kill is there").success());
    let status = program.wait().await.expect("the program can be waited for");
    assert!(status.success(), "SIGTERM is an ordinary end: {status}");
}
