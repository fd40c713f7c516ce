//! The program as pymssql (FreeTDS) sees it: a client that nobody here wrote.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const PYMSSQL: &str = "pymssql==2.4.6";

/// Runs a command to its end; a failure is the test's.
fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}\n{}{}", text(&output.stdout), text(&output.stderr));
}

/// The program, killed if the test ends before it.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().expect("a child can be killed, also when it has ended");
        self.0.wait().expect("a killed program ends");
    }
}

#[test]
fn pymssql_reads_back_exactly_what_it_wrote() {
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    let python =
        services::python::environment(&environment, PYMSSQL).unwrap_or_else(|error| panic!("{error}"));
    let password_file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pymssql-password");
    std::fs::write(&password_file, "P\u{e4}ssw0rd\n").expect("the target directory is writable");
    let seed = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pymssql-seed.sql");
    std::fs::write(&seed, "CREATE TABLE dbo.seed (id int)\nGO\nINSERT INTO dbo.seed VALUES (1), (2)\nGO\n")
        .expect("the target directory is writable");
    let child = Command::new(env!("CARGO_BIN_EXE_mssql-sim"))
        .args(["--listen", "127.0.0.1:0", "--database", "wms", "--user", "sa", "--password-file"])
        .arg(&password_file)
        .arg("--script")
        .arg(&seed)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut program = Program(child);
    let mut line = String::new();
    let stdout = program.0.stdout.take().expect("stdout is piped");
    BufReader::new(stdout).read_line(&mut line).expect("the program says where it listens");
    let port = line.trim_end().rsplit(':').next().expect("an address has a port");

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pymssql_client.py");
    run(Command::new(python).arg(script).args([port, "P\u{e4}ssw0rd"]));

    run(Command::new("kill").args(["-TERM", &program.0.id().to_string()]));
    let status = program.0.wait().expect("the program can be waited for");
    assert!(status.success(), "SIGTERM is an ordinary end: {status}");
}
