//! A client in a process of its own, asked by lines of JSON.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::{Driver, Reply, Request};

const PYTHON_PACKAGES: [&str; 4] =
    ["mssql-python==1.16.0", "pymssql==2.4.6", "python-tds==1.17.1", "pyOpenSSL==26.4.0"];

/// A client that is killed with its value.
pub(crate) struct ProcessClient {
    name: &'static str,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl ProcessClient {
    pub(crate) async fn start(driver: Driver) -> Self {
        let name = driver.name();
        let mut child = tokio::task::spawn_blocking(move || command(driver))
            .await
            .expect("an environment is made or refused")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { name, input, output, _child: child }
    }

    pub(crate) async fn ask(&mut self, request: &Request<'_>) -> Reply {
        let mut line = serde_json::to_vec(request).expect("a request is JSON");
        line.push(b'\n');
        self.input.write_all(&line).await.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let line = self.output.next_line().await.expect("replies are UTF-8");
        let line = line.unwrap_or_else(|| panic!("{} ended over {:.400}", self.name, format!("{request:?}")));
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{}: {error} in {line}", self.name))
    }
}

fn command(driver: Driver) -> Command {
    let script = |name: &str| folder().join(name);
    if driver == Driver::Tedious {
        let mut command = Command::new("node");
        command.arg(script("tedious.cjs")).env("NODE_PATH", node_modules()).env("TZ", "UTC");
        return command;
    }
    let mut command = Command::new(python());
    command.arg(script("drivers.py")).arg(driver.name());
    command
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outsiders")
}

/// A Python with the drivers.
pub(crate) fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outsiders-python");
        services::python::environment(&environment, &PYTHON_PACKAGES)
            .unwrap_or_else(|error| panic!("the Python drivers cannot be installed: {error}"))
    })
}

fn node_modules() -> &'static Path {
    static MODULES: OnceLock<PathBuf> = OnceLock::new();
    MODULES.get_or_init(|| {
        let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outsiders-node");
        services::node::environment(&environment, &folder())
            .unwrap_or_else(|error| panic!("tedious cannot be installed: {error}"))
    })
}
