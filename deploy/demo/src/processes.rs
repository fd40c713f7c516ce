//! The agent and the API as the processes that they are in production.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// A started program. Killed when dropped; [`Process::stop`] lets it finish first.
pub struct Process {
    name: &'static str,
    child: Child,
}

/// How long a program may take to end after SIGTERM.
const STOP_LIMIT: Duration = Duration::from_secs(6);

/// A program of this workspace, beside the running one.
///
/// # Errors
/// The program was not built.
pub fn program(name: &str) -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let near = own.ancestors().skip(1).take(2).map(|folder| folder.join(name));
    near.into_iter().find(|path| path.is_file()).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            format!("the program {name} is not built; run: cargo build --workspace"),
        )
    })
}

impl Process {
    /// Starts a program of this workspace; what it says goes to `log`.
    ///
    /// # Errors
    /// The program is not built or does not start.
    pub fn start(name: &'static str, arguments: &[&str], log: &Path) -> io::Result<Self> {
        let output = std::fs::File::create(log)?;
        let child = Command::new(program(name)?)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self { name, child })
    }

    /// Whether it still runs; else how it ended.
    ///
    /// # Errors
    /// It ended.
    pub fn check(&mut self) -> io::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(io::Error::other(format!("{} ended by itself: {status}", self.name))),
        }
    }

    /// Asks it to end, and makes it end when it does not.
    ///
    /// # Errors
    /// The system does not say how it ended.
    pub async fn stop(mut self) -> io::Result<()> {
        self.signal(Signal::SIGTERM);
        if tokio::time::timeout(STOP_LIMIT, self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        Ok(())
    }

    /// Ends it at once, as a crash would.
    ///
    /// # Errors
    /// The system does not let it be killed.
    pub async fn crash(&mut self) -> io::Result<()> {
        self.child.kill().await
    }

    fn signal(&self, signal: Signal) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(id) = id {
            // A process that has just ended is what was asked for.
            kill(Pid::from_raw(id), signal).ok();
        }
    }
}
